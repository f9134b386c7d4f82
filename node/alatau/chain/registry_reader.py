"""Asking the ValidatorRegistry contract who decides: a read-only call on the state that a block left."""

from alatau.chain.executed import Tip
from alatau.chain.execution import block_environment
from alatau.chain.registries import registry_in_office
from alatau.chain.system import system_call
from alatau.chain.validator_registry import (
    GENESIS_HASH_CALL,
    OBSERVERS_CALL,
    VALIDATORS_CALL,
    Observer,
    RegistryAnswerError,
    answers_call,
    decode_observers,
    decode_validators,
)
from alatau.state.block_state import BlockState
from alatau.types.chain_config import ChainConfig
from alatau.types.validator import ValidatorSet


def read_validators(tip: Tip, config: ChainConfig) -> ValidatorSet:
    """The validators registered in the state of ``tip``.

    Raises:
        RegistryAnswerError: there is no registry at the configured address, or it answers nonsense.
    """
    return decode_validators(_ask(tip, config, VALIDATORS_CALL))


def read_observers(tip: Tip, config: ChainConfig) -> tuple[Observer, ...]:
    """The observers registered in the state of ``tip``; raises as ``read_validators``."""
    return decode_observers(_ask(tip, config, OBSERVERS_CALL))


def _ask(tip: Tip, config: ChainConfig, data: bytes) -> bytes:
    registry = config.system.validator_registry
    assert registry is not None, "asked only where the network has a registry"
    registry = registry_in_office(tip.state, registry)
    environment = block_environment(config, tip.header, tip.block_hash)
    # The state is thrown away afterwards, so that even a contract that writes would change nothing.
    outcome = system_call(environment, BlockState(tip.state), registry, data)
    if outcome is None or not outcome.succeeded:
        raise RegistryAnswerError(f"no validator registry answers at 0x{registry.hex()}")
    return outcome.output


def genesis_is_bound(tip: Tip, config: ChainConfig) -> bool:
    """Whether the registry knows the genesis hash, without which it cannot check evidence; raises as above."""
    return any(_ask(tip, config, GENESIS_HASH_CALL))


def key_answers(tip: Tip, config: ChainConfig, voting_key: bytes) -> bool:
    """Whether the registry still hears evidence against a voting key, given by its address; raises as above.

    It does while a validator has the key and for 21 days after, until its equivocation has been reported.
    """
    return any(_ask(tip, config, answers_call(voting_key)))
