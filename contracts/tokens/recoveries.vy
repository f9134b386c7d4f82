# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Money that a court moves, as CourtRecoveries has it decided
"""

from . import balances
from . import frozen_money

uses: balances
uses: frozen_money


event Recovered:
    source: indexed(address)
    receiver: indexed(address)
    order_hash: indexed(bytes32)
    amount: uint256


event RecoveriesChanged:
    recoveries: indexed(address)


# The contract in which courts propose and the council approves; the zero address for none.
court_recoveries: public(address)


@deploy
def __init__(recoveries: address):
    """
    @param recoveries Who may have money moved; CourtRecoveries of this token.
    """
    self._set_recoveries(recoveries)


@external
def recover(source: address, receiver: address, amount: uint256, order_hash: bytes32):
    """
    @notice Move what a court's order holds, also during a pause; CourtRecoveries alone may, when it is decided.
    @param source Whose money.
    @param receiver Who gets it, whatever its cap.
    @param amount Token units, which the order holds no more.
    @param order_hash The order.
    """
    assert msg.sender == self.court_recoveries, "only CourtRecoveries"
    frozen_money.recovered[source][order_hash] += amount
    balances._seize(source, receiver, amount)
    log Recovered(source=source, receiver=receiver, order_hash=order_hash, amount=amount)


@internal
def _set_recoveries(recoveries: address):
    """
    @param recoveries Who may have money moved from now on; zero for nobody.
    """
    self.court_recoveries = recoveries
    log RecoveriesChanged(recoveries=recoveries)
