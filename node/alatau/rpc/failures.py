"""Failing a call with a reason of the catalogue."""

from collections.abc import Mapping, Sequence

from alatau.transport.errors import Code, FieldViolation, RpcError
from alatau.wire.reasons import CATALOGUE


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
        retry_after_s=retry_after_s,
    )
