"""`python -m render`, and `render` where it is installed."""

from __future__ import annotations

import atexit
import gc
import signal
import sys

from render.frontend.signals import ignore_interrupts, leave_at_once_on_signals, raise_interrupted, read_notes


def run() -> int:
    """Run the program as a process of its own; return its exit code.

    Imports make a hundred thousand objects, all of which live until the end. The collector looks among them for dead
    ones some thirty times, and again when the process ends: together some 25 ms.
    """
    gc.set_threshold(50_000, 20, 20)
    atexit.register(ignore_interrupts)  # called last of all
    try:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where it is to be ignored
            signal.signal(signal.SIGINT, raise_interrupted)
        from render.frontend.cli import main

        return main()
    except KeyboardInterrupt as error:
        leave_at_once_on_signals()
        sys.stderr.write("; ".join(["render: interrupted", *read_notes(error)]) + "\n")
        return 130
    finally:
        leave_at_once_on_signals()  # workers are still ended, in which an exception would get lost
        gc.freeze()


if __name__ == "__main__":
    sys.exit(run())
