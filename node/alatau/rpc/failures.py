"""Failing a call with a reason of the catalogue."""

from collections.abc import Mapping, Sequence
from typing import Final

from alatau.transport.errors import Code, FieldViolation, RpcError
from alatau.wire.reasons import CATALOGUE

WAIT_S: Final[Mapping[str, float]] = {"TRANSACTION_NOT_FINAL": 1.0, "NODE_SYNCING": 5.0}
"""When to come back where waiting helps and nobody knows for how long: about a block, and a while of catching up."""


def failure(
    reason: str,
    message: str,
    *,
    metadata: Mapping[str, str] | None = None,
    violations: Sequence[FieldViolation] = (),
    retry_after_s: float | None = None,
) -> RpcError:
    """The error to raise; its gRPC code is the catalogue's.

    A reason that the catalogue lacks is a programmer's error (``KeyError``): clients switch on reasons.
    """
    return RpcError(
        Code[CATALOGUE[reason].code],
        message,
        reason=reason,
        metadata=metadata,
        field_violations=violations,
        retry_after_s=WAIT_S.get(reason) if retry_after_s is None else retry_after_s,
    )
