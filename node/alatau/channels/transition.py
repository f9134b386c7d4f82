"""``transition(state, change) -> (state, effects)``: every rule of a channel, off the chain.

Rules (CityChannels.vy enforces the same where money moves):

1. A voucher is newer than the last of its payer: a higher nonce, never less paid for good.
2. A new lock expires after now and within the contract's window: a channel that closes this very moment may not be
   settled before the lock has paid or run out, so nobody settles first and reveals after.
3. A lock leaves the list only if its amount is paid for good, or its expiry is past and its secret was not revealed
   by then, or its payee lets it go: what the payee could get never shrinks under it.
4. A payer never signs away more than it has, promises included.
5. Deposits and withdrawals, told by the chain, only grow.
6. While the channel is closing no voucher is signed any more, and whoever is paid by a newer voucher than the
   contract knows must submit it within the window.
7. Who has lost its newest state takes it back from the other side, or from a tower: a newer voucher with a good
   signature is adopted as it is, whatever it promises.
8. An agreement to close divides by the newest vouchers, with no lock pending. While it may be carried to the contract
   no voucher is signed beside it: either would undo the other.

A refused change raises and leaves the state as it was. Invariants are checked after every transition.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from alatau.channels.delegation import voucher_signed_by
from alatau.channels.errors import ChannelPhaseError, ForgedMessageError, InvalidVoucherError
from alatau.channels.messages import (
    AMOUNT_MAX,
    LOCKS_MAX,
    NONCE_MAX,
    CooperativeClose,
    Lock,
    SignedVoucher,
    Voucher,
    cooperative_close_digest,
    receipt_digest,
    signed_by,
)
from alatau.channels.state import (
    Agreement,
    ChannelState,
    Phase,
    Side,
    Window,
    available,
    other_party,
    payouts,
    side_of,
)

AGREEMENT_SECONDS_MAX: Final = 86_400
"""A day: as long as an agreement to close is good for, no voucher is signed."""


@dataclass(frozen=True, slots=True)
class ChangeVoucher:
    """A payer signed a new voucher."""

    signed: SignedVoucher
    block: int
    """Height of the chain now: decides when a new lock may expire, and whether a dropped one has. The host MUST have
    applied all news of the chain up to this block before."""
    time: int
    """Seconds of the chain's clock now: decides whether an agreement to close has run out."""
    revealed: Mapping[bytes, int] = field(default_factory=dict)
    """Hash of a secret that the chain knows -> block in which it was revealed: a lock revealed by its expiry stays
    due."""
    released: frozenset[bytes] = frozenset()
    """Hashes of locks that the payee lets go before they expire."""
    checked: bool = False
    """The host made the signature itself, or has verified it: verifying once is enough."""


@dataclass(frozen=True, slots=True)
class ChangeRestored:
    """Newer vouchers come back from whoever kept them, after this side lost its own.

    The host MUST take them only while it signs nothing: before the two sides have agreed.
    """

    vouchers: tuple[SignedVoucher, ...]
    """At most one a direction; taken together, since what one side paid may be what the other had received."""


@dataclass(frozen=True, slots=True)
class ChangeReceipt:
    """A payee signed for the newest voucher of ``payer``."""

    payer: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ChangeDeposited:
    """The chain says what a party has paid in, in all."""

    party: bytes
    total: int


@dataclass(frozen=True, slots=True)
class ChangeWithdrawn:
    """The other party consents, or the chain says, that a party has taken out ``total`` in all.

    Applied when consent is given, before it is sent: from then on the money may go at any time.
    """

    party: bytes
    total: int


@dataclass(frozen=True, slots=True)
class ChangeAgreement:
    """A party signed how to divide what the channel holds. Applied before one's own signature is sent."""

    message: CooperativeClose
    party: bytes
    signature: bytes
    """Of any scheme, over ``cooperative_close_digest``."""
    time: int
    """Seconds of the chain's clock now."""


@dataclass(frozen=True, slots=True)
class ChangeClosing:
    """The chain says that a settlement has begun."""

    window: Window


@dataclass(frozen=True, slots=True)
class ChangeSubmitted:
    """The chain says that a voucher of ``payer`` was accepted."""

    payer: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class ChangeSettled:
    """The chain says that the channel has ended."""


Change: TypeAlias = (
    ChangeVoucher
    | ChangeRestored
    | ChangeReceipt
    | ChangeDeposited
    | ChangeWithdrawn
    | ChangeAgreement
    | ChangeClosing
    | ChangeSubmitted
    | ChangeSettled
)


@dataclass(frozen=True, slots=True)
class DoStore:
    """Write the new state to stable storage. The host MUST do this before any message about it leaves."""


@dataclass(frozen=True, slots=True)
class DoSubmit:
    """The contract knows less than this voucher says.

    Its payee, or a tower with the receipt, MUST submit it before the window ends.
    """

    signed: SignedVoucher
    receipt: bytes | None
    window: Window


@dataclass(frozen=True, slots=True)
class DoCloseCooperatively:
    """Both have signed. Anyone MUST carry it to the contract before its deadline, or the channel goes on after."""

    message: CooperativeClose
    signature_a: bytes
    signature_b: bytes


Effect: TypeAlias = DoStore | DoSubmit | DoCloseCooperatively


def transition(state: ChannelState, change: Change) -> tuple[ChannelState, tuple[Effect, ...]]:
    """The state after ``change``, and what the host has to do, in order.

    Raises:
        ForgedMessageError: a signature is not its signer's. The sender of the message is at fault.
        InvalidVoucherError: the voucher breaks a rule. Refuse it; the last one stays good.
        ChannelPhaseError: the change does not fit where the channel stands.
    """
    match change:
        case ChangeVoucher():
            after = _take_voucher(state, change)
        case ChangeRestored(vouchers):
            after = _take_restored(state, vouchers)
        case ChangeReceipt(payer, signature):
            after = _take_receipt(state, payer, signature)
        case ChangeDeposited(party, total):
            _check_total(total)
            after = _with_side(state, party, replace(side_of(state, party), deposited=total))
        case ChangeWithdrawn(party, total):
            after = _take_withdrawal(state, party, total)
        case ChangeAgreement():
            after = _take_agreement(state, change)
        case ChangeClosing(window):
            _require(state, Phase.OPEN)
            after = replace(state, phase=Phase.CLOSING, window=window)
        case ChangeSubmitted(payer, nonce):
            _require(state, Phase.CLOSING)
            after = _with_side(state, payer, replace(side_of(state, payer), submitted_nonce=nonce))
        case ChangeSettled():
            after = replace(state, phase=Phase.SETTLED)
    check_invariants(state, after)
    return after, (DoStore(), *outstanding(after))


def outstanding(state: ChannelState) -> tuple[DoSubmit | DoCloseCooperatively, ...]:
    """What the contract has yet to be brought.

    A host that starts again MUST ask: an earlier process may have died before it did what :func:`transition` told it.
    """
    return (*_submissions(state), *_agreements(state))


def next_voucher(state: ChannelState, payer: bytes, amount: int) -> Voucher:
    """The voucher by which ``payer`` pays ``amount`` more, to be signed. Raises ``InvalidVoucherError``."""
    if not 0 < amount <= available(state, payer):
        raise InvalidVoucherError(f"cannot pay {amount}: {available(state, payer)} is available")
    side = side_of(state, payer)
    return Voucher(state.id, payer, side.nonce + 1, side.transferred + amount, side.locks)


def check_invariants(before: ChannelState, after: ChannelState) -> None:
    """Assert what no change may break; a failure is a defect of this package."""
    assert after.id == before.id, "a channel keeps its id"
    assert after.total >= 0, "more was withdrawn than paid in"
    for party in (after.parties.a, after.parties.b):
        old, new = side_of(before, party), side_of(after, party)
        assert new.deposited >= old.deposited, "deposits only grow"
        assert new.withdrawn >= old.withdrawn, "withdrawals only grow"
        assert new.nonce >= old.nonce, "nonces only grow"
        assert new.submitted_nonce >= old.submitted_nonce, "submissions only grow"
        assert new.transferred >= old.transferred, "what is paid stays paid"
        assert len(new.locks) <= LOCKS_MAX, "locks are bounded"
        assert available(after, party) >= 0, "nobody signs away more than it has"


def _take_voucher(state: ChannelState, change: ChangeVoucher) -> ChannelState:
    _require(state, Phase.OPEN)
    if state.agreement is not None and change.time <= state.agreement.message.deadline:
        raise ChannelPhaseError(f"both may close as agreed until {state.agreement.message.deadline}")
    signed = change.signed
    voucher = signed.voucher
    payer = voucher.payer
    if voucher.channel_id != state.id or payer not in (state.parties.a, state.parties.b):
        raise InvalidVoucherError("the voucher is of another channel")
    side = side_of(state, payer)
    if not side.nonce < voucher.nonce <= NONCE_MAX:
        raise InvalidVoucherError(f"nonce {voucher.nonce} is not above {side.nonce}")
    _check_amounts(voucher)
    for lock in voucher.locks:
        if lock not in side.locks:
            _check_life(lock, change.block, state.settle_blocks)
    dropped = [lock for lock in side.locks if lock not in voucher.locks]
    due = side.transferred + sum(lock.amount for lock in dropped if _is_due(lock, change))
    if voucher.transferred < due:
        raise InvalidVoucherError(f"{voucher.transferred} transferred, but {due} was paid or is still due")
    after = _with_side(state, payer, replace(side, latest=signed, receipt=None))
    if available(after, payer) < 0:
        raise InvalidVoucherError(f"the payer has {-available(after, payer)} too little")
    _check_payer(state, signed, checked=change.checked)
    return after


def _take_restored(state: ChannelState, vouchers: tuple[SignedVoucher, ...]) -> ChannelState:
    after = state
    for signed in vouchers:
        voucher = signed.voucher
        if voucher.channel_id != state.id or voucher.payer not in (state.parties.a, state.parties.b):
            raise InvalidVoucherError("the voucher is of another channel")
        side = side_of(after, voucher.payer)
        if not side.nonce < voucher.nonce <= NONCE_MAX:
            raise InvalidVoucherError(f"nonce {voucher.nonce} is not above {side.nonce}")
        _check_amounts(voucher)
        if voucher.transferred < side.transferred:
            raise InvalidVoucherError(f"{voucher.transferred} transferred, but {side.transferred} was paid")
        _check_payer(state, signed)
        after = _with_side(after, voucher.payer, replace(side, latest=signed, receipt=None))
    for party in (state.parties.a, state.parties.b):
        if available(after, party) < 0:
            raise InvalidVoucherError(f"the payer has {-available(after, party)} too little")
    return after


def _check_payer(state: ChannelState, signed: SignedVoucher, *, checked: bool = False) -> None:
    voucher = signed.voucher
    if not checked and not voucher_signed_by(state.domain, voucher, signed.signature):
        raise ForgedMessageError("the voucher is not signed by its payer")


def _check_life(lock: Lock, block: int, settle_blocks: int) -> None:
    if not block < lock.expiry_block < block + settle_blocks:
        raise InvalidVoucherError(
            f"a lock expires at block {lock.expiry_block}; now is {block}, and it must have paid or run out before a "
            f"window of {settle_blocks} blocks ends"
        )


def _is_due(lock: Lock, change: ChangeVoucher) -> bool:
    if lock.secret_hash in change.released:
        return False
    revealed_at = change.revealed.get(lock.secret_hash)
    return lock.expiry_block >= change.block or (revealed_at is not None and revealed_at <= lock.expiry_block)


def _check_amounts(voucher: Voucher) -> None:
    if len(voucher.locks) > LOCKS_MAX:
        raise InvalidVoucherError(f"{len(voucher.locks)} locks, at most {LOCKS_MAX}")
    if len({lock.secret_hash for lock in voucher.locks}) < len(voucher.locks):
        raise InvalidVoucherError("two locks wait for one secret")
    if not all(len(lock.secret_hash) == 32 for lock in voucher.locks):
        raise InvalidVoucherError("a hash has 32 bytes")
    if not all(0 < lock.amount <= AMOUNT_MAX for lock in voucher.locks):
        raise InvalidVoucherError("a lock's amount is out of range")
    if not 0 <= voucher.transferred <= AMOUNT_MAX:
        raise InvalidVoucherError("the amount is out of range")


def _check_total(total: int) -> None:
    if not 0 <= total <= AMOUNT_MAX:
        raise InvalidVoucherError("the amount is out of range")


def _take_withdrawal(state: ChannelState, party: bytes, total: int) -> ChannelState:
    _check_total(total)
    side = side_of(state, party)
    if total - side.withdrawn > available(state, party):
        raise InvalidVoucherError(f"cannot take out {total}: {available(state, party)} is available")
    return _with_side(state, party, replace(side, withdrawn=total))


def _take_receipt(state: ChannelState, payer: bytes, signature: bytes) -> ChannelState:
    side = side_of(state, payer)
    if side.latest is None:
        raise ChannelPhaseError("there is no voucher to give a receipt for")
    digest = receipt_digest(state.domain, side.latest.voucher)
    if not signed_by(digest, signature, other_party(state, payer), state.domain.rp_id_hash):
        raise ForgedMessageError("the receipt is not signed by the payee, or for another voucher")
    return _with_side(state, payer, replace(side, receipt=signature))


def _take_agreement(state: ChannelState, change: ChangeAgreement) -> ChannelState:
    message = change.message
    if state.phase is Phase.SETTLED:
        raise ChannelPhaseError("the channel is settled")
    if message.channel_id != state.id:
        raise InvalidVoucherError("the agreement is about another channel")
    if not change.time <= message.deadline <= change.time + AGREEMENT_SECONDS_MAX:
        raise InvalidVoucherError(f"an agreement is good for at most {AGREEMENT_SECONDS_MAX} s")
    if state.a.locks or state.b.locks:
        raise InvalidVoucherError("payments are pending")
    if (message.payout_a, message.payout_b) != payouts(state):
        raise InvalidVoucherError(f"by the newest vouchers the payouts are {payouts(state)}")
    agreement = state.agreement
    if agreement is None or agreement.message.deadline < change.time:
        agreement = Agreement(message)
    if agreement.message != message:
        raise ChannelPhaseError(f"another agreement is good until {agreement.message.deadline}")
    digest = cooperative_close_digest(state.domain, message)
    if not signed_by(digest, change.signature, change.party, state.domain.rp_id_hash):
        raise ForgedMessageError("the agreement is not signed by its party")
    if change.party == state.parties.a:
        agreement = replace(agreement, signature_a=change.signature)
    elif change.party == state.parties.b:
        agreement = replace(agreement, signature_b=change.signature)
    else:
        raise InvalidVoucherError("not a party of this channel")
    return replace(state, agreement=agreement)


def _agreements(state: ChannelState) -> Iterator[DoCloseCooperatively]:
    agreement = state.agreement
    if state.phase is Phase.SETTLED or agreement is None:
        return
    if agreement.signature_a is not None and agreement.signature_b is not None:
        yield DoCloseCooperatively(agreement.message, agreement.signature_a, agreement.signature_b)


def _submissions(state: ChannelState) -> Iterator[DoSubmit]:
    if state.phase is not Phase.CLOSING or state.window is None:
        return
    for side in (state.a, state.b):
        if side.latest is not None and side.nonce > side.submitted_nonce:
            yield DoSubmit(side.latest, side.receipt, state.window)


def _with_side(state: ChannelState, party: bytes, side: Side) -> ChannelState:
    if party == state.parties.a:
        return replace(state, a=side)
    if party == state.parties.b:
        return replace(state, b=side)
    raise InvalidVoucherError("not a party of this channel")


def _require(state: ChannelState, phase: Phase) -> None:
    if state.phase is not phase:
        raise ChannelPhaseError(f"the channel is {state.phase.name.lower()}, not {phase.name.lower()}")
