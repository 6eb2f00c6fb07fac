"""The commands about saved pictures: `compare`, and what `show` says of one."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

from render import options, outputs
from render.comparison import attribution, inspection
from render.comparison.compare import compare as compare_pictures
from render.comparison.compare import describe_request_changes, format_comparison, have_same_request
from render.errors import UsageError
from render.frontend import thumbnail
from render.pictures import picture, source
from render.pictures.png_writer import encode_png


def compare(typed: Namespace, began: int) -> int:
    """Compare two saved pictures; exit 0 if equal or within what is allowed, 1 if not, 2 for different requests."""
    allowed = _parse_number(typed.max_error, "--max-error"), _parse_number(typed.max_differing, "--max-differing")
    if typed.a == typed.b == picture.STDIN:
        raise UsageError("standard input can be read only once, for one of the pictures", "name a file for one of them")
    a, b = source.open_picture(typed.a), source.open_picture(typed.b)
    if typed.diff:
        outputs.check_writable(typed.diff)
        place, *given = (Path(name).resolve() for name in (typed.diff, typed.a, typed.b))
        if place in given or Path(typed.diff).suffix.lower() != ".png":
            raise UsageError("--diff must name a new .png file", f"give another name than {typed.diff}")
    one, other = picture.display_name(typed.a), picture.display_name(typed.b)
    if have_same_request(a, b) is False and not typed.any_request:
        raise UsageError(
            f"{one} and {other} have different requests: {describe_request_changes(a, b)}",
            "add --any-request to compare them anyway",
        )
    if typed.diff and (a.more or b.more):
        raise UsageError("--diff cannot show the differences of pictures of several frames", "leave --diff out")
    result = compare_pictures(a, b)
    attributed = None if result.identical else attribution.attribute(a, b)
    if typed.diff and attributed is not None:
        from render.comparison.difference import mark_places

        outputs.save(typed.diff, encode_png(mark_places(a, b, attributed)))
    if typed.json:
        print(json.dumps(result.as_dict() | ({"attribution": attributed.as_dict()} if attributed else {})))
    elif not typed.quiet:
        where = attribution.format_attribution(attributed) if attributed else []
        print("\n".join([*format_comparison(result, one, other), *where]))
    return 0 if result.within(*allowed) else 1


def _parse_number(word: str | None, name: str) -> float | None:
    """Parse a number not below zero; None if the option is not given. Raises UsageError."""
    return None if word is None else options.parse_number(word, name, "give a number, 0 or more")


def show(typed: Namespace) -> int:
    """Print what a picture is."""
    if typed.out or typed.page:
        raise UsageError(f"{typed.file} is a picture, and outputs are made from a saved trace", "save one with --trace")
    opened = source.open_picture(typed.file)
    small = None if typed.json or typed.quiet else thumbnail.fit_terminal(opened.size, sys.stdout)
    description = inspection.describe_picture(opened, small.add_band if small else None)
    if typed.json:
        print(json.dumps({"file": typed.file} | description))
    elif not typed.quiet:
        if small:
            small.write(sys.stdout)
        print("\n".join(inspection.format_description(description, typed.file)))
    return 0
