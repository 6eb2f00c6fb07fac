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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from render import scene_rules as rules
from render.errors import RenderError, SceneError, UnknownName, UsageError
from render.foreign_code import Imports, describe_error, execute, line_in, running
from render.parameters import P, Parameter, Parameters, name_of, record
from render.request import Request, Value
from render.wording import harmless

Real = Any  # np.float32 or np.float64
REALS: dict[str, Real] = {"f32": np.float32, "f64": np.float64}


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
                    with running():
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
            f"{self.path}, line {line}: {name}: {describe_error(error)}", "see render.scene for the contract"
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


def _loaded(path: Path, source: bytes) -> Scene:
    """The scene in this file, run anew where the file has changed, or a module that it imports was loaded again."""
    known = _run(path, source)
    if not known.imports.current():
        _run.cache_clear()
        known = _run(path, source)
    return known.scene


class _Run(NamedTuple):
    """A scene, and what its file found when it was run."""

    scene: Scene
    imports: Imports


@lru_cache(maxsize=32)
def _run(path: Path, source: bytes) -> _Run:
    try:
        tree = ast.parse(source, str(path))
        code = compile(tree, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # a zero byte, or nested too deep
        line, why = getattr(error, "lineno", None) or 1, getattr(error, "msg", None) or error
        raise SceneError(f"{path}, line {line}: {why}", "mend the syntax") from error
    source_file = rules.Source(path, tree, execute(path, code))
    return _Run(_checked(source_file), Imports.of(source_file.module, tree))


def _checked(source: rules.Source) -> Scene:
    """The file as a Scene. Raises SceneError at the first rule it breaks."""
    scene = Scene(
        name=source.path.stem,
        path=source.path,
        about=str(source.module.__doc__ or "").strip().split("\n")[0],
        parameters=rules.parameters_of(source),
        views=rules.views_of(source),
        limit=rules.limit_of(source),
        precision=rules.precision_of(source),
        absorbing=rules.truth_of(source, "ABSORBING"),
        inside_flat=rules.truth_of(source, "INSIDE_FLAT"),
        functions=rules.functions_of(source),
    )
    for name, view in scene.views.items():
        try:
            scene.settle(name, {key: value for key, value in view.items() if key != "limit"})
        except UsageError as error:
            raise source.broken(f"view {name!r}: {error}", "VIEWS", error.remedy, name) from error
    return scene
