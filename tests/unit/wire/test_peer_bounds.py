"""The bounds of every message that a peer can send."""

import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from alatau.p2p.methods import within_bounds
from alatau.pb.p2p.v1 import introduction_service_pb2, peer_service_pb2
from alatau.transport.errors import MalformedMessageError
from alatau.transport.messages import parse
from alatau.wire.bounds import Bound, WireError
from alatau.wire.peer_bounds import BOUNDS, PLANS, check_peer_message

MIB = 1024 * 1024
SERVICES = (
    *peer_service_pb2.DESCRIPTOR.services_by_name.values(),
    *introduction_service_pb2.DESCRIPTOR.services_by_name.values(),
)
ROOTS: dict[str, Descriptor] = {
    message.full_name: message
    for service in SERVICES
    for method in service.methods
    for message in (method.input_type, method.output_type)
}
Path = tuple[FieldDescriptor, ...]


def paths(message: Descriptor) -> Iterator[Path]:
    """Every field of a message, at any depth, by the fields that lead to it."""
    for field in message.fields:
        yield (field,)
        if field.message_type is not None:
            yield from ((field, *rest) for rest in paths(field.message_type))


def varint(value: int) -> bytes:
    """As on the wire."""
    out = b""
    while value >= 0x80:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))


def entry(field: FieldDescriptor, value: bytes) -> bytes:
    """One entry of a field that has a length."""
    return varint(field.number << 3 | 2) + varint(len(value)) + value


def wrapped(path: Path, value: bytes) -> bytes:
    """A message in which the last field's bytes are ``value``."""
    for field in reversed(path):
        value = entry(field, value)
    return value


def violation(path: Path, kind: str) -> bytes:
    """A message in which the field at the end of ``path`` exceeds its bound."""
    field = path[-1]
    bound = BOUNDS.get(field.containing_type.full_name, {}).get(field.name, Bound())
    match kind:
        case "too long":
            return wrapped(path, bytes(bound.size_max + 1))
        case "too many":
            count = bound.count_max + 1
        case _:
            count = 1_900_000
    is_number = field.type not in {field.TYPE_BYTES, field.TYPE_STRING, field.TYPE_MESSAGE}
    one = varint(field.number << 3) + b"\x01" if is_number else entry(field, b"")
    return wrapped(path[:-1], one * count)


def violations() -> list[Any]:
    """(root, path, kind) for every field of every message."""
    made = []
    for root in ROOTS.values():
        for path in paths(root):
            name = f"{root.name}.{'.'.join(f.name for f in path)}"
            made += [pytest.param(root, path, kind, id=f"{name}, {kind}") for kind in ("too many", "1.9 million")]
            bound = BOUNDS.get(path[-1].containing_type.full_name, {}).get(path[-1].name)
            if bound is not None and bound.size_max:
                made.append(pytest.param(root, path, "too long", id=f"{name}, too long"))
    return made


@pytest.mark.parametrize(("root", "path", "kind"), violations())
def test_what_exceeds_a_bound_is_refused_before_it_is_parsed(root: Descriptor, path: Path, kind: str) -> None:
    """Every field of every message: one entry, or one byte, too many; without memory beyond the bytes that came."""

    class Unparsed:
        DESCRIPTOR = root

        def __init__(self) -> None:
            raise AssertionError("it is being parsed")

    data = violation(path, kind)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedMessageError) as caught:
            parse(cast("type[Message]", Unparsed), data, within_bounds)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.reason in {"MALFORMED_MESSAGE", "BLOCK_TOO_LARGE"}
    assert peak < MIB


def test_every_message_of_every_method_has_a_plan() -> None:
    """And every bound in the table is of a field that exists."""
    assert PLANS.keys() == ROOTS.keys()
    known: dict[str, set[str]] = {}
    for root in ROOTS.values():
        for *_, field in paths(root):
            known.setdefault(field.containing_type.full_name, set()).add(field.name)
    for name, fields in BOUNDS.items():
        assert fields.keys() <= known[name], name


@pytest.mark.parametrize(
    ("root", "size_max"),
    [("ConsensusRequest", 256 * 1024), ("TransactionsRequest", 2 * MIB), ("FetchBlocksRequest", 2_048),
     ("IntroduceRequest", 2_048), ("IntroduceResponse", 1_024)],
)  # fmt: skip
def test_no_message_is_longer_than_its_method_needs(root: str, size_max: int) -> None:
    """The longest that the bounds allow; blocks are as long as the genesis says."""
    assert PLANS[f"alatau.p2p.v1.{root}"].size_max <= size_max


@given(root=st.sampled_from(sorted(ROOTS)), data=st.binary(max_size=300))
def test_no_bytes_get_an_exception_out_of_the_check(root: str, data: bytes) -> None:
    """Random bytes are refused or pass; nothing else."""
    with suppress(WireError):
        check_peer_message(root, data)
