# pragma version ~=0.4.3
# pragma nonreentrancy on
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
        * the council's guardian pauses opening and depositing, nothing else; the council lifts the pause;
        * licences are asked for when a channel opens, and never again;
        * no pause, freeze or licence stops `close`, `submit`, `reveal` or `settle`, or lowers a payout; what a
          court has frozen is held back by the token when it is claimed;
        * nobody can overwrite the other's claim: a voucher counts only from its payee, or with his receipt.
@dev Signatures are compact (EIP-2098): r, and s with the parity in its top bit. Parties travel in calldata;
     a channel is seven words under its id. `deposits` holds 112 bits for a, 112 for b, then the flags.
"""

from ethereum.ercs import IERC20
from ..interfaces import ICouncil
from ..interfaces import IParticipantRegistry
from ..lib import asset_transfer
from ..lib import decisions
from ..lib import signature
from ..lib import typed_data

initializes: typed_data
initializes: decisions[typed_data := typed_data]

exports: (
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    decisions.approve_decision,
    decisions.veto_decision,
    decisions.propose_body,
    decisions.replace_body,
    decisions.body,
    decisions.decision,
    decisions.delay,
)


struct Parties:
    a: address
    b: address
    salt: bytes32


struct Channel:
    deposits: uint256
    withdrawn: uint256
    close: uint256
    sent_ab: uint256
    sent_ba: uint256
    locks_ab: bytes32
    locks_ba: bytes32


struct Voucher:
    payer: address
    nonce: uint256
    transferred: uint256
    locks_hash: bytes32


struct Lock:
    secret_hash: bytes32
    amount: uint256
    expiry_block: uint256


struct Signature:
    r: uint256
    vs: uint256


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


event Closing:
    id: indexed(bytes32)
    by: indexed(address)
    settle_block: uint256
    settle_time: uint256


event Submitted:
    id: indexed(bytes32)
    payer: indexed(address)
    nonce: uint256
    transferred: uint256


event Settled:
    id: indexed(bytes32)
    payout_a: uint256
    payout_b: uint256


event Revealed:
    secret_hash: indexed(bytes32)
    secret: bytes32


event Claimed:
    account: indexed(address)
    amount: uint256


event DayRootPosted:
    hub: indexed(address)
    day: indexed(uint256)
    root: bytes32


event Paused:
    by: indexed(address)


event Unpaused:
    pass


AMOUNT_BITS: constant(uint256) = 112
AMOUNT_MASK: constant(uint256) = 2**112 - 1
# Set when a channel opens, and never cleared: an id is used once for ever.
USED: constant(uint256) = 2**224
OPEN: constant(uint256) = 2**225
CLOSING: constant(uint256) = 2**226
WITHDREW: constant(uint256) = 2**227

U64_MASK: constant(uint256) = 2**64 - 1
S_MASK: constant(uint256) = 2**255 - 1
# Eight pending payments per direction bound the work of settling.
LOCKS_MAX: constant(uint256) = 8
# A batch that stays well inside a block.
BATCH_MAX: constant(uint256) = 64
PAYMENT_HUB: constant(uint256) = 8
SECONDS_PER_DAY: constant(uint256) = 86_400

VOUCHER_TYPE: constant(bytes32) = keccak256(
    "Voucher(bytes32 channelId,address payer,uint256 nonce,uint256 transferred,bytes32 locksHash)"
)
RECEIPT_TYPE: constant(bytes32) = keccak256("Receipt(bytes32 channelId,bytes32 voucherHash)")
WITHDRAW_TYPE: constant(bytes32) = keccak256(
    "Withdraw(bytes32 channelId,address participant,uint256 total,uint256 deadline)"
)
COOPERATIVE_CLOSE_TYPE: constant(bytes32) = keccak256(
    "CooperativeClose(bytes32 channelId,uint256 payoutA,uint256 payoutB,uint256 deadline)"
)
LIFT_PAUSE_TYPE: constant(bytes32) = keccak256(
    "LiftPause(Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

asset: public(immutable(IERC20))
registry: public(immutable(IParticipantRegistry))
settle_blocks: public(immutable(uint256))
settle_seconds: public(immutable(uint256))

_channels: HashMap[bytes32, Channel]
# secret hash -> block in which the secret became known
revealed_at: public(HashMap[bytes32, uint256])
# What channels and credits hold together; the asset balance is never less.
held: public(uint256)
credit: public(HashMap[address, uint256])
day_root: public(HashMap[address, HashMap[uint256, bytes32]])
paused: public(bool)


@deploy
def __init__(
    asset_: IERC20,
    registry_: IParticipantRegistry,
    council: ICouncil,
    delay: uint256,
    settle_blocks_: uint256,
    settle_seconds_: uint256,
):
    """
    @param asset_ The token that is paid with.
    @param registry_ Who knows licences.
    @param council Whose guardian pauses.
    @param delay Seconds before a pause is lifted.
    @param settle_blocks_ Blocks between closing and settling, at least.
    @param settle_seconds_ Seconds between closing and settling, at least.
    """
    assert settle_blocks_ > 0 and settle_seconds_ > 0, "channels: no window"
    assert settle_blocks_ < 2**32 and settle_seconds_ < 2**32, "channels: window out of range"
    typed_data.__init__("Alatau CityChannels")
    decisions.__init__(council, delay)
    asset = asset_
    registry = registry_
    settle_blocks = settle_blocks_
    settle_seconds = settle_seconds_


# ------------------------------------------------------------------ reading


@external
@view
def channel_id(parties: Parties) -> bytes32:
    """
    @return The id of the channel between two parties; another salt is another channel.
    """
    return self._id(parties)


@external
@view
def channel(id: bytes32) -> Channel:
    """
    @return The seven words of a channel.
    """
    return self._channels[id]


@external
@view
def used(id: bytes32) -> bool:
    """
    @return Whether a channel with this id was ever opened.
    """
    return self._channels[id].deposits & USED != 0


# ------------------------------------------------------------------ opening and paying in


@external
def open(hub: address, salt: bytes32, amount: uint256) -> bytes32:
    """
    @notice Open a channel of the caller (a) with a licensed hub (b), and put the caller's money in.
    """
    assert not self.paused, "channels: paused"
    assert hub != msg.sender, "channels: one party"
    assert staticcall registry.licensed(hub, PAYMENT_HUB), "channels: hub not licensed"
    self._check_amount(amount)
    id: bytes32 = self._id(Parties(a=msg.sender, b=hub, salt=salt))
    assert self._channels[id].deposits == 0, "channels: id used"
    self._channels[id].deposits = USED | OPEN | amount
    self._take(amount)
    log Opened(id=id, a=msg.sender, b=hub, salt=salt, amount=amount)
    return id


@external
def deposit(parties: Parties, amount: uint256):
    """
    @notice A party puts more money in.
    """
    assert not self.paused, "channels: paused"
    self._check_amount(amount)
    id: bytes32 = self._id(parties)
    word: uint256 = self._channels[id].deposits
    assert word & OPEN != 0, "channels: not open"
    if msg.sender == parties.a:
        self._check_amount((word & AMOUNT_MASK) + amount)
        word += amount
    else:
        assert msg.sender == parties.b, "channels: not a party"
        self._check_amount(((word >> AMOUNT_BITS) & AMOUNT_MASK) + amount)
        word += amount << AMOUNT_BITS
    self._channels[id].deposits = word
    self._take(amount)
    log Deposited(id=id, party=msg.sender, amount=amount)


@external
def withdraw(parties: Parties, total: uint256, deadline: uint256, consent: Signature):
    """
    @notice A party takes money out of an open channel with the other's consent.
    @param total All that the party ever withdrew, this time included.
    """
    assert block.timestamp <= deadline, "channels: too late"
    id: bytes32 = self._id(parties)
    deposits: uint256 = self._channels[id].deposits
    assert deposits & OPEN != 0, "channels: not open"
    other: address = parties.b
    offset: uint256 = 0
    if msg.sender == parties.b:
        other = parties.a
        offset = AMOUNT_BITS
    else:
        assert msg.sender == parties.a, "channels: not a party"
    digest: bytes32 = typed_data._digest(
        keccak256(abi_encode(WITHDRAW_TYPE, id, msg.sender, total, deadline))
    )
    assert self._signed(digest, other, consent), "channels: bad signature"
    withdrawn: uint256 = self._channels[id].withdrawn
    before: uint256 = (withdrawn >> offset) & AMOUNT_MASK
    assert total > before, "channels: withdrawn already"
    amount: uint256 = total - before
    assert amount <= self._total(deposits, withdrawn), "channels: more than there is"
    self._channels[id].withdrawn = withdrawn + (amount << offset)
    self._channels[id].deposits = deposits | WITHDREW
    self.held -= amount
    asset_transfer._push(asset, msg.sender, amount)
    log Withdrawn(id=id, party=msg.sender, amount=amount)


# ------------------------------------------------------------------ closing


@external
def close_cooperatively(
    parties: Parties,
    payout_a: uint256,
    payout_b: uint256,
    deadline: uint256,
    signature_a: Signature,
    signature_b: Signature,
):
    """
    @notice Settle at once as both agree; anyone may carry the agreement.
    """
    assert block.timestamp <= deadline, "channels: too late"
    id: bytes32 = self._id(parties)
    deposits: uint256 = self._channels[id].deposits
    assert deposits & (OPEN | CLOSING) != 0, "channels: not open"
    digest: bytes32 = typed_data._digest(
        keccak256(abi_encode(COOPERATIVE_CLOSE_TYPE, id, payout_a, payout_b, deadline))
    )
    assert self._signed(digest, parties.a, signature_a), "channels: bad signature of a"
    assert self._signed(digest, parties.b, signature_b), "channels: bad signature of b"
    withdrawn: uint256 = 0
    if deposits & WITHDREW != 0:
        withdrawn = self._channels[id].withdrawn
    assert payout_a + payout_b == self._total(deposits, withdrawn), "channels: payouts do not add up"
    self._finish(id, parties, payout_a, payout_b)


@external
def close(parties: Parties, voucher: Voucher, signed: Signature, receipt: Signature):
    """
    @notice A party starts the settlement, with the newest voucher it holds; nonce 0 for none. The window in
            which both may submit begins.
    """
    assert msg.sender == parties.a or msg.sender == parties.b, "channels: not a party"
    id: bytes32 = self._id(parties)
    deposits: uint256 = self._channels[id].deposits
    assert deposits & OPEN != 0, "channels: not open"
    self._channels[id].deposits = deposits ^ (OPEN | CLOSING)
    settle_block: uint256 = block.number + settle_blocks
    settle_time: uint256 = block.timestamp + settle_seconds
    word: uint256 = settle_block | (settle_time << 64)
    if voucher.nonce != 0:
        word = self._accept(id, parties, voucher, signed, receipt, word)
    self._channels[id].close = word
    log Closing(id=id, by=msg.sender, settle_block=settle_block, settle_time=settle_time)


@external
def submit(parties: Parties, voucher: Voucher, signed: Signature, receipt: Signature):
    """
    @notice Bring a newer voucher while the channel is closing. Its payee needs no receipt; anyone else, a
            watchtower for instance, brings the payee's.
    """
    id: bytes32 = self._id(parties)
    assert self._channels[id].deposits & CLOSING != 0, "channels: not closing"
    word: uint256 = self._channels[id].close
    self._channels[id].close = self._accept(id, parties, voucher, signed, receipt, word)


@external
def reveal(secret: bytes32):
    """
    @notice Make a secret known; locks that wait for it pay if their expiry is not past.
    """
    secret_hash: bytes32 = keccak256(secret)
    assert self.revealed_at[secret_hash] == 0, "channels: known already"
    self.revealed_at[secret_hash] = block.number
    log Revealed(secret_hash=secret_hash, secret=secret)


@external
def settle(
    parties: Parties, locks_ab: DynArray[Lock, LOCKS_MAX], locks_ba: DynArray[Lock, LOCKS_MAX]
):
    """
    @notice After the window, credit both; anyone may. The lists are those whose hashes were submitted.
    """
    self._settle(parties, locks_ab, locks_ba)


@external
def settle_many(channels: DynArray[Parties, BATCH_MAX]):
    """
    @notice Settle channels without pending locks, for a mass exit. Those not ripe are passed over, so that
            nobody can spoil a batch by settling one of its channels first.
    """
    for parties: Parties in channels:
        if self._ripe(self._id(parties)):
            self._settle(parties, [], [])


@external
def claim(account: address):
    """
    @notice Pay an account what is credited to it; anyone may. A freeze is the token's matter.
    """
    amount: uint256 = self.credit[account]
    assert amount > 0, "channels: no credit"
    self.credit[account] = 0
    self.held -= amount
    asset_transfer._push(asset, account, amount)
    log Claimed(account=account, amount=amount)


# ------------------------------------------------------------------ oversight


@external
def post_day_root(day: uint256, root: bytes32):
    """
    @notice A hub commits to its book of a past day (days since 1970), once.
    """
    assert staticcall registry.licensed(msg.sender, PAYMENT_HUB), "channels: hub not licensed"
    assert day < block.timestamp // SECONDS_PER_DAY, "channels: the day is not over"
    assert root != empty(bytes32), "channels: no root"
    assert self.day_root[msg.sender][day] == empty(bytes32), "channels: posted already"
    self.day_root[msg.sender][day] = root
    log DayRootPosted(hub=msg.sender, day=day, root=root)


@external
def pause():
    """
    @notice The guardian stops opening and depositing at once.
    """
    assert msg.sender == staticcall decisions.body.guardian(), "only the guardian"
    self.paused = True
    log Paused(by=msg.sender)


@external
def propose_unpause(terms: decisions.Terms) -> bytes32:
    """
    @notice Put the end of the pause before the council.
    """
    id: bytes32 = self._unpause_id(terms)
    decisions._open(id, terms, decisions.delay)
    return id


@external
def unpause(terms: decisions.Terms):
    """
    @notice Lift the pause by an approved and ripe decision; anyone may.
    """
    decisions._consume(self._unpause_id(terms))
    self.paused = False
    log Unpaused()


# ------------------------------------------------------------------ inside


@internal
@view
def _id(parties: Parties) -> bytes32:
    return keccak256(abi_encode(chain.id, self, parties.a, parties.b, parties.salt))


@internal
@pure
def _check_amount(amount: uint256):
    assert amount <= AMOUNT_MASK, "channels: amount out of range"


@internal
@pure
def _total(deposits: uint256, withdrawn: uint256) -> uint256:
    """
    @return What a channel holds.
    """
    paid_in: uint256 = (deposits & AMOUNT_MASK) + ((deposits >> AMOUNT_BITS) & AMOUNT_MASK)
    return paid_in - (withdrawn & AMOUNT_MASK) - ((withdrawn >> AMOUNT_BITS) & AMOUNT_MASK)


@internal
def _take(amount: uint256):
    if amount > 0:
        self.held += amount
        asset_transfer._pull(asset, msg.sender, amount)


@internal
@view
def _signed(digest: bytes32, signer: address, given: Signature) -> bool:
    recovered: address = signature._recover_parts(
        digest, 27 + (given.vs >> 255), given.r, given.vs & S_MASK
    )
    return recovered != empty(address) and recovered == signer


@internal
def _accept(
    id: bytes32,
    parties: Parties,
    voucher: Voucher,
    signed: Signature,
    receipt: Signature,
    close_word: uint256,
) -> uint256:
    """
    @dev Check a voucher, note its amounts, and return the close word with its nonce.
    """
    forward: bool = voucher.payer == parties.a
    payee: address = parties.b
    offset: uint256 = 128
    if not forward:
        assert voucher.payer == parties.b, "channels: not a party"
        payee = parties.a
        offset = 192
    assert voucher.nonce <= U64_MASK, "channels: nonce out of range"
    assert voucher.nonce > (close_word >> offset) & U64_MASK, "channels: not newer"
    self._check_amount(voucher.transferred)
    voucher_hash: bytes32 = keccak256(
        abi_encode(
            VOUCHER_TYPE,
            id,
            voucher.payer,
            voucher.nonce,
            voucher.transferred,
            voucher.locks_hash,
        )
    )
    digest: bytes32 = typed_data._digest(voucher_hash)
    assert self._signed(digest, voucher.payer, signed), "channels: bad signature"
    if msg.sender != payee:
        digest = typed_data._digest(keccak256(abi_encode(RECEIPT_TYPE, id, voucher_hash)))
        assert self._signed(digest, payee, receipt), "channels: bad receipt"
    if forward:
        self._channels[id].sent_ab = voucher.transferred
        if voucher.locks_hash != self._channels[id].locks_ab:
            self._channels[id].locks_ab = voucher.locks_hash
    else:
        self._channels[id].sent_ba = voucher.transferred
        if voucher.locks_hash != self._channels[id].locks_ba:
            self._channels[id].locks_ba = voucher.locks_hash
    log Submitted(
        id=id, payer=voucher.payer, nonce=voucher.nonce, transferred=voucher.transferred
    )
    return (close_word & ~(U64_MASK << offset)) | (voucher.nonce << offset)


@internal
@view
def _ripe(id: bytes32) -> bool:
    if self._channels[id].deposits & CLOSING == 0:
        return False
    word: uint256 = self._channels[id].close
    if (word >> 128) & U64_MASK != 0 and self._channels[id].locks_ab != empty(bytes32):
        return False
    if word >> 192 != 0 and self._channels[id].locks_ba != empty(bytes32):
        return False
    return block.number >= word & U64_MASK and block.timestamp >= (word >> 64) & U64_MASK


@internal
def _settle(
    parties: Parties, locks_ab: DynArray[Lock, LOCKS_MAX], locks_ba: DynArray[Lock, LOCKS_MAX]
):
    id: bytes32 = self._id(parties)
    deposits: uint256 = self._channels[id].deposits
    assert deposits & CLOSING != 0, "channels: not closing"
    word: uint256 = self._channels[id].close
    assert block.number >= word & U64_MASK, "channels: window open (blocks)"
    assert block.timestamp >= (word >> 64) & U64_MASK, "channels: window open (seconds)"
    withdrawn: uint256 = 0
    if deposits & WITHDREW != 0:
        withdrawn = self._channels[id].withdrawn
    total: uint256 = self._total(deposits, withdrawn)
    # A direction without a voucher (nonce 0) has nothing to read.
    sent_ab: uint256 = 0
    if (word >> 128) & U64_MASK != 0:
        sent_ab = self._channels[id].sent_ab
        sent_ab += self._unlocked(self._channels[id].locks_ab, locks_ab)
        self._channels[id].sent_ab = 0
    sent_ba: uint256 = 0
    if word >> 192 != 0:
        sent_ba = self._channels[id].sent_ba
        sent_ba += self._unlocked(self._channels[id].locks_ba, locks_ba)
        self._channels[id].sent_ba = 0
    self._channels[id].close = 0
    # Sums of 112-bit numbers: far from the edge of 256 bits.
    gained: uint256 = (deposits & AMOUNT_MASK) + sent_ba
    spent: uint256 = (withdrawn & AMOUNT_MASK) + sent_ab
    payout_a: uint256 = 0
    if gained > spent:
        payout_a = min(gained - spent, total)
    self._finish(id, parties, payout_a, total - payout_a)


@internal
@view
def _unlocked(locks_hash: bytes32, locks: DynArray[Lock, LOCKS_MAX]) -> uint256:
    """
    @return What pending payments pay because their secrets were revealed in time.
    """
    if locks_hash == empty(bytes32):
        return 0
    assert keccak256(abi_encode(locks)) == locks_hash, "channels: other locks were signed"
    unlocked: uint256 = 0
    for pending: Lock in locks:
        revealed: uint256 = self.revealed_at[pending.secret_hash]
        if revealed != 0 and revealed <= pending.expiry_block:
            # A signed lock of absurd size is worth what the channel holds, and must not block settling.
            unlocked += min(pending.amount, AMOUNT_MASK)
    return unlocked


@internal
def _finish(id: bytes32, parties: Parties, payout_a: uint256, payout_b: uint256):
    """
    @dev Money moves from the channel to credits: `held` stays.
    """
    self._channels[id].deposits = USED
    if payout_a > 0:
        self.credit[parties.a] += payout_a
    if payout_b > 0:
        self.credit[parties.b] += payout_b
    log Settled(id=id, payout_a=payout_a, payout_b=payout_b)


@internal
@view
def _unpause_id(terms: decisions.Terms) -> bytes32:
    return typed_data._digest(keccak256(abi_encode(LIFT_PAUSE_TYPE, decisions._terms_hash(terms))))
