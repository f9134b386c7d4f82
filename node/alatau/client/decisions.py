"""Decisions of councils as plans: proposed, approved with collected signatures, executed once they are ripe.

A :class:`Decision` is what goes from hand to hand: the contract, the typed data and the signatures so far. It can be
checked and signed without a node; the plans carry it to the chain.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Final

from alatau.artifacts.addresses import contract_named
from alatau.artifacts.artifact import load
from alatau.client import contract_plans, queries, second_reading
from alatau.client.abi import Abi, load_abi
from alatau.client.approvals import approver_of, check_with_network
from alatau.client.decision_types import Choice, DecisionType
from alatau.client.errors import DecisionError
from alatau.client.exchange import Plan
from alatau.client.queries import CallMessage
from alatau.client.typed_data import Domain, digest, to_json
from alatau.client.wallet import Wallet
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wire.receipt import TransactionReceipt

APPROVALS_MAX: Final = 16
"""Members of a council at most (``Council.vy``)."""

_ZERO: Final[Mapping[str, Any]] = {"address": bytes(20), "bytes32": bytes(32), "string": "", "uint256": 0}


class DecisionState(IntEnum):
    """Where a decision stands (``lib/decisions.vy``)."""

    UNKNOWN = 0
    PROPOSED = 1
    APPROVED = 2
    EXECUTED = 4
    VETOED = 8


@dataclass(frozen=True, slots=True)
class Decision:
    """An act of a contract that its council is to decide on, and who has signed it."""

    contract: str
    """Name in genesis, or of a successor (``addresses.contract_named``)."""
    type: DecisionType
    domain: Domain
    message: Mapping[str, Any]
    """The act and its terms, as ``type`` has them."""
    signatures: Mapping[bytes, bytes]
    """Signer -> 65 bytes r, s, v with v 27 or 28, or a P-256 account's (:mod:`alatau.client.approvals`)."""
    overrides: Mapping[bytes, bytes] = field(default_factory=dict)
    """The same of the digest that overrides a veto (:mod:`alatau.client.veto_override`)."""

    @property
    def id(self) -> bytes:
        """The digest that members sign, and by which the contract knows it."""
        return digest(self.domain, self.type.struct, self.message)

    @property
    def terms(self) -> Mapping[str, int]:
        """``policyVersion``, ``nonce``, ``notBefore``, ``expires``."""
        terms: Mapping[str, int] = self.message["terms"]
        return terms

    @property
    def act(self) -> str:
        """What it is for people: ``admit validator``."""
        return str(self.message.get("action", self.type.name.replace("-", " ")))


@dataclass(frozen=True, slots=True)
class DecisionStatus:
    """Where a decision stands on the chain, and what its council is now."""

    state: DecisionState
    ready_at: int
    """Seconds since 1970; 0 before it is approved."""
    expires: int
    """Second after which it is never executed; an overridden veto moves it."""
    in_office: bool
    """Whether the council to which it was proposed still decides for the contract."""
    overridden: bool
    """Whether a veto was overridden: there is no second one."""
    policy_version: int
    threshold: int
    members: tuple[bytes, ...]
    guardian: bytes
    time: int
    """Of the next block, about: the time of the tip."""


def abi_of(contract: str) -> Abi:
    """The ABI of a contract of genesis, or of a successor."""
    artifact, _ = contract_named(contract)
    return load_abi(load(artifact).abi)


def draft(
    contract: str, choice: Choice, values: Mapping[str, Any], *, nonce: int, life_s: int, not_before: int = 0
) -> Plan[Decision]:
    """A decision with the terms of now, not yet proposed.

    Args:
        contract: name in genesis, or of a successor.
        choice: what is decided.
        values: members of the act; those that it does not need are zero.
        nonce: tells it from another decision of the same content.
        life_s: seconds from the tip's time until it expires.
        not_before: second before which it is never executed; 0 for none.

    Raises:
        DecisionError: a member is missing or unknown.
        TypedDataError: a value does not fit.
    """
    members = {name: kind for kind, name in choice.type.struct.members}
    if missing := [name for name in choice.needs if name not in values]:
        raise DecisionError(f"{choice.name} needs {', '.join(missing)}")
    if surplus := sorted(values.keys() - {*choice.needs, *choice.optional}):
        raise DecisionError(
            f"{choice.name} has no {', '.join(surplus)}; it takes {', '.join((*choice.needs, *choice.optional))}"
        )
    abi, address = abi_of(contract), contract_named(contract)[1]
    domain = yield from _domain(abi, address)
    body = yield from body_of(abi, address)
    policy_version = yield from _read(abi_of("FundCouncil"), body, "policy_version")
    status = yield from queries.status()
    terms = {
        "policyVersion": policy_version,
        "nonce": nonce,
        "notBefore": not_before,
        "expires": status.timestamp + life_s,
    }
    given = {**values, "terms": terms} | ({"action": choice.act.word} if choice.act else {})
    message = {name: given.get(name, _ZERO.get(kind)) for name, kind in members.items()}
    return Decision(contract, choice.type, domain, message, {})


def sign(decision: Decision, key: PrivateKey) -> Decision:
    """The decision with one more signature.

    Raises:
        DecisionError: a second, independent reading of what would be signed says something else.
    """
    read_twice(decision)
    signature = key.sign(decision.id)
    signed = signature[:64] + bytes((27 + signature[64],))
    return replace(decision, signatures={**decision.signatures, key.address: signed})


def attach(decision: Decision, signer: bytes, signed: bytes) -> Decision:
    """The decision with a signature that was made elsewhere, by a chip, a passkey or a security key.

    Raises:
        DecisionError: it is not the signer's, or a second reading of the decision says something else.
    """
    read_twice(decision)
    check_signed(decision.id, {signer: signed})
    return replace(decision, signatures={**decision.signatures, signer: signed})


def read_twice(decision: Decision) -> None:
    """Raise ``DecisionError`` unless other code reads the same in the document and in the call that proposes it."""
    document = to_json(decision.type.struct, decision.domain, decision.message)
    second_reading.check_digest(document, decision.id)
    artifact = load(contract_named(decision.contract)[0])
    (function,) = [e for e in artifact.abi if e.get("name") == decision.type.propose and e["type"] == "function"]
    data = abi_of(decision.contract).encode_call(
        decision.type.propose, decision.type.arguments(abi_of(decision.contract), decision.message)
    )
    numbers = {act.word: decision.type.number_of(act.word) for act in decision.type.acts}
    second_reading.check_call(document, function, data, numbers)


def merged(decisions: Sequence[Decision]) -> Decision:
    """One decision with the signatures of several copies. Raises ``DecisionError`` where they are not copies."""
    first = decisions[0]
    if any(other.id != first.id or other.contract != first.contract for other in decisions):
        raise DecisionError("the files are of different decisions")
    signatures = {signer: signed for one in decisions for signer, signed in one.signatures.items()}
    overrides = {signer: signed for one in decisions for signer, signed in one.overrides.items()}
    return replace(first, signatures=signatures, overrides=overrides)


def check_signatures(decision: Decision) -> None:
    """Raise ``DecisionError`` for a signature that is not its signer's, under this very decision."""
    check_signed(decision.id, decision.signatures)


def check_signed(digest_: bytes, signatures: Mapping[bytes, bytes]) -> None:
    """Raise ``DecisionError`` for a signature of a digest that is not its signer's."""
    for signer, signed in signatures.items():
        try:
            by = approver_of(digest_, signed)
        except DecisionError as error:
            raise DecisionError(f"the signature of 0x{signer.hex()} is {error}") from error
        if by != signer:
            raise DecisionError(
                f"the signature of 0x{signer.hex()} is not by it: the decision was changed, or the name"
            )


def status_of(decision: Decision) -> Plan[DecisionStatus]:
    """Where it stands now. Raises ``DecisionError`` where the node's chain is not the decision's."""
    abi, address = abi_of(decision.contract), decision.domain.contract
    if (told := (yield from _domain(abi, address))) != decision.domain:
        raise DecisionError(
            f"the decision is for {_domain_text(decision.domain)}, this network has {_domain_text(told)}"
        )
    found = yield from _read(abi, address, "decision", decision.id)
    state, _, _, _, expires, ready_at, term, overridden = found
    proposed = state != DecisionState.UNKNOWN
    # The vault has no room for the getter: there the policy's version tells most successions.
    in_office = not proposed or "term" not in abi.functions or term == (yield from _read(abi, address, "term"))
    body, council = (yield from body_of(abi, address)), abi_of("FundCouncil")
    return DecisionStatus(
        DecisionState(state),
        ready_at,
        expires if proposed else decision.terms["expires"],
        in_office,
        overridden,
        (yield from _read(council, body, "policy_version")),
        (yield from _read(council, body, "threshold")),
        tuple((yield from _read(council, body, "members"))),
        (yield from _read(council, body, "guardian")),
        (yield from queries.status()).timestamp,
    )


def propose(decision: Decision, wallet: Wallet, *, gas_limit: int | None, timeout_s: float) -> Plan[TransactionReceipt]:
    """Put it before the council, once the contract has been heard to know it by the id that members will sign.

    Raises:
        ContractReverted: the contract refuses the proposal.
        DecisionError: the contract computes another id: the node runs other contracts than this program knows.
    """
    abi, address = abi_of(decision.contract), decision.domain.contract
    arguments = decision.type.arguments(abi, decision.message)
    told = yield from contract_plans.read(abi, address, decision.type.propose, arguments, wallet.address, None)
    if told != decision.id:
        raise DecisionError(f"the contract knows it as 0x{told.hex()}, this program as 0x{decision.id.hex()}")
    return (yield from _transact(decision, wallet, decision.type.propose, arguments, gas_limit, timeout_s))


def approve(decision: Decision, wallet: Wallet, *, gas_limit: int | None, timeout_s: float) -> Plan[TransactionReceipt]:
    """Bring the signatures to the contract; starts the delay.

    Raises:
        DecisionError: it is not proposed, void, or signed by too few members; the message says what is missing.
    """
    check_signatures(decision)
    now = yield from status_of(decision)
    check_alive(decision, now)
    if now.state is not DecisionState.PROPOSED:
        raise DecisionError(f"the decision is {now.state.name.lower()}: only a proposed one can be approved")
    strangers = [signer for signer in decision.signatures if signer not in now.members]
    signers = sorted(set(decision.signatures) - set(strangers))
    if len(signers) < now.threshold:
        open_ = ", ".join("0x" + member.hex() for member in now.members if member not in signers)
        outside = "".join(f"; 0x{signer.hex()} signed but is no member" for signer in strangers)
        raise DecisionError(
            f"{len(signers)} of {now.threshold} signatures: still to be signed by any of {open_}{outside}"
        )
    approvals = [(signer, decision.signatures[signer]) for signer in signers]
    yield from check_with_network(decision.id, approvals)
    return (yield from _transact(decision, wallet, "approve_decision", (decision.id, approvals), gas_limit, timeout_s))


def endorse(decision: Decision, wallet: Wallet, *, gas_limit: int | None, timeout_s: float) -> Plan[TransactionReceipt]:
    """Bring the signatures of the contract's oversight, which something that raises risk needs before its approval.

    Raises:
        DecisionError: the contract has no oversight, the decision is not proposed, or too few of its members signed.
    """
    check_signatures(decision)
    abi, address, council = abi_of(decision.contract), decision.domain.contract, abi_of("FundCouncil")
    if "endorse" not in abi.functions:
        raise DecisionError(f"{decision.contract} has no oversight: its council approves alone")
    now = yield from status_of(decision)
    check_alive(decision, now)
    if now.state is not DecisionState.PROPOSED:
        raise DecisionError(f"the decision is {now.state.name.lower()}: only a proposed one can be endorsed")
    oversight = yield from _read(abi, address, "oversight")
    members = yield from _read(council, oversight, "members")
    threshold = yield from _read(council, oversight, "threshold")
    # No more than it takes: who endorses cannot approve.
    signers = sorted(signer for signer in decision.signatures if signer in members)[:threshold]
    if len(signers) < threshold:
        open_ = ", ".join("0x" + member.hex() for member in members if member not in signers)
        raise DecisionError(f"{len(signers)} of {threshold} signatures: still to be signed by any of {open_}")
    approvals = [(signer, decision.signatures[signer]) for signer in signers]
    yield from check_with_network(decision.id, approvals)
    return (yield from _transact(decision, wallet, "endorse", (decision.id, approvals), gas_limit, timeout_s))


def execute(decision: Decision, wallet: Wallet, *, gas_limit: int | None, timeout_s: float) -> Plan[TransactionReceipt]:
    """Carry it out. Raises ``DecisionError`` where it is not approved, ``ContractReverted`` where it is not ripe."""
    now = yield from status_of(decision)
    if now.state is not DecisionState.APPROVED:
        raise DecisionError(f"the decision is {now.state.name.lower()}: only an approved one can be executed")
    check_alive(decision, now)
    abi = abi_of(decision.contract)
    arguments = (decision.id,) if decision.type.by_id else decision.type.arguments(abi, decision.message)
    return (yield from _transact(decision, wallet, decision.type.execute, arguments, gas_limit, timeout_s))


def veto(decision: Decision, wallet: Wallet, *, gas_limit: int | None, timeout_s: float) -> Plan[TransactionReceipt]:
    """End it, as the council's guardian. Raises ``DecisionError`` where somebody else asks."""
    now = yield from status_of(decision)
    if wallet.address != now.guardian:
        raise DecisionError(f"only the guardian 0x{now.guardian.hex()} may veto, not 0x{wallet.address.hex()}")
    if now.overridden:
        raise DecisionError("three quarters of the council have overridden the veto: there is no second one")
    if now.state not in (DecisionState.PROPOSED, DecisionState.APPROVED):
        raise DecisionError(f"the decision is {now.state.name.lower()}: there is nothing to veto")
    return (yield from _transact(decision, wallet, "veto_decision", (decision.id,), gas_limit, timeout_s))


def void_because(decision: Decision, now: DecisionStatus) -> str | None:
    """Why a decision that is not executed can never be; None while it can."""
    if decision.terms["policyVersion"] != now.policy_version:
        return "the council has changed since: its approvals are void; propose it again"
    if not now.in_office:
        return "another council decides since: propose it again"
    if now.expires < now.time:
        return "it has expired; propose it again"
    return None


def check_alive(decision: Decision, now: DecisionStatus) -> None:
    """Raise ``DecisionError`` for a decision that can never be executed; see ``void_because``."""
    if (reason := void_because(decision, now)) is not None:
        raise DecisionError(f"the decision is void: {reason}")


def _transact(
    decision: Decision, wallet: Wallet, name: str, arguments: Iterable[Any], gas_limit: int | None, timeout_s: float
) -> Plan[TransactionReceipt]:
    abi = abi_of(decision.contract)
    data = abi.encode_call(name, tuple(arguments))
    message = CallMessage(decision.domain.contract, data, wallet.address)
    return (yield from contract_plans.transact(abi, wallet, message, gas_limit=gas_limit, timeout_s=timeout_s))


def _read(abi: Abi, address: bytes, name: str, *arguments: Any) -> Plan[Any]:
    return (yield from contract_plans.read(abi, address, name, arguments, None, None))


def _domain(abi: Abi, address: bytes) -> Plan[Domain]:
    """A contract's domain, as it tells it (EIP-5267)."""
    _, name, version, chain_id, contract, _, _ = yield from _read(abi, address, "eip712Domain")
    return Domain(name, version, chain_id, contract)


def body_of(abi: Abi, address: bytes) -> Plan[bytes]:
    """The council of a contract; a council is its own."""
    if "body" not in abi.functions:
        return address
    found: bytes = yield from _read(abi, address, "body")
    return found


def _domain_text(domain: Domain) -> str:
    return f"{domain.name!r} at 0x{domain.contract.hex()} on chain {domain.chain_id}"
