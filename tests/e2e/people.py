"""People with keys on machines of their own: a folder with a keystore each, a node each, and files passed by hand."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alatau.app.private_file import write_keystore
from alatau.client.keystore import DEVNET_COST
from alatau_devnet import accounts
from alatau_devnet.network import Devnet

_TIMEOUT_S = 180


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a key, who works with the command line alone."""

    name: str
    folder: Path
    home: Path
    """Of the node that he uses: his institution's."""

    @property
    def address(self) -> str:
        """0x and hexadecimal digits."""
        return "0x" + accounts.address_of(self.name).hex()

    @property
    def key(self) -> tuple[object, ...]:
        """Options of a command that signs."""
        return ("--from", self.folder / "key.json", "--password-file", self.folder / "password")

    def file(self, name: str) -> Path:
        """A file of his."""
        return self.folder / name

    def does(self, *arguments: object, signs: bool = True) -> Any:
        """A command that succeeds; gives its JSON."""
        done = self._run(*arguments, signs=signs)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def fails(self, *arguments: object, signs: bool = True) -> str:
        """A command that is refused; gives the reason."""
        done = self._run(*arguments, signs=signs)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr

    def sends(self, contract: str, function: str, *arguments: object) -> Any:
        """A transaction that succeeds."""
        return self.does("tx", "invoke", contract, function, *arguments)

    def reads(self, contract: str, function: str, *arguments: object) -> Any:
        """What a view of a contract says at his node."""
        return self.does("call", contract, function, *arguments, signs=False)["result"]

    def gives(self, name: str, to: "Person") -> None:
        """Hand a copy of a file over."""
        shutil.copy(self.file(name), to.file(f"{self.name}_{name}"))

    def _run(self, *arguments: object, signs: bool) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "alatau.cli", "--home", self.home, *arguments, *(self.key if signs else ())]
        words = [*map(str, command), "--json"]
        return subprocess.run(words, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)


def person(network: Devnet, folder: Path, name: str, node: int) -> Person:
    """An inhabitant of the development network who uses its nth node, with a folder of his own."""
    own = folder / name
    own.mkdir(parents=True)
    (own / "password").write_text("devnet\n")
    write_keystore(own / "key.json", accounts.key_of(name), "devnet", DEVNET_COST)
    return Person(name, own, network.nodes[node].home)
