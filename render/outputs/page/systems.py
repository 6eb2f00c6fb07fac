"""Which real systems work like each of the four ways, and like a graphics card; one sentence each."""

from __future__ import annotations

from typing import NamedTuple


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
