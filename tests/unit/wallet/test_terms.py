"""What a hub says of itself, and whether it is the right one."""

from dataclasses import replace
from pathlib import Path

import pytest

from alatau.channels.messages import channels_domain
from alatau.client import client_tls
from alatau.client.hub_plans import read_facts
from alatau.crypto.secp256k1 import PrivateKey
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.wallet.errors import WalletError
from alatau.wallet.setup import Setup
from alatau.wallet.terms import check_terms
from alatau.wire.amount import write_amount
from alatau.wire.bounds import WireError

_pb = channel_service_pb2


def answer(**changes: object) -> _pb.GetHubResponse:
    """A hub that takes 2 and a half per cent."""
    fields = {
        "address": b"\x0b" * 20,
        "chain_id": 7773,
        "contract": b"\x07" * 20,
        "height": 9,
        "fee_base": write_amount(2),
        "fee_parts_per_million": 5_000,
        "lock_blocks_min": 20,
        "lock_blocks_max": 45,
        "limits": [
            _pb.TierLimits(tier=1, payment=write_amount(600), day=write_amount(5_000), month=write_amount(9_000))
        ],
    }
    return _pb.GetHubResponse(**{**fields, **changes})  # type: ignore[arg-type]


def test_terms_are_read() -> None:
    """The fee of an amount, limits by tier, a lock's life well inside what the hub takes."""
    terms = read_facts(answer())
    assert (terms.fee(1_000), terms.fee(199)) == (7, 2)
    assert terms.lock_blocks == 32
    ((tier, limits),) = terms.limits.items()
    assert (tier, limits.payment, limits.day, limits.month) == (1, 600, 5_000, 9_000)


@pytest.mark.parametrize(
    "changes",
    [{"address": b"\x0b"}, {"contract": b""}, {"fee_base": b"\xff" * 40}, {"fee_parts_per_million": 2_000_000}],
)
def test_nonsense_is_refused(changes: dict[str, object]) -> None:
    """Before anything is signed on its strength."""
    with pytest.raises((WireError, ValueError)):
        read_facts(answer(**changes))


def test_another_hub_is_not_spoken_to(tmp_path: Path) -> None:
    """Nor one of another chain or contract."""
    tls = client_tls(ca=b"")
    domain = channels_domain(7773, b"\x07" * 20)
    setup = Setup(PrivateKey(b"\x01" * 32), domain, b"\x0b" * 20, "h:1", tls, ("n:1",), tls, tmp_path)
    terms = read_facts(answer())
    assert check_terms(setup, terms) is terms
    with pytest.raises(WalletError, match="this wallet's channel is with"):
        check_terms(replace(setup, hub=b"\x0c" * 20), terms)
    for other in (channels_domain(7774, b"\x07" * 20), channels_domain(7773, b"\x08" * 20)):
        with pytest.raises(WalletError, match="this wallet signs for"):
            check_terms(replace(setup, domain=other), terms)
