from alatau.app.log_limits import LogLimiter, Rate


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_place_writes_its_burst_and_then_at_its_rate() -> None:
    """What was left out is counted, and told once with the next entry."""
    clock = _Clock()
    limiter, rate = LogLimiter(clock), Rate(burst=3, per_s=0.5)
    assert [limiter.admit("a", rate) for _ in range(5)] == [0, 0, 0, None, None]
    clock.now = 2.0
    assert [limiter.admit("a", rate) for _ in range(2)] == [2, None]
    clock.now = 1_000.0
    assert [limiter.admit("a", rate) for _ in range(4)] == [1, 0, 0, None]


def test_places_do_not_hinder_each_other() -> None:
    """A flood of one says nothing about the others."""
    limiter, rate = LogLimiter(_Clock()), Rate(1, 0.1)
    assert limiter.admit("a", rate) == 0
    assert limiter.admit("a", rate) is None
    assert limiter.admit("b", rate) == 0


def test_places_are_bounded() -> None:
    """The longest unused is forgotten; those in use are not."""
    limiter, rate = LogLimiter(_Clock()), Rate(1, 0.0)
    limiter.admit("busy", rate)
    for number in range(5_000):
        limiter.admit(number, rate)
        assert limiter.admit("busy", rate) is None
