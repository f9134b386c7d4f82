"""The table of roles and functions in the documentation, cell by cell, and the sets of people that move money."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import boa
import pytest
from eth.exceptions import Revert

from alatau.artifacts.artifact import load
from tests.contracts.actors import approvals
from tests.contracts.reserve_vault.intents import (
    CASE,
    ORDER,
    TOKEN,
    Action,
    Provenance,
    approve_only,
    approved,
    approved_change,
    confiscate,
    deposit,
    proposed,
    release,
)
from tests.contracts.world import (
    LARGE_DELAY,
    NO_HASH,
    ZERO,
    World,
    auditor,
    banker,
    chair,
    court,
    custodian,
    decide,
    deploy,
    deputy,
    director,
    governor,
    guardian,
    lawyer,
    proposer,
    prosecutor,
    resident,
    stranger,
    terms,
    treasury,
    wait,
)

PAGE = Path(__file__).parents[3] / "docs" / "contracts" / "reserve-vault.md"
PEOPLE = {
    "proposer": proposer,
    "custodian": custodian,
    "court": court,
    "prosecutor": prosecutor,
    "auditor": auditor,
    "board member": governor,
    "oversight member": chair,
    "guardian": guardian,
    "stranger": stranger,
}
OPEN = {"approve_decision", "endorse", "execute_release", "execute_change", "execute_return", "replace_body"}
"""Anyone may call them: what they need is signed."""
REFUSALS = {"role: not yours", "only the guardian", "vault: no part in it"}


def _table() -> dict[str, dict[str, bool]]:
    """Function -> person -> whether she may."""
    rows = [line.strip("| \n").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    start = next(i for i, row in enumerate(rows) if row[0] == "function")
    people = rows[start][1:]
    found = {}
    for name, *cells in rows[start + 1 :]:
        if len(cells) != len(people) or not set(cells) <= {"yes", "no"}:
            break
        found[name.strip("`")] = dict(zip(people, (cell == "yes" for cell in cells), strict=True))
    return found


TABLE = _table()


def _calls(world: World) -> dict[str, tuple[Any, ...]]:
    """Arguments with which each function succeeds for whoever may call it."""
    vault, council = world.vault, world.reserve_council
    change = (Action.LIFT_PAUSE, ZERO, 0, 0, 0, terms(council))
    pending = proposed(world)
    return {
        "propose_release": (release(world).argument(),),
        "deposit": (TOKEN, 1, Provenance.MINED, NO_HASH),
        "deposit_native": (Provenance.MINED, NO_HASH),
        "forfeit": (CASE, ORDER),
        "order_return": (CASE, resident.address, ORDER),
        "confirm_case": (b"\x02" * 32, ZERO, ORDER),
        "veto_return": (b"\x02" * 32,),
        "sign_off": (vault.journal_head(), ORDER),
        "pause": (),
        "veto_decision": (pending,),
        "propose_change": (change,),
        "propose_body": (world.fund_council.address, terms(council)),
    }


def _allowed(function: Any, *arguments: Any, **options: Any) -> bool:
    """Whether a call goes through; it may fail for the caller's role alone."""
    try:
        function(*arguments, **options)
    except boa.BoaError as error:
        if any(refusal in str(error) for refusal in REFUSALS):
            return False
        raise
    return True


@pytest.mark.parametrize("function", TABLE)
def test_the_table_is_what_the_contract_does(world: World, function: str) -> None:
    """Everyone calls every function when all else is right."""
    deposit(world)
    confiscate(world)
    confiscate(world, 1_000, b"\x02" * 32)
    world.vault.forfeit(b"\x02" * 32, ORDER, sender=court.address)
    world.token.approve(world.vault.address, 10, sender=custodian.address)
    found = {}
    for name, person in PEOPLE.items():
        with boa.env.anchor():
            boa.env.set_balance(person.address, 10)
            arguments = _calls(world)[function]
            value = {"value": 1} if function == "deposit_native" else {}
            found[name] = _allowed(getattr(world.vault, function), *arguments, sender=person.address, **value)
    assert found == TABLE[function]


def test_the_table_is_complete() -> None:
    """Each function that changes something is in it, or is open to everyone."""
    changing = {
        e["name"] for e in load("ReserveVault").abi if e["type"] == "function" and e["stateMutability"] != "view"
    }
    assert {name for name in changing if name not in OPEN} == set(TABLE)
    assert list(next(iter(TABLE.values()))) == list(PEOPLE)


EVERYBODY = (*PEOPLE.values(), deputy, director, banker, lawyer)


def _accepted(act: Callable[[], object]) -> bool:
    with boa.env.anchor():
        try:
            act()
        except boa.BoaError:
            return False
        return True


def test_no_set_but_two_of_the_board_approves_a_release(world: World) -> None:
    """Of all pairs of people, and of everybody alone."""
    deposit(world)
    identity = proposed(world)
    board = {governor, deputy, director}
    for signers in [*combinations(EVERYBODY, 1), *combinations(EVERYBODY, 2)]:
        given = approvals(identity, *signers)
        accepted = _accepted(lambda given=given: world.vault.approve_decision(identity, given))
        assert accepted == (len(signers) == 2 and set(signers) <= board), [s.role for s in signers]


def test_no_set_but_two_of_each_council_raises_a_risk(world: World) -> None:
    """Of all pairs that endorse and all pairs that approve."""
    change = (Action.ALLOW_DESTINATION, resident.address, 0, 0, 0, terms(world.reserve_council))
    identity = world.vault.propose_change(change, sender=proposer.address)
    board, oversight = {governor, deputy, director}, {chair, banker, lawyer}
    for signers in combinations(EVERYBODY, 2):
        given = approvals(identity, *signers)
        assert _accepted(lambda given=given: world.vault.endorse(identity, given)) == (set(signers) <= oversight)
        assert not _accepted(lambda given=given: world.vault.approve_decision(identity, given))
    world.vault.endorse(identity, approvals(identity, chair, banker))
    for signers in combinations(EVERYBODY, 2):
        given = approvals(identity, *signers)
        assert _accepted(lambda given=given: world.vault.approve_decision(identity, given)) == (set(signers) <= board)


def test_a_member_who_got_a_role_uses_neither(world: World) -> None:
    """A proposer who joins the board later proposes nothing more, and approves nothing."""
    deposit(world)
    identity = proposed(world)
    for council, first, second, word in (
        (world.reserve_council, governor, deputy, "role: sits in a council"),
        (world.fund_council, chair, banker, "role: sits in a council"),
    ):
        with boa.env.anchor():
            members = sorted((first.address, second.address, proposer.address), key=lambda a: int(a, 16))
            change = (members, 2, guardian.address, terms(council))
            decide(council, council.propose_membership(*change, sender=first.address), first, second)
            council.change_membership(*change)
            with boa.reverts(word):
                proposed(world)
            with boa.reverts("approver: holds a role"):
                approve_only(world, identity, governor, proposer)


def test_what_a_proposer_began_ends_with_his_role(world: World) -> None:
    """Also if the role is granted to him again."""
    deposit(world)
    identity = approved(world)
    world.vault.execute_change(approved_change(world, Action.WITHDRAW_ROLE, proposer.address, delay=0))
    with boa.reverts("vault: its proposer holds no role"):
        world.vault.execute_release(identity)
    world.vault.execute_change(approved_change(world, Action.GRANT_ROLE, proposer.address, 1))
    with boa.reverts("vault: its proposer holds no role"):
        world.vault.execute_release(identity)


def test_splitting_a_large_release_gains_no_time(world: World) -> None:
    """Two small ones to one destination are a large one together; a week later they are not."""
    deposit(world)
    first, second = proposed(world, amount=60_000), proposed(world, amount=60_000)
    for identity in (first, second):
        approve_only(world, identity, governor, deputy)
    wait(LARGE_DELAY // 4)
    world.vault.execute_release(first)
    with boa.reverts("vault: large by now"):
        world.vault.execute_release(second)
    assert world.vault.decision(proposed(world, amount=60_000))[2] == LARGE_DELAY
    world.vault.execute_release(approved(world, amount=60_000, delay=LARGE_DELAY))
    wait(6 * 86_400)
    assert world.vault.decision(proposed(world, amount=90_000))[2] == LARGE_DELAY
    wait(3 * 86_400)
    assert world.vault.decision(proposed(world, amount=90_000))[2] == LARGE_DELAY // 4


def test_auditor_signs_off_the_head_of_now(world: World) -> None:
    """A journal that went on is not signed off, and the signature is in it."""
    head = world.vault.journal_head()
    deposit(world, 1_000)
    with boa.reverts("journal: went on"):
        world.vault.sign_off(head, ORDER, sender=auditor.address)
    head = world.vault.journal_head()
    world.vault.sign_off(head, ORDER, sender=auditor.address)
    assert world.vault.signed_off(auditor.address) == head
    assert world.vault.journal_head() != head


def test_another_asset_and_destination_count_apart(world: World) -> None:
    """What went to one says nothing of another."""
    deposit(world)
    world.vault.execute_change(approved_change(world, Action.ALLOW_DESTINATION, resident.address))
    world.vault.execute_release(approved(world, amount=60_000, to=treasury.address))
    assert world.vault.decision(proposed(world, amount=60_000, to=resident.address))[2] == LARGE_DELAY // 4


def test_a_vault_needs_two_councils(world: World) -> None:
    """One body for both keys is refused from the beginning."""
    council = world.reserve_council.address
    with pytest.raises(Revert, match="oversight: is the council"):
        deploy("ReserveVault", council, council, 10, 40, [], [], [], ZERO)
