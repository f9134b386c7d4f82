"""What ``alatau.client`` offers by name."""

import subprocess
import sys

import pytest

import alatau.client
from alatau.client import client as module


def test_every_name_is_there_when_it_is_asked_for() -> None:
    """The very object of its module; a name that there is not is the usual error."""
    assert set(alatau.client._PLACE_OF) == set(alatau.client.__all__) == set(dir(alatau.client))
    for name in alatau.client.__all__:
        assert getattr(alatau.client, name).__name__ == name
    assert alatau.client.connect is module.connect
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        _ = alatau.client.conect  # type: ignore[attr-defined]


def test_a_node_starts_without_the_sdk() -> None:
    """It reads keystores, and loads no more of the SDK for it: a fifth of the time until it starts."""
    code = "import sys, alatau.app.node; print(*[name for name in sys.modules if name.startswith('alatau.client.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert sorted(done.stdout.split()) == ["alatau.client.errors", "alatau.client.keystore"]
