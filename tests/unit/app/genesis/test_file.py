import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alatau.app.genesis.file import encode_genesis, genesis_file_hash, read_genesis
from alatau.app.json_field import DocumentError
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import key_hash
from alatau.types.chain_config import ChainConfig, Fork, SystemContracts
from alatau.types.genesis import Genesis, GenesisContract, GenesisValidator, genesis_validator_set
from alatau.types.validator import VALIDATORS_MAX


def _validator(seed: int, name: str) -> GenesisValidator:
    key = PrivateKey(bytes([seed]) * 32)
    return GenesisValidator(
        name=name,
        operator=bytes([seed]) * 20,
        voting_public_key=key.public_key,
        voting_address=key.address,
        tls_public_key=bytes([seed]) * 91,
        tls_key_hash=key_hash(bytes([seed]) * 91),
        endpoint=f"127.0.0.1:{7000 + seed}",
        power=seed,
    )


VALIDATORS = (_validator(1, "Ministry of Finance"), _validator(2, "Ұлттық Банк"))
GENESIS = Genesis(
    config=ChainConfig(
        chain_id=7773,
        name="test",
        forks=((0, Fork.PRAGUE), (100, Fork.OSAKA)),
        system=SystemContracts(validator_registry=b"\xa1" * 20),
    ),
    timestamp=1_700_000_000,
    alloc={b"\x02" * 20: 10**30, b"\x01" * 20: 1},
    validators=tuple(sorted(VALIDATORS, key=lambda v: v.voting_address)),
    contracts=(GenesisContract("ValidatorRegistry", b"\xa1" * 20, b"\x60\x00", 5),),
)


def test_a_genesis_survives_its_file(tmp_path: Path) -> None:
    """Balances beyond 2**53 and names in any script included."""
    path = tmp_path / "genesis.json"
    path.write_bytes(encode_genesis(GENESIS))
    assert read_genesis(path) == GENESIS
    assert genesis_validator_set(read_genesis(path)).total_power == 3


def test_the_file_does_not_depend_on_the_order_of_balances() -> None:
    """Two ministries that merge the same contributions get the same bytes."""
    turned = replace(GENESIS, alloc=dict(reversed(GENESIS.alloc.items())))
    assert encode_genesis(turned) == encode_genesis(GENESIS)
    assert genesis_file_hash(turned) == genesis_file_hash(GENESIS)
    assert genesis_file_hash(replace(GENESIS, timestamp=1)) != genesis_file_hash(GENESIS)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["format"], "other", r'genesis\.json: format is "other", expected'),
        (["timestamp"], -1, "timestamp is -1, expected an integer"),
        (["config", "chain_id"], 0, "config.chain_id is 0"),
        (["config", "surplus"], 1, "config has an unknown 'surplus'"),
        (["config", "forks", 0, "height"], 1, "config.forks must begin at height 0"),
        (["config", "forks", 0, "rules"], "london", "config.forks.0..rules is .london., expected 'prague' or 'osaka'"),
        (["config", "consensus", "heartbeat_ms"], True, "config.consensus.heartbeat_ms is true"),
        (["validators", 0, "power"], 0, "validators.0..power is 0"),
        (["validators", 0, "voting_address"], "0x" + "00" * 20, "the address of voting_public_key"),
        (["validators", 0, "tls_key_hash"], "0x" + "00" * 32, "the hash of tls_public_key"),
        (["validators", 1, "endpoint"], "nowhere", "validators.1..endpoint is .nowhere., expected host:port"),
        (["validators"], [], "expected at least one validator"),
        (["alloc", "0x12"], "1", "expected 0x and 40 hexadecimal digits"),
        (["alloc", "0x" + "11" * 20], str(2**256), "expected an integer in"),
        (["contracts", 0, "initcode"], "6000", "expected 0x and hexadecimal digits"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(tmp_path: Path, path: list[Any], value: Any, message: str) -> None:
    """Two nodes that read the file differently would never agree, so nothing is guessed."""
    document = json.loads(encode_genesis(GENESIS))
    target = document
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    file = tmp_path / "genesis.json"
    file.write_text(json.dumps(document))
    with pytest.raises(DocumentError, match=message):
        read_genesis(file)


def test_a_missing_member_and_a_repeated_one_are_refused(tmp_path: Path) -> None:
    """JSON leaves the meaning of a repeated name open; two readers would differ."""
    file = tmp_path / "genesis.json"
    file.write_text('{"format": "alatau-genesis/1", "format": "x"}')
    with pytest.raises(DocumentError, match="'format' occurs twice"):
        read_genesis(file)
    file.write_text('{"format": "alatau-genesis/1"}')
    with pytest.raises(DocumentError, match="lacks 'config'"):
        read_genesis(file)
    file.write_text('{"format":\n oops}')
    with pytest.raises(DocumentError, match=r"genesis\.json: no JSON at line 2, column 2: Expecting value"):
        read_genesis(file)


def test_more_validators_than_can_decide_are_refused(tmp_path: Path) -> None:
    """Their votes and commits would be beyond the bounds of peers' messages."""
    file = tmp_path / "genesis.json"
    file.write_bytes(encode_genesis(replace(GENESIS, validators=GENESIS.validators[:1] * (VALIDATORS_MAX + 1))))
    with pytest.raises(DocumentError, match=f"{VALIDATORS_MAX + 1} validators, at most {VALIDATORS_MAX} can decide"):
        read_genesis(file)


def test_validators_that_share_what_must_be_their_own_are_refused(tmp_path: Path) -> None:
    """A contribution that was copied shows."""
    first, second = GENESIS.validators
    file = tmp_path / "genesis.json"
    for field in ("name", "endpoint", "operator"):
        twin = replace(second, **{field: getattr(first, field)})
        file.write_bytes(encode_genesis(replace(GENESIS, validators=(first, twin))))
        with pytest.raises(DocumentError, match=f"share the same {field}"):
            read_genesis(file)
    file.write_bytes(encode_genesis(replace(GENESIS, validators=(second, first))))
    with pytest.raises(DocumentError, match="sorted"):
        read_genesis(file)
