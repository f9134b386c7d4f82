"""``contracts/lib/p256_account.vy`` on a test chain, so that its verdicts can be held against its twin's."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import boa
from boa.vm.py_evm import register_raw_precompile

from alatau.artifacts.artifact import compile_source, sources_root
from alatau.evm.gas import GAS_P256VERIFY
from alatau.evm.precompiles.p256verify import P256VERIFY

_PRECOMPILE_ADDRESS: Final = "0x0000000000000000000000000000000000000100"


class P256Contract:
    """The module in a contract of its own."""

    def __init__(self, contract: Any) -> None:
        self._contract = contract

    def signer(self, digest: bytes, signature: bytes, rp_id_hash: bytes) -> bytes | None:
        """As ``alatau.crypto.signature_schemes.p256_signer``; a signature above the ABI's bound reverts."""
        address = bytes.fromhex(self._contract.signer(digest, signature, rp_id_hash)[2:])
        return address if any(address) else None

    def key_signer(self, signed: bytes, proof: bytes) -> bytes | None:
        """As ``alatau.crypto.signature_schemes.p256_key_signer``."""
        address = bytes.fromhex(self._contract.key_signer(signed, proof)[2:])
        return address if any(address) else None


@contextmanager
def deployed_p256_contract() -> Iterator[P256Contract]:
    """The contract, undone at the end."""
    root = sources_root()
    assert root is not None
    artifact = compile_source(root / "mocks" / "P256Signer.vy")
    install_p256verify()
    with boa.env.anchor():
        address = boa.env.deploy_code(bytecode=artifact.initcode)[0]
        yield P256Contract(boa.loads_abi(json.dumps(artifact.abi), name=artifact.name).at(address))


def install_p256verify() -> None:
    """Give titanoboa's chains the node's own P256VERIFY, since they have none; for the life of the process."""
    register_raw_precompile(_PRECOMPILE_ADDRESS, _verify, force=True)


def _verify(computation: Any) -> Any:
    computation.consume_gas(GAS_P256VERIFY, reason="P256VERIFY")
    computation.output = P256VERIFY.run(computation.msg.data_as_bytes)
    return computation
