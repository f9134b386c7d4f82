"""Explore every state that three correct cores and a liar can reach in two rounds: ``make model``.

What a state is, what keeps their number finite and what must hold in each is said in tests/simulation/model.py.
A rule that does not hold ends the exploration with how it came to that. Two rounds take minutes, a liar that proposes
in the second one most of them; each further round takes many times as long.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import click

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "node"), str(_ROOT / "devnet")]

from tests.simulation.model import CASTS, Counts, Exploration  # noqa: E402  found through the path above
from tests.simulation.model_node import Broken, Cast  # noqa: E402


@click.command()
@click.option("--rounds", default=2, show_default=True, help="Rounds of the height that are explored.")
def main(rounds: int) -> None:
    """Explore all states, for each place of the liar in the rotation."""
    states = 0
    for cast in CASTS:
        began = time.monotonic()
        try:
            counts = Exploration(replace(cast, rounds=rounds)).run()
        except Broken as found:
            raise click.ClickException(f"{_who(cast)}: {found}") from found
        states += counts.states
        click.echo(f"{_who(cast)}: {_summary(counts)}, {time.monotonic() - began:.0f} s")
    click.echo(f"{states} states of {rounds} rounds: agreement, validity and accountability hold in each")


def _who(cast: Cast) -> str:
    turn = f"proposes in round {cast.liar}" if cast.blocks else "never proposes"
    offers = f", offers {' and '.join(cast.blocks)}" if cast.blocks else ""
    return f"the liar {turn}{offers}"


def _summary(counts: Counts) -> str:
    return f"{counts.states} states, {counts.steps} steps, {counts.locals} states of nodes, {counts.decided} decisions"


if __name__ == "__main__":
    main()
