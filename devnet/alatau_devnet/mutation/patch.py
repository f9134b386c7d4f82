"""Put a mutant in the place of a module that is imported already.

Whoever imported a function or class of the module holds the very object, so objects are kept and changed: functions
get other code, default values and module constants other values. What cannot be changed so (the members of an
enumeration, say) is left, and the caller is told.
"""

import gc
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from fractions import Fraction
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

_OPTIMIZED: Final = 0x1
"""Flag of the code of functions, not of modules and class bodies (``inspect.CO_OPTIMIZED``)."""

_PLAIN: Final = (bool, int, float, str, bytes, tuple, frozenset, dict, Fraction, type(None))


Place = tuple[str, str, int]
"""File, qualified name and first line of a function."""


def functions_by_place(prefix: str) -> dict[Place, list[FunctionType]]:
    """Every function that there is of files whose path begins with ``prefix``: closures have several."""
    found: dict[Place, list[FunctionType]] = {}
    for function in gc.get_objects():
        if type(function) is FunctionType and function.__code__.co_filename.startswith(prefix):
            found.setdefault(place_of(function.__code__), []).append(function)
    return found


def place_of(code: CodeType) -> Place:
    """Where a function stands."""
    return code.co_filename, code.co_qualname, code.co_firstlineno


def apply(module: ModuleType, original: str, mutated: str, functions: Mapping[Place, Iterable[FunctionType]]) -> bool:
    """Change ``module``, made of the text ``original``, into what ``mutated`` says; whether anything was changed.

    Args:
        module: as it was imported.
        original: its text.
        mutated: the text of the mutant.
        functions: as :func:`functions_by_place` gives them.
    """
    filename = module.__file__ or "?"
    before, after = (compile(text, filename, "exec") for text in (original, mutated))
    if not _alike(before, after):
        return False
    changed = list(_changed_functions(before, after))
    for old, new in changed:
        if not _give_code(functions.get(place_of(old), ()), new):
            return False
    return bool(changed) or _give_values(module, mutated)


def give_code_of(before: CodeType, after: CodeType, functions: Mapping[Place, Iterable[FunctionType]]) -> None:
    """Give every function of a module, compiled to ``before``, the code that it has in ``after``."""
    assert _alike(before, after), "both have the same functions"
    for old, new in _changed_functions(before, after):
        _give_code(functions.get(place_of(old), ()), new)


def changed_function(filename: str, original: str, mutated: str) -> Place | None:
    """The outermost function whose code differs; None where no function's does."""
    before, after = (compile(text, filename, "exec") for text in (original, mutated))
    if not _alike(before, after):
        return None
    return next((place_of(old) for old, _ in _changed_functions(before, after)), None)


def _changed_functions(before: CodeType, after: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Functions and methods whose code differs, with the new code; what is nested in them goes with them."""
    for old, new in zip(_codes(before), _codes(after), strict=True):
        if old.co_flags & _OPTIMIZED:
            if old != new:
                yield old, new
        else:
            yield from _changed_functions(old, new)


def _alike(before: CodeType, after: CodeType) -> bool:
    """Whether both have the same functions and classes; what is nested in functions may differ."""
    old, new = _codes(before), _codes(after)
    return [code.co_name for code in old] == [code.co_name for code in new] and all(
        one.co_flags & _OPTIMIZED or _alike(one, other) for one, other in zip(old, new, strict=True)
    )


def _codes(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _give_code(functions: Iterable[FunctionType], new: CodeType) -> bool:
    found = False
    for function in functions:
        if function.__code__.co_freevars != new.co_freevars:
            return False
        function.__code__ = new
        found = True
    return found


def _give_values(module: ModuleType, mutated: str) -> bool:
    """Run the mutant beside the module and copy the constants and defaults in which the two differ."""
    fresh: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(mutated, module.__file__ or "?", "exec"), fresh)  # noqa: S102  what it is for
    changed = False
    for name, new in fresh.items():
        old = getattr(module, name, None)
        if isinstance(new, FunctionType) and isinstance(old, FunctionType):
            changed |= _give_defaults(old, new)
        elif isinstance(new, type) and isinstance(old, type) and not issubclass(new, Enum):
            changed |= _give_class(old, new)
        elif isinstance(new, _PLAIN) and type(old) is type(new) and old != new and not name.startswith("__"):
            _give_constant(name, old, new)
            changed = True
    return changed


def _give_constant(name: str, old: object, new: object) -> None:
    """Wherever a module of the program or its tests holds this value under this name, it was imported from there."""
    for other in list(sys.modules.values()):
        if other.__name__.startswith(("alatau", "tests")) and getattr(other, name, None) == old:
            setattr(other, name, new)


def _give_class(old: type, new: type) -> bool:
    if new.__module__ != old.__module__ or old is new:
        return False
    changed = False
    for name, value in vars(new).items():
        own = vars(old).get(name)
        if isinstance(value, FunctionType) and isinstance(own, FunctionType):
            changed |= _give_defaults(own, value)
        elif isinstance(value, _PLAIN) and type(own) is type(value) and own != value and name[:2] != "__":
            setattr(old, name, value)
            changed = True
    return changed


def _give_defaults(old: FunctionType, new: FunctionType) -> bool:
    changed = False
    if _plain(old.__defaults__) != _plain(new.__defaults__):
        old.__defaults__, changed = new.__defaults__, True
    if _plain(tuple((old.__kwdefaults__ or {}).items())) != _plain(tuple((new.__kwdefaults__ or {}).items())):
        old.__kwdefaults__, changed = new.__kwdefaults__, True
    return changed


def _plain(values: tuple[object, ...] | None) -> list[object]:
    """Default values as far as they can be compared: of others, both programs make objects of their own."""
    return [value if isinstance(value, _PLAIN) else type(value).__name__ for value in values or ()]
