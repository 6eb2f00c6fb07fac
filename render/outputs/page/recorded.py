"""A run of a real GPU that was recorded elsewhere, for pages made where there is none.

It stands in a section of its own, with a stamp, and counts in no figure, conclusion or ranking of the page. The file is
package data: JSON packed by gzip, with columns of whole numbers. Times are quantised, so its figures are those of the
recorded run to a per cent or so.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import Any

import numpy as np

from render.findings.foremost import foremost_blocks
from render.frame import Frame, Frames
from render.outputs.page.runs import Run
from render.request import Request
from render.trace import Span, Spans, Trace, Worker
from render.trace.spans import KINDS, NUMBER
from render.wording import escape_html

FILE = "recorded.json.gz"
COLUMNS = ("worker", "tile", "kind", "t0", "t1")
FACTS = ("device", "multiprocessors", "card_clock_error_ns", "recorded")


def choose_recorded(frames: Frames) -> Run | None:
    """Load the recorded run for the page of a race in which no real GPU painted; None for all other pages."""
    painted = any(frame.trace.multiprocessors for frame in frames)
    if frames.kind != "race" or frames.explanation or painted or not frames.recorded:
        return None
    return load_run()


def stamp(run: Run) -> str:
    """Say as HTML what this is, and what it is not."""
    facts = run.frame.trace.facts
    request = run.frame.request
    picture = f"{request.scene}, view {request.view}, {request.width} × {request.height} pixels"
    return (
        f'<p class="stamp"><b>Recorded on an {escape_html(facts["device"])}</b>, {escape_html(facts["recorded"])}, '
        f"painting {escape_html(picture)}. It is no run of this machine, and counts in none of the figures above.</p>"
    )


@cache
def load_run() -> Run:
    """Read the recorded run."""
    stored = json.loads(gzip.decompress(files(__package__).joinpath(FILE).read_bytes()))
    worker, tile, kind, t0, t1 = (np.array(list(accumulate(stored["columns"][name]))) for name in COLUMNS)
    kind = np.array([NUMBER[name] for name in stored["kinds"]])[kind]
    workers = [Worker(*row) for row in stored["workers"]]
    spans = Spans(workers, worker, tile, kind, t0 * stored["unit"], t1 * stored["unit"])
    end = int(spans.t1.max())
    trace = Trace(spans, 0, 0, end, stored["facts"])
    request = Request.from_dict(stored["request"])
    return Run(Frame(np.zeros((1, 1, 3), np.uint8), None, 0, request, trace))


def pack_run(frame: Frame, when: str, unit: int) -> bytes:
    """Pack a run of mode cuda, recorded then, as `load_run` reads it; `unit`: ns that times are multiples of.

    Of what a multiprocessor had at the same instant, that which started last is kept, as it is shown.
    """
    blocks = [span for spans in foremost_blocks(frame.trace).values() for span in spans]
    streams = [span for span in frame.trace.spans if span.tile >= 0 and span.kind in ("launch", "paint", "transfer")]
    zero = min(span.t0 for span in streams)
    kept = [span for span in (_quantise(span, zero, unit) for span in (*streams, *blocks)) if span.t0 < span.t1]
    columns: dict[str, Any] = {}
    table = Spans.of(kept)
    order = np.lexsort((table.t0, table.worker, table.kind == NUMBER["block"]))
    for name in COLUMNS:
        values = getattr(table, name)[order].tolist()
        columns[name] = [value - before for value, before in zip(values, [0, *values], strict=False)]
    made = {
        "unit": unit,
        "kinds": KINDS,
        "request": frame.request.as_dict(),
        "facts": {name: fact for name, fact in (frame.trace.facts | {"recorded": when}).items() if name in FACTS},
        "workers": [list(worker._replace(process=0)) for worker in table.workers],
        "columns": columns,
    }
    return gzip.compress(json.dumps(made, separators=(",", ":")).encode(), 9, mtime=0)


def _quantise(span: Span, zero: int, unit: int) -> Span:
    return span._replace(t0=round((span.t0 - zero) / unit), t1=round((span.t1 - zero) / unit))
