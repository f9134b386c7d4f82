"""The sign state: never back, never twice, never half."""

import errno
import json
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.consensus.records import SignState, SignStep
from alatau.storage.disk import Disk
from alatau.storage.errors import DiskFullError, WriteFailedError
from alatau.storage.sign_state import (
    SignStateDamagedError,
    SignStateFile,
    SignStateRefusalError,
    SignStateStaleError,
)
from tests.support.noting_disk import NotingDisk

DIGEST = bytes(range(32))
SIGNATURE = b"s" * 65


def state(height: int, round_: int = 0, step: SignStep = SignStep.PREVOTE, digest: bytes = DIGEST) -> SignState:
    """A sign state in short."""
    return SignState(height, round_, step, digest)


STATES = st.builds(
    state,
    st.integers(0, 3),
    st.integers(0, 2),
    st.sampled_from(SignStep),
    st.sampled_from([DIGEST, bytes(32)]),
)


def test_what_was_signed_is_remembered(tmp_path: Path) -> None:
    """State and signature survive closing; a missing file means that nothing was signed."""
    path = tmp_path / "sign_state.json"
    file = SignStateFile.open(path)
    assert file.last is None
    file.record(state(5, 1), SIGNATURE)
    again = SignStateFile.open(path)
    assert again.last == state(5, 1)
    assert again.authorize(state(5, 1)) == SIGNATURE
    assert path.stat().st_mode & 0o777 == 0o600


@settings(max_examples=40, deadline=None)
@given(st.lists(STATES, min_size=1, max_size=12))
def test_places_only_grow(tmp_path_factory: pytest.TempPathFactory, wanted: list[SignState]) -> None:
    """Whatever is asked for in whatever order, what is recorded grows, and no place is used for two digests."""
    path = tmp_path_factory.mktemp("s") / "sign_state.json"
    signed: list[SignState] = []
    for one in wanted:
        file = SignStateFile.open(path)
        try:
            file.record(one)
        except SignStateRefusalError:
            assert signed, "the first is never refused"
        else:
            signed.append(one)
        assert file.last == signed[-1]
    places = [(one.height, one.round, one.step) for one in signed]
    assert places == sorted(places)
    assert len({one.digest for one in signed if (one.height, one.round, one.step) == places[-1]}) == 1


def test_the_same_again_gives_the_same_signature(tmp_path: Path) -> None:
    """After a crash between signing and sending, the recorded signature is released, not another one made."""
    file = SignStateFile.open(tmp_path / "s")
    file.record(state(5), SIGNATURE)
    assert file.authorize(state(5)) == SIGNATURE
    assert file.authorize(state(5, 1)) is None
    assert file.authorize(state(5, 0, SignStep.PRECOMMIT)) is None


@pytest.mark.parametrize(
    "wanted",
    [
        state(4, 9),
        state(5, 0, SignStep.PRECOMMIT),
        state(5, 1, SignStep.PROPOSAL),
        state(5, 1, SignStep.PREVOTE, bytes(32)),
    ],
)
def test_going_back_is_refused(tmp_path: Path, wanted: SignState) -> None:
    """A lower height, round or step, or another digest at the same place."""
    file = SignStateFile.open(tmp_path / "s")
    file.record(state(5, 1), SIGNATURE)
    before = file.path.read_bytes()
    with pytest.raises(SignStateRefusalError, match="refusing to sign"):
        file.authorize(wanted)
    with pytest.raises(SignStateRefusalError):
        file.record(wanted, SIGNATURE)
    assert file.path.read_bytes() == before


def test_damage_comes_with_a_remedy(tmp_path: Path) -> None:
    """The error says what an operator has to find out first, and how to go on."""
    (tmp_path / "s").write_bytes(b"")
    with pytest.raises(SignStateDamagedError, match=r"no other process signs .* keys resume-signing"):
        SignStateFile.open(tmp_path / "s")


def test_every_damage_is_noticed(tmp_path: Path) -> None:
    """A changed or missing byte anywhere never passes for another state."""
    path = tmp_path / "s"
    SignStateFile.open(path).record(state(5, 1), SIGNATURE)
    data = path.read_bytes()
    for byte in range(len(data)):
        for damaged in (data[:byte], data[:byte] + bytes((data[byte] ^ 1,)) + data[byte + 1 :]):
            path.write_bytes(damaged)
            try:
                found = SignStateFile.open(path).last
            except SignStateDamagedError:
                continue
            # Only white space was hit.
            assert found == state(5, 1)
            assert len(damaged) >= len(data) - 1


class CrashError(Exception):
    """Stands for the end of the process."""


class Dying(Disk):
    """A disk that fails at the n-th boundary or operation."""

    def __init__(self, countdown: int, error: Exception) -> None:
        self.countdown = countdown
        self.error = error

    def boundary(self, name: str) -> None:
        """See ``Disk``."""
        self.countdown -= 1
        if self.countdown == 0:
            raise self.error


@pytest.mark.parametrize("boundary", range(1, 6))
def test_a_crash_leaves_the_old_state_or_the_new(tmp_path: Path, boundary: int) -> None:
    """At every boundary of the replacement the file is whole, and once recorded it is the new one."""
    path = tmp_path / "s"
    SignStateFile.open(path).record(state(5))
    with pytest.raises(CrashError):
        SignStateFile.open(path, Dying(boundary, CrashError())).record(state(6))
    found = SignStateFile.open(path).last
    assert found == (state(5) if boundary <= 3 else state(6))
    SignStateFile.open(path).record(state(7))
    assert SignStateFile.open(path).last == state(7)


@pytest.mark.parametrize("boundary", range(1, 6))
def test_a_full_disk_never_releases_a_signature(tmp_path: Path, boundary: int) -> None:
    """The error reaches the caller, and what is in memory does not run ahead of the disk."""
    path = tmp_path / "s"
    SignStateFile.open(path).record(state(5))
    file = SignStateFile.open(path, Dying(boundary, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    with pytest.raises(DiskFullError):
        file.record(state(6))
    assert file.last == state(5)
    file.record(state(6))
    assert SignStateFile.open(path).last == state(6)


def test_other_write_errors_say_where(tmp_path: Path) -> None:
    """A folder that is gone is not a full disk."""
    file = SignStateFile.open(tmp_path / "gone" / "s")
    with pytest.raises(WriteFailedError, match="could not be written"):
        file.record(state(1))


def test_an_old_file_is_noticed_by_the_chain(tmp_path: Path) -> None:
    """If a committed block carries a precommit of ours that the file does not know, the file is not the latest."""
    file = SignStateFile.open(tmp_path / "s")
    with pytest.raises(SignStateStaleError, match="is missing or empty"):
        file.check_not_older(1, 0)
    file.record(state(5, 1, SignStep.PRECOMMIT))
    file.check_not_older(5, 1)
    file.check_not_older(4, 7)
    for height, round_ in ((5, 2), (6, 0)):
        with pytest.raises(SignStateStaleError, match="older than the chain"):
            file.check_not_older(height, round_)
    file.record(state(6, 0, SignStep.PREVOTE))
    with pytest.raises(SignStateStaleError):
        file.check_not_older(6, 0)


def test_a_state_is_durable_before_it_counts(tmp_path: Path) -> None:
    """The content is fsynced before the name points to it, and the name before the signature leaves."""
    disk = NotingDisk()
    SignStateFile.open(tmp_path / "sign_state.json", disk).record(state(5), SIGNATURE)
    assert disk.done == ["write", "sync", "replace", "sync folder"]


WRITTEN = (
    b'{\n  "version": 1,\n  "height": 5,\n  "round": 1,\n  "step": "prevote",\n'
    b'  "digest": "0x' + DIGEST.hex().encode() + b'",\n  "signature": "0x' + SIGNATURE.hex().encode() + b'",\n'
    b'  "checksum": CHECKSUM\n}\n'
)


def test_the_file_is_what_other_versions_read_and_write(tmp_path: Path) -> None:
    """Byte for byte; the checksum does not depend on the order of the fields."""
    path = tmp_path / "s"
    SignStateFile.open(path).record(state(5, 1), SIGNATURE)
    fields = json.loads(path.read_text())
    assert path.read_bytes() == WRITTEN.replace(b"CHECKSUM", b"%d" % fields["checksum"])
    path.write_text(json.dumps(dict(reversed(fields.items()))))
    assert SignStateFile.open(path).authorize(state(5, 1)) == SIGNATURE


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"checksum": 1}, "its checksum is wrong"),
        ({"height": 4}, "its checksum is wrong"),
        ({"height": 4, "more": 1}, "it has other fields than it should"),
        ({"version": 2, "checksum": None}, "it has version 2, this program writes 1"),
    ],
)
def test_the_damage_is_named(tmp_path: Path, changes: dict[str, int | None], what: str) -> None:
    """An operator decides by what is wrong."""
    path = tmp_path / "s"
    SignStateFile.open(path).record(state(5, 1), SIGNATURE)
    fields = json.loads(path.read_text()) | changes
    if fields["checksum"] is None:
        rest = {name: value for name, value in fields.items() if name != "checksum"}
        fields["checksum"] = zlib.crc32(json.dumps(rest, sort_keys=True).encode())
    path.write_text(json.dumps(fields))
    with pytest.raises(SignStateDamagedError, match=f"is damaged: {what}"):
        SignStateFile.open(path)


@pytest.mark.parametrize("text", ["7", "{}", json.dumps(sorted(json.loads(WRITTEN.replace(b"CHECKSUM", b"0"))))])
def test_what_is_no_sign_state_has_other_fields(tmp_path: Path, text: str) -> None:
    """A number, nothing, and a list that names all the fields."""
    (tmp_path / "s").write_text(text)
    with pytest.raises(SignStateDamagedError, match="it has other fields than it should"):
        SignStateFile.open(tmp_path / "s")


def test_the_size_of_the_file_is_bounded(tmp_path: Path) -> None:
    """4,096 bytes are read, 4,097 are something else."""
    path = tmp_path / "s"
    SignStateFile.open(path).record(state(5, 1), SIGNATURE)
    path.write_bytes(path.read_bytes().ljust(4_096))
    assert SignStateFile.open(path).last == state(5, 1)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(SignStateDamagedError, match="cannot be read"):
        SignStateFile.open(path)


def test_the_same_again_is_not_written_again(tmp_path: Path) -> None:
    """It is on the disk; another signature of the same is written."""
    disk = NotingDisk()
    file = SignStateFile.open(tmp_path / "s", disk)
    file.record(state(5))
    assert file.authorize(state(5)) is None, "no signature was recorded with it"
    disk.done.clear()
    file.record(state(5))
    assert disk.done == []
    file.record(state(5), SIGNATURE)
    assert disk.done != []
