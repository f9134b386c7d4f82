"""Bringing to the contract what it has to hear of, until the chain says that it has.

Nothing here is believed but the chain: a voucher stays due until the contract's own event says that it knows it, or a
newer one. So a transaction that was lost is sent again, a tower that was killed begins again with what is due, and two
towers do no harm: the contract passes over what it knows already.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog
import trio

from alatau.channels.calls import ClaimArgument, PartiesArgument, claim_argument, parties_argument
from alatau.client.contract_plans import events
from alatau.tower import store
from alatau.tower.docket import Direction, Due
from alatau.tower.group_commit import Changes
from alatau.tower.post import Post
from alatau.tower.sending import Sender, send_apart
from alatau.transport.errors import RpcError

_LOG = structlog.get_logger(__name__)

SUBMISSIONS_MAX: Final = 64
"""Vouchers in a transaction (the contract's bound)."""
_AT_ONCE: Final = 8
"""Transactions under way: half of a block's gas."""
_HEARD_S: Final = 10.0
"""How long the chain's event may take after a transaction is final; then the voucher is brought again."""
_PAUSE_S: Final = 1.0
"""Before another attempt where no node took a transaction: about a block."""
_REFUSED_S: Final = 60.0
"""Before another attempt with a voucher that the contract refused by itself."""


class Contester:
    """Brings what is due. :meth:`run` is its task."""

    def __init__(self, post: Post, sender: Sender) -> None:
        self._post = post
        self._sender = sender
        self._refused: dict[bytes, float] = {}
        """Vouchers (by signature) that the contract refused, and when they are tried again."""

    async def run(self) -> None:
        """Contest until cancelled."""
        while True:
            changed = self._post.docket.changed
            due = self._to_bring()
            if not due:
                with trio.move_on_after(_REFUSED_S):
                    await changed()
                continue
            async with trio.open_nursery() as nursery:
                for start in range(0, min(len(due), _AT_ONCE * SUBMISSIONS_MAX), SUBMISSIONS_MAX):
                    nursery.start_soon(self._bring, due[start : start + SUBMISSIONS_MAX])

    def _to_bring(self) -> list[Due]:
        now = trio.current_time()
        self._refused = {signature: until for signature, until in self._refused.items() if until > now}
        due = [each for each in self._post.docket.due() if each.held.signed.signature not in self._refused]
        if not due and not self._refused:
            self._post.alarms.say("contests", None)
        return due

    async def _bring(self, batch: Sequence[Due]) -> None:
        post = self._post
        try:
            receipts, refused = await send_apart(self._sender, "submit_many", batch, _submission)
        except RpcError as error:
            self._trouble(batch, error.message)
            await trio.sleep(_PAUSE_S)
            return
        for due, why in refused:
            self._refused[due.held.signed.signature] = trio.current_time() + _REFUSED_S
            self._trouble([due], f"the contract refuses it: {why}")
        brought = [due for due in batch if due.held.signed.signature not in self._refused]
        with trio.move_on_after(_HEARD_S):
            while any(map(post.docket.is_due, brought)):
                await post.docket.changed()
        mine = {
            (event.values["id"], event.values["payer"])
            for receipt in receipts
            for event in events(post.abi, post.network.contract, receipt.logs)
            if event.name == "Submitted"
        }
        post.contests_won += len(mine)
        post.contests_by_others += len(brought) - len(mine)
        if any(each.held.parties.a == post.canary_account for each in batch if _direction(each) in mine):
            await post.commits.commit(self._note_canary)
        if mine:
            _LOG.info("tower.contested", vouchers=len(mine), height=receipts[0].position.height)

    def _note_canary(self, changes: Changes) -> None:
        store.keep_canary(changes, replace(store.canary(changes), contested=int(self._post.now())))

    def _trouble(self, batch: Sequence[Due], why: str) -> None:
        soonest = min(due.settle_block for due in batch)
        self._post.alarms.say(
            "contests", f"{len(batch)} vouchers could not be brought, the first window ends at block {soonest}: {why}"
        )


def _direction(due: Due) -> Direction:
    return due.held.voucher.channel_id, due.held.voucher.payer


def _submission(due: Due) -> tuple[PartiesArgument, ClaimArgument]:
    held = due.held
    return parties_argument(held.parties), claim_argument(held.signed, held.receipt)
