"""What a run was and did, as one JSON document: what `--json` prints and what a picture carries of its timings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike, fspath
from typing import Any

from render import claims, schedule, stats
from render.frame import Frame, baseline, identical


def document(frame: Frame, out: Iterable[str | PathLike[str]] = ()) -> dict[str, Any]:
    """The document of one draw. Sizes are pixels, times seconds; `out` are the files that were made of it.

    `ledger` is where the wall time went, in per cent by kind; it adds up to 100. `idle_percent` is what each worker was
    idle, in the order they began, of the time of all tiles; `left_alone_seconds` the longest that a begun tile was
    painted by nobody; `fairness` and `schedule` are explained in `render.schedule`, also which of them are null where a
    card painted; `cpus` in `render.claims`, and `claims` says them in a sentence (null where one worker was asked for
    and painted). `multiprocessors` are those of a graphics card that painted: how many, how many at once, and in per
    cent how busy (null where no block was recorded).
    """
    request, facts = frame.request, frame.trace.facts
    found = stats.of(frame.trace)
    how = schedule.of(frame.trace, found)
    return {
        "scene": request.scene,
        "view": request.view,
        "parameters": request.values,
        "size": [request.width, request.height],
        "tile": list(request.tile),
        "samples": request.samples,
        "limit": request.limit,
        "precision": request.precision,
        "mode": request.mode,
        "title": frame.title,
        "target": request.target,
        "backend": request.backend,
        "device": facts.get("device", "unknown"),
        "simulated": frame.simulated,
        "workers": {"asked": facts.get("asked", 1), "seen": len(found.busy)},
        "tiles": found.tiles,
        "seconds": found.seconds,
        "ledger": found.shares,
        "steps": frame.total_steps,
        "running": found.running._asdict(),
        "in_flight": found.in_flight._asdict(),
        "switches": found.switches,
        "multiprocessors": _multiprocessors(found),
        "first_tile_seconds": found.first_tile_seconds,
        "left_alone_seconds": found.left_alone_seconds,
        "idle_percent": [100 * share for share in how.idle],
        "fairness": how.fairness,
        "schedule": how.as_dict(),
        "cpus": claims.of(frame.trace).as_dict(),
        "claims": claims.line(frame.trace),
        "sha256": frame.sha256,
        "out": [fspath(path) for path in out],
    }


def _multiprocessors(found: stats.Stats) -> dict[str, float] | None:
    inside = found.multiprocessors
    if inside is None:
        return None
    return {"seen": inside.seen, "max": inside.max, "mean": inside.mean, "busy_percent": inside.mean_percent}


def _gain(frame: Frame, base: Frame | None) -> dict[str, float | None] | None:
    if base is None or frame.simulated:
        return None
    return schedule.gain(frame.trace, base.trace).as_dict()


def race_document(frames: Sequence[Frame], not_run: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The document of a race: its draws, the modes that did not run and why, and whether all pictures are equal.

    Equal means the same pixels, and as many steps for them. Each draw has one more thing, `gain` over its baseline
    (`render.schedule.Gain`, `render.frame.baseline`), null where there is none or the run is simulated.
    """
    return {
        "runs": [document(frame) | {"gain": _gain(frame, baseline(frame, frames))} for frame in frames],
        "not_run": [{"mode": mode, "reason": reason} for mode, reason in not_run],
        "identical": identical(frames),
    }
