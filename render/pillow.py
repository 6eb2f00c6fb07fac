"""Pillow, loaded where it is first used: most runs need none of it, and all would wait for it.

Use `pillow.Image.new(...)` and the like inside functions; the name alone loads the module behind it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image, ImageChops, ImageDraw, ImageFont

__all__ = ["Image", "ImageChops", "ImageDraw", "ImageFont"]


def plugin(name: str) -> Any:
    """Load one of Pillow's formats by the name of its module: "PngImagePlugin"."""
    return import_module(f"PIL.{name}")


def __getattr__(name: str) -> Any:
    """The module of Pillow that has this name."""
    if name not in __all__:
        raise AttributeError(name)
    return plugin(name)
