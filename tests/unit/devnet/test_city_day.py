"""Who lives in the city and what they buy: the same for a seed, in the shares and hours that are promised."""

from alatau.channels.messages import channel_id, channels_domain
from alatau.crypto.signature_schemes import account_signer
from alatau_devnet.city.plan import Windows
from alatau_devnet.city.population import PAYMENTS, RESIDENTS, Kind, Size, populate
from alatau_devnet.city.schedule import day_of, demand, hour_of

DOMAIN = channels_domain(7773, b"\x07" * 20)
HUB = b"\x09" * 20
SIZE = Size.of(0.02)


def test_the_whole_city_and_a_small_one() -> None:
    """The numbers of the issue at 1; at least so many that each incident finds somebody."""
    assert Size.of(1) == Size(52_000, 2_800, 100_000, 2_000)
    assert Size(1_040, 56, 2_000, 40) == SIZE
    tiny = Size.of(0.0001)
    assert (tiny.residents, tiny.merchants, tiny.payments, tiny.exits) == (60, 10, 100, 10)


def test_people_have_keys_of_both_curves_that_sign() -> None:
    """About three of ten residents have P-256; every signature is its signer's; a seed is a city."""
    people = populate(SIZE, HUB, DOMAIN, 1)
    residents = [person for person in people if person.kind is Kind.RESIDENT]
    assert 0.25 < sum(person.is_p256 for person in residents) / len(residents) < 0.35
    assert not any(person.is_p256 for person in people[SIZE.residents :])
    for person in people[:20]:
        digest = bytes(range(32))
        assert account_signer(digest, person.key.sign(digest), bytes(32)) == person.address
        assert person.channel_id == channel_id(DOMAIN, person.parties)
    assert len({person.address for person in people}) == len({person.name for person in people}) == len(people)
    assert [one.address for one in populate(SIZE, HUB, DOMAIN, 1)] == [one.address for one in people]


def test_a_day_has_three_peaks_and_is_in_order() -> None:
    """Lunch and evening are busier than the hours between; nobody buys at night."""
    day = day_of(SIZE, 1)
    assert len(day) == SIZE.payments
    assert [one.at for one in day] == sorted(one.at for one in day)
    assert demand(13) > 2 * demand(10.5)
    assert demand(18.7) > 2 * demand(15.5)
    hours = [hour_of(one.at) for one in day]
    assert min(hours) >= 6
    assert max(hours) <= 23
    lunch = sum(12 <= hour < 14 for hour in hours)
    assert lunch > 1.5 * sum(9.5 <= hour < 11.5 for hour in hours)
    assert 0 < sum(one.refund > 0 for one in day) < len(day) / 50
    assert not [one for one in day if not 0 <= one.refund <= one.amount]
    assert day_of(SIZE, 1) == day
    assert day_of(SIZE, 2) != day


def test_a_lock_lives_shorter_than_the_window() -> None:
    """What the hub's configuration demands, for small and large cities."""
    for scale in (0.02, 1):
        windows = Windows.of(scale)
        assert windows.lock_margin < windows.lock_blocks_min <= windows.lock_blocks_max < windows.settle_blocks
    assert RESIDENTS / PAYMENTS < 1
