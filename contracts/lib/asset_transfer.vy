# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Moving tokens in and out without trusting them
@notice A token may return true, false or nothing, take a fee, or lie. Money in counts only if the balance rose by
        the whole amount; money out that fails reverts. Balances are compared, never used as accounts: donations
        count for nobody.
"""

from ethereum.ercs import IERC20
from ..interfaces import IAuthorizedTransfers


@internal
def _pull(asset: IERC20, owner: address, amount: uint256):
    """
    @dev Take `amount` from `owner`, who has allowed it.
    """
    before: uint256 = staticcall asset.balanceOf(self)
    assert extcall asset.transferFrom(owner, self, amount, default_return_value=True), "asset: refused"
    assert staticcall asset.balanceOf(self) >= before + amount, "asset: did not arrive whole"


@internal
def _pull_signed(asset: IERC20, given: IAuthorizedTransfers.Authorization, signed: Bytes[1024]):
    """
    @dev Take what its owner has signed away to this contract.
    """
    before: uint256 = staticcall asset.balanceOf(self)
    extcall IAuthorizedTransfers(asset.address).receive_signed(given, signed)
    assert staticcall asset.balanceOf(self) >= before + given.amount, "asset: did not arrive whole"


@internal
def _push(asset: IERC20, receiver: address, amount: uint256):
    """
    @dev Pay `amount` to `receiver`. The caller has written its books before.
    """
    assert extcall asset.transfer(receiver, amount, default_return_value=True), "asset: refused"
