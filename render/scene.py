"""Scenes are files that say how one sample starts, steps, ends and is shaded; this module loads and checks them.

A scene is a stepping rule (the driver owns the loop, so it can keep all lanes of a vector or a warp busy):

    PARAMETERS, VIEWS, LIMIT, PRECISION, ABSORBING, INSIDE_FLAT       what it can be asked, what the driver may assume
    start(x, y, p) -> state       (x, y) on the picture plane; state is a flat tuple of lanes
    step(state, p) -> state
    alive(state, p) -> mask       may this sample still go on? False for NaN
    shade(state, steps, p) -> (r, g, b)      linear light, 0..1; `steps` as real lanes
    prepare(parameters, size) -> p           optional; once per request: scalars and read-only arrays by name
    never_ends(x, y, p) -> mask              optional; samples known never to end

Our own scenes and a user's are loaded alike, by file path. The folder `scenes/` is the registry.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from render.errors import SceneError, UnknownName, UsageError
from render.parameters import Parameter, Parameters
from render.request import PRECISIONS, Request, Value

Real = Any  # np.float32 or np.float64
REALS: dict[str, Real] = {"f32": np.float32, "f64": np.float64}
NEEDED = ("start", "step", "alive", "shade")
FRAMING = {  # every scene has these; a scene may give others in their place
    "x": Parameter(0.0, -1e300, 1e300, "Centre of the frame on the picture plane, to the right."),
    "y": Parameter(0.0, -1e300, 1e300, "Centre of the frame on the picture plane, upwards."),
    "zoom": Parameter(1.0, 1e-30, 1e300, "Magnification: the frame is 4 / zoom high."),
    "shortcuts": Parameter(1, 0, 1, "Skip steps where the result is known beforehand (1) or walk them all (0)."),
}


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
        if not parameters:
            return [*told, f"  parameters: {', '.join(self.parameters)}"]
        told += [f"  limit {self.limit}, precision {self.precision}", "  parameters:"]
        wide = max(map(len, self.parameters))
        for name, one in self.parameters.items():
            bounds = ", ".join(one.choices) or f"{one.lowest:g} to {one.highest:g}"
            told.append(f"    {name:{wide}}  {one.default}  ({bounds})  {one.about}")
        return told

    def prepared(self, request: Request) -> tuple[Any, ...]:
        """`p` as the scene's functions take it: a named tuple of scalars and arrays, all in the request's precision.

        Parameters are rounded to that precision once, before `prepare` sees them, so that what it computes is
        computed in that precision too.
        """
        real = REALS[request.precision]
        values = Parameters({name: _in(real, value) for name, value in request.parameters})
        prepare = self.functions.get("prepare")
        with np.errstate(all="ignore"):
            made = prepare(values, (request.width, request.height)) if prepare else values
        if not isinstance(made, Mapping):
            made = made._asdict()
        fields = {name: _in(real, value) for name, value in made.items() if not isinstance(value, str)}
        return namedtuple("p", fields)(**fields)  # type: ignore[misc]


def _in(real: Real, value: Any) -> Any:
    """A value as lanes take it: floats in `real`, arrays flat, read-only and in `real`, the rest as it is."""
    if isinstance(value, (np.ndarray, list, tuple)):
        array = np.ascontiguousarray(value, dtype=real).reshape(-1)
        array.flags.writeable = False
        return array
    if isinstance(value, (float, np.floating)):
        return real(value)
    return value


@cache
def folder() -> Path:
    """Where our scenes lie: beside this module in a wheel, beside the package in a source tree."""
    inside = Path(__file__).parent / "scenes"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "scenes"


def names() -> list[str]:
    """The scenes that come with the program."""
    return sorted(path.stem for path in folder().glob("[!_]*.py"))


@cache
def load(name: str) -> Scene:
    """The scene of this name, or in this file (anything that ends in .py or has a path separator).

    Raises UnknownName, or SceneError with the rule that the file breaks and the line.
    """
    if name.endswith(".py") or "/" in name or "\\" in name:
        path = Path(name).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no scene file {name}", "give the path of a Python file, or the name of a scene")
    elif name in names():
        path = folder() / f"{name}.py"
    else:
        raise UnknownName("scene", name, names())
    return _checked(path, _execute(path))


def _execute(path: Path) -> ModuleType:
    """Run the file as a module of its own."""
    name = f"render_scene_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SceneError(f"{path} cannot be loaded as Python", "give it the suffix .py")
    module = importlib.util.module_from_spec(spec)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no __pycache__ beside a user's scene
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise SceneError(f"{path}, line {error.lineno}: {error.msg}", "mend the syntax") from error
    except Exception as error:
        line = _line_in(path, error)
        raise SceneError(f"{path}, line {line}: {type(error).__name__}: {error}", "the file must load by itself") from error
    finally:
        sys.dont_write_bytecode = written
    return module


def _line_in(path: Path, error: BaseException) -> int:
    """The last line of this file that the error passed through."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _checked(path: Path, module: ModuleType) -> Scene:
    """The module as a Scene. Raises SceneError at the first rule it breaks."""

    def broken(rule: str, name: str, remedy: str) -> SceneError:
        return SceneError(f"{path}, line {_line_of(path, name)}: {rule}", remedy)

    for name in NEEDED:
        if not callable(getattr(module, name, None)):
            raise broken(f"a scene needs a function {name}", name, f"define {name}, see render.scene")
    functions = {n: getattr(module, n) for n in (*NEEDED, "prepare", "never_ends") if hasattr(module, n)}
    for name, arity in {"start": 3, "step": 2, "alive": 2, "shade": 3, "prepare": 2, "never_ends": 3}.items():
        if name in functions and functions[name].__code__.co_argcount != arity:
            raise broken(f"{name} must take {arity} arguments", name, "see render.scene for its signature")

    try:
        parameters = FRAMING | {n: Parameter.of(v) for n, v in getattr(module, "PARAMETERS", {}).items()}
    except (TypeError, ValueError) as error:
        raise broken(f"PARAMETERS: {error}", "PARAMETERS", 'write "name": (default, lowest, highest, "sentence")') from error
    limit = getattr(module, "LIMIT", 1000)
    if not isinstance(limit, int) or limit < 1:
        raise broken("LIMIT must be a whole number above 0", "LIMIT", "for example LIMIT = 1000")
    precision = getattr(module, "PRECISION", "f64")
    if precision not in PRECISIONS:
        raise broken(f"PRECISION is {precision!r}", "PRECISION", f"choose from {', '.join(PRECISIONS)}")
    scene = Scene(
        name=path.stem,
        path=path,
        about=(module.__doc__ or "").strip().split("\n")[0],
        parameters=parameters,
        views={n: dict(v) for n, v in (getattr(module, "VIEWS", None) or {"default": {}}).items()},
        limit=limit,
        precision=precision,
        absorbing=bool(getattr(module, "ABSORBING", False)),
        inside_flat=bool(getattr(module, "INSIDE_FLAT", False)),
        functions=functions,
    )
    for view in scene.views:
        try:
            scene.settle(view, {n: v for n, v in scene.views[view].items() if n != "limit"})
        except UsageError as error:
            raise broken(f"view {view!r}: {error}", "VIEWS", error.remedy) from error
    return scene


def _line_of(path: Path, name: str) -> int:
    """Where the file defines a name; 1 where it does not."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node.lineno
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets: Iterable[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                return node.lineno
    return 1
