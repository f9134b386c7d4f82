"""KeyStoreTests of ethereum/tests: files that other clients wrote."""

from typing import Any

import pytest

from alatau.client.keystore import WrongPasswordError, decrypt_key
from tests.conformance.published import documents


def _vectors() -> dict[str, Any]:
    ((_, vectors),) = documents("ethereum_tests", "ethereum_tests/KeyStoreTests/")
    assert isinstance(vectors, dict)
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
