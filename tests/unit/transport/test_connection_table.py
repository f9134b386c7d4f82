"""Who is let in, who is not, and who gives way."""

import pytest

from alatau.transport.connection_table import ConnectionRefusedByLimitError, ConnectionTable, Entry, source_of
from alatau.transport.limits import Limits


def table(total: int = 8, per_address: int = 6, *, protect: bool = False, burst: float = 1e9) -> ConnectionTable:
    """A table with room for so many."""
    limits = Limits(connections_per_address_max=per_address, connections_per_s=1.0, connections_burst=burst)
    return ConnectionTable(limits, total, protect_established=protect)


def fill(connections: ConnectionTable, address: str, count: int, *, established: bool = False) -> list[Entry]:
    """Open ``count`` connections from an address."""
    entries = [connections.admit(address)[0] for _ in range(count)]
    for entry in entries:
        entry.established = established
    return entries


def test_an_address_has_its_share_and_no_more() -> None:
    """Another one is not concerned; a connection that ends makes room."""
    connections = table()
    first = fill(connections, "192.0.2.1", 6)[0]
    with pytest.raises(ConnectionRefusedByLimitError, match="CONNECTIONS_PER_ADDRESS"):
        connections.admit("192.0.2.1")
    fill(connections, "192.0.2.2", 1)
    connections.remove(first)
    fill(connections, "192.0.2.1", 1)
    assert len(connections) == 7
    assert connections.refused == {"CONNECTIONS_PER_ADDRESS": 1}


def test_one_that_has_made_no_call_gives_way_first() -> None:
    """The oldest such of the address that has most of them, whoever has most connections altogether."""
    connections = table(total=8)
    fill(connections, "192.0.2.1", 4, established=True)
    fill(connections, "192.0.2.2", 1)
    silent = fill(connections, "192.0.2.3", 3)
    _, leaving = connections.admit("192.0.2.4")
    assert leaving is silent[0]
    assert len(connections) == 8
    assert connections.refused == {"CONNECTION_DISPLACED": 1}


def test_two_addresses_cannot_lock_out_a_third() -> None:
    """However many they hold, and although all of theirs are in use: the one with most gives up its oldest."""
    connections = table(total=8)
    greedy = fill(connections, "192.0.2.1", 5, established=True)
    fill(connections, "192.0.2.2", 3, established=True)
    entry, leaving = connections.admit("192.0.2.3")
    assert leaving is greedy[0]
    entry.established = True
    with pytest.raises(ConnectionRefusedByLimitError, match="CONNECTIONS_TOTAL"):
        connections.admit("192.0.2.2")  # it has three, none has more than four


def test_where_peers_have_certificates_strangers_displace_none_of_them() -> None:
    """Only connections that never made a call give way there."""
    connections = table(total=4, protect=True)
    fill(connections, "192.0.2.1", 3, established=True)
    (silent,) = fill(connections, "192.0.2.2", 1)
    assert connections.admit("192.0.2.3")[1] is silent
    newest = next(iter(connections._entries["192.0.2.3"]))
    newest.established = True
    with pytest.raises(ConnectionRefusedByLimitError, match="CONNECTIONS_TOTAL"):
        connections.admit("192.0.2.4")


def test_new_connections_of_an_address_have_a_rate() -> None:
    """Closing and opening again is work too; another address goes on."""
    connections = table(burst=3)
    for _ in range(3):
        connections.remove(connections.admit("192.0.2.1")[0])
    with pytest.raises(ConnectionRefusedByLimitError, match="CONNECTION_RATE"):
        connections.admit("192.0.2.1")
    connections.admit("192.0.2.2")


def test_removing_twice_counts_once() -> None:
    """A displaced connection is closed later by its server, which tells the table again."""
    connections = table()
    (entry,) = fill(connections, "192.0.2.1", 1)
    connections.remove(entry)
    connections.remove(entry)
    assert len(connections) == 0


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str, source: str) -> None:
    """One host can own a /64; an IPv4 address on a listener for both is itself."""
    assert source_of(address) == source
