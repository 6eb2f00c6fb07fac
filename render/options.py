"""From what was asked to a complete, checked request.

Options come from the command line or from keyword arguments alike; what is missing is filled in from the scene, the
mode and the machine. An option that belongs to another mode is wrong use: it would be ignored in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from render import machine, modes, scene, targets
from render.errors import UnknownName, UsageError
from render.plan import ORDERS, default_tile
from render.request import PRECISIONS, Request, Value

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
    "workers": None,
    "backend": None,
    "in_flight": None,
    "wait": 0,
    "tile": None,
    "order": "rows",
    "only_tile": None,
    "simulate": False,
}
IN_FLIGHT = 4


def complete(**asked: Any) -> Request:
    """The request for these options (see DEFAULTS for all of them); None stands for the default.

    Raises UsageError, UnknownName or SceneError for anything that makes no sense.
    """
    for name in asked:
        if name not in DEFAULTS:
            raise UnknownName("option", name, DEFAULTS)
    options = DEFAULTS | {name: value for name, value in asked.items() if value is not None}
    mode = modes.load(options["mode"])
    _own_options(options, mode)
    loaded = scene.load(str(options["scene"]))
    view = options["view"] or next(iter(loaded.views))
    values, limit = loaded.settle(view, options["parameters"])
    width, height = pair(options["size"], "size")
    precision = options["precision"]
    if precision not in (*PRECISIONS, "auto"):
        raise UnknownName("precision", str(precision), (*PRECISIONS, "auto"))
    if options["order"] not in ORDERS:
        raise UnknownName("order", str(options["order"]), ORDERS)
    workers = whole(options["workers"] or machine.default_workers(), "workers")
    request = Request(
        scene=str(options["scene"]),
        view=view,
        parameters=tuple(sorted(values.items())),
        width=width,
        height=height,
        samples=whole(options["samples"], "samples"),
        limit=whole(options["limit"] or limit, "limit") if options["limit"] != 0 else 0,
        precision=loaded.precision if precision == "auto" else precision,
        mode=options["mode"],
        target=_target(options, mode),
        backend=_backend(options, mode),
        workers=workers,
        in_flight=whole(options["in_flight"] or IN_FLIGHT, "in flight"),
        wait_ns=duration(options["wait"]),
        tile=pair(options["tile"], "tile") if options["tile"] else default_tile(width, height, workers),
        order=options["order"],
        only_tile=None if options["only_tile"] is None else whole(options["only_tile"], "only tile"),
        simulate=bool(options["simulate"]),
    )
    _fits(request)
    return request


def _own_options(options: Mapping[str, Any], mode: modes.Mode) -> None:
    """Raise UsageError for an option that another mode would take and this one does not."""
    owners = {option: name for name in modes.names() for option in modes.load(name).OPTIONS}
    for option, owner in owners.items():
        if options[option] and option not in mode.OPTIONS:
            spelled = option.replace("_", "-")
            raise UsageError(
                f"--{spelled} means nothing in mode {options['mode']}", f"add --mode {owner}, or leave --{spelled} out"
            )


def _target(options: Mapping[str, Any], mode: modes.Mode) -> str:
    """The target asked for, or the mode's first. Raises UsageError for a pair that does not go together."""
    target = options["target"] or mode.TARGETS[0]
    if target not in targets.names():
        raise UnknownName("target", target, targets.names())
    if target not in mode.TARGETS:
        raise UsageError(
            f"mode {options['mode']} does not go with target {target}", f"its targets: {', '.join(mode.TARGETS)}"
        )
    return str(target)


def _backend(options: Mapping[str, Any], mode: modes.Mode) -> str | None:
    """The backend asked for, or the mode's first; None where a mode has none."""
    known = getattr(mode, "BACKENDS", None)
    if known is None:
        return None
    backend = options["backend"] or known[0]
    if backend not in known:
        raise UnknownName("backend", backend, known)
    return str(backend)


def _fits(request: Request) -> None:
    """Raise UsageError where the pixels lie closer than the precision can tell apart."""
    values = request.values
    pitch = 4.0 / (float(values["zoom"]) * request.height)
    largest = max(abs(float(values["x"])), abs(float(values["y"])), pitch)
    if not math.isfinite(pitch) or pitch < largest * 2.0 ** (-52 if request.precision == "f64" else -23) / 4:
        raise UsageError(
            f"zoom {values['zoom']:g} is too deep for {request.precision}: neighbouring pixels would be the same point",
            "zoom out" if request.precision == "f64" else "zoom out, or use --precision f64",
        )


def whole(value: Any, name: str) -> int:
    """A whole number. Raises UsageError."""
    try:
        if isinstance(value, float) and not value.is_integer():
            raise ValueError
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{name} is {value!r}, which is not a whole number", "for example 4") from None


def pair(value: Any, name: str) -> tuple[int, int]:
    """Two whole numbers: (1280, 720), "1280x720"; one stands for both. Raises UsageError."""
    if isinstance(value, str):
        value = value.lower().replace("×", "x").split("x")
    parts = list(value) if isinstance(value, (list, tuple)) else [value]
    if len(parts) not in (1, 2):
        raise UsageError(f"{name} is {'x'.join(map(str, parts))!r}", "give WIDTHxHEIGHT, for example 1280x720")
    try:
        first, second = (int(part) for part in (parts * 2)[:2])
    except (TypeError, ValueError):
        raise UsageError(
            f"{name} is {'x'.join(map(str, parts))!r}", "give WIDTHxHEIGHT, for example 1280x720"
        ) from None
    if min(first, second) < 1:
        raise UsageError(f"{name} is {first}x{second}", "give at least one pixel each way")
    return first, second


UNITS = {"": 1_000_000, "ms": 1_000_000, "s": 1_000_000_000, "us": 1_000}


def duration(value: Any) -> int:
    """Nanoseconds from "50ms", "0.05s", or a number of milliseconds. Raises UsageError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|us|s|)\s*", str(value))
    if match is None:
        raise UsageError(f"wait is {value!r}", "give milliseconds, for example 50ms")
    return round(float(match[1]) * UNITS[match[2]])


def settings(words: list[str]) -> dict[str, Value]:
    """Parameters from `name=value` words; the scene checks them. Raises UsageError."""
    found: dict[str, Value] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set {word} has no value", "write --set name=value, for example --set zoom=100")
        found[name.strip()] = value.strip()
    return found
