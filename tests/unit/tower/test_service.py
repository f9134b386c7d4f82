"""A tower over the wire: what it takes, what it signs, what it gives back, what a kill leaves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
from google.protobuf.message import Message

from alatau.channels.errors import ForgedMessageError
from alatau.channels.messages import Lock, channel_id
from alatau.channels.protection import TowerReceipt, is_from_tower, recovery_digest
from alatau.channels.state import Window
from alatau.channels.watching import NewsClosing, NewsSettled
from alatau.client import Client, RpcError, client_tls, connect, tower_plans
from alatau.crypto.secp256k1 import PrivateKey
from alatau.pb.channel.v1 import tower_service_pb2
from alatau.storage.disk import Disk
from alatau.tower.post import Post
from alatau.tower.service import BATCH_MAX, TowerApi, tower_service
from alatau.transport.credentials import IdentityHolder, ServerTls
from alatau.transport.server import Listener, serve
from alatau.transport.service import methods
from alatau.wire.channel import write_parties
from alatau.wire.tower import Refusal, write_close_request, write_protection
from tests.support.channels import DOMAIN, HUB, OWNER, close_request, parties, protection
from tests.support.field_behavior import behavior, without_each
from tests.support.solo_node import node_identity
from tests.support.tower_post import NOW, TOWER, manned, tell, tell_opened

_pb = tower_service_pb2
METHODS = methods(_pb.DESCRIPTOR.services_by_name["TowerService"])
STRANGER = PrivateKey(b"\x43" * 32)


@asynccontextmanager
async def served(folder: Path, disk: Disk | None = None) -> AsyncIterator[tuple[Post, Client]]:
    """A tower that serves on a real disk over TLS, and who asks it."""
    async with manned(folder, disk) as post, trio.open_nursery() as nursery:
        listener = Listener("127.0.0.1", 0, ServerTls(IdentityHolder(node_identity()), None))
        server = await nursery.start(partial(serve, [tower_service(TowerApi(post))], [listener]))
        tls = client_tls(node_key=node_identity().public_key)
        async with connect(f"127.0.0.1:{server.ports[0]}", tls) as client:
            yield post, client
        nursery.cancel_scope.cancel()


def test_a_voucher_is_on_the_disk_when_its_receipt_is_signed(tmp_path: Path) -> None:
    """Also after the tower is gone without a word: opened again, the store holds what was signed for."""

    async def main() -> None:
        async with served(tmp_path) as (post, client):
            await tell_opened(post, 7, 2)
            offered = [protection(3, 50), protection(1, 4, payer=HUB), protection(1, 9, ends=parties(1))]
            receipts = await client.run(tower_plans.protect(DOMAIN, TOWER.address, offered))
            assert [receipt.nonce for receipt in receipts if isinstance(receipt, TowerReceipt)] == [3, 1, 1]
            status = await client.run(tower_plans.status())
            assert (status.address, status.height, status.channels, status.alarms) == (TOWER.address, 7, 2, ())
        async with manned(tmp_path) as post:
            assert (post.docket.protected, post.height) == (2, 7)

    trio.run(main)


def test_an_older_voucher_is_answered_with_the_newest_that_is_held(tmp_path: Path) -> None:
    """The receipt says what is protected; nothing goes back. The same again is the same; two of one nonce are not."""

    async def main() -> None:
        async with served(tmp_path) as (post, client):
            await tell_opened(post, 7, 1)
            for offered, expected in ((protection(5, 50), 5), (protection(3, 30), 5), (protection(5, 50), 5)):
                (receipt,) = await client.run(tower_plans.protect(DOMAIN, TOWER.address, [offered]))
                assert isinstance(receipt, TowerReceipt)
                assert receipt.nonce == expected
                assert is_from_tower(DOMAIN, receipt, TOWER.address)
            (twice,) = await client.run(tower_plans.protect(DOMAIN, TOWER.address, [protection(5, 51)]))
            assert isinstance(twice, Refusal)
            assert "signed twice" in twice.why

    trio.run(main)


def test_what_could_not_be_carried_is_refused_and_the_rest_is_taken(tmp_path: Path) -> None:
    """Forged, of a channel that the chain does not know, with a lock that outlives the window, settled."""

    async def main() -> None:
        async with served(tmp_path) as (post, client):
            await tell_opened(post, 7, 3)
            await tell(post, 8, [(channel_id(DOMAIN, parties(2)), NewsSettled(8))])
            outcomes = await client.run(
                tower_plans.protect(
                    DOMAIN,
                    TOWER.address,
                    [
                        protection(1, 5, signer=STRANGER),
                        protection(1, 5, receiver=STRANGER),
                        protection(1, 5, ends=parties(9)),
                        protection(1, 5, locks=[Lock(bytes(32), 1, 8 + 1 + 10)]),
                        protection(1, 5, ends=parties(2)),
                        protection(1, 5, ends=parties(1)),
                    ],
                )
            )
            refusals = [outcome.why for outcome in outcomes if isinstance(outcome, Refusal)]
            for why, words in zip(
                refusals,
                ("voucher is not signed", "receipt is not", "no such channel", "expires", "settled"),
                strict=True,
            ):
                assert words in why
            assert (await client.run(tower_plans.status())).channels == 1

    trio.run(main)


def test_only_a_party_gets_its_vouchers_back(tmp_path: Path) -> None:
    """Both directions, checked by who asks; a stranger, or a request of another hour, gets nothing."""

    async def main() -> None:
        async with served(tmp_path) as (post, client):
            await tell_opened(post, 7, 1)
            held = [protection(3, 50), protection(1, 4, payer=HUB)]
            await client.run(tower_plans.protect(DOMAIN, TOWER.address, held))
            for key in (OWNER, HUB):
                assert await client.run(tower_plans.recover(DOMAIN, parties(), NOW - 30, key.sign)) == held
            with pytest.raises(RpcError, match="NOT_A_PARTY"):
                await client.run(tower_plans.recover(DOMAIN, parties(), NOW, STRANGER.sign))
            with pytest.raises(RpcError, match="CLOCKS_DIFFER"):
                await client.run(tower_plans.recover(DOMAIN, parties(), NOW - 61, OWNER.sign))

    trio.run(main)


def test_requests_to_close_are_kept_with_the_latest_deadline(tmp_path: Path) -> None:
    """One for each party; past deadlines, strangers' signatures and channels that close already are refused."""

    async def main() -> None:
        async with served(tmp_path) as (post, client):
            await tell_opened(post, 7, 2)
            await tell(post, 8, [(channel_id(DOMAIN, parties(1)), NewsClosing(Window(18, NOW + 5)))])
            outcomes = await client.run(
                tower_plans.deposit_close_requests(
                    [
                        close_request(NOW + 500),
                        close_request(NOW + 400),
                        close_request(NOW + 300, party=HUB),
                        close_request(NOW),
                        close_request(NOW + 500, signer=STRANGER),
                        close_request(NOW + 500, ends=parties(1)),
                    ]
                )
            )
            assert outcomes[:3] == [NOW + 500, NOW + 500, NOW + 300]
            refusals = [outcome.why for outcome in outcomes[3:] if isinstance(outcome, Refusal)]
            assert ["past" in refusals[0], "not signed" in refusals[1], "closing" in refusals[2]] == [True] * 3
            assert (await client.run(tower_plans.status())).close_requests == 1

    trio.run(main)


def test_too_many_or_malformed_are_the_callers_fault(tmp_path: Path) -> None:
    """Nothing of such a request is taken."""

    async def main() -> None:
        async with served(tmp_path) as (post, client):
            await tell_opened(post, 7, 1)
            with pytest.raises(RpcError, match="INVALID_REQUEST"):
                await client.run(tower_plans.protect(DOMAIN, TOWER.address, []))
            with pytest.raises(RpcError, match="INVALID_REQUEST"):
                await client.run(tower_plans.deposit_close_requests([close_request(NOW + 5)] * (BATCH_MAX + 1)))
            assert (await client.run(tower_plans.status())).close_requests == 0

    trio.run(main)


class FullDisk(Disk):
    """Has no room once it is full."""

    full = False

    def free_bytes(self, folder: Path) -> int:
        """Nothing."""
        return 0 if self.full else super().free_bytes(folder)


def test_no_receipt_without_a_disk(tmp_path: Path) -> None:
    """A tower that cannot write signs nothing, and says so."""

    async def main() -> None:
        disk = FullDisk()
        async with served(tmp_path, disk) as (post, client):
            await tell_opened(post, 7, 1)
            disk.full = True
            with pytest.raises(RpcError, match="NOT_KEPT"):
                await client.run(tower_plans.protect(DOMAIN, TOWER.address, [protection(3, 50)]))
            disk.full = False
            (receipt,) = await client.run(tower_plans.protect(DOMAIN, TOWER.address, [protection(2, 20)]))
            assert isinstance(receipt, TowerReceipt)
            assert receipt.nonce == 2

    trio.run(main)


def test_another_towers_word_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    """Who hands over names the tower that it relies on."""

    async def main() -> None:
        async with served(tmp_path) as (post, client):
            await tell_opened(post, 7, 1)
            with pytest.raises(ForgedMessageError):
                await client.run(tower_plans.protect(DOMAIN, STRANGER.address, [protection(3, 50)]))

    trio.run(main)


def test_a_newer_voucher_of_a_closing_channel_is_due_at_once(tmp_path: Path) -> None:
    """What arrives within the window is brought within it."""

    async def main() -> None:
        async with served(tmp_path) as (post, client):
            await tell_opened(post, 7, 1)
            await tell(post, 8, [(channel_id(DOMAIN, parties()), NewsClosing(Window(18, NOW + 5)))])
            assert post.docket.due() == []
            offered = protection(3, 50)
            await client.run(tower_plans.protect(DOMAIN, TOWER.address, [offered]))
            assert [due.held for due in post.docket.due()] == [offered]

    trio.run(main)


def test_a_request_without_a_required_field_is_refused(tmp_path: Path) -> None:
    """As a whole or, in a batch, by itself; times included, of which zero is never now."""

    async def main() -> None:
        async with served(tmp_path) as (post, client):
            await tell_opened(post, 7, 1)
            signed = OWNER.sign(recovery_digest(DOMAIN, channel_id(DOMAIN, parties()), NOW))
            recovery = _pb.GetProtectionRequest(parties=write_parties(parties()), time=NOW, signature=signed)
            protect = _pb.ProtectRequest(protections=[write_protection(protection(3, 50))])
            close = _pb.DepositCloseRequestsRequest(requests=[write_close_request(close_request(NOW + 500))])
            for name, whole in (("GetProtection", recovery), ("Protect", protect), ("DepositCloseRequests", close)):
                assert not await _refusal(client, name, whole)
                for field, without in without_each(whole):
                    if "REQUIRED" in behavior(field):
                        assert await _refusal(client, name, without), field.full_name

    trio.run(main)


async def _refusal(client: Client, name: str, request: Message) -> str:
    """Why something was refused, or nothing."""
    try:
        response = await client._channel.unary(METHODS[name], request)
    except RpcError as error:
        return str(error)
    answers = {"Protect": "receipts", "DepositCloseRequests": "deposits"}
    return "".join(each.refusal for each in getattr(response, answers[name])) if name in answers else ""
