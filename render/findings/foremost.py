"""Spans of one worker that overlap, as pieces that do not: how a GPU's multiprocessor is shown."""

from __future__ import annotations

from collections.abc import Iterable

from render.trace import Span, Trace, Worker


def foremost_blocks(trace: Trace) -> dict[Worker, list[Span]]:
    """Choose the block spans to show of each multiprocessor, by `foremost_spans`, in the order of their numbers."""
    blocks: dict[Worker, list[Span]] = {worker: [] for worker in trace.multiprocessors}
    for span in trace.of_kind("block"):
        blocks[span.worker].append(span)
    return {worker: foremost_spans(spans) for worker, spans in blocks.items()}


def foremost_spans(spans: Iterable[Span]) -> list[Span]:
    """Cut one worker's spans into pieces that do not overlap, by time: of several at an instant, the last to start.

    So is a multiprocessor shown that begins blocks of the next tile while the last blocks of the one before still run.
    """
    pieces: list[Span] = []
    open_: list[Span] = []  # by when they began; some may have ended
    now = 0

    def show(until: int | None) -> None:
        nonlocal now
        while open_ and (until is None or now < until):
            span = open_[-1]
            if span.t1 <= now:
                open_.pop()
                continue
            end = span.t1 if until is None else min(span.t1, until)
            if pieces and pieces[-1].t1 == now and pieces[-1].tile == span.tile:
                pieces[-1] = pieces[-1]._replace(t1=end)
            else:
                pieces.append(span._replace(t0=now, t1=end))
            now = end

    for span in sorted(spans, key=lambda span: (span.t0, -span.t1)):
        show(span.t0)
        now = span.t0
        open_.append(span)
    show(None)
    return pieces
