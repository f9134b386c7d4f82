"""A flame graph of a node as SVG, from folded stacks (Gregg, 2011), ``a;b;c 12`` a line, as py-spy writes them.

    py-spy record --gil --pid PID --duration 10 --format raw --output build/node.folded
    python -m alatau_devnet.flame_graph build/node.folded docs/images/flame-graph.svg

A box is a function, its width its share of the samples, itself and what it called; callers stand below. Functions are
one box wherever in them the samples lay. What all samples have in common, the start of the process, is left out.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

_WIDTH: Final = 1_200
_ROW: Final = 16
_MARGIN: Final = 24
_LETTER: Final = 6.2
"""Pixels of a letter at this size of type."""
_NARROWEST: Final = 1.5
"""Pixels; what is narrower is not drawn."""
_COLOURS: Final = {"alatau/": "#e4774a", "trio/": "#7fa3c7", "asyncio/": "#9bb7d4", "grpc/": "#b3a2c8", "": "#c9c9c9"}
"""By the beginning of a function's file, the first that fits."""
_LINE: Final = re.compile(r":\d+\)$")


@dataclass(slots=True)
class Box:
    """A function as called from the boxes below it."""

    name: str
    samples: int = 0
    calls: dict[str, "Box"] = field(default_factory=dict)


def read_stacks(folded: str) -> Box:
    """The tree of the folded stacks, from where they part."""
    root = Box("")
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        box = root
        box.samples += int(count)
        for frame in stack.split(";"):
            name = _LINE.sub(")", frame)
            box = box.calls.setdefault(name, Box(name))
            box.samples += int(count)
    while len(root.calls) == 1 and next(iter(root.calls.values())).samples == root.samples:
        root = next(iter(root.calls.values()))
    return root


def draw(root: Box, title: str) -> str:
    """The graph as an SVG document; names and shares of boxes too narrow for them are in their titles."""
    boxes = list(_placed(root, 0.0, 0, _WIDTH / max(root.samples, 1)))
    height = (max(depth for _, _, depth, _ in boxes) + 1) * _ROW + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}">',
        '<g font-family="monospace" font-size="10">',
        f'<text x="4" y="15" font-size="12">{escape(title)}</text>',
    ]
    for box, left, depth, width in boxes:
        top = height - (depth + 1) * _ROW
        share = f"{box.name or 'all'}: {100 * box.samples / root.samples:.1f}%"
        parts.append(
            f'<g class="box"><title>{escape(share)}</title>'
            f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_ROW - 1}" '
            f'fill="{_colour(box.name)}"/>'
        )
        letters = int(width / _LETTER) - 1
        if letters > 2:
            parts.append(f'<text x="{left + 2:.1f}" y="{top + 11}">{escape(box.name[:letters])}</text>')
        parts.append("</g>")
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _placed(box: Box, left: float, depth: int, scale: float) -> Iterator[tuple[Box, float, int, float]]:
    width = box.samples * scale
    if width < _NARROWEST:
        return
    yield box, left, depth, width
    for called in sorted(box.calls.values(), key=lambda c: -c.samples):
        yield from _placed(called, left, depth + 1, scale)
        left += called.samples * scale


def _colour(name: str) -> str:
    file = name.rpartition("(")[2]
    return next(colour for beginning, colour in _COLOURS.items() if file.startswith(beginning))


def main() -> None:
    """Read folded stacks, write the SVG."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folded", type=Path)
    parser.add_argument("svg", type=Path)
    parser.add_argument("--title", default="A node at full speed")
    arguments = parser.parse_args()
    arguments.svg.write_text(draw(read_stacks(arguments.folded.read_text()), arguments.title))


if __name__ == "__main__":
    main()
