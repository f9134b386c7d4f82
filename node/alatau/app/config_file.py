"""Reading and writing ``config.toml``; every mistake in it is reported, each with its line."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from alatau.app.config import SCHEMA, NodeConfig
from alatau.app.settings import Schema, Setting
from alatau.build_form import PURE_ASKED

C = TypeVar("C")

_FILE_SIZE_MAX: Final = 64 * 1024
"""Bytes; the template with every setting has about 4,000."""
_LINE_LENGTH_MAX: Final = 1024
"""Characters: a key of 60,000 dotted parts in one line keeps ``tomllib`` busy for 100 s."""
_TOML_POSITION: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_OTHER_VARIABLES: Final = frozenset(
    {"ALATAU_HOME", "ALATAU_PASSWORD", "ALATAU_NODE", "ALATAU_CA", "ALATAU_WALLET", PURE_ASKED}
)
"""Read by the command line, not settings of a node."""
_OTHER_PROCESSES: Final = ("ALATAU_HUB_", "ALATAU_TILL_", "ALATAU_TOWER_", "ALATAU_WALLET_")
"""Begin variables of processes that may run beside a node, in the same environment."""
_TYPE_NAMES: Final[Mapping[Any, str]] = {
    str: "a string in quotes",
    int: "a whole number",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of the operator."""

    source: str
    """``config.toml:12``, or ``environment``."""
    message: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.source}: {self.message}"


class ConfigError(ValueError):
    """The configuration is wrong, and the node does not start. Mend the lines named; ``alatau config check`` tests."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Take all problems found, in the order of the file."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def read_config(path: Path, environment: Mapping[str, str]) -> NodeConfig:
    """Read the file, lay the environment's ``ALATAU_<SECTION>_<NAME>`` over it, check everything.

    Raises:
        ConfigError: with every problem found, not only the first.
        OSError: the file cannot be read.
    """
    return read_config_of(SCHEMA, path, environment)


def read_config_of(schema: Schema[C], path: Path, environment: Mapping[str, str]) -> C:
    """The same for another process's configuration, whose environment variables begin with its prefix."""
    with path.open("rb") as file:
        data = file.read(_FILE_SIZE_MAX + 1)
    return parse_config(schema, data, path.name, environment)


def parse_config(schema: Schema[C], data: bytes, name: str, environment: Mapping[str, str]) -> C:
    """As :func:`read_config_of`, from the bytes of a file called ``name``."""
    text = _decode(data, name)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # Also an integer of 5,000 digits, and 1,000 arrays in each other.
        raise ConfigError((_syntax_problem(str(error), text, name),)) from error
    lines = _lines_of_keys(text)
    values: dict[str, Any] = {}
    problems = [
        *_read_document(schema, document, name, lines, values),
        *_read_environment(schema, environment, values),
    ]
    if problems:
        raise ConfigError(tuple(problems))
    return schema.build(values)


def render_config(values: Mapping[str, Any]) -> str:
    """A node's commented file: settings in ``values`` (by key) are set, the others shown with their defaults."""
    return render_config_of(SCHEMA, values)


def render_config_of(schema: Schema[Any], values: Mapping[str, Any]) -> str:
    """The same for another process's configuration."""
    example = schema.settings[0].variable
    out = [f"# Settings of {schema.subject}. Environment variables such as {example} override them."]
    section = None
    for setting in schema.settings:
        if setting.section != section:
            section = setting.section
            out += ["", f"# {schema.section_explanation(section)}", f"[{section}]"]
        out.append(f"# {setting.explanation}")
        shown = f"{setting.name} = {_toml(values.get(setting.key, setting.default))}"
        out.append(shown if setting.key in values else f"# {shown}")
    return "\n".join(out) + "\n"


def _decode(data: bytes, name: str) -> str:
    if len(data) > _FILE_SIZE_MAX:
        raise ConfigError((Problem(name, f"larger than {_FILE_SIZE_MAX} bytes: no configuration"),))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError((Problem(f"{name}:{line}", "not UTF-8"),)) from error
    for number, line_ in enumerate(text.split("\n"), start=1):
        if len(line_) > _LINE_LENGTH_MAX:
            raise ConfigError((Problem(f"{name}:{number}", f"longer than {_LINE_LENGTH_MAX} characters"),))
    return text


def _syntax_problem(message: str, text: str, name: str) -> Problem:
    match = _TOML_POSITION.search(message)
    line = int(match[1]) if match and match[1] else text.rstrip().count("\n") + 1
    return Problem(f"{name}:{line}", f"no TOML: {_TOML_POSITION.sub('', message)}")


def _read_document(
    schema: Schema[Any], document: Mapping[str, Any], name: str, lines: Mapping[str, int], values: dict[str, Any]
) -> Iterator[Problem]:
    sections = list(dict.fromkeys(s.section for s in schema.settings))
    for section, content in document.items():
        source = f"{name}:{lines.get(section, 1)}"
        if section not in sections:
            yield Problem(source, f"unknown section [{section}]{_suggestion(section, sections)}")
        elif not isinstance(content, dict):
            yield Problem(source, f"{section} is a section: write [{section}] on a line of its own")
        else:
            settings = {s.name: s for s in schema.settings if s.section == section}
            yield from _read_section(section, settings, content, name, lines, values)


def _read_section(
    section: str,
    settings: Mapping[str, Setting],
    content: Mapping[str, Any],
    name: str,
    lines: Mapping[str, int],
    values: dict[str, Any],
) -> Iterator[Problem]:
    for key, value in content.items():
        source = f"{name}:{lines.get(f'{section}.{key}', lines.get(section, 1))}"
        if (setting := settings.get(key)) is None:
            yield Problem(source, f"unknown setting {section}.{key}{_suggestion(key, list(settings))}")
        elif problem := _take(setting, value, values):
            yield Problem(source, problem)


def _take(setting: Setting, value: Any, values: dict[str, Any]) -> str | None:
    """Put ``value`` into ``values``, or say what is wrong with it."""
    shown = f"{setting.key} = {_toml(value)}"
    if type(value) is not setting.type:
        return f"{shown}: expected {_TYPE_NAMES[setting.type]}, such as {_toml(setting.default)}"
    if problem := setting.check(value):
        return f"{shown}: {problem}"
    values[setting.key] = value
    return None


def _read_environment(schema: Schema[Any], environment: Mapping[str, str], values: dict[str, Any]) -> Iterator[Problem]:
    settings = {s.variable: s for s in schema.settings}
    for variable in sorted(environment):
        if not variable.startswith(schema.prefix) or variable in _OTHER_VARIABLES:
            continue
        if variable.startswith(_OTHER_PROCESSES) and not schema.prefix.startswith(_OTHER_PROCESSES):
            continue
        if (setting := settings.get(variable)) is None:
            yield Problem("environment", f"unknown variable {variable}{_suggestion(variable, list(settings))}")
        elif problem := _take(setting, _from_text(setting, environment[variable]), values):
            yield Problem("environment", f"{variable}: {problem}")


def _from_text(setting: Setting, text: str) -> Any:
    if setting.type is int and re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    return text


def _lines_of_keys(text: str) -> dict[str, int]:
    """The line of each section and key.

    ``tomllib`` keeps no positions; the plain shapes of TOML are found here, and a key in an exotic shape falls back to
    the line of its section.
    """
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if header := re.match(r"\s*\[\s*\"?([\w-]+)\"?\s*\]", line):
            section = header[1]
            lines.setdefault(section, number)
        elif key := re.match(r"\s*\"?([\w-]+)\"?(?:\.\"?([\w-]+)\"?)?\s*=", line):
            path = [part for part in (section, *key.groups()) if part]
            lines.setdefault(".".join(path), number)
            lines.setdefault(path[0], number)
    return lines


def _suggestion(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
