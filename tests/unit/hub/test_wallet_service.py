"""What a hub does for a wallet on a page: tells of the chain, carries what was signed, speaks by stream and calls."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio

from alatau.artifacts import addresses
from alatau.channels.messages import Parties, channel_id, domain_of
from alatau.channels.party.sessions import attach_digest
from alatau.channels.signed_money import Authorization, authorization_digest, deposit_nonce
from alatau.pb.channel.v1 import channel_pb2, channel_service_pb2, wallet_service_pb2
from alatau.transport.channel import Channel
from alatau.transport.errors import RpcError
from alatau.transport.service import methods
from alatau.wire.amount import read_amount, write_amount
from tests.support.guest import as_guest
from tests.support.hub_city import DOMAIN, HUB, PHONE, SETTLE_BLOCKS, hub_city
from tests.support.phones import ChipKey, lent
from tests.support.transactions import CHAIN_ID
from tests.support.waiting import eventually

_pb = wallet_service_pb2
METHODS = methods(_pb.DESCRIPTOR.services_by_name["WalletService"])
STRANGER = ChipKey("stranger")
FIRST = bytes(32)
PARTIES = Parties(PHONE.address, HUB.address, FIRST)
IDENTITY = channel_id(DOMAIN, PARTIES)
END = 2**40
"""Some second far away."""


async def ask(hub: Channel, name: str, request: Any) -> Any:
    """One call."""
    return await hub.unary(METHODS[name], request, timeout_s=20)


def money(owner: ChipKey, nonce: bytes, amount: int, *, signer: ChipKey | None = None) -> _pb.SignedMoney:
    """Signed away to the channels contract."""
    token = domain_of("Digital Tenge", CHAIN_ID, addresses.SETTLEMENT_TOKEN, "localhost")
    authorization = Authorization(owner.address, DOMAIN.contract, amount, 0, END, nonce)
    signature = (signer or owner).sign(authorization_digest(token, authorization))
    return _pb.SignedMoney(
        owner=owner.address, amount=write_amount(amount), valid_after=0, valid_before=END, signature=signature
    )


async def opened(hub: Channel, amount: int = 4_000) -> bytes:
    """The phone's channel."""
    request = _pb.OpenChannelRequest(salt=FIRST, money=money(PHONE, IDENTITY, amount))
    return bytes((await ask(hub, "OpenChannel", request)).channel_id)


def test_the_network_and_an_account_are_told(tmp_path: Path) -> None:
    """What a wallet needs to sign, and what an account has."""

    async def main() -> None:
        async with hub_city(tmp_path) as city, city.dial() as hub:
            network = await ask(hub, "GetNetwork", _pb.GetNetworkRequest())
            assert (network.token, network.token_name) == (addresses.SETTLEMENT_TOKEN, "Digital Tenge")
            assert (network.symbol, network.decimals, network.settle_blocks) == ("KZTD", 2, SETTLE_BLOCKS)
            assert (network.hub.address, network.hub.chain_id) == (HUB.address, CHAIN_ID)
            phone = await ask(hub, "GetAccount", _pb.GetAccountRequest(address=PHONE.address))
            assert phone.registered
            assert read_amount(phone.balance) == 10**6
            assert phone.next_salt == FIRST
            assert not phone.HasField("channel")
            nobody = await ask(hub, "GetAccount", _pb.GetAccountRequest(address=STRANGER.address))
            assert (nobody.registered, read_amount(nobody.balance)) == (False, 0)
            with pytest.raises(RpcError, match="address"):
                await ask(hub, "GetAccount", _pb.GetAccountRequest(address=b"\x01"))

    as_guest(main)


def test_a_channel_is_opened_with_signed_money_and_once(tmp_path: Path) -> None:
    """The hub sends the transaction; asked again it answers the same; a deposit follows; the account has paid both."""

    async def main() -> None:
        async with hub_city(tmp_path) as city, city.dial() as hub:
            assert await opened(hub) == IDENTITY
            assert await opened(hub) == IDENTITY
            salt = b"\x07" * 32
            more = _pb.DepositRequest(
                parties=channel_pb2.Parties(a=PARTIES.a, b=PARTIES.b, salt=PARTIES.salt),
                salt=salt,
                money=money(PHONE, deposit_nonce(IDENTITY, salt), 500),
            )
            await ask(hub, "Deposit", more)
            with pytest.raises(RpcError, match="does not take it"):
                await ask(hub, "Deposit", more)
            phone = await ask(hub, "GetAccount", _pb.GetAccountRequest(address=PHONE.address))
            assert phone.channel.channel_id == IDENTITY
            assert phone.channel.phase == _pb.CHANNEL_PHASE_OPEN
            assert read_amount(phone.channel.deposited) == 4_500
            assert read_amount(phone.balance) == 10**6 - 4_500
            assert read_amount((await ask(hub, "Claim", _pb.ClaimRequest(address=PHONE.address))).amount) == 0

    as_guest(main)


def test_the_hub_carries_nothing_that_would_fail(tmp_path: Path) -> None:
    """Signed by another, for another channel, by a stranger to the registry, of more than there is: nothing is sent."""
    stranger = channel_id(DOMAIN, replace(PARTIES, a=STRANGER.address))
    cases = [
        (money(PHONE, IDENTITY, 4_000, signer=STRANGER), "not signed away by its owner"),
        (money(PHONE, bytes(32), 4_000), "not signed away by its owner"),
        (money(STRANGER, stranger, 0), "not registered"),
        (money(PHONE, IDENTITY, 10**6 + 1), "the account has 1000000"),
    ]

    async def main() -> None:
        async with hub_city(tmp_path) as city, city.dial() as hub:
            nonce = city.node.next_nonce(HUB.address)
            for given, text in cases:
                with pytest.raises(RpcError, match=text):
                    await ask(hub, "OpenChannel", _pb.OpenChannelRequest(salt=FIRST, money=given))
            given = money(PHONE, channel_id(DOMAIN, replace(PARTIES, salt=b"\x01" * 32)), 4_000)
            with pytest.raises(RpcError, match="not its next one"):
                await ask(hub, "OpenChannel", _pb.OpenChannelRequest(salt=b"\x01" * 32, money=given))
            assert city.node.next_nonce(HUB.address) == nonce

    as_guest(main)


def test_a_page_listens_and_says(tmp_path: Path) -> None:
    """The owner's key attaches, and so does a device that was lent something in this channel, and nobody else."""
    device = ChipKey("device")
    lent_here = lent(DOMAIN, IDENTITY, PHONE, device, 900)
    elsewhere = lent(DOMAIN, bytes(32), PHONE, device, 900)

    async def main() -> None:
        async with hub_city(tmp_path) as city, city.dial() as hub:
            await opened(hub)
            assert city.hub is not None
            await eventually(lambda: city.hub is not None and IDENTITY in city.hub.owner.core.book.members)
            for signer, is_let_in in ((PHONE, True), (lent_here, True), (elsewhere, False), (STRANGER, False)):
                async with hub.stream(METHODS["Listen"], _pb.ListenRequest()) as stream:
                    first = await stream.__anext__()
                    assert first.height > 0
                    attach = channel_service_pb2.Attach(
                        signature=signer.sign(attach_digest(DOMAIN, IDENTITY, first.challenge))
                    )
                    said = channel_service_pb2.PartyMessage(channel_id=IDENTITY, attach=attach)
                    await ask(hub, "Say", _pb.SayRequest(session=first.session, messages=[said]))
                    heard = [message async for message in _until_said(stream)]
                    assert heard[0].WhichOneof("said") == ("attached" if is_let_in else "refused")
            with pytest.raises(RpcError, match="session is over"):
                await ask(hub, "Say", _pb.SayRequest(session=bytes(32)))

    as_guest(main)


def test_a_page_hears_of_blocks_and_deposits(tmp_path: Path) -> None:
    """The height grows in the stream, and what the chain says of the channel comes with it."""

    async def main() -> None:
        async with hub_city(tmp_path) as city, city.dial() as hub:
            await opened(hub)
            await eventually(lambda: city.hub is not None and IDENTITY in city.hub.owner.core.book.members)
            with trio.fail_after(60):
                async with hub.stream(METHODS["Listen"], _pb.ListenRequest()) as stream:
                    first = await stream.__anext__()
                    signature = PHONE.sign(attach_digest(DOMAIN, IDENTITY, first.challenge))
                    attach = channel_service_pb2.Attach(signature=signature)
                    said = channel_service_pb2.PartyMessage(channel_id=IDENTITY, attach=attach)
                    await ask(hub, "Say", _pb.SayRequest(session=first.session, messages=[said]))
                    told = await _standing(stream)
                    assert read_amount(told.channels[0].deposited) == 4_000
                    salt = b"\x08" * 32
                    parties = channel_pb2.Parties(a=PARTIES.a, b=PARTIES.b, salt=PARTIES.salt)
                    given = money(PHONE, deposit_nonce(IDENTITY, salt), 500)
                    await ask(hub, "Deposit", _pb.DepositRequest(parties=parties, salt=salt, money=given))
                    told = await _standing(stream)
                    assert read_amount(told.channels[0].deposited) == 4_500
                    assert told.height > first.height

    as_guest(main)


async def _until_said(stream: Any) -> Any:
    async for response in stream:
        for message in response.messages:
            yield message
        if response.messages:
            return


async def _standing(stream: Any) -> Any:
    async for response in stream:
        if response.channels:
            return response
    return None
