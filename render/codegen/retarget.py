"""One source, several targets: copies of plain functions in which words and helpers mean something else.

A scene calls its helpers and the lane words by bare name, so their meaning can be changed by giving a copy of the
function another namespace. `retarget` does that for a function and for all that it reaches; `fingerprint` hashes
the same graph, so a cache knows when any of it has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from enum import EnumType
from opcode import EXTENDED_ARG, opmap
from types import CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

import numpy as np

from render.errors import SceneError
from render.kernels.slots import Number

Function = Callable[..., Any]
LOAD_GLOBAL = opmap["LOAD_GLOBAL"]
Slots = Mapping[Any, Any]  # what stands in functions and `Number`s: a function, a number


def _nested_code(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and those nested in it, of comprehensions and the like."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested_code(constant)


def _global_names(code: CodeType) -> Iterator[str]:
    """Yield the names looked up among the globals, not as attributes: `light` of `light(p.depth)`."""
    operations, arguments = code.co_code[::2], code.co_code[1::2]
    place = operations.find(LOAD_GLOBAL)
    while place >= 0:
        number = arguments[place] | (arguments[place - 1] << 8 if operations[place - 1] == EXTENDED_ARG else 0)
        yield code.co_names[number >> 1]  # the lowest bit says whether it is called
        place = operations.find(LOAD_GLOBAL, place + 1)


def _used_globals(function: Function) -> Iterator[tuple[str, Any]]:
    """Yield the globals that a function uses, by name, in a fixed order."""
    space = function.__globals__
    for name in sorted({name for code in _nested_code(function.__code__) for name in _global_names(code)}):
        if name in space:
            yield name, space[name]


def _fill_slot(value: Any, slots: Mapping[Any, Any]) -> Any:
    """Return what fills a slot, or the value itself. Raises LookupError for a number without a value."""
    if isinstance(value, Number) and value not in slots:
        raise LookupError(f"no number stands in the slot {value}")
    return slots.get(value, value) if isinstance(value, (FunctionType, Number)) else value


def _module_constants(module: ModuleType, code: CodeType) -> list[Any]:
    """Return what `module.name` may mean in a function, functions excepted: those are called by bare name."""
    names = sorted({name for part in _nested_code(code) for name in part.co_names})
    constants = [(name, vars(module)[name]) for name in names if name in vars(module)]
    return [part for pair in constants if not isinstance(pair[1], (FunctionType, ModuleType)) for part in pair]


def retarget(
    function: Function,
    *,
    words: Mapping[Function, Any],
    slots: Slots = MappingProxyType({}),
    wrap: Callable[[Function], Any] = lambda made: made,
) -> Any:
    """Copy `function` and every plain function that it reaches, and wrap each copy.

    words: what stands for a function and is used as it is (a word's own definition, an intrinsic, a dispatcher).
    slots: plain functions that stand for others, and are copied in their places; numbers that stand in `Number`s.

    Raises SceneError where a function calls itself: vectors and GPU threads know no recursion.
    """
    copies: dict[Function, Any] = {}
    in_progress: list[Function] = []

    def copy_function(plain: Function) -> Any:
        if plain in in_progress:
            place = f"{plain.__code__.co_filename}, line {plain.__code__.co_firstlineno}"
            raise SceneError(f"{place}: {plain.__qualname__} calls itself", "write a loop of fixed count")
        if plain not in copies:
            in_progress.append(plain)
            space = {"__builtins__": __builtins__, "__name__": plain.__module__}
            space |= {name: replace_value(value) for name, value in _used_globals(plain)}
            copy = FunctionType(plain.__code__, space, plain.__name__, plain.__defaults__, plain.__closure__)
            copy.__qualname__, copy.__module__ = plain.__qualname__, plain.__module__
            copy.__kwdefaults__ = plain.__kwdefaults__
            copies[plain] = wrap(copy)
            in_progress.pop()
        return copies[plain]

    def replace_value(value: Any) -> Any:
        value = _fill_slot(value, slots)
        if not isinstance(value, FunctionType):
            return value
        return words[value] if value in words else copy_function(value)

    return copy_function(function)


def hash_function(function: Function, *, words: Mapping[Function, Any], slots: Slots) -> str:
    """Hash all code and constants that `retarget` would copy (hex, SHA-256)."""
    state = _Fingerprint(words, slots)
    state.visit_function(function)
    return state.digest.hexdigest()


class _Fingerprint:
    """The state of `hash_function`: what it has seen so far."""

    def __init__(self, words: Mapping[Function, Any], slots: Slots) -> None:
        self.words, self.slots = words, slots
        self.digest = hashlib.sha256()
        self.seen: dict[Function, int] = {}

    def add_parts(self, *parts: object) -> None:
        for part in parts:
            self.digest.update(repr(part).encode() + b"\0")

    def visit_function(self, plain: Function) -> None:
        """Add a function and all that it uses."""
        self.add_parts(plain.__module__, plain.__qualname__)
        if plain in self.words:
            return
        if plain in self.seen:  # which of those before it is
            self.add_parts(self.seen[plain])
            return
        self.seen[plain] = len(self.seen)
        self.add_code(plain.__code__)
        cells = [cell.cell_contents for cell in plain.__closure__ or ()]
        self.add_value([plain.__defaults__, *sorted((plain.__kwdefaults__ or {}).items()), cells])
        for name, value in _used_globals(plain):
            self.add_parts(name)
            self.add_value(_module_constants(value, plain.__code__) if isinstance(value, ModuleType) else value)

    def add_code(self, code: CodeType) -> None:
        """Add instructions and constants, but no line numbers: a comment changes nothing."""
        self.add_parts(code.co_code, code.co_names, code.co_varnames, code.co_argcount)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self.add_code(constant)
            else:
                self.add_parts(type(constant).__name__, constant)

    def add_value(self, value: Any) -> None:
        """Add what the compiler takes for a constant; of anything else, its type."""
        value = _fill_slot(value, self.slots)
        self.add_parts(type(value).__qualname__)
        if isinstance(value, FunctionType):
            self.visit_function(value)
        elif isinstance(value, (tuple, list)):
            self.add_parts(len(value), getattr(value, "_fields", ()))
            for member in value:
                self.add_value(member)
        elif isinstance(value, (np.ndarray, np.generic)):
            self.add_parts(value.dtype.str, value.shape, value.tobytes())
        elif isinstance(value, EnumType):
            self.add_parts([(member.name, member.value) for member in value])  # type: ignore[var-annotated]
        elif isinstance(value, (int, float, complex, str, bytes)):
            self.add_parts(value)
