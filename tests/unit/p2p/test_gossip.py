"""Who has which transaction."""

from hypothesis import given
from hypothesis import strategies as st

from alatau.p2p.gossip import Gossip, in_batches
from alatau.wire.gossip import TransactionBatch

A, B, C = b"a" * 20, b"b" * 20, b"c" * 20


def gossip(seen_max: int = 1_000) -> Gossip:
    """With three peers."""
    made = Gossip(seen_max)
    made.set_peers([A, B, C])
    return made


def test_an_offer_goes_to_all_peers_once() -> None:
    """In one batch for all; offering it again sends nothing."""
    g = gossip()
    g.offer([b"t1", b"t2"])
    (out,) = g.flush([A, B])
    assert (out.peers, out.transactions) == ((A, B), (b"t1", b"t2"))
    g.offer([b"t1"])
    assert g.flush([A, B]) == []
    g.offer([b"t1"])
    assert [(o.peers, o.transactions) for o in g.flush([A, B, C])] == [((C,), (b"t1",))]


def test_what_a_peer_has_shown_does_not_go_back_to_it() -> None:
    """Nor to those that it names as recipients."""
    g = gossip()
    assert g.receive(A, TransactionBatch((b"t1",), (B,))) == (b"t1",)
    g.offer([b"t1", b"t2"])
    sent = {peer: out.transactions for out in g.flush([A, B, C]) for peer in out.peers}
    assert sent == {A: (b"t2",), B: (b"t2",), C: (b"t1", b"t2")}


def test_only_what_nobody_has_shown_is_new() -> None:
    """The engine sees each transaction once from peers."""
    g = gossip()
    assert g.receive(A, TransactionBatch((b"t1", b"t2"))) == (b"t1", b"t2")
    assert g.receive(B, TransactionBatch((b"t2", b"t3"))) == (b"t3",)


def test_memory_is_bounded_by_forgetting_the_oldest() -> None:
    """What was forgotten counts as new again; the pool knows better."""
    g = gossip(seen_max=3)
    g.receive(A, TransactionBatch((b"t1", b"t2", b"t3", b"t4")))
    assert len(g._holders) == 3
    assert g.receive(A, TransactionBatch((b"t4",))) == ()
    assert g.receive(A, TransactionBatch((b"t1",))) == (b"t1",)


def test_waiting_is_counted_for_an_early_flush() -> None:
    """In transactions and bytes, each transaction once."""
    g = gossip()
    g.offer([b"x" * 100, b"y" * 50, b"x" * 100])
    assert (g.waiting, g.waiting_bytes) == (2, 150)
    g.flush([A])
    assert (g.waiting, g.waiting_bytes) == (0, 0)


@given(
    shown=st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(0, 9)), max_size=30),
    offered=st.lists(st.integers(0, 9), max_size=20),
)
def test_every_peer_gets_exactly_what_it_lacks(shown: list[tuple[bytes, int]], offered: list[int]) -> None:
    """Whatever came before."""
    g = gossip()
    for peer, number in shown:
        g.receive(peer, TransactionBatch((b"t%d" % number,)))
    g.offer([b"t%d" % number for number in offered])
    sent = [(peer, tx) for out in g.flush([A, B, C]) for peer in out.peers for tx in out.transactions]
    has = {(peer, b"t%d" % number) for peer, number in shown}
    lacks = {(peer, b"t%d" % number) for peer in (A, B, C) for number in offered} - has
    assert sorted(sent) == sorted(lacks)


@given(sizes=st.lists(st.integers(1, 300), max_size=60), count_max=st.integers(1, 10), bytes_max=st.integers(1, 500))
def test_no_batch_exceeds_what_a_peer_takes(sizes: list[int], count_max: int, bytes_max: int) -> None:
    """In number and in bytes, but for one that is too long by itself; none is lost, and all keep their order."""
    transactions = [bytes(size) for size in sizes]
    batches = list(in_batches(transactions, count_max, bytes_max))
    assert [tx for batch in batches for tx in batch] == transactions
    for batch in batches:
        assert 1 <= len(batch) <= count_max
        if len(batch) > 1:
            assert sum(map(len, batch)) <= bytes_max
