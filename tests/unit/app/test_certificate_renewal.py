from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio
import trio.testing

from alatau.app.certificate_renewal import LOOK_S, keep_certificate, take_certificate
from alatau.app.config import NodeConfig
from alatau.app.home import Home
from alatau.app.private_file import write_private
from alatau.app.provision import load_tls_identity, provision_home, renew_certificate
from alatau.transport.certificates import issue_identity, new_key
from alatau.transport.credentials import IdentityHolder

CONFIG = NodeConfig()
NOW = datetime.now(UTC).timestamp()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a fresh certificate."""
    return provision_home(tmp_path / "home", name="Ministry", settings={}, password=None).home


def test_a_fresh_certificate_is_left_alone(home: Home) -> None:
    """Handshakes are only disturbed for a reason."""
    holder = IdentityHolder(load_tls_identity(home))
    take_certificate(home, CONFIG, holder, NOW)
    assert holder.version == 0


def test_one_that_ends_within_a_month_is_renewed_on_the_same_key(home: Home) -> None:
    """In memory and on disk, and only once."""
    before = load_tls_identity(home)
    old = issue_identity(before.key_pem, "Ministry", validity=timedelta(days=29))
    write_private(home.tls_certificate, old.certificate_pem, replace=True)
    holder = IdentityHolder(old)
    take_certificate(home, CONFIG, holder, NOW)
    assert holder.current.key_hash == before.key_hash
    assert holder.current.not_after > old.not_after + timedelta(days=50)
    assert load_tls_identity(home) == holder.current
    take_certificate(home, CONFIG, holder, NOW)
    assert holder.version == 1


def test_one_of_another_key_is_not_taken(home: Home) -> None:
    """That would change who the node is; the one in use stays."""
    holder = IdentityHolder(load_tls_identity(home))
    stranger = issue_identity(new_key(), "Stranger")
    write_private(home.tls_key, stranger.key_pem, replace=True)
    write_private(home.tls_certificate, stranger.certificate_pem, replace=True)
    with pytest.raises(ValueError, match="same key"):
        take_certificate(home, CONFIG, holder, NOW)
    assert holder.version == 0


@pytest.mark.trio
async def test_a_running_node_takes_a_rotated_certificate(home: Home, autojump_clock: trio.testing.MockClock) -> None:
    """Within seconds, also after a time in which the file was unusable."""
    holder = IdentityHolder(load_tls_identity(home))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_certificate, home, CONFIG, holder)
        await trio.sleep(LOOK_S / 2)
        write_private(home.tls_certificate, b"garbage", replace=True)
        await trio.sleep(LOOK_S)
        assert holder.version == 0
        rotated = renew_certificate(home, "Ministry", ["node.example"])
        await trio.sleep(LOOK_S)
        assert holder.current == rotated
        nursery.cancel_scope.cancel()
