# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title What courts hold of an account's money, less what was moved by their orders
"""

from ..interfaces import IParticipantRegistry

# account -> court order -> what was moved by it, at most what it froze
recovered: public(HashMap[address, HashMap[bytes32, uint256]])


@internal
@view
def _check_thawed(registry: IParticipantRegistry, account: address, rest: uint256):
    """
    @dev What was recovered by an order it holds no more.
    @param registry Who knows the orders.
    @param account Under at least one court order.
    @param rest What the account would have left: all that its orders still hold.
    """
    orders: DynArray[IParticipantRegistry.Order, 8] = staticcall registry.court_orders_of(account)
    for order: IParticipantRegistry.Order in orders:
        held: uint256 = order.amount - min(order.amount, self.recovered[account][order.order_hash])
        assert rest >= held, "token: frozen"
        rest = unsafe_sub(rest, held)
