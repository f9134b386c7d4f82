"""Write what is measured of the contracts into the documentation: ``make roles``."""

from tests.contracts.roles import events, matrix
from tests.contracts.world import build_world


def main() -> None:
    """Both pages."""
    world = build_world()
    matrix.PAGE.write_text(matrix.page({name: matrix.measured(world, name) for name in matrix.CONTRACTS}))
    events.PAGE.write_text(events.page({name: events.said(world, name) for name in matrix.CONTRACTS}))


if __name__ == "__main__":
    main()
