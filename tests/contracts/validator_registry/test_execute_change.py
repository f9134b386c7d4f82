"""ValidatorRegistry.execute_change: admission, removal, rotation, power, observers."""

import boa
import pytest
from eth_abi.abi import encode

from alatau.crypto.keccak import keccak256
from tests.contracts.actors import actor, approvals
from tests.contracts.validator_registry.changes import Action, approved, carry_out, change, subject_of, validator
from tests.contracts.world import (
    DELAY,
    NO_HASH,
    SILENCE,
    ZERO,
    World,
    banker,
    chair,
    decide,
    deploy,
    guardian,
    operators,
    terms,
    voters,
    wait,
)

HEALTH, HEALTH_KEY = actor("operator of Health"), actor("voting key of Health")


def test_admission_takes_effect_after_the_delay(world: World) -> None:
    """Approved is not yet admitted."""
    identity = world.validators.propose_change(
        change(world, Action.ADMIT, validator(HEALTH, HEALTH_KEY)), sender=chair.address
    )
    with boa.reverts("decision: not approved"):
        world.validators.execute_change(identity)
    world.validators.approve_decision(identity, approvals(identity, chair, banker))
    wait(DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.validators.execute_change(identity)
    wait(1)
    world.validators.execute_change(identity)
    assert len(world.validators.validators()) == 5
    assert world.validators.total_power() == 500
    assert world.validators.operator_of_key(HEALTH_KEY.address) == HEALTH.address


def test_decision_expires(world: World) -> None:
    """A change that nobody executed in time is void; at its last second it still works."""
    proposed = (Action.ADMIT, validator(HEALTH, HEALTH_KEY), terms(world.fund_council, lasts=2 * DELAY))
    identity = world.validators.propose_change(proposed, sender=chair.address)
    decide(world.validators, identity, chair, banker, delay=2 * DELAY)
    with boa.env.anchor():
        world.validators.execute_change(identity)
    wait(1)
    with boa.reverts("decision: expired"):
        world.validators.execute_change(identity)


def test_approval_too_late_to_ripen_is_refused(world: World) -> None:
    """A delay cannot be cut short by the expiry."""
    proposed = (Action.ADMIT, validator(HEALTH, HEALTH_KEY), terms(world.fund_council, lasts=DELAY))
    identity = world.validators.propose_change(proposed, sender=chair.address)
    wait(1)
    with boa.reverts("decision: expires before it is ripe"):
        world.validators.approve_decision(identity, approvals(identity, chair, banker))


def test_not_before_is_honoured(world: World) -> None:
    """A change set for a date waits for it, however early it was approved."""
    start = boa.env.timestamp + 3 * DELAY
    proposed = (Action.ADMIT, validator(HEALTH, HEALTH_KEY), terms(world.fund_council, not_before=start))
    identity = world.validators.propose_change(proposed, sender=chair.address)
    decide(world.validators, identity, chair, banker, delay=3 * DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.validators.execute_change(identity)
    wait(1)
    world.validators.execute_change(identity)


def test_change_is_executed_once(world: World) -> None:
    """The same decision does nothing twice."""
    identity = approved(world, Action.ADMIT, validator(HEALTH, HEALTH_KEY))
    world.validators.execute_change(identity)
    with boa.reverts("decision: not approved"):
        world.validators.execute_change(identity)


def test_guardian_stops_a_change(world: World) -> None:
    """Until it is executed."""
    identity = approved(world, Action.ADMIT, validator(HEALTH, HEALTH_KEY))
    world.validators.veto_decision(identity, sender=guardian.address)
    with boa.reverts("decision: not approved"):
        world.validators.execute_change(identity)


def test_unproposed_id_is_refused(world: World) -> None:
    """Another kind of decision cannot be used up here."""
    successor = deploy("Council", "New council", [chair.address], 1, guardian.address, DELAY, SILENCE, ZERO)
    decision = terms(world.fund_council)
    identity = world.validators.propose_body(successor.address, decision, sender=chair.address)
    decide(world.validators, identity, chair, banker)
    with boa.reverts("change: not proposed here"):
        world.validators.execute_change(identity)
    world.validators.replace_body(successor.address, decision)
    assert world.validators.body() == successor.address


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (validator(operators[0], HEALTH_KEY), "validators: operator is a validator"),
        (validator(HEALTH, voters[0]), "validators: voting key was used"),
        (validator(HEALTH, HEALTH_KEY, number=1), "validators: TLS key in use"),
        (validator(HEALTH, HEALTH_KEY, number=0x77), "validators: TLS key in use"),
        ((HEALTH.address, ZERO, b"\x09" * 32, "x:1", 100, "Health"), "validators: no voting key"),
        ((ZERO, HEALTH_KEY.address, b"\x09" * 32, "x:1", 100, "Health"), "validators: no operator"),
        ((HEALTH.address, HEALTH_KEY.address, NO_HASH, "x:1", 100, "Health"), "validators: no TLS key"),
        ((HEALTH.address, HEALTH_KEY.address, b"\x09" * 32, "", 100, "Health"), "validators: no endpoint"),
        (validator(HEALTH, HEALTH_KEY, power=0), "validators: power out of range"),
        (validator(HEALTH, HEALTH_KEY, power=134), "validators: more than a third at once"),
    ],
)
def test_impossible_admissions_are_refused(world: World, subject: tuple[object, ...], reason: str) -> None:
    """Keys are nobody else's and never come back; power is positive and at most a third of what there was."""
    identity = approved(world, Action.ADMIT, subject)  # type: ignore[arg-type]
    with boa.reverts(reason):
        world.validators.execute_change(identity)


def test_a_third_is_just_allowed(world: World) -> None:
    """133 of 400 is less than a third, and the next height starts to count anew."""
    carry_out(world, Action.ADMIT, validator(HEALTH, HEALTH_KEY, power=133))
    assert world.validators.total_power() == 533


def test_two_changes_in_one_height_share_the_third(world: World) -> None:
    """Removing two of four in one height is refused; in the next one it is allowed."""
    first = approved(world, Action.REMOVE, subject_of(operators[0].address), delay=0)
    second = approved(world, Action.REMOVE, subject_of(operators[1].address))
    world.validators.execute_change(first)
    with boa.reverts("validators: more than a third at once"):
        world.validators.execute_change(second)
    wait(blocks=1)
    world.validators.execute_change(second)
    assert [v.name for v in world.validators.validators()] == ["Justice", "Energy"]


def test_set_is_never_emptied(world: World) -> None:
    """Whatever is decided, a validator with more than a third stays, and with him the chain."""
    for operator in operators[:2]:
        carry_out(world, Action.REMOVE, subject_of(operator.address))
        wait(blocks=1)
    identity = approved(world, Action.REMOVE, subject_of(operators[2].address))
    with boa.reverts("validators: more than a third at once"):
        world.validators.execute_change(identity)


def test_removed_validator_frees_its_tls_key_only(world: World) -> None:
    """The machine may serve another ministry; the voting key is spent."""
    carry_out(world, Action.REMOVE, subject_of(operators[0].address))
    wait(blocks=1)
    carry_out(world, Action.ADMIT, validator(HEALTH, HEALTH_KEY, number=1))
    wait(blocks=1)
    identity = approved(world, Action.ADMIT, validator(actor("operator of Trade"), voters[0], number=8))
    with boa.reverts("validators: voting key was used"):
        world.validators.execute_change(identity)


def test_rotation_replaces_the_keys(world: World) -> None:
    """New voting and TLS keys, the same ministry and power."""
    new_key = actor("new voting key of Finance")
    subject = (operators[0].address, new_key.address, b"\x09" * 32, "moved.example:7001", 0, "")
    carry_out(world, Action.ROTATE, subject)
    found = world.validators.validator_of(operators[0].address)
    assert (found.voting_key, found.tls_key_hash, found.endpoint) == (
        new_key.address,
        b"\x09" * 32,
        "moved.example:7001",
    )
    assert (found.power, found.name) == (100, "Finance")
    back = (operators[0].address, voters[0].address, b"\x09" * 32, "moved.example:7001", 0, "")
    wait(blocks=1)
    identity = approved(world, Action.ROTATE, back)
    with boa.reverts("validators: voting key was used"):
        world.validators.execute_change(identity)


def test_power_changes_within_a_third(world: World) -> None:
    """Up or down, by at most a third of the total in one height."""
    carry_out(world, Action.SET_POWER, subject_of(operators[0].address, power=200))
    assert world.validators.total_power() == 500
    wait(blocks=1)
    identity = approved(world, Action.SET_POWER, subject_of(operators[0].address, power=1))
    with boa.reverts("validators: more than a third at once"):
        world.validators.execute_change(identity)


def test_strangers_are_not_removed_rotated_or_weighed(world: World) -> None:
    """Only who is a validator can be removed or changed."""
    for action, subject in (
        (Action.REMOVE, subject_of(HEALTH.address)),
        (Action.ROTATE, validator(HEALTH, HEALTH_KEY)),
        (Action.SET_POWER, subject_of(HEALTH.address, power=5)),
    ):
        identity = approved(world, action, subject)
        with boa.reverts("validators: not an operator"):
            world.validators.execute_change(identity)


def test_observers_come_delayed_and_go_at_once(world: World) -> None:
    """Admission waits, revocation does not."""
    admit = subject_of(tls_key_hash=b"\x55" * 32, name="Fintech")
    carry_out(world, Action.ADMIT_OBSERVER, admit)
    assert [o.name for o in world.validators.observers()] == ["Audit chamber", "Fintech"]
    carry_out(world, Action.REVOKE_OBSERVER, subject_of(tls_key_hash=b"\x77" * 32), delay=0)
    assert [o.name for o in world.validators.observers()] == ["Fintech"]
    identity = approved(world, Action.REVOKE_OBSERVER, subject_of(tls_key_hash=b"\x77" * 32), delay=0)
    with boa.reverts("observers: not admitted"):
        world.validators.execute_change(identity)


def test_observer_with_a_validators_key_is_refused(world: World) -> None:
    """One key is one peer."""
    identity = approved(world, Action.ADMIT_OBSERVER, subject_of(tls_key_hash=b"\x01" * 32))
    with boa.reverts("validators: TLS key in use"):
        world.validators.execute_change(identity)


def raw_seat(endpoint: bytes, name: bytes) -> tuple[str, str, bytes, bytes, int, bytes]:
    """A validator with texts as bytes."""
    return (actor("new operator").address, actor("new voter").address, b"\x09" * 32, endpoint, 50, name)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        (b"", True),
        ("Қаржы министрлігі 财政 🏛".encode(), True),
        (b"\xff", False),
        (b"\xc3", False),
        (b"\xc3(", False),
        (b"\x80", False),
        (b"\xc0\xaf", False),
        (b"\xe0\x80\xaf", False),
        (b"\xed\xa0\x80", False),
        (b"\xf0\x80\x80\xaf", False),
        (b"\xf4\x8f\xbf\xbf", True),
        (b"\xf4\x90\x80\x80", False),
        (b"\xf8\x88\x80\x80\x80", False),
        (b"a\x00b", False),
        (b"a\nb", False),
        (b"\x1b[2J", False),
        (b"\x7f", False),
        (b"\xc2\x80", False),
        (b"\xc2\xa0", True),
        ("\u202e".encode(), False),
        ("\u2066".encode(), False),
        ("\u2028".encode(), False),
        ("\u200f".encode(), False),
    ],
)
def test_names_are_text(world: World, name: bytes, taken: bool) -> None:
    """UTF-8 without controls, for validators and observers alike: nodes and people read it back."""
    kind = "(uint256,(address,address,bytes32,bytes,uint256,bytes),(uint256,uint256,uint256,uint256))"
    call = kind.replace("bytes,uint256,bytes)", "string,uint256,string)")
    for action, new in (
        (Action.ADMIT, raw_seat(b"new.example:1", name)),
        (Action.ADMIT_OBSERVER, raw_seat(b"", name)),
    ):
        change = (action, new, terms(world.fund_council))
        data = keccak256(f"propose_change({call})".encode())[:4] + encode([kind], [change])
        with boa.env.anchor():
            proposed = boa.env.execute_code(to_address=world.validators.address, data=data, sender=chair.address)
            assert not proposed.is_error
            identity = bytes(proposed.output)
            decide(world.validators, identity, chair, banker)
            execute = keccak256(b"execute_change(bytes32)")[:4] + identity
            assert boa.env.execute_code(to_address=world.validators.address, data=execute).is_error != taken
