"""The site: the explorer and the player, and the files that they are made of. Nothing else is served from files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from render.outputs.page import parts


class Page(NamedTuple):
    """A page: its title, what it is about (both plain text without markup), and its styles and scripts, in order."""

    title: str
    about: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]


PAGES: Mapping[str, Page] = {
    "explorer": Page(
        "Explorer",
        "Pictures painted while you look, and how one server sees to all who look.",
        ("leaflet.css", "tokens.css", "explorer.css"),
        ("leaflet.js", "explorer.js", "lesson.js"),
    ),
    "player": Page(
        "Player",
        "A film that plays while it is still being painted.",
        ("tokens.css", "explorer.css", "player.css"),
        ("player.js",),
    ),
}
TYPES = {".css": "text/css", ".js": "text/javascript"}
STATIC = {name for page in PAGES.values() for name in (*page.styles, *page.scripts)}


class Static(NamedTuple):
    """A style or a script: its bytes, their type and their name in a cache."""

    data: bytes
    media_type: str
    etag: str


@cache
def build_page(name: str) -> bytes:
    """Build a page of `PAGES` as HTML."""
    page = PAGES[name]
    head = parts.build_head(
        page.title,
        f'<meta name="description" content="{page.about}">',
        '<link rel="icon" href="data:,">',
        *(f'<link rel="stylesheet" href="/static/{style}">' for style in page.styles),
    )
    scripts = "\n".join(f'<script src="/static/{script}"></script>' for script in page.scripts)
    body = _read(f"{name}.html").decode().strip()
    return f'<!doctype html>\n<html lang="en">\n{head}\n<body>\n{body}\n{scripts}\n</body>\n</html>\n'.encode()


@cache
def read_static(name: str) -> Static | None:
    """Read a style or a script that a page names; None for anything else."""
    if name not in STATIC:
        return None
    ending = name[name.rindex(".") :]
    if name == "tokens.css":
        data = parts.read_part(parts.TOKENS).encode()
    else:
        data = _read(f"leaflet/{name}" if name.startswith("leaflet.") else name)
    return Static(data, TYPES[ending], f'"{sha256(data).hexdigest()[:24]}"')


def _read(name: str) -> bytes:
    return files("render.server").joinpath("pages").joinpath(name).read_bytes()
