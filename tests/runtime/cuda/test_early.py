"""The driver starts beside the imports: each GPU's context is made once, and failures are reported later."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from render.frontend import cli
from render.runtime.cuda import early


class Library:
    """The driver's entry points that are called, as ctypes has them. `failing`: one that does not succeed."""

    def __init__(self, gpus: int, failing: str = "") -> None:
        self.gpus, self.failing = gpus, failing
        self.retained: list[int] = []

    def cuInit(self, _flags: int) -> int:  # noqa: N802  (the driver's names)
        return 100 * (self.failing == "cuInit")

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        ctypes.cast(count, ctypes.POINTER(ctypes.c_int))[0] = self.gpus
        return 3 * (self.failing == "cuDeviceGetCount")

    def cuDeviceGet(self, device: Any, number: int) -> int:  # noqa: N802
        ctypes.cast(device, ctypes.POINTER(ctypes.c_int))[0] = 10 + number
        return 0

    def cuDevicePrimaryCtxRetain(self, _context: Any, device: int) -> int:  # noqa: N802
        self.retained.append(device)
        return 2 * (self.failing == "cuDevicePrimaryCtxRetain")


@pytest.mark.parametrize(
    ("library", "retained"),
    [
        (Library(1), [10]),
        (Library(3), [10, 11, 12]),
        (Library(0), []),
        (Library(2, "cuInit"), []),
        (Library(2, "cuDeviceGetCount"), []),
        (Library(2, "cuDevicePrimaryCtxRetain"), [10, 11]),
    ],
)
def test_each_gpu_gets_its_context(library: Library, retained: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "driver_library", lambda: library)

    early.start().join()

    assert sorted(library.retained) == retained


def test_without_a_driver_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise OSError("libcuda.so.1: cannot open shared object file")

    monkeypatch.setattr(early, "driver_library", absent)

    early.start().join()


@pytest.mark.parametrize(
    ("words", "started"),
    [("--mode cuda", True), ("--mode cuda --simulate", False), ("--mode parallel", False), ("race", False)],
)
def test_only_what_asks_for_a_gpu_starts_one(words: str, *, started: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A race does not: the start of its driver would take CPU time from the first mode."""
    seen: list[str] = []
    monkeypatch.setattr(early, "start", lambda: seen.append("started"))
    monkeypatch.setattr("render.frontend.commands.run", lambda *_: 0)
    monkeypatch.setattr("render.frontend.signals.exit_on_signals", lambda: None)

    assert cli.main(words.split()) == 0
    assert bool(seen) == started
