"""``alatau light``: follow the chain and read it through nodes that nobody needs to trust."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from alatau.app.genesis.file import read_genesis
from alatau.app.home import HomeError
from alatau.chain.genesis import make_genesis
from alatau.cli.connection import NodeOptions, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.light_state import read_light_state, write_light_state
from alatau.cli.output import json_option, print_facts, print_json, say
from alatau.cli.values import parse_address, parse_hash
from alatau.client.cross_check import CrossChecked, Node, Opinion
from alatau.client.errors import EquivocationError, NodeUntrustworthyError
from alatau.client.light import TRUSTING_PERIOD_S, LightClient, TrustedHeader
from alatau.evm.calls import create_address
from alatau.transport.errors import RpcError
from alatau.types.genesis import Genesis, genesis_validator_set

_F = TypeVar("_F", bound=Callable[..., Any])
_DAY_S: Final = 86_400
_MAX_AGE_S: Final = 60
"""Six heartbeats of the default: a network that decides shows a newer block."""
_POLL_S: Final = 1.0
_PROGRESS_S: Final = 1.0
_SLOT_MAX: Final = 2**256 - 1


@dataclass(frozen=True, slots=True)
class Options:
    """Where trust begins, and which nodes to ask."""

    trust: bytes | None
    genesis: Path | None
    state: Path | None
    nodes: tuple[str, ...]
    ca: Path | None
    trusting_period_s: float
    sequential: bool
    max_age_s: float


@dataclass(slots=True)
class Session:
    """A light client at work."""

    checked: CrossChecked
    anchor: bytes
    options: Options
    reported: set[str] = field(default_factory=set)

    @property
    def light(self) -> LightClient:
        """What is believed."""
        return self.checked.light

    def advance(self) -> list[Opinion]:
        """Believe the newest head, compare it with the other nodes', then keep it."""
        before = self.light.trusted
        try:
            opinions = self.checked.advance()
        finally:
            self.report_liars()
        self.keep(before)
        return opinions

    def keep(self, before: TrustedHeader) -> None:
        """Note what is believed, where it is more than ``before``."""
        if self.options.state is not None and (self.light.trusted != before or not self.options.state.exists()):
            write_light_state(self.options.state, self.anchor, self.light)

    def report_liars(self) -> None:
        """Say which nodes were caught, each once."""
        for endpoint, words in self.checked.liars.items():
            if endpoint not in self.reported:
                self.reported.add(endpoint)
                say(f"warning: {endpoint} lies and is not asked any more: {words}")

    def head(self, opinions: list[Opinion]) -> dict[str, Any]:
        """Facts of the head that is believed."""
        header = self.light.trusted.header
        return {
            "height": header.number,
            "block_hash": self.light.trusted.hash,
            "block_time": header.timestamp,
            "age_s": self.age_s,
            "node": self.checked.endpoint,
            "agreeing_nodes": 1 + sum(opinion.agrees is True for opinion in opinions),
            "other_nodes": {opinion.endpoint: opinion.words for opinion in opinions},
        }

    @property
    def age_s(self) -> int:
        """Seconds since the head's block, by this machine's clock."""
        return round(self.light.clock() - self.light.trusted.header.timestamp)

    def warn_of_age(self) -> None:
        """Say so where the head is old, or of the future."""
        height, age_s = self.light.trusted.header.number, self.age_s
        if age_s > self.options.max_age_s:
            say(
                f"warning: the newest block that the nodes show, {height}, is {age_s} s old: the network stands still,"
                " or they withhold newer ones. Ask other nodes"
            )
        elif age_s < -self.options.max_age_s:
            say(f"warning: block {height} is {-age_s} s ahead of this machine's clock: one of them is wrong")


def _light_options(command: _F) -> _F:
    """Give a command everything that a light client needs."""
    file = click.Path(path_type=Path, exists=True, dir_okay=False)
    for option in (
        click.option("--max-age", type=click.IntRange(1), default=_MAX_AGE_S, show_default=True,
                     help="Seconds from which a head is called old."),
        click.option("--sequential", is_flag=True, help="Verify every header; needs no trusting period."),
        click.option("--trusting-period", type=click.FloatRange(0, min_open=True), default=TRUSTING_PERIOD_S / _DAY_S,
                     show_default=True, help="Days for which the keys of a block's validators are taken to be safe."),
        click.option("--ca", envvar="ALATAU_CA", type=file,
                     help="Certificates (PEM) of all nodes' authorities [env: ALATAU_CA]."),
        click.option("--node", "nodes", multiple=True, envvar="ALATAU_NODE",
                     help="host:port of a node's client API, once or more [env: ALATAU_NODE]. Default: --home's."),
        click.option("--state", type=click.Path(path_type=Path, dir_okay=False), envvar="ALATAU_LIGHT_STATE",
                     help="File that keeps what is believed, to go on from [env: ALATAU_LIGHT_STATE]."),
        click.option("--genesis", type=file, help="Genesis file to trust; the home's by default."),
        click.option("--trust", metavar="HASH",
                     help="Hash of a block to trust: block 0's (alatau genesis show) or a later one's."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group()
def light() -> None:
    """Follow and read the chain through nodes that are not trusted.

    Trust begins with one hash, from `alatau genesis show` or from people: everything else is verified by the
    validators' commits and by proofs. With --state it goes on from what was believed last.
    """


@light.command()
@click.option("--once", is_flag=True, help="End at the newest head.")
@click.option("--to-height", type=click.IntRange(0), help="End at a head of this height or above.")
@_light_options
@json_option
@pass_context
def follow(context: Context, /, once: bool, to_height: int | None, as_json: bool, **given: Any) -> None:
    """Verify the chain up to its head, and every new head as it comes, until interrupted.

    Several nodes (--node twice or more) are compared with one another: two decided blocks of one height end it, with
    the evidence.
    """
    with _opened(context, given, as_json=as_json) as session:
        shown: bytes | None = None
        warned = False
        while True:
            opinions = session.advance()
            if session.light.trusted.hash != shown:
                shown, warned = session.light.trusted.hash, False
                facts = session.head(opinions)
                click.echo(json.dumps(_texts(facts)) if as_json else _line(facts))
            if not warned and session.age_s > session.options.max_age_s:
                session.warn_of_age()
                warned = True
            if once or (to_height is not None and session.light.trusted.header.number >= to_height):
                return
            time.sleep(_POLL_S)


@light.command()
@click.argument("address")
@_light_options
@json_option
@pass_context
def account(context: Context, /, address: str, as_json: bool, **given: Any) -> None:
    """Balance, nonce and code hash of ADDRESS, proved."""
    parsed = parse_address(address)
    with _opened(context, given, as_json=as_json) as session:
        found, head = _asked(session, lambda light: light.account(parsed))
        facts: dict[str, Any] = {"address": parsed, "exists": found is not None}
        if found is not None:
            facts |= {"nonce": found.nonce, "balance": found.balance}
            facts |= {"code_hash": found.code_hash, "storage_root": found.storage_root}
        print_facts(facts | head, as_json=as_json)


@light.command()
@click.argument("address")
@click.argument("slots", nargs=-1, required=True, metavar="SLOT...")
@_light_options
@json_option
@pass_context
def storage(context: Context, /, address: str, slots: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Words of the storage of the contract at ADDRESS, proved. A SLOT is a number, or 0x and hexadecimal digits."""
    parsed, wanted = parse_address(address), [_slot(text) for text in slots]
    with _opened(context, given, as_json=as_json) as session:
        words, head = _asked(session, lambda light: light.storage(parsed, wanted))
        values = {f"0x{slot:064x}": word.to_bytes(32, "big") for slot, word in zip(wanted, words, strict=True)}
        if as_json:
            print_facts({"address": parsed, "slots": values} | head, as_json=True)
        else:
            print_facts({"address": parsed} | values | head, as_json=False)


@light.command()
@click.argument("transaction_hash")
@_light_options
@json_option
@pass_context
def receipt(context: Context, /, transaction_hash: str, as_json: bool, **given: Any) -> None:
    """The final transaction TRANSACTION_HASH and what it came to, both proved to stand in their block."""
    parsed = parse_hash(transaction_hash)
    with _opened(context, given, as_json=as_json) as session:
        proved, head = _asked(session, lambda light: light.receipt(parsed))
        tx, outcome = proved.transaction, proved.receipt
        created = create_address(proved.sender, tx.nonce) if tx.to is None and outcome.succeeded else None
        print_facts(
            {
                "transaction": parsed,
                "in_block": proved.header.number,
                "in_block_hash": proved.block_hash,
                "index": proved.index,
                "succeeded": outcome.succeeded,
                "sender": proved.sender,
                "to": tx.to,
                "value": tx.value,
                "contract": created,
                "cumulative_gas_used": outcome.cumulative_gas_used,
                "logs": [
                    {"address": _hex(log.address), "topics": [_hex(t) for t in log.topics], "data": _hex(log.data)}
                    for log in outcome.logs
                ],
            }
            | head,
            as_json=as_json,
        )


def _asked(session: Session, plan: Callable[[LightClient], Any]) -> tuple[Any, dict[str, Any]]:
    """What a plan gives, with facts of the head that it rests on."""
    opinions = session.advance()
    before = session.light.trusted
    try:
        found = session.checked.run(plan)
    finally:
        session.report_liars()
    session.keep(before)
    session.warn_of_age()
    return found, session.head(opinions)


@contextmanager
def _opened(context: Context, given: dict[str, Any], *, as_json: bool) -> Iterator[Session]:
    """A light client that goes on from its file, or begins where the options say."""
    options = _options(given)
    with ExitStack() as stack:
        nodes = [
            Node(name, stack.enter_context(open_client(context, NodeOptions((name,), options.ca))))
            for name in options.nodes
        ] or [Node("the home's node", stack.enter_context(open_client(context, NodeOptions())))]
        session = _begin(context, options, nodes)
        session.light.on_step = _Progress().step
        try:
            yield session
        except EquivocationError as error:
            say("!" * 100)
            if as_json:
                print_json({"equivocation": error.evidence})
            else:
                print_facts(_texts(error.evidence), as_json=False)
            raise


def _options(given: dict[str, Any]) -> Options:
    if given["trust"] is not None and given["genesis"] is not None:
        raise click.UsageError("--trust and --genesis both say where trust begins: give one of them")
    return Options(
        None if given["trust"] is None else parse_hash(given["trust"]),
        given["genesis"],
        given["state"],
        tuple(dict.fromkeys(given["nodes"])),
        given["ca"],
        given["trusting_period"] * _DAY_S,
        given["sequential"],
        given["max_age"],
    )


def _begin(context: Context, options: Options, nodes: list[Node]) -> Session:
    known = None if options.state is None else read_light_state(options.state)
    settings: dict[str, Any] = {"trusting_period_s": options.trusting_period_s, "sequential": options.sequential}
    genesis = None if options.genesis is None else read_genesis(options.genesis)
    wanted = options.trust if genesis is None else make_genesis(genesis).block.hash
    if known is not None:
        if wanted not in (None, known.anchor, known.genesis_hash, known.trusted.hash):
            raise click.UsageError(
                f"{options.state} follows from the block 0x{known.anchor.hex()}, not from 0x{wanted.hex()}: name"
                " another file, or remove it to begin again"
            )
        return Session(CrossChecked(known.client(**settings), nodes), known.anchor, options)
    if options.trust is not None:
        return Session(CrossChecked(_anchored(options.trust, nodes, settings), nodes), options.trust, options)
    if genesis is None:
        try:
            genesis = read_genesis(context.home().genesis_file)
        except (HomeError, FileNotFoundError):
            raise click.UsageError(
                "what is trusted? Give --trust HASH (`alatau genesis show` prints block 0's), --genesis FILE, or a"
                " --state file that exists"
            ) from None
    started = _from_genesis(genesis)
    return Session(
        CrossChecked(LightClient(genesis.config.chain_id, started.hash, started, **settings), nodes),
        started.hash,
        options,
    )


def _from_genesis(genesis: Genesis) -> TrustedHeader:
    block = make_genesis(genesis).block
    return TrustedHeader(block.header, block.hash, genesis_validator_set(genesis))


def _anchored(trust: bytes, nodes: list[Node], settings: dict[str, Any]) -> LightClient:
    """Begin at a hash with the first node that has the block."""
    last: Exception | None = None
    for node in nodes:
        try:
            light = node.client.run(LightClient.anchored_at(trust))
        except (NodeUntrustworthyError, RpcError) as error:
            say(f"warning: {node.endpoint} does not show the trusted block: {error}")
            last = error
            continue
        return LightClient(light.chain_id, light.genesis_hash, light.trusted, **settings)
    assert last is not None, "there is at least one node"
    raise last


class _Progress:
    """Says on standard error how far a long way is."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def step(self, at: TrustedHeader, goal: int) -> None:
        """One more header is believed."""
        if at.header.number != goal and time.monotonic() - self._said_at >= _PROGRESS_S:
            self._said_at = time.monotonic()
            say(f"verified block {at.header.number:,} on the way to {goal:,}")


def _slot(text: str) -> int:
    try:
        slot = int(text, 16 if text.startswith("0x") else 10)
    except ValueError:
        slot = -1
    if not 0 <= slot <= _SLOT_MAX:
        raise click.BadParameter(f"{text!r:.80} is no slot: a number below 2**256, such as 3 or 0x1f")
    return slot


def _line(facts: dict[str, Any]) -> str:
    others = facts["other_nodes"]
    agreement = f", {facts['agreeing_nodes']} of {1 + len(others)} nodes agree" if others else ""
    not_agreeing = "".join(f"; {name} {words}" for name, words in others.items() if words != "agrees")
    return f"{facts['height']} 0x{facts['block_hash'].hex()} {facts['age_s']} s old{agreement}{not_agreeing}"


def _texts(value: Any) -> Any:
    """Bytes as hexadecimal, in whatever they lie."""
    if isinstance(value, bytes):
        return _hex(value)
    if isinstance(value, dict):
        return {name: _texts(item) for name, item in value.items()}
    return [_texts(item) for item in value] if isinstance(value, list) else value


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
