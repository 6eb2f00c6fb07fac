"""Signals that end the program, wherever they come."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import NoReturn

import pytest

from render.frontend import cli, signals
from tests.conftest import HANGING

CLOSING = """
import atexit, sys, time
from render import __main__
from render.frontend import cli, signals
def close():
    print("closing", flush=True)
    time.sleep(1000)
def main():
    atexit.register(close)  # as workers are, once the program has started
    signals.exit_on_signals()
    return 0
cli.main = main
sys.exit(__main__.run())
"""


def test_an_interrupt_that_an_import_made_another_error_of_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy tells of an import that failed, whatever it was."""

    def import_numpy(_words: list[str], _began: int) -> NoReturn:
        try:
            signals.raise_interrupted(signal.SIGINT, None)
        except KeyboardInterrupt as error:
            raise ImportError("Unable to import required dependency numpy") from error

    monkeypatch.setattr(signals, "INTERRUPTS", [])
    monkeypatch.setattr(cli, "_run_command", import_numpy)
    with pytest.raises(KeyboardInterrupt):
        cli.main([])


def test_what_is_kept_is_said_where_a_signal_ends_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def draw(_words: list[str], _began: int) -> NoReturn:
        ended = signals.Terminated(128 + signal.SIGTERM)
        ended.add_note("3 of 6 tiles are kept in a.png.journal: add --resume to go on")
        raise ended

    monkeypatch.setattr(cli, "_run_command", draw)
    with pytest.raises(SystemExit) as caught:
        cli.main([])
    assert caught.value.code == 143
    assert capsys.readouterr().err == (
        "render: ended by SIGTERM; 3 of 6 tiles are kept in a.png.journal: add --resume to go on\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals are sent there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_workers_are_ended_ends_the_program_at_once_and_without_a_word(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLOSING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "closing\n"
        run.send_signal(number)
        _, errors = run.communicate(timeout=HANGING)
    assert (run.returncode, errors) == (128 + number, "")
