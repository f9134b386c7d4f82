"""Sending from the tower's account: each transaction is signed once, and nothing waits behind one that failed."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import structlog

from alatau.client import Client
from alatau.client.contract_plans import check, estimated_gas, prepare
from alatau.client.errors import ContractHalted, ContractReverted, TransactionFailed
from alatau.client.queries import CallMessage
from alatau.client.wallet import Wallet
from alatau.tower.post import Post
from alatau.transport.errors import RpcError
from alatau.wire.receipt import TransactionReceipt

_LOG = structlog.get_logger(__name__)

T = TypeVar("T")

FINAL_S: Final = 30.0
"""How long a transaction may take to become final; it is offered anew after that, and takes effect once."""
_NOT_PERMITTED: Final = "SENDER_NOT_PERMITTED"
_TOO_LARGE: Final = frozenset({"TRANSACTION_TOO_LARGE", "GAS_LIMIT_TOO_HIGH", "CALL_GAS_TOO_HIGH"})
"""What a node says of a batch that is more than fits into a transaction: passkeys' signatures have a kilobyte each."""


class Sender:
    """Calls the channels contract from one account."""

    def __init__(self, post: Post, client: Client, wallet: Wallet) -> None:
        self._post = post
        self._client = client
        self._wallet = wallet

    @property
    def address(self) -> bytes:
        """Of the account."""
        return self._wallet.address

    async def send(self, name: str, *arguments: Any) -> TransactionReceipt:
        """Call a function in a transaction and wait until it is final.

        Raises:
            ContractReverted, ContractHalted: it would fail; nothing was sent.
            TransactionFailed: it is final, and failed.
            RpcError: no node took it, or it was not final in time.
        """
        post, client = self._post, self._client
        message = CallMessage(post.network.contract, post.abi.encode_call(name, arguments), self.address)
        gas = await client.run(estimated_gas(message, post.abi))
        await client.run(prepare(self._wallet))
        transaction = self._wallet.sign(
            to=message.to, data=message.data, gas_limit=gas, max_fee_per_gas=post.base_fee_per_gas
        )
        try:
            receipt = await client.submit_and_wait(transaction, FINAL_S)
        except RpcError as error:
            self._wallet.forget_nonce()
            if error.reason == _NOT_PERMITTED:
                post.alarms.say("permission", error.message)
            raise
        await client.run(check(receipt, post.abi))
        return receipt


async def send_apart(
    sender: Sender, name: str, items: Sequence[T], argument: Callable[[T], Any]
) -> tuple[list[TransactionReceipt], list[tuple[T, str]]]:
    """Call a batch function; where the batch is refused or too large, each half alone, so that one spoils no other.

    Gives the receipts, and the items that the contract refuses by themselves, each with its reason.

    Raises:
        RpcError: as :meth:`Sender.send`; what was sent before it is on chain.
    """
    try:
        return [await sender.send(name, [argument(item) for item in items])], []
    except (ContractReverted, ContractHalted, TransactionFailed, RpcError) as error:
        if isinstance(error, RpcError) and error.reason not in _TOO_LARGE:
            raise
        if len(items) == 1:
            _LOG.error("tower.item_refused", call=name, why=str(error))
            return [], [(items[0], str(error))]
    middle = len(items) // 2
    receipts, refused = await send_apart(sender, name, items[:middle], argument)
    more, also = await send_apart(sender, name, items[middle:], argument)
    return receipts + more, refused + also
