"""Real systems that work like each of the four ways, and like a graphics card; one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from render.outputs.page.runs import Run
from render.wording import join_words


class System(NamedTuple):
    """A way to work: its names in the field, and what works like it."""

    way: str
    names: str
    about: str


ONE_BY_ONE, JUGGLING, SIDE_BY_SIDE, BOTH = (False, False), (False, True), (True, False), (True, True)

SYSTEMS = {  # by (several workers, each juggles)
    ONE_BY_ONE: System(
        "One worker, one task at a time",
        "a shell script, a for loop",
        "A shell script, a for loop, the cells of a notebook: the next one starts when the last one has finished.",
    ),
    JUGGLING: System(
        "One worker that juggles",
        "Node.js, asyncio, Redis",
        "Node.js, Python's asyncio and Redis serve thousands of clients on one thread: an event loop turns to another "
        "client while one waits for its data. So does a video player that loads the next part while it plays this one.",
    ),
    SIDE_BY_SIDE: System(
        "Several workers, one task each",
        "make -j, PostgreSQL",
        "make -j compiles files side by side, PostgreSQL has a process for each connection, and film encoders and "
        "renderers give each CPU core a part of the work.",
    ),
    BOTH: System(
        "Several workers that juggle",
        "nginx, Go, Erlang",
        "nginx runs an event loop on each CPU core; Go and Erlang spread many thousands of small tasks over a few "
        "threads. Busy web servers work like this: they wait much, and compute on all cores.",
    ),
}
GPU = System(
    "A graphics card",
    "games, machine learning",
    "Games, film renderers and machine learning: the same few operations on millions of pixels or numbers at once.",
)


def describe_systems(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """Name the systems of each way, and the runs of the page that work alike."""
    painted = [run for run in runs if run.stats.tiles]
    for way, system in SYSTEMS.items():
        yield system.way, f"{system.about}{_name_runs([run for run in painted if not run.on_gpu and run.way == way])}"
    yield GPU.way, f"{GPU.about}{_name_runs([run for run in painted if run.on_gpu])}"


def _name_runs(runs: Sequence[Run]) -> str:
    return f" On this page: {join_words([run.frame.title for run in runs])}." if runs else ""
