"""A key that signs transactions and numbers them."""

import threading
from pathlib import Path

from alatau.client.keystore import read_keystore
from alatau.crypto.secp256k1 import PrivateKey
from alatau.types.transaction import (
    Transaction,
    TransactionType,
    UnsignedTransaction,
    sign_transaction,
)


class Wallet:
    """An account whose key this program holds.

    Nonces are counted here, so that a program can send many transactions without asking the node between them.
    The count starts from what the node says and is forgotten (:meth:`forget_nonce`) when a transaction is refused.
    Only one program at a time may send from an account. Safe to use from several threads.
    """

    def __init__(self, key: PrivateKey, chain_id: int | None = None) -> None:
        """Sign with ``key`` for a network; without its chain id for the one that ``client.prepare`` talks to."""
        self._key = key
        self._nonce: int | None = None
        self._lock = threading.Lock()
        self.chain_id = chain_id

    @classmethod
    def from_keystore(cls, path: str | Path, password: str, chain_id: int | None = None) -> "Wallet":
        """The account in a keystore file (Web3 Secret Storage, version 3).

        Raises:
            KeystoreError: the file is no keystore; the message says why.
            WrongPasswordError: the password does not open it.
            OSError: the file cannot be read.
        """
        return cls(read_keystore(Path(path), password), chain_id)

    @property
    def address(self) -> bytes:
        """20 bytes."""
        return self._key.address

    @property
    def nonce_known(self) -> bool:
        """Whether the next nonce is known without asking the node."""
        return self._nonce is not None

    def learn_nonce(self, next_nonce: int) -> None:
        """What the node says, unless another task has learnt it meanwhile."""
        with self._lock:
            if self._nonce is None:
                self._nonce = next_nonce

    def learn_chain(self, chain_id: int) -> None:
        """The network of the node that was asked, unless it is known."""
        with self._lock:
            if self.chain_id is None:
                self.chain_id = chain_id

    def forget_nonce(self) -> None:
        """Ask the node before the next transaction."""
        with self._lock:
            self._nonce = None

    def sign(
        self,
        *,
        to: bytes | None,
        gas_limit: int,
        data: bytes = b"",
        value: int = 0,
        max_fee_per_gas: int = 0,
        max_priority_fee_per_gas: int = 0,
    ) -> Transaction:
        """Sign the next transaction; its nonce is used up even if it is never sent.

        Raises:
            LookupError: the nonce or the network is not known; ``client.prepare(wallet)`` asks for it.
        """
        with self._lock:
            if self._nonce is None or self.chain_id is None:
                raise LookupError("the wallet's next nonce or network is not known: client.prepare(wallet) first")
            nonce, self._nonce = self._nonce, self._nonce + 1
            chain_id = self.chain_id
        unsigned = UnsignedTransaction(
            type=TransactionType.FEE_MARKET,
            chain_id=chain_id,
            nonce=nonce,
            gas_limit=gas_limit,
            to=to,
            value=value,
            data=data,
            max_fee_per_gas=max_fee_per_gas,
            max_priority_fee_per_gas=max_priority_fee_per_gas,
        )
        return sign_transaction(unsigned, self._key.sign)

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a 32-byte digest, as EIP-712 approvals need; 65 bytes."""
        return self._key.sign(digest)

    def __repr__(self) -> str:
        """Name the wallet by its address."""
        return f"Wallet(address=0x{self.address.hex()})"
