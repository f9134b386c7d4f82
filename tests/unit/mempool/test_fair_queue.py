"""Sources wait for their own transactions, not for others'."""

from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from alatau.mempool.fair_queue import FairQueue, History, QueueLimits, Reputation, units_of

SMALL = 100
"""Bytes of a payment."""


def queue_of(history: History | None = None, **limits: int) -> FairQueue[str]:
    """A queue of named transactions."""
    return FairQueue(QueueLimits(**limits), history or History(16))


def put(queue: FairQueue[str], source: str, count: int, *, start: int = 0) -> bool:
    """Let ``count`` payments of a source wait."""
    return queue.put(source, [(f"{source}{n}", SMALL) for n in range(start, start + count)])[0]


def test_a_single_payment_waits_a_turn_not_a_queue() -> None:
    """A thousand of one source are ahead of it, and it is in the first portion."""
    queue = queue_of(turn=8)
    put(queue, "flood", 1_000)
    put(queue, "payer", 1)
    assert ("payer", "payer0") in queue.take(16)


def test_a_source_keeps_its_order() -> None:
    """Nonces of one client come out as they went in, over several turns."""
    queue = queue_of(turn=2)
    put(queue, "a", 5)
    put(queue, "b", 5)
    taken = [item for _ in range(3) for source, item in queue.take(4) if source == "a"]
    assert taken == [f"a{n}" for n in range(5)]


def test_a_proven_source_goes_before_many_unknown_ones() -> None:
    """A flood from ever new addresses costs a known client nothing: its share is three quarters."""
    history = History(16)
    history.note("bank", good=8, bad=0)
    queue = queue_of(history, turn=4)
    for n in range(100):
        put(queue, f"new{n}", 4)
    put(queue, "bank", 12)
    taken = queue.take(16)
    assert [source for source, _ in taken[:12]] == ["bank"] * 12
    assert len(taken) == 16


def test_a_doubted_source_is_served_last_but_served() -> None:
    """One that sent rubbish has a sixteenth while others wait, and everything when nobody does."""
    history = History(16)
    history.note("liar", good=0, bad=5)
    queue = queue_of(history, turn=16)
    put(queue, "liar", 100)
    put(queue, "client", 100)
    assert [source for source, _ in queue.take(16)].count("liar") == 1
    queue = queue_of(history)
    put(queue, "liar", 100)
    assert len(queue.take(16)) == 16


def test_a_few_faults_are_forgiven_and_good_conduct_outweighs_more() -> None:
    """A client whose one transaction in ten is malformed is no liar."""
    history = History(16)
    history.note("learner", good=0, bad=4)
    assert history.reputation("learner") is Reputation.UNKNOWN
    history.note("learner", good=0, bad=1)
    assert history.reputation("learner") is Reputation.DOUBTED
    history.note("learner", good=40, bad=0)
    assert history.reputation("learner") is Reputation.PROVEN


def test_the_past_fades() -> None:
    """What a source did long ago is outweighed by what it does now."""
    history = History(16)
    history.note("once good", good=10_000, bad=0)
    for _ in range(1_000):
        history.note("once good", good=0, bad=1)
    assert history.reputation("once good") is Reputation.DOUBTED


def test_new_addresses_do_not_push_a_proven_source_out_of_memory() -> None:
    """The memory is bounded; what it forgets first is what it knows least of."""
    history = History(4)
    history.note("bank", good=8, bad=0)
    for n in range(100):
        history.note(f"new{n}", good=0, bad=5)
    assert history.reputation("bank") is Reputation.PROVEN
    assert history.reputation("new0") is Reputation.UNKNOWN
    assert history.reputation("new99") is Reputation.DOUBTED


def test_a_source_has_a_bounded_queue() -> None:
    """Beyond it a portion is refused whole; another source is not touched."""
    queue = queue_of(source_units=10)
    assert put(queue, "a", 10)
    assert not put(queue, "a", 1)
    assert queue.waiting_of("a") == 10
    assert put(queue, "b", 1)


def test_one_large_batch_is_never_refused_for_its_size() -> None:
    """A client that has nothing waiting may send what the API allows, whatever the bound."""
    queue = queue_of(source_units=10)
    assert put(queue, "a", 11)


def test_large_transactions_count_by_their_bytes() -> None:
    """128 KiB cost hashing and decoding like 65 payments."""
    assert units_of(SMALL) == 1
    assert units_of(128 * 1024) == 65
    queue = queue_of(turn=4)
    queue.put("a", [("large", 128 * 1024), ("next", SMALL)])
    assert len(queue) == 66
    assert queue.take(16) == [("a", "large")]


def test_a_full_queue_takes_from_the_longest() -> None:
    """Room for a newcomer comes from whoever has most waiting, newest first."""
    queue = queue_of(units=100, source_units=100)
    put(queue, "flood", 100)
    waits, dropped = queue.put("payer", [("payment", SMALL)])
    assert waits
    assert len(dropped) == 50
    assert dropped[0] == "flood99"
    assert queue.waiting_of("payer") == 1


def test_sources_are_bounded_too() -> None:
    """Addresses are cheap: beyond the bound a new one is told to come again."""
    queue = queue_of(sources=3)
    assert [put(queue, f"s{n}", 1) for n in range(4)] == [True, True, True, False]


class QueueMachine(RuleBasedStateMachine):
    """Nothing is lost or doubled, order holds, bounds hold, and nobody waits for ever."""

    @initialize(proven=st.sets(st.integers(0, 5)), doubted=st.sets(st.integers(0, 5)))
    def begin(self, proven: set[int], doubted: set[int]) -> None:
        """Some sources have a past."""
        history = History(8)
        for source in proven:
            history.note(source, good=20, bad=0)
        for source in doubted - proven:
            history.note(source, good=0, bad=20)
        self.limits = QueueLimits(source_units=40, units=120, sources=5, turn=3)
        self.queue: FairQueue[tuple[int, int]] = FairQueue(self.limits, history)
        self.model: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.next = 0
        self.passed: dict[int, int] = {}
        """Source -> portions taken since it was served or began to wait."""

    @rule(source=st.integers(0, 5), count=st.integers(1, 50), size=st.sampled_from([100, 100, 5_000]))
    def put(self, source: int, count: int, size: int) -> None:
        """A source hands over a portion."""
        items = [(source, self.next + n) for n in range(count)]
        self.next += count
        waits, dropped = self.queue.put(source, [(item, size) for item in items])
        for item in dropped:
            assert self.model[item[0]].pop() == item, "the newest of the longest queue goes"
        if waits:
            self.model[source] += items
            self.passed.setdefault(source, 0)

    @rule(units=st.integers(16, 32))
    def take(self, units: int) -> None:
        """A portion is served."""
        served = set()
        for source, item in self.queue.take(units):
            assert self.model[source].pop(0) == item
            served.add(source)
        for source in list(self.passed):
            if not self.model[source]:
                del self.passed[source]
            elif source in served:
                self.passed[source] = 0
            else:
                self.passed[source] += 1
                # Six sources take turns; a turn uses up at least one portion's share of the reputation.
                assert self.passed[source] <= 6, "whoever waits is served"

    @invariant()
    def bounded(self) -> None:
        """Counts agree with the model and with the bounds."""
        assert len(self.queue) <= self.limits.units
        assert len(self.queue) == sum(self.queue.waiting_of(source) for source in range(6))
        for source in range(6):
            assert (self.queue.waiting_of(source) > 0) == bool(self.model[source])


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestQueueMachine = QueueMachine.TestCase
