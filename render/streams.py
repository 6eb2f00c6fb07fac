"""The three standard streams, which whoever starts a process may have closed."""

from __future__ import annotations

import os


def open_closed_streams() -> None:
    """Open those that are closed, to nowhere: the next file would get their numbers, and other processes need them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
            os.set_inheritable(opened, True)  # noqa: FBT003  (its only argument)
