"""Code that is not ours runs here: a scene's file, and its `prepare`.

A scene is a program, and runs with all the rights of whoever draws it. What it prints goes to standard error, for
standard output is the program's own (`--json`); and whatever it raises is an error of the scene, even what Python means
for other purposes, such as `sys.exit`. Only Control-C and the signals that end a program are what they are.
"""

from __future__ import annotations

import ast
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from render.errors import RenderError, SceneError, UnknownName

_RUNNING = threading.RLock()  # standard output is the whole process's
OURS = {Path(__file__).parents[1], Path(__file__).parents[1] / "frontend"}  # where signals are taken


class SceneExit(Exception):
    """A scene tried to end the program, or raised what is no Exception."""


@contextmanager
def contain_exits() -> Iterator[None]:
    """Run code of a scene. What is no Exception becomes one (`Left`), with the traceback of what was raised."""
    with _RUNNING, redirect_stdout(sys.stderr):
        try:
            yield
        except (Exception, KeyboardInterrupt):
            raise
        except BaseException as error:
            if _raised_by_program(error):
                raise
            raise SceneExit(f"{type(error).__name__}: {error}").with_traceback(error.__traceback__) from error


def _raised_by_program(error: BaseException) -> bool:
    """Test whether the program raised it itself: a signal to stop comes in the middle of whatever runs."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or (trace.tb_next is None and Path(trace.tb_frame.f_code.co_filename).parent in OURS)


def run_file(path: Path, code: CodeType) -> ModuleType:
    """Run a scene's file as a module of its own. Raises SceneError with the line."""
    module = ModuleType(f"render_scene_{path.stem!a}")  # a compiler writes it as UTF-8, which not all names are
    module.__file__ = str(path)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no __pycache__ beside a user's scene
    try:
        with contain_exits():
            exec(code, module.__dict__)  # noqa: S102  (a scene is a program)
    except RenderError:
        raise
    except Exception as error:
        what, remedy = _explain_error(error)
        raise SceneError(f"{path}, line {error_line(path, error)}: {what}", remedy) from error
    finally:
        sys.dont_write_bytecode = written
    return module


def _explain_error(error: Exception) -> tuple[str, str]:
    """Return cause and remedy: for a word that the vocabulary lacks, the words that it has."""
    missing = re.match(r"cannot import name '(\w+)' from '(render\.\w+)'", str(error))
    if isinstance(error, ImportError) and missing:
        word, module = missing.groups()
        known = getattr(sys.modules[module], "__all__", None) or _public_functions(sys.modules[module])
        return f"{module} has no word {word!r}", UnknownName("word", word, known).remedy
    return describe_error(error), "the file must load by itself"


def _public_functions(module: ModuleType) -> list[str]:
    """List the functions that a module without `__all__` defines for others."""
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    return [name for name in own if not name.startswith("_") and callable(getattr(module, name))]


def describe_error(error: Exception, path: Path | None = None) -> str:
    """Say what was raised, and at which line of this file, if it passed through it."""
    what = str(error) if isinstance(error, SceneExit) else f"{type(error).__name__}: {error}"
    line = error_line(path, error) if path else 0
    return f"{what} (line {line})" if line else what


def error_line(path: Path, error: BaseException) -> int:
    """Return the last line of this file that the error passed through; 0 for none."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


class Imports(NamedTuple):
    """The modules that a file imported, each with its specification, which is another one once it is loaded again."""

    seen: tuple[tuple[str, ModuleType, Any], ...]

    @classmethod
    def of(cls, module: ModuleType, tree: ast.Module) -> Imports:
        """List what a file that was run imports, and what those modules of a user's refer to."""
        left = [*_imported_modules(tree), *_referenced_modules(module)]
        names: set[str] = set()
        while left:
            name = left.pop()
            other = sys.modules.get(name)
            if other is not None and name not in names and not _is_never_reloaded(name):
                names.add(name)
                left += _referenced_modules(other)
        return cls(tuple((name, sys.modules[name], sys.modules[name].__spec__) for name in sorted(names)))

    def is_current(self) -> bool:
        """Test whether all of them are still the same."""
        return all(sys.modules.get(name) is module and module.__spec__ is spec for name, module, spec in self.seen)


def _imported_modules(tree: ast.Module) -> list[str]:
    """List the names of the modules that a file imports, wherever in it."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _referenced_modules(module: ModuleType) -> list[str]:
    """List the names of the modules that a module refers to, or has something from."""
    values = list(vars(module).values())
    names = [
        value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) for value in values
    ]
    return [name for name in names if isinstance(name, str)]


def _is_never_reloaded(name: str) -> bool:
    """Test for a module that is never reloaded while scenes are drawn: Python's own, ours, numpy and its parts."""
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top in {"render", "numpy", "numba", "llvmlite", "scipy"}
