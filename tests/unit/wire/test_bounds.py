"""Walking a message's bytes before anything is built from them."""

import tracemalloc

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from alatau.pb.p2p.v1 import peer_service_pb2 as p2p_pb2
from alatau.wire.bounds import Bound, Bounds, UnboundedFieldError, WireError, check, plan

F = descriptor_pb2.FieldDescriptorProto


def described(*fields: tuple[str, int, int]) -> Descriptor:
    """A message ``test.M`` with these (name, type, label) fields, numbered from 1, in a pool of its own."""
    file = descriptor_pb2.FileDescriptorProto(name="m.proto", package="test", syntax="proto3")
    message = file.message_type.add(name="M")
    for number, (name, type_, label) in enumerate(fields, 1):
        message.field.add(name=name, number=number, type=type_, label=label)  # type: ignore[arg-type]
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindMessageTypeByName("test.M")


@pytest.mark.parametrize(
    ("type_", "label", "bounds"),
    [
        (F.TYPE_BYTES, F.LABEL_OPTIONAL, {}),
        (F.TYPE_STRING, F.LABEL_OPTIONAL, {}),
        (F.TYPE_BYTES, F.LABEL_REPEATED, {}),
        (F.TYPE_BYTES, F.LABEL_REPEATED, {"test.M": {"f": Bound(count_max=3)}}),
        (F.TYPE_UINT64, F.LABEL_REPEATED, {"test.M": {"f": Bound(count_max=3)}}),
        (F.TYPE_BYTES, F.LABEL_OPTIONAL, {"test.M": {"f": Bound(8, 3)}}),
    ],
    ids=["bytes", "string", "repeated", "size of an entry", "packed numbers", "count of one"],
)
def test_a_field_without_its_bound_is_a_mistake_that_is_seen_at_once(type_: int, label: int, bounds: Bounds) -> None:
    """Whoever adds a field to a message has to say how long it may be."""
    with pytest.raises(UnboundedFieldError, match=r"test\.M\.f"):
        plan(described(("f", type_, label)), bounds)


NUMBERS = plan(
    described(
        ("varint", F.TYPE_UINT64, F.LABEL_OPTIONAL),
        ("fixed64", F.TYPE_FIXED64, F.LABEL_OPTIONAL),
        ("fixed32", F.TYPE_SFIXED32, F.LABEL_OPTIONAL),
        ("data", F.TYPE_BYTES, F.LABEL_REPEATED),
    ),
    {"test.M": {"data": Bound(200, 2)}},
)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\x08", "ends within"),
        (b"\x08\x80", "ends within"),
        (b"\x08" + b"\xff" * 11, "varint"),
        (b"\x80" * 11, "varint"),
        (b"\x11\x00\x00", "ends within"),
        (b"\x1d\x00\x00\x00", "ends within"),
        (b"\x22\x05abcd", "ends within"),
        (b"\x22\x80\x80\x80\x80\x08", "more than 200"),
        (b"\x08\x01\x08\x02", "more than 1 of varint"),
        (b"\x22\x00" * 3, "more than 2 of data"),
        (b"\x0a\x01x", "another type"),
        (b"\x20\x01", "another type"),
        (b"\x2b\x2c", "wire type 3"),
        (b"\x05\x01\x01\x01\x01", "number 0"),
        (b"\xf8\xff\xff\xff\xff\x7f\x01", "number"),
        (b"\x2a\xff\x02" + bytes(400), "does not know"),
        (b"\x2a\x00" * 17, "does not know"),
        (bytes(3_000), "more than"),
    ],
)
def test_what_is_too_much_or_no_message_is_said_so(data: bytes, word: str) -> None:
    """Whatever the wire type."""
    with pytest.raises(WireError, match=word):
        check(NUMBERS, data)


def test_a_few_fields_of_a_later_version_pass() -> None:
    """So that nodes can be upgraded one by one."""
    check(NUMBERS, b"\x2a\x03abc\x30\x01\x39" + bytes(8) + b"\x45" + bytes(4) + b"\x08\x01")


def test_of_a_oneof_there_is_one_member() -> None:
    """Two would have the first one built for nothing."""
    ping, pong = (p2p_pb2.ConsensusRequest(**{name: {"nonce": 1}}).SerializeToString() for name in ("ping", "pong"))
    walked = plan(
        p2p_pb2.ConsensusRequest.DESCRIPTOR,
        {
            name: {field.name: Bound(10, 10 if field.is_repeated else 1) for field in type_.fields}
            for file in (p2p_pb2.DESCRIPTOR, p2p_pb2.DESCRIPTOR.dependencies[0])
            for name, type_ in ((t.full_name, t) for t in file.message_types_by_name.values())
        },
    )
    check(walked, ping)
    with pytest.raises(WireError, match="more than 1"):
        check(walked, ping + pong)


class Counting(bytes):
    """Bytes that count how often somebody looks at one of them."""

    looks = 0

    def __getitem__(self, index: object) -> int:  # type: ignore[override]
        """Count the look."""
        type(self).looks += 1
        return super().__getitem__(index)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("entry", [b"\x22\x00", b"\x2a\x00", b"\x28\x01"], ids=["known", "unknown", "unknown number"])
def test_the_walk_ends_at_the_first_thing_too_many(entry: bytes) -> None:
    """Its cost and memory do not grow with the message."""
    walked = plan(described(("a", F.TYPE_BYTES, F.LABEL_REPEATED), ("d", F.TYPE_BYTES, F.LABEL_OPTIONAL),
                            ("c", F.TYPE_BYTES, F.LABEL_OPTIONAL), ("data", F.TYPE_BYTES, F.LABEL_REPEATED)),
                  {"test.M": {"a": Bound(10**7), "d": Bound(1), "c": Bound(1), "data": Bound(0x7F, 100)}})  # fmt: skip
    data = Counting(entry * 1_900_000)
    Counting.looks = 0
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            check(walked, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert Counting.looks < 500
    assert peak < 64 * 1024


@given(data=st.binary(max_size=60))
def test_what_passes_is_no_surprise_to_the_parser(data: bytes) -> None:
    """The walk and protobuf's parser agree on the form."""
    kind = GetMessageClass(described(("a", F.TYPE_UINT64, F.LABEL_OPTIONAL), ("b", F.TYPE_BYTES, F.LABEL_OPTIONAL)))
    walked = plan(kind.DESCRIPTOR, {"test.M": {"b": Bound(60)}})
    try:
        check(walked, data)
    except WireError:
        return
    kind.FromString(data)
