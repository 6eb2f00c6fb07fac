"""Numbers as people read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.wording import format_size


@given(st.integers(0, 1 << 69))
def test_a_size_has_three_digits_and_a_unit(count: int) -> None:
    assert re.fullmatch(r"\d{1,3} bytes|(\d{1,3}|\d\.\d{1,2}|\d\d\.\d|0\.9\d\d) [KMGTPE]iB", format_size(count))


@pytest.mark.parametrize(
    ("count", "said"), [(999, "999 bytes"), (1000, "0.977 KiB"), (1 << 20, "1 MiB"), (1023 << 20, "0.999 GiB")]
)
def test_a_size_has_the_unit_that_suits_it(count: int, said: str) -> None:
    assert format_size(count) == said
