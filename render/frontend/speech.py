"""What the program says: through streams that no text from elsewhere can steer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from render import streams
from render.wording import make_harmless


class HarmlessStream:
    """A text stream that writes control characters as their codes, all but line ends; otherwise it is the other one."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write it, harmless."""
        return self.stream.write(make_harmless(text, keep="\n"))

    def __getattr__(self, name: str) -> Any:
        """Whatever else the other stream has."""
        return getattr(self.stream, name)


def unwrap_stream(stream: TextIO) -> TextIO:
    """The stream below, for who draws on a terminal with escape sequences of its own."""
    return stream.stream if isinstance(stream, HarmlessStream) else stream


@contextmanager
def harmless_streams() -> Iterator[None]:
    """Speak on standard output and standard error so, whoever started us; no letter is one that cannot be said."""
    streams.open_closed_streams()
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
