"""Says in the log, again and again, that this validator does not sign: once is overlooked."""

import math
from typing import Final

import structlog
import trio

from alatau.consensus.signing import Silence
from alatau.consensus.view import RoundView
from alatau.rpc.node import Node
from alatau.rpc.warnings import why_silent

_LOG: Final = structlog.get_logger(__name__)

_LOOK_S: Final = 1.0
_REPEAT_S: Final = 60.0
"""Often enough to be among the last lines of a log that somebody looks at."""


class SigningWatch:
    """What was said last."""

    def __init__(self) -> None:
        self._silence: Silence | None = None
        self._said_at = -math.inf

    def look(self, view: RoundView | None, now_s: float) -> None:
        """Say what is new, or still so after a minute; ``now_s`` is any clock in seconds."""
        silence = None if view is None else view.silence
        if view is None or silence is None:
            if self._silence is not None:
                _LOG.warning("consensus.signs_again", was=self._silence.value)
            self._silence = None
        elif silence is not self._silence or now_s - self._said_at >= _REPEAT_S:
            self._silence, self._said_at = silence, now_s
            _LOG.error("consensus.silent", reason=silence.value, what=why_silent(silence, view.silent_until))


async def watch_signing(node: Node) -> None:
    """Look until cancelled."""
    watch = SigningWatch()
    while True:
        watch.look(node.round_view(), trio.current_time())
        await trio.sleep(_LOOK_S)
