"""The workers of a cluster, as the client sees them: greeted one by one, and then ready, refused, or gone.

A worker that joins midway is greeted too. Which ones there are, the scheduler says now and then; each of these looks
is a sign of life of the scheduler itself.
"""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from distributed import as_completed

from render.backends.dask.hosts import HostClock, describe_hosts
from render.backends.dask.messages import Call, Greeting, Job, Refusal, Reply
from render.errors import RenderError
from render.painting.liveness import LOOK_SECONDS

if TYPE_CHECKING:
    from render.backends.dask.connection import Connection
    from render.trace import Recorder

ROUND_TRIPS = 8  # to tie a clock: of some ms each, of which one is soon a short one
SILENT_SECONDS = 10.0  # in which a scheduler that lives answers, and a worker is heard of
BUSY_SECONDS = 20.0  # the same on this machine, where only a lack of CPUs keeps one from it
MOST_PASSED = 1.0  # seconds between two looks that count
MOST_LISTED = 100  # workers, in the facts of a trace


class Member:
    """One worker. `slots`: tasks that it runs at once; `greeting`: what it has answered, once it has.

    patience: for how many seconds it may be silent.
    """

    def __init__(self, address: str, slots: int, clock: HostClock, patience: float) -> None:
        self.address, self.slots, self.clock, self._patience = address, slots, clock, patience
        self.greeting: Greeting | None = None
        self.refusal = ""
        self.call: Any = None  # the future of its greeting
        self.tie: Future[None] | None = None
        self.seen, self.quiet = 0.0, 0.0  # when the scheduler heard of it last (its clock); s since that has changed

    @property
    def is_ready(self) -> bool:
        """Tell if it can be sent tiles."""
        return self.greeting is not None and not self.refusal and self.tie is None and not self.is_silent

    @property
    def is_silent(self) -> bool:
        """Tell if nothing has been heard of it for too long."""
        return self.quiet > self._patience

    @property
    def name(self) -> str:
        """Its address, in short."""
        return self.address.partition("://")[2]


class Members:
    """The workers of a cluster that take part in a job, in one run of it or several (`begin_run`)."""

    def __init__(self, connection: Connection, job: Job, recorder: Recorder) -> None:
        self._connection, self._client = connection, connection.client
        self.job, self._recorder = job, recorder
        self._patience = BUSY_SECONDS if connection.is_own else SILENT_SECONDS
        self._members: dict[str, Member] = {}
        self._look: Future[Any] | None = None
        self._looked, self._answered, self._taken = 0.0, time.monotonic(), 0.0
        self._answers = as_completed(loop=self._client.loop, with_results=True, raise_errors=False)
        self._greeted: dict[str, Member] = {}  # by the key of the call
        self._all: dict[str, Greeting] = {}  # that ever were ready
        self._clocks: dict[str, HostClock] = {}
        self._slots: dict[str, int] = {}
        self._untold: list[tuple[Reply, int, int]] = []  # replies of workers whose clocks are not tied yet
        self._started = False
        self.has_looked = False  # in this run
        self.died_unready = 0  # workers that left while they got ready
        self.left: list[str] = []
        self.joined: list[str] = []
        self.refused: list[str] = []
        self.silent: list[str] = []

    def fits(self, job: Job) -> bool:
        """Tell if those who were greeted for its own job need no greeting for this one."""
        one, other = (pickle.dumps(each._replace(run="")) for each in (self.job, job))
        return one == other

    def begin_run(self, recorder: Recorder) -> None:
        """Begin another run of the job, or of another part of its frame, which then has the same recorder."""
        self.has_looked, self._looked, self._taken, self._look = False, 0.0, 0.0, None
        for member in self:
            member.quiet = 0.0
        if recorder is not self._recorder:
            self._recorder, self._started, self._untold = recorder, False, []
            self.left, self.joined, self.silent = [], [], []
            self.refused = [f"{member.name}: {member.refusal}" for member in self if member.refusal]
            ready = {member.address for member in self.ready}
            for known in (self._all, self._clocks, self._slots):
                for address in known.keys() - ready:
                    del known[address]

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._members.values()))

    @property
    def ready(self) -> list[Member]:
        """Those that can be sent tiles."""
        return [member for member in self if member.is_ready]

    def note_silence(self) -> list[str]:
        """List the addresses of those that took part and that nothing is heard of any more; say so once."""
        silent = [member for member in self if member.address in self._all and member.is_silent]
        for member in silent:
            if member.name not in self.silent:
                self.silent.append(member.name)
                self._recorder.announce(f"nothing is heard of worker {member.name}: others paint its tiles")
        return [member.address for member in silent]

    def choose(self, most: int) -> list[Member]:
        """Choose as many of those that are ready as have so many slots together, or all."""
        chosen: list[Member] = []
        for member in self.ready:
            if sum(one.slots for one in chosen) < most:
                chosen.append(member)
        return chosen

    @property
    def all_slots(self) -> int:
        """The number of tasks that all that ever were ready ran at once."""
        return sum(self._slots.values())

    def find(self, address: str) -> Member | None:
        """Find a worker that is there."""
        return self._members.get(address)

    def restrict_to(self, chosen: list[Member]) -> list[str] | None:
        """List the addresses of some; None where that is all."""
        return None if len(chosen) == len(self._members) else [member.address for member in chosen]

    def start_painting(self) -> None:
        """Note that tiles are given out: who gets ready from now on has joined midway."""
        self._started = True

    def look(self) -> None:
        """Ask the scheduler who is there, if it is time; take in what it said. Raises RenderError where it is lost."""
        now = time.monotonic()
        if not self._connection.is_alive():
            raise self.loss_error("it has gone")
        if self._look is None and now - self._looked >= LOOK_SECONDS:
            self._looked, self._answered = now, now
            self._connection.end_stopped()
            self._look = self.call_in_loop(self._client.scheduler.identity(n_workers=-1))
        if self._look is not None and self._look.done():
            error = self._look.exception()
            if error is None:
                self._take_in(self._look.result()["workers"])
            elif not isinstance(error, (OSError, TimeoutError)):
                raise self.loss_error(str(error)) from error
            self._look = None
        elif self._look is not None and now - self._answered > SILENT_SECONDS and not self._connection.is_own:
            raise self.loss_error(f"it has not answered for {now - self._answered:.0f} s")
        self._take_greetings()

    def hurry(self) -> None:
        """Have the next look at once: there is somebody who has not been greeted."""
        self.has_looked, self._looked = False, 0.0

    def loss_error(self, why: str) -> RenderError:
        """Make the error for a scheduler that is lost."""
        return RenderError(
            f"the cluster's scheduler {self._connection.address} is lost: {why}", "start it again, or name another"
        )

    def call_in_loop(self, coroutine: Any) -> Future[Any]:
        """Have the client's thread run a coroutine."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._client.loop.asyncio_loop)

    def _take_in(self, found: dict[str, dict[str, Any]]) -> None:
        """Greet the workers that are new; forget those that have left."""
        now = time.monotonic()
        passed = min(now - self._taken, MOST_PASSED) if self._taken else 0.0  # we may have been stopped ourselves
        self.has_looked, self._taken = True, now
        for address in [address for address in self._members if address not in found]:
            member = self._members.pop(address)
            if member.call is not None:
                member.call.cancel()
                self.died_unready += 1
            if member.greeting is not None:
                self.left.append(member.name)
        for address, described in found.items():
            member = self._members.get(address) or self._greet(address, int(described["nthreads"]))
            member.slots = int(described["nthreads"])
            if described["last_seen"] != member.seen:
                member.seen, member.quiet = described["last_seen"], 0.0
            else:
                member.quiet += passed

    def _greet(self, address: str, slots: int) -> Member:
        from render.backends.dask import worker

        member = self._members[address] = Member(
            address, slots, HostClock(is_ours=self._connection.is_own), self._patience
        )
        key = f"render-greeting-{self.job.run}-{len(self._greeted)}"
        self._greeted[key] = member
        member.call = self._client.submit(
            pickle.loads,
            Call(worker.greet, self.job).pickled(),
            key=key,
            workers=[address],
            allow_other_workers=False,
            priority=1,
        )
        self._answers.add(member.call)
        return member

    def _take_greetings(self) -> None:
        for call, outcome in self._answers.next_batch(block=False):
            self._take_greeting(self._greeted[call.key], call.status, outcome)
        for member in self:
            if member.tie is not None and member.tie.done():
                tie, member.tie = member.tie, None
                self._note_ready(member, tie.exception())

    def _take_greeting(self, member: Member, status: str, outcome: Any) -> None:
        """Take the answer of a worker; an error of its own is a refusal."""
        member.call = None
        if isinstance(outcome, Greeting):
            member.greeting = outcome
            member.tie = self.call_in_loop(self._tie_clock(member))
        elif isinstance(outcome, Refusal):
            self.refuse(member, outcome.why)
        elif status == "error":
            self.refuse(member, describe_failure(outcome[1]))

    def _note_ready(self, member: Member, error: BaseException | None) -> None:
        assert member.greeting is not None
        if error is not None:
            self.refuse(member, f"its clock could not be read ({error})")
            return
        self._all[member.address], self._clocks[member.address] = member.greeting, member.clock
        self._slots[member.address] = member.slots
        self.record_untold(member.address)
        if self._started:
            self.joined.append(member.name)
        spans = member.greeting.spans
        if spans:
            clock = self._recorder.clock()
            self._recorder.extend(member.clock.tell(spans, member.greeting.host, 0, clock))

    async def _tie_clock(self, member: Member) -> None:
        """Make some round trips to a worker and back; one of the system's own functions tells its time."""
        for _ in range(0 if self._connection.is_own else ROUND_TRIPS):
            sent = self._recorder.clock()
            told = await self._client.run(time.perf_counter_ns, workers=[member.address])
            received = self._recorder.clock()
            there = told[member.address]
            member.clock.learn(there, there, sent, received)

    def record_spans(self, reply: Reply, sent: int, received: int) -> None:
        """Record the spans of a reply, told on our clock: as soon as that of its worker is tied to ours."""
        member = self._members.get(reply.address)
        own = HostClock(is_ours=self._connection.is_own) if member is None else member.clock
        clock = self._clocks.setdefault(reply.address, own)
        clock.learn(reply.t0, reply.t1, sent, received)
        if member is not None and not member.is_ready and not self._connection.is_own:
            self._untold.append((reply, sent, received))
        else:
            self._recorder.extend(clock.tell(reply.spans, reply.host, sent, received))

    def record_untold(self, address: str | None = None) -> None:
        """Record the spans that waited for the clock of a worker, or of any."""
        untold, self._untold = self._untold, []
        for reply, sent, received in untold:
            if address in (None, reply.address):
                told = self._clocks[reply.address].tell(reply.spans, reply.host, sent, received)
                self._recorder.extend(told)
            else:
                self._untold.append((reply, sent, received))

    def refuse(self, member: Member, why: str) -> None:
        """Leave a worker out, and say so."""
        if not member.refusal:
            member.refusal = why
            self.refused.append(f"{member.name}: {why}")
            self._recorder.announce(f"worker {member.name} is left out: {why}")

    def describe(self) -> dict[str, Any]:
        """Make the facts of a trace: the cluster, its hosts, and who came and went."""
        facts: dict[str, Any] = {}
        if not self._connection.is_own:
            facts = {"cluster": self._connection.address, **describe_hosts(list(self._all.values()), self._clocks)}
        comings = {"workers_left": self.left, "workers_joined": self.joined, "workers_left_out": self.refused}
        comings["workers_silent"] = self.silent
        return facts | {name: names[:MOST_LISTED] for name, names in comings.items() if names}


def describe_failure(error: BaseException) -> str:
    """Say what a worker raised instead of an answer."""
    if isinstance(error, ImportError):
        return f"render cannot be imported there ({error})"
    return f"{type(error).__name__}: {error}"
