"""Whether who answers is the hub that a wallet belongs to, and what it asks and allows."""

from alatau.client.hub_plans import ANSWER_S, METHODS, HubFacts, read_facts
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.transport.channel import Channel
from alatau.wallet.errors import WalletError
from alatau.wallet.setup import Setup
from alatau.wire.bounds import WireError

_pb = channel_service_pb2


async def ask_terms(channel: Channel) -> HubFacts:
    """Ask a hub. Raises ``RpcError``, and ``WalletError`` for an answer that makes no sense."""
    answer = await channel.unary(METHODS["GetHub"], _pb.GetHubRequest(), timeout_s=ANSWER_S)
    try:
        return read_facts(answer)
    except (WireError, ValueError) as error:
        raise WalletError(f"the hub's answer makes no sense: {error}") from error


def check_terms(setup: Setup, terms: HubFacts) -> HubFacts:
    """Raises ``WalletError`` where another hub, or a hub of another chain, answers at the endpoint."""
    if terms.address != setup.hub:
        raise WalletError(
            f"at {setup.hub_endpoint} the hub 0x{terms.address.hex()} answers; this wallet's channel is with"
            f" 0x{setup.hub.hex()}. Ask your hub for its endpoint (hub.endpoint in wallet.toml)"
        )
    theirs, mine = terms.domain, setup.domain
    if (theirs.chain_id, theirs.contract) != (mine.chain_id, mine.contract):
        raise WalletError(
            f"the hub serves the contract 0x{theirs.contract.hex()} of chain {theirs.chain_id}; this wallet signs for"
            f" 0x{mine.contract.hex()} of chain {mine.chain_id}"
        )
    return terms
