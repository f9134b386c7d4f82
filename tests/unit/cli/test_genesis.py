import json
from pathlib import Path

import pytest

from alatau.app.genesis.file import read_genesis
from tests.unit.cli.command_line import Alatau


@pytest.fixture
def ceremony(alatau: Alatau, tmp_path: Path, password_file: Path) -> tuple[Path, list[Path]]:
    """A plan and the contributions of three ministries."""
    plan = tmp_path / "plan.json"
    assert alatau("genesis", "plan", "--chain-id", 5, "--name", "test", "-o", plan).code == 0
    document = json.loads(plan.read_text())
    for council in ("fund_council", "reserve_council"):
        document[council] |= {"threshold": 2, "guardian": "0x" + "99" * 20}
    plan.write_text(json.dumps(document))
    contributions = []
    for number in range(3):
        home, file = tmp_path / f"home{number}", tmp_path / f"contribution{number}.json"
        listen = f"127.0.0.1:{7001 + number}"
        options = ("--password-file", password_file)
        alatau("--home", home, "init", "--name", f"M{number}", "--p2p-listen", listen, "--weak-keystore", *options)
        made = alatau(
            "--home", home, "genesis", "contribute", "--plan", plan, "--name", f"M{number}", *options, "-o", file
        )
        assert made.code == 0, made.err
        contributions.append(file)
    return plan, contributions


def test_a_ceremony_from_plan_to_verified_genesis(
    alatau: Alatau, tmp_path: Path, ceremony: tuple[Path, list[Path]]
) -> None:
    """Two ministries merge in different orders and get the same file and the same transcript."""
    plan, contributions = ceremony
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    merged = alatau("genesis", "merge", "--plan", plan, *contributions, "-o", first, "--json").json()
    again = alatau("genesis", "merge", "--plan", plan, *contributions[::-1], "-o", second, "--json").json()
    assert merged["transcript_hash"] == again["transcript_hash"]
    assert first.read_bytes() == second.read_bytes()
    genesis = read_genesis(first)
    assert {v.name: v.endpoint for v in genesis.validators} == {f"M{n}": f"127.0.0.1:{7001 + n}" for n in range(3)}
    verified = alatau("genesis", "verify", "--plan", plan, *contributions, "--genesis", first, "--json").json()
    assert verified["verified"] is True
    assert verified["transcript_hash"] == merged["transcript_hash"]


def test_a_genesis_that_somebody_changed_does_not_verify(
    alatau: Alatau, tmp_path: Path, ceremony: tuple[Path, list[Path]]
) -> None:
    """The message says where it differs."""
    plan, contributions = ceremony
    file = tmp_path / "genesis.json"
    alatau("genesis", "merge", "--plan", plan, *contributions, "-o", file)
    document = json.loads(file.read_text())
    document["alloc"]["0x" + "66" * 20] = "1000000"
    file.write_text(json.dumps(document))
    outcome = alatau("genesis", "verify", "--plan", plan, *contributions, "--genesis", file)
    assert outcome.code == 3
    assert "its alloc differs" in outcome.err
    fewer = alatau("genesis", "verify", "--plan", plan, *contributions[:2], "--genesis", file)
    assert fewer.code == 3


def test_a_contribution_of_somebody_else_is_refused_by_name(
    alatau: Alatau, tmp_path: Path, ceremony: tuple[Path, list[Path]]
) -> None:
    """A changed endpoint breaks the signatures."""
    plan, contributions = ceremony
    document = json.loads(contributions[0].read_text())
    document["validator"]["endpoint"] = "127.0.0.1:6666"
    contributions[0].write_text(json.dumps(document))
    outcome = alatau("genesis", "merge", "--plan", plan, *contributions, "-o", tmp_path / "g.json")
    assert outcome.code == 3
    assert "M0: the signature is not by the operator" in outcome.err
    assert not (tmp_path / "g.json").exists()


def test_a_genesis_file_is_shown_for_people_and_scripts(
    alatau: Alatau, tmp_path: Path, ceremony: tuple[Path, list[Path]]
) -> None:
    """Validators, contracts, hashes."""
    plan, contributions = ceremony
    file = tmp_path / "genesis.json"
    alatau("genesis", "merge", "--plan", plan, *contributions, "-o", file)
    shown = alatau("genesis", "show", file)
    assert "M1" in shown.out
    assert "ValidatorRegistry" in shown.out
    facts = alatau("genesis", "show", file, "--json").json()
    assert facts["chain_id"] == 5
    assert len(facts["validators"]) == 3
