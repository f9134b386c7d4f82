"""What definitions say of the fields of requests, by ``google.api.field_behavior`` (AIP-203)."""

from collections.abc import Iterator
from typing import TypeVar

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


def behavior(field: FieldDescriptor) -> set[str]:
    """REQUIRED, OPTIONAL, OUTPUT_ONLY ...: what the option says of a field."""
    values = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return {field_behavior_pb2.FieldBehavior.Name(value) for value in values}


def required(message: Descriptor) -> set[str]:
    """Names of the fields that are REQUIRED."""
    return {field.name for field in message.fields if "REQUIRED" in behavior(field)}


def is_choice(field: FieldDescriptor) -> bool:
    """Whether a field is one of a oneof (that of a field which is ``optional`` is not meant)."""
    oneof = field.containing_oneof
    return oneof is not None and not (len(oneof.fields) == 1 and oneof.name == f"_{field.name}")


def all_messages(message: Descriptor) -> dict[str, Descriptor]:
    """A message and all within it, by full name."""
    found: dict[str, Descriptor] = {}
    rest = [message]
    while rest:
        one = rest.pop()
        if one.full_name not in found:
            found[one.full_name] = one
            rest += [field.message_type for field in one.fields if field.message_type is not None]
    return found


def without_each(message: M) -> Iterator[tuple[FieldDescriptor, M]]:
    """Each field that is set, at all depths, with the message as it is without. One of a oneof stays."""
    for field, value in message.ListFields():
        if not is_choice(field):
            copy = _copy(message)
            copy.ClearField(field.name)
            yield field, copy
        if field.message_type is None:
            continue
        for deeper, changed in without_each(value[0] if field.is_repeated else value):
            copy = _copy(message)
            target = getattr(copy, field.name)
            (target[0] if field.is_repeated else target).CopyFrom(changed)
            yield deeper, copy


def _copy(message: M) -> M:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
