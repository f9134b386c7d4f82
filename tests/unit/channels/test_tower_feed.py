"""What a tower has yet to hear: random stories of payments, towers that are away, clients that are killed."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from alatau.channels.messages import SignedVoucher, Voucher
from alatau.channels.tower_feed import REFUSED_S, Offer, TowerFeed, ahead, newest
from tests.support.channels import HUB, OWNER, parties

CHANNELS = 4


def direction(channel: int) -> bytes:
    """The owner's of a channel."""
    return bytes([channel]) * 32 + OWNER.address


def voucher(channel: int, nonce: int) -> SignedVoucher:
    """Signatures are none of the feed's business."""
    return SignedVoucher(Voucher(bytes([channel]) * 32, OWNER.address, nonce, nonce), bytes(65))


@dataclass
class Story:
    """A client with a disk, a tower with a disk, and what each has on it."""

    newest: dict[int, int] = field(default_factory=dict)
    """The client's vouchers, which are on its disk before they are offered."""
    words: dict[bytes, int] = field(default_factory=dict)
    """Receipts that the client has kept."""
    tower: dict[bytes, int] = field(default_factory=dict)
    feed: TowerFeed = field(default_factory=lambda: TowerFeed({}))
    now: float = 0.0

    def pay(self, channel: int) -> None:
        """A newer voucher."""
        self.newest[channel] = self.newest.get(channel, 0) + 1
        self.offer(channel)

    def offer(self, channel: int) -> None:
        """As after each payment, and as for all channels at a start."""
        self.feed.offer(parties(), voucher(channel, self.newest[channel]), self.now)

    def hand_over(self, most: int, refused: int, *, keeps: bool, answers: bool) -> tuple[Offer, ...]:
        """A call; the tower may take it and its answer be lost, and the client may die before it keeps the answer."""
        self.now += 1
        offers = self.feed.batch(self.now, most)
        nonces: list[int | None] = []
        for number, offer in enumerate(offers):
            if number == refused:
                nonces.append(None)
                continue
            held = max(self.tower.get(offer.direction, 0), offer.nonce)
            self.tower[offer.direction] = held
            nonces.append(held)
        if answers:
            news = self.feed.answered(offers, nonces, self.now)
            assert not [channel for channel, nonce in news.items() if self.tower[channel] < nonce]
            if keeps:
                self.words.update(news)
            else:
                self.die()
        return offers

    def die(self) -> None:
        """Killed with -9 and started again from what was kept."""
        self.feed = TowerFeed(self.words)
        for channel in self.newest:
            self.offer(channel)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(0, CHANNELS - 1)),
        st.tuples(st.just("call"), st.integers(1, 3), st.integers(-1, 2), st.booleans(), st.booleans()),
        st.tuples(st.just("die")),
    ),
    max_size=60,
)


@given(STEPS)
def test_after_any_story_the_tower_holds_the_newest_voucher_of_each_channel(steps: list[tuple[object, ...]]) -> None:
    """However often either dies or an answer is lost; no receipt is kept that the tower has not signed."""
    story = Story()
    for step in steps:
        match step:
            case ("pay", int(channel)):
                story.pay(channel)
            case ("call", int(most), int(refused), bool(keeps), bool(answers)):
                story.hand_over(most, refused, keeps=keeps, answers=answers)
            case ("die",):
                story.die()
        assert not [channel for channel, nonce in story.words.items() if story.tower.get(channel, 0) < nonce]
    for _ in range(CHANNELS):
        story.now += REFUSED_S
        story.hand_over(CHANNELS, -1, keeps=True, answers=True)
    assert story.feed.waiting == 0
    assert story.feed.lag(story.now) == 0
    assert story.tower == {direction(channel): nonce for channel, nonce in story.newest.items()} == story.words


def test_many_payments_of_one_channel_are_one_offer_of_the_newest() -> None:
    """It keeps its place and its age: a busy channel does not starve."""
    story = Story()
    story.pay(0)
    story.now = 5.0
    story.pay(1)
    story.pay(0)
    offers = story.feed.batch(story.now)
    assert [(offer.direction[0], offer.nonce, offer.since) for offer in offers] == [(0, 2, 0.0), (1, 1, 5.0)]
    assert story.feed.lag(7.0) == 7.0


def test_what_becomes_newer_during_a_call_is_offered_again() -> None:
    """The receipt covers what was handed over, and no more."""
    story = Story()
    story.pay(0)
    offers = story.feed.batch(1.0)
    story.pay(0)
    assert story.feed.answered(offers, [1], 1.0) == {direction(0): 1}
    assert [offer.nonce for offer in story.feed.batch(1.0)] == [2]


def test_a_refused_voucher_rests_while_others_go_on() -> None:
    """It comes again after ``REFUSED_S``, and its lag goes on growing: that is the alarm."""
    story = Story()
    story.pay(0)
    story.feed.answered(story.feed.batch(0.0), [None], 0.0)
    story.pay(1)
    assert [offer.direction[0] for offer in story.feed.batch(1.0)] == [1]
    assert story.feed.next_at() == 0.0
    assert {offer.direction[0] for offer in story.feed.batch(REFUSED_S)} == {0, 1}
    assert story.feed.lag(REFUSED_S) == REFUSED_S
    assert story.feed.refused == 1


def test_a_tower_that_holds_more_says_that_the_store_is_an_older_copy() -> None:
    """Its word is kept: nothing is offered below it."""
    story = Story(tower={direction(0): 9})
    story.pay(0)
    offers = story.feed.batch(0.0)
    assert ahead(offers, [9]) == [bytes(32)]
    assert ahead(offers, [1]) == ahead(offers, [None]) == []
    story.feed.answered(offers, [9], 0.0)
    assert not story.feed.offer(parties(), voucher(0, 9), 0.0)
    assert story.feed.offer(parties(), voucher(0, 10), 0.0)


def test_a_settled_channel_is_forgotten() -> None:
    """Neither offered nor remembered."""
    story = Story()
    story.pay(0)
    assert story.feed.forget(parties(), bytes(32)) == [direction(0), bytes(32) + HUB.address]
    assert (story.feed.waiting, story.feed.next_at(), story.feed.held) == (0, None, {})


def test_the_newest_of_a_direction() -> None:
    """By nonce; of nothing it is nothing."""
    assert newest(None, voucher(0, 3), voucher(0, 7), None) == voucher(0, 7)
    assert newest(None) is None
