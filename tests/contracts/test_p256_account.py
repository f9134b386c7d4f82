"""Signatures of P-256 accounts on the chain, against the twin off it and the node's own precompile."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import boa
import pytest

from alatau.crypto.signature_schemes import p256_signer
from tests.support.p256_contract import P256Contract, deployed_p256_contract
from tests.support.passkeys import ADDRESS, DIGEST, OTHER_DIGEST, SITE, chosen, longest, swept, table

_STRIDE = 17
"""Of so many swept signatures one is tried in every check. Odd, so that bytes cut and bytes changed, which alternate,
are both met, and so are flags with each of their lowest bits."""


@pytest.fixture(scope="module")
def contract() -> Iterator[P256Contract]:
    """The module, in a contract of its own."""
    with deployed_p256_contract() as deployed:
        yield deployed


def test_contract_and_twin_agree(contract: P256Contract) -> None:
    """On every signature chosen for a reason, and on one of _STRIDE swept ones."""
    accepted = _agreed(contract, chain(chosen(), islice(swept(), 0, None, _STRIDE)))
    # The two good ones, two extensions, the shortest, the longest.
    assert accepted.issuperset({"own", "passkey", "extensions", "shortest", "longest"})
    assert all(name.startswith("flags ") for name in accepted - {n for n, _ in chosen()})


@pytest.mark.slow  # 10 s of the processor's time
def test_contract_and_twin_agree_on_the_whole_table(contract: P256Contract) -> None:
    """On every byte cut off or changed, every scheme, every set of flags."""
    accepted = _agreed(contract, table())
    # The two, each once more among the schemes; a quarter of the flags; extensions, the shortest, the longest.
    assert len(accepted) == 4 + 64 + 3


def test_longer_than_the_limit(contract: P256Contract) -> None:
    """The ABI's bound refuses what the twin refuses."""
    with boa.reverts():
        contract.signer(DIGEST, longest(1), SITE)
    assert p256_signer(DIGEST, longest(1), SITE) is None


def _agreed(contract: P256Contract, signatures: Iterable[tuple[str, bytes]]) -> set[str]:
    """The names of those accepted, once contract and twin agree on each for DIGEST and for another payment's digest."""
    accepted = set()
    for name, signature in signatures:
        found = contract.signer(DIGEST, signature, SITE)
        assert found == p256_signer(DIGEST, signature, SITE), name
        assert found in (None, ADDRESS), name
        if found == ADDRESS:
            accepted.add(name)
            assert contract.signer(OTHER_DIGEST, signature, SITE) is None, name
    return accepted
