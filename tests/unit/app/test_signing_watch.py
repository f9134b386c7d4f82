"""The log of a validator that does not sign."""

from dataclasses import replace

from structlog.testing import capture_logs

from alatau.app.signing_watch import SigningWatch
from alatau.consensus.signing import Silence
from tests.support.round_view import VIEW


def test_silence_is_said_at_once_and_every_minute_until_it_ends() -> None:
    """A change of reason is news as well; a node that signs says nothing."""
    watch, lost = SigningWatch(), replace(VIEW, silence=Silence.LOG_LOST, silent_until=11)
    with capture_logs() as said:
        for second in range(5):
            watch.look(VIEW, second)
        assert said == []
        for second in range(5, 130):
            watch.look(lost, second)
        assert [entry["reason"] for entry in said] == ["consensus_log_lost"] * 3
        assert {entry["log_level"] for entry in said} == {"error"}
        watch.look(replace(VIEW, silence=Silence.KEY_IN_USE, silent_until=30), 130)
        assert said[-1]["reason"] == "key_in_use_elsewhere"
        watch.look(VIEW, 131)
        watch.look(VIEW, 132)
    assert [entry["event"] for entry in said[-2:]] == ["consensus.silent", "consensus.signs_again"]
