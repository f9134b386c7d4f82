"""KeyStoreTests of ethereum/tests: files that other clients wrote."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from alatau.app.keystore import WrongPasswordError, decrypt_key

ARCHIVE = Path(__file__).parents[3] / "shared" / "conformance" / "ethereum_tests.tar.xz"


def _vectors() -> dict[str, Any]:
    assert ARCHIVE.exists(), (
        f"the published vectors are missing: put shared/conformance beside the repository ({ARCHIVE})"
    )
    with tarfile.open(ARCHIVE) as archive:
        member = archive.extractfile("ethereum_tests/KeyStoreTests/basic_tests.json")
        assert member is not None
        vectors: dict[str, Any] = json.load(member)
        return vectors


def test_every_published_keystore_opens_and_gives_its_key() -> None:
    """Both key derivations, odd initial vectors and a counter that wraps."""
    vectors = _vectors()
    assert len(vectors) == 5
    for name, vector in vectors.items():
        key = decrypt_key(vector["json"], vector["password"])
        assert key.secret.hex() == vector["priv"], name


def test_no_published_keystore_opens_with_another_password() -> None:
    """The authentication code is checked before anything is decrypted."""
    for vector in _vectors().values():
        with pytest.raises(WrongPasswordError):
            decrypt_key(vector["json"], vector["password"] + " ")
