"""Settings of any process: its dataclasses, its file, its environment."""

from dataclasses import dataclass, field
from typing import Annotated

import pytest

from alatau.app.config_file import ConfigError, parse_config, render_config_of
from alatau.app.settings import between, endpoint_or_empty, one_of, schema_of


@dataclass(frozen=True, slots=True)
class Shop:
    """Where goods are sold."""

    door: Annotated[str, endpoint_or_empty, "Where customers come in."] = "127.0.0.1:80"
    tills: Annotated[int, between(1, 9), "How many tills."] = 2
    day: Annotated[str, one_of("monday", "friday"), "When it is open."] = "friday"


@dataclass(frozen=True, slots=True)
class Town:
    """A process of another kind."""

    shop: Shop = field(default_factory=Shop)


SCHEMA = schema_of(Town, "ALATAU_TOWER_", "this town")


def test_settings_follow_from_the_dataclasses() -> None:
    """Section, name, default, variable and what the section is about."""
    assert [(s.key, s.default, s.variable) for s in SCHEMA.settings] == [
        ("shop.door", "127.0.0.1:80", "ALATAU_TOWER_SHOP_DOOR"),
        ("shop.tills", 2, "ALATAU_TOWER_SHOP_TILLS"),
        ("shop.day", "friday", "ALATAU_TOWER_SHOP_DAY"),
    ]
    assert SCHEMA.section_explanation("shop") == "Where goods are sold."


def test_the_file_is_of_its_process() -> None:
    """The template says whose settings they are and reads back; the environment overrides it."""
    text = render_config_of(SCHEMA, {"shop.tills": 5})
    assert "# Settings of this town. Environment variables such as ALATAU_TOWER_SHOP_DOOR override" in text
    read = parse_config(SCHEMA, text.encode(), "config.toml", {"ALATAU_TOWER_SHOP_DAY": "monday", "ALATAU_RPC_X": "1"})
    assert read == Town(Shop(tills=5, day="monday"))


def test_each_check_names_what_is_allowed() -> None:
    """All mistakes at once."""
    text = b'[shop]\ndoor = "nowhere"\ntills = 10\nday = "sunday"\n'
    with pytest.raises(ConfigError) as raised:
        parse_config(SCHEMA, text, "config.toml", {"ALATAU_TOWER_SHOP_FLOOR": "1"})
    door, tills, day, floor = map(str, raised.value.problems)
    assert "shop.door" in door
    assert "expected 1 to 9" in tills
    assert 'expected one of "monday", "friday"' in day
    assert "unknown variable ALATAU_TOWER_SHOP_FLOOR" in floor
