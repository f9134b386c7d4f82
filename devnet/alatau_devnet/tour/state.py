"""Contracts in genesis, and money for residents."""

from typing import Final

from alatau.chain.permission import STATUS_SLOT, may_transact, slot_of
from alatau_devnet import accounts
from alatau_devnet.network import contract_addresses
from alatau_devnet.tour.guide import Guide, TourError, expect, money

_GRANT: Final = 5_000_00
_GRANTED: Final = 3


def show_contracts(guide: Guide) -> None:
    """The contracts exist since block 0, and the node's rules come from two of them."""
    sizes = {}
    for name, address in contract_addresses().items():
        code = guide.client.code(address, 0)
        if not code:
            raise TourError(f"{name} has no code in genesis")
        sizes[name] = len(code)
    guide.say("compiled from Vyper, constructors run", f"{len(sizes)} contracts at height 0")
    for name, size in sizes.items():
        guide.say(f"0x{contract_addresses()[name].hex()}", f"{name}, {size:,} bytes of code")
    listed = guide.contract("ValidatorRegistry").read("validators")
    expect("the number of validators in the registry", len(listed), len(guide.network.nodes))
    guide.say("the registry lists", ", ".join(row[5] for row in listed))
    resident = accounts.address_of(accounts.resident(1))
    registry = contract_addresses()["ParticipantRegistry"]
    (word,) = guide.client.storage(registry, [slot_of(resident)])
    if not may_transact(word, guide.client.status().timestamp):
        raise TourError("resident 1 may not transact")
    guide.say(f"a resident may transact, says one slot that the node reads (map at {STATUS_SLOT})", f"0x{word:x}")


def show_issue(guide: Guide) -> None:
    """A licensed issuer mints settlement tokens to residents, within its allowance."""
    token = guide.contract("SettlementToken")
    issuer = accounts.address_of(accounts.ISSUER)
    allowed = token.read("issuer_allowance", issuer)
    for number in range(1, _GRANTED + 1):
        resident = accounts.address_of(accounts.resident(number))
        before = token.read("balanceOf", resident)
        guide.send(accounts.ISSUER, "SettlementToken", "mint", resident, _GRANT)
        expect("the resident's balance", token.read("balanceOf", resident), before + _GRANT)
    left = token.read("issuer_allowance", issuer)
    expect("the issuer's allowance", left, allowed - _GRANTED * _GRANT)
    guide.say(f"{money(_GRANT)} issued to each of {_GRANTED} residents", f"the issuer may issue {money(left)} more")
    reason = guide.refused(accounts.resident(1), "SettlementToken", "mint", issuer, 1)
    guide.say("a resident who tries to issue is refused", reason)
