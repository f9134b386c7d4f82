"""Flame graphs: widths are shares of samples, and what every sample has in common is left out."""

import xml.etree.ElementTree as ET

from alatau_devnet.flame_graph import draw, read_stacks

FOLDED = """\
main (a.py:1);run (a.py:2);decode (alatau/codec/rlp.py:7) 30
main (a.py:1);run (a.py:9);wait (trio/x.py:1) 10
"""


def test_stacks_begin_where_they_part() -> None:
    """Lines of one function are one box; its samples are those of all that it called."""
    root = read_stacks(FOLDED)
    assert (root.name, root.samples) == ("run (a.py)", 40)
    assert {name: box.samples for name, box in root.calls.items()} == {
        "decode (alatau/codec/rlp.py)": 30,
        "wait (trio/x.py)": 10,
    }


def test_a_box_is_as_wide_as_its_share() -> None:
    """Three quarters of 1,200 pixels, the largest first, a row above its caller; the text is escaped."""
    document = ET.fromstring(draw(read_stacks(FOLDED.replace("decode", "<decode>")), "a < b"))
    boxes = {g[0].text: g[1].attrib for g in document.iter("{http://www.w3.org/2000/svg}g") if g.get("class") == "box"}
    assert set(boxes) == {"run (a.py): 100.0%", "<decode> (alatau/codec/rlp.py): 75.0%", "wait (trio/x.py): 25.0%"}
    decode, wait = boxes["<decode> (alatau/codec/rlp.py): 75.0%"], boxes["wait (trio/x.py): 25.0%"]
    assert (decode["x"], decode["width"], wait["x"], wait["width"]) == ("0.0", "900.0", "900.0", "300.0")
    assert decode["y"] == wait["y"] < boxes["run (a.py): 100.0%"]["y"]
