"""The worker processes of one run: who has which tiles, who is still well, and what becomes of the tiles of those lost.

Everything happens in the thread that wants tiles: it sends handfuls, takes answers, and looks at each worker now and
then. A worker whose pipe ends has died. One that gives no sign of life for too long (it was stopped, or hangs) is
killed, which is the same again. Another one is started in its place, later each time if that keeps happening.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from render.backends.loky.process import WorkerProcess, keep_idle, take_idle
from render.backends.loky.worker import Load, Slot, WorkerResult
from render.errors import ModeUnavailable, RenderError
from render.painting.handfuls import SHORTEST, fair_share
from render.painting.liveness import LOOK_SECONDS, quiet_limit
from render.painting.retries import Death, Todo
from render.processes import STOPPED_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from render.painting.painter import Done, Painter
    from render.plan import Tile

READY_SECONDS = 30.0  # that a worker may take to start; then others begin without it, and it is killed
STALL_SECONDS = 20.0  # in which workers are lost and nothing comes of it
QUICK = 50_000_000  # ns; where tiles take less, a worker is given the next one beforehand
MOST_AT_ONCE = 100  # tiles: so many, and what is sent back of them, fit into a pipe
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds before a worker is started in place of one that was lost
ALTERNATIVE = "add --backend threading, or --mode sequential"


class Member:
    """One place for a worker: its process, or since when there is none, and the handfuls that it was given."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.process: WorkerProcess | None = None
        self.loading = False
        self.given: dict[int, Tile] = {}  # the tiles that it has, by number, in order
        self.calls = 0  # that it has not answered
        self.losses = 0  # since it last did anything
        self.due = 0.0  # when to start another process
        self.beats, self.quiet = -1, 0.0  # the last sign of life, and for how long nobody has seen another (s)

    @property
    def is_ready(self) -> bool:
        """Tell if it can be sent tiles."""
        return self.process is not None and not self.loading

    @property
    def is_busy(self) -> bool:
        """Tell if its answer is awaited."""
        return self.process is not None and (self.loading or self.calls > 0)

    def send_tiles(self, tiles: Sequence[Tile]) -> None:
        """Send it tiles to paint, after those that it has."""
        assert self.process is not None
        if not self.calls:
            self.quiet = 0.0
        self.given |= {tile.number: tile for tile in tiles}
        self.calls += 1
        self.process.send_call(tiles)


class Crew:
    """The workers of a run of so many tiles. `painter_file`, `slots`: the files that they read and write."""

    def __init__(self, painter: Painter, tiles: int, painter_file: Path, slots: Path) -> None:
        self._painter, self._files = painter, (str(painter_file), str(slots))
        self._members = [Member(Slot(str(slots), number)) for number in range(painter.request.workers)]
        self._todo: Todo | None = None
        self._in_flight = fair_share(painter.request.in_flight, tiles, len(self._members))
        self._looked = self._progress = time.monotonic()
        self._tile_ns = SHORTEST  # that the last tiles took, each
        self._death = Death("", by_tile=False)  # the last

    def start_workers(self) -> None:
        """Have all workers start and load what they need; give up waiting for some as soon as others may begin.

        Raises ModeUnavailable where the system starts no processes, RenderError where none gets ready.
        """
        with self._painter.recorder.span("start"):
            for member in self._members:
                try:
                    self._start_worker(member)
                except OSError as error:
                    raise ModeUnavailable(
                        f"mode parallel cannot run here: no processes can be started ({error.strerror})",
                        f"allow more open files (ulimit -n) and processes (ulimit -u), or {ALTERNATIVE}",
                    ) from error
            until = time.monotonic() + READY_SECONDS
            while not all(member.is_ready for member in self._members):
                if time.monotonic() > until and any(member.is_ready for member in self._members):
                    return
                for _ in self._receive_results():
                    self._progress = time.monotonic()

    def paint_tiles(self, tiles: Sequence[Tile]) -> Iterator[Done]:
        """Yield each tile as it is done. Raises TileError; for one that is given up, when all others are done."""
        self._todo = todo = Todo(tiles, self._painter.tile_failure)
        self._progress = time.monotonic()
        while todo.left:
            self._hand_out(todo)
            for member, result in self._receive_results():
                member.calls -= 1
                if result.handful.done:
                    painted = sum(span.t1 - span.t0 for span in result.spans)
                    self._tile_ns = max(painted // len(result.handful.done), 1)
                for done in result.handful.done:
                    member.given.pop(done.tile.number, None)
                    if todo.finish_tile(done.tile.number):
                        self._progress, member.losses = time.monotonic(), 0
                        yield done
                if result.handful.error is not None:
                    raise result.handful.error
                self._hand_out(todo)
        if todo.failed:
            raise todo.failed[0]

    def close(self) -> None:
        """Keep the workers that are idle for later runs, and end all others at once."""
        processes = [(member.process, member.is_busy) for member in self._members if member.process is not None]
        for process, busy in processes:
            if busy:
                process.kill()
            else:
                keep_idle(process)
        for process, busy in processes:
            if busy:
                process.join()

    def _start_worker(self, member: Member) -> None:
        """Have a worker get ready. Raises OSError if the system starts no process."""
        member.slot.clear_state()
        member.process = take_idle() or WorkerProcess()
        member.loading, member.beats, member.quiet = True, -1, 0.0
        member.process.send_call(Load(*self._files, self._members.index(member), self._in_flight))

    def _hand_out(self, todo: Todo) -> None:
        """Send tiles to each worker: of small ones a handful, and the next one beforehand if it soon comes back."""
        now, workers = time.monotonic(), len(self._members)
        deepest = self._in_flight + (self._tile_ns < QUICK)
        for depth in range(1, deepest + 1):
            for member in self._members:
                size = max(min(SHORTEST // self._tile_ns, MOST_AT_ONCE, todo.count_untried // (2 * workers)), 1)
                size = size if self._in_flight == 1 else 1
                beforehand = depth > self._in_flight
                if (
                    member.is_ready
                    and member.calls < depth
                    and not (beforehand and todo.count_untried <= workers * size)
                ):
                    tiles = todo.take_tiles(now, size)
                    if not tiles:
                        return
                    member.send_tiles(tiles)

    def _receive_results(self) -> Iterator[tuple[Member, WorkerResult]]:
        """Receive results for a while. A worker that is loaded is ready from then on; one that died is lost."""
        connections = {member.process.connection: member for member in self._members if member.process is not None}
        if not connections:
            time.sleep(LOOK_SECONDS)
        for connection in wait(list(connections), LOOK_SECONDS) if connections else ():
            member = connections[connection]
            assert member.process is not None
            try:
                answer: Any = member.process.receive_result()
            except (EOFError, OSError):
                self._return_tiles(member, member.process.describe_death())
                continue
            if isinstance(answer, RenderError):
                raise answer
            if isinstance(answer, WorkerResult):
                self._painter.recorder.extend(answer.spans)
                yield member, answer
            else:
                self._painter.recorder.extend(answer)
                member.loading = False
        self._look_after()

    def _look_after(self) -> None:
        """Kill, now and then, the workers that have not moved for too long, and replace the lost ones."""
        now = time.monotonic()
        passed = now - self._looked
        if passed < LOOK_SECONDS / 2:
            return
        self._looked = now
        passed = min(passed, 2 * LOOK_SECONDS)  # we may have been stopped ourselves, and they with us
        states = [member.slot.read_state() for member in self._members]
        limit = quiet_limit(self._painter.request, max(longest for _, _, longest in states))
        for member, (_, beats, _) in zip(self._members, states, strict=True):
            if member.process is None:
                self._restart_worker(member, now)
            elif member.is_busy and beats == member.beats:
                member.quiet += passed
                if member.quiet > (READY_SECONDS if member.loading else limit):
                    self._kill_worker(
                        member, Death(f"no sign of life for {member.quiet:.0f} s", by_tile=True, hung=True)
                    )
                elif member.quiet > STOPPED_SECONDS and member.process.is_stopped():
                    self._kill_worker(member, Death("SIGSTOP", by_tile=False))
            else:
                member.beats, member.quiet = beats, 0.0

    def _restart_worker(self, member: Member, now: float) -> None:
        """Start another process in place of one that was lost, if it is time."""
        if now < member.due:
            return
        try:
            self._start_worker(member)
        except OSError as error:
            member.process = None
            self._note_loss(member, Death(f"no process can be started: {error.strerror}", by_tile=False))

    def _kill_worker(self, member: Member, death: Death) -> None:
        """End a worker that does not move."""
        assert member.process is not None
        member.process.kill()
        self._return_tiles(member, death)

    def _return_tiles(self, member: Member, death: Death) -> None:
        """Take back the tiles of a worker that has died."""
        at, _, _ = member.slot.read_state()
        assert member.process is not None
        tiles = list(member.given.values())
        if self._todo is not None and self._todo.take_back_lost(tiles, at, death, time.monotonic()):
            self._progress = time.monotonic()
        if tiles or member.loading:
            place = f" at tile {at}" if any(tile.number == at for tile in tiles) else " as it started" * member.loading
            self._painter.recorder.report_loss(f"{death.how}{place}")
        member.process, member.loading = None, False
        member.given, member.calls = {}, 0
        self._note_loss(member, death)

    def _note_loss(self, member: Member, death: Death) -> None:
        """Have another process started, later if this happens again and again. Raises RenderError if nothing helps."""
        now = time.monotonic()
        member.losses += 1
        member.due = now + (min(FIRST_PAUSE * 2 ** (member.losses - 2), LONGEST_PAUSE) if member.losses > 1 else 0.0)
        if now - self._progress > STALL_SECONDS and not any(other.is_busy for other in self._members):
            if self._todo is None:
                raise ModeUnavailable(
                    f"mode parallel cannot run here: the worker processes do not start ({death.how})", ALTERNATIVE
                )
            raise RenderError(f"the worker processes die before they paint anything ({death.how})", ALTERNATIVE)
