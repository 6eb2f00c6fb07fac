"""Numbers as people read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.wording import format_large, format_size, format_time, join_words


@given(st.integers(0, 1 << 69))
def test_a_size_has_three_digits_and_a_unit(count: int) -> None:
    assert re.fullmatch(r"\d{1,3} bytes|(\d{1,3}|\d\.\d{1,2}|\d\d\.\d|0\.9\d\d) [KMGTPE]iB", format_size(count))


@pytest.mark.parametrize(
    ("count", "said"), [(999, "999 bytes"), (1000, "0.977 KiB"), (1 << 20, "1 MiB"), (1023 << 20, "0.999 GiB")]
)
def test_a_size_has_the_unit_that_suits_it(count: int, said: str) -> None:
    assert format_size(count) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.0173, "17.3 ms"), (0.9, "900 ms"), (1.0, "1 s"), (1.2749, "1.27 s")])
def test_a_time_is_in_seconds_from_one_on(seconds: float, said: str) -> None:
    assert format_time(seconds) == said


@pytest.mark.parametrize(
    ("number", "said"), [(999_999, "999999"), (1e6, "1 million"), (30.94e6, "30.9 million"), (2e9, "2 billion")]
)
def test_a_large_number_has_a_word(number: float, said: str) -> None:
    assert format_large(number) == said


@pytest.mark.parametrize(
    ("words", "said"), [((), ""), (("a",), "a"), (("a", "b"), "a and b"), (("a", "b", "c"), "a, b and c")]
)
def test_words_are_joined_as_one_says_them(words: tuple[str, ...], said: str) -> None:
    assert join_words(words) == said
