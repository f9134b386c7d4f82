"""The reserve: a deposit, a release that two of three board members approve, and one that lacks a signature."""

from dataclasses import dataclass
from typing import Any, Final

from alatau.artifacts import addresses
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest, word
from alatau.crypto.keccak import keccak256
from alatau_devnet import accounts
from alatau_devnet.tour.guide import Guide, expect, money

_DEPOSIT: Final = 250_000_00
_RELEASE: Final = 40_000_00
_NATIONAL_FUND: Final = 8
"""Provenance, as in ReserveVault.vy."""

_LIFE_S: Final = 3_600
_PURPOSE: Final = "Heating subsidy, first quarter"
_LEGAL_BASIS: Final = keccak256(b"Budget law 2026, article 12")
_TERMS: Final = "Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
_TERMS_TYPE: Final = type_hash(_TERMS)
_RELEASE_TYPE: Final = type_hash(
    "Release(address asset,address to,uint256 amount,uint256 provenance,string purpose,bytes32 legalBasisHash,"
    f"bytes32 caseId,Terms terms){_TERMS}"
)


@dataclass(frozen=True, slots=True)
class Release:
    """An intent of the vault."""

    to: bytes
    amount: int
    policy_version: int
    nonce: int
    expires: int
    """Seconds since 1970."""

    def as_argument(self) -> tuple[Any, ...]:
        """As the contract takes it."""
        terms = (self.policy_version, self.nonce, 0, self.expires)
        return (
            addresses.SETTLEMENT_TOKEN,
            self.to,
            self.amount,
            _NATIONAL_FUND,
            _PURPOSE,
            _LEGAL_BASIS,
            bytes(32),
            terms,
        )

    def digest(self, domain_separator: bytes) -> bytes:
        """What a board member signs, computed by himself (EIP-712)."""
        terms = struct_hash(_TERMS_TYPE, word(self.policy_version), word(self.nonce), word(0), word(self.expires))
        release = struct_hash(
            _RELEASE_TYPE,
            bytes(12) + addresses.SETTLEMENT_TOKEN,
            bytes(12) + self.to,
            word(self.amount),
            word(_NATIONAL_FUND),
            keccak256(_PURPOSE.encode()),
            _LEGAL_BASIS,
            bytes(32),
            terms,
        )
        return typed_digest(domain_separator, release)


def show_reserve_deposit(guide: Guide) -> None:
    """The custodian puts assets of the national fund into the vault."""
    vault = guide.contract("ReserveVault")
    before = vault.read("held", addresses.SETTLEMENT_TOKEN)
    guide.send(accounts.CUSTODIAN, "SettlementToken", "approve", addresses.RESERVE_VAULT, _DEPOSIT)
    guide.send(
        accounts.CUSTODIAN,
        "ReserveVault",
        "deposit",
        addresses.SETTLEMENT_TOKEN,
        _DEPOSIT,
        _NATIONAL_FUND,
        bytes(32),
    )
    held = vault.read("held", addresses.SETTLEMENT_TOKEN)
    expect("what the vault holds", held, before + _DEPOSIT)
    guide.say(f"the custodian deposited {money(_DEPOSIT)} of the national fund", f"the reserve holds {money(held)}")


def show_release(guide: Guide) -> None:
    """Proposed by one, approved by two of three with EIP-712 signatures, executed after the delay."""
    release = _propose(guide, nonce=1)
    identity = _digest(guide, release)
    board = accounts.RESERVE_BOARD[:2]
    receipt = guide.send(accounts.PROPOSER, "ReserveVault", "approve_decision", identity, _approvals(identity, board))
    ready_at = guide.event("ReserveVault", receipt, "Approved")["ready_at"]
    guide.say("2 of 3 board members approved by EIP-712 signature", f"ripe {ready_at - receipt.timestamp} s later")
    reason = guide.refused(accounts.PROPOSER, "ReserveVault", "execute_release", identity)
    guide.say("before its delay has passed it is refused", reason)
    token = guide.contract("SettlementToken")
    before = token.read("balanceOf", release.to)
    executed = guide.send_when_ripe(accounts.PROPOSER, "ReserveVault", "execute_release", identity)
    expect("what the treasury got", token.read("balanceOf", release.to) - before, _RELEASE)
    head = guide.contract("ReserveVault").read("journal_head")
    guide.say(f"after the delay {money(_RELEASE)} went to the treasury", f"block {executed.position.height}")
    guide.say("every act extends the vault's journal, one slot for auditors", f"head 0x{head.hex()}")


def show_refused_release(guide: Guide) -> None:
    """One signature instead of two: not approved, and so never executed."""
    release = _propose(guide, nonce=2)
    identity = _digest(guide, release)
    one = _approvals(identity, accounts.RESERVE_BOARD[2:])
    reason = guide.refused(accounts.PROPOSER, "ReserveVault", "approve_decision", identity, one)
    guide.say("with one signature of the two that it needs it is refused", reason)
    reason = guide.refused(accounts.PROPOSER, "ReserveVault", "execute_release", identity)
    guide.say("and so it cannot be executed", reason)


def _propose(guide: Guide, nonce: int) -> Release:
    status = guide.client.status()
    release = Release(
        to=accounts.address_of(accounts.TREASURY),
        amount=_RELEASE,
        policy_version=guide.contract("ReserveCouncil").read("policy_version"),
        # A tour that is taken again needs other intents: an id is used once for ever.
        nonce=status.height * 10 + nonce,
        expires=status.timestamp + _LIFE_S,
    )
    guide.send(accounts.PROPOSER, "ReserveVault", "propose_release", release.as_argument())
    guide.say(f"release of {money(release.amount)} proposed", f'"{_PURPOSE}"')
    return release


def _digest(guide: Guide, release: Release) -> bytes:
    """Computed as the signers do, and compared with what the contract says."""
    vault = guide.contract("ReserveVault")
    digest = release.digest(vault.read("DOMAIN_SEPARATOR"))
    expect("the digest that the contract computes", vault.read("intent_id", release.as_argument()), digest)
    return digest


def _approvals(digest: bytes, members: tuple[str, ...]) -> list[tuple[bytes, bytes]]:
    """Signatures as the council wants them: sorted by signer, r, s, v with v 27 or 28."""
    keys = sorted((accounts.key_of(name) for name in members), key=lambda key: key.address)
    signed = [(key.address, key.sign(digest)) for key in keys]
    return [(address, s[:64] + bytes((27 + s[64],))) for address, s in signed]
