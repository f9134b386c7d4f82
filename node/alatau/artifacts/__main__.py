"""``python -m alatau.artifacts [FOLDER]``: compile every contract, by default into the package, for the wheel.

``python -m alatau.artifacts --interfaces FOLDER`` writes what clients need of them: ABIs, addresses, storage layouts.
"""

import sys
from pathlib import Path

from alatau.artifacts.artifact import SOURCES, write_compiled, write_interfaces


def main() -> None:
    """Compile all contracts into the folder named, or into the package; or write their interfaces."""
    if sys.argv[1:2] == ["--interfaces"] and len(sys.argv) == 3:
        write_interfaces(Path(sys.argv[2]))
        return
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "compiled"
    write_compiled(tuple(SOURCES), folder)


if __name__ == "__main__":
    main()
