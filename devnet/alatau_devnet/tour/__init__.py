"""The tour of a development network: what its contracts do, shown through the clients' API, a line for each result.

Every step is a real transaction of a real actor, sent over gRPC with the SDK; a step that does not do what its line
says raises ``TourError``.
"""

from rich.console import Console

from alatau_devnet.network import Devnet
from alatau_devnet.tour.channels import show_cooperative_close, show_disputed_close
from alatau_devnet.tour.guide import Guide, TourError, open_guide
from alatau_devnet.tour.positions import show_attested_gold
from alatau_devnet.tour.reserve import show_refused_release, show_release, show_reserve_deposit
from alatau_devnet.tour.state import show_contracts, show_issue

__all__ = ["Guide", "TourError", "run", "run_tour"]


def run(network: Devnet) -> None:
    """The whole tour, to standard output. Raises ``TourError``."""
    run_tour(network, Console(highlight=False))


def run_tour(network: Devnet, console: Console) -> None:
    """The whole tour of a running network, to ``console``. Raises ``TourError``."""
    with open_guide(network, console) as guide:
        guide.chapter("Contracts in genesis")
        show_contracts(guide)
        guide.chapter("The reserve: nothing leaves without proposal, two signatures and a delay")
        show_reserve_deposit(guide)
        show_release(guide)
        show_refused_release(guide)
        guide.chapter("What is behind the settlement token, attested by its custodian and an auditor")
        show_attested_gold(guide)
        guide.chapter("Settlement tokens for residents")
        show_issue(guide)
        guide.chapter("A payment channel, closed in agreement")
        show_cooperative_close(guide)
        guide.chapter("A payment channel, closed with an old voucher that is corrected")
        show_disputed_close(guide)
