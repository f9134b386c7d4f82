"""Page tokens and cursors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.pb.api.v1 import block_service_pb2
from alatau.rpc.paging import issue, redeem, request_identity
from alatau.transport.errors import RpcError


@given(st.binary(max_size=40), st.lists(st.integers(0, 2**64 - 1), max_size=5))
def test_a_token_holds_its_position(identity: bytes, position: list[int]) -> None:
    """What was issued is redeemed, for the same request only."""
    token = issue(identity, tuple(position))
    assert redeem(token, identity, len(position)) == tuple(position)
    with pytest.raises(RpcError, match="INVALID_PAGE_TOKEN"):
        redeem(token, identity + b"x", len(position))
    with pytest.raises(RpcError):
        redeem(token, identity, len(position) + 1)


@given(st.text(max_size=300))
def test_a_token_made_up_is_refused(token: str) -> None:
    """Whatever text arrives, the answer is the same error."""
    with pytest.raises(RpcError, match="INVALID_CURSOR"):
        redeem(token, b"identity", 1, reason="INVALID_CURSOR")


def test_a_page_belongs_to_all_fields_but_those_of_paging() -> None:
    """The size of a page may change from page to page, what is listed may not."""
    request = block_service_pb2.ListBlocksRequest(from_height=1, page_size=5, page_token="t")
    same = block_service_pb2.ListBlocksRequest(from_height=1)
    other = block_service_pb2.ListBlocksRequest(from_height=2)
    assert request_identity(request) == request_identity(same) != request_identity(other)
    assert request.page_token == "t"
