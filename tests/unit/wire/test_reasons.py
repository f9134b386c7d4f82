"""The catalogue of errors as data."""

from alatau.transport.errors import Code
from alatau.wire.reasons import CATALOGUE, reason_name, reason_number


def test_every_reason_has_a_number_and_a_grpc_code() -> None:
    """Numbers name reasons in batched results, codes are gRPC's."""
    for reason, entry in CATALOGUE.items():
        assert reason_name(reason_number(reason)) == reason
        assert entry.code in Code.__members__


def test_a_number_from_the_future_reads_as_internal() -> None:
    """A client that is older than the node does not fail on a reason that it does not know."""
    assert reason_name(99_999) == "INTERNAL"
