"""From what was asked to a complete, checked request.

Options come from the command line or from keyword arguments alike; what is missing is filled in from the scene, the
mode and the machine. An option that belongs to another mode is wrong use: it would be ignored in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from render import backends, machine, modes, scene, targets
from render.errors import UnknownName, UsageError
from render.frontend.hints import parameter_owner
from render.plan import ORDERS, band, default_tile
from render.request import LONGEST_WAIT, PRECISIONS, Request, Value
from render.sampling import grid
from render.wording import count

DEFAULTS: dict[str, Any] = {
    "scene": "mandelbrot",
    "view": None,
    "parameters": {},
    "size": (1280, 720),
    "samples": 4,
    "limit": None,
    "precision": "auto",
    "mode": "parallel",
    "target": None,
    "wait": 0,
    "tile": None,
    "order": "rows",
    "only_tile": None,
}
OWN: dict[str, Any] = {  # each some mode's alone
    "workers": None,
    "backend": None,
    "in_flight": None,
    "simulate": False,
}
DEFAULTS |= OWN
IN_FLIGHT = 4


def complete(**asked: Any) -> Request:
    """The request for these options (see DEFAULTS for all of them); None stands for the default.

    Raises UsageError, UnknownName or SceneError for anything that makes no sense.
    """
    return complete_from(asked, scene.load)


def complete_from(asked: Mapping[str, Any], load: Callable[[str], scene.Scene]) -> Request:
    """Make the request as `complete` does; `load` gives the scene of a name."""
    for name in asked:
        if name not in DEFAULTS:
            raise _unknown(name, asked)
    options = DEFAULTS | {name: value for name, value in asked.items() if value is not None}
    mode = modes.load(str(options["mode"]))
    _own_options(options, mode)
    loaded = load(str(options["scene"]))
    view = next(iter(loaded.views)) if options["view"] is None else str(options["view"])
    values, limit = loaded.settle(view, options["parameters"])
    width, height = pair(options["size"], "size")
    precision = _one_of((*PRECISIONS, "auto"), options["precision"], "precision")
    precision = loaded.precision if precision == "auto" else precision
    target = _target(options, mode, precision)
    workers = machine.default_workers() if options["workers"] is None else count_workers(options["workers"])
    request = Request(
        scene=str(options["scene"]),
        view=view,
        parameters=tuple(sorted(values.items())),
        width=width,
        height=height,
        samples=whole(options["samples"], "samples"),
        limit=limit if options["limit"] is None else whole(options["limit"], "limit"),
        precision=precision,
        mode=str(options["mode"]),
        target=target,
        backend=_backend(options, mode),
        workers=workers,
        in_flight=IN_FLIGHT if options["in_flight"] is None else whole(options["in_flight"], "in flight"),
        wait_ns=duration(options["wait"]),
        tile=_own_tile(target, width, height, workers) if options["tile"] is None else pair(options["tile"], "tile"),
        order=_one_of(ORDERS, options["order"], "order"),
        only_tile=None if options["only_tile"] is None else whole(options["only_tile"], "only tile"),
        simulate=bool(options["simulate"]),
    )
    _fits(request)
    return request


def _unknown(name: str, asked: Mapping[str, Any]) -> UnknownName:
    """The error for an option that there is not; of a scene's parameter it says where that goes."""
    owner = parameter_owner(name, str(asked.get("scene") or DEFAULTS["scene"]))
    remedy = f'it is a parameter of scene {owner}: pass parameters={{"{name}": ...}}' if owner else ""
    return UnknownName("option", name, DEFAULTS, remedy)


def count_workers(asked: Any) -> int:
    """How many workers were asked for: of a number below zero, -1 is all CPUs allowed, -2 all but one, and so on.

    joblib counts so too. Raises UsageError for what is no whole number, or leaves none.
    """
    workers, there = whole(asked, "workers"), machine.cpus()
    if workers > 0:
        return workers
    if workers < -there or not workers:
        why = f": this process may use {count(there, 'CPU')}, and that leaves none" if workers else ""
        raise UsageError(f"workers is {workers}{why}", "give a number from 1, or -1 for all CPUs that it may use")
    return there + 1 + workers


def _own_options(options: Mapping[str, Any], mode: modes.Mode) -> None:
    """Raise UsageError for an option that another mode would take and this one does not."""
    for option, default in OWN.items():
        if options[option] != default and option not in mode.OPTIONS:
            owner = next(name for name in modes.names() if option in modes.load(name).OPTIONS)
            word = spelled(option)
            raise UsageError(
                f"{word} means nothing in mode {options['mode']}", f"add --mode {owner}, or leave {word} out"
            )


def spelled(option: str) -> str:
    """How an option of OWN is typed where it is not left at its default."""
    return f"--{'no-' if OWN[option] is True else ''}{option.replace('_', '-')}"


def _own_tile(target: str, width: int, height: int, workers: int) -> tuple[int, int]:
    """The tile where none was asked for: a band that suits the target's launches, or a square that suits workers."""
    multiple = targets.load(target).BAND_ROWS
    return band(width, height, multiple) if multiple else default_tile(width, height, workers)


def _target(options: Mapping[str, Any], mode: modes.Mode, precision: str) -> str:
    """The target asked for, or the default of the mode's kind. Raises UsageError for what does not go together."""
    asked = options["target"]
    target = targets.KINDS[mode.KIND].default if asked is None else _one_of(targets.names(), asked, "target")
    loaded = targets.load(target)
    if loaded.KIND != mode.KIND:
        theirs = ", ".join(targets.of_kind(mode.KIND))
        raise UsageError(f"mode {options['mode']} does not go with target {target}", f"its targets: {theirs}")
    if precision not in loaded.PRECISIONS:
        theirs = " or ".join(f"--precision {name}" for name in loaded.PRECISIONS)
        raise UsageError(f"target {target} does not know precision {precision}", f"give {theirs}")
    return target


def _backend(options: Mapping[str, Any], mode: modes.Mode) -> str | None:
    """The backend asked for, or the one that is taken by itself; None where a mode has none."""
    if "backend" not in mode.OPTIONS:
        return None
    asked = options["backend"]
    return backends.DEFAULT if asked is None else _one_of(backends.names(), asked, "backend")


def _one_of(known: Iterable[str], asked: Any, kind: str) -> str:
    """The name that was asked for. Raises UnknownName."""
    if str(asked) not in known:
        raise UnknownName(kind, str(asked), known)
    return str(asked)


def _fits(request: Request) -> None:
    """Raise UsageError where the precision cannot tell neighbouring pixels apart, or does not reach so far."""
    at, values = grid(request), request.values
    pitch, away = float(at.pitch), max(abs(float(at.x0)), abs(float(at.y0)))
    deeper = "" if request.precision == "f64" else ", or use --precision f64"
    if not math.isfinite(pitch) or not math.isfinite(away):
        raise UsageError(f"{request.precision} does not reach as far as this frame", f"zoom in, nearer to 0{deeper}")
    if pitch < max(away, pitch) * 2.0 ** (-52 if request.precision == "f64" else -23) / 4 or not pitch:
        raise UsageError(
            f"zoom {values['zoom']:g} is too deep for {request.precision}: neighbouring pixels would be the same point",
            f"zoom out{deeper}",
        )


def whole(value: Any, name: str) -> int:
    """A whole number. Raises UsageError."""
    try:
        if isinstance(value, float) and not value.is_integer():
            raise ValueError
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{name} is {value!r:.60}, which is not a whole number", "for example 4") from None


def pair(value: Any, name: str) -> tuple[int, int]:
    """Two whole numbers: (1280, 720), "1280x720"; one stands for both. Raises UsageError."""
    if isinstance(value, str):
        value = value.lower().replace("×", "x").split("x")
    parts = list(value) if isinstance(value, (list, tuple)) else [value]
    written = f"{name} is {'x'.join(map(str, parts))!r:.60}"
    if len(parts) not in (1, 2):
        raise UsageError(written, "give WIDTHxHEIGHT, for example 1280x720")
    try:
        first, second = (whole(part, name) for part in (parts * 2)[:2])
    except UsageError:
        raise UsageError(written, "give WIDTHxHEIGHT, for example 1280x720") from None
    if min(first, second) < 1:
        raise UsageError(written, "give at least one pixel each way")
    return first, second


UNITS = {"": 1_000_000, "ms": 1_000_000, "s": 1_000_000_000, "us": 1_000}


def duration(value: Any) -> int:
    """Nanoseconds from "50ms", "0.05s", or a number of milliseconds. Raises UsageError."""
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d*)?|\.\d+)\s*(ms|us|s|)\s*", str(value))
    if match is None:
        raise UsageError(f"wait is {value!r:.60}", "give milliseconds, for example 50ms")
    waiting = round(float(match[1]) * UNITS[match[2]])
    if waiting > LONGEST_WAIT:
        raise UsageError(f"wait is {value!r:.60}", "give an hour at most, for example 50ms")
    return waiting


def settings(words: list[str]) -> dict[str, Value]:
    """Parameters from `name=value` words; the scene checks them. Raises UsageError."""
    found: dict[str, Value] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set {word:.60} has no value", "write --set name=value, for example --set zoom=100")
        found[name.strip()] = value.strip()
    return found
