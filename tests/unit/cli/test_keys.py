from pathlib import Path

from alatau.transport.certificates import public_key_of
from tests.unit.cli.command_line import Alatau

SECRET = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
ADDRESS = "0x2c7536e3605d9c16a7a3d7b1898e529396a65c23"


def test_a_key_goes_in_and_comes_out(alatau: Alatau, tmp_path: Path, password_file: Path) -> None:
    """Imported from a file, shown, checked, exported."""
    secret, file = tmp_path / "secret", tmp_path / "k.json"
    secret.write_text(f"0x{SECRET}\n")
    made = alatau("keys", "import", file, "--from-file", secret, "--weak", "--password-file", password_file, "--json")
    assert (made.code, made.json()["address"]) == (0, ADDRESS)
    assert alatau("keys", "show", file, "--json").json() == {"address": ADDRESS}
    checked = alatau("keys", "show", file, "--check", "--password-file", password_file, "--json")
    assert checked.json()["opens"] is True
    exported = alatau("keys", "export", file, "--yes", "--password-file", password_file)
    assert exported.out.strip() == "0x" + SECRET


def test_a_wrong_password_and_a_wrong_secret_are_told_apart(
    alatau: Alatau, tmp_path: Path, password_file: Path
) -> None:
    """Codes 6 and 3."""
    file, other = tmp_path / "k.json", tmp_path / "other"
    assert alatau("keys", "new", file, "--weak", "--password-file", password_file).code == 0
    other.write_text("wrong\n")
    assert alatau("keys", "show", file, "--check", "--password-file", other).code == 6
    outcome = alatau("keys", "import", tmp_path / "x.json", "--from-file", other, "--password-file", password_file)
    assert outcome.code == 3
    assert "no secp256k1 secret" in outcome.err
    assert not (tmp_path / "x.json").exists()


def test_a_key_file_is_not_overwritten(alatau: Alatau, tmp_path: Path, password_file: Path) -> None:
    """Twice the same command makes one key."""
    file = tmp_path / "k.json"
    alatau("keys", "new", file, "--weak", "--password-file", password_file)
    content = file.read_bytes()
    outcome = alatau("keys", "new", file, "--weak", "--password-file", password_file)
    assert outcome.code == 1
    assert "exists already" in outcome.err
    assert file.read_bytes() == content


def test_a_rotated_certificate_is_on_the_same_key(alatau: Alatau, tmp_path: Path) -> None:
    """So nobody has to be told."""
    home = tmp_path / "home"
    made = alatau("--home", home, "init", "--name", "A", "--observer", "--json").json()
    before = (home / "keys/tls.crt").read_bytes()
    rotated = alatau("--home", home, "keys", "rotate", "--host", "node.example", "--json").json()
    after = (home / "keys/tls.crt").read_bytes()
    assert rotated["tls_key_hash"] == made["tls_key_hash"]
    assert after != before
    assert public_key_of(after) == public_key_of(before)
    (row,) = alatau("--home", home, "keys", "list", "--json").json()
    assert (row["key"], row["address_or_hash"]) == ("tls", made["tls_key_hash"])


def test_a_validator_signs_again_only_after_its_operator_has_agreed(
    alatau: Alatau, tmp_path: Path, password_file: Path
) -> None:
    """The danger is explained and asked about; a no writes nothing, a yes a sign state above the network's height."""
    home = tmp_path / "home"
    assert alatau("--home", home, "init", "--name", "Finance", "--password-file", password_file).code == 0
    command = ("--home", home, "keys", "resume-signing", "--network-height", "500")
    refused = alatau(*command)
    assert refused.code != 0
    assert "No other process signs with this key" in refused.err
    assert not (home / "sign_state.json").exists()
    agreed = alatau(*command, "--yes", "--json")
    assert "DANGER" in agreed.err
    assert agreed.json()["signs_from_height"] == 565
    assert (home / "sign_state.json").exists()


def test_an_observer_has_nothing_to_sign(alatau: Alatau, tmp_path: Path) -> None:
    """Nor anything to resume."""
    home = tmp_path / "home"
    assert alatau("--home", home, "init", "--name", "Auditor", "--observer").code == 0
    outcome = alatau("--home", home, "keys", "resume-signing", "--network-height", "5", "--yes")
    assert outcome.code == 2
    assert "an observer signs nothing" in outcome.err
