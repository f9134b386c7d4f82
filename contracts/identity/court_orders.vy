# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Court orders that freeze money: each counts for itself
@notice An account is under the sum of all orders that run. A later order lifts no earlier one, and each is released
        by its own hash; the same hash again amends that order.
"""

from ..interfaces import IParticipantRegistry


event Frozen:
    account: indexed(address)
    order_hash: indexed(bytes32)
    amount: uint256
    expires: uint256


event Released:
    account: indexed(address)
    order_hash: indexed(bytes32)


# Enough for every court that may look for one person's money at once; each is read for every payment of it.
ORDERS_MAX: constant(uint256) = 8
TIME_MAX: constant(uint256) = 2**64 - 1

_orders: HashMap[address, DynArray[IParticipantRegistry.Order, ORDERS_MAX]]


@internal
@view
def _running(account: address) -> DynArray[IParticipantRegistry.Order, ORDERS_MAX]:
    """
    @param account Whose.
    @return The orders that hold now, oldest first.
    """
    found: DynArray[IParticipantRegistry.Order, ORDERS_MAX] = []
    for order: IParticipantRegistry.Order in self._orders[account]:
        if block.timestamp < order.expires:
            found.append(order)
    return found


@internal
@view
def _frozen(account: address) -> uint256:
    """
    @param account Whose.
    @return What all running orders hold together, 2**256 - 1 if it is more.
    """
    sum: uint256 = 0
    for order: IParticipantRegistry.Order in self._orders[account]:
        if block.timestamp < order.expires:
            sum += min(order.amount, max_value(uint256) - sum)
    return sum


@internal
def _impose(account: address, order: IParticipantRegistry.Order) -> uint256:
    """
    @param account Whose money.
    @param order What is held, and until when.
    @return The second at which the last of all running orders ends.
    """
    assert order.order_hash != empty(bytes32), "freeze: no order"
    assert order.amount > 0, "freeze: no amount"
    assert order.expires > block.timestamp and order.expires <= TIME_MAX, "freeze: expired"
    kept: DynArray[IParticipantRegistry.Order, ORDERS_MAX] = self._without(account, order.order_hash)
    assert len(kept) < ORDERS_MAX, "freeze: too many orders"
    kept.append(order)
    self._orders[account] = kept
    log Frozen(
        account=account, order_hash=order.order_hash, amount=order.amount, expires=order.expires
    )
    return self._latest(kept)


@internal
def _lift(account: address, order_hash: bytes32) -> uint256:
    """
    @param account Whose money.
    @param order_hash Which order.
    @return The second at which the last of the others ends, 0 if there is none.
    """
    known: bool = False
    for order: IParticipantRegistry.Order in self._orders[account]:
        known = known or order.order_hash == order_hash
    assert known, "freeze: none"
    kept: DynArray[IParticipantRegistry.Order, ORDERS_MAX] = self._without(account, order_hash)
    self._orders[account] = kept
    log Released(account=account, order_hash=order_hash)
    return self._latest(kept)


@internal
@view
def _without(account: address, order_hash: bytes32) -> DynArray[IParticipantRegistry.Order, ORDERS_MAX]:
    """
    @dev What has expired goes too: an account's list never grows past what runs.
    """
    kept: DynArray[IParticipantRegistry.Order, ORDERS_MAX] = []
    for order: IParticipantRegistry.Order in self._orders[account]:
        if block.timestamp < order.expires and order.order_hash != order_hash:
            kept.append(order)
    return kept


@internal
@pure
def _latest(orders: DynArray[IParticipantRegistry.Order, ORDERS_MAX]) -> uint256:
    end: uint256 = 0
    for order: IParticipantRegistry.Order in orders:
        end = max(end, order.expires)
    return end
