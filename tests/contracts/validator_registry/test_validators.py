"""ValidatorRegistry.validators, observers and the slot that the node watches."""

import boa

from alatau.artifacts import addresses
from alatau.chain.validator_registry import (
    OBSERVERS_CALL,
    SET_VERSION_SLOT,
    VALIDATORS_CALL,
    decode_observers,
    decode_validators,
)
from tests.contracts.validator_registry.changes import Action, carry_out, subject_of
from tests.contracts.world import MINISTRIES, World, operators, voters


def answer(call: bytes) -> bytes:
    """What the registry answers to the node's own call data."""
    return boa.env.execute_code(to_address="0x" + addresses.VALIDATOR_REGISTRY.hex(), data=call).output


def test_node_reads_the_genesis_set(world: World) -> None:
    """The node's call and decoder fit the contract."""
    found = decode_validators(answer(VALIDATORS_CALL))
    assert found.total_power == 400
    assert {v.address for v in found.validators} == {v.raw for v in voters}
    assert {v.name for v in found.validators} == set(MINISTRIES)
    assert {v.endpoint for v in found.validators} == {f"{name.lower()}.example:7001" for name in MINISTRIES}
    assert [o.name for o in decode_observers(answer(OBSERVERS_CALL))] == ["Audit chamber"]


def test_every_change_moves_the_watched_slot(world: World) -> None:
    """The node re-reads the set if and only if slot 0 grew."""
    before = boa.env.get_storage("0x" + addresses.VALIDATOR_REGISTRY.hex(), SET_VERSION_SLOT)
    assert before == world.validators.set_version() > 0
    carry_out(world, Action.REMOVE, subject_of(operators[3].address))
    after = boa.env.get_storage("0x" + addresses.VALIDATOR_REGISTRY.hex(), SET_VERSION_SLOT)
    assert after == before + 1
    assert len(decode_validators(answer(VALIDATORS_CALL)).validators) == 3
