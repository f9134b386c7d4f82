# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Successors of accounts whose keys are lost or whose registration has ended
@notice What other contracts owe an account that cannot receive any more they pay to its successor. A succession
        waits for the delay, in which the guardian vetoes and the registrar takes back; after it, it stands until
        the registrar names another, which waits again.
"""

struct Succession:
    successor: address
    ready_at: uint256


event SuccessorNamed:
    account: indexed(address)
    successor: indexed(address)
    ready_at: uint256


event SuccessorRefused:
    account: indexed(address)
    successor: indexed(address)
    by: indexed(address)


succession: public(HashMap[address, Succession])


@internal
@view
def _successor_of(account: address) -> address:
    """
    @return Where money due to a lost or deregistered account goes now, zero for none: also while the delay has not
            passed.
    """
    named: Succession = self.succession[account]
    if named.ready_at == 0 or block.timestamp < named.ready_at:
        return empty(address)
    return named.successor


@internal
def _name(account: address, successor: address, ready_at: uint256):
    """
    @param account Who cannot receive any more.
    @param successor Who receives instead.
    @param ready_at Second from which it does.
    """
    assert successor != empty(address) and successor != account, "succession: no successor"
    assert self.succession[account].successor != successor, "succession: named already"
    self.succession[account] = Succession(successor=successor, ready_at=ready_at)
    log SuccessorNamed(account=account, successor=successor, ready_at=ready_at)


@internal
def _refuse(account: address):
    """
    @param account Whose succession ends, ripe or not; only the registrar ends a ripe one.
    """
    successor: address = self.succession[account].successor
    assert successor != empty(address), "succession: none"
    self.succession[account] = empty(Succession)
    log SuccessorRefused(account=account, successor=successor, by=msg.sender)
