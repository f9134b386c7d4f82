"""The slow inputs: a loop body for every opcode, and a call's data for every precompile.

The stack of a loop holds two words, ``y`` below ``x``, wide and unknown to a translator; a body leaves two, with
``x`` changed by what the opcode gave, so that no result is dead and no input constant.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from alatau.crypto.secp256k1 import PrivateKey
from alatau.evm.opcodes import opcodes
from alatau.evm.precompiles import mcl
from alatau.types.chain_config import Fork

_WIDE = "7f" + "fe" * 32
_NEXT = "600101"
"""x += 1: another address or slot than before, so a cold one."""

_CALL = "5f5f5f5f"
"""No output, no input."""

_BODIES: Final[dict[str, str]] = {
    **{
        name: f"8181{code:02x}18"
        for name, code in {
            "ADD": 0x01,
            "MUL": 0x02,
            "SUB": 0x03,
            "DIV": 0x04,
            "SDIV": 0x05,
            "MOD": 0x06,
            "SMOD": 0x07,
            "EXP": 0x0A,
            "LT": 0x10,
            "GT": 0x11,
            "SLT": 0x12,
            "SGT": 0x13,
            "EQ": 0x14,
            "AND": 0x16,
            "OR": 0x17,
            "XOR": 0x18,
        }.items()
    },
    "ADDMOD": "8181800818",
    "MULMOD": "8181800918",
    "SIGNEXTEND": "8060030b18",
    "BYTE": "8060051a18",
    "SHL": "8060071b18",
    "SHR": "8060071c18",
    "SAR": "8060071d18",
    "ISZERO": "801518",
    "NOT": "19",
    "CLZ": "801e18",
    "KECCAK256": "60205f2018",
    "KECCAK256 4 KiB": "6110005f2018",
    **{
        name: f"{code:02x}18"
        for name, code in {
            "ADDRESS": 0x30,
            "ORIGIN": 0x32,
            "CALLER": 0x33,
            "CALLVALUE": 0x34,
            "CALLDATASIZE": 0x36,
            "CODESIZE": 0x38,
            "GASPRICE": 0x3A,
            "RETURNDATASIZE": 0x3D,
            "COINBASE": 0x41,
            "TIMESTAMP": 0x42,
            "NUMBER": 0x43,
            "PREVRANDAO": 0x44,
            "GASLIMIT": 0x45,
            "CHAINID": 0x46,
            "SELFBALANCE": 0x47,
            "BASEFEE": 0x48,
            "BLOBBASEFEE": 0x4A,
            "PC": 0x58,
            "MSIZE": 0x59,
            "GAS": 0x5A,
            "PUSH0": 0x5F,
        }.items()
    },
    "BALANCE warm": "303118",
    "BALANCE cold": f"{_NEXT}803150",
    "EXTCODESIZE warm": "303b18",
    "EXTCODESIZE cold": f"{_NEXT}803b50",
    "EXTCODEHASH warm": "303f18",
    "EXTCODEHASH cold": f"{_NEXT}803f50",
    "EXTCODECOPY warm": "60205f5f303c",
    "EXTCODECOPY 24 KiB": "6160005f5f303c",
    "CALLDATALOAD": "5f3518",
    "CALLDATACOPY": "60205f5f37",
    "CALLDATACOPY 4 KiB": "6110005f5f37",
    "CODECOPY": "60205f5f39",
    "CODECOPY 4 KiB": "6110005f5f39",
    "RETURNDATACOPY": "5f5f5f3e",
    "MCOPY": "602060405f5e",
    "MCOPY 4 KiB": "6110006001605f5e",
    "BLOCKHASH": "6103e74018",
    "BLOBHASH": "5f4918",
    "MLOAD": "5f5118",
    "MSTORE": "805f52",
    "MSTORE8": "805f53",
    "SLOAD warm": "5f5418",
    "SLOAD cold": f"{_NEXT}805450",
    "SSTORE warm": f"{_NEXT}805f55",
    "SSTORE cold": f"{_NEXT}808055",
    "TLOAD": "5f5c18",
    "TSTORE": "805f5d",
    "TSTORE new": f"{_NEXT}80805d",
    "JUMPDEST": "5b",
    "POP": "8050",
    "PUSH1": "600718",
    "PUSH32": _WIDE + "18",
    "DUP2": "8118",
    "DUP1, POP": "8050",
    "SWAP1": "90",
    "LOG0": "5f5fa0",
    "LOG0 4 KiB": "6110005fa0",
    "LOG4": "808080805f5fa4",
    "CREATE empty": "5f5f5ff050",
    "CREATE2 empty": f"{_NEXT}805f5f5ff550",
    "CALL of no code": f"{_CALL}5f6102005ff150",
    "CALL with value": f"{_CALL}60016102005ff150",
    "CALL cold": f"{_NEXT}{_CALL}5f855ff150",
    "CALLCODE of no code": f"{_CALL}5f6102005ff250",
    "DELEGATECALL of no code": f"{_CALL}6102005ff450",
    "STATICCALL of no code": f"{_CALL}6102005ffa50",
}

PRELUDE: Final = bytes.fromhex(f"{_WIDE}5f3518{_WIDE}602035186120005150")
"""Two wide words that depend on the call's data, and 8 KiB of memory."""


_UNROLLED: Final = 40
"""Repetitions in a loop's body, so that the jump back weighs little."""
_PRECOMPILE_CALLS: Final = 10


def loop_of(body: bytes) -> bytes:
    """Code that runs a body for ever, short enough to be translated soon."""
    return _repeated(body, min(_UNROLLED, 4_000 // len(body)))


def straight_of(body: bytes, size_max: int) -> bytes:
    """The same, with as many repetitions between two jumps as fit into so many bytes."""
    return _repeated(body, (size_max - len(_repeated(body, 0))) // len(body))


def _repeated(body: bytes, count: int) -> bytes:
    return PRELUDE + b"\x5b" + body * count + b"\x61" + len(PRELUDE).to_bytes(2, "big") + b"\x56"


def pushed_size(size: int) -> bytes:
    """PUSH2 or PUSH3 of a size."""
    return b"\x61" + size.to_bytes(2, "big") if size < 1 << 16 else b"\x62" + size.to_bytes(3, "big")


def precompile_loop(setup: bytes, address: int, size: int) -> bytes:
    """After ``setup``, which leaves ``size`` bytes in memory, call the precompile with them for ever."""
    call = b"\x5f\x5f" + pushed_size(size) + b"\x5f\x61" + address.to_bytes(2, "big") + b"\x5a\xfa\x50"
    return setup + b"\x5b" + call * _PRECOMPILE_CALLS + b"\x60" + bytes((len(setup),)) + b"\x56"


def bodies() -> Iterator[tuple[str, bytes]]:
    """(name, loop body) of each row."""
    for name, body in _BODIES.items():
        assert _stack_effect(bytes.fromhex(body)) == 0, f"the loop of {name} changes the height of the stack"
        yield name, bytes.fromhex(body)


def _stack_effect(code: bytes) -> int:
    table = {opcode.code: opcode for opcode in opcodes(Fork.OSAKA).values()}
    effect = at = 0
    while at < len(code):
        opcode = table[code[at]]
        effect += opcode.pushes - opcode.pops
        at += opcode.size
    return effect


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def _ecrecover() -> bytes:
    digest = b"\x11" * 32
    signature = PrivateKey(b"\x01" * 32).sign(digest)
    return digest + (27 + signature[64]).to_bytes(32, "big") + signature[:64]


def _p256() -> bytes:
    key = derive_private_key(12345, SECP256R1())
    digest = b"\x11" * 32
    point = key.public_key().public_numbers()
    return digest + _words(*decode_dss_signature(key.sign(digest, ECDSA(Prehashed(SHA256())))), point.x, point.y)


def _modexp(size: int, exponent_size: int, *, odd: bool = True) -> bytes:
    base, exponent = b"\xff" * size, b"\xff" * exponent_size
    modulus = b"\xff" * (size - 1) + (b"\xfd" if odd else b"\xfe")
    return _words(size, exponent_size, size) + base + exponent + modulus


def _bls(point: G1Point | G2Point) -> bytes:
    raw = point.to_xy_bytes_be()
    return b"".join(bytes(16) + raw[at : at + 48] for at in range(0, len(raw), 48))


def _bls_pairs(count: int) -> bytes:
    return b"".join(_bls(G1Point() * Scalar(k + 2)) + _bls(G2Point() * Scalar(k + 3)) for k in range(count))


def _msm(point: G1Point | G2Point, count: int) -> bytes:
    scalar = int.from_bytes(hashlib.sha256(b"scalar").digest(), "big")
    return b"".join(_bls(point * Scalar(k + 2)) + _words((scalar + k) % 2**255) for k in range(count))


def _bn_pairs(count: int) -> bytes:
    g1 = _words(1, 2)
    g2 = bytes.fromhex(
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
        "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
        "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
        "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
    )
    assert mcl.g2_point(g2)
    return (g1 + g2) * count


_POINT_EVALUATION: Final = bytes.fromhex(
    "014d19ca627a0aae1cbc699e0eab642f54f3e93941bdf56c8d6225876ed15e4100f5122f344554c53bde2ebb8cd2b7e3"
    "d1600ad631c385a5d7cce23c7785459a6ead92f18e38f91cf410e6e9021dad5f44d6e71a9fb0e5b632900f91f81fc320"
    "a0ff343b6e02e83170252136c9b797313a35050018b70dd1a8c8b33c5caa1b2d8be36b895cff0a5701682aef0f2dfb7c"
    "a938c3683a7c0f55d4d29ee7d53f142a6a6575570d0cc44d9c945b8336dbe7626fce2194d746d38754257a2fc2c9dbeb"
)
"""A true statement, made by ckzg (``tests/unit/evm/precompiles/test_point_evaluation.py``, seed 1)."""


def _blake2f(rounds: int) -> bytes:
    return rounds.to_bytes(4, "big") + b"\x55" * 208 + b"\x01"


PRECOMPILE_INPUTS: Final[tuple[tuple[str, int, bytes], ...]] = (
    ("ECRECOVER", 0x01, _ecrecover()),
    ("SHA256 32 bytes", 0x02, b"\x55" * 32),
    ("SHA256 4 KiB", 0x02, b"\x55" * 4_096),
    ("RIPEMD160 32 bytes", 0x03, b"\x55" * 32),
    ("RIPEMD160 4 KiB", 0x03, b"\x55" * 4_096),
    ("IDENTITY 32 bytes", 0x04, b"\x55" * 32),
    ("IDENTITY 4 KiB", 0x04, b"\x55" * 4_096),
    ("MODEXP 8 x 8", 0x05, _modexp(8, 8)),
    ("MODEXP 32 x 32", 0x05, _modexp(32, 32)),
    ("MODEXP 32 x 32, even", 0x05, _modexp(32, 32, odd=False)),
    ("MODEXP 256 x 32", 0x05, _modexp(256, 32)),
    ("MODEXP 1024 x 32", 0x05, _modexp(1_024, 32)),
    ("MODEXP 1024 x 32, even", 0x05, _modexp(1_024, 32, odd=False)),
    ("MODEXP 32 x 1024", 0x05, _modexp(32, 1_024)),
    ("MODEXP 200 x 40, even", 0x05, _modexp(200, 40, odd=False)),
    ("ECADD", 0x06, _words(1, 2, 1, 2)),
    ("ECMUL", 0x07, _words(1, 2, 2**256 - 1)),
    ("ECPAIRING 1", 0x08, _bn_pairs(1)),
    ("ECPAIRING 8", 0x08, _bn_pairs(8)),
    ("BLAKE2F 1 round", 0x09, _blake2f(1)),
    ("BLAKE2F 100,000 rounds", 0x09, _blake2f(100_000)),
    ("POINT_EVALUATION", 0x0A, _POINT_EVALUATION),
    ("BLS12_G1ADD", 0x0B, _bls(G1Point() * Scalar(2)) + _bls(G1Point() * Scalar(3))),
    ("BLS12_G1MSM 1", 0x0C, _msm(G1Point(), 1)),
    ("BLS12_G1MSM 32", 0x0C, _msm(G1Point(), 32)),
    ("BLS12_G1MSM 128", 0x0C, _msm(G1Point(), 128)),
    ("BLS12_G2ADD", 0x0D, _bls(G2Point() * Scalar(2)) + _bls(G2Point() * Scalar(3))),
    ("BLS12_G2MSM 1", 0x0E, _msm(G2Point(), 1)),
    ("BLS12_G2MSM 128", 0x0E, _msm(G2Point(), 128)),
    ("BLS12_PAIRING 1", 0x0F, _bls_pairs(1)),
    ("BLS12_PAIRING 8", 0x0F, _bls_pairs(8)),
    ("BLS12_MAP_FP_TO_G1", 0x10, (12_345).to_bytes(64, "big")),
    ("BLS12_MAP_FP2_TO_G2", 0x11, (12_345).to_bytes(64, "big") + (54_321).to_bytes(64, "big")),
    ("P256VERIFY", 0x100, _p256()),
)
"""(row, address, call data)."""
