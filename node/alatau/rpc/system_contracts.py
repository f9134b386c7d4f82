"""The contracts of genesis as clients see them: where they stand, how they are called, how their storage lies."""

import json
from collections.abc import Iterator

from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.artifacts.artifact import load
from alatau.pb.api.v1 import node_pb2, node_service_pb2
from alatau.state.parent import ParentState
from alatau.types.account import EMPTY_ACCOUNT


def system_contracts(state: ParentState) -> Iterator[node_pb2.SystemContract]:
    """Those that stand where genesis puts them, in the order of their addresses."""
    for name, (_, address) in sorted(GENESIS_CONTRACTS.items(), key=lambda entry: entry[1][1]):
        account = state.account(address)
        if account is not None and account.code_hash != EMPTY_ACCOUNT.code_hash:
            yield node_pb2.SystemContract(name=name, address=address, code_hash=account.code_hash)


def describe_contract(contract: node_pb2.SystemContract, code: bytes) -> node_service_pb2.GetSystemContractResponse:
    """How to call a contract, as this node's software knows it; ``code`` is what stands at its address.

    Vyper appends immutables to the code that it compiles. For a thread: the first call reads a file or, in a working
    copy, compiles.
    """
    artifact = load(GENESIS_CONTRACTS[contract.name][0])
    return node_service_pb2.GetSystemContractResponse(
        contract=contract,
        abi_json=json.dumps(artifact.abi, separators=(",", ":")),
        storage_layout_json=json.dumps(artifact.layout, separators=(",", ":")),
        matches=code.startswith(artifact.runtime),
    )
