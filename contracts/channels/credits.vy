# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Money that belongs to accounts and waits to be claimed
@notice Settlements credit; claims pay. One account's trouble is its own, and none is for ever:

        * a receiver above its tier's cap claims in parts, or orders its credit to another account of its;
        * a lost or deregistered account's credit goes to the successor that the registrar names in the registry,
          after a delay and unless vetoed;
        * what a court has frozen cannot be ordered elsewhere: it can be claimed to the account itself, where the
          token holds it. An order needs an account in good standing.
@dev Amounts are kept with a bit above them that is never cleared, so that a slot is paid for once.
"""

from ethereum.ercs import IERC20
from ..interfaces import IAuthorizedTransfers
from ..interfaces import IParticipantRegistry
from ..interfaces import ITravelThreshold
from ..lib import asset_transfer
from . import evidence

uses: evidence


struct SignedMoney:
    owner: address
    amount: uint256
    valid_after: uint256
    valid_before: uint256
    signed: Bytes[1024]


event Claimed:
    account: indexed(address)
    receiver: indexed(address)
    amount: uint256


KEPT: constant(uint256) = 1 << 255
AMOUNT: constant(uint256) = (1 << 255) - 1

asset: public(immutable(IERC20))
registry: public(immutable(IParticipantRegistry))

_held: uint256
_credit: HashMap[address, uint256]
# account -> orders that it had carried out
claim_nonce: public(HashMap[address, uint256])


@deploy
def __init__(asset_: IERC20, registry_: IParticipantRegistry):
    """
    @param asset_ The token that is paid with.
    @param registry_ Who knows standings and successors.
    """
    asset = asset_
    registry = registry_
    self._held = KEPT
    # Nothing, to itself: the token notes this contract now, and not at the expense of whoever pays in first. A token
    # that refuses is none the worse.
    noted: bool = raw_call(
        asset_.address,
        abi_encode(self, empty(uint256), method_id=method_id("transfer(address,uint256)")),
        revert_on_failure=False,
    )


@external
@view
def held() -> uint256:
    """
    @return What channels and credits hold together; the asset balance is never less.
    """
    return self._held & AMOUNT


@external
@view
def credit(account: address) -> uint256:
    """
    @param account Whose.
    @return What the account may claim.
    """
    return self._credit[account] & AMOUNT


@external
def claim(account: address, amount: uint256 = max_value(uint256)):
    """
    @notice Pay an account what is credited to it; anyone may. A freeze is the token's matter.
    @param account Whose credit, and who is paid.
    @param amount At most this much, for an account that may not receive all at once.
    """
    self._pay(account, account, min(amount, self._credit[account] & AMOUNT))


@external
def claim_to(order: evidence.ClaimOrder, signed: Bytes[1024]):
    """
    @notice Pay an account's credit to another, as the account has signed; anyone may carry the order. From the token's
            threshold of travel records on, an account claims for itself and pays from there, with its record.
    @param order Account, receiver, amount, the account's next nonce, last second.
    @param signed The account's signature.
    """
    assert order.nonce == self.claim_nonce[order.account], "claim: nonce"
    evidence._check_order(order, signed)
    self._check_free(order.account)
    if order.receiver != order.account:
        threshold: uint256 = staticcall ITravelThreshold(asset.address).travel_threshold()
        assert order.amount < threshold, "claim: needs a travel record"
    self.claim_nonce[order.account] = order.nonce + 1
    self._pay(order.account, order.receiver, order.amount)


@external
def claim_for_successor(account: address, amount: uint256 = max_value(uint256)):
    """
    @notice Pay the credit of an account that cannot receive any more to its successor in the registry; anyone may.
    @param account Whose credit.
    @param amount At most this much.
    """
    successor: address = staticcall registry.successor_of(account)
    assert successor != empty(address), "claim: no successor"
    standing: IParticipantRegistry.Standing = staticcall registry.standing(account)
    assert standing.frozen == 0, "claim: frozen"
    self._pay(account, successor, min(amount, self._credit[account] & AMOUNT))


@internal
@view
def _check_free(account: address):
    """
    @param account Who wants to send its credit somewhere: in good standing, and not frozen by a court.
    """
    standing: IParticipantRegistry.Standing = staticcall registry.standing(account)
    assert standing.may_send, "claim: account not admitted"
    assert standing.frozen == 0, "claim: frozen"


@internal
def _add(account: address, amount: uint256):
    """
    @dev The money is in the contract already: `held` stays.
    @param account To whom it belongs.
    @param amount Token units.
    """
    if amount > 0:
        self._credit[account] = (self._credit[account] | KEPT) + amount


@internal
def _use(account: address, amount: uint256):
    """
    @param account Whose credit shrinks.
    @param amount By how much; `held` stays.
    """
    word: uint256 = self._credit[account]
    assert amount > 0 and amount <= word & AMOUNT, "channels: no credit"
    self._credit[account] = word - amount


@internal
def _pay(account: address, receiver: address, amount: uint256):
    """
    @param account Whose credit.
    @param receiver Who is paid.
    @param amount Token units.
    """
    self._use(account, amount)
    self._push(receiver, amount)
    log Claimed(account=account, receiver=receiver, amount=amount)


@internal
def _pull(amount: uint256):
    """
    @param amount What the caller pays in.
    """
    if amount > 0:
        self._held += amount
        asset_transfer._pull(asset, msg.sender, amount)


@internal
def _pull_signed(given: SignedMoney, nonce: bytes32):
    """
    @dev The signature is the owner's consent to whatever the nonce names, so that it is asked for with 0, too.
    @param given What its owner has signed away to this contract.
    @param nonce What it is for.
    """
    self._held += given.amount
    authorization: IAuthorizedTransfers.Authorization = IAuthorizedTransfers.Authorization(
        sender=given.owner,
        receiver=self,
        amount=given.amount,
        valid_after=given.valid_after,
        valid_before=given.valid_before,
        nonce=nonce,
    )
    asset_transfer._pull_signed(asset, authorization, given.signed)


@internal
def _push(receiver: address, amount: uint256):
    """
    @param receiver Who is paid.
    @param amount What leaves the contract.
    """
    self._held -= amount
    asset_transfer._push(asset, receiver, amount)
