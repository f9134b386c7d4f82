"""What keeps a node from starting is found by looking: one table, each row shown both ways."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from alatau.app.home import Home, HomeInUseError, lock_home
from alatau.app.startup import StartRefusedError, check_start, open_node, read_home
from alatau.cli.exit_codes import ExitCode, exit_code_of
from alatau.storage.sign_state import SignStateFile
from alatau.transport.certificates import authority_certificate, issue_identity, new_key
from alatau_devnet.network import create_network
from alatau_devnet.plan import DevnetOptions

Spoil = Callable[[Home], object]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Homes of the only validators of two networks, each with a database at block 0."""
    made = []
    for number in range(2):
        folder = tmp_path_factory.mktemp("network") / "devnet"
        home = create_network(folder, DevnetOptions(validators=1, residents=2 + number)).nodes[0].home
        with open_node(Home(home), _free_ports(), None):
            pass
        made.append(home)
    return made[0], made[1]


def _free_ports() -> dict[str, str]:
    """Variables that set the three listeners to ports that were free a moment ago."""
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        endpoints = [f"127.0.0.1:{server.getsockname()[1]}" for server in servers]
    return dict(zip(("ALATAU_P2P_LISTEN", "ALATAU_RPC_LISTEN", "ALATAU_METRICS_LISTEN"), endpoints, strict=True))


@pytest.fixture
def home(tmp_path: Path, homes: tuple[Path, Path]) -> Home:
    """A home that a node would start in, for one test to spoil; its ports were free a moment ago."""
    shutil.copytree(homes[0], tmp_path / "home")
    made = Home(tmp_path / "home")
    for variable, endpoint in _free_ports().items():
        _set(variable.removeprefix("ALATAU_").lower().replace("_", "."), endpoint)(made)
    return made


def _write(name: str, data: bytes | str) -> Spoil:
    def spoil(home: Home) -> None:
        path = home.folder / name
        if path.is_dir():
            shutil.rmtree(path)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        path.chmod(0o600)

    return spoil


def _remove(name: str) -> Spoil:
    return lambda home: (home.folder / name).unlink()


def _set(setting: str, value: str) -> Spoil:
    """Change a setting of config.toml."""
    section, name = setting.split(".")

    def spoil(home: Home) -> None:
        lines = home.config_file.read_text().splitlines()
        at = lines.index(f"[{section}]")
        index = next(n for n in range(at + 1, len(lines)) if lines[n].lstrip("# ").startswith(f"{name} ="))
        lines[index] = f'{name} = "{value}"'
        home.config_file.write_text("\n".join(lines))

    return spoil


def _edit_genesis(edit: Callable[[dict[str, object]], object]) -> Spoil:
    def spoil(home: Home) -> None:
        document = json.loads(home.genesis_file.read_text())
        edit(document)
        home.genesis_file.write_text(json.dumps(document))

    return spoil


def _cut_initcode(document: dict[str, object]) -> None:
    contracts = document["contracts"]
    assert isinstance(contracts, list)
    contracts[0]["initcode"] = contracts[0]["initcode"][:400]


def _same_port(one: str, other: str) -> Spoil:
    def spoil(home: Home) -> None:
        port = _free_port()
        _set(one, f"127.0.0.1:{port}")(home)
        _set(other, f"127.0.0.1:{port}")(home)

    return spoil


def _demand_certificates(home: Home) -> None:
    """An authority that can be read; browsers and curl keep their port."""
    (home.folder / "clients.pem").write_bytes(authority_certificate(new_key()))
    _set("http.listen", f"127.0.0.1:{_free_port()}")(home)
    _set("rpc.client_authority", "clients.pem")(home)


def _damage_log(home: Home) -> None:
    (home.wal / "consensus.wal").write_bytes(b"no log of ours" * 10)


def _damage_database(home: Home) -> None:
    for path in (home.database / "db").glob("MANIFEST-*"):
        path.write_bytes(b"\0" * 100)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


CODE = ExitCode
REFUSALS: dict[str, tuple[Spoil, str, ExitCode]] = {
    "a setting of the wrong kind": (
        _write("config.toml", "[rpc]\nlisten = 4\n"),
        "config.toml:2: rpc.listen = 4",
        CODE.CONFIGURATION,
    ),
    "a configuration that is no TOML": (_write("config.toml", "[rpc\n"), "config.toml:1: no TOML", CODE.CONFIGURATION),
    "no genesis": (_remove("genesis.json"), "genesis.json: missing", CODE.CONFIGURATION),
    "a genesis that is none": (_write("genesis.json", "{}"), "genesis.json: lacks 'format'", CODE.CONFIGURATION),
    "a genesis edited after the first start": (
        _edit_genesis(lambda d: d.update(alloc={"0x" + "11" * 20: "5"})),
        "belongs to the network with genesis",
        CODE.FAILED,
    ),
    "a genesis whose contract does not come to be": (
        _edit_genesis(_cut_initcode),
        "genesis.json: the constructor of",
        CODE.CONFIGURATION,
    ),
    "no TLS key": (_remove("keys/tls.key"), "keys/tls.key: missing", CODE.CONFIGURATION),
    "no certificate": (_remove("keys/tls.crt"), "keys/tls.crt: missing", CODE.CONFIGURATION),
    "a TLS key that is none": (_write("keys/tls.key", "x"), "not an unencrypted private key", CODE.CONFIGURATION),
    "a certificate that is none": (_write("keys/tls.crt", "x"), "not a certificate", CODE.CONFIGURATION),
    "a certificate of another key": (
        _write("keys/tls.crt", issue_identity(new_key(), "other").certificate_pem),
        "another key",
        CODE.CONFIGURATION,
    ),
    "a key that others may read": (
        lambda home: home.tls_key.chmod(0o644),
        "others may read it; mend with: chmod 600",
        CODE.CONFIGURATION,
    ),
    "a password that others may read": (
        lambda home: (home.keys / "password").chmod(0o640),
        "keys/password: others may read it",
        CODE.CONFIGURATION,
    ),
    "an authority of clients that is not there": (
        _set("rpc.client_authority", "clients.pem"),
        "config.toml: rpc.client_authority = clients.pem: cannot be read",
        CODE.CONFIGURATION,
    ),
    "a way in that goes round the certificates": (
        _demand_certificates,
        "config.toml: http.listen without TLS asks nobody for a certificate",
        CODE.CONFIGURATION,
    ),
    "a damaged voting key": (_write("keys/voting.json", "{}"), "keys/voting.json: keystore's", CODE.CONFIGURATION),
    "a damaged operator key": (_write("keys/operator.json", "[]"), "holds no JSON object", CODE.CONFIGURATION),
    "a wrong password": (_write("keys/password", "wrong\n"), "does not open this keystore", CODE.PASSWORD),
    "a password of two lines": (_write("keys/password", "a\nb\n"), "must hold one line", CODE.PASSWORD),
    "no password file": (_remove("keys/password"), "keys/password cannot be read", CODE.PASSWORD),
    "no password at all": (_set("keys.password_file", ""), "no password: set ALATAU_PASSWORD", CODE.PASSWORD),
    "peers and clients on one port": (
        _same_port("p2p.listen", "rpc.listen"),
        "p2p.listen has this port already",
        CODE.IN_USE,
    ),
    "clients and metrics on one port": (
        _same_port("rpc.listen", "metrics.listen"),
        "rpc.listen has this port already",
        CODE.IN_USE,
    ),
    "peers and metrics on one port": (
        _same_port("p2p.listen", "metrics.listen"),
        "p2p.listen has this port already",
        CODE.IN_USE,
    ),
    "an address of another machine": (
        _set("rpc.listen", "203.0.113.7:7101"),
        "rpc.listen = 203.0.113.7:7101: cannot be listened on",
        CODE.IN_USE,
    ),
    "a log file in no folder": (
        _set("log.file", "no/such/folder/log"),
        "log.file = no/such/folder/log: cannot be written",
        CODE.FAILED,
    ),
    "a damaged database": (_damage_database, "data: ", CODE.DAMAGED),
    "a file in place of the database": (_write("data", "x"), "data: ", CODE.FAILED),
    "a damaged log": (_damage_log, "wal: ", CODE.DAMAGED),
    "a damaged sign state": (_write("sign_state.json", "{}"), "sign_state.json is damaged", CODE.DAMAGED),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_start_refuses_the_check_finds(home: Home, name: str) -> None:
    """The same problems in the same words, and the exit code is the one that start gives."""
    assert check_start(home, {}, None) == []
    spoil, message, code = REFUSALS[name]
    spoil(home)
    found = check_start(home, {}, None)
    with pytest.raises(StartRefusedError) as refused, open_node(home, {}, None):
        pass
    assert str(refused.value) == "\n".join(str(refusal.problem) for refusal in found)
    assert message in str(refused.value)
    assert exit_code_of(refused.value) is code


@contextmanager
def _taken(home: Home, setting: str) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        _set(setting, f"127.0.0.1:{other.getsockname()[1]}")(home)
        yield


@pytest.mark.parametrize("setting", ["p2p.listen", "rpc.listen", "metrics.listen", "http.listen"])
def test_a_port_in_use_is_found_with_its_setting(home: Home, setting: str) -> None:
    """The line to change, by either way."""
    with _taken(home, setting):
        (found,) = check_start(home, {}, None)
        assert f"{setting} = 127.0.0.1:" in found.problem.message
        assert "Address already in use" in found.problem.message
        with pytest.raises(StartRefusedError, match=setting) as refused, open_node(home, {}, None):
            pass
        assert exit_code_of(refused.value) is ExitCode.IN_USE


def test_a_home_of_another_network(home: Home, homes: tuple[Path, Path]) -> None:
    """A database that was copied from elsewhere."""
    shutil.rmtree(home.database)
    shutil.copytree(homes[1] / "data", home.database)
    (found,) = check_start(home, {}, None)
    assert "belongs to the network with genesis" in found.problem.message


def test_too_few_descriptors_are_refused(home: Home) -> None:
    """Connections would take those that signing needs; the message says how to raise the limit."""
    program = """
import os, resource, sys
from pathlib import Path
from alatau.app.home import Home
from alatau.app.startup import StartRefusedError, check_start, open_node
resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
home = Home(Path(sys.argv[1]))
(found,) = check_start(home, {}, None)
assert "LimitNOFILE" in found.problem.message, found
try:
    with open_node(home, {}, None):
        print("started")
except StartRefusedError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(home.folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert "a node needs 1024" in done.stdout, done.stderr


def test_all_is_told_at_once(home: Home) -> None:
    """Mending one thing after the other, each after a start of its own, is nobody's pleasure."""
    with ExitStack() as stack:
        stack.enter_context(_taken(home, "rpc.listen"))
        _write("genesis.json", "{}")(home)
        _write("keys/password", "wrong\n")(home)
        _remove("keys/tls.crt")(home)
        sources = [refusal.problem.source for refusal in check_start(home, {}, None)]
    assert sources == ["genesis.json", "keys/tls.crt", "keys/voting.json", "config.toml"]


def test_variables_of_the_environment_count(home: Home) -> None:
    """They override the file, and a mistake in one is found as well."""
    (found,) = check_start(home, {"ALATAU_RPC_LISTEM": "x"}, None)
    assert "unknown variable ALATAU_RPC_LISTEM" in found.problem.message
    _set("keys.password_file", "")(home)
    assert check_start(home, {"ALATAU_PASSWORD": "wrong"}, None)[0].problem.source == "keys/voting.json"


def test_a_home_in_use_is_refused_by_start_and_its_files_are_checked(home: Home) -> None:
    """Whoever edits the configuration of a running node wants to know whether it will start again."""
    with lock_home(home):
        assert check_start(home, {}, None) == []
        with pytest.raises(HomeInUseError), open_node(home, {}, None):
            pass
        _write("keys/password", "wrong\n")(home)
        assert "password" in check_start(home, {}, None)[0].problem.message


def test_a_check_leaves_no_database_behind(home: Home) -> None:
    """One made by a check would bind the home to a genesis file that may still be replaced."""
    for path in (home.database, home.wal):
        shutil.rmtree(path)
    assert check_start(home, {}, None) == []
    assert not home.database.exists()


def test_a_person_is_asked_for_the_password(home: Home) -> None:
    """Where neither file nor environment has one."""
    password = (home.folder / "keys/password").read_text().strip()
    _set("keys.password_file", "")(home)
    contents = read_home(home, {}, lambda: password)
    assert contents.voting_key is not None


def test_an_observer_needs_no_password(home: Home) -> None:
    """It has no voting key."""
    home.voting_key.unlink()
    home.operator_key.unlink()
    (home.folder / "keys/password").unlink()
    assert check_start(home, {}, None) == []
    assert SignStateFile.open(home.sign_state).last is None


def test_every_file_that_others_may_read_is_named(home: Home) -> None:
    """Not the first, and not the first two."""
    secret = [home.voting_key, home.operator_key, home.tls_key, home.keys / "password"]
    for path in secret:
        path.chmod(0o644)
    named = [str(refusal.problem) for refusal in check_start(home, {}, None)]
    assert all(any(path.name in text and f"chmod 600 {path}" in text for text in named) for path in secret)
