"""What a hub asks and allows, as it says itself; and whether it is the hub that a wallet belongs to."""

from dataclasses import dataclass

from alatau.channels.forwarding.fees import FeeSchedule, fee_of
from alatau.channels.forwarding.limits import Limits
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.transport.channel import Channel
from alatau.wallet.errors import WalletError
from alatau.wallet.link import METHODS
from alatau.wallet.setup import Setup
from alatau.wire.amount import read_amount
from alatau.wire.bounds import WireError, sized

_pb = channel_service_pb2

_ANSWER_S = 10.0


@dataclass(frozen=True, slots=True)
class HubTerms:
    """A hub."""

    address: bytes
    """20 bytes."""
    chain_id: int
    contract: bytes
    """20 bytes: CityChannels."""
    height: int
    """Up to which it has taken the chain's news."""
    fees: FeeSchedule
    lock_blocks: int
    """How long a payer's lock should live: the middle of what the hub takes."""
    limits: tuple[tuple[int, Limits], ...]
    """By tier."""

    def fee(self, of: int) -> int:
        """What a payment of so many token units costs besides."""
        return fee_of(self.fees, of)


async def ask_terms(channel: Channel) -> HubTerms:
    """Ask a hub. Raises ``RpcError``, and ``WalletError`` for an answer that makes no sense."""
    answer = await channel.unary(METHODS["GetHub"], _pb.GetHubRequest(), timeout_s=_ANSWER_S)
    try:
        return read_terms(answer)
    except (WireError, ValueError) as error:
        raise WalletError(f"the hub's answer makes no sense: {error}") from error


def read_terms(answer: _pb.GetHubResponse) -> HubTerms:
    """A hub's answer as values. Raises ``WireError``, ``ValueError``."""
    return HubTerms(
        sized(answer.address, 20, "address"),
        answer.chain_id,
        sized(answer.contract, 20, "contract"),
        answer.height,
        FeeSchedule(read_amount(answer.fee_base), answer.fee_parts_per_million),
        (answer.lock_blocks_min + answer.lock_blocks_max) // 2,
        tuple(
            (one.tier, Limits(read_amount(one.payment), read_amount(one.day), read_amount(one.month)))
            for one in answer.limits
        ),
    )


def check_terms(setup: Setup, terms: HubTerms) -> HubTerms:
    """Raises ``WalletError`` where another hub, or a hub of another chain, answers at the endpoint."""
    if terms.address != setup.hub:
        raise WalletError(
            f"at {setup.hub_endpoint} the hub 0x{terms.address.hex()} answers; this wallet's channel is with"
            f" 0x{setup.hub.hex()}. Ask your hub for its endpoint (hub.endpoint in wallet.toml)"
        )
    if (terms.chain_id, terms.contract) != (setup.domain.chain_id, setup.domain.contract):
        raise WalletError(
            f"the hub serves the contract 0x{terms.contract.hex()} of chain {terms.chain_id}; this wallet signs for"
            f" 0x{setup.domain.contract.hex()} of chain {setup.domain.chain_id}"
        )
    return terms
