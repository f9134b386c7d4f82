"""Who may be a peer, and what is known of those who are."""

from dataclasses import dataclass

from alatau.transport.certificates import key_hash


@dataclass(frozen=True, slots=True)
class Member:
    """A node that the genesis file or the registry admits: a validator or an observer."""

    key_hash: bytes
    """32 bytes: sha256 of the SubjectPublicKeyInfo (DER) of its TLS key; who it is."""
    public_key: bytes | None
    """That SubjectPublicKeyInfo, where it is known; the registry keeps only the hash."""
    validator: bytes | None
    """20 bytes: address of its voting key; None for an observer."""
    endpoint: str
    """``host:port`` to dial; empty for a node that only dials others."""
    name: str
    """For people."""

    @property
    def peer_id(self) -> bytes:
        """The validator's address, or an observer's key hash."""
        return self.validator or self.key_hash


def member(public_key: bytes, endpoint: str = "", *, validator: bytes | None = None, name: str = "") -> Member:
    """A member known by its public key (SubjectPublicKeyInfo, DER)."""
    return Member(key_hash(public_key), public_key, validator, endpoint, name)


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """What a node knows of a member, for status and metrics."""

    member: Member
    connected: bool
    dialed: bool
    """Whether this node opened the connection."""
    height: int
    """Last committed height that it claims; 0 while not connected."""
    connected_at_ms: int
    """When the session began, milliseconds since 1970; 0 while not connected."""
    round_trip_ms: float | None
    """Of the last ping."""
    agent: str
    """Its software, as it says."""
    last_end: str
    """Reason for which the last session or attempt ended; empty where there was none."""
    keeps_us_out: str = ""
    """Why it has banned this node, as it says: what the node was seen to do; empty where it has not."""
