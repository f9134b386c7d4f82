"""Every file that the command line reads, with contents that somebody made up: a sentence, never a traceback."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from alatau.app.genesis.ceremony import CeremonyError, contribute, encode_contribution, merge, read_contribution
from alatau.app.genesis.file import encode_genesis, read_genesis
from alatau.app.genesis.plan import encode_plan, read_plan
from alatau.app.json_field import DocumentError
from alatau.artifacts.artifact import load
from alatau.cli.exit_codes import ExitCode
from alatau.client.abi import load_abi
from alatau.client.errors import AbiError
from alatau.client.keystore import KeystoreError, ScryptCost, WrongPasswordError, encrypt_key, read_keystore
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import new_key
from alatau_devnet.plan import DevnetOptions, devnet_plan
from tests.support.hostile_json import TEXTS, VALUES, spoiled
from tests.unit.cli.command_line import Alatau

_ADDRESS: Final = "0x" + "11" * 20
_PLAN: Final = devnet_plan(DevnetOptions(residents=2), 1_700_000_000)
_CONTRIBUTION: Final = contribute(
    _PLAN,
    name="Ministry",
    endpoint="127.0.0.1:7000",
    power=1,
    operator=PrivateKey(b"\x01" * 32),
    voting=PrivateKey(b"\x02" * 32),
    tls_key_pem=new_key(),
)
_FEW: Final = tuple(VALUES[index] for index in (0, 2, 5, 7, 13))
"""Of each type one."""

_COMMANDS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "config.toml": ("config.toml", ("config", "check")),
    "config.toml shown": ("config.toml", ("config", "show")),
    "genesis.json": ("genesis.json", ("config", "check")),
    "genesis.json shown": ("genesis.json", ("genesis", "show")),
    "voting key": ("keys/voting.json", ("config", "check")),
    "keys listed": ("keys/operator.json", ("keys", "list")),
    "TLS key": ("keys/tls.key", ("config", "check")),
    "TLS key of the authority": ("keys/tls.key", ("certs", "ca")),
    "TLS key rotated": ("keys/tls.key", ("keys", "rotate")),
    "TLS certificate": ("keys/tls.crt", ("config", "check")),
    "TLS certificate listed": ("keys/tls.crt", ("keys", "list")),
    "password of the home": ("keys/password", ("config", "check")),
    "sign state": ("sign_state.json", ("doctor",)),
    "plan": ("file", ("genesis", "merge", "--plan", "FILE", "CONTRIBUTION", "-o", "OUT")),
    "contribution": ("file", ("genesis", "merge", "--plan", "PLAN", "FILE", "-o", "OUT")),
    "genesis of a new home": ("file", ("--home", "OUT", "init", "--name", "n", "--observer", "--genesis", "FILE")),
    "keystore": ("file", ("keys", "show", "FILE")),
    "keystore opened": ("file", ("keys", "show", "FILE", "--check", "--password-file", "PASSWORD")),
    "password": ("file", ("keys", "show", "KEYSTORE", "--check", "--password-file", "FILE")),
    "secret": ("file", ("keys", "import", "OUT", "--from-file", "FILE", "--weak", "--password-file", "PASSWORD")),
    "ABI": ("file", ("call", _ADDRESS, "f", "--abi", "FILE")),
    "a local network": ("network.json", ("devnet", "status", "--folder", "HOME")),
    "ABI by a compiler": ("file.json", ("deploy", "FILE", "--from", "KEYSTORE", "--password-file", "PASSWORD")),
    "code": ("file.hex", ("deploy", "FILE", "--from", "KEYSTORE", "--password-file", "PASSWORD")),
    "decision": ("file", ("council", "sign", "FILE", "--yes", "--from", "KEYSTORE", "--password-file", "PASSWORD")),
    "decision shown": ("file", ("council", "show", "FILE")),
    "place in the logs": ("file", ("logs", "--resume", "FILE")),
    "source": ("file.vy", ("deploy", "FILE", "--from", "KEYSTORE", "--password-file", "PASSWORD")),
}


@pytest.fixture
def places(alatau: Alatau, tmp_path: Path) -> dict[str, Path]:
    """A validator's home, and beside it a right plan, contribution, keystore and password."""
    home, password = tmp_path / "home", tmp_path / "home/keys/password"
    password.parent.mkdir(parents=True)
    password.write_text("correct horse\n")
    made = alatau("--home", home, "init", "--name", "n", "--weak-keystore", "--password-file", password)
    assert made.code == 0, made.err
    plan, contribution = tmp_path / "plan.json", tmp_path / "contribution.json"
    plan.write_bytes(encode_plan(_PLAN))
    contribution.write_bytes(encode_contribution(_CONTRIBUTION))
    (home / "genesis.json").write_bytes(encode_genesis(merge(_PLAN, [_CONTRIBUTION])))
    return {
        "HOME": home,
        "PLAN": plan,
        "CONTRIBUTION": contribution,
        "KEYSTORE": home / "keys/operator.json",
        "PASSWORD": password,
        "OUT": tmp_path / "out",
    }


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_file_of_any_contents_gives_a_sentence(
    alatau: Alatau, tmp_path: Path, places: dict[str, Path], name: str
) -> None:
    """Nothing is raised through the command line, and what is said is no longer than a screen."""
    where, command = _COMMANDS[name]
    file = (tmp_path if where.startswith("file") else places["HOME"]) / where
    accepted = []
    for contents, data in TEXTS.items():
        file.write_bytes(data)
        file.chmod(0o600)
        given = [str(places.get(word, file if word == "FILE" else word)) for word in command]
        outcome = alatau("--home", places["HOME"], *given)
        assert "Traceback" not in outcome.out + outcome.err, contents
        assert len(outcome.err) < 4_000, contents
        assert outcome.code in list(ExitCode), contents
        if outcome.code == 0 and "unusable" not in outcome.out:
            accepted.append(contents)
    assert len(accepted) < len(TEXTS) / 2, accepted


def _use_abi(path: Path) -> None:
    abi = load_abi(path)
    for functions in abi.functions.values():
        for function in functions:
            abi.encode_call(function.name, [0] * len(function.inputs))


@pytest.mark.parametrize(
    ("document", "read", "refusals"),
    [
        (encode_plan(_PLAN), lambda path: merge(read_plan(path), [_CONTRIBUTION]), (DocumentError, CeremonyError)),
        (
            encode_contribution(_CONTRIBUTION),
            lambda path: merge(_PLAN, [read_contribution(path)]),
            (DocumentError, CeremonyError),
        ),
        (encode_genesis(merge(_PLAN, [_CONTRIBUTION])), read_genesis, (DocumentError,)),
        (
            json.dumps(encrypt_key(PrivateKey(b"\x01" * 32), "pw", ScryptCost(2, 1, 1))).encode(),
            lambda path: read_keystore(path, "pw"),
            (KeystoreError, WrongPasswordError),
        ),
        (json.dumps(load("Council").abi[:6]).encode(), _use_abi, (AbiError,)),
    ],
    ids=["plan", "contribution", "genesis", "keystore", "ABI"],
)
def test_a_document_spoiled_at_any_place_is_refused_or_read(
    tmp_path: Path, document: bytes, read: Callable[[Path], object], refusals: Sequence[type[Exception]]
) -> None:
    """A right document with one value replaced or taken away: the reader's own error, or a value; nothing else."""
    file = tmp_path / "file.json"
    refused = 0
    for place, data in spoiled(_shortened(json.loads(document)), _FEW):
        file.write_bytes(data)
        try:
            read(file)
        except tuple(refusals):
            refused += 1
        except Exception as error:
            raise AssertionError(place) from error
    assert refused > 10


def _shortened(value: Any) -> Any:
    """``value`` with two members of each list, and of each object that is a table."""
    if isinstance(value, list):
        return [_shortened(item) for item in value[:2]]
    if isinstance(value, dict):
        table = {name.startswith("0x") for name in value} <= {True}
        return {name: _shortened(item) for name, item in list(value.items())[: 2 if table else None]}
    return value
