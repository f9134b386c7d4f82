"""Who may call what, and who together moves money: measured, and compared with the page of the documentation."""

from collections.abc import Callable
from itertools import combinations

import boa
import pytest

from tests.contracts.actors import Actor, approvals
from tests.contracts.roles.matrix import CALLS, CONTRACTS, PAGE, PEOPLE, functions_of, measured, page
from tests.contracts.settlement_token.changes import Action, change
from tests.contracts.settlement_token.recoveries import freeze, recovery
from tests.contracts.world import (
    DELAY,
    World,
    banker,
    chair,
    court,
    deputy,
    director,
    governor,
    issuer,
    lawyer,
    stranger,
    terms,
    wait,
)

EVERYBODY = (*PEOPLE.values(), banker, lawyer, deputy, director)


def section(text: str, contract: str) -> str:
    """A contract's part of the page."""
    return text.partition(f"## {contract}\n")[2].partition("\n## ")[0].strip()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_page_is_what_the_contracts_do(world: World, contract: str) -> None:
    """Every function of the ABI, called by everybody; `make roles` writes the page anew."""
    assert set(functions_of(contract)) == set(CALLS[contract])
    now_ = page({contract: measured(world, contract)})
    assert section(PAGE.read_text(), contract) == section(now_, contract)


def test_every_office_has_something_to_do_that_others_may_not() -> None:
    """A person of whom the table says nothing was forgotten in the calls; a stranger needs none."""
    rows = [line.split(" | ")[1:] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    useful = {name for row in rows for name, cell in zip(PEOPLE, row, strict=True) if "yes" in cell}
    assert useful >= set(PEOPLE) - {"stranger"}


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("caller", ["stranger", "guardian", "court"])
def test_no_office_alone_gains_by_any_call(world: World, contract: str, caller: str) -> None:
    """Whatever one calls that nobody approved: what contracts hold stays, and the caller is no richer."""
    person = PEOPLE[caller]
    for function, prepare in CALLS[contract].items():
        with boa.env.anchor():
            boa.env.set_balance(person.address, 10)
            arguments = prepare(world)
            before = world.token.balanceOf(person.address)
            try:
                getattr(getattr(world, CONTRACTS[contract]), function.partition("(")[0])(
                    *arguments, sender=person.address
                )
            except boa.BoaError:
                continue
            assert world.token.balanceOf(person.address) <= before, function


def _accepted(act: Callable[[], object]) -> bool:
    with boa.env.anchor():
        try:
            act()
        except boa.BoaError:
            return False
        return True


def test_of_all_pairs_only_two_of_the_council_let_money_be_issued(world: World) -> None:
    """And of all people nobody alone."""
    raised = change(world, Action.SET_ALLOWANCE, issuer.address, 10**9)
    identity = world.token.propose_change(raised, sender=chair.address)
    council = {chair, banker, lawyer}
    for signers in [*combinations(EVERYBODY, 1), *combinations(EVERYBODY, 2)]:
        given = approvals(identity, *signers)
        accepted = _accepted(lambda given=given: world.token.approve_decision(identity, given))
        assert accepted == (len(signers) == 2 and set(signers) <= council), [one.role for one in signers]


def test_frozen_money_needs_the_court_and_two_of_the_council(world: World) -> None:
    """The court proposes, of all pairs two of the council approve, and the delay passes."""
    freeze(world)
    wanted = recovery(world, 5)
    for person in EVERYBODY:
        assert _accepted(lambda who=person: world.recoveries.propose_recovery(wanted, sender=who.address)) == (
            person == court
        )
    identity = world.recoveries.propose_recovery(wanted, sender=court.address)
    council = {chair, banker, lawyer}
    for signers in combinations(EVERYBODY, 2):
        given = approvals(identity, *signers)
        accepted = _accepted(lambda given=given: world.recoveries.approve_decision(identity, given))
        assert accepted == (set(signers) <= council), [one.role for one in signers]
    world.recoveries.approve_decision(identity, approvals(identity, chair, banker))
    wait(DELAY - 1)
    assert not _accepted(lambda: world.recoveries.execute_recovery(identity, sender=court.address))
    wait(1)
    assert _accepted(lambda: world.recoveries.execute_recovery(identity, sender=stranger.address))


@pytest.mark.parametrize("board_member", [governor, deputy, director])
def test_only_members_put_another_body_on_the_table(world: World, board_member: Actor) -> None:
    """Each proposal is kept for ever, so not just anyone makes one."""
    for contract in (world.validators, world.participants, world.token, world.channel_pause, world.recoveries):
        for outsider in (stranger, board_member):
            with boa.reverts("only a member"):
                contract.propose_body(world.reserve_council.address, terms(world.fund_council), sender=outsider.address)
