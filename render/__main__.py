"""`python -m render`, and `render` where it is installed."""

from __future__ import annotations

import gc
import signal
import sys
from typing import NoReturn

from render.frontend.cli import main, notes


class Interrupted(KeyboardInterrupt):
    """Control-C. Of a bare KeyboardInterrupt Python remembers that it passed through `exec`, and ends by the signal.

    That happens where a class is being made by text, as named tuples are, at the moment of the signal.
    """


def raise_interrupted(_number: int, _frame: object) -> NoReturn:
    """Raise Interrupted on SIGINT."""
    raise Interrupted


def run() -> int:
    """Run the program as a process of its own; return its exit code.

    Imports make a hundred thousand objects, all of which live until the end. The collector looks among them for dead
    ones some thirty times, and again when the process ends: together some 25 ms.
    """
    gc.set_threshold(50_000, 20, 20)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where it is to be ignored
        signal.signal(signal.SIGINT, raise_interrupted)
    try:
        return main()
    except KeyboardInterrupt as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one more, while Python ends, would end it in another way
        sys.stderr.write("; ".join(["render: interrupted", *notes(error)]) + "\n")
        return 130
    finally:
        gc.freeze()


if __name__ == "__main__":
    sys.exit(run())
