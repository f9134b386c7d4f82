"""What a watchtower is given and gives, as protobuf and back.

Reading raises ``WireError`` for what no correct sender writes. Whether a voucher, a receipt or a request is good is for
:mod:`alatau.channels.protection` to say.
"""

from dataclasses import dataclass

from alatau.channels.messages import CloseRequest, Domain, channel_id
from alatau.channels.protection import Protection, SignedCloseRequest, TowerReceipt
from alatau.pb.channel.v1 import tower_service_pb2
from alatau.wire.bounds import sized
from alatau.wire.channel import read_parties, read_voucher, signature, write_parties, write_voucher

_pb = tower_service_pb2


@dataclass(frozen=True, slots=True)
class TowerStatus:
    """What a tower says of itself; see ``GetTowerResponse``."""

    address: bytes
    chain_id: int
    contract: bytes
    height: int
    tip_height: int
    channels: int
    closing: int
    contests_due: int
    contests_won: int
    close_requests: int
    canary_contested: int
    """Seconds since 1970; 0 for never."""
    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A tower did not take what it was given."""

    why: str


def write_status(status: TowerStatus) -> _pb.GetTowerResponse:
    """A tower's status."""
    return _pb.GetTowerResponse(
        address=status.address,
        chain_id=status.chain_id,
        contract=status.contract,
        height=status.height,
        tip_height=status.tip_height,
        channels=status.channels,
        closing=status.closing,
        contests_due=status.contests_due,
        contests_won=status.contests_won,
        close_requests=status.close_requests,
        canary_contested=status.canary_contested,
        alarms=status.alarms,
    )


def read_status(message: _pb.GetTowerResponse) -> TowerStatus:
    """A tower's status."""
    return TowerStatus(
        address=sized(message.address, 20, "address"),
        chain_id=message.chain_id,
        contract=sized(message.contract, 20, "contract"),
        height=message.height,
        tip_height=message.tip_height,
        channels=message.channels,
        closing=message.closing,
        contests_due=message.contests_due,
        contests_won=message.contests_won,
        close_requests=message.close_requests,
        canary_contested=message.canary_contested,
        alarms=tuple(message.alarms),
    )


def write_protection(protection: Protection) -> _pb.Protection:
    """A voucher with its receipt."""
    return _pb.Protection(
        parties=write_parties(protection.parties),
        voucher=write_voucher(protection.signed),
        receipt=protection.receipt,
    )


def read_protection(message: _pb.Protection) -> Protection:
    """A voucher with its receipt."""
    return Protection(
        read_parties(message.parties), read_voucher(message.voucher), signature(message.receipt, "receipt")
    )


def write_tower_receipt(channel_id: bytes, payer: bytes, outcome: TowerReceipt | Refusal) -> _pb.TowerReceipt:
    """What became of a protection."""
    if isinstance(outcome, Refusal):
        return _pb.TowerReceipt(channel_id=channel_id, payer=payer, refusal=outcome.why)
    return _pb.TowerReceipt(
        channel_id=outcome.channel_id, payer=outcome.payer, nonce=outcome.nonce, signature=outcome.signature
    )


def read_tower_receipt(message: _pb.TowerReceipt) -> TowerReceipt | Refusal:
    """What became of a protection."""
    if message.refusal:
        return Refusal(message.refusal)
    return TowerReceipt(
        sized(message.channel_id, 32, "receipt.channel_id"),
        sized(message.payer, 20, "receipt.payer"),
        message.nonce,
        signature(message.signature, "receipt.signature"),
    )


def write_close_request(signed: SignedCloseRequest) -> _pb.CloseRequest:
    """A party's request to close."""
    return _pb.CloseRequest(
        parties=write_parties(signed.parties),
        party=signed.request.party,
        deadline=signed.request.deadline,
        signature=signed.signature,
    )


def read_close_request(domain: Domain, message: _pb.CloseRequest) -> SignedCloseRequest:
    """A party's request to close its channel; the id follows from the parties."""
    parties = read_parties(message.parties)
    request = CloseRequest(channel_id(domain, parties), sized(message.party, 20, "request.party"), message.deadline)
    return SignedCloseRequest(parties, request, signature(message.signature, "request.signature"))


def write_deposit(outcome: int | Refusal) -> _pb.CloseRequestDeposit:
    """What became of a request: the deadline that is held, or why it was refused."""
    if isinstance(outcome, Refusal):
        return _pb.CloseRequestDeposit(refusal=outcome.why)
    return _pb.CloseRequestDeposit(deadline=outcome)


def read_deposit(message: _pb.CloseRequestDeposit) -> int | Refusal:
    """What became of a request."""
    return Refusal(message.refusal) if message.refusal else message.deadline
