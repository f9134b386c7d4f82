"""The node's TLS certificate while it runs: taken anew when the operator replaced it, renewed before it ends.

Who the node is hangs on its key alone, so it renews its own certificate and asks nobody (docs/adr/0003).
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
import trio

from alatau.app.home import Home
from alatau.app.provision import load_tls_identity, renew_certificate
from alatau.transport.certificates import CertificateError, is_outdated
from alatau.transport.credentials import IdentityHolder

_LOG = structlog.get_logger(__name__)

LOOK_S: Final = 10.0
"""How soon a replaced certificate is noticed."""
_RENEW_BEFORE_S: Final = 30 * 86_400
"""A third of a certificate's life: a month for people to notice a node that cannot write its home."""


async def keep_certificate(
    home: Home, listens: Sequence[str], holder: IdentityHolder, now: Callable[[], float] = time.time
) -> None:
    """Until cancelled: renew one of an old profile or that ends within a month, take one that changed on disk.

    ``listens`` are the endpoints, host:port, at which the process listens: a renewed one carries their hosts.
    """
    while True:
        try:
            take_certificate(home, listens, holder, now())
        except (CertificateError, OSError, ValueError) as error:
            # The one in use goes on; what is wrong on disk is the operator's to mend, and the metric counts its days.
            _LOG.error("certificate.unusable", error=str(error))
        await trio.sleep(LOOK_S)


def take_certificate(home: Home, listens: Sequence[str], holder: IdentityHolder, now: float) -> None:
    """Look once.

    Raises:
        CertificateError, OSError: the files cannot be used.
        ValueError: they are of another key, which needs a restart.
    """
    current = holder.current
    if current.not_after.timestamp() - now < _RENEW_BEFORE_S or is_outdated(current.certificate_pem):
        holder.renew(renew_certificate(home, listens))
        _LOG.info("certificate.renewed", until=holder.current.not_after.isoformat())
    elif home.tls_certificate.read_bytes() != holder.current.certificate_pem:
        holder.renew(load_tls_identity(home))
        _LOG.info("certificate.taken", until=holder.current.not_after.isoformat())
