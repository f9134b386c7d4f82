"""Contracts are replaced on a running network, by the commands of docs/upgrades.md: a registry, and a filled vault."""

import json
import shutil
from typing import Any

import pytest

from alatau.artifacts import addresses
from alatau.artifacts.artifact import SOURCES, sources_root
from alatau_devnet import accounts
from alatau_devnet.network import Devnet, start_nodes
from alatau_devnet.processes import stop_processes
from alatau_devnet.watch import height_of, wait_for_height
from tests.e2e.agreement import RECOVERY_S
from tests.e2e.people import Person, person

pytestmark = [pytest.mark.e2e, pytest.mark.slow]  # 160 s

TOKEN = "0x" + addresses.SETTLEMENT_TOKEN.hex()
ZERO, NO_HASH = "0x" + "00" * 20, "0x" + "00" * 32
FUND, BOARD = ("0x" + address.hex() for address in (addresses.FUND_COUNCIL, addresses.RESERVE_COUNCIL))
LEGAL_BASIS = "0x" + "1e" * 32
DELAY_S, LARGE_DELAY_S = 3, 12
CUSTODIAN, NATIONAL_FUND, CONTRACT = 2, 8, 4


@pytest.fixture(scope="module")
def people(lent_network: Devnet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Person]:
    """Everybody who has a part in it, at the node of his institution."""
    folder = tmp_path_factory.mktemp("people")
    names = (*accounts.FUND_COUNCIL, *accounts.RESERVE_BOARD, accounts.DEVELOPER, accounts.LICENSOR)
    names += (accounts.PROPOSER, accounts.CUSTODIAN)
    return {name: person(lent_network, folder, name, number % 4) for number, name in enumerate(names)}


def deployed(developer: Person, name: str, *arguments: object) -> str:
    """Deploy a contract of ours from its source; gives its address."""
    root = sources_root()
    assert root is not None
    abi = developer.file(f"{name}.abi.json")
    made = developer.does("deploy", root / SOURCES[name], *arguments, "--abi-output", abi)
    return str(made["contract"])


def decided(
    people: dict[str, Person],
    by: str,
    contract: str,
    decision: str,
    *values: str,
    boards: tuple[str, ...],
    endorsed: bool,
) -> str:
    """A decision from its proposal to its effect: endorsed by the fund council where it raises the vault's risk."""
    proposer, carrier = people[by], people[accounts.DEVELOPER]
    file = proposer.file(f"{len(list(proposer.folder.iterdir()))}.json")
    made = proposer.does("council", "propose", contract, decision, *values, "-o", file)
    # Two files: who endorses is no one who approves.
    steps = [("endorse", accounts.FUND_COUNCIL[:2])] if endorsed else []
    for step, members in (*steps, ("approve", boards)):
        copies = []
        for member in (people[name] for name in members):
            copy = member.file(f"{step}_{file.name}")
            shutil.copy(file, copy)
            member.does("council", "sign", copy, "--yes")
            copies.append(copy)
        carrier.does("council", step, *copies)
    carrier.does("council", "execute", file, "--wait")
    return str(made["decision"])


def test_the_validator_registry_is_replaced(lent_network: Devnet, people: dict[str, Person]) -> None:
    """The same four decide before and after; the council changes the set in the new one, also seen after a restart."""
    developer, member = people[accounts.DEVELOPER], accounts.FUND_COUNCIL[0]
    rows = json.dumps(developer.reads("ValidatorRegistry", "validators"))
    observers = json.dumps(developer.reads("ValidatorRegistry", "observers"))
    new = deployed(developer, "ValidatorRegistry", FUND, DELAY_S, rows, observers)
    copied = developer.does("call", new, "validators", "--abi", "ValidatorRegistry", signs=False)["result"]
    assert json.dumps(copied) == rows
    before = developer.does("validators", signs=False)

    council = accounts.FUND_COUNCIL[:2]
    decided(people, member, "ValidatorRegistry", "hand-over", f"successor={new}", boards=council, endorsed=False)
    assert developer.reads("ValidatorRegistry", "successor") == new
    assert _sets(developer.does("validators", signs=False)) == _sets(before)

    row = json.loads(rows)[0]
    power = int(row[4]) + int(row[4]) // 10
    decided(
        people, member, f"ValidatorRegistry@{new}", "set-power", f"operator={row[0]}", f"power={power}",
        boards=council, endorsed=False,
    )  # fmt: skip
    wait_for_height(lent_network.nodes, max(map(height_of, lent_network.nodes)) + 2, RECOVERY_S)
    stop_processes([lent_network.nodes[3].home])
    start_nodes(lent_network, lent_network.nodes[3:])
    wait_for_height(lent_network.nodes, max(map(height_of, lent_network.nodes)) + 1, RECOVERY_S)
    for name in (accounts.DEVELOPER, accounts.FUND_COUNCIL[0], accounts.RESERVE_BOARD[0]):
        listed = people[name].does("validators", signs=False)
        assert power in [int(one["power"]) for one in _sets(listed)]
    assert power in [one["power"] for one in developer.does("validator", "list", signs=False)]


def test_a_filled_vault_is_replaced(people: dict[str, Person]) -> None:
    """The reserve goes over by a release that a courier carries on, and is the same in the new vault's books."""
    developer, licensor, custodian = (people[n] for n in (accounts.DEVELOPER, accounts.LICENSOR, accounts.CUSTODIAN))
    vault = "0x" + addresses.RESERVE_VAULT.hex()
    custodian.sends("SettlementToken", "approve", vault, 5_000_00)
    custodian.sends("ReserveVault", "deposit", TOKEN, 5_000_00, NATIONAL_FUND, NO_HASH)
    roles = json.dumps([["0x" + accounts.address_of(accounts.PROPOSER).hex(), 1]])
    treasury = "0x" + accounts.address_of(accounts.TREASURY).hex()
    assets = json.dumps([[TOKEN, 500_000_00, 100, 100_000_00]])
    ledger = "0x" + addresses.POSITION_LEDGER.hex()
    new = deployed(
        developer, "ReserveVault", BOARD, FUND, DELAY_S, LARGE_DELAY_S, roles, json.dumps([treasury]), assets, ledger
    )
    courier = deployed(developer, "ReserveCourier", vault, new, ZERO)
    for contract in (new, courier):
        licensor.sends("ParticipantRegistry", "admit_institution", contract, CONTRACT)
    board, member = accounts.RESERVE_BOARD[:2], accounts.RESERVE_BOARD[0]
    decided(people, member, "ReserveVault", "allow-destination", f"subject={courier}", boards=board, endorsed=True)
    decided(
        people, member, f"ReserveVault@{new}", "grant-role", f"subject={courier}", f"value={CUSTODIAN}",
        boards=board, endorsed=True,
    )  # fmt: skip
    released = decided(
        people, accounts.PROPOSER, "ReserveVault", "release", f"asset={TOKEN}", f"to={courier}", "amount=500000",
        f"provenance={NATIONAL_FUND}", "purpose=To the new vault", f"legalBasisHash={LEGAL_BASIS}",
        f"caseId={NO_HASH}", boards=board, endorsed=False,
    )  # fmt: skip
    developer.does("tx", "invoke", courier, "carry", released, "--abi", "ReserveCourier")

    def of_new(function: str, *arguments: object) -> Any:
        call = ("call", new, function, *arguments, "--abi", "ReserveVault")
        return developer.does(*call, signs=False)["result"]

    assert of_new("held", TOKEN) == of_new("ledger", TOKEN, NATIONAL_FUND) == 5_000_00
    assert developer.reads("SettlementToken", "balanceOf", new) == 5_000_00
    assert developer.reads("ReserveVault", "held", TOKEN) == 0
    assert developer.reads("SettlementToken", "balanceOf", courier) == 0
    decided(people, member, f"ReserveVault@{new}", "withdraw-role", f"subject={courier}", boards=board, endorsed=False)
    assert of_new("role_of", courier) == 0


def _sets(listed: Any) -> list[dict[str, Any]]:
    """The validators of a listing, without its height."""
    return list(listed["validators"] if isinstance(listed, dict) else listed)
