# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Attestations: what several who do not depend on one another have seen of a position
@notice k attesters sign the figures; at least one is the position's custodian and one an auditor of the vault. The median
        counts if all are near enough to it. Every report has a number, so that no signature counts twice, and says when
        somebody last looked: unchanged figures have to be attested anew.
"""

from ..lib import journal
from ..lib import signature
from ..lib import typed_data
from . import positions

uses: journal
uses: typed_data
uses: positions


interface IVaultRoles:
    def role_of(account: address) -> uint256: view


struct Attestation:
    signer: address
    quantity: uint256
    encumbered: uint256
    price: uint256
    as_of: uint256
    price_as_of: uint256
    evidence_hash: bytes32
    signature: Bytes[65]


event Reported:
    position: indexed(bytes32)
    sequence: indexed(uint256)
    quantity: uint256
    encumbered: uint256
    price: uint256
    as_of: uint256
    price_as_of: uint256
    evidence_hash: bytes32


event Disputed:
    position: indexed(bytes32)
    auditor: indexed(address)
    evidence_hash: bytes32


event Assured:
    custodian: indexed(address)
    auditor: indexed(address)
    report_hash: bytes32
    expires: uint256


# Roles of the vault (vault_roles.Role).
CUSTODIAN: constant(uint256) = 2
AUDITOR: constant(uint256) = 8

ATTESTERS_MAX: constant(uint256) = 8

ATTESTATION_TYPE: constant(bytes32) = keccak256(
    "Attestation(bytes32 position,uint256 sequence,uint256 quantity,uint256 encumbered,uint256 price,uint256 asOf,uint256 priceAsOf,bytes32 evidenceHash)"
)

# Whose roles say who attests.
vault: public(immutable(IVaultRoles))
threshold: public(uint256)


@deploy
def __init__(vault_: IVaultRoles, threshold: uint256):
    """
    @param vault_ The vault whose custodians and auditors attest.
    @param threshold How many attesters a report takes.
    """
    vault = vault_
    self._set_threshold(threshold)


@external
@view
def attestation_id(position: bytes32, sequence: uint256, attestation: Attestation) -> bytes32:
    """
    @param position What is attested.
    @param sequence Number of the report, the last one's and one.
    @param attestation Its figures; signer and signature are not part of it.
    @return The EIP-712 digest that an attester signs.
    """
    return self._attestation_id(position, sequence, attestation)


@external
def report(id: bytes32, sequence: uint256, attestations: DynArray[Attestation, ATTESTERS_MAX]):
    """
    @notice Bring what attesters signed of a position; anyone may carry it.
    @param id The position.
    @param sequence Number of the report, the last one's and one.
    @param attestations Strictly ascending by signer.
    """
    position: positions.Position = positions._positions[id]
    assert position.place.custodian != empty(address), "ledger: no such position"
    assert sequence == position.sequence + 1, "ledger: not the next report"
    assert len(attestations) >= self.threshold, "ledger: too few attesters"
    by_custodian: bool = False
    by_auditor: bool = False
    by_disputer: bool = False
    last: address = empty(address)
    quantities: DynArray[uint256, ATTESTERS_MAX] = []
    prices: DynArray[uint256, ATTESTERS_MAX] = []
    encumbered: uint256 = 0
    as_of: uint256 = block.timestamp
    price_as_of: uint256 = block.timestamp
    evidence: bytes32 = empty(bytes32)
    for one: Attestation in attestations:
        assert convert(one.signer, uint256) > convert(last, uint256), "ledger: not sorted"
        last = one.signer
        role: uint256 = staticcall vault.role_of(one.signer)
        if role == AUDITOR:
            by_auditor = True
        else:
            assert role == CUSTODIAN and one.signer == position.place.custodian, "ledger: no attester"
            by_custodian = True
        by_disputer = by_disputer or one.signer == position.disputed_by
        digest: bytes32 = self._attestation_id(id, sequence, one)
        assert signature._recover(digest, one.signature) == one.signer, "ledger: bad signature"
        # New figures or the same, but looked at anew since the last report.
        assert one.as_of > position.as_of and one.as_of <= block.timestamp, "ledger: not seen since"
        assert one.price_as_of >= position.price_as_of, "ledger: older price"
        assert one.price_as_of <= block.timestamp, "ledger: price of the future"
        assert one.quantity <= positions.FIGURE_MAX and one.price <= positions.FIGURE_MAX, "ledger: figure out of range"
        assert one.evidence_hash != empty(bytes32), "ledger: no evidence"
        quantities = self._with(quantities, one.quantity)
        prices = self._with(prices, one.price)
        # The most cautious of them where no median is asked for.
        encumbered = max(encumbered, one.encumbered)
        as_of = min(as_of, one.as_of)
        price_as_of = min(price_as_of, one.price_as_of)
        evidence = keccak256(concat(evidence, one.evidence_hash))
    assert by_custodian, "ledger: without the custodian"
    assert by_auditor, "ledger: without an auditor"
    disputer: address = position.disputed_by
    if disputer != empty(address) and not by_disputer:
        assert staticcall vault.role_of(disputer) != AUDITOR, "ledger: disputed"
    terms: positions.ClassTerms = positions.class_terms[position.place.kind]
    assert block.timestamp - as_of <= terms.quantity_age, "ledger: stale"
    assert block.timestamp - price_as_of <= terms.price_age, "ledger: stale price"
    position.quantity = self._median(quantities, terms.deviation_bps)
    position.price = self._median(prices, terms.deviation_bps)
    assert encumbered <= position.quantity, "ledger: more encumbered than there is"
    position.encumbered = encumbered
    position.as_of = as_of
    position.price_as_of = price_as_of
    position.evidence_hash = evidence
    position.sequence = sequence
    position.disputed_by = empty(address)
    positions._positions[id] = position
    journal._extend(
        keccak256("report"),
        keccak256(
            abi_encode(
                id,
                sequence,
                position.quantity,
                encumbered,
                position.price,
                as_of,
                price_as_of,
                evidence,
            )
        ),
    )
    log Reported(
        position=id,
        sequence=sequence,
        quantity=position.quantity,
        encumbered=encumbered,
        price=position.price,
        as_of=as_of,
        price_as_of=price_as_of,
        evidence_hash=evidence,
    )


@external
def dispute(id: bytes32, evidence_hash: bytes32):
    """
    @notice An auditor doubts a position: it counts nothing until he signs a report of it.
    @param id The position.
    @param evidence_hash Hash of what makes him doubt.
    """
    assert staticcall vault.role_of(msg.sender) == AUDITOR, "only an auditor"
    assert positions._positions[id].sequence > 0, "ledger: nothing reported"
    before: address = positions._positions[id].disputed_by
    # Nobody takes another auditor's doubt over, and so away.
    free: bool = before == empty(address) or staticcall vault.role_of(before) != AUDITOR
    assert free, "ledger: disputed"
    positions._positions[id].disputed_by = msg.sender
    journal._extend(keccak256("dispute"), keccak256(abi_encode(id, msg.sender, evidence_hash)))
    log Disputed(position=id, auditor=msg.sender, evidence_hash=evidence_hash)


@external
def assure(custodian: address, report_hash: bytes32, expires: uint256):
    """
    @notice An auditor records the assurance report of a custodian.
    @param custodian Whom it is about.
    @param report_hash Hash of the report.
    @param expires Second after which it says nothing any more, at most 400 days from now.
    """
    assert staticcall vault.role_of(msg.sender) == AUDITOR, "only an auditor"
    assert staticcall vault.role_of(custodian) == CUSTODIAN, "ledger: no custodian"
    assert report_hash != empty(bytes32), "ledger: no report"
    assert expires <= block.timestamp + positions.AGE_MAX, "ledger: lasts too long"
    positions.assurance[custodian] = positions.Assurance(report_hash=report_hash, expires=expires)
    journal._extend(
        keccak256("assure"), keccak256(abi_encode(custodian, msg.sender, report_hash, expires))
    )
    log Assured(custodian=custodian, auditor=msg.sender, report_hash=report_hash, expires=expires)


@internal
@pure
def _with(
    sorted: DynArray[uint256, ATTESTERS_MAX], figure: uint256
) -> DynArray[uint256, ATTESTERS_MAX]:
    """
    @return The figures with one more, ascending.
    """
    figures: DynArray[uint256, ATTESTERS_MAX] = sorted
    figures.append(figure)
    for i: uint256 in range(len(sorted), bound=ATTESTERS_MAX):
        at: uint256 = len(sorted) - 1 - i
        if figures[at] <= figure:
            break
        figures[at + 1] = figures[at]
        figures[at] = figure
    return figures


@internal
@pure
def _median(figures: DynArray[uint256, ATTESTERS_MAX], deviation_bps: uint256) -> uint256:
    """
    @return The median of ascending figures, the lower of two; reverts if one is too far from it.
    """
    last: uint256 = len(figures) - 1
    median: uint256 = figures[last // 2]
    furthest: uint256 = max(median - figures[0], figures[last] - median)
    assert furthest * positions.WHOLE_BPS <= median * deviation_bps, "ledger: attesters disagree"
    return median


@internal
@view
def _attestation_id(position: bytes32, sequence: uint256, one: Attestation) -> bytes32:
    return typed_data._digest(
        keccak256(
            abi_encode(
                ATTESTATION_TYPE,
                position,
                sequence,
                one.quantity,
                one.encumbered,
                one.price,
                one.as_of,
                one.price_as_of,
                one.evidence_hash,
            )
        )
    )


@internal
def _set_threshold(threshold: uint256):
    assert threshold >= 2 and threshold <= ATTESTERS_MAX, "ledger: threshold out of range"
    self.threshold = threshold
