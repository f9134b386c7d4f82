from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alatau.app import diagnosis
from alatau.app.config_file import Problem
from alatau.app.diagnosis import Level, Verdict, may_lose
from alatau.app.home import Home
from alatau.app.provision import provision_home
from alatau.storage.scrub import ScrubState
from alatau.types.validator import Validator
from alatau.wire.status import ConsensusState, Seen, Step, ValidatorVotes
from tests.support.solo_node import running, solo_node


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An observer's home."""
    return provision_home(tmp_path / "home", name="Auditor", settings={}, password=None).home


def _state(*connected: bool, stalled: bool = False) -> ConsensusState:
    votes = tuple(
        ValidatorVotes(
            Validator(bytes([n]) * 20, 1, bytes(32), f"host{n}:7001", f"M{n}"), Seen.NOTHING, Seen.NOTHING, up
        )
        for n, up in enumerate(connected)
    )
    said = ("Waiting for M1.",) if stalled else ("Fine.",)
    return ConsensusState(
        height=5,
        round=0,
        step=Step.PROPOSE,
        proposer=votes[0].validator,
        proposal_received=False,
        votes=votes,
        quorum_power=3,
        total_power=len(votes),
        since_last_block_ms=0,
        stalled=stalled,
        explanation=said,
        silence="",
    )


@pytest.mark.parametrize(
    ("powers", "total", "spare"),
    [
        ([1, 1, 1, 1], 4, 1),
        ([1, 1, 1], 4, 0),
        ([1, 1], 4, None),
        ([1] * 7, 7, 2),
        ([1], 1, 0),
        ([5, 1, 1, 1, 1, 1, 1], 11, 0),
        ([], 4, None),
        ([2, 2], 6, None),
    ],
)
def test_how_many_more_may_be_lost(powers: list[int], total: int, spare: int | None) -> None:
    """The strongest go first: the answer is a promise."""
    assert may_lose(powers, total) == spare


def test_absent_validators_are_named_with_where_they_should_be() -> None:
    """So that the operator knows whom to call."""
    assert diagnosis.of_validators(_state(True, True, True, True)).level is Level.OK
    verdict = diagnosis.of_validators(_state(True, True, True, False))
    assert verdict.level is Level.WARNING
    assert verdict.found == "3 of 4 connected; you may lose 0 more; missing: M3 at host3:7001"
    gone = diagnosis.of_validators(_state(True, True, False, False))
    assert (gone.level, gone.found) == (Level.FAILURE, "no quorum without M2, M3")


def test_a_stall_is_told_in_the_nodes_own_words() -> None:
    """It knows what it waits for."""
    assert diagnosis.of_consensus(_state(True, stalled=True)).found == "Waiting for M1."
    assert diagnosis.of_consensus(_state(True)).level is Level.OK


def test_a_certificate_is_judged_by_the_days_it_has_left(home: Home) -> None:
    """With the command that makes another."""
    now = datetime.now(UTC)
    assert diagnosis.of_certificate(home, now).found == "90 days left"
    assert diagnosis.of_certificate(home, now + timedelta(days=80)).level is Level.WARNING
    late = diagnosis.of_certificate(home, now + timedelta(days=100))
    assert (late.level, late.found, late.advice) == (Level.FAILURE, "ended 10 days ago", "alatau keys rotate")
    home.tls_certificate.write_text("garbage")
    assert diagnosis.of_certificate(home).level is Level.FAILURE


def test_a_damaged_sign_state_is_a_failure(home: Home) -> None:
    """Of a validator; an observer has none."""
    assert diagnosis.of_sign_state(home).found == "an observer signs nothing"
    home.voting_key.write_text("{}")
    assert diagnosis.of_sign_state(home).found == "nothing signed yet"
    home.sign_state.write_text("{}")
    assert diagnosis.of_sign_state(home).level is Level.FAILURE


@pytest.mark.parametrize(
    ("skew", "level"),
    [(0.3, Level.OK), (-1.5, Level.OK), (2.5, Level.WARNING), (-9.0, Level.FAILURE), (None, Level.WARNING)],
)
def test_clocks_are_compared_with_the_proposers(skew: float | None, level: Level) -> None:
    """Beyond five seconds votes are refused."""
    assert diagnosis.of_clock(skew).level is level


def test_a_disk_is_judged_by_the_room_it_has() -> None:
    """Before it is full."""
    assert [diagnosis.of_room(gib << 30).level for gib in (0, 5, 50)] == [Level.FAILURE, Level.WARNING, Level.OK]


def test_problems_of_the_home_are_all_named(home: Home) -> None:
    """As config check names them."""
    assert diagnosis.of_home([]).level is Level.OK
    verdict = diagnosis.of_home([Problem("config.toml:3", "wrong"), Problem("genesis.json", "missing")])
    assert verdict.found == "config.toml:3: wrong; genesis.json: missing"
    assert diagnosis.of_disk(home).found.endswith("GiB free")


@pytest.mark.trio
async def test_damage_that_the_scrub_found_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked over the client API, as doctor does."""
    node = solo_node(tmp_path)
    async with running(node) as served, served.connect() as client:
        assert diagnosis.of_storage(await client.status()).level is Level.OK
        found = replace(node.status(), scrub=ScrubState(3, 1.0, ("000007.ldb is gone",)))
        monkeypatch.setattr(node, "status", lambda: found)
        verdict = diagnosis.of_storage(await client.status())
    assert (verdict.level, verdict.found) == (Level.FAILURE, "000007.ldb is gone")
    assert "db check" in verdict.advice
    node.store.close()


def test_the_gravest_comes_first_and_a_silent_validator_before_all() -> None:
    """Whoever reads one line of a doctor's report reads that one; the rest keeps its order."""
    disk = diagnosis.of_room(0)
    low = diagnosis.of_room(5 << 30)
    clock = diagnosis.of_clock(0.0)
    silent = Verdict("signing", Level.FAILURE, "THIS VALIDATOR DOES NOT SIGN")
    signs = replace(silent, level=Level.OK)
    assert diagnosis.gravest_first([clock, low, disk, silent]) == [silent, disk, low, clock]
    assert diagnosis.gravest_first([clock, low, signs]) == [low, signs, clock]


@pytest.mark.trio
@pytest.mark.parametrize("warning", ["THIS VALIDATOR IS NOT IN THE SET: 0x01", "THIS VALIDATOR DOES NOT SIGN (why)"])
async def test_who_does_not_sign_or_was_removed_has_failed(tmp_path: Path, warning: str) -> None:
    """Whatever the node warns of is found, word for word, and is no mere warning."""
    node = solo_node(tmp_path)
    async with running(node) as served, served.connect() as client:
        status = await client.status()
        assert diagnosis.of_signing(status).level is Level.OK
        verdict = diagnosis.of_signing(replace(status, warnings=(warning,)))
    assert (verdict.check, verdict.level, verdict.found) == ("signing", Level.FAILURE, warning)
    node.store.close()
