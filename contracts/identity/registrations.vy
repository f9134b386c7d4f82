# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title What offices write into status words: registrations, licences, suspensions, freezes
@notice The registrar writes who is a resident or merchant, the licensor who is an institution and what it may do,
        compliance who is suspended, the court what is frozen. Nobody writes another's part of a word, and whatever
        shrinks a right is told to the listeners.
"""

from ..interfaces import IParticipantRegistry
from ..lib import decisions
from ..lib import handover
from . import court_orders
from . import holding_caps
from . import offices
from . import status_listeners
from . import status_words
from . import successors

uses: court_orders
uses: decisions
uses: handover
uses: holding_caps
uses: offices
uses: status_listeners
uses: status_words
uses: successors

# A batch of registrations that fits a block many times over.
BATCH_MAX: constant(uint256) = 256


# ------------------------------------------------------------------ registrar


@external
def register(account: address, kind: uint256, tier: uint256, expires: uint256):
    """
    @notice Register or renew a resident or merchant.
    @param account Whose.
    @param kind 1 resident, 2 merchant.
    @param tier One whose cap is set.
    @param expires Second at which the registration ends, 0 for never.
    """
    offices._check_registrar()
    self._register(account, kind, tier, expires)


@external
def register_many(
    accounts: DynArray[address, BATCH_MAX], kind: uint256, tier: uint256, expires: uint256
):
    """
    @notice Register many residents or merchants alike.
    @param accounts Whose.
    @param kind 1 resident, 2 merchant.
    @param tier One whose cap is set.
    @param expires Second at which the registrations end, 0 for never.
    """
    offices._check_registrar()
    for account: address in accounts:
        self._register(account, kind, tier, expires)


@external
def deregister(account: address):
    """
    @notice End a registration at once. A suspension or freeze stays on record.
    @param account Whose.
    """
    offices._check_registrar()
    word: uint256 = status_words._status[account]
    status_words._check_registrable(word)
    self._write(account, word & ~status_words.ACTIVE, True)


@external
def name_successor(account: address, successor: address):
    """
    @notice Say where money due to a lost or deregistered account goes, after the delay.
    @param account Who cannot receive any more.
    @param successor Who receives instead.
    """
    offices._check_registrar()
    handover._check_in_office()
    status_words._check_registrable(status_words._status[account])
    successors._name(account, successor, block.timestamp + decisions.delay)


@external
def withdraw_successor(account: address):
    """
    @notice End a succession at once, ripe or not.
    @param account Whose.
    """
    offices._check_registrar()
    successors._refuse(account)


@external
def veto_successor(account: address):
    """
    @notice The guardian, or the account itself if its keys are not lost after all, refuses a succession while its delay
            has not passed.
    @param account Whose.
    """
    if msg.sender != account:
        assert msg.sender == staticcall decisions.body.guardian(), "only the guardian"
    assert block.timestamp < successors.succession[account].ready_at, "succession: nothing to veto"
    successors._refuse(account)


# ------------------------------------------------------------------ licensor


@external
def admit_institution(account: address, kind: uint256):
    """
    @notice Make an institution or a contract a participant.
    @param account Whose.
    @param kind 3 institution, 4 contract: its books say who pays whom, so nobody limits or stops it.
    """
    offices._check_licensor()
    assert kind == status_words.INSTITUTION or kind == status_words.CONTRACT, "registry: not an institution"
    word: uint256 = status_words._status[account]
    assert word & status_words.REGISTRATION_MASK == 0, "registry: registered already"
    self._write(account, word | status_words.ACTIVE | (kind << status_words.KIND_SHIFT), False)


@external
def license(
    account: address, licences: uint256, capital_class: uint256, may_deploy: bool, expires: uint256
):
    """
    @notice Set the licences of an account, all at once; zeros withdraw them.
    @param account Whose.
    @param licences Bits: 1 platform, 2 exchange, 4 custody, 8 payment hub.
    @param capital_class What the holder's capital allows it to hold (`class_cap`); 0 where capital binds nothing.
    @param may_deploy Whether it may deploy contracts.
    @param expires Second at which licences and the right to deploy end, 0 for never.
    """
    offices._check_licensor()
    assert licences <= status_words.BYTE_MASK, "registry: out of range"
    assert capital_class <= status_words.BYTE_MASK, "registry: out of range"
    status_words._check_time(expires)
    if capital_class != 0:
        assert holding_caps.class_cap[capital_class] != 0, "registry: class without cap"
    before: uint256 = status_words._status[account]
    word: uint256 = before & ~status_words.LICENCE_MASK
    word |= (licences << status_words.LICENCE_SHIFT) | (capital_class << status_words.CAPITAL_SHIFT)
    word |= expires << status_words.LICENCE_EXPIRY_SHIFT
    if may_deploy:
        word |= status_words.MAY_DEPLOY
    # Another class is another cap, which whoever remembers the old one must hear of.
    self._write(account, word, status_words._capital_class(before) != capital_class)


@external
def lower_tier_cap(tier: uint256, cap: uint256):
    """
    @notice Lower the largest balance of a tier's members at once; the council raises it (`propose_cap`).
    @param tier Which.
    @param cap Less than what holds now, in token units; 0 lets nobody hold more than it has.
    """
    offices._check_licensor()
    handover._check_in_office()
    holding_caps._lower_tier_cap(tier, cap)
    status_listeners._tell_all(empty(address))


# ------------------------------------------------------------------ compliance and court


@external
def suspend(account: address):
    """
    @notice Take the right to transact, at once.
    @param account Whose.
    """
    offices._check_compliance()
    status_words._check_subject(account)
    # Else one office could stop another, or a guardian's veto.
    assert offices._role_of[account] == 0, "registry: holds an office"
    assert not staticcall decisions.body.is_member(account), "registry: sits in the council"
    assert account != staticcall decisions.body.guardian(), "registry: guards the council"
    self._write(account, status_words._status[account] | status_words.SUSPENDED, True)


@external
def reinstate(account: address):
    """
    @notice End a suspension.
    @param account Whose.
    """
    offices._check_compliance()
    self._write(account, status_words._status[account] & ~status_words.SUSPENDED, False)


@external
def freeze(account: address, order_hash: bytes32, amount: uint256, expires: uint256):
    """
    @notice Hold an amount of an account's money by court order, besides what other orders hold.
    @param account Whose.
    @param order_hash The order's; the same one again amends it.
    @param amount Token units.
    @param expires Second at which the freeze ends; 2**64 - 1 for until released.
    """
    offices._check_court()
    status_words._check_subject(account)
    order: IParticipantRegistry.Order = IParticipantRegistry.Order(
        order_hash=order_hash, amount=amount, expires=expires
    )
    self._write_freeze(account, court_orders._impose(account, order), True)


@external
def release(account: address, order_hash: bytes32):
    """
    @notice Lift one order; the others go on.
    @param account Whose money.
    @param order_hash Which order.
    """
    offices._check_court()
    handover._check_in_office()
    self._write_freeze(account, court_orders._lift(account, order_hash), False)


# ------------------------------------------------------------------ inside


@internal
def _register(account: address, kind: uint256, tier: uint256, expires: uint256):
    assert account != empty(address), "registry: no account"
    assert kind == status_words.RESIDENT or kind == status_words.MERCHANT, "registry: not a resident or merchant"
    assert tier > 0 and tier <= holding_caps.TIER_MAX, "registry: out of range"
    assert holding_caps.tier_cap[tier] != 0, "registry: tier without cap"
    status_words._check_time(expires)
    before: uint256 = status_words._status[account]
    status_words._check_registrable(before)
    word: uint256 = before & ~status_words.REGISTRATION_MASK
    word |= status_words.ACTIVE | (kind << status_words.KIND_SHIFT) | (tier << status_words.TIER_SHIFT)
    word |= expires << status_words.EXPIRY_SHIFT
    # A renewal may bring a lower tier or an earlier end: whoever remembers the old standing must hear.
    self._write(account, word, before & status_words.ACTIVE != 0)


@internal
def _write(account: address, word: uint256, shrinks: bool):
    handover._check_in_office()
    status_words._set(account, word)
    if shrinks:
        status_listeners._tell_all(account)


@internal
def _write_freeze(account: address, until: uint256, shrinks: bool):
    """
    @param account Whose word.
    @param until Second at which the last order ends, 0 for none.
    @param shrinks Whether listeners must hear.
    """
    word: uint256 = status_words._status[account] & (2**status_words.FREEZE_SHIFT - 1)
    self._write(account, word | (until << status_words.FREEZE_SHIFT), shrinks)
