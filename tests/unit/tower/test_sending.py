"""Batches of which the contract refuses some: the others go through, in as few transactions as that allows."""

from pathlib import Path

import trio

from alatau.channels.calls import NO_CLAIM, parties_argument, request_argument
from alatau.channels.protection import SignedCloseRequest
from alatau.tower.sending import send_apart
from tests.support.channel_network import channel_node, events_of, open_channels
from tests.support.channels import HUB, close_request, parties
from tests.support.solo_node import running
from tests.unit.tower.towers import watching

LATE = 1_700_000_000 + 10**6


def argument(signed: SignedCloseRequest) -> object:
    """Of ``close_many``."""
    request = signed.request
    return (
        parties_argument(signed.parties),
        request_argument(request.party, request.deadline, signed.signature),
        NO_CLAIM,
    )


def test_each_half_is_tried_alone(tmp_path: Path) -> None:
    """Two of eight are forged: six are closed, by four transactions; the two are named with the contract's reason."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 8)
        async with running(node, produce=True) as run, watching(tmp_path / "tower", run) as tower:
            forged = {2, 7}
            items = [close_request(LATE, ends=parties(n), signer=HUB if n in forged else None) for n in range(8)]
            receipts, refused = await send_apart(tower.sender, "close_many", items, argument)
            assert [item.parties for item, _ in refused] == [parties(n) for n in sorted(forged)]
            assert {why for _, why in refused} == {"the contract reverted: channels: bad signature"}
            assert (len(receipts), len(events_of(node, "Closing"))) == (4, 6)

    trio.run(main)
