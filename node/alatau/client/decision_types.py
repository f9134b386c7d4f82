"""The acts that councils decide on, as contracts and members spell them. A changed contract is a changed line here.

What a member signs is an EIP-712 struct (:mod:`alatau.client.typed_data`); what the contract is told is the same values
in the same order, grouped as its ABI says. ``tests/unit/client/test_decision_types.py`` holds the table against the
Vyper sources and against the digests that the contracts compute.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from alatau.artifacts.genesis import Role, VaultRole
from alatau.artifacts.positions import AssetClass
from alatau.client.abi import Abi
from alatau.client.abi_types import type_members
from alatau.client.errors import DecisionError
from alatau.client.typed_data import StructType, struct_type

TERMS: Final = "Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"


@dataclass(frozen=True, slots=True)
class Act:
    """What a decision does, where its type has an ``action``."""

    word: str
    """As it is signed, such as ``admit validator``."""
    needs: tuple[str, ...] = ()
    """Members that it uses; the others are zero unless they are given."""


@dataclass(frozen=True)
class DecisionType:
    """A kind of decision of a contract."""

    encoded: str
    """Its EIP-712 type."""
    propose: str
    """The contract's function that takes it."""
    execute: str
    """The function that carries it out."""
    by_id: bool
    """Whether ``execute`` takes the decision's id; otherwise the values once more."""
    name: str = ""
    """On the command line; empty where each act has its own."""
    acts: tuple[Act, ...] = ()
    """In the order of the contract's numbers, from 1."""
    flags: bool = False
    """Whether those numbers are flags: 1, 2, 4, ..."""

    @cached_property
    def struct(self) -> StructType:
        """The type, parsed."""
        return struct_type(self.encoded)

    def arguments(self, abi: Abi, message: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values of ``message`` as ``propose`` takes them."""
        leaves = self._leaves(self.struct.name, message)
        (function,) = abi.functions[self.propose]
        return tuple(_grouped(kind, leaves) for kind in function.inputs)

    def _leaves(self, struct: str, message: Mapping[str, Any]) -> Iterator[Any]:
        for kind, name in self.struct.structs[struct]:
            if kind in self.struct.structs:
                yield from self._leaves(kind, message[name])
            elif name == "action" and self.acts:
                yield self.number_of(message[name])
            else:
                yield message[name]

    def number_of(self, word: str) -> int:
        """The contract's number of an act. Raises ``DecisionError``."""
        for number, act in enumerate(self.acts, start=1):
            if act.word == word:
                return 1 << number - 1 if self.flags else number
        raise DecisionError(
            f"{word!r} is no act of {self.struct.name}; there are {', '.join(a.word for a in self.acts)}"
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision that somebody may propose: a type, and an act where it has several."""

    name: str
    """On the command line: ``admit-validator``."""
    type: DecisionType
    act: Act | None

    @property
    def needs(self) -> tuple[str, ...]:
        """Members that must be given."""
        if self.act is not None:
            return self.act.needs
        return tuple(name for _, name in self.type.struct.members if name != "terms")

    @property
    def optional(self) -> tuple[str, ...]:
        """Members that may be given."""
        known = (name for _, name in self.type.struct.members)
        return tuple(name for name in known if name not in (*self.needs, "terms", "action"))


def choices(artifact: str) -> dict[str, Choice]:
    """What a contract's council may decide, by name."""
    found = {}
    own = DECISION_TYPES.get(artifact, ())
    # A council is its own body, and a contract without decisions has none.
    inherited = [_REPLACE_BODY] if own and artifact != "Council" else []
    if artifact in _HAND_OVER_FROM:
        inherited.append(_HAND_OVER)
    for kind in (*own, *inherited):
        for act in kind.acts or (None,):
            name = kind.name if act is None else act.word.replace(" ", "-")
            found[name] = Choice(name, kind, act)
    return found


def type_of(artifact: str, struct: str) -> DecisionType:
    """The type of a contract's decision by the name of its struct. Raises ``DecisionError``."""
    for choice in choices(artifact).values():
        if choice.type.struct.name == struct:
            return choice.type
    known = sorted({choice.type.struct.name for choice in choices(artifact).values()})
    raise DecisionError(f"{artifact} decides on no {struct!r}; on {', '.join(known)}")


DECISION_TYPES: Final[dict[str, tuple[DecisionType, ...]]] = {
    "Council": (
        DecisionType(
            f"Membership(address[] members,uint256 threshold,address guardian,Terms terms){TERMS}",
            propose="propose_membership",
            execute="change_membership",
            by_id=False,
            name="membership",
        ),
    ),
    "ValidatorRegistry": (
        DecisionType(
            "ValidatorChange(string action,address operator,address votingKey,bytes32 tlsKeyHash,string endpoint,"
            f"uint256 power,string name,Terms terms){TERMS}",
            propose="propose_change",
            execute="execute_change",
            by_id=True,
            acts=(
                Act("admit validator", ("operator", "votingKey", "tlsKeyHash", "endpoint", "power", "name")),
                Act("remove validator", ("operator",)),
                Act("rotate keys", ("operator", "votingKey", "tlsKeyHash", "endpoint")),
                Act("set power", ("operator", "power")),
                Act("admit observer", ("tlsKeyHash", "name")),
                Act("revoke observer", ("tlsKeyHash",)),
                Act("bind genesis", ("tlsKeyHash",)),
            ),
        ),
    ),
    "ParticipantRegistry": (
        DecisionType(
            f"RegistryChange(string action,address subject,uint256 value,Terms terms){TERMS}",
            propose="propose_change",
            execute="execute_change",
            by_id=True,
            acts=(
                Act("grant role", ("subject", "value")),
                Act("withdraw role", ("subject",)),
                Act("add listener", ("subject",)),
                Act("remove listener", ("subject",)),
            ),
        ),
        DecisionType(
            f"CapChange(string action,uint256 number,uint256 cap,Terms terms){TERMS}",
            propose="propose_cap",
            execute="execute_cap",
            by_id=True,
            acts=(Act("set tier cap", ("number", "cap")), Act("set class cap", ("number", "cap"))),
        ),
    ),
    "SettlementToken": (
        DecisionType(
            "TokenChange(string action,address subject,uint256 value,uint256 tier,uint256 payment,uint256 day,"
            f"uint256 month,Terms terms){TERMS}",
            propose="propose_change",
            execute="execute_change",
            by_id=True,
            acts=(
                Act("set issuer allowance", ("subject", "value")),
                Act("lift pause"),
                Act("set registry", ("subject",)),
                Act("set reserve", ("subject",)),
                Act("set payment limits", ("tier", "payment", "day", "month")),
                Act("set recoveries", ("subject",)),
                Act("set travel threshold", ("value",)),
            ),
        ),
    ),
    "CourtRecoveries": (
        DecisionType(
            f"Recovery(address source,address receiver,uint256 amount,bytes32 orderHash,Terms terms){TERMS}",
            propose="propose_recovery",
            execute="execute_recovery",
            by_id=True,
            name="recovery",
        ),
    ),
    "ReserveVault": (
        DecisionType(
            "Release(address asset,address to,uint256 amount,uint256 provenance,string purpose,bytes32 legalBasisHash,"
            f"bytes32 caseId,Terms terms){TERMS}",
            propose="propose_release",
            execute="execute_release",
            by_id=True,
            name="release",
        ),
        DecisionType(
            "VaultChange(string action,address subject,uint256 value,uint256 capacity,uint256 leakPerSecond,"
            f"Terms terms){TERMS}",
            propose="propose_change",
            execute="execute_change",
            by_id=True,
            acts=(
                Act("allow destination", ("subject",)),
                Act("forbid destination", ("subject",)),
                Act("set limits", ("subject", "value", "capacity", "leakPerSecond")),
                Act("grant role", ("subject", "value")),
                Act("withdraw role", ("subject",)),
                Act("lift pause"),
                Act("prolong pause", ("value",)),
                Act("set oversight", ("subject",)),
                Act("set positions", ("subject",)),
            ),
            flags=True,
        ),
    ),
    "PositionLedger": (
        DecisionType(
            "LedgerChange(string action,uint256 assetClass,address asset,address custodian,bytes32 accountHash,"
            "uint256 value,uint256 quantityAge,uint256 priceAge,uint256 deviationBps,uint256 haircutBps,"
            f"Terms terms){TERMS}",
            propose="propose_change",
            execute="execute_change",
            by_id=True,
            acts=(
                Act("open position", ("assetClass", "asset", "custodian", "accountHash")),
                Act("close position", ("assetClass", "asset", "custodian", "accountHash")),
                Act("set class", ("assetClass", "quantityAge", "priceAge", "deviationBps", "haircutBps")),
                Act("set custodian limit", ("custodian", "asset", "value")),
                Act("set threshold", ("value",)),
            ),
            flags=True,
        ),
    ),
    "ChannelPause": (
        DecisionType(
            f"LiftPause(Terms terms){TERMS}",
            propose="propose_unpause",
            execute="unpause",
            by_id=False,
            name="lift-pause",
        ),
    ),
}
"""Artifact -> the decisions of its own."""

_REPLACE_BODY: Final = DecisionType(
    f"ReplaceBody(address body,Terms terms){TERMS}",
    propose="propose_body",
    execute="replace_body",
    by_id=False,
    name="replace-council",
)
"""Every governed contract has it (``lib/decisions.vy``); a council is its own body."""

_HAND_OVER_FROM: Final = ("ValidatorRegistry", "ParticipantRegistry")
_HAND_OVER: Final = DecisionType(
    f"Handover(address successor,Terms terms){TERMS}",
    propose="propose_handover",
    execute="hand_over",
    by_id=False,
    name="hand-over",
)
"""The registries that nodes read have it (``lib/handover.vy``)."""


def _grouped(kind: str, leaves: Iterator[Any]) -> Any:
    """The next values, grouped as an ABI type groups them."""
    if kind.startswith("(") and kind.endswith(")"):
        return tuple(_grouped(member, leaves) for member in type_members(kind))
    return next(leaves)


_ROLES: Final = {role.value: role.name.lower() for role in Role}
_CLASSES: Final = {kind.value: kind.name.lower().replace("_", " ") for kind in AssetClass}
_VAULT_ROLES: Final = {role.value: role.name.lower() for role in VaultRole}
MEANINGS: Final[dict[tuple[str, str, str], dict[int, str]]] = {
    ("RegistryChange", "grant role", "value"): _ROLES,
    ("VaultChange", "grant role", "value"): _VAULT_ROLES,
    ("LedgerChange", "open position", "assetClass"): _CLASSES,
    ("LedgerChange", "close position", "assetClass"): _CLASSES,
    ("LedgerChange", "set class", "assetClass"): _CLASSES,
    ("Release", "", "provenance"): {1: "confiscated", 2: "mined", 4: "foreign exchange", 8: "national fund"},
}
"""(struct, act, member) -> what its numbers stand for."""
