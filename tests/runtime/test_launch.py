"""A launch's memory: what each thread and block writes has its own place, and one copy brings all of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.kernels.launch import RECORD
from render.request import Request
from render.runtime.launch import TALLY_BYTES, blocks, rows, size
from tests.conftest import small_request

EDGES = st.integers(1, 70)


@given(
    width=EDGES,
    height=EDGES,
    most=st.integers(1, 40),
    samples=st.integers(1, 2),
    kept=st.booleans(),
    simulate=st.booleans(),
)
def test_the_rows_share_the_memory_out_without_gap_or_overlap(
    width: int,
    height: int,
    most: int,
    samples: int,
    kept: bool,
    simulate: bool,
) -> None:
    request = small_request(samples=samples, blocks=kept, simulate=simulate)
    memory = np.zeros(size(request, width, height, most) + 5, np.uint8)
    parts = rows(memory, request, width, height, most)
    for part in parts:
        assert not part.any(), "another part lies here"
        part[:] = 1
        assert part.ctypes.data % part.itemsize == 0
    count = blocks(width, height, most)

    assert count <= most
    assert sum(part.nbytes for part in parts) == memory.size - 5
    assert not memory[-5:].any()
    assert parts.outcome.nbytes == TALLY_BYTES
    assert parts.rgb.size == 3 * width * height
    assert parts.steps.size == (width * height if samples == 1 else 0)
    assert parts.records.size == (RECORD * count if kept and not simulate else 0)


@pytest.mark.parametrize("kept", [True, False])
def test_what_a_card_records_of_its_blocks_changes_no_picture(*, kept: bool, ask: Callable[..., Request]) -> None:
    assert ask(blocks=kept).picture_key() == ask().picture_key()
