"""A newcomer's walk: the first section of a language's page, done as it stands, from an empty folder to a payment."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from alatau_devnet.client_pages import PAGES

_SECTION: Final = re.compile(r"^## A first payment.*?(?=^## )", re.MULTILINE | re.DOTALL)
_STEP: Final = re.compile(r"(?:<!-- from: \S*?([\w.-]+) -->\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END: Final = "END-OF-FILE"


def walk_of(root: Path, language: str, node: str, folders: Mapping[str, Path]) -> str | None:
    """The page's first payment as a script for bash: its files written, its commands run; None where it has none.

    ``folders`` are the values of the variables that the page tells its reader to set; ``node`` stands for the page's
    ``localhost:7101``.
    """
    section = _SECTION.search((root / PAGES / f"{language}.md").read_text())
    if section is None:
        return None
    lines = ["set -eux -o pipefail"]
    for file, kind, text in _STEP.findall(section[0]):
        if file:
            lines.append(f"cat > {file} <<'{_END}'\n{text}{_END}")
        elif kind == "sh":
            lines.append(_told(text, node, folders))
    return "\n".join(lines)


def _told(commands: str, node: str, folders: Mapping[str, Path]) -> str:
    for name, folder in folders.items():
        value = shlex.quote(str(folder)).replace("\\", r"\\")
        commands = re.sub(rf"^{name}=.*$", f"{name}={value}", commands, flags=re.MULTILINE)
    return commands.replace("localhost:7101", node)
