"""What a browser reports of a film becomes spans of its trace: each frame once, for as long as it was shown."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from render.film.viewing import Viewing, add_viewing
from render.findings import films
from render.trace import Span
from tests.outputs.conftest import MS, drawn

FILM = {"film": True, "frames": 6, "fps": 100.0}
SHEET = drawn("0", "1", facts=FILM)

stretches = st.lists(st.integers(1, 40 * MS), min_size=2, max_size=12).map(
    lambda lengths: list(pairwise(accumulate(lengths)))[::2]
)


def viewed(viewing: Viewing) -> list[Span]:
    return [span for span in add_viewing(SHEET, viewing, [4, 2], 100.0).trace.spans if span.kind in {"load", "play"}]


@given(stretches)
def test_frames_are_shown_in_order_and_as_long_as_the_film_has_them(played: list[tuple[int, int]]) -> None:
    spans = viewed(Viewing(0, played=played))
    assert [span.tile for span in spans] == sorted(span.tile for span in spans)
    assert {span.tile for span in spans} <= set(range(6))
    assert all(before.t1 <= after.t0 for before, after in pairwise(spans))
    assert all(any(t0 <= span.t0 < span.t1 <= t1 for t0, t1 in played) for span in spans)
    shown = [sum(span.t1 - span.t0 for span in spans if span.tile == frame) for frame in range(6)]
    assert max(shown) <= 10 * MS
    assert sum(shown) == min(sum(t1 - t0 for t0, t1 in played), 60 * MS)


def test_a_part_is_loaded_with_its_last_frame_and_all_of_it_counts_from_when_the_film_was_asked_for() -> None:
    viewing = Viewing(-MS, [(2 * MS, 3 * MS), (5 * MS, 9 * MS)], [(4 * MS, 34 * MS), (44 * MS, 74 * MS)])
    seen = add_viewing(SHEET, viewing, [4, 2], 100.0).trace
    assert [(span.tile, span.t0, span.t1) for span in seen.of_kind("load")] == [(3, MS, 2 * MS), (5, 4 * MS, 8 * MS)]
    assert (seen.began, seen.asked, seen.ended) == (-MS, -MS, 73 * MS)
    assert list(seen.lanes.values()) == ["worker 0", "worker 1", "loader", "player"]
    said = films.describe_film(seen)
    assert said[0] == "6 frames, which play for 60 ms, were painted, loaded and played in 72 ms."
    assert said[1] == "It started to play 4 ms after it was asked for; it stalled 1 time, for 10 ms in all."
    assert "loading for 5 ms and playing for 60 ms" in said[2]
    assert said[3].startswith("On average 2.00 CPUs were at work")  # a browser's time is none of the painters' CPUs'
