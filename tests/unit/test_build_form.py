"""What runs, compiled or pure, is what the sources say."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import grimp
import pytest

from alatau import build_form
from alatau.build_form import PACKAGE, PACKAGES, Form, choose, folder_name, sources
from alatau_devnet import compile_native
from alatau_devnet.compile_native import LEFT_OUT, MODULES, compiled_files

NODE = PACKAGE.parent


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the sources that a build is made from, with the folder for builds beside them."""
    for path in sources():
        copy = tmp_path / path.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return tmp_path


def _built(package: Path, suffix: str = EXTENSION_SUFFIXES[0]) -> Path:
    """A build of these sources as the builder leaves it, of one module."""
    file = package / "native" / folder_name(package) / f"alatau.codec.rlp{suffix}"
    file.parent.mkdir(parents=True)
    file.touch()
    return file


def test_a_build_of_these_sources_runs(package: Path) -> None:
    """By module, all from one folder."""
    file = _built(package)
    assert choose(package / "native", package) == (Form.COMPILED, {"alatau.codec.rlp": file})


@pytest.mark.parametrize("name", ["evm/gas.py", "types/vote.py", "consensus/messages.py"])
def test_an_edited_source_runs_as_it_was_edited(package: Path, name: str) -> None:
    """Whether it is compiled itself or only read by what is: the whole build is passed over, and it says why."""
    _built(package)
    source = package / name
    changed_at = source.stat().st_mtime_ns
    source.write_text(source.read_text() + "\n")
    os.utime(source, ns=(changed_at, changed_at))  # no clock decides
    assert choose(package / "native", package) == (Form.OUTDATED, {})


def test_a_source_that_is_new_or_gone_counts_as_edited(package: Path) -> None:
    """The names of the sources belong to them."""
    _built(package)
    (package / "trie" / "another.py").touch()
    assert choose(package / "native", package)[0] is Form.OUTDATED
    (package / "trie" / "another.py").unlink()
    assert choose(package / "native", package)[0] is Form.COMPILED
    (package / "trie" / "update.py").rename(package / "trie" / "updating.py")
    assert choose(package / "native", package)[0] is Form.OUTDATED


def test_without_a_build_pure_python_runs(package: Path) -> None:
    """Also where only another interpreter's is there, or half of one is being made."""
    assert choose(package / "native", package) == (Form.NOT_BUILT, {})
    _built(package, ".cpython-399-x86_64-linux-gnu.so")
    assert choose(package / "native", package) == (Form.NOT_BUILT, {})


def test_pure_python_can_be_asked_for(package: Path) -> None:
    """Although there is a build."""
    _built(package)
    assert choose(package / "native", package, pure=True) == (Form.ASKED, {})


def _run(program: str, **environment: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True).stdout


def _modules(**environment: str) -> dict[str, str]:
    program = (
        "import json, sys, alatau.app.node as node; from alatau.build_form import FORM;"
        "found = [(name, module) for name, module in list(sys.modules.items()) if name.startswith('alatau')];"
        "files = {name: module.__file__ or '' for name, module in found};"
        "print(json.dumps({'form': FORM.build, **files}))"
    )
    found: dict[str, str] = json.loads(_run(program, **environment))
    return found


def test_a_process_runs_one_form_in_whole() -> None:
    """Every module of the group comes from the build, or none does; and the variable takes it back to sources."""
    names = {str(path.with_suffix("")).replace("/", ".") for path in compiled_files()}
    found = _modules()
    extension = {name for name, file in found.items() if file.endswith(".so")} - {"alatau__mypyc"}
    assert found["form"] == build_form.FORM.build
    assert extension == (names & set(found) if build_form.FORM is Form.COMPILED else set())
    pure = _modules(ALATAU_PURE="1")
    assert pure["form"] == "pure"
    assert {name for name, file in pure.items() if file.endswith(".so")} == set()
    assert len(names & set(pure)) > 40


def test_what_compiled_modules_read_is_in_the_digest() -> None:
    """Their imports lie in the packages that are hashed; generated messages have no constants to be copied."""
    graph = grimp.build_graph("alatau")
    names = [str(path.with_suffix("")).replace("/", ".") for path in compiled_files()]
    read = set(names).union(*(graph.find_upstream_modules(name) for name in names))
    assert {name.split(".")[1] for name in read} - {"pb"} == set(PACKAGES)


def test_every_pattern_names_sources() -> None:
    """A module that is renamed does not drop out of the compiled build unseen."""
    assert {pattern for pattern in (*MODULES, *LEFT_OUT) if not list(PACKAGE.glob(pattern))} == set()


def _trees() -> Iterator[ast.Module]:
    for path in compiled_files():
        yield ast.parse((NODE / path).read_text())


def _bare_attributes(tree: ast.Module) -> list[str]:
    """Classes' attributes with a value that say neither ``ClassVar`` nor belong to a dataclass or an enumeration."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        above = [ast.unparse(base) for base in node.bases]
        if any("Enum" in base or "Flag" in base for base in above):
            continue
        fields = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
        for member in node.body:
            match member:
                case ast.Assign(targets=[ast.Name(id="__slots__" | "__match_args__")]):
                    continue
                case ast.Assign():
                    found.append(f"{node.name}: {ast.unparse(member)}")
                case ast.AnnAssign(value=ast.expr()) if not fields and "ClassVar" not in ast.unparse(member.annotation):
                    found.append(f"{node.name}: {ast.unparse(member)}")
    return found


def test_class_attributes_are_seen_in_both_forms() -> None:
    """What belongs to the class says ``ClassVar``.

    Without, mypyc takes it for an attribute of instances, and those of an exception never get it.
    """
    assert [line for tree in _trees() for line in _bare_attributes(tree)] == []


def test_a_bare_class_attribute_is_found() -> None:
    """As the test above must."""
    source = 'class E(ValueError):\n    reason = "A"\n    code: int = 3\n    fault: ClassVar[str] = "B"\n'
    assert _bare_attributes(ast.parse(source)) == ["E: reason = 'A'", "E: code: int = 3"]


def _generic_dataclasses(tree: ast.Module) -> list[str]:
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any("Generic[" in ast.unparse(base) for base in node.bases)
        and any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]


def test_no_generic_class_is_a_dataclass() -> None:
    """Mypyc compiles it, but it cannot be imported."""
    assert [line for tree in _trees() for line in _generic_dataclasses(tree)] == []
    assert _generic_dataclasses(ast.parse("@dataclass(slots=True)\nclass L(Generic[T]):\n    x: T\n")) == ["L"]


def test_errors_keep_file_line_and_attributes() -> None:
    """A traceback through a compiled module names its source and the line, as one through Python does."""
    program = (
        "import traceback\n"
        "from alatau.types.transaction import TransactionError, decode_transaction\n"
        "try: decode_transaction(b'')\n"
        "except TransactionError as error:\n"
        "    last = traceback.extract_tb(error.__traceback__)[-1]\n"
        "    print(error.reason, last.filename.split('alatau/')[-1], last.name, last.lineno, last.line)"
    )
    as_it_is, pure = _run(program), _run(program, ALATAU_PURE="1")
    assert as_it_is == pure
    assert pure.startswith("TRANSACTION_MALFORMED types/transaction.py")
    assert "raise TransactionError(" in pure


def test_set_up_goes_on_where_nothing_can_be_compiled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what is missing; whoever asks for the compiled build itself is told by the exit status, too."""
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setattr("sys.argv", ["compile_native", "--optional"])
    compile_native.main()
    said = capsys.readouterr().out
    assert said.startswith("not compiled: no C compiler (no-such-compiler)")
    assert "pure Python" in said
    monkeypatch.setattr("sys.argv", ["compile_native"])
    with pytest.raises(SystemExit, match="no C compiler"):
        compile_native.main()
