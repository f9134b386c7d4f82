# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title ReserveVault: tokenised and native assets of the reserve, released by typed, delayed, limited decisions
@notice A release is an intent: what, where to, how much, out of which provenance, why, and on what legal basis. One
        role proposes it, m of n members of the reserve council approve it by EIP-712 signature or by transaction,
        a delay by size passes, and then anyone may execute it, once, before it expires.

        Who can stop what:
        * the proposer (investment corporation) alone proposes releases; it can approve none;
        * the council (National Bank board) approves; no approval survives a change of its members;
        * the guardian vetoes any decision before execution, vetoes a return ordered by a court, and pauses
          releases; he can start nothing and move nothing;
        * the council forbids a destination, withdraws a role and lowers a limit at once; it allows, grants and
          raises only after the delay, and lifts a pause only after the delay;
        * the custodian (depository) and the court take assets in; the court locks what is confiscated until the
          verdict, and orders its return on reversal, after the delay, also during a pause;
        * limits bind everyone: a leaky bucket per asset. There is no other way out: no arbitrary call, no sweep.
@dev Books are internal: `balanceOf` is compared, never counted, so a donation belongs to nobody. The zero address
     stands for the native asset. `journal_head` is slot 0, for one proof over all acts.
"""

from ethereum.ercs import IERC20
from ..interfaces import ICouncil
from ..lib import asset_transfer
from ..lib import decisions
from ..lib import journal
from ..lib import leaky_bucket
from ..lib import typed_data

initializes: journal
initializes: typed_data
initializes: decisions[typed_data := typed_data]

exports: (
    journal.journal_head,
    journal.journal_length,
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    decisions.approve_decision,
    decisions.veto_decision,
    decisions.propose_body,
    decisions.replace_body,
    decisions.body,
    decisions.decision,
    decisions.delay,
)


struct RoleGrant:
    holder: address
    role: uint256


struct AssetTerms:
    asset: address
    capacity: uint256
    leak_per_second: uint256
    large_amount: uint256


struct Intent:
    asset: address
    to: address
    amount: uint256
    provenance: uint256
    purpose: String[128]
    legal_basis_hash: bytes32
    case_id: bytes32
    terms: decisions.Terms


struct Change:
    action: uint256
    subject: address
    value: uint256
    capacity: uint256
    leak_per_second: uint256
    terms: decisions.Terms


struct Case:
    state: uint256
    owner: address
    order_hash: bytes32
    ready_at: uint256


event Deposited:
    asset: indexed(address)
    depositor: indexed(address)
    case_id: indexed(bytes32)
    provenance: uint256
    amount: uint256


event ReleaseProposed:
    id: indexed(bytes32)
    asset: indexed(address)
    to: indexed(address)
    amount: uint256
    provenance: uint256
    purpose: String[128]
    legal_basis_hash: bytes32
    case_id: bytes32
    delay: uint256


event Released:
    id: indexed(bytes32)
    asset: indexed(address)
    to: indexed(address)
    amount: uint256


event CaseDecided:
    case_id: indexed(bytes32)
    state: uint256
    owner: address
    order_hash: bytes32
    ready_at: uint256


event Returned:
    case_id: indexed(bytes32)
    asset: indexed(address)
    owner: indexed(address)
    amount: uint256


event ChangeProposed:
    id: indexed(bytes32)
    action: indexed(uint256)
    subject: indexed(address)
    value: uint256
    capacity: uint256
    leak_per_second: uint256


event Changed:
    action: indexed(uint256)
    subject: indexed(address)
    value: uint256
    capacity: uint256
    leak_per_second: uint256


event Paused:
    by: indexed(address)


NATIVE: constant(address) = empty(address)

PROPOSER: constant(uint256) = 1
CUSTODIAN: constant(uint256) = 2
COURT: constant(uint256) = 3
AUDITOR: constant(uint256) = 4

CONFISCATED: constant(uint256) = 1
MINED: constant(uint256) = 2
FX_ALLOCATION: constant(uint256) = 3
NATIONAL_FUND: constant(uint256) = 4

CASE_LOCKED: constant(uint256) = 1
CASE_FORFEITED: constant(uint256) = 2
CASE_RETURNABLE: constant(uint256) = 3

ALLOW_DESTINATION: constant(uint256) = 1
FORBID_DESTINATION: constant(uint256) = 2
SET_LIMITS: constant(uint256) = 3
GRANT_ROLE: constant(uint256) = 4
WITHDRAW_ROLE: constant(uint256) = 5
LIFT_PAUSE: constant(uint256) = 6

INTENT_TYPE: constant(bytes32) = keccak256(
    "Release(address asset,address to,uint256 amount,uint256 provenance,string purpose,bytes32 legalBasisHash,bytes32 caseId,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)
CHANGE_TYPE: constant(bytes32) = keccak256(
    "VaultChange(string action,address subject,uint256 value,uint256 capacity,uint256 leakPerSecond,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

large_delay: public(immutable(uint256))

role_of: public(HashMap[address, uint256])
destination_allowed: public(HashMap[address, bool])
# asset -> its limit on releases; a capacity of zero means that nothing leaves
_limits: HashMap[address, leaky_bucket.Bucket]
# asset -> a release above this amount waits for `large_delay`
large_amount: public(HashMap[address, uint256])
# asset -> all that the books hold of it
held: public(HashMap[address, uint256])
# asset -> provenance -> amount; they sum to `held`
ledger: public(HashMap[address, HashMap[uint256, uint256]])
# case -> asset -> amount; within the ledger of what is confiscated
case_amount: public(HashMap[bytes32, HashMap[address, uint256]])
cases: public(HashMap[bytes32, Case])
paused: public(bool)
_intents: HashMap[bytes32, Intent]
_changes: HashMap[bytes32, Change]


@deploy
def __init__(
    council: ICouncil,
    delay: uint256,
    large_delay_: uint256,
    roles: DynArray[RoleGrant, 16],
    destinations: DynArray[address, 32],
    assets: DynArray[AssetTerms, 16],
):
    """
    @param council The body that approves releases and changes.
    @param delay Seconds between approval and what is small, or raises a risk.
    @param large_delay_ Seconds for a large release, at least `delay`.
    @param roles First holders: 1 proposer, 2 custodian, 3 court, 4 auditor.
    @param destinations Where releases may go.
    @param assets Assets with their limits.
    """
    assert large_delay_ >= delay, "vault: the large delay is shorter"
    typed_data.__init__("Alatau ReserveVault")
    decisions.__init__(council, delay)
    large_delay = large_delay_
    for grant: RoleGrant in roles:
        self._grant(grant.holder, grant.role)
    for destination: address in destinations:
        self.destination_allowed[destination] = True
    for terms: AssetTerms in assets:
        self._set_limits(terms.asset, terms.capacity, terms.leak_per_second, terms.large_amount)


# ------------------------------------------------------------------ reading


@external
@view
def intent(id: bytes32) -> Intent:
    """
    @return What the release `id` will do.
    """
    return self._intents[id]


@external
@view
def intent_id(intent: Intent) -> bytes32:
    """
    @return The EIP-712 digest that council members sign for `intent`.
    """
    return self._intent_id(intent)


@external
@view
def change(id: bytes32) -> Change:
    """
    @return What the decision `id` will change.
    """
    return self._changes[id]


@external
@view
def change_id(change: Change) -> bytes32:
    """
    @return The EIP-712 digest that council members sign for `change`.
    """
    return self._change_id(change)


@external
@view
def limits(asset: address) -> (uint256, uint256, uint256):
    """
    @return Capacity, leak per second, and what could be released now.
    """
    bucket: leaky_bucket.Bucket = self._limits[asset]
    level: uint256 = leaky_bucket._level(bucket)
    available: uint256 = 0
    if bucket.capacity > level:
        available = bucket.capacity - level
    return (bucket.capacity, bucket.leak_per_second, available)


# ------------------------------------------------------------------ taking in


@external
def deposit(asset: IERC20, amount: uint256, provenance: uint256, case_id: bytes32):
    """
    @notice Take tokens in from the caller, who has allowed it.
    @param provenance 1 confiscated (by the court, with its case), 2 mined, 3 foreign exchange, 4 national fund.
    """
    assert asset.address != NATIVE, "vault: native assets come with the call"
    self._book(asset.address, amount, provenance, case_id)
    asset_transfer._pull(asset, msg.sender, amount)


@external
@payable
def deposit_native(provenance: uint256, case_id: bytes32):
    """
    @notice Take the native asset in.
    """
    self._book(NATIVE, msg.value, provenance, case_id)


# ------------------------------------------------------------------ releasing


@external
def propose_release(intent: Intent) -> bytes32:
    """
    @notice Put a release before the council. It is checked again when it is executed.
    """
    assert self.role_of[msg.sender] == PROPOSER, "only the proposer"
    assert not self.paused, "vault: paused"
    assert len(intent.purpose) > 0, "vault: no purpose"
    assert intent.legal_basis_hash != empty(bytes32), "vault: no legal basis"
    self._check_release(intent)
    delay: uint256 = decisions.delay
    if intent.amount > self.large_amount[intent.asset]:
        delay = large_delay
    id: bytes32 = self._intent_id(intent)
    decisions._open(id, intent.terms, delay)
    self._intents[id] = intent
    journal._extend("propose release", id)
    log ReleaseProposed(
        id=id,
        asset=intent.asset,
        to=intent.to,
        amount=intent.amount,
        provenance=intent.provenance,
        purpose=intent.purpose,
        legal_basis_hash=intent.legal_basis_hash,
        case_id=intent.case_id,
        delay=delay,
    )
    return id


@external
def execute_release(id: bytes32):
    """
    @notice Carry out an approved and ripe release; anyone may.
    """
    assert not self.paused, "vault: paused"
    intent: Intent = self._intents[id]
    assert intent.amount > 0, "vault: not a release"
    decisions._consume(id)
    self._check_release(intent)
    # The threshold may have been lowered since: a release that is large now has waited as large ones do.
    large: bool = intent.amount > self.large_amount[intent.asset]
    assert not large or decisions.decision[id].delay >= large_delay, "vault: large by now"
    self._limits[intent.asset] = leaky_bucket._spend(self._limits[intent.asset], intent.amount)
    if intent.provenance == CONFISCATED:
        self.case_amount[intent.case_id][intent.asset] -= intent.amount
    self._unbook(intent.asset, intent.amount, intent.provenance)
    journal._extend("release", id)
    log Released(id=id, asset=intent.asset, to=intent.to, amount=intent.amount)
    self._pay(intent.asset, intent.to, intent.amount)


# ------------------------------------------------------------------ confiscated assets


@external
def forfeit(case_id: bytes32, order_hash: bytes32):
    """
    @notice The verdict is final: what the case holds may be released like other assets.
    """
    self._decide_case(case_id, CASE_FORFEITED, empty(address), order_hash)


@external
def order_return(case_id: bytes32, owner: address, order_hash: bytes32):
    """
    @notice The confiscation is reversed: what the case holds goes back, after the delay.
    """
    assert owner != empty(address), "case: no owner"
    self._decide_case(case_id, CASE_RETURNABLE, owner, order_hash)


@external
def veto_return(case_id: bytes32):
    """
    @notice The guardian takes an order of return back to the court.
    """
    assert msg.sender == staticcall decisions.body.guardian(), "only the guardian"
    assert self.cases[case_id].state == CASE_RETURNABLE, "case: no return ordered"
    self.cases[case_id] = Case(
        state=CASE_LOCKED, owner=empty(address), order_hash=empty(bytes32), ready_at=0
    )
    journal._extend("veto return", case_id)


@external
def execute_return(case_id: bytes32, asset: address):
    """
    @notice Give what a case holds of an asset back to its owner; anyone may. Outside of limits and pauses: it
            was never the reserve's.
    """
    decided: Case = self.cases[case_id]
    assert decided.state == CASE_RETURNABLE, "case: no return ordered"
    assert block.timestamp >= decided.ready_at, "case: not ripe"
    amount: uint256 = self.case_amount[case_id][asset]
    assert amount > 0, "case: holds none of it"
    self.case_amount[case_id][asset] = 0
    self._unbook(asset, amount, CONFISCATED)
    journal._extend("return", keccak256(abi_encode(case_id, asset, decided.owner, amount)))
    log Returned(case_id=case_id, asset=asset, owner=decided.owner, amount=amount)
    self._pay(asset, decided.owner, amount)


# ------------------------------------------------------------------ council and guardian


@external
def pause():
    """
    @notice The guardian stops proposals and releases at once; deposits and returns go on.
    """
    assert msg.sender == staticcall decisions.body.guardian(), "only the guardian"
    self.paused = True
    journal._extend("pause", empty(bytes32))
    log Paused(by=msg.sender)


@external
def propose_change(change: Change) -> bytes32:
    """
    @notice Put a destination, a limit, a role or the end of a pause before the council.
    """
    assert change.action >= ALLOW_DESTINATION and change.action <= LIFT_PAUSE, "change: unknown action"
    delay: uint256 = decisions.delay
    if self._lowers_risk(change):
        delay = 0
    id: bytes32 = self._change_id(change)
    decisions._open(id, change.terms, delay)
    self._changes[id] = change
    log ChangeProposed(
        id=id,
        action=change.action,
        subject=change.subject,
        value=change.value,
        capacity=change.capacity,
        leak_per_second=change.leak_per_second,
    )
    return id


@external
def execute_change(id: bytes32):
    """
    @notice Carry out an approved and ripe change; anyone may.
    """
    change: Change = self._changes[id]
    assert change.action != 0, "change: not proposed here"
    decisions._consume(id)
    waited: bool = decisions.decision[id].delay >= decisions.delay
    assert waited or self._lowers_risk(change), "change: raises after all"
    if change.action == ALLOW_DESTINATION:
        assert change.subject != empty(address), "vault: no destination"
        self.destination_allowed[change.subject] = True
    elif change.action == FORBID_DESTINATION:
        self.destination_allowed[change.subject] = False
    elif change.action == SET_LIMITS:
        self._set_limits(change.subject, change.capacity, change.leak_per_second, change.value)
    elif change.action == GRANT_ROLE:
        self._grant(change.subject, change.value)
    elif change.action == WITHDRAW_ROLE:
        assert self.role_of[change.subject] != 0, "role: none"
        self.role_of[change.subject] = 0
    else:
        self.paused = False
    journal._extend("change", id)
    log Changed(
        action=change.action,
        subject=change.subject,
        value=change.value,
        capacity=change.capacity,
        leak_per_second=change.leak_per_second,
    )


# ------------------------------------------------------------------ inside


@internal
def _book(asset: address, amount: uint256, provenance: uint256, case_id: bytes32):
    role: uint256 = self.role_of[msg.sender]
    assert amount > 0, "vault: no amount"
    if provenance == CONFISCATED:
        assert role == COURT, "only the court"
        assert case_id != empty(bytes32), "case: none named"
        state: uint256 = self.cases[case_id].state
        assert state == 0 or state == CASE_LOCKED, "case: decided"
        self.cases[case_id].state = CASE_LOCKED
        self.case_amount[case_id][asset] += amount
    else:
        assert role == CUSTODIAN, "only the custodian"
        assert provenance >= MINED and provenance <= NATIONAL_FUND, "vault: unknown provenance"
        assert case_id == empty(bytes32), "case: only for what is confiscated"
    self.held[asset] += amount
    self.ledger[asset][provenance] += amount
    journal._extend(
        "deposit", keccak256(abi_encode(asset, msg.sender, provenance, case_id, amount))
    )
    log Deposited(
        asset=asset, depositor=msg.sender, case_id=case_id, provenance=provenance, amount=amount
    )


@internal
def _unbook(asset: address, amount: uint256, provenance: uint256):
    self.held[asset] -= amount
    self.ledger[asset][provenance] -= amount


@internal
def _pay(asset: address, receiver: address, amount: uint256):
    if asset == NATIVE:
        raw_call(receiver, b"", value=amount)
    else:
        asset_transfer._push(IERC20(asset), receiver, amount)


@internal
@view
def _check_release(intent: Intent):
    assert intent.amount > 0, "vault: no amount"
    assert self.destination_allowed[intent.to], "vault: destination not allowed"
    assert intent.amount <= self._limits[intent.asset].capacity, "limit: above capacity"
    assert intent.amount <= self.ledger[intent.asset][intent.provenance], "vault: provenance holds less"
    if intent.provenance == CONFISCATED:
        assert self.cases[intent.case_id].state == CASE_FORFEITED, "case: no final verdict"
        assert intent.amount <= self.case_amount[intent.case_id][intent.asset], "case: holds less"
    else:
        assert intent.case_id == empty(bytes32), "case: only for what is confiscated"


@internal
def _decide_case(case_id: bytes32, state: uint256, owner: address, order_hash: bytes32):
    assert self.role_of[msg.sender] == COURT, "only the court"
    assert self.cases[case_id].state == CASE_LOCKED, "case: not locked"
    assert order_hash != empty(bytes32), "case: no order"
    ready_at: uint256 = block.timestamp + decisions.delay
    self.cases[case_id] = Case(state=state, owner=owner, order_hash=order_hash, ready_at=ready_at)
    journal._extend("decide case", keccak256(abi_encode(case_id, state, owner, order_hash)))
    log CaseDecided(
        case_id=case_id, state=state, owner=owner, order_hash=order_hash, ready_at=ready_at
    )


@internal
def _grant(holder: address, role: uint256):
    """
    @dev One account, one role: who proposes never keeps, who audits never acts.
    """
    assert holder != empty(address), "role: no holder"
    assert role >= PROPOSER and role <= AUDITOR, "role: unknown"
    assert self.role_of[holder] == 0, "role: holder has one"
    self.role_of[holder] = role


@internal
def _set_limits(asset: address, capacity: uint256, leak_per_second: uint256, large_amount: uint256):
    self._limits[asset] = leaky_bucket._resize(self._limits[asset], capacity, leak_per_second)
    self.large_amount[asset] = large_amount


@internal
@view
def _lowers_risk(change: Change) -> bool:
    if change.action == SET_LIMITS:
        bucket: leaky_bucket.Bucket = self._limits[change.subject]
        return (
            change.capacity <= bucket.capacity
            and change.leak_per_second <= bucket.leak_per_second
            and change.value <= self.large_amount[change.subject]
        )
    return change.action == FORBID_DESTINATION or change.action == WITHDRAW_ROLE


@internal
@view
def _intent_id(intent: Intent) -> bytes32:
    return typed_data._digest(
        keccak256(
            abi_encode(
                INTENT_TYPE,
                intent.asset,
                intent.to,
                intent.amount,
                intent.provenance,
                keccak256(intent.purpose),
                intent.legal_basis_hash,
                intent.case_id,
                decisions._terms_hash(intent.terms),
            )
        )
    )


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
                change.capacity,
                change.leak_per_second,
                decisions._terms_hash(change.terms),
            )
        )
    )


@internal
@pure
def _action_hash(action: uint256) -> bytes32:
    if action == ALLOW_DESTINATION:
        return keccak256("allow destination")
    if action == FORBID_DESTINATION:
        return keccak256("forbid destination")
    if action == SET_LIMITS:
        return keccak256("set limits")
    if action == GRANT_ROLE:
        return keccak256("grant role")
    if action == WITHDRAW_ROLE:
        return keccak256("withdraw role")
    return keccak256("lift pause")
