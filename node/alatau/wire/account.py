"""Accounts, and proofs of them with what certifies them."""

from dataclasses import dataclass

from alatau.pb.api.v1 import account_pb2
from alatau.trie.proof import AccountProof, SlotProof
from alatau.types.account import Account
from alatau.types.validator import Validator
from alatau.wire.amount import read_amount, write_amount
from alatau.wire.status import read_validator, write_validator


@dataclass(frozen=True, slots=True)
class StateProof:
    """A proof against a state root, and the header and commit that certify the root."""

    proof: AccountProof
    header: bytes
    """RLP."""
    commit: bytes
    """RLP; empty for genesis."""
    validators: tuple[Validator, ...] = ()
    """The set that decided the header, as the node tells it; empty where it does not know."""


def write_account(address: bytes, account: Account) -> account_pb2.Account:
    """For the wire."""
    return account_pb2.Account(
        address=address,
        nonce=account.nonce,
        balance=write_amount(account.balance),
        code_hash=account.code_hash,
        storage_root=account.storage_root,
    )


def read_account(message: account_pb2.Account) -> Account:
    """From the wire."""
    return Account(message.nonce, read_amount(message.balance), message.storage_root, message.code_hash)


def write_proof(state_proof: StateProof) -> account_pb2.StateProof:
    """For the wire."""
    proof = state_proof.proof
    return account_pb2.StateProof(
        address=proof.address,
        account=None if proof.account is None else write_account(proof.address, proof.account),
        account_nodes=proof.account_nodes,
        slots=[
            account_pb2.SlotProof(slot=s.slot.to_bytes(32, "big"), value=write_amount(s.value), nodes=s.nodes)
            for s in proof.slots
        ],
        header=state_proof.header,
        commit=state_proof.commit,
        validators=map(write_validator, state_proof.validators),
    )


def read_proof(message: account_pb2.StateProof) -> StateProof:
    """From the wire; nothing in it is verified yet (``client/light.py`` does)."""
    proof = AccountProof(
        address=message.address,
        account=read_account(message.account) if message.HasField("account") else None,
        account_nodes=tuple(message.account_nodes),
        slots=tuple(
            SlotProof(int.from_bytes(s.slot, "big"), read_amount(s.value), tuple(s.nodes)) for s in message.slots
        ),
    )
    return StateProof(proof, message.header, message.commit, tuple(map(read_validator, message.validators)))
