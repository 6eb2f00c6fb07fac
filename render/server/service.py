"""The service: from a client's wish to its tile. All of it runs on one event loop; workers paint."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from render.errors import RenderError
from render.server.cache import Cache
from render.server.child import ProcessBrush
from render.server.painting import TURN_NS, Painted, Painting, ThreadBrush
from render.server.pyramid import Area, Pyramids
from render.server.record import Asked, Record, Setting, make_thumb
from render.server.turns import Full, Turns
from render.server.workers import UNLIMITED_NS, Workers
from render.trace import Recorder, Span

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from render.server.clients import Client

MOST_EACH, MOST_IN_ALL = 256, 4096  # requests that are open: of a client, and of all
CACHE_BYTES = 64 << 20
LONGEST_SECONDS = 300.0  # that a request stays open, its data apart


class Overloaded(RenderError):
    """There is too much to do: ask again later."""


class Gone(RenderError):
    """Whoever asked has left."""


class Wanted:
    """A painting and those who wait for it: how many requests of each client."""

    def __init__(self, painting: Painting, loop: asyncio.AbstractEventLoop) -> None:
        self.painting, self.finished = painting, loop.create_future()
        self.clients: Counter[Client] = Counter()


class Service:
    """Serves areas to clients. To be made, started and stopped on the event loop that it serves."""

    def __init__(self, pyramids: Pyramids, setting: Setting, *, files: tuple[str, ...] = ()) -> None:
        self.pyramids, self.setting = pyramids, setting
        self.record, self.cache = Record(setting), Cache(CACHE_BYTES)
        self.counts: Counter[str] = Counter()
        self.painting_ns = 0
        self._open: Counter[Client] = Counter()
        self._wanted: dict[Hashable, Wanted] = {}
        self._closed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        brush = partial(ProcessBrush, files, self._note_loss) if setting.processes else partial(ThreadBrush, pyramids)
        whole = setting.processes or not setting.switching
        turns: Turns[Painting] = Turns(MOST_EACH, MOST_IN_ALL)
        turn_ns = UNLIMITED_NS if whole else TURN_NS
        self.workers = Workers(setting.workers, turns, brush, self.cache.get, turn_ns)

    def start(self) -> None:
        """Start the workers."""
        self.workers.start()

    def close(self) -> None:
        """Let all that wait go, with an answer; nothing new is taken."""
        self._closed.set()

    async def stop(self) -> None:
        """Stop the workers."""
        self.close()
        await asyncio.to_thread(self.workers.stop)

    @property
    def open(self) -> int:
        """Count the open requests."""
        return self._open.total()

    @property
    def is_ready(self) -> bool:
        """Tell if another request would be taken."""
        return self.open < MOST_IN_ALL and not self._closed.is_set()

    async def fetch(self, area: Area, client: Client, user: int, label: str, left: asyncio.Future[None]) -> bytes:
        """Serve one area as a PNG file; `left` is done as soon as the client has left.

        Raises Overloaded, Gone, and RenderError where it cannot be painted.
        """
        painted = await self.paint(area, client, user, label, left)
        return painted if isinstance(painted, bytes) else painted.data

    async def paint(
        self, area: Area, client: Client, user: int, label: str, left: asyncio.Future[None], *, pixels: bool = False
    ) -> Painted | bytes:
        """Serve as `fetch` does: the file where it is known, else what was painted; always that, if `pixels`."""
        self.counts["requests"] += 1
        if self._open[client] >= MOST_EACH or not self.is_ready:
            self.counts["refused"] += 1
            raise Overloaded("too many requests are open", "ask again later")
        asked = self.record.arrive(user, label)  # not of those before: a flood would push out all others
        self._open[client] += 1
        longest = LONGEST_SECONDS + self.setting.data_ns / 1e9
        try:
            async with asyncio.timeout(longest):
                return await self._serve(area, client, asked, left, pixels=pixels)
        except TimeoutError:
            self.counts["refused"] += 1
            asked.finish(self.record.clock(), "refused")
            raise Overloaded(f"it was not done in {longest:.0f} s", "ask again later") from None
        except Gone:
            self.counts["gone"] += 1
            raise
        except Overloaded:
            self.counts["refused"] += 1
            raise
        except RenderError:
            self.counts["failed"] += 1
            raise
        finally:
            if not asked.outcome:
                asked.finish(self.record.clock(), "failed")
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]

    async def _serve(
        self, area: Area, client: Client, asked: Asked, left: asyncio.Future[None], *, pixels: bool
    ) -> Painted | bytes:
        """Wait for data if that is the loop's to do, then take what is known, or have it painted."""
        key: Hashable = (area, pixels)
        data_ns = self.setting.data_ns
        if not self.setting.switching:
            key = (area, asked.number)  # each is served on its own, from its start to its end
        elif data_ns:
            t0 = self.record.clock()
            try:
                await self._first(left, timeout=data_ns / 1e9, asked=asked)
            finally:
                self._record_wait(asked, t0)
        known = self.cache.get(area) if self.setting.switching and not pixels else None
        if known is not None:
            self.counts["cached"] += 1
            asked.finish(self.record.clock(), "cached")
            return known
        wanted = self._wanted.get(key)
        shared = wanted is not None
        if wanted is None:
            wait_ns = 0 if self.setting.switching else data_ns
            painting = Painting(key, area, self._report, wait_ns=wait_ns, pixels=pixels)
            wanted = self._wanted[key] = Wanted(painting, self._loop)
        wanted.clients[client] += 1
        asked.painting = wanted.painting
        try:
            self.workers.submit(client, wanted.painting)
            await self._first(left, wanted.finished, asked=asked)
            painted: Painted = wanted.finished.result()
        except Full:
            asked.finish(self.record.clock(), "refused")
            raise Overloaded("too many tiles wait", "ask again later") from None
        finally:
            self._leave(client, wanted)
        self._note_painted(asked, wanted.painting, painted, shared=shared)
        return painted

    async def _first(
        self,
        left: asyncio.Future[None],
        other: asyncio.Future[Painted] | None = None,
        *,
        asked: Asked,
        timeout: float | None = None,  # noqa: ASYNC109  (a wait of its own, which may end well)
    ) -> None:
        """Wait until `other` is done, or the time is over. Raises Gone where the client leaves first, Overloaded."""
        closed = asyncio.ensure_future(self._closed.wait())
        try:
            awaited: set[asyncio.Future[Any]] = {left, closed}
            if other is not None:
                awaited.add(other)
            await asyncio.wait(awaited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
        if other is not None and other.done():
            return
        if left.done():
            asked.finish(self.record.clock(), "gone")
            raise Gone("the client has left")
        if self._closed.is_set():
            asked.finish(self.record.clock(), "refused")
            raise Overloaded("the server is ending", "ask again later")

    def _leave(self, client: Client, wanted: Wanted) -> None:
        """Take a client's wish away: with the last of them goes the painting."""
        painting = wanted.painting
        wanted.clients[client] -= 1
        if not wanted.clients[client]:
            del wanted.clients[client]
        if wanted.finished.done():
            return
        last = not wanted.clients
        if last:
            self._wanted.pop(painting.key, None)
        if (last or client not in wanted.clients) and self.workers.withdraw(client, painting, last=last):
            self.counts["dropped"] += 1
        elif last:
            self.counts["stopped"] += 1

    def _report(self, painting: Painting) -> None:
        """Take what a worker has finished; called in the worker's thread."""
        if painting.painted is not None and painting.painted.rgb.size and not painting.pixels:
            self.cache.keep(painting.area, painting.painted.data)
        try:
            self._loop.call_soon_threadsafe(self._finish, painting)
        except RuntimeError:  # the loop has ended, and nobody waits any more
            return

    def _finish(self, painting: Painting) -> None:
        """Let all go who wait for a painting."""
        self.painting_ns += painting.spent
        wanted = self._wanted.get(painting.key)
        if wanted is None or wanted.painting is not painting:
            return
        del self._wanted[painting.key]
        if painting.error is not None:
            wanted.finished.set_exception(painting.error)
            wanted.finished.exception()  # looked at: there may be nobody left who waits
        elif painting.painted is not None:
            wanted.finished.set_result(painting.painted)

    def _note_painted(self, asked: Asked, painting: Painting, painted: Painted, *, shared: bool) -> None:
        """Note in the record how a request was served."""
        outcome = "shared" if shared else "painted" if painted.rgb.size else "cached"
        self.counts[outcome] += 1
        spans: Sequence[Span] = () if shared else painting.recorder.drain()
        asked.waits += [span for span in spans if span.kind == "wait"]
        asked.paints = [span for span in spans if span.kind == "paint"]
        asked.by, asked.busy_ns = tuple(painting.workers), 0 if shared else painting.spent
        if outcome == "painted":
            asked.thumb = make_thumb(painted.rgb)
        asked.finish(self.record.clock(), outcome)

    def _record_wait(self, asked: Asked, t0: int) -> None:
        asked.waits.append(Span(Recorder.current_worker(), 0, "wait", t0, self.record.clock()))

    def _note_loss(self, how: str) -> None:
        self.counts["lost_workers"] += 1
        self.record.losses.append(how)
