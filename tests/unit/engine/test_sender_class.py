"""Whose share of the blocks a sender uses."""

import pytest

from alatau.chain.permission import Licence, ParticipantKind, status_word
from alatau.engine.sender_class import sender_class_of
from alatau.mempool.shares import SenderClass

NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (status_word(ParticipantKind.RESIDENT, tier=1), SenderClass.RESIDENT),
        (status_word(ParticipantKind.MERCHANT), SenderClass.MERCHANT),
        (status_word(ParticipantKind.MERCHANT, licences=Licence.PAYMENT_HUB), SenderClass.LICENSED),
        (status_word(ParticipantKind.INSTITUTION, licences=Licence.PLATFORM), SenderClass.LICENSED),
        (status_word(ParticipantKind.INSTITUTION), SenderClass.INSTITUTION),
        (status_word(ParticipantKind.INSTITUTION, deploys=True), SenderClass.DEVELOPER),
        (status_word(ParticipantKind.RESIDENT, deploys=True, licences=Licence.EXCHANGE), SenderClass.DEVELOPER),
    ],
)
def test_the_class_follows_from_the_registrys_word(word: int, expected: SenderClass) -> None:
    """The right to deploy first, then licences, then what the participant is."""
    assert sender_class_of(word, NOW) is expected


def test_what_has_expired_does_not_count() -> None:
    """A licence and the right to deploy end at their second; the participant is then what it is without."""
    word = status_word(ParticipantKind.MERCHANT, deploys=True, licences=Licence.PLATFORM, licences_expire=NOW)
    assert sender_class_of(word, NOW - 1) is SenderClass.DEVELOPER
    assert sender_class_of(word, NOW) is SenderClass.MERCHANT
