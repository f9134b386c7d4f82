"""The position ledger: nothing is issued until a custodian and an auditor have attested what is behind it."""

from typing import Any, Final

from alatau.artifacts import addresses
from alatau.client.typed_data import Domain, digest, struct_type
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau_devnet import accounts
from alatau_devnet.plan import CHAIN_ID, GOLD
from alatau_devnet.tour.guide import Guide, expect, money

_OUNCES: Final = 8_000
_UNIT: Final = 10**18
_PRICE: Final = 1_200_000_00
"""Of an ounce, in the token's smallest unit."""

_EVIDENCE: Final = keccak256(b"Bar list of the day")
_YEAR_S: Final = 365 * 86_400
_ATTESTATION: Final = struct_type(
    "Attestation(bytes32 position,uint256 sequence,uint256 quantity,uint256 encumbered,uint256 price,uint256 asOf,"
    "uint256 priceAsOf,bytes32 evidenceHash)"
)
_DOMAIN: Final = Domain("Alatau PositionLedger", "1", CHAIN_ID, addresses.POSITION_LEDGER)


def show_attested_gold(guide: Guide) -> None:
    """Custodian and auditor sign what is there; before that the issuer is refused."""
    ledger, token = guide.contract("PositionLedger"), guide.contract("SettlementToken")
    position = ledger.read("position_id", GOLD.as_argument())
    sequence = ledger.read("position", position)[7] + 1
    if sequence == 1:
        resident = accounts.address_of(accounts.resident(1))
        reason = guide.refused(accounts.ISSUER, "SettlementToken", "mint", resident, 1)
        guide.say("before anything is attested the issuer is refused", reason)
    seen_at = guide.client.status().timestamp
    given = sorted(
        _attested(accounts.key_of(name), position, sequence, seen_at) for name in (accounts.CUSTODIAN, accounts.AUDITOR)
    )
    guide.send(accounts.CUSTODIAN, "PositionLedger", "report", position, sequence, given)
    custodian = accounts.address_of(accounts.CUSTODIAN)
    guide.send(accounts.AUDITOR, "PositionLedger", "assure", custodian, _EVIDENCE, seen_at + _YEAR_S)
    backing = ledger.read("backing", addresses.SETTLEMENT_TOKEN)
    expect("what is behind the token", backing, _OUNCES * _PRICE * 95 // 100)
    guide.say(f"{_OUNCES:,} ounces of gold attested by two", f"{money(backing)} behind the token, after the haircut")
    guide.say("issuers may mint as far as that goes", money(token.read("mintable")))


def _attested(key: PrivateKey, position: bytes, sequence: int, seen_at: int) -> tuple[Any, ...]:
    """Attester, figures and signature, as the contract takes them."""
    figures = (_OUNCES * _UNIT, 0, _PRICE, seen_at, seen_at, _EVIDENCE)
    names = [name for _, name in _ATTESTATION.members]
    message = dict(zip(names, (position, sequence, *figures), strict=True))
    signed = key.sign(digest(_DOMAIN, _ATTESTATION, message))
    return (key.address, *figures, signed[:64] + bytes((27 + signed[64],)))
