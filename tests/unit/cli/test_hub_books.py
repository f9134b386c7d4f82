"""``alatau hub day-book``, ``proof`` and ``audit`` on the disk of a hub, with a chain that holds the root."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trio

from alatau.app.home import Home
from alatau.app.hub.home import HUB as HUB_SERVICE
from alatau.app.private_file import write_private
from alatau.books.day_root import is_included
from alatau.books.proof_json import read_proof
from alatau.cli.main import run
from alatau.transport.certificates import trust_anchor
from tests.support.hub_city import node_identity
from tests.support.hub_evening import DAY, Evening, in_the_evening
from tests.support.iso20022_schema import schema_of
from tests.support.waiting import eventually

DATE = "2023-11-13"
BIC = "HSBKKZKX"
IBAN = "KZ86125KZT5004100100"


@dataclass
class Desk:
    """The operator's folder, and what the command line answers."""

    home: Home
    node: tuple[str, ...]
    capsys: pytest.CaptureFixture[Any]

    def __call__(self, *arguments: object) -> tuple[int, bytes, str]:
        """Code, standard output, standard error."""
        self.capsys.readouterr()
        code = run(["--home", str(self.home.folder), "hub", *map(str, arguments)])
        told = self.capsys.readouterr()
        return code, told.out, told.err


def at_the_desk(folder: Path, capsys: Any, story: Callable[[Desk, bytes, bytes], None]) -> None:
    """Run a story on a copy of the disk after the day was posted, with the resident's channel and the word on chain."""

    async def evening_story(evening: Evening) -> None:
        hub = evening.city.hub
        assert hub is not None
        await evening.resident._open_link().withdraw(200, int(evening.clock.now) + 600)
        evening.clock.now += 86_400
        await eventually(lambda: hub.store.journal.closed_day == DAY and not hub.days.waiting())
        word = await evening.posted()
        assert word is not None
        assert evening.resident.state is not None
        home = Home(folder / "operator")
        ca = folder / "ca.pem"
        ca.write_bytes(trust_anchor(node_identity().public_key))
        (folder / "password").write_text("correct horse battery\n")
        (folder / "password").chmod(0o600)
        made = ["--home", str(home.folder), "hub", "init", "--node", evening.city.chain.endpoint, "--node-ca", str(ca)]
        assert run([*made, "--weak-keystore", "--password-file", str(folder / "password")]) == 0
        config = home.config_file.read_text().replace('# time_zone = "Asia/Almaty"', 'time_zone = "UTC"')
        home.config_file.write_text(config)
        shutil.copytree(folder / "hub", home.database, ignore=shutil.ignore_patterns("alatau.lock"))
        desk = Desk(home, ("--node", evening.city.chain.endpoint, "--ca", str(ca)), capsys)
        channel = evening.resident.state.id
        await trio.to_thread.run_sync(story, desk, channel, word)

    in_the_evening(folder, evening_story)


def test_an_auditor_checks_an_export_against_the_chain(tmp_path: Path, capsysbinary: Any) -> None:
    """What the operator writes is right by the chain; a unit more anywhere, and the first difference is named."""

    def story(desk: Desk, channel: bytes, word: bytes) -> None:
        export = tmp_path / "day.jsonl"
        code, _, err = desk("day-book", "--day", DATE, "--out", export)
        assert (code, b"bytes in" in err) == (0, True), err
        code, out, err = desk("audit", export, "--day", DATE, "--json", *desk.node)
        assert code == 0, err
        told = json.loads(out)
        assert (told["difference"], told["channels_in_the_book"], told["compared_with_the_chain"]) == (None, 2, True)
        spoiled = tmp_path / "spoiled.jsonl"
        lines = export.read_text().splitlines()
        paid = next(n for n, line in enumerate(lines) if '"kind":"payment"' in line)
        lines[paid] = lines[paid].replace('"300"', '"301"').replace("3.00", "3.01")
        spoiled.write_text("\n".join(lines) + "\n")
        code, out, _ = desk("audit", spoiled, "--json", *desk.node)
        assert (code, "the export says" in json.loads(out)["difference"]) == (7, True)
        totals = next(n for n, line in enumerate(lines) if '"record":"totals"' in line)
        assert word.hex() in lines[totals]
        code, _, err = desk("audit", export, "--day", "2023-11-12", *desk.node)
        assert (code, b"is of 2023-11-13" in err) == (3, True)
        code, out, _ = desk("proof", f"0x{channel.hex()}", "--day", DATE)
        assert is_included(read_proof(out.strip()).inclusion, word)
        assert desk("proof", "0x" + "ab" * 32, "--day", DATE)[0] == 3
        assert desk("day-book", "--day", "2023-11-14")[0] == 3

    at_the_desk(tmp_path, capsysbinary, story)


def test_the_book_goes_to_spreadsheets_accountants_and_the_bank(tmp_path: Path, capsysbinary: Any) -> None:
    """CSV; camt.053, pacs.008 and pacs.004 by ISO's schemas; owners without a bank account are not paid out."""

    def story(desk: Desk, channel: bytes, _word: bytes) -> None:
        code, out, err = desk("day-book", "--day", DATE, "--format", "csv")
        assert (code, b"payment" in out) == (0, True), err
        code, out, err = desk("day-book", "--day", DATE, "--format", "camt.053")
        assert code == 0, err
        schema_of("camt.053.001.08").validate(out.decode())
        code, _, err = desk("day-book", "--day", DATE, "--format", "pacs.008")
        assert (code, b"nobody in books.beneficiaries" in err) == (3, True)
        write_private(
            desk.home.folder / "banks.csv",
            f"# channel,name,account,bank,bic\n0x{channel.hex()},A. Resident,{IBAN},Halyk,{BIC}\n".encode(),
        )
        config = desk.home.config_file.read_text()
        desk.home.config_file.write_text(config.replace('# beneficiaries = ""', 'beneficiaries = "banks.csv"'))
        code, out, err = desk("day-book", "--day", DATE, "--format", "pacs.008")
        assert code == 0, err
        schema_of("pacs.008.001.08").validate(out.decode())
        assert IBAN.encode() in out
        _, export, _ = desk("day-book", "--day", DATE)
        payout = next(json.loads(line) for line in export.splitlines() if b'"withdrawal"' in line)["reference"]
        back = tmp_path / "back.csv"
        back.write_text(f"0x{'0a' * 32},{payout},2.00,AC04\n")
        code, out, err = desk("day-book", "--day", DATE, "--format", "pacs.004", "--returns", back)
        assert code == 0, err
        schema_of("pacs.004.001.09").validate(out.decode())
        back.write_text("nonsense\n")
        code, _, err = desk("day-book", "--day", DATE, "--format", "pacs.004", "--returns", back)
        assert (code, b"back.csv:1" in err) == (3, True)
        assert HUB_SERVICE.keystore(desk.home).exists()

    at_the_desk(tmp_path, capsysbinary, story)
