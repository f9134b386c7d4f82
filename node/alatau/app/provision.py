"""Making a node's home: folders, keys, certificate, configuration."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alatau.app.config_file import render_config
from alatau.app.home import Home, create_home
from alatau.app.private_file import write_keystore, write_private
from alatau.client.keystore import STANDARD_COST, ScryptCost
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import (
    CertificateError,
    TlsIdentity,
    common_name_of,
    hosts_of,
    issue_identity,
    load_identity,
    new_key,
)
from alatau.types.endpoint import parse_endpoint

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  compared with, not listened on

_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ProvisionedHome:
    """A new home with the keys that were made for it."""

    home: Home
    voting: PrivateKey | None
    """None on an observer."""
    operator: PrivateKey | None
    identity: TlsIdentity


def new_private_key() -> PrivateKey:
    """A fresh secp256k1 key from the system's generator."""
    while True:
        try:
            return PrivateKey(secrets.token_bytes(32))
        except ValueError:
            continue  # Not below the order of the group: once in 2**128 draws.


def provision_home(
    folder: Path,
    *,
    name: str,
    settings: Mapping[str, Any],
    password: str | None,
    cost: ScryptCost = STANDARD_COST,
    hosts: Iterable[str] = (),
) -> ProvisionedHome:
    """Make a home in ``folder``; without ``password`` that of an observer, which has no voting and operator keys.

    ``hosts`` are further names and addresses by which clients will dial it; the certificate carries them.

    The configuration is written last: an interrupted attempt leaves no home that looks complete.

    Raises:
        HomeError: the folder holds a node already.
        CertificateError: one of ``hosts`` is neither a name nor an address.
        OSError: a file cannot be written, or a key is there already.
    """
    listens = [settings[key] for key in ("rpc.listen", "p2p.listen") if key in settings]
    identity = issue_identity(new_key(), name, list(dict.fromkeys([*certificate_hosts(listens), *hosts])))
    home = create_home(folder)
    voting = operator = None
    if password is not None:
        voting, operator = new_private_key(), new_private_key()
        write_keystore(home.voting_key, voting, password, cost)
        write_keystore(home.operator_key, operator, password, cost)
    write_private(home.tls_key, identity.key_pem)
    write_private(home.tls_certificate, identity.certificate_pem)
    write_private(home.config_file, render_config(settings).encode())
    return ProvisionedHome(home, voting, operator, identity)


def load_tls_identity(home: Home) -> TlsIdentity:
    """The node's TLS key and certificate; raises ``CertificateError``, ``OSError``."""
    return load_identity(home.tls_key.read_bytes(), home.tls_certificate.read_bytes())


def renew_certificate(home: Home, listens: Iterable[str], hosts: Iterable[str] = ()) -> TlsIdentity:
    """Issue and store a fresh certificate on the same key: who the node is does not change.

    It carries what the last one carried, the hosts of ``listens`` (host:port, where the node listens now), and
    ``hosts``; of one that cannot be read, or is of another key, nothing is taken over. Raises ``CertificateError``,
    ``OSError``.
    """
    try:
        last = load_tls_identity(home).certificate_pem
        name, carried = common_name_of(last) or "node", hosts_of(last)
    except (CertificateError, FileNotFoundError):
        name, carried = "node", []
    names = list(dict.fromkeys([*certificate_hosts(listens), *carried, *hosts]))
    identity = issue_identity(home.tls_key.read_bytes(), name, names)
    write_private(home.tls_certificate, identity.certificate_pem, replace=True)
    return identity


def certificate_hosts(listens: Iterable[str]) -> list[str]:
    """Names and addresses that the certificate should carry: where clients and peers find who listens there."""
    hosts = (parse_endpoint(text).host for text in listens)
    return list(dict.fromkeys([*_THIS_MACHINE, *(host for host in hosts if host not in _EVERYWHERE)]))
