"""Several GPUs as one device: their streams share one queue of tiles, and a GPU that fails is left out.

The GPUs are started at the same time, since starting one takes some tenths of a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, zip_longest
from typing import Any

from render.errors import RenderError
from render.parameters import P
from render.request import Request
from render.runtime.cuda.device import CudaDevice
from render.runtime.cuda.stream import Stream
from render.trace import Clock


class Several:
    """The GPUs that start, of these by name. `failed`: what became of the others, a line each.

    Raises RenderError where none starts.
    """

    def __init__(self, makes: Mapping[str, Callable[[Clock], CudaDevice]], clock: Clock) -> None:
        from concurrent.futures import ThreadPoolExecutor  # not for the many machines that have one GPU

        self.failed: list[str] = []
        self._devices: list[CudaDevice] = []
        failure = RenderError("there is no GPU")
        with ThreadPoolExecutor(len(makes), "gpu") as starting:
            started = {name: starting.submit(make, clock) for name, make in makes.items()}
        for name, device in started.items():
            try:
                self._devices.append(device.result())
            except RenderError as error:
                failure = error
                self.failed.append(f"{name}: {error}")
        if not self._devices:
            raise failure

    def streams(self, count: int) -> list[Stream]:
        """So many streams of each GPU at most, the GPUs in turn. Raises RenderError where none has room for one."""
        failure = RenderError("there is no GPU")
        opened: list[list[Stream]] = []
        for device in self._devices:
            try:
                opened.append(device.streams(count))
            except RenderError as error:
                failure = error
                self.failed.append(f"{device.name}: {error}")
        if not opened:
            raise failure
        return [stream for stream in chain.from_iterable(zip_longest(*opened)) if stream is not None]

    def restart(self, request: Request, p: P, clock: Clock) -> bool:
        """Make all of them ready for another request. Each is, or none."""
        ready = [device.restart(request, p, clock) for device in self._devices]
        return all(ready)

    def facts(self) -> dict[str, Any]:
        """For the trace: the GPUs that were started, together."""
        each = [device.facts() for device in self._devices]
        return {
            "device": join_names(facts["device"] for facts in each),
            "multiprocessors": sum(facts["multiprocessors"] for facts in each),
            "card_clock_error_ns": max(facts["card_clock_error_ns"] for facts in each),
        }

    def close(self) -> None:
        """Give everything back."""
        for device in self._devices:
            device.close()


def join_names(names: Iterable[str]) -> str:
    """The names of GPUs as one: "2 x NVIDIA H100", or one after the other."""
    return " + ".join(f"{count} x {name}" if count > 1 else name for name, count in Counter(names).items())
