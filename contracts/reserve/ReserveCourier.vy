# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title ReserveCourier: carries what one vault has released into another, with its provenance, and nowhere else
@notice A vault pays to addresses and books what its custodian or court brings. To move a reserve to a successor, both
        councils allow this contract as a destination of the old vault, and grant it a role in the new one: custodian for
        what is the reserve's, court (another courier) for what was forfeited. Then every release to it is one that was
        proposed, approved, delayed and limited like any other, and anyone carries it on.

            old vault -- release, executed --> courier -- carry (anyone, once) --> new vault, same provenance and case

        With an exchange, the old money of a token that is replaced arrives as the new one; the two vaults may then be one.

        Who can stop what:
        * the guardian and the councils of the old vault stop a release, as ever;
        * the councils of the new vault withdraw this contract's role: what is here then waits for it;
        * nobody takes anything out of here: it has no owner, and no function but this one.
@dev Once per decision, by the decision's own amount: a donation moves nobody's books and stays here.
"""

from ethereum.ercs import IERC20
from ..lib import decisions


struct Intent:
    asset: address
    to: address
    amount: uint256
    provenance: uint256
    purpose: String[128]
    legal_basis_hash: bytes32
    case_id: bytes32
    terms: decisions.Terms


interface IReleasingVault:
    def decision(id: bytes32) -> decisions.Decision: view
    def intent(id: bytes32) -> Intent: view


interface IBookingVault:
    def deposit(asset: address, amount: uint256, provenance: uint256, case_id: bytes32): nonpayable
    def deposit_native(provenance: uint256, case_id: bytes32): payable


interface ITokenExchange:
    def old_token() -> address: view
    def new_token() -> address: view
    def exchange(amount: uint256): nonpayable


event Carried:
    id: indexed(bytes32)
    asset: indexed(address)
    amount: uint256


NATIVE: constant(address) = empty(address)

predecessor: public(immutable(IReleasingVault))
successor: public(immutable(IBookingVault))
exchange: public(immutable(ITokenExchange))
# release of the predecessor -> whether it was carried on
carried: public(HashMap[bytes32, bool])


@deploy
def __init__(predecessor_: IReleasingVault, successor_: IBookingVault, exchange_: ITokenExchange):
    """
    @param predecessor_ The vault that releases.
    @param successor_ The vault that books: another one, or the same where a token is exchanged.
    @param exchange_ Where the predecessor's token becomes another; zero for none.
    """
    predecessor = predecessor_
    successor = successor_
    exchange = exchange_


@external
@payable
def __default__():
    """
    @notice Native assets come from the predecessor alone.
    """
    assert msg.sender == predecessor.address, "courier: not from the vault"


@external
def carry(id: bytes32):
    """
    @notice Book a release of the predecessor in the successor; anyone may.
    @param id The release's decision: to this contract, executed, and not carried yet.
    """
    assert not self.carried[id], "courier: carried already"
    decision: decisions.Decision = staticcall predecessor.decision(id)
    intent: Intent = staticcall predecessor.intent(id)
    executed: bool = decision.state == decisions.State.EXECUTED
    assert executed and intent.to == self and intent.amount > 0, "courier: not released to it"
    self.carried[id] = True
    if intent.asset == NATIVE:
        extcall successor.deposit_native(intent.provenance, intent.case_id, value=intent.amount)
        log Carried(id=id, asset=NATIVE, amount=intent.amount)
        return
    asset: address = intent.asset
    if exchange.address != empty(address) and asset == staticcall exchange.old_token():
        self._allow(asset, exchange.address, intent.amount)
        extcall exchange.exchange(intent.amount)
        asset = staticcall exchange.new_token()
    self._allow(asset, successor.address, intent.amount)
    extcall successor.deposit(asset, intent.amount, intent.provenance, intent.case_id)
    log Carried(id=id, asset=asset, amount=intent.amount)


@internal
def _allow(asset: address, spender: address, amount: uint256):
    """
    @dev As in `asset_transfer`: a token that returns nothing has agreed, one that returns false has not.
    """
    agreed: bool = extcall IERC20(asset).approve(spender, amount, default_return_value=True)
    assert agreed, "courier: token refused"
