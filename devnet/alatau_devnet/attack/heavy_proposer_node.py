"""A dishonest proposer: ``python -m alatau_devnet.attack.heavy_proposer_node <arguments of alatau>``.

A validator that is right in all but its own blocks: it fills each with creations that are as slow as their gas allows,
signed with a key that may deploy, and heeds neither its clock nor anybody's share of a block. Nobody else has seen the
transactions before. It tells every block that it begins in a line that begins with ``OFFERED``.
"""

import itertools
import sys
from collections.abc import Iterator

from alatau.chain.executed import Tip
from alatau.chain.execution import HEAVY, BlockTemplate, build_block
from alatau.cli.main import run
from alatau.consensus.effects import DoBuildBlock
from alatau.engine.production import Production
from alatau.transport.slices import in_slices
from alatau.types.block import Block
from alatau.types.chain_config import ChainConfig
from alatau.types.transaction import Transaction, sign_transaction
from alatau.types.validator import ValidatorSet
from alatau_devnet import accounts
from alatau_devnet.attack.heavy_code import heavy_init_codes
from alatau_devnet.attack.processes import OFFERED
from alatau_devnet.attack.transactions import CREATION_GAS, heavy_creation

_FEE = 10**11
"""Wei per gas at most; more than any block asks."""
_CODES = itertools.cycle(code for _, code in heavy_init_codes())


async def build(
    self: Production, tip: Tip, validators: ValidatorSet, request: DoBuildBlock, beneficiary: bytes
) -> Block:
    """In the place of ``Production.build``."""
    template = BlockTemplate(request.timestamp, beneficiary, validators, request.last_commit)
    print(
        f"{OFFERED} {tip.header.number + 1}", file=sys.stderr, flush=True
    )  # It may not be done before it is too late.
    work = build_block(tip, self._config, template, _creations(tip, self._config))
    built = await in_slices(work, long_next=lambda step: step is HEAVY)
    self._keep(built.executed)
    return built.executed.block


def _creations(tip: Tip, config: ChainConfig) -> Iterator[tuple[Transaction, bytes]]:
    key = accounts.key_of(accounts.DEVELOPER)
    account = tip.state.account(key.address)
    first = 0 if account is None else account.nonce
    for nonce in range(first, first + config.block_gas_limit // CREATION_GAS):
        unsigned = heavy_creation(config.chain_id, nonce, next(_CODES), _FEE)
        yield sign_transaction(unsigned, key.sign), key.address


if __name__ == "__main__":
    Production.build = build  # type: ignore[method-assign]
    sys.exit(run(sys.argv[1:]))
