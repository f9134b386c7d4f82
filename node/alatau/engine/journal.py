"""Where consensus writes down what must survive: the log and the sign state, in that order.

``append`` works in memory; everything else waits for the disk and is run by the engine's disk thread, one at a time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from alatau.consensus.records import Record, SignState, decode_record, encode_record
from alatau.storage.disk import Disk
from alatau.storage.sign_state import SignStateFile
from alatau.storage.wal import WriteAheadLog


@dataclass(slots=True)
class Journal:
    """The write-ahead log and the sign-state file of one validator (an observer's stay empty)."""

    wal: WriteAheadLog
    sign_state: SignStateFile

    def append(self, record: Record) -> None:
        """Add a record, durable with the next sign state."""
        self.wal.append(record.height, encode_record(record))

    @property
    def is_crowded(self) -> bool:
        """Whether :meth:`write` is due."""
        return self.wal.is_crowded

    def write(self) -> None:
        """Hand what was appended to the system, which bounds what waits in memory."""
        self.wal.write()

    def record_sign_state(self, state: SignState) -> None:
        """Make the log durable, then the sign state: only after this may the signature leave.

        Raises:
            SignStateRefusalError: the file holds a later state; another process signs with this key.
        """
        self.wal.flush()
        self.sign_state.record(state)

    def rewrite(self, records: Iterable[Record]) -> None:
        """Replace the log by these records, durably: a long height made it far longer than a restart needs."""
        self.wal.rewrite((record.height, encode_record(record)) for record in records)

    def reset(self) -> None:
        """Begin the log anew for the next height."""
        self.wal.reset()

    def close(self) -> None:
        """Let go of the files."""
        self.wal.close()


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a restart finds."""

    records: tuple[Record, ...]
    torn_bytes: int
    """Size of the log's torn tail, which was never relied upon and is cut off; 0 usually."""


def open_journal(wal_folder: Path, sign_state_file: Path, disk: Disk | None = None) -> tuple[Journal, Recovered]:
    """Open both files.

    Raises:
        CorruptionError: the log is damaged in its midst.
        SignStateDamagedError: the sign state is not what was written.
        RecordError: the log was written by another program.
    """
    sign_state = SignStateFile.open(sign_state_file, disk)
    wal, report = WriteAheadLog.open(wal_folder, disk)
    try:
        records = tuple(decode_record(record.payload) for record in report.records)
    except BaseException:
        wal.close()
        raise
    return Journal(wal, sign_state), Recovered(records, report.torn_bytes)
