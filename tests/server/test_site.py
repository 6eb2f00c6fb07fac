"""The explorer and the player have one head and one look, which is that of the theatre."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from render.outputs.page import parts
from render.server import site
from render.swatches import COLOURS

LINKED = re.compile(r'(?:href|src)="/static/([^"]+)"')


@pytest.mark.parametrize("name", site.PAGES)
def test_a_page_asks_for_what_is_served_and_has_the_head_of_all_pages(name: str) -> None:
    text = site.build_page(name).decode()
    asked = LINKED.findall(text)
    assert asked == [*site.PAGES[name].styles, *site.PAGES[name].scripts]
    assert all(site.read_static(file) for file in asked)
    shared = parts.read_part("head.html").split("\n")
    assert [line for line in shared if "$" not in line and line not in text] == []
    assert text.count("<head>") == text.count("<title>") == text.count("<body>") == text.count("</html>") == 1


def test_every_style_and_script_of_the_site_is_on_a_page() -> None:
    folder = files("render.server").joinpath("pages")
    inside = [*folder.iterdir(), *folder.joinpath("leaflet").iterdir()]
    assert {file.name for file in inside if file.name.endswith((".css", ".js"))} == site.STATIC - {"tokens.css"}


def test_colours_stand_in_one_place() -> None:
    tokens = parts.read_part(parts.TOKENS)
    assert tuple(re.findall(r"--w\d: (#[0-9a-f]{6});", tokens)) == COLOURS
    styles = [site.read_static(name) for name in site.STATIC if name.endswith(".css") and "leaflet" not in name]
    named = set(re.findall(r"--[a-z0-9]+(?=: )", tokens))
    for style in styles:
        assert style is not None
        text = style.data.decode()
        assert set(re.findall(r"var\((--[a-z0-9]+)\)", text)) <= named
        if text != tokens:
            assert not re.findall(r"#[0-9a-f]{3,6}\b", text)
