"""Checking requests at the edge: everything that is wrong is named at once, field by field."""

from collections.abc import Sequence

from alatau.rpc.failures import failure
from alatau.transport.errors import FieldViolation
from alatau.wire.amount import AmountError, read_amount
from alatau.wire.bounds import WireError
from alatau.wire.request_bounds import check_request

ADDRESS_SIZE = 20
HASH_SIZE = 32
FILTER_VALUES_MAX = 64
"""Addresses, or topics of one position, in a filter: each is a scan of its own in the index."""
TOPICS_MAX = 4


_VIOLATIONS_MAX = 16
"""Violations that are named: an error travels in trailers, and a client mends the first ones first."""


def within_bounds(message: str, data: bytes) -> None:
    """A ``transport.service.Check``: how much a request may hold; raises ``RpcError`` INVALID_REQUEST."""
    try:
        check_request(message, data)
    except WireError as error:
        raise failure("INVALID_REQUEST", str(error)) from error


class Checks:
    """Collects what is wrong with a request; :meth:`finish` raises if anything is."""

    def __init__(self) -> None:
        self._violations: list[FieldViolation] = []
        self._more = 0

    def add(self, field: str, description: str) -> None:
        """Note a violation; beyond a bound they are only counted."""
        if len(self._violations) < _VIOLATIONS_MAX:
            self._violations.append(FieldViolation(field, description))
        else:
            self._more += 1

    def size(self, field: str, value: bytes, size: int) -> bytes:
        """``value`` has exactly ``size`` bytes."""
        if len(value) != size:
            self.add(field, f"has {len(value)} bytes, expected {size}")
        return value

    def address(self, field: str, value: bytes) -> bytes:
        """A 20-byte address."""
        return self.size(field, value, ADDRESS_SIZE)

    def optional_address(self, field: str, value: bytes) -> bytes | None:
        """A 20-byte address, or None for no bytes."""
        return self.address(field, value) if value else None

    def hash(self, field: str, value: bytes) -> bytes:
        """A 32-byte hash."""
        return self.size(field, value, HASH_SIZE)

    def count(self, field: str, values: Sequence[object], least: int, most: int) -> None:
        """The number of ``values`` is within bounds."""
        if not least <= len(values) <= most:
            self.add(field, f"has {len(values)} entries, expected {least} to {most}")

    def hashes(self, field: str, values: Sequence[bytes], least: int, most: int) -> tuple[bytes, ...]:
        """Between ``least`` and ``most`` values of 32 bytes."""
        self.count(field, values, least, most)  # what is beyond ``most`` is never looked at
        return tuple(self.hash(f"{field}[{i}]", value) for i, value in enumerate(values[:most]))

    def amount(self, field: str, value: bytes) -> int:
        """An unsigned big-endian integer below 2**256."""
        try:
            return read_amount(value)
        except AmountError as error:
            self.add(field, str(error))
            return 0

    def ordered(self, field: str, first: int, last: int) -> None:
        """``last``, which is in ``field``, is not below ``first``."""
        if last < first:
            self.add(field, f"is {last}, below where the range begins, {first}")

    def at_most(self, field: str, value: int, most: int) -> int:
        """``value`` does not exceed ``most``."""
        if value > most:
            self.add(field, f"is {value}, more than {most}")
        return value

    def finish(self) -> None:
        """Raise ``INVALID_REQUEST`` if anything was noted."""
        if self._violations:
            listed = "; ".join(f"{v.field} {v.description}" for v in self._violations)
            if self._more:
                listed += f"; and {self._more} more"
            metadata = {"more_violations": str(self._more)} if self._more else None
            raise failure("INVALID_REQUEST", listed, metadata=metadata, violations=self._violations)


def page_size(checks: Checks, requested: int, default: int, most: int) -> int:
    """How many items to give (AIP-158): 0 takes the default, too many gives the most, negative is an error."""
    if requested < 0:
        checks.add("page_size", f"is {requested}, expected 0 or more")
    return min(requested or default, most)
