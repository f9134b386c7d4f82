"""The library mcl on the curve that Ethereum calls alt_bn128 and mcl calls SNARK1: a thin ctypes layer.

No wheel offers this curve through a Python interface; the wheel mclbn256 holds the shared libraries, as
hexadecimal text inside its module. Importing that module would initialise another curve, so this one reads the
text without running it. Loading happens once, when the node starts: a node that cannot load it must not find
out in the middle of a block.

All values live in the library's own structs: an element of Fp or Fr is four 64-bit words in Montgomery form,
a point is three coordinates (Jacobian). A failure to load is an ``ImportError``.
"""

from binascii import unhexlify
from ctypes import CDLL, Array, c_char, c_int, c_size_t, create_string_buffer
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

Struct: TypeAlias = "Array[c_char]"
"""A value of the library. Its size says what it is."""

FP_SIZE: Final = 32
G1_SIZE: Final = 3 * FP_SIZE
G2_SIZE: Final = 2 * G1_SIZE
GT_SIZE: Final = 12 * FP_SIZE

_SNARK1: Final = 4
"""``mclBn_CurveSNARK1``: y**2 = x**3 + 3 over the field of order 2188...583 (EIP-196)."""

_COMPILED_TIME_VAR: Final = 44
"""``MCLBN_COMPILED_TIME_VAR``, by which the library checks its caller's view of its structs: 10 * 4 + 4."""

_FIELD: Final = 21888242871839275222246405745257275088696311157297823662689037894645226208583

_EMBEDDED: Final = b" = bytes.fromhex('7f454c46"
"""What stands between name and content on a line that holds a shared library; the digits are ELF's magic."""


def _load() -> CDLL:
    spec = find_spec("mclbn256")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the package mclbn256 is not installed; install the node's pinned requirements")
    libraries: dict[bytes, bytes] = {}
    with (Path(spec.submodule_search_locations[0]) / "mclbn256.py").open("rb") as module:
        for line in module:
            # Lines of 8 and 13 million digits: no more than one copy of each, at this speed (0.1 s in all).
            start = line.find(_EMBEDDED, 0, 64)
            if start >= 0:
                digits = memoryview(line)[line.index(b"'") + 1 : line.rindex(b"'")]
                libraries[line[:start].strip()] = unhexlify(digits)
    if libraries.keys() != {b"mcl_bs", b"mclbn256_bs"}:
        raise ImportError("the package mclbn256 does not hold the libraries expected of version 1.3.5")
    # The second library finds the first at lib/ beside itself. Once loaded, neither file is needed.
    with TemporaryDirectory(prefix="alatau-mcl-") as folder:
        (Path(folder) / "lib").mkdir()
        (Path(folder) / "lib" / "libmcl.so").write_bytes(libraries[b"mcl_bs"])
        path = Path(folder) / "libmclbn256.so"
        path.write_bytes(libraries[b"mclbn256_bs"])
        library = CDLL(str(path))
    _initialise(library)
    return library


def _initialise(library: CDLL) -> None:
    if library.mclBn_init(c_int(_SNARK1), c_int(_COMPILED_TIME_VAR)) != 0:
        raise ImportError("mcl does not know the curve SNARK1 or was compiled with other struct sizes")
    order = create_string_buffer(128)
    library.mclBn_getFieldOrder(order, c_size_t(len(order)))
    if int(order.value) != _FIELD:
        raise ImportError("mcl initialised another field than that of EIP-196")
    for name in ("mclBnFp_deserialize", "mclBnFp_serialize"):
        getattr(library, name).restype = c_size_t
    for name in ("mclBnG1_add", "mclBnG1_mul", "mclBnG1_normalize", "mclBn_finalExp", "mclBn_millerLoopVec"):
        getattr(library, name).restype = None
    # G1 has a cofactor of one, so a point on the curve is in the group; G2 does not (checked on its own).
    library.mclBn_verifyOrderG1(c_int(0))
    library.mclBn_verifyOrderG2(c_int(0))


_MCL: Final = _load()
_SIZE_FP: Final = c_size_t(FP_SIZE)


def _one() -> bytes:
    element = create_string_buffer(FP_SIZE)
    _MCL.mclBnFp_setInt32(element, c_int(1))
    return element.raw


_ONE: Final = _one()


def _field_element(big_endian: bytes) -> bytes:
    """The struct of an element of Fp; ``ValueError`` unless it is below the field's order."""
    element = create_string_buffer(FP_SIZE)
    if _MCL.mclBnFp_deserialize(element, big_endian[::-1], _SIZE_FP) != FP_SIZE:
        raise ValueError("a coordinate is not below the field's order")
    return element.raw


def g1_point(data: bytes) -> Struct:
    """A point of G1 from x, y, 32 bytes each; zeros are infinity. ``ValueError`` off the curve.

    The curve's equation is checked here: the library's own check multiplies by the group's order as well, which
    says nothing where the cofactor is one and takes 80 us, more than the rest of an addition by far.
    """
    if not any(data):
        return create_string_buffer(G1_SIZE)
    x, y = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:64], "big")
    point = create_string_buffer(_field_element(data[:32]) + _field_element(data[32:64]) + _ONE, G1_SIZE)
    if (y * y - x * x * x - 3) % _FIELD:
        raise ValueError("a point is not on the curve")
    return point


def g2_point(data: bytes) -> Struct:
    """A point of G2 from x, y, each imaginary part first (EIP-197). ``ValueError`` outside the subgroup."""
    if not any(data):
        return create_string_buffer(G2_SIZE)
    x_imaginary, x_real, y_imaginary, y_real = (_field_element(data[at : at + 32]) for at in (0, 32, 64, 96))
    coordinates = x_real + x_imaginary + y_real + y_imaginary + _ONE + bytes(FP_SIZE)
    point = create_string_buffer(coordinates, G2_SIZE)
    if not _MCL.mclBnG2_isValid(point) or not _MCL.mclBnG2_isValidOrder(point):
        raise ValueError("a point is not in the subgroup of the twist")
    return point


def g1_bytes(point: Struct) -> bytes:
    """x, y of a point of G1, 32 bytes each; zeros for infinity."""
    if _MCL.mclBnG1_isZero(point):
        return bytes(64)
    _MCL.mclBnG1_normalize(point, point)
    x, y = create_string_buffer(FP_SIZE), create_string_buffer(FP_SIZE)
    _MCL.mclBnFp_serialize(x, _SIZE_FP, point.raw[:32])
    _MCL.mclBnFp_serialize(y, _SIZE_FP, point.raw[32:64])
    return x.raw[::-1] + y.raw[::-1]


def g1_sum(a: Struct, b: Struct) -> Struct:
    """The sum of two points."""
    total = create_string_buffer(G1_SIZE)
    _MCL.mclBnG1_add(total, a, b)
    return total


def g1_product(point: Struct, scalar: bytes) -> Struct:
    """``point`` times a 32-byte big-endian scalar of any value."""
    factor = create_string_buffer(FP_SIZE)
    _MCL.mclBnFr_setBigEndianMod(factor, scalar, _SIZE_FP)
    product = create_string_buffer(G1_SIZE)
    _MCL.mclBnG1_mul(product, point, factor)
    return product


def pairings_cancel(g1s: list[Struct], g2s: list[Struct]) -> bool:
    """Whether the product of the pairings of ``g1s`` with ``g2s`` is one."""
    if not g1s:
        return True
    result = create_string_buffer(GT_SIZE)
    xs, ys = b"".join([p.raw for p in g1s]), b"".join([p.raw for p in g2s])
    _MCL.mclBn_millerLoopVec(result, xs, ys, c_size_t(len(g1s)))
    _MCL.mclBn_finalExp(result, result)
    return bool(_MCL.mclBnGT_isOne(result))
