"""Transactions of an account, in pages, from the index that a node may keep."""

from collections.abc import Sequence

from alatau.pb.api.v1 import transaction_service_pb2
from alatau.rpc.access import caller_of
from alatau.rpc.committed_state import check_range
from alatau.rpc.failures import failure
from alatau.rpc.feed import Feed
from alatau.rpc.final_block import tip_height
from alatau.rpc.limits import Limits
from alatau.rpc.paging import Tokens, request_identity
from alatau.rpc.requests import Checks, page_size
from alatau.rpc.stored_block import stored_transaction
from alatau.storage.account_index import Place
from alatau.storage.store import Store
from alatau.transport.call import Call
from alatau.transport.errors import RpcError
from alatau.types.transaction import recover_sender
from alatau.wire.transaction import Position, write_position, write_transaction

_pb = transaction_service_pb2

_PAGE_DEFAULT = 50
_PAGE_MAX = 200
"""Each transaction is read from its block: a page of them takes some 0.2 s, in a thread, in its caller's turn."""


def index_off() -> RpcError:
    """The refusal of a node that keeps no index of accounts."""
    return failure("ACCOUNT_INDEX_OFF", "this node keeps no index of accounts: its operator may set it on")


async def list_account_transactions(
    store: Store, feed: Feed, tokens: Tokens, limits: Limits, request: _pb.ListTransactionsRequest, call: Call
) -> _pb.ListTransactionsResponse:
    """A page. The end of the range is fixed by the first page, so that pages fit together."""
    checks = Checks()
    size = page_size(checks, request.page_size, _PAGE_DEFAULT, _PAGE_MAX)
    address = checks.address("address", request.address)
    if request.HasField("to_height"):
        checks.ordered("to_height", request.from_height, request.to_height)
    checks.finish()
    indexed_from = store.indexed_from
    if indexed_from is None:
        raise index_off()
    identity, tip = request_identity(request), tip_height(store)
    if request.page_token:
        height, index, last = tokens.redeem(request.page_token, identity, 3)
        first = Place(height, index)
    else:
        last = request.to_height if request.HasField("to_height") else tip
        check_range(request.from_height, last, tip)
        first = Place(request.from_height, 0)
    places, more = store.places_of(address, first, last, size + 1)
    room = limits.page_bytes_max
    found = await feed.read(caller_of(call), _read, places[:size], room)
    following = places[len(found)] if len(found) < len(places) else None
    assert following is not None or not more, "one more than a page was looked up"
    token = "" if following is None else tokens.issue(identity, (following.height, following.index, last))
    return _pb.ListTransactionsResponse(transactions=found, next_page_token=token, indexed_from_height=indexed_from)


def _read(store: Store, places: Sequence[Place], room: int) -> list[_pb.AccountTransaction]:
    """In the thread: as many as fit, at least one."""
    found: list[_pb.AccountTransaction] = []
    for place in places:
        tx = stored_transaction(store, place.height, place.index)
        position = Position(place.height, store.hash_of(place.height), place.index)
        message = _pb.AccountTransaction(
            transaction=write_transaction(tx, recover_sender(tx)), position=write_position(position)
        )
        room -= message.ByteSize()
        if room < 0 and found:
            break
        found.append(message)
    return found
