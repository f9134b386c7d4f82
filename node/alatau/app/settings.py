"""Settings of a process: dataclasses of sections, from which file, checks, messages and documentation follow.

A configuration is a frozen dataclass whose fields are sections, each a frozen dataclass whose fields are
``Annotated[type, check, explanation]`` with a default: :func:`schema_of` reads them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Generic, TypeAlias, TypeVar, get_args, get_type_hints

from alatau.books.errors import ZoneError
from alatau.types.endpoint import EndpointError, parse_endpoint
from alatau.zones import zone_of

C = TypeVar("C")

_ORIGIN: Final = re.compile(
    r"\*|[a-z][a-z0-9+.-]*://[a-z0-9.-]+(:[0-9]{1,5})?|[a-z][a-z0-9+.-]*://\[[0-9a-f:]+\](:[0-9]{1,5})?"
)
"""As browsers send it: in lower case, without a path."""

_ADDRESS: Final = re.compile("0x[0-9a-fA-F]{40}")

Check: TypeAlias = Callable[[Any], str | None]
"""Returns what is allowed when a value of the right type is not, else None."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as the template, the checks and the documentation see it."""

    section: str
    name: str
    type: Any
    """``str`` or ``int``."""
    check: Check
    explanation: str
    default: Any
    prefix: str
    """Of its environment variable."""

    @property
    def key(self) -> str:
        """How messages name it: ``rpc.listen``."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that overrides it: ``ALATAU_RPC_LISTEN``."""
        return f"{self.prefix}{self.section}_{self.name}".upper()


@dataclass(frozen=True, slots=True)
class Schema(Generic[C]):
    """A configuration and its settings."""

    config: type[C]
    settings: tuple[Setting, ...]
    prefix: str
    """With which the environment variables begin that belong to it."""
    subject: str
    """Whose settings they are, in words."""

    def section_explanation(self, section: str) -> str:
        """What a section of the file is about."""
        return str(get_type_hints(self.config)[section].__doc__).strip()

    def build(self, values: Mapping[str, Any]) -> C:
        """The configuration with ``values`` (by key, already checked) in place of defaults."""
        types = get_type_hints(self.config)
        sections = {
            name: types[name](**{s.name: values[s.key] for s in self.settings if s.section == name and s.key in values})
            for name in types
        }
        return self.config(**sections)


def schema_of(config: type[C], prefix: str, subject: str) -> Schema[C]:
    """The settings of a configuration's sections, in their order."""
    return Schema(config, tuple(_settings_of(config, prefix)), prefix, subject)


def _settings_of(config: Any, prefix: str) -> Iterator[Setting]:
    for section in fields(config):
        section_type = get_type_hints(config)[section.name]
        hints = get_type_hints(section_type, include_extras=True)
        for item in fields(section_type):
            type_, check, explanation = get_args(hints[item.name])
            yield Setting(section.name, item.name, type_, check, explanation, item.default, prefix)


def between(low: float, high: float) -> Check:
    """A number within bounds, both included."""
    return lambda value: None if low <= value <= high else f"expected {low} to {high}"


def one_of(*allowed: str) -> Check:
    """One of some words."""
    return lambda value: None if value in allowed else "expected one of " + ", ".join(f'"{a}"' for a in allowed)


def endpoint(value: str) -> str | None:
    """``host:port``."""
    try:
        parse_endpoint(value)
    except EndpointError as error:
        return f"expected {error}"
    return None


def endpoint_or_empty(value: str) -> str | None:
    """``host:port``, or nothing."""
    return endpoint(value) if value else None


def endpoint_list(value: str) -> str | None:
    """``host:port``, or several between commas."""
    for name in (part.strip() for part in value.split(",")):
        try:
            parse_endpoint(name)
        except EndpointError as error:
            return f"expected host:port, or several between commas: {name!r} is none ({error})"
    return None


def endpoint_list_or_empty(value: str) -> str | None:
    """The same, or nothing."""
    return endpoint_list(value) if value else None


def origin_list(value: str) -> str | None:
    """Origins of web pages, between commas, or none."""
    wrong = [text for text in map(str.strip, value.split(",")) if text and not _ORIGIN.fullmatch(text)]
    return f"expected scheme://host or scheme://host:port, which {wrong[0]!r} is not" if wrong else None


def zone_name(value: str) -> str | None:
    """A time zone by its IANA name."""
    try:
        zone_of(value)
    except ZoneError as error:
        return f"expected the IANA name of a time zone: {error}"
    return None


def hex_address(value: str) -> str | None:
    """An account or a contract: 20 bytes."""
    return None if _ADDRESS.fullmatch(value) else "expected 0x and 40 hexadecimal digits"


def hex_address_or_empty(value: str) -> str | None:
    """The same, or nothing."""
    return hex_address(value) if value else None


def anything(_value: object) -> None:
    """Whatever has the right type."""
    return
