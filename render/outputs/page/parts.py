"""The files that pages are made of, and the head that all of them have; the server's pages too."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template

TOKENS = "css/tokens.css"  # colours, fonts, text and controls: the look that all pages share


@cache
def read_part(name: str) -> str:
    """Read a file of this folder as text."""
    return files(__package__ or "").joinpath(name).read_text(encoding="utf-8").strip().replace("\r\n", "\n")


def build_head(title: str, *more: str) -> str:
    """Build the head of a page. `title`, and `more` elements, are HTML."""
    return Template(read_part("head.html")).substitute(title=title, more="\n".join(more))
