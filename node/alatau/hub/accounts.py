"""Accounts of wallets that have no node: what the chain says of them, and what the hub carries to it for them.

The hub carries what an account has signed, from its own account and in turn with its duties. It looks first whether the
contract would take it, so that a stranger makes it send nothing that fails.
"""

from dataclasses import dataclass
from typing import Any, Final

import trio

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.chain.permission import frozen_until, may_transact, tier_of
from alatau.channels.messages import Domain, Parties, channel_id, domain_of, signed_by
from alatau.channels.signed_money import Authorization, authorization_digest, deposit_nonce, signed_money_argument
from alatau.channels.state import ChannelState, Phase
from alatau.client import Client
from alatau.client.channel_views import ChannelOnChain, TooManyChannelsError, newest_channel
from alatau.client.errors import ContractFailed, TransactionFailed
from alatau.client.wallet import Wallet
from alatau.transport.errors import Code, RpcError

READS_MAX: Final = 16
"""Accounts that are looked up at once: each is six questions to a node."""
CARRIED_MAX: Final = 256
"""Transactions for wallets that wait for their turn: some minutes of a busy chain."""


@dataclass(frozen=True, slots=True)
class Network:
    """What a wallet puts into what it signs."""

    token: bytes
    """20 bytes."""
    token_name: str
    symbol: str
    decimals: int
    relying_party: str
    """Domain whose passkeys the network takes; empty for none."""
    settle_blocks: int

    def token_domain(self, chain_id: int) -> Domain:
        """In which money is signed away."""
        return domain_of(self.token_name, chain_id, self.token, self.relying_party)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the chain has it."""

    height: int
    word: int
    """Its status (:mod:`alatau.chain.permission`)."""
    registered: bool
    balance: int
    credit: int
    newest: ChannelOnChain
    """Its channel with the hub, or the place for the next."""

    @property
    def tier(self) -> int:
        """Of the participant registry."""
        return tier_of(self.word)

    @property
    def frozen_until(self) -> int:
        """Seconds since 1970; 0 for no freeze."""
        return frozen_until(self.word)


@dataclass(frozen=True, slots=True)
class Money:
    """What an owner signed away to the channels contract."""

    owner: bytes
    amount: int
    valid_after: int
    valid_before: int
    signature: bytes


class Accounts:
    """Asks a node, and sends from the hub's account."""

    def __init__(self, client: Client, wallet: Wallet, turn: trio.Lock, domain: Domain, settle_blocks: int) -> None:
        """``turn`` is held by whoever sends from ``wallet``; ``domain`` is that of CityChannels."""
        self.domain = domain
        self.hub = wallet.address
        self._client = client
        self._wallet = wallet
        self._turn = turn
        self._settle_blocks = settle_blocks
        self._channels = client.contract(load("CityChannels").abi, domain.contract)
        self._registry = client.contract(load("ParticipantRegistry").abi, addresses.PARTICIPANT_REGISTRY)
        self._reads = trio.CapacityLimiter(READS_MAX)
        self._carried = 0
        self._network: Network | None = None

    async def network(self) -> Network:
        """Asked once. Raises ``RpcError``."""
        if self._network is None:
            token = bytes(await self._channels.read("asset"))
            contract = self._client.contract(load("SettlementToken").abi, token)
            verifier = self._client.contract(load("SignatureVerifier").abi, addresses.SIGNATURE_VERIFIER)
            self._network = Network(
                token,
                list(await contract.read("eip712Domain"))[1],
                await contract.read("symbol"),
                int(await contract.read("decimals")),
                await verifier.read("relying_party"),
                self._settle_blocks,
            )
        return self._network

    async def account(self, address: bytes) -> Account:
        """Look an account up. Raises ``RpcError``."""
        network = await self.network()
        async with self._reads:
            status = await self._client.status()
            token = self._client.contract(load("SettlementToken").abi, network.token)
            word = int(await self._registry.read("status", address))
            try:
                newest = await newest_channel(self._channels, self.domain, address, self.hub)
            except TooManyChannelsError as error:
                raise RpcError(Code.FAILED_PRECONDITION, str(error), reason="TOO_MANY_CHANNELS") from error
            return Account(
                status.height,
                word,
                may_transact(word, status.timestamp),
                int(await token.read("balanceOf", address)),
                int(await self._channels.read("credit", address)),
                newest,
            )

    def state_of(self, found: ChannelOnChain, phase: Phase) -> ChannelState:
        """A channel that was found, without vouchers."""
        identity = channel_id(self.domain, found.parties)
        return ChannelState(
            self.domain, found.parties, identity, self._settle_blocks, phase, found.a, found.b, found.window
        )

    async def open_channel(self, salt: bytes, money: Money) -> bytes:
        """Carry ``open_for``; gives the channel's id when it is final. Raises ``RpcError``."""
        parties = Parties(money.owner, self.hub, salt)
        identity = channel_id(self.domain, parties)
        account = await self.account(money.owner)
        if account.newest.parties == parties and account.newest.phase is not None:
            return identity
        if account.newest.parties != parties:
            raise _refused("the account has a channel with this hub already, or the salt is not its next one")
        await self._check(account, money, identity)
        await self._carry("open_for", self.hub, salt, _argument(money))
        return identity

    async def deposit(self, parties: Parties, salt: bytes, money: Money) -> None:
        """Carry ``deposit_for``; returns when it is final. Raises ``RpcError``."""
        await self._check(await self.account(money.owner), money, deposit_nonce(channel_id(self.domain, parties), salt))
        await self._carry("deposit_for", (parties.a, parties.b, parties.salt), salt, _argument(money))

    async def claim(self, address: bytes) -> int:
        """Carry ``claim``; gives what was paid out. Raises ``RpcError``."""
        owed = int(await self._channels.read("credit", address))
        if owed:
            await self._carry("claim", address)
        return owed

    async def _check(self, account: Account, money: Money, nonce: bytes) -> None:
        """Whether the token would take what was signed, as far as can be told without it."""
        token = (await self.network()).token_domain(self.domain.chain_id)
        digest = authorization_digest(token, _authorization(money, self.domain.contract, nonce))
        if not signed_by(digest, money.signature, money.owner, token.rp_id_hash):
            raise RpcError(
                Code.PERMISSION_DENIED, "the money is not signed away by its owner", reason="SIGNATURE_INVALID"
            )
        if not account.registered:
            raise _refused("the account is not registered, or not in good standing: see the registrar")
        if account.balance < money.amount:
            raise _refused(f"the account has {account.balance} token units, and {money.amount} were signed away")

    async def _carry(self, name: str, *arguments: Any) -> None:
        if self._carried >= CARRIED_MAX:
            raise RpcError(Code.RESOURCE_EXHAUSTED, "too many wait to be carried; try again", reason="SERVER_BUSY")
        self._carried += 1
        try:
            async with self._turn:
                await self._channels.send(self._wallet, name, *arguments)
        except (ContractFailed, TransactionFailed) as error:
            raise _refused(f"the contract does not take it: {error}") from error
        except RpcError:
            self._wallet.forget_nonce()
            raise
        finally:
            self._carried -= 1


def _authorization(money: Money, receiver: bytes, nonce: bytes) -> Authorization:
    return Authorization(money.owner, receiver, money.amount, money.valid_after, money.valid_before, nonce)


def _argument(money: Money) -> Any:
    # Receiver and nonce follow from the call: the contract puts them in.
    return signed_money_argument(_authorization(money, bytes(20), bytes(32)), money.signature)


def _refused(text: str) -> RpcError:
    return RpcError(Code.FAILED_PRECONDITION, text, reason="NOT_CARRIED")
