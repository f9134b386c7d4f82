"""A tower's metrics: all explained to its operator, and read from a tower that runs."""

import re
from pathlib import Path

import trio

from alatau.app.metrics import Metrics
from alatau.app.tower.metrics import register_tower_metrics
from alatau.artifacts import addresses
from alatau.client import Client, Wallet
from alatau.storage.database import Database
from alatau.tower import store
from alatau.tower.alarms import SUBJECTS
from alatau.tower.docket import Docket
from alatau.tower.following import Follower
from alatau.tower.group_commit import GroupCommit
from alatau.tower.post import Post
from alatau.tower.sending import Sender
from alatau.tower.service import TowerApi
from alatau.tower.tower import Tower, TowerOptions
from tests.support.channel_network import CHANNELS_ABI, TOWERS
from tests.support.channels import DOMAIN

PAGE = Path(__file__).parents[4] / "docs" / "city" / "towers.md"


def tower_on(database: Database) -> Tower:
    """A tower that has not met its chain yet."""
    network = store.Network(DOMAIN.chain_id, bytes(32), addresses.CITY_CHANNELS, 10, 5)
    post = Post(TOWERS[0], network, CHANNELS_ABI, database, GroupCommit(database), Docket(database), lambda: 0.0)
    client = Client([])
    sender = Sender(post, client, Wallet(TOWERS[0], DOMAIN.chain_id))
    options = TowerOptions(addresses.CITY_CHANNELS)
    return Tower(post, TowerApi(post), Follower(post, client), sender, client, options)


def test_every_metric_and_alarm_is_explained(tmp_path: Path) -> None:
    """The page for operators has each, and no other."""
    metrics, database = Metrics(), store.open_store(tmp_path)
    register_tower_metrics(metrics, tower_on(database))
    text = PAGE.read_text()
    named = set(re.findall(r"`(tower_[a-z_]+[a-z])`", text))
    assert named == set(metrics.names())
    assert set(re.findall(r"^\| `([a-z]+)` \|", text, re.MULTILINE)) == set(SUBJECTS)
    database.close()


def test_alarms_are_seen(tmp_path: Path) -> None:
    """By subject: 1 while one is on, 0 else."""

    async def main() -> None:
        metrics, database = Metrics(), store.open_store(tmp_path)
        tower = tower_on(database)
        register_tower_metrics(metrics, tower)
        tower.post.alarms.say("lag", "far behind")
        text = metrics.render().decode()
        assert 'tower_alarm{subject="lag"} 1.0' in text
        assert 'tower_alarm{subject="disk"} 0.0' in text
        assert "tower_contests_won_total 0.0" in text
        database.close()

    trio.run(main)
