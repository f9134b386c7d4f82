"""Permission from one word: every bit, every edge of time; tests/contracts compares with the contract itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.chain.permission import (
    ACTIVE,
    MAY_DEPLOY,
    SUSPENDED,
    Licence,
    ParticipantKind,
    frozen_until,
    kind_of,
    licences_of,
    may_deploy,
    may_transact,
    slot_of,
    status_word,
    tier_of,
)

NOW = 1_800_000_000


def test_slot_is_vypers_map_slot() -> None:
    """keccak256(slot 0 ++ key), as the compiler lays maps out; frozen."""
    assert slot_of(bytes(20)) == 0xAD3228B676F7D3CD4284A5443F17F1962B36E491B30A40B2405849E597BA5FB5
    assert slot_of(bytes(19) + b"\x01") == 0xA6EEF7E35ABE7026729641147F7915573C7E97B47EFA546F5F6E3230263BCB49


def test_stranger_may_nothing() -> None:
    """An account that nobody registered has the word 0."""
    assert not may_transact(0, NOW)
    assert not may_deploy(0, NOW)
    assert kind_of(0) is None
    assert licences_of(0, NOW) is Licence.NONE


@pytest.mark.parametrize(("second", "allowed"), [(NOW - 1, True), (NOW, False), (NOW + 1, False)])
def test_registration_ends_at_its_second(second: int, allowed: bool) -> None:
    """From that second on the account does not transact."""
    word = status_word(ParticipantKind.RESIDENT, tier=1, expires=NOW)
    assert may_transact(word, second) is allowed


@pytest.mark.parametrize(("second", "allowed"), [(NOW - 1, True), (NOW, False)])
def test_right_to_deploy_ends_with_the_licences(second: int, allowed: bool) -> None:
    """Transacting goes on."""
    word = status_word(ParticipantKind.INSTITUTION, deploys=True, licences=Licence.EXCHANGE, licences_expire=NOW)
    assert may_deploy(word, second) is allowed
    assert bool(licences_of(word, second)) is allowed
    assert may_transact(word, second)


def test_suspension_overrides_everything() -> None:
    """A suspended developer neither transacts nor deploys, nor holds a licence."""
    word = status_word(ParticipantKind.INSTITUTION, deploys=True, licences=Licence.CUSTODY) | SUSPENDED
    assert not may_transact(word, NOW)
    assert not may_deploy(word, NOW)
    assert licences_of(word, NOW) is Licence.NONE


def test_right_to_deploy_needs_an_active_account() -> None:
    """The bit alone is nothing."""
    assert not may_deploy(MAY_DEPLOY, NOW)
    assert may_deploy(MAY_DEPLOY | ACTIVE, NOW)


def test_freeze_does_not_stop_the_sender() -> None:
    """A court's freeze binds money; deadlines of payment channels are still met."""
    word = status_word(ParticipantKind.RESIDENT) | NOW << 192
    assert frozen_until(word) == NOW
    assert may_transact(word, NOW - 1)


@given(
    st.sampled_from(list(ParticipantKind)),
    st.integers(0, 255),
    st.integers(0, 255),
    st.booleans(),
    st.integers(0, 15),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
)
def test_fields_do_not_touch_each_other(
    kind: ParticipantKind, tier: int, capital: int, deploys: bool, licences: int, expires: int, licences_expire: int
) -> None:
    """What is written into a field is what is read from it, whatever the others hold."""
    word = status_word(
        kind,
        tier=tier,
        capital_class=capital,
        deploys=deploys,
        licences=Licence(licences),
        expires=expires,
        licences_expire=licences_expire,
    )
    assert (kind_of(word), tier_of(word), frozen_until(word)) == (kind, tier, 0)
    assert may_transact(word, 0)
    assert may_deploy(word, 0) is deploys
    assert licences_of(word, 0) == licences
    assert may_transact(word, 2**64 - 1) is (expires == 0)
