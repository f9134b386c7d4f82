# pragma version ~=0.4.3
# pragma nonreentrancy on
# pragma optimize codesize
"""
@title ReserveVault: tokenised and native assets of the reserve, released by typed, delayed, limited decisions
@notice A release is an intent: what, where to, how much, out of which provenance, why, and on what legal basis. One
        role proposes it, m of n members of the reserve council approve it by EIP-712 signature or by transaction,
        a delay by size passes, and then anyone may execute it, once, before it expires.

        Who can stop what:
        * the proposer (investment corporation) alone proposes releases; he approves none, and what he proposed ends
          with his role;
        * the council (National Bank board) approves; no approval survives a change of its members;
        * the oversight (fund council) endorses whatever raises risk before the council approves it: destinations,
          roles, higher limits, the end of a pause, another council. Nobody counts in both. It enforces alone what
          lowers risk;
        * the guardian vetoes any decision before execution and a verdict once, and pauses releases for a week; he can
          start nothing and move nothing, and his pause lapses;
        * the council forbids a destination, withdraws a role and lowers a limit at once; it prolongs a pause;
        * the custodian (depository) and the court take assets in; court and prosecutor together decide what becomes of
          what is confiscated, also during a pause;
        * limits bind everyone: a leaky bucket per asset, smaller while what is attested of the asset is stale, and
          small releases to one destination that together are large wait as large ones do. There is no other way out:
          no arbitrary call, no sweep;
        * the auditor signs the journal off; he attests and disputes positions in the PositionLedger.
@dev One file a concept: `vault_roles` (duties apart), `vault_releases`, `vault_changes`, `vault_cases` (verdicts),
     `vault_books` (books and limits), `vault_gates` (pause, destinations, freshness). `journal_head` is slot 0, for one
     proof over all acts: decisions enter it by their id, other acts by the hash of their event.
"""

from ethereum.ercs import IERC20
from ..interfaces import ICouncil
from ..interfaces import ILimitTiers
from ..lib import asset_transfer
from ..lib import decisions
from ..lib import journal
from ..lib import typed_data
from . import vault_books
from . import vault_cases
from . import vault_changes
from . import vault_gates
from . import vault_releases
from . import vault_roles

initializes: journal
initializes: typed_data
initializes: decisions[typed_data := typed_data]
initializes: vault_roles[decisions := decisions]
initializes: vault_cases[decisions := decisions, journal := journal, vault_roles := vault_roles]
initializes: vault_books
initializes: vault_gates[decisions := decisions, journal := journal, vault_roles := vault_roles]
initializes: vault_releases[
    decisions := decisions,
    journal := journal,
    typed_data := typed_data,
    vault_books := vault_books,
    vault_cases := vault_cases,
    vault_gates := vault_gates,
    vault_roles := vault_roles,
]
initializes: vault_changes[
    decisions := decisions,
    journal := journal,
    typed_data := typed_data,
    vault_books := vault_books,
    vault_gates := vault_gates,
    vault_roles := vault_roles,
]

exports: (
    journal.journal_head,
    journal.journal_length,
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    decisions.body,
    decisions.decision,
    decisions.delay,
    vault_roles.endorsement_needed,
    vault_roles.oversight,
    vault_roles.role_of,
    vault_cases.cases,
    vault_cases.confirm_case,
    vault_cases.forfeit,
    vault_cases.large_delay,
    vault_cases.order_return,
    vault_cases.veto_return,
    vault_books.case_amount,
    vault_books.held,
    vault_books.large_amount,
    vault_books.ledger,
    vault_gates.destination_allowed,
    vault_gates.pause,
    vault_gates.paused,
    vault_gates.paused_until,
    vault_gates.positions,
    vault_releases.execute_release,
    vault_releases.intent,
    vault_releases.intent_id,
    vault_releases.propose_release,
    vault_changes.change,
    vault_changes.change_id,
    vault_changes.execute_change,
    vault_changes.propose_body,
    vault_changes.propose_change,
    vault_changes.replace_body,
)


event Deposited:
    asset: indexed(address)
    depositor: indexed(address)
    case_id: indexed(bytes32)
    provenance: vault_books.Provenance
    amount: uint256


event Returned:
    case_id: indexed(bytes32)
    asset: indexed(address)
    owner: indexed(address)
    amount: uint256


event SignedOff:
    auditor: indexed(address)
    head: indexed(bytes32)
    report_hash: bytes32


# auditor -> the journal's head that he has signed off last
signed_off: public(HashMap[address, bytes32])


@deploy
def __init__(
    council: ICouncil,
    oversight: ICouncil,
    delay: uint256,
    large_delay: uint256,
    roles: DynArray[vault_roles.RoleGrant, 16],
    destinations: DynArray[address, 32],
    assets: DynArray[vault_books.AssetTerms, 16],
    positions: ILimitTiers,
):
    """
    @param council The body that approves releases and changes.
    @param oversight The body that endorses what raises risk; another one.
    @param delay Seconds between approval and what is small, or raises a risk.
    @param large_delay Seconds for a large release, at least `delay`.
    @param roles First holders: 1 proposer, 2 custodian, 4 court, 8 auditor, 16 prosecutor.
    @param destinations Where releases may go.
    @param assets Assets with their limits.
    @param positions What is attested of assets; zero for nothing.
    """
    assert large_delay >= delay, "vault: the large delay is shorter"
    typed_data.__init__("Alatau ReserveVault")
    decisions.__init__(council, delay)
    vault_roles.__init__(oversight, roles)
    vault_cases.__init__(large_delay)
    vault_gates.__init__(positions, destinations)
    for terms: vault_books.AssetTerms in assets:
        vault_books._set_limits(terms.asset, terms.capacity, terms.leak_per_second, terms.large_amount)


@external
@view
def limits(asset: address) -> (uint256, uint256, uint256):
    """
    @param asset An asset.
    @return Capacity at the asset's tier of now, leak per second, and what could be released now.
    """
    tier_bps: uint256 = vault_gates._tier_bps(asset)
    return (
        vault_books._capacity(asset, tier_bps),
        vault_books._limits[asset].leak_per_second,
        vault_books._available(asset, tier_bps),
    )


@external
def deposit(asset: IERC20, amount: uint256, provenance: vault_books.Provenance, case_id: bytes32):
    """
    @notice Take tokens in from the caller, who has allowed it.
    @param asset The token.
    @param amount How much of it.
    @param provenance 1 confiscated (by the court, with its case), 2 mined, 4 foreign exchange, 8 national fund.
    @param case_id The case of what is confiscated; zero for the others.
    """
    assert asset.address != vault_books.NATIVE, "vault: native assets come with the call"
    self._take_in(asset.address, amount, provenance, case_id)
    asset_transfer._pull(asset, msg.sender, amount)


@external
@payable
def deposit_native(provenance: vault_books.Provenance, case_id: bytes32):
    """
    @notice Take the native asset in.
    @param provenance As for `deposit`.
    @param case_id As for `deposit`.
    """
    self._take_in(vault_books.NATIVE, msg.value, provenance, case_id)


@external
def execute_return(case_id: bytes32, asset: address):
    """
    @notice Give what a case holds of an asset back to its owner; anyone may. Outside of limits and pauses: it
            was never the reserve's.
    @param case_id The case.
    @param asset Which of the assets that it holds.
    """
    owner: address = vault_cases._returned_to(case_id)
    amount: uint256 = vault_books.case_amount[case_id][asset]
    assert amount > 0, "case: holds none of it"
    vault_books._unbook(asset, amount, vault_books.Provenance.CONFISCATED, case_id)
    journal._extend(keccak256("return"), keccak256(abi_encode(case_id, asset, owner, amount)))
    log Returned(case_id=case_id, asset=asset, owner=owner, amount=amount)
    vault_books._pay(asset, owner, amount)


@external
def endorse(id: bytes32, approvals: DynArray[ICouncil.Approval, 16]):
    """
    @notice Bring the oversight's approvals of a proposed decision; anyone may carry them.
    @param id The decision.
    @param approvals Sorted by signer; an empty signature stands for an approval given by transaction.
    """
    vault_roles._endorse(id, approvals)
    journal._extend(keccak256("endorse"), id)


@external
def approve_decision(id: bytes32, approvals: DynArray[ICouncil.Approval, 16]):
    """
    @notice Bring the council's approvals of a proposed decision; anyone may carry them. Starts the delay.
    @param id The decision.
    @param approvals Sorted by signer; an empty signature stands for an approval given by transaction.
    """
    vault_roles._check_approvers(id, approvals)
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
def sign_off(head: bytes32, report_hash: bytes32):
    """
    @notice An auditor states that the journal is complete and right up to its head of now.
    @param head The head that he has checked.
    @param report_hash Hash of his report.
    """
    vault_roles._check_role(vault_roles.Role.AUDITOR)
    assert head == journal.journal_head, "journal: went on"
    self.signed_off[msg.sender] = head
    journal._extend(keccak256("sign off"), keccak256(abi_encode(msg.sender, head, report_hash)))
    log SignedOff(auditor=msg.sender, head=head, report_hash=report_hash)


@internal
def _take_in(asset: address, amount: uint256, provenance: vault_books.Provenance, case_id: bytes32):
    if vault_books._is_confiscated(provenance, case_id):
        vault_roles._check_role(vault_roles.Role.COURT)
        vault_cases._lock(case_id)
    else:
        vault_roles._check_role(vault_roles.Role.CUSTODIAN)
    vault_books._book(asset, amount, provenance, case_id)
    journal._extend(keccak256("deposit"), keccak256(abi_encode(asset, msg.sender, case_id, provenance, amount))
    )
    log Deposited(
        asset=asset, depositor=msg.sender, case_id=case_id, provenance=provenance, amount=amount
    )
