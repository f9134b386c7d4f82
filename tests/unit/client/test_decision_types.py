"""The table of decisions against the contracts: what members sign is what the contracts compute."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alatau.artifacts.addresses import (
    GENESIS_CONTRACTS,
    PARTICIPANT_REGISTRY,
    RESERVE_COUNCIL,
    VALIDATOR_REGISTRY,
)
from alatau.artifacts.artifact import SOURCES, load, sources_root
from alatau.client import Client, contract_plans, decisions
from alatau.client.decision_types import DECISION_TYPES, Choice, choices
from alatau.client.decisions import Decision, abi_of
from tests.support.served_network import MEMBERS, network_contracts
from tests.support.solo_node import running, solo_node

CHOICES = [
    pytest.param(contract, choice, id=f"{contract} {choice.name}")
    for contract, (artifact, _) in GENESIS_CONTRACTS.items()
    for choice in choices(artifact).values()
]


def _values(contract: str, choice: Choice) -> dict[str, Any]:
    """A different value for each member, so that two that are swapped are told apart."""
    found: dict[str, Any] = {}
    for index, (kind, name) in enumerate(choice.type.struct.members):
        if name in choice.needs:
            found[name] = {
                "address": bytes([64 + index]) * 20,
                "address[]": sorted(key.address for key in MEMBERS),
                "bytes32": bytes([64 + index]) * 32,
                "string": f"text {index}",
                "uint256": index % 3 + 1,
            }[kind]
    if choice.name == "hand-over":
        # Only a registry of the same council: there is none in genesis besides, so a contract that it governs, too.
        found["successor"] = PARTICIPANT_REGISTRY if contract == "ValidatorRegistry" else VALIDATOR_REGISTRY
    if choice.name == "replace-council":
        # Only a body that can decide is put before the council.
        found["body"] = RESERVE_COUNCIL
    return found


async def _told(client: Client, decision: Decision) -> bytes:
    """The id that the contract computes: by its own view where it has one, else by what proposing would return."""
    abi, address = abi_of(decision.contract), decision.domain.contract
    arguments = decision.type.arguments(abi, decision.message)
    for view in ("change_id", "intent_id", "recovery_id"):
        functions = abi.functions.get(view, [])
        if functions and functions[0].inputs == abi.functions[decision.type.propose][0].inputs:
            return bytes(await client.run(contract_plans.read(abi, address, view, arguments, None, None)))
    sender = MEMBERS[0].address
    return bytes(await client.run(contract_plans.read(abi, address, decision.type.propose, arguments, sender, None)))


@pytest.mark.trio
@pytest.mark.parametrize(("contract", "choice"), CHOICES)
async def test_the_contract_computes_the_same_id(contract: str, choice: Choice, tmp_path: Path) -> None:
    """For every decision of every contract of genesis, with a value of its own in each member."""
    node = solo_node(tmp_path, contracts=network_contracts())
    async with running(node) as served, served.connect() as client:
        plan = decisions.draft(contract, choice, _values(contract, choice), nonce=77, life_s=86_400, not_before=5)
        decision = await client.run(plan)
        assert decision.message["terms"]["nonce"] == 77
        assert await _told(client, decision) == decision.id
    node.store.close()


def _source(artifact: str) -> str:
    """The text of a contract and of the modules beside it that it imports."""
    root = sources_root()
    assert root is not None
    path = root / SOURCES[artifact]
    text = path.read_text()
    modules = re.findall(r"^from \. import (\w+)$", text, re.MULTILINE)
    return "\n".join([text, *((path.parent / f"{name}.vy").read_text() for name in modules)])


def _types_in_sources() -> Iterator[tuple[str, str]]:
    """(contract, encoded type) of every type with terms that a source declares."""
    for artifact in DECISION_TYPES:
        for encoded in re.findall(r'"(\w+\([^"]*Terms terms\)Terms\([^"]*\))"', _source(artifact)):
            if not encoded.startswith("Restoration("):
                # Brought with its approvals at once: there is nothing to propose, and no file to hand round.
                yield artifact, encoded


def test_the_table_is_complete() -> None:
    """Every type with terms in a contract's source is in the table, spelt the same, and nothing else is."""
    declared = set(_types_in_sources())
    assert declared == {(artifact, kind.encoded) for artifact, kinds in DECISION_TYPES.items() for kind in kinds}
    assert len(declared) == 10


def test_every_function_of_the_table_is_in_the_abi() -> None:
    """Proposing, executing; and each function that proposes is in the table."""
    for artifact in DECISION_TYPES:
        functions = {entry["name"] for entry in load(artifact).abi if entry["type"] == "function"}
        used = {choice.type for choice in choices(artifact).values()}
        assert {kind.execute for kind in used} <= functions
        proposing = {name for name in functions if name.startswith("propose_")}
        known = {kind.propose for kind in used}
        assert proposing - {"propose_body"} == known - {"propose_body"}


@pytest.mark.parametrize("artifact", [a for a, kinds in DECISION_TYPES.items() if any(k.acts for k in kinds)])
def test_acts_are_the_words_of_the_source(artifact: str) -> None:
    """In the order of their numbers: the digest test finds a wrong word, this one a missing act."""
    text = _source(artifact)
    body = text[text.index("def _action_hash") :]
    words = re.findall(r'return keccak256\("([^"]+)"\)', body)
    kind, *others = [k for k in DECISION_TYPES[artifact] if k.acts]
    assert [act.word for act in kind.acts] == words
    for act in (act for other in others for act in other.acts):
        assert f'keccak256("{act.word}")' in text
