"""Travel records: what must be in them, and that only their receiver reads them."""

import copy
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from alatau.app.json_field import DocumentError, JsonField
from alatau.app.travel_record import (
    MAGIC,
    SIZE_MAX,
    SealedRecord,
    TravelRecordError,
    check_record,
    load_private,
    load_public,
    new_receiver_key,
    private_pem,
    public_pem,
    seal,
    unseal,
)
from alatau.crypto.keccak import keccak256
from tests.support.travel_records import RECORD

OURS = new_receiver_key()


def field(value: Any) -> JsonField:
    """As it is read from a file."""
    return JsonField(value, "record.json: ")


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The record with one place replaced; None takes it out."""
    record = copy.deepcopy(RECORD)
    at: Any = record
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return record


def test_what_was_sealed_comes_out() -> None:
    """Letters of any script included; the hash is of what is sent."""
    sealed = seal(field(RECORD), OURS.public_key())
    assert unseal(sealed, OURS, "record").value == RECORD
    assert sealed.hash == keccak256(sealed.data)


def test_a_sealed_record_says_nothing_of_the_people_in_it() -> None:
    """Nor do two of the same record tell that they are."""
    first, second = (seal(field(RECORD), OURS.public_key()) for _ in range(2))
    assert first.hash != second.hash
    for word in ("Bazar", "Серікова", "900101400123", "0x56Fc"):
        assert word.encode() not in first.data


def test_nobody_else_opens_it() -> None:
    """Not by another key, not after any byte was changed, cut off or added."""
    sealed = seal(field(RECORD), OURS.public_key())
    with pytest.raises(TravelRecordError, match="another key"):
        unseal(sealed, new_receiver_key(), "record")
    for index in range(len(MAGIC), len(sealed.data), 7):
        data = bytearray(sealed.data)
        data[index] ^= 1
        with pytest.raises(TravelRecordError, match="changed since"):
            unseal(SealedRecord(bytes(data)), OURS, "record")
    for data in (sealed.data[:-1], sealed.data + b"\0", sealed.data[: len(MAGIC) + 5]):
        with pytest.raises(TravelRecordError, match="changed since"):
            unseal(SealedRecord(data), OURS, "record")


@pytest.mark.parametrize(
    "data", [b"", b"{}", MAGIC[:-1], MAGIC + bytes(SIZE_MAX)], ids=["nothing", "json", "cut", "long"]
)
def test_what_is_no_sealed_record_is_told(data: bytes) -> None:
    """By its beginning and its size."""
    with pytest.raises(TravelRecordError, match="no sealed travel record"):
        unseal(SealedRecord(data), OURS, "record")


PERSON = ("originator", "originatorPersons", 0)
NAME = ("beneficiary", "beneficiaryPersons", 0, "legalPerson", "name", "nameIdentifier", 0)


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (changed(("originator",), None), "'originator'"),
        (changed(("beneficiary",), None), "'beneficiary'"),
        (changed(("originator", "accountNumber"), None), "'accountNumber'"),
        (changed(("originator", "accountNumber"), []), "'accountNumber'"),
        (changed(("originator", "accountNumber"), [""]), "a string"),
        (changed(("beneficiary", "beneficiaryPersons"), []), "'beneficiaryPersons'"),
        (changed(PERSON, {}), "either 'naturalPerson' or 'legalPerson'"),
        (changed((*PERSON, "legalPerson"), {}), "either 'naturalPerson' or 'legalPerson'"),
        (changed((*PERSON, "naturalPerson", "name"), None), "name.nameIdentifier"),
        (changed((*PERSON, "naturalPerson", "name"), {}), "name.nameIdentifier"),
        (changed((*NAME, "legalPersonName"), None), "'legalPersonName'"),
        (changed((*NAME, "legalPersonName"), ""), "a string"),
        (changed((*NAME, "legalPersonNameIdentifierType"), None), "'legalPersonNameIdentifierType'"),
        (changed((*NAME, "legalPersonNameIdentifierType"), "TRAD"), "'LEGL'"),
        (changed(("originator",), 7), "an object"),
        ([], "an object"),
    ],
)
def test_a_record_without_its_essentials_is_refused(record: Any, what: str) -> None:
    """Before it is sealed and after it was opened, with the place where it lacks something."""
    with pytest.raises(DocumentError, match=what):
        check_record(field(record))
    with pytest.raises(DocumentError, match=what):
        seal(field(record), OURS.public_key())


def test_a_record_has_a_size() -> None:
    """A file that nobody could open would be money that nobody can explain."""
    with pytest.raises(TravelRecordError, match="at most 65,536"):
        seal(field(RECORD | {"note": "x" * SIZE_MAX}), OURS.public_key())


def test_keys_go_through_files() -> None:
    """The private one under a password."""
    pem = private_pem(OURS, "word")
    assert b"ENCRYPTED" in pem
    sealed = seal(field(RECORD), load_public(public_pem(OURS.public_key()), "key"))
    assert unseal(sealed, load_private(pem, "word", "key"), "record").value == RECORD
    with pytest.raises(TravelRecordError, match="password"):
        load_private(pem, "other", "key")


def test_keys_of_other_kinds_are_refused() -> None:
    """A P-256 key is for signing; text is no key."""
    other = generate_private_key(SECP256R1())
    public = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"word")
    )
    with pytest.raises(TravelRecordError, match="no X25519 key"):
        load_public(public, "key")
    with pytest.raises(TravelRecordError, match="no X25519 key"):
        load_private(private, "word", "key")
    with pytest.raises(TravelRecordError, match="no public key"):
        load_public(b"text", "key")
    with pytest.raises(TravelRecordError, match="no encrypted key"):
        load_private(b"text", "word", "key")
