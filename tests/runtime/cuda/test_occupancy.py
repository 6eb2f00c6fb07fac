"""When a launch that recorded nothing began: what launches before it leave room for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.runtime.cuda.occupancy import Room

LAUNCHES = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("before", "begun"),
    [
        ([], 10),
        ([(8, 40)], 40),
        ([(8, 5)], 10),
        ([(4, 40), (3, 50)], 10),
        ([(4, 40), (4, 50)], 40),
        ([(8, 40), (8, 50)], 50),
        ([(8, 200)], 100),
    ],
    ids=["alone", "full", "full before", "room for a block", "two that fill it", "one behind another", "its own end"],
)
def test_a_launch_begins_when_those_before_it_leave_room(before: list[tuple[int, int]], begun: int) -> None:
    room = Room(8)
    earlier = [(room.take(blocks), end) for blocks, end in before]
    launch = room.take(8)
    for hold, end in earlier:
        room.begun(hold, 0, end)

    assert room.begun(launch, 10, 100) == begun


def test_a_launch_that_came_later_or_is_still_under_way_holds_nobody_up() -> None:
    room = Room(8)
    room.take(8)
    launch, later = room.take(8), room.take(8)
    room.begun(later, 0, 90)

    assert room.begun(launch, 10, 100) == 10


@given(launches=LAUNCHES)
def test_it_is_never_before_its_stream_came_to_it_nor_after_its_end(launches: list[tuple[int, int, int]]) -> None:
    room = Room(8)
    held = [(room.take(blocks), reached, reached + takes) for blocks, reached, takes in launches]

    assert all(reached <= room.begun(hold, reached, end) <= end for hold, reached, end in held)
