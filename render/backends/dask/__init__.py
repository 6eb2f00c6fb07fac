"""Backend `dask`: the workers of a Dask cluster, on this machine or on many. Every tile once, but those that were lost.

Dask's own client stands behind the mode's protocol, and not joblib's Dask backend: that of joblib 1.6 never reports a
task that Dask gives up (a worker killed again and again, no worker left), so that its caller waits for ever; and with
one slot it paints in the client.

Only data travel: the request, the numbers that the scene's `prepare` made, tile numbers, and of a user's scene the
text of its file with its hash (`messages`). A worker compiles for its own CPU, with a cache of its own, paints tiles
into private windows, and returns pixels and spans (`worker`). The client keeps a few tiles in flight for each slot and
takes them as they come (`crew`); it sees now and then which workers there are, whether they can take part (`members`),
and who does not answer (`silence`). The clock of each is tied to this process's (`hosts`); `connection` finds the
scheduler; `local` starts a cluster on this machine.

Dask paints a lost worker's tiles again elsewhere; those of a worker that nothing is heard of are taken back from it.
A tile whose workers die again and again is tried once more, alone, and then given up as failed. A scheduler that is
lost ends the run; what is finished is in the journal by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.painting.painter import Done, Painter
    from render.plan import Tile

NEEDS_SHARED_CANVAS = False  # pixels are sent


def unavailable_reason() -> tuple[str, str] | None:
    """Say that Dask is not installed, and how to install it; None if it is."""
    missing = [name for name in ("dask", "distributed") if find_spec(name) is None]
    if missing:
        return f"backend dask needs {missing[0]}, which is not installed", "install it: pip install 'render[cluster]'"
    return None


def run(tiles: Sequence[Tile], painter: Painter) -> Iterator[Done]:
    """Paint the tiles on the workers of a cluster; yield each as it comes.

    Raises ModeUnavailable where no scheduler answers or no worker can take part, RenderError where the cluster is lost,
    TileError for a tile that fails, hangs, or kills its workers.
    """
    with painter.recorder.span("import"):
        from render.backends.dask.connection import lend_connection
        from render.backends.dask.crew import Crew

    with ExitStack() as stack:
        connection = stack.enter_context(lend_connection(painter.request, painter.recorder))
        crew = stack.enter_context(closing(Crew(connection, painter, len(tiles))))
        crew.start_workers()
        yield from crew.paint_tiles(tiles)
