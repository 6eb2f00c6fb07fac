"""Target `slow_device`, for a test: a device of its own kind, on which target `python` paints when it is waited for."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Any

import numpy as np

from render import targets
from render.frame import Canvas
from render.request import Request
from render.runtime.kernel import Announce, Kernel, LaunchKernel, Painted
from render.runtime.launch import Shape
from render.scene import Scene
from render.trace import Clock, Worker

KIND = "device"
PRECISIONS = ("f32", "f64")
BAND_ROWS = 5
DROPS_GIL = False


def unavailable_reason(request: Request | None = None) -> tuple[str, str] | None:
    """Its absence, where a test asks for it."""
    return ("it is out of order", "mend it") if os.environ.get("SLOW_DEVICE") == "broken" else None


def compile(scene: Scene, request: Request, announce: Announce) -> LaunchKernel:
    within = targets.load("python").compile(scene, request, announce)
    return LaunchKernel(partial(SlowDevice, request, within), "slow", "a slow device", 2)


class SlowDevice:
    """With a kernel."""

    failed: tuple[str, ...] = ()

    def __init__(self, request: Request, kernel: Kernel, clock: Clock) -> None:
        self.name, self.request, self.kernel, self.clock = "slow", request, kernel, clock

    def streams(self, count: int) -> list[SlowStream]:
        return [SlowStream(self, number) for number in range(count)]

    def facts(self) -> dict[str, Any]:
        return {"device": "slow"}

    def close(self) -> None:
        pass


class SlowStream:
    """One launch at a time."""

    def __init__(self, device: SlowDevice, number: int) -> None:
        self.device, self.worker = device, Worker(os.getpid(), number, f"slow stream {number}")
        self.shape = Shape(2, *device.request.tile)
        self.rectangles = np.zeros((0, 4), np.int64)

    def submit(self, rectangles: np.ndarray) -> None:
        self.rectangles = rectangles

    def ready(self) -> bool:
        return True

    def collect(self) -> Painted:
        slots = len(self.rectangles), *self.rectangles[:, :1:-1].max(axis=0)
        rgb, steps = np.zeros((*slots, 3), np.uint8), np.zeros(slots, np.int32)
        told = []
        for number, (x, y, width, height) in enumerate(self.rectangles.tolist()):
            began, canvas = time.perf_counter_ns(), Canvas(width, height, with_steps=True, x=x, y=y)
            made_here, bad_here = self.device.kernel.paint(canvas, x, y, width, height)
            told.append((made_here, bad_here, began, time.perf_counter_ns()))
            rgb[number, :height, :width], steps[number, :height, :width] = canvas.rgb, canvas.steps
        made, bad, first, last = np.array(told).T
        kept = steps if self.device.request.samples == 1 else None
        return Painted(rgb, kept, made, bad, first, last, int(first[0]), int(last[-1]), int(last[-1]))
