import json
import shlex
import shutil
import socket
from pathlib import Path

import pytest

from alatau.app.genesis.file import read_genesis
from alatau.chain.genesis import make_genesis
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


def test_the_readmes_walk_works_as_printed(alatau: Alatau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line by line in one folder, but for where the node lives and listens; the last, ``start``, runs elsewhere."""
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    block = readme.partition("### You operate a node")[2].partition("```sh\n")[2].partition("```")[0]
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        ports = [server.getsockname()[1] for server in (one, two)]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALATAU_PASSWORD", "correct horse")  # A terminal would ask for it.
    monkeypatch.setenv("ALATAU_METRICS_LISTEN", "")
    monkeypatch.setenv("ALATAU_RPC_LISTEN", f"127.0.0.1:{ports[1]}")
    lines = block.replace("/var/lib/alatau", "home").replace("10.0.0.5:7001", f"127.0.0.1:{ports[0]}").splitlines()
    assert [shlex.split(line, comments=True)[-1] for line in lines][-2:] == ["check", "start"]
    for line in lines[:-1]:
        program, *words = shlex.split(line, comments=True)
        given = [name for word in words for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]
        if program == "cp":
            shutil.copy(*given)
            continue
        assert program == "alatau"
        outcome = alatau(*given)
        assert outcome.code == 0, (line, outcome.err)
        if "plan" in given:
            # What the comment says that all agree on.
            document = json.loads(Path("plan.json").read_text())
            for council in ("fund_council", "reserve_council"):
                document[council]["guardian"] = "0x" + "99" * 20
            Path("plan.json").write_text(json.dumps(document))
        if "merge" in given:
            assert "plan.json is no contribution: passed over" in outcome.err


def test_the_plan_and_the_result_among_the_contributions_are_passed_over(
    alatau: Alatau, tmp_path: Path, ceremony: tuple[Path, list[Path]]
) -> None:
    """A pattern matches them; a word says so, and any other file that is none is still refused."""
    plan, contributions = ceremony
    file = tmp_path / "genesis.json"
    for _ in range(2):
        given = [plan, *contributions, *([file] if file.exists() else [])]
        merged = alatau("genesis", "merge", "--plan", plan, *given, "-o", file, "--json")
        assert merged.code == 0, merged.err
        assert f"{plan} is no contribution: passed over" in merged.err
    other = tmp_path / "other.json"
    other.write_text("{}")
    assert alatau("genesis", "merge", "--plan", plan, *contributions, other, "-o", file).code == 3


def test_block_0_is_the_same_wherever_it_is_printed(
    alatau: Alatau, tmp_path: Path, ceremony: tuple[Path, list[Path]]
) -> None:
    """By merge, verify and show: the hash that nodes and light clients start from."""
    plan, contributions = ceremony
    file = tmp_path / "genesis.json"
    merged = alatau("genesis", "merge", "--plan", plan, *contributions, "-o", file, "--json").json()
    verified = alatau("genesis", "verify", "--plan", plan, *contributions, "--genesis", file, "--json").json()
    shown = alatau("genesis", "show", file, "--json").json()
    block_0 = make_genesis(read_genesis(file)).block.hash
    assert merged["block_0_hash"] == verified["block_0_hash"] == shown["block_0_hash"] == "0x" + block_0.hex()


def test_an_edited_plan_is_not_overwritten(alatau: Alatau, tmp_path: Path) -> None:
    """A second ``genesis plan`` on the same name says so and leaves it."""
    plan = tmp_path / "plan.json"
    made = alatau("genesis", "plan", "--chain-id", 5, "--name", "test", "-o", plan)
    assert "warning: fund_council.threshold is 1" in made.err
    assert "warning: reserve_council.guardian is zero" in made.err
    plan.write_text("edited")
    again = alatau("genesis", "plan", "--chain-id", 5, "--name", "test", "-o", plan)
    assert again.code == 3
    assert "exists already" in again.err
    assert plan.read_text() == "edited"


def test_a_contribution_uses_the_homes_password_file(
    alatau: Alatau, tmp_path: Path, password_file: Path, ceremony: tuple[Path, list[Path]]
) -> None:
    """The configuration names it since init; a name that no genesis could hold is refused before it is signed."""
    plan, _ = ceremony
    home, file = tmp_path / "home0", tmp_path / "again.json"
    assert f'password_file = "{password_file}"' in (home / "config.toml").read_text()
    made = alatau("--home", home, "genesis", "contribute", "--plan", plan, "--name", "M0", "-o", file)
    assert made.code == 0, made.err
    assert "warning" not in made.err
    long = alatau("--home", home, "genesis", "contribute", "--plan", plan, "--name", "M" * 65, "-o", tmp_path / "long")
    assert long.code == 3
    assert "at most 64 printable characters" in long.err
