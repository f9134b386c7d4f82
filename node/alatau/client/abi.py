"""Contract ABIs: encoding calls, decoding results, events and reverts.

Values are Python's own: ints, bools, str, bytes, tuples and lists; an address is 20 bytes, and where one is expected
its hex form is taken too. The coding itself is eth_abi's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from eth_abi.codec import ABICodec
from eth_abi.decoding import AddressDecoder
from eth_abi.exceptions import DecodingError, EncodingError, ParseError
from eth_abi.registry import BaseEquals
from eth_abi.registry import registry as default_registry

from alatau.client.abi_types import canonical_type, parameters_of, text_of
from alatau.client.errors import AbiError, ContractReverted
from alatau.codec.json_text import JsonError, parse_json
from alatau.codec.plain_text import plain_text
from alatau.crypto.keccak import keccak256
from alatau.wire.logs import EventLog
from alatau.wire.reverts import describe_revert, revert_reason


class _BytesAddressDecoder(AddressDecoder):
    """Gives addresses as 20 bytes: hex only at the edges."""

    decoder_fn = staticmethod(bytes)  # type: ignore[assignment]


def _codec() -> ABICodec:
    registry = default_registry.copy()  # type: ignore[no-untyped-call]
    registry.unregister_decoder("address")
    is_address = BaseEquals("address")  # type: ignore[no-untyped-call]
    registry.register_decoder(is_address, _BytesAddressDecoder, label="address")
    return ABICodec(registry)


_CODEC: Final = _codec()


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a contract. Vyper's default arguments make several of one name."""

    name: str
    inputs: tuple[str, ...]
    """Types."""
    input_names: tuple[str, ...]
    outputs: tuple[str, ...]
    selector: bytes
    """4 bytes."""
    payable: bool
    reads_only: bool
    """``view`` or ``pure``."""


@dataclass(frozen=True, slots=True)
class EventField:
    """A member of an event."""

    name: str
    type: str
    indexed: bool


@dataclass(frozen=True, slots=True)
class EventType:
    """An event that a contract declares."""

    name: str
    fields: tuple[EventField, ...]
    topic: bytes
    """keccak256 of its signature, 32 bytes: the first topic of its logs."""


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded log."""

    name: str
    values: dict[str, Any]
    """By member. An indexed member of dynamic type is the hash of its value: the log holds no more."""
    log: EventLog


@dataclass(frozen=True, slots=True)
class ErrorType:
    """An error that a contract declares (Solidity's ``error``)."""

    name: str
    inputs: tuple[str, ...]
    selector: bytes


class Abi:
    """A contract's ABI, ready for use."""

    def __init__(self, entries: Iterable[Mapping[str, Any]]) -> None:
        self.functions: dict[str, list[Function]] = {}
        self.events: dict[bytes, EventType] = {}
        self.errors: dict[bytes, ErrorType] = {}
        self.constructor: tuple[str, ...] = ()
        """Types of the constructor's arguments."""
        for entry in entries:
            if not isinstance(entry, Mapping):
                raise AbiError(f"an ABI is an array of objects; {entry!r:.40} is none")
            self._add(entry)

    def _add(self, entry: Mapping[str, Any]) -> None:
        name, kind = text_of(entry, "name"), text_of(entry, "type", "function")
        parameters = parameters_of(entry, "inputs")
        inputs = tuple(map(canonical_type, parameters))
        signature = f"{name}({','.join(inputs)})".encode()
        match kind:
            case "function":
                mutability = entry.get("stateMutability", "nonpayable")
                self.functions.setdefault(name, []).append(
                    Function(
                        name,
                        inputs,
                        tuple(text_of(item, "name") for item in parameters),
                        tuple(map(canonical_type, parameters_of(entry, "outputs"))),
                        keccak256(signature)[:4],
                        payable=mutability == "payable",
                        reads_only=mutability in ("view", "pure"),
                    )
                )
            case "event" if not entry.get("anonymous"):
                fields = tuple(
                    EventField(text_of(item, "name"), canonical_type(item), bool(item.get("indexed")))
                    for item in parameters
                )
                topic = keccak256(signature)
                self.events[topic] = EventType(name, fields, topic)
            case "error":
                self.errors[keccak256(signature)[:4]] = ErrorType(name, inputs, keccak256(signature)[:4])
            case "constructor":
                self.constructor = inputs

    def function(self, name: str, count: int) -> Function:
        """The function of that name that takes ``count`` arguments, or the one with that full signature.

        Raises:
            AbiError: there is none.
        """
        plain = name.partition("(")[0]
        candidates = self.functions.get(plain, [])
        if plain != name:
            candidates = [f for f in candidates if name == f"{f.name}({','.join(f.inputs)})"]
        fitting = [f for f in candidates if len(f.inputs) == count]
        if not fitting:
            signatures = [f"{f.name}({','.join(f.inputs)})" for f in candidates] or sorted(self.functions)
            known = ", ".join(signatures)
            raise AbiError(f"no function {name} with {count} arguments; the contract has {known}")
        return fitting[0]

    def encode_call(self, name: str, arguments: Sequence[Any]) -> bytes:
        """Call data; raises ``AbiError``."""
        function = self.function(name, len(arguments))
        return function.selector + encode(function.inputs, arguments, name)

    def decode_output(self, name: str, count: int, output: bytes) -> Any:
        """What a call returned: nothing, a value, or a tuple of several; raises ``AbiError``."""
        values = decode(self.function(name, count).outputs, output, name)
        match len(values):
            case 0:
                return None
            case 1:
                return values[0]
            case _:
                return values

    def event(self, name: str) -> EventType:
        """A declared event by name; raises ``AbiError``."""
        found = next((event for event in self.events.values() if event.name == name), None)
        if found is None:
            known = ", ".join(sorted(event.name for event in self.events.values()))
            raise AbiError(f"no event {name}; the contract has {known}")
        return found

    def decode_event(self, log: EventLog) -> Event | None:
        """A log as an event; None where the ABI does not declare it or it does not fit."""
        event = self.events.get(log.topics[0]) if log.topics else None
        if event is None:
            return None
        indexed = [f for f in event.fields if f.indexed]
        plain = [f for f in event.fields if not f.indexed]
        if len(indexed) != len(log.topics) - 1:
            return None
        try:
            in_data = decode([f.type for f in plain], log.data, event.name)
            in_topics = [_decode_topic(f, topic) for f, topic in zip(indexed, log.topics[1:], strict=True)]
        except AbiError:
            return None
        values = dict(zip([f.name for f in plain], in_data, strict=True))
        values |= zip([f.name for f in indexed], in_topics, strict=True)
        return Event(event.name, {f.name: values[f.name] for f in event.fields}, log)

    def topics(self, name: str, wanted: Mapping[str, Any]) -> tuple[tuple[bytes, ...], ...]:
        """Topic conditions for an event and values of its indexed members; a list of values means any of them.

        Raises:
            AbiError: no such event, or a member that is not indexed.
        """
        event = self.event(name)
        indexed = [f for f in event.fields if f.indexed]
        strangers = wanted.keys() - {f.name for f in indexed}
        if strangers:
            raise AbiError(f"{name} has no indexed {', '.join(sorted(strangers))}")
        conditions: list[tuple[bytes, ...]] = [(event.topic,)]
        for member in indexed:
            value = wanted.get(member.name, [])
            values = value if isinstance(value, list) else [value]
            conditions.append(tuple(_encode_topic(member, one) for one in values))
        while conditions and not conditions[-1]:
            conditions.pop()
        return tuple(conditions)

    def reverted(self, data: bytes) -> ContractReverted:
        """The error for a revert's data, named by the ABI where it can."""
        named = self._named_revert(data)
        if named is not None:
            return ContractReverted(named, data, None, named.partition("(")[0])
        return ContractReverted(describe_revert(data), data, revert_reason(data))

    def describe_revert(self, data: bytes) -> str:
        """A revert's data in words, named by the ABI where it can."""
        return self._named_revert(data) or describe_revert(data)

    def _named_revert(self, data: bytes) -> str | None:
        error = self.errors.get(data[:4])
        if error is None:
            return None
        try:
            values = decode(error.inputs, data[4:], error.name)
        except AbiError:
            return None
        return f"{error.name}({', '.join(plain_text(value) for value in values)})"


AbiSource: TypeAlias = Abi | str | Path | Sequence[Mapping[str, Any]] | Mapping[str, Any]

_PATH_SIZE_MAX: Final = 4_096
_FILE_SIZE_MAX: Final = 8 * 1024 * 1024
"""Bytes; a compiler's output with bytecode and source maps of a large contract has about 1 MB."""
_SOURCE_SUFFIXES: Final = frozenset({".vy", ".vyi", ".sol"})


def load_abi(source: AbiSource) -> Abi:
    """An ABI from its JSON: parsed, text, or a file's path; a compiler's output with an ``abi`` key will do.

    Raises:
        AbiError: the source is no ABI; the message says why.
        OSError: the file cannot be read.
    """
    if isinstance(source, Abi):
        return source
    if isinstance(source, str) and not source.lstrip().startswith(("[", "{")):
        if len(source) > _PATH_SIZE_MAX or "\n" in source or "\0" in source:
            raise AbiError("the ABI is text, but neither JSON nor the path of a file")
        source = Path(source)
    where = source.name if isinstance(source, Path) else "the ABI"
    parsed: Any = source
    if isinstance(source, Path):
        parsed = read_json_file(source)
    elif isinstance(source, str):
        parsed = _parsed(source.encode(errors="surrogatepass"), where)
    if isinstance(parsed, Mapping):
        parsed = parsed.get("abi")
    if not isinstance(parsed, Sequence) or isinstance(parsed, str | bytes):
        raise AbiError(f"{where} holds no list of functions and events, nor an object with one under 'abi'")
    return Abi(parsed)


def read_json_file(path: Path) -> Any:
    """The JSON of a compiler's output. Raises ``AbiError``, ``OSError``."""
    if path.suffix in _SOURCE_SUFFIXES:
        raise AbiError(f"{path.name} is a contract's source; the ABI is made of it by: vyper -f abi {path.name}")
    with path.open("rb") as file:
        return _parsed(file.read(_FILE_SIZE_MAX + 1), path.name)


def _parsed(data: bytes, where: str) -> Any:
    try:
        return parse_json(data, _FILE_SIZE_MAX)
    except JsonError as error:
        raise AbiError(f"{where} is no ABI: {error}") from error


def encode(types: Sequence[str], values: Sequence[Any], where: str) -> bytes:
    """ABI encoding of arguments; raises ``AbiError``."""
    try:
        return bytes(_CODEC.encode(types, values))
    except (EncodingError, ParseError, ValueError, TypeError) as error:
        raise AbiError(f"arguments of {where} do not fit ({','.join(types)}): {error}") from error


def decode(types: Sequence[str], data: bytes, where: str) -> tuple[Any, ...]:
    """ABI decoding; raises ``AbiError``."""
    try:
        return tuple(_CODEC.decode(types, data))
    except (DecodingError, ParseError, ValueError, OverflowError) as error:
        raise AbiError(f"the data of {where} is no ({','.join(types)}): {error}") from error


def _is_hashed(kind: str) -> bool:
    """Whether an indexed member of this type is only in the log as a hash."""
    return kind in ("string", "bytes") or kind.endswith("]") or kind.startswith("(")


def _decode_topic(member: EventField, topic: bytes) -> Any:
    return topic if _is_hashed(member.type) else decode([member.type], topic, member.name)[0]


def _encode_topic(member: EventField, value: Any) -> bytes:
    match member.type:
        case "string":
            return keccak256(value.encode())
        case "bytes":
            return keccak256(value)
        case _ if _is_hashed(member.type):
            raise AbiError(f"{member.name} is a {member.type}: give its hash as a topic instead")
        case _:
            return encode([member.type], [value], member.name)
