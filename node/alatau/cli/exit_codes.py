"""Exit codes that scripts may rely on, and which error gives which."""

from enum import IntEnum
from typing import Final

from alatau.app.ceremony import CeremonyError
from alatau.app.config_file import ConfigError
from alatau.app.home import HomeError, HomeInUseError
from alatau.app.json_field import DocumentError
from alatau.app.keystore import KeystoreError, WrongPasswordError
from alatau.app.observability_server import ListenError
from alatau.app.password import PasswordError
from alatau.artifacts.compiler import CompilationError
from alatau.transport.certificates import CertificateError


class ExitCode(IntEnum):
    """What the process tells its caller."""

    OK = 0
    FAILED = 1
    """It was understood and tried, and did not succeed."""
    USAGE = 2
    """The command line is wrong."""
    CONFIGURATION = 3
    """A file that the operator wrote is wrong: configuration, genesis, plan, contribution, source."""
    IN_USE = 4
    """Another process holds the home or the port."""
    UNREACHABLE = 5
    """No node answers."""
    PASSWORD = 6
    """Missing or wrong."""
    INTERRUPTED = 130


KNOWN_ERRORS: Final[tuple[tuple[type[BaseException], ExitCode], ...]] = (
    (ConfigError, ExitCode.CONFIGURATION),
    (DocumentError, ExitCode.CONFIGURATION),
    (CeremonyError, ExitCode.CONFIGURATION),
    (CompilationError, ExitCode.CONFIGURATION),
    (HomeInUseError, ExitCode.IN_USE),
    (ListenError, ExitCode.IN_USE),
    (HomeError, ExitCode.CONFIGURATION),
    (KeystoreError, ExitCode.CONFIGURATION),
    (CertificateError, ExitCode.CONFIGURATION),
    (WrongPasswordError, ExitCode.PASSWORD),
    (PasswordError, ExitCode.PASSWORD),
    (OSError, ExitCode.FAILED),
)
"""Errors whose message is all that a person needs; anything else is a defect and shows its traceback."""


def exit_code_of(error: BaseException) -> ExitCode | None:
    """The code of a known error, else None."""
    return next((code for kind, code in KNOWN_ERRORS if isinstance(error, kind)), None)
