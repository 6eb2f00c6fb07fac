"""The encoders: at every instant the file plays, and it shows the frames so far, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageSequence

from render.errors import ModeUnavailable, UsageError
from render.film import mp4
from render.film.coding import Encoder, Piece
from render.film.formats import open_encoder
from render.film.webp import WebpEncoder
from render.pictures import pillow

av = pytest.importorskip("av", reason="PyAV is missing")

WIDTH, HEIGHT, FPS = 64, 48, 10
BITS = 5  # stripes of a frame, which tell its number


def frame(number: int) -> np.ndarray:
    """A frame that shows its number: black and white stripes, the lowest bit on the left."""
    lit = [255 * (number >> bit & 1) for bit in range(BITS)]
    row = np.repeat(np.array(lit, np.uint8), -(-WIDTH // BITS))[:WIDTH]
    return np.broadcast_to(row[None, :, None], (HEIGHT, WIDTH, 3)).copy()


def number_of(rgb: np.ndarray) -> int:
    """The number that a frame shows."""
    wide = -(-WIDTH // BITS)
    return sum(1 << bit for bit in range(BITS) if rgb[HEIGHT // 2, min(bit * wide + wide // 2, WIDTH - 1)].mean() > 127)


def decode_mp4(data: bytes) -> list[int]:
    with av.open(BytesIO(data)) as container:
        return [number_of(one.to_ndarray(format="rgb24")) for one in container.decode(video=0)]


def decode_webp(data: bytes) -> list[int]:
    with Image.open(BytesIO(data)) as image:
        return [number_of(np.asarray(one.convert("RGB"))) for one in ImageSequence.Iterator(image)]


DECODERS = {"film.mp4": decode_mp4, "film.webp": decode_webp}


def states(encoder: Encoder, frames: int) -> Iterable[tuple[bytes, int, int]]:
    """What is in the file at each instant that it changes, and how many frames it must and may show."""
    file, shown = bytearray(), 0

    def grow(pieces: list[Piece]) -> Iterable[tuple[bytes, int, int]]:
        nonlocal shown
        for data, patches, more in pieces:
            before = len(file)
            for end in {before + len(data) // 2, before + len(data) - 1, before + len(data)}:
                yield bytes(file) + data[: end - before], shown, shown + more
            file.extend(data)
            for offset, patch in patches:
                file[offset : offset + len(patch)] = patch
                yield bytes(file), shown, shown + more
            shown += more
            yield bytes(file), shown, shown

    for number in range(frames):
        yield from grow(encoder.encode(frame(number)))
    yield from grow(encoder.finish())


@pytest.mark.parametrize("name", DECODERS)
def test_a_film_is_decoded_again_frame_by_frame(name: str) -> None:
    *_, (whole, least, _) = states(open_encoder(name, WIDTH, HEIGHT, Fraction(FPS)), 23)
    assert DECODERS[name](whole) == list(range(23))
    assert least == 23


@pytest.mark.parametrize("name", DECODERS)
def test_a_film_plays_at_every_instant(name: str) -> None:
    """Once its first piece is complete: until then the file has no name."""
    for data, least, most in states(open_encoder(name, WIDTH, HEIGHT, Fraction(FPS)), 17):
        if least:
            shown = DECODERS[name](data)
            assert shown == list(range(len(shown)))
            assert least <= len(shown) <= most


def test_an_mp4_is_an_ordinary_one_when_it_is_finished() -> None:
    *_, (whole, _, _) = states(open_encoder("film.mp4", WIDTH, HEIGHT, Fraction(FPS)), 23)
    with av.open(BytesIO(whole)) as container:
        video = container.streams.video[0]
        assert (video.frames, video.average_rate, float(video.duration * video.time_base)) == (23, FPS, 2.3)
        context = video.codec_context
        assert (context.name, context.pix_fmt, context.colorspace, context.color_range) == ("h264", "yuv420p", 1, 1)
    assert whole[36 + 4 : 36 + 8] == b"mdat"


def test_a_webp_film_keeps_its_time() -> None:
    *_, (whole, _, _) = states(open_encoder("film.webp", WIDTH, HEIGHT, Fraction(30)), 10)
    with Image.open(BytesIO(whole)) as image:
        times = [int(one.info["duration"]) for one in ImageSequence.Iterator(image) if one.load() or True]
    assert sum(times) == 333
    assert set(times) == {33, 34}


@pytest.mark.parametrize(
    ("name", "size"), [("f.mp4", (63, 48)), ("f.mp4", (8, 8)), ("f.webp", (16384, 2)), ("f.gif", (8, 8))]
)
def test_what_such_a_film_cannot_be_is_refused(name: str, size: tuple[int, int]) -> None:
    with pytest.raises(UsageError):
        open_encoder(name, *size, Fraction(30))


def test_without_pyav_an_mp4_says_the_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(ModeUnavailable) as caught:
        mp4.Mp4Encoder(64, 48, Fraction(30))
    assert "render[film]" in caught.value.remedy
    assert ".webp" in caught.value.remedy


def test_a_fragment_that_is_not_whole_is_not_given_out() -> None:
    box: Callable[[bytes, int], bytes] = lambda name, size: size.to_bytes(4, "big") + name + bytes(size - 8)  # noqa: E731
    data = box(b"moof", 20) + box(b"mdat", 100)
    assert [mp4.end_of_fragments(data[:end]) for end in (0, 7, 20, 28, 119, 120)] == [0, 0, 0, 0, 0, 120]


def test_a_frame_that_webp_cannot_hold_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> bytes:
        raise ValueError("encoding error 6")  # as of 16,000 x 16,000 pixels

    monkeypatch.setattr(pillow, "encode_image", refuse)
    with pytest.raises(UsageError, match="cannot hold frames so large"):
        WebpEncoder(8, 8, Fraction(1)).encode(np.zeros((8, 8, 3), np.uint8))
