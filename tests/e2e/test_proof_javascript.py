"""Proofs out of a real store, verified by a JavaScript trie that others wrote (@ethereumjs/mpt)."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from alatau.codec import rlp
from alatau.storage.log_index import LogQuery
from alatau.storage.store import Store
from alatau.types.account import encode_account
from alatau_devnet.synthetic_chain import TOKEN, Shape, first_blocks
from tests.support.javascript import with_packages


@dataclass(frozen=True)
class Claim:
    """A proof and what it must come to."""

    root: bytes
    key: bytes
    nodes: tuple[bytes, ...]
    expected: bytes | None
    """The value; None for absent."""


@pytest.fixture(scope="session")
def javascript() -> Path:
    """The folder with the packages of its lock file installed."""
    return with_packages()


def ask(folder: Path, claims: list[Claim]) -> list[str]:
    """What JavaScript makes of each claim."""
    lines = [
        json.dumps(
            {
                "root": "0x" + claim.root.hex(),
                "key": "0x" + claim.key.hex(),
                "nodes": ["0x" + node.hex() for node in claim.nodes],
            }
        )
        for claim in claims
    ]
    command = ["node", "verify_proofs.mjs"]
    done = subprocess.run(
        command, cwd=folder, input="\n".join(lines), capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.split()


def claims_of(store: Store, height: int) -> list[Claim]:
    """Accounts and slots at a height, present and absent."""
    root = store.header(height).state_root
    state = store.state(height)
    strangers = [bytes((n,)) * 20 for n in range(8)]
    holders = [int.from_bytes(entry.log.topics[1], "big") for entry in store.logs(LogQuery(1, 20, (TOKEN,))).logs]
    claims = []
    for address in dict.fromkeys([TOKEN, *(slot.to_bytes(20, "big") for slot in holders), *strangers]):
        account = state.account(address)
        proof = store.proof(address, [], height)
        value = None if account is None else encode_account(account)
        claims.append(Claim(root, address, proof.account_nodes, value))
    proof = store.proof(TOKEN, [*holders, *range(8)], height)
    for slot in proof.slots:
        word = state.storage(TOKEN, slot.slot)
        value = rlp.encode(word) if word else None
        claims.append(Claim(proof.account.storage_root, slot.slot.to_bytes(32, "big"), slot.nodes, value))
    return claims


@pytest.mark.e2e
def test_proofs_hold_in_javascript(javascript: Path, tmp_path: Path) -> None:
    """Inclusion and absence, of accounts and slots, at the tip and at an earlier height; damaged ones are refused."""
    store = Store.open(tmp_path)
    for executed, commit in first_blocks(11, 20, Shape(people=300, payments=8)):
        if commit is None:
            store.init_genesis(executed)
        else:
            store.commit(executed, commit)
    claims = claims_of(store, 20) + claims_of(store, 6)
    store.close()
    answers = ask(javascript, claims)
    expected = ["absent" if claim.expected is None else "0x" + claim.expected.hex() for claim in claims]
    assert answers == expected
    assert expected.count("absent") > 20
    assert len(set(expected)) > 100
    damaged = [Claim(c.root, c.key, (c.nodes[0], *c.nodes[2:]), None) for c in claims if len(c.nodes) > 2]
    assert ask(javascript, damaged) == ["refused"] * len(damaged)
