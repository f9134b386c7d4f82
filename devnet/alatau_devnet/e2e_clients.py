"""``make e2e-clients``: clients in other languages, built from the published files and run against a real network.

Each project under docs/examples/clients is built by its own tools, runs the vectors of ``protos/vectors`` and its tests
against a node, and then its tour: pay, follow, resume, read errors, verify. A language whose tools are absent is
skipped, with a line. Writes ``build/bench/clients.json``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from alatau_devnet import accounts
from alatau_devnet.client_projects import PROJECTS, ClientProject, environment_of, options_of
from alatau_devnet.client_walk import walk_of
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes, stop_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.snippets import write_account_keystores
from alatau_devnet.watch import client_of, wait_until_deciding

_FOLDER: Final = Path("build/bench/clients-network")
_RESULT: Final = Path("build/bench/clients.json")
_LOGS: Final = Path("build/bench/clients")
_LARGE: Final = 48
"""Transactions of 120,000 bytes: more than 4 MiB, the most that a message may have in every language's gRPC."""
_LARGE_GAS: Final = 1_300_000
"""120,000 zero bytes cost 10 gas each (EIP-7623) and 21,000."""
_FOR_TESTS: Final = ("http", "large_blocks")
"""Facts that no tour asks for."""
_COMMAND_S: Final = 1_800.0
"""A first build fetches and compiles everything; one that takes longer hangs."""
SUBSCRIBE_READY_MS_MAX: Final = 100.0
"""On an idle chain: the node answers a subscription at once and not with the next block."""


class ClientProjectError(DevnetError):
    """A project could not be built, or failed. The message has the end of what it said."""


def prepare(network: Devnet) -> dict[str, str]:
    """Blocks that are too large for one message; and what a client is told of the network by people."""
    folder = write_account_keystores(network).resolve()
    with client_of(network.nodes[0]) as client:
        wallet = client.wallet(accounts.key_of(accounts.resident(3)))
        receiver = accounts.address_of(accounts.resident(4))
        batch = [wallet.sign(to=receiver, value=0, data=bytes(120_000), gas_limit=_LARGE_GAS) for _ in range(_LARGE)]
        refused = [outcome for outcome in client.submit_many(batch) if hasattr(outcome, "reason")]
        if refused:
            raise DevnetError(f"{len(refused)} large transactions were refused: {refused[0]}")
        first, last = (client.wait_final(sent.hash).position.height for sent in (batch[0], batch[-1]))
        status = client.status()
    port = network.nodes[0].rpc.rpartition(":")[2]
    return {
        "node": f"localhost:{port}",
        "http": network.nodes[0].http,
        "ca": str(network.ca_file.resolve()),
        "keystore": str(folder / f"{accounts.resident(1)}.json"),
        "password_file": str(folder / "password"),
        "to": "0x" + accounts.address_of(accounts.resident(2)).hex(),
        "genesis": "0x" + status.genesis_hash.hex(),
        "chain_id": str(status.chain_id),
        "large_blocks": f"{first}-{last}",
    }


def check_project(project: ClientProject, facts: Mapping[str, str], console: Console) -> dict[str, Any]:
    """Build, test and run one project; gives what it measured. Raises ``ClientProjectError``."""
    _LOGS.mkdir(parents=True, exist_ok=True)
    report = (_LOGS / f"{project.language}.json").resolve()
    report.unlink(missing_ok=True)
    environment = tool_environment() | environment_of(facts)
    began = time.monotonic()
    for command in project.build:
        _run(project, command, environment)
    built = time.monotonic()
    _run(project, project.test, environment)
    tested = time.monotonic()
    shown = {name: value for name, value in facts.items() if name not in _FOR_TESTS}
    said = _run(project, (*project.tour, *options_of(shown), "--report", str(report)), environment)
    console.print(said.rstrip(), style="dim", markup=False, highlight=False)
    measured: dict[str, Any] = json.loads(report.read_text())
    if not measured["subscribe_ready_ms"] < SUBSCRIBE_READY_MS_MAX:
        ready = measured["subscribe_ready_ms"]
        raise ClientProjectError(
            f"{project.language}: a subscription stood after {ready} ms, at most {SUBSCRIBE_READY_MS_MAX}"
        )
    measured |= {"build_s": round(built - began, 1), "test_s": round(tested - built, 1)}
    return measured | walk(project, facts, environment)


def walk(project: ClientProject, facts: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, float]:
    """Do the page's first payment in an empty folder, and time it; nothing where the page has none."""
    folders = {"ALATAU": Path.cwd(), "NET": Path(facts["ca"]).parent}
    script = walk_of(Path(), project.language, facts["node"], folders)
    if script is None:
        return {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="alatau-walk-") as folder:
        said = _run(replace(project, folder=Path(folder)), ("bash", "-c", script), environment)
    if " is final at height " not in said:
        raise ClientProjectError(f"{project.language}: the page's payment is not final:\n{said}")
    return {"walk_s": round(time.monotonic() - began, 1)}


def tool_environment() -> dict[str, str]:
    """This environment, with the checkout's own tools (buf) found first."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _run(project: ClientProject, command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=project.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ClientProjectError(
            f"{project.language}: {' '.join(command)} took longer than {_COMMAND_S:.0f} s"
        ) from error
    if done.returncode:
        end = "\n".join(done.stdout.splitlines()[-60:])
        raise ClientProjectError(f"{project.language}: {' '.join(command)} failed ({done.returncode}):\n{end}")
    return done.stdout


def check_all(languages: list[str], facts: Mapping[str, str], console: Console) -> dict[str, Any]:
    """Every chosen project, one after the other; gives the report."""
    measured: dict[str, Any] = {}
    for project in PROJECTS:
        if project.language not in languages:
            continue
        missing = project.missing_tools(tool_environment()["PATH"])
        if missing:
            console.print(f"{project.language}: skipped, this machine has no {' and no '.join(missing)}")
            continue
        console.print(f"{project.language}: building, testing, running ...")
        measured[project.language] = check_project(project, facts, console)
    return measured


def main() -> None:
    """Start a network, check the projects, print and write ``build/bench/clients.json``."""
    known = [project.language for project in PROJECTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--validators", type=int, default=4)
    parser.add_argument("--only", action="append", choices=known, help="a language; more than once for several")
    arguments = parser.parse_args()
    console = Console(width=120)
    network = create_network(_FOLDER, DevnetOptions(validators=arguments.validators, residents=8))
    try:
        start_nodes(network)
        wait_until_deciding(network)
        measured = check_all(arguments.only or known, prepare(network), console)
    finally:
        stop_nodes(network)
    remove_network(_FOLDER)
    _RESULT.parent.mkdir(parents=True, exist_ok=True)
    _RESULT.write_text(json.dumps(measured, indent=2) + "\n")
    for language, figures in measured.items():
        console.print(f"{language}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))
    console.print(f"written to {_RESULT}")


if __name__ == "__main__":
    main()
