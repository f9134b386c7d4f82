# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Who remembers standings is told in the same transaction when a right shrinks
@notice Who is no listener is told to remember nothing. A listener that fails is reported and passed over.
"""

from ..interfaces import IStatusListener


event ListenerChanged:
    listener: indexed(address)
    listening: bool


event ListenerFailed:
    listener: indexed(address)
    account: indexed(address)


LISTENERS_MAX: constant(uint256) = 8
# Forgetting one entry writes one slot; a listener cannot burn more than this.
LISTENER_GAS: constant(uint256) = 100_000

listeners: public(DynArray[IStatusListener, LISTENERS_MAX])


@internal
@view
def _listens(account: address) -> bool:
    for listener: IStatusListener in self.listeners:
        if listener.address == account:
            return True
    return False


@internal
def _add(listener: IStatusListener):
    self._take_out(listener.address)
    self.listeners.append(listener)
    log ListenerChanged(listener=listener.address, listening=True)


@internal
def _remove(listener: IStatusListener):
    # What it remembers it would remember for ever.
    if self._listens(listener.address):
        self._tell(listener, empty(address))
    self._take_out(listener.address)
    log ListenerChanged(listener=listener.address, listening=False)


@internal
def _take_out(gone: address):
    kept: DynArray[IStatusListener, LISTENERS_MAX] = []
    for listener: IStatusListener in self.listeners:
        if listener.address != gone:
            kept.append(listener)
    self.listeners = kept


@internal
def _tell_all(account: address):
    """
    @param account Whose standing shrank; the zero address for everyone's.
    """
    for listener: IStatusListener in self.listeners:
        self._tell(listener, account)


@internal
def _tell(listener: IStatusListener, account: address):
    """
    @dev A listener that fails must not keep a suspension from happening: it is reported and passed over.
    """
    data: Bytes[36] = abi_encode(account, method_id=method_id("invalidate(address)"))
    if account == empty(address):
        data = method_id("invalidate_all()")
    # Else whoever calls could starve the listener and still succeed himself.
    assert msg.gas >= 2 * LISTENER_GAS, "registry: too little gas"
    success: bool = raw_call(listener.address, data, gas=LISTENER_GAS, revert_on_failure=False)
    if not success:
        log ListenerFailed(listener=listener.address, account=account)
