"""Decisions as they go from hand to hand: signed apart, put together, and judged against the chain."""

from dataclasses import replace
from typing import Any

import pytest

from alatau.client.decisions import (
    DecisionState,
    DecisionStatus,
    abi_of,
    check_signatures,
    merged,
    sign,
    void_because,
)
from alatau.client.errors import DecisionError
from tests.unit.client.drafted_decisions import FIRST, SECOND, TERMS, decision


def status_of(**changes: Any) -> DecisionStatus:
    """Proposed a while before it expires, under the policy that it names."""
    usual: dict[str, Any] = {
        "state": DecisionState.PROPOSED,
        "ready_at": 0,
        "expires": 2_000,
        "in_office": True,
        "overridden": False,
        "policy_version": 3,
        "threshold": 2,
        "members": (FIRST.address, SECOND.address),
        "guardian": bytes(20),
        "time": 1_000,
    }
    return DecisionStatus(**usual | changes)


def test_copies_signed_apart_are_put_together() -> None:
    """Signatures do not change what is signed; both are there afterwards, and valid."""
    drafted = decision()
    both = merged([sign(drafted, FIRST), sign(drafted, SECOND)])
    assert both.id == drafted.id
    assert set(both.signatures) == {FIRST.address, SECOND.address}
    assert {signed[64] for signed in both.signatures.values()} <= {27, 28}
    check_signatures(both)
    assert drafted.signatures == {}


@pytest.mark.parametrize("change", [{"terms": TERMS | {"nonce": 6}}, {"operator": b"\x09" * 20}])
def test_files_of_different_decisions_are_not(change: dict[str, Any]) -> None:
    """A member who signed something else is not counted in."""
    other = decision(**change)
    assert other.id != decision().id
    with pytest.raises(DecisionError, match="different decisions"):
        merged([sign(decision(), FIRST), sign(other, SECOND)])


def test_a_decision_that_was_changed_after_it_was_signed_is_found_out() -> None:
    """Also a signature under another's name, and one that is none."""
    signed = sign(decision(), FIRST)
    changed = replace(decision(operator=b"\x09" * 20), signatures=signed.signatures)
    other_name = replace(signed, signatures={SECOND.address: signed.signatures[FIRST.address]})
    other_chain = replace(signed, domain=replace(signed.domain, chain_id=1))
    for forged in (changed, other_name, other_chain):
        with pytest.raises(DecisionError, match="is not by it"):
            check_signatures(forged)
    for broken in (b"", bytes(65), b"\xff" * 65):
        with pytest.raises(DecisionError, match="malformed"):
            check_signatures(replace(signed, signatures={FIRST.address: broken}))


def test_what_can_never_be_executed_says_why() -> None:
    """The council changed, or the time is over; in its last second it is still good."""
    assert void_because(decision(), status_of()) is None
    assert void_because(decision(), status_of(time=2_000)) is None
    assert "expired" in (void_because(decision(), status_of(time=2_001)) or "")
    assert void_because(decision(), status_of(time=2_001, expires=2_001)) is None
    assert "another council" in (void_because(decision(), status_of(in_office=False)) or "")
    assert "council has changed" in (void_because(decision(), status_of(policy_version=4)) or "")


def test_every_contract_of_genesis_has_its_interface() -> None:
    """Where decisions are read: each tells its domain, and the state of a decision by its id."""
    for contract in ("FundCouncil", "ValidatorRegistry", "ReserveVault"):
        functions = abi_of(contract).functions
        assert {"eip712Domain", "decision", "approve_decision"} <= functions.keys(), contract
