"""The genesis file: JSON that every node of a network holds, byte for byte the same.

Integers that may exceed 2**53 are decimal strings; addresses, hashes and code are ``0x`` hexadecimal. Reading is
strict: what a node does not understand it refuses, because two nodes that differ here never agree on a block.
"""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from alatau.app.json_field import DocumentError, JsonField, canonical_json, pretty_json, read_document
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import address_of_public_key
from alatau.transport.certificates import key_hash
from alatau.types.chain_config import ChainConfig, ConsensusParameters, Fork, SystemContracts
from alatau.types.endpoint import EndpointError, parse_endpoint
from alatau.types.genesis import Genesis, GenesisContract, GenesisValidator
from alatau.types.validator import VALIDATORS_MAX

FORMAT: Final = "alatau-genesis/1"
_FILE_SIZE_MAX: Final = 32 * 1024 * 1024
"""Bytes: thousands of accounts and every contract fit; a wrong file given by mistake is refused early."""
_WEI_MAX: Final = 2**256 - 1
_POWER_MAX: Final = 2**32 - 1
"""Sums of powers, times three, stay far below 2**64 in clients of any language."""
_NAME_LENGTH_MAX: Final = 64
_DURATION_MAX: Final = 86_400_000
"""Milliseconds: no timing rule is longer than a day."""


def read_genesis(path: Path) -> Genesis:
    """Read and check a genesis file; raises ``DocumentError`` naming the place, and ``OSError``."""
    return genesis_from_json(read_document(path, _FILE_SIZE_MAX))


def encode_genesis(genesis: Genesis) -> bytes:
    """The bytes of a genesis file: the same for the same genesis on every machine."""
    return pretty_json(genesis_to_json(genesis))


def genesis_file_hash(genesis: Genesis) -> bytes:
    """keccak256 of the canonical JSON, for people to compare over the telephone; no block hash."""
    return keccak256(canonical_json(genesis_to_json(genesis)))


def genesis_to_json(genesis: Genesis) -> dict[str, Any]:
    """The document of ``genesis``."""
    return {
        "format": FORMAT,
        "config": config_to_json(genesis.config),
        "timestamp": genesis.timestamp,
        "alloc": alloc_to_json(genesis.alloc),
        "validators": [validator_to_json(v) for v in genesis.validators],
        "contracts": [_contract_to_json(c) for c in genesis.contracts],
    }


def genesis_from_json(document: JsonField) -> Genesis:
    """Read a document; raises ``DocumentError``."""
    f = document.members(("format", "config", "timestamp", "alloc", "validators", "contracts"))
    if f["format"].value != FORMAT:
        raise f["format"].wrong(repr(FORMAT))
    return Genesis(
        config=config_from_json(f["config"]),
        timestamp=f["timestamp"].integer(),
        alloc=alloc_from_json(f["alloc"]),
        validators=_validators_from_json(f["validators"]),
        contracts=_contracts_from_json(f["contracts"]),
    )


def config_to_json(config: ChainConfig) -> dict[str, Any]:
    """The document of the chain's rules."""
    return {
        "chain_id": config.chain_id,
        "name": config.name,
        "block_gas_limit": config.block_gas_limit,
        "block_size_bytes_max": config.block_size_bytes_max,
        "base_fee_per_gas": str(config.base_fee_per_gas),
        "forks": [{"height": height, "rules": fork.value} for height, fork in config.forks],
        "system": {
            field.name: None if (address := getattr(config.system, field.name)) is None else _hex(address)
            for field in fields(SystemContracts)
        },
        "consensus": asdict(config.consensus),
    }


def config_from_json(document: JsonField) -> ChainConfig:
    """Read the chain's rules; raises ``DocumentError``."""
    f = document.members(field.name for field in fields(ChainConfig))
    system = f["system"].members(field.name for field in fields(SystemContracts))
    consensus = f["consensus"].members(field.name for field in fields(ConsensusParameters))
    return ChainConfig(
        chain_id=f["chain_id"].integer(1, 2**53 - 1),
        name=_name(f["name"]),
        block_gas_limit=f["block_gas_limit"].integer(5_000, 2**63 - 1),
        block_size_bytes_max=f["block_size_bytes_max"].integer(64 * 1024, 64 * 1024 * 1024),
        base_fee_per_gas=f["base_fee_per_gas"].integer(0, _WEI_MAX),
        forks=_forks(f["forks"]),
        system=SystemContracts(
            **{name: None if value.value is None else value.hex(20) for name, value in system.items()}
        ),
        consensus=ConsensusParameters(**{name: v.integer(1, _DURATION_MAX) for name, v in consensus.items()}),
    )


def alloc_to_json(alloc: dict[bytes, int]) -> dict[str, str]:
    """The document of the first balances, sorted by address."""
    return {_hex(address): str(alloc[address]) for address in sorted(alloc)}


def alloc_from_json(document: JsonField) -> dict[bytes, int]:
    """Read the first balances; raises ``DocumentError``."""
    return {
        JsonField(name, f"{document.where}: a name").hex(20): balance.integer(0, _WEI_MAX)
        for name, balance in document.entries().items()
    }


def validator_to_json(validator: GenesisValidator) -> dict[str, Any]:
    """The document of a founding validator."""
    return {
        "name": validator.name,
        "operator": _hex(validator.operator),
        "voting_public_key": _hex(validator.voting_public_key),
        "voting_address": _hex(validator.voting_address),
        "tls_public_key": _hex(validator.tls_public_key),
        "tls_key_hash": _hex(validator.tls_key_hash),
        "endpoint": validator.endpoint,
        "power": validator.power,
    }


def validator_from_json(document: JsonField) -> GenesisValidator:
    """Read a founding validator; raises ``DocumentError`` also where an address does not follow from its key."""
    f = document.members(field.name for field in fields(GenesisValidator))
    try:
        parse_endpoint(f["endpoint"].text())
    except EndpointError as error:
        raise f["endpoint"].wrong(str(error)) from error
    validator = GenesisValidator(
        name=_name(f["name"]),
        operator=f["operator"].hex(20),
        voting_public_key=f["voting_public_key"].hex(64),
        voting_address=f["voting_address"].hex(20),
        tls_public_key=f["tls_public_key"].hex(),
        tls_key_hash=f["tls_key_hash"].hex(32),
        endpoint=f["endpoint"].text(),
        power=f["power"].integer(1, _POWER_MAX),
    )
    if validator.voting_address != (address := address_of_public_key(validator.voting_public_key)):
        raise f["voting_address"].wrong(f"{_hex(address)}, the address of voting_public_key")
    if validator.tls_key_hash != (digest := key_hash(validator.tls_public_key)):
        raise f["tls_key_hash"].wrong(f"{_hex(digest)}, the hash of tls_public_key")
    return validator


def _validators_from_json(document: JsonField) -> tuple[GenesisValidator, ...]:
    validators = tuple(validator_from_json(item) for item in document.items())
    if not validators:
        raise document.wrong("at least one validator")
    if len(validators) > VALIDATORS_MAX:
        raise DocumentError(f"{document.where}: {len(validators)} validators, at most {VALIDATORS_MAX} can decide")
    addresses = [v.voting_address for v in validators]
    if addresses != sorted(set(addresses)):
        raise DocumentError(f"{document.where} must be sorted by voting_address, each once")
    for name in ("operator", "tls_key_hash", "endpoint", "name"):
        values = [getattr(v, name) for v in validators]
        if len(values) != len(set(values)):
            raise DocumentError(f"{document.where}: two validators share the same {name}")
    return validators


def _contract_to_json(contract: GenesisContract) -> dict[str, Any]:
    return {
        "name": contract.name,
        "address": _hex(contract.address),
        "initcode": _hex(contract.initcode),
        "value": str(contract.value),
    }


def _contracts_from_json(document: JsonField) -> tuple[GenesisContract, ...]:
    contracts = []
    for item in document.items():
        f = item.members(("name", "address", "initcode", "value"))
        contracts.append(
            GenesisContract(
                f["name"].text(), f["address"].hex(20), f["initcode"].hex(), f["value"].integer(0, _WEI_MAX)
            )
        )
    if len({c.address for c in contracts}) != len(contracts):
        raise DocumentError(f"{document.where}: two contracts share the same address")
    return tuple(contracts)


def _forks(document: JsonField) -> tuple[tuple[int, Fork], ...]:
    forks = []
    for item in document.items():
        f = item.members(("height", "rules"))
        if f["rules"].value not in list(Fork):
            raise f["rules"].wrong(" or ".join(repr(fork.value) for fork in Fork))
        forks.append((f["height"].integer(), Fork(f["rules"].value)))
    heights = [height for height, _ in forks]
    if not heights or heights[0] != 0 or heights != sorted(set(heights)):
        raise DocumentError(f"{document.where} must begin at height 0 and ascend")
    return tuple(forks)


def _name(document: JsonField) -> str:
    text = document.text()
    if len(text) > _NAME_LENGTH_MAX or not text.isprintable() or text != text.strip():
        raise document.wrong(f"at most {_NAME_LENGTH_MAX} printable characters without spaces around them")
    return text


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
