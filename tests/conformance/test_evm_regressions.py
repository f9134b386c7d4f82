"""The cases that the fuzzer kept, with the specification's answers.

Those in which the EVM once differed from the executable specification, shrunk, and a few that cover much.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alatau.evm.frame import Runtime
from alatau.types.chain_config import Fork
from alatau_devnet.fuzz.peer import RUNTIMES, answer, differences

_FOLDER = Path(__file__).parents[1] / "vectors" / "evm_regressions"
_FILES = sorted(_FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("make_runtime", RUNTIMES, ids=lambda runtime: runtime.__name__)
def test_agrees_with_the_specification(path: Path, make_runtime: Callable[[Fork], Runtime]) -> None:
    """What each transaction did and the state root are as the specification says."""
    saved = json.loads(path.read_text())
    assert differences(answer(saved["case"], make_runtime), saved["expected"]) == []


def test_there_are_cases() -> None:
    """The folder is found and not empty."""
    assert _FILES
