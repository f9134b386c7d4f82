"""Where the password of a keystore comes from: a file, the environment, a prompt, in this order."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

VARIABLE: Final = "ALATAU_PASSWORD"
_FILE_SIZE_MAX: Final = 4096


class PasswordError(ValueError):
    """No usable password was given. The message says how to give one."""


def find_password(file: Path | None, environment: Mapping[str, str], prompt: Callable[[], str] | None) -> str:
    """The password from ``file`` if one is named, else the environment, else by asking if someone can be asked.

    Raises:
        PasswordError: there is none, it is empty, or its file cannot be read.
    """
    if file is not None:
        return _read(file)
    if password := environment.get(VARIABLE):
        return _checked(password, VARIABLE)
    if prompt is None:
        raise PasswordError(f"no password: set {VARIABLE}, name a file with --password-file, or run on a terminal")
    if not (password := prompt()):
        raise PasswordError("the password is empty")
    return _checked(password, "the password")


def _checked(password: str, what: str) -> str:
    try:
        password.encode()
    except UnicodeEncodeError as error:
        raise PasswordError(f"{what} is not UTF-8") from error
    return password


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(_FILE_SIZE_MAX + 1)
    except OSError as error:
        raise PasswordError(f"the password file {file} cannot be read: {error.strerror}") from error
    try:
        password = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise PasswordError(f"the password file {file} is not UTF-8") from error
    if not password or "\n" in password or len(data) > _FILE_SIZE_MAX:
        raise PasswordError(f"the password file {file} must hold one line")
    return password
