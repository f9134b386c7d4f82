"""The people of the contract tests, by role, and what they sign."""

from dataclasses import dataclass
from typing import Any, Protocol

import boa
from boa.util.abi import Address
from eth_account.messages import encode_typed_data

from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey


class Key(Protocol):
    """A key of any scheme."""

    @property
    def address(self) -> bytes:
        """20 bytes."""

    def sign(self, digest: bytes) -> bytes:
        """A signature of 32 bytes, as ``alatau.channels`` takes it."""


@dataclass(frozen=True, slots=True)
class Party:
    """Someone who signs."""

    role: str
    key: Key

    @property
    def raw(self) -> bytes:
        """20 bytes."""
        return self.key.address

    @property
    def address(self) -> Address:
        """Hex, as the test chain names it."""
        return Address("0x" + self.key.address.hex())

    def sign(self, digest: bytes) -> bytes:
        """As the contracts take it."""
        return self.key.sign(digest)


@dataclass(frozen=True, slots=True)
class Actor(Party):
    """Someone with a key that also signs transactions."""

    key: PrivateKey

    def sign(self, digest: bytes) -> bytes:
        """65 bytes r, s, v with v 27 or 28, as wallets make them."""
        signature = self.key.sign(digest)
        return signature[:64] + bytes((27 + signature[64],))

    def sign_parts(self, digest: bytes) -> tuple[int, bytes, bytes]:
        """v, r, s."""
        signature = self.sign(digest)
        return signature[64], signature[:32], signature[32:64]


def actor(role: str) -> Actor:
    """The actor of a role; the same key every time."""
    return Actor(role, PrivateKey(keccak256(role.encode())))


def approvals(digest: bytes, *signers: Party) -> list[tuple[str, bytes]]:
    """Approvals of a decision, sorted by signer as a council wants them."""
    ordered = sorted(signers, key=lambda signer: signer.raw)
    return [(signer.address, signer.sign(digest)) for signer in ordered]


def override_digest(contract: Any, name: str, identity: bytes, policy_version: int = 1) -> bytes:
    """What members sign to override the veto of a decision."""
    types = {"OverrideVeto": [{"name": "decision", "type": "bytes32"}, {"name": "policyVersion", "type": "uint256"}]}
    domain = {
        "name": name,
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": contract.address,
    }
    signable = encode_typed_data(domain, types, {"decision": identity, "policyVersion": policy_version})
    return keccak256(b"\x19\x01" + signable.header + signable.body)
