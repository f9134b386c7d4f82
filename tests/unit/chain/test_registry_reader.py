"""Reading the registry from states that no contract of ours would leave: a node survives whatever is stored."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alatau.artifacts import addresses
from alatau.chain.executed import Tip
from alatau.chain.genesis import make_genesis
from alatau.chain.registry_reader import genesis_is_bound, read_observers, read_validators
from alatau.chain.validator_registry import POWER_MAX, RegistryAnswerError
from alatau.crypto.keccak import keccak256
from alatau.state.diff import OverlayState
from alatau.state.parent import ParentState
from alatau.types.account import Account
from alatau.types.genesis import Genesis
from tests.support.small_network import EmptyState


@dataclass(slots=True)
class SpoiledState:
    """A state in which a share of the registry's words is arbitrary, the same at every reading."""

    genuine: ParentState
    seed: bytes
    spoiled_per_256: int
    """How many of 256 words are not as they were written."""
    replaced: int = field(default=0)

    def account(self, address: bytes) -> Account | None:
        """As it is."""
        return self.genuine.account(address)

    def code(self, code_hash: bytes) -> bytes:
        """As it is."""
        return self.genuine.code(code_hash)

    def storage(self, address: bytes, slot: int) -> int:
        """Sometimes another word: any, a small one such as a length, text, or one bit changed."""
        word = self.genuine.storage(address, slot)
        digest = keccak256(self.seed + slot.to_bytes(32, "big"))
        if address != addresses.VALIDATOR_REGISTRY or digest[0] >= self.spoiled_per_256:
            return word
        self.replaced += 1
        match digest[1] % 4:
            case 0:
                return int.from_bytes(keccak256(digest), "big")
            case 1:
                return digest[2] % 130
            case 2:
                return int.from_bytes(b"\xff\xfe:70" + digest[:27], "big")
            case _:
                return word ^ 1 << digest[2]


@pytest.fixture(scope="module")
def tip(devnet_genesis: Genesis) -> Tip:
    """Genesis of a network with the real registry."""
    made = make_genesis(devnet_genesis)
    block = made.block
    return Tip(block.header, block.hash, OverlayState(EmptyState(), made.diff), made.trie.trie, lambda _: block.hash)


# The EVM raises the limit for deep calls and leaves it raised, which Hypothesis notes.
@pytest.mark.filterwarnings("ignore:The recursion limit will not be reset")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.binary(min_size=8, max_size=8), spoiled=st.sampled_from((4, 16, 64, 256)))
def test_any_storage_is_read_or_refused(tip: Tip, devnet_genesis: Genesis, seed: bytes, spoiled: int) -> None:
    """A set that can decide, or ``RegistryAnswerError``, which the node outlives; nothing else, whatever is stored."""
    state = SpoiledState(tip.state, seed, spoiled)
    strange = replace(tip, state=state)
    for read in (read_validators, read_observers, genesis_is_bound):
        try:
            found = read(strange, devnet_genesis.config)
        except RegistryAnswerError:
            continue
        if read is read_validators:
            assert all(0 < v.power <= POWER_MAX for v in found.validators)
            for text in (t for v in found.validators for t in (v.name, v.endpoint)):
                assert text.encode().decode() == text
                assert text.isprintable()
    if spoiled == 256:
        assert state.replaced, "the reader read no word of the registry"
