"""A run as one JSON document: what `--json` prints and what a picture carries of its timings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from os import PathLike, fspath
from typing import Any

from render.findings import claims, conclusions, incidents, sentences, stories
from render.findings.evidence import Run, build_runs
from render.findings.speed_up import build_curve
from render.frame import Frame, are_identical
from render.pictures.picture import OWNERS, REQUEST, TIMINGS
from render.pictures.provenance import encode_provenance


def draw_document(frame: Frame, out: Iterable[str | PathLike[str]] = ()) -> dict[str, Any]:
    """Make the document of one draw. Sizes are pixels, times seconds; `out` are the files that were made of it.

    `running` is how many workers were at a tile at the same instant, `in_flight` how many tiles were started but not
    finished, those that waited included, `waiting` how many waited, and how long all of them together. `on_cpu` is
    how many workers had a CPU (`mean`, null where that is not known, as on a GPU) and how many CPUs the process may use
    (`cpus`); parallelism is judged by this. `seconds_all` is how long all tiles took in each repeat, in order;
    everything else is of the repeat with the median time. `sentences` are what terminal and page say of it.

    `tiles` are those of the picture; so many of them as `resumed` were taken from the journal of an interrupted
    run, and no figure but `steps` counts them. `ledger` is where the wall time went, in per cent by kind; it adds
    up to 100. `idle_percent` is what each worker was idle, in the order they started, of the time of all tiles;
    `left_alone_seconds` the longest that a started tile was painted by nobody; `fairness` and `schedule` are
    explained in `render.findings.schedule`, also which of them are null where a GPU painted; `cpus` in
    `render.findings.claims`, and `claims` says them in a sentence (null where one worker was requested and
    painted). `hosts`, there only with a cluster, are the ones that painted: `host`, `workers` there, the number of its
    `machine`, and by how many seconds times of it may be wrong, `clock_error_seconds`. `multiprocessors` are those of a
    GPU that painted: how many, how many at once, and in per cent how busy (null where no thread block was recorded).
    `launches` is how many painted all tiles on a GPU, simulated too (null on CPUs).
    """
    run = Run(frame)
    described = _describe_run(run, out)
    return described | {"sentences": [*described["sentences"], *conclusions.of([run])]}


def collect_texts(frame: Frame) -> dict[str, str]:
    """Collect the texts that a picture's file carries, by keyword: request, owners of its tiles, timings."""
    timings = draw_document(frame)
    del timings["out"]
    owned = encode_provenance(frame.request, frame.title, frame.trace)
    return {REQUEST: json.dumps(frame.request.as_dict()), OWNERS: owned, TIMINGS: json.dumps(timings)}


def _describe_run(run: Run, out: Iterable[str | PathLike[str]] = ()) -> dict[str, Any]:
    frame, figures = run.frame, run.stats
    request, facts = frame.request, frame.trace.facts
    how, inside = run.schedule, figures.multiprocessors
    story = run.story
    hosts = claims.list_hosts(frame.trace)
    return (
        ({"story": story} if story else {})
        | ({"hosts": hosts} if hosts else {})
        | {
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
            "workers": {"asked": facts.get("asked", 1), "seen": len(figures.busy)},
            "tiles": figures.tiles + incidents.count_resumed(frame.trace),
            "resumed": incidents.count_resumed(frame.trace),
            "seconds": figures.seconds,
            "seconds_all": list(run.repeats.seconds),
            "ledger": figures.shares,
            "steps": frame.total_steps,
            "running": figures.running._asdict(),
            "on_cpu": figures.on_cpu._asdict(),
            "in_flight": figures.in_flight._asdict(),
            "waiting": figures.waiting._asdict(),
            "switches": figures.switches,
            "launches": figures.launches,
            "multiprocessors": inside
            and {"seen": inside.seen, "max": inside.max, "mean": inside.mean, "busy_percent": inside.mean_percent},
            "first_tile_seconds": figures.first_tile_seconds,
            "left_alone_seconds": figures.left_alone_seconds,
            "idle_percent": [100 * share for share in how.idle],
            "fairness": how.fairness,
            "schedule": how.as_dict(),
            "cpus": run.claims.as_dict(),
            "claims": claims.describe_claims(frame.trace),
            "sentences": sentences.of(run),
            "sha256": frame.sha256,
            "out": [fspath(path) for path in out],
        }
    )


def race_document(frames: Sequence[Frame], not_run: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Make the document of a race: its draws, the modes that did not run and why, and whether all pictures are equal.

    Equal means the same pixels, and as many steps for them. Each draw has one more thing, `gain` over its baseline
    (`render.findings.schedule.Gain`, `render.frame.find_baseline`), null where there is none or the run is simulated.
    `repeats` is how often each mode ran; `sentences` are what terminal and page say of all runs together.

    One plain run of each mode comes first. Runs with `story` follow: those of a story, which the race has as `story`
    (`name`, `about`, `follows`; `render.findings.stories`), and those of a speed-up curve, which `speed_up` has
    (`points`, `cpus`, `serial_fraction`, `baseline`; `render.findings.speed_up`). Both keys are only there with runs.
    """
    entered = build_runs(frames)
    curve = build_curve(entered)
    return {
        "runs": [_describe_run(run) | {"gain": run.gain.as_dict() if run.gain else None} for run in entered],
        "not_run": [{"mode": mode, "reason": reason} for mode, reason in not_run],
        "identical": are_identical(frames),
        "repeats": max((len(run.repeats.seconds) for run in entered), default=0),
        "sentences": conclusions.of_race(entered),
        **_describe_stories(entered),
        **({"speed_up": curve.as_dict()} if curve else {}),
    }


def _describe_stories(entered: Sequence[Run]) -> dict[str, Any]:
    """Give the key `story`: what the story of a race is about, and what follows from its runs; nothing without one."""
    follows = conclusions.tell_stories(entered)
    for run in entered:
        story = stories.story_of(run.frame)
        if story is not None:
            about = story.describe(run.frame.request.wait_ns)
            return {"story": {"name": story.name, "about": about, "follows": follows[story.name]}}
    return {}
