"""Accounts whose key a program holds."""

import json
from pathlib import Path

import pytest

from alatau.client import ClientError, KeystoreError, Wallet, WrongPasswordError
from alatau.client.keystore import ScryptCost, encrypt_key
from tests.support.solo_node import MERCHANT, RESIDENT, SoloNode, running
from tests.support.transactions import CHAIN_ID


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    """RESIDENT's."""
    file = tmp_path / "resident.json"
    file.write_text(json.dumps(encrypt_key(RESIDENT, "pw", ScryptCost(n=2, r=1, p=1))))
    return file


@pytest.mark.trio
async def test_a_keystore_pays(node: SoloNode, keystore: Path) -> None:
    """The network is learnt from the node, unless it was named."""
    async with running(node, produce=True) as served, served.connect() as client:
        wallet = await client.wallet(Wallet.from_keystore(str(keystore), "pw"))
        assert (wallet.address, wallet.chain_id) == (RESIDENT.address, CHAIN_ID)
        assert (await client.transfer(wallet, MERCHANT.address, 1)).succeeded
        prepared = Wallet.from_keystore(keystore, "pw")
        assert (await client.transfer(prepared, MERCHANT.address, 1)).succeeded


def test_what_does_not_open_is_explained(keystore: Path, tmp_path: Path) -> None:
    """In one sentence each, as a ClientError; neither the password nor the key is in it."""
    with pytest.raises(WrongPasswordError, match="does not open") as caught:
        Wallet.from_keystore(keystore, "secret guess")
    assert isinstance(caught.value, ClientError)
    assert "guess" not in str(caught.value)
    broken = tmp_path / "broken.json"
    for content in ("[" * 60_000, '{"version": 3}', "Token", '{"version": ' + "9" * 5_000 + "}"):
        broken.write_text(content)
        with pytest.raises(KeystoreError):
            Wallet.from_keystore(broken, "pw")


def test_nothing_is_signed_for_an_unknown_network(keystore: Path) -> None:
    """The message says what to do."""
    wallet = Wallet.from_keystore(keystore, "pw")
    wallet.learn_nonce(0)
    with pytest.raises(LookupError, match=r"client\.prepare"):
        wallet.sign(to=None, gas_limit=60_000)
    wallet.learn_chain(7)
    wallet.learn_chain(8)
    assert wallet.sign(to=None, gas_limit=60_000).chain_id == 7
