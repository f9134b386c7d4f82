"""The log and the sign state together."""

from pathlib import Path

import pytest

from alatau.consensus.records import OwnVoteRecord, SignState, SignStep
from alatau.engine.journal import open_journal
from alatau.storage.sign_state import SignStateRefusalError
from alatau.types.vote import Vote, VoteKind

VOTE = Vote(VoteKind.PREVOTE, 5, 0, b"\x01" * 32, b"\x02" * 20, b"\x03" * 65)
RECORD = OwnVoteRecord(VOTE, -1, None, -1, None)


def test_what_was_flushed_is_found_again(tmp_path: Path) -> None:
    """Records and sign state come back after a restart."""
    journal, found = open_journal(tmp_path / "wal", tmp_path / "sign.json")
    assert found.records == ()
    journal.append(RECORD)
    state = SignState(5, 0, SignStep.PREVOTE, b"\x04" * 32)
    journal.record_sign_state(state)
    journal.close()
    again, found = open_journal(tmp_path / "wal", tmp_path / "sign.json")
    assert found.records == (RECORD,)
    assert again.sign_state.last == state
    again.close()


def test_recording_the_sign_state_makes_the_log_durable_first(tmp_path: Path) -> None:
    """No signature is on record whose vote the log does not hold (Malachite 850)."""
    journal, _ = open_journal(tmp_path / "wal", tmp_path / "sign.json")
    journal.append(RECORD)
    journal.record_sign_state(SignState(5, 0, SignStep.PREVOTE, b"\x04" * 32))
    other, found = open_journal(tmp_path / "wal", tmp_path / "sign.json")  # As after kill -9: nothing was closed.
    assert found.records == (RECORD,)
    other.close()
    journal.close()


def test_a_reset_forgets_the_height_but_not_what_was_signed(tmp_path: Path) -> None:
    """After a commit the log is empty; the sign state still refuses an older vote."""
    journal, _ = open_journal(tmp_path / "wal", tmp_path / "sign.json")
    journal.append(RECORD)
    journal.record_sign_state(SignState(5, 0, SignStep.PREVOTE, b"\x04" * 32))
    journal.reset()
    journal.close()
    again, found = open_journal(tmp_path / "wal", tmp_path / "sign.json")
    assert found.records == ()
    with pytest.raises(SignStateRefusalError):
        again.record_sign_state(SignState(4, 9, SignStep.PRECOMMIT, b"\x05" * 32))
    again.close()
