"""The rules that a scene's file must keep to be loaded: its functions, parameters, views and constants.

What the functions themselves may do is another matter (`render.contract.trial`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from render.errors import SceneError, UsageError
from render.parameters import FRAMING, Parameter, check_member_name
from render.request import HIGHEST_LIMIT, PRECISIONS, Value

CONTRACT = "python -m pydoc render.scene shows the contract"  # a remedy
NEEDED = ("start", "step", "alive", "shade")
ARGUMENTS = {"start": 3, "step": 2, "alive": 2, "shade": 3, "prepare": 2, "never_ends": 3, "symmetric": 1}
CO_VARARGS, CO_VARKEYWORDS, CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR = 0x4, 0x8, 0x20, 0x80, 0x200  # of `inspect`


class Source(NamedTuple):
    """A scene's file, read and run; it knows where its lines are."""

    path: Path
    tree: ast.Module
    module: ModuleType

    def rule_error(self, rule: str, name: str, remedy: str, entry: object = None) -> SceneError:
        """Make the error for a rule that is broken where the file defines `name`, or this entry of its dict."""
        return SceneError(f"{self.path}, line {_line_of(self.tree, name, entry)}: {rule}", remedy)


def functions_of(source: Source) -> dict[str, Callable[..., Any]]:
    """Return the functions of the contract that the file has, by name."""
    functions = {name: getattr(source.module, name) for name in ARGUMENTS if hasattr(source.module, name)}
    for name, arity in ARGUMENTS.items():
        if name in NEEDED and name not in functions:
            raise source.rule_error(f"a scene needs a function {name}", name, f"define {name}: {CONTRACT}")
        if name in functions and (rule := _find_unplain(functions[name], arity)):
            raise source.rule_error(f"{name} {rule}", name, CONTRACT)
    return functions


def _find_unplain(function: Any, arity: int) -> str:
    """Name what keeps a function from being copied for another target; empty for nothing."""
    if not isinstance(function, FunctionType):
        return f"must be a function written with def, not {type(function).__name__}"
    if function.__code__.co_freevars:
        return f"uses {', '.join(function.__code__.co_freevars)} of a function around it: it must stand alone"
    code = function.__code__
    if code.co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR):
        return "must be a plain function, without yield or async"
    named = code.co_kwonlyargcount or code.co_flags & (CO_VARARGS | CO_VARKEYWORDS)
    return f"must take {arity} arguments" if named or code.co_argcount != arity else ""


def parameters_of(source: Source) -> dict[str, Parameter]:
    """Return the scene's own parameters over those that every scene has."""
    parameters, remedy = dict(FRAMING), 'write "name": (default, lowest, highest, "sentence")'
    written = getattr(source.module, "PARAMETERS", {})
    if not isinstance(written, Mapping):
        raise source.rule_error("PARAMETERS must be a dict", "PARAMETERS", remedy)
    for name, one in written.items():
        try:
            parameters[check_member_name(name)] = Parameter.of(one)
            if name == "limit":
                raise ValueError("a view means LIMIT by this name: take another")
        except (TypeError, ValueError, UsageError) as error:
            raise source.rule_error(f"PARAMETERS: {name}: {error}", "PARAMETERS", remedy, name) from error
    for name in FRAMING:
        lowest = parameters[name].lowest
        if lowest is None or (name == "zoom" and lowest <= 0):
            rule = "must be a number above 0" if name == "zoom" else "must be a number"
            raise source.rule_error(f"PARAMETERS: {name} {rule}", "PARAMETERS", remedy, name)
    return parameters


def _line_of(tree: ast.Module, name: str, entry: object = None) -> int:
    """Find where the file defines a name, or an entry of the dict of that name; 1 where it does not."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            return node.lineno
        if isinstance(node, ast.Import | ast.ImportFrom) and name in {one.asname or one.name for one in node.names}:
            return node.lineno
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                keys = node.value.keys if isinstance(node.value, ast.Dict) else []
                lines = [key.lineno for key in keys if isinstance(key, ast.Constant) and key.value == entry]
                return lines[-1] if lines else node.lineno
    return 1


def limit_of(source: Source) -> int:
    """Return LIMIT, or 1000."""
    limit = getattr(source.module, "LIMIT", 1000)
    if not is_limit(limit):
        raise source.rule_error(
            f"LIMIT is no whole number from 1 to {HIGHEST_LIMIT}", "LIMIT", "for example LIMIT = 1000"
        )
    return int(limit)


def is_limit(value: Any) -> bool:
    """Test for a valid limit: a plain whole number in range."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= HIGHEST_LIMIT


def precision_of(source: Source) -> str:
    """Return PRECISION, or float64."""
    precision = getattr(source.module, "PRECISION", "f64")
    if precision not in PRECISIONS:
        raise source.rule_error(f"PRECISION is {precision!r}", "PRECISION", f"choose from {', '.join(PRECISIONS)}")
    return str(precision)


def truth_of(source: Source, name: str) -> bool:
    """Return ABSORBING or INSIDE_FLAT; False where the file does not say, for then the driver may assume nothing."""
    truth = getattr(source.module, name, False)
    if not isinstance(truth, bool):
        raise source.rule_error(f"{name} is {truth!r:.40}", name, f"write {name} = True, or leave it out")
    return truth


def views_of(source: Source) -> dict[str, dict[str, Value]]:
    """Return VIEWS, or one view of the defaults."""
    views, remedy = getattr(source.module, "VIEWS", None), 'write {"name": {"zoom": 3.0, "limit": 500}}'
    if views is None or views == {}:
        return {"default": {}}
    if not isinstance(views, Mapping) or not all(isinstance(view, Mapping) for view in views.values()):
        raise source.rule_error("VIEWS must be a dict of dicts", "VIEWS", remedy)
    for name, view in views.items():
        for word in (name, *view):
            if not isinstance(word, str):
                raise source.rule_error(f"view {name!r}: {word!r} is no name", "VIEWS", remedy, name)
        if not is_limit(view.get("limit", 1)):
            raise source.rule_error(
                f"view {name!r}: its limit is {view['limit']!r}", "VIEWS", "give a whole number", name
            )
    return {name: dict(view) for name, view in views.items()}
