"""The client projects under docs/examples/clients: what each needs, and how it is built, tested and run."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CLIENTS: Final = Path("docs/examples/clients")
_PROTOS: Final = "../../../../protos"
_GENERATE: Final = ("buf", "generate", _PROTOS, "--path", f"{_PROTOS}/alatau/api")

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClientProject:
    """A project of its own in one language. Commands run in its folder and read ``$ALATAU_...``."""

    language: str
    folder: Path
    """Where it lies, from the repository's root."""
    tools: tuple[str, ...]
    """Programs that have to be on the path."""
    build: tuple[Command, ...]
    test: Command
    """Runs the vectors and, against the node that the environment names, what was once found wrong."""
    tour: Command
    """Takes ``--node``, ``--ca`` and the other options of every tour."""

    def missing_tools(self, path: str) -> list[str]:
        """Which of its tools are not on a search path."""
        return [tool for tool in self.tools if shutil.which(tool, path=path) is None]


PROJECTS: Final = (
    ClientProject(
        language="go",
        folder=CLIENTS / "go",
        tools=("go",),
        build=(_GENERATE, ("go", "vet", "./..."), ("go", "build", "-o", "pay", ".")),
        test=("go", "test", "-count=1", "./..."),
        tour=("./pay",),
    ),
    ClientProject(
        language="typescript",
        folder=CLIENTS / "typescript",
        tools=("node", "npm"),
        build=(
            ("npm", "ci", "--no-audit", "--no-fund"),
            (sys.executable, "-m", "alatau.artifacts", "--interfaces", "abi"),
            ("npm", "run", "generate"),
            ("npm", "run", "build"),
        ),
        test=("npm", "test"),
        tour=("npm", "run", "--silent", "tour", "--"),
    ),
    ClientProject(
        language="java",
        folder=CLIENTS / "java",
        tools=("java", "mvn"),
        build=(("mvn", "-B", "-ntp", "-q", "package", "-DskipTests"),),
        test=("mvn", "-B", "-ntp", "-q", "surefire:test"),
        tour=("java", "-jar", "target/pay.jar"),
    ),
    ClientProject(
        language="rust",
        folder=CLIENTS / "rust",
        tools=("cargo",),
        build=(
            ("cargo", "build", "--locked", "--release", "--quiet"),
            ("cargo", "build", "--locked", "--release", "--quiet", "--tests", "--examples"),
        ),
        test=("cargo", "test", "--locked", "--release", "--quiet"),
        tour=("target/release/pay",),
    ),
)


def options_of(facts: Mapping[str, str]) -> list[str]:
    """The facts as options of a tour: ``--password-file FILE`` for ``password_file``."""
    return [part for name, value in facts.items() for part in (f"--{name.replace('_', '-')}", value)]


def environment_of(facts: Mapping[str, str]) -> dict[str, str]:
    """The facts as environment variables of the tests: ``ALATAU_PASSWORD_FILE`` for ``password_file``."""
    return {f"ALATAU_{name.upper()}": value for name, value in facts.items()}
