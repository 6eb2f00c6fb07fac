"""Signals that end the program: each an exception, so that all is tidied up and what is kept is said."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

INTERRUPTS: list[int] = []  # the SIGINTs that came, whatever became of the exceptions that they raised


class Interrupted(KeyboardInterrupt):
    """Control-C. Of a bare KeyboardInterrupt Python remembers that it passed through `exec`, and ends by the signal.

    That happens where a class is being made by text, as named tuples are, at the moment of the signal.
    """


def raise_interrupted(number: int, _frame: object) -> NoReturn:
    """Raise Interrupted on SIGINT."""
    INTERRUPTS.append(number)
    raise Interrupted


class Terminated(SystemExit):
    """A signal ended the program; the code is 128 and the signal's number, as shells count."""


def _raise_terminated(caught: int, _frame: object) -> NoReturn:
    raise Terminated(128 + caught)


def exit_on_signals() -> None:
    """Exit cleanly on SIGTERM and SIGHUP: processes and canvases would be left behind otherwise."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            try:
                signal.signal(number, _raise_terminated)
            except ValueError:  # not the main thread: somebody else's program, and its signals
                return


def leave_at_once_on_signals() -> None:
    """Have the next signal end the program at once: all is said and saved, and its processes go with it."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in (raise_interrupted, _raise_terminated):
            signal.signal(number, _leave)


def ignore_interrupts() -> None:
    """Ignore SIGINT from now on: in its last moments Python has no handlers, and would end by the signal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _leave(number: int, _frame: object) -> NoReturn:
    os._exit(128 + number)


def name_of(ended: Terminated) -> str:
    """Return the name of the signal that ended the program."""
    return signal.Signals(int(str(ended)) - 128).name


def read_notes(error: BaseException) -> list[str]:
    """Return the notes added to an error on its way: what is kept, and how to go on."""
    return list(getattr(error, "__notes__", []))
