"""What a party must bring to the chain by itself: vouchers while the channel closes, agreements, secrets.

Each is tried again until the chain shows that it is done, by whatever transaction. What was under way when the process
died comes again: the core has it in its state, or asks for it with the next block.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
import trio

from alatau.channels.party.core import PartyCore
from alatau.channels.party.effects import Carry, Reveal
from alatau.channels.state import Phase, side_of
from alatau.channels.transition import DoCloseCooperatively, DoSubmit, outstanding
from alatau.client.errors import ContractFailed, TransactionFailed
from alatau.crypto.keccak import keccak256
from alatau.transport.errors import RpcError
from alatau.wallet.chain_account import ChainAccount

_LOG = structlog.get_logger(__name__)

_PAUSE_S: Final = 1.0
"""Before something is tried again."""
_HUB_CARRIES_S: Final = 10.0
"""The hub brings an agreement to the chain at once; only if it has not after so long, the wallet does."""


@dataclass(slots=True)
class ChainActs:
    """A channel's duties on chain. :meth:`run` is its task."""

    account: ChainAccount
    core: PartyCore
    clock: Callable[[], float]
    """Seconds since 1970."""
    _carry_from: float = 0.0
    """When an agreement is the wallet's to carry."""
    _waiting: dict[object, Carry | Reveal] = field(default_factory=dict)
    _wake: trio.Event = field(default_factory=trio.Event)

    def take(self, act: Carry | Reveal) -> None:
        """A duty; a newer voucher takes the place of an older one."""
        key: object = act.secret if isinstance(act, Reveal) else type(act.action)
        self._waiting[key] = act
        if isinstance(act, Carry) and isinstance(act.action, DoCloseCooperatively):
            self._carry_from = self.clock() + _HUB_CARRIES_S
        self._wake.set()

    async def run(self) -> None:
        """Do duties until cancelled."""
        for left in self._left_over():
            self.take(left)
        while True:
            if not self._waiting:
                self._wake = trio.Event()
                await self._wake.wait()
            for key, act in list(self._waiting.items()):
                if self._is_later(act):
                    continue
                if (not self._is_due(act) or await self._done(act)) and self._waiting.get(key) is act:
                    del self._waiting[key]
            if self._waiting:
                await trio.sleep(_PAUSE_S)

    def _left_over(self) -> list[Carry]:
        """What the state says that an earlier process may not have brought."""
        duties = outstanding(self.core.state)
        return [Carry(duty) for duty in duties if not isinstance(duty, DoSubmit) or self.core.is_for_me(duty.signed)]

    def _is_later(self, act: Carry | Reveal) -> bool:
        agreement = isinstance(act, Carry) and isinstance(act.action, DoCloseCooperatively)
        return agreement and self._is_due(act) and self.clock() < self._carry_from

    def _is_due(self, act: Carry | Reveal) -> bool:
        state = self.core.state
        match act:
            case Reveal(secret, _by_block):
                return keccak256(secret) not in self.core.revealed
            case Carry(DoSubmit(signed)):
                known = side_of(state, signed.voucher.payer).submitted_nonce
                return state.phase is Phase.CLOSING and known < signed.voucher.nonce
            case Carry(DoCloseCooperatively(message)):
                return state.phase is not Phase.SETTLED and self.clock() <= message.deadline
        raise AssertionError("every act is matched above")

    async def _done(self, act: Carry | Reveal) -> bool:
        """Whether there is nothing left to try now."""
        parties = self.core.state.parties
        try:
            match act:
                case Reveal(secret, _by_block):
                    await self.account.reveal(secret)
                case Carry(DoSubmit() as submission):
                    await self.account.submit(parties, submission)
                case Carry(DoCloseCooperatively() as agreed):
                    await self.account.close_cooperatively(parties, agreed)
        except (ContractFailed, TransactionFailed) as error:
            _LOG.warning("wallet.call_refused", error=str(error))
            return False
        except RpcError as error:
            _LOG.warning("wallet.call_failed", error=error.message, reason=error.reason)
            return False
        return True
