"""Formats of numbers, times and columns, the same wherever the program speaks to people."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Control characters, which steer a terminal; what turns the direction of writing, ends a line, or is half a letter; and
# what no XML may hold.
HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
PLURALS = {"process": "processes", "switch": "switches"}


def make_harmless(text: object, keep: str = "") -> str:
    """Make one line of text from a file, a scene or a path that does nothing but be read; characters to `keep` stay.

    What is harmful becomes its code: the escape character is the letters x1b behind a backslash.
    """
    return HARMFUL.sub(lambda found: found[0] if found[0] in keep else _escape_code(ord(found[0])), str(text))


def _escape_code(number: int) -> str:
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def escape_html(text: object) -> str:
    """Escape text for HTML and XML, in elements and attributes; harmless as by `make_harmless`."""
    from html import escape  # loads names for two thousand characters, which only pages need

    return escape(make_harmless(text))


def count(number: int, word: str) -> str:
    """Format a number and its word: "1 tile", "3 switches"."""
    return f"{number} {word if number == 1 else PLURALS.get(word, f'{word}s')}"


def in_words(number: int) -> str:
    """Write small numbers as words."""
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def as_sentence(text: str) -> str:
    """Write a text as a sentence: a capital letter first, a full stop last."""
    return f"{text[:1].upper()}{text[1:]}."


def format_time(seconds: float) -> str:
    """Format with three digits and a unit: "1.27 s", "17.3 ms"."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def format_large(number: float) -> str:
    """Format with three digits and a word: "30.9 million"."""
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if number >= size:
            return f"{number / size:.3g}{word}"
    return f"{number:.0f}"


def format_size(count: int) -> str:
    """Format a number of bytes with three digits and a unit: "1.6 GiB", "77.3 MiB"."""
    for bits, unit in ((60, "EiB"), (50, "PiB"), (40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count >= 999.5 * (1 << bits - 10):  # which three digits round up
            return f"{count / (1 << bits):.3g} {unit}"
    return f"{count} bytes"


def join_words(words: Sequence[str]) -> str:
    """Join words: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def format_columns(rows: Sequence[Sequence[str]], width: int, missed_least: Sequence[str] = ()) -> list[str]:
    """Format a table whose first row is its heads: names to the left, numbers to the right, at most `width` letters.

    Where there is no room the columns of `missed_least` are left out in this order, and then names are cut.
    """
    kept = list(zip(*rows, strict=True))
    for missed in missed_least:
        if sum(max(map(len, column)) + 2 for column in kept) - 2 <= width:
            break
        kept = [column for column in kept if column[0] != missed]
    widths = [max(map(len, column)) for column in kept]
    widths[0] = max(min(widths[0], width - sum(widths[1:]) - 2 * len(widths[1:])), 1)
    lines = []
    for name, *numbers in zip(*kept, strict=True):
        cells = [word.rjust(space) for word, space in zip(numbers, widths[1:], strict=True)]
        lines.append("  ".join([name[: widths[0]].ljust(widths[0]), *cells]))
    return lines
