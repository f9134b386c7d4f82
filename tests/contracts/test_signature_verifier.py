"""SignatureVerifier, and its twin off the chain: one table of signatures through both."""

from collections.abc import Iterable
from hashlib import sha256
from itertools import chain, islice
from typing import Any

import boa
import pytest

from alatau.channels.delegation import voucher_signed_by, voucher_total
from alatau.channels.messages import Voucher, signed_by, voucher_digest
from alatau.crypto.signature_schemes import NO_PASSKEYS
from tests.contracts.world import World, deploy
from tests.support.passkeys import ADDRESS, DIGEST, SITE, chosen, longest
from tests.support.phones import lent
from tests.support.signed_vouchers import (
    CAP,
    CHIP,
    DEVICE,
    DOMAIN,
    PHONE_VOUCHER,
    PLAIN,
    PLAIN_VOUCHER,
    SITE_NAME,
    bad,
    good,
    plain,
    swept,
)
from tests.support.signed_vouchers import DIGEST as VOUCHER_DIGEST

_STRIDE = 29
"""Of so many swept signatures one is tried in every check; odd, so that cut and changed bytes are both met."""


def agreed(verifier: Any, voucher: Voucher, signatures: Iterable[tuple[str, bytes]]) -> set[str]:
    """The names of those that sign a voucher, once contract and twin agree on each, as a voucher and as a message."""
    digest, total = voucher_digest(DOMAIN, voucher), voucher_total(voucher)
    payer = "0x" + voucher.payer.hex()
    accepted = set()
    for name, signature in signatures:
        as_voucher = verifier.voucher_signed_by(digest, payer, signature, DOMAIN.separator, voucher.channel_id, total)
        assert as_voucher == voucher_signed_by(DOMAIN, voucher, signature), name
        as_message = verifier.signed_by(digest, payer, signature)
        assert as_message == signed_by(digest, signature, voucher.payer, DOMAIN.rp_id_hash), name
        if as_message:
            assert as_voucher, name
        if as_voucher:
            accepted.add(name if as_message else f"{name} (voucher only)")
    return accepted


KEPT = {"chip, scheme 1", "passkey, scheme 2"}
KEPT |= {f"device of a {owner}, scheme 3 (voucher only)" for owner in ("chip", "passkey")}
GOOD = {"chip", "passkey", "device of a chip (voucher only)", "device of a passkey (voucher only)"}


def test_vouchers_of_phones(world: World) -> None:
    """Good ones, each bad one, and one of _STRIDE swept ones."""
    assert agreed(world.verifier, PHONE_VOUCHER, good()) == GOOD
    assert agreed(world.verifier, PHONE_VOUCHER, bad()) == set()
    sample = islice(swept(), 0, None, _STRIDE)
    assert agreed(world.verifier, PHONE_VOUCHER, sample) <= KEPT


@pytest.mark.slow  # 40 s of the processor's time
def test_vouchers_of_phones_in_full(world: World) -> None:
    """Every byte cut off or changed, every scheme; what stays good is the good one's own scheme."""
    assert agreed(world.verifier, PHONE_VOUCHER, swept()) == KEPT


def test_vouchers_of_secp256k1(world: World) -> None:
    """65 bytes off the chain have 27 or 28 at their end on it; compact ones are the same in both."""
    on_chain, off_chain = set(), set()
    digest, payer = voucher_digest(DOMAIN, PLAIN_VOUCHER), "0x" + PLAIN.address.hex()
    for name, signature in plain():
        given = signature if len(signature) != 65 else signature[:64] + bytes((27 + signature[64],))
        if world.verifier.signed_by(digest, payer, given):
            on_chain.add(name)
        if signed_by(digest, signature, PLAIN.address, DOMAIN.rp_id_hash):
            off_chain.add(name)
    # Without its last byte it is a compact one of parity 0.
    even = {"cut at 64"} if dict(plain())["plain"][64] == 0 else set()
    assert on_chain == off_chain == {"plain", "compact"} | even


def test_passkeys_are_bound_to_the_network(world: World) -> None:
    """The relying party is fixed with the network; without one no passkey counts."""
    assert (world.verifier.relying_party(), world.verifier.rp_id_hash()) == (
        SITE_NAME,
        sha256(SITE_NAME.encode()).digest(),
    )
    closed, elsewhere = deploy("SignatureVerifier", ""), deploy("SignatureVerifier", "example.com")
    assert closed.rp_id_hash() == NO_PASSKEYS
    by_chip, by_passkey = dict(good())["chip"], dict(good())["passkey"]
    payer = "0x" + CHIP.address.hex()
    for verifier, counts in ((world.verifier, True), (closed, False), (elsewhere, False)):
        assert verifier.signed_by(VOUCHER_DIGEST, payer, by_chip)
        assert verifier.signed_by(VOUCHER_DIGEST, payer, by_passkey) is counts


def test_passkeys_of_every_wrong_kind(world: World) -> None:
    """Wrong type, challenge, flags, site, numbers out of range: the verifier says what the twin says."""
    accepted = set()
    for name, signature in chosen():
        found = world.verifier.signed_by(DIGEST, "0x" + ADDRESS.hex(), signature)
        assert found == signed_by(DIGEST, signature, ADDRESS, SITE), name
        if found:
            accepted.add(name)
    assert accepted == {"own", "passkey", "extensions", "shortest", "longest"}
    with boa.reverts():
        world.verifier.signed_by(DIGEST, "0x" + ADDRESS.hex(), longest(1))


def test_nobody_is_no_signer(world: World) -> None:
    """What recovers nobody is nobody's signature, also where nobody is asked for."""
    zero = "0x" + "00" * 20
    for signature in (b"", bytes(64), bytes(65), bytes(129), b"\x01" + bytes(128), b"\x03" + bytes(300)):
        assert not world.verifier.signed_by(VOUCHER_DIGEST, zero, signature)
        assert not world.verifier.voucher_signed_by(VOUCHER_DIGEST, zero, signature, bytes(32), bytes(32), 0)
    device = lent(DOMAIN, PHONE_VOUCHER.channel_id, CHIP, DEVICE, CAP).sign(VOUCHER_DIGEST)
    spoilt = device[:-1] + bytes((device[-1] ^ 1,))
    assert not world.verifier.voucher_signed_by(
        VOUCHER_DIGEST, zero, spoilt, DOMAIN.separator, PHONE_VOUCHER.channel_id, CAP
    )


def test_names_of_the_table_are_apart() -> None:
    """A name twice would hide one of them."""
    names = [name for name, _ in chain(good(), bad(), swept(), plain())]
    assert len(names) == len(set(names))
