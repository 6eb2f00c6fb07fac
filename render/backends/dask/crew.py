"""The client's side of a run: a few tiles in flight for each slot of the cluster, taken as they come.

Everything happens in the thread that wants tiles; Dask's client has one of its own, which fetches results. Nothing here
waits for longer than a look takes: results that do not come are no reason not to see that the scheduler has gone.
"""

from __future__ import annotations

import contextlib
import pickle
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from queue import Empty
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from uuid import uuid4
from weakref import WeakKeyDictionary

from distributed import KilledWorker, as_completed

from render.backends.dask import worker
from render.backends.dask.members import Member, Members, describe_failure
from render.backends.dask.messages import SCENES, Call, Job, Refusal, Reply, describe_job
from render.backends.dask.silence import SilenceWatch
from render.errors import ModeUnavailable, RenderError, TileError
from render.painting.handfuls import SHORTEST, fair_share
from render.painting.liveness import LOOK_SECONDS
from render.painting.painter import Done
from render.painting.retries import Todo

if TYPE_CHECKING:
    from render.backends.dask.connection import Connection
    from render.painting.painter import Painter
    from render.plan import Tile

BATCH = 100_000_000  # ns that a task should take: one costs some 6 ms (benchmarks/sections/cluster.py)
MOST_AT_ONCE = 100  # tiles of a task
START_SECONDS = 60.0  # in which the first worker gets ready
GRACE_SECONDS = 10.0  # for which the others wait for a worker that does not get ready
WORKER_SECONDS = 30.0  # in which a cluster without workers has one; it is said after QUIET_SECONDS
QUIET_SECONDS = 2.0
LEFT_SECONDS = 20.0  # in which a cluster whose workers have all left has one again
MOST_DIED = 4  # workers that may die as they get ready before the first is ready
MOST_BOUNCES = 20  # of one tile
STRANDED = 3  # times that all workers a tile was sent to may leave with it


_KNOWN: WeakKeyDictionary[Connection, Members] = WeakKeyDictionary()  # those who took part in the last job


class Task(NamedTuple):
    """Tiles in flight. alone: nothing else was; sent: when (ns); workers: that they were restricted to, if any."""

    future: Any
    tiles: Sequence[Tile]
    alone: bool
    sent: int
    workers: Sequence[str] | None


class Crew:
    """The workers of a run of so many tiles."""

    def __init__(self, connection: Connection, painter: Painter, tiles: int) -> None:
        self._connection, self._client, self._painter = connection, connection.client, painter
        job, known = describe_job(uuid4().hex, painter.request), _KNOWN.get(connection)
        self._members = known if known is not None and known.fits(job) else Members(connection, job, painter.recorder)
        self._members.begin_run(painter.recorder)
        _KNOWN[connection] = self._members
        self._job: Job = self._members.job
        self._results = as_completed(loop=self._client.loop, with_results=True, raise_errors=False)
        self._tasks: dict[str, Task] = {}
        self._count = tiles
        self._tile_ns = SHORTEST  # that the last tiles took, each
        self._progress = time.monotonic()
        self._stranded: Counter[int] = Counter()
        self._bounced: Counter[int] = Counter()
        self._has_said_why = False  # nothing happens yet
        self._silence = SilenceWatch(self._members, self._client, self._job)

    def start_workers(self) -> None:
        """Greet all workers; give up waiting for some as soon as others may begin.

        Raises ModeUnavailable where none can take part.
        """
        with self._painter.recorder.span("start"):
            began, first = time.monotonic(), None
            while True:
                self._members.look()
                now = time.monotonic()
                if first is None and self._members.has_looked and self._members.ready:
                    first = now
                waiting = [one for one in self._members if not one.is_ready and not one.refusal]
                if first is None:
                    self._wait_for_first(waiting, now - began)
                elif not waiting or now > first + GRACE_SECONDS:
                    self._announce_late(waiting)
                    return
                time.sleep(0.01)

    def _wait_for_first(self, waiting: Sequence[Member], seconds: float) -> None:
        """Raise ModeUnavailable where it was long enough, or waiting is in vain."""
        members, died = list(self._members), self._members.died_unready
        if not self._members.has_looked:
            return
        if died >= MOST_DIED:
            raise self._unavailable("its workers die as they get ready")
        if members and not waiting:
            raise self._unavailable("none of its workers can take part: " + self._list_refusals())
        if members and all(one.is_silent for one in waiting):
            names = ", ".join(one.name for one in waiting[:4])
            raise self._unavailable(f"its workers do not answer ({names})")
        if members and seconds > START_SECONDS:
            raise self._unavailable("its workers do not get ready")
        if not members and seconds > WORKER_SECONDS:
            raise self._unavailable("its workers died as they got ready" if died else "it has no workers")
        if not members and seconds > QUIET_SECONDS and not self._has_said_why:
            self._has_said_why = True
            self._painter.recorder.announce(f"the cluster has no workers yet: it is given {WORKER_SECONDS:.0f} s")

    def paint_tiles(self, tiles: Sequence[Tile]) -> Iterator[Done]:
        """Yield each tile as it comes. Raises TileError; for one that is given up, when all others are done."""
        todo = Todo(tiles, self._painter.tile_failure)
        self._progress = time.monotonic()
        self._members.start_painting()
        while todo.left:
            self._hand_out(todo)
            for key, status, outcome in self._receive_results():
                task = self._tasks.pop(key, None)
                if task is None:  # it was taken back
                    continue
                if isinstance(outcome, Reply):
                    yield from self._take_reply(todo, task, outcome)
                else:
                    self._take_failure(todo, task, status, outcome)
                self._hand_out(todo)
            self._look_after(todo)
        self._record_facts()
        if todo.failed:
            raise todo.failed[0]

    def close(self) -> None:
        """Give up what is in flight."""
        futures = [task.future for task in self._tasks.values()]
        self._tasks = {}
        if futures and self._connection.is_alive():
            with contextlib.suppress(Exception):  # whatever has become of the scheduler, nobody waits any more
                self._members.call_in_loop(self._client.cancel(futures, asynchronous=True)).result(1.0)

    # --- handing out ---------------------------------------------------------------------------------------

    def _hand_out(self, todo: Todo) -> None:
        """Keep each slot busy, with one more task beforehand where many are left; small tiles go together."""
        workers = self._members.choose(self._painter.request.workers)
        slots = sum(member.slots for member in workers)
        usable = min(slots, self._painter.request.workers)
        if not usable or not self._members.has_looked:
            return
        in_flight = fair_share(self._painter.request.in_flight, self._count, usable)
        while True:
            untried = todo.count_untried
            size = max(min(BATCH // self._tile_ns, MOST_AT_ONCE, untried // (2 * usable)), 1)
            size = size if in_flight == 1 else in_flight
            deep = usable == slots and untried > usable * size
            if len(self._tasks) >= usable * (1 + deep):
                return
            alone = not untried
            if alone and self._tasks:  # a suspect is tried alone, so that the next loss has one suspect
                return
            tiles = todo.take_tiles(time.monotonic(), size)
            if not tiles:
                return
            self._send_tiles(tiles, in_flight, self._members.restrict_to(workers), alone=alone)

    def _send_tiles(
        self, tiles: Sequence[Tile], in_flight: int, restriction: Sequence[str] | None, *, alone: bool
    ) -> None:
        key = f"render-tiles-{uuid4().hex}"
        sent = self._painter.recorder.clock()
        call = Call(worker.paint, self._job, tuple(tile.number for tile in tiles), in_flight)
        future = self._client.submit(
            pickle.loads,
            call.pickled(),
            key=key,
            workers=restriction,
            allow_other_workers=False,
        )
        self._tasks[key] = Task(future, tiles, alone, sent, restriction)
        self._results.add(future)

    # --- taking back ---------------------------------------------------------------------------------------

    def _receive_results(self) -> Iterator[tuple[str, str, Any]]:
        """Wait a little for results; yield the keys of their tasks, how they ended, and what came of them."""
        with contextlib.suppress(Empty):
            future, outcome = self._results.queue.get(timeout=LOOK_SECONDS)
            yield future.key, future.status, outcome
            for future, outcome in self._results.next_batch(block=False):
                yield future.key, future.status, outcome

    def _take_reply(self, todo: Todo, task: Task, reply: Reply) -> Iterator[Done]:
        """Put the tiles of a reply on the canvas. Raises the error of one that failed."""
        received = self._painter.recorder.clock()
        by_number = {tile.number: tile for tile in task.tiles}
        if reply.tiles:
            self._tile_ns = max((reply.t1 - reply.t0) // len(reply.tiles), 1)
        fresh = [painted for painted in reply.tiles if todo.finish_tile(painted.number)]
        self._members.record_spans(reply, task.sent, received)
        for painted in fresh:
            tile = by_number[painted.number]
            self._put(tile, painted.rgb, painted.counts)
            yield Done(tile, painted.steps)
        self._progress = time.monotonic()
        if reply.error is not None:
            cause, remedy, is_tile = reply.error
            self._record_facts()
            raise (TileError if is_tile else RenderError)(cause, remedy)
        todo.give_back([tile for tile in task.tiles if tile.number in todo.left])

    def _put(self, tile: Tile, rgb: Any, counts: Any) -> None:
        canvas = self._painter.canvas
        rows = slice(tile.y - canvas.y, tile.y - canvas.y + tile.height)
        columns = slice(tile.x - canvas.x, tile.x - canvas.x + tile.width)
        canvas.rgb[rows, columns] = rgb
        if canvas.steps is not None:
            canvas.steps[rows, columns] = counts

    def _take_failure(self, todo: Todo, task: Task, status: str, outcome: Any) -> None:
        """Decide what becomes of tiles that were not painted. Raises RenderError where nothing more can be."""
        if isinstance(outcome, Refusal):
            member = self._members.find(outcome.address)
            if member is not None:
                self._members.refuse(member, outcome.why)
            self._bounce(todo, task, outcome.why)
            return
        error = outcome[1] if status == "error" else None
        if isinstance(error, KilledWorker):
            self._suspect(todo, task, f"Dask gave it up ({error.allowed_failures + 1} workers died)")
        elif isinstance(error, ImportError):  # a worker that nobody has greeted yet, which will be refused
            self._bounce(todo, task, describe_failure(error))
        elif error is not None:
            raise self._painter.tile_failure(task.tiles[0], describe_failure(error))
        elif not self._connection.is_alive():
            raise self._members.loss_error("it has gone")
        else:  # cancelled by others
            self._strand(todo, task, "its task was cancelled")

    def _bounce(self, todo: Todo, task: Task, why: str) -> None:
        """Take back tiles from a worker that cannot paint any, and see who it is before others are handed out.

        Raises TileError for one that comes back on and on.
        """
        self._members.hurry()
        for tile in task.tiles:
            self._bounced[tile.number] += 1
            if self._bounced[tile.number] > MOST_BOUNCES:
                raise self._painter.tile_failure(tile, why)
        todo.give_back(task.tiles)

    def _suspect(self, todo: Todo, task: Task, why: str) -> None:
        """Try the tiles of a task again, each alone; give one up that was."""
        if task.alone:
            todo.give_up(task.tiles[0], f"the workers that painted it alone died: {why}")
        else:
            for tile in task.tiles:
                todo.suspect_tile(tile, time.monotonic())

    def _strand(self, todo: Todo, task: Task, why: str) -> None:
        """Take back tiles that nobody paints any more; try them alone if that happens again, and give them up."""
        for tile in task.tiles:
            self._stranded[tile.number] += 1
            if self._stranded[tile.number] >= STRANDED:
                todo.give_up(tile, f"{why}, {STRANDED} times")
            elif self._stranded[tile.number] > 1:
                todo.suspect_tile(tile, time.monotonic())
            else:
                todo.give_back([tile])

    # --- looking after them --------------------------------------------------------------------------------

    def _look_after(self, todo: Todo) -> None:
        """See now and then who is there, who has left with tiles, and who hangs."""
        self._members.look()
        there = {member.address for member in self._members}
        for key, task in list(self._tasks.items()):
            if task.workers is not None and there.isdisjoint(task.workers):  # Dask would wait for them
                del self._tasks[key]
                self._members.call_in_loop(self._client.cancel([task.future], asynchronous=True))
                self._strand(todo, task, "all workers that it was sent to have left")
        for key in self._silence.find_lost_keys() if self._tasks else ():
            lost = self._tasks.pop(key, None)
            if lost is not None:
                self._members.call_in_loop(self._client.cancel([lost.future], asynchronous=True))
                self._strand(todo, lost, "nothing was heard of its worker any more")
        quiet = time.monotonic() - self._progress
        if self._members.ready:
            self._find_hung(quiet)
        elif quiet > LEFT_SECONDS and not any(one.greeting is None and not one.refusal for one in self._members):
            self._raise_none_left(todo)

    def _raise_none_left(self, todo: Todo) -> NoReturn:
        """Raise the error for a cluster that all workers have left: of a tile that is suspected, where one is."""
        suspects = [tile for tile in todo.suspects if tile.number in todo.left]
        self._record_facts()
        if suspects:
            others = ", ".join(str(tile.number) for tile in suspects[1:])
            why = "its workers died, and none is left in the cluster" + (f" (tiles {others} too)" if others else "")
            raise self._painter.tile_failure(suspects[0], why)
        why = f" ({self._list_refusals()})" if self._members.refused else ""
        raise RenderError(f"no worker is left in the cluster{why}", "start others, or name another cluster")

    def _find_hung(self, quiet: float) -> None:
        """Raise TileError for a tile in flight that hangs."""
        hung = self._silence.find_hung(quiet) if self._tasks else None
        tiles = [tile for task in self._tasks.values() for tile in task.tiles if hung and tile.number == hung.number]
        if hung and tiles:
            why = f"its worker {hung.worker} gave no sign of life for {hung.seconds:.0f} s"
            raise self._painter.tile_failure(tiles[0], why)

    # --- words ---------------------------------------------------------------------------------------------

    def _announce_late(self, waiting: Sequence[Member]) -> None:
        for one in waiting:
            what = "does not answer" if one.is_silent else "is not ready yet"
            self._painter.recorder.announce(f"worker {one.name} {what}: the others begin without it")

    def _list_refusals(self) -> str:
        named = self._members.refused[:4]
        more = len(self._members.refused) - len(named)
        return "; ".join([*named, *([f"and {more} more"] if more else [])])

    def _unavailable(self, why: str) -> ModeUnavailable:
        address = self._connection.address
        resources = f' --resources "{SCENES}=1"' if self._job.text is not None else ""
        remedy = f"start workers that have this render: dask worker {address}{resources}"
        return ModeUnavailable(f"mode parallel cannot run here: the cluster {address}: {why}", remedy)

    def _record_facts(self) -> None:
        """Record what is known of the cluster in the facts of the run."""
        asked = self._painter.request.workers
        self._members.record_untold()
        self._painter.recorder.facts |= self._members.describe()
        if not self._connection.is_own:  # the most that are wanted, of those there are
            asked = min(asked, self._members.all_slots)
        self._painter.recorder.facts["asked"] = asked
