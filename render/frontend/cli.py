"""The command line: words become options, a command runs, its outcome becomes an exit code.

Nothing heavy is imported here: `--help` answers before numpy could load. The commands stand in
`render.frontend.commands`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module

from render.errors import OutputError, RenderError, UnknownName
from render.frontend import signals
from render.frontend.parsers import PARSERS
from render.frontend.speech import harmless_streams

MAX_CAUSE = 500  # letters of a cause: a scene may raise anything


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; give its exit code. Errors are one line of cause and one of what to do, on standard error."""
    began = time.perf_counter_ns()
    words = list(sys.argv[1:] if argv is None else argv)
    with harmless_streams():
        return _run_guarded(words, began, debug="--debug" in words)


def _run_guarded(words: list[str], began: int, *, debug: bool) -> int:
    """Run one command and turn whatever goes wrong into an exit code."""
    try:
        try:
            code = _run_command(words, began)
        except Exception as error:
            if signals.INTERRUPTS:  # in the middle of an import, say: NumPy makes an error of its own of it
                raise KeyboardInterrupt from error
            raise
        _flush_output()
        return code
    except RenderError as error:
        return print_error(error, debug=debug)
    except BrokenPipeError:  # the reader of our output has gone
        _drop_output()
        return 1
    except signals.Terminated as ended:
        with contextlib.suppress(OSError):  # the terminal may have gone
            name = signals.name_of(ended)
            print("; ".join([f"render: ended by {name}", *signals.read_notes(ended)]), file=sys.stderr, flush=True)
        raise
    except OSError as error:  # such as a full disk
        return print_error(RenderError(f"the system reports an error: {error}", "--debug shows where"), debug=debug)
    except MemoryError as error:
        cause = f"not enough memory: {error or 'Python could get no more'}"
        return print_error(RenderError(cause, "give a smaller --size, or allow more memory (ulimit -v)"), debug=debug)
    except Exception as error:  # noqa: BLE001  (the last word: a line instead of a traceback)
        fault = RenderError(f"{type(error).__name__}: {error}", "this is a bug in render; --debug shows where")
        return print_error(fault, debug=debug)


STARTED_EARLY = {"cuda": "render.runtime.cuda.early"}  # modes whose devices start while everything else is imported


def _run_command(words: list[str], began: int) -> int:
    """Find the command and run it."""
    command = words.pop(0) if words and not words[0].startswith("-") else "draw"
    if command == "help":
        command, words = (words or ["draw"])[0], ["--help"]
    if command not in PARSERS:
        raise UnknownName("command", command, PARSERS)
    options = PARSERS[command]().parse_words(words)
    signals.exit_on_signals()
    if not vars(options).get("simulate") and vars(options).get("mode") in STARTED_EARLY:
        import_module(STARTED_EARLY[options.mode]).start()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start threads that nothing here uses
    from render.frontend import commands

    return commands.run(command, options, began)


def _flush_output() -> None:
    """Flush standard output now, while a failure can still be reported. Raises OutputError."""
    try:
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_output()
        raise OutputError(f"cannot write to standard output: {error.strerror}", "redirect it elsewhere") from error


def _drop_output() -> None:
    """Send what is still buffered nowhere: Python would try to write it again at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(error: RenderError, *, debug: bool = False) -> int:
    """Print the cause and what to do, a line each, and the traceback if `debug`; return the exit code."""
    if debug:
        import traceback

        traceback.print_exc()
    cause = " ".join(str(error).split())
    print(f"render: {cause[:MAX_CAUSE]}{'...' if len(cause) > MAX_CAUSE else ''}", file=sys.stderr)
    if error.remedy:
        print(f"        {error.remedy}", file=sys.stderr)
    return error.exit_code
