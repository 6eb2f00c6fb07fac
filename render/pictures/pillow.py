"""Pillow, loaded where it is first used: most runs need none of it, and all would wait for it.

Use `pillow.Image.new(...)` and the like inside functions; the name alone loads the module behind it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image, ImageChops, ImageDraw, ImageFont

__all__ = ["Image", "ImageChops", "ImageDraw", "ImageFont"]
DESCRIPTION, REQUEST = 0x010E, "render:request="  # EXIF's tag, and how a description of this program begins


def load_plugin(name: str) -> Any:
    """Load one of Pillow's formats by the name of its module: "PngImagePlugin"."""
    return import_module(f"PIL.{name}")


def encode_image(rgb: np.ndarray, kind: str, request: Mapping[str, Any] | None, **options: Any) -> bytes:
    """Encode pixels in one of Pillow's formats, with the request as the picture's description in EXIF."""
    image = import_module("PIL.Image")
    if request is not None:
        exif = image.Exif()
        exif[DESCRIPTION] = REQUEST + json.dumps(request)
        options["exif"] = exif
    file = BytesIO()
    image.fromarray(rgb).save(file, kind, **options)
    return file.getvalue()


def read_request(image: Image.Image) -> str | None:
    """Read the request that `encode_image` stored, as JSON, or None."""
    text = image.getexif().get(DESCRIPTION)
    return text.removeprefix(REQUEST) if isinstance(text, str) and text.startswith(REQUEST) else None


def __getattr__(name: str) -> Any:
    """Load the module of Pillow that has this name."""
    if name not in __all__:
        raise AttributeError(name)
    return load_plugin(name)
