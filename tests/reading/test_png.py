"""PNG: every kind is read as the standard says, and what is damaged or none is refused by the name of its chunk."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from render.errors import InputError
from render.pictures.picture import Picture, decode
from render.pictures.png_writer import encode_png
from render.pictures.reading import png
from tests.reading import pngs

KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (4, 8), (4, 16), (6, 8), (6, 16)]  # colour, depth
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PALETTE = np.arange(48, dtype=np.uint8).reshape(16, 3) * np.uint8(5)


def samples(colour: int, depth: int, size: tuple[int, int] = (9, 11)) -> np.ndarray:
    return np.random.default_rng(depth).integers(0, 1 << depth, (*size, CHANNELS[colour]))


def expected(values: np.ndarray, depth: int) -> np.ndarray:
    """RGBA as it must be read, of 8 or 16 bits."""
    scale = 1 if depth >= 8 else 255 // ((1 << depth) - 1)
    values = values * scale
    opaque = np.full((*values.shape[:2], 1), 65535 if depth == 16 else 255)
    colour, alpha = (values, opaque) if values.shape[2] in {1, 3} else (values[..., :-1], values[..., -1:])
    return np.concatenate([np.broadcast_to(colour, (*values.shape[:2], 3)), alpha], axis=2)


def rgba(picture: Picture) -> np.ndarray:
    opaque = np.full(picture.rgb.shape[:2], 65535 if picture.depth == 16 else 255)
    alpha = opaque if picture.alpha is None else picture.alpha
    return np.concatenate([picture.rgb, alpha[..., None]], axis=2)


def test_of_many_texts_so_many_are_kept_as_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [(b"tEXt", b"word %d\0" % number) for number in range(9)]
    data = pngs.file(pngs.chunks(samples(2, 8), 8, 2, *texts))
    monkeypatch.setattr(png, "TEXTS", 3 * png.TEXT_COST + 100)
    assert list(png.read(io.BytesIO(data), len(data)).texts) == ["word 0", "word 1", "word 2"]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_every_kind_is_read_to_its_last_bit(colour: int, depth: int, interlaced: bool) -> None:
    values = samples(colour, depth)
    picture = decode(pngs.file(pngs.chunks(values, depth, colour, interlaced=interlaced)))
    assert picture.depth == max(depth, 8)
    assert np.array_equal(rgba(picture), expected(values, depth))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (3, 5), (8, 8)])
def test_interlaced_pictures_of_every_size_are_read(size: tuple[int, int]) -> None:
    values = samples(2, 16, size)
    assert np.array_equal(decode(pngs.file(pngs.chunks(values, 16, 2, interlaced=True))).rgb, values)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_palette_stands_for_its_colours_and_their_alpha(depth: int) -> None:
    values = samples(3, min(depth, 4)) if depth < 8 else samples(3, 4)
    entries = (b"PLTE", PALETTE.tobytes()), (b"tRNS", bytes([0, 128]))
    picture = decode(pngs.file(pngs.chunks(values, depth, 3, *entries)))
    alpha = np.array([0, 128, *[255] * 14])
    assert np.array_equal(picture.rgb, PALETTE[values[..., 0]])
    assert np.array_equal(rgba(picture)[..., 3], alpha[values[..., 0]])


@pytest.mark.parametrize(("colour", "depth"), [kind for kind in KINDS if kind[0] in {0, 2}])
def test_one_colour_may_stand_for_transparency(colour: int, depth: int) -> None:
    values = samples(colour, depth)
    key = values[4, 4]
    body = struct.pack(f">{len(key)}H", *key)
    picture = decode(pngs.file(pngs.chunks(values, depth, colour, (b"tRNS", body))))
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha == 0, (values == key).all(axis=2))


@given(st.lists(st.integers(0, 4), min_size=5, max_size=5), st.integers(1, 9))
def test_rows_of_every_filter_are_read(filters: list[int], width: int) -> None:
    raw = np.random.default_rng(width).integers(0, 256, (5, 3 * width)).astype(np.uint8)
    data = b"".join(bytes([kind]) + row.tobytes() for kind, row in zip(filters, raw, strict=True))
    header = struct.pack(">IIBBBBB", width, 5, 8, 2, 0, 0, 0)
    png = pngs.file([(b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b"")])
    assert np.array_equal(decode(png).rgb, np.asarray(Image.open(io.BytesIO(png))))


SMALL = samples(2, 8, (4, 5))
PARTS = dict(zip(("header", "pixels", "end"), pngs.chunks(SMALL, 8, 2), strict=True))
HEADER, PIXELS, END = PARTS.values()
INDEXED = pngs.chunks(np.full((2, 2, 1), 3), 8, 3)


def header(*changed: tuple[int, int]) -> pngs.Chunk:
    body = bytearray(HEADER[1])
    for place, value in changed:
        body[place] = value
    return b"IHDR", bytes(body)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (pngs.file([PIXELS, END]), "chunk IDAT stands where IHDR should be"),
        (pngs.file([HEADER, HEADER, PIXELS, END]), "chunk IHDR stands where another should be"),
        (pngs.file([HEADER, END]), "no IDAT"),
        (pngs.file([HEADER, PIXELS]), "without an IEND"),
        (pngs.file([HEADER, PIXELS, (b"IEND", b"1")]), "IEND is not empty"),
        (pngs.file([HEADER, (b"NEWs", b""), PIXELS, END]), "chunk NEWs is critical, and unknown"),
        (pngs.file([(b"CgBI", b"\x50\x00\x20\x02"), HEADER, PIXELS, END]), "Apple's variant"),
        (pngs.file([HEADER, (b"IDAT", PIXELS[1][:9]), (b"tIME", b""), (b"IDAT", PIXELS[1][9:]), END]), "between IDAT"),
        (pngs.file([HEADER, (b"I!AT", b""), END]), "comes no chunk"),
        (pngs.file([header((8, 3)), PIXELS, END]), "colour type 2 with 3 bits"),
        (pngs.file([header((9, 1)), PIXELS, END]), "colour type 1 with 8 bits"),
        (pngs.file([header((10, 1)), PIXELS, END]), "a compression, filter or interlace method"),
        (pngs.file([header((12, 2)), PIXELS, END]), "a compression, filter or interlace method"),
        (pngs.file([header((3, 0)), PIXELS, END]), "says 0 x 4 pixels"),
        (pngs.file([header((0, 128)), PIXELS, END]), "2147483653 x 4 pixels"),
        (pngs.file([header((7, 3)), PIXELS, END]), "hold more than the picture"),
        (pngs.file([header((7, 5)), PIXELS, END]), "end too early"),
        (pngs.file([(b"IHDR", HEADER[1] + b"0"), PIXELS, END]), "IHDR has 14 bytes"),
        (pngs.file([HEADER, (b"IDAT", b"no deflate"), END]), "IDAT chunks are damaged"),
        (pngs.file([HEADER, (b"IDAT", PIXELS[1][:-1] + b"?"), END]), "IDAT chunks are damaged.*Adler-32"),
        (pngs.file([INDEXED[0], *INDEXED[1:]]), "PLTE is missing"),
        (pngs.file([INDEXED[0], (b"PLTE", b"12"), *INDEXED[1:]]), "PLTE has 2 bytes"),
        (pngs.file([INDEXED[0], (b"PLTE", bytes(9)), *INDEXED[1:]]), "colour 3 of a palette of 3"),
        (pngs.file([HEADER, (b"tRNS", b"1"), PIXELS, END]), "tRNS has 1 bytes"),
        (pngs.file([HEADER, PIXELS, END])[:60], "claims"),
    ],
)
def test_what_breaks_the_standard_is_refused_by_name(data: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        decode(data)


@given(st.sampled_from(KINDS), st.booleans(), st.data())
def test_a_flipped_bit_is_refused_in_every_kind(kind: tuple[int, int], interlaced: bool, data: st.DataObject) -> None:
    colour, depth = kind
    whole = pngs.file(pngs.chunks(samples(colour, depth, (3, 4)), depth, colour, interlaced=interlaced))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    damaged = bytearray(whole)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InputError):
        decode(bytes(damaged))


@pytest.mark.parametrize("cuts", [1, 2, 7, 1000])
def test_pixels_may_lie_in_any_number_of_chunks(cuts: int) -> None:
    body = PIXELS[1]
    parts = [(b"IDAT", body[at : at + cuts]) for at in range(0, len(body), cuts)]
    assert np.array_equal(decode(pngs.file([HEADER, *parts, (b"IDAT", b""), END])).rgb, SMALL)


@pytest.mark.parametrize(
    ("chunk", "said"),
    [
        ((b"gAMA", struct.pack(">I", 100_000)), ("its gamma (gAMA 1)",)),
        ((b"gAMA", struct.pack(">I", 45455)), ()),
        ((b"cHRM", bytes(32)), ("its primary colours (cHRM)",)),
        ((b"cICP", bytes([9, 16, 0, 1])), ("its colour space (cICP 9, 16, 0, 1)",)),
        ((b"cICP", bytes([1, 13, 0, 1])), ()),
        ((b"iCCP", b"sRGB v4\0\0" + zlib.compress(b"a profile")), ()),
        ((b"iCCP", b"Wide\0\0" + zlib.compress(b"a profile")), ("its colour profile ('Wide', iCCP)",)),
    ],
)
def test_colours_that_are_not_srgb_are_named(chunk: pngs.Chunk, said: tuple[str, ...]) -> None:
    assert decode(pngs.file([HEADER, chunk, PIXELS, END])).ignored == said


def test_srgb_overrules_a_gamma() -> None:
    chunks = [HEADER, (b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000)), PIXELS, END]
    assert decode(pngs.file(chunks)).ignored == ()


def test_what_follows_the_end_is_named() -> None:
    assert decode(encode_png(SMALL.astype(np.uint8)) + b"more").ignored == ("4 bytes behind its end",)


def test_what_follows_the_pixels_is_named() -> None:
    for more in ([(b"IDAT", PIXELS[1] + b"more")], [PIXELS, (b"IDAT", b"mo"), (b"IDAT", b"re")]):
        assert decode(pngs.file([HEADER, *more, END])).ignored == ("4 bytes behind its pixels (IDAT)",)


def animated(*frames: Image.Image) -> bytes:
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    return file.getvalue()


def test_all_frames_are_checked_and_read() -> None:
    frames = [Image.new("RGB", (9, 7), colour) for colour in ((1, 2, 3), (4, 5, 6), (7, 8, 9))]
    whole = animated(*frames)
    assert [one.rgb[0, 0].tolist() for one in decode(whole).frames] == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    at = whole.index(b"fdAT") + 14
    with pytest.raises(InputError, match="its fdAT chunks are damaged"):
        decode(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
