"""The library's results: frames that can be saved, as files of any kind that the command line makes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from render import outputs
from render.errors import UsageError
from render.frame import Frame, Frames

if TYPE_CHECKING:
    from os import PathLike


def save_frames(path: str | PathLike[str], frames: Frames, *, plain: bool) -> None:
    """Write these frames as the kind of file that the end of its name says; see `outputs`.

    Raises UsageError for a name without a known ending, where there is no frame, and where the file needs pixels of
    which there is only a small picture; OutputError where it cannot be written.
    """
    place = Path(path)
    maker = outputs.by_suffix(place)
    if not frames:
        why = "; ".join(reason for _, reason in frames.not_run)
        raise UsageError(
            f"there is nothing to save in {str(place)!r}: no mode ran", why or "race in a mode that runs here"
        )
    outputs.check_writable(place)
    outputs.save_frames(place, maker, frames, plain=plain)


class DrawnFrame(Frame):
    """A frame as `render.draw` gives it."""

    def save(self, path: str | PathLike[str], *, plain: bool = False) -> None:
        """Save it as what the name says: `frame.save("x.png")`, `.npz`, `.svg`, `.html`, `.trace.json`, ...

        plain: the picture alone, without request and timings. Raises UsageError for a name without a known ending,
        OutputError where it cannot be written.
        """
        save_frames(path, Frames((self,)), plain=plain)
