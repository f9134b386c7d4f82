# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title ParticipantRegistry: who may transact, deploy, and hold money, and what a court has frozen
@notice The node refuses a transaction whose sender is not active, and a deployment by an unlicensed one. It
        reads one slot: `status(sender)` is at keccak256(uint256(0) ++ uint256(sender)). docs/contracts.md and
        status_words.vy say what its bits are.

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
@dev What belongs to one concept is in a module beside this file: status_words, registrations (what offices write into
     them), offices (roles), status_listeners, holding_caps, court_orders, successors.
"""

from ..interfaces import ICouncil
from ..interfaces import IParticipantRegistry
from ..interfaces import IStatusListener
from ..lib import decisions
from ..lib import handover
from ..lib import typed_data
from . import court_orders
from . import holding_caps
from . import offices
from . import registrations
from . import status_listeners
from . import status_words
from . import successors

implements: IParticipantRegistry

# Slot 0, which the node reads for every sender: keep it first. No lock: this contract calls only listeners,
# which read standings while they are told of a change.
initializes: status_words

# Slot 1, which the node reads too.
initializes: handover[decisions := decisions, typed_data := typed_data]
initializes: typed_data
initializes: decisions[typed_data := typed_data]
initializes: successors
initializes: court_orders
initializes: holding_caps[decisions := decisions, typed_data := typed_data]
initializes: status_listeners
initializes: offices[
    decisions := decisions, handover := handover, status_listeners := status_listeners, typed_data := typed_data
]
initializes: registrations[
    court_orders := court_orders,
    decisions := decisions,
    handover := handover,
    holding_caps := holding_caps,
    status_listeners := status_listeners,
    offices := offices,
    status_words := status_words,
    successors := successors,
]

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
    status_listeners.listeners,
    offices.change,
    offices.change_id,
    offices.execute_change,
    offices.propose_change,
    registrations.admit_institution,
    registrations.deregister,
    registrations.freeze,
    registrations.license,
    registrations.lower_tier_cap,
    registrations.name_successor,
    registrations.register,
    registrations.register_many,
    registrations.reinstate,
    registrations.release,
    registrations.suspend,
    registrations.veto_successor,
    registrations.withdraw_successor,
)


struct Participant:
    account: address
    word: uint256


# `payment_class` of an institution; a contract's is the next one.
INSTITUTION_CLASS: constant(uint256) = 254


@deploy
def __init__(
    council: ICouncil,
    delay: uint256,
    roles: DynArray[offices.RoleGrant, 16],
    tier_caps: DynArray[uint256, 8],
    listeners: DynArray[IStatusListener, status_listeners.LISTENERS_MAX],
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
    offices.__init__(roles)
    holding_caps.__init__(tier_caps)
    status_listeners.listeners = listeners
    for participant: Participant in participants:
        status_words._set(participant.account, participant.word)


# ------------------------------------------------------------------ reading


@external
@view
@reentrant
def status(account: address) -> uint256:
    """
    @notice The packed word of `account`; `status_words` says what its bits are.
    @param account Anybody.
    @return The word, 0 for who was never known.
    """
    if handover.successor != empty(address):
        return staticcall IParticipantRegistry(handover.successor).status(account)
    return status_words._status[account]


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
    return offices._role_of[account]


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
    word: uint256 = status_words._status[account]
    active: bool = status_words._active(word)
    kind: uint256 = status_words._kind(word)
    tier: uint256 = status_words._tier(word)
    frozen_until: uint256 = word >> status_words.FREEZE_SHIFT
    expires: uint256 = (word >> status_words.EXPIRY_SHIFT) & status_words.TIME_MASK
    frozen: uint256 = 0
    if block.timestamp < frozen_until:
        frozen = court_orders._frozen(account)
    timeless: bool = expires == 0 and frozen_until == 0
    by_tier: bool = kind != status_words.INSTITUTION and kind != status_words.CONTRACT
    payment_class: uint256 = tier
    if not by_tier:
        payment_class = INSTITUTION_CLASS + kind - status_words.INSTITUTION
    return IParticipantRegistry.Standing(
        may_send=active,
        may_receive=active,
        cacheable=active and timeless and status_listeners._listens(msg.sender),
        cap=holding_caps._cap_of(by_tier, tier, status_words._capital_class(word)),
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
    return status_words._licensed(status_words._status[account], licence)


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


# ------------------------------------------------------------------ council


@external
def execute_cap(id: bytes32):
    """
    @notice Carry out an approved and ripe decision on a cap; anyone may.
    @param id The decision.
    """
    handover._check_in_office()
    holding_caps._carry_out(id)
    status_listeners._tell_all(empty(address))


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
    assert status_words._active(word), "handover: it does not know the caller"
