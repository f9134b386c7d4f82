"""Block 0: balances, the system contracts of EIP-2935 and EIP-4788, and the constructors of the network's own.

Every node computes it from the genesis file and arrives at the same hash, which is the network's identity.
"""

from typing import Final

from alatau.chain.errors import GenesisError
from alatau.chain.executed import ExecutedBlock, Tip
from alatau.chain.execution import block_environment
from alatau.chain.registry_reader import read_validators
from alatau.chain.system import BEACON_ROOTS_ADDRESS, HISTORY_ADDRESS, SYSTEM_ADDRESS
from alatau.chain.validator_registry import RegistryAnswerError
from alatau.evm.environment import TransactionEnvironment
from alatau.evm.message import Message, run_message
from alatau.state.block_state import BlockState, add_balance, begin_transaction, end_transaction, set_code, set_nonce
from alatau.state.diff import BlockDiff, OverlayState
from alatau.trie.state_trie import NoNodes, StateTrie
from alatau.types.account import Account
from alatau.types.block import Block
from alatau.types.genesis import Genesis, genesis_validator_set
from alatau.types.header import (
    EMPTY_OMMERS_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    NONCE,
    ZERO_HASH,
    Header,
)

_BEACON_ROOTS_CODE: Final = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff"
    "810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500"
)
"""Runtime code of the contract of EIP-4788."""

_HISTORY_CODE: Final = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81"
    "430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
)
"""Runtime code of the contract of EIP-2935."""

_CONSTRUCTOR_GAS: Final = 1_000_000_000
"""For each constructor. Genesis is made by the founders, so this only ends a constructor that loops."""


def make_genesis(genesis: Genesis) -> ExecutedBlock:
    """Compute block 0.

    Raises:
        GenesisError: a constructor fails, two things claim one address, or the validator registry does not
            hold the validators that the file names.
    """
    config = genesis.config
    header = _header(genesis, EMPTY_ROOT)
    state = BlockState(_Nothing())
    begin_transaction(state)
    for address, balance in genesis.alloc.items():
        add_balance(state, address, balance)
    for address, code in ((BEACON_ROOTS_ADDRESS, _BEACON_ROOTS_CODE), (HISTORY_ADDRESS, _HISTORY_CODE)):
        add_balance(state, address, 0)
        set_nonce(state, address, 1)
        set_code(state, address, code)
    environment = block_environment(config, header, lambda _: ZERO_HASH)
    for contract in genesis.contracts:
        begin_transaction(state)
        add_balance(state, SYSTEM_ADDRESS, contract.value)
        message = Message(
            caller=SYSTEM_ADDRESS,
            address=contract.address,
            code=contract.initcode,
            creates=True,
            value=contract.value,
            data=b"",
            gas=_CONSTRUCTOR_GAS,
        )
        outcome = run_message(state, environment, TransactionEnvironment(SYSTEM_ADDRESS, 0), message)
        if not outcome.succeeded:
            why = f"reverts with 0x{outcome.output.hex()}" if outcome.reverted else "fails, or its address is taken"
            raise GenesisError(f"the constructor of {contract.name} at 0x{contract.address.hex()} {why}")
        end_transaction(state)
    diff = state.diff()
    applied = StateTrie.open(EMPTY_ROOT, NoNodes()).apply(diff.accounts, diff.storage)
    block = Block(_header(genesis, applied.root), (), None)
    final = BlockDiff(applied.accounts, diff.storage, diff.codes)
    made = ExecutedBlock(block, (), (), final, applied)
    _check_registry(genesis, made)
    return made


def _header(genesis: Genesis, state_root: bytes) -> Header:
    config = genesis.config
    return Header(
        parent_hash=ZERO_HASH,
        ommers_hash=EMPTY_OMMERS_HASH,
        beneficiary=bytes(20),
        state_root=state_root,
        transactions_root=EMPTY_ROOT,
        receipts_root=EMPTY_ROOT,
        logs_bloom=bytes(256),
        difficulty=0,
        number=0,
        gas_limit=config.block_gas_limit,
        gas_used=0,
        timestamp=genesis.timestamp,
        extra_data=genesis_validator_set(genesis).hash,
        mix_hash=ZERO_HASH,
        nonce=NONCE,
        base_fee_per_gas=config.base_fee_per_gas,
        withdrawals_root=EMPTY_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=ZERO_HASH,
        requests_hash=EMPTY_REQUESTS_HASH,
    )


def _check_registry(genesis: Genesis, made: ExecutedBlock) -> None:
    """The registry decides from block 1 on: it must name the founders, or no commit could be checked."""
    if genesis.config.system.validator_registry is None:
        return
    state = OverlayState(_Nothing(), made.diff)
    tip = Tip(made.block.header, made.block.hash, state, made.trie.trie, lambda _: ZERO_HASH)
    try:
        registered = read_validators(tip, genesis.config)
    except RegistryAnswerError as error:
        raise GenesisError(str(error)) from error
    if registered != genesis_validator_set(genesis):
        raise GenesisError("the validator registry's constructor was not given the validators of the genesis file")


class _Nothing:
    """The state before genesis."""

    def account(self, address: bytes) -> Account | None:  # noqa: ARG002  there is none
        return None

    def storage(self, address: bytes, slot: int) -> int:  # noqa: ARG002  there is none
        return 0

    def code(self, code_hash: bytes) -> bytes:
        raise KeyError(code_hash)
