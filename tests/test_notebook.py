"""The program in a notebook, run by a real kernel: an event loop runs all the time, and results show themselves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests.conftest import HANGING

ROOT = Path(__file__).parent.parent
SMALL = "size=(12, 8), samples=1, limit=20, tile=4, target='python'"
CELLS = (
    "import os, threading, render",
    f"render.draw(mode='concurrent', {SMALL})",
    f"race = render.race(['sequential', 'concurrent', 'parallel'], workers=2, {SMALL})\nrace",
    f"render.lesson('wait', wait='1ms', {SMALL})",
    "print(race.identical, len(race[1].trace.workers), race[1].trace.workers[0].process == os.getpid())",
    "print(race[0])",
    "print([thread.name for thread in threading.enumerate() if thread.name.startswith('concurrent')])",
)


@pytest.fixture(scope="module")
def cells() -> list[Any]:
    """The cells, run one after the other in one kernel; one that fails raises."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])  # type: ignore[no-untyped-call]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        NotebookClient(notebook, timeout=HANGING, kernel_name="python3").execute()
    return list(notebook.cells)


def shown(cell: Any) -> dict[str, str]:
    """What a cell's last expression shows, by kind."""
    [output] = [output for output in cell.outputs if output.output_type == "execute_result"]
    return dict(output.data)


def said(cell: Any) -> str:
    """What a cell prints."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream").strip()


def test_a_frame_that_one_worker_juggled_is_shown_as_a_picture(cells: list[Any]) -> None:
    assert shown(cells[1])["image/png"].startswith("iVBORw0KGgo")
    assert shown(cells[1])["text/plain"] == "<Frame of 'mandelbrot', 12 x 8, by 'concurrent'>"


def test_a_race_is_shown_as_the_theatre(cells: list[Any]) -> None:
    assert shown(cells[2])["text/html"].startswith('<iframe title="the theatre" ')
    assert said(cells[4]) == "True 1 True"


def test_a_lesson_is_shown_with_its_question_and_answers(cells: list[Any]) -> None:
    html = shown(cells[3])["text/html"]
    assert html.startswith(
        "<p><strong>When is one worker who juggles faster than one who does not?</strong></p><ul><li>"
    )
    assert html.count("<li>") >= 3
    assert html.index("</ul>") < html.index('<iframe title="the theatre" ')


def test_what_is_printed_is_one_line_and_no_thread_is_left(cells: list[Any]) -> None:
    assert said(cells[5]) == "<Frame of 'mandelbrot', 12 x 8, by 'sequential'>"
    assert said(cells[6]) == "[]"
    assert not any("stderr" in str(output.get("name")) for cell in cells for output in cell.outputs)
