"""What a run was and did, as one JSON document: what `--json` prints and what a picture carries of its timings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike, fspath
from typing import Any

from render import stats
from render.findings import claims, schedule, sentences
from render.findings.evidence import Run, build_runs
from render.frame import Frame, identical


def draw_document(frame: Frame, out: Iterable[str | PathLike[str]] = ()) -> dict[str, Any]:
    """The document of one draw. Sizes are pixels, times seconds; `out` are the files that were made of it.

    `running` is how many workers were at a tile at the same instant. `on_cpu` is how many of them had a CPU (`mean`,
    null where that is not known, as on a GPU) and how many CPUs the process may use (`cpus`); what is said of
    parallelism is said of this. `seconds_all` is how long all tiles took in each repeat, in the order in which they
    were made; everything else is of the repeat with the median time. `sentences` are what terminal and page say of it.

    `ledger` is where the wall time went, in per cent by kind; it adds up to 100. `idle_percent` is what each worker was
    idle, in the order they began, of the time of all tiles; `left_alone_seconds` the longest that a begun tile was
    painted by nobody; `fairness` and `schedule` are explained in `render.findings.schedule`, also which of them are
    null where a card painted; `cpus` in `render.findings.claims`, and `claims` says them in a sentence (null where one
    worker was asked for and painted). `multiprocessors` are those of a graphics card that painted: how many, how many
    at once, and in per cent how busy (null where no block was recorded).
    """
    run = Run(frame)
    made = _describe_run(run, out)
    return made | {"sentences": [*made["sentences"], *sentences.conclusions([run])]}


def _describe_run(run: Run, out: Iterable[str | PathLike[str]] = ()) -> dict[str, Any]:
    frame, found = run.frame, run.stats
    request, facts = frame.request, frame.trace.facts
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
        "seconds_all": list(run.repeats.seconds),
        "ledger": found.shares,
        "steps": frame.total_steps,
        "running": found.running._asdict(),
        "on_cpu": found.on_cpu._asdict(),
        "in_flight": found.in_flight._asdict(),
        "switches": found.switches,
        "multiprocessors": _multiprocessor_figures(found),
        "first_tile_seconds": found.first_tile_seconds,
        "left_alone_seconds": found.left_alone_seconds,
        "idle_percent": [100 * share for share in how.idle],
        "fairness": how.fairness,
        "schedule": how.as_dict(),
        "cpus": run.claims.as_dict(),
        "claims": claims.describe_claims(frame.trace),
        "sentences": sentences.of(run),
        "sha256": frame.sha256,
        "out": [fspath(path) for path in out],
    }


def _multiprocessor_figures(found: stats.Stats) -> dict[str, float] | None:
    inside = found.multiprocessors
    if inside is None:
        return None
    return {"seen": inside.seen, "max": inside.max, "mean": inside.mean, "busy_percent": inside.mean_percent}


def race_document(frames: Sequence[Frame], not_run: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The document of a race: its draws, the modes that did not run and why, and whether all pictures are equal.

    Equal means the same pixels, and as many steps for them. Each draw has one more thing, `gain` over its baseline
    (`render.findings.schedule.Gain`, `render.frame.baseline`), null where there is none or the run is simulated.
    `repeats` is how often each mode ran; `sentences` are what terminal and page say of all runs together.
    """
    entered = build_runs(frames)
    return {
        "runs": [_describe_run(run) | {"gain": run.gain.as_dict() if run.gain else None} for run in entered],
        "not_run": [{"mode": mode, "reason": reason} for mode, reason in not_run],
        "identical": identical(frames),
        "repeats": max((len(run.repeats.seconds) for run in entered), default=0),
        "sentences": sentences.conclusions(entered),
    }
