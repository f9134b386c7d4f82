"""Decisions as JSON documents, to be passed from member to member.

``typed_data`` is what ``eth_signTypedData_v4`` takes: any wallet that shows EIP-712 can sign it, too.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from alatau.artifacts.addresses import contract_named
from alatau.client.approvals import SIZE_MAX
from alatau.client.decision_types import type_of
from alatau.client.decisions import APPROVALS_MAX, Decision
from alatau.client.errors import DecisionError
from alatau.client.typed_data import read_domain, read_value, to_json

FORMAT: Final = "alatau decision 1"
"""Of the document; another form would have another number."""
_MEMBERS: Final = {"format", "contract", "id", "typed_data", "signatures"}
_OVERRIDES: Final = "override_signatures"
"""There only where a veto is to be overridden."""
_SIGNATURE: Final = re.compile(rf"0x(?:[0-9a-fA-F]{{2}}){{1,{SIZE_MAX}}}")
_TYPED_DATA: Final = {"types", "primaryType", "domain", "message"}


def write_decision(decision: Decision) -> dict[str, Any]:
    """The document of a decision."""
    document = {
        "format": FORMAT,
        "contract": decision.contract,
        "id": "0x" + decision.id.hex(),
        "typed_data": to_json(decision.type.struct, decision.domain, decision.message),
        "signatures": _listed(decision.signatures),
    }
    return document | ({_OVERRIDES: _listed(decision.overrides)} if decision.overrides else {})


def read_decision(document: Any) -> Decision:
    """A decision from its document: what will be signed is computed from the act that the document shows.

    Raises:
        DecisionError: it is no such document, names another contract or type, or its id is not that of its content.
        TypedDataError: a value does not fit its type.
    """
    overridden = isinstance(document, dict) and _OVERRIDES in document
    document = _object(document, _MEMBERS | ({_OVERRIDES} if overridden else set()), "the file")
    if document["format"] != FORMAT:
        raise DecisionError(f"the file's format is {document['format']!r:.60}, not {FORMAT!r}")
    contract = document["contract"]
    try:
        artifact, address = contract_named(contract if isinstance(contract, str) else repr(contract))
    except ValueError as error:
        raise DecisionError(f"contract is {error}") from error
    typed = _object(document["typed_data"], _TYPED_DATA, "typed_data")
    kind = type_of(artifact, str(typed["primaryType"])[:60])
    domain = read_domain(typed["domain"])
    if domain.contract != address:
        raise DecisionError(f"typed_data is for 0x{domain.contract.hex()}; {contract} is 0x{address.hex()}")
    message = read_value(kind.struct, kind.struct.name, typed["message"], "message")
    if kind.acts:
        kind.number_of(message["action"])
    signatures = _signatures(document["signatures"], "signatures")
    overrides = _signatures(document[_OVERRIDES], _OVERRIDES) if overridden else {}
    decision = Decision(contract, kind, domain, message, signatures, overrides)
    if typed["types"] != to_json(kind.struct, domain, message)["types"]:
        raise DecisionError(
            f"typed_data.types are not those of {kind.struct.name}: it would be signed as something else"
        )
    if document["id"] != "0x" + decision.id.hex():
        raise DecisionError("the id is not that of the content: the file was changed after it was proposed")
    return decision


def _listed(signatures: Mapping[bytes, bytes]) -> list[dict[str, str]]:
    return [
        {"signer": "0x" + signer.hex(), "signature": "0x" + signed.hex()}
        for signer, signed in sorted(signatures.items())
    ]


def _signatures(value: Any, where: str) -> Mapping[bytes, bytes]:
    if not isinstance(value, list) or len(value) > APPROVALS_MAX:
        raise DecisionError(f"{where} are no array of at most {APPROVALS_MAX}")
    found = {}
    for index, entry in enumerate(value):
        one = _object(entry, {"signer", "signature"}, f"{where}[{index}]")
        found[_hex(one["signer"], 20, f"{where}[{index}].signer")] = _signature(
            one["signature"], f"{where}[{index}].signature"
        )
    return found


def _object(value: Any, members: set[str], where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != members:
        raise DecisionError(f"{where} is no object with {', '.join(sorted(members))}")
    return value


def _signature(value: Any, where: str) -> bytes:
    if not isinstance(value, str) or not _SIGNATURE.fullmatch(value):
        raise DecisionError(f"{where} is not 0x and two hexadecimal digits for each of at most {SIZE_MAX} bytes")
    return bytes.fromhex(value[2:])


def _hex(value: Any, size: int, where: str) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(f"0x[0-9a-fA-F]{{{2 * size}}}", value):
        raise DecisionError(f"{where} is not 0x and {2 * size} hexadecimal digits")
    return bytes.fromhex(value[2:])
