"""What the voting key signed last, in a file of its own: the node's memory against signing twice.

It lies outside the database and is never part of a backup: restoring an older database loses blocks, which
peers have; restoring an older sign state would let the node contradict itself, which is equivocation.

Each signature is preceded by :meth:`SignStateFile.record`: the new state is written beside the file, fsynced, put
in its place, and the folder fsynced. A crash leaves the state before or the one after, whole. The file is JSON
for people's eyes, with a checksum over what it says.
"""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alatau.codec.json_text import parse_json
from alatau.consensus.records import SignState, SignStep
from alatau.storage.disk import FULL, Disk, atomic_write
from alatau.storage.errors import DiskFullError, SignStateError, WriteFailedError

_VERSION: Final = 1
_FIELDS: Final = {"version", "height", "round", "step", "digest", "signature", "checksum"}
_SIZE_MAX: Final = 4096
"""Bytes; what is written has about 400."""
_REMEDY: Final = (
    "Make sure that no other process signs with this key, stop the node, look up the network's height with alatau"
    " status at another validator, and run: alatau keys resume-signing --network-height HEIGHT"
)


class SignStateDamagedError(SignStateError):
    """The file is not what was written. The validator must not sign until an operator has looked."""

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        super().__init__(f"the sign state {path} is damaged: {what}. {_REMEDY}")


class SignStateRefusalError(SignStateError):
    """The key has signed something later, or something else, already. Ours: never release the signature."""

    def __init__(self, last: SignState, wanted: SignState) -> None:
        self.last = last
        self.wanted = wanted
        super().__init__(
            f"refusing to sign {describe(wanted)}: the last signature was {describe(last)}. Another process signs with"
            " this key, or the state of this node was set back"
        )


class SignStateStaleError(SignStateError):
    """The chain holds a signature of this validator that the file does not know: an old file was restored."""

    def __init__(self, path: Path, last: SignState | None, signed_height: int, signed_round: int) -> None:
        self.path = path
        known = "is missing or empty" if last is None else f"ends at {describe(last)}"
        super().__init__(
            f"the sign state {path} {known}, but the chain has a precommit of this validator at height {signed_height},"
            f" round {signed_round}: it is older than the chain. {_REMEDY}"
        )


@dataclass(frozen=True, slots=True)
class Signed:
    """The last thing signed, with its signature where it was recorded."""

    state: SignState
    signature: bytes = b""
    """65 bytes, or none."""


class SignStateFile:
    """The file. Make one with :meth:`open`."""

    __slots__ = ("_disk", "_last", "path")

    def __init__(self, path: Path, last: Signed | None, disk: Disk) -> None:
        self.path = path
        self._last = last
        self._disk = disk

    @classmethod
    def open(cls, path: Path, disk: Disk | None = None) -> "SignStateFile":
        """Read the file; one that is not there means that nothing was signed yet.

        Raises:
            SignStateDamagedError: it is torn or was changed.
        """
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return cls(path, None, Disk() if disk is None else disk)
        except OSError as error:
            raise SignStateDamagedError(path, f"it cannot be read ({error.strerror})") from error
        return cls(path, _decode(path, data), Disk() if disk is None else disk)

    @property
    def last(self) -> SignState | None:
        """What was signed last; None if nothing ever was."""
        return None if self._last is None else self._last.state

    def authorize(self, wanted: SignState) -> bytes | None:
        """Check that ``wanted`` may be signed now.

        Gives the recorded signature where the very same was signed last, so that a restart repeats it, and None
        where it is to be signed afresh.

        Raises:
            SignStateRefusalError: something later was signed, or something else at the same step.
        """
        if self._last is None:
            return None
        last = self._last.state
        if _place(wanted) > _place(last):
            return None
        if wanted == last:
            return self._last.signature or None
        raise SignStateRefusalError(last, wanted)

    def record(self, state: SignState, signature: bytes = b"") -> None:
        """Make ``state`` durable, before the signature is released.

        Raises:
            SignStateRefusalError: see :meth:`authorize`.
            DiskFullError, WriteFailedError: the disk refused. Do not release the signature; stop the node.
        """
        self.authorize(state)
        signed = Signed(state, signature)
        if signed == self._last:
            return
        try:
            atomic_write(self._disk, self.path, _encode(signed))
        except OSError as error:
            if error.errno in FULL:
                raise DiskFullError(self.path, str(error)) from error
            raise WriteFailedError(f"{self.path} could not be written: {error.strerror}. Look at the disk") from error
        self._last = signed

    def check_not_older(self, signed_height: int, signed_round: int) -> None:
        """Compare with the chain: the latest committed block that carries this validator's precommit.

        Raises:
            SignStateStaleError: the file does not know of that signature.
        """
        last = self.last
        known = (-1, -1, 0) if last is None else _place(last)
        if known < (signed_height, signed_round, SignStep.PRECOMMIT):
            raise SignStateStaleError(self.path, last, signed_height, signed_round)


def describe(state: SignState) -> str:
    """A state in words."""
    step = state.step.name.lower()
    return f"a {step} at height {state.height}, round {state.round} (digest 0x{state.digest.hex()})"


def _place(state: SignState) -> tuple[int, int, int]:
    return state.height, state.round, state.step


def _encode(signed: Signed) -> bytes:
    state = signed.state
    fields: dict[str, int | str] = {
        "version": _VERSION,
        "height": state.height,
        "round": state.round,
        "step": state.step.name.lower(),
        "digest": "0x" + state.digest.hex(),
        "signature": "0x" + signed.signature.hex(),
    }
    fields["checksum"] = _checksum(fields)
    return (json.dumps(fields, indent=2) + "\n").encode()


def _decode(path: Path, data: bytes) -> Signed:
    try:
        fields = parse_json(data, _SIZE_MAX)
        if not isinstance(fields, dict) or set(fields) != _FIELDS:
            raise SignStateDamagedError(path, "it has other fields than it should")
        if fields["checksum"] != _checksum({name: fields[name] for name in fields if name != "checksum"}):
            raise SignStateDamagedError(path, "its checksum is wrong")
        if fields["version"] != _VERSION:
            raise SignStateDamagedError(path, f"it has version {fields['version']}, this program writes {_VERSION}")
        state = SignState(
            fields["height"],
            fields["round"],
            SignStep[fields["step"].upper()],
            bytes.fromhex(fields["digest"][2:]),
        )
        return Signed(state, bytes.fromhex(fields["signature"][2:]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SignStateDamagedError(path, f"it cannot be read ({error})") from error


def _checksum(fields: dict[str, int | str]) -> int:
    return zlib.crc32(json.dumps(fields, sort_keys=True).encode())
