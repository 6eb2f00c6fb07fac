"""Incidents of a run: workers that were lost, tiles that an earlier run had done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from render.trace import Trace
from render.wording import count, join_words

COMINGS = {  # facts that list workers of a cluster
    "workers_left": "left the cluster midway, and others painted what was not done",
    "workers_silent": "gave no sign of life any more, and others painted what was not done",
    "workers_joined": "joined midway",
    "workers_left_out": "could not take part",
}
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
    for fact, happened in COMINGS.items():
        names = trace.facts.get(fact)
        if isinstance(names, list) and names:
            listed = [str(name)[:100] for name in names[:MOST_NAMED]]
            listed += [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
            yield f"{count(len(names), 'worker')} {happened}: {join_words(listed)}"
