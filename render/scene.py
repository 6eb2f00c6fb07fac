"""Scenes are files that say how one sample starts, steps, ends and is shaded; this module loads and checks them.

A scene is a stepping rule (the driver owns the loop, so it can keep all lanes of a vector or a warp busy):

    PARAMETERS, VIEWS, LIMIT, PRECISION, ABSORBING, INSIDE_FLAT       what it can be asked, what the driver may assume
    start(x, y, p) -> state       (x, y) on the picture plane; state is a flat tuple of lanes
    step(state, p) -> state
    alive(state, p) -> mask       may this sample still go on? False for NaN
    shade(state, steps, p) -> (r, g, b)      linear light, 0..1; `steps` as real lanes
    prepare(parameters, size) -> p           optional; once per request: scalars and read-only arrays by name
    never_ends(x, y, p) -> mask              optional; samples known never to end
    symmetric(p) -> bool                     optional; whether (x, -y) has the steps and the colour of (x, y)

The real members of `p` are lanes to the scene, the same in every lane: they cannot be branched on. Its whole numbers
are plain, and may steer an `if` or a `range`; arrays are read by `take`.

Our own scenes and a user's are loaded alike, by file path. The folder `scenes/` is the registry.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from render.errors import RenderError, SceneError, UnknownName, UsageError
from render.parameters import FRAMING, P, Parameter, Parameters, name_of, record
from render.request import HIGHEST_LIMIT, PRECISIONS, Request, Value
from render.wording import harmless

Real = Any  # np.float32 or np.float64
REALS: dict[str, Real] = {"f32": np.float32, "f64": np.float64}
NEEDED = ("start", "step", "alive", "shade")
ARGUMENTS = {"start": 3, "step": 2, "alive": 2, "shade": 3, "prepare": 2, "never_ends": 3, "symmetric": 1}


@dataclass(frozen=True)
class Scene:
    """A loaded scene: its description and its functions, still plain Python."""

    name: str
    path: Path
    about: str
    parameters: dict[str, Parameter]
    views: dict[str, dict[str, Value]]
    limit: int
    precision: str
    absorbing: bool
    inside_flat: bool
    functions: dict[str, Callable[..., Any]]

    def settle(self, view: str, given: Mapping[str, Value]) -> tuple[dict[str, Value], int]:
        """All parameters and the limit: defaults, over them the view, over it what was given.

        Raises UnknownName for a view or a parameter, UsageError for a value out of its bounds.
        """
        if view not in self.views:
            raise UnknownName(f"view of scene {self.name}", view, self.views)
        chosen = dict(self.views[view])
        limit = int(chosen.pop("limit", self.limit))
        for name in given:
            if name not in self.parameters:
                raise UnknownName(f"parameter of scene {self.name}", name, self.parameters)
        asked = chosen | dict(given)
        return {
            name: parameter.check(name, asked.get(name, parameter.default))
            for name, parameter in sorted(self.parameters.items())
        }, limit

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "scene": self.name,
            "about": self.about,
            "limit": self.limit,
            "precision": self.precision,
            "parameters": {
                name: {
                    "default": one.default,
                    "lowest": one.lowest,
                    "highest": one.highest,
                    "choices": list(one.choices),
                    "about": one.about,
                }
                for name, one in self.parameters.items()
            },
            "views": self.views,
        }

    def lines(self, *, parameters: bool) -> list[str]:
        """For people: what it is, its views, and its parameters if wanted."""
        told = [f"{self.name}: {self.about}", f"  views: {', '.join(self.views)}"]
        told += self._told_parameters() if parameters else [f"  parameters: {', '.join(self.parameters)}"]
        return [harmless(line) for line in told]

    def _told_parameters(self) -> list[str]:
        told = [f"  limit {self.limit}, precision {self.precision}", "  parameters:"]
        wide = max(map(len, self.parameters))
        for name, one in self.parameters.items():
            bounds = ", ".join(one.choices) or f"{one.lowest:g} to {one.highest:g}"
            told.append(f"    {name:{wide}}  {one.default}  ({bounds})  {one.about}")
        return told

    def prepared(self, request: Request) -> P:
        """`p` as the scene's functions take it: a named tuple of scalars and arrays, all in the request's precision.

        Its real numbers are lanes to the scene; its whole numbers are plain, so they may steer loops and branches.

        Parameters are rounded to that precision once, before `prepare` sees them, so that what it computes is
        computed in that precision too. Raises SceneError where `prepare` fails or gives what no lane can take.
        """
        real = REALS[request.precision]
        prepare = self.functions.get("prepare")
        with np.errstate(all="ignore"):
            made: Any = Parameters({name: _in(real, value) for name, value in request.parameters})
            if prepare:
                try:
                    made = _fields(prepare(made, (request.width, request.height)))
                except RenderError:
                    raise
                except Exception as error:
                    raise self.broken("prepare", error) from error
            try:
                fields = {name: _in(real, value) for name, value in made.items() if not isinstance(value, str)}
            except (TypeError, ValueError, OverflowError) as error:
                raise self.broken("prepare", error) from error
        return record(fields)

    def broken(self, name: str, error: Exception) -> SceneError:
        """What one of the functions did wrong, with the line: the one that raised, or that of the function."""
        line = line_in(self.path, error) or self.functions[name].__code__.co_firstlineno
        return SceneError(
            f"{self.path}, line {line}: {name}: {type(error).__name__}: {error}", "see render.scene for the contract"
        )


def _fields(made: Any) -> Mapping[str, Any]:
    """What `prepare` gave, by name. Raises TypeError or ValueError where it is no such thing."""
    if not isinstance(made, Mapping):
        if not hasattr(made, "_asdict"):
            raise TypeError(f"it must give a dict of numbers and arrays, not {type(made).__name__}")
        made = made._asdict()
    for name in made:
        name_of(name)
    return dict(made)


def _in(real: Real, value: Any) -> Any:
    """A value as lanes take it: floats in `real`, arrays flat, read-only and in `real`, the rest as it is.

    Raises TypeError, ValueError or OverflowError for what is neither number nor numbers.
    """
    if isinstance(value, (np.ndarray, list, tuple)):
        array = np.array(value, dtype=real).reshape(-1)  # a copy: it is ours, and no other array begins where it does
        if not array.size:
            raise ValueError("an array without members, which take could not read")
        array.flags.writeable = False
        return array
    if isinstance(value, (float, np.floating)):
        return real(value)
    if isinstance(value, (int, np.integer, np.bool_)):
        np.int64(value)  # lanes know no more
    elif not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is neither a number nor an array of numbers")
    return value


@cache
def folder() -> Path:
    """Where our scenes lie: beside this module in a wheel, beside the package in a source tree."""
    inside = Path(__file__).parent / "scenes"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "scenes"


def names() -> list[str]:
    """The scenes that come with the program."""
    return sorted(path.stem for path in folder().glob("[!_]*.py"))


def load(name: str) -> Scene:
    """The scene of this name, or in this file (anything that ends in .py or has a path separator).

    A file that has changed is loaded anew. Raises UnknownName, UsageError for a file that cannot be read, or SceneError
    with the rule that it breaks and the line.
    """
    if not name.endswith(".py") and "/" not in name and "\\" not in name:
        if name not in names():
            raise UnknownName("scene", name, names())
        path = folder() / f"{name}.py"
        return _loaded(path, path.read_bytes())
    remedy = "give the path of a Python file, or the name of a scene"
    try:
        path = Path(name).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no scene file {name}", remedy)
        return _loaded(path, path.read_bytes())
    except (OSError, RuntimeError) as error:  # RuntimeError: no such user's home
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read the scene file {name}: {why}", remedy) from error


@lru_cache(maxsize=32)
def _loaded(path: Path, source: bytes) -> Scene:
    try:
        tree = ast.parse(source, str(path))
        code = compile(tree, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # a zero byte, or nested too deep
        line, why = getattr(error, "lineno", None) or 1, getattr(error, "msg", None) or error
        raise SceneError(f"{path}, line {line}: {why}", "mend the syntax") from error
    return _checked(Source(path, tree, _execute(path, code)))


def _execute(path: Path, code: CodeType) -> ModuleType:
    """Run the file as a module of its own."""
    module = ModuleType(f"render_scene_{path.stem}")
    module.__file__ = str(path)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no __pycache__ beside a user's scene
    try:
        exec(code, module.__dict__)  # noqa: S102  (a scene is a program)
    except (Exception, SystemExit) as error:
        where, what = f"{path}, line {line_in(path, error)}", f"{type(error).__name__}: {error}"
        raise SceneError(f"{where}: {what}", "the file must load by itself") from error
    finally:
        sys.dont_write_bytecode = written
    return module


def line_in(path: Path, error: BaseException) -> int:
    """The last line of this file that the error passed through; 0 for none."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


class Source(NamedTuple):
    """A scene's file, read and run; it knows where its lines are."""

    path: Path
    tree: ast.Module
    module: ModuleType

    def broken(self, rule: str, name: str, remedy: str, entry: object = None) -> SceneError:
        """The error for a rule that is broken where the file defines `name`, or this entry of the dict of that name."""
        return SceneError(f"{self.path}, line {_line_of(self.tree, name, entry)}: {rule}", remedy)


def _checked(source: Source) -> Scene:
    """The file as a Scene. Raises SceneError at the first rule it breaks."""
    module = source.module
    functions, parameters = _functions(source), _parameters(source)
    limit = getattr(module, "LIMIT", 1000)
    if not _is_limit(limit):
        raise source.broken(f"LIMIT is no whole number from 1 to {HIGHEST_LIMIT}", "LIMIT", "for example LIMIT = 1000")
    precision = getattr(module, "PRECISION", "f64")
    if precision not in PRECISIONS:
        raise source.broken(f"PRECISION is {precision!r}", "PRECISION", f"choose from {', '.join(PRECISIONS)}")
    views = getattr(module, "VIEWS", None) or {"default": {}}
    if not isinstance(views, Mapping) or not all(isinstance(view, Mapping) for view in views.values()):
        raise source.broken("VIEWS must be a dict of dicts", "VIEWS", 'write {"name": {"zoom": 3.0, "limit": 500}}')
    scene = Scene(
        name=source.path.stem,
        path=source.path,
        about=(module.__doc__ or "").strip().split("\n")[0],
        parameters=parameters,
        views={str(name): dict(view) for name, view in views.items()},
        limit=limit,
        precision=precision,
        absorbing=bool(getattr(module, "ABSORBING", False)),
        inside_flat=bool(getattr(module, "INSIDE_FLAT", False)),
        functions=functions,
    )
    for name, view in scene.views.items():
        if not _is_limit(view.get("limit", limit)):
            raise source.broken(f"view {name!r}: its limit is {view['limit']!r}", "VIEWS", "give a whole number", name)
        try:
            scene.settle(name, {key: value for key, value in view.items() if key != "limit"})
        except UsageError as error:
            raise source.broken(f"view {name!r}: {error}", "VIEWS", error.remedy, name) from error
    return scene


def _is_limit(value: Any) -> bool:
    return isinstance(value, int) and 1 <= value <= HIGHEST_LIMIT


def _functions(source: Source) -> dict[str, Callable[..., Any]]:
    """Those of the contract that the file has, by name."""
    found = {name: getattr(source.module, name) for name in ARGUMENTS if hasattr(source.module, name)}
    for name, arity in ARGUMENTS.items():
        if name in NEEDED and name not in found:
            raise source.broken(f"a scene needs a function {name}", name, f"define {name}, see render.scene")
        if name in found and (rule := _not_plain(found[name], arity)):
            raise source.broken(f"{name} {rule}", name, "see render.scene for its signature")
    return found


def _not_plain(function: Any, arity: int) -> str:
    """What keeps a function from being copied for another target; empty for nothing."""
    if not isinstance(function, FunctionType):
        return f"must be a function written with def, not {type(function).__name__}"
    if function.__code__.co_freevars:
        return f"uses {', '.join(function.__code__.co_freevars)} of a function around it: it must stand alone"
    return "" if function.__code__.co_argcount == arity else f"must take {arity} arguments"


def _parameters(source: Source) -> dict[str, Parameter]:
    """The scene's own over those that every scene has."""
    found, remedy = dict(FRAMING), 'write "name": (default, lowest, highest, "sentence")'
    written = getattr(source.module, "PARAMETERS", {})
    if not isinstance(written, Mapping):
        raise source.broken("PARAMETERS must be a dict", "PARAMETERS", remedy)
    for name, one in written.items():
        try:
            found[name_of(name)] = Parameter.of(one)
        except (TypeError, ValueError, UsageError) as error:
            raise source.broken(f"PARAMETERS: {name}: {error}", "PARAMETERS", remedy, name) from error
    for name in FRAMING:
        lowest = found[name].lowest
        if lowest is None or (name == "zoom" and lowest <= 0):
            rule = "must be a number above 0" if name == "zoom" else "must be a number"
            raise source.broken(f"PARAMETERS: {name} {rule}", "PARAMETERS", remedy, name)
    return found


def _line_of(tree: ast.Module, name: str, entry: object = None) -> int:
    """Where the file defines a name, or an entry of the dict of that name; 1 where it does not."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node.lineno
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                keys = node.value.keys if isinstance(node.value, ast.Dict) else []
                lines = [key.lineno for key in keys if isinstance(key, ast.Constant) and key.value == entry]
                return lines[-1] if lines else node.lineno
    return 1
