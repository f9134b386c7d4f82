"""Note which functions are called, by code that says so itself.

A tracer or profiler slows everything down, most of all code that is made while the program runs: contracts then take
many times as long as their blocks, and networks of nodes meet their timeouts before they decide. So each function of
the files in question gets code that begins with a note of its name, and nothing else changes.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FunctionType
from typing import Final

from alatau_devnet.mutation.patch import Place, give_code_of

_NOTED: Final = "__reached__"
"""The set of qualified names, in the globals of each module."""


class Reach:
    """The functions of some modules that were called since :meth:`begin_anew`."""

    def __init__(self) -> None:
        self._noted: dict[str, set[str]] = {}

    def instrument(self, modules: Mapping[Path, str], functions: Mapping[Place, Iterable[FunctionType]]) -> None:
        """Let every function of these modules note that it is called.

        Args:
            modules: their files, with their names.
            functions: as ``patch.functions_by_place`` gives them.
        """
        for file, name in modules.items():
            module = sys.modules.get(name)
            if module is None:
                continue
            text = file.read_text()
            self._noted[str(file)] = module.__dict__[_NOTED] = set()
            give_code_of(compile(text, str(file), "exec"), compile(_noting(text), str(file), "exec"), functions)

    def begin_anew(self) -> None:
        """Forget what was called."""
        for names in self._noted.values():
            names.clear()

    def seen(self) -> Iterator[tuple[str, str]]:
        """Files and qualified names."""
        return ((file, name) for file, names in self._noted.items() for name in names)


def _noting(source: str) -> ast.Module:
    tree = ast.parse(source)
    _Notes().visit(tree)
    return ast.fix_missing_locations(tree)


class _Notes(ast.NodeTransformer):
    """Puts a note at the beginning of each function, after its docstring."""

    def __init__(self) -> None:
        self._within: list[str] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node, node.name)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        note = self._note("<lambda>", node.body)
        self._inside(node, "<lambda>", "<locals>")
        both = ast.copy_location(ast.Tuple([note, node.body], ast.Load()), node.body)
        last = ast.copy_location(ast.Constant(1), node.body)
        node.body = ast.copy_location(ast.Subscript(both, last, ast.Load()), node.body)
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        note = ast.copy_location(ast.Expr(self._note(node.name, node.body[0])), node.body[0])
        self._inside(node, node.name, "<locals>")
        node.body.insert(int(ast.get_docstring(node, clean=False) is not None), note)
        return node

    def _inside(self, node: ast.AST, *names: str) -> ast.AST:
        self._within += names
        self.generic_visit(node)
        del self._within[-len(names) :]
        return node

    def _note(self, name: str, at: ast.AST) -> ast.expr:
        note = ast.parse(f"{_NOTED}.add({'.'.join([*self._within, name])!r})", mode="eval").body
        for part in ast.walk(note):
            ast.copy_location(part, at)
        return note
