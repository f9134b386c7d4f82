"""Whole cases: accounts, a block, and signed transactions, as the oracle reads them."""

from random import Random
from typing import Any

from alatau.crypto.secp256k1 import PrivateKey
from alatau.types.transaction import (
    Authorization,
    TransactionType,
    UnsignedTransaction,
    authorization_digest,
    decode_transaction,
    sign_transaction,
)
from alatau_devnet.fuzz.program import PRECOMPILES, Program

Case = dict[str, Any]

_CHAIN = 1
_CONTRACTS = tuple(0xC0DE_0000 + n for n in range(4))
_KEYS = tuple(PrivateKey(bytes((n + 1,)) * 32) for n in range(3))
_COINBASE = 0xC01B
_ABSENT = 0xAB5E47
_BALANCE = 10**24
_DELEGATION = b"\xef\x01\x00"
"""Marks an account's code as a pointer (EIP-7702)."""


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _address(number: int) -> bytes:
    return number.to_bytes(20, "big")


def _account(nonce: int, balance: int, code: bytes = b"", storage: dict[int, int] | None = None) -> dict[str, Any]:
    return {
        "nonce": hex(nonce),
        "balance": hex(balance),
        "code": _hex(code),
        "storage": {hex(slot): hex(value) for slot, value in (storage or {}).items()},
    }


def targets() -> list[int]:
    """What programs may call: contracts most often, accounts, nothing at all, a few precompiles."""
    people = [int.from_bytes(key.address, "big") for key in _KEYS]
    return [*_CONTRACTS, *_CONTRACTS, *_CONTRACTS, *people, _COINBASE, _ABSENT, 0x01, 0x02, 0x04, 0x05]


def random_case(seed: int) -> Case:
    """The case of a seed."""
    random = Random(seed)  # noqa: S311  repeatable, not secret
    pre = {
        _hex(_address(address)): _account(
            1,
            random.choice((0, 1, 10**18)),
            Program(random, targets()).assemble(random.randint(1, 12)),
            {slot: random.choice((1, 5, 2**255)) for slot in range(3) if random.random() < 0.5},
        )
        for address in _CONTRACTS
    }
    for key in _KEYS:
        code = b""
        if random.random() < 0.25:
            code = _DELEGATION + _address(random.choice((*_CONTRACTS, *_CONTRACTS, _ABSENT, 0x04)))
        pre[_hex(key.address)] = _account(0, _BALANCE, code)
    return {
        "seed": seed,
        "fork": random.choice(("prague", "osaka")),
        "env": _environment(random),
        "pre": pre,
        "txs": [_hex(_transaction(random, nonce)) for nonce in range(random.choice((1, 1, 2, 3)))],
    }


def _environment(random: Random) -> dict[str, Any]:
    number = random.choice((1, 5, 1_000))
    return {
        "chain_id": hex(_CHAIN),
        "gas_limit": hex(100_000_000),
        "block_hashes": [_hex(bytes((n % 256,)) * 32) for n in range(min(number, 256))],
        "coinbase": _hex(_address(random.choice((_COINBASE, _CONTRACTS[0])))),
        "number": hex(number),
        "base_fee": hex(random.choice((0, 0, 7))),
        "timestamp": hex(1_700_000_000),
        "prev_randao": _hex(random.randbytes(32)),
        "excess_blob_gas": "0x0",
    }


def _transaction(random: Random, nonce: int) -> bytes:
    """A transaction of the first account; its nonce is right, its gas limit is anything."""
    kind = random.choice(
        (
            TransactionType.LEGACY,
            TransactionType.ACCESS_LIST,
            TransactionType.FEE_MARKET,
            TransactionType.FEE_MARKET,
            TransactionType.SET_CODE,
        )
    )
    creates = kind is not TransactionType.SET_CODE and random.random() < 0.12
    to = None if creates else _address(_recipient(random))
    data = random.randbytes(random.choice((0, 4, 36, 68, 200)))
    if creates:
        data = Program(random, targets()).initcode(random.randint(1, 6))
    fee = random.choice((7, 10, 1_000))
    unsigned = UnsignedTransaction(
        type=kind,
        chain_id=None if kind is TransactionType.LEGACY and random.random() < 0.2 else _CHAIN,
        nonce=nonce,
        gas_limit=_gas_limit(random),
        to=to,
        value=random.choice((0, 0, 0, 1, 10**18)),
        data=data,
        max_fee_per_gas=fee,
        max_priority_fee_per_gas=fee if kind <= TransactionType.ACCESS_LIST else random.choice((0, 1, fee)),
        access_list=_access_list(random) if kind is not TransactionType.LEGACY else (),
        authorizations=_authorizations(random) if kind is TransactionType.SET_CODE else (),
    )
    return sign_transaction(unsigned, _KEYS[0].sign).encoded


def _recipient(random: Random) -> int:
    chance = random.random()
    if chance < 0.9:
        return random.choice(_CONTRACTS)
    if chance < 0.97:
        return int.from_bytes(random.choice(_KEYS).address, "big")
    return int(random.choice((*PRECOMPILES, _ABSENT, _COINBASE)))


def _gas_limit(random: Random) -> int:
    chance = random.random()
    if chance < 0.4:
        return 1_000_000
    if chance < 0.9:
        return random.randint(21_000, 300_000)
    return random.choice((21_000, 25_300, 53_000, 3_000_000, 16_000_000))


def _access_list(random: Random) -> tuple[tuple[bytes, tuple[int, ...]], ...]:
    if random.random() < 0.5:
        return ()
    return tuple(
        (_address(random.choice(targets())), tuple(random.sample((0, 1, 2, 3), random.randint(0, 3))))
        for _ in range(random.randint(1, 3))
    )


def _authorizations(random: Random) -> tuple[Authorization, ...]:
    return tuple(_authorization(random) for _ in range(random.randint(1, 3)))


def _authorization(random: Random) -> Authorization:
    """Mostly valid; sometimes of another chain, nonce or signature."""
    key = random.choice(_KEYS)
    chain = random.choice((0, _CHAIN, _CHAIN, 5))
    address = _address(random.choice((*_CONTRACTS, *_CONTRACTS, 0, 0x04, _ABSENT)))
    nonce = random.choice((0, 0, 0, 1, 1, 2, 2**64 - 1))
    signature = key.sign(authorization_digest(chain, address, nonce))
    y_parity = signature[64] if random.random() < 0.95 else random.choice((2, 27, 1 - signature[64]))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return Authorization(chain, address, nonce, y_parity, r, s)


def with_gas_limit(case: Case, index: int, gas_limit: int) -> Case:
    """The case with another gas limit of one transaction, signed again by its sender."""
    from_bytes = bytes.fromhex(case["txs"][index].removeprefix("0x"))
    unsigned = _unsigned(from_bytes, gas_limit)
    transactions = list(case["txs"])
    transactions[index] = _hex(sign_transaction(unsigned, _KEYS[0].sign).encoded)
    return {**case, "txs": transactions}


def _unsigned(data: bytes, gas_limit: int) -> UnsignedTransaction:
    tx = decode_transaction(data)
    fields = {name: getattr(tx, name) for name in UnsignedTransaction.__dataclass_fields__}
    return UnsignedTransaction(**{**fields, "gas_limit": gas_limit})
