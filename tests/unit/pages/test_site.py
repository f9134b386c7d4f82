"""The files of the pages: what is served, and that what is from npm is what was looked at."""

import json
import re
from hashlib import sha256

from alatau.pages.site import page_files


def test_files_are_served_by_type() -> None:
    """Scripts as scripts; nothing of an unknown kind lies there."""
    files = page_files()
    assert files["/js/messages.js"].content_type.startswith("text/javascript")
    assert all(not path.endswith(".html") for path in files)


def test_vendored_files_are_as_recorded() -> None:
    """Every file has the hash in ``vendor.json``, and there is none besides."""
    files = {path.removeprefix("/vendor/"): file for path, file in page_files().items() if path.startswith("/vendor/")}
    recorded = json.loads(files.pop("vendor.json").data)["files"]
    assert {name: sha256(file.data).hexdigest() for name, file in files.items()} == recorded


def test_scripts_import_by_relative_path_what_is_there() -> None:
    """A browser finds no package by its name."""
    files = page_files()
    wanted = re.compile(r"""^(?:import|export)\b(?:[\w\s{},*$]*?\bfrom\s*)?\s*['"]([^'"]+)['"]""", re.MULTILINE)
    count = 0
    for path, file in files.items():
        if not path.endswith(".js"):
            continue
        for name in wanted.findall(file.data.decode()):
            assert name.startswith("."), f"{path} imports {name}"
            parts = path.split("/")[:-1]
            for part in name.split("/"):
                if part == "..":
                    parts.pop()
                elif part != ".":
                    parts.append(part)
            assert "/".join(parts) in files, f"{path} imports {name}"
            count += 1
    assert count > 20
