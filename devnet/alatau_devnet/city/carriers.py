"""Many transactions at once: branches of a bank carry them, each in the order of its nonces, until all are final."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import trio

from alatau.artifacts.artifact import load
from alatau.client import Client
from alatau.client.abi import Abi, load_abi
from alatau.client.submitting import Refused
from alatau.crypto.secp256k1 import PrivateKey
from alatau.types.transaction import Transaction, UnsignedTransaction, sign_transaction
from alatau.wire.block import BlockView
from alatau_devnet.errors import DevnetError

_UNDER_WAY_MAX: Final = 3_000
_BATCH: Final = 200
_STALL_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a contract."""

    contract: bytes
    data: bytes
    gas: int


class Contracts:
    """Encodes calls."""

    def __init__(self) -> None:
        self._abis: dict[str, Abi] = {}

    def call(self, artifact: str, contract: bytes, gas: int, name: str, *arguments: Any) -> Call:
        """A call of a function of the contract at an address."""
        if artifact not in self._abis:
            self._abis[artifact] = load_abi(load(artifact).abi)
        return Call(contract, self._abis[artifact].encode_call(name, arguments), gas)


@dataclass(slots=True)
class Carriers:
    """Some senders, spread over the nodes."""

    clients: Sequence[Client]
    keys: Sequence[PrivateKey]
    chain_id: int
    final: int = 0
    """Transactions since the start."""
    gas: int = 0
    _nonces: dict[bytes, int] = field(default_factory=dict)
    _moved: trio.Event = field(default_factory=trio.Event)

    async def carry(self, calls: Iterable[Call], done: Callable[[int], None] = lambda _count: None) -> int:
        """Send all and wait until each is final; gives the gas that they took.

        Raises:
            DevnetError: one was refused or failed, or nothing becomes final.
        """
        await self._learn_nonces()
        waiting = deque(calls)
        begun = self.gas
        under_way: dict[bytes, Call] = {}
        self._moved = trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(self._follow, under_way, done)
            turn = 0
            while waiting or under_way:
                while waiting and len(under_way) < _UNDER_WAY_MAX:
                    node = turn % len(self.clients)
                    keys = [key for at, key in enumerate(self.keys) if at % len(self.clients) == node]
                    batch = [
                        self._sign(keys[at % len(keys)], waiting.popleft()) for at in range(min(_BATCH, len(waiting)))
                    ]
                    for transaction, call in batch:
                        under_way[transaction.hash] = call
                    await self._submit(self.clients[node], [transaction for transaction, _ in batch])
                    turn += 1
                self._moved = trio.Event()
                with trio.move_on_after(_STALL_S) as stalled:
                    if under_way:
                        await self._moved.wait()
                if stalled.cancelled_caught:
                    raise DevnetError(f"{len(under_way)} transactions are not final after {_STALL_S:.0f} s")
            nursery.cancel_scope.cancel()
        return self.gas - begun

    async def _learn_nonces(self) -> None:
        for key in self.keys:
            if key.address not in self._nonces:
                self._nonces[key.address] = (await self.clients[0].account(key.address)).next_nonce

    def _sign(self, key: PrivateKey, call: Call) -> tuple[Transaction, Call]:
        nonce = self._nonces[key.address]
        self._nonces[key.address] = nonce + 1
        unsigned = UnsignedTransaction(
            chain_id=self.chain_id, nonce=nonce, gas_limit=call.gas, to=call.contract, value=0, data=call.data
        )
        return sign_transaction(unsigned, key.sign), call

    async def _submit(self, client: Client, batch: list[Transaction]) -> None:
        for outcome in await client.submit_many(batch):
            if isinstance(outcome, Refused):
                raise DevnetError(f"a transaction was refused: {outcome.reason}: {outcome.message}")

    async def _follow(
        self,
        under_way: dict[bytes, Call],
        done: Callable[[int], None],
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        async with self.clients[0].subscribe_blocks(view=BlockView.OUTCOMES) as blocks:
            task_status.started()
            async for block in blocks:
                count = 0
                for hash_, outcome in zip(block.transaction_hashes, block.outcomes, strict=True):
                    call = under_way.pop(hash_, None)
                    if call is None:
                        continue
                    if not outcome.succeeded:
                        raise DevnetError(
                            f"a call of 0x{call.contract.hex()} failed: 0x{hash_.hex()}, {call.data[:4].hex()}"
                        )
                    count += 1
                    self.gas += outcome.gas_used
                self.final += count
                if count:
                    done(count)
                self._moved.set()
