"""``python -m alatau_devnet.client_pages``: write the client projects' own lines into their pages.

A page names what stands below, ``<!-- from: go/pay.go pay -->``: a part of a file between ``// snippet: pay`` and
``// end``, or the whole file where no part is named. So a page cannot show what is not compiled and run.
"""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alatau_devnet.client_projects import CLIENTS

PAGES: Final = Path("docs/clients")
_OTHERS: Final = (Path("docs/operators/certificates.md"),)
"""Pages elsewhere that show parts of the projects beside code of their own."""
_SHOWN: Final = re.compile(r"(<!-- from: (\S+)(?: (\S+))? -->\n```\w*\n).*?(^```$)", re.MULTILINE | re.DOTALL)


def source_of(root: Path, file: str, part: str | None) -> str:
    """The text of a file, or of a part of it. Raises ``LookupError`` where the file has no such part."""
    text = (root / CLIENTS / file).read_text()
    if part is None:
        return text
    found = re.search(rf"^[ \t]*// snippet: {part}\n(.*?)^[ \t]*// end$", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(f"{file} has no part {part}")
    return textwrap.dedent(found[1]).strip("\n") + "\n"


def shown(page: str) -> list[tuple[str, str | None]]:
    """The files and parts that a page shows."""
    return [(file, part or None) for _, file, part, _ in _SHOWN.findall(page)]


def filled(root: Path, page: str) -> str:
    """The page with each part as the source has it now."""
    return _SHOWN.sub(lambda found: found[1] + source_of(root, found[2], found[3]) + found[4], page)


def pages(root: Path) -> Iterator[Path]:
    """The pages that show parts of the projects."""
    yield from sorted((root / PAGES).glob("*.md"))
    yield from (root / other for other in _OTHERS)


def main() -> None:
    """Write the pages anew."""
    for page in pages(Path()):
        page.write_text(filled(Path(), page.read_text()))


if __name__ == "__main__":
    main()
