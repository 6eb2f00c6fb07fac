"""Pictures that Pillow decodes: PNG that is more than plain RGB, and all other formats.

    grey, palette, CMYK, YCbCr   the RGB colours that they stand for
    1, 2, 4 bits a sample        the nearest of 256 levels, which are exact: 0, 85, 170, 255 for two bits
    16 bits a sample             all of them; where Pillow would drop half of them and nothing helps, it is refused
    transparency                 a channel of its own, also where one colour stands for it
    turned by EXIF               turned as the picture is shown
    animations, several pages    all of them, without the smaller copies in a TIFF

Floating-point pictures have no fixed range and are refused, and so is PostScript, which is a program.
"""

from __future__ import annotations

import ctypes
import math
import re
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from render.errors import InputError
from render.pictures import pillow
from render.pictures.reading import FileContents, Layer, check_memory, damage_error, silence_log
from render.pictures.reading.png import GREY, PALETTE, RGB, Png, transparent_colour

if TYPE_CHECKING:
    from PIL.Image import Image

COST = 18  # bytes for each pixel at most: Pillow's own copy, one in another mode, and ours
HEAD = 4096  # bytes of a file in which its depth is looked for
ORIENTATION, BITS, PLANES, SUBFILE = 0x0112, 258, 284, 254  # tags of EXIF and TIFF
WIDE = re.compile(r"(RGB|RGBA|RGBX|RGBa|LA|CMYK|CMYKX);16([BLN])")  # of which Pillow keeps the upper halves
OTHER_END = {"B": "L", "L": "B", "N": "B" if np.little_endian else "L"}
OPENERS = {  # this program writes these, and larger ones than Pillow's own limit, which knows nothing of the memory
    b"\xff\xd8": ("JpegImagePlugin", "jpeg_factory"),
    b"RI": ("WebPImagePlugin", "WebPImageFile"),
}
PAGED = {"GIF", "PNG", "WEBP", "AVIF", "TIFF", "MPO", "FLI", "DCX", "SPIDER", "IM"}  # all their pictures count


def read(file: IO[bytes], png: Png | None = None) -> FileContents:
    """Read the pictures in a file that Pillow knows, from its beginning. `png`: what is known of it already.

    Raises InputError, or whatever Pillow raises on damaged files.
    """
    from PIL import Image, UnidentifiedImageError

    silence_log("PIL")
    with warnings.catch_warnings(), _silence_libtiff():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            head = _read_start(file, HEAD)
            with _open_image(file, png) as image:
                return _read_contents(image, head, partial(_read_start, file, -1), png)
        except UnidentifiedImageError as error:
            raise damage_error("no known format") from error
        except OSError as error:
            if str(error).startswith("decoder error"):  # and a number
                raise damage_error("its pixels cannot be unpacked") from error
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise InputError(f"is refused: {error}", "give a smaller picture, or one saved as PNG or .npz") from error


@contextmanager
def _silence_libtiff() -> Iterator[None]:
    """Keep the library behind Pillow's TIFF from writing to standard error what it finds odd, where it can be reached.

    What cannot be read is an error of Pillow's as well.
    """
    try:
        library = ctypes.CDLL(pillow.load_plugin("_imaging").__file__)  # and what it is linked with
        setters = [library.TIFFSetErrorHandler, library.TIFFSetWarningHandler]
    except (AttributeError, OSError):
        setters = []
    for setter in setters:
        setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
    before = [setter(None) for setter in setters]
    try:
        yield
    finally:
        for setter, handler in zip(setters, before, strict=True):
            setter(handler)


def _open_image(file: IO[bytes], png: Png | None) -> Image:
    """Read the header, and no pixel yet."""
    file.seek(0)
    module, kind = ("PngImagePlugin", "PngImageFile") if png else OPENERS.get(file.read(2), ("", ""))
    file.seek(0)
    try:
        return getattr(pillow.load_plugin(module), kind)(file) if module else pillow.Image.open(file)
    except SyntaxError as error:  # what Pillow's formats raise for what is none of theirs
        raise damage_error(str(error) or "no known format") from error


def _read_start(file: IO[bytes], length: int) -> bytes:
    """Read the first bytes of a file (-1: all), and leave it at its start."""
    file.seek(0)
    data = file.read(length)
    file.seek(0)
    return data


def _read_contents(image: Image, head: bytes, again: Callable[[], bytes], png: Png | None) -> FileContents:
    if image.format == "EPS":  # Pillow would have Ghostscript run it
        raise InputError("is PostScript, a program, and never run", "save the picture as PNG or TIFF")
    pages = _list_pages(image)
    needed = COST * math.prod(image.size) * len(pages)
    check_memory(needed)
    ignored = [*(png.ignored if png else ()), *_list_ignored(image)]
    wide = _open_low_bytes(image, head, again, png)
    check_memory(needed * 2 if wide else needed)
    layers, taken = [], 0
    for number in pages:
        if number:  # of another size or depth, perhaps
            image.seek(number)
            _open_low_bytes(image, head, again, png)
            check_memory(taken + COST * math.prod(image.size))
        taken += COST * math.prod(image.size)
        image.load()
        layers.append(_join_bytes(image, wide, png) if wide else _make_layer(image, png if len(pages) == 1 else None))
    turned = _read_orientation(image, ignored)
    layers = [
        Layer(_turn_array(rgb, turned), None if alpha is None else _turn_array(alpha, turned)) for rgb, alpha in layers
    ]
    ignored += _list_colour_hints(image, png)
    texts = {name: text for name, text in _read_texts(image, png).items() if isinstance(text, str)}
    return FileContents(tuple(layers), texts, tuple(ignored))


def _list_pages(image: Image) -> Sequence[int]:
    """List the numbers of the pictures that count: all of an animation or document, but no smaller copies in a TIFF."""
    pages = range(getattr(image, "n_frames", 1) if image.format in PAGED else 1)
    if image.format != "TIFF" or len(pages) == 1:
        return pages
    reduced = []
    for number in pages:
        image.seek(number)
        reduced += [number] if image.tag_v2.get(SUBFILE, 0) & 1 else []  # type: ignore[attr-defined]
    image.seek(0)
    return [number for number in pages if number not in reduced] or pages


def _list_ignored(image: Image) -> Iterator[str]:
    """List pictures in the file that are not looked at: the layers of one, or other sizes of it."""
    layers = getattr(image, "n_frames", 1)
    if image.format not in PAGED and layers > 1:
        yield f"its {layers} layers by themselves"
    sizes = image.info.get("sizes", ())
    if image.format in {"ICO", "CUR", "ICNS"} and len(sizes) > 1:
        yield f"{len(sizes) - 1} smaller sizes"


def _read_texts(image: Image, png: Png | None) -> Mapping[Any, Any]:
    """Read the texts that programs have put into the file, by keyword."""
    if png is not None:
        return image.info | png.texts
    try:
        return pillow.read_texts(image)
    except Exception:  # noqa: BLE001  (`_read_orientation` reports EXIF data that cannot be read)
        return {}


def _make_layer(image: Image, png: Png | None) -> Layer:
    """Convert the picture that is loaded now."""
    if image.mode == "F":
        raise damage_error("its numbers are floating-point, of unknown range")
    if image.mode.startswith("I"):
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 65535:
            raise damage_error("it has more than 16 bits a pixel")
        return _apply_colour_key(_grey_to_rgb(grey.astype(np.uint16)), png)
    if png is not None and png.header.colour in {GREY, RGB}:
        image.info.pop("transparency", None)
        return _apply_colour_key(np.asarray(image.convert("RGB")), png)
    if png is not None and png.header.colour == PALETTE and _highest_index(image) >= png.palette:
        raise damage_error(f"a pixel has colour {_highest_index(image)} of a palette of {png.palette} (PLTE)")
    if image.has_transparency_data:
        both = np.asarray(image.convert("RGBA"))
        return Layer(np.ascontiguousarray(both[..., :3]), np.ascontiguousarray(both[..., 3]))
    return Layer(np.asarray(image if image.mode == "RGB" else image.convert("RGB")))


def _highest_index(image: Image) -> int:
    return int(np.asarray(image).max()) if image.mode == "P" else 0


def _grey_to_rgb(values: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values[..., None], (*values.shape, 3))


def _apply_colour_key(rgb: np.ndarray, png: Png | None) -> Layer:
    """Make the colour transparent that a PNG names so."""
    key = transparent_colour(png) if png is not None else ()
    if not key or png is None:
        return Layer(rgb)
    highest = 65535 if rgb.dtype == np.uint16 else 255
    steps = [value * highest // ((1 << png.header.depth) - 1) for value in key]
    seen = (rgb != np.array(steps, rgb.dtype)).any(axis=2)
    return Layer(rgb, (seen * highest).astype(rgb.dtype))


# --- 16 bits ---------------------------------------------------------------------------------------------------


def _open_low_bytes(image: Image, head: bytes, again: Callable[[], bytes], png: Png | None) -> Image | None:
    """Open the same file so that it gives the lower bytes of 16-bit colours; None where they have 8 bits.

    Pillow makes 8 bits of each sample of 16: the upper ones of bytes in the given order. Given the other order,
    it keeps the lower ones. Raises InputError where that cannot be done.
    """
    tiles = list(getattr(image, "tile", ()))
    planes = getattr(image, "tag_v2", {}).get(PLANES) == 2  # one after the other: Pillow picks their order itself
    kinds = {match[0] for tile in tiles if (match := WIDE.fullmatch(_raw_mode(tile))) and not planes}
    if not kinds:
        if deep := _find_depth(image, tiles, head):
            raise InputError(
                f"is stored with {deep} bits a sample, of which only 8 can be read", "save it as a PNG of 16 bits"
            )
        return None
    if getattr(image, "n_frames", 1) > 1:
        raise InputError(
            "has several pictures of 16 bits a sample, which cannot be read in full", "save them one by one"
        )
    place = image.fp.tell()  # type: ignore[attr-defined]
    low = _open_image(BytesIO(again()), png)
    image.fp.seek(place)  # type: ignore[attr-defined]
    kind = kinds.pop()
    if kind.startswith("LA;16"):  # there is no other order for these, but their bytes are those of RGBA
        low._mode = "RGBA"  # noqa: SLF001  (`mode` is read-only, and made anew by `load`)
        low.tile = [_with_raw_mode(tile, "RGBA") for tile in low.tile]  # type: ignore[attr-defined]
    else:
        name, end = kind.rsplit(";16", 1)
        low.tile = [_with_raw_mode(tile, f"{name};16{OTHER_END[end]}") for tile in low.tile]  # type: ignore[attr-defined]
    low.info["halves"] = kind
    return low


def _raw_mode(tile: Any) -> str:
    args = tile[3]
    return str(args[0] if isinstance(args, tuple) and args else args)


def _with_raw_mode(tile: Any, kind: str) -> Any:
    """Copy a tile of Pillow's (decoder, box, place, arguments), its bytes read in another raw mode."""
    args = (kind, *tile[3][1:]) if isinstance(tile[3], tuple) else kind
    return tile._replace(args=args) if hasattr(tile, "_replace") else (*tile[:3], args)


def _join_bytes(image: Image, low: Image, png: Png | None) -> Layer:
    """Join upper and lower bytes."""
    kind = low.info["halves"]
    if kind.startswith("LA;16"):
        both = np.asarray(low).astype(np.uint16)
        return Layer(_grey_to_rgb(both[..., 0] << 8 | both[..., 1]), both[..., 2] << 8 | both[..., 3])
    if not kind.startswith("RGB"):
        raise InputError("is stored with 16 bits a sample in CMYK, of which only 8 can be read", "save it as RGB")
    wide = np.asarray(image).astype(np.uint16) << 8 | np.asarray(low)
    rgb = np.ascontiguousarray(wide[..., :3])
    return _apply_colour_key(rgb, png) if wide.shape[2] == 3 else Layer(rgb, np.ascontiguousarray(wide[..., 3]))


def _find_depth(image: Image, tiles: list[Any], head: bytes) -> int:
    """Find the bits of a sample of colour where Pillow would silently keep only 8 of them; else 0."""
    args = tiles[0][3] if tiles else None
    bits = 0
    if image.format == "TIFF":
        bits = max(image.tag_v2.get(BITS, (1,)))  # type: ignore[attr-defined]
    elif image.format == "PPM" and isinstance(args, tuple):  # the largest value, where it is not 255
        bits = int(args[-1]).bit_length()
    elif image.format == "SGI" and tiles and tiles[0][0] == "SGI16":
        bits = 16
    elif image.format == "JPEG2000" and (at := head.find(b"\xff\x51")) >= 0:  # SIZ: a byte of each three, less one
        bits = max((byte & 127 for byte in head[at + 40 : at + 40 + 3 * head[at + 39] : 3]), default=0) + 1
    elif image.format == "AVIF" and (at := head.find(b"av1C")) >= 0 and head[at + 6] & 0x40:
        bits = 12 if head[at + 6] & 0x20 else 10
    return bits if bits > 8 and not image.mode.startswith(("I", "F")) else 0


# --- how it is meant to be shown --------------------------------------------------------------------------------


def _read_orientation(image: Image, ignored: list[str]) -> int:
    """Read EXIF's orientation (1: not turned); Pillow has turned TIFF already."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001  (made by cameras and editors of all kinds, and damaged by more)
        ignored.append("its EXIF data, which cannot be read")
        return 1
    return orientation if orientation in range(1, 9) else 1


def _turn_array(values: np.ndarray, orientation: int) -> np.ndarray:
    """Turn rows and columns by EXIF's orientation: 2 and 4 mirror, 3 turns half, 5 to 8 exchange rows and columns."""
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    rows, columns = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}.get(orientation, (1, 1))
    return np.ascontiguousarray(values[::rows, ::columns]) if orientation > 1 else values


def _list_colour_hints(image: Image, png: Png | None) -> Iterator[str]:
    """List what says that the numbers are not sRGB, in a file that is no PNG."""
    profile = image.info.get("icc_profile")
    if png is None and profile:
        name = name_profile(profile)
        if "sRGB" not in name:
            yield f"its colour profile ({name})"
    if image.mode in {"CMYK", "LAB"}:
        yield f"how its inks look (it is {image.mode}, turned into RGB by a plain formula)"


def name_profile(profile: bytes) -> str:
    """Return the name that a colour profile (ICC) gives itself."""
    from PIL import ImageCms

    try:
        return repr((ImageCms.ImageCmsProfile(BytesIO(profile)).profile.profile_description or "unnamed").strip())
    except (OSError, ImageCms.PyCMSError, struct.error, TypeError, ValueError):
        return "which cannot be read"
