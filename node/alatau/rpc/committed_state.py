"""The state after a block, or why it cannot be read."""

from alatau.rpc.failures import failure
from alatau.rpc.final_block import height_not_reached, tip_height
from alatau.state.parent import ParentState
from alatau.storage.store import Store


def state_at(store: Store, height: int | None) -> tuple[int, ParentState]:
    """The state after ``height``, or after the tip, with its height.

    Raises:
        RpcError: NODE_SYNCING, HEIGHT_NOT_REACHED or STATE_PRUNED.
    """
    tip = tip_height(store)
    if height is None:
        return tip, store.state(tip)
    if height > tip:
        raise height_not_reached(height, tip)
    try:
        return height, store.state(height)
    except KeyError as error:
        raise failure("STATE_PRUNED", f"the state of height {height} is pruned, the tip is {tip}") from error
