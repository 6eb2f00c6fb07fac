"""The live lesson: the last seconds of the record, who waits and for what, and figures for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from render.server.account import format_sentences
from render.server.record import Asked

if TYPE_CHECKING:
    from render.server.clients import Clients
    from render.server.painting import Painting
    from render.server.service import Service

SHOWN_NS = 20_000_000_000
MOST_SHOWN = 300  # requests
ACCOUNT_NS = 60_000_000_000  # what the sentences are about


def describe(service: Service, you: int) -> dict[str, Any]:
    """Describe the last seconds, as JSON has it; times in ms before now. `you`: the number of who asks."""
    record, setting = service.record, service.setting
    now = record.clock()
    shown = record.since(now - SHOWN_NS)[-MOST_SHOWN:]
    at_work = {painting: worker for worker, painting in dict(service.workers.at_work).items()}
    return {
        "you": you,
        "title": setting.title,
        "workers": setting.workers,
        "switching": setting.switching,
        "slow_data_ms": setting.data_ns / 1e6,
        "shown_ms": SHOWN_NS / 1e6,
        "open": service.open,
        "waiting": service.workers.count_waiting(),
        "requests": [_as_dict(asked, now) | _describe_state(asked, at_work) for asked in shown],
        "sentences": format_sentences(record.since(now - ACCOUNT_NS), setting),
    }


def _describe_state(asked: Asked, at_work: Mapping[Painting, int]) -> dict[str, Any]:
    """Say what an open request waits for, or at which worker it is."""
    if asked.outcome:
        return {"state": "", "on": None}
    painting = asked.painting
    worker = at_work.get(painting) if painting is not None else None
    if painting is None or (worker is not None and painting.wait_ns):
        return {"state": "data", "on": worker}
    return {"state": "worker" if worker is None else "painted", "on": worker}


def _as_dict(asked: Asked, now: int) -> dict[str, Any]:
    def before(t: int) -> float:
        return round((now - t) / 1e6, 1)

    return {
        "number": asked.number,
        "user": asked.user,
        "label": asked.label,
        "arrived": before(asked.arrived),
        "waits": [[before(span.t0), before(span.t1)] for span in asked.waits],
        "paints": [[by, before(span.t0), before(span.t1)] for by, span in zip(asked.by, asked.paints, strict=False)],
        "done": before(asked.done) if asked.outcome else None,
        "outcome": asked.outcome,
    }


def list_metrics(service: Service, clients: Clients) -> Iterator[tuple[str, str, float, str]]:
    """Yield the name, kind, value and meaning of each figure."""
    counts: Counter[str] = service.counts
    for name, about in (
        ("requests", "Requests for tiles and bands."),
        ("painted", "Requests whose tile was painted for them."),
        ("cached", "Requests whose tile was known."),
        ("shared", "Requests whose tile was being painted for another."),
        ("gone", "Requests whose client left first."),
        ("dropped", "Tiles that nobody wanted any more before a worker had begun them."),
        ("stopped", "Tiles that nobody wanted any more while they were painted."),
        ("refused", "Requests refused because of too much to do."),
        ("failed", "Requests whose tile could not be painted."),
        ("lost_workers", "Processes of workers that died."),
    ):
        yield f"{name}_total", "counter", counts[name], about
    yield "painting_seconds_total", "counter", service.painting_ns / 1e9, "Time that workers have painted."
    yield "open_requests", "gauge", service.open, "Requests that are open."
    yield "waiting_tiles", "gauge", service.workers.count_waiting(), "Tiles that wait for a worker."
    yield "working", "gauge", len(service.workers.at_work), "Workers at a tile."
    yield "workers", "gauge", service.setting.workers, "Workers."
    yield "clients", "gauge", len(clients), "Clients that are known."
    yield "cache_bytes", "gauge", service.cache.bytes, "Size of the tiles that are kept."
