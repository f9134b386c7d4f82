"""The programs in docs/clients.md run as they stand, against a node."""

import re
from pathlib import Path
from typing import Any

import pytest
import trio

from alatau.transport.certificates import trust_anchor
from tests.unit.rpc.solo_node import RESIDENT, SoloNode, node_identity, running, token_artifacts

PAGE = (Path(__file__).parents[3] / "docs" / "clients.md").read_text()
PROGRAMS = re.findall(r"^## ([^\n]+)\n|```python\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)


def programs() -> list[Any]:
    """Each program with the heading that it stands under."""
    found, heading = [], ""
    for title, source in PROGRAMS:
        heading = title or heading
        if source:
            found.append(pytest.param(source, id=f"{heading} {len(found)}"))
    return found


@pytest.mark.trio
@pytest.mark.parametrize("source", programs())
async def test_a_program_runs(source: str, node: SoloNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Copied from the page, with this node's endpoint and certificate, it prints and raises nothing."""
    authority = tmp_path / "ca.pem"
    authority.write_bytes(trust_anchor(node_identity().public_key))
    node.commit_block()
    node.commit_block()
    async with running(node, produce=True) as served:
        program = source.replace("127.0.0.1:7101", served.endpoint).replace('"ca.pem"', repr(str(authority)))
        names = {"__name__": "__main__", **token_artifacts()}
        with trio.fail_after(20):
            await trio.to_thread.run_sync(exec, compile(program, "docs/clients.md", "exec"), names)
    if "async def follow" not in source:
        assert capsys.readouterr().out != ""


def test_the_page_has_programs() -> None:
    """The test above would pass on a page without any; and the key on the page is the funded one."""
    assert len(programs()) == 6
    assert RESIDENT.secret.hex() == "02" * 32
