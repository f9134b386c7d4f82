"""The first input of consensus, from what is on disk when the node knows where the network stands."""

from collections.abc import Sequence

import structlog

from alatau.consensus.inputs import InStart
from alatau.consensus.records import Record
from alatau.engine.chain_view import ChainView
from alatau.engine.journal import Journal
from alatau.storage.sign_state import SignStateStaleError

_LOG = structlog.get_logger(__name__)


def is_fresh(view: ChainView, journal: Journal, records: Sequence[Record]) -> bool:
    """Whether the disks are empty: no chain, no log, no sign state."""
    return view.height == 0 and not records and journal.sign_state.last is None


def start_input(view: ChainView, journal: Journal, records: Sequence[Record], validator: bytes | None) -> InStart:
    """What consensus begins with; ``validator`` is the address of the voting key, None for an observer."""
    return InStart(
        context=view.context(transactions_waiting=False),
        records=tuple(records),
        sign_state=journal.sign_state.last,
        may_sign=_may_sign(view, journal, validator),
        fresh=is_fresh(view, journal, records),
    )


def _may_sign(view: ChainView, journal: Journal, validator: bytes | None) -> bool:
    """Whether the sign state is as new as the chain; if not, an old one was restored, and signing stays off."""
    if validator is None:
        return False
    commit = view.tip_commit
    depth = view.config.consensus.absent_commits
    height = view.height
    while commit is not None and height > view.height - depth:
        if any(entry.validator == validator for entry in commit.signatures):
            try:
                journal.sign_state.check_not_older(commit.height, commit.round)
            except SignStateStaleError as error:
                _LOG.error("sign_state.stale", error=str(error))
                return False
            return True
        height -= 1
        commit = view.store.commit_of(height)
    return True
