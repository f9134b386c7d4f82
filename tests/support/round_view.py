"""A round of four ministries under way, as the services see it."""

from dataclasses import replace

from alatau.consensus.state_machine import Step
from alatau.consensus.view import RoundView
from alatau.rpc.node import NodeStatus, SyncState
from alatau.types.chain_config import ConsensusParameters
from alatau.types.validator import Validator, validator_set

NAMES = ("Finance", "Digital", "Justice", "Health")
VALIDATORS = validator_set(
    Validator(bytes([n]) * 20, 1, bytes(32), "127.0.0.1:1", name) for n, name in enumerate(NAMES, 1)
)
FINANCE, DIGITAL, JUSTICE, HEALTH = (v.address for v in VALIDATORS.validators)
ALL = {FINANCE, DIGITAL, JUSTICE, HEALTH}
TIMING = ConsensusParameters(block_interval_ms=200, heartbeat_ms=10_000)
SYNCED = NodeStatus(
    SyncState.SYNCED, 9, pool_transactions=3, pool_bytes=300, validator_address=FINANCE, since_last_block_ms=100
)
LATE = replace(SYNCED, since_last_block_ms=60_000)
VIEW = RoundView(
    height=10,
    round=0,
    step=Step.PROPOSE,
    proposer=DIGITAL,
    proposal_received=False,
    prevotes={},
    precommits={},
    locked_round=-1,
    validators=VALIDATORS,
    absent=frozenset(),
    failing=frozenset(),
    may_sign=True,
    silence=None,
    silent_until=None,
    clock_offset_ms=None,
    holding=False,
    highest_claim=0,
)
