"""What the operator of a validator must know at once, in words, with what can be done about it.

Said by ``GetStatus`` and ``GetConsensusState``, and so by ``alatau status`` and ``alatau doctor``; by ``/readyz``; and
by the log. Pure.
"""

from typing import Final

from alatau.consensus.signing import Silence
from alatau.consensus.view import RoundView
from alatau.types.validator import ValidatorSet

_WHY: Final = {
    Silence.NOT_ALLOWED: (
        "its sign state is missing or older than its chain, so it may have signed other things than it remembers"
    ),
    Silence.LOG_LOST: "what it signed at this height is not in its consensus log, so it may be locked without knowing",
    Silence.KEY_IN_USE: (
        "a signature of its key came that this node did not make: another process signs with the key, or this home is"
        " an older copy of the validator's"
    ),
}
_DO: Final = {
    Silence.NOT_ALLOWED: (
        "Make sure that no other process signs with this key, stop the node, look up the network's height with alatau"
        " status at another validator, then: alatau keys resume-signing --network-height HEIGHT"
    ),
    Silence.LOG_LOST: "Look at the disk",
    Silence.KEY_IN_USE: "Find and stop the other process, then restart this node",
}


def warnings_of(
    view: RoundView | None, validator: bytes | None = None, deciding: ValidatorSet | None = None
) -> tuple[str, ...]:
    """The gravest first; empty where nothing is to be known.

    Args:
        view: the round; None before the node joined consensus.
        validator: address of the node's voting key; None for an observer.
        deciding: the set that decides the next height, as far as this node knows.
    """
    found = []
    if validator is not None and deciding is not None and validator not in deciding.by_address:
        found.append(
            f"THIS VALIDATOR IS NOT IN THE SET: 0x{validator.hex()} was removed, suspended or given another key, or is"
            " not admitted yet. It signs nothing, and peers turn away a TLS key that the registry does not list. Ask"
            " the council; alatau validator list at another node shows who is registered."
        )
    if view is None:
        return tuple(found)
    if view.silence is not None:
        found.append(why_silent(view.silence, view.silent_until))
    if view.clock_offset_ms is not None:
        side = "behind" if view.clock_offset_ms > 0 else "ahead of"
        found.append(
            f"THE CLOCK is {abs(view.clock_offset_ms) / 1_000:.1f} s {side} the other validators': they refuse this"
            " node's blocks, and it refuses theirs. Set the clock and keep it by NTP."
        )
    return tuple(found)


def why_silent(silence: Silence, until: int | None) -> str:
    """Why a validator does not sign, and what its operator can decide."""
    end = "" if until is None else f" By itself it signs again from height {until} on."
    return f"THIS VALIDATOR DOES NOT SIGN ({silence.value}): {_WHY[silence]}. {_DO[silence]}.{end}"
