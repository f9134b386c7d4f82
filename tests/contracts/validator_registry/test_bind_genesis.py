"""ValidatorRegistry.bind_genesis: how the contract learns what votes are bound to."""

import boa
import pytest

from tests.contracts.validator_registry.changes import Action, approved, carry_out, subject_of
from tests.contracts.validator_registry.evidence import GENESIS_HASH, HISTORY, HISTORY_CODE, bind
from tests.contracts.world import World, wait


def at_height(height: int) -> None:
    """Put the test chain at a height."""
    boa.env.evm.patch.block_number = height


def test_early_blocks_use_blockhash(world: World) -> None:
    """Up to height 256 the EVM itself knows block 0; anyone may call."""
    at_height(3)
    boa.env.evm.patch.prev_hashes = [b"\x02" * 32, b"\x01" * 32, GENESIS_HASH]
    world.validators.bind_genesis()
    assert world.validators.genesis_hash() == GENESIS_HASH


def test_later_blocks_ask_the_history_contract(world: World) -> None:
    """Up to height 8,191 the contract of EIP-2935 knows it."""
    bind(world)
    assert world.validators.genesis_hash() == GENESIS_HASH


@pytest.mark.parametrize("height", [0, 8_192])
def test_hash_out_of_reach_is_refused(world: World, height: int) -> None:
    """Genesis itself has no hash yet, and history ends."""
    boa.env.set_code(HISTORY, HISTORY_CODE)
    at_height(height)
    with boa.reverts("genesis: hash out of reach"):
        world.validators.bind_genesis()


def test_missing_history_contract_is_reported(world: World) -> None:
    """A network without EIP-2935 binds early or by the council."""
    at_height(300)
    with boa.reverts("genesis: hash out of reach"):
        world.validators.bind_genesis()


def test_it_is_bound_once(world: World) -> None:
    """Neither a caller nor the council binds it again."""
    identity = approved(world, Action.BIND_GENESIS, subject_of(tls_key_hash=b"\x99" * 32))
    bind(world)
    with boa.reverts("genesis: bound already"):
        world.validators.bind_genesis()
    with boa.reverts("genesis: bound already"):
        world.validators.execute_change(identity)


def test_council_binds_it_when_history_is_gone(world: World) -> None:
    """A network that forgot is not without evidence for ever."""
    wait(blocks=10_000)
    carry_out(world, Action.BIND_GENESIS, subject_of(tls_key_hash=GENESIS_HASH))
    assert world.validators.genesis_hash() == GENESIS_HASH
