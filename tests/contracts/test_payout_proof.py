"""The payout formula of `channel_words._payouts`, proved by z3 for all channels.

Over the integers: first that no sum or difference of the formula leaves the 256 bits of a word, so that the EVM
computes just that; then what the payouts are.

The terms below are the lines of the contract, one by one; the last test holds them against what wallets compute.
"""

from dataclasses import dataclass

import z3
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alatau.channels.messages import LOCKS_MAX, Parties, SignedVoucher, Voucher, channels_domain
from alatau.channels.state import ChannelState, Side, payouts

WORD = 2**256
FIELD = 2**112 - 1
SENT_MAX = (LOCKS_MAX + 1) * FIELD
"""What a direction pays at most: a voucher, and eight locks that were all revealed."""


@dataclass(frozen=True)
class Terms:
    """A channel's numbers, and what the contract makes of them."""

    dep_a: z3.ArithRef
    dep_b: z3.ArithRef
    wd_a: z3.ArithRef
    wd_b: z3.ArithRef
    sent_ab: z3.ArithRef
    sent_ba: z3.ArithRef
    total: z3.ArithRef
    payout_a: z3.ArithRef
    payout_b: z3.ArithRef


def smaller(a: z3.ArithRef, b: z3.ArithRef) -> z3.ArithRef:
    """The minimum."""
    return z3.If(a < b, a, b)


def contract(tag: str = "") -> tuple[Terms, list[z3.BoolRef]]:
    """The formula, and what holds of any channel: fields in their bounds, no more withdrawn than paid in."""
    dep_a, dep_b, wd_a, wd_b, sent_ab, sent_ba = (
        z3.Int(name + tag) for name in ("dep_a", "dep_b", "wd_a", "wd_b", "sent_ab", "sent_ba")
    )
    paid_in = dep_a + dep_b
    total = paid_in - wd_a - wd_b
    gained = dep_a + sent_ba
    spent = wd_a + sent_ab
    payout_a = z3.If(gained > spent, smaller(gained - spent, total), z3.IntVal(0))
    bounds = [z3.And(field >= 0, field <= FIELD) for field in (dep_a, dep_b, wd_a, wd_b)]
    bounds += [z3.And(sent >= 0, sent <= SENT_MAX) for sent in (sent_ab, sent_ba)]
    bounds += [wd_a + wd_b <= paid_in]
    return Terms(dep_a, dep_b, wd_a, wd_b, sent_ab, sent_ba, total, payout_a, total - payout_a), bounds


def proved(claim: z3.BoolRef, bounds: list[z3.BoolRef]) -> bool:
    """Whether no channel within ``bounds`` contradicts the claim."""
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    solver.add(*bounds, z3.Not(claim))
    return bool(solver.check() == z3.unsat)


def test_nothing_overflows() -> None:
    """Every sum and difference of the formula is a word, so checked arithmetic never stops a settlement."""
    t, bounds = contract()
    paid_in = t.dep_a + t.dep_b
    for value in (paid_in, paid_in - t.wd_a, t.total, t.dep_a + t.sent_ba, t.wd_a + t.sent_ab, t.payout_a, t.payout_b):
        assert proved(z3.And(value >= 0, value < WORD), bounds)


def test_payouts_sum_to_what_the_channel_holds() -> None:
    """To the unit, and neither is negative."""
    t, bounds = contract()
    assert proved(z3.And(t.payout_a + t.payout_b == t.total, t.payout_a >= 0, t.payout_b >= 0), bounds)


def test_each_gets_its_due() -> None:
    """If nobody signed away more than it had, both get exactly that: deposits - withdrawn + received - sent."""
    t, bounds = contract()
    solvent = [t.wd_a + t.sent_ab <= t.dep_a + t.sent_ba, t.wd_b + t.sent_ba <= t.dep_b + t.sent_ab]
    due_a = t.dep_a - t.wd_a + t.sent_ba - t.sent_ab
    due_b = t.dep_b - t.wd_b + t.sent_ab - t.sent_ba
    assert proved(z3.And(t.payout_a == due_a, t.payout_b == due_b), bounds + solvent)


def test_newer_vouchers_and_revealed_locks_never_hurt_their_payee() -> None:
    """More from b never lowers a, more from a never raises it: showing what one was paid is never a mistake."""
    t, bounds = contract()
    more, more_bounds = contract("_more")
    same = [getattr(t, name) == getattr(more, name) for name in ("dep_a", "dep_b", "wd_a", "wd_b")]
    received = [*bounds, *more_bounds, *same, t.sent_ab == more.sent_ab, t.sent_ba <= more.sent_ba]
    assert proved(t.payout_a <= more.payout_a, received)
    sent = [*bounds, *more_bounds, *same, t.sent_ba == more.sent_ba, t.sent_ab <= more.sent_ab]
    assert proved(t.payout_a >= more.payout_a, sent)


def test_a_wrong_formula_is_not_proved() -> None:
    """The prover can say no: without the clamp, payouts exceed what there is."""
    t, bounds = contract()
    unclamped = t.dep_a + t.sent_ba - t.wd_a - t.sent_ab
    assert not proved(unclamped <= t.total, bounds)


fields = st.integers(0, FIELD)


@settings(max_examples=50, deadline=None)
@given(fields, fields, fields, st.integers(0, SENT_MAX), st.integers(0, SENT_MAX))
@example(FIELD, FIELD, FIELD, SENT_MAX, 0)
@example(0, 0, 0, SENT_MAX, SENT_MAX)
def test_model_is_what_wallets_compute(dep_a: int, dep_b: int, wd_a: int, sent_ab: int, sent_ba: int) -> None:
    """The off-chain formula is the proved one; the contract's is compared by the settlements of the other tests."""
    domain = channels_domain(1, bytes(20))
    parties = Parties(b"\x0a" * 20, b"\x0b" * 20, bytes(32))
    wd_a = min(wd_a, dep_a + dep_b)
    vouchers = [SignedVoucher(Voucher(bytes(32), p, 1, 0), b"") for p in (parties.a, parties.b)]
    state = ChannelState(
        domain, parties, bytes(32), 50, a=Side(dep_a, wd_a, vouchers[0]), b=Side(dep_b, 0, vouchers[1])
    )
    t, _ = contract()
    values = zip(
        (t.dep_a, t.dep_b, t.wd_a, t.wd_b, t.sent_ab, t.sent_ba), (dep_a, dep_b, wd_a, 0, sent_ab, sent_ba), strict=True
    )
    bound = [(name, z3.IntVal(value)) for name, value in values]
    model = [z3.simplify(z3.substitute(payout, *bound)).as_long() for payout in (t.payout_a, t.payout_b)]
    assert model == list(payouts(state, sent_ab, sent_ba))
