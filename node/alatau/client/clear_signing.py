"""Clear signing (ERC-7730): what wallets show, in words and units, of every typed message and every call of ours.

Source: https://eips.ethereum.org/EIPS/eip-7730. A descriptor has a context (which contract, which domain), and for each
message or function the fields with path, label and format. They are made from the compiled contracts and from the
table of decisions, so that none lags behind; what only people know is here: words and units.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.artifacts.artifact import abi_type, load
from alatau.client.decision_types import DECISION_TYPES, MEANINGS, TERMS, choices
from alatau.client.typed_data import StructType, struct_type

SCHEMA: Final = "https://eips.ethereum.org/assets/eip-7730/erc7730-v1.schema.json"
OWNER: Final = "Alatau"
DOMAIN_NAMES: Final = {
    "ValidatorRegistry": "Alatau ValidatorRegistry",
    "ParticipantRegistry": "Alatau ParticipantRegistry",
    "ReserveVault": "Alatau ReserveVault",
    "PositionLedger": "Alatau PositionLedger",
    "CityChannels": "Alatau CityChannels",
    "OfflineBonds": "Alatau OfflineBonds",
    "ChannelPause": "Alatau ChannelPause",
    "CourtRecoveries": "Alatau CourtRecoveries",
}
"""Of contracts whose domain is fixed; councils and the token have the names that a network gives them."""
_PAYING: Final = "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce"
MESSAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "PositionLedger": (
        (
            "Attestation(bytes32 position,uint256 sequence,uint256 quantity,uint256 encumbered,uint256 price,"
            "uint256 asOf,uint256 priceAsOf,bytes32 evidenceHash)"
        ),
    ),
    "SettlementToken": (
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)",
        f"TransferWithAuthorization({_PAYING})",
        f"ReceiveWithAuthorization({_PAYING})",
        f"RecordedTransfer({_PAYING},bytes32 purpose,bytes32 recordHash)",
        "CancelAuthorization(address authorizer,bytes32 nonce)",
    ),
    "Council": (
        "CheckIn(address member,uint256 time)",
        f"Restoration(address[] members,uint256 threshold,address guardian,Terms terms){TERMS}",
    ),
    "CityChannels": (
        "Voucher(bytes32 channelId,address payer,uint256 nonce,uint256 transferred,bytes32 locksHash)",
        "Receipt(bytes32 channelId,bytes32 voucherHash)",
        "Delegation(bytes32 channelId,address payer,address device,uint256 cap)",
        "CloseRequest(bytes32 channelId,address party,uint256 deadline)",
        "CooperativeClose(bytes32 channelId,uint256 payoutA,uint256 payoutB,uint256 deadline)",
        "Withdraw(bytes32 channelId,address participant,uint256 total,uint256 deadline)",
        "ClaimOrder(address account,address receiver,uint256 amount,uint256 nonce,uint256 deadline)",
    ),
    "OfflineBonds": (
        "OfflineCertificate(bytes32 channelId,address payer,uint256 base,uint256 limit,uint256 expires)",
        "OfflinePayment(bytes32 channelId,bytes32 voucherHash,address merchant,uint256 amount)",
        "BondRelease(bytes32 channelId,address payer,uint256 deadline)",
        "ClaimOrder(address account,address receiver,uint256 amount,uint256 nonce,uint256 deadline)",
    ),
}
"""Typed messages that are no decisions, by artifact; also those that parties of a channel exchange off the chain."""

_OVERRIDE: Final = "OverrideVeto(bytes32 decision,uint256 policyVersion)"
"""Of every contract with decisions (``lib/decisions.vy``)."""

_DATES: Final = {"expires", "notbefore", "asof", "priceasof", "deadline", "readyat", "until", "time"}
_DURATIONS: Final = {"quantityage", "priceage", "delay", "largedelay"}
_SHARES: Final = {"deviationbps", "haircutbps"}
UNITS: Final[Mapping[str, str]] = {
    "cap": "in the token's smallest unit",
    "payment": "in the token's smallest unit, at once",
    "day": "in the token's smallest unit",
    "month": "in the token's smallest unit",
    "amount": "in the asset's smallest unit",
    "transferred": "in the token's smallest unit, all that was ever paid in this direction",
    "payoutA": "in the token's smallest unit",
    "payoutB": "in the token's smallest unit",
    "total": "in the token's smallest unit, all that was ever withdrawn",
    "base": "in the token's smallest unit",
    "limit": "in the token's smallest unit",
    "capacity": "in the asset's smallest unit",
    "leakPerSecond": "of the asset's smallest unit each second",
    "quantity": "in the position's own unit, 10^18 for one",
    "encumbered": "in the position's own unit, 10^18 for one",
    "price": "of the asset's smallest unit for 10^18 of the position",
    "power": "votes",
    "threshold": "approvals",
}
"""Member of a message -> its unit, where it has one that its format does not say."""
_LABELS: Final[Mapping[str, str]] = {
    "to": "Destination",
    "tlsKeyHash": "TLS key hash",
    "a": "Party a",
    "b": "Party b",
    "v": "Signature's v",
    "r": "Signature's r",
    "s": "Signature's s",
    "policyVersion": "Council's policy version",
    "nonce": "Number",
    "notBefore": "Not before",
}


def typed_data_descriptor(contract: str, chain_id: int) -> dict[str, Any]:
    """The descriptor of all messages that are signed for a contract of genesis."""
    artifact, address = GENESIS_CONTRACTS[contract]
    formats: dict[str, Any] = {}
    enums: dict[str, dict[str, str]] = {}
    schemas = []
    for kind, intent in _messages(artifact):
        fields = list(_message_fields(kind, kind.name, "", enums))
        formats[kind.name] = {"intent": intent, "fields": fields, "required": [field["path"] for field in fields]}
        types = {name: [{"name": n, "type": t} for t, n in members] for name, members in kind.structs.items()}
        schemas.append({"primaryType": kind.name, "types": types})
    where: dict[str, Any] = {
        "deployments": [{"chainId": chain_id, "address": "0x" + address.hex()}],
        "schemas": schemas,
    }
    if artifact in DOMAIN_NAMES:
        where["domain"] = {"name": DOMAIN_NAMES[artifact], "version": "1"}
    return {
        "$schema": SCHEMA,
        "context": {"eip712": where},
        "metadata": {"owner": OWNER, "enums": enums},
        "display": {"formats": formats},
    }


def call_descriptor(contract: str, chain_id: int) -> dict[str, Any]:
    """The descriptor of all calls that change something in a contract of genesis."""
    artifact, address = GENESIS_CONTRACTS[contract]
    abi = load(artifact).abi
    formats = {}
    for entry in changing(abi):
        inputs = ",".join(f"{_spelt(i)} {i['name']}" for i in entry["inputs"])
        fields = [field for i in entry["inputs"] for field in _input_fields(i, "")]
        formats[f"{entry['name']}({inputs})"] = {
            "intent": words(entry["name"]),
            "fields": fields,
            "required": [field["path"] for field in fields],
        }
    return {
        "$schema": SCHEMA,
        "context": {
            "contract": {"abi": abi, "deployments": [{"chainId": chain_id, "address": "0x" + address.hex()}]},
        },
        "metadata": {"owner": OWNER},
        "display": {"formats": formats},
    }


def messages_of(artifact: str) -> tuple[str, ...]:
    """The typed messages of a contract that are no decisions."""
    return (*MESSAGES.get(artifact, ()), *((_OVERRIDE,) if artifact in DECISION_TYPES else ()))


def changing(abi: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The functions of an ABI that change something."""
    return [e for e in abi if e["type"] == "function" and e["stateMutability"] in ("nonpayable", "payable")]


def words(name: str) -> str:
    """A member's or function's name as people say it: ``legalBasisHash`` and ``legal_basis_hash`` alike."""
    if name in _LABELS:
        return _LABELS[name]
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").strip().lower()
    return spaced[:1].upper() + spaced[1:]


def shown_with_unit(name: str, value: Any) -> str | None:
    """A number of a message with its unit: durations in days, shares in percent; None where it has none."""
    if not isinstance(value, int):
        return None
    plain = name.lower()
    if plain in _SHARES:
        return f"{value / 100:g} %"
    if plain in _DURATIONS:
        return f"{value} s ({value / 86_400:g} days)"
    return f"{value} {UNITS[name]}" if name in UNITS else None


def _messages(artifact: str) -> Iterator[tuple[StructType, str]]:
    """Each message once, with what it is for."""
    seen = set()
    for choice in choices(artifact).values() if artifact in DECISION_TYPES else ():
        if choice.type.encoded not in seen:
            seen.add(choice.type.encoded)
            yield choice.type.struct, f"Approve: {words(choice.type.struct.name).lower()}"
    for encoded in messages_of(artifact):
        kind = struct_type(encoded)
        yield kind, words(kind.name)


def _message_fields(
    kind: StructType, struct: str, prefix: str, enums: dict[str, dict[str, str]]
) -> Iterator[dict[str, Any]]:
    for member_type, name in kind.structs[struct]:
        path = prefix + name
        if member_type in kind.structs:
            yield from _message_fields(kind, member_type, path + ".", enums)
            continue
        if member_type.endswith("[]"):
            yield {"path": path + ".[]", "label": words(name), **_format(member_type[:-2], name)}
            continue
        meaning = MEANINGS.get((kind.name, "", name))
        if meaning is not None:
            enums[f"{kind.name}.{name}"] = {str(number): word for number, word in meaning.items()}
            reference = {"$ref": f"$.metadata.enums.{kind.name}.{name}"}
            yield {"path": path, "label": words(name), "format": "enum", "params": reference}
            continue
        yield {"path": path, "label": words(name), **_format(member_type, name, kind.structs[struct])}


def _input_fields(entry: Mapping[str, Any], prefix: str) -> Iterator[dict[str, Any]]:
    path, kind = prefix + entry["name"], entry["type"]
    array = kind.endswith("]")
    if kind.startswith("tuple"):
        for component in entry["components"]:
            yield from _input_fields(component, path + (".[]." if array else "."))
        return
    base = kind.partition("[")[0]
    yield {"path": path + (".[]" if array else ""), "label": words(entry["name"]), **_format(base, entry["name"])}


def _format(kind: str, name: str, siblings: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """How a value is shown: the format's name and its parameters."""
    plain = name.replace("_", "").lower()
    if kind == "address":
        return {"format": "addressName"}
    if kind.startswith("uint"):
        if plain in _DATES:
            return {"format": "date", "params": {"encoding": "timestamp"}}
        if plain in _DURATIONS:
            return {"format": "duration"}
        if plain in _SHARES:
            return {"format": "unit", "params": {"base": "%", "decimals": 2}}
        if plain == "amount" and ("address", "asset") in siblings:
            return {"format": "tokenAmount", "params": {"tokenPath": "asset"}}
    return {"format": "raw"}


def _spelt(entry: Mapping[str, Any]) -> str:
    """A parameter's type with the names of its components, as descriptors key functions."""
    if not entry["type"].startswith("tuple"):
        return abi_type(dict(entry))
    inside = ",".join(f"{_spelt(c)} {c['name']}" for c in entry["components"])
    return f"({inside}){entry['type'].removeprefix('tuple')}"
