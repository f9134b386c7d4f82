"""What the hub sends to the chain: secrets before a lock expires, vouchers while a channel closes, agreements, money.

Each duty is done again until the chain shows that it is done, by whatever transaction: the core is told by events, and
a duty whose end it has seen is dropped. What is under way when the process dies comes again: the core has it in its
state.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import structlog
import trio

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.channels.calls import claim_argument, contract_signature, parties_argument
from alatau.channels.forwarding.book import Book
from alatau.channels.forwarding.effects import Act, DoAlarm, DoAskLiquidity, DoCarry, DoReveal
from alatau.channels.state import Phase, side_of
from alatau.channels.transition import DoCloseCooperatively, DoSubmit
from alatau.client import Client
from alatau.client.contract import Contract
from alatau.client.errors import ContractHalted, ContractReverted, TransactionFailed
from alatau.client.wallet import Wallet
from alatau.crypto.keccak import keccak256
from alatau.transport.errors import RpcError

_LOG = structlog.get_logger(__name__)

_PAUSE_S: Final = 1.0
"""Before a duty is tried again."""
_ATTEMPTS_MAX: Final = 30
"""Of what the contract refuses; then an operator has to look."""


@dataclass(slots=True)
class ChainDuties:
    """The hub's account on chain. :meth:`run` is its task."""

    client: Client
    wallet: Wallet
    book: Book
    liquidity_step: int
    """At least so much, in token units, is put into a channel at a time."""
    alarms: list[str] = field(default_factory=list)
    """What an operator has to look at, newest last."""
    turn: trio.Lock = field(default_factory=trio.Lock)
    """Held while a transaction of the hub's account is under way: whoever sends from it takes turns."""
    _jobs: dict[object, Callable[[], Any]] = field(default_factory=dict)
    _wake: trio.Event = field(default_factory=trio.Event)

    @property
    def waiting(self) -> int:
        """Duties that the chain has not seen done."""
        return len(self._jobs)

    def take(self, act: Act) -> None:
        """A duty; one that waits already is not taken twice."""
        match act:
            case DoReveal(secret, by_block):
                self._jobs.setdefault(("reveal", secret), partial(self._reveal, secret, by_block))
            case DoCarry(parties, DoSubmit() as submission):
                payer = submission.signed.voucher.payer
                self._jobs["submit", parties, payer] = partial(self._submit, parties, submission)
            case DoCarry(parties, DoCloseCooperatively() as agreement):
                self._jobs.setdefault(("close", parties), partial(self._close, parties, agreement))
            case DoAskLiquidity(channel_id, missing):
                self._jobs.setdefault(("deposit", channel_id), partial(self._deposit, channel_id, missing))
            case DoAlarm(text):
                self.alarm(text)
        self._wake.set()

    async def run(self) -> None:
        """Do duties until cancelled, one after the other: they share an account and its nonces."""
        contract = self.client.contract(load("CityChannels").abi, self.book.domain.contract)
        attempts: dict[object, int] = {}
        while True:
            if not self._jobs:
                self._wake = trio.Event()
                await self._wake.wait()
            for key, job in list(self._jobs.items()):
                if await self._done(contract, job):
                    attempts.pop(key, None)
                    if self._jobs.get(key) is job:
                        del self._jobs[key]
                    continue
                attempts[key] = attempts.get(key, 0) + 1
                if attempts[key] >= _ATTEMPTS_MAX:
                    self.alarm(f"given up after {_ATTEMPTS_MAX} attempts: {key}")
                    attempts.pop(key)
                    self._jobs.pop(key, None)
            if self._jobs:
                await trio.sleep(_PAUSE_S)

    async def _done(self, contract: Contract, job: Callable[..., Any]) -> bool:
        try:
            async with self.turn:
                await job(contract)
        except (ContractReverted, ContractHalted, TransactionFailed) as error:
            _LOG.warning("hub.call_refused", error=str(error))
            return False
        except RpcError as error:
            self.wallet.forget_nonce()
            _LOG.warning("hub.call_failed", error=error.message, reason=error.reason)
            return False
        return True

    async def _reveal(self, secret: bytes, _by_block: int, contract: Contract) -> None:
        if keccak256(secret) not in self.book.revealed:
            await contract.send(self.wallet, "reveal", secret)

    async def _submit(self, parties: Any, submission: DoSubmit, contract: Contract) -> None:
        voucher = submission.signed.voucher
        member = self.book.members.get(voucher.channel_id)
        if member is None or member.state.phase is not Phase.CLOSING:
            return
        if side_of(member.state, voucher.payer).submitted_nonce >= voucher.nonce:
            return
        receipt = submission.receipt
        if voucher.payer == self.book.hub and receipt is None:
            return  # its payee brings it, if it is worth it
        receipt = None if voucher.payer != self.book.hub else receipt
        await contract.send(
            self.wallet, "submit", parties_argument(parties), claim_argument(submission.signed, receipt)
        )

    async def _close(self, parties: Any, agreement: DoCloseCooperatively, contract: Contract) -> None:
        message = agreement.message
        member = self.book.members.get(message.channel_id)
        if member is None:
            return
        await contract.send(
            self.wallet,
            "close_cooperatively",
            parties_argument(parties),
            message.payout_a,
            message.payout_b,
            message.deadline,
            contract_signature(agreement.signature_a),
            contract_signature(agreement.signature_b),
        )

    async def _deposit(self, channel_id: bytes, missing: int, contract: Contract) -> None:
        member = self.book.members.get(channel_id)
        if member is None or member.state.phase is not Phase.OPEN:
            return
        amount = max(missing, self.liquidity_step)
        token = self.client.contract(load("SettlementToken").abi, addresses.SETTLEMENT_TOKEN)
        balance = await token.read("balanceOf", self.wallet.address)
        if balance < missing:
            self.alarm(f"the hub's account has {balance}, and {missing} is missing in a channel: put money in")
            return
        amount = min(amount, balance)
        allowed = await token.read("allowance", self.wallet.address, contract.address)
        if allowed < amount:
            await token.send(self.wallet, "approve", contract.address, 2**256 - 1)
        await contract.send(self.wallet, "deposit", parties_argument(member.state.parties), amount)

    def alarm(self, text: str) -> None:
        """Let an operator know."""
        _LOG.error("hub.alarm", text=text)
        self.alarms.append(text)
        del self.alarms[:-100]
