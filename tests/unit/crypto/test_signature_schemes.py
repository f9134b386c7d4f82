"""Signatures of P-256 accounts: which bytes count, and that no others do."""

from hashlib import sha256

import pytest

from alatau.crypto import p256
from alatau.crypto.signature_schemes import client_data_head, p256_signer
from tests.support.passkeys import (
    ADDRESS,
    DIGEST,
    PUBLIC_KEY,
    SITE,
    TAIL,
    assertion,
    longest,
    misplaced_client_data,
    own_signature,
)


def test_no_byte_of_an_assertion_can_change() -> None:
    """Cut anywhere, or with any byte changed, it is no signature of the account; nothing raises."""
    good = assertion(client_data_head(DIGEST) + TAIL)
    assert p256_signer(DIGEST, good, SITE) == ADDRESS
    for at in range(len(good)):
        assert p256_signer(DIGEST, good[:at], SITE) is None, at
        for bit in range(8):
            changed = good[:at] + bytes((good[at] ^ 1 << bit,)) + good[at + 1 :]
            assert p256_signer(DIGEST, changed, SITE) is None, (at, bit)
    assert p256_signer(DIGEST, good + b"\x00", SITE) is None


@pytest.mark.parametrize("flags", range(256))
def test_the_user_was_there_and_verified(flags: int) -> None:
    """Both flags are needed; the others do not matter."""
    signature = assertion(client_data_head(DIGEST) + TAIL, flags=flags)
    expected = ADDRESS if flags & 0x05 == 0x05 else None
    assert p256_signer(DIGEST, signature, SITE) == expected


@pytest.mark.parametrize("client_data", list(misplaced_client_data()))
def test_client_data_that_does_not_begin_as_it_must(client_data: bytes) -> None:
    """Signed by the key all the same: only the comparison stands against these."""
    assert p256_signer(DIGEST, assertion(client_data), SITE) is None


def test_another_site() -> None:
    """A passkey of another site, asked for our challenge there, does not count here."""
    signature = assertion(client_data_head(DIGEST) + TAIL, site=sha256(b"example.com").digest())
    assert p256_signer(DIGEST, signature, SITE) is None


def test_extensions_and_the_longest() -> None:
    """Authenticator data may go on; one byte above the limit is refused, however well signed."""
    signature = assertion(client_data_head(DIGEST) + TAIL, extensions=b"\xa0")
    assert p256_signer(DIGEST, signature, SITE) == ADDRESS
    assert p256_signer(DIGEST, longest(0), SITE) == ADDRESS
    assert p256_signer(DIGEST, longest(1), SITE) is None


def test_schemes_do_not_stand_for_each_other() -> None:
    """The key's own signature under the passkey's byte, a passkey's under the key's, unknown bytes, high s."""
    own = own_signature()
    assert p256_signer(DIGEST, own, SITE) == ADDRESS
    assert p256_signer(DIGEST, own + b"\x00", SITE) is None
    passkey = assertion(client_data_head(DIGEST) + TAIL)
    for scheme in range(256):
        for good, form in ((own, 1), (passkey, 2)):
            expected = ADDRESS if scheme == form else None
            assert p256_signer(DIGEST, bytes((scheme,)) + good[1:], SITE) == expected, scheme
    for good in (own, passkey):
        high = p256.ORDER - int.from_bytes(good[33:65], "big")
        for s in (high, 0, p256.ORDER, p256.ORDER + 1, 2**256 - 1):
            assert p256_signer(DIGEST, good[:33] + s.to_bytes(32, "big") + good[65:], SITE) is None
        for r in (0, p256.ORDER, 2**256 - 1):
            assert p256_signer(DIGEST, good[:1] + r.to_bytes(32, "big") + good[33:], SITE) is None
        for point in (bytes(64), b"\xff" * 64, PUBLIC_KEY[32:] + PUBLIC_KEY[:32]):
            assert p256_signer(DIGEST, good[:65] + point + good[129:], SITE) is None
