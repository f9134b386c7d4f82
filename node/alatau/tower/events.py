"""The contract's events as news of channels."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from alatau.channels.messages import Lock, Parties
from alatau.channels.state import Window
from alatau.channels.watching import News, NewsClosing, NewsOpened, NewsSettled, NewsSubmitted, Submitted
from alatau.client.abi import Abi, Event
from alatau.wire.logs import EventFilter, EventLog

_NAMES: Final = ("Opened", "Closing", "LocksPublished", "Submitted", "Settled")


def channel_events(abi: Abi, contract: bytes) -> EventFilter:
    """The events that change what a tower has to do."""
    return EventFilter((contract,), (tuple(abi.event(name).topic for name in _NAMES),))


def news_of(abi: Abi, logs: Iterable[EventLog]) -> Iterator[tuple[bytes, News]]:
    """Channel ids with what was told of them, in the chain's order.

    A list of locks is told just before the voucher that names it, in one transaction; a voucher without one has none.
    """
    locks: dict[tuple[bytes, bytes, bytes], tuple[Lock, ...]] = {}
    for log in logs:
        event = abi.decode_event(log)
        assert event is not None, "the filter lets through what the ABI declares"
        values = event.values
        key = (log.transaction_hash, values["id"], values.get("payer", b""))
        if event.name == "LocksPublished":
            locks[key] = tuple(Lock(*lock) for lock in values["locks"])
        else:
            yield values["id"], _news(event, values, locks.pop(key, ()))


def _news(event: Event, values: dict[str, Any], locks: tuple[Lock, ...]) -> News:
    match event.name:
        case "Opened":
            return NewsOpened(Parties(values["a"], values["b"], values["salt"]))
        case "Closing":
            return NewsClosing(Window(values["settle_block"], values["settle_time"]))
        case "Submitted":
            return NewsSubmitted(values["payer"], Submitted(values["nonce"], locks))
        case _:
            return NewsSettled(event.log.height)
