"""What a wallet brings to the chain by itself."""

from pathlib import Path

import trio

from alatau.artifacts.artifact import load
from alatau.channels.party.records import IncomingPhase, OutgoingPhase
from alatau.channels.state import Phase
from alatau.crypto.keccak import keccak256
from tests.support.hub_city import DOMAIN, HUB, SETTLE_BLOCKS
from tests.support.waiting import eventually
from tests.unit.wallet.shop import DEPOSIT, Shop, in_shop


def test_a_secret_that_the_hub_has_not_paid_for_goes_to_the_chain(tmp_path: Path) -> None:
    """The till's answer is lost: before the lock runs out the chain has the secret, and the merchant is paid."""

    async def story(shop: Shop) -> None:
        signed = shop.bill(40)
        link = shop.till._link
        assert link is not None
        link._stream = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop.resident.pay, signed)
            await eventually(lambda: shop.till.incoming[-1].phase is IncomingPhase.LOCKED)
            channels = shop.city.client.contract(load("CityChannels").abi, DOMAIN.contract)
            secret_hash = signed.invoice.secret_hash
            for _ in range(SETTLE_BLOCKS):
                shop.city.node.commit_block()
                await trio.sleep(0.05)
                if await channels.read("revealed_at", secret_hash):
                    break
            assert await channels.read("revealed_at", secret_hash) > 0
        assert shop.resident.outgoing[-1].phase is OutgoingPhase.PAID
        assert keccak256(shop.resident.outgoing[-1].secret or b"") == secret_hash
        await eventually(lambda: shop.resident.spendable == DEPOSIT - 40)

    in_shop(tmp_path, story)


def test_the_newest_voucher_is_brought_when_the_other_side_closes(tmp_path: Path) -> None:
    """The hub closes with nothing; what the till was paid is on the chain before the window ends."""

    async def story(shop: Shop) -> None:
        await shop.pay(40)
        state = shop.till.state
        assert state is not None
        ends = (state.parties.a, state.parties.b, state.parties.salt)
        nothing = (bytes(20), 0, 0, [], b"", b"")
        shop.city.send(HUB, "CityChannels", DOMAIN.contract, "close", ends, (state.parties.b, 0, b""), nothing)
        shop.city.node.commit_block()
        await eventually(lambda: shop.till.state is not None and shop.till.state.phase is Phase.CLOSING)
        await eventually(lambda: shop.till.state is not None and shop.till.state.b.submitted_nonce == state.b.nonce)

    in_shop(tmp_path, story)
