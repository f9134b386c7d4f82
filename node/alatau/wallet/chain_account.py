"""A wallet's account on chain: opening, paying in, taking out, closing, claiming. Each returns when it is final."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import trio

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.channels.calls import (
    NO_CLAIM,
    claim_argument,
    compact_signature,
    locks_argument,
    own_request,
    parties_argument,
)
from alatau.channels.messages import Lock, Parties, SignedVoucher, Withdraw, channel_id
from alatau.channels.state import ChannelState, Phase
from alatau.channels.transition import DoCloseCooperatively, DoSubmit
from alatau.client import Client
from alatau.client.channel_views import ChannelOnChain, TooManyChannelsError, channel_on_chain, newest_channel
from alatau.client.wallet import Wallet
from alatau.transport.errors import RpcError
from alatau.wallet.errors import WalletError
from alatau.wallet.setup import Setup
from alatau.wire.receipt import TransactionReceipt


@dataclass(frozen=True, slots=True)
class OnChain:
    """A channel as the contract tells it."""

    state: ChannelState
    """Without vouchers."""
    height: int
    """Of the chain, at which it was read."""
    withdrawn: tuple[int, int]


class ChainAccount:
    """Sends the account's transactions, one after the other. Made once a wallet."""

    def __init__(self, client: Client, setup: Setup) -> None:
        self.client = client
        self._setup = setup
        self._wallet = Wallet(setup.key, setup.domain.chain_id)
        self._channels = client.contract(load("CityChannels").abi, setup.domain.contract)
        self._turn = trio.Lock()

    async def asset(self) -> bytes:
        """The token that channels pay with; 20 bytes."""
        return bytes(await self._channels.read("asset"))

    async def find(self) -> OnChain | None:
        """The account's channel with its hub that is open or closing; None where there is none.

        Salts are counted from 0, so an account that has lost all but its key finds its channel.
        """
        newest = await self._newest()
        if newest.phase is None:
            return None
        status = await self.client.status()
        return await self._on_chain(newest.parties, status.height)

    async def open(self, amount: int) -> OnChain:
        """Open the next channel with the hub and put ``amount`` in.

        Raises:
            ContractReverted: the hub has no licence, or the account too little money; nothing was sent.
            WalletError: there is a channel already.
        """
        newest = await self._newest()
        if newest.phase is not None:
            raise WalletError("this account has a channel with the hub already; one that is closing has to be settled")
        await self._approve(amount)
        receipt = await self._send("open", newest.parties.b, newest.parties.salt, amount)
        return await self._on_chain(newest.parties, receipt.position.height)

    async def deposit(self, parties: Parties, amount: int) -> None:
        """Put more money in. Raises ``ContractReverted``."""
        await self._approve(amount)
        await self._send("deposit", parties_argument(parties), amount)

    async def withdraw(self, parties: Parties, message: Withdraw, consent: bytes) -> None:
        """Take out what the hub consents to. Raises ``ContractReverted``."""
        await self._send(
            "withdraw", parties_argument(parties), message.total, message.deadline, compact_signature(consent)
        )

    async def close(self, parties: Parties, best: SignedVoucher | None) -> None:
        """Let the settlement begin, with the newest voucher that paid the account. Raises ``ContractReverted``."""
        claim = NO_CLAIM if best is None else claim_argument(best)
        await self._send("close", parties_argument(parties), own_request(self._setup.address), claim)

    async def close_cooperatively(self, parties: Parties, agreed: DoCloseCooperatively) -> None:
        """Settle as both have signed. Raises ``ContractReverted``."""
        message = agreed.message
        await self._send(
            "close_cooperatively",
            parties_argument(parties),
            message.payout_a,
            message.payout_b,
            message.deadline,
            compact_signature(agreed.signature_a),
            compact_signature(agreed.signature_b),
        )

    async def submit(self, parties: Parties, submission: DoSubmit) -> None:
        """Bring a newer voucher while the channel is closing. Raises ``ContractReverted``."""
        await self._send("submit", parties_argument(parties), claim_argument(submission.signed))

    async def reveal(self, secret: bytes) -> None:
        """Let the chain know a secret. Raises ``ContractReverted``."""
        await self._send("reveal", secret)

    async def settle(self, parties: Parties) -> None:
        """After the window, credit both. Raises ``ContractReverted`` before."""
        found: dict[bytes, Sequence[Lock]] = {}
        identity = channel_id(self._setup.domain, parties)
        async for event in self._channels.past_events("LocksPublished", id=identity):
            found[event.values["payer"]] = [Lock(*_lock(one)) for one in event.values["locks"]]
        await self._send(
            "settle",
            parties_argument(parties),
            locks_argument(found.get(parties.a, ())),
            locks_argument(found.get(parties.b, ())),
        )

    async def phase(self, parties: Parties) -> Phase:
        """Where the contract has the channel."""
        found = await channel_on_chain(self._channels, self._setup.domain, parties)
        return Phase.SETTLED if found.phase is None else found.phase

    async def credit(self, account: bytes) -> int:
        """Token units that the contract owes an account."""
        return int(await self._channels.read("credit", account))

    async def claim(self) -> int:
        """Have the account's credit paid out; gives how much. Raises ``ContractReverted``: above its tier's cap."""
        owed = await self.credit(self._setup.address)
        if owed:
            await self._send("claim", self._setup.address)
        return owed

    async def claim_for_successor(self, lost: bytes) -> int:
        """Have the credit of a lost account paid to its successor in the registry, which this account is.

        Raises:
            WalletError: the registry does not say so, or nothing is owed yet.
        """
        registry = self.client.contract(load("ParticipantRegistry").abi, addresses.PARTICIPANT_REGISTRY)
        successor = bytes(await registry.read("successor_of", lost))
        if successor != self._setup.address:
            named = "nobody" if not any(successor) else f"0x{successor.hex()}"
            raise WalletError(
                f"the registry's successor of 0x{lost.hex()} is {named}, not this account: ask the registrar to name it"
                " (with your identity papers), and wait until the delay of the naming is over"
            )
        owed = await self.credit(lost)
        if not owed:
            raise WalletError(
                f"nothing is owed to 0x{lost.hex()} outside a channel: ask the hub to close that account's channel,"
                " wait until it is settled, and run this again"
            )
        await self._send("claim_for_successor", lost)
        return owed

    async def balance(self) -> int:
        """Token units of the account itself."""
        token = self.client.contract(load("SettlementToken").abi, await self.asset())
        return int(await token.read("balanceOf", self._setup.address))

    async def decimals(self) -> int:
        """How many digits of an amount stand after the point."""
        token = self.client.contract(load("SettlementToken").abi, await self.asset())
        return int(await token.read("decimals"))

    async def _approve(self, amount: int) -> None:
        if not amount:
            return
        token = self.client.contract(load("SettlementToken").abi, await self.asset())
        balance = int(await token.read("balanceOf", self._setup.address))
        if balance < amount:
            raise WalletError(f"the account has {balance} token units, and {amount} were to be put in")
        allowed = await token.read("allowance", self._setup.address, self._setup.domain.contract)
        if allowed < amount:
            async with self._turn:
                await token.send(self._wallet, "approve", self._setup.domain.contract, amount)

    async def _send(self, name: str, *arguments: Any) -> TransactionReceipt:
        async with self._turn:
            try:
                return await self._channels.send(self._wallet, name, *arguments)
            except RpcError:
                self._wallet.forget_nonce()
                raise

    async def _newest(self) -> ChannelOnChain:
        try:
            return await newest_channel(self._channels, self._setup.domain, self._setup.address, self._setup.hub)
        except TooManyChannelsError as error:
            raise WalletError(str(error)) from error

    async def _on_chain(self, parties: Parties, height: int) -> OnChain:
        found = await channel_on_chain(self._channels, self._setup.domain, parties, height)
        state = ChannelState(
            self._setup.domain,
            parties,
            channel_id(self._setup.domain, parties),
            int(await self._channels.read("settle_blocks")),
            Phase.CLOSING if found.phase is Phase.CLOSING else Phase.OPEN,
            found.a,
            found.b,
            found.window,
        )
        return OnChain(state, height, (found.a.withdrawn, found.b.withdrawn))


def _lock(one: Any) -> tuple[bytes, int, int]:
    values = list(one.values()) if isinstance(one, dict) else list(one)
    return bytes(values[0]), int(values[1]), int(values[2])
