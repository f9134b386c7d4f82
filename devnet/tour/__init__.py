"""The tour of a development network: what its contracts do, shown through the clients' API, a line for each result.

Every step is a real transaction of a real actor, sent over gRPC with the SDK; a step that does not do what its line
says raises ``TourError``.
"""

from rich.console import Console

from devnet.network import Devnet
from devnet.tour.channels import show_cooperative_close, show_disputed_close
from devnet.tour.guide import Guide, TourError, open_guide
from devnet.tour.reserve import show_refused_release, show_release, show_reserve_deposit
from devnet.tour.state import show_contracts, show_issue

__all__ = ["Guide", "TourError", "run", "run_tour"]


def run(network: Devnet) -> None:
    """The whole tour, to standard output. Raises ``TourError``."""
    run_tour(network, Console(highlight=False))


def run_tour(network: Devnet, console: Console) -> None:
    """The whole tour of a running network, to ``console``. Raises ``TourError``."""
    with open_guide(network, console) as guide:
        show_contracts(guide)
        show_reserve_deposit(guide)
        show_release(guide)
        show_refused_release(guide)
        show_issue(guide)
        show_cooperative_close(guide)
        show_disputed_close(guide)
