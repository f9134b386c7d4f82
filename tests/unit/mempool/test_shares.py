"""Debts: what a sender took beyond its rate, as the time until it is paid off."""

from hypothesis import given
from hypothesis import strategies as st

from alatau.mempool.shares import (
    BURST_MS,
    DEBT_MS_MAX,
    DEFAULT_ALLOWANCES,
    LANE_BURST_MS,
    STEP_MS,
    Allowance,
    SenderClass,
    Shares,
)

PAYER = b"\x01" * 20
OTHER = b"\x02" * 20
RESIDENT, DEVELOPER = SenderClass.RESIDENT, SenderClass.DEVELOPER


def shares_of(**allowance: int) -> Shares:
    """Every class with the same allowance: 1,000 gas and 10 ms a second of a sender, 100 ms of a class."""
    values = {"block_gas_percent": 50, "gas_per_s": 1_000, "time_percent": 1, "class_time_percent": 10} | allowance
    return Shares(dict.fromkeys(SenderClass, Allowance(**values)))


def level(shares: Shares, sender: bytes, now_ms: int, *, heavy: bool = False) -> int | None:
    """Of a resident."""
    return shares.level(sender, RESIDENT, now_ms, heavy=heavy)


def test_gas_and_time_are_paid_off_at_the_senders_rates() -> None:
    """The dearer of the two counts: 500 gas are half a second here, and so are 5 ms."""
    for gas, time_us in ((500, 0), (0, 5_000), (500, 5_000), (500, 100)):
        shares = shares_of(class_time_percent=100)
        shares.charge(PAYER, RESIDENT, gas, time_us, 10_000, heavy=False)
        assert level(shares, PAYER, 10_000 + 500 - STEP_MS) == 1
        assert level(shares, PAYER, 10_000 + 500 - STEP_MS + 1) == 0
        assert level(shares, OTHER, 10_000) == 0


def test_a_debt_beyond_the_burst_waits_and_decays() -> None:
    """Seven seconds of debt: nothing for five, then its turn again."""
    shares = shares_of()
    shares.charge(PAYER, RESIDENT, 7_000, 0, 0, heavy=False)
    assert level(shares, PAYER, 7_000 - BURST_MS - 1) is None
    assert level(shares, PAYER, 7_000 - BURST_MS) == BURST_MS // STEP_MS
    assert level(shares, PAYER, 7_000) == 0
    assert shares.eligible_at_ms(PAYER, RESIDENT, heavy=False) == 7_000 - BURST_MS


def test_a_debt_is_bounded() -> None:
    """Whatever one transaction took, its sender is back after ten minutes."""
    shares = shares_of()
    shares.charge(PAYER, RESIDENT, 10**12, 10**12, 0, heavy=True)
    assert level(shares, PAYER, DEBT_MS_MAX - BURST_MS - 1) is None
    assert level(shares, PAYER, DEBT_MS_MAX, heavy=True) == 0


def test_heavy_transactions_of_a_class_share_a_lane() -> None:
    """Another account of the same class has no debt, yet its heavy transaction waits; its payments do not."""
    shares = shares_of()
    shares.charge(PAYER, RESIDENT, 0, 1_000_000, 0, heavy=True)  # 10 s of the class's tenth
    assert level(shares, OTHER, 0, heavy=True) is None
    assert level(shares, OTHER, 0) is not None
    assert level(shares, OTHER, 10_000 - LANE_BURST_MS, heavy=True) is not None
    assert shares.level(OTHER, DEVELOPER, 0, heavy=True) == 0, "another class has a lane of its own"


def test_light_transactions_do_not_close_the_lane() -> None:
    """However many: they are ordered by the class's debt, and heavy ones of the class still come."""
    shares = shares_of()
    shares.charge(PAYER, RESIDENT, 0, 10_000_000, 0, heavy=False)
    assert level(shares, OTHER, 0, heavy=True) is not None


def test_a_class_in_debt_goes_after_one_that_is_not() -> None:
    """Before any debt of a sender: the order is class, then sender."""
    shares = shares_of()
    shares.charge(PAYER, RESIDENT, 0, 100_000, 0, heavy=False)
    shares.charge(OTHER, DEVELOPER, 1_900, 0, 0, heavy=False)
    resident = shares.level(b"\x03" * 20, RESIDENT, 0, heavy=False)
    developer = shares.level(OTHER, DEVELOPER, 0, heavy=False)
    assert resident is not None
    assert developer is not None
    assert developer < resident


def test_debts_that_are_paid_take_no_memory() -> None:
    """A hundred thousand senders with one payment each are not remembered for ever; a debtor is."""
    shares = shares_of(gas_per_s=1_000_000)
    shares.charge(PAYER, RESIDENT, 10**9, 0, 0, heavy=False)
    for n in range(100_000):
        shares.charge(n.to_bytes(20, "big"), RESIDENT, 21_000, 0, n, heavy=False)
    assert len(shares._paid_at) <= 32_768
    assert level(shares, PAYER, 100_000) is None


@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**6), st.integers(0, 5_000)), min_size=1, max_size=50)
)
def test_a_sender_never_exceeds_its_rate_by_more_than_a_burst_and_one_transaction(
    wishes: list[tuple[int, int, int]],
) -> None:
    """Whatever it sends and whenever: what ran before each of its transactions was paid for, but for the burst."""
    allowance = DEFAULT_ALLOWANCES[RESIDENT]
    shares, now, gas_taken, time_taken = Shares(DEFAULT_ALLOWANCES), 0, 0, 0
    for gas, time_us, wait_ms in wishes:
        now += wait_ms
        if level(shares, PAYER, now) is None:
            continue
        if max(gas_taken * 1_000 / allowance.gas_per_s, time_taken / (10 * allowance.time_percent)) < DEBT_MS_MAX:
            assert gas_taken <= allowance.gas_per_s * (now + BURST_MS) / 1_000 + 1
            assert time_taken <= allowance.time_percent * 10 * (now + BURST_MS) + 1
        shares.charge(PAYER, RESIDENT, gas, time_us, now, heavy=False)
        gas_taken += gas
        time_taken += time_us
