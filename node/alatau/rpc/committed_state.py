"""Which heights can be asked for, or why one cannot."""

from alatau.rpc.failures import failure
from alatau.rpc.final_block import AHEAD_MAX, height_not_reached, tip_height
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


def check_range(first: int, last: int, tip: int) -> None:
    """A listing may begin with the next block, where there is nothing yet, and ends at the tip at most.

    Who asks for more may have another network in mind, or a node that is further: an answer without a word would be
    taken for complete.

    Raises:
        RpcError: HEIGHT_NOT_REACHED.
    """
    if first > tip + 1:
        raise height_not_reached(first, tip)
    if last > tip:
        raise height_not_reached(last, tip)


def check_start(store: Store, height: int) -> None:
    """A subscription may begin a little ahead of this node, as where it goes on at one that lags behind.

    Raises:
        RpcError: HEIGHT_NOT_REACHED, for what is further off.
    """
    tip = tip_height(store)
    if height > tip + AHEAD_MAX:
        raise height_not_reached(height, tip)
