"""A network's genesis and what people did on it, kept in memory, for scenarios to start from."""

from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import encode as abi_encode

from alatau.artifacts.genesis import (
    NO_LIMITS,
    SYSTEM_CONTRACTS,
    CouncilMembers,
    NetworkContracts,
    genesis_contracts,
    hub_word,
    institution_word,
    resident_word,
)
from alatau.chain.executed import ExecutedBlock
from alatau.chain.execution import block_environment
from alatau.chain.genesis import make_genesis
from alatau.crypto.keccak import EMPTY_HASH, keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.evm.environment import BlockEnvironment, TransactionEnvironment
from alatau.evm.message import Message, run_message
from alatau.state.block_state import BlockState, begin_transaction, end_transaction
from alatau.types.chain_config import ChainConfig
from alatau.types.genesis import Genesis, GenesisValidator
from alatau.types.header import ZERO_HASH
from alatau_devnet import accounts
from alatau_devnet.fuzz.peer import MemoryState

RESIDENTS: Final = 400
VALIDATOR: Final = accounts.key_of("validator")
CONFIG: Final = ChainConfig(chain_id=7773, name="bench", system=SYSTEM_CONTRACTS, block_gas_limit=50_000_000)
"""With more gas than networks have by default, so that a block holds 1,000 payments."""

TIMESTAMP: Final = 1_750_000_000
_MILLION_TOKENS: Final = 100_000_000


def resident(number: int) -> PrivateKey:
    """The key of resident ``number``, from 1 to ``RESIDENTS``."""
    return accounts.key_of(accounts.resident(number))


def genesis() -> ExecutedBlock:
    """Block 0 with the real contracts and ``RESIDENTS`` who hold tokens."""
    residents = [resident(n).address for n in range(1, RESIDENTS + 1)]
    hub, issuer = accounts.address_of(accounts.HUB), accounts.address_of(accounts.ISSUER)
    council = CouncilMembers(
        "Fund Council",
        tuple(accounts.address_of(name) for name in accounts.FUND_COUNCIL),
        threshold=2,
        guardian=accounts.address_of(accounts.GUARDIAN),
    )
    network = NetworkContracts(
        validators=(validator(),),
        fund_council=council,
        reserve_council=council,
        delay_s=3,
        participants=dict.fromkeys(residents, resident_word())
        | {hub: hub_word(), issuer: institution_word(deploys=True)},
        tier_caps=(10 * _MILLION_TOKENS, 100 * _MILLION_TOKENS),
        payment_limits=(NO_LIMITS, NO_LIMITS),
        issuers={issuer: 1_000 * _MILLION_TOKENS},
        holdings=dict.fromkeys((*residents, hub), _MILLION_TOKENS),
    )
    people = dict.fromkeys((*residents, hub, issuer), 10**21)
    return make_genesis(Genesis(CONFIG, TIMESTAMP, people, (validator(),), genesis_contracts(network)))


def validator() -> GenesisValidator:
    """The only founder."""
    return GenesisValidator(
        name="Ministry of Measurement",
        operator=accounts.address_of(accounts.ISSUER),
        voting_public_key=VALIDATOR.public_key,
        voting_address=VALIDATOR.address,
        tls_public_key=b"",
        tls_key_hash=keccak256(b"tls"),
        endpoint="localhost:7000",
        power=1,
    )


def memory_state(block: ExecutedBlock) -> MemoryState:
    """The state that genesis left."""
    stored = {address: account for address, account in block.diff.accounts.items() if account is not None}
    return MemoryState(stored, block.diff.storage, {EMPTY_HASH: b"", **block.diff.codes})


def calldata(signature: str, *arguments: Any) -> bytes:
    """The call of ``name(type,...)`` with its arguments."""
    kinds = signature[signature.index("(") + 1 : -1]
    return keccak256(signature.encode())[:4] + abi_encode(_split(kinds), arguments)


def _split(kinds: str) -> list[str]:
    """The types of a signature at its top level: tuples stay whole."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(kinds):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(kinds[start:at])
            start = at + 1
    return [*parts, kinds[start:]] if kinds else []


@dataclass(slots=True)
class World:
    """Genesis with changes. What people do here is kept."""

    state: BlockState
    environment: BlockEnvironment
    parent: MemoryState

    @classmethod
    def at_genesis(cls, block: ExecutedBlock) -> "World":
        """A world in the block after genesis."""
        parent = memory_state(block)
        environment = block_environment(CONFIG, block.block.header, lambda _height: ZERO_HASH)
        return cls(BlockState(parent), environment, parent)

    def send(self, sender: bytes, to: bytes | None, data: bytes) -> bytes:
        """Run a message and keep what it did. It must succeed; gives what it returned."""
        begin_transaction(self.state)
        creates = to is None
        address = keccak256(data)[:20] if to is None else to
        account = self.state.account(address)
        code = data if creates else self.state.code(account.code_hash if account else EMPTY_HASH)
        message = Message(sender, address, code, creates, 0, b"" if creates else data, 30_000_000)
        outcome = run_message(self.state, self.environment, TransactionEnvironment(sender, 0), message)
        assert outcome.succeeded, f"a scenario's preparation fails: {outcome.output!r}"
        end_transaction(self.state)
        return address if creates else outcome.output

    def dump(self) -> dict[str, Any]:
        """All accounts as engines read them: hex, as in state tests."""
        diff = self.state.diff()
        merged = dict(self.parent.accounts) | dict(diff.accounts)
        dumped = {}
        for address, account in merged.items():
            if account is None:
                continue
            slots = {**self.parent.slots.get(address, {}), **diff.storage.get(address, {})}
            dumped["0x" + address.hex()] = {
                "nonce": hex(account.nonce),
                "balance": hex(account.balance),
                "code": "0x" + self.state.code(account.code_hash).hex(),
                "storage": {hex(slot): hex(value) for slot, value in slots.items() if value},
            }
        return dumped
