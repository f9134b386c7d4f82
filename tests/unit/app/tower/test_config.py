"""A tower's configuration: every mistake named, each with what is allowed."""

import pytest

from alatau.app.config_file import ConfigError, parse_config, render_config_of
from alatau.app.tower.config import TOWER_SCHEMA, TowerConfig
from alatau.artifacts.addresses import CITY_CHANNELS


def test_the_template_reads_back() -> None:
    """An empty file, the template, and the template with every default written out are the same."""
    everything = {setting.key: setting.default for setting in TOWER_SCHEMA.settings}
    for text in ("", render_config_of(TOWER_SCHEMA, {}), render_config_of(TOWER_SCHEMA, everything)):
        assert parse_config(TOWER_SCHEMA, text.encode(), "config.toml", {}) == TowerConfig()
    assert TowerConfig().channels.contract == "0x" + CITY_CHANNELS.hex()


def test_the_environment_overrides_the_file() -> None:
    """By variables of its own; a node's are not looked at."""
    variables = {"ALATAU_TOWER_NODE_ENDPOINTS": "a:1, b:2", "ALATAU_RPC_LISTEN": "nonsense"}
    assert parse_config(TOWER_SCHEMA, b"", "config.toml", variables).node.endpoints == "a:1, b:2"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('[node]\nendpoints = "a:1,b"', "expected host:port, or several between commas: 'b' is none"),
        ('[channels]\ncontract = "a1a7a007"', "expected 0x and 40 hexadecimal digits"),
        ('[channels]\ncontract = ""', "expected 0x and 40 hexadecimal digits"),
        ('[canary]\naccount = "0x12"', "expected 0x and 40 hexadecimal digits"),
        ("[canary]\nperiod_s = 0", "expected 1 to 2592000"),
        ('[service]\nlisten = "here"', "service.listen"),
        ("[canary]\nperiods = 1", "did you mean period_s?"),
    ],
)
def test_mistakes_are_named(line: str, expected: str) -> None:
    """With the line of the file."""
    with pytest.raises(ConfigError, match=r"config\.toml:2") as raised:
        parse_config(TOWER_SCHEMA, line.encode(), "config.toml", {})
    assert expected in str(raised.value)
