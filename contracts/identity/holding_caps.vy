# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title How much one account may hold: by the tier of residents and merchants, by the capital of licensed institutions
@notice A tier or class that nobody has set lets its members hold nothing; "no cap" is said, with 2**256 - 1. Lowering
        waits for nothing but the council's approval, raising for the delay too.
"""

from ..lib import decisions
from ..lib import typed_data

uses: decisions
uses: typed_data


struct CapChange:
    action: uint256
    number: uint256
    cap: uint256
    terms: decisions.Terms


event CapChangeProposed:
    id: indexed(bytes32)
    action: indexed(uint256)
    number: indexed(uint256)
    cap: uint256


event TierCapChanged:
    tier: indexed(uint256)
    cap: uint256


event ClassCapChanged:
    capital_class: indexed(uint256)
    cap: uint256


SET_TIER_CAP: constant(uint256) = 1
SET_CLASS_CAP: constant(uint256) = 2

NO_CAP: constant(uint256) = max_value(uint256)
# Tiers fit a byte; the two highest numbers are institutions and contracts for who counts payments.
TIER_MAX: constant(uint256) = 253
CLASS_MAX: constant(uint256) = 255

CAP_TYPE: constant(bytes32) = keccak256(
    "CapChange(string action,uint256 number,uint256 cap,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

# Largest balance of a tier's members; 0: nobody has set it, and they hold nothing.
tier_cap: public(HashMap[uint256, uint256])
# Likewise of licence holders of a capital class; class 0 says that capital binds nothing.
class_cap: public(HashMap[uint256, uint256])
_cap_changes: HashMap[bytes32, CapChange]


@deploy
def __init__(tier_caps: DynArray[uint256, 8]):
    """
    @param tier_caps Largest balance of tier 1, 2, ...; 2**256 - 1 for no cap.
    """
    tier: uint256 = 1
    for cap: uint256 in tier_caps:
        self.tier_cap[tier] = cap
        log TierCapChanged(tier=tier, cap=cap)
        tier += 1


@external
@view
def cap_change(id: bytes32) -> CapChange:
    """
    @param id A decision.
    @return Which cap it will set.
    """
    return self._cap_changes[id]


@external
def propose_cap(change: CapChange) -> bytes32:
    """
    @notice A member puts the cap of a tier (action 1) or of a capital class (2) before the council.
    @param change Which, to how much, and when.
    @return The decision's id.
    """
    decisions._check_member()
    assert change.action == SET_TIER_CAP or change.action == SET_CLASS_CAP, "cap: unknown action"
    highest: uint256 = TIER_MAX
    if change.action == SET_CLASS_CAP:
        highest = CLASS_MAX
    assert change.number > 0 and change.number <= highest, "cap: out of range"
    id: bytes32 = self._cap_id(change)
    # The delay depends on the cap of now: a decision that became a raise since is refused when it is carried out.
    delay: uint256 = decisions.delay
    if change.cap <= self._cap(change.action, change.number):
        delay = 0
    decisions._open(id, change.terms, delay)
    self._cap_changes[id] = change
    log CapChangeProposed(id=id, action=change.action, number=change.number, cap=change.cap)
    return id


@external
@view
def cap_id(change: CapChange) -> bytes32:
    """
    @param change As in `propose_cap`.
    @return The EIP-712 digest that council members sign for it.
    """
    return self._cap_id(change)


@internal
def _carry_out(id: bytes32):
    """
    @param id An approved and ripe decision on a cap.
    """
    change: CapChange = self._cap_changes[id]
    assert change.action != 0, "cap: not proposed here"
    decisions._consume(id)
    raises: bool = change.cap > self._cap(change.action, change.number)
    assert not raises or decisions.decision[id].delay >= decisions.delay, "cap: raises after all"
    if change.action == SET_TIER_CAP:
        self._set_tier_cap(change.number, change.cap)
    else:
        self.class_cap[change.number] = change.cap
        log ClassCapChanged(capital_class=change.number, cap=change.cap)


@internal
def _lower_tier_cap(tier: uint256, cap: uint256):
    """
    @param tier A tier.
    @param cap Less than what holds now.
    """
    assert cap < self.tier_cap[tier], "cap: not lower"
    self._set_tier_cap(tier, cap)


@internal
def _set_tier_cap(tier: uint256, cap: uint256):
    self.tier_cap[tier] = cap
    log TierCapChanged(tier=tier, cap=cap)


@internal
@view
def _cap(action: uint256, number: uint256) -> uint256:
    if action == SET_TIER_CAP:
        return self.tier_cap[number]
    return self.class_cap[number]


@internal
@view
def _cap_of(by_tier: bool, tier: uint256, capital_class: uint256) -> uint256:
    """
    @param by_tier Whether the account is a resident's or merchant's.
    @param tier Its tier.
    @param capital_class Of its licences, 0 for none.
    @return The most that it may hold, 2**256 - 1 for no cap.
    """
    cap: uint256 = NO_CAP
    if by_tier:
        cap = self.tier_cap[tier]
    if capital_class != 0:
        cap = min(cap, self.class_cap[capital_class])
    return cap


@internal
@view
def _cap_id(change: CapChange) -> bytes32:
    action: bytes32 = keccak256("set class cap")
    if change.action == SET_TIER_CAP:
        action = keccak256("set tier cap")
    return typed_data._digest(
        keccak256(
            abi_encode(CAP_TYPE, action, change.number, change.cap, decisions._terms_hash(change.terms))
        )
    )
