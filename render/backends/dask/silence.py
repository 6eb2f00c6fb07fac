"""Find what does not answer: workers that nothing is heard of, and threads of workers that hang.

Each question is asked without waiting: the answer is taken at a later look.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

from render.backends.dask import worker
from render.backends.dask.members import SILENT_SECONDS, Members

QUIET_SECONDS = 5.0  # without a tile, after which workers are asked whether they hang

if TYPE_CHECKING:
    from render.backends.dask.messages import Job


class Hung(NamedTuple):
    """A tile whose thread hangs: at which worker, and for how long (s)."""

    number: int
    worker: str
    seconds: float


class SilenceWatch:
    """Asks who does not answer; all in the thread that wants tiles."""

    def __init__(self, members: Members, client: Any, job: Job) -> None:
        self._members, self._client, self._job = members, client, job
        self._hung: Future[Any] | None = None
        self._asked = 0.0  # when, in s
        self._processing: Future[Any] | None = None

    def find_lost_keys(self) -> list[str]:
        """Return the keys of tasks that workers have that nothing is heard of, as of a host whose cable was pulled.

        Dask waits longer for them; what they still paint is not taken.
        """
        if self._processing is None:
            silent = self._members.note_silence()
            if silent:
                self._processing = self._members.call_in_loop(self._client.scheduler.processing(workers=silent))
            return []
        if not self._processing.done():
            return []
        answer, self._processing = self._processing, None
        return [] if answer.exception() is not None else [key for keys in answer.result().values() for key in keys]

    def find_hung(self, quiet: float) -> Hung | None:
        """Ask all workers, where no tile has come for so many seconds, and return a tile that hangs."""
        if self._hung is None:
            if quiet > QUIET_SECONDS:
                ready = [member.address for member in self._members.ready]
                self._hung = self._members.call_in_loop(
                    self._client.run(
                        worker.find_hung, self._job.run, workers=ready, on_error="ignore", asynchronous=True
                    )
                )
                self._asked = time.monotonic()
            return None
        if not self._hung.done():
            if time.monotonic() - self._asked > SILENT_SECONDS:  # one of them does not answer
                self._hung = None
            return None
        answer, self._hung = self._hung, None
        answers = {} if answer.exception() is not None else answer.result()
        found = ((address, hung) for address, hung in answers.items() if hung is not None)
        return next((Hung(number, address.partition("://")[2], seconds) for address, (number, seconds) in found), None)
