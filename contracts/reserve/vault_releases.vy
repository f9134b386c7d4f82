# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Releases: proposed by one, approved by several, delayed by size, executed once
@notice A release is checked when it is proposed and again when it is executed, because books, destinations, limits,
        roles and thresholds move meanwhile.
"""

from ..lib import decisions
from ..lib import journal
from ..lib import typed_data
from . import vault_books
from . import vault_cases
from . import vault_gates
from . import vault_roles

uses: decisions
uses: journal
uses: typed_data
uses: vault_books
uses: vault_cases
uses: vault_gates
uses: vault_roles


struct Intent:
    asset: address
    to: address
    amount: uint256
    provenance: vault_books.Provenance
    purpose: String[128]
    legal_basis_hash: bytes32
    case_id: bytes32
    terms: decisions.Terms


event ReleaseProposed:
    id: indexed(bytes32)
    asset: indexed(address)
    to: indexed(address)
    amount: uint256
    provenance: vault_books.Provenance
    purpose: String[128]
    legal_basis_hash: bytes32
    case_id: bytes32
    delay: uint256


event Released:
    id: indexed(bytes32)
    asset: indexed(address)
    to: indexed(address)
    amount: uint256


INTENT_TYPE: constant(bytes32) = keccak256(
    "Release(address asset,address to,uint256 amount,uint256 provenance,string purpose,bytes32 legalBasisHash,bytes32 caseId,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)
_intents: HashMap[bytes32, Intent]
# release -> number of the grant under which it was proposed
_proposed_under: HashMap[bytes32, uint256]


@external
@view
def intent(id: bytes32) -> Intent:
    """
    @param id The decision.
    @return What the release `id` will do.
    """
    return self._intents[id]


@external
@view
def intent_id(intent: Intent) -> bytes32:
    """
    @param intent A release.
    @return The EIP-712 digest that council members sign for `intent`.
    """
    return self._intent_id(intent)


@external
def propose_release(intent: Intent) -> bytes32:
    """
    @notice Put a release before the council. It is checked again when it is executed.
    @param intent What is to be released.
    @return The decision's id.
    """
    grant: uint256 = vault_roles._check_role(vault_roles.Role.PROPOSER)
    vault_gates._check_open()
    assert len(intent.purpose) > 0, "vault: no purpose"
    assert intent.legal_basis_hash != empty(bytes32), "vault: no legal basis"
    self._check_release(intent, vault_gates._tier_bps(intent.asset))
    delay: uint256 = decisions.delay
    if vault_books._is_large(intent.asset, intent.to, intent.amount):
        delay = vault_cases.large_delay
    id: bytes32 = self._intent_id(intent)
    decisions._open(id, intent.terms, delay)
    self._intents[id] = intent
    self._proposed_under[id] = grant
    journal._extend(keccak256("propose release"), id)
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
    @param id The decision.
    """
    vault_gates._check_open()
    intent: Intent = self._intents[id]
    assert intent.amount > 0, "vault: not a release"
    decisions._consume(id)
    assert vault_roles._stands(self._proposed_under[id]), "vault: its proposer holds no role"
    tier_bps: uint256 = vault_gates._tier_bps(intent.asset)
    self._check_release(intent, tier_bps)
    # Others may have gone to the same destination since, or the threshold was lowered: what is large now has to have
    # waited as large releases do.
    large: bool = vault_books._is_large(intent.asset, intent.to, intent.amount)
    assert not large or decisions.decision[id].delay >= vault_cases.large_delay, "vault: large by now"
    vault_books._spend(intent.asset, intent.to, intent.amount, tier_bps)
    vault_books._unbook(intent.asset, intent.amount, intent.provenance, intent.case_id)
    journal._extend(keccak256("release"), id)
    log Released(id=id, asset=intent.asset, to=intent.to, amount=intent.amount)
    vault_books._pay(intent.asset, intent.to, intent.amount)


@internal
@view
def _check_release(intent: Intent, tier_bps: uint256):
    assert intent.amount > 0, "vault: no amount"
    allowed: bool = vault_gates.destination_allowed[intent.to] and intent.to != intent.asset
    assert allowed, "vault: destination not allowed"
    assert intent.amount <= vault_books._capacity(intent.asset, tier_bps), "limit: above capacity"
    assert intent.amount <= vault_books.ledger[intent.asset][intent.provenance], "vault: provenance holds less"
    if vault_books._is_confiscated(intent.provenance, intent.case_id):
        vault_cases._check_forfeited(intent.case_id)
        assert intent.amount <= vault_books.case_amount[intent.case_id][intent.asset], "case: holds less"


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
