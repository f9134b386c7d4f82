from pathlib import Path

import pytest

from alatau.app.config import SCHEMA, SETTINGS, NodeConfig
from alatau.app.config_file import ConfigError, parse_config, read_config, render_config


def _problems(text: str, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(SCHEMA, text.encode(), "config.toml", environment or {})
    return [str(problem) for problem in caught.value.problems]


def test_an_empty_file_gives_the_defaults() -> None:
    """Every setting has one."""
    assert parse_config(SCHEMA, b"", "config.toml", {}) == NodeConfig()


def test_the_template_reads_back_as_what_was_set(tmp_path: Path) -> None:
    """What ``alatau init`` writes is a valid configuration, with each setting explained."""
    text = render_config({"rpc.listen": "0.0.0.0:7101"})
    path = tmp_path / "config.toml"
    path.write_text(text)
    config = read_config(path, {})
    assert config.rpc.listen == "0.0.0.0:7101"
    assert config.log == NodeConfig().log
    assert all(setting.explanation in text for setting in SETTINGS)


def test_every_default_passes_its_own_check() -> None:
    """A template whose lines are uncommented stays valid."""
    text = render_config({setting.key: setting.default for setting in SETTINGS})
    assert parse_config(SCHEMA, text.encode(), "config.toml", {}) == NodeConfig()


def test_all_mistakes_are_reported_each_with_its_line() -> None:
    """An operator mends them in one go."""
    text = '\n[rpc]\nlisten = "localhost"\nlistn = 4\n\n[mempool]\nper_sender_max = 0\n[lgo]\n[log]\nlevel = "loud"\n'
    assert _problems(text) == [
        'config.toml:3: rpc.listen = "localhost": expected host:port, such as 127.0.0.1:7001 (the port is missing)',
        "config.toml:4: unknown setting rpc.listn; did you mean listen?",
        "config.toml:7: mempool.per_sender_max = 0: expected 1 to 1000000",
        "config.toml:8: unknown section [lgo]; did you mean log?",
        'config.toml:10: log.level = "loud": expected one of "debug", "info", "warning", "error"',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[rpc]\nlisten = localhost", "config.toml:2: no TOML: Invalid value"),
        ('[rpc\nlisten = "a:1"', "config.toml:1: no TOML: "),
        ('[rpc]\nlisten = "a:1', "config.toml:2: no TOML: "),
        ("[rpc]\nstreams_max = true", "config.toml:2: rpc.streams_max = true: expected a whole number"),
        ("[rpc]\nstreams_max = [1]", "config.toml:2: rpc.streams_max = [1]: expected a whole number"),
        ("[rpc]\nstreams_max = 1.5", "config.toml:2: rpc.streams_max = 1.5: expected a whole number"),
        ('rpc = "x"', "config.toml:1: rpc is a section"),
        ('rpc.listen = "x"', "config.toml:1: rpc.listen = "),
        ('[rpc]\nlisten = "[::1:7101"', "config.toml:2: rpc.listen = "),
        ('[rpc]\nlisten = "127.0.0.1:70000"', "config.toml:2: rpc.listen = "),
        ('[rpc]\nlisten = "127.0.0.300:7000"', "config.toml:2: rpc.listen = "),
    ],
)
def test_a_mistake_names_its_line_and_what_is_allowed(text: str, expected: str) -> None:
    """Syntax, types, ranges, endpoints."""
    (problem,) = _problems(text)
    assert problem.startswith(expected)


def test_the_environment_overrides_the_file() -> None:
    """Containers are configured so."""
    environment = {
        "ALATAU_RPC_LISTEN": "0.0.0.0:9000",
        "ALATAU_RPC_STREAMS_MAX": "9",
        "ALATAU_HOME": "/somewhere",
        "PATH": "/bin",
    }
    config = parse_config(SCHEMA, b'[rpc]\nlisten = "127.0.0.1:1"\n', "config.toml", environment)
    assert (config.rpc.listen, config.rpc.streams_max) == ("0.0.0.0:9000", 9)


def test_a_mistake_in_the_environment_names_the_variable() -> None:
    """Unknown names under the prefix are mistakes too."""
    assert _problems("", {"ALATAU_RPC_LSTEN": "x", "ALATAU_MEMPOOL_TRANSACTIONS_MAX": "many"}) == [
        (
            'environment: ALATAU_MEMPOOL_TRANSACTIONS_MAX: mempool.transactions_max = "many": '
            "expected a whole number, such as 16384"
        ),
        "environment: unknown variable ALATAU_RPC_LSTEN; did you mean ALATAU_RPC_LISTEN?",
    ]


def test_bytes_that_are_no_text_name_their_line() -> None:
    """A binary file given by mistake is told from a typing error."""
    with pytest.raises(ConfigError, match=r"config\.toml:2: not UTF-8"):
        parse_config(SCHEMA, b"# fine\n\xff\xfe", "config.toml", {})


def test_variables_of_another_process_are_no_mistake() -> None:
    """A node starts in an environment that also sets up a tower beside it."""
    assert parse_config(SCHEMA, b"", "config.toml", {"ALATAU_TOWER_SERVICE_LISTEN": "x"}) == NodeConfig()
