"""Which heights' state can be read, or why one cannot."""

from alatau.rpc.failures import failure
from alatau.rpc.final_block import height_not_reached, tip_height
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
