from importlib import import_module

import pytest

from alatau.app.home import HomeInUseError
from alatau.cli.exit_codes import KNOWN_ERRORS, ExitCode, exit_code_of, leaves
from alatau.storage.errors import CorruptionError, DiskFullError
from alatau.transport.errors import Code, RpcError


@pytest.mark.parametrize("name", KNOWN_ERRORS)
def test_every_name_is_an_error(name: str) -> None:
    """A class that was renamed would silently show tracebacks to operators."""
    module, _, attribute = name.rpartition(".")
    assert issubclass(getattr(import_module(module), attribute), Exception)


def test_the_nearest_class_decides(tmp_path: object) -> None:
    """Corruption is a storage error with a code of its own; a full disk has the general one."""
    assert exit_code_of(CorruptionError("data", "a table", "Restore.")) is ExitCode.DAMAGED
    assert exit_code_of(DiskFullError(tmp_path, "writing")) is ExitCode.FAILED  # type: ignore[arg-type]
    assert exit_code_of(HomeInUseError(tmp_path, 7)) is ExitCode.IN_USE  # type: ignore[arg-type]
    assert exit_code_of(FileNotFoundError("x")) is ExitCode.FAILED
    assert exit_code_of(ZeroDivisionError()) is None


def test_a_node_that_does_not_answer_is_told_from_one_that_refuses() -> None:
    """Scripts retry the first and not the second."""
    assert exit_code_of(RpcError(Code.UNAVAILABLE, "m", reason="UNAVAILABLE")) is ExitCode.UNREACHABLE
    assert exit_code_of(RpcError(Code.INVALID_ARGUMENT, "m", reason="NONCE_TOO_LOW")) is ExitCode.FAILED


def test_groups_are_taken_apart() -> None:
    """Whatever their depth."""
    inner, outer = KeyError(1), OSError(2)
    group = ExceptionGroup("a", [ExceptionGroup("b", [inner]), outer])
    assert list(leaves(group)) == [inner, outer]
    assert list(leaves(inner)) == [inner]
