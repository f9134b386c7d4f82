"""Ethereum's published state tests: a part in every check; ``make conformance`` runs all."""

from collections import Counter
from itertools import islice

import pytest

from alatau_devnet.conformance import Mode, check, fixture_files, set_mode, subtests
from tests.conformance.published import archive

EVERY = 13
"""One subtest in so many is run here; traced, one in four times as many."""


@pytest.mark.parametrize(
    "mode", [Mode(), Mode(translates=True), Mode(tracer="calls")], ids=["usual", "translated", "traced"]
)
def test_published_state_tests(mode: Mode) -> None:
    """State root and logs, or the rejection, are the published ones: as nodes run code, translated, and traced."""
    every = EVERY if not mode.tracer else 4 * EVERY
    set_mode(mode)
    wrong = []
    tally: Counter[str] = Counter()
    try:
        every_subtest = (
            (path, subtest) for path, content in fixture_files(archive("state_tests")) for subtest in subtests(content)
        )
        for path, subtest in islice(every_subtest, 0, None, every):
            problem = check(subtest)
            tally[subtest.fork] += 1
            if problem is not None:
                wrong.append(f"{path}: {subtest.name}: {problem}")
    finally:
        set_mode(Mode())
    assert wrong == []
    assert min(tally["prague"], tally["osaka"]) > 500 * EVERY / every
