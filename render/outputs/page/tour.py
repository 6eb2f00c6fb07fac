"""The tour: predict, then see. Each step freezes the replay on an instant and asks about it before it answers.

Every answer is computed from the traces on the page. A question that they cannot answer is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from render.outputs.page.questions import compare_speed, explain_juggling, explain_when, pair_jugglers
from render.outputs.page.runs import Curve, Run, find_intervals, nearest_interval
from render.outputs.page.words import format_ns
from render.outputs.timeline import TOO_SHORT
from render.wording import format_time, in_words

STEPS = 5
BEFORE = 12  # turns that are replayed up to the instant that was asked about


class Step(NamedTuple):
    """One question of the tour: what may be answered, which is right, and why.

    at: where the replay freezes before it asks (ns); start, end: what is replayed to show the answer, which holds at
    the end. runs: those that it names, by their place on the page. hides: "now", the numbers of the instant; "after",
    all that tells how long a run took.
    """

    question: str
    options: tuple[str, ...]
    right: int
    answer: str
    at: int
    start: int
    end: int
    runs: tuple[int, ...] = ()
    hides: str = "now"


def build_tour(runs: Sequence[Run]) -> list[Step]:
    """Build five steps, or fewer where the traces do not show enough."""
    painted = [run for run in runs if run.stats.tiles]
    steps = [step for ask in ASKED for step in ask(painted)]
    place = [runs.index(run) for run in painted]
    return [step._replace(runs=tuple(place[run] for run in step.runs)) for step in steps[:STEPS]]


def _ask_juggling(runs: Sequence[Run]) -> Iterator[Step]:
    for number, run in enumerate(runs):
        if not run.juggles_alone:
            continue
        held = run.stats.in_flight.max
        inside = nearest_interval(find_intervals(run.in_flight, held), _choose_instant(runs))
        t = _find_painting(_choose_instant(runs), inside, run)
        if t is None:
            continue
        others = _describe_others(held - 1, _value_at(run.waiting, t), run.awaited_lock or "data")
        yield Step(
            f"The replay stands at {format_ns(t)}. {run.frame.title} has {held} tiles in flight: started but not "
            "finished. How many of them is it painting at this instant?",
            _list_numbers(1, held),
            0,
            f"One. {others} At a tile: 1; in flight: {held}. Being busy with "
            "several things is not doing them at the same instant.",
            t,
            max(t - BEFORE * _usual_turn(run), 0),
            t,
            (number,),
        )
        return


def _describe_others(count: int, waiting: int, awaited: str) -> str:
    """Say what the tiles do that are in flight and not painted, so many of which wait; no number stands twice."""
    one, several = ("waits", "is put aside"), ("wait", "are put aside")
    if waiting in {0, count}:
        who, (wait, lie) = ("The other one", one) if count == 1 else (f"The other {count}", several)
        return f"{who} {wait} for {awaited}." if waiting else f"{who} {lie}, hatched."
    wait, _ = one if waiting == 1 else several
    _, lie = one if count - waiting == 1 else several
    return f"Of the other {count}, {waiting} {wait} for {awaited} and {count - waiting} {lie}, hatched."


def _ask_together(runs: Sequence[Run]) -> Iterator[Step]:
    for number, run in enumerate(runs):
        if not run.parallel or run.stats.running.max < 2 or run.on_gpu:
            continue
        most = run.stats.running.max
        t = sum(nearest_interval(find_intervals(run.running, most), _choose_instant(runs))) // 2
        options = _list_numbers(1, most)
        yield Step(
            f"The replay stands at {format_ns(t)}. {run.frame.title} has {run.workers} workers. How many of them are "
            "at a tile at this instant?",
            options,
            options.index(str(most)),
            f"{in_words(most).capitalize()}: in the close-up, {in_words(most)} lanes are filled at the line that is "
            "now. Over the whole run more than one of them had a CPU on average, and that is what makes it parallel.",
            t,
            max(t - BEFORE * _usual_turn(run), 0),
            t,
            (number,),
        )
        return


def _ask_first_finished(runs: Sequence[Run]) -> Iterator[Step]:
    for number, run in enumerate(runs):
        if not run.juggles_alone or run.difference is None or run.base not in runs:
            continue
        base = next(one for one in runs if one is run.base)
        held, name, other = run.stats.in_flight.max, run.frame.title, base.frame.title
        _, why = explain_juggling(run, base)
        yield Step(
            f"{name} has up to {held} tiles in flight, {other} one. Each has one worker. Which finishes all tiles "
            "first?",
            (other, "both at about the same time", name),
            0 if base.beats(run) else 2 if run.beats(base) else 1,
            f"{name} was {compare_speed(run, base)} {other}. {why}",
            min(base.length, run.length) * 6 // 10,
            0,
            max(base.length, run.length),
            (runs.index(base), number),
            "after",
        )
        return


def _ask_when(runs: Sequence[Run]) -> Iterator[Step]:
    """Ask when juggling pays, where no pair of runs contradicts the rule."""
    pairs = pair_jugglers(runs)
    alone = [pair for pair in pairs if pair[0].workers == 1]
    if not alone or any(run.beats(base) != bool(run.data_wait_seconds) for run, base in alone):
        return
    run, base = next((pair for pair in alone if pair[0].data_wait_seconds), alone[0])
    yield Step(
        "When does juggling several tiles beat painting one after the other?",
        ("always: it keeps the worker busy", "when tiles have to wait for something", "when there are many tiles"),
        1,
        explain_when(runs),
        min(base.length, run.length) * 6 // 10,
        0,
        max(base.length, run.length),
        (runs.index(base), runs.index(run)),
        "after",
    )


def _ask_pictures(runs: Sequence[Run]) -> Iterator[Step]:
    if len(runs) < 2:
        return
    different = len({run.frame.sha256 for run in runs})
    last = max(run.length for run in runs)
    result = "equal to the last bit" if different == 1 else f"{different} different pictures"
    yield Step(
        "All have finished. Do the pictures differ?",
        ("no, not in one bit", "yes"),
        int(different > 1),
        f"They are {result}. Who works when changes the time and the order; it must not change the picture.",
        last,
        last * 9 // 10,
        last,
        tuple(range(len(runs))),
    )


def _ask_first_tile(runs: Sequence[Run]) -> Iterator[Step]:
    firsts = [run.stats.first_tile_seconds for run in runs]
    times = [first for first in firsts if first is not None]
    if len(runs) < 2 or len(times) < len(runs) or any(run.frame.simulated for run in runs):
        return
    best = times.index(min(times))
    after = "; ".join(f"{run.frame.title} after {format_time(first)}" for run, first in zip(runs, times, strict=True))
    juggler = next((run for run in runs if run.juggles_alone and run is not runs[best]), None)
    why = " A juggling worker shares its time among several tiles, so its first is finished later." if juggler else ""
    yield Step(
        "Which mode finishes its first tile soonest, counted from the request, making ready included?",
        tuple(run.frame.title for run in runs),
        best,
        f"{after}.{why}",
        0,
        0,
        max(min(run.ends.values()) for run in runs),
        tuple(range(len(runs))),
        "after",
    )


def _ask_who_most(runs: Sequence[Run]) -> Iterator[Step]:
    run = runs[0] if runs else None
    if run is None or run.frame.simulated or not 1 < run.workers <= 6:
        return
    shares = run.tiles_by_worker
    yield Step(
        f"Which worker of {run.frame.title} paints the most tiles?",
        tuple(f"worker {number}" for number in range(len(shares))),
        shares.index(max(shares)),
        "Whoever is free takes the next tile; who meets the costly ones takes fewer.",
        run.length // 2,
        0,
        run.length,
        (0,),
        "after",
    )


def _ask_slowest(runs: Sequence[Run]) -> Iterator[Step]:
    run = runs[0] if runs else None
    if run is None or run.frame.simulated or len(run.costs) < 3:
        return
    costs = sorted(run.costs.items(), key=lambda pair: pair[1])
    (quick, least), (slow, most) = costs[0], costs[-1]
    times = most / least if least else float("inf")
    yield Step(
        "The tiles are of one size. How long does the slowest take, against the quickest?",
        ("about as long", "up to 3 times as long", "more than 3 times as long"),
        0 if times < 1.3 else 1 if times <= 3 else 2,
        f"Tile {slow} took {format_time(most / 1e9)}, tile {quick} {format_time(least / 1e9)}. That is why tiles are "
        "handed out one by one, to whoever is free.",
        run.ends[slow],
        max(run.ends[slow] - 2 * most, 0),
        run.ends[slow],
        (0,),
    )


ASKED: tuple[Callable[[Sequence[Run]], Iterator[Step]], ...] = (
    _ask_juggling,
    _ask_together,
    _ask_first_finished,
    _ask_when,
    _ask_pictures,
    _ask_first_tile,
    _ask_who_most,
    _ask_slowest,
)


def _list_numbers(*wanted: int) -> tuple[str, ...]:
    """List numbers to choose from, with one more that is wrong."""
    return tuple(str(number) for number in sorted({*wanted, 1, 2, 4}) if number <= max(*wanted, 2))


def _usual_turn(run: Run) -> int:
    """Compute the median length of a span of painting."""
    lengths = sorted(t1 - t0 for times in run.painting.values() for t0, t1 in times)
    return lengths[len(lengths) // 2]


def _choose_instant(runs: Sequence[Run]) -> int:
    """Choose an instant in the middle of all runs but those that are over when the others have hardly started."""
    longest = max(run.length for run in runs)
    return min(run.length for run in runs if run.length * TOO_SHORT >= longest) * 6 // 10


def _find_painting(t: int, inside: tuple[int, int], run: Run) -> int | None:
    """Find the middle of that span of painting which lies inside an interval and nearest to t; None where none does."""
    t0, t1 = inside
    spans = [(s.t0 + s.t1) // 2 for s in run.spans if s.kind == "paint" and s.t0 < s.t1 and t0 <= s.t0 and s.t1 <= t1]
    return min(spans, key=lambda half: abs(half - t), default=None)


def _value_at(curve: Curve, t: int) -> int:
    return next((number for start, number in reversed(curve) if start <= t), 0)
