"""The methods by name, with the role that each needs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alatau.jsonrpc.asked import Asked
from alatau.jsonrpc.calls import CallMethods
from alatau.jsonrpc.chain_methods import ChainMethods
from alatau.jsonrpc.fees import FeeMethods
from alatau.jsonrpc.filter_methods import FilterMethods
from alatau.jsonrpc.log_methods import LogMethods
from alatau.jsonrpc.network_methods import NetworkMethods
from alatau.jsonrpc.own_methods import OwnMethods
from alatau.jsonrpc.pool_methods import PoolMethods
from alatau.jsonrpc.state_methods import StateMethods
from alatau.jsonrpc.submit import SubmitMethods
from alatau.jsonrpc.trace_methods import TraceMethods
from alatau.rpc.access import Role
from alatau.rpc.services import Parts

Handler = Callable[[Asked], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method that a caller with the role may call."""

    handler: Handler
    role: Role = Role.READER


def methods_of(parts: Parts) -> Mapping[str, Method]:
    """Everything that is served; what is not here answers METHOD_NOT_FOUND."""
    calls, chain, fees = CallMethods(parts), ChainMethods(parts), FeeMethods(parts)
    network, state, submit = NetworkMethods(parts), StateMethods(parts), SubmitMethods(parts)
    logs, pool, own, traces = (
        LogMethods(parts),
        PoolMethods(parts),
        OwnMethods(parts),
        TraceMethods(parts, chain, calls),
    )
    filters = FilterMethods(parts, logs)
    handlers: dict[str, Handler] = {
        "alatau_getCommit": own.commit,
        "alatau_getConsensusState": own.consensus,
        "alatau_getPermission": own.permission,
        "alatau_getValidators": own.validators,
        "debug_getRawBlock": traces.raw_block,
        "debug_getRawHeader": traces.raw_header,
        "debug_getRawReceipts": traces.raw_receipts,
        "debug_getRawTransaction": traces.raw_transaction,
        "debug_traceBlockByHash": traces.trace_block_by_hash,
        "debug_traceBlockByNumber": traces.trace_block_by_number,
        "debug_traceCall": traces.trace_call,
        "debug_traceTransaction": traces.trace_transaction,
        "eth_accounts": network.accounts,
        "eth_blobBaseFee": fees.blob_base_fee,
        "eth_blockNumber": chain.block_number,
        "eth_call": calls.call,
        "eth_chainId": network.chain_id,
        "eth_coinbase": network.coinbase,
        "eth_createAccessList": calls.create_access_list,
        "eth_estimateGas": calls.estimate_gas,
        "eth_feeHistory": fees.fee_history,
        "eth_gasPrice": fees.gas_price,
        "eth_getBalance": state.balance,
        "eth_getBlockByHash": chain.block_by_hash,
        "eth_getBlockByNumber": chain.block_by_number,
        "eth_getBlockReceipts": chain.block_receipts,
        "eth_getBlockTransactionCountByHash": chain.transaction_count_by_hash,
        "eth_getBlockTransactionCountByNumber": chain.transaction_count_by_number,
        "eth_getCode": state.code,
        "eth_getFilterChanges": filters.changes,
        "eth_getFilterLogs": filters.logs,
        "eth_getLogs": logs.get_logs,
        "eth_getProof": state.proof,
        "eth_getRawTransactionByBlockHashAndIndex": chain.raw_transaction_by_hash_and_index,
        "eth_getRawTransactionByBlockNumberAndIndex": chain.raw_transaction_by_number_and_index,
        "eth_getRawTransactionByHash": chain.raw_transaction_by_hash,
        "eth_getStorageAt": state.storage_at,
        "eth_getTransactionByBlockHashAndIndex": chain.transaction_by_hash_and_index,
        "eth_getTransactionByBlockNumberAndIndex": chain.transaction_by_number_and_index,
        "eth_getTransactionByHash": chain.transaction_by_hash,
        "eth_getTransactionCount": state.transaction_count,
        "eth_getTransactionReceipt": chain.transaction_receipt,
        "eth_getUncleByBlockHashAndIndex": chain.no_uncle,
        "eth_getUncleByBlockNumberAndIndex": chain.no_uncle,
        "eth_getUncleCountByBlockHash": chain.uncle_count_by_hash,
        "eth_getUncleCountByBlockNumber": chain.uncle_count_by_number,
        "eth_hashrate": network.hash_rate,
        "eth_maxPriorityFeePerGas": fees.max_priority_fee,
        "eth_mining": network.mining,
        "eth_newBlockFilter": filters.new_block_filter,
        "eth_newFilter": filters.new_filter,
        "eth_newPendingTransactionFilter": filters.new_pending_filter,
        "eth_syncing": network.syncing,
        "eth_uninstallFilter": filters.uninstall,
        "net_listening": network.net_listening,
        "net_peerCount": network.peer_count,
        "net_version": network.net_version,
        "txpool_content": pool.content,
        "txpool_contentFrom": pool.content_from,
        "txpool_inspect": pool.inspect,
        "txpool_status": pool.status,
        "web3_clientVersion": network.client_version,
        "web3_sha3": network.sha3,
    }
    found = {name: Method(handler) for name, handler in handlers.items()}
    found["eth_sendRawTransaction"] = Method(submit.send_raw_transaction, Role.SUBMITTER)
    return found
