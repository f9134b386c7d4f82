"""The programs in the documentation run as they stand, against a node."""

import re
from pathlib import Path
from typing import Any

import pytest
import trio

from alatau.app.private_file import write_keystore
from alatau.books import bookings
from alatau.books.calendar import moment
from alatau.client.keystore import ScryptCost
from alatau.transport.certificates import trust_anchor
from alatau.zones import zone_of
from tests.support.solo_node import MERCHANT, RESIDENT, SoloNode, node_identity, running, token_artifacts

ROOT = Path(__file__).parents[3]
SHOWN_ONLY = {ROOT / "docs" / "evm.md", ROOT / "docs" / "city" / "wallet.md"}
"""The first has what the translator makes of bytecode, no programs of a user's; what the second shows needs a hub with
a channel, and is what ``tests/unit/wallet`` does."""
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "```python" in page.read_text() and page not in SHOWN_ONLY
]

_DEPOSIT = bookings.deposit(moment(zone_of("Asia/Almaty"), 1_760_000_000), b"\x03" * 32, b"\x01" * 32, 10_000_00)
_PARTS = re.compile(r"^##+ ([^\n]+)\n|```python\n(.*?)```", re.MULTILINE | re.DOTALL)


def programs() -> list[Any]:
    """Each program of each page, with the heading that it stands under."""
    found = []
    for page in PAGES:
        heading, count = "", 0
        for title, source in re.findall(
            r"^##+ ([^\n]+)\n|```python\n(.*?)```", page.read_text(), re.MULTILINE | re.DOTALL
        ):
            heading = title or heading
            if source:
                found.append(pytest.param(source, id=f"{page.name} {heading} {count}"))
                count += 1
    return found


@pytest.mark.trio
@pytest.mark.parametrize("source", programs())
async def test_a_program_runs(
    source: str, node: SoloNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied from the page into a folder with the files that it names, it raises nothing, and prints if it says so."""
    authorities = [tmp_path / "ca.pem", tmp_path / "build" / "devnet" / "ca.pem"]
    authorities[1].parent.mkdir(parents=True)
    for authority in authorities:
        authority.write_bytes(trust_anchor(node_identity().public_key))
    write_keystore(tmp_path / "resident.json", RESIDENT, "correct horse", ScryptCost(n=2, r=1, p=1))
    monkeypatch.chdir(tmp_path)
    node.commit_block()
    node.commit_block()
    async with running(node, produce=True) as served:
        port = served.endpoint.rpartition(":")[2]
        program = source.replace("127.0.0.1:7101", served.endpoint).replace("localhost:7101", f"localhost:{port}")
        names = {"__name__": "__main__", **token_artifacts()}
        names |= {"resident": RESIDENT, "hub_address": MERCHANT.address, "tip_height": 1, "now": 1_700_000_000}
        names |= {"seconds": 1_760_000_000, "entries": [_DEPOSIT], "balances_of_yesterday": {}, "payment_id": bytes(32)}
        names |= {"resident_channel": b"\x01" * 32, "merchant_channel": b"\x02" * 32}
        with trio.fail_after(60):
            await trio.to_thread.run_sync(exec, compile(program, "documentation", "exec"), names)
    if "async def follow" not in source:  # that one prints when something happens
        assert (capsys.readouterr().out != "") is ("print(" in source)


def test_the_pages_have_programs() -> None:
    """The test above would pass on pages without any; and the key on them is the funded one."""
    names = {page.name for page in PAGES}
    assert {"README.md", "python.md", "city-channels.md", "light.md"} <= names
    assert sum(program.id.startswith("python.md") for program in programs()) == 7
    assert RESIDENT.secret.hex() == "02" * 32
