# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Money comes into being within issuers' allowances and what is attested behind it, and goes by its holder's hand
"""

from ..interfaces import IReserveBacking
from . import allowances
from . import balances

uses: allowances
uses: balances


struct IssuerGrant:
    issuer: address
    allowance: uint256


event Issued:
    issuer: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Redeemed:
    holder: indexed(address)
    amount: uint256


event IssuerAllowanceChanged:
    issuer: indexed(address)
    allowance: uint256


event ReserveChanged:
    reserve: indexed(address)
    mintable: uint256


# What an issuer may still mint.
issuer_allowance: public(HashMap[address, uint256])
# What must stand behind the supply before more is minted; the zero address for a token that nothing backs.
reserve: public(IReserveBacking)


@deploy
def __init__(issuers: DynArray[IssuerGrant, 8], reserve: IReserveBacking):
    """
    @param issuers First issuers and what each may mint.
    @param reserve What must stand behind the supply before more is minted; zero for a token that nothing backs.
    """
    self.reserve = reserve
    for grant: IssuerGrant in issuers:
        self._set_allowance(grant.issuer, grant.allowance)


@external
def mint(receiver: address, amount: uint256):
    """
    @notice Issue money within the caller's allowance.
    @param receiver As in `transfer`.
    @param amount Token units, more than 0, at most `issuer_allowance` of the caller and `mintable`.
    """
    allowed: uint256 = self.issuer_allowance[msg.sender]
    assert allowed >= amount and amount > 0, "token: issuer allowance"
    self.issuer_allowance[msg.sender] = unsafe_sub(allowed, amount)
    mintable: uint256 = self._mintable()
    balances._create(receiver, amount)
    # After the supply's own bound, whose message is the clearer one where nothing backs the token.
    assert amount <= mintable, "token: beyond attested backing"
    log Issued(issuer=msg.sender, receiver=receiver, amount=amount)


@external
@view
def mintable() -> uint256:
    """
    @return What all issuers together could mint now, as far as the reserve goes; 2**128 - 1 less the supply if none
            is set.
    """
    return self._mintable()


@external
def burn(amount: uint256):
    """
    @notice Redeem: a holder destroys its own money, also during a pause. What is under freeze stays.
    @param amount Token units.
    """
    balances._destroy(msg.sender, amount)
    log Redeemed(holder=msg.sender, amount=amount)


@external
def burn_from(owner: address, amount: uint256):
    """
    @notice Destroy what an owner has allowed the caller to take: whoever gives him as much elsewhere pays nobody by it, so
            that it counts against no limit. A pause, or a standing that stops his payments, stops this too.
    @param owner Whose money.
    @param amount Token units, at most what the owner allows the caller.
    """
    allowances._spend(owner, amount)
    balances._destroy_for(owner, amount)
    log Redeemed(holder=owner, amount=amount)


@internal
def _set_allowance(issuer: address, allowance: uint256):
    self.issuer_allowance[issuer] = allowance
    log IssuerAllowanceChanged(issuer=issuer, allowance=allowance)


@internal
def _set_reserve(reserve: IReserveBacking):
    """
    @param reserve Decided by the council; zero takes the gate away.
    """
    if reserve.address != empty(address):
        assert reserve.address.is_contract, "token: no reserve there"
    self.reserve = reserve
    # Asked at once: a contract that does not answer would end minting.
    log ReserveChanged(reserve=reserve.address, mintable=self._mintable())


@internal
@view
def _mintable() -> uint256:
    limit: uint256 = balances.BALANCE_MASK
    if self.reserve.address != empty(address):
        limit = min(limit, staticcall self.reserve.backing(self))
    supply: uint256 = balances.totalSupply
    if limit <= supply:
        return 0
    return limit - supply
