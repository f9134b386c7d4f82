"""What the contract logs, as a tower reads it: from real blocks."""

from pathlib import Path

import trio

from alatau.artifacts import addresses
from alatau.channels.messages import Lock, channel_id
from alatau.channels.watching import NewsClosing, NewsOpened, NewsSubmitted, Submitted
from alatau.tower.events import channel_events, news_of
from tests.support.channel_network import CHANNELS_ABI, SETTLE_BLOCKS, channel_node, close, open_channels
from tests.support.channels import DOMAIN, HUB, OWNER, parties, protection
from tests.support.solo_node import running


def test_news_come_in_the_chains_order_with_their_locks(tmp_path: Path) -> None:
    """A voucher's list is told before it; the next voucher, which has none, does not inherit it."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 1)
        locks = [Lock(b"\x07" * 32, 3, 9), Lock(b"\x08" * 32, 4, 8)]
        identity = channel_id(DOMAIN, parties())
        async with running(node) as run, run.connect() as client:
            close(node, HUB, stale=protection(2, 20, locks=locks))
            closed_at = node.store.tip
            wanted = channel_events(CHANNELS_ABI, addresses.CITY_CHANNELS)
            logs = [log async for log in client.logs(wanted)]
            opened, submitted, closing = news_of(CHANNELS_ABI, logs)
            assert opened == (identity, NewsOpened(parties()))
            assert submitted == (identity, NewsSubmitted(OWNER.address, Submitted(2, tuple(locks))))
            assert isinstance(closing[1], NewsClosing)
            assert closing[1].window.settle_block == closed_at.number + SETTLE_BLOCKS

    trio.run(main)
