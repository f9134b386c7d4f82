"""Attacks with a validator's key: what one of four may send the others.

The validator itself is killed before (``campaign``), and its place taken: a peer is whoever holds the key.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

import trio

from alatau.app.genesis.file import genesis_file_hash, read_genesis
from alatau.app.home import open_home
from alatau.app.provision import load_tls_identity
from alatau.chain.genesis import make_genesis
from alatau.client.keystore import read_keystore
from alatau.codec.rlp import wrap_list
from alatau.consensus.messages import VotesMessage
from alatau.crypto.secp256k1 import PrivateKey
from alatau.p2p.handshake import ChainId, read_hello
from alatau.p2p.methods import CONSENSUS, PROPOSALS, TRANSACTIONS
from alatau.pb.p2p.v1 import peer_service_pb2
from alatau.transport.certificates import TlsIdentity
from alatau.transport.channel import Channel, Stream, open_channel
from alatau.transport.credentials import dial_node
from alatau.transport.errors import RpcError
from alatau.types.transaction import TransactionType, UnsignedTransaction, sign_transaction
from alatau.types.vote import Vote, VoteKind, consensus_domain, vote_digest
from alatau.wire.consensus import write_control
from alatau.wire.gossip import write_batch
from alatau.wire.session import PROTOCOL_VERSION, Hello, write_session
from alatau_devnet.attack.scene import Scene
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import DevnetNode

_HANDSHAKE_S: Final = 5.0
_RETRY_S: Final = 0.5
"""After a refusal; whoever is banned tries on all the same."""
_EMPTY_ENTRIES: Final = 1_900_000
_EMPTY_ITEMS: Final = 4_000_000
_VOTES: Final = 500
_BATCH: Final = 500


@dataclass(slots=True)
class Impostor:
    """One validator of four, in the attacker's hands."""

    identity: TlsIdentity
    key: PrivateKey
    chain: ChainId
    domain: bytes
    """Of the network's votes."""
    height: int = 0
    """The victim's last block, as its hello says."""

    @asynccontextmanager
    async def session(self, endpoint: str, tls_public_key: bytes) -> AsyncIterator[tuple[Channel, Stream]]:
        """A session with a victim, after the handshake; raises ``RpcError`` where it is refused."""
        tls = dial_node(tls_public_key, self.identity)
        async with open_channel(endpoint, tls) as channel, channel.stream(CONSENSUS) as stream:
            hello = Hello(
                PROTOCOL_VERSION,
                self.chain.chain_id,
                self.chain.genesis_hash,
                self.height,
                "attacker",
                self.chain.genesis_file_hash,
            )
            await stream.send(write_session(hello))
            self.height = (await read_hello(stream, self.chain, _HANDSHAKE_S)).height
            yield channel, stream

    def votes(self, count: int) -> VotesMessage:
        """Well signed prevotes of rounds that nobody is in, of the height that is being decided."""
        height, votes = self.height + 1, []
        for round_ in range(1_000, 1_000 + count):
            digest = vote_digest(self.domain, VoteKind.PREVOTE, height, round_, None)
            votes.append(Vote(VoteKind.PREVOTE, height, round_, None, self.key.address, self.key.sign(digest)))
        return VotesMessage(tuple(votes))


Flood: TypeAlias = Callable[[Impostor, Channel, Stream, Counter[str]], Awaitable[None]]
"""Says what it has to say on a session, and counts it, until the session ends."""


def impostor_of(node: DevnetNode) -> Impostor:
    """Take a validator's keys."""
    home = open_home(node.home)
    genesis = read_genesis(home.genesis_file)
    block_hash = make_genesis(genesis).block.hash
    return Impostor(
        identity=load_tls_identity(home),
        key=read_keystore(home.voting_key, (home.keys / "password").read_text().strip()),
        chain=ChainId(genesis.config.chain_id, block_hash, genesis_file_hash(genesis)),
        domain=consensus_domain(genesis.config.chain_id, block_hash),
    )


def empty_votes() -> Flood:
    """Messages of 3.8 MB that hold 1.9 million empty votes."""
    entries = peer_service_pb2.ConsensusRequest(votes=peer_service_pb2.Votes()).SerializeToString()[:1]
    body = b"\x0a\x00" * _EMPTY_ENTRIES
    data = entries + _varint(len(body)) + body
    return partial(_repeat_consensus, lambda _: data)


def vote_flood() -> Flood:
    """Hundreds of well signed votes of far rounds in each message, as fast as they are taken."""
    made: dict[int, bytes] = {}

    def votes(impostor: Impostor) -> bytes:
        if impostor.height not in made:  # signing takes longer than sending: once a session
            made.clear()
            made[impostor.height] = write_control(impostor.votes(_VOTES)).SerializeToString()
        return made[impostor.height]

    return partial(_repeat_consensus, votes)


def random_bytes() -> Flood:
    """Bytes that are no messages."""
    return partial(_repeat_consensus, lambda _: os.urandom(1_000))


def rlp_bomb() -> Flood:
    """Proposals whose block is 4 MB of empty items."""
    block = wrap_list(b"\xc0" * (_EMPTY_ITEMS - 8))
    proposed = peer_service_pb2.ProposedBlock(block=block)
    data = peer_service_pb2.ProposalsRequest(proposal=proposed).SerializeToString()

    async def flood(_: Impostor, channel: Channel, stream: Stream, told: Counter[str]) -> None:
        async with channel.stream(PROPOSALS) as proposals:
            await _repeat(lambda: data, proposals, stream, told)

    return flood


def bad_transactions() -> Flood:
    """Batches of transactions that are signed by nobody in particular, each another one."""

    def batch(chain_id: int) -> bytes:
        signer = PrivateKey(os.urandom(31).rjust(32, b"\x01"))
        unsigned = UnsignedTransaction(
            type=TransactionType.FEE_MARKET, chain_id=chain_id, nonce=0, gas_limit=21_000, to=bytes(20)
        )
        encoded = sign_transaction(unsigned, signer.sign).encoded
        return write_batch([encoded[:-32] + os.urandom(32) for _ in range(_BATCH)], []).SerializeToString()

    async def flood(impostor: Impostor, channel: Channel, stream: Stream, told: Counter[str]) -> None:
        async with channel.stream(TRANSACTIONS) as transactions:
            await _repeat(lambda: batch(impostor.chain.chain_id), transactions, stream, told)

    return flood


def as_validator(make: Callable[[], Flood]) -> Callable[[Scene, float], Awaitable[object]]:
    """An attack: in the place of the last validator, do it to each of the others, again after every refusal."""

    async def attack(scene: Scene, seconds: float) -> object:
        *victims, own = scene.network.nodes
        impostor, told, flood = impostor_of(own), Counter[str](), make()
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                for victim in victims:
                    nursery.start_soon(keep_at, impostor, victim.p2p, victim.tls_public_key, flood, told)
        return summary(told)

    return attack


def summary(told: Counter[str]) -> str:
    """What there is to tell. Raises ``DevnetError`` where it was refused everywhere: that was no attack."""
    counts = ", ".join(f"{what} {number}" for what, number in sorted(told.items()))
    if not told["sessions"] or not told["sent"]:
        raise DevnetError(f"nothing was sent on a session: {counts or 'no answer'}")
    return counts


async def keep_at(impostor: Impostor, endpoint: str, tls_public_key: bytes, flood: Flood, told: Counter[str]) -> None:
    """Open one session after the other and flood it; ``told`` counts what was sent and how it ended."""
    while True:
        try:
            async with impostor.session(endpoint, tls_public_key) as (channel, stream):
                told["sessions"] += 1
                await flood(impostor, channel, stream, told)
        except* RpcError as errors:
            for error in _leaves(errors):
                told[error.reason] += 1
        except* trio.BrokenResourceError:
            told["closed"] += 1
        await trio.sleep(_RETRY_S)


async def _repeat_consensus(
    make: Callable[[Impostor], bytes], impostor: Impostor, _: Channel, stream: Stream, told: Counter[str]
) -> None:
    await _repeat(lambda: make(impostor), stream, stream, told)


async def _repeat(make: Callable[[], bytes], lane: Stream, session: Stream, told: Counter[str]) -> None:
    """Send as fast as the victim reads; raises how the session ended."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_read, session)
        while True:
            await lane.send(make())
            told["sent"] += 1
            await trio.lowlevel.checkpoint()


async def _read(session: Stream) -> None:
    async for _ in session:
        pass


def _leaves(group: ExceptionGroup[RpcError]) -> Iterator[RpcError]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))
