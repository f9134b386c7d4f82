"""The pages' rules of a channel, in JavaScript, do what those in Python do: the same steps, message by message."""

import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import alatau.pages
from alatau.channels.errors import ChannelError
from alatau.channels.forwarding.inputs import InputDeposited, InputOpened
from alatau.channels.invoice import SignedInvoice
from alatau.channels.messages import Parties
from alatau.channels.party.core import NEVER_TAKEN
from alatau.channels.state import Phase, Window, opened, side_of
from alatau.channels.transition import ChangeClosing, ChangeDeposited, ChangeSettled, transition
from tests.support.city import DOMAIN, HUB, SETTLE_BLOCKS, City, Person
from tests.support.phones import ChipKey
from tests.unit.pages.recorded_party import RecordedParty

NODE = shutil.which("node")
PAGES = Path(alatau.pages.__file__).parent
REPLAY = Path(__file__).parent / "replay.mjs"
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")
SEEDS = range(10)
LIFE = 40


@dataclass
class Phone(Person):
    """A party whose core is recorded."""

    starts: list[dict[str, Any]] = field(default_factory=list)
    cores: list[RecordedParty] = field(default_factory=list)
    bills: list[SignedInvoice] = field(default_factory=list)
    """All that it ever made, also what it has forgotten."""

    def begin(self, core: RecordedParty, key: ChipKey) -> None:
        """From here on it is this core."""
        core.sign_recorded(key.sign)
        self.core = core
        self.starts.append(core.start())
        self.cores.append(core)


def join(city: City, name: str, *, deposit: int = 0, hub_deposit: int = 0) -> Phone:
    """Somebody with a key on P-256 opens a channel."""
    key = ChipKey(name)
    parties = Parties(key.address, HUB.address, bytes(32))
    state = opened(DOMAIN, parties, deposit, settle_blocks=SETTLE_BLOCKS)
    state, _ = transition(state, ChangeDeposited(HUB.address, hub_deposit))
    core = RecordedParty(state, key.address, key.sign, revealed=city.revealed)
    phone = Phone(key, core, stored_state=state)  # type: ignore[arg-type]  # it signs
    phone.begin(core, key)
    city.people[state.id] = phone
    city.tell(InputOpened(parties, deposit, SETTLE_BLOCKS))
    city.tell(InputDeposited(state.id, HUB.address, hub_deposit))
    return phone


def cleared(city: City, phone: Phone) -> None:
    """Its storage is cleared: it begins from what the chain says, stale."""
    city.disconnect(phone)
    key = phone.key
    state = phone.core.state
    begun = opened(DOMAIN, state.parties, state.a.deposited, settle_blocks=SETTLE_BLOCKS)
    begun, _ = transition(begun, ChangeDeposited(HUB.address, state.b.deposited))
    core = RecordedParty(begun, key.address, key.sign, stale=True, revealed=city.revealed)
    phone.begin(core, key)  # type: ignore[arg-type]  # it is a ChipKey
    city.connect(phone)


def issue(city: City, rng: random.Random, till: Phone) -> None:
    """It asks for money."""
    secret = rng.randbytes(32)
    city.do(till, till.core.invoice(rng.randint(1, 400), secret, city.now, seconds=600, details=b'{"a":"b"}'))
    till.bills += [one.signed for one in till.core.incoming.values() if one.secret == secret]


def act(city: City, rng: random.Random, payers: list[Phone], tills: list[Phone]) -> None:
    """Something happens."""
    phone = rng.choice([*payers, *tills])
    payer, till = rng.choice(payers), rng.choice(tills)
    weights = {"pay": 8, "hear": 40, "hub": 24, "refund": 6, "rest": 4, "mine": 2, "connect": 3, "cut": 1, "news": 2}
    match rng.choices(list(weights), list(weights.values()))[0]:
        case "pay":
            issue(city, rng, till)
            city.do(payer, payer.core.pay(rng.choice(till.bills[-6:]), int(rng.random() < 0.1), LIFE, city.now))
        case "hear":
            city.hear(phone)
        case "hub":
            city.run_hub(rng.randint(1, 5))
        case "refund":
            if till.core.incoming:
                one = rng.choice(list(till.core.incoming.values()))
                amount = rng.randint(1, one.signed.invoice.amount + 1)
                city.do(till, till.core.refund(one.signed.invoice.secret_hash, amount, city.now))
        case "rest":
            city.settle_down()
        case "mine":
            city.mine(rng.choice((1, 1, 1, 1, 5, LIFE + 2)))
        case "connect":
            city.connect(phone)
        case "cut":
            city.disconnect(phone)
        case "news":
            total = side_of(phone.core.state, HUB.address).deposited + rng.randint(1, 500)
            city.tell(InputDeposited(phone.channel_id, HUB.address, total - phone.core.state.b.deposited))
            city.do(phone, phone.core.news(ChangeDeposited(HUB.address, total), city.now))


def story(seed: int) -> Iterator[dict[str, Any]]:
    """A day of two residents and two tills; at its end one storage is cleared, and channels are closed."""
    rng = random.Random(seed)
    city = City()
    payers = [join(city, f"payer {number}", deposit=3_000, hub_deposit=50) for number in (1, 2)]
    tills = [join(city, f"till {number}", hub_deposit=1_500) for number in (1, 2)]
    city.run_hub()
    for phone in (*payers, *tills):
        city.connect(phone)
    for step in range(300):
        if step == 200:
            issue(city, rng, tills[0])
            cleared(city, rng.choice(payers) if seed % 2 else tills[0])
        try:
            act(city, rng, payers, tills)
        except ChannelError:
            continue
    for phone in (*payers, *tills):
        city.connect(phone)
    city.settle_down()
    for phone in (*payers, *tills):
        try:
            city.do(phone, phone.core.close(city.time + 900, city.now))
        except ChannelError:
            continue
    city.settle_down()
    for phone in (*payers, *tills):
        if phone.core.state.phase is Phase.OPEN:
            phone.core.news(ChangeClosing(Window(city.block + SETTLE_BLOCKS, city.time + 60)), city.now)
        phone.core.news(ChangeSettled(), city.now)
    for phone in (*payers, *tills):
        for start, core in zip(phone.starts, phone.cores, strict=True):
            yield {"start": start, "steps": core.steps, "signatures": core.signatures}


def replayed(stories: list[dict[str, Any]]) -> str:
    """What the twin says."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, str(REPLAY), str(PAGES)],
        input=json.dumps(stories),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return (done.stdout + done.stderr)[-12_000:].strip()


@needs_node
@pytest.mark.parametrize("seed", SEEDS)
def test_the_twin_takes_every_step_alike(seed: int) -> None:
    """Messages, what is told, phases of payments, vouchers with their signatures: all the same."""
    assert replayed(list(story(seed))) == "same"


def test_the_stories_reach_what_matters() -> None:
    """Payments are paid, refused, cancelled, expired, forgotten and refunded in them, and channels are divided."""
    phases, ops, tells, notes, agreed = set(), set(), set(), set(), 0
    for seed in SEEDS:
        for told in story(seed):
            for step in told["steps"]:
                ops.add(step["op"] if not step["fails"] else f"no {step['op']}")
                tells.update(step.get("tells", ()))
                phases |= {one["phase"] for one in step["after"]["outgoing"] + step["after"]["incoming"]}
                notes |= {one["note"] for one in step["after"]["outgoing"]}
                agreed += step["after"]["agreement"] is not None
    assert phases >= {"offered", "taken", "paid", "cancelled", "refused", "issued", "locked"}
    assert {"hello", "invoice", "pay", "refund", "close", "news", "hear", "expire", "no pay", "no refund"} <= ops
    assert {"paid", "failed", "received", "refunded"} <= tells
    assert {NEVER_TAKEN, "expired", "the merchant did not take it"} <= notes
    assert agreed


@needs_node
def test_a_difference_is_found() -> None:
    """A step of which one byte is changed is not the same any more."""
    (first, *_rest) = story(0)
    paid = next(step for step in first["steps"] if step["op"] == "pay" and step["sends"])
    lock = paid["sends"][0]["pay"]["voucher"]["locks"][-1]
    lock["expiryBlock"] = str(int(lock["expiryBlock"]) + 1)
    assert replayed([first]).startswith("{")
