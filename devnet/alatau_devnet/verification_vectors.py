"""Test vectors for who verifies an Alatau network without its software (docs/verify.md).

``python -m alatau_devnet.verification_vectors`` writes ``protos/vectors/verification.json``: a chain of blocks whose
set of validators changes, with everything that a client checks, and with wrong ones of each kind that it must refuse.
The same every time: keys, times and amounts are fixed, and signatures are deterministic (RFC 6979).
"""

import json
from collections.abc import Generator, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from alatau.chain.executed import ExecutedBlock, Tip
from alatau.chain.execution import BlockTemplate, build_block
from alatau.chain.genesis import make_genesis
from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.state.diff import OverlayState
from alatau.trie.ordered import prove_item
from alatau.trie.proof import prove
from alatau.trie.state_trie import StateTrie
from alatau.types.account import Account
from alatau.types.block import last
from alatau.types.chain_config import ChainConfig
from alatau.types.genesis import Genesis, GenesisContract, GenesisValidator, genesis_validator_set
from alatau.types.header import encode_header
from alatau.types.receipt import encode_receipt
from alatau.types.transaction import UnsignedTransaction, sign_transaction
from alatau.types.validator import Validator, ValidatorSet, validator_set
from alatau.types.vote import Commit, CommitSignature, VoteKind, commit_hash, commit_item, consensus_domain, vote_digest

FILE: Final = Path("protos/vectors/verification.json")
_CHAIN_ID: Final = 7773
_TIMESTAMP: Final = 1_760_000_000
_BOOK: Final = bytes.fromhex("a1a7a00000000000000000000000000000000b00")
"""A contract that keeps words by key, in the layout that Vyper gives a ``HashMap`` in slot 0."""
_RUNTIME: Final = bytes.fromhex(
    "5f5f52"  # PUSH0 PUSH0 MSTORE: the number of the mapping's slot, 0
    "5f35602052"  # PUSH0 CALLDATALOAD PUSH1 32 MSTORE: the key
    "602035"  # PUSH1 32 CALLDATALOAD: the word
    "60405f20"  # PUSH1 64 PUSH0 SHA3: keccak256(slot, key)
    "55"  # SSTORE
    "5f355f5260205fa0"  # PUSH0 CALLDATALOAD PUSH0 MSTORE PUSH1 32 PUSH0 LOG0: the key
    "00"
)


def _key(name: str) -> PrivateKey:
    return PrivateKey(keccak256(b"alatau verification vectors: " + name.encode()))


_VOTERS: Final = {name: _key(name) for name in ("finance", "justice", "bank", "city", "audit", "energy")}
_PAYER: Final = _key("payer")
_PAYEE: Final = _key("payee")


def _set(powers: dict[str, int]) -> ValidatorSet:
    return validator_set(
        Validator(_VOTERS[name].address, power, keccak256(name.encode()), f"{name}.example:7001", name)
        for name, power in powers.items()
    )


_SETS: Final = (
    _set({"finance": 1, "justice": 1, "bank": 1, "city": 1}),
    _set({"finance": 1, "justice": 1, "bank": 1, "audit": 2}),
    _set({"energy": 10, "audit": 2, "bank": 1}),
)
"""The first decides blocks 1 and 2, the second block 3, the third block 4."""


class _Nothing:
    """The state before genesis."""

    def account(self, address: bytes) -> Account | None:
        del address
        return None

    def storage(self, address: bytes, slot: int) -> int:
        del address, slot
        return 0

    def code(self, code_hash: bytes) -> bytes:
        raise KeyError(code_hash)


def make_vectors() -> dict[str, Any]:
    """The document."""
    founders = tuple(
        GenesisValidator(
            v.name, v.address, _VOTERS[v.name].public_key, v.address, b"", v.tls_key_hash, v.endpoint, v.power
        )
        for v in _SETS[0].validators
    )
    initcode = bytes.fromhex(f"60{len(_RUNTIME):02x}80600a5f395ff3").ljust(10, b"\x00") + _RUNTIME
    genesis = Genesis(
        ChainConfig(chain_id=_CHAIN_ID, name="vectors", block_gas_limit=1 << 24),
        _TIMESTAMP,
        {_PAYER.address: 10**21},
        founders,
        (GenesisContract("Book", _BOOK, initcode),),
    )
    assert genesis_validator_set(genesis).hash == _SETS[0].hash
    made = make_genesis(genesis)
    domain = consensus_domain(_CHAIN_ID, made.block.hash)
    tip = Tip(
        made.block.header,
        made.block.hash,
        OverlayState(_Nothing(), made.diff),
        made.trie.trie,
        lambda _: made.block.hash,
    )
    blocks: list[ExecutedBlock] = []
    commits: list[Commit] = []
    for number, members in enumerate((_SETS[0], _SETS[0], _SETS[1], _SETS[2]), 1):
        executed = _block(tip, genesis.config, members, commits[-1] if commits else None, number)
        signers = [v.name for v in members.validators]
        commits.append(_commit(domain, executed, signers[:3] if number == 2 else signers))
        blocks.append(executed)
        tip = Tip(
            executed.block.header,
            executed.block.hash,
            OverlayState(tip.state, executed.diff),
            executed.trie.trie,
            tip.block_hash,
        )
    last = blocks[1]
    return {
        "about": "docs/verify.md says what each part is for. Bytes are hexadecimal; integers that may pass 2^53 too.",
        "chain_id": _CHAIN_ID,
        "genesis_hash": _hex(made.block.hash),
        "domain_separator": _hex(domain),
        "validator_sets": [_describe_set(members) for members in _SETS],
        "headers": [_describe_header(made.block.header), *(_describe_header(b.block.header) for b in blocks)],
        "commits": list(_commits(domain, blocks, commits)),
        "trust": list(_trust()),
        "state_proofs": list(_state_proofs(blocks[-1])),
        "receipt_proofs": list(_receipt_proofs(last)),
    }


def _block(
    tip: Tip, config: ChainConfig, members: ValidatorSet, last_commit: Commit | None, number: int
) -> ExecutedBlock:
    first = 3 * (number - 1)
    transfer = {"to": _PAYEE.address, "value": 10**15 * number, "gas_limit": 21_000}
    note = keccak256(b"entry") + number.to_bytes(32, "big")
    entry = {"to": _BOOK, "data": note, "gas_limit": 100_000}
    transactions = [
        sign_transaction(UnsignedTransaction(chain_id=_CHAIN_ID, nonce=first + n, **terms), _PAYER.sign)  # type: ignore[arg-type]
        for n, terms in enumerate((transfer, entry, transfer))
    ]
    template = BlockTemplate(_TIMESTAMP + number, members.validators[0].address, members, last_commit)
    built = last(build_block(tip, config, template, [(tx, _PAYER.address) for tx in transactions]))
    assert not built.refused
    return built.executed


def _commit(
    domain: bytes,
    executed: ExecutedBlock,
    signers: Iterable[str],
    kind: VoteKind = VoteKind.PRECOMMIT,
    height: int | None = None,
) -> Commit:
    """A commit of round 0 by those voters; what they sign may be of another kind or height than it says."""
    block = executed.block
    number = block.header.number
    digest = vote_digest(domain, kind, number if height is None else height, 0, block.hash)
    keys = sorted((_VOTERS[name] for name in signers), key=lambda key: key.address)
    return Commit(number, 0, block.hash, tuple(CommitSignature(key.address, key.sign(digest)) for key in keys))


def _commits(
    domain: bytes, blocks: Sequence[ExecutedBlock], commits: Sequence[Commit]
) -> Generator[dict[str, Any], None, None]:
    """The commits of the chain, and wrong ones of block 2."""

    def told(commit: Commit, executed: ExecutedBlock, members: int, why: str | None) -> dict[str, Any]:
        header = executed.block.header
        precommit = vote_digest(domain, VoteKind.PRECOMMIT, commit.height, commit.round, commit.block_hash)
        return {
            "valid": why is None,
            **({} if why is None else {"why": why}),
            "height": header.number,
            "block_hash": _hex(executed.block.hash),
            "validator_set": members,
            "digest": _hex(precommit),
            "commit": _hex(rlp.encode(commit_item(commit))),
            "commit_hash": _hex(commit_hash(commit)),
        }

    for executed, commit, members in zip(blocks, commits, (0, 0, 1, 2), strict=True):
        yield told(commit, executed, members, None)
    block, good = blocks[1], commits[1]
    three = ["finance", "justice", "bank"]
    first, *rest = good.signatures
    foreign = consensus_domain(_CHAIN_ID + 1, bytes(32))
    strangers = _commit(domain, block, [*three, "energy"])
    wrong = {
        "two of four is no more than two thirds": _commit(domain, block, three[:2]),
        "one signature twice": Commit(good.height, 0, good.block_hash, (first, first, *rest)),
        "not sorted by address": Commit(good.height, 0, good.block_hash, tuple(reversed(good.signatures))),
        "a stranger signed": strangers,
        "signed for another network": _commit(foreign, block, three),
        "prevotes are no precommits": _commit(domain, block, three, kind=VoteKind.PREVOTE),
        "signed for another round": Commit(good.height, 1, good.block_hash, good.signatures),
        "signed for another height": _commit(domain, block, three, height=3),
        "signatures of two swapped": Commit(
            good.height,
            0,
            good.block_hash,
            (
                CommitSignature(first.validator, rest[0].signature),
                CommitSignature(rest[0].validator, first.signature),
                *rest[1:],
            ),
        ),
        "of another block": Commit(good.height, 0, blocks[2].block.hash, good.signatures),
    }
    for why, commit in wrong.items():
        yield told(commit, block, 0, why)


def _trust() -> Generator[dict[str, Any], None, None]:
    """From which trusted set a block is believed, by the set that it names and by who signed it."""
    cases = (
        (0, 0, ("finance", "justice", "bank"), True, "the same set"),
        (0, 1, ("bank", "justice", "audit"), True, "two of the four that are trusted: more than a third"),
        (0, 1, ("finance", "justice", "bank"), False, "three of five is no quorum of the block's own set"),
        (0, 2, ("energy",), False, "a quorum of the block's own set without anybody who is trusted"),
        (0, 2, ("energy", "bank"), False, "one of four is no more than a third: go a shorter way"),
        (1, 2, ("energy", "audit"), True, "two of five that are trusted: more than a third"),
        (1, 2, ("energy", "bank"), False, "one of five is not"),
    )
    for trusted, own, signers, believed, why in cases:
        addresses = sorted(_VOTERS[name].address for name in signers)
        yield {
            "trusted_set": trusted,
            "own_set": own,
            "signers": [_hex(address) for address in addresses],
            "believed": believed,
            "why": why,
        }


def _state_proofs(executed: ExecutedBlock) -> Generator[dict[str, Any], None, None]:
    trie: StateTrie = executed.trie.trie
    entry = int.from_bytes(keccak256(bytes(32) + keccak256(b"entry")), "big")
    for address, slots in ((_PAYEE.address, []), (_BOOK, [entry, entry + 1]), (bytes(20), [])):
        proof = prove(trie, address, slots)
        document: dict[str, Any] = {
            "valid": True,
            "state_root": _hex(executed.block.header.state_root),
            "address": _hex(address),
            "account": None if proof.account is None else {k: _plain(v) for k, v in asdict(proof.account).items()},
            "account_nodes": [_hex(node) for node in proof.account_nodes],
            "slots": [
                {"slot": _plain(s.slot), "value": _plain(s.value), "nodes": [_hex(node) for node in s.nodes]}
                for s in proof.slots
            ],
        }
        yield document
        if proof.account is None:
            continue
        richer = document["account"] | {"balance": _plain(proof.account.balance + 1)}
        yield document | {"valid": False, "why": "another balance than the nodes show", "account": richer}
        yield document | {"valid": False, "why": "under another root", "state_root": _hex(keccak256(b"another"))}
        cut = document["account_nodes"][:-1]
        yield document | {"valid": False, "why": "the last node is missing", "account_nodes": cut}
        yield document | {"valid": False, "why": "there is such an account", "account": None, "slots": []}
        if document["slots"]:
            more = [document["slots"][0] | {"value": _plain(5)}, *document["slots"][1:]]
            yield document | {"valid": False, "why": "another word than the nodes show", "slots": more}


def _receipt_proofs(executed: ExecutedBlock) -> Generator[dict[str, Any], None, None]:
    block = executed.block
    transactions = [tx.encoded for tx in block.transactions]
    receipts = [encode_receipt(receipt) for receipt in executed.receipts]
    for index in range(2):
        document: dict[str, Any] = {
            "valid": True,
            "header": _hex(encode_header(block.header)),
            "transaction_hash": _hex(block.transactions[index].hash),
            "sender": _hex(executed.senders[index]),
            "index": index,
            "transaction": _hex(transactions[index]),
            "transaction_nodes": [_hex(node) for node in prove_item(transactions, index)],
            "receipt": _hex(receipts[index]),
            "receipt_nodes": [_hex(node) for node in prove_item(receipts, index)],
            "succeeded": executed.receipts[index].succeeded,
        }
        yield document
        other = 1 - index
        yield document | {"valid": False, "why": "another's receipt", "receipt": _hex(receipts[other])}
        nodes = [_hex(node) for node in prove_item(receipts, other)]
        swapped = {"receipt": _hex(receipts[other]), "receipt_nodes": nodes}
        yield document | swapped | {"valid": False, "why": "another's receipt, with the proof of its own place"}


def _describe_set(members: ValidatorSet) -> dict[str, Any]:
    pairs = [(v.address, v.power) for v in members.validators]
    return {
        "members": [{"address": _hex(v.address), "power": v.power, "name": v.name} for v in members.validators],
        "rlp": _hex(rlp.encode(pairs)),
        "hash": _hex(members.hash),
        "total_power": members.total_power,
    }


def _describe_header(header: Any) -> dict[str, Any]:
    encoded = encode_header(header)
    fields = {name: _plain(value) for name, value in asdict(header).items()}
    return {"fields": fields, "rlp": _hex(encoded), "hash": _hex(keccak256(encoded))}


def _plain(value: Any) -> Any:
    return _hex(value) if isinstance(value, bytes) else hex(value)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def write(document: dict[str, Any]) -> str:
    """The file's text."""
    return json.dumps(document, indent=1) + "\n"


def main() -> None:
    """Write the file."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(write(make_vectors()))
    print(f"written to {FILE}")


if __name__ == "__main__":
    main()
