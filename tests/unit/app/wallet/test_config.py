"""A wallet's settings: mistakes are named."""

import pytest

from alatau.app.config_file import ConfigError, parse_config
from alatau.app.wallet.config import SCHEMA


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('[hub]\naddress = "0x12"', "40 hexadecimal digits"),
        ('[hub]\nendpoint = "here"', "hub.endpoint"),
        ('[chain]\nnodes = "127.0.0.1:1, there"', "several between commas"),
        ('[money]\ncurrency = "tenge"', "three capital letters"),
        ('[money]\ntime_zone = "Mars/Olympus"', "Asia/Almaty"),
        ("[money]\ndecimals = 99", "expected 0 to 18"),
    ],
)
def test_a_mistake_is_named(line: str, problem: str) -> None:
    """With its line and what is expected."""
    with pytest.raises(ConfigError, match=problem):
        parse_config(SCHEMA, line.encode(), "wallet.toml", {})
