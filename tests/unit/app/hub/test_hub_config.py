"""A hub's settings: defaults that go together, and what is wrong is named."""

import pytest

from alatau.app.config_file import ConfigError, parse_config, render_config_of
from alatau.app.hub.config import SCHEMA, HubPolicyError, HubSettings, policy_of, tiers_of
from alatau.channels.forwarding.limits import UNLIMITED, Limits


def settings(text: str) -> HubSettings:
    """Of a file with this text."""
    return parse_config(SCHEMA, text.encode(), "hub.toml", {})


def test_the_template_is_its_own_default() -> None:
    """What init writes, start reads."""
    assert settings(render_config_of(SCHEMA, {})) == HubSettings()
    assert policy_of(HubSettings(), settle_blocks=50).lock_blocks_max == 45


def test_tiers_are_read() -> None:
    """A dash is no limit."""
    assert tiers_of("1:5/10/100, 3:-/-/7") == {1: Limits(5, 10, 100), 3: Limits(UNLIMITED, UNLIMITED, 7)}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('[limits]\ntiers = "1:5/10"', "expected tier:payment/day/month"),
        ('[limits]\ntiers = "1:5/10/100,1:6/10/100"', "named twice"),
        ('[fees]\nbase = "-1"', "whole number"),
        ("[fees]\nparts_per_million = 1000001", "expected 0 to 1000000"),
        ('[chain]\ncontract = "0x12"', "40 hexadecimal digits"),
        ('[hub]\nlisten = "here"', "expected"),
        ("[fees]\nbse = 1", "unknown setting fees.bse"),
    ],
)
def test_what_is_wrong_is_named(text: str, error: str) -> None:
    """With the line."""
    with pytest.raises(ConfigError, match=error):
        settings(text)


@pytest.mark.parametrize("locks", [(20, 50, 10), (10, 45, 10), (46, 45, 10)])
def test_locks_must_fit_the_contracts_window(locks: tuple[int, int, int]) -> None:
    """A lock that outlives the window could be paid after the channel was settled."""
    low, high, margin = locks
    text = f"[locks]\nblocks_min = {low}\nblocks_max = {high}\nmargin_blocks = {margin}"
    with pytest.raises(HubPolicyError, match="does not hold"):
        policy_of(settings(text), settle_blocks=50)
