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
        bits 32-39   capital class of the licences
        bits 64-127  the registration expires at this second, 0 never
        bits 128-191 the licences and the right to deploy expire at this second, 0 never
        bits 192-255 a court order freezes money until this second, 0 none

        Who can stop what:
        * registrar (city authority): registers, renews and ends the registration of residents and merchants, and
          names the successor of a lost account, after `delay`; the council's guardian vetoes;
        * licensor (National Bank): licences, institutions and contracts, the right to deploy, caps of tiers;
        * compliance (financial monitoring agency): suspends and reinstates anyone at once;
        * court: freezes and releases money; a freeze binds money, never the right to send a transaction, so
          nobody loses a deadline in a payment channel to it;
        * the council grants roles after `delay` and withdraws them at once; its guardian vetoes. One account
          has one role, so incompatible roles never meet;
        * another contract takes this one's place by a decision that waits three delays. From then on this one passes on
          what it is asked, and takes nothing.
        Whatever shrinks a right is told to the listeners (tokens that remember standings) in the same
        transaction.
"""

from ..interfaces import ICouncil
from ..interfaces import IParticipantRegistry
from ..interfaces import IStatusListener
from ..lib import decisions
from ..lib import handover
from ..lib import typed_data
from . import successors


struct RoleGrant:
    holder: address
    role: uint256


struct Participant:
    account: address
    word: uint256


struct Freeze:
    order_hash: bytes32
    amount: uint256
    expires: uint256


struct Change:
    action: uint256
    subject: address
    value: uint256
    terms: decisions.Terms


event StatusChanged:
    account: indexed(address)
    word: uint256
    by: indexed(address)


event Frozen:
    account: indexed(address)
    order_hash: indexed(bytes32)
    amount: uint256
    expires: uint256


event Released:
    account: indexed(address)
    order_hash: indexed(bytes32)


event TierCapChanged:
    tier: indexed(uint256)
    cap: uint256


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
    decisions.override_id,
    decisions.term,
    handover.propose_handover,
    handover.successor,
)

_role_of: HashMap[address, uint256]
tier_cap: public(HashMap[uint256, uint256])
freezes: public(HashMap[address, Freeze])
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
    @param tier_caps Largest balance of tier 1, 2, ... in token units, 0 for no cap.
    @param listeners Tokens that remember standings.
    @param participants Accounts known from genesis, with their status words.
    """
    typed_data.__init__("Alatau ParticipantRegistry")
    decisions.__init__(council, delay)
    for grant: RoleGrant in roles:
        self._grant(grant.holder, grant.role)
    tier: uint256 = 1
    for cap: uint256 in tier_caps:
        self.tier_cap[tier] = cap
        tier += 1
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
    """
    if handover.successor != empty(address):
        return staticcall IParticipantRegistry(handover.successor).status(account)
    return self._status[account]


@external
@view
@reentrant
def role_of(account: address) -> uint256:
    """
    @notice The public role of `account`, 0 for none.
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
    """
    if handover.successor != empty(address):
        return staticcall IParticipantRegistry(handover.successor).standing(account)
    word: uint256 = self._status[account]
    active: bool = self._active(word)
    frozen: uint256 = 0
    if block.timestamp < (word >> FREEZE_SHIFT):
        frozen = self.freezes[account].amount
    timeless: bool = ((word >> EXPIRY_SHIFT) & TIME_MASK) == 0 and (word >> FREEZE_SHIFT) == 0
    return IParticipantRegistry.Standing(
        may_send=active,
        may_receive=active,
        cacheable=active and timeless,
        cap=self.tier_cap[(word >> TIER_SHIFT) & BYTE_MASK],
        frozen=frozen,
    )


@external
@view
@reentrant
def licensed(account: address, licence: uint256) -> bool:
    """
    @notice Whether `account` is active and holds `licence` (one bit) unexpired.
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
def freeze_order(account: address) -> bytes32:
    """
    @notice Hash of the court order that freezes `account` now, zero if none does.
    """
    if handover.successor != empty(address):
        return staticcall IParticipantRegistry(handover.successor).freeze_order(account)
    if block.timestamp < (self._status[account] >> FREEZE_SHIFT):
        return self.freezes[account].order_hash
    return empty(bytes32)


@external
@view
def change(id: bytes32) -> Change:
    """
    @return What the decision `id` will do.
    """
    return self._changes[id]


@external
@view
def change_id(change: Change) -> bytes32:
    """
    @return The EIP-712 digest that council members sign for `change`.
    """
    return self._change_id(change)


# ------------------------------------------------------------------ registrar


@external
def register(account: address, kind: uint256, tier: uint256, expires: uint256):
    """
    @notice Register or renew a resident or merchant.
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
    """
    assert self._role_of[msg.sender] == REGISTRAR, "only the registrar"
    for account: address in accounts:
        self._register(account, kind, tier, expires)


@external
def deregister(account: address):
    """
    @notice End a registration at once. A suspension or freeze stays on record.
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
    @notice The guardian refuses a succession while its delay has not passed.
    @param account Whose.
    """
    assert msg.sender == staticcall decisions.body.guardian(), "only the guardian"
    assert block.timestamp < successors.succession[account].ready_at, "succession: nothing to veto"
    successors._refuse(account)


# ------------------------------------------------------------------ licensor


@external
def admit_institution(account: address, kind: uint256):
    """
    @notice Make an institution (3) or a contract (4) a participant.
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
    @param licences Bits: 1 platform, 2 exchange, 4 custody, 8 payment hub.
    @param expires Second at which licences and the right to deploy end, 0 for never.
    """
    assert self._role_of[msg.sender] == LICENSOR, "only the licensor"
    assert licences <= BYTE_MASK and capital_class <= BYTE_MASK, "registry: out of range"
    self._check_time(expires)
    word: uint256 = self._status[account] & ~LICENCE_MASK
    word |= (licences << LICENCE_SHIFT) | (capital_class << CAPITAL_SHIFT)
    word |= expires << LICENCE_EXPIRY_SHIFT
    if may_deploy:
        word |= MAY_DEPLOY
    self._write(account, word, False)


@external
def set_tier_cap(tier: uint256, cap: uint256):
    """
    @notice Largest balance of a tier's members, 0 for none.
    """
    assert self._role_of[msg.sender] == LICENSOR, "only the licensor"
    assert tier > 0 and tier <= BYTE_MASK, "registry: out of range"
    handover._check_in_office()
    self.tier_cap[tier] = cap
    log TierCapChanged(tier=tier, cap=cap)
    for listener: IStatusListener in self.listeners:
        self._tell(listener, empty(address))


# ------------------------------------------------------------------ compliance and court


@external
def suspend(account: address):
    """
    @notice Take the right to transact, at once.
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
    """
    assert self._role_of[msg.sender] == COMPLIANCE, "only compliance"
    self._write(account, self._status[account] & ~SUSPENDED, False)


@external
def freeze(account: address, order_hash: bytes32, amount: uint256, expires: uint256):
    """
    @notice Hold up to `amount` of an account's money by court order; a new order replaces the old.
    @param expires Second at which the freeze ends; 2**64 - 1 for until released.
    """
    assert self._role_of[msg.sender] == COURT, "only the court"
    self._check_subject(account)
    assert order_hash != empty(bytes32), "freeze: no order"
    assert amount > 0, "freeze: no amount"
    assert expires > block.timestamp and expires <= TIME_MASK, "freeze: expired"
    self.freezes[account] = Freeze(order_hash=order_hash, amount=amount, expires=expires)
    word: uint256 = self._status[account] & (2**FREEZE_SHIFT - 1)
    self._write(account, word | (expires << FREEZE_SHIFT), True)
    log Frozen(account=account, order_hash=order_hash, amount=amount, expires=expires)


@external
def release(account: address):
    """
    @notice Lift a freeze.
    """
    assert self._role_of[msg.sender] == COURT, "only the court"
    order_hash: bytes32 = self.freezes[account].order_hash
    assert order_hash != empty(bytes32), "freeze: none"
    self.freezes[account] = empty(Freeze)
    self._write(account, self._status[account] & (2**FREEZE_SHIFT - 1), False)
    log Released(account=account, order_hash=order_hash)


# ------------------------------------------------------------------ council


@external
def propose_change(change: Change) -> bytes32:
    """
    @notice Put a grant or withdrawal of a role, or a listener, before the council.
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
        self._remove_listener(change.subject)
        log ListenerChanged(listener=change.subject, listening=False)


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
    assert tier <= BYTE_MASK, "registry: out of range"
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
