# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title How much a member of a tier may pay: at once, in a day, in a month
@notice What leaves an account for anybody else counts, contracts of payment channels included, so that who pays into
        channels of several hubs meets one counter. A tier that nobody has set pays nothing; "no limit" is said, with
        2**256 - 1. A day begins at midnight of UTC+5, the country's only time, and a month on its first day.
@dev One slot of a tier is read, one of the payer is read and written:

         limits of a tier    bits 0-79 a payment's, 80-159 a day's, 160-239 a month's; all ones for none
         used by an account  bits 0-79 in its day, 80-159 in its month, 160-207 the day, 208-255 the month

     A sum is kept at all ones once it is that large: only who has no such limit gets there.
"""

struct Limits:
    payment: uint256
    day: uint256
    month: uint256


event LimitsChanged:
    tier: indexed(uint256)
    payment: uint256
    day: uint256
    month: uint256


NO_LIMIT: constant(uint256) = max_value(uint256)
TIER_MAX: constant(uint256) = 253
SUM_BITS: constant(uint256) = 80
SUM_MASK: constant(uint256) = 2**80 - 1
UNLIMITED: constant(uint256) = 2**240 - 1
DAY_SHIFT: constant(uint256) = 160
DAY_MASK: constant(uint256) = 2**48 - 1
MONTH_SHIFT: constant(uint256) = 208

DAY: constant(uint256) = 86_400
# Seconds by which the country's day begins before that of UTC.
OFFSET: constant(uint256) = 5 * 3_600
# The Gregorian calendar repeats itself after 400 years. Years are counted from 1 March of the year 0, so that a leap day is
# the last of its year; 1970 began 719,468 days later.
DAYS_BEFORE_1970: constant(uint256) = 719_468
DAYS_OF_ERA: constant(uint256) = 146_097
YEARS_OF_ERA: constant(uint256) = 400

_limits: HashMap[uint256, uint256]
_used: HashMap[address, uint256]


@deploy
def __init__(limits: DynArray[Limits, 8]):
    """
    @param limits Of tier 1, 2, ...; 2**256 - 1 for none.
    """
    tier: uint256 = 1
    for each: Limits in limits:
        self._check(tier, each)
        self._set(tier, each)
        tier += 1


@external
@view
def limits_of_tier(tier: uint256) -> Limits:
    """
    @param tier A tier.
    @return What its members may pay at once, in a day and in a month; 2**256 - 1 where there is no limit.
    """
    return self._limits_of(tier)


@internal
def _count(payer: address, tier: uint256, amount: uint256):
    """
    @param payer Whose payment.
    @param tier The payer's.
    @param amount Token units; refused if it is too much at once, today or this month.
    """
    limits: uint256 = self._limits[tier]
    assert min(amount, SUM_MASK) <= limits & SUM_MASK, "token: above the payment limit"
    used: uint256 = self._used_now(payer)
    today: uint256 = min((used & SUM_MASK) + amount, SUM_MASK)
    assert today <= (limits >> SUM_BITS) & SUM_MASK, "token: above the day's limit"
    month: uint256 = min(((used >> SUM_BITS) & SUM_MASK) + amount, SUM_MASK)
    assert month <= limits >> (2 * SUM_BITS), "token: above the month's limit"
    self._used[payer] = (used >> DAY_SHIFT << DAY_SHIFT) | (month << SUM_BITS) | today


@internal
@view
def _used_now(payer: address) -> uint256:
    """
    @param payer Anybody.
    @return Its word as of now: a new day has used nothing, a new month neither.
    """
    used: uint256 = self._used[payer]
    today: uint256 = self._today()
    if (used >> DAY_SHIFT) & DAY_MASK == today:
        return used
    month: uint256 = self._month_of(today)
    kept: uint256 = 0
    if used >> MONTH_SHIFT == month:
        kept = used & (SUM_MASK << SUM_BITS)
    return kept | (today << DAY_SHIFT) | (month << MONTH_SHIFT)


@internal
@view
def _binds(tier: uint256) -> bool:
    """
    @param tier A tier.
    @return Whether it has a limit at all.
    """
    return self._limits[tier] != UNLIMITED


@internal
def _set(tier: uint256, limits: Limits):
    """
    @param tier 1 to 253.
    @param limits Each 2**256 - 1, or below 2**80 - 1.
    """
    self._limits[tier] = (
        self._packed(limits.payment)
        | (self._packed(limits.day) << SUM_BITS)
        | (self._packed(limits.month) << (2 * SUM_BITS))
    )
    log LimitsChanged(tier=tier, payment=limits.payment, day=limits.day, month=limits.month)


@internal
@view
def _limits_of(tier: uint256) -> Limits:
    word: uint256 = self._limits[tier]
    return Limits(
        payment=self._unpacked(word),
        day=self._unpacked(word >> SUM_BITS),
        month=self._unpacked(word >> (2 * SUM_BITS)),
    )


@internal
@pure
def _check(tier: uint256, limits: Limits):
    """
    @param tier Of whom.
    @param limits What somebody proposes.
    """
    fits: bool = tier > 0 and tier <= TIER_MAX
    for limit: uint256 in [limits.payment, limits.day, limits.month]:
        fits = fits and (limit < SUM_MASK or limit == NO_LIMIT)
    assert fits, "limits: out of range"


@internal
@view
def _raises(tier: uint256, limits: Limits) -> bool:
    """
    @param tier Of whom.
    @param limits What somebody proposes.
    @return Whether a member of the tier could pay more than now, in any way.
    """
    now: Limits = self._limits_of(tier)
    return limits.payment > now.payment or limits.day > now.day or limits.month > now.month


@internal
@pure
def _packed(limit: uint256) -> uint256:
    return min(limit, SUM_MASK)


@internal
@pure
def _unpacked(word: uint256) -> uint256:
    limit: uint256 = word & SUM_MASK
    if limit == SUM_MASK:
        return NO_LIMIT
    return limit


# ------------------------------------------------------------------ calendar


@internal
@view
def _today() -> uint256:
    """
    @return Days since 1970-01-01, by the country's clock.
    """
    return (block.timestamp + OFFSET) // DAY


@internal
@pure
def _month_of(day: uint256) -> uint256:
    """
    @param day Days since 1970-01-01.
    @return Its month: how many began since March of the year 0.
    """
    days: uint256 = day + DAYS_BEFORE_1970
    of_era: uint256 = days % DAYS_OF_ERA
    # Without the leap days before it: one in 4 years (1,460 days), none in 100 (36,524), one in 400.
    year: uint256 = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year: uint256 = of_era - (365 * year + year // 4 - year // 100)
    # From March on, five months have 153 days.
    return 12 * (days // DAYS_OF_ERA * YEARS_OF_ERA + year) + (5 * of_year + 2) // 153


@internal
@pure
def _first_day(month: uint256) -> uint256:
    """
    @param month As `_month_of` counts.
    @return Its first day, as `_today` counts.
    """
    year: uint256 = month // 12
    days: uint256 = 365 * year + year // 4 - year // 100 + year // 400
    return days + (153 * (month % 12) + 2) // 5 - DAYS_BEFORE_1970


@internal
@pure
def _begin(day: uint256) -> uint256:
    """
    @param day As `_today` counts.
    @return The second at which it begins.
    """
    return day * DAY - OFFSET
