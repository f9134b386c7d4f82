"""Members, sessions and bans, apart from any connection."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest
import trio

from alatau.consensus.inputs import InPeerConnected, InPeerDisconnected
from alatau.p2p.counters import Counters
from alatau.p2p.member import Member
from alatau.p2p.methods import Lane
from alatau.p2p.session import Session
from alatau.p2p.table import PeerTable
from alatau.transport.errors import RpcError
from alatau.wire.session import PROTOCOL_VERSION, Hello
from tests.support.ministries import QUICK, ministry
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]
HELLO = Hello(PROTOCOL_VERSION, 7773, bytes(32), 9, "test", bytes(32))
ONE, TWO = (ministry(number).member() for number in (1, 2))


def table(*members: Member, own: bytes = b"\x80" + bytes(31)) -> PeerTable:
    """A node's table."""
    made = PeerTable(own, QUICK, Counters())
    made.set_members(members)
    return made


def opened(made: PeerTable, member: Member, *, dialed: bool = False) -> Session:
    """A session with a member."""
    return made.open_session(member, HELLO, dialed=dialed, channel=None)


@pytest.mark.parametrize(("own", "first_dialed"), [(bytes(32), True), (b"\xff" * 32, False)])
def test_of_two_connections_the_one_of_the_side_that_dials_first_stays(
    drive: Drive, own: bytes, *, first_dialed: bool
) -> None:
    """In whichever order they come; both sides compute the same."""

    async def main() -> None:
        made = table(ONE, own=own)
        kept = opened(made, ONE, dialed=first_dialed)
        with pytest.raises(RpcError) as caught:
            opened(made, ONE, dialed=not first_dialed)
        assert caught.value.reason == "DUPLICATE_SESSION"
        assert made.sessions == {ONE.peer_id: kept}
        made = table(ONE, own=own)
        replaced = opened(made, ONE, dialed=not first_dialed)
        kept = opened(made, ONE, dialed=first_dialed)
        assert replaced.reason == "REPLACED"
        made.close_session(replaced)
        assert made.sessions == {ONE.peer_id: kept}

    drive(main)


def test_what_a_replaced_session_had_not_sent_goes_over_the_one_that_replaces_it(drive: Drive) -> None:
    """In its order, with what was on its way."""

    async def main() -> None:
        made = table(ONE, own=bytes(32))
        replaced = opened(made, ONE, dialed=False)
        for number in range(3):
            replaced.put(Lane.TRANSACTIONS, bytes([number]), Counters())
        sent: list[bytes] = []

        async def stuck(data: bytes) -> None:
            sent.append(data)
            await trio.sleep_forever()

        async def working(data: bytes) -> None:
            sent.append(data)

        async def silent() -> AsyncIterator[None]:
            await trio.sleep_forever()
            yield

        async with trio.open_nursery() as nursery:
            nursery.start_soon(replaced.run_lane, Lane.TRANSACTIONS, silent(), stuck, None)
            await eventually(lambda: sent)
            kept = opened(made, ONE, dialed=True)
            assert replaced.reason == "REPLACED"
            nursery.start_soon(kept.run_lane, Lane.TRANSACTIONS, silent(), working, None)
            await eventually(lambda: sent == [b"\x00", b"\x00", b"\x01", b"\x02"])
            kept.end("CLOSED")

    drive(main)


def test_who_opens_session_after_session_is_banned(drive: Drive) -> None:
    """Not who comes back a dozen times at once; for others nothing changes."""

    async def main() -> None:
        made = table(ONE, TWO)
        for _ in range(12):
            opened(made, ONE).end("CONNECTION_LOST")
        assert not made.ban_left_s(ONE.peer_id)
        for _ in range(100):
            if made.ban_left_s(ONE.peer_id):
                break
            with suppress(RpcError):
                opened(made, ONE)
        with pytest.raises(RpcError) as caught:
            opened(made, ONE)
        assert caught.value.metadata["ban_reason"] == "SESSION_CHURN"
        opened(made, TWO)

    drive(main)


def test_the_engine_hears_the_last_of_what_became_of_each_peer(drive: Drive) -> None:
    """Also when it listens late: one event for each peer, so the queue is bounded by the members."""

    async def main() -> None:
        made = table(ONE, TWO)
        for _ in range(5):
            session = opened(made, ONE)
            session.end("CONNECTION_LOST")
            made.close_session(session)
        opened(made, TWO)
        assert await made.next_event() == InPeerDisconnected(ONE.peer_id)
        assert await made.next_event() == InPeerConnected(TWO.peer_id)

    drive(main)


def test_a_ban_ends_by_itself(drive: Drive) -> None:
    """Meanwhile the peer is told for how long."""

    async def main() -> None:
        made = table(ONE)
        session = opened(made, ONE)
        made.ban(ONE.peer_id, "bad_block")
        assert session.reason == "bad_block"
        made.close_session(session)
        with pytest.raises(RpcError) as caught:
            opened(made, ONE)
        assert caught.value.reason == "PEER_BANNED"
        assert caught.value.retry_after_s is not None
        assert 0 < caught.value.retry_after_s <= QUICK.ban_s
        await eventually(lambda: made.ban_left_s(ONE.peer_id) == 0, "the ban is over")
        assert not opened(made, ONE).ended.is_set()

    drive(main)


def test_a_new_connection_does_not_end_a_ban(drive: Drive) -> None:
    """It is of the key: the peer hears why, and for how long; a second ban is longer."""

    async def main() -> None:
        made = table(ONE)
        made.ban(ONE.peer_id, "bad_block")
        for _ in range(3):
            with pytest.raises(RpcError, match="bad_block") as caught:
                opened(made, ONE)
            assert caught.value.metadata["ban_reason"] == "bad_block"
            assert int(caught.value.metadata["retry_in_ms"]) > 0
        await eventually(lambda: made.ban_left_s(ONE.peer_id) == 0, "the ban is over")
        made.close_session(ended(opened(made, ONE)))
        made.ban(ONE.peer_id, "bad_block")
        assert made.ban_left_s(ONE.peer_id) > QUICK.ban_s
        assert made._counters.bans["bad_block"] == 2

    drive(main)


def ended(session: Session) -> Session:
    """A session that is over."""
    session.end("CLOSED")
    return session


def test_what_a_correct_peer_does_now_and_then_is_borne_up_to_an_allowance(drive: Drive) -> None:
    """Which is the key's, and no new connection renews it."""

    async def main() -> None:
        made = PeerTable(bytes(32), replace(QUICK, suspicions_max=10.0, suspicions_per_s=0.001), Counters())
        made.set_members([ONE, TWO])
        for _ in range(2):
            session = opened(made, ONE)
            made.suspect(ONE.peer_id, "strangers", 4)
            assert not session.ended.is_set()
        made.suspect(ONE.peer_id, "strangers", 4)
        assert session.reason == "strangers"
        made.suspect(TWO.peer_id, "strangers", 11)
        assert made.ban_left_s(TWO.peer_id) > 0
        made.suspect(b"nobody", "strangers", 11)

    drive(main)


def test_who_was_removed_keeps_that_as_the_reason(drive: Drive) -> None:
    """Later attempts end in the TLS handshake, where nobody can say why any more."""

    async def main() -> None:
        made = table(ONE)
        session = opened(made, ONE)
        session.end("KEY_NOT_TRUSTED", "removed", by_peer=True)
        made.close_session(session)
        made.note_failure(ONE.peer_id, "CERTIFICATE_REFUSED")
        assert made.infos()[0].last_end == "KEY_NOT_TRUSTED"
        made.note_failure(ONE.peer_id, "UNREACHABLE")
        assert made.infos()[0].last_end == "UNREACHABLE"

    drive(main)


def test_nothing_is_kept_of_who_is_no_member(drive: Drive) -> None:
    """Bans, keys and reasons of those who left are forgotten; strangers leave none."""

    async def main() -> None:
        by_hash = replace(ONE, public_key=None)
        assert ONE.public_key is not None
        made = table(by_hash)
        assert made.learn_key(ONE.public_key)
        made.ban(ONE.peer_id, "bad_block")
        made.ban(TWO.peer_id, "bad_block")
        made.set_members([TWO])
        made.set_members([by_hash])
        assert made.public_key(by_hash) is None
        assert made.ban_left_s(ONE.peer_id) == made.ban_left_s(TWO.peer_id) == 0

    drive(main)


def test_a_node_is_no_peer_of_itself(drive: Drive) -> None:
    """The registry lists it with the others."""

    async def main() -> None:
        made = table(ONE, TWO, own=ONE.key_hash)
        assert made.members() == (TWO,)

    drive(main)
