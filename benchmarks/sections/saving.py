"""What saving costs.

From a painted 1920x1080 frame to its PNG, its TIFF, its saved trace and an .npz, beside Pillow's own PNG. The pixels
must come back from the file before a time counts. In full also all filters and levels of the deflate library, and a
TIFF's tiles with and without a predictor, whose bytes (`bytes` of the facts) and times set the constants of
`render.pictures`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from copy import copy
from dataclasses import replace
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from harness.cases import Case, Group, Missing, Once

if TYPE_CHECKING:
    import numpy as np

FILTERS = ("none", "sub", "up", "average", "paeth")
LEVELS = (0, 1, 2, 3)
PREDICTORS = ("plain", "less the pixel to the left")
SIZE = (1920, 1080)


def groups(quick: bool) -> Iterator[Group]:  # noqa: FBT001  (one signature for all sections)
    """Files; filters and levels; nothing in quick."""
    if quick:
        return
    names = ("PNG", "TIFF", "saved trace", "npz", "PNG by Pillow")
    yield Group("files of 1920x1080", names, partial(prepare, "mandelbrot"), "PNG", "cores", seconds=2.0)
    every = tuple(f"{kind}, level {level}" for kind in FILTERS for level in LEVELS)
    yield Group(
        "filters, still_life",
        every,
        partial(prepare_filters, "still_life"),
        "up, level 1",
        seconds=4.0,
        on_request=True,
    )
    yield Group(
        "tiles, still_life", PREDICTORS, partial(prepare_tiles, "still_life"), "plain", seconds=2.0, on_request=True
    )


def draw(scene: str) -> Any:
    """Draw a frame to save."""
    from render import engine
    from render.options import complete

    return engine.draw(complete(scene=scene, size=SIZE, samples=1))


def prepare(scene: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """Each file is made from a frame of which nothing is known yet."""
    import numpy as np
    from PIL import Image

    from harness.program import check_equal
    from render.outputs import npz, png, tiff, trace
    from render.pictures import picture

    frame = draw(scene)
    files = {"PNG": png, "TIFF": tiff, "saved trace": trace, "npz": npz}
    data = {name: one.write(frames(frame)) for name, one in files.items()}
    for name in ("PNG", "TIFF"):
        check_equal(picture.decode(data[name]).rgb, frame.rgb, "values of the picture")
    with np.load(BytesIO(data["npz"])) as back:
        check_equal(back["rgb"], frame.rgb, "values of the picture")
    equal = {"PNG": True, "TIFF": True, "npz": True, "saved trace": None}
    for name, one in files.items():
        yield Case(name, writing(one, frame), equal[name], {"bytes": len(data[name])})
    yield Case("PNG by Pillow", by_pillow(Image, frame), equal=True)


def frames(frame: Any) -> Any:
    """The same frame, of which nothing is known yet."""
    from render.frame import Frames

    return Frames((replace(frame).with_trace(copy(frame.trace)),))


def writing(output: Any, frame: Any) -> Once:
    """Make a file's bytes."""
    from harness.timing import timed

    return timed(lambda: output.write(frames(frame)))


def by_pillow(image: Any, frame: Any) -> Once:
    """Pillow's PNG, as it comes."""
    from harness.timing import timed

    return timed(lambda: image.fromarray(frame.rgb).save(BytesIO(), "png"))


def prepare_filters(scene: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """Deflate alone, one thread, filtering not counted; what it makes must inflate again."""
    from isal import isal_zlib

    from harness.cases import Differ
    from harness.timing import THREAD, timed

    for kind, rows in filtered(draw(scene).rgb).items():
        for level in LEVELS:
            packed = isal_zlib.compress(rows, level)
            if isal_zlib.decompress(packed) != rows:
                raise Differ(1, 1, "files")
            once = timed(partial(isal_zlib.compress, rows, level), THREAD)
            yield Case(f"{kind}, level {level}", once, equal=True, facts={"bytes": len(packed)}, clock="thread")


def prepare_tiles(scene: str, stack: ExitStack) -> Iterator[Case | Missing]:
    """The whole tiles of a picture, packed one by one in one thread, the subtraction counted."""
    import numpy as np
    from isal import isal_zlib

    from harness.program import check_equal
    from harness.timing import THREAD, timed
    from render.pictures.packing import LEVEL
    from render.pictures.tiff import TILE

    rgb = draw(scene).rgb
    places = [(y, x) for y in range(0, SIZE[1] - TILE, TILE) for x in range(0, SIZE[0] - TILE, TILE)]
    tiles = [np.ascontiguousarray(rgb[y : y + TILE, x : x + TILE]) for y, x in places]

    def subtract(tile: np.ndarray) -> np.ndarray:
        less = tile.copy()
        np.subtract(tile[:, 1:], tile[:, :-1], out=less[:, 1:])
        return less

    def pack(name: str) -> list[bytes]:
        return [isal_zlib.compress(tile if name == PREDICTORS[0] else subtract(tile), LEVEL) for tile in tiles]

    for tile in tiles:
        check_equal(np.add.accumulate(subtract(tile), axis=1, dtype=np.uint8), tile, "values of a tile")
    for name in PREDICTORS:
        size = sum(map(len, pack(name)))
        yield Case(name, timed(partial(pack, name), THREAD), equal=True, facts={"bytes": size}, clock="thread")


def filtered(rgb: np.ndarray) -> dict[str, bytes]:
    """All rows by each filter (PNG, third edition, section 9)."""
    import numpy as np

    height, width, _ = rgb.shape
    x = rgb.reshape(height, width * 3).astype(np.int16)
    a, b, c = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    a[:, 3:], b[1:], c[1:, 3:] = x[:, :-3], x[:-1], x[:-1, :-3]
    estimate = a + b - c
    to_a, to_b, to_c = abs(estimate - a), abs(estimate - b), abs(estimate - c)
    nearest = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    rows = (x, x - a, x - b, x - (a + b) // 2, x - nearest)
    return {
        name: np.insert(row.astype(np.uint8), 0, kind, axis=1).tobytes()
        for kind, (name, row) in enumerate(zip(FILTERS, rows, strict=True))
    }
