"""Signatures of P-256 accounts on the chain, against the twin off it and the node's own precompile."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import boa
import pytest
from boa.vm.py_evm import deregister_raw_precompile, register_raw_precompile

from alatau.crypto.signature_schemes import p256_signer
from alatau.evm.gas import GAS_P256VERIFY
from alatau.evm.precompiles.p256verify import P256VERIFY
from tests.contracts.world import deploy_mock
from tests.support.passkeys import ADDRESS, DIGEST, OTHER_DIGEST, SITE, chosen, longest, swept, table

_AT = "0x0000000000000000000000000000000000000100"
_STRIDE = 17
"""Of so many swept signatures one is tried in every check. It is odd and prime, so that bytes cut and bytes changed,
which alternate, are both met, in every field, and flags of every low bit."""


def _verify(computation: Any) -> Any:
    """P256VERIFY as the node has it: titanoboa's EVM has none."""
    computation.consume_gas(GAS_P256VERIFY, reason="P256VERIFY")
    computation.output = P256VERIFY.run(computation.msg.data_as_bytes)
    return computation


@pytest.fixture(scope="module")
def verifier() -> Iterator[Any]:
    """The module, in a contract of its own."""
    register_raw_precompile(_AT, _verify)
    with boa.env.anchor():
        yield deploy_mock("P256Signer")
    deregister_raw_precompile(_AT)


def test_contract_and_twin_agree(verifier: Any) -> None:
    """On every signature chosen for a reason, and on one of _STRIDE swept ones."""
    accepted = _agreed(verifier, chain(chosen(), islice(swept(), 0, None, _STRIDE)))
    # The two good ones, two extensions, the shortest, the longest.
    assert accepted.issuperset({"own", "passkey", "extensions", "shortest", "longest"})
    assert all(name.startswith("flags ") for name in accepted - {n for n, _ in chosen()})


@pytest.mark.slow  # 13 s of the processor's time
def test_contract_and_twin_agree_on_the_whole_table(verifier: Any) -> None:
    """On every byte cut off or changed, every scheme, every set of flags."""
    accepted = _agreed(verifier, table())
    # The two, each once more among the schemes; a quarter of the flags; extensions, the shortest, the longest.
    assert len(accepted) == 4 + 64 + 3


def test_longer_than_the_limit(verifier: Any) -> None:
    """The ABI's bound refuses what the twin refuses."""
    with boa.reverts():
        verifier.signer(DIGEST, longest(1), SITE)
    assert p256_signer(DIGEST, longest(1), SITE) is None


def _agreed(verifier: Any, signatures: Iterable[tuple[str, bytes]]) -> set[str]:
    """The names of those accepted, once contract and twin agree on each for DIGEST and for another payment's digest."""
    accepted = set()
    for name, signature in signatures:
        found = _signer(verifier, DIGEST, signature)
        assert found == p256_signer(DIGEST, signature, SITE), name
        assert found in (None, ADDRESS), name
        if found == ADDRESS:
            accepted.add(name)
            assert _signer(verifier, OTHER_DIGEST, signature) is None, name
    return accepted


def _signer(verifier: Any, digest: bytes, signature: bytes) -> bytes | None:
    address = bytes.fromhex(verifier.signer(digest, signature, SITE)[2:])
    return address if any(address) else None
