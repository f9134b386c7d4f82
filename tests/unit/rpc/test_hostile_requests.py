"""Whatever a client sends, it gets an answer or an error of the catalogue, and never one that blames the node."""

import random
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from alatau.client.exchange import METHODS
from alatau.rpc.limits import Limits
from alatau.storage.store import StoreOptions
from alatau.transport.errors import RpcError
from alatau.wire.reasons import CATALOGUE
from tests.support.solo_node import RESIDENT, TOKEN, payment, running, solo_node, token_artifacts

UNARY = sorted(name for name, method in METHODS.items() if not method.client_streaming and not method.server_streaming)
REQUESTS = 150
SIZES = (0, 1, 19, 20, 20, 20, 31, 32, 32, 32, 33, 65, 400)
NATURAL_SIZES = {"address": 20, "addresses": 20, "sender": 20, "to": 20, "hash": 32, "slots": 32, "any_of": 32}
INTEGERS = (0, 0, 1, 2, 3, 7, 50, 1_023, 2**31 - 1, 2**32 - 1, 2**63, 2**64 - 1)
EDGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


def hostile(kind: type[Message], rng: random.Random, known: list[bytes]) -> Message:
    """A message with random fields: edge values, wrong sizes, real addresses and hashes, nothing at all."""
    message = kind()
    fill(message, message.DESCRIPTOR, rng, known)
    return message


def fill(message: Any, descriptor: Descriptor, rng: random.Random, known: list[bytes]) -> None:
    """Set each field with some probability."""
    for field in descriptor.fields:
        if rng.random() < 0.35:
            continue
        if field.is_repeated:
            values = [value_of(field, rng, known) for _ in range(rng.choice((0, 1, 2, 5, 70)))]
            getattr(message, field.name).extend(values)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            fill(getattr(message, field.name), field.message_type, rng, known)
        else:
            setattr(message, field.name, value_of(field, rng, known))


def value_of(field: FieldDescriptor, rng: random.Random, known: list[bytes]) -> Any:
    """A random value of a field's type."""
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
            size = NATURAL_SIZES.get(field.name)
            if size is not None and rng.random() < 0.9:
                return rng.choice([value for value in known if len(value) == size])
            return rng.choice(known) if rng.random() < 0.5 else rng.randbytes(rng.choice(SIZES))
        case FieldDescriptor.CPPTYPE_STRING:
            return rng.choice(("", "AAAA", "\x00", "ü" * 400, "x" * 72, "FundCouncil"))
        case FieldDescriptor.CPPTYPE_BOOL:
            return rng.random() < 0.5
        case FieldDescriptor.CPPTYPE_ENUM:
            return rng.choice((0, 1, 2, 5, 6, 99))
        case FieldDescriptor.CPPTYPE_MESSAGE:
            inner = GetMessageClass(field.message_type)()
            fill(inner, field.message_type, rng, known)
            return inner
        case kind:
            low, high = EDGES[kind]
            return min(max(rng.choice(INTEGERS), low), high)


@pytest.mark.trio
@pytest.mark.parametrize("name", UNARY)
async def test_no_request_is_the_fault_of_the_node(tmp_path: Path, name: str) -> None:
    """A few hundred random requests of each method; a failing one is found again by its number."""
    node = solo_node(tmp_path, store_options=StoreOptions(account_index=True))
    async with running(node, limits=Limits(wait_s_max=0.01)) as served, served.connect() as client:
        token = client.contract(token_artifacts()["abi"], TOKEN)
        transfer = token.encode("transfer", RESIDENT.address, 1)
        await client.submit(payment(to=TOKEN, value=0, data=transfer, gas_limit=90_000))
        block = node.commit_block().block
        await client.submit(payment(1))
        known = [TOKEN, RESIDENT.address, block.hash, payment(1).hash, block.transactions[0].hash, transfer]
        known += [payment(2).encoded, b"\x01", bytes(32), bytes(20)]
        answered = 0
        for number in range(REQUESTS):
            request = hostile(METHODS[name].request, random.Random(f"{name} {number}"), known)
            reason = None
            try:
                await client._channel.unary(METHODS[name], request, timeout_s=10)
                answered += 1
            except RpcError as error:
                reason = error.reason
            if reason is not None:
                assert reason in CATALOGUE, f"request {number}: {reason}\n{request}"
            assert reason != "INTERNAL", f"request {number}:\n{request}"
        if name != "SubmitAndWait":
            assert answered > 0
        assert (await client.status()).height == 1
    node.store.close()
