"""Who may do what, and how many transactions they may offer.

A caller is the key of its client certificate or, on the public port where there are none, the address that it
calls from. Roles come from a mapping by key (``app.client_access`` reads it); a caller that the mapping does not
know gets what the public gets. How many calls a caller may make is transport's to bound.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from ipaddress import AddressValueError, IPv6Address
from typing import Any, Final
from urllib.parse import unquote

from alatau.rpc.failures import failure
from alatau.rpc.limits import Limits
from alatau.transport.call import Call
from alatau.transport.rates import PerCaller, TokenBucket
from alatau.transport.service import Method, Service


class Role(StrEnum):
    """What a caller may do."""

    READER = "reader"
    """Read committed state, blocks and logs; run calls."""
    SUBMITTER = "submitter"
    """Submit transactions. What they may do is decided by the chain, not here."""
    AUDITOR = "auditor"
    """Read what is not for everyone: the node's peers."""
    OPERATOR = "operator"
    """Everything."""


PUBLIC_ROLES: Final = frozenset({Role.READER, Role.SUBMITTER, Role.AUDITOR})
"""What a caller without a known certificate may do, unless the configuration says otherwise. Nothing that the
services tell is secret among the participants of a permissioned network."""

_ROLE_OF_METHOD: Final[Mapping[str, Role]] = {
    "SubmitTransaction": Role.SUBMITTER,
    "BatchSubmitTransactions": Role.SUBMITTER,
    "SubmitTransactions": Role.SUBMITTER,
    "SubmitAndWait": Role.SUBMITTER,
    "ListPeers": Role.AUDITOR,
}
"""All others need ``READER``."""


@dataclass(frozen=True, slots=True)
class RoleMap:
    """Roles by the hash of a caller's TLS key."""

    by_key: Mapping[bytes, frozenset[Role]] = field(default_factory=dict)
    public: frozenset[Role] = PUBLIC_ROLES

    def roles(self, tls_key_hash: bytes | None) -> frozenset[Role]:
        """The roles of a caller."""
        return self.public if tls_key_hash is None else self.by_key.get(tls_key_hash, self.public)


def caller_of(call: Call) -> bytes | str:
    """Who calls: the hash of its certificate's key, or its address where it has none.

    Of an IPv6 address only the first 64 bits count, which is what one subscriber is given (RFC 6177): whoever holds
    such a network has as many addresses as it likes.
    """
    return network_of(call.address) if call.peer is None else call.peer.tls_key_hash


def network_of(address: str) -> str:
    """The part of a gRPC peer address (``ipv4:192.0.2.1``, ``ipv6:%5B2001:db8::1%5D``) that names its holder."""
    kind, _, rest = address.partition(":")
    if kind != "ipv6":
        return address
    try:
        parsed = IPv6Address(unquote(rest).strip("[]").partition("%")[0])
    except AddressValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return f"ipv4:{parsed.ipv4_mapped}"
    return f"ipv6:{IPv6Address(int(parsed) >> 64 << 64)}/64"


class Access:
    """Checks roles and rates. One for all services of a node."""

    def __init__(self, limits: Limits, roles: RoleMap) -> None:
        self._limits = limits
        self._roles = roles
        self._rates = PerCaller[bytes | str, TokenBucket](
            lambda _: TokenBucket(limits.transactions_per_s, limits.transactions_burst), limits.callers_max
        )
        self.stopping = False
        """Set when the node begins to stop; every new call is then refused."""

    def enter(self, call: Call, role: Role) -> None:
        """Admit a call that needs ``role``.

        Raises:
            RpcError: NODE_STOPPING or ROLE_REQUIRED.
        """
        if self.stopping:
            raise failure("NODE_STOPPING", "the node is stopping: ask another")
        roles = self._roles.roles(None if call.peer is None else call.peer.tls_key_hash)
        if role not in roles and Role.OPERATOR not in roles:
            raise failure("ROLE_REQUIRED", f"this needs the role {role}", metadata={"role": role.value})

    def spend_transactions(self, call: Call, count: int) -> None:
        """Charge ``count`` submitted transactions to a caller.

        Raises:
            RpcError: RATE_LIMITED, with the time to wait.
        """
        bucket = self._rates.of(caller_of(call))
        if not bucket.take(count):
            wait_s = bucket.wait_s(count)
            raise failure(
                "RATE_LIMITED",
                f"more than {self._limits.transactions_per_s:g} transactions a second",
                retry_after_s=wait_s,
            )


def guarded(service: Service, access: Access) -> Service:
    """The same service, admitting each call first."""
    endpoints = tuple((method, _guard(method, handler, access)) for method, handler in service.endpoints)
    return Service(service.name, endpoints, service.described)


def _guard(method: Method, handler: Callable[..., Awaitable[Any]], access: Access) -> Callable[..., Awaitable[Any]]:
    role = _ROLE_OF_METHOD.get(method.path.rpartition("/")[2], Role.READER)

    @wraps(handler)  # also what ``transport.service`` marks it with
    async def admitted(request: Any, call: Call, *send: Any) -> Any:
        access.enter(call, role)
        return await handler(request, call, *send)

    return admitted
