"""Who may use the client port: an authority whose certificates it asks for, and roles by key.

Without an authority nobody is asked, and whoever can connect reads and submits. With one only its clients connect, and
this node itself, whose key is an operator's, so that ``alatau status`` beside it goes on working. A file maps keys to
roles, by the hash that ``openssl pkey -pubin -outform der | sha256sum`` prints of one:

::

    "6f1d…" = ["reader", "auditor"]
    "09ab…" = []                     # refused, although the authority certified it

What it does not name reads and submits.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from alatau.app.config import NodeConfig, RpcConfig
from alatau.rpc.access import Role, RoleMap
from alatau.transport.certificates import TlsIdentity
from alatau.transport.credentials import TrustStore

_FILE_SIZE_MAX: Final = 1024 * 1024
"""Bytes; a role takes about 90."""
_LINE_LENGTH_MAX: Final = 1024
"""As of the configuration: ``tomllib`` takes 100 s for a key of 60,000 dotted parts."""
_KEY_HASH_SIZE: Final = 32
CERTIFIED_ROLES: Final = frozenset({Role.READER, Role.SUBMITTER})
"""What a client of the authority may do that the file does not name."""


class ClientAccessError(ValueError):
    """The operator's files about clients are wrong, and the node does not start; the message names file and entry."""


@dataclass(frozen=True, slots=True)
class ClientAccess:
    """Whom the client port lets in, and what each may do."""

    trust: TrustStore | None
    """None asks nobody for a certificate."""
    roles: RoleMap


def read_client_access(folder: Path, config: RpcConfig, own: TlsIdentity) -> ClientAccess:
    """What ``config`` says, its files relative to ``folder``; ``own`` is the node's own key, an operator's.

    Raises:
        ClientAccessError: a file cannot be read, or holds something else.
    """
    if not config.client_authority:
        if config.client_roles:
            raise ClientAccessError("rpc.client_roles needs rpc.client_authority: without, nobody shows a certificate")
        return ClientAccess(None, RoleMap())
    authorities = _read(folder, "rpc.client_authority", config.client_authority)
    try:
        x509.load_pem_x509_certificates(authorities)
    except ValueError as error:
        name = f"rpc.client_authority = {config.client_authority}"
        raise ClientAccessError(f"{name}: no certificate in PEM: {error}") from error
    roles: Mapping[bytes, frozenset[Role]] = {}
    if config.client_roles:
        name = f"rpc.client_roles = {config.client_roles}"
        roles = _roles(_read(folder, "rpc.client_roles", config.client_roles), name)
    trust = TrustStore([own.public_key], authorities)
    trust.revoke(key for key, given in roles.items() if not given)
    named = {**roles, own.key_hash: frozenset({Role.OPERATOR})}
    return ClientAccess(trust, RoleMap(named, CERTIFIED_ROLES))


def check_ways_in(config: NodeConfig) -> None:
    """No way in goes round what the client port demands; raises ``ClientAccessError``."""
    if config.http.listen and config.http.tls == "off" and config.rpc.client_authority:
        raise ClientAccessError(
            "http.listen without TLS asks nobody for a certificate, and rpc.client_authority lets in only clients that "
            'have one: set http.tls = "on", or leave one of the two empty'
        )


def _read(folder: Path, setting: str, name: str) -> bytes:
    try:
        with (folder / name).open("rb") as file:
            data = file.read(_FILE_SIZE_MAX + 1)
    except (OSError, ValueError) as error:
        raise ClientAccessError(f"{setting} = {name}: cannot be read: {error}") from error
    if len(data) > _FILE_SIZE_MAX:
        raise ClientAccessError(f"{setting} = {name}: larger than {_FILE_SIZE_MAX} bytes")
    return data


def _roles(data: bytes, name: str) -> dict[bytes, frozenset[Role]]:
    if any(len(line) > _LINE_LENGTH_MAX for line in data.split(b"\n")):
        raise ClientAccessError(f"{name}: a line is longer than {_LINE_LENGTH_MAX} bytes")
    try:
        document = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise ClientAccessError(f"{name}: no TOML: {error}") from error
    roles: dict[bytes, frozenset[Role]] = {}
    for key, given in document.items():
        hash_ = _key_hash(key, name)
        if hash_ in roles:
            raise ClientAccessError(f"{name}: {key:.80} is there twice")
        roles[hash_] = _roles_of(key, given, name)
    return roles


def _key_hash(text: str, name: str) -> bytes:
    try:
        hash_ = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        hash_ = b""
    if len(hash_) != _KEY_HASH_SIZE:
        raise ClientAccessError(f"{name}: {text[:80]!r} is no hash of a key: 64 hexadecimal digits")
    return hash_


def _roles_of(key: str, given: Any, name: str) -> frozenset[Role]:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(role, str) and role in list(Role) for role in names):
        raise ClientAccessError(f"{name}: {key[:16]}: expected a list of {', '.join(Role)}")
    return frozenset(map(Role, names))
