"""Everything that can keep a node from starting, found in one place.

``alatau start`` comes through here to run, ``alatau config check`` and ``alatau doctor`` to look: what the one refuses
the others find, because it is the same code. A refusal does not end the search: the operator hears all at once.

1. Files: configuration, genesis (block 0 is made of it), keys, certificate, password (:func:`read_home`).
2. The home: nobody else uses it.
3. Ports: each listener can be opened.
4. Disk: database, log and sign state are whole and of this network.

Looking changes nothing that starting would not: a database is opened only where there is one, since one made by a check
would bind the home to a genesis file that its operator may still replace.
"""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from alatau.app.client_access import ClientAccess, ClientAccessError, check_ways_in, read_client_access
from alatau.app.config import NodeConfig
from alatau.app.config_file import ConfigError, Problem, read_config
from alatau.app.genesis.file import read_genesis
from alatau.app.home import Home, home_user, lock_home
from alatau.app.json_field import DocumentError
from alatau.app.observability_server import ListenError
from alatau.app.password import PasswordError, find_password
from alatau.app.private_file import is_private
from alatau.app.provision import load_tls_identity
from alatau.chain.errors import GenesisError
from alatau.chain.executed import ExecutedBlock
from alatau.chain.genesis import make_genesis
from alatau.chain.validator_registry import RegistryAnswerError
from alatau.client.keystore import KeystoreError, WrongPasswordError, keystore_address, load_document, read_keystore
from alatau.consensus.records import RecordError
from alatau.crypto.secp256k1 import PrivateKey
from alatau.engine.chain_view import ChainView, open_chain_view
from alatau.engine.journal import Journal, Recovered, open_journal
from alatau.storage.database import MIB, DatabaseOptions
from alatau.storage.errors import StorageError
from alatau.storage.store import Store, StoreOptions
from alatau.transport.certificates import CertificateError, TlsIdentity
from alatau.transport.descriptors import DescriptorLimitError, raise_descriptor_limit
from alatau.types.endpoint import Endpoint, parse_endpoint
from alatau.types.genesis import Genesis, genesis_validator_set

_BAD_FILE: Final = (DocumentError, GenesisError, KeystoreError, WrongPasswordError, PasswordError, CertificateError)
_BAD_DISK: Final = (StorageError, RecordError, RegistryAnswerError, OSError)

Ask = Callable[[], str] | None
"""Asks a person for the password of the voting key; None where nobody can be asked."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that keeps the node from starting."""

    problem: Problem
    cause: Exception


class StartRefusedError(Exception):
    """The node does not start. Mend everything that the message names; ``alatau config check`` tests."""

    def __init__(self, refusals: list[Refusal]) -> None:
        """Take all that was found, the nearest to the operator's own files first."""
        super().__init__("\n".join(str(refusal.problem) for refusal in refusals))
        self.refusals = tuple(refusals)

    @property
    def first_cause(self) -> Exception:
        """The error that decides the exit code."""
        return self.refusals[0].cause


@dataclass(frozen=True, slots=True)
class HomeContents:
    """What the files of a home say, read and found right."""

    home: Home
    config: NodeConfig
    genesis: Genesis
    block_0: ExecutedBlock
    voting_key: PrivateKey | None
    """None on an observer."""
    identity: TlsIdentity
    clients: ClientAccess


@dataclass(frozen=True, slots=True)
class OpenedNode:
    """A home whose files are read and whose disk is open: all that a node is built on."""

    contents: HomeContents
    store: Store
    journal: Journal
    recovered: Recovered
    chain: ChainView


@dataclass(slots=True)
class _Found:
    """Refusals as they are found."""

    refusals: list[Refusal] = field(default_factory=list)

    def add(self, source: str, message: str, cause: Exception) -> None:
        self.refusals.append(Refusal(Problem(source, message), cause))


@contextmanager
def open_node(home: Home, environment: Mapping[str, str], ask: Ask) -> Iterator[OpenedNode]:
    """Open everything, held until the end.

    Raises:
        HomeInUseError: another process uses the home.
        StartRefusedError: with everything else that was found.
    """
    with lock_home(home), ExitStack() as stack:
        config, contents, found = _read(home, environment, ask)
        _check_descriptors(found)
        if config is not None:
            _check_ports(config, found)
            _check_log_file(home, config, found)
        opened = None
        if contents is not None:
            opened = _open_disk(contents, stack, found)
        if opened is None or found.refusals:
            raise StartRefusedError(found.refusals)
        yield opened


def check_start(home: Home, environment: Mapping[str, str], ask: Ask) -> list[Refusal]:
    """Everything that would keep the node from starting; of a home in use, what would after its process has ended."""
    config, contents, found = _read(home, environment, ask)
    _check_descriptors(found)
    if home_user(home) is not None:
        return found.refusals  # Its process has the ports and the disk.
    if config is not None:
        _check_ports(config, found)
    if (owner := home.folder.stat().st_uid) != os.geteuid():
        # What a check by root leaves behind in the database and as lock, the node could not open any more.
        message = f"belongs to user {owner}: check as that user, who runs the node; its disk was not looked at"
        found.add(str(home.folder), message, PermissionError(message))
    elif contents is not None:
        with lock_home(home), ExitStack() as stack:
            _check_log_file(home, contents.config, found)
            if home.database.exists():
                _open_disk(contents, stack, found)
            elif not os.access(home.folder, os.W_OK | os.X_OK):
                found.add(str(home.folder), "not writable", PermissionError())
            else:
                _open_journal(home, stack, found)
    return found.refusals


def read_home(home: Home, environment: Mapping[str, str], ask: Ask) -> HomeContents:
    """The files alone; raises ``StartRefusedError``."""
    _, contents, found = _read(home, environment, ask)
    if contents is None or found.refusals:
        raise StartRefusedError(found.refusals)
    return contents


def _read(
    home: Home, environment: Mapping[str, str], ask: Ask
) -> tuple[NodeConfig | None, HomeContents | None, _Found]:
    found = _Found()
    config = _config(home, environment, found)
    genesis = _genesis(home, found)
    identity = _identity(home, found)
    _check_private(home, config, found)
    voting_key = _voting_key(home, config, environment, ask, found)
    clients = _clients(home, config, identity, found)
    if found.refusals or config is None or genesis is None or identity is None or clients is None:
        return config, None, found
    return config, HomeContents(home, config, *genesis, voting_key, identity, clients), found


def _config(home: Home, environment: Mapping[str, str], found: _Found) -> NodeConfig | None:
    try:
        return read_config(home.config_file, environment)
    except ConfigError as error:
        for problem in error.problems:
            found.add(problem.source, problem.message, error)
    except OSError as error:
        found.add(home.config_file.name, f"cannot be read: {error.strerror}", error)
    return None


def _genesis(home: Home, found: _Found) -> tuple[Genesis, ExecutedBlock] | None:
    name = home.genesis_file.name
    try:
        genesis = read_genesis(home.genesis_file)
        return genesis, make_genesis(genesis)
    except FileNotFoundError as error:
        message = "missing; copy the network's genesis file here, or see: alatau genesis --help"
        found.add(name, message, DocumentError(str(error)))
    except OSError as error:
        found.add(name, f"cannot be read: {error.strerror}", error)
    except _BAD_FILE as error:
        found.add(name, str(error).removeprefix(f"{name}: ").strip(), error)
    return None


def _identity(home: Home, found: _Found) -> TlsIdentity | None:
    missing = [path for path in (home.tls_key, home.tls_certificate) if not path.exists()]
    for path in missing:
        message = "missing; restore it from a backup, or make a home with: alatau init"
        found.add(f"keys/{path.name}", message, CertificateError(message))
    if missing:
        return None
    try:
        return load_tls_identity(home)
    except (CertificateError, OSError) as error:
        found.add(f"keys/{home.tls_certificate.name}", str(error), error)
    return None


def _clients(home: Home, config: NodeConfig | None, identity: TlsIdentity | None, found: _Found) -> ClientAccess | None:
    if config is None or identity is None:
        return None
    try:
        access = read_client_access(home.folder, config.rpc, identity)
        check_ways_in(config)
    except ClientAccessError as error:
        found.add("config.toml", str(error), error)
        return None
    return access


def _check_private(home: Home, config: NodeConfig | None, found: _Found) -> None:
    """Every file with a secret is its owner's alone; all that are not are named."""
    secret = [home.voting_key, home.operator_key, home.tls_key]
    if config is not None and config.keys.password_file:
        secret.append(home.folder / config.keys.password_file)
    for path in secret:
        if path.exists() and not is_private(path):
            message = f"others may read it; mend with: chmod 600 {path}"
            name = str(path.relative_to(home.folder)) if path.is_relative_to(home.folder) else str(path)
            found.add(name, message, KeystoreError(message))


def _voting_key(
    home: Home, config: NodeConfig | None, environment: Mapping[str, str], ask: Ask, found: _Found
) -> PrivateKey | None:
    """The key that signs votes; None on an observer, and where it cannot be opened."""
    for path in (home.operator_key, home.voting_key):
        try:
            if path.exists():
                keystore_address(path)
        except (KeystoreError, OSError) as error:
            found.add(f"keys/{path.name}", str(error), error)
            return None
    if config is None or not home.voting_key.exists():
        return None
    source = f"keys/{home.voting_key.name}"
    try:
        load_document(home.voting_key)
        if config.keys.password_file:
            source = f"keys.password_file = {config.keys.password_file}"
        password = find_password(password_file(home, config), environment, ask)
        source = f"keys/{home.voting_key.name}"
        return read_keystore(home.voting_key, password)
    except (OSError, *_BAD_FILE) as error:
        found.add(source, str(error), error)
    return None


def password_file(home: Home, config: NodeConfig) -> Path | None:
    """The file with the password of the home's keys, if the configuration names one."""
    return home.folder / config.keys.password_file if config.keys.password_file else None


def _check_descriptors(found: _Found) -> None:
    """Raise the limit of open files as far as it goes; connections must never take those that signing needs."""
    try:
        raise_descriptor_limit()
    except DescriptorLimitError as error:
        found.add("this process", str(error), error)


def _check_log_file(home: Home, config: NodeConfig, found: _Found) -> None:
    """Open it as the log will; there is one where ``log.file`` names it."""
    if config.log.file:
        try:
            with (home.folder / config.log.file).open("ab"):
                pass
        except (OSError, ValueError) as error:
            message = f"log.file = {config.log.file}: cannot be written: {error}"
            found.add("config.toml", message, OSError(message))


def _check_ports(config: NodeConfig, found: _Found) -> None:
    """Open every configured listener once, all at the same time, and close them again."""
    listeners = {
        "p2p.listen": config.p2p.listen,
        "rpc.listen": config.rpc.listen,
        "http.listen": config.http.listen,
        "metrics.listen": config.metrics.listen,
    }
    with ExitStack() as stack:
        tried: dict[int, str] = {}
        for setting, text in listeners.items():
            if not text:
                continue
            endpoint = parse_endpoint(text)
            try:
                _listen(endpoint, stack)
            except OSError as error:
                other = tried.get(endpoint.port)
                why = f"{other} has this port already" if other else error.strerror or str(error)
                message = f"{setting} = {text}: cannot be listened on: {why}; choose another, or end what has it"
                found.add("config.toml", message, ListenError(message))
            tried.setdefault(endpoint.port, setting)


def _listen(endpoint: Endpoint, stack: ExitStack) -> None:
    """Listen as the node would: beside connections of an earlier run that the kernel still remembers."""
    for family, kind, protocol, _, address in socket.getaddrinfo(
        endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        opened = stack.enter_context(socket.socket(family, kind, protocol))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(1)


def _open_disk(contents: HomeContents, stack: ExitStack, found: _Found) -> OpenedNode | None:
    home, config, genesis = contents.home, contents.config, contents.genesis
    options = StoreOptions(
        database=DatabaseOptions(block_cache_bytes=config.storage.cache_mib * MIB),
        node_cache_bytes=config.storage.node_cache_mib * MIB,
        account_index=config.storage.account_index == "on",
    )
    try:
        store = Store.open(home.database, options)
        stack.callback(store.close)
        store.init_genesis(contents.block_0)
        chain = open_chain_view(genesis.config, store, genesis_validator_set(genesis))
    except _BAD_DISK as error:
        found.add(home.database.name, str(error), error)
        _open_journal(home, stack, found)
        return None
    journal = _open_journal(home, stack, found)
    return None if journal is None else OpenedNode(contents, store, *journal, chain)


def _open_journal(home: Home, stack: ExitStack, found: _Found) -> tuple[Journal, Recovered] | None:
    try:
        journal, recovered = open_journal(home.wal, home.sign_state)
    except _BAD_DISK as error:
        found.add(home.wal.name, str(error), error)
        return None
    stack.callback(journal.close)
    return journal, recovered
