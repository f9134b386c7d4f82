"""Where the published test vectors are, and how to read them.

They are data of others, shared beside the repository in ``../shared/conformance``; ``ALATAU_CONFORMANCE`` names
another folder. A missing folder fails the tests that need it: an unread vector is not a passed one.
"""

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("ALATAU_CONFORMANCE") or Path(__file__).parents[3] / "shared" / "conformance")


def archive(name: str) -> Path:
    """The path of ``name.tar.xz``, which must exist."""
    path = FOLDER / f"{name}.tar.xz"
    assert path.exists(), (
        f"the published vectors {path} are missing: put shared/conformance beside the repository, "
        "or name its folder in ALATAU_CONFORMANCE"
    )
    return path


def documents(name: str, folder: str) -> Iterator[tuple[str, Any]]:
    """(path inside the archive, parsed JSON) of each file under ``folder``, in the archive's order."""
    found = False
    with tarfile.open(archive(name)) as tar:
        for member in tar:
            if member.isfile() and member.name.startswith(folder) and member.name.endswith(".json"):
                content = tar.extractfile(member)
                assert content is not None
                found = True
                yield member.name, json.load(content)
    assert found, f"{name}.tar.xz holds nothing under {folder}"
