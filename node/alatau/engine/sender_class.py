"""Whose share of the blocks a sender uses, from its word in the participant registry."""

from alatau.chain.permission import Licence, ParticipantKind, kind_of, licences_of, may_deploy
from alatau.mempool.shares import SenderClass


def sender_class_of(word: int, timestamp: int) -> SenderClass:
    """The class of a sender with the registry's status ``word`` in a block of ``timestamp`` (seconds).

    The right to deploy comes first, whoever has it: a ministry or a platform that may create contracts runs code that
    nobody has measured, and pays from another account.
    """
    if may_deploy(word, timestamp):
        return SenderClass.DEVELOPER
    if licences_of(word, timestamp) is not Licence.NONE:
        return SenderClass.LICENSED
    match kind_of(word):
        case ParticipantKind.INSTITUTION:
            return SenderClass.INSTITUTION
        case ParticipantKind.MERCHANT:
            return SenderClass.MERCHANT
        case _:
            return SenderClass.RESIDENT
