"""Plans of what hubs and wallets ask a watchtower; :class:`alatau.client.client.Client` and its plain sister run them.

For example::

    async with connect("tower.example:7401", client_tls(ca="tower.pem")) as tower:
        status = await tower.run(tower_plans.status())
        receipts = await tower.run(tower_plans.protect(domain, status.address, [protection]))
"""

from collections.abc import Sequence

from alatau.channels.errors import ForgedMessageError
from alatau.channels.messages import Domain, Parties, channel_id
from alatau.channels.protection import (
    Protection,
    SignedCloseRequest,
    TowerReceipt,
    check_protection,
    is_from_tower,
    recovery_digest,
)
from alatau.client.exchange import Ask, Plan
from alatau.crypto.secp256k1 import Signer
from alatau.pb.channel.v1 import tower_service_pb2
from alatau.transport.service import methods
from alatau.wire.channel import write_parties
from alatau.wire.tower import (
    Refusal,
    TowerStatus,
    read_deposit,
    read_protection,
    read_status,
    read_tower_receipt,
    write_close_request,
    write_protection,
)

_pb = tower_service_pb2
_METHODS = methods(_pb.DESCRIPTOR.services_by_name["TowerService"])


def status() -> Plan[TowerStatus]:
    """Who the tower is, how far it has followed the chain, what would keep it from contesting."""
    response = yield Ask(_METHODS["GetTower"], _pb.GetTowerRequest())
    return read_status(response)


def protect(domain: Domain, tower: bytes, protections: Sequence[Protection]) -> Plan[list[TowerReceipt | Refusal]]:
    """Hand over vouchers, at most 256; the tower's word for each, or why it was refused.

    Raises:
        ForgedMessageError: a receipt is not signed by ``tower`` (20 bytes), or says less than was handed over. Do not
            rely on this tower.
    """
    request = _pb.ProtectRequest(protections=[write_protection(each) for each in protections])
    response = yield Ask(_METHODS["Protect"], request)
    outcomes = [read_tower_receipt(message) for message in response.receipts]
    for offered, outcome in zip(protections, outcomes, strict=True):
        if isinstance(outcome, TowerReceipt) and not _is_word_for(domain, tower, offered, outcome):
            raise ForgedMessageError(f"0x{tower.hex()} has not signed that it protects what was handed over")
    return outcomes


def recover(domain: Domain, parties: Parties, time: int, signer: Signer) -> Plan[list[Protection]]:
    """The newest vouchers of a channel, for the party whose ``signer`` asks; each is checked.

    Raises:
        RpcError: NOT_A_PARTY, or CLOCKS_DIFFER where ``time`` (seconds since 1970) is not the tower's.
        ForgedMessageError, InvalidVoucherError: the tower gave what is not signed. Do not rely on it.
    """
    signature = signer(recovery_digest(domain, channel_id(domain, parties), time))
    request = _pb.GetProtectionRequest(parties=write_parties(parties), time=time, signature=signature)
    response = yield Ask(_METHODS["GetProtection"], request)
    found = [read_protection(message) for message in response.protections]
    for protection in found:
        if protection.parties != parties:
            raise ForgedMessageError("the tower gave a voucher of another channel")
        check_protection(domain, protection)
    return found


def deposit_close_requests(requests: Sequence[SignedCloseRequest]) -> Plan[list[int | Refusal]]:
    """Hand over requests to close, at most 256: the deadline that is held for each, or why it was refused."""
    request = _pb.DepositCloseRequestsRequest(requests=[write_close_request(each) for each in requests])
    response = yield Ask(_METHODS["DepositCloseRequests"], request)
    return [read_deposit(message) for message in response.deposits]


def _is_word_for(domain: Domain, tower: bytes, offered: Protection, receipt: TowerReceipt) -> bool:
    voucher = offered.voucher
    same = (receipt.channel_id, receipt.payer) == (voucher.channel_id, voucher.payer)
    return same and receipt.nonce >= voucher.nonce and is_from_tower(domain, receipt, tower)
