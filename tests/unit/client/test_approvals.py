"""Signatures of council members by chips and passkeys: attached to a decision's file, checked, read again."""

from dataclasses import replace

import pytest

from alatau.client.approvals import SIZE_MAX, approver_of
from alatau.client.decision_file import read_decision, write_decision
from alatau.client.decisions import Decision, attach, check_signatures, sign
from alatau.client.errors import DecisionError
from alatau.client.veto_override import attach_override, check_overrides, override_digest
from tests.support.phones import ChipKey, Passkey
from tests.unit.client.drafted_decisions import FIRST, decision

CHIP, PASSKEY = ChipKey("a member's chip"), Passkey("a member's security key")


def signed_by_all() -> Decision:
    """By a keystore, a chip and a passkey."""
    made = sign(decision(), FIRST)
    for key in (CHIP, PASSKEY):
        made = attach(made, key.address, key.sign(made.id))
    return made


def test_signatures_of_all_kinds_go_from_hand_to_hand() -> None:
    """Through a file, and checked again."""
    made = signed_by_all()
    assert set(made.signatures) == {FIRST.address, CHIP.address, PASSKEY.address}
    read = read_decision(write_decision(made))
    assert read.signatures == made.signatures
    check_signatures(read)


@pytest.mark.parametrize("key", [CHIP, PASSKEY], ids=["chip", "passkey"])
def test_only_the_signer_s_own_of_this_decision_is_attached(key: ChipKey) -> None:
    """Neither another's, nor of another decision, nor a changed one, nor one that no approval has room for."""
    made = decision()
    good = key.sign(made.id)
    other = CHIP if key is PASSKEY else PASSKEY
    for signer, signature in (
        (other.address, good),
        (key.address, key.sign(bytes(32))),
        (key.address, good[:40] + bytes((good[40] ^ 1,)) + good[41:]),
    ):
        with pytest.raises(DecisionError, match="is not by it"):
            attach(made, signer, signature)
    for malformed in (b"", good[:128], bytes(SIZE_MAX + 1)):
        with pytest.raises(DecisionError, match=r"malformed: \d+ bytes; 65 are of secp256k1, 129 to 512 of P-256"):
            attach(made, key.address, malformed)


def test_a_changed_decision_is_found_out() -> None:
    """As with keystores: the signatures are of what was shown."""
    changed = replace(decision(operator=b"\x09" * 20), signatures=signed_by_all().signatures)
    with pytest.raises(DecisionError, match="the decision was changed, or the name"):
        check_signatures(changed)


@pytest.mark.parametrize("key", [CHIP, PASSKEY], ids=["chip", "passkey"])
def test_an_override_is_another_signature(key: ChipKey) -> None:
    """Of the digest that overrides the veto; an approval is none."""
    made = decision()
    with pytest.raises(DecisionError, match="is not by it"):
        attach_override(made, key.address, key.sign(made.id))
    overridden = attach_override(made, key.address, key.sign(override_digest(made)))
    check_overrides(read_decision(write_decision(overridden)))
    assert set(overridden.overrides) == {key.address}


def test_a_passkey_of_any_site_is_its_signer_s() -> None:
    """Without a network its site is not known; the network is asked before anything is carried."""
    digest = decision().id
    assert approver_of(digest, PASSKEY.sign(digest)) == PASSKEY.address
    assert approver_of(digest, CHIP.sign(digest)) == CHIP.address
    assert approver_of(digest, b"\x03" + bytes(300)) is None
