"""What the operator of a validator is told before everything else."""

from dataclasses import replace

import pytest

from alatau.consensus.signing import Silence
from alatau.rpc.warnings import warnings_of
from tests.support.round_view import VIEW


def test_a_healthy_node_warns_of_nothing() -> None:
    """Nor does one that takes no part."""
    assert warnings_of(VIEW) == warnings_of(None) == ()


@pytest.mark.parametrize(
    ("silence", "until", "told"),
    [
        (Silence.NOT_ALLOWED, None, "alatau keys resume-signing --network-height"),
        (Silence.LOG_LOST, 11, "signs again from height 11 on"),
        (Silence.KEY_IN_USE, 26, "stop the other process"),
    ],
)
def test_a_validator_that_does_not_sign_says_why_and_what_to_do(silence: Silence, until: int | None, told: str) -> None:
    """Every reason has its stable word, its cause and what can be decided."""
    (warning,) = warnings_of(replace(VIEW, silence=silence, silent_until=until))
    assert warning.startswith(f"THIS VALIDATOR DOES NOT SIGN ({silence.value}): ")
    assert told in warning


def test_the_gravest_comes_first() -> None:
    """Silence before a clock that is off."""
    silent, clock = warnings_of(replace(VIEW, silence=Silence.LOG_LOST, silent_until=11, clock_offset_ms=-7_000))
    assert "DOES NOT SIGN" in silent
    assert "7.0 s ahead of" in clock


def test_a_validator_outside_the_set_is_told_so() -> None:
    """Also before it has joined consensus; not one that decides, and not an observer."""
    stranger, member = b"s" * 20, VIEW.validators.validators[0].address
    for view in (None, VIEW):
        (warning,) = warnings_of(view, stranger, VIEW.validators)
        assert warning.startswith("THIS VALIDATOR IS NOT IN THE SET: 0x" + stranger.hex())
        assert warnings_of(view, member, VIEW.validators) == warnings_of(view, None, VIEW.validators) == ()
    assert warnings_of(VIEW, stranger, None) == ()
