"""Attacks with transactions: ones that no account has signed, and expensive ones of an account that may."""

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Final

import trio

from alatau.client import RpcError, client_tls, connect
from alatau.client.exchange import METHODS
from alatau.codec import rlp
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.transport.channel import Channel
from alatau.types.transaction import UnsignedTransaction, sign_transaction
from alatau.wire.reasons import reason_name
from alatau_devnet import accounts
from alatau_devnet.attack.calls import LOOP, SOURCES, channel_from
from alatau_devnet.attack.heavy_code import heavy_init_codes
from alatau_devnet.attack.scene import Scene

_BATCH: Final = 512
_SIGNATURE_BYTES: Final = 32
_CREATIONS: Final = 30
CREATION_GAS: Final = 16_777_216
"""What one transaction may use (EIP-7825)."""
_TIP: Final = 10**9
"""Wei per gas; an honest payment offers none."""


async def invalid_signatures(scene: Scene, seconds: float) -> object:
    """Four clients send batch after batch whose signatures recover to nobody, each of which costs a recovery."""
    answers: Counter[str] = Counter()

    async def flood(channel: Channel) -> None:
        while True:
            request = transaction_service_pb2.BatchSubmitTransactionsRequest(
                transactions=[_signed_by_nobody(scene.network.chain_id) for _ in range(_BATCH)]
            )
            try:
                response = await channel.unary(METHODS["BatchSubmitTransactions"], request, timeout_s=30.0)
            except RpcError as error:
                answers[error.reason] += _BATCH
                await trio.sleep(0.1)
                continue
            for result in response.results:
                answers[reason_name(result.rejection.reason) if result.HasField("rejection") else "taken"] += 1

    async with AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(channel_from(source, scene)) for source in SOURCES]
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                for channel in channels:
                    nursery.start_soon(flood, channel)
    return ", ".join(f"{reason} {number}" for reason, number in sorted(answers.items())) or "nothing was answered"


def _signed_by_nobody(chain_id: int) -> bytes:
    """A transfer in order but for its signature, which is in range and random: it recovers to an address of chance."""
    fields = (chain_id, 0, 0, 0, 21_000, os.urandom(20), 0, b"", (), os.urandom(1)[0] & 1)
    r, s = b"\x7f" + os.urandom(_SIGNATURE_BYTES - 1), b"\x3f" + os.urandom(_SIGNATURE_BYTES - 1)
    return b"\x02" + rlp.encode((*fields, r, s))


async def heavy_deployer(scene: Scene, seconds: float) -> object:
    """One account that may deploy keeps 30 creations in the pools that burn all the gas they may, and pay for haste."""
    return await _deploy(scene, seconds, itertools.repeat(LOOP))


async def heavy_codes(scene: Scene, seconds: float) -> object:
    """The same, with the loops that are slowest for a node, one after the other."""
    return await _deploy(scene, seconds, itertools.cycle(code for _, code in heavy_init_codes()))


def heavy_creation(chain_id: int, nonce: int, code: bytes, fee: int) -> UnsignedTransaction:
    """A creation of ``code`` that may use as much gas as a transaction can, at ``fee`` wei for each and a tip."""
    return UnsignedTransaction(
        chain_id=chain_id,
        nonce=nonce,
        gas_limit=CREATION_GAS,
        to=None,
        data=code,
        max_fee_per_gas=fee,
        max_priority_fee_per_gas=_TIP,
    )


async def _deploy(scene: Scene, seconds: float, codes: Iterator[bytes]) -> object:
    answers: Counter[str] = Counter()
    key = accounts.key_of(accounts.DEVELOPER)
    tls = client_tls(node_key=scene.victim.tls_public_key)
    async with connect(scene.victim.rpc, tls) as client:
        fee = (await client.status()).base_fee_per_gas + _TIP
        nonce = final = (await client.account(key.address)).next_nonce
        with trio.move_on_after(seconds):
            while True:
                while nonce < final + _CREATIONS:
                    unsigned = heavy_creation(scene.network.chain_id, nonce, next(codes), fee)
                    try:
                        await client.submit(sign_transaction(unsigned, key.sign))
                    except RpcError as error:
                        answers[error.reason] += 1
                        break
                    answers["pooled"] += 1
                    nonce += 1
                await trio.sleep(0.2)
                view = await client.account(key.address)
                final, nonce = view.account.nonce, view.next_nonce  # What was dropped is sent again.
        answers["final"] = final
    return ", ".join(f"{what} {number}" for what, number in sorted(answers.items()))
