"""``make attack``: everything that an outsider, a client, a deployer or one validator can do to the others.

Writes ``build/bench/attack.json`` and prints a table; with ``--document`` the table of docs/security.md is written too.
The exit status is 1 where a verdict is FAIL, 3 where none is but one is INCONCLUSIVE: run it again on a calm machine.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import trio
from rich.console import Console

from alatau_devnet.attack.campaign import Timing, campaign, carry_out
from alatau_devnet.attack.catalogue import ATTACKS
from alatau_devnet.attack.report import table_of, write_page, write_report
from alatau_devnet.attack.scene import Attack, Scene
from alatau_devnet.attack.verdict import Verdict, overall
from alatau_devnet.network import create_network, load_network, remove_network, start_nodes, stop_nodes
from alatau_devnet.plan import DevnetOptions

_FOLDER: Final = Path("build/attack/network")
_REPORT: Final = Path("build/bench/attack.json")
_PAGE: Final = Path("docs/security.md")
_EXIT: Final = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}


def main() -> int:
    """Run the campaign, or in the attacker's process one attack."""
    arguments = _parser().parse_args()
    by_name = {attack.name: attack for attack in ATTACKS}
    if arguments.list:
        for attack in ATTACKS:
            print(f"{attack.name:28} {attack.what}")
        return 0
    if arguments.run:
        scene = Scene(load_network(arguments.folder))
        print(carry_out(by_name[arguments.run], scene, arguments.seconds))
        return 0
    wanted = [name.strip() for name in arguments.only.split(",") if name.strip()] or list(by_name)
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        print(f"no attack {', '.join(unknown)}; --list names them", file=sys.stderr)
        return 2
    return _campaign([by_name[name] for name in wanted], arguments)


def _campaign(attacks: list[Attack], arguments: argparse.Namespace) -> int:
    console = Console()
    network = create_network(arguments.folder, DevnetOptions(residents=64))
    timing = Timing(arguments.calm, arguments.seconds, arguments.calm)
    try:
        start_nodes(network)
        rows = trio.run(campaign, network, attacks, timing, console)
    finally:
        stop_nodes(network)
        if not arguments.keep:
            remove_network(arguments.folder)
    console.print(table_of(rows))
    write_report(_REPORT, rows)
    console.print(f"written to {_REPORT}")
    if arguments.document:
        write_page(_PAGE, rows)
        console.print(f"written to {_PAGE}")
    return _EXIT[overall([row.verdict for row in rows])]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each attack lasts")
    parser.add_argument("--calm", type=float, default=6.0, help="how long is measured before and after")
    parser.add_argument("--document", action="store_true", help=f"write the table of {_PAGE}")
    parser.add_argument("--list", action="store_true", help="name the attacks and end")
    parser.add_argument("--keep", action="store_true", help="leave the network's folder and logs")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where the network lies")
    parser.add_argument("--run", default="", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
