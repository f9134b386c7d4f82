"""Which registry is in office: the one that genesis names, or whoever it and its successors have handed over to.

The contracts' side is ``contracts/lib/handover.vy``. A handover takes effect in the transaction that carries it out:
the next sender is looked up in the new ParticipantRegistry, and a set that the new ValidatorRegistry changes decides
from two blocks on, as ever.
"""

from typing import Final, Protocol

SUCCESSOR_SLOT: Final = 1
"""Slot of ``successor`` in both registries; frozen by a test of the compiled layouts."""

HANDOVERS_MAX: Final = 64
"""One hop each; a network that changes a registry every year has as many years. A registry refuses a successor that
has handed over itself, so that there is no circle; should storage hold one, every node ends the walk alike."""

_ADDRESS_MAX: Final = (1 << 160) - 1


class RegistryState(Protocol):
    """A state as far as it is read here."""

    def storage(self, address: bytes, slot: int) -> int:
        """The word at a slot; 0 where nothing was written."""


def registry_in_office(state: RegistryState, first: bytes) -> bytes:
    """The address of the registry that decides in ``state``, on a network whose genesis names ``first``."""
    return registries_until_now(state, first)[-1]


def registries_until_now(state: RegistryState, first: bytes) -> list[bytes]:
    """The addresses of all that were in office, oldest first: ``first`` and what each handed over to."""
    found = [first]
    while len(found) <= HANDOVERS_MAX:
        successor = state.storage(found[-1], SUCCESSOR_SLOT)
        # No address that the contract could have written: the registry itself decides on.
        if not 0 < successor <= _ADDRESS_MAX:
            break
        found.append(successor.to_bytes(20, "big"))
    return found
