"""The members, the sessions with those that are connected, and who is kept out for now."""

from collections.abc import Iterable
from functools import partial

import structlog
import trio

from alatau.consensus.inputs import InPeerConnected, InPeerDisconnected
from alatau.p2p.bans import Bans
from alatau.p2p.budget import Budget
from alatau.p2p.counters import Counters
from alatau.p2p.member import Member, PeerInfo
from alatau.p2p.methods import Lane
from alatau.p2p.session import Session
from alatau.p2p.settings import Settings
from alatau.transport.certificates import key_hash
from alatau.transport.channel import Channel
from alatau.transport.errors import Code, RpcError
from alatau.wire.session import Hello, PublicKeys, write_session

_LOG = structlog.get_logger("alatau.p2p")

_NOT_TRUSTED = "the registry does not, or no longer, list this TLS key: removed or rotated; ask the council"


class PeerTable:
    """One session for each member at most."""

    def __init__(self, own_key_hash: bytes, settings: Settings, counters: Counters) -> None:
        self._own_key_hash = own_key_hash
        self._settings = settings
        self._counters = counters
        self._members: dict[bytes, Member] = {}
        self._by_key: dict[bytes, Member] = {}
        self._learnt: dict[bytes, bytes] = {}
        """Key hash -> public key of members of which the registry told only the hash."""
        self.sessions: dict[bytes, Session] = {}
        self._bans = Bans(settings.ban_s, settings.ban_max_s, settings.ban_forgotten_s, trio.current_time)
        self._budgets: dict[bytes, Budget] = {}
        """Key hash -> what is left of a member's budget; it outlives sessions, so that a new one renews nothing."""
        self._last_end: dict[bytes, str] = {}
        self._banned_by: dict[bytes, tuple[str, float]] = {}
        """Peer -> why it keeps this node out, and until when, as it says."""
        self._alone_since = trio.current_time()
        self._events: dict[bytes, InPeerConnected | InPeerDisconnected] = {}
        """What the engine has not heard yet, the last event of each peer: bounded by the members."""
        self._event_arrived = trio.Event()
        self._session_opened: dict[bytes, trio.Event] = {}

    def set_members(self, members: Iterable[Member]) -> None:
        """Replace the members (without this node itself); sessions of those who left, or whose key changed, end."""
        self._members = {m.peer_id: m for m in members if m.key_hash != self._own_key_hash}
        self._by_key = {m.key_hash: m for m in self._members.values()}
        for peer_id, session in tuple(self.sessions.items()):
            member = self._members.get(peer_id)
            if member is None or member.key_hash != session.member.key_hash:
                session.end("KEY_NOT_TRUSTED", _NOT_TRUSTED)
        self._learnt = {hash_: key for hash_, key in self._learnt.items() if hash_ in self._by_key}
        self._bans.keep_only(set(self._by_key))
        self._budgets = {hash_: budget for hash_, budget in self._budgets.items() if hash_ in self._by_key}
        for forgotten in (self._last_end, self._session_opened, self._banned_by):
            for peer_id in forgotten.keys() - self._members.keys():
                del forgotten[peer_id]

    def members(self) -> tuple[Member, ...]:
        """All of them, connected or not."""
        return tuple(self._members.values())

    def member(self, peer_id: bytes) -> Member | None:
        """A member by its peer id."""
        return self._members.get(peer_id)

    def member_by_key(self, key_hash: bytes) -> Member | None:
        """A member by the hash of its TLS key."""
        return self._by_key.get(key_hash)

    def learn_key(self, public_key: bytes) -> bool:
        """Note the key of a member that was known by its hash; gives whether it is news."""
        member = self._by_key.get(hash_ := key_hash(public_key))
        if member is None or self.public_key(member) is not None:
            return False
        self._learnt[hash_] = public_key
        return True

    def public_key(self, member: Member) -> bytes | None:
        """A member's key (SubjectPublicKeyInfo, DER), if it is known."""
        return member.public_key or self._learnt.get(member.key_hash)

    def dials_first(self, member: Member) -> bool:
        """Whether, of the two, this node is to open the connection: the one with the smaller key hash."""
        return self._own_key_hash < member.key_hash

    def open_session(self, member: Member, hello: Hello, *, dialed: bool, channel: Channel | None) -> Session:
        """Register a connected peer.

        Two connections at once, when both sides dialled, become one: the one opened by the side that dials
        first. Otherwise the newer one wins, since who opens a second knows the first to be dead.

        Raises:
            RpcError: DUPLICATE_SESSION or PEER_BANNED.
        """
        self.check_ban(member.peer_id)
        self._spend_session(member)
        existing = self.sessions.get(member.peer_id)
        if existing is not None and not existing.ended.is_set():
            ours_first = self.dials_first(member)
            if existing.dialed is ours_first and dialed is not ours_first:
                self._counters.sessions_refused.note("DUPLICATE_SESSION")
                raise RpcError(Code.ALREADY_EXISTS, "there is a session already", reason="DUPLICATE_SESSION")
            existing.end("REPLACED")
        session = Session(
            member,
            hello,
            dialed=dialed,
            channel=channel,
            settings=self._settings,
            budget=self._budget(member),
            ban=partial(self.ban, member.peer_id),
        )
        if existing is not None:
            session.inherit(existing, self._counters)
        self.sessions[member.peer_id] = session
        self._banned_by.pop(member.peer_id, None)
        if keys := tuple(self._learnt.values()):
            session.put(Lane.CONSENSUS, write_session(PublicKeys(keys)).SerializeToString(), self._counters)
        self._counters.sessions_opened += 1
        self._announce(InPeerConnected(member.peer_id))
        if (opened := self._session_opened.pop(member.peer_id, None)) is not None:
            opened.set()
        _LOG.info("peer.connected", peer=member.name, dialed=dialed, height=hello.height)
        return session

    def _spend_session(self, member: Member) -> None:
        """Each costs a millisecond, two lines of log and what consensus tells a new peer: not one after another."""
        if not self._budget(member).sessions.take():
            self.ban(member.peer_id, "SESSION_CHURN")
            self.check_ban(member.peer_id)

    def close_session(self, session: Session) -> None:
        """Forget an ended session, unless another has taken its place."""
        assert session.ended.is_set()
        self._counters.sessions_ended.note(session.reason)
        self._last_end[session.peer_id] = session.reason
        if self.sessions.get(session.peer_id) is session:
            del self.sessions[session.peer_id]
            self._alone_since = trio.current_time()
            self._announce(InPeerDisconnected(session.peer_id))
            _LOG.info(
                "peer.disconnected",
                peer=session.member.name,
                peer_id=session.peer_id.hex(),
                reason=session.reason,
                detail=session.detail,
                by_peer=session.ended_by_peer,
            )
        if session.ended_by_peer and session.reason == "KEY_NOT_TRUSTED":
            _LOG.error("peer.membership_lost", peer=session.member.name, detail=session.detail)

    def note_failure(self, peer_id: bytes, reason: str) -> None:
        """Remember why an attempt to connect failed, for status."""
        if reason == "CERTIFICATE_REFUSED" and self._last_end.get(peer_id) == "KEY_NOT_TRUSTED":
            return  # the same, in fewer words: whoever is no longer trusted is refused before anybody can say why
        self._last_end[peer_id] = reason

    def note_ban_by(self, peer_id: bytes, error: RpcError) -> None:
        """A peer refuses this node because it has banned it."""
        why = error.metadata.get("ban_reason") or error.message
        seconds = error.retry_after_s or self._settings.ban_s
        if self._members.get(peer_id) is None or self.sessions.get(peer_id) is not None:
            return
        if not self.banned_by(peer_id):
            _LOG.error("peer.banned_us", peer=self._members[peer_id].name, why=why, seconds=seconds)
        self._banned_by[peer_id] = why, trio.current_time() + seconds

    def banned_by(self, peer_id: bytes) -> str:
        """Why a peer keeps this node out; empty where it does not."""
        why, until = self._banned_by.get(peer_id, ("", 0.0))
        return why if trio.current_time() < until else ""

    def alone_s(self) -> float:
        """Seconds since the last session ended, or since the start; 0 while there is one."""
        return 0.0 if self.sessions else trio.current_time() - self._alone_since

    async def wait_for_session(self, peer_id: bytes) -> None:
        """Return once there is a session with this peer."""
        if peer_id not in self.sessions:
            await self._session_opened.setdefault(peer_id, trio.Event()).wait()

    def ban(self, peer_id: bytes, reason: str) -> None:
        """Keep a misbehaving peer out for a while, longer each time, and end its session."""
        member = self._members.get(peer_id)
        if member is None or self._bans.left_s(member.key_hash):
            return
        seconds = self._bans.add(member.key_hash, reason)
        self._counters.bans.note(reason)
        _LOG.warning("peer.banned", peer=member.name, peer_id=peer_id.hex(), reason=reason, seconds=seconds)
        if (session := self.sessions.get(peer_id)) is not None:
            session.end(reason, f"kept out for {seconds:.0f} s: no correct node does that")

    def suspect(self, peer_id: bytes, reason: str, count: int) -> None:
        """A peer did so often what a correct one does now and then; beyond its allowance it is banned."""
        member = self._members.get(peer_id)
        if member is None:
            return
        if not self._budget(member).suspicions.take(count):
            self.ban(peer_id, reason)

    def _budget(self, member: Member) -> Budget:
        budget = self._budgets.get(member.key_hash)
        if budget is None:
            budget = self._budgets[member.key_hash] = Budget(self._settings, self._counters)
        return budget

    def ban_left_s(self, peer_id: bytes) -> float:
        """Seconds for which a peer is still kept out; 0 where it is not."""
        member = self._members.get(peer_id)
        return 0.0 if member is None else self._bans.left_s(member.key_hash)

    def check_ban(self, peer_id: bytes) -> None:
        """Raise ``RpcError`` PEER_BANNED, with the ban's reason, for a peer that is kept out."""
        left = self.ban_left_s(peer_id)
        if left > 0:
            self._counters.sessions_refused.note("PEER_BANNED")
            why = self._bans.reason(self._members[peer_id].key_hash)
            raise RpcError(
                Code.RESOURCE_EXHAUSTED,
                f"kept out for another {left:.0f} s: {why}",
                reason="PEER_BANNED",
                metadata={"ban_reason": why},
                retry_after_s=left,
            )

    def infos(self) -> tuple[PeerInfo, ...]:
        """Every member as it stands."""
        return tuple(self._info(member) for member in self._members.values())

    async def next_event(self) -> InPeerConnected | InPeerDisconnected:
        """The next thing to tell the engine; one task asks."""
        while not self._events:
            self._event_arrived = trio.Event()
            await self._event_arrived.wait()
        return self._events.pop(next(iter(self._events)))

    def _announce(self, event: InPeerConnected | InPeerDisconnected) -> None:
        self._events.pop(event.peer, None)
        self._events[event.peer] = event
        self._event_arrived.set()

    def _info(self, member: Member) -> PeerInfo:
        session = self.sessions.get(member.peer_id)
        return PeerInfo(
            member=member,
            connected=session is not None,
            dialed=session is not None and session.dialed,
            height=session.height if session else 0,
            connected_at_ms=session.opened_at_ms if session else 0,
            round_trip_ms=session.round_trip_ms if session else None,
            agent=session.hello.agent if session else "",
            last_end=self._last_end.get(member.peer_id, ""),
            keeps_us_out=self.banned_by(member.peer_id),
        )
