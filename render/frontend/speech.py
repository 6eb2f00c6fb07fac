"""Output streams that make control characters in text from elsewhere harmless."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from render import processes
from render.wording import make_harmless


class HarmlessStream:
    """A text stream that writes control characters as their codes, all but line ends; otherwise it is the other one."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write text with its control characters as codes."""
        return self.stream.write(make_harmless(text, keep="\n"))

    def __getattr__(self, name: str) -> Any:
        """Forward everything else to the underlying stream."""
        return getattr(self.stream, name)


def unwrap_stream(stream: TextIO) -> TextIO:
    """Return the underlying stream, for drawing on a terminal with escape sequences."""
    return stream.stream if isinstance(stream, HarmlessStream) else stream


@contextmanager
def harmless_streams() -> Iterator[None]:
    """Make standard output and standard error print control characters, and letters they lack, as codes."""
    processes.open_closed_streams()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  (it lives as long as we)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, HarmlessStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
