"""The stages: in order, bounded, and ended together by whatever ends one of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from render.film.coding import Piece
from render.film.stages import PLACES, Painted, StageQueue, Stages, StageStopped
from render.findings import films
from render.trace import Recorder, Trace
from tests.conftest import HANGING

PIXELS = np.zeros((2, 2, 3), np.uint8)


class Counting:
    """An encoder that gives every second time what came since, and fails at a frame if told to."""

    def __init__(self, fails_at: int = -1) -> None:
        self.seen, self.fails_at, self.kept = 0, fails_at, 0

    def encode(self, rgb: np.ndarray) -> list[Piece]:
        assert rgb is PIXELS
        if self.seen == self.fails_at:
            raise ValueError("no such colour")
        self.seen, self.kept = self.seen + 1, self.kept + 1
        return self.finish() if self.seen % 2 == 0 else []

    def finish(self) -> list[Piece]:
        kept, self.kept = self.kept, 0
        return [Piece(bytes([self.seen]), (), kept)] if kept else []


def painted(frames: int, *, fails: BaseException | None = None) -> Iterator[Painted]:
    for number in range(frames):
        yield Painted(number, PIXELS)
    if fails is not None:
        raise fails


@pytest.mark.parametrize("overlap", [True, False])
def test_all_frames_are_encoded_and_written_in_order(overlap: bool) -> None:
    written: list[Piece] = []
    seen: list[int] = []
    stages = Stages(Counting(), written.append, lambda one: seen.append(one.number), Recorder())
    stages.run(painted(7), overlap=overlap)
    assert seen == list(range(7))
    assert [piece.data[0] for piece in written] == [2, 4, 6, 7]
    assert stages.frames == 7


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("failure", [RuntimeError("a tile failed"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_what_is_painted_before_a_failure_is_written(overlap: bool, failure: BaseException) -> None:
    stages = Stages(Counting(), lambda _piece: None, lambda _one: None, Recorder())
    with pytest.raises(type(failure)):
        stages.run(painted(5, fails=failure), overlap=overlap)
    assert stages.frames == 5


@pytest.mark.parametrize("overlap", [True, False])
def test_an_encoder_that_fails_ends_all_stages(overlap: bool) -> None:
    stages = Stages(Counting(fails_at=4), lambda _piece: None, lambda _one: None, Recorder())
    with pytest.raises(ValueError, match="colour"):
        stages.run(painted(10**6), overlap=overlap)
    assert stages.frames == 4
    assert not [thread for thread in threading.enumerate() if thread.name in ("encoder", "writer")]


@pytest.mark.parametrize("overlap", [True, False])
def test_a_full_disk_ends_all_stages(overlap: bool) -> None:
    def refuse(piece: Piece) -> None:
        if piece.data[0] > 4:
            raise OSError(28, "No space left on device")

    stages = Stages(Counting(), refuse, lambda _one: None, Recorder())
    with pytest.raises(OSError, match="space"):
        stages.run(painted(10**6), overlap=overlap)
    assert stages.frames == 4
    assert not [thread for thread in threading.enumerate() if thread.name in ("encoder", "writer")]


def test_a_painter_that_is_ahead_waits() -> None:
    """While the encoder holds the first frame, the queue takes as many as it has places, and no more."""
    ahead, go = threading.Semaphore(0), threading.Event()
    most: list[int] = []

    class Slow(Counting):
        def encode(self, rgb: np.ndarray) -> list[Piece]:
            go.wait(HANGING)
            return super().encode(rgb)

    def counted() -> Iterator[Painted]:
        for one in painted(PLACES + 4):
            most.append(one.number)
            ahead.release()
            yield one

    stages = Stages(Slow(), lambda _piece: None, lambda _one: None, Recorder())
    runner = threading.Thread(target=lambda: stages.run(counted(), overlap=True))
    runner.start()
    for _ in range(PLACES + 2):  # one is encoded, PLACES wait, one is in the painter's hands
        assert ahead.acquire(timeout=HANGING)
    assert not ahead.acquire(timeout=0.05)
    assert len(most) == PLACES + 2
    go.set()
    runner.join(HANGING)
    assert stages.frames == PLACES + 4


def test_a_stopped_queue_takes_nothing() -> None:
    queue = StageQueue[int]()
    queue.put(1)
    queue.stop()
    with pytest.raises(StageStopped):
        queue.put(2)
    assert list(queue) == []


def test_one_after_the_other_never_has_two_stages_at_work() -> None:
    recorder = Recorder()

    def recorded() -> Iterator[Painted]:
        for number in range(6):
            with recorder.record_work("paint", number):
                pass
            yield Painted(number, PIXELS)

    Stages(Counting(), lambda _piece: None, lambda _one: None, recorder).run(recorded(), overlap=False)
    overlap = films.measure_overlap(Trace(recorder.drain(), 0, 0, 1, {}))
    assert overlap.together == 0
    assert not overlap.overlaps
    assert set(overlap.stages) == {"paint", "encode", "save"}
