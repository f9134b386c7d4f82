"""``python -m alatau.artifacts [FOLDER]``: compile every contract, by default into the package, for the wheel."""

import sys
from pathlib import Path

from alatau.artifacts.artifact import SOURCES, write_compiled


def main() -> None:
    """Compile all contracts into the folder named, or into the package."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "compiled"
    write_compiled(tuple(SOURCES), folder)


if __name__ == "__main__":
    main()
