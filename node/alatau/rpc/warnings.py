"""What the operator of a validator must know at once, in words, with what can be done about it.

Said by ``GetStatus`` and ``GetConsensusState``, and so by ``alatau status`` and ``alatau doctor``; by ``/readyz``; and
by the log. Pure.
"""

from typing import Final

from alatau.consensus.signing import Silence
from alatau.rpc.node import ConsensusView

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


def warnings_of(view: ConsensusView | None) -> tuple[str, ...]:
    """The gravest first; empty where nothing is to be known."""
    if view is None:
        return ()
    found = []
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
