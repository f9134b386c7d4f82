"""The reserve as its people run it: on machines apart, with keystores, files and the command line, on four nodes."""

import time

import pytest

from alatau.artifacts import addresses
from alatau_devnet import accounts
from alatau_devnet.network import Devnet
from tests.e2e.people import Person, person

pytestmark = [pytest.mark.e2e, pytest.mark.slow]  # 150 s

TOKEN = "0x" + addresses.SETTLEMENT_TOKEN.hex()
VAULT = "0x" + addresses.RESERVE_VAULT.hex()
NO_HASH = "0x" + "00" * 32
LEGAL_BASIS, CASE, ORDER = ("0x" + digits * 32 for digits in ("1e", "ca", "0d"))
NATIONAL_FUND, CONFISCATED = 8, 1
UNIT = 100
"""Smallest units of a token."""

DELAY_S = 3
FOREVER = 2**64 - 1


@pytest.fixture(scope="module")
def people(lent_network: Devnet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Person]:
    """Three machines: the investment corporation's, the National Bank's, the court's. Everybody has a folder."""
    folder = tmp_path_factory.mktemp("people")
    machines = {
        0: (accounts.PROPOSER, accounts.CUSTODIAN, accounts.AUDITOR, accounts.resident(1)),
        1: (*accounts.RESERVE_BOARD, accounts.DEVELOPER),
        2: (accounts.COURT, accounts.PROSECUTOR, accounts.GUARDIAN),
    }
    found = {name: person(lent_network, folder, name, node) for node, names in machines.items() for name in names}
    custodian = found[accounts.CUSTODIAN]
    custodian.sends("SettlementToken", "approve", VAULT, 90_000 * UNIT)
    custodian.sends("ReserveVault", "deposit", TOKEN, 90_000 * UNIT, NATIONAL_FUND, NO_HASH)
    return found


def propose(by: Person, file: str, amount: int) -> str:
    """Propose a release to the treasury; gives the decision."""
    made = by.does(
        "council", "propose", "ReserveVault", "release", f"asset={TOKEN}",
        f"to=0x{accounts.address_of(accounts.TREASURY).hex()}", f"amount={amount}", f"provenance={NATIONAL_FUND}",
        "purpose=Heating subsidy", f"legalBasisHash={LEGAL_BASIS}", f"caseId={NO_HASH}", "-o", by.file(file),
    )  # fmt: skip
    return str(made["decision"])


def test_a_release_goes_from_hand_to_hand(people: dict[str, Person]) -> None:
    """Proposed by one, signed by two on copies, carried by a stranger, executed once; the journal proves it."""
    proposer, carrier = people[accounts.PROPOSER], people[accounts.DEVELOPER]
    first, second, third = (people[name] for name in accounts.RESERVE_BOARD)
    decision = propose(proposer, "release.json", 1_000 * UNIT)
    for member in (first, second):
        proposer.gives("release.json", member)
        copy = member.file("proposer_release.json")
        assert member.does("council", "show", copy, signs=False)["state"] == "proposed"
        member.does("council", "sign", copy, "--yes")
        member.gives("proposer_release.json", carrier)
    one, two = (carrier.file(f"{member.name}_proposer_release.json") for member in (first, second))
    assert "1 of 2 signatures" in carrier.fails("council", "approve", one)
    approved = carrier.does("council", "approve", one, two)
    assert (approved["state"], approved["decision"]) == ("approved", decision)
    before = third.reads("SettlementToken", "balanceOf", "0x" + accounts.address_of(accounts.TREASURY).hex())
    assert carrier.does("council", "execute", one, "--wait")["state"] == "executed"
    after = third.reads("SettlementToken", "balanceOf", "0x" + accounts.address_of(accounts.TREASURY).hex())
    assert after - before == 1_000 * UNIT
    assert "only an approved one can be executed" in carrier.fails("council", "execute", one)

    auditor = people[accounts.AUDITOR]
    journal = auditor.file("journal.json")
    exported = auditor.does("reserve", "journal", "-o", journal, "--sequential", signs=False)
    assert exported["head"] == third.reads("ReserveVault", "journal_head")
    statements = []
    for reader in (auditor, third):
        file = reader.file("statement.json")
        as_of = exported["proved_at_height"] - 2
        reader.does("reserve", "statement", "--as-of", as_of, "-o", file, "--sequential", signs=False)
        statements.append(file.read_bytes())
    assert statements[0] == statements[1]


def test_a_veto_and_the_larger_majority(people: dict[str, Person]) -> None:
    """The guardian ends an approved release; three of three insist on copies, and three delays later it is paid."""
    proposer, guardian, carrier = (people[n] for n in (accounts.PROPOSER, accounts.GUARDIAN, accounts.DEVELOPER))
    board = [people[name] for name in accounts.RESERVE_BOARD]
    propose(proposer, "vetoed.json", 500 * UNIT)
    proposer.gives("vetoed.json", guardian)
    guardian.does("council", "veto", guardian.file("proposer_vetoed.json"))
    assert "only the guardian" in proposer.fails("council", "veto", proposer.file("vetoed.json"))
    copies = []
    for member in board:
        proposer.gives("vetoed.json", member)
        copy = member.file("proposer_vetoed.json")
        member.does("council", "sign", copy, "--override", "--yes")
        member.gives("proposer_vetoed.json", carrier)
        copies.append(carrier.file(f"{member.name}_proposer_vetoed.json"))
    assert "2 of 3 signatures that override" in carrier.fails("council", "override", *copies[:2])
    overridden = carrier.does("council", "override", *copies)
    assert overridden["state"] == "approved"
    assert "there is no second one" in guardian.fails("council", "veto", guardian.file("proposer_vetoed.json"))
    assert carrier.does("council", "execute", copies[0], "--wait")["state"] == "executed"


def test_limits_and_expiry(people: dict[str, Person]) -> None:
    """Above the limit nothing is proposed; what expires is approved by nobody, though two have confirmed it."""
    proposer, carrier = people[accounts.PROPOSER], people[accounts.DEVELOPER]
    first, second, _ = (people[name] for name in accounts.RESERVE_BOARD)
    treasury = "0x" + accounts.address_of(accounts.TREASURY).hex()
    large = ("council", "propose", "ReserveVault", "release", f"asset={TOKEN}", f"to={treasury}", "provenance=8")
    words = ("purpose=All of it", f"legalBasisHash={LEGAL_BASIS}", f"caseId={NO_HASH}", "-o", proposer.file("all.json"))
    assert "limit: above capacity" in proposer.fails(*large, f"amount={500_001 * UNIT}", *words)
    assert not proposer.file("all.json").exists()

    policy = proposer.reads("ReserveCouncil", "policy_version")
    expires = int(time.time()) + 2 * DELAY_S + 6
    intent = f'["{TOKEN}","{treasury}",100,8,"Short","{LEGAL_BASIS}","{NO_HASH}",[{policy},7,0,{expires}]]'
    identity = proposer.reads("ReserveVault", "intent_id", intent)
    proposer.sends("ReserveVault", "propose_release", intent)
    for member in (first, second):
        member.sends("ReserveCouncil", "confirm", identity)
    signers = sorted((first.address, second.address))
    approvals = f'[["{signers[0]}","0x"],["{signers[1]}","0x"]]'
    time.sleep(max(0, expires - time.time()) + 1)
    refused = carrier.fails("tx", "invoke", "ReserveVault", "approve_decision", identity, approvals)
    assert "decision: expired" in refused


def test_a_case_is_confiscated_and_returned(people: dict[str, Person]) -> None:
    """Court and prosecutor, from their own machine; a frozen resident pays only what is not frozen."""
    court, prosecutor, resident = (people[n] for n in (accounts.COURT, accounts.PROSECUTOR, accounts.resident(1)))
    resident.sends("SettlementToken", "transfer", court.address, 700)
    court.sends("SettlementToken", "approve", VAULT, 700)
    court.sends("ReserveVault", "deposit", TOKEN, 700, CONFISCATED, CASE)
    court.sends("ReserveVault", "order_return", CASE, resident.address, ORDER)
    early = court.fails("tx", "invoke", "ReserveVault", "execute_return", CASE, TOKEN)
    assert "case: not ripe" in early
    other = prosecutor.fails("tx", "invoke", "ReserveVault", "confirm_case", CASE, prosecutor.address, ORDER)
    assert "case: decided otherwise" in other
    prosecutor.sends("ReserveVault", "confirm_case", CASE, resident.address, ORDER)
    before = resident.reads("SettlementToken", "balanceOf", resident.address)
    time.sleep(DELAY_S + 2)
    resident.sends("ReserveVault", "execute_return", CASE, TOKEN)
    assert resident.reads("SettlementToken", "balanceOf", resident.address) == before + 700

    court.sends("ParticipantRegistry", "freeze", resident.address, ORDER, before, FOREVER)
    frozen = resident.fails("tx", "invoke", "SettlementToken", "transfer", court.address, 701)
    assert "token: frozen" in frozen
    resident.sends("SettlementToken", "transfer", court.address, 700)
    court.sends("ParticipantRegistry", "release", resident.address, ORDER)
    resident.sends("SettlementToken", "transfer", court.address, 1)


def test_positions_are_attested_disputed_and_attested_anew(people: dict[str, Person]) -> None:
    """Custodian and auditor sign apart; a dispute shrinks the limit to a quarter until the auditor signs again."""
    custodian, auditor, carrier = (people[n] for n in (accounts.CUSTODIAN, accounts.AUDITOR, accounts.DEVELOPER))
    (position,) = carrier.does("reserve", "positions", signs=False)
    assert position["quantity_seen"] == "never"

    def attested(number: int) -> None:
        files = []
        for attester in (custodian, auditor):
            file = attester.file(f"gold_{number}.json")
            attester.does(
                "reserve", "attest", position["position"], "--quantity", "8000", "--price", 1_200_000 * UNIT,
                "--evidence", LEGAL_BASIS, "-o", file, "--yes",
            )  # fmt: skip
            attester.gives(file.name, carrier)
            files.append(carrier.file(f"{attester.name}_{file.name}"))
        assert carrier.does("reserve", "report", *files)["report"] == number

    def tier() -> str:
        return str(carrier.does("reserve", "show", signs=False)["assets"][1]["tier"])

    attested(1)
    auditor.sends("PositionLedger", "assure", custodian.address, LEGAL_BASIS, int(time.time()) + 86_400)
    assert tier() == "100 %"
    auditor.sends("PositionLedger", "dispute", position["position"], LEGAL_BASIS)
    assert tier() == "25 %"
    (shown,) = carrier.does("reserve", "positions", signs=False)
    assert shown["counts_for_minting"] == "no: an auditor disputes it"
    time.sleep(1)
    attested(2)
    assert tier() == "100 %"
