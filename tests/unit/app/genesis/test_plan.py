"""The plan of a network survives its file, and says where it is wrong."""

import json

import pytest

from alatau.app.genesis.plan import NetworkPlan, encode_plan, plan_from_json
from alatau.app.json_field import DocumentError, JsonField
from alatau_devnet.plan import DevnetOptions, devnet_plan

PLAN: NetworkPlan = devnet_plan(DevnetOptions(residents=2), 1_700_000_000)


def test_plan_with_vault_and_channels_survives_its_file() -> None:
    """Everything that the contracts are told is in the plan that the ministries read."""
    assert PLAN.vault.assets
    assert PLAN.vault.roles
    assert plan_from_json(JsonField(json.loads(encode_plan(PLAN)), "plan.json: ")) == PLAN


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("vault", "roles"), {"0x" + "11" * 20: "king"}, r"plan\.json: vault\.roles.* is \"king\", expected one of"),
        (("vault", "large_delay_s"), 0, r"vault\.large_delay_s is 0, expected an integer in 1\.\."),
        (("channels", "settle_blocks"), 0, r"channels\.settle_blocks is 0"),
        (("vault", "destinations"), ["0x12"], r"vault\.destinations\[0\]"),
    ],
)
def test_mistakes_are_named_by_their_place(place: tuple[str, str], value: object, message: str) -> None:
    """A minister's assistant finds the line."""
    document = json.loads(encode_plan(PLAN))
    document[place[0]][place[1]] = value
    with pytest.raises(DocumentError, match=message):
        plan_from_json(JsonField(document, "plan.json: "))
