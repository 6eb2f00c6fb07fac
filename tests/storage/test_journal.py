"""The journal: whatever ends a run, the tiles that were done are not painted again, and the picture is the same."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from render import engine, modes
from render.errors import OutputError, UsageError
from render.frame import Canvas
from render.frontend.keeping import open_journal
from render.plan import Tile
from render.request import Request
from render.storage import journal as journals
from render.storage.journal import Journal
from render.storage.journal_file import JournalFile, journal_name, open_journals

IDENTITY = {"drawn": {"samples": 1}, "tile": [7, 5]}
TILES = [Tile(number, 7 * number, 0, 7, 5) for number in range(6)]


def filled_canvas(samples: int) -> Canvas:
    canvas = Canvas(42, 5, with_steps=samples == 1)
    random = np.random.default_rng(5)
    canvas.rgb[:] = random.integers(0, 255, canvas.rgb.shape)
    if canvas.steps is not None:
        canvas.steps[:] = random.integers(-(1 << 31), 1 << 31, canvas.steps.shape)
    return canvas


@pytest.mark.parametrize("samples", [1, 4])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 2000), flipped=st.integers(0, 2000))
def test_what_comes_before_a_torn_or_damaged_place_is_read_and_the_rest_written_anew(
    samples: int, cut: int, flipped: int, tmp_path: Path
) -> None:
    canvas, identity = filled_canvas(samples), IDENTITY | {"drawn": {"samples": samples}}
    with (tmp_path / "a").open("w+b") as file:
        written = JournalFile(tmp_path / "a", file)
        written.write_header(identity)
        ends = [written.end]
        for tile in TILES:
            written.append([(tile, tile.number)], canvas)
            ends.append(written.end)
        file.seek(flipped % ends[-1])
        damaged = bytes([file.read(1)[0] ^ 4])
        file.seek(flipped % ends[-1])
        file.write(damaged)
        size = file.truncate(max(ends[-1] - cut, 0))
        good = min(size, flipped % ends[-1])

        read = JournalFile(tmp_path / "a", file)
        read.read_header()
        found = list(read.read_tiles())
        assert [kept.made for kept in found] == list(range(sum(end <= good for end in ends[1:])))
        for kept in found:
            place = slice(kept.y, kept.y + kept.height), slice(kept.x, kept.x + kept.width)
            assert np.array_equal(canvas.rgb[place], kept.rgb)
            assert canvas.steps is None or (kept.steps is not None and np.array_equal(canvas.steps[place], kept.steps))
        if read.identity == identity:
            read.append([(TILES[0], 77)], canvas)
            again = JournalFile(tmp_path / "a", file)
            again.read_header()
            assert [kept.made for kept in again.read_tiles()] == [*range(len(found)), 77]


class Interrupt:
    """Interrupts a run at a tile."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, _moment: object) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def keep(request: Request, output: Path, said: list[str] | None = None, **how: Any) -> tuple[Request, Journal]:
    return open_journal(request, [output], (said if said is not None else []).append, **how)


def interrupt(request: Request, output: Path, at: int = 3) -> str:
    """Draw a few tiles; return what is said of them."""
    request, journal = keep(request, output)
    with pytest.raises(KeyboardInterrupt) as caught:
        engine.draw(request, watch=Interrupt(at), journal=journal)
    return "".join(caught.value.__notes__)


def requests_of(ask: Callable[..., Request], mode: str) -> Request:
    if modes.load(mode).KIND == "device":
        return ask(mode=mode, target="cuda", simulate=True, width=24, height=16, tile=(8, 8), limit=9)
    parallel = {"backend": "loky", "workers": 2} if "backend" in modes.load(mode).OPTIONS else {}
    return ask(mode=mode, target="simd", **parallel)


SIMULATED = {"device": [pytest.mark.slow]}  # the simulator takes seconds


@pytest.mark.parametrize(
    "mode", [pytest.param(name, marks=SIMULATED.get(modes.load(name).KIND, [])) for name in modes.names()]
)
def test_a_resumed_picture_is_that_of_a_run_that_nothing_interrupted(
    mode: str, ask: Callable[..., Request], tmp_path: Path
) -> None:
    request, output = requests_of(ask, mode), tmp_path / "a.png"
    expected = engine.draw(request)
    assert interrupt(request, output) == f"3 of 6 tiles are kept in {journal_name(output)}: add --resume to go on"

    painted: list[int] = []
    request, journal = keep(request, output, resume=True)
    frame = engine.draw(request, watch=lambda moment: painted.append(moment.done.tile.number), journal=journal)
    journal.remove()

    assert (frame.sha256, frame.total_steps) == (expected.sha256, expected.total_steps)
    assert frame.steps is not None
    assert expected.steps is not None
    assert np.array_equal(frame.steps, expected.steps)
    assert frame.trace.facts["resumed"] == 3
    assert len(painted) == len(set(painted)) == 3
    assert not list(tmp_path.iterdir())


def test_a_journal_is_found_beside_any_of_the_files_that_a_run_makes(
    ask: Callable[..., Request], tmp_path: Path
) -> None:
    first, second, said = tmp_path / "a.png", tmp_path / "b.tif", list[str]()
    interrupt(ask(), first)
    _, running = open_journal(ask(), [second, first], print, resume=True)
    with pytest.raises(OutputError, match=f"another run is drawing {first}"):
        open_journal(ask(), [second, first], print)
    running.stop()
    request, journal = open_journal(ask(), [second, first], said.append, resume=True)
    assert said == [f"going on with {journal_name(first)}"]
    assert engine.draw(request, journal=journal).trace.facts["resumed"] == 3
    journal.remove()
    assert not list(tmp_path.iterdir())


def test_a_picture_of_which_all_is_kept_is_painted_by_nobody(ask: Callable[..., Request], tmp_path: Path) -> None:
    request, output = ask(), tmp_path / "a.png"
    assert interrupt(request, output, 6).startswith("6 of 6")
    request, journal = keep(request, output, resume=True)
    frame = engine.draw(request, journal=journal)
    assert frame.sha256 == engine.draw(ask()).sha256
    assert not frame.trace.workers
    journal.remove()


def test_a_quick_picture_has_no_journal(
    ask: Callable[..., Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "FIRST_SECONDS", 300.0)
    request, journal = keep(ask(), tmp_path / "a.png")
    engine.draw(request, journal=journal)
    assert not list(tmp_path.iterdir())


def test_a_resumed_picture_is_cut_as_its_journal_unless_it_is_asked_otherwise(
    ask: Callable[..., Request], tmp_path: Path
) -> None:
    output = tmp_path / "a.png"
    interrupt(ask(), output)
    other = ask(tile=(9, 9))
    with pytest.raises(UsageError, match="its tiles are"):
        keep(other, output, resume=True, own_tile=True)
    request, journal = keep(other, output, resume=True)
    assert request.tile == (16, 16)
    journal.stop()


def test_of_another_picture_the_parameter_is_named_that_differs(ask: Callable[..., Request], tmp_path: Path) -> None:
    output = tmp_path / "a.png"
    interrupt(ask(), output)
    with pytest.raises(UsageError, match="another picture: its shortcuts is 1, not 0"):
        keep(ask(parameters={"shortcuts": 0}), output, resume=True)


@pytest.mark.parametrize("change", [{"limit": 61}, {"samples": 4}, {"width": 49}])
def test_the_journal_of_another_picture_is_refused_and_stays(
    change: dict[str, Any], ask: Callable[..., Request], tmp_path: Path
) -> None:
    output = tmp_path / "a.png"
    interrupt(ask(), output)
    with pytest.raises(UsageError, match=f"another picture: its {next(iter(change))} is") as refused:
        keep(ask(**change), output, resume=True)
    assert "--fresh" in refused.value.remedy
    request, journal = keep(ask(), output, resume=True)
    assert engine.draw(request, journal=journal).trace.facts["resumed"] == 3
    journal.remove()


def test_without_a_word_what_is_kept_stays_until_the_picture_is_saved(
    ask: Callable[..., Request], tmp_path: Path
) -> None:
    output, said = tmp_path / "a.png", list[str]()
    interrupt(ask(), output)
    before = journal_name(output).read_bytes()
    request, journal = keep(ask(limit=99), output, said)
    with pytest.raises(KeyboardInterrupt):
        engine.draw(request, watch=Interrupt(2), journal=journal)
    assert said == [f"{journal_name(output)} keeps tiles of another picture; it goes when this one is saved"]
    assert journal_name(output).read_bytes() == before
    assert journal_name(output, 2).exists()

    request, journal = keep(ask(), output, said)
    assert "--resume would go on" in said[1]
    assert "resumed" not in engine.draw(request, journal=journal).trace.facts
    assert journal_name(output).read_bytes() == before
    journal.remove()
    assert not list(tmp_path.iterdir())


def test_fresh_throws_away_what_was_kept_and_resume_without_it_says_so(
    ask: Callable[..., Request], tmp_path: Path
) -> None:
    output, said = tmp_path / "a.png", list[str]()
    interrupt(ask(), output)
    keep(ask(), output, fresh=True)
    assert not list(tmp_path.iterdir())
    keep(ask(), output, said, resume=True)
    assert said == [f"there is no journal of {output}: the whole picture is painted anew"]


@pytest.mark.parametrize("text", [b"", b"ren", b"render journal 1\n{}"])
def test_a_journal_that_cannot_be_read_is_said_to_be_there_and_goes(
    text: bytes, ask: Callable[..., Request], tmp_path: Path
) -> None:
    output, said = tmp_path / "a.png", list[str]()
    journal_name(output).write_bytes(text)
    _, journal = keep(ask(), output, said, resume=True)
    assert said == [f"{journal_name(output)} is damaged, or of another version: the whole picture is painted anew"]
    journal.remove()
    assert not list(tmp_path.iterdir())


def test_a_strangers_file_of_that_name_stays(ask: Callable[..., Request], tmp_path: Path) -> None:
    output, said = tmp_path / "a.png", list[str]()
    journal_name(output).write_bytes(b"Dear diary")
    interrupt(ask(), output)
    _, journal = keep(ask(), output, said, resume=True)
    assert said == [f"going on with {journal_name(output, 2)}"]
    journal.remove()
    assert journal_name(output).read_bytes() == b"Dear diary"


def test_two_runs_do_not_draw_one_file(ask: Callable[..., Request], tmp_path: Path) -> None:
    output = tmp_path / "a.png"
    _, first = keep(ask(), output)
    _, second = keep(ask(), output)
    canvas = filled_canvas(4)
    for journal in (first, second):
        journal.start(ask(), 6)
        journal.add(TILES[0], 1, canvas)
    held = first._create()  # as its thread does after a while  # noqa: SLF001
    with pytest.raises(OutputError, match="another run is drawing"):
        keep(ask(), output, resume=True)
    with pytest.raises(OutputError, match="another run is drawing"):
        second._create()  # noqa: SLF001
    assert [path.name for path in tmp_path.iterdir()] == ["a.png.journal"]
    held.remove()
    for journal in (first, second):
        journal.remove()


def test_a_full_disk_is_reported_once_and_the_picture_painted_on(
    ask: Callable[..., Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    output, said = tmp_path / "a.png", list[str]()
    request, journal = keep(ask(), output, said)
    monkeypatch.setattr(journals, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(journals, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("os.fsync", refuse)
    frame = engine.draw(request, journal=journal)
    journal.finish()
    assert frame.sha256 == engine.draw(ask()).sha256
    assert [line for line in said if "No space left" in line] == said[:1]
    journal.remove()
    assert not list(tmp_path.iterdir())


def test_tiles_come_to_the_disk_while_the_picture_is_painted(
    ask: Callable[..., Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(journals, "PAUSE_SECONDS", 0.01)
    output, kept = tmp_path / "a.png", list[int]()
    request, journal = keep(replace(ask(), wait_ns=50_000_000), output)

    def look(_moment: object) -> None:
        if journal_name(output).exists():
            with journal_name(output).open("rb") as file:
                found = JournalFile(output, file)
                found.read_header()
                kept.append(len(list(found.read_tiles())))

    engine.draw(request, watch=look, journal=journal)
    assert kept == sorted(kept)
    assert kept[-1] > 0
    journal.stop()
    [left] = open_journals([output])
    assert len(list(left.read_tiles())) == 6
    left.close()
