"""The questions that the page answers, and the tour that asks them first: predict, then see.

Every answer is computed from the traces on the page. A question that they cannot answer is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from render.findings import evidence
from render.findings.sentences import list_shares
from render.outputs.page.runs import Run, at_least, juggled, nearest
from render.outputs.page.words import TWO_LEVELS, clock, when_together
from render.outputs.timeline import TOO_SHORT
from render.wording import count, in_words, time

STEPS = 5
WAIT = 50_000_000  # ns; what a slow server takes


class Step(NamedTuple):
    """One question of the tour: what may be answered, which is right and why, what to replay (ns)."""

    question: str
    options: tuple[str, ...]
    right: int
    answer: str
    start: int
    end: int
    run: int = -1  # the run to look at, by its place on the page; -1: all of them


def questions(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """What a reader wants to know of these runs, and the answers."""
    painted = [run for run in runs if run.stats.tiles]
    if not painted:
        return
    each = len(runs) > 1
    yield (
        "How many workers had each mode?" if each else "How many workers were there?",
        "; ".join(f"{run.frame.title}: {run.workers}" for run in painted) + ".",
    )
    yield (
        "When were two workers at a tile at the same instant, and on how many CPUs?",
        "; ".join(f"{run.frame.title}: {_together(run)}" for run in painted) + ".",
    )
    for run in painted:
        if run.stats.multiprocessors is not None:
            yield f"Which are the workers of {run.frame.title}: its streams, or its multiprocessors?", _two_levels(run)
            break
    for run in painted:
        if run.juggles and run.base is not None and run.difference is not None:
            yield from _about_juggling(run, run.base, painted)


def _together(run: Run) -> str:
    if not run.together:
        return "never"
    if run.card:
        return f"{when_together(run)}, in its queues"
    mean = run.stats.on_cpu.mean
    return f"{when_together(run)}, on {'a number not known' if mean is None else f'{mean:.2f} CPUs on average'}"


def _two_levels(run: Run) -> str:
    found = run.stats.multiprocessors
    assert found is not None
    return (
        f"It depends on how near one looks: {TWO_LEVELS} Here {count(run.workers, 'stream')} had up to "
        f"{count(run.stats.running.max, 'tile')} under way, and {found.seen} multiprocessors worked on them, "
        f"{found.mean:.1f} at the same instant on average."
    )


def _about_juggling(run: Run, base: evidence.Run, runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """Why juggling gained time or did not, and what would have."""
    name, other = run.frame.title, base.frame.title
    painting = sum(run.costs.values())
    if run.beats(base) and base.data_wait_seconds:
        why = (
            f"Both had one worker. In {other} it stood idle for {time(base.idle_seconds)} while tiles waited for their "
            f"data; in {name} it saw to other tiles meanwhile, and only {time(run.idle_seconds)} went by idle."
        )
        cure = (
            f"A second worker with a CPU of its own. The painting alone takes {clock(painting)}, and one worker cannot "
            f"paint two tiles at the same instant{_faster(run, runs)}."
        )
        yield f"Why was {name} faster than {other}?", why
        yield "What would make it faster still?", cure
        return
    if run.beats(base):
        yield f"Why was {name} faster than {other}?", "That the traces do not tell: both had one worker. Run it again."
        return
    why = (
        f"Because its one worker was at a tile {100 * painting / run.length:.0f} % of the time anyway. It had up to "
        f"{run.stats.in_flight.max} tiles begun, but only ever painted one of them; the others lay aside. Changing "
        "from one to another paints nothing."
    )
    yield f"Why was {name} not faster than {other}?", why
    yield "What would have made it faster?", _cure(run, other, runs)


def _cure(run: Run, other: str, runs: Sequence[Run]) -> str:
    hands, tiles = run.stats.in_flight.max, count(len(run.costs), "tile")
    one, several = (juggled(run.costs.values(), WAIT, n) for n in (1, hands))
    return (
        f"Either something to wait for: if each of the {tiles} first had to wait {WAIT // 10**6} ms for its data, "
        f"{other} would take about {clock(one)}, and the same worker with {hands} in flight about "
        f"{clock(several)} (reckoned from the painting times of this run; --wait 50ms measures it). "
        f"Or a second worker with a CPU of its own, to paint at the same instant{_faster(run, runs)}."
    )


def _faster(run: Run, runs: Sequence[Run]) -> str:
    alike = [one for one in runs if one.frame.request.wait_ns == run.frame.request.wait_ns]
    together = [one for one in alike if one.parallel and one.beats(run)]
    best = min(together, key=lambda one: one.length, default=None)
    return f": {best.frame.title} took {clock(best.length)}" if best else ""


def tour(runs: Sequence[Run]) -> list[Step]:
    """Five steps, or fewer where the traces do not show enough."""
    painted = [run for run in runs if run.stats.tiles]
    made = [step for ask in ASKED for step in ask(painted)]
    return [step._replace(run=runs.index(painted[step.run])) if step.run >= 0 else step for step in made[:STEPS]]


def _first_tile(runs: Sequence[Run]) -> Iterator[Step]:
    firsts = [run.stats.first_tile_seconds for run in runs]
    times = [first for first in firsts if first is not None]
    if len(runs) < 2 or len(times) < len(runs):
        return
    best = times.index(min(times))
    told = "; ".join(f"{run.frame.title} after {time(first)}" for run, first in zip(runs, times, strict=True))
    juggler = next((run for run in runs if run.juggles and run is not runs[best]), None)
    why = " A juggling worker shares its time among several tiles, so its first is done later." if juggler else ""
    names = tuple(run.frame.title for run in runs)
    yield Step(
        "From the request on, making ready included: which mode has its first tile done first?",
        names,
        best,
        f"{told}.{why}",
        0,
        max(min(run.ends.values()) for run in runs),
    )


def _juggling_now(runs: Sequence[Run]) -> Iterator[Step]:
    run = next((run for run in runs if run.juggles), None)
    if run is None:
        return
    flying = run.stats.in_flight.max
    t = _painting_near(middle(runs), nearest(at_least(run.flying, flying), middle(runs)), run)
    yield Step(
        f"At {clock(t)}, {run.frame.title} has begun {flying} tiles and finished none of them. How many of them is it "
        "painting at this very instant?",
        _numbers(1, flying),
        0,
        f"One. The other {flying - 1} lie aside, hatched. In flight: {flying}; at a tile: 1. Being busy with several "
        "things is not doing them at the same instant.",
        t,
        min(t + 12 * _turn(run), run.length),
        runs.index(run),
    )


def _together_now(runs: Sequence[Run]) -> Iterator[Step]:
    run = next((run for run in runs if run.parallel and run.stats.running.max > 1), None)
    if run is None:
        return
    most, name = run.stats.running.max, run.frame.title
    t = sum(nearest(at_least(run.running, most), middle(runs))) // 2
    options = _numbers(1, most)
    answer = (
        f"{in_words(most).capitalize()}: in the close-up, {in_words(most)} lanes are filled at the line that is now. "
        f"On average {run.stats.on_cpu.mean:.2f} workers had a CPU. That is parallelism, of as many as had one."
    )
    yield Step(
        f"{name} has {run.workers} workers. How many of them are at a tile at {clock(t)}, at this very instant?",
        options,
        options.index(str(most)),
        answer,
        t,
        min(t + 12 * _turn(run), run.length),
        runs.index(run),
    )


def _gain(runs: Sequence[Run]) -> Iterator[Step]:
    run = next((run for run in runs if run.juggles and run.difference), None)
    if run is None or run.base is None:
        return
    base, hands = run.base, run.stats.in_flight.max
    right = 0 if base.beats(run) else 2 if run.beats(base) else 1
    why = next(answer for ask, answer in _about_juggling(run, base, runs) if ask.startswith("Why"))
    name, other = run.frame.title, base.frame.title
    times = [round(one.seconds * 1e9) for one in (base, run)]
    yield Step(
        f"{name} has {hands} tiles in flight, {other} one; one worker each. Who is done first?",
        (other, "both at about the same time", name),
        right,
        f"{other} took {clock(times[0])}, {name} {clock(times[1])}. {why}",
        max(min(times) * 9 // 10, 0),
        max(times),
    )


def _cured(runs: Sequence[Run]) -> Iterator[Step]:
    run = next((run for run in runs if run.juggles and run.difference), None)
    if run is None or run.base is None:
        return
    ask, answer = list(_about_juggling(run, run.base, runs))[-1]
    if ask.startswith("Why"):
        return
    options = ("more tiles in flight", "a second worker", "smaller tiles")
    if ask.startswith("What would have"):
        options = ("more tiles in flight", "tiles that have to wait for something, or a second worker", "smaller tiles")
    yield Step(ask.replace("made it", "made the juggling worker's run"), options, 1, answer, 0, run.length)


def _who_most(runs: Sequence[Run]) -> Iterator[Step]:
    run = runs[0] if runs else None
    if run is None or not 1 < run.workers <= 6:
        return
    shares = run.tiles_by_worker
    yield Step(
        f"Which worker of {run.frame.title} paints the most tiles?",
        tuple(f"worker {number}" for number in range(len(shares))),
        shares.index(max(shares)),
        f"{list_shares(shares)}. Whoever is free takes the next tile; who meets the costly ones takes fewer.",
        0,
        run.length,
    )


def _slowest_tile(runs: Sequence[Run]) -> Iterator[Step]:
    run = runs[0] if runs else None
    if run is None or len(run.costs) < 3:
        return
    costs = sorted(run.costs.items(), key=lambda pair: pair[1])
    (quick, least), (slow, most) = costs[0], costs[-1]
    times = most / least if least else float("inf")
    options = ("about as long", "up to 3 times as long", "more than 3 times as long")
    yield Step(
        "The tiles are of one size. How long does the slowest take, against the quickest?",
        options,
        0 if times < 1.3 else 1 if times <= 3 else 2,
        f"Tile {slow} took {clock(most)}, tile {quick} {clock(least)}. That is why tiles are handed out one by one, to "
        "whoever is free.",
        max(run.ends[slow] - 2 * most, 0),
        run.ends[slow],
    )


def _same_picture(runs: Sequence[Run]) -> Iterator[Step]:
    if len(runs) < 2:
        return
    hashes = len({run.frame.sha256 for run in runs})
    last = max(run.length for run in runs)
    told = "equal to the last bit" if hashes == 1 else f"{hashes} different pictures"
    yield Step(
        "All are done. Do the pictures differ?",
        ("no, not in one bit", "yes"),
        int(hashes > 1),
        f"They are {told}, by sha256. Who works when changes the time and the order, and must not change the picture.",
        last * 9 // 10,
        last,
    )


ASKED: tuple[Callable[[Sequence[Run]], Iterator[Step]], ...] = (
    _first_tile,
    _juggling_now,
    _together_now,
    _gain,
    _cured,
    _same_picture,
    _who_most,
    _slowest_tile,
)


def _numbers(*wanted: int) -> tuple[str, ...]:
    """Numbers to choose from, with one more that is wrong."""
    return tuple(str(number) for number in sorted({*wanted, 1, 2, 4}) if number <= max(*wanted, 2))


def _turn(run: Run) -> int:
    """A usual length of a span of painting."""
    lengths = sorted(t1 - t0 for times in run.painting.values() for t0, t1 in times)
    return lengths[len(lengths) // 2]


def middle(runs: Sequence[Run]) -> int:
    """When all runs are in the midst of things, but for those that are over when the others have hardly begun."""
    longest = max(run.length for run in runs)
    return min(run.length for run in runs if run.length * TOO_SHORT >= longest) * 6 // 10


def _painting_near(t: int, inside: tuple[int, int], run: Run) -> int:
    """The middle of that span of painting which lies inside an interval and nearest to t."""
    t0, t1 = inside
    spans = [(s.t0 + s.t1) // 2 for s in run.spans if s.kind == "paint" and s.t0 < s.t1 and t0 <= s.t0 and s.t1 <= t1]
    return min(spans, key=lambda half: abs(half - t), default=t0)
