"""Write what is measured of the contracts into the documentation: ``make roles``."""

from tests.contracts.roles.events import PAGE as EVENTS
from tests.contracts.roles.events import page as page_of_events
from tests.contracts.roles.events import said
from tests.contracts.roles.matrix import CONTRACTS, measured
from tests.contracts.roles.matrix import PAGE as ROLES
from tests.contracts.roles.matrix import page as page_of_roles
from tests.contracts.world import build_world


def main() -> None:
    """Both pages."""
    world = build_world()
    ROLES.write_text(page_of_roles({name: measured(world, name) for name in CONTRACTS}))
    EVENTS.write_text(page_of_events({name: said(world, name) for name in CONTRACTS}))


if __name__ == "__main__":
    main()
