"""``python -m alatau_devnet.city`` (or ``make city SCALE=0.02``)."""

import argparse
import logging
import sys
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from alatau_devnet.city.run import Options, run_city


def main() -> int:
    """Run a city; 0 where the proof holds, nothing personal is on the chain and every incident ended as it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="1: 52,000 residents, 100,000 payments (1)")
    parser.add_argument("--seed", type=int, default=1, help="another day (1)")
    parser.add_argument("--folder", type=Path, default=Path("build/city"), help="where all is written (build/city)")
    parser.add_argument("--rate", type=float, default=250.0, help="payments a second on average (250)")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    console = Console()
    chart = find_spec("matplotlib") is not None
    options = Options(arguments.scale, arguments.seed, arguments.folder, arguments.rate, chart)
    outcome = run_city(options, console)
    if not chart:
        console.print("no picture: matplotlib is not installed (make city installs it)")
    for problem in (*outcome.problems[:20], *outcome.diary.failed, *outcome.privacy.found[:20]):
        console.print(f"  {problem}", style="red", highlight=False)
    console.print(f"{outcome.minutes:.1f} minutes; report: {arguments.folder / 'report.md'}")
    console.print(outcome.proof, style="bold green" if outcome.succeeded else "bold red", highlight=False)
    return 0 if outcome.succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
