"""Overriding a guardian's veto: three quarters of the council sign another digest than that of the decision (ADR 0043).

Who approved a decision before it was vetoed has not seen the guardian's reasons, so his signature does not count here.
The signatures travel in the decision's own file, beside those of its approval.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from alatau.client import contract_plans, second_reading
from alatau.client.approvals import check_with_network
from alatau.client.decisions import (
    Decision,
    DecisionState,
    DecisionStatus,
    abi_of,
    body_of,
    check_alive,
    check_signed,
    status_of,
)
from alatau.client.errors import DecisionError
from alatau.client.exchange import Plan
from alatau.client.queries import CallMessage
from alatau.client.typed_data import digest, struct_type, to_json
from alatau.client.wallet import Wallet
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wire.receipt import TransactionReceipt

OVERRIDE: Final = struct_type("OverrideVeto(bytes32 decision,uint256 policyVersion)")
"""As in ``lib/decisions.vy``."""


def override_digest(decision: Decision) -> bytes:
    """What members sign to override the veto of a decision."""
    return digest(decision.domain, OVERRIDE, _message(decision))


def sign_override(decision: Decision, key: PrivateKey) -> Decision:
    """The decision with one more signature that overrides its veto.

    Raises:
        DecisionError: a second, independent reading of what would be signed says something else.
    """
    signed_digest = override_digest(decision)
    second_reading.check_digest(to_json(OVERRIDE, decision.domain, _message(decision)), signed_digest)
    signature = key.sign(signed_digest)
    signed = signature[:64] + bytes((27 + signature[64],))
    return replace(decision, overrides={**decision.overrides, key.address: signed})


def attach_override(decision: Decision, signer: bytes, signed: bytes) -> Decision:
    """The decision with a signature that overrides its veto and was made elsewhere.

    Raises:
        DecisionError: it is not the signer's, or a second reading of what was signed says something else.
    """
    signed_digest = override_digest(decision)
    second_reading.check_digest(to_json(OVERRIDE, decision.domain, _message(decision)), signed_digest)
    check_signed(signed_digest, {signer: signed})
    return replace(decision, overrides={**decision.overrides, signer: signed})


def check_overrides(decision: Decision) -> None:
    """Raise ``DecisionError`` for a signature that is not its signer's, over this very veto."""
    check_signed(override_digest(decision), decision.overrides)


def override(
    decision: Decision, wallet: Wallet, *, gas_limit: int | None, timeout_s: float
) -> Plan[TransactionReceipt]:
    """Bring the signatures to the contract: the veto falls for good, and three delays begin.

    Raises:
        DecisionError: it is not vetoed, void, or signed by too few members; the message says what is missing.
    """
    check_overrides(decision)
    now = yield from status_of(decision)
    if now.state is not DecisionState.VETOED:
        raise DecisionError(f"the decision is {now.state.name.lower()}: only a vetoed one can be overridden")
    check_alive(decision, now)
    present, needed = yield from _larger_majority(decision, now)
    signers = sorted(signer for signer in decision.overrides if signer in present)
    if len(signers) < needed:
        open_ = ", ".join("0x" + member.hex() for member in present if member not in signers)
        raise DecisionError(
            f"{len(signers)} of {needed} signatures that override, three quarters of the council: still to be signed"
            f" (alatau council sign --override) by any of {open_ or 'nobody'}"
        )
    approvals = [(signer, decision.overrides[signer]) for signer in signers]
    yield from check_with_network(override_digest(decision), approvals)
    abi = abi_of(decision.contract)
    data = abi.encode_call("approve_decision", (decision.id, approvals))
    message = CallMessage(decision.domain.contract, data, wallet.address)
    return (yield from contract_plans.transact(abi, wallet, message, gas_limit=gas_limit, timeout_s=timeout_s))


def _larger_majority(decision: Decision, now: DecisionStatus) -> Plan[tuple[list[bytes], int]]:
    """Members whose keys are not silent, and how many of them override (``Council._verify``)."""
    council = abi_of("FundCouncil")
    body = yield from body_of(abi_of(decision.contract), decision.domain.contract)
    silence = yield from contract_plans.read(council, body, "silence", (), None, None)
    quorum = yield from contract_plans.read(council, body, "quorum", (), None, None)
    present = []
    for member in now.members:
        seen = yield from contract_plans.read(council, body, "seen", (member,), None, None)
        if now.time < seen + silence:
            present.append(member)
    return present, max((3 * len(present) + 3) // 4, quorum)


def _message(decision: Decision) -> Mapping[str, Any]:
    return {"decision": decision.id, "policyVersion": decision.terms["policyVersion"]}
