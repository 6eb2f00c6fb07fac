"""Incidents of a run: workers that were lost, tiles that an earlier run had done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from render.trace import Trace
from render.wording import count, join_words

MOST_NAMED = 4  # ways in which workers were lost, each with its tile


def count_resumed(trace: Trace) -> int:
    """Count the tiles that were taken from a journal."""
    resumed = trace.facts.get("resumed", 0)
    return resumed if type(resumed) is int and resumed > 0 else 0


def describe_incidents(trace: Trace) -> Iterator[str]:
    """Say what happened, a sentence for each kind."""
    resumed = count_resumed(trace)
    if resumed:
        yield f"{count(resumed, 'tile')} had been painted by an interrupted run, and came from its journal"
    lost = trace.facts.get("lost_workers")
    if isinstance(lost, str) and lost:
        ways = Counter(way[:60] for way in lost.split("; "))
        named = [f"{way}{f' ({times} times)' if times > 1 else ''}" for way, times in ways.most_common(MOST_NAMED)]
        more = len(ways) - len(named)
        named += [f"{more} more" if more else ""]
        yield f"{count(ways.total(), 'worker')} had to be replaced: {join_words([name for name in named if name])}"
