# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title OfflineBonds: what stands behind payments that are made without a network
@notice A resident (a) who wants to pay offline deposits a bond for his channel, and the hub (b) signs a certificate:
        until it expires, the hub honours a's vouchers up to a sum. At a till without a network the resident hands
        over a voucher for the hub and an `OfflinePayment` that says to whom a part of it goes; the merchant brings
        both to the hub when the network is back.

        An honest payer's vouchers form one line: a higher nonce never pays less. A payer who pays two merchants with
        the same money leaves that line, and two of his signatures show it. The merchant who was not paid brings
        them, and is paid out of the bond.

            bond  -- request_release -->  NOTICE  -- release -->  credit  -->  claim
            bond  -- pay_from_bond (evidence) -->  the merchant's credit

        Who can stop what:
        * the pause of CityChannels stops new bonds, nothing else;
        * nobody, the hub included, stops evidence, release or claims; a freeze acts on claims, in the token;
        * evidence pays registered merchants only, each payment once, in the order in which it comes. A bond covers
          what it covers: tills bound what they take offline.
@dev Vouchers are those of CityChannels, in its domain; certificates and offline payments are in this one's.
"""

from ..interfaces import ICityChannels
from ..interfaces import IParticipantRegistry
from ..lib import signature_schemes
from ..lib import typed_data
from . import credits
from . import evidence

initializes: typed_data
initializes: evidence[typed_data := typed_data]
initializes: credits[evidence := evidence]

exports: (
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    credits.asset,
    credits.registry,
    credits.held,
    credits.credit,
    credits.claim,
    credits.claim_to,
    credits.claim_for_successor,
    credits.claim_nonce,
)


struct Voucher:
    nonce: uint256
    transferred: uint256
    locks_hash: bytes32
    signed: Bytes[1024]


struct Certificate:
    base: uint256
    limit: uint256
    expires: uint256
    signed: Bytes[1024]


struct Payment:
    merchant: address
    amount: uint256
    signed: Bytes[1024]


struct Bond:
    amount: uint256
    release_at: uint256


event BondPosted:
    id: indexed(bytes32)
    payer: indexed(address)
    amount: uint256


event ReleaseRequested:
    id: indexed(bytes32)
    release_at: uint256


event BondReleased:
    id: indexed(bytes32)
    amount: uint256


event PaidFromBond:
    id: indexed(bytes32)
    merchant: indexed(address)
    payment: indexed(bytes32)
    amount: uint256


AMOUNT_MAX: constant(uint256) = 2**112 - 1
KIND_SHIFT: constant(uint256) = 8
KIND_MASK: constant(uint256) = 255
MERCHANT: constant(uint256) = 2
# A certificate lives a week at most, and a merchant has two more for bringing evidence: the notice covers both.
CERTIFICATE_SECONDS: constant(uint256) = 7 * 86_400
EVIDENCE_SECONDS: constant(uint256) = 14 * 86_400
NOTICE_SECONDS: constant(uint256) = CERTIFICATE_SECONDS + EVIDENCE_SECONDS

CERTIFICATE_TYPE: constant(bytes32) = keccak256(
    "OfflineCertificate(bytes32 channelId,address payer,uint256 base,uint256 limit,uint256 expires)"
)
PAYMENT_TYPE: constant(bytes32) = keccak256(
    "OfflinePayment(bytes32 channelId,bytes32 voucherHash,address merchant,uint256 amount)"
)

BOND_RELEASE_TYPE: constant(bytes32) = keccak256("BondRelease(bytes32 channelId,address payer,uint256 deadline)")

channels: public(immutable(ICityChannels))

_bonds: HashMap[bytes32, Bond]
# hash of an offline payment -> whether the bond has paid for it
paid: public(HashMap[bytes32, bool])


@deploy
def __init__(channels_: ICityChannels):
    """
    @param channels_ Whose vouchers these are; asset and registry are the same.
    """
    typed_data.__init__("Alatau OfflineBonds")
    credits.__init__(staticcall channels_.asset(), staticcall channels_.registry())
    channels = channels_


@external
@view
def bond(id: bytes32) -> Bond:
    """
    @param id A channel's.
    @return What stands behind it, and when it may be taken back; 0 while no release is asked for.
    """
    return self._bonds[id]


@external
def post_bond(parties: ICityChannels.Parties, amount: uint256):
    """
    @notice The payer adds to the bond of its channel, which ends a request for release.
    @param parties The channel; the caller is its a.
    @param amount What is added.
    """
    self._post(staticcall channels.channel_id(parties), parties, msg.sender, amount)
    credits._pull(amount)


@external
def post_bond_for(parties: ICityChannels.Parties, salt: bytes32, money: credits.SignedMoney):
    """
    @notice The same for a payer who sends no transactions: it signs its money away to this contract (EIP-3009), the
            nonce keccak256 of the channel's id and the salt, and anyone carries.
    @param parties The channel.
    @param salt Tells bonds of one channel apart.
    @param money Owner (the payer), amount, the seconds after and before which it counts, the owner's signature of
           `ReceiveWithAuthorization` in the token's domain.
    """
    id: bytes32 = staticcall channels.channel_id(parties)
    self._post(id, parties, money.owner, money.amount)
    credits._pull_signed(money, keccak256(concat(id, salt)))


@external
def request_release(parties: ICityChannels.Parties):
    """
    @notice The payer wants the bond back. Hubs sign no certificate for it any more, and it goes on standing behind
            those that there are.
    @param parties The channel; the caller is its a.
    """
    assert msg.sender == parties.a, "bond: not the payer"
    self._request_release(staticcall channels.channel_id(parties))


@external
def request_release_for(parties: ICityChannels.Parties, deadline: uint256, signed: Bytes[1024]):
    """
    @notice The same by the payer's signature of `BondRelease`; anyone may carry it.
    @param parties The channel.
    @param deadline Last second of the request.
    @param signed Signature of a.
    """
    assert block.timestamp <= deadline, "bond: too late"
    id: bytes32 = staticcall channels.channel_id(parties)
    evidence._check(keccak256(abi_encode(BOND_RELEASE_TYPE, id, parties.a, deadline)), parties.a, signed)
    self._request_release(id)


@external
def release(parties: ICityChannels.Parties):
    """
    @notice After the notice the bond becomes the payer's credit; anyone may.
    @param parties The channel.
    """
    id: bytes32 = staticcall channels.channel_id(parties)
    bond: Bond = self._bonds[id]
    assert bond.release_at != 0 and block.timestamp >= bond.release_at, "bond: not due"
    self._bonds[id] = empty(Bond)
    credits._add(parties.a, bond.amount)
    log BondReleased(id=id, amount=bond.amount)


@external
def pay_from_bond(
    parties: ICityChannels.Parties,
    certificate: Certificate,
    voucher: Voucher,
    payment: Payment,
    other: Voucher,
):
    """
    @notice Pay a merchant whose offline payment was made with money that the payer signed away twice; anyone may
            carry the evidence.
    @param parties The channel.
    @param certificate What the hub promised: vouchers above `base` up to `limit`, until `expires`.
    @param voucher What the merchant was given.
    @param payment Whom it pays, how much of it.
    @param other A voucher of the same payer that cannot stand beside the first.
    """
    id: bytes32 = staticcall channels.channel_id(parties)
    self._check_certificate(id, parties, certificate)
    assert payment.amount > 0 and voucher.transferred <= certificate.limit, "bond: above the certificate"
    assert voucher.transferred >= payment.amount, "bond: more than the voucher"
    before: uint256 = voucher.transferred - payment.amount
    assert before >= certificate.base, "bond: below the certificate"
    assert (staticcall credits.registry.status(payment.merchant) >> KIND_SHIFT) & KIND_MASK == MERCHANT, "bond: no merchant"
    domain: bytes32 = staticcall channels.DOMAIN_SEPARATOR()
    voucher_hash: bytes32 = self._check_voucher(id, domain, parties.a, voucher)
    other_hash: bytes32 = self._check_voucher(id, domain, parties.a, other)
    assert voucher_hash != other_hash, "bond: one voucher"
    conflict: bool = other.nonce == voucher.nonce
    if other.nonce > voucher.nonce:
        conflict = other.transferred < voucher.transferred
    elif other.nonce < voucher.nonce:
        conflict = other.transferred > before
    assert conflict, "bond: no conflict"
    payment_hash: bytes32 = keccak256(
        abi_encode(PAYMENT_TYPE, id, voucher_hash, payment.merchant, payment.amount)
    )
    evidence._check(payment_hash, parties.a, payment.signed)
    assert not self.paid[payment_hash], "bond: paid already"
    self.paid[payment_hash] = True
    amount: uint256 = min(payment.amount, self._bonds[id].amount)
    assert amount > 0, "bond: none"
    self._bonds[id].amount -= amount
    # Others may have been paid with the same money: the rest goes on standing for them.
    if self._bonds[id].release_at != 0:
        self._bonds[id].release_at = block.timestamp + NOTICE_SECONDS
    credits._add(payment.merchant, amount)
    log PaidFromBond(id=id, merchant=payment.merchant, payment=payment_hash, amount=amount)


@internal
def _post(id: bytes32, parties: ICityChannels.Parties, payer: address, amount: uint256):
    """
    @param id The channel.
    @param parties Its ends.
    @param payer Who pays, which is its a; the money is the caller's to bring.
    @param amount What is added.
    """
    assert payer == parties.a, "bond: not the payer"
    assert not staticcall channels.paused(), "bond: paused"
    assert amount > 0 and amount <= AMOUNT_MAX, "bond: amount out of range"
    assert staticcall channels.used(id), "bond: no such channel"
    self._bonds[id] = Bond(amount=self._bonds[id].amount + amount, release_at=0)
    log BondPosted(id=id, payer=payer, amount=amount)


@internal
def _request_release(id: bytes32):
    """
    @param id A channel whose payer wants its bond back.
    """
    assert self._bonds[id].amount > 0, "bond: none"
    assert self._bonds[id].release_at == 0, "bond: asked already"
    release_at: uint256 = block.timestamp + NOTICE_SECONDS
    self._bonds[id].release_at = release_at
    log ReleaseRequested(id=id, release_at=release_at)


@internal
@view
def _check_certificate(id: bytes32, parties: ICityChannels.Parties, certificate: Certificate):
    """
    @param id The channel.
    @param parties Its ends.
    @param certificate Signed by b, about a, and not too old for evidence.
    """
    assert certificate.expires <= block.timestamp + CERTIFICATE_SECONDS, "bond: certificate lives too long"
    assert block.timestamp <= certificate.expires + EVIDENCE_SECONDS, "bond: too late"
    evidence._check(
        keccak256(
            abi_encode(
                CERTIFICATE_TYPE, id, parties.a, certificate.base, certificate.limit, certificate.expires
            )
        ),
        parties.b,
        certificate.signed,
    )


@internal
@view
def _check_voucher(id: bytes32, domain: bytes32, payer: address, voucher: Voucher) -> bytes32:
    """
    @param id The channel.
    @param domain Domain separator of CityChannels.
    @param payer Who must have signed.
    @param voucher The voucher.
    @return Its struct hash.
    """
    struct_hash: bytes32 = keccak256(
        abi_encode(
            evidence.VOUCHER_TYPE, id, payer, voucher.nonce, voucher.transferred, voucher.locks_hash
        )
    )
    digest: bytes32 = keccak256(concat(x"1901", domain, struct_hash))
    # The sum of its pending payments is not told here, only their hash: a device's cap is held against the rest.
    assert signature_schemes._voucher_signed_by(
        digest, payer, voucher.signed, domain, id, voucher.transferred
    ), "bond: bad voucher"
    return struct_hash
