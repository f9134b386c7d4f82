from dataclasses import replace
from pathlib import Path

import pytest

from alatau.app.genesis.ceremony import (
    CeremonyError,
    Contribution,
    contribute,
    encode_contribution,
    merge,
    read_contribution,
    transcript_hash,
)
from alatau.app.genesis.file import encode_genesis, read_genesis
from alatau.app.genesis.plan import OPERATORS, NetworkPlan, encode_plan, plan_hash, read_plan
from alatau.app.json_field import DocumentError
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import new_key
from alatau_devnet.plan import DevnetOptions, devnet_plan

PLAN = devnet_plan(DevnetOptions(residents=2), 1_700_000_000)
TLS_KEYS = [new_key() for _ in range(3)]


def _contribution(number: int, plan: NetworkPlan = PLAN, *, tls: int | None = None) -> Contribution:
    return contribute(
        plan,
        name=f"Ministry {number}",
        endpoint=f"127.0.0.1:{7000 + number}",
        power=1,
        operator=PrivateKey(bytes([10 + number]) * 32),
        voting=PrivateKey(bytes([20 + number]) * 32),
        tls_key_pem=TLS_KEYS[number if tls is None else tls],
    )


CONTRIBUTIONS = [_contribution(number) for number in range(3)]


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    """Roles, licences, councils and balances are spelled out and read back."""
    path = tmp_path / "plan.json"
    for plan in (PLAN, replace(PLAN, fund_council=replace(PLAN.fund_council, members=OPERATORS))):
        path.write_bytes(encode_plan(plan))
        assert read_plan(path) == plan
        assert plan_hash(read_plan(path)) == plan_hash(plan)
    assert '"kind": "resident"' in path.read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"kind": "resident"', '"kind": "alien"', "expected one of resident, merchant, institution, contract"),
        ('"compliance"', '"spy"', "expected one of registrar, licensor, compliance, court"),
        ('"threshold": 2', '"threshold": 0', "fund_council.threshold is 0"),
        ('"deploys": false', '"deploys": 1', "expected true or false"),
        ('"decimals": 2', '"decimals": 99', "token.decimals is 99"),
    ],
)
def test_a_mistake_in_a_plan_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    """The coordinator reads where it is and what is allowed."""
    path = tmp_path / "plan.json"
    path.write_text(encode_plan(PLAN).decode().replace(old, new))
    with pytest.raises(DocumentError, match=message):
        read_plan(path)


def test_the_order_of_contributions_does_not_matter(tmp_path: Path) -> None:
    """Every ministry merges for itself and gets the same bytes and the same transcript."""
    genesis, again = merge(PLAN, CONTRIBUTIONS), merge(PLAN, CONTRIBUTIONS[::-1])
    assert encode_genesis(genesis) == encode_genesis(again)
    assert transcript_hash(PLAN, CONTRIBUTIONS) == transcript_hash(PLAN, CONTRIBUTIONS[::-1])
    assert {v.name for v in genesis.validators} == {"Ministry 0", "Ministry 1", "Ministry 2"}
    path = tmp_path / "genesis.json"
    path.write_bytes(encode_genesis(genesis))
    assert read_genesis(path) == genesis


def test_the_transcript_covers_the_plan_and_every_contribution() -> None:
    """Whoever changes anything gets another hash."""
    whole = transcript_hash(PLAN, CONTRIBUTIONS)
    assert transcript_hash(PLAN, CONTRIBUTIONS[:2]) != whole
    other = replace(PLAN, timestamp=PLAN.timestamp + 1)
    assert transcript_hash(other, CONTRIBUTIONS) != whole


def test_a_contribution_survives_its_file(tmp_path: Path) -> None:
    """What is mailed is what was signed."""
    path = tmp_path / "contribution.json"
    path.write_bytes(encode_contribution(CONTRIBUTIONS[0]))
    assert read_contribution(path) == CONTRIBUTIONS[0]


def test_a_contribution_for_another_plan_is_refused() -> None:
    """A ministry agreed to one plan, not to whatever the coordinator makes of it."""
    changed = replace(PLAN, delay_s=PLAN.delay_s + 1)
    with pytest.raises(CeremonyError, match="Ministry 0: signed for another plan"):
        merge(changed, CONTRIBUTIONS[:1])
    with pytest.raises(CeremonyError, match="not by the operator"):
        merge(changed, [replace(CONTRIBUTIONS[0], plan_hash=plan_hash(changed))])


def test_all_three_keys_must_have_signed() -> None:
    """Nobody enters a key that he does not hold."""
    mine, theirs = CONTRIBUTIONS[:2]
    for field, message in (("operator", "operator"), ("voting", "voting key"), ("tls", "TLS key")):
        name = f"{field}_signature"
        forged = replace(mine, **{name: getattr(theirs, name)})
        with pytest.raises(CeremonyError, match=f"Ministry 0: the signature is not by the {message}"):
            merge(PLAN, [forged, theirs])
    with pytest.raises(CeremonyError, match="malformed"):
        merge(PLAN, [replace(mine, voting_signature=bytes(65))])


def test_what_must_be_a_ministrys_own_is_not_shared() -> None:
    """Two validators behind one TLS key would be one peer; a contribution given twice shows."""
    with pytest.raises(CeremonyError, match="Ministry 0 and Ministry 1 have the same tls_key_hash"):
        merge(PLAN, [_contribution(0), _contribution(1, tls=0)])
    with pytest.raises(CeremonyError, match="have the same voting_address"):
        merge(PLAN, [CONTRIBUTIONS[0], CONTRIBUTIONS[0]])
    with pytest.raises(CeremonyError, match="at least one validator"):
        merge(PLAN, [])


def test_more_than_the_registry_admits_are_refused() -> None:
    """Before any is checked: the contract's constructor would say nothing that helps."""
    with pytest.raises(CeremonyError, match="65 contributions; the validator registry admits at most 64"):
        merge(PLAN, [_contribution(0)] * 65)


def test_a_council_must_be_able_to_decide() -> None:
    """A threshold above the members, a guardian who is a member, or none, would be found out too late on chain."""
    high = replace(PLAN, fund_council=replace(PLAN.fund_council, members=OPERATORS, threshold=4))
    with pytest.raises(CeremonyError, match="needs 4 approvals of only 3"):
        merge(high, [_contribution(n, high) for n in range(3)])
    members = PLAN.fund_council.members
    assert isinstance(members, tuple)
    inside = replace(PLAN, fund_council=replace(PLAN.fund_council, guardian=members[0]))
    with pytest.raises(CeremonyError, match="guardian must not be a member"):
        merge(inside, [_contribution(n, inside) for n in range(3)])
    headless = replace(PLAN, fund_council=replace(PLAN.fund_council, guardian=bytes(20)))
    with pytest.raises(CeremonyError, match="has no guardian"):
        merge(headless, [_contribution(n, headless) for n in range(3)])
