"""A tower as a whole: what it needs of the chain before it starts, and its tasks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
import trio

from alatau.artifacts.addresses import SIGNATURE_VERIFIER
from alatau.artifacts.artifact import load
from alatau.client import Client
from alatau.client.abi import load_abi
from alatau.client.wallet import Wallet
from alatau.crypto.secp256k1 import PrivateKey
from alatau.crypto.signature_schemes import NO_PASSKEYS
from alatau.storage.database import Database
from alatau.tower import store
from alatau.tower.canary import CanaryKeeper
from alatau.tower.contesting import Contester
from alatau.tower.docket import Docket
from alatau.tower.duties import Duties
from alatau.tower.following import Follower
from alatau.tower.group_commit import Changes, GroupCommit
from alatau.tower.post import Post
from alatau.tower.pruning import prune
from alatau.tower.sending import Sender
from alatau.tower.service import TowerApi

_LOG = structlog.get_logger(__name__)

_ARTIFACT: Final = "CityChannels"
_VERIFIER: Final = "SignatureVerifier"


@dataclass(frozen=True, slots=True)
class TowerOptions:
    """What an operator decides."""

    contract: bytes
    """CityChannels; 20 bytes."""
    from_height: int = 0
    """Where a tower with an empty disk begins to follow the chain."""
    kept_blocks: int = 604_800
    """How long settled channels are kept: a week of blocks of a second."""
    canary_hub: PrivateKey | None = None
    """The other end of the tower's own canary channels, an account with a hub's licence; None for no trials."""
    canary_period_s: float = 86_400.0
    """Between two trials."""
    canary_account: bytes | None = None
    """Where others try the tower: channels of this account are canaries."""


@dataclass(frozen=True, slots=True)
class Tower:
    """The parts of a tower."""

    post: Post
    api: TowerApi
    follower: Follower
    sender: Sender
    client: Client
    options: TowerOptions

    async def run(self) -> None:
        """Follow, contest, look after itself and forget, until cancelled.

        Raises:
            StorageError: the disk failed; start the tower again.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.post.commits.run)
            nursery.start_soon(self.follower.run)
            nursery.start_soon(Contester(self.post, self.sender).run)
            nursery.start_soon(self._duties().run)
            nursery.start_soon(prune, self.post, self.options.kept_blocks)
            hub, period_s = self.options.canary_hub, self.options.canary_period_s
            if hub is not None:
                nursery.start_soon(CanaryKeeper(self.post, self.sender, self.follower, hub, period_s).run)

    def _duties(self) -> Duties:
        options = self.options
        tried = options.canary_hub is not None or options.canary_account is not None
        return Duties(self.post, self.client, canary_due_s=2 * options.canary_period_s if tried else None)


async def build_tower(
    database: Database, client: Client, key: PrivateKey, options: TowerOptions, now: Callable[[], float]
) -> Tower:
    """Put a tower together on what is on its disk; the first time it asks the node which network it is of.

    Raises:
        RpcError: the disk is new and no node answers, or the network has no such contract.
        SchemaError: the disk is another network's.
    """
    network = store.stored_network(database)
    if network is None or network.contract != options.contract:
        network = await ask_network(client, options.contract)
        changes = Changes(database)
        changes.apply(lambda c: store.keep_network(c, network)).unwrap()
        changes.write()
    docket = Docket(database)
    docket.load()
    post = Post(key, network, load_abi(load(_ARTIFACT).abi), database, GroupCommit(database), docket, now)
    post.canary_account = key.address if options.canary_hub is not None else options.canary_account
    reached = store.cursor(database)
    post.height = max(options.from_height - 1, 0) if reached is None else reached
    follower = Follower(post, client)
    sender = Sender(post, client, Wallet(key, network.chain_id))
    _LOG.info("tower.loaded", channels=docket.protected, closing=len(docket.closing), height=post.height)
    return Tower(post, TowerApi(post), follower, sender, client, options)


async def ask_network(client: Client, contract: bytes) -> store.Network:
    """What the node says of its network and of the channels contract."""
    status = await client.status()
    channels = client.contract(load_abi(load(_ARTIFACT).abi), contract)
    blocks, seconds = await channels.read("settle_blocks"), await channels.read("settle_seconds")
    passkeys = NO_PASSKEYS
    if any(each.address == SIGNATURE_VERIFIER for each in status.system_contracts):
        passkeys = await client.contract(load_abi(load(_VERIFIER).abi), SIGNATURE_VERIFIER).read("rp_id_hash")
    return store.Network(status.chain_id, status.genesis_hash, contract, blocks, seconds, passkeys)
