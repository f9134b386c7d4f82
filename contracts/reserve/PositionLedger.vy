# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title PositionLedger: what the reserve holds outside the chain, as attested, and what that backs
@notice A position (coins in cold storage, fund units, gold, shares, bonds) is at one custodian and stands behind one
        asset of the vault. k attesters sign what is there; at least one is its custodian and one an independent auditor. The
        median counts, if all are near enough to it. A report is good for the time that its class gives it, and
        then has to be made anew, also if nothing has changed.

        Who can stop what:
        * the custodian and the auditors of the vault attest; none of them alone changes a figure;
        * an auditor disputes a position: it counts nothing, and its asset's limit shrinks, until he signs a report of it or
          is no auditor any more. He records what assurance a custodian has;
        * the council (fund council) opens and closes positions, sets classes, limits of custodians and how many
          attesters it takes: what lowers the backing at once, everything else after the delay; its guardian vetoes;
        * nobody stops redemption: what is stale counts nothing for minting and shrinks the vault's limits, never to
          nothing.
@dev `positions` says what counts how much, `attestations` how reports come in. `journal_head` is slot 0. A price is what 10**18 units of quantity are worth in the smallest unit of the asset
     behind which the position stands, so that bounded factors never overflow and no figure has a unit of its own.
"""

from ..interfaces import ICouncil
from ..interfaces import ILimitTiers
from ..interfaces import IReserveBacking
from ..lib import decisions
from ..lib import journal
from ..lib import typed_data
from . import attestations
from . import positions

implements: ILimitTiers
implements: IReserveBacking

initializes: journal
initializes: typed_data
initializes: decisions[typed_data := typed_data]
initializes: positions
initializes: attestations[journal := journal, typed_data := typed_data, positions := positions]

exports: (
    journal.journal_head,
    journal.journal_length,
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    decisions.body,
    decisions.decision,
    decisions.delay,
    positions.assurance,
    positions.backing,
    positions.class_terms,
    positions.custodian_limit,
    positions.limit_bps,
    positions.position,
    positions.position_id,
    positions.positions_behind,
    attestations.assure,
    attestations.attestation_id,
    attestations.dispute,
    attestations.report,
    attestations.threshold,
    attestations.vault,
)


flag Action:
    OPEN_POSITION
    CLOSE_POSITION
    SET_CLASS
    SET_CUSTODIAN_LIMIT
    SET_THRESHOLD


struct Change:
    action: Action
    place: positions.Place
    value: uint256
    class_terms: positions.ClassTerms
    terms: decisions.Terms


event ChangeProposed:
    id: indexed(bytes32)
    action: indexed(Action)
    place: positions.Place
    value: uint256
    class_terms: positions.ClassTerms


event Changed:
    id: indexed(bytes32)
    action: indexed(Action)
    place: positions.Place
    value: uint256
    class_terms: positions.ClassTerms


CHANGE_TYPE: constant(bytes32) = keccak256(
    "LedgerChange(string action,uint256 assetClass,address asset,address custodian,bytes32 accountHash,uint256 value,uint256 quantityAge,uint256 priceAge,uint256 deviationBps,uint256 haircutBps,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

_changes: HashMap[bytes32, Change]


@deploy
def __init__(
    vault_: attestations.IVaultRoles,
    council: ICouncil,
    delay: uint256,
    threshold: uint256,
    classes: DynArray[positions.ClassGrant, 5],
    places: DynArray[positions.Place, 16],
    limits: DynArray[positions.CustodianLimit, 16],
):
    """
    @param vault_ The vault whose custodians and auditors attest.
    @param council The body that decides on positions and terms.
    @param delay Seconds between its approval and what raises the backing.
    @param threshold How many attesters a report takes; at least two, as a custodian and an auditor sign each.
    @param classes Terms by class: 1 coins, 2 fund units, 4 gold, 8 shares, 16 bonds.
    @param places First positions.
    @param limits What counts at most at a custodian of what stands behind an asset.
    """
    typed_data.__init__("Alatau PositionLedger")
    decisions.__init__(council, delay)
    attestations.__init__(vault_, threshold)
    for grant: positions.ClassGrant in classes:
        positions._set_class(grant.kind, grant.terms)
    for place: positions.Place in places:
        positions._open_position(place)
    for limit: positions.CustodianLimit in limits:
        positions.custodian_limit[limit.custodian][limit.asset] = min(limit.limit, positions.LIMIT_MAX)


@external
@view
def change(id: bytes32) -> Change:
    """
    @param id The decision.
    @return What the decision `id` will do.
    """
    return self._changes[id]


@external
@view
def change_id(change: Change) -> bytes32:
    """
    @param change A change.
    @return The EIP-712 digest that council members sign for `change`.
    """
    return self._change_id(change)


@external
def approve_decision(id: bytes32, approvals: DynArray[ICouncil.Approval, 16]):
    """
    @notice Bring the approvals of a proposed decision; anyone may carry them. Starts the delay.
    @param id The decision.
    @param approvals Sorted by signer; an empty signature stands for an approval given by transaction.
    """
    decisions._approve(id, approvals)
    journal._extend(keccak256("approve"), id)


@external
def veto_decision(id: bytes32):
    """
    @notice The guardian ends a decision that has not been executed.
    @param id The decision.
    """
    decisions._veto(id)
    journal._extend(keccak256("veto"), id)


@external
def propose_body(body: ICouncil, terms: decisions.Terms) -> bytes32:
    """
    @notice Propose that another council succeed this one; always delayed.
    @param body The successor.
    @param terms When, and under which policy.
    @return The decision's id.
    """
    self._check_known()
    id: bytes32 = decisions._propose_body(body, terms)
    journal._extend(keccak256("propose body"), id)
    return id


@external
def replace_body(body: ICouncil, terms: decisions.Terms):
    """
    @notice Carry out an approved succession; anyone may.
    @param body The successor, as approved.
    @param terms As approved.
    """
    id: bytes32 = decisions._body_id(body, terms)
    decisions._replace_body(body, terms)
    journal._extend(keccak256("replace body"), id)


@external
def propose_change(change: Change) -> bytes32:
    """
    @notice Put a position, a class, a custodian's limit or the threshold before the council; its members, its guardian
            and who holds a role in the vault may.
    @param change What is to be changed.
    @return The decision's id.
    """
    self._check_known()
    delay: uint256 = decisions.delay
    if self._lowers_risk(change):
        delay = 0
    id: bytes32 = self._change_id(change)
    decisions._open(id, change.terms, delay)
    self._changes[id] = change
    journal._extend(keccak256("propose change"), id)
    log ChangeProposed(
        id=id,
        action=change.action,
        place=change.place,
        value=change.value,
        class_terms=change.class_terms,
    )
    return id


@external
def execute_change(id: bytes32):
    """
    @notice Carry out an approved and ripe change; anyone may.
    @param id The decision.
    """
    change: Change = self._changes[id]
    assert change.action != empty(Action), "change: not proposed here"
    decisions._consume(id)
    waited: bool = decisions.decision[id].delay >= decisions.delay
    assert waited or self._lowers_risk(change), "change: raises after all"
    if change.action == Action.OPEN_POSITION:
        positions._open_position(change.place)
    elif change.action == Action.CLOSE_POSITION:
        positions._close_position(change.place)
    elif change.action == Action.SET_CLASS:
        positions._set_class(change.place.kind, change.class_terms)
    elif change.action == Action.SET_CUSTODIAN_LIMIT:
        positions.custodian_limit[change.place.custodian][change.place.asset] = min(
            change.value, positions.LIMIT_MAX
        )
    else:
        attestations._set_threshold(change.value)
    journal._extend(keccak256("change"), id)
    log Changed(
        id=id,
        action=change.action,
        place=change.place,
        value=change.value,
        class_terms=change.class_terms,
    )


@internal
@view
def _check_known():
    """
    @dev What is proposed is kept for ever, so only people with a part in it propose.
    """
    body: ICouncil = decisions.body
    known: bool = staticcall attestations.vault.role_of(msg.sender) != 0
    known = known or staticcall body.is_member(msg.sender)
    assert known or msg.sender == staticcall body.guardian(), "ledger: no part in it"


@internal
@view
def _lowers_risk(change: Change) -> bool:
    """
    @dev A closed position counts nothing any more, but its staleness shrinks no limit either: not lower.
    """
    if change.action == Action.SET_CLASS:
        now: positions.ClassTerms = positions.class_terms[change.place.kind]
        return (
            change.class_terms.quantity_age <= now.quantity_age
            and change.class_terms.price_age <= now.price_age
            and change.class_terms.deviation_bps <= now.deviation_bps
            and change.class_terms.haircut_bps >= now.haircut_bps
        )
    if change.action == Action.SET_CUSTODIAN_LIMIT:
        return change.value <= positions.custodian_limit[change.place.custodian][change.place.asset]
    return change.action == Action.SET_THRESHOLD and change.value >= attestations.threshold


@internal
@view
def _change_id(change: Change) -> bytes32:
    return typed_data._digest(
        keccak256(
            abi_encode(
                CHANGE_TYPE,
                self._action_hash(change.action),
                change.place.kind,
                change.place.asset,
                change.place.custodian,
                change.place.account_hash,
                change.value,
                change.class_terms.quantity_age,
                change.class_terms.price_age,
                change.class_terms.deviation_bps,
                change.class_terms.haircut_bps,
                decisions._terms_hash(change.terms),
            )
        )
    )


@internal
@view
def _action_hash(action: Action) -> bytes32:
    if action == Action.OPEN_POSITION:
        return keccak256("open position")
    if action == Action.CLOSE_POSITION:
        return keccak256("close position")
    if action == Action.SET_CLASS:
        return keccak256("set class")
    if action == Action.SET_CUSTODIAN_LIMIT:
        return keccak256("set custodian limit")
    assert action == Action.SET_THRESHOLD, "change: unknown action"
    return keccak256("set threshold")
