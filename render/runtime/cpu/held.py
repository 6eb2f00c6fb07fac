"""The same machine code, called without dropping the GIL: what an extension does that never learnt to let go.

Nothing else is different from `render.runtime.cpu.native`: not one instruction of the kernel. While such a call lasts,
no other thread of the process runs any Python, and so none gets as far as its own call.
"""

from __future__ import annotations

import ctypes
import operator
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from render.runtime.cpu.native import NativeKernel
from render.runtime.kernel import CpuKernel
from render.trace import Recorder, Span, Worker, load_getcpu


class Call(NamedTuple):
    """One call of the machine code: who made it, from when to when (ns), the CPU time it got, the CPUs at both ends."""

    worker: Worker
    t0: int
    t1: int
    on_cpu: int
    cpu: int
    cpu_end: int


class HeldKernel(NativeKernel):
    """A kernel that holds the GIL while it paints. It runs in threads only, and cannot be sent to a process.

    A painter's clock runs while its thread waits for the GIL, before the call and after it. So each call is timed in
    one step that Python cannot be interrupted in, and `correct_spans` tells waiting from painting.
    """

    def __init__(self, kernel: NativeKernel) -> None:
        super().__init__(kernel.code, kernel.request, kernel.p, kernel.layout, kernel.about)
        address = ctypes.cast(cast(Any, self._call), ctypes.c_void_p).value
        assert address is not None
        self._held = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)
        self._call = self._timed
        self.calls: list[Call] = []

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a kernel that holds the GIL is for the threads of one process")

    paint = CpuKernel.paint  # in one call, for between two slices the GIL might go to somebody else

    def _timed(self, cells: int) -> int:
        """Call the machine code, holding the GIL from first to last."""
        call = partial(self._held, cells)
        cpu, now, given = load_getcpu() or partial(int, -1), time.perf_counter_ns, time.thread_time_ns
        in_turn: tuple[Callable[[], int], ...] = (cpu, now, given, call, given, now, cpu)
        # one bytecode: nobody else comes in between
        first, t0, before, steps, after, t1, last = tuple(map(operator.call, in_turn))
        self.calls.append(Call(Recorder.current_worker(), t0, t1, after - before, first, last))
        return int(steps)

    def correct_spans(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        """The spans, each paint cut into what it waited for the GIL, what it painted, and what it waited again."""
        calls: dict[Worker, list[Call]] = {}
        for call in self.calls:
            calls.setdefault(call.worker, []).append(call)
        made: list[Span] = []
        for span in spans:
            inside = [call for call in calls.get(span.worker, ()) if span.t0 <= call.t0 and call.t1 <= span.t1]
            if span.kind != "paint" or len(inside) != 1:
                made.append(span)
                continue
            [(_, t0, t1, on_cpu, cpu, cpu_end)] = inside
            waited = span._replace(kind="wait", on_cpu=None)
            painted = Span(span.worker, span.tile, "paint", t0, t1, cpu, cpu_end, on_cpu)
            made += [waited._replace(t1=t0), painted, waited._replace(t0=t1)]
        return tuple(span for span in made if span.kind != "wait" or span.t1 > span.t0)


def held(kernel: object) -> HeldKernel:
    """The kernel of a compiled target, holding the GIL. Raises TypeError for any other."""
    if not isinstance(kernel, NativeKernel):
        raise TypeError(f"only compiled code can be called either way, not a {type(kernel).__name__}")
    return HeldKernel(kernel)
