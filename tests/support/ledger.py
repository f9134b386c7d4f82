"""A store with some blocks in it."""

from dataclasses import dataclass, field

from alatau.chain.executed import ExecutedBlock
from alatau.storage.store import Store
from alatau.types.account import Account
from alatau.types.vote import Commit
from alatau_devnet.synthetic_chain import SyntheticChain

SEED = 7


@dataclass(slots=True)
class Ledger:
    """A store and what is known to be in it, height by height."""

    store: Store
    chain: SyntheticChain
    blocks: list[tuple[ExecutedBlock, Commit | None]] = field(default_factory=list)
    accounts: list[dict[bytes, Account]] = field(default_factory=list)
    storage: list[dict[bytes, dict[int, int]]] = field(default_factory=list)

    def grow(self, count: int = 1) -> None:
        """Commit further blocks; genesis first."""
        for _ in range(count):
            if self.chain.parent is None:
                executed, commit = self.chain.genesis(), None
                self.store.init_genesis(executed)
            else:
                executed, commit = self.chain.next()
                self.store.commit(executed, commit)
            self.blocks.append((executed, commit))
            self.accounts.append(dict(self.chain.accounts))
            self.storage.append({address: dict(words) for address, words in self.chain.storage.items()})
