"""Page tokens and cursors."""

import base64
import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.pb.api.v1 import block_service_pb2
from alatau.rpc.paging import Tokens, filter_identity, request_identity
from alatau.transport.errors import RpcError
from tests.support.solo_node import SoloNode, solo_node

ON_ONE_NODE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@ON_ONE_NODE
@given(st.binary(max_size=40), st.lists(st.integers(0, 2**64 - 1), max_size=5))
def test_a_token_holds_its_position(node: SoloNode, identity: bytes, position: list[int]) -> None:
    """What was issued is redeemed, for the same request only."""
    tokens = Tokens(node.store)
    token = tokens.issue(identity, position)
    assert tokens.redeem(token, identity, len(position)) == tuple(position)
    with pytest.raises(RpcError, match="INVALID_PAGE_TOKEN"):
        tokens.redeem(token, identity + b"x", len(position))
    with pytest.raises(RpcError):
        tokens.redeem(token, identity, len(position) + 1)


@ON_ONE_NODE
@given(st.text(max_size=300))
def test_a_token_made_up_is_refused(node: SoloNode, token: str) -> None:
    """Whatever text arrives, the answer is the same error."""
    tokens = Tokens(node.store)
    with pytest.raises(RpcError, match="INVALID_CURSOR"):
        tokens.redeem_cursor(token, b"identity")
    with pytest.raises(RpcError, match="INVALID_PAGE_TOKEN"):
        tokens.redeem(token, b"identity", 1)


def test_a_page_token_cannot_be_made_without_the_key(node: SoloNode) -> None:
    """Neither by hashing what goes in, nor from another node's token, nor from a cursor; the own key survives."""
    tokens, identity = Tokens(node.store, b"k" * 32), b"identity"
    body = rlp.encode((7,))
    genesis = node.store.genesis_hash
    assert genesis is not None
    hashed = [keccak256(identity + body), keccak256(genesis + identity + body), keccak256(rlp.encode((identity, body)))]
    forged = [
        base64.urlsafe_b64encode(digest[:size] + body).decode().rstrip("=")
        for digest, size in itertools.product(hashed, (8, 16))
    ]
    forged += [Tokens(node.store).issue(identity, (7,)), tokens.issue_cursor(identity, 7)]
    for token in forged:
        with pytest.raises(RpcError, match="INVALID_PAGE_TOKEN"):
            tokens.redeem(token, identity, 1)
    assert Tokens(node.store, b"k" * 32).redeem(tokens.issue(identity, (7,)), identity, 1) == (7,)


def test_tokens_and_cursors_belong_to_one_network(node: SoloNode, tmp_path: Path) -> None:
    """Another genesis refuses them; a cursor is good at every node of its own network."""
    other = solo_node(tmp_path / "other", supply=1)
    assert other.store.genesis_hash != node.store.genesis_hash
    here, there = Tokens(node.store, b"k" * 32), Tokens(other.store, b"k" * 32)
    with pytest.raises(RpcError, match="INVALID_PAGE_TOKEN"):
        there.redeem(here.issue(b"i", (1,)), b"i", 1)
    with pytest.raises(RpcError, match="INVALID_CURSOR"):
        there.redeem_cursor(here.issue_cursor(b"i", 1), b"i")
    assert Tokens(node.store).redeem_cursor(here.issue_cursor(b"i", 1, 5), b"i") == (1, 5)
    other.store.close()


def test_a_page_belongs_to_all_fields_but_those_of_paging() -> None:
    """The size of a page may change from page to page, what is listed may not."""
    request = block_service_pb2.ListBlocksRequest(from_height=1, page_size=5, page_token="t")
    same = block_service_pb2.ListBlocksRequest(from_height=1)
    other = block_service_pb2.ListBlocksRequest(from_height=2)
    assert request_identity(request) == request_identity(same) != request_identity(other)
    assert request.page_token == "t"


def test_a_filter_is_its_conditions_not_their_order() -> None:
    """The same conditions written otherwise are the same filter; a gap before a topic is a condition."""
    a, b = b"\x01" * 20, b"\x02" * 20
    assert filter_identity([a, b], [[b, a], []]) == filter_identity([b, a, a], [[a, b, b]])
    assert filter_identity([a], [[], [b]]) != filter_identity([a], [[b]])
    assert filter_identity([a], []) != filter_identity([b], [])
