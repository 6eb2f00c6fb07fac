"""From options to a complete, checked request.

Options come from the command line or from keyword arguments alike; what is missing is filled in from the scene, the
mode and the machine. An option that belongs to another mode is wrong use: it would be ignored in silence.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from render import backends, machine, modes, scene, targets
from render.errors import UnknownName, UsageError
from render.frontend.hints import parameter_owner
from render.plan import ORDERS, choose_band, choose_tile
from render.request import LONGEST_WAIT, MOST_WORKERS, PRECISIONS, Request, Value
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
    "tile_timeout": None,
    "cluster": None,
}
DEFAULTS |= OWN
SEVERAL = 16  # workers that tiles are cut for where nobody knows how many a cluster has


def complete(**asked: Any) -> Request:
    """Make the request for these options (see DEFAULTS for all of them); None stands for the default.

    Raises UsageError, UnknownName or SceneError for anything that makes no sense.
    """
    return complete_from(asked, scene.load)


def complete_from(given: Mapping[str, Any], load: Callable[[str], scene.Scene]) -> Request:
    """Make the request as `complete` does; `load` gives the scene of a name."""
    for name in given:
        if name not in DEFAULTS:
            raise _unknown_option(name, given)
    if not isinstance(given.get("parameters"), Mapping | None):
        written = repr(given["parameters"])[:60]
        raise UsageError(f"parameters is {written}", 'give them by name, for example parameters={"zoom": 100}')
    options = DEFAULTS | {name: value for name, value in given.items() if value is not None}
    mode = modes.load(str(options["mode"]))
    _check_own_options(options, mode)
    loaded = load(str(options["scene"]))
    view = next(iter(loaded.views)) if options["view"] is None else str(options["view"])
    values, limit = loaded.settle(view, options["parameters"])
    width, height = parse_pair(options["size"], "size")
    precision = _one_of((*PRECISIONS, "auto"), options["precision"], "precision")
    precision = loaded.precision if precision == "auto" else precision
    target = _choose_target(options, mode, precision)
    backend = _choose_backend(options, mode)
    cluster = None if options["cluster"] is None else parse_cluster(options["cluster"])
    workers = _choose_workers(options["workers"], cluster)
    request = Request(
        scene=str(options["scene"]),
        view=view,
        parameters=tuple(sorted(values.items())),
        width=width,
        height=height,
        samples=parse_whole(options["samples"], "samples"),
        limit=limit if options["limit"] is None else parse_whole(options["limit"], "limit"),
        precision=precision,
        mode=str(options["mode"]),
        target=target,
        backend=backend,
        workers=workers,
        in_flight=mode.IN_FLIGHT if options["in_flight"] is None else parse_whole(options["in_flight"], "in flight"),
        wait_ns=parse_duration(options["wait"]),
        tile=_choose_tile(target, width, height, workers if cluster is None else min(workers, SEVERAL))
        if options["tile"] is None
        else parse_pair(options["tile"], "tile"),
        order=_one_of(ORDERS, options["order"], "order"),
        only_tile=None if options["only_tile"] is None else parse_whole(options["only_tile"], "only tile"),
        simulate=bool(options["simulate"]),
        tile_timeout_ns=0 if options["tile_timeout"] is None else parse_timeout(options["tile_timeout"]),
        cluster=cluster,
    )
    _check_precision(request)
    return request


def names_subject(given: Mapping[str, Any]) -> bool:
    """Tell if options say what to draw: else a race or a lesson draws a frame of its own choice."""
    return any(given.get(name) for name in ("scene", "view", "parameters"))


def _unknown_option(name: str, given: Mapping[str, Any]) -> UnknownName:
    """Make the error for an unknown option; if it is a parameter of the scene, say where that goes."""
    owner = parameter_owner(name, str(given.get("scene") or DEFAULTS["scene"]))
    remedy = f'it is a parameter of scene {owner}: pass parameters={{"{name}": ...}}' if owner else ""
    return UnknownName("option", name, DEFAULTS, remedy)


def _choose_workers(value: Any, cluster: str | None) -> int:
    """Count the workers; of a cluster the most that are used: all that there are, where no number is given or -1.

    Raises UsageError as `count_workers` does, and for "all but some" of a cluster, whose number may change.
    """
    if cluster is None:
        return machine.default_workers() if value is None else count_workers(value)
    most = -1 if value is None else parse_whole(value, "workers")
    if most < -1 or most == 0:
        raise UsageError(f"workers is {most}", "give the most of the cluster's workers to use, or leave it out: all")
    return MOST_WORKERS if most == -1 else most


def count_workers(value: Any) -> int:
    """Count the requested workers: of a number below zero, -1 is all CPUs allowed, -2 all but one, and so on.

    joblib counts so too. Raises UsageError for what is no whole number, or leaves none.
    """
    workers = parse_whole(value, "workers")
    if workers > 0:
        return workers
    available = machine.cpus()
    if workers < -available or not workers:
        why = f": this process may use {count(available, 'CPU')}, and that leaves none" if workers else ""
        raise UsageError(f"workers is {workers}{why}", "give a number from 1, or -1 for all CPUs that it may use")
    return available + 1 + workers


def _check_own_options(options: Mapping[str, Any], mode: modes.Mode) -> None:
    """Raise UsageError for an option that another mode would take and this one does not."""
    for option, default in OWN.items():
        if options[option] != default and option not in mode.OPTIONS:
            owner = next(name for name in modes.names() if option in modes.load(name).OPTIONS)
            raise _misplaced_option(option, f"mode {options['mode']}", f"--mode {owner}")


def _misplaced_option(option: str, what: str, owner: str) -> UsageError:
    word = spell_option(option)
    return UsageError(f"{word} does not apply to {what}", f"add {owner}, or leave {word} out")


def spell_option(option: str) -> str:
    """Spell an option of OWN as it is typed where it is not left at its default."""
    return f"--{'no-' if OWN[option] is True else ''}{option.replace('_', '-')}"


def _choose_tile(target: str, width: int, height: int, workers: int) -> tuple[int, int]:
    """Choose a tile where none is given: a band that suits the target's launches, or a square that suits workers."""
    multiple = targets.load(target).BAND_ROWS
    return choose_band(width, height, multiple) if multiple else choose_tile(width, height, workers)


def _choose_target(options: Mapping[str, Any], mode: modes.Mode, precision: str) -> str:
    """Return the given target, or the default of the mode's kind. Raises UsageError where they do not go together."""
    requested, default = options["target"], targets.KINDS[mode.KIND].default_target
    target = default if requested is None else _one_of(targets.names(), requested, "target")
    loaded = targets.load(target)
    if loaded.KIND != mode.KIND:
        theirs = ", ".join(targets.of_kind(mode.KIND))
        raise UsageError(f"mode {options['mode']} does not go with target {target}", f"its targets: {theirs}")
    if precision not in loaded.PRECISIONS:
        theirs = " or ".join(f"--precision {name}" for name in loaded.PRECISIONS)
        raise UsageError(f"target {target} does not support precision {precision}", f"give {theirs}")
    return target


def _choose_backend(options: Mapping[str, Any], mode: modes.Mode) -> str | None:
    """Return the given backend, or the default; None where a mode has none."""
    if "backend" not in mode.OPTIONS:
        return None
    requested = options["backend"]
    backend = backends.DEFAULT if requested is None else _one_of(backends.names(), requested, "backend")
    for option, owner in backends.OWN_OPTIONS.items():
        if options[option] is not None and backend != owner:
            raise _misplaced_option(option, f"backend {backend}", f"--backend {owner}")
    return backend


def _one_of(known: Iterable[str], value: Any, kind: str) -> str:
    """Check a name against the known ones. Raises UnknownName."""
    if str(value) not in known:
        raise UnknownName(kind, str(value), known)
    return str(value)


def _check_precision(request: Request) -> None:
    """Raise UsageError where the precision cannot tell neighbouring pixels apart, or does not reach so far."""
    at, values = grid(request), request.values
    pitch, away = float(at.pitch), max(abs(float(at.x0)), abs(float(at.y0)))
    deeper = "" if request.precision == "f64" else ", or use --precision f64"
    if not math.isfinite(pitch) or not math.isfinite(away):
        raise UsageError(
            f"{request.precision} cannot represent positions in this frame", f"zoom in, nearer to 0{deeper}"
        )
    if pitch < max(away, pitch) * 2.0 ** (-52 if request.precision == "f64" else -23) / 4 or not pitch:
        raise UsageError(
            f"zoom {values['zoom']:g} is too deep for {request.precision}: neighbouring pixels would be the same point",
            f"zoom out{deeper}",
        )


def parse_whole(value: Any, name: str) -> int:
    """Parse a whole number. Raises UsageError."""
    try:
        if isinstance(value, float) and not value.is_integer():
            raise ValueError
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{name} is {value!r:.60}, which is not a whole number", "give one, for example 4") from None


def parse_number(value: Any, name: str, remedy: str, lowest: float = 0.0, highest: float = sys.float_info.max) -> float:
    """Parse a number from `lowest` to `highest`. Raises UsageError."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not lowest <= number <= highest:
        raise UsageError(f"{name} is {value!r:.60}", remedy)
    return number


def parse_pair(value: Any, name: str) -> tuple[int, int]:
    """Parse two whole numbers: (1280, 720), "1280x720"; one stands for both. Raises UsageError."""
    if isinstance(value, str):
        value = value.lower().replace("×", "x").split("x")
    parts = list(value) if isinstance(value, (list, tuple)) else [value]
    written = f"{name} is {'x'.join(map(str, parts))!r:.60}"
    if len(parts) not in (1, 2):
        raise UsageError(written, "give WIDTHxHEIGHT, for example 1280x720")
    try:
        first, second = (parse_whole(part, name) for part in (parts * 2)[:2])
    except UsageError:
        raise UsageError(written, "give WIDTHxHEIGHT, for example 1280x720") from None
    if min(first, second) < 1:
        raise UsageError(written, "give at least one pixel each way")
    return first, second


def parse_cluster(value: Any) -> str:
    """Parse where a cluster's scheduler is: "tcp://host:8786", "tls://...", "host:8786", or the path of its file.

    Raises UsageError.
    """
    text = str(value).strip()
    address = re.fullmatch(r"(?:(tcp|tls|ws|wss)://)?(\[[0-9a-fA-F:.%]+\]|[\w.-]+):(\d{1,5})", text)
    if address is not None and 0 < int(address[3]) < 1 << 16:
        return text if address[1] else f"tcp://{text}"
    if not text or ("://" in text and not text.startswith("inproc://")) or address is not None:
        raise UsageError(
            f"cluster is {text!r:.60}", "give a scheduler's address, such as tcp://host:8786, or its scheduler file"
        )
    return text


LONGEST_TIMEOUT = 86_400  # seconds: a day
UNITS = {"": 1_000_000, "ms": 1_000_000, "s": 1_000_000_000, "us": 1_000}


def parse_duration(value: Any) -> int:
    """Parse "50ms", "0.05s", or a number of milliseconds, to nanoseconds. Raises UsageError."""
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d*)?|\.\d+)\s*(ms|us|s|)\s*", str(value))
    if match is None:
        raise UsageError(f"wait is {value!r:.60}", "give a time, for example 50ms or 0.2s")
    waiting = round(float(match[1]) * UNITS[match[2]])
    if waiting > LONGEST_WAIT:
        raise UsageError(f"wait is {value!r:.60}", "give an hour at most, for example 50ms")
    return waiting


def parse_timeout(value: Any) -> int:
    """Nanoseconds from seconds: "90", "90s". Raises UsageError for what is no number from 1 to a day of them."""
    remedy = f"give seconds, from 1 to {LONGEST_TIMEOUT}, for example 90"
    return round(parse_number(str(value).strip().removesuffix("s"), "tile timeout", remedy, 1, LONGEST_TIMEOUT) * 1e9)


def parse_settings(words: list[str]) -> dict[str, Value]:
    """Parse parameters from `name=value` words; the scene checks them. Raises UsageError."""
    values: dict[str, Value] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set {word:.60} has no value", "write --set name=value, for example --set zoom=100")
        values[name.strip()] = value.strip()
    return values
