"""TowerService: what hubs and wallets ask a tower.

Signatures are checked in threads before anything is written, and the tower's own are made in threads after everything
is on the disk. A voucher that is refused is refused alone: the others of its request are taken.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import trio

from alatau.channels.errors import ChannelError, ForgedMessageError
from alatau.channels.messages import channel_id
from alatau.channels.protection import (
    Protection,
    SignedCloseRequest,
    TowerReceipt,
    check_close_request,
    check_protection,
    check_recovery,
    tower_receipt_digest,
)
from alatau.pb.channel.v1 import tower_service_pb2
from alatau.storage.errors import StorageError
from alatau.tower import store
from alatau.tower.group_commit import Changes
from alatau.tower.post import Post
from alatau.tower.protecting import Taken, take_close_request, take_protection
from alatau.transport.call import Call
from alatau.transport.errors import Code, RpcError
from alatau.transport.service import Service, bind
from alatau.wire.bounds import WireError
from alatau.wire.channel import read_parties, signature
from alatau.wire.request_bounds import check_request
from alatau.wire.tower import (
    Refusal,
    TowerStatus,
    read_close_request,
    read_protection,
    write_deposit,
    write_protection,
    write_status,
    write_tower_receipt,
)

_pb = tower_service_pb2
T = TypeVar("T")
R = TypeVar("R")

BATCH_MAX: Final = 256
"""Vouchers or requests in one call: 25 ms of checking signatures."""
_THREADS: Final = 2
"""For signatures; libsecp256k1 runs without the interpreter's lock. The disk's writer and the loop want a core, too."""


class TowerApi:
    """Serves ``alatau.channel.v1.TowerService``."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._threads = trio.CapacityLimiter(_THREADS)
        self.taken = 0
        """Vouchers that were newer, since the start."""
        self.refused = 0
        """Vouchers that were refused, since the start."""

    async def get_tower(self, _request: _pb.GetTowerRequest, _call: Call) -> _pb.GetTowerResponse:
        """Who the tower is and how it stands."""
        post = self._post
        return write_status(
            TowerStatus(
                address=post.key.address,
                chain_id=post.network.chain_id,
                contract=post.network.contract,
                height=post.height,
                tip_height=post.tip.height,
                channels=post.docket.protected,
                closing=len(post.docket.closing),
                contests_due=len(post.docket.due()),
                contests_won=post.contests_won,
                close_requests=post.docket.close_requests,
                canary_contested=store.canary(post.database).contested,
                alarms=post.alarms.words(),
            )
        )

    async def protect(self, request: _pb.ProtectRequest, _call: Call) -> _pb.ProtectResponse:
        """Take vouchers; a receipt for each that is held when this returns."""
        _check_count(request.protections)
        offered = [_parsed(read_protection, message) for message in request.protections]
        checks = await self._in_thread(self._checked, offered, check_protection)

        def take(changes: Changes) -> list[Taken | Refusal]:
            return [
                _attempt(self._take_protection, changes, each) if refusal is None else refusal
                for each, refusal in zip(offered, checks, strict=True)
            ]

        taken = await self._commit(take)
        self._note(offered, taken)
        outcomes = await self._in_thread(self._signed, offered, taken)
        return _pb.ProtectResponse(
            receipts=[
                write_tower_receipt(each.voucher.channel_id, each.voucher.payer, outcome)
                for each, outcome in zip(offered, outcomes, strict=True)
            ]
        )

    async def get_protection(self, request: _pb.GetProtectionRequest, _call: Call) -> _pb.GetProtectionResponse:
        """The newest vouchers of a channel, for one of its parties."""
        parties = _parsed(read_parties, request.parties)
        signed = _parsed(lambda data: signature(data, "signature"), request.signature)
        domain = self._post.network.domain
        try:
            check_recovery(domain, parties, request.time, signed, int(self._post.now()))
        except ForgedMessageError as error:
            raise RpcError(Code.PERMISSION_DENIED, str(error), reason="NOT_A_PARTY") from error
        except ChannelError as error:
            raise RpcError(Code.FAILED_PRECONDITION, str(error), reason="CLOCKS_DIFFER") from error
        held = store.protections(self._post.database, channel_id(domain, parties), parties)
        return _pb.GetProtectionResponse(protections=[write_protection(each) for each in held])

    async def deposit_close_requests(
        self, request: _pb.DepositCloseRequestsRequest, _call: Call
    ) -> _pb.DepositCloseRequestsResponse:
        """Keep requests to close for a mass exit."""
        _check_count(request.requests)
        domain = self._post.network.domain
        offered = [_parsed(lambda m: read_close_request(domain, m), message) for message in request.requests]
        checks = await self._in_thread(self._checked, offered, check_close_request)

        def take(changes: Changes) -> list[Taken | Refusal]:
            return [
                _attempt(self._take_request, changes, each) if refusal is None else refusal
                for each, refusal in zip(offered, checks, strict=True)
            ]

        deposits = await self._commit(take)
        self._post.docket.close_requests += sum(1 for each in deposits if isinstance(each, Taken) and each.is_first)
        return _pb.DepositCloseRequestsResponse(
            deposits=[write_deposit(each.newest if isinstance(each, Taken) else each) for each in deposits]
        )

    def _take_protection(self, changes: Changes, offered: Protection) -> Taken:
        return take_protection(changes, offered, self._post.height, self._post.network.settle_blocks)

    def _take_request(self, changes: Changes, offered: SignedCloseRequest) -> Taken:
        return take_close_request(changes, offered, self._post.height, int(self._post.now()))

    def _note(self, offered: Sequence[Protection], taken: Sequence[Taken | Refusal]) -> None:
        """What was taken may be due at once, where its channel is closing."""
        docket = self._post.docket
        for each, outcome in zip(offered, taken, strict=True):
            if isinstance(outcome, Refusal):
                self.refused += 1
            elif outcome.is_news:
                self.taken += 1
                docket.protected += outcome.is_first
                docket.refresh(each.voucher.channel_id)

    def _checked(self, offered: Sequence[T], check: Callable[..., None]) -> list[Refusal | None]:
        """In a thread."""
        domain = self._post.network.domain
        refusals: list[Refusal | None] = []
        for each in offered:
            try:
                check(domain, each)
            except ChannelError as error:
                refusals.append(Refusal(str(error)))
            else:
                refusals.append(None)
        return refusals

    def _signed(self, offered: Sequence[Protection], taken: Sequence[Taken | Refusal]) -> list[TowerReceipt | Refusal]:
        """In a thread: receipts for what lies on the disk."""
        key, domain = self._post.key, self._post.network.domain
        signed: list[TowerReceipt | Refusal] = []
        for each, outcome in zip(offered, taken, strict=True):
            if isinstance(outcome, Refusal):
                signed.append(outcome)
                continue
            voucher, nonce = each.voucher, outcome.newest
            digest = tower_receipt_digest(domain, voucher.channel_id, voucher.payer, nonce)
            signed.append(TowerReceipt(voucher.channel_id, voucher.payer, nonce, key.sign(digest)))
        return signed

    async def _commit(self, change: Callable[[Changes], T]) -> T:
        try:
            return await self._post.commits.commit(change)
        except StorageError as error:
            raise RpcError(Code.UNAVAILABLE, f"nothing was kept: {error}", reason="NOT_KEPT") from error

    async def _in_thread(self, work: Callable[..., R], *arguments: object) -> R:
        return await trio.to_thread.run_sync(work, *arguments, limiter=self._threads)


def tower_service(api: TowerApi) -> Service:
    """The service, ready to be served."""
    return bind(_pb.DESCRIPTOR.services_by_name["TowerService"], api, _within_bounds)


def _within_bounds(message: str, data: bytes) -> None:
    try:
        check_request(message, data)
    except WireError as error:
        raise _invalid(str(error)) from error


def _check_count(items: Sequence[object]) -> None:
    if not 0 < len(items) <= BATCH_MAX:
        raise _invalid(f"{len(items)} entries, expected 1 to {BATCH_MAX}")


def _parsed(read: Callable[[T], R], message: T) -> R:
    try:
        return read(message)
    except WireError as error:
        raise _invalid(str(error)) from error


def _attempt(take: Callable[[Changes, T], R], changes: Changes, offered: T) -> R | Refusal:
    """What was taken, or why it was refused; a refusal has written nothing."""
    try:
        return take(changes, offered)
    except ChannelError as error:
        return Refusal(str(error))


def _invalid(message: str) -> RpcError:
    return RpcError(Code.INVALID_ARGUMENT, message, reason="INVALID_REQUEST")
