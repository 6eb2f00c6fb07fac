"""Pillow, loaded where it is first used: most runs need none of it, and all would wait for it.

Use `pillow.Image.new(...)` and the like inside functions; the name alone loads the module behind it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

from render.pictures.provenance import join_texts, split_texts

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image, ImageChops, ImageDraw, ImageFont

__all__ = ["Image", "ImageChops", "ImageDraw", "ImageFont"]
DESCRIPTION, REQUEST = 0x010E, "render:request"  # EXIF's and TIFF's tag, and the keyword of what is in it


def load_plugin(name: str) -> Any:
    """Load one of Pillow's formats by the name of its module: "PngImagePlugin"."""
    return import_module(f"PIL.{name}")


def encode_image(rgb: np.ndarray, kind: str, request: Mapping[str, Any] | None, **options: Any) -> bytes:
    """Encode pixels in one of Pillow's formats, with the request as the picture's description in EXIF."""
    image = import_module("PIL.Image")
    if request is not None:
        exif = image.Exif()
        exif[DESCRIPTION] = join_texts({REQUEST: json.dumps(request)})
        options["exif"] = exif
    file = BytesIO()
    image.fromarray(rgb).save(file, kind, **options)
    return file.getvalue()


def read_texts(image: Image.Image) -> dict[str, str]:
    """Read the texts that `encode_image` stored, by keyword."""
    return split_texts(image.getexif().get(DESCRIPTION))


@cache
def make_srgb_profile() -> bytes:
    """Make the colour profile that says sRGB (ICC, version 4), the same bytes each time."""
    cms = import_module("PIL.ImageCms")
    profile = bytearray(cms.ImageCmsProfile(cms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)  # the date on which it was made
    return bytes(profile)


def __getattr__(name: str) -> Any:
    """Load the module of Pillow that has this name."""
    if name not in __all__:
        raise AttributeError(name)
    return load_plugin(name)
