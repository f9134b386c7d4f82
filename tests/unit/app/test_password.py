from pathlib import Path

import pytest

from alatau.app.password import PasswordError, find_password


def test_the_file_wins_over_the_environment_and_the_prompt(tmp_path: Path) -> None:
    """What is named explicitly is meant."""
    file = tmp_path / "password"
    file.write_text("from file\r\n")
    environment = {"ALATAU_PASSWORD": "from environment"}
    assert find_password(file, environment, lambda: "typed") == "from file"
    assert find_password(None, environment, lambda: "typed") == "from environment"
    assert find_password(None, {}, lambda: "typed") == "typed"


def test_without_any_source_the_error_names_all_three() -> None:
    """A service without a terminal fails with what to set."""
    with pytest.raises(PasswordError, match=r"ALATAU_PASSWORD.*--password-file.*terminal"):
        find_password(None, {}, None)
    with pytest.raises(PasswordError, match="empty"):
        find_password(None, {}, lambda: "")


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"x" * 5000, b"\xff\xfe"])
def test_a_file_that_holds_no_single_line_is_refused(tmp_path: Path, content: bytes) -> None:
    """A wrong file would otherwise become a password that nobody knows."""
    file = tmp_path / "password"
    file.write_bytes(content)
    with pytest.raises(PasswordError, match="password file"):
        find_password(file, {}, None)
    with pytest.raises(PasswordError, match="cannot be read"):
        find_password(tmp_path / "missing", {}, None)
