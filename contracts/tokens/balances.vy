# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Balances that remember standings
@notice Who holds how much, and whether he may send and receive. The registry is asked once and says when its answer changes.
@dev A plain transfer reads three slots and calls nobody: an account's word carries beside its balance a tag
     that says "the registry was asked, and nothing but a message from it changes the answer".

         bits 0-127    balance
         bits 128-231  cap of the balance, all ones for none
         bits 232-239  class: the tier of who has limits of payments, 0 of who has none, 254 institution, 255 contract
         bits 240-255  tag: bit 15 set and an epoch; valid while equal to the top 16 bits of `_rules`

     Whoever has limits has a slot of its own besides, and the tier's is read (payment_limits).

     A word with another tag takes the slow way: the registry is asked, and if its answer does not depend on
     time, the tag is written with the balance. `invalidate` clears a tag. `_rules` has no valid tag during a
     pause, so that the pause costs nothing when there is none.
"""

from ..interfaces import IParticipantRegistry
from ..lib import pauses
from . import frozen_money
from . import payment_limits

uses: frozen_money
uses: pauses
uses: payment_limits


struct Holding:
    account: address
    amount: uint256


struct Payments:
    tier: uint256
    used_today: uint256
    used_this_month: uint256
    day_ends: uint256
    month_ends: uint256


event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256


event RegistryChanged:
    registry: indexed(address)


event TravelThresholdChanged:
    threshold: uint256


BALANCE_MASK: constant(uint256) = 2**128 - 1
CAP_SHIFT: constant(uint256) = 128
CAP_MASK: constant(uint256) = 2**104 - 1
CLASS_SHIFT: constant(uint256) = 232
CLASS_BITS: constant(uint256) = (2**8 - 1) << 232
TAG_SHIFT: constant(uint256) = 240
TAG_VALID: constant(uint256) = 2**15
PAUSED: constant(uint256) = 1
THRESHOLD_SHIFT: constant(uint256) = 17
THRESHOLD_BITS: constant(uint256) = (2**128 - 1) << 17
CONTRACT_CLASS: constant(uint256) = 255 << 232

# Slot 0 of the token, which clients prove: keep it first.
_accounts: HashMap[address, uint256]
totalSupply: public(uint256)
registry: public(IParticipantRegistry)
# top 16 bits: the valid tag, or zero during a pause; bits 17-144: from which amount on a payment between accounts needs a
# travel record; bits 1-16: the epoch; bit 0: paused
_rules: uint256


@deploy
def __init__(
    registry: IParticipantRegistry, holdings: DynArray[Holding, 512], travel_threshold: uint256
):
    """
    @param registry Who knows standings, caps, roles and court orders.
    @param holdings Balances from genesis, each holder once.
    @param travel_threshold From which amount on a payment needs a travel record; 2**128 - 1 for none.
    """
    self.registry = registry
    self._check_travel_threshold(travel_threshold)
    self._set_travel_threshold(travel_threshold)
    self._set_rules(0, False)
    supply: uint256 = 0
    for holding: Holding in holdings:
        assert self._accounts[holding.account] == 0, "token: holder named twice"
        self._accounts[holding.account] = holding.amount
        supply += holding.amount
        log Transfer(sender=empty(address), receiver=holding.account, amount=holding.amount)
    assert supply <= BALANCE_MASK, "token: supply out of range"
    self.totalSupply = supply


@external
@view
def balanceOf(account: address) -> uint256:
    """
    @param account Anybody.
    @return Its balance in token units, with what a court has frozen.
    """
    return self._accounts[account] & BALANCE_MASK


@external
@view
def payments_of(account: address) -> Payments:
    """
    @notice What counts against the limits of an account's payments, for its wallet; `limits_of_tier` says what they are.
    @param account Anybody.
    @return Its tier, 0 if no limits bind it; what it has paid to others today and this month while limits bound it, in
            token units; the seconds at which the next day and the next month begin, and with them a count of zero.
    """
    tier: uint256 = self._class_of(staticcall self.registry.standing(account))
    if tier > payment_limits.TIER_MAX:
        tier = 0
    used: uint256 = payment_limits._used_now(account)
    today: uint256 = payment_limits._today()
    next_month: uint256 = payment_limits._month_of(today) + 1
    return Payments(
        tier=tier,
        used_today=used & payment_limits.SUM_MASK,
        used_this_month=(used >> payment_limits.SUM_BITS) & payment_limits.SUM_MASK,
        day_ends=payment_limits._begin(today + 1),
        month_ends=payment_limits._begin(payment_limits._first_day(next_month)),
    )


@external
def invalidate(account: address):
    """
    @notice The registry says that an account's standing shrank: ask again before it moves money.
    @param account Whose.
    """
    assert msg.sender == self.registry.address, "only the registry"
    self._accounts[account] = self._accounts[account] & BALANCE_MASK


@external
def invalidate_all():
    """
    @notice The registry says that rules changed for many: ask again for everyone.
    """
    assert msg.sender == self.registry.address, "only the registry"
    self._forget_all()


# ------------------------------------------------------------------ moving


@internal
def _move(sender: address, receiver: address, amount: uint256, recorded: bool = False):
    """
    @param sender Who pays; its consent was checked.
    @param receiver Who is paid.
    @param amount Token units.
    @param recorded Whether a travel record stands behind it.
    """
    rules: uint256 = self._rules
    tag: uint256 = rules >> TAG_SHIFT
    if tag == 0:
        tag = self._tag()
    source: uint256 = self._accounts[sender]
    if source >> TAG_SHIFT != tag:
        source = self._sendable(sender, source, amount, tag)
    if source & CLASS_BITS != 0:
        self._count(sender, source, receiver, amount)
    assert source & BALANCE_MASK >= amount, "token: balance"
    self._accounts[sender] = unsafe_sub(source, amount)
    # Read after the write, so that a payment to oneself changes nothing.
    target: uint256 = self._accounts[receiver]
    if target >> TAG_SHIFT != tag:
        target = self._known(receiver, target, tag)
    self._accounts[receiver] = self._credited(target, amount)
    if not recorded and amount >= (rules & THRESHOLD_BITS) >> THRESHOLD_SHIFT:
        exempt: bool = sender == receiver
        for word: uint256 in [source, target]:
            exempt = exempt or word & CLASS_BITS == CONTRACT_CLASS
        assert exempt, "token: needs a travel record"
    log Transfer(sender=sender, receiver=receiver, amount=amount)


@internal
def _create(receiver: address, amount: uint256):
    """
    @param receiver Who gets new money.
    @param amount Token units.
    """
    assert self.totalSupply + amount <= BALANCE_MASK, "token: supply out of range"
    self.totalSupply += amount
    word: uint256 = self._known(receiver, self._accounts[receiver], self._tag())
    self._accounts[receiver] = self._credited(word, amount)
    log Transfer(sender=empty(address), receiver=receiver, amount=amount)


@internal
def _destroy(owner: address, amount: uint256):
    """
    @param owner Whose money, under no other rule than courts' orders.
    @param amount Token units.
    """
    word: uint256 = self._debited(self._accounts[owner], amount)
    if (staticcall self.registry.standing(owner)).frozen > 0:
        frozen_money._check_thawed(self.registry, owner, word & BALANCE_MASK)
    self._accounts[owner] = word
    self.totalSupply -= amount
    log Transfer(sender=owner, receiver=empty(address), amount=amount)


@internal
def _destroy_for(owner: address, amount: uint256):
    """
    @param owner Whose money, in good standing, while no pause runs: somebody else asks for it.
    @param amount Token units.
    """
    self._check_running()
    assert (staticcall self.registry.standing(owner)).may_send, "token: sender not admitted"
    self._destroy(owner, amount)


@internal
def _seize(source: address, receiver: address, amount: uint256):
    """
    @dev By a court's order: without the cap, since the law, not the tier, decides who gets it.
    @param source Whose money.
    @param receiver Who gets it.
    @param amount Token units.
    """
    self._accounts[source] = self._debited(self._accounts[source], amount)
    self._accounts[receiver] += amount
    log Transfer(sender=source, receiver=receiver, amount=amount)


@internal
def _count(sender: address, source: uint256, receiver: address, amount: uint256):
    """
    @param sender Who pays.
    @param source Its word, with a class.
    @param receiver Who is paid: a payment to oneself is none.
    @param amount Token units.
    """
    class_: uint256 = (source & CLASS_BITS) >> CLASS_SHIFT
    if class_ <= payment_limits.TIER_MAX and sender != receiver:
        payment_limits._count(sender, class_, amount)


@internal
@pure
def _debited(word: uint256, amount: uint256) -> uint256:
    assert word & BALANCE_MASK >= amount, "token: balance"
    return unsafe_sub(word, amount)


@internal
@pure
def _credited(word: uint256, amount: uint256) -> uint256:
    """
    @dev The sum of all balances fits 128 bits (see `_create`), so the balance cannot run into the cap.
    """
    cap: uint256 = (word >> CAP_SHIFT) & CAP_MASK
    balance: uint256 = (word & BALANCE_MASK) + amount
    assert cap == CAP_MASK or balance <= cap, "token: above the receiver's cap"
    return word + amount


# ------------------------------------------------------------------ standings


@internal
@view
def _sendable(account: address, word: uint256, amount: uint256, tag: uint256) -> uint256:
    """
    @dev The slow way for a sender: standing and freeze from the registry. Returns the word to go on with.
    """
    standing: IParticipantRegistry.Standing = staticcall self.registry.standing(account)
    assert standing.may_send, "token: sender not admitted"
    balance: uint256 = word & BALANCE_MASK
    if standing.frozen > 0:
        assert balance >= amount, "token: frozen"
        frozen_money._check_thawed(self.registry, account, balance - amount)
    return self._tagged(balance, standing, tag)


@internal
@view
def _known(account: address, word: uint256, tag: uint256) -> uint256:
    """
    @dev The slow way for a receiver.
    """
    if word >> TAG_SHIFT == tag:
        return word
    assert account != empty(address) and account != self, "token: no such receiver"
    standing: IParticipantRegistry.Standing = staticcall self.registry.standing(account)
    assert standing.may_receive, "token: receiver not admitted"
    return self._tagged(word & BALANCE_MASK, standing, tag)


@internal
@view
def _tagged(balance: uint256, standing: IParticipantRegistry.Standing, tag: uint256) -> uint256:
    """
    @dev A word whose cap is right for now; its tag is right only if nothing changes by time alone.
    """
    cap: uint256 = min(standing.cap, CAP_MASK)
    word: uint256 = balance | (cap << CAP_SHIFT) | (self._class_of(standing) << CLASS_SHIFT)
    if standing.cacheable:
        word |= tag << TAG_SHIFT
    return word


@internal
@view
def _class_of(standing: IParticipantRegistry.Standing) -> uint256:
    """
    @return What a word says of who pays: nothing where the account's tier has no limit.
    """
    class_: uint256 = standing.payment_class
    if class_ <= payment_limits.TIER_MAX and not payment_limits._binds(class_):
        return 0
    return class_


@internal
def _set_registry(registry: IParticipantRegistry):
    """
    @param registry Who is asked from now on; decided by the council.
    """
    assert registry.address.is_contract, "token: no registry there"
    self.registry = registry
    self._forget_all()
    log RegistryChanged(registry=registry.address)


# ------------------------------------------------------------------ tags


@internal
def _forget_all():
    self._set_rules(self._epoch() + 1, pauses._paused())


@internal
def _heed_pause():
    """
    @dev A pause began or ended: no tag is valid while it runs.
    """
    self._set_rules(self._epoch(), pauses._paused())


@internal
def _tag() -> uint256:
    """
    @dev The valid tag. The first to come after a pause has lapsed puts it back.
    """
    if self._rules & PAUSED != 0:
        self._check_running()
        self._set_rules(self._epoch(), False)
    return self._rules >> TAG_SHIFT


@internal
@view
def _check_running():
    assert not pauses._paused(), "token: paused"


@internal
@view
def _epoch() -> uint256:
    return (self._rules >> 1) & (TAG_VALID - 1)


@internal
@view
def _travel_threshold() -> uint256:
    return (self._rules & THRESHOLD_BITS) >> THRESHOLD_SHIFT


@internal
def _set_travel_threshold(threshold: uint256):
    """
    @param threshold Token units, more than 0; 2**128 - 1 for no threshold.
    """
    self._rules = (self._rules & ~THRESHOLD_BITS) | (threshold << THRESHOLD_SHIFT)
    log TravelThresholdChanged(threshold=threshold)


@internal
@pure
def _check_travel_threshold(threshold: uint256):
    assert threshold > 0 and threshold <= BALANCE_MASK, "token: threshold out of range"


@internal
def _set_rules(epoch: uint256, paused: bool):
    assert epoch < TAG_VALID, "token: epochs used up"
    rules: uint256 = (self._rules & THRESHOLD_BITS) | (epoch << 1)
    if paused:
        rules |= PAUSED
    else:
        rules |= (TAG_VALID | epoch) << TAG_SHIFT
    self._rules = rules
