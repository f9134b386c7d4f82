"""The attacks of the campaign, in the order in which they run. To add one, write it and name it here."""

from typing import Final

from alatau_devnet.attack import calls, http2, peers, processes, sockets, streams, transactions, web, withheld
from alatau_devnet.attack.http2 import at_clients_port
from alatau_devnet.attack.peers import as_validator
from alatau_devnet.attack.scene import Attack, Tolerance

_WAITS_FOR_QUORUM: Final = Tolerance(p95_during_factor=None)
_PROPOSER_ABSENT: Final = Tolerance(consensus_waits_ms=4_000.0)
"""Every fourth round waits for its proposer in vain: a second, half a second for votes, a quarter more with each round;
a payment may meet two such. With two thirds of four, nobody else may be late. Clocks that are off by less than a
proposal may be cost nothing, but their validators are restarted one after the other to have them."""
_NO_STREAM_OF_WORK: Final = Tolerance(p95_during_factor=2.0, failed_rounds_max=0)
"""Who may deploy raises others' times to twice the calm's at most, and fails no round."""

ATTACKS: Final = (
    Attack("idle-connections", "1,200 connections to the client port that say nothing", sockets.idle_connections),
    Attack("idle-peers", "1,200 connections to the peers' port that say nothing", sockets.idle_peers),
    Attack("half-open-tls", "1,200 handshakes that stop after the first message", sockets.half_open_tls),
    Attack("slow-http", "64 requests to the metrics port, a byte a second each", sockets.slow_http),
    Attack("web-idle", "1,200 connections to the port for browsers that say nothing", web.idle),
    Attack("web-slow", "512 requests to it, a byte a second each, of heads and bodies", web.slow),
    Attack("web-heads", "heads that are too long, or have no end", web.heads),
    Attack("web-bodies", "bodies of 4 MB without their last byte, and JSON that is dear to read", web.bodies),
    Attack("web-unread", "500 subscriptions and answers of 1 MB over HTTP that nobody takes", web.unread),
    Attack("rapid-reset", "calls that are opened and reset at once", at_clients_port(http2.rapid_reset)),
    Attack(
        "rapid-reset-deaf",
        "the same by a client that never acknowledges settings",
        at_clients_port(http2.rapid_reset_unacknowledged),
    ),
    Attack("gzip-bomb", "requests of 8 KB that expand to 8 MB", at_clients_port(http2.gzip_bomb)),
    Attack("header-garbage", "metadata whose bytes are no UTF-8", at_clients_port(http2.header_garbage)),
    Attack("metadata-flood", "1 MB of metadata a call", at_clients_port(http2.metadata_flood)),
    Attack(
        "metadata-flood-deaf",
        "the same by a client that never acknowledges settings",
        at_clients_port(http2.metadata_flood_unacknowledged),
    ),
    Attack("ping-flood", "PING frames without pause", at_clients_port(http2.ping_flood)),
    Attack("settings-flood", "SETTINGS frames without pause", at_clients_port(http2.settings_flood)),
    Attack("continuation-flood", "header blocks without an end", at_clients_port(http2.continuation_flood)),
    Attack("empty-frames", "DATA frames that hold nothing", at_clients_port(http2.empty_frames)),
    Attack("priority-flood", "PRIORITY frames without pause", at_clients_port(http2.priority_flood)),
    Attack("half-open-calls", "16,000 calls of which only the headers come", at_clients_port(withheld.half_open_calls)),
    Attack(
        "unfinished-requests",
        "4,000 requests of 4 MB without their last byte",
        at_clients_port(withheld.unfinished_requests),
    ),
    Attack("unread-answers", "4,000 answers of 1 MB without a window", at_clients_port(withheld.unread_answers)),
    Attack("byte-by-byte", "answers that are taken a byte at a time", at_clients_port(withheld.byte_by_byte)),
    Attack("health-watches", "16,000 streams of gRPC's own health service", at_clients_port(withheld.health_watches)),
    Attack("looping-calls", "64 calls that burn all their gas, from one client", calls.looping_calls),
    Attack("waiting-calls", "2,048 waiting calls, from four addresses", calls.waiting_calls),
    Attack("slow-streams", "500 subscriptions to whole blocks that nobody reads", streams.slow_streams),
    Attack("idle-streams", "1,000 submit streams on which nothing is sent, from four addresses", streams.idle_streams),
    Attack(
        "invalid-signatures",
        "batches of transactions that nobody signed, from four addresses",
        transactions.invalid_signatures,
    ),
    Attack(
        "heavy-deployer", "30 creations of 16.7 million gas with a tip", transactions.heavy_deployer, _NO_STREAM_OF_WORK
    ),
    Attack(
        "heavy-codes",
        "the same with the slowest code of each opcode and precompile",
        transactions.heavy_codes,
        _NO_STREAM_OF_WORK,
    ),
    Attack(
        "peer-empty-votes",
        "a validator: 1.9 million empty votes a message",
        as_validator(peers.empty_votes),
        _PROPOSER_ABSENT,
        takes_over=True,
    ),
    Attack(
        "peer-votes",
        "a validator: hundreds of votes of far rounds a message",
        as_validator(peers.vote_flood),
        _PROPOSER_ABSENT,
        takes_over=True,
    ),
    Attack(
        "peer-rlp-bomb",
        "a validator: blocks of four million empty items",
        as_validator(peers.rlp_bomb),
        _PROPOSER_ABSENT,
        takes_over=True,
    ),
    Attack(
        "peer-transactions",
        "a validator: badly signed transactions",
        as_validator(peers.bad_transactions),
        _PROPOSER_ABSENT,
        takes_over=True,
    ),
    Attack(
        "peer-random",
        "a validator: bytes that are no messages",
        as_validator(peers.random_bytes),
        _PROPOSER_ABSENT,
        takes_over=True,
    ),
    Attack(
        "heavy-proposer",
        "a validator: its blocks are full of the slowest code",
        processes.heavy_proposer,
        _PROPOSER_ABSENT,
        restarts=True,
    ),
    Attack("stop-one", "one validator stopped (SIGSTOP)", processes.stop_one, _PROPOSER_ABSENT),
    Attack("stop-two", "two validators stopped: no quorum until they go on", processes.stop_two, _WAITS_FOR_QUORUM),
    Attack(
        "clock-ahead", "one validator's clock an hour ahead", processes.clock_ahead, _PROPOSER_ABSENT, restarts=True
    ),
    Attack(
        "clock-behind", "one validator's clock an hour behind", processes.clock_behind, _PROPOSER_ABSENT, restarts=True
    ),
    Attack(
        "two-clocks-ahead",
        "two validators' clocks three seconds ahead",
        processes.two_clocks_ahead,
        _PROPOSER_ABSENT,
        restarts=True,
    ),
)
