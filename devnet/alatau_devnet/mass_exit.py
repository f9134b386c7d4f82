"""All leave a hub at once: ``python -m alatau_devnet.mass_exit`` (or ``make mass-exit``).

2,000 channels are opened on a chain of its own, in memory of this process but with real transactions, blocks, state and
commits. Then the hub is silent: carriers bring requests to close with the hub's vouchers (``close_many``), the vouchers
of the other direction with their receipts (``submit_many``), and after the window they settle (``settle_many``). Every
payout is checked to the unit. From the gas and the bytes that it took, the blocks that 55,000 channels need are
computed and compared with the window. Writes ``build/bench/mass_exit.json``.
"""

import argparse
import json
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.artifacts.genesis import (
    NO_LIMITS,
    SYSTEM_CONTRACTS,
    CouncilMembers,
    NetworkContracts,
    genesis_contracts,
    hub_word,
    institution_word,
    resident_word,
)
from alatau.build_form import FORM
from alatau.chain.executed import ExecutedBlock, Tip
from alatau.chain.execution import BlockTemplate, build_block
from alatau.chain.genesis import make_genesis
from alatau.channels.calls import claim_argument, parties_argument, request_argument
from alatau.channels.messages import (
    CloseRequest,
    Parties,
    Voucher,
    channel_id,
    channels_domain,
    close_request_digest,
    receipt_digest,
    sign_voucher,
)
from alatau.client.abi import load_abi
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.storage.store import Store
from alatau.types.chain_config import ChainConfig
from alatau.types.genesis import Genesis, GenesisValidator, genesis_validator_set
from alatau.types.transaction import UnsignedTransaction, sign_transaction
from alatau.types.vote import Commit, CommitSignature, VoteKind, consensus_domain, vote_digest

CITY: Final = 55_000
"""Channels of a city with 52,000 residents and 2,800 merchants."""

RESIDENTS: Final = 500
"""As many as genesis may name; each has several channels."""

DEPOSIT, PAID, REFUNDED = 1_000, 300, 40
EXITS, SETTLEMENTS = 64, 256
"""Channels in a transaction (the contract's bounds)."""

FIRST_CREDIT_GAS: Final = 17_100
"""What a settlement costs more when it is the first credit of its resident (EIP-2929)."""

WINDOW_BLOCKS: Final = 3_600
"""An hour of blocks of a second: the window that is compared with."""

OUTPUT: Final = Path("build/bench/mass_exit.json")


def _key(name: str) -> PrivateKey:
    return PrivateKey(keccak256(f"mass exit {name}".encode()))


HUB, CARRIER, FOUNDER = _key("hub"), _key("carrier"), _key("founder")


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the exit took."""

    name: str
    channels: int
    gas: int
    bytes: int
    blocks: int
    seconds: float


@dataclass(slots=True)
class Chain:
    """One validator's chain, block after block."""

    config: ChainConfig
    genesis: Genesis
    store: Store
    commit: Commit | None = None
    nonces: dict[bytes, int] = field(default_factory=dict)

    def call(self, key: PrivateKey, contract: bytes, artifact: str, name: str, *arguments: Any, gas: int) -> Any:
        """A signed transaction with its sender."""
        nonce = self.nonces.get(key.address, 0)
        self.nonces[key.address] = nonce + 1
        data = load_abi(load(artifact).abi).encode_call(name, arguments)
        unsigned = UnsignedTransaction(
            chain_id=self.config.chain_id, nonce=nonce, gas_limit=gas, to=contract, value=0, data=data
        )
        return sign_transaction(unsigned, key.sign), key.address

    def mine(self, signed: Sequence[Any]) -> Iterator[ExecutedBlock]:
        """As many blocks as the transactions need; each must succeed."""
        waiting = list(signed)
        while waiting:
            executed = self._block(waiting)
            taken = len(executed.block.transactions)
            assert taken > 0, "a transaction does not fit a block"
            assert [r for r in executed.receipts if not r.succeeded] == [], "a transaction failed"
            del waiting[:taken]
            yield executed

    def pass_blocks(self, count: int) -> None:
        """Empty blocks."""
        for _ in range(count):
            self._block([])

    def _block(self, waiting: Sequence[Any]) -> ExecutedBlock:
        header = self.store.tip
        assert header is not None, "the chain has its genesis"
        tip = Tip(header, self.store.tip_hash, self.store.state(), self.store.trie(), self.store.hash_of)
        founders = genesis_validator_set(self.genesis)
        template = BlockTemplate(header.timestamp + 1, FOUNDER.address, founders, self.commit)
        building = build_block(tip, self.config, template, waiting)
        try:
            while True:
                next(building)
        except StopIteration as done:
            executed: ExecutedBlock = done.value.executed
        number, block_hash = executed.block.header.number, executed.block.hash
        assert self.store.genesis_hash is not None
        domain = consensus_domain(self.config.chain_id, self.store.genesis_hash)
        digest = vote_digest(domain, VoteKind.PRECOMMIT, number, 0, block_hash)
        self.commit = Commit(number, 0, block_hash, (CommitSignature(FOUNDER.address, FOUNDER.sign(digest)),))
        self.store.commit(executed, self.commit)
        return executed


def start(folder: Path, settle_blocks: int) -> Chain:
    """A chain with a hub and residents who have money."""
    config = ChainConfig(7773, "mass exit", system=SYSTEM_CONTRACTS)
    founder = GenesisValidator(
        name="Ministry of Exits",
        operator=FOUNDER.address,
        voting_public_key=FOUNDER.public_key,
        voting_address=FOUNDER.address,
        tls_public_key=b"",
        tls_key_hash=keccak256(b"tls"),
        endpoint="localhost:7000",
        power=1,
    )
    members = tuple(_key(f"member {n}").address for n in range(3))
    council = CouncilMembers("Council", members, 2, _key("guardian").address)
    residents = [resident(n).address for n in range(RESIDENTS)]
    network = NetworkContracts(
        validators=(founder,),
        fund_council=council,
        reserve_council=council,
        delay_s=5,
        participants=dict.fromkeys(residents, resident_word())
        | {HUB.address: hub_word(), CARRIER.address: institution_word()},
        tier_caps=(10**12,),
        payment_limits=(NO_LIMITS,),
        holdings=dict.fromkeys((*residents, HUB.address), 10**9),
        settle_blocks=settle_blocks,
        settle_seconds=1,
    )
    genesis = Genesis(config, 1_750_000_000, {}, (founder,), genesis_contracts(network))
    store = Store.open(folder / "store")
    store.init_genesis(make_genesis(genesis))
    return Chain(config, genesis, store)


def resident(number: int) -> PrivateKey:
    """The key of a resident."""
    return _key(f"resident {number % RESIDENTS}")


def run(chain: Chain, count: int, settle_blocks: int) -> list[Step]:
    """Open ``count`` channels, leave all of them, check every payout."""
    contract = addresses.CITY_CHANNELS
    domain = channels_domain(chain.config.chain_id, contract)
    token, limit = addresses.SETTLEMENT_TOKEN, 2**255
    people = [resident(n) for n in range(min(count, RESIDENTS))]
    approvals = [
        chain.call(key, token, "SettlementToken", "approve", contract, limit, gas=100_000) for key in (*people, HUB)
    ]
    _step("approve", len(approvals), chain, approvals)
    all_parties = [Parties(resident(n).address, HUB.address, n.to_bytes(32, "big")) for n in range(count)]
    steps = []

    def act(name: str, channels: int, signed: list[Any]) -> None:
        steps.append(_step(name, channels, chain, signed))

    act(
        "open",
        count,
        [
            chain.call(resident(n), contract, "CityChannels", "open", HUB.address, parties.salt, DEPOSIT, gas=200_000)
            for n, parties in enumerate(all_parties)
        ],
    )
    exits, submissions = [], []
    for n, parties in enumerate(all_parties):
        identity, key = channel_id(domain, parties), resident(n)
        request = CloseRequest(identity, key.address, deadline=2_000_000_000)
        back = sign_voucher(domain, Voucher(identity, HUB.address, 1, REFUNDED), HUB.sign)
        forward = sign_voucher(domain, Voucher(identity, key.address, 1, PAID), key.sign)
        exits.append(
            (
                parties_argument(parties),
                request_argument(key.address, request.deadline, key.sign(close_request_digest(domain, request))),
                claim_argument(back, key.sign(receipt_digest(domain, back.voucher))),
            )
        )
        receipt = HUB.sign(receipt_digest(domain, forward.voucher))
        submissions.append((parties_argument(parties), claim_argument(forward, receipt)))
    for name, items, size, gas in (
        ("close_many", exits, EXITS, 110_000),
        ("submit_many", submissions, EXITS, 60_000),
        ("settle_many", [parties_argument(parties) for parties in all_parties], SETTLEMENTS, 65_000),
    ):
        if name == "settle_many":
            chain.pass_blocks(settle_blocks + 1)
        batches = [items[at : at + size] for at in range(0, count, size)]
        act(
            name,
            count,
            [
                chain.call(CARRIER, contract, "CityChannels", name, batch, gas=min(60_000 + gas * len(batch), 1 << 24))
                for batch in batches
            ],
        )
    _check(chain, count)
    return steps


def _step(name: str, channels: int, chain: Chain, signed: list[Any]) -> Step:
    started = time.perf_counter()
    blocks = list(chain.mine(signed))
    gas = sum(executed.block.header.gas_used for executed in blocks)
    size = sum(len(tx.encoded) for tx, _ in signed)
    step = Step(name, channels, gas, size, len(blocks), round(time.perf_counter() - started, 1))
    print(f"{name:12} {channels:6,} channels  {gas // channels:7,} gas each  {len(blocks):4} blocks  {step.seconds} s")
    return step


def _check(chain: Chain, count: int) -> None:
    """What was settled, from the last blocks' logs, channel by channel."""
    topic = load_abi(load("CityChannels").abi).event("Settled").topic
    expected = (DEPOSIT - PAID + REFUNDED).to_bytes(32, "big") + (PAID - REFUNDED).to_bytes(32, "big")
    assert chain.store.tip is not None, "the chain has its genesis"
    seen = [
        log
        for height in range(1, chain.store.tip.number + 1)
        for receipt in chain.store.receipts(height)
        for log in receipt.logs
        if log.topics and log.topics[0] == topic
    ]
    assert len({log.topics[1] for log in seen}) == len(seen) == count, f"{len(seen)} of {count} were settled"
    assert {log.data for log in seen} == {expected}, "a payout is wrong"
    print(f"all {count:,} settled, each by its newest vouchers")


def computed(steps: Sequence[Step], config: ChainConfig, channels: int) -> dict[str, int]:
    """Blocks that ``channels`` need for each step: by gas and by bytes, whichever is more."""
    found = {}
    for step in steps:
        gas = step.gas / step.channels
        if step.name == "settle_many":
            gas += FIRST_CREDIT_GAS
        by_gas = channels * gas / config.block_gas_limit
        by_size = channels * step.bytes / step.channels / config.block_size_bytes_max
        # A block that is not filled to the brim: transactions are as large as a third of it.
        found[step.name] = math.ceil(max(by_gas, by_size) * 1.5)
    return found


def main() -> None:
    """Run, compute, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=2_000, help="how many leave (2000)")
    count = parser.parse_args().channels
    # Long enough that all vouchers are brought within the first channel's window.
    settle_blocks = 40 + count // 50
    with tempfile.TemporaryDirectory() as folder:
        chain = start(Path(folder), settle_blocks)
        steps = run(chain, count, settle_blocks)
        chain.store.close()
    blocks = computed(steps, chain.config, CITY)
    needed = blocks["close_many"] + blocks["submit_many"]
    print(f"{CITY:,} channels: {blocks}; closes and vouchers need {needed} blocks, a window has {WINDOW_BLOCKS:,}")
    assert needed < WINDOW_BLOCKS, "a city does not get out within the window"
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    figures = {
        "build": FORM.build,
        "steps": [asdict(step) for step in steps],
        "city_channels": CITY,
        "city_blocks": blocks,
    }
    OUTPUT.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
