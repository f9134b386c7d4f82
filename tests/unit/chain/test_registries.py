"""Which registry is in office: a walk through storage that ends, whatever is stored."""

import pytest

from alatau.artifacts.artifact import load
from alatau.chain.registries import HANDOVERS_MAX, SUCCESSOR_SLOT, registries_until_now, registry_in_office

FIRST, SECOND, THIRD = (bytes([number]) * 20 for number in (1, 2, 3))


class Storage(dict[bytes, int]):
    """What each registry holds in the slot of its successor."""

    def storage(self, address: bytes, slot: int) -> int:
        """See ``RegistryState``; every other slot holds something else."""
        return self.get(address, 0) if slot == SUCCESSOR_SLOT else 7


def number(address: bytes) -> int:
    """An address as a word."""
    return int.from_bytes(address, "big")


def test_the_walk_goes_from_one_to_the_next() -> None:
    """From what genesis names to what nobody has succeeded."""
    state = Storage({FIRST: number(SECOND), SECOND: number(THIRD)})
    assert registries_until_now(state, FIRST) == [FIRST, SECOND, THIRD]
    assert registry_in_office(state, FIRST) == THIRD
    assert registry_in_office(Storage(), FIRST) == FIRST


@pytest.mark.parametrize("word", [1 << 160, (1 << 256) - 1])
def test_a_word_that_is_no_address_names_nobody(word: int) -> None:
    """The registry that holds it goes on."""
    assert registry_in_office(Storage({FIRST: word}), FIRST) == FIRST


def test_a_circle_ends() -> None:
    """No registry makes one; should storage hold one, every node comes to the same end."""
    state = Storage({FIRST: number(SECOND), SECOND: number(FIRST)})
    walk = registries_until_now(state, FIRST)
    assert len(walk) == HANDOVERS_MAX + 1
    assert registry_in_office(state, FIRST) == FIRST


@pytest.mark.parametrize("artifact", ["ValidatorRegistry", "ParticipantRegistry"])
def test_the_compiled_layouts_have_it_there(artifact: str) -> None:
    """Vyper places variables in their order; a new one before it would move it."""
    assert load(artifact).layout["storage_layout"]["handover"]["successor"]["slot"] == SUCCESSOR_SLOT
