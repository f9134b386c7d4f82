"""Decisions of a council through the command line, against a running network."""

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from alatau.artifacts import addresses
from tests.support.phones import ChipKey, Passkey
from tests.support.served_network import GUARDIAN, MEMBERS, Network
from tests.support.solo_node import MERCHANT, RESIDENT
from tests.unit.cli.command_line import Alatau

MERCHANT_TEXT = "0x" + MERCHANT.address.hex()


@pytest.fixture
def proposed(alatau: Alatau, network: Network, tmp_path: Path) -> Path:
    """A proposal to let the merchant issue 700."""
    file = tmp_path / "allowance.json"
    made = alatau(
        "council", "propose", "SettlementToken", "set-issuer-allowance", f"subject={MERCHANT_TEXT}", "value=700",
        "-o", file, *network.sender(MEMBERS[0]), *network.at, "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    assert made.json()["decision"] == json.loads(file.read_text())["id"]
    return file


def state_of(alatau: Alatau, network: Network, file: Path) -> dict[str, Any]:
    """What ``council show`` says."""
    shown: dict[str, Any] = alatau("council", "show", file, *network.at, "--json").json()
    return shown


def test_a_decision_from_proposal_to_effect(alatau: Alatau, network: Network, proposed: Path, tmp_path: Path) -> None:
    """Two members sign copies on machines without a network; anyone carries them; it is executed when it is ripe."""
    copies = []
    for number, member in enumerate(MEMBERS[:2]):
        copy = tmp_path / f"copy{number}.json"
        shutil.copy(proposed, copy)
        signed = alatau("council", "sign", copy, "--yes", *network.sender(member), "--json")
        assert signed.code == 0, signed.err
        assert "0x" + member.address.hex() == signed.json()["signer"]
        copies.append(copy)
    early = alatau("council", "execute", copies[0], *network.sender(RESIDENT), *network.at)
    assert (early.code, "is proposed: only an approved one" in early.err) == (1, True)
    approved = alatau("council", "approve", *copies, *network.sender(RESIDENT), *network.at, "--json")
    assert approved.code == 0, approved.err
    assert approved.json()["state"] == "approved"
    assert state_of(alatau, network, copies[0])["ready_at"] == approved.json()["ready_at"]
    unripe = alatau("council", "execute", copies[0], *network.sender(RESIDENT), *network.at)
    assert (unripe.code, "decision: not ripe" in unripe.err) == (1, True)
    network.commit_block()
    done = alatau("council", "execute", copies[0], "--wait", *network.sender(RESIDENT), *network.at, "--json")
    assert done.code == 0, done.err
    assert done.json()["state"] == "executed"
    allowed = alatau("call", "SettlementToken", "issuer_allowance", MERCHANT_TEXT, *network.at, "--json")
    assert allowed.json() == {"result": 700}


def test_what_is_signed_is_shown_before_it_is_asked(
    alatau: Alatau, network: Network, proposed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every member, with the contract, the chain and the time in words; who says no has signed nothing."""
    before = proposed.read_bytes()
    monkeypatch.setattr("click.confirm", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    refused = alatau("council", "sign", proposed, *network.sender(MEMBERS[0]))
    assert refused.code == 130
    for expected in ("set issuer allowance", MERCHANT_TEXT, "700", "SettlementToken", "7773", "UTC", "any time after"):
        assert expected in refused.err
    assert proposed.read_bytes() == before


def test_too_few_signatures_are_counted(alatau: Alatau, network: Network, proposed: Path) -> None:
    """Who may still sign is said; a stranger's signature counts for nothing and is named."""
    for signer in (MEMBERS[0], RESIDENT):
        assert alatau("council", "sign", proposed, "--yes", *network.sender(signer)).code == 0
    outcome = alatau("council", "approve", proposed, *network.sender(RESIDENT), *network.at)
    assert outcome.code == 1
    assert "1 of 2 signatures" in outcome.err
    assert "0x" + MEMBERS[1].address.hex() in outcome.err
    assert f"0x{RESIDENT.address.hex()} signed but is no member" in outcome.err
    assert state_of(alatau, network, proposed)["state"] == "proposed"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["typed_data"]["message"].update(value=9_999_999), "changed after it was proposed"),
        (lambda d: d["typed_data"]["message"].update(action="lift pause"), "changed after it was proposed"),
        (lambda d: d["typed_data"]["message"].update(action="do good"), "no act of TokenChange"),
        (lambda d: d["typed_data"]["message"].update(value=-1), "value is no uint256"),
        (lambda d: d["typed_data"]["message"].pop("subject"), "lacks subject"),
        (lambda d: d["typed_data"]["domain"].update(verifyingContract="0x" + "11" * 20), "SettlementToken is"),
        (lambda d: d["typed_data"].update(primaryType="Permit"), "decides on no 'Permit'"),
        (lambda d: d["typed_data"]["types"].pop("Terms"), "would be signed as something else"),
        (lambda d: d.update(contract="Treasury"), "contract is 'Treasury'"),
        (lambda d: d.update(format="alatau decision 2"), "format is"),
        (lambda d: d.update(signatures=[{"signer": MERCHANT_TEXT, "signature": "0x" + "01" * 65}]), "malformed"),
        (lambda d: d.update(signatures=[{"signer": MERCHANT_TEXT, "signature": "0x12"}]), "malformed: 1 bytes"),
        (lambda d: d.update(signatures=[{"signer": MERCHANT_TEXT, "signature": "0x123"}]), "hexadecimal digits"),
        (lambda d: d.update(signatures={}), "no array"),
        (lambda d: d.update(more=1), "no object with"),
    ],
)
def test_a_changed_file_is_not_signed(
    alatau: Alatau, network: Network, proposed: Path, change: Any, message: str
) -> None:
    """What differs from what was proposed is found before anybody is asked."""
    document = json.loads(proposed.read_text())
    change(document)
    proposed.write_text(json.dumps(document))
    before = proposed.read_bytes()
    outcome = alatau("council", "sign", proposed, "--yes", *network.sender(MEMBERS[0]))
    assert outcome.code == 1
    assert message in outcome.err
    assert proposed.read_bytes() == before


def test_a_signature_under_another_decision_is_found(alatau: Alatau, network: Network, proposed: Path) -> None:
    """A signer's name over somebody else's signature neither is carried nor hides."""
    alatau("council", "sign", proposed, "--yes", *network.sender(MEMBERS[0]))
    document = json.loads(proposed.read_text())
    document["signatures"][0]["signer"] = "0x" + MEMBERS[1].address.hex()
    proposed.write_text(json.dumps(document))
    outcome = alatau("council", "approve", proposed, *network.sender(RESIDENT), *network.at)
    assert (outcome.code, "is not by it" in outcome.err) == (1, True)


def test_the_guardian_vetoes(alatau: Alatau, network: Network, proposed: Path) -> None:
    """And only the guardian; afterwards nothing can be done with it."""
    stranger = alatau("council", "veto", proposed, *network.sender(RESIDENT), *network.at)
    assert (stranger.code, "only the guardian" in stranger.err) == (1, True)
    vetoed = alatau("council", "veto", proposed, *network.sender(GUARDIAN), *network.at, "--json")
    assert (vetoed.code, vetoed.json()["state"]) == (0, "vetoed")
    for member in MEMBERS[:2]:
        alatau("council", "sign", proposed, "--yes", *network.sender(member))
    outcome = alatau("council", "approve", proposed, *network.sender(RESIDENT), *network.at)
    assert (outcome.code, "is vetoed" in outcome.err) == (1, True)


def test_members_sign_by_chip_and_passkey(alatau: Alatau, network: Network, tmp_path: Path) -> None:
    """A council of three keys of two curves: what was signed elsewhere is attached, checked, carried, executed."""
    chip, passkey = ChipKey("member"), Passkey("another member")
    seat(alatau, network, tmp_path, [MEMBERS[0].address, chip.address, passkey.address])
    file = tmp_path / "allowance.json"
    made = alatau(
        "council", "propose", "SettlementToken", "set-issuer-allowance", f"subject={MERCHANT_TEXT}", "value=700",
        "-o", file, *network.sender(MEMBERS[0]), *network.at, "--json",
    )  # fmt: skip
    identity = bytes.fromhex(made.json()["decision"][2:])
    for signer, by in ((chip, passkey), (passkey, chip)):
        wrong = attach(alatau, file, signer.address, by.sign(identity))
        assert (wrong.code, "is not by it" in wrong.err) == (1, True)
    elsewhere = attach(alatau, file, passkey.address, passkey.sign(identity, site=sha256(b"example.com").digest()))
    assert elsewhere.code == 0, elsewhere.err
    assert attach(alatau, file, chip.address, chip.sign(identity)).code == 0
    refused = alatau("council", "approve", file, *network.sender(RESIDENT), *network.at)
    assert (refused.code, "sign with a passkey of its own site" in refused.err) == (1, True)
    assert attach(alatau, file, passkey.address, passkey.sign(identity)).code == 0
    approved = alatau("council", "approve", file, *network.sender(RESIDENT), *network.at, "--json")
    assert approved.code == 0, approved.err
    network.commit_block()
    done = alatau("council", "execute", file, "--wait", *network.sender(RESIDENT), *network.at, "--json")
    assert done.code == 0, done.err
    allowed = alatau("call", "SettlementToken", "issuer_allowance", MERCHANT_TEXT, *network.at, "--json")
    assert allowed.json() == {"result": 700}


def attach(alatau: Alatau, file: Path, signer: bytes, signature: bytes) -> Any:
    """What ``council attach`` does with a signature."""
    return alatau("council", "attach", file, "--signer", "0x" + signer.hex(), "--signature", "0x" + signature.hex())


def seat(alatau: Alatau, network: Network, folder: Path, members: list[bytes]) -> None:
    """Give the fund council other members, of whom two decide."""
    file = folder / "seats.json"
    seats = json.dumps(sorted("0x" + member.hex() for member in members))
    made = alatau(
        "council", "propose", "FundCouncil", "membership", f"members={seats}", "threshold=2",
        f"guardian=0x{GUARDIAN.address.hex()}", "-o", file, *network.sender(MEMBERS[0]), *network.at,
    )  # fmt: skip
    assert made.code == 0, made.err
    for member in MEMBERS[:2]:
        alatau("council", "sign", file, "--yes", *network.sender(member))
    assert alatau("council", "approve", file, *network.sender(RESIDENT), *network.at).code == 0
    network.commit_block()
    executed = alatau("council", "execute", file, "--wait", *network.sender(RESIDENT), *network.at)
    assert executed.code == 0, executed.err


def test_a_council_changes_itself_and_what_was_pending_is_void(
    alatau: Alatau, network: Network, proposed: Path, tmp_path: Path
) -> None:
    """Arrays are signed too; signatures under the old policy count no more, and the message says so."""
    file = tmp_path / "membership.json"
    keep = json.dumps(sorted("0x" + key.address.hex() for key in MEMBERS[:2]))
    made = alatau(
        "council", "propose", "FundCouncil", "membership", f"members={keep}", "threshold=2",
        f"guardian=0x{GUARDIAN.address.hex()}", "-o", file, *network.sender(MEMBERS[0]), *network.at,
    )  # fmt: skip
    assert made.code == 0, made.err
    for member in MEMBERS[:2]:
        alatau("council", "sign", file, "--yes", *network.sender(member))
        alatau("council", "sign", proposed, "--yes", *network.sender(member))
    assert alatau("council", "approve", file, *network.sender(RESIDENT), *network.at).code == 0
    network.commit_block()
    executed = alatau("council", "execute", file, "--wait", *network.sender(RESIDENT), *network.at)
    assert executed.code == 0, executed.err
    outcome = alatau("council", "approve", proposed, *network.sender(RESIDENT), *network.at)
    assert (outcome.code, "the council has changed since" in outcome.err) == (1, True)
    assert "the council has changed" in state_of(alatau, network, proposed)["void"]


def test_a_proposal_that_is_refused_leaves_no_file(alatau: Alatau, network: Network, tmp_path: Path) -> None:
    """A resident may not propose another council; a file that is there is not written over."""
    file = tmp_path / "membership.json"
    arguments = (
        "council", "propose", "FundCouncil", "membership", f'members=["{MERCHANT_TEXT}"]', "threshold=1",
        f"guardian=0x{GUARDIAN.address.hex()}", "-o", file, *network.sender(RESIDENT), *network.at,
    )  # fmt: skip
    refused = alatau(*arguments)
    assert (refused.code, "council: not a member" in refused.err) == (1, True)
    assert not file.exists()
    file.write_text("precious")
    assert "exists already" in alatau(*arguments).err
    assert file.read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("Mint", "lift-pause"), "'Mint' is none of"),
        (("SettlementToken", "mint"), "decides on set-issuer-allowance"),
        (("SettlementToken", "set-issuer-allowance", "value=1"), "needs subject"),
        (("SettlementToken", "set-issuer-allowance", "amount=1"), "has no 'amount'; it takes subject, value"),
        (("SettlementToken", "set-issuer-allowance", "value"), "not NAME=VALUE"),
        (("SettlementToken", "set-issuer-allowance", "value=1", "value=2"), "given twice"),
        (("SettlementToken", "set-issuer-allowance", "value=lots"), "no whole number"),
        (("SettlementToken", "set-issuer-allowance", "subject=0x12", "value=1"), "an address"),
    ],
)
def test_a_wrong_proposal_is_explained(
    alatau: Alatau, network: Network, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """With what there is to choose from; nothing is written."""
    file = tmp_path / "x.json"
    outcome = alatau("council", "propose", *words, "-o", file, *network.sender(RESIDENT), *network.at)
    assert outcome.code in (1, 2)
    assert message in outcome.err
    assert not file.exists()


def test_what_may_be_decided_is_listed(alatau: Alatau) -> None:
    """Without a network; every contract of genesis has something."""
    rows = alatau("council", "list", "--json").json()
    assert {"contract": "ChannelPause", "decision": "lift-pause", "members": "-"} in rows
    assert len({row["contract"] for row in rows}) == 9


def test_a_veto_is_overridden_by_three_quarters(alatau: Alatau, network: Network, proposed: Path) -> None:
    """By signatures of their own, in the same file; those of the approval do not count, and too few are named."""
    for member in MEMBERS:
        assert alatau("council", "sign", proposed, "--yes", *network.sender(member)).code == 0
    early = alatau("council", "override", proposed, *network.sender(RESIDENT), *network.at)
    assert (early.code, "is proposed: only a vetoed one" in early.err) == (1, True)
    assert alatau("council", "veto", proposed, *network.sender(GUARDIAN), *network.at).code == 0
    for number, member in enumerate(MEMBERS, start=1):
        few = alatau("council", "override", proposed, *network.sender(RESIDENT), *network.at)
        assert (few.code, f"{number - 1} of 3 signatures that override" in few.err) == (1, True)
        assert "0x" + member.address.hex() in few.err
        signed = alatau("council", "sign", proposed, "--override", "--yes", *network.sender(member), "--json")
        assert (signed.code, signed.json()["override_signatures"]) == (0, number), signed.err
    overridden = alatau("council", "override", proposed, *network.sender(RESIDENT), *network.at, "--json")
    assert (overridden.code, overridden.json()["state"]) == (0, "approved"), overridden.err
    again = alatau("council", "veto", proposed, *network.sender(GUARDIAN), *network.at)
    assert (again.code, "there is no second one" in again.err) == (1, True)
    shown = alatau("council", "show", proposed, *network.at)
    assert "veto overridden by" in shown.err


def test_an_override_under_another_name_is_found(alatau: Alatau, network: Network, proposed: Path) -> None:
    """As a signature of the decision is: also one that approves it, put in the place of one that overrides."""
    alatau("council", "sign", proposed, "--yes", *network.sender(MEMBERS[0]))
    document = json.loads(proposed.read_text())
    document["override_signatures"] = document["signatures"]
    proposed.write_text(json.dumps(document))
    outcome = alatau("council", "sign", proposed, "--override", "--yes", *network.sender(MEMBERS[1]))
    assert (outcome.code, "is not by it" in outcome.err) == (1, True)


def test_a_successor_is_named_with_its_address(alatau: Alatau, network: Network, tmp_path: Path) -> None:
    """Proposed, signed and approved there; whoever signs is told that genesis does not know it."""
    file = tmp_path / "council.json"
    board = "FundCouncil@0x" + addresses.RESERVE_COUNCIL.hex()
    keep = json.dumps(sorted("0x" + key.address.hex() for key in MEMBERS))
    made = alatau(
        "council", "propose", board, "membership", f"members={keep}", "threshold=2",
        f"guardian=0x{GUARDIAN.address.hex()}", "-o", file, *network.sender(MEMBERS[0]), *network.at, "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    assert "Reserve Board" in made.err
    for member in MEMBERS[:2]:
        assert alatau("council", "sign", file, "--yes", *network.sender(member)).code == 0
    approved = alatau("council", "approve", file, *network.sender(RESIDENT), *network.at, "--json")
    assert (approved.code, approved.json()["state"]) == (0, "approved"), approved.err
    elsewhere = json.loads(file.read_text()) | {"contract": "FundCouncil@0x" + "11" * 20}
    file.write_text(json.dumps(elsewhere))
    outcome = alatau("council", "sign", file, "--yes", *network.sender(MEMBERS[0]))
    assert (outcome.code, "typed_data is for 0x" in outcome.err) == (1, True)
    for wrong in ("Treasury", "ReserveVault@0x12", "Treasury@0x" + "11" * 20):
        words = ("council", "propose", wrong, "membership", "-o", tmp_path / "x.json")
        refused = alatau(*words, *network.sender(MEMBERS[0]))
        assert (refused.code, "is none of FundCouncil" in refused.err) == (2, True)
