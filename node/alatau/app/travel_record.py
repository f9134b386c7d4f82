"""Travel records: who pays whom, told to the counterparty alone; the chain keeps a hash.

A record is a JSON document in the terms of IVMS101 (interVASP Messaging Standard, version 2020). It is encrypted for
its receiver by HPKE (RFC 9180, base mode, X25519, HKDF-SHA256, AES-256-GCM). What is sent, hashed (keccak256) and named
in the payment is the sealed form, so that the hash says nothing of the people in it and both sides can prove what was
sent.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from alatau.app.json_field import JsonField, canonical_json
from alatau.codec.json_text import JsonError, parse_json
from alatau.crypto.keccak import keccak256

MAGIC: Final = b"alatau travel record 1\n"
"""What a sealed file begins with; HPKE's ``info`` too, so that nothing sealed for another use is taken for a record."""

SIZE_MAX: Final = 65_536
"""Bytes of a sealed record. Names, addresses and numbers of a few people take one or two thousand."""

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_LEGAL_NAME: Final = "LEGL"
_PERSON_KINDS: Final = ("naturalPerson", "legalPerson")


class TravelRecordError(ValueError):
    """A key or a sealed record cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A record as it is sent."""

    data: bytes
    """``MAGIC``, HPKE's encapsulated key (32 bytes), ciphertext with its tag."""

    @property
    def hash(self) -> bytes:
        """What the payment names (``record_hash``): keccak256 of the sealed bytes."""
        return keccak256(self.data)


def check_record(document: JsonField) -> None:
    """Whether a record names what no travel record may lack.

    That is: an originator and a beneficiary, each with a legal name and an account (FATF recommendation 16, paragraph
    7). Other members of IVMS101 are carried as they are.

    Raises:
        alatau.app.json_field.DocumentError: something is missing; the message says where.
    """
    entries = document.entries()
    for party, persons in (("originator", "originatorPersons"), ("beneficiary", "beneficiaryPersons")):
        if party not in entries:
            raise document.wrong(f"an object with {party!r} and what IVMS101 says of it")
        members = entries[party].entries()
        for needed in (persons, "accountNumber"):
            if needed not in members or not members[needed].items():
                raise entries[party].wrong(f"an object with {needed!r}, at least one")
        for account in members["accountNumber"].items():
            account.text()
        for person in members[persons].items():
            _check_person(person)


def seal(document: JsonField, receiver: X25519PublicKey) -> SealedRecord:
    """Encrypt a record for its receiver; twice the same record gives two that have nothing in common.

    Raises:
        alatau.app.json_field.DocumentError: the record lacks something.
        TravelRecordError: it is larger than a record may be.
    """
    check_record(document)
    data = MAGIC + _SUITE.encrypt(canonical_json(document.value), receiver, MAGIC)
    if len(data) > SIZE_MAX:
        raise TravelRecordError(f"the record takes {len(data):,} bytes sealed; at most {SIZE_MAX:,}")
    return SealedRecord(data)


def unseal(sealed: SealedRecord, receiver: X25519PrivateKey, where: str) -> JsonField:
    """The record in what was received, checked as it was before it was sealed.

    Raises:
        TravelRecordError: it is no sealed record, is for somebody else, or was changed.
        alatau.app.json_field.DocumentError: what is in it lacks something.
    """
    if not sealed.data.startswith(MAGIC) or len(sealed.data) > SIZE_MAX:
        raise TravelRecordError(f"{where} is no sealed travel record")
    try:
        opened = _SUITE.decrypt(sealed.data[len(MAGIC) :], receiver, MAGIC)
    except (InvalidTag, ValueError):
        raise TravelRecordError(f"{where} was sealed for another key, or was changed since") from None
    try:
        document = JsonField(parse_json(opened, SIZE_MAX), f"{where}: ")
    except JsonError as error:
        raise TravelRecordError(f"{where} holds no record: {error}") from None
    check_record(document)
    return document


def new_receiver_key() -> X25519PrivateKey:
    """A key that records can be sealed for."""
    return X25519PrivateKey.generate()


def private_pem(key: X25519PrivateKey, password: str) -> bytes:
    """The key as PKCS #8 in PEM, encrypted."""
    encryption = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def public_pem(key: X25519PublicKey) -> bytes:
    """The public key as SubjectPublicKeyInfo in PEM (RFC 8410), to be given to those who pay."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_private(pem: bytes, password: str, where: str) -> X25519PrivateKey:
    """A receiver's key. Raises ``TravelRecordError``."""
    try:
        key = serialization.load_pem_private_key(pem, password.encode())
    except (ValueError, TypeError):
        raise TravelRecordError(f"{where} does not open with this password, or is no encrypted key in PEM") from None
    if not isinstance(key, X25519PrivateKey):
        raise TravelRecordError(f"{where} is no X25519 key; `alatau travel-record key` makes one")
    return key


def load_public(pem: bytes, where: str) -> X25519PublicKey:
    """The key of whom a record is for. Raises ``TravelRecordError``."""
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError:
        raise TravelRecordError(f"{where} is no public key in PEM") from None
    if not isinstance(key, X25519PublicKey):
        raise TravelRecordError(f"{where} is no X25519 key; the receiver makes one with `alatau travel-record key`")
    return key


def _check_person(person: JsonField) -> None:
    kinds = [kind for kind in _PERSON_KINDS if kind in person.entries()]
    if len(kinds) != 1:
        raise person.wrong("an object with either 'naturalPerson' or 'legalPerson'")
    (kind,) = kinds
    body = person.entries()[kind]
    if "name" not in body.entries() or "nameIdentifier" not in body.entries()["name"].entries():
        raise body.wrong("an object with name.nameIdentifier")
    word, kind_word = (
        ("primaryIdentifier", "nameIdentifierType")
        if kind == "naturalPerson"
        else ("legalPersonName", "legalPersonNameIdentifierType")
    )
    names = body.entries()["name"].entries()["nameIdentifier"]
    for name in names.items():
        members = name.entries()
        if word not in members or kind_word not in members:
            raise name.wrong(f"an object with {word!r} and {kind_word!r}")
        members[word].text()
    if not any(name.entries()[kind_word].value == _LEGAL_NAME for name in names.items()):
        raise names.wrong(f"a name whose {kind_word} is {_LEGAL_NAME!r}")
