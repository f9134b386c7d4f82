"""What the peer network needs of the chain: who belongs to it, and the committed blocks."""

from collections.abc import Callable
from dataclasses import dataclass

from alatau.engine.chain_view import ChainView
from alatau.engine.verdict import Blame
from alatau.p2p.member import Member
from alatau.p2p.network import Network
from alatau.storage.store import Store
from alatau.types.block import Block
from alatau.types.genesis import Genesis
from alatau.types.vote import Commit


@dataclass(frozen=True, slots=True)
class StoredBlocks:
    """Serves committed blocks to peers."""

    store: Store

    def height(self) -> int:
        """Height of the last committed block."""
        tip = self.store.tip
        return 0 if tip is None else tip.number

    def committed(self, height: int) -> tuple[Block, Commit] | None:
        """A committed block with its commit; None above the tip and for genesis."""
        block, commit = self.store.block(height), self.store.commit_of(height)
        return None if block is None or commit is None else (block, commit)


def hold_to_account(network: Network) -> Callable[[bytes, Blame, int], None]:
    """What admission is to call for transactions that it refused and a peer passed on.

    A correct node passes on only what its own admission took. Of what no state makes right, one is enough; of what
    another state may have taken, many are too many.
    """

    def blame(peer_id: bytes, whose: Blame, count: int) -> None:
        match whose:
            case Blame.FORM:
                network.report(peer_id, "BAD_TRANSACTION")
            case Blame.STRANGER:
                network.suspect(peer_id, "TRANSACTIONS_OF_STRANGERS", count)

    return blame


def members_of(genesis: Genesis, view: ChainView) -> tuple[Member, ...]:
    """Who belongs to the network now: the validators of the next heights and the registered observers.

    Founders' TLS keys are in the genesis file. Of those who came later the registry keeps the hash, and the key
    itself is learnt from the node that answers at their endpoint with it.
    """
    keys = {v.tls_key_hash: v.tls_public_key for v in genesis.validators}
    members: dict[bytes, Member] = {}
    for height in sorted(view.validators):
        for v in view.validators[height].validators:
            members[v.tls_key_hash] = Member(v.tls_key_hash, keys.get(v.tls_key_hash), v.address, v.endpoint, v.name)
    if genesis.config.system.validator_registry is not None:
        for observer in view.registered_observers():
            key_hash = observer.tls_key_hash
            members.setdefault(key_hash, Member(key_hash, keys.get(key_hash), None, "", observer.name))
    return tuple(members.values())
