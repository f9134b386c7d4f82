# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title TokenExchange: one for one from a token that is replaced to its successor
@notice The old money is burnt and as much new money is issued to the same holder, in one transaction, so that at every
        moment what both tokens owe together is what the old one owed. The council makes this contract an issuer of the new
        token, with an allowance of the old one's supply, and takes the old issuers' allowances.

        Who can stop what:
        * the guardian of either token pauses it, for a week: then nothing is exchanged;
        * the council lowers this contract's allowance at once;
        * what a court has frozen stays in the old token until the court releases it, or recovers it;
        * nobody exchanges for a holder who has not allowed it, and nobody is paid but the holder.
"""


interface IReplacedToken:
    def burn_from(owner: address, amount: uint256): nonpayable
    def decimals() -> uint8: view


interface IIssuedToken:
    def mint(receiver: address, amount: uint256): nonpayable
    def decimals() -> uint8: view


event Exchanged:
    owner: indexed(address)
    amount: uint256


old_token: public(immutable(IReplacedToken))
new_token: public(immutable(IIssuedToken))


@deploy
def __init__(old: IReplacedToken, new: IIssuedToken):
    """
    @param old The token that is replaced.
    @param new Its successor, in the same unit.
    """
    assert old.address != new.address, "exchange: one token"
    assert staticcall old.decimals() == staticcall new.decimals(), "exchange: other units"
    old_token = old
    new_token = new


@external
def exchange(amount: uint256):
    """
    @notice Exchange the caller's old money, which it has allowed this contract to take.
    @param amount How much of it.
    """
    self._exchange(msg.sender, amount)


@external
def exchange_for(
    owner: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32
):
    """
    @notice The same for a holder who has signed a permit of the old token (EIP-2612); anyone may carry it, so that no
            holder needs a transaction of his own.
    @param owner The holder, who gets the new money.
    @param amount As signed.
    @param deadline As signed.
    @param v Signature's v.
    @param r Signature's r.
    @param s Signature's s.
    """
    # Somebody may have shown the permit to the token already: then the allowance is there, and that is what counts.
    shown: bool = raw_call(
        old_token.address,
        abi_encode(
            owner,
            self,
            amount,
            deadline,
            v,
            r,
            s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
    self._exchange(owner, amount)


@internal
def _exchange(owner: address, amount: uint256):
    extcall old_token.burn_from(owner, amount)
    extcall new_token.mint(owner, amount)
    log Exchanged(owner=owner, amount=amount)
