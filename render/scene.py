"""The scene contract: what a scene's file may say, and what the program makes of it. This module loads such files.

A scene is a program: a Python file that runs with all the rights of whoever draws it. Draw only scenes that you trust.

It is a stepping rule. The program owns the loop, so it can keep all lanes of a vector or a GPU busy; for every sample
it does what this plain loop does (`render.targets.python`), to the last bit:

    state, steps = start(x, y, p), 0
    while steps < limit and alive(state, p):
        state, steps = step(state, p), steps + 1
    r, g, b = shade(state, steps, p)

A whole scene, the burning ship:

    '''The burning ship: like the Mandelbrot set, but folded at each step.'''
    from render.lanes import abs, fma, where

    LIMIT, ABSORBING, INSIDE_FLAT = 300, True, True
    PARAMETERS = {"bailout": (16.0, 2.0, 1e6, "How far out a point counts as gone.")}
    VIEWS = {"fleet": {"x": -0.5, "y": 0.4}, "ship": {"x": -1.76, "y": 0.035, "zoom": 32.0, "limit": 800}}

    def prepare(parameters, size):
        return {"far": parameters.bailout * parameters.bailout}

    def start(x, y, p):
        return 0.0, 0.0, x, -y

    def step(state, p):
        x, y, cx, cy = state
        return fma(x, x, fma(-y, y, cx)), fma(abs(x + x), abs(y), cy), cx, cy

    def alive(state, p):
        return fma(state[0], state[0], state[1] * state[1]) <= p.far

    def shade(state, steps, p):
        light = where(alive(state, p), 0.0, steps / (steps + 25.0))
        return light, light * light, 0.25 * light

The four functions, and three that may be there:

    start(x, y, p)      where a sample begins: (x, y) on the picture plane -> state, a flat tuple of one or more reals
    step(state, p)      one step -> a state of the same length
    alive(state, p)     whether the sample may go on: a comparison, which is False where anything is NaN
    shade(state, steps, p)   -> (r, g, b), linear light from 0 to 1. Less counts as 0, more (and infinity) as 1; a NaN
                        is an error. A pixel is the mean of its samples, in sRGB of 8 bits.
                        `steps` (real lanes) are the steps made. A sample may end with the very last step, so ask
                        `alive(state, p)`, never `steps == limit`, whether it was still alive at the limit: is inside.
    prepare(parameters, size)   once for a request: parameters by name or attribute, size = (width, height) in pixels
                        -> a dict, which becomes `p`. Without it p has the parameters.
    never_ends(x, y, p) a mask of samples that are known never to end (used if INSIDE_FLAT and --set shortcuts=1)
    symmetric(p)        True or False: has (x, -y) the steps and the colour of (x, y)? Its p holds plain numbers.

What stands beside them, all of it optional:

    PARAMETERS   {"name": (default, lowest, highest, "Sentence.")}: whole numbers if the default is one, else reals;
                 {"name": ("word", ("word", "other"), "Sentence.")}: words. Every scene has x, y, zoom and shortcuts
                 and may give its own in their places: the frame has (x, y) in its middle and is 4 / zoom high, y
                 upwards, pixels square. "limit" is no name for a parameter.
    VIEWS        {"name": {"parameter": value, "limit": steps}}: the first is drawn where none is named; what a view
                 leaves out has its default, and --set goes over all. Without VIEWS there is one, "default".
    LIMIT        the most steps of a sample, 1000 without it; a view's "limit" and --limit go over it
    PRECISION    "f64" (the default) or "f32": what --precision auto means
    ABSORBING    True: once `alive` is False, no further step makes it True again, whatever parameters are allowed.
                 The program then looks only now and then, and steps back.
    INSIDE_FLAT  True: the colour of a sample still alive at the limit does not depend on its state. The program may
                 then leave steps out that change nothing (`never_ends`, cycles).

A promise that does not hold makes other pictures on other targets; without one the program assumes nothing.

In the four functions and in never_ends, numbers are lanes (`render.lanes` has the words). A real member of `p` is a
lane too, the same for all samples. Lanes go both ways at once, so there is no `if`, `and` or `min` on them: `where`
chooses, & | ~ combine masks. Whole members of p are plain: `if` and `range` may use them. Lists and arrays become flat
read-only arrays in the request's precision, for `take`; words stay behind in `prepare`. Helpers are functions of a
module, called by bare name; they call neither themselves nor what a vector cannot do (print, import, try, lists). All
of it is tried before anything is painted, and what breaks a rule is reported with its line (SceneError); what a scene
raises itself is a TileError. What it prints when it is loaded, or in `prepare`, goes to standard error.

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

from render.contract import rules
from render.contract.foreign_code import Imports, contain_exits, describe_error, error_line, run_file
from render.errors import RenderError, SceneError, UnknownName, UsageError
from render.parameters import P, Parameter, Parameters, check_member_name, make_record
from render.request import Request, Value
from render.wording import make_harmless

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
        """Fill in all parameters and the limit: defaults, over them the view, over it those given.

        Raises UnknownName for a view or a parameter, UsageError for a value out of range.
        """
        if view not in self.views:
            raise UnknownName(f"view of scene {self.name}", view, self.views)
        chosen = dict(self.views[view])
        limit = int(chosen.pop("limit", self.limit))
        for name in given:
            if name not in self.parameters:
                raise UnknownName(f"parameter of scene {self.name}", name, self.parameters)
        chosen_values = chosen | dict(given)
        return {
            name: parameter.check(name, chosen_values.get(name, parameter.default))
            for name, parameter in sorted(self.parameters.items())
        }, limit

    def as_dict(self) -> dict[str, Any]:
        """Convert to JSON's types."""
        return {
            "scene": self.name,
            "about": self.about,
            "limit": self.limit,
            "precision": self.precision,
            "parameters": {
                name: one._asdict() | {"choices": list(one.choices)} for name, one in self.parameters.items()
            },
            "views": self.views,
        }

    def format_lines(self, *, parameters: bool) -> list[str]:
        """Describe the scene for people: its views, and its parameters where wanted."""
        lines = [f"{self.name}: {self.about}", f"  views: {', '.join(self.views)}"]
        lines += self._describe_parameters() if parameters else [f"  parameters: {', '.join(self.parameters)}"]
        return [make_harmless(line) for line in lines]

    def _describe_parameters(self) -> list[str]:
        lines = [f"  limit {self.limit}, precision {self.precision}", "  parameters:"]
        wide = max(map(len, self.parameters))
        defaults = max(len(str(one.default)) for one in self.parameters.values())
        for name, one in self.parameters.items():
            bounds = ", ".join(one.choices) or f"{one.lowest:g} to {one.highest:g}"
            lines.append(f"    {name:{wide}}  {one.default!s:{defaults}}  ({bounds})  {one.about}")
        return lines

    def prepared(self, request: Request) -> P:
        """Make `p` as the scene's functions take it: a named tuple of scalars and arrays in the request's precision.

        Its real numbers are lanes to the scene; its whole numbers are plain, so they may steer loops and branches.

        Parameters are rounded to that precision once, before `prepare` sees them, so that what it computes is
        computed in that precision too. Raises SceneError where `prepare` fails or gives what no lane can take.
        """
        real = REALS[request.precision]
        prepare = self.functions.get("prepare")
        with np.errstate(all="ignore"):
            values: Any = Parameters({name: _as_lane(real, value) for name, value in request.parameters})
            if prepare:
                try:
                    with contain_exits():
                        values = _check_members(prepare(values, (request.width, request.height)))
                except RenderError:
                    raise
                except Exception as error:
                    raise self.function_error("prepare", error) from error
            try:
                fields = {name: _as_lane(real, value) for name, value in values.items() if not isinstance(value, str)}
            except (TypeError, ValueError, OverflowError) as error:
                raise self.function_error("prepare", error) from error
        return make_record(fields)

    def function_error(self, name: str, error: Exception) -> SceneError:
        """Report a fault of one of the functions, with the line that raised it, or else that of the function."""
        line = error_line(self.path, error) or self.functions[name].__code__.co_firstlineno
        return SceneError(f"{self.path}, line {line}: {name}: {describe_error(error)}", rules.CONTRACT)


def _check_members(members: Any) -> Mapping[str, Any]:
    """Check the members that `prepare` returned, by name. Raises TypeError or ValueError where they are none."""
    if not isinstance(members, Mapping):
        if not hasattr(members, "_asdict"):
            raise TypeError(f"it must give a dict of numbers and arrays, not {type(members).__name__}")
        members = members._asdict()
    for name in members:
        check_member_name(name)
    return dict(members)


def _as_lane(real: Real, value: Any) -> Any:
    """Convert a value for lanes: floats to `real`, arrays flat, read-only and in `real`, the rest as it is.

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
def scene_folder() -> Path:
    """Find the folder of our scenes: beside this module in a wheel, beside the package in a source tree."""
    inside = Path(__file__).parent / "scenes"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "scenes"


def names() -> list[str]:
    """List the scenes that come with the program."""
    return sorted(path.stem for path in scene_folder().glob("[!_]*.py"))


def load(name: str) -> Scene:
    """Load the scene of this name, or in this file (anything that ends in .py or has a path separator).

    A file that has changed is loaded anew. Raises UnknownName, UsageError for a file that cannot be read, or SceneError
    with the rule that it breaks and the line.
    """
    if not name.endswith(".py") and "/" not in name and "\\" not in name:
        if name not in names():
            raise UnknownName("scene", name, names())
        path = scene_folder() / f"{name}.py"
        return _load_current(path, path.read_bytes())
    remedy = "give the path of a Python file, or the name of a scene"
    try:
        path = Path(name).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no scene file {name}", remedy)
        return _load_current(path, path.read_bytes())
    except (OSError, RuntimeError) as error:  # RuntimeError: no such user's home
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read the scene file {name}: {why}", remedy) from error


def _load_current(path: Path, source: bytes) -> Scene:
    """Load the scene in this file; run it anew where the file has changed, or a module that it imports."""
    known = _run_file(path, source)
    if not known.imports.is_current():
        _run_file.cache_clear()
        known = _run_file(path, source)
    return known.scene


class _RunFile(NamedTuple):
    """A scene, and what its file found when it was run."""

    scene: Scene
    imports: Imports


@lru_cache(maxsize=32)
def _run_file(path: Path, source: bytes) -> _RunFile:
    try:
        tree = ast.parse(source, str(path))
        code = compile(tree, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # a zero byte, or nested too deep
        line, why = getattr(error, "lineno", None) or 1, getattr(error, "msg", None) or error
        raise SceneError(f"{path}, line {line}: {why}", "fix the syntax") from error
    source_file = rules.Source(path, tree, run_file(path, code))
    return _RunFile(_build_scene(source_file), Imports.of(source_file.module, tree))


def _build_scene(source: rules.Source) -> Scene:
    """Build a Scene from a file that was run. Raises SceneError at the first rule it breaks."""
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
            raise source.rule_error(f"view {name!r}: {error}", "VIEWS", error.remedy, name) from error
    return scene
