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
from typing import Any, cast

from render.runtime.cpu.native import NativeKernel
from render.trace import Recorder, Span, Worker

Call = tuple[Worker, int, int]


class HeldKernel(NativeKernel):
    """A kernel that holds the GIL while it paints. It runs in threads only, and cannot be sent to a process.

    A painter's clock runs while its thread waits for the GIL, before the call and after it. So each call is timed in
    one step that Python cannot be interrupted in, and `corrected` tells waiting from painting.
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

    def _timed(self, cells: int) -> int:
        """Call the machine code, holding the GIL from first to last."""
        call = partial(self._held, cells)
        in_turn: tuple[Callable[[], int], ...] = (time.perf_counter_ns, call, time.perf_counter_ns)
        t0, steps, t1 = tuple(map(operator.call, in_turn))  # one bytecode: nobody else comes in between
        self.calls.append((Recorder.me(), t0, t1))
        return int(steps)

    def corrected(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        """The spans, each paint cut into what it waited for the GIL, what it painted, and what it waited again."""
        calls: dict[Worker, list[tuple[int, int]]] = {}
        for worker, t0, t1 in self.calls:
            calls.setdefault(worker, []).append((t0, t1))
        made: list[Span] = []
        for span in spans:
            inside = [(t0, t1) for t0, t1 in calls.get(span.worker, ()) if span.t0 <= t0 and t1 <= span.t1]
            if span.kind != "paint" or len(inside) != 1:
                made.append(span)
                continue
            [(t0, t1)] = inside
            made += [span._replace(kind="wait", t1=t0), span._replace(t0=t0, t1=t1), span._replace(kind="wait", t0=t1)]
        return tuple(span for span in made if span.kind != "wait" or span.t1 > span.t0)


def held(kernel: object) -> HeldKernel:
    """The kernel of a compiled target, holding the GIL. Raises TypeError for any other."""
    if not isinstance(kernel, NativeKernel):
        raise TypeError(f"only compiled code can be called either way, not a {type(kernel).__name__}")
    return HeldKernel(kernel)
