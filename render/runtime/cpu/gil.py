"""Machine code called without releasing the GIL, as by an extension that never releases it.

Not one instruction of the kernel differs from `render.runtime.cpu.native`. During such a call no other thread of the
process runs any Python, so none can start a call of its own.
"""

from __future__ import annotations

import ctypes
import operator
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from render.frame import Canvas
from render.runtime.cpu.native import NativeKernel
from render.runtime.kernel import UNLIMITED
from render.trace import Recorder, Span, Worker, load_getcpu


class Call(NamedTuple):
    """One call of the machine code: who made it, from when to when (ns), the CPU time it got, the CPUs at both ends."""

    worker: Worker
    t0: int
    t1: int
    on_cpu: int
    cpu: int
    cpu_end: int


class GilKernel(NativeKernel):
    """A kernel that holds the GIL while it paints. It runs in threads only, and cannot be sent to a process.

    A painter's clock also runs while its thread waits for the GIL, before and after the call. So each call is timed by
    one bytecode, which no other thread can interrupt, and `correct_spans` separates waiting from painting.
    """

    def __init__(self, kernel: NativeKernel) -> None:
        super().__init__(kernel.code, kernel.request, kernel.p, kernel.layout, kernel.about)
        address = ctypes.cast(cast(Any, self._call), ctypes.c_void_p).value
        assert address is not None
        self._call_holding = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)
        self._call = self._timed_call
        self.calls: list[Call] = []

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a kernel that holds the GIL is for the threads of one process")

    def paint(self, canvas: Canvas, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        """Paint a rectangle in one call: between two slices another thread might take the GIL."""
        with self.start_rectangle(canvas, x, y, width, height) as rectangle:
            went = rectangle.paint_slice(UNLIMITED)
        return went.steps, went.bad

    def _timed_call(self, cells: int) -> int:
        """Call the machine code, holding the GIL from first to last."""
        call = partial(self._call_holding, cells)
        cpu, now, given = load_getcpu() or partial(int, -1), time.perf_counter_ns, time.thread_time_ns
        in_turn: tuple[Callable[[], int], ...] = (cpu, now, given, call, given, now, cpu)
        # one bytecode: no other thread comes in between
        first, t0, before, steps, after, t1, last = tuple(map(operator.call, in_turn))
        self.calls.append(Call(Recorder.current_worker(), t0, t1, after - before, first, last))
        return int(steps)

    def correct_spans(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Cut each paint span into waiting for the GIL, painting, and waiting again."""
        calls: dict[Worker, list[Call]] = {}
        for call in self.calls:
            calls.setdefault(call.worker, []).append(call)
        corrected: list[Span] = []
        for span in spans:
            inside = [call for call in calls.get(span.worker, ()) if span.t0 <= call.t0 and call.t1 <= span.t1]
            if span.kind != "paint" or len(inside) != 1:
                corrected.append(span)
                continue
            [(_, t0, t1, on_cpu, cpu, cpu_end)] = inside
            waited = span._replace(kind="wait", on_cpu=None)
            painted = Span(span.worker, span.tile, "paint", t0, t1, cpu, cpu_end, on_cpu)
            corrected += [waited._replace(t1=t0), painted, waited._replace(t0=t1)]
        return tuple(span for span in corrected if span.kind != "wait" or span.t1 > span.t0)


def hold_gil(kernel: object) -> GilKernel:
    """Make a kernel that holds the GIL from a compiled target's. Raises TypeError for any other."""
    if not isinstance(kernel, NativeKernel):
        raise TypeError(f"only compiled code can be called either way, not a {type(kernel).__name__}")
    return GilKernel(kernel)
