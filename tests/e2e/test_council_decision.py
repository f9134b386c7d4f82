"""A decision of the fund council on a network of four, from its proposal to its effect, by the command line alone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alatau.app.private_file import write_keystore
from alatau.client.keystore import DEVNET_COST
from alatau_devnet import accounts
from alatau_devnet.network import Devnet

pytestmark = pytest.mark.e2e


def _json(*arguments: object) -> Any:
    command = [sys.executable, "-m", "alatau.cli", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_council_lets_a_merchant_issue_money(standing_network: Devnet, tmp_path: Path) -> None:
    """Proposed at one node, signed by two on copies, approved at another node, executed once it is ripe."""
    password = tmp_path / "password"
    password.write_text("devnet\n")

    def sender(name: str) -> tuple[object, ...]:
        file = tmp_path / f"{name}.json"
        if not file.exists():
            write_keystore(file, accounts.key_of(name), "devnet", DEVNET_COST)
        return ("--from", file, "--password-file", password)

    first, second = (node.home for node in standing_network.nodes[:2])
    merchant = "0x" + accounts.address_of(accounts.MERCHANT).hex()
    file = tmp_path / "allowance.json"
    proposed = _json(
        "--home", first, "council", "propose", "SettlementToken", "set-issuer-allowance", f"subject={merchant}",
        "value=700", "-o", file, *sender(accounts.FUND_COUNCIL[0]),
    )  # fmt: skip
    copies = []
    for member in accounts.FUND_COUNCIL[:2]:
        copies.append(tmp_path / f"signed_by_{member}.json")
        shutil.copy(file, copies[-1])
        _json("council", "sign", copies[-1], "--yes", *sender(member))
    approved = _json("--home", second, "council", "approve", *copies, *sender(accounts.DEVELOPER))
    assert (approved["state"], approved["decision"]) == ("approved", proposed["decision"])
    executed = _json("--home", first, "council", "execute", file, "--wait", *sender(accounts.DEVELOPER))
    assert (executed["state"], executed["succeeded"]) == ("executed", True)
    assert _json("--home", first, "call", "SettlementToken", "issuer_allowance", merchant) == {"result": 700}
