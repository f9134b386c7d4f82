# pragma version ~=0.4.3
# pragma nonreentrancy on
# pragma optimize codesize
"""
@title CityChannels: payments off the chain, settled here; one contract per asset
@notice A resident or a merchant (a) and a licensed hub (b) each put money into a channel and pay each other by
        signed vouchers that nobody else sees. Each direction is a claim that only grows: the newest voucher tells
        all that was ever paid, so an old one can only claim less.

            open  -- close -->  closing  -- N blocks and T seconds -->  settle  -->  credit  -->  claim
            open, closing  -- close_cooperatively (both sign) -->  credit  -->  claim

        payout of a = deposits of a - withdrawn by a + sent to a - sent by a, within 0 and all that is there;
        b gets the rest. No penalties, no secrets to revoke.

        Who can stop what:
        * the council's guardian pauses opening, depositing and moving money between channels, nothing else, for a
          week; the council lifts the pause before;
        * licences are asked for when a channel opens, and never again;
        * no pause, freeze or licence stops `close`, `submit`, `reveal` or `settle`, or lowers a payout; what a
          court has frozen is held back by the token when it is claimed;
        * whoever sends no transactions signs, and anyone carries: opening and deposits (an authorization of the
          money, EIP-3009), a request to close, vouchers with receipts, an agreement, a withdrawal, an order to pay a
          credit elsewhere;
        * nobody can overwrite the other's claim: a voucher counts only from its payee, or with his receipt.
@dev Parties travel in calldata; a channel is six words under its id (channel_words). Signatures are of any scheme
     (lib/signature_schemes.vy). What belongs to one concept is in a module beside this file: evidence (what is
     signed), locks, settlement, credits. The pause, days' books and offline payments are contracts of their own.
"""

from ethereum.ercs import IERC20
from ..interfaces import IChannelPause
from ..interfaces import IParticipantRegistry
from ..lib import typed_data
from . import channel_words
from . import credits
from . import evidence
from . import locks
from . import settlement

initializes: typed_data
initializes: evidence[typed_data := typed_data]
initializes: credits[evidence := evidence]
initializes: locks
initializes: settlement[credits := credits, evidence := evidence, locks := locks]

exports: (
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    locks.reveal,
    locks.revealed_at,
    credits.asset,
    credits.registry,
    credits.held,
    credits.credit,
    credits.claim,
    credits.claim_to,
    credits.claim_for_successor,
    credits.claim_nonce,
    settlement.settle_blocks,
    settlement.settle_seconds,
)


struct ChannelView:
    used: bool
    open: bool
    closing: bool
    deposit_a: uint256
    deposit_b: uint256
    withdrawn_a: uint256
    withdrawn_b: uint256
    settle_block: uint256
    settle_time: uint256
    nonce_ab: uint256
    nonce_ba: uint256
    sent_ab: uint256
    sent_ba: uint256
    locks_ab: bytes32
    locks_ba: bytes32


struct Exit:
    parties: evidence.Parties
    request: evidence.CloseRequest
    claim: evidence.Claim


struct Submission:
    parties: evidence.Parties
    claim: evidence.Claim


event Opened:
    id: indexed(bytes32)
    a: indexed(address)
    b: indexed(address)
    salt: bytes32
    amount: uint256


event Deposited:
    id: indexed(bytes32)
    party: indexed(address)
    amount: uint256


event Withdrawn:
    id: indexed(bytes32)
    party: indexed(address)
    amount: uint256


# Batches that stay well inside a block.
EXITS_MAX: constant(uint256) = 64
SETTLEMENTS_MAX: constant(uint256) = 256
PAYMENT_HUB: constant(uint256) = 8

channel_pause: public(immutable(IChannelPause))


@deploy
def __init__(
    asset_: IERC20,
    registry_: IParticipantRegistry,
    pause_: IChannelPause,
    settle_blocks_: uint256,
    settle_seconds_: uint256,
):
    """
    @param asset_ The token that is paid with.
    @param registry_ Who knows licences, standings and successors.
    @param pause_ Who knows whether new money is taken in.
    @param settle_blocks_ Blocks between closing and settling, at least; locks live shorter than that.
    @param settle_seconds_ Seconds between closing and settling, at least.
    """
    typed_data.__init__("Alatau CityChannels")
    credits.__init__(asset_, registry_)
    settlement.__init__(settle_blocks_, settle_seconds_)
    channel_pause = pause_


# ------------------------------------------------------------------ reading


@external
@view
def channel_id(parties: evidence.Parties) -> bytes32:
    """
    @param parties The two ends and the salt: another salt is another channel.
    @return The id of their channel.
    """
    return evidence._id(parties)


@external
@view
def channel(id: bytes32) -> ChannelView:
    """
    @param id A channel's.
    @return What the contract knows of it.
    """
    words: channel_words.Channel = settlement._channels[id]
    return ChannelView(
        used=words.deposits & channel_words.USED != 0,
        open=words.deposits & channel_words.OPEN != 0,
        closing=words.deposits & channel_words.CLOSING != 0,
        deposit_a=channel_words._side(words.deposits, 0),
        deposit_b=channel_words._side(words.deposits, channel_words.SIDE_B),
        withdrawn_a=channel_words._side(words.withdrawn, 0),
        withdrawn_b=channel_words._side(words.withdrawn, channel_words.SIDE_B),
        settle_block=channel_words._settle_block(words.forward),
        settle_time=channel_words._settle_time(words.forward),
        nonce_ab=channel_words._nonce(words.forward),
        nonce_ba=channel_words._nonce(words.backward),
        sent_ab=words.forward & channel_words.AMOUNT_MASK,
        sent_ba=words.backward & channel_words.AMOUNT_MASK,
        locks_ab=words.locks_ab,
        locks_ba=words.locks_ba,
    )


@external
@view
def used(id: bytes32) -> bool:
    """
    @param id A channel's.
    @return Whether a channel with this id was ever opened.
    """
    return settlement._channels[id].deposits & channel_words.USED != 0


@external
@view
def paused() -> bool:
    """
    @return Whether no new money is taken in now.
    """
    return staticcall channel_pause.paused()


# ------------------------------------------------------------------ opening and paying in


@external
def open(hub: address, salt: bytes32, amount: uint256) -> bytes32:
    """
    @notice Open a channel of the caller (a) with a licensed hub (b), and put the caller's money in.
    @param hub The other end.
    @param salt Tells channels of the same two apart.
    @param amount What the caller pays in, 0 for nothing.
    @return The channel's id.
    """
    id: bytes32 = self._open(msg.sender, hub, salt, amount)
    credits._pull(amount)
    return id


@external
def open_for(hub: address, salt: bytes32, money: credits.SignedMoney) -> bytes32:
    """
    @notice The same for an owner who sends no transactions: it signs its money away to this contract (EIP-3009) with
            the channel's id as nonce, and anyone carries.
    @param hub The other end.
    @param salt Tells channels of the same two apart.
    @param money Owner (a), amount, the seconds after and before which it counts, the owner's signature of
           `ReceiveWithAuthorization` in the token's domain.
    @return The channel's id.
    """
    id: bytes32 = self._open(money.owner, hub, salt, money.amount)
    credits._pull_signed(money, id)
    return id


@external
def deposit(parties: evidence.Parties, amount: uint256):
    """
    @notice A party puts more money in.
    @param parties The channel.
    @param amount What the caller pays in.
    """
    self._put_in(parties, msg.sender, amount)
    credits._pull(amount)


@external
def deposit_for(parties: evidence.Parties, salt: bytes32, money: credits.SignedMoney):
    """
    @notice The same for a party that sends no transactions. The authorization's nonce is keccak256 of the channel's id
            and the salt.
    @param parties The channel.
    @param salt Tells deposits in one channel apart.
    @param money As in `open_for`; its owner is the party.
    """
    self._put_in(parties, money.owner, money.amount)
    credits._pull_signed(money, keccak256(concat(evidence._id(parties), salt)))


@external
def fund(parties: evidence.Parties, amount: uint256):
    """
    @notice A party puts its credit into a channel: no token moves.
    @param parties The channel.
    @param amount How much of the caller's credit.
    """
    credits._check_free(msg.sender)
    credits._use(msg.sender, amount)
    self._put_in(parties, msg.sender, amount)


@external
def withdraw(parties: evidence.Parties, total: uint256, deadline: uint256, consent: Bytes[1024]):
    """
    @notice A party takes money out of an open channel with the other's consent.
    @param parties The channel.
    @param total All that the party ever withdrew, this time included.
    @param deadline Last second of the consent.
    @param consent The other party's signature of `Withdraw`.
    """
    amount: uint256 = self._take_out(parties, msg.sender, total, deadline, consent)
    credits._push(msg.sender, amount)


@external
def withdraw_for(
    parties: evidence.Parties,
    participant: address,
    total: uint256,
    deadline: uint256,
    request: Bytes[1024],
    consent: Bytes[1024],
):
    """
    @notice The same for a party that sends no transactions: it signs too, and anyone carries.
    @param parties The channel.
    @param participant Which party takes money out, and is paid.
    @param total All that it ever withdrew, this time included.
    @param deadline Last second of both signatures.
    @param request Its own signature of `Withdraw`.
    @param consent The other party's signature of the same.
    """
    evidence._check_withdraw(evidence._id(parties), participant, total, deadline, participant, request)
    amount: uint256 = self._take_out(parties, participant, total, deadline, consent)
    credits._push(participant, amount)


@external
def rebalance(
    source: evidence.Parties,
    total: uint256,
    deadline: uint256,
    consent: Bytes[1024],
    target: evidence.Parties,
):
    """
    @notice A party of two channels, a hub for instance, moves money from one to the other: no token moves.
    @param source The channel it takes money out of.
    @param total All that it ever withdrew there, this time included.
    @param deadline Last second of the consent.
    @param consent Signature of `Withdraw` by the other party of the source.
    @param target The channel it puts the money into.
    """
    credits._check_free(msg.sender)
    amount: uint256 = self._take_out(source, msg.sender, total, deadline, consent)
    self._put_in(target, msg.sender, amount)


# ------------------------------------------------------------------ closing


@external
def close_cooperatively(
    parties: evidence.Parties,
    payout_a: uint256,
    payout_b: uint256,
    deadline: uint256,
    signature_a: Bytes[1024],
    signature_b: Bytes[1024],
):
    """
    @notice Settle at once as both agree; anyone may carry the agreement.
    @param parties The channel.
    @param payout_a What a gets.
    @param payout_b What b gets: together all that the channel holds.
    @param deadline Last second of the agreement.
    @param signature_a Signature of `CooperativeClose` by a.
    @param signature_b The same by b.
    """
    id: bytes32 = evidence._id(parties)
    deposits: uint256 = settlement._channels[id].deposits
    channel_words._check_state(deposits, channel_words.OPEN | channel_words.CLOSING)
    evidence._check_agreement(id, parties, payout_a, payout_b, deadline, signature_a, signature_b)
    withdrawn: uint256 = 0
    if deposits & channel_words.WITHDREW != 0:
        withdrawn = settlement._channels[id].withdrawn
    total: uint256 = channel_words._total(deposits, withdrawn)
    assert payout_a <= total and payout_b == total - payout_a, "channels: payouts do not add up"
    settlement._finish(id, parties, payout_a, payout_b)


@external
def close(parties: evidence.Parties, request: evidence.CloseRequest, claim: evidence.Claim):
    """
    @notice Start the settlement, with the newest voucher that the caller has. The window in which both may submit
            begins. A party asks by calling, or by a signature that anyone carries.
    @param parties The channel.
    @param request Which party asks, the last second of its request, its signature; a party that calls itself needs
           none.
    @param claim The voucher; nonce 0 for none.
    """
    id: bytes32 = evidence._id(parties)
    evidence._check_request(id, parties, request)
    settlement._start(id, parties, request.party, claim)


@external
def close_many(exits: DynArray[Exit, EXITS_MAX]):
    """
    @notice Start the settlement of many channels. Those not open are passed over, so that nobody can spoil a batch
            by closing one of them first.
    @param exits Channels with requests and vouchers.
    """
    for exit: Exit in exits:
        id: bytes32 = evidence._id(exit.parties)
        if settlement._channels[id].deposits & channel_words.OPEN != 0:
            evidence._check_request(id, exit.parties, exit.request)
            settlement._start(id, exit.parties, exit.request.party, exit.claim)


@external
def submit(parties: evidence.Parties, claim: evidence.Claim):
    """
    @notice Bring a newer voucher while the channel is closing. Its payee needs no receipt; anyone else, a
            watchtower for instance, brings the payee's.
    @param parties The channel.
    @param claim The voucher.
    """
    id: bytes32 = evidence._id(parties)
    channel_words._check_closing(settlement._channels[id].deposits)
    settlement._note(id, parties, claim, settlement._channels[id].forward)


@external
def submit_many(submissions: DynArray[Submission, EXITS_MAX]):
    """
    @notice Bring many vouchers. Those of channels that are not closing, or that are not newer, are passed over.
    @param submissions Channels with vouchers.
    """
    for submission: Submission in submissions:
        id: bytes32 = evidence._id(submission.parties)
        if settlement._is_newer(id, submission.parties, submission.claim):
            settlement._note(id, submission.parties, submission.claim, settlement._channels[id].forward)


@external
def settle(
    parties: evidence.Parties,
    locks_ab: DynArray[locks.Lock, locks.LOCKS_MAX],
    locks_ba: DynArray[locks.Lock, locks.LOCKS_MAX],
):
    """
    @notice After the window, credit both; anyone may.
    @param parties The channel.
    @param locks_ab Pending payments of a, as the newest `LocksPublished` tells them; empty for none.
    @param locks_ba Those of b.
    """
    settlement._settle(evidence._id(parties), parties, locks_ab, locks_ba)


@external
def settle_many(channels: DynArray[evidence.Parties, SETTLEMENTS_MAX]):
    """
    @notice Settle channels without pending locks, for a mass exit. Those not ripe are passed over, so that
            nobody can spoil a batch by settling one of its channels first.
    @param channels The channels.
    """
    for parties: evidence.Parties in channels:
        id: bytes32 = evidence._id(parties)
        if settlement._ripe(id):
            settlement._settle(id, parties, [], [])


# ------------------------------------------------------------------ inside


@internal
def _open(a: address, hub: address, salt: bytes32, amount: uint256) -> bytes32:
    """
    @param a Who opens; its consent is the caller's to check, and its money to bring.
    @param hub The other end.
    @param salt Tells channels of the same two apart.
    @param amount What a pays in.
    @return The channel's id.
    """
    assert not staticcall channel_pause.paused(), "channels: paused"
    assert hub != a, "channels: one party"
    assert staticcall credits.registry.licensed(hub, PAYMENT_HUB), "channels: hub not licensed"
    channel_words._check_amount(amount)
    id: bytes32 = evidence._id(evidence.Parties(a=a, b=hub, salt=salt))
    assert settlement._channels[id].deposits == 0, "channels: id used"
    settlement._channels[id].deposits = channel_words.USED | channel_words.OPEN | amount
    log Opened(id=id, a=a, b=hub, salt=salt, amount=amount)
    return id


@internal
def _put_in(parties: evidence.Parties, party: address, amount: uint256):
    """
    @param parties An open channel.
    @param party Whose side grows; its consent is the caller's to check, and its money to bring.
    @param amount By how much.
    """
    assert not staticcall channel_pause.paused(), "channels: paused"
    id: bytes32 = evidence._id(parties)
    word: uint256 = settlement._channels[id].deposits
    channel_words._check_state(word, channel_words.OPEN)
    offset: uint256 = 0
    if party != parties.a:
        assert party == parties.b, "channels: not a party"
        offset = channel_words.SIDE_B
    settlement._channels[id].deposits = channel_words._raised(word, offset, amount)
    log Deposited(id=id, party=party, amount=amount)


@internal
def _take_out(
    parties: evidence.Parties, participant: address, total: uint256, deadline: uint256, consent: Bytes[1024]
) -> uint256:
    """
    @param parties An open channel.
    @param participant Which party takes money out.
    @param total All that it ever withdrew, this time included.
    @param deadline Last second of the consent.
    @param consent The other party's signature.
    @return What leaves the channel now.
    """
    id: bytes32 = evidence._id(parties)
    deposits: uint256 = settlement._channels[id].deposits
    channel_words._check_state(deposits, channel_words.OPEN)
    other: address = parties.b
    offset: uint256 = 0
    if participant != parties.a:
        assert participant == parties.b, "channels: not a party"
        other = parties.a
        offset = channel_words.SIDE_B
    evidence._check_withdraw(id, participant, total, deadline, other, consent)
    withdrawn: uint256 = settlement._channels[id].withdrawn
    before: uint256 = channel_words._side(withdrawn, offset)
    assert total > before, "channels: withdrawn already"
    amount: uint256 = total - before
    assert amount <= channel_words._total(deposits, withdrawn), "channels: more than there is"
    settlement._channels[id].withdrawn = channel_words._raised(withdrawn, offset, amount)
    settlement._channels[id].deposits = deposits | channel_words.WITHDREW
    log Withdrawn(id=id, party=participant, amount=amount)
    return amount
