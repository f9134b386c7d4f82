"""The state after a block, or why it cannot be read."""

from alatau.rpc.failures import failure
from alatau.rpc.final_block import height_not_reached, tip_height
from alatau.state.parent import ParentState
from alatau.storage.store import Store


def readable_height(store: Store, height: int | None) -> int:
    """``height``, or the tip's, if the state after it can be read.

    Raises:
        RpcError: NODE_SYNCING, HEIGHT_NOT_REACHED or STATE_PRUNED.
    """
    tip = tip_height(store)
    wanted = tip if height is None else height
    if wanted > tip:
        raise height_not_reached(wanted, tip)
    if wanted < store.oldest_state:
        raise failure(
            "STATE_PRUNED",
            f"the state of height {wanted} is pruned: this node keeps {store.oldest_state} to {tip}",
            metadata={"height": str(store.oldest_state)},
        )
    return wanted


def state_at(store: Store, height: int | None) -> tuple[int, ParentState]:
    """The state after ``height``, or after the tip, with its height; raises as :func:`readable_height`."""
    wanted = readable_height(store, height)
    return wanted, store.state(wanted)
