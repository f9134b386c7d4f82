"""Council.verify: m current members, sorted, each once, by signature, by transaction or by contract."""

from collections.abc import Callable

import boa
import pytest

from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import ORDER
from tests.contracts.actors import Actor, approvals
from tests.contracts.world import (
    DELAY,
    SILENCE,
    ZERO,
    World,
    banker,
    chair,
    decide,
    deploy,
    deploy_mock,
    guardian,
    lawyer,
    stranger,
    terms,
)

DIGEST = keccak256(b"a decision")


def test_two_of_three_members_decide(world: World) -> None:
    """The threshold is enough, more is allowed; the answer is the policy under which they approved."""
    assert world.fund_council.verify(DIGEST, approvals(DIGEST, chair, lawyer)) == 1
    assert world.fund_council.verify(DIGEST, approvals(DIGEST, chair, lawyer, banker)) == 1


@pytest.mark.parametrize("signers", [(), (chair,)], ids=["none", "one"])
def test_too_few_approvals_fail(world: World, signers: tuple[Actor, ...]) -> None:
    """Zero signatures fail, and so does one short of the threshold."""
    with boa.reverts("council: too few approvals"):
        world.fund_council.verify(DIGEST, approvals(DIGEST, *signers))


def test_duplicate_approvals_fail(world: World) -> None:
    """One member's approval twice is one approval."""
    (one,) = approvals(DIGEST, chair)
    with boa.reverts("council: not sorted"):
        world.fund_council.verify(DIGEST, [one, one])


def test_unsorted_approvals_fail(world: World) -> None:
    """A fixed order makes duplicates visible."""
    with boa.reverts("council: not sorted"):
        world.fund_council.verify(DIGEST, approvals(DIGEST, chair, banker)[::-1])


@pytest.mark.parametrize("outsider", [stranger, guardian], ids=["stranger", "guardian"])
def test_outsiders_do_not_count(world: World, outsider: Actor) -> None:
    """Neither a stranger nor the guardian approves anything."""
    with boa.reverts("council: not a member"):
        world.fund_council.verify(DIGEST, approvals(DIGEST, chair, outsider))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:64] + bytes((s[64] - 27,)),
        lambda s: s[:64] + b"\x1d",
        lambda s: s[:32] + (ORDER - int.from_bytes(s[32:64], "big")).to_bytes(32, "big") + bytes((55 - s[64],)),
        lambda _: bytes(65),
        lambda s: s[:64],
        lambda s: s + b"\x00",
        lambda s: s[:1] + b"\x00" + s[2:],
    ],
    ids=["v of 0 or 1", "v of 29", "malleated", "zeros", "short", "long", "changed"],
)
def test_bad_signatures_fail(world: World, spoil: Callable[[bytes], bytes]) -> None:
    """Malformed, malleated and changed signatures are refused."""
    good, bad = approvals(DIGEST, chair, lawyer)
    with boa.reverts("council: bad signature"):
        world.fund_council.verify(DIGEST, [good, (bad[0], spoil(bad[1]))])


def test_signature_for_another_decision_fails(world: World) -> None:
    """An approval is of one digest."""
    with boa.reverts("council: bad signature"):
        world.fund_council.verify(keccak256(b"another"), approvals(DIGEST, chair, lawyer))


def test_member_may_approve_by_transaction(world: World) -> None:
    """An empty signature stands for a confirmation sent before; without one it stands for nothing."""
    mixed = [
        (signer, b"" if signer == chair.address else signature)
        for signer, signature in approvals(DIGEST, chair, lawyer)
    ]
    with boa.reverts("council: bad signature"):
        world.fund_council.verify(DIGEST, mixed)
    world.fund_council.confirm(DIGEST, sender=chair.address)
    assert world.fund_council.verify(DIGEST, mixed) == 1


def test_confirmation_dies_with_the_policy(world: World) -> None:
    """What a member confirmed before the council changed does not count after."""
    world.fund_council.confirm(DIGEST, sender=chair.address)
    members = sorted(a.address.lower() for a in (chair, banker))
    change = (members, 2, guardian.address, terms(world.fund_council))
    identity = world.fund_council.propose_membership(*change, sender=chair.address)
    decide(world.fund_council, identity, chair, banker)
    world.fund_council.change_membership(*change)
    confirmed = [(chair.address, b""), *approvals(DIGEST, banker)]
    with boa.reverts("council: bad signature"):
        world.fund_council.verify(DIGEST, sorted(confirmed, key=lambda a: bytes.fromhex(a[0][2:])))


@pytest.mark.parametrize(
    ("mode", "accepted"),
    [(0, True), (1, False), (2, False), (3, False), (4, False)],
    ids=["accepts", "refuses", "reverts", "answers otherwise", "re-enters"],
)
def test_contract_signers_speak_for_themselves_only(world: World, mode: int, accepted: bool) -> None:
    """An ERC-1271 signer counts as one member; one that lies, reverts or re-enters harms nobody."""
    signer = deploy_mock("ContractSigner")
    signer.set_mode(mode)
    members = sorted([chair.address, str(signer.address)], key=lambda a: int(a, 16))
    council = deploy("Council", "Board of machines", members, 2, guardian.address, DELAY, SILENCE, ZERO)
    given = [(str(signer.address), b"\x01\x02"), *approvals(DIGEST, chair)]
    given.sort(key=lambda a: int(a[0], 16))
    if accepted:
        assert council.verify(DIGEST, given) == 1
    else:
        with boa.reverts():
            council.verify(DIGEST, given)
    with boa.reverts("council: too few approvals"):
        council.verify(DIGEST, given[:1])
