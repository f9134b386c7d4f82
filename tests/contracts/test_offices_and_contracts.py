"""No office acts on the network's own contracts: every office, every act upon an account, every contract of genesis.

An act upon an account is a function of the registry, the token or the vault's roles that takes an address to be
stopped, taken from, renamed or emptied. The table below names what each takes beside the target; the ABI says that none
is missing.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import boa
import pytest

from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.artifacts.artifact import abi_type, load
from tests.contracts.actors import Actor
from tests.contracts.roles.matrix import CONTRACTS, PEOPLE
from tests.contracts.settlement_token.recoveries import ORDER
from tests.contracts.world import World, neighbour, now, resident, stranger, terms

TARGETS: Final = {name: "0x" + address.hex() for name, (_, address) in GENESIS_CONTRACTS.items()}
HOLDERS: Final = ("ReserveVault", "CityChannels", "OfflineBonds")
"""Contracts that hold money, so that the registry knows them (kind 4)."""

Act = Callable[[World, str], tuple[Any, ...]]
"""The arguments of an act upon a target."""

ACTS: Final[Mapping[tuple[str, str], Act]] = {
    ("participants", "register"): lambda world, target: (target, 1, 1, 0),
    ("participants", "register_many"): lambda world, target: ([target], 1, 1, 0),
    ("participants", "deregister"): lambda world, target: (target,),
    ("participants", "name_successor"): lambda world, target: (target, neighbour.address),
    ("participants", "admit_institution"): lambda world, target: (target, 3),
    ("participants", "suspend"): lambda world, target: (target,),
    ("participants", "freeze"): lambda world, target: (target, ORDER, 1, now() + 99),
    ("token", "transferFrom"): lambda world, target: (target, resident.address, 1),
    ("token", "transfer_from_recorded"): lambda world, target: (target, resident.address, 1, bytes(32), bytes(32)),
    ("recoveries", "propose_recovery"): lambda world, target: (
        (target, neighbour.address, 1, ORDER, terms(world.fund_council)),
    ),
}
"""What takes from an account or stops it; each is refused for every contract that holds money."""

HARMLESS: Final[Mapping[tuple[str, str], str]] = {
    ("participants", "license"): "a contract without a licence loses nothing by it, and it gives no right over others",
    ("participants", "withdraw_successor"): "there is no succession of a contract to end",
    ("participants", "veto_successor"): "likewise",
    ("participants", "reinstate"): "gives a right back",
    ("participants", "release"): "likewise",
    ("participants", "propose_handover"): "names a registry, decided by the council after three delays",
    ("participants", "propose_body"): "names a council, decided by the council after the delay",
    ("participants", "replace_body"): "carries that out",
    ("participants", "hand_over"): "carries that out",
    ("participants", "approve_decision"): "counts a member's approval, by its signature",
    ("token", "approve_decision"): "likewise",
    ("token", "propose_body"): "names a council, decided by the council after the delay",
    ("token", "replace_body"): "carries that out",
    ("token", "transfer"): "pays a contract from the caller's own money",
    ("token", "transfer_with_purpose"): "likewise",
    ("token", "transfer_recorded"): "likewise",
    ("token", "approve"): "allows a contract to take the caller's own money",
    ("token", "permit"): "by the owner's signature, which a contract has not",
    ("token", "permit_signed"): "likewise",
    ("token", "transferWithAuthorization"): "likewise",
    ("token", "transfer_signed"): "likewise",
    ("token", "transfer_signed_recorded"): "likewise",
    ("token", "receiveWithAuthorization"): "likewise",
    ("token", "receive_signed"): "likewise",
    ("token", "cancelAuthorization"): "likewise",
    ("token", "cancel_signed"): "likewise",
    ("token", "burn_from"): "takes what the owner has allowed the caller, and a contract allows nothing",
    ("token", "mint"): "pays a contract within the issuer's allowance",
    ("token", "invalidate"): "the registry's own, and it only makes the token ask again",
    ("participants", "propose_change"): "an office or a listener, decided by the council",
    ("token", "propose_change"): "an issuer, the registry, the reserve or who recovers, decided by the council",
    ("token", "recover"): "CourtRecoveries' own, which takes no recovery from a contract or to one",
    ("recoveries", "approve_decision"): "counts a member's approval, by its signature",
    ("recoveries", "propose_body"): "names a council, decided by the council after the delay",
    ("recoveries", "replace_body"): "carries that out",
}
"""Other functions that take an address, and why none of them acts on a contract."""


def functions_with_addresses(contract: str) -> set[str]:
    """Functions of an ABI that change something and are told an address."""
    entries = [
        e for e in load(contract).abi if e["type"] == "function" and e["stateMutability"] not in ("view", "pure")
    ]
    return {e["name"] for e in entries if any("address" in abi_type(i) for i in e["inputs"])}


@pytest.mark.parametrize("contract", ["ParticipantRegistry", "SettlementToken", "CourtRecoveries"])
def test_every_act_upon_an_account_is_known(contract: str) -> None:
    """A new function that takes an address is tried, or it says why it need not be."""
    name = CONTRACTS[contract]
    assert not set(ACTS) & set(HARMLESS)
    known = {function for where, function in (*ACTS, *HARMLESS) if where == name}
    assert functions_with_addresses(contract) == known


@pytest.mark.parametrize("target", HOLDERS)
def test_no_office_acts_on_a_contract_that_holds_money(world: World, target: str) -> None:
    """Each of the offices, each of the acts; nothing of the contract's standing or money changes."""
    account = TARGETS[target]
    before = _seen(world, account)
    for (contract, function), act in ACTS.items():
        for office, person in PEOPLE.items():
            with boa.env.anchor():
                assert _refused(getattr(getattr(world, contract), function), act(world, account), person), (
                    f"{office} may {function} {target}"
                )
                assert _seen(world, account) == before


@pytest.mark.parametrize("target", sorted(set(TARGETS) - set(HOLDERS)))
def test_no_office_takes_money_through_other_contracts(world: World, target: str) -> None:
    """Those that hold none: whatever an office does to them, what they say and decide goes on as before."""
    account = TARGETS[target]
    for (contract, function), act in ACTS.items():
        for person in PEOPLE.values():
            with boa.env.anchor():
                _refused(getattr(getattr(world, contract), function), act(world, account), person)
                world.token.transfer(neighbour.address, 1, sender=resident.address)
                assert world.participants.standing(resident.address).may_send
                assert not world.fund_council.is_member(stranger.address)


@pytest.mark.parametrize("act", ACTS, ids="-".join)
def test_each_act_goes_through_on_somebody_else(world: World, act: tuple[str, str]) -> None:
    """Else a refusal above would say nothing: somebody may do it to an account that is no contract."""
    contract, function = act
    target = {"register": stranger, "register_many": stranger, "admit_institution": stranger}.get(function, resident)
    if function == "propose_recovery":
        world.participants.freeze(resident.address, ORDER, 5, now() + 99, sender=PEOPLE["court"].address)
    if function in ("transferFrom", "transfer_from_recorded"):
        world.token.approve(PEOPLE["hub"].address, 1, sender=resident.address)
    called = getattr(getattr(world, contract), function)
    arguments = ACTS[act](world, target.address)
    if function == "transferFrom":
        arguments = (resident.address, neighbour.address, 1)
    if function == "transfer_from_recorded":
        arguments = (resident.address, neighbour.address, 1, bytes(32), bytes(32))
    may = []
    for office, person in PEOPLE.items():
        with boa.env.anchor():
            if not _refused(called, arguments, person):
                may.append(office)
    assert len(may) == 1, may


def _refused(called: Any, arguments: tuple[Any, ...], person: Actor) -> bool:
    try:
        called(*arguments, sender=person.address)
    except boa.BoaError:
        return True
    return False


def _seen(world: World, account: str) -> tuple[Any, ...]:
    return (
        world.participants.status(account),
        world.participants.standing(account),
        world.participants.court_orders_of(account),
        world.participants.successor_of(account),
        world.token.balanceOf(account),
    )
