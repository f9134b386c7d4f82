# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title ParticipantRegistry: who may transact, deploy, and hold money, and what a court has frozen
@notice The node refuses a transaction whose sender is not active, and a deployment by an unlicensed one. It
        reads one slot: `status(sender)` is at keccak256(uint256(0) ++ uint256(sender)), since `_status` is the
        first variable (slot 0). The word, from its lowest bit (the same as in node/alatau/chain/permission.py):

        bit 0        active: may transact
        bit 1        may deploy contracts
        bit 2        suspended: overrides active
        bits 8-15    kind: 1 resident, 2 merchant, 3 institution, 4 contract
        bits 16-23   tier of a resident or merchant
        bits 24-31   licences held, a bit each: 1 platform, 2 exchange, 4 custody, 8 payment hub
        bits 32-39   capital class of the licences: caps what their holder may hold, 0 for not
        bits 64-127  the registration expires at this second, 0 never
        bits 128-191 the licences and the right to deploy expire at this second, 0 never
        bits 192-255 the last of the court orders that freeze money ends at this second, 0 none

        Who can stop what:
        * registrar (city authority): registers, renews and ends the registration of residents and merchants, and
          names the successor of a lost account, after `delay`; the council's guardian vetoes, and so does the
          account itself;
        * licensor (National Bank): licences, institutions and contracts, the right to deploy; lowers a tier's cap;
        * the council sets caps of tiers and capital classes: lower as soon as it is approved, higher after `delay`;
        * compliance (financial monitoring agency): suspends and reinstates anyone at once;
        * court: freezes and releases money, order by order; a freeze binds money, never the right to send a
          transaction, so nobody loses a deadline in a payment channel to it;
        * the council grants roles after `delay` and withdraws them at once; its guardian vetoes. One account
          has one role, so incompatible roles never meet;
        * another contract takes this one's place by a decision that waits three delays. From then on this one passes on
          what it is asked, and takes nothing.
        Whatever shrinks a right is told to the listeners (tokens that remember standings) in the same
        transaction. Who is no listener is told to remember nothing.
"""

from ..interfaces import ICouncil
from ..interfaces import IParticipantRegistry
from ..interfaces import IStatusListener
from ..lib import decisions
from ..lib import handover
from ..lib import typed_data
from . import court_orders
from . import holding_caps
from . import successors


struct RoleGrant:
    holder: address
    role: uint256


struct Participant:
    account: address
    word: uint256


struct Change:
    action: uint256
    subject: address
    value: uint256
    terms: decisions.Terms


event StatusChanged:
    account: indexed(address)
    word: uint256
    by: indexed(address)


event ChangeProposed:
    id: indexed(bytes32)
    action: indexed(uint256)
    subject: indexed(address)
    value: uint256


event RoleChanged:
    holder: indexed(address)
    role: uint256


event ListenerChanged:
    listener: indexed(address)
    listening: bool


event ListenerFailed:
    listener: indexed(address)
    account: indexed(address)


ACTIVE: constant(uint256) = 1
MAY_DEPLOY: constant(uint256) = 2
SUSPENDED: constant(uint256) = 4
KIND_SHIFT: constant(uint256) = 8
TIER_SHIFT: constant(uint256) = 16
LICENCE_SHIFT: constant(uint256) = 24
CAPITAL_SHIFT: constant(uint256) = 32
EXPIRY_SHIFT: constant(uint256) = 64
LICENCE_EXPIRY_SHIFT: constant(uint256) = 128
FREEZE_SHIFT: constant(uint256) = 192
BYTE_MASK: constant(uint256) = 2**8 - 1
TIME_MASK: constant(uint256) = 2**64 - 1
# What the registrar writes, and what the licensor does; the rest of the word is left as it is.
REGISTRATION_MASK: constant(uint256) = (2**24 - 2**8) | (2**128 - 2**64) | 1
LICENCE_MASK: constant(uint256) = (2**40 - 2**24) | (2**192 - 2**128) | 2

RESIDENT: constant(uint256) = 1
MERCHANT: constant(uint256) = 2
INSTITUTION: constant(uint256) = 3
CONTRACT: constant(uint256) = 4
# `payment_class` of an institution; a contract's is the next one.
INSTITUTION_CLASS: constant(uint256) = 254

REGISTRAR: constant(uint256) = 1
LICENSOR: constant(uint256) = 2
COMPLIANCE: constant(uint256) = 3
COURT: constant(uint256) = 4

GRANT_ROLE: constant(uint256) = 1
WITHDRAW_ROLE: constant(uint256) = 2
ADD_LISTENER: constant(uint256) = 3
REMOVE_LISTENER: constant(uint256) = 4

CHANGE_TYPE: constant(bytes32) = keccak256(
    "RegistryChange(string action,address subject,uint256 value,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)
# A batch of registrations that fits a block many times over.
BATCH_MAX: constant(uint256) = 256
LISTENERS_MAX: constant(uint256) = 8
# Forgetting one entry writes one slot; a listener cannot burn more than this.
LISTENER_GAS: constant(uint256) = 100_000

implements: IParticipantRegistry

# Slot 0, which the node reads for every sender: keep it first. No lock: this contract calls only listeners,
# which read standings while they are told of a change.
_status: HashMap[address, uint256]

# Slot 1, which the node reads too.
initializes: handover[decisions := decisions, typed_data := typed_data]
initializes: typed_data
initializes: decisions[typed_data := typed_data]
initializes: successors
initializes: court_orders
initializes: holding_caps[decisions := decisions, typed_data := typed_data]

exports: (
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    decisions.approve_decision,
    decisions.veto_decision,
    decisions.propose_body,
    decisions.replace_body,
    decisions.body,
    decisions.decision,
    decisions.delay,
    successors.succession,
    holding_caps.tier_cap,
    holding_caps.class_cap,
    holding_caps.cap_change,
    holding_caps.cap_id,
    holding_caps.propose_cap,
    decisions.override_id,
    decisions.term,
    handover.propose_handover,
    handover.successor,
)

_role_of: HashMap[address, uint256]
listeners: public(DynArray[IStatusListener, LISTENERS_MAX])
_changes: HashMap[bytes32, Change]


@deploy
def __init__(
    council: ICouncil,
    delay: uint256,
    roles: DynArray[RoleGrant, 16],
    tier_caps: DynArray[uint256, 8],
    listeners: DynArray[IStatusListener, LISTENERS_MAX],
    participants: DynArray[Participant, 512],
):
    """
    @param council The body that grants roles.
    @param delay Seconds between its approval and a grant.
    @param roles The first holders: 1 registrar, 2 licensor, 3 compliance, 4 court.
    @param tier_caps Largest balance of tier 1, 2, ... in token units, 2**256 - 1 for no cap.
    @param listeners Tokens that remember standings.
    @param participants Accounts known from genesis, with their status words.
    """
    typed_data.__init__("Alatau ParticipantRegistry")
    decisions.__init__(council, delay)
    for grant: RoleGrant in roles:
        self._grant(grant.holder, grant.role)
    holding_caps.__init__(tier_caps)
    self.listeners = listeners
    for participant: Participant in participants:
        self._status[participant.account] = participant.word
        log StatusChanged(account=participant.account, word=participant.word, by=msg.sender)


# ------------------------------------------------------------------ reading


@external
@view
@reentrant
def status(account: address) -> uint256:
    """
    @notice The packed word of `account`; its bits are above.
    @param account Anybody.
    @return The word, 0 for who was never known.
    """
    if handover.successor != empty(address):
        return staticcall IParticipantRegistry(handover.successor).status(account)
    return self._status[account]


@external
@view
@reentrant
def role_of(account: address) -> uint256:
    """
    @notice The public role of `account`.
    @param account Anybody.
    @return 1 registrar, 2 licensor, 3 compliance, 4 court, 0 for none.
    """
    if handover.successor != empty(address):
        return staticcall IParticipantRegistry(handover.successor).role_of(account)
    return self._role_of[account]


@external
@view
@reentrant
def successor_of(account: address) -> address:
    """
    @notice Where money due to a lost or deregistered account goes now.
    @param account The account.
    @return Its successor, zero for none: also while the delay has not passed.
    """
    if handover.successor != empty(address):
        return staticcall IParticipantRegistry(handover.successor).successor_of(account)
    return successors._successor_of(account)


@external
@view
@reentrant
def standing(account: address) -> IParticipantRegistry.Standing:
    """
    @notice What `account` may do with money now.
    @param account Anybody.
    @return Its standing; to be remembered only by who is told when it shrinks.
    """
    if handover.successor != empty(address):
        return staticcall IParticipantRegistry(handover.successor).standing(account)
    word: uint256 = self._status[account]
    active: bool = self._active(word)
    kind: uint256 = (word >> KIND_SHIFT) & BYTE_MASK
    tier: uint256 = (word >> TIER_SHIFT) & BYTE_MASK
    frozen: uint256 = 0
    if block.timestamp < (word >> FREEZE_SHIFT):
        frozen = court_orders._frozen(account)
    timeless: bool = ((word >> EXPIRY_SHIFT) & TIME_MASK) == 0 and (word >> FREEZE_SHIFT) == 0
    by_tier: bool = kind != INSTITUTION and kind != CONTRACT
    payment_class: uint256 = tier
    if not by_tier:
        payment_class = INSTITUTION_CLASS + kind - INSTITUTION
    return IParticipantRegistry.Standing(
        may_send=active,
        may_receive=active,
        cacheable=active and timeless and self._listens(msg.sender),
        cap=holding_caps._cap_of(by_tier, tier, (word >> CAPITAL_SHIFT) & BYTE_MASK),
        frozen=frozen,
        payment_class=payment_class,
    )


@external
@view
@reentrant
def licensed(account: address, licence: uint256) -> bool:
    """
    @notice Whether `account` is active and holds `licence` unexpired.
    @param account Anybody.
    @param licence One bit.
    @return True if so.
    """
    if handover.successor != empty(address):
        return staticcall IParticipantRegistry(handover.successor).licensed(account, licence)
    word: uint256 = self._status[account]
    expires: uint256 = (word >> LICENCE_EXPIRY_SHIFT) & TIME_MASK
    if not self._active(word) or (expires != 0 and block.timestamp >= expires):
        return False
    return licence != 0 and ((word >> LICENCE_SHIFT) & BYTE_MASK & licence) == licence


@external
@view
@reentrant
def court_orders_of(account: address) -> DynArray[IParticipantRegistry.Order, court_orders.ORDERS_MAX]:
    """
    @notice The court orders that freeze an account's money now: their amounts add up.
    @param account Anybody.
    @return Hash, amount and end of each, oldest first.
    """
    if handover.successor != empty(address):
        return staticcall IParticipantRegistry(handover.successor).court_orders_of(account)
    return court_orders._running(account)


@external
@view
def change(id: bytes32) -> Change:
    """
    @param id A decision.
    @return What the decision `id` will do.
    """
    return self._changes[id]


@external
@view
def change_id(change: Change) -> bytes32:
    """
    @param change As in `propose_change`.
    @return The EIP-712 digest that council members sign for `change`.
    """
    return self._change_id(change)


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
    assert self._role_of[msg.sender] == REGISTRAR, "only the registrar"
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
    assert self._role_of[msg.sender] == REGISTRAR, "only the registrar"
    for account: address in accounts:
        self._register(account, kind, tier, expires)


@external
def deregister(account: address):
    """
    @notice End a registration at once. A suspension or freeze stays on record.
    @param account Whose.
    """
    assert self._role_of[msg.sender] == REGISTRAR, "only the registrar"
    self._check_registrable(self._status[account])
    self._write(account, self._status[account] & ~ACTIVE, True)


@external
def name_successor(account: address, successor: address):
    """
    @notice Say where money due to a lost or deregistered account goes, after the delay.
    @param account Who cannot receive any more.
    @param successor Who receives instead.
    """
    assert self._role_of[msg.sender] == REGISTRAR, "only the registrar"
    handover._check_in_office()
    self._check_registrable(self._status[account])
    successors._name(account, successor, block.timestamp + decisions.delay)


@external
def withdraw_successor(account: address):
    """
    @notice End a succession at once, ripe or not.
    @param account Whose.
    """
    assert self._role_of[msg.sender] == REGISTRAR, "only the registrar"
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
    assert self._role_of[msg.sender] == LICENSOR, "only the licensor"
    assert kind == INSTITUTION or kind == CONTRACT, "registry: not an institution"
    word: uint256 = self._status[account]
    assert word & REGISTRATION_MASK == 0, "registry: registered already"
    self._write(account, word | ACTIVE | (kind << KIND_SHIFT), False)


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
    assert self._role_of[msg.sender] == LICENSOR, "only the licensor"
    assert licences <= BYTE_MASK and capital_class <= BYTE_MASK, "registry: out of range"
    self._check_time(expires)
    if capital_class != 0:
        assert holding_caps.class_cap[capital_class] != 0, "registry: class without cap"
    before: uint256 = self._status[account]
    word: uint256 = before & ~LICENCE_MASK
    word |= (licences << LICENCE_SHIFT) | (capital_class << CAPITAL_SHIFT)
    word |= expires << LICENCE_EXPIRY_SHIFT
    if may_deploy:
        word |= MAY_DEPLOY
    # Another class is another cap, which whoever remembers the old one must hear of.
    self._write(account, word, ((word ^ before) >> CAPITAL_SHIFT) & BYTE_MASK != 0)


@external
def lower_tier_cap(tier: uint256, cap: uint256):
    """
    @notice Lower the largest balance of a tier's members at once; the council raises it (`propose_cap`).
    @param tier Which.
    @param cap Less than what holds now, in token units; 0 lets nobody hold more than it has.
    """
    assert self._role_of[msg.sender] == LICENSOR, "only the licensor"
    handover._check_in_office()
    holding_caps._lower_tier_cap(tier, cap)
    self._tell_all(empty(address))


# ------------------------------------------------------------------ compliance and court


@external
def suspend(account: address):
    """
    @notice Take the right to transact, at once.
    @param account Whose.
    """
    assert self._role_of[msg.sender] == COMPLIANCE, "only compliance"
    self._check_subject(account)
    # Else one office could stop another, or a guardian's veto.
    assert self._role_of[account] == 0, "registry: holds an office"
    assert not staticcall decisions.body.is_member(account), "registry: sits in the council"
    assert account != staticcall decisions.body.guardian(), "registry: guards the council"
    self._write(account, self._status[account] | SUSPENDED, True)


@external
def reinstate(account: address):
    """
    @notice End a suspension.
    @param account Whose.
    """
    assert self._role_of[msg.sender] == COMPLIANCE, "only compliance"
    self._write(account, self._status[account] & ~SUSPENDED, False)


@external
def freeze(account: address, order_hash: bytes32, amount: uint256, expires: uint256):
    """
    @notice Hold an amount of an account's money by court order, besides what other orders hold.
    @param account Whose.
    @param order_hash The order's; the same one again amends it.
    @param amount Token units.
    @param expires Second at which the freeze ends; 2**64 - 1 for until released.
    """
    assert self._role_of[msg.sender] == COURT, "only the court"
    self._check_subject(account)
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
    assert self._role_of[msg.sender] == COURT, "only the court"
    handover._check_in_office()
    self._write_freeze(account, court_orders._lift(account, order_hash), False)


# ------------------------------------------------------------------ council


@external
def propose_change(change: Change) -> bytes32:
    """
    @notice A member puts a grant or withdrawal of a role, or a listener, before the council.
    @param change What, whom, which role, and when.
    @return The decision's id.
    """
    decisions._check_member()
    assert change.action >= GRANT_ROLE and change.action <= REMOVE_LISTENER, "change: unknown action"
    id: bytes32 = self._change_id(change)
    delay: uint256 = decisions.delay
    if change.action == WITHDRAW_ROLE:
        delay = 0
    decisions._open(id, change.terms, delay)
    self._changes[id] = change
    log ChangeProposed(id=id, action=change.action, subject=change.subject, value=change.value)
    return id


@external
def execute_change(id: bytes32):
    """
    @notice Carry out an approved and ripe change; anyone may.
    @param id The decision.
    """
    change: Change = self._changes[id]
    assert change.action != 0, "change: not proposed here"
    handover._check_in_office()
    decisions._consume(id)
    if change.action == GRANT_ROLE:
        self._grant(change.subject, change.value)
    elif change.action == WITHDRAW_ROLE:
        assert self._role_of[change.subject] != 0, "role: none"
        self._role_of[change.subject] = 0
        log RoleChanged(holder=change.subject, role=0)
    elif change.action == ADD_LISTENER:
        self._remove_listener(change.subject)
        self.listeners.append(IStatusListener(change.subject))
        log ListenerChanged(listener=change.subject, listening=True)
    else:
        # What it remembers it would remember for ever.
        if self._listens(change.subject):
            self._tell(IStatusListener(change.subject), empty(address))
        self._remove_listener(change.subject)
        log ListenerChanged(listener=change.subject, listening=False)


@external
def execute_cap(id: bytes32):
    """
    @notice Carry out an approved and ripe decision on a cap; anyone may.
    @param id The decision.
    """
    handover._check_in_office()
    holding_caps._carry_out(id)
    self._tell_all(empty(address))


@external
def hand_over(successor: address, terms: decisions.Terms):
    """
    @notice Carry out an approved and ripe handover; whoever may transact under the successor too. Nodes read the
            successor from then on, and this contract passes on to it what it is asked.
    @param successor As approved; it knows who is registered, with which role.
    @param terms As approved.
    """
    handover._hand_over(successor, terms)
    # One that knows nobody would admit no transaction ever again.
    word: uint256 = staticcall IParticipantRegistry(successor).status(msg.sender)
    assert self._active(word), "handover: it does not know the caller"


# ------------------------------------------------------------------ inside


@internal
@view
def _active(word: uint256) -> bool:
    if word & (ACTIVE | SUSPENDED) != ACTIVE:
        return False
    expires: uint256 = (word >> EXPIRY_SHIFT) & TIME_MASK
    return expires == 0 or block.timestamp < expires


@internal
@view
def _check_time(expires: uint256):
    assert expires == 0 or (expires > block.timestamp and expires <= TIME_MASK), "registry: expired"


@internal
@view
def _check_subject(account: address):
    """
    @dev No office stops the network's contracts, or takes what they hold: their books and balances would part.
    """
    assert account != empty(address), "registry: no account"
    kind: uint256 = (self._status[account] >> KIND_SHIFT) & BYTE_MASK
    assert kind != CONTRACT, "registry: a contract"


@internal
@pure
def _check_registrable(word: uint256):
    kind: uint256 = (word >> KIND_SHIFT) & BYTE_MASK
    assert kind <= MERCHANT, "registry: an institution"


@internal
def _register(account: address, kind: uint256, tier: uint256, expires: uint256):
    assert account != empty(address), "registry: no account"
    assert kind == RESIDENT or kind == MERCHANT, "registry: not a resident or merchant"
    assert tier > 0 and tier <= holding_caps.TIER_MAX, "registry: out of range"
    assert holding_caps.tier_cap[tier] != 0, "registry: tier without cap"
    self._check_time(expires)
    before: uint256 = self._status[account]
    self._check_registrable(before)
    word: uint256 = before & ~REGISTRATION_MASK
    word |= ACTIVE | (kind << KIND_SHIFT) | (tier << TIER_SHIFT) | (expires << EXPIRY_SHIFT)
    # A renewal may bring a lower tier or an earlier end: whoever remembers the old standing must hear.
    self._write(account, word, before & ACTIVE != 0)


@internal
def _grant(holder: address, role: uint256):
    assert holder != empty(address), "role: no holder"
    assert role >= REGISTRAR and role <= COURT, "role: unknown"
    assert self._role_of[holder] == 0, "role: holder has one"
    self._role_of[holder] = role
    log RoleChanged(holder=holder, role=role)


@internal
def _remove_listener(gone: address):
    kept: DynArray[IStatusListener, LISTENERS_MAX] = []
    for listener: IStatusListener in self.listeners:
        if listener.address != gone:
            kept.append(listener)
    self.listeners = kept


@internal
def _write(account: address, word: uint256, shrinks: bool):
    handover._check_in_office()
    self._status[account] = word
    log StatusChanged(account=account, word=word, by=msg.sender)
    if shrinks:
        self._tell_all(account)


@internal
def _write_freeze(account: address, until: uint256, shrinks: bool):
    """
    @param account Whose word.
    @param until Second at which the last order ends, 0 for none.
    @param shrinks Whether listeners must hear.
    """
    word: uint256 = self._status[account] & (2**FREEZE_SHIFT - 1)
    self._write(account, word | (until << FREEZE_SHIFT), shrinks)


@internal
@view
def _listens(account: address) -> bool:
    for listener: IStatusListener in self.listeners:
        if listener.address == account:
            return True
    return False


@internal
def _tell_all(account: address):
    """
    @param account Whose standing shrank; the zero address for everyone's.
    """
    for listener: IStatusListener in self.listeners:
        self._tell(listener, account)


@internal
def _tell(listener: IStatusListener, account: address):
    """
    @dev A listener that fails must not keep a suspension from happening: it is reported and passed over.
    """
    data: Bytes[36] = abi_encode(account, method_id=method_id("invalidate(address)"))
    if account == empty(address):
        data = method_id("invalidate_all()")
    # Else whoever calls could starve the listener and still succeed himself.
    assert msg.gas >= 2 * LISTENER_GAS, "registry: too little gas"
    success: bool = raw_call(listener.address, data, gas=LISTENER_GAS, revert_on_failure=False)
    if not success:
        log ListenerFailed(listener=listener.address, account=account)


@internal
@view
def _change_id(change: Change) -> bytes32:
    return typed_data._digest(
        keccak256(
            abi_encode(
                CHANGE_TYPE,
                self._action_hash(change.action),
                change.subject,
                change.value,
                decisions._terms_hash(change.terms),
            )
        )
    )


@internal
@pure
def _action_hash(action: uint256) -> bytes32:
    if action == GRANT_ROLE:
        return keccak256("grant role")
    if action == WITHDRAW_ROLE:
        return keccak256("withdraw role")
    if action == ADD_LISTENER:
        return keccak256("add listener")
    return keccak256("remove listener")
