"""H.264 in MP4, by PyAV: a file that plays while it grows, and is an ordinary one when it is finished.

The muxer writes fragments (moof and mdat), each with the frames of half a second, and behind the last one an index of
the whole film (`hybrid_fragmented`); a patch of the file's beginning then has players use it. A fragment is given out
only when it is whole, and its header last: before, players see an empty box that reaches to the end of the file.
"""

from __future__ import annotations

from fractions import Fraction
from io import SEEK_CUR, SEEK_END
from typing import Any

import numpy as np

from render.errors import ModeUnavailable, UsageError
from render.film.coding import Piece

OPTIONS = {"preset": "veryfast", "crf": "18", "x264-params": "rc-lookahead=10"}  # frames: soon out, little lost
FRAGMENTS = "frag_keyframe+empty_moov+default_base_moof"
INDEXED = f"hybrid_fragmented+{FRAGMENTS}"
FRAGMENT_SECONDS = Fraction(1, 2)
HEADER = 8  # bytes of a box: its length and its name
SMALLEST = 16  # pixels of a side; x264 takes none that are smaller


class Mp4Encoder:
    """Frames to H.264, 4:2:0 in the colours of Rec. 709, which all players know. It encodes in the calling thread.

    index: end with an index of the whole film; without, all is fragments, as a player of parts takes them.
    """

    def __init__(self, width: int, height: int, fps: Fraction, *, index: bool = True) -> None:
        if width % 2 or height % 2 or min(width, height) < SMALLEST:
            raise UsageError(
                f"a .mp4 film of {width} x {height} pixels",
                f"give even numbers from {SMALLEST} on, or end its name in .webp",
            )
        av = _load_av()
        self._av, self._grown, self._waiting = av, Grown(), 0
        self._container = av.open(self._grown, "w", format="mp4", options={"movflags": INDEXED if index else FRAGMENTS})
        self._stream: Any = self._container.add_stream("libx264", rate=fps, options=OPTIONS)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        context = self._stream.codec_context
        context.gop_size, context.max_b_frames, context.thread_count = max(round(fps * FRAGMENT_SECONDS), 1), 0, 1
        context.color_primaries = context.color_trc = context.colorspace = 1  # Rec. 709
        context.color_range = 1  # from 16 to 235
        self._frames = 0

    def encode(self, rgb: np.ndarray) -> list[Piece]:
        """Take the next frame; return the fragments that are complete now."""
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.pts = self._frames
        self._frames += 1
        self._mux(self._stream.encode(frame))
        return self._take_pieces()

    def finish(self) -> list[Piece]:
        """Return the last fragment and the index."""
        if not self._frames:
            return []
        self._mux(self._stream.encode(None))
        self._container.close()
        return self._take_pieces(last=True)

    def _mux(self, packets: Any) -> None:
        for packet in packets:
            if packet.is_keyframe and self._waiting:
                self._container.mux(packet)  # which completes the fragment before it
                self._grown.frames, self._waiting = self._grown.frames + self._waiting, 1
            else:
                self._container.mux(packet)
                self._waiting += 1

    def _take_pieces(self, *, last: bool = False) -> list[Piece]:
        """Take all fragments that are complete, as one piece; the header of each but the file's first is a patch."""
        if last:
            self._grown.frames, self._waiting = self._grown.frames + self._waiting, 0
        return self._grown.take_pieces(last=last)


class Grown:
    """The muxer's output as a file: bytes at its end, and patches of earlier ones."""

    def __init__(self) -> None:
        self._data, self._start, self._place = bytearray(), 0, 0
        self._patches: list[tuple[int, bytes]] = []
        self.frames = 0  # in complete fragments that were not taken yet

    def write(self, data: bytes) -> int:
        """Write at the current place."""
        if self._place < self._start:
            self._patches.append((self._place, bytes(data)))
        else:
            offset = self._place - self._start
            self._data[offset : offset + len(data)] = data
        self._place += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        base = {SEEK_CUR: self._place, SEEK_END: self._start + len(self._data)}.get(whence, 0)
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """Return the current place."""
        return self._place

    def take_pieces(self, *, last: bool) -> list[Piece]:
        """Take everything up to the end of the last complete fragment; with `last` all."""
        size = len(self._data) if last else end_of_fragments(self._data)
        if not size and not self._patches:
            return []
        data = bytes(self._data[:size])
        patches = self._patches
        if self._start and data:
            patches, data = [(self._start, data[:HEADER]), *patches], bytes(HEADER) + data[HEADER:]
        piece = Piece(data, patches, self.frames)
        del self._data[:size]
        self._start, self._patches, self.frames = self._start + size, [], 0
        return [piece]


def end_of_fragments(data: bytes | bytearray) -> int:
    """Find where the last mdat box ends that is whole; 0 where there is none."""
    place = end = 0
    while place + HEADER <= len(data):
        place += (size := int.from_bytes(data[place : place + 4], "big"))
        if size < HEADER or place > len(data):
            break
        if data[place - size + 4 : place - size + 8] == b"mdat":
            end = place
    return end


def name_codec(start: bytes) -> str:
    """Name the codec of a film, for browsers, from its first bytes: "avc1.64001f". Raises ValueError without one."""
    place = start.index(b"avcC") + 4
    return f"avc1.{start[place + 1 : place + 4].hex()}"


def _load_av() -> Any:
    """Import PyAV. Raises ModeUnavailable without it."""
    try:
        import av
    except ImportError as error:
        raise ModeUnavailable(
            "a .mp4 film needs PyAV, which is not here", "pip install 'render[film]', or end its name in .webp"
        ) from error
    av.logging.set_level(av.logging.PANIC)
    return av
