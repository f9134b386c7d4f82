"""What holds for all tests."""

import builtins
from collections.abc import Iterable

import pytest
from hypothesis import settings

from alatau.build_form import FORM

# A test never asserts a time: on a busy machine any example may take long. And a check's result is the commit's
# alone: every run draws the same examples. `make fuzz-tests` loads the other profile and draws new ones.
settings.register_profile("check", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("check")


def all_of_some(values: Iterable[object]) -> bool:
    """``all`` as tests have it: of nothing at all it fails, for there it would hold whatever the code does."""
    found = list(values)
    assert found, "all() of nothing: say first that there is something, or compare what there should be"
    return builtins.all(found)


def pytest_report_header() -> str:
    """The form of the hot modules that is tested."""
    return f"alatau: {FORM}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test module call ``all_of_some`` where it says ``all``, and a campaign take its time."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(1_800))
    for module in {item.module for item in items if isinstance(item, pytest.Function)}:
        module.all = all_of_some
