"""Refusals in the words of the error catalogue."""

import pytest

from alatau.chain.transaction import InvalidTransactionError
from alatau.engine.verdict import Blame, not_permitted, not_pooled, wrong_form
from alatau.mempool.outcome import Reason
from alatau.mempool.outcome import Refused as PoolRefused
from tests.support.small_network import PAYER

WHO = {"sender": f"0x{PAYER.address.hex()}"}


def test_a_rule_that_needs_no_state_is_named_by_the_catalogue() -> None:
    """Whoever signed for another chain learns which this is; other errors have values of their own."""
    refused = wrong_form(InvalidTransactionError("wrong_chain", "for chain 1"), 7773)
    assert (refused.reason, refused.blame, dict(refused.values)) == ("WRONG_CHAIN", Blame.FORM, {"chain_id": "7773"})
    refused = wrong_form(InvalidTransactionError("intrinsic_gas", "too little"), 7773)
    assert (refused.reason, dict(refused.values)) == ("INTRINSIC_GAS_TOO_LOW", {})
    assert wrong_form(InvalidTransactionError("unheard of", "?"), 7773).reason == "TRANSACTION_INVALID"


@pytest.mark.parametrize("stranger", [False, True])
def test_a_stranger_may_have_signed_something_else(stranger: bool) -> None:
    """Then the address that its signature recovers is nobody's; who is known is only refused."""
    error = InvalidTransactionError("sender_not_permitted", "no active participant")
    refused = not_permitted(error, PAYER.address, 7773, stranger=stranger)
    assert refused.reason == "SENDER_NOT_PERMITTED"
    assert refused.blame is (Blame.STRANGER if stranger else Blame.STATE)
    assert ("over another digest: check the chain id, 7773" in refused.message) is stranger
    assert refused.values == WHO


def test_the_pool_says_when_to_come_again_and_with_which_nonce() -> None:
    """Seconds, of the pool's milliseconds; nothing where waiting does not help."""
    later = PoolRefused(Reason.POOL_FULL, "full", retry_after_ms=2_500, next_nonce=3, values={"room": 0})
    refused = not_pooled(later, PAYER.address, Blame.STATE)
    assert (refused.retry_after_s, refused.next_nonce) == (2.5, 3)
    assert refused.values == WHO | {"room": "0"}
    assert not_pooled(PoolRefused(Reason.POOL_FULL, "full"), PAYER.address, Blame.STATE).retry_after_s == 1.0
    known = PoolRefused(Reason.ALREADY_KNOWN, "known")
    assert not_pooled(known, PAYER.address, Blame.STATE).retry_after_s is None
