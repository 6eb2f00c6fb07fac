"""The questions that the page answers, each from the traces on it. A question that they cannot answer is not asked.

A figure stands once, where it is read: a run's time and CPUs with its picture. The answers say in words what follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from render.findings import evidence
from render.outputs.page.runs import Run, estimate_juggling
from render.outputs.page.words import TWO_LEVELS, describe_overlap
from render.wording import count, format_time, in_words, join_words

WAIT = 50_000_000  # ns; what a slow server takes
BUSY = 80  # percent of the time; a worker that was at a tile for so much of it had no time to fill
GPU = (
    "One core of a CPU follows one list of instructions. A graphics card runs thousands of lanes at once, in groups of "
    "32 that take the same step at the same time; a lane that has finished waits for the others of its group. So it is "
    "not a few faster workers but very many slow ones, and it is fast where all of them have the same thing to do."
)


def answer_questions(runs: Sequence[Run], not_run: Sequence[tuple[str, str]] = ()) -> Iterator[tuple[str, str]]:
    """Answer what a reader wants to know of these runs."""
    painted = [run for run in runs if run.stats.tiles]
    if not painted:
        return
    several = len(runs) > 1
    yield "How many workers did each mode have?" if several else "How many workers were there?", _count_workers(painted)
    yield "When were two tiles painted at the same instant, and by how many CPUs?", _describe_together(painted)
    yield "What is running, and what is in flight?", _describe_in_flight(painted)
    for run in painted:
        if run.juggles_alone and run.base is not None and run.difference is not None:
            yield explain_juggling(run, run.base)
    if any(run.juggles_alone for run in painted):
        yield "When does juggling beat one tile after the other?", explain_when(painted)
    yield "What does a graphics card do differently?", _describe_gpu(painted, dict(not_run))
    for run in painted:
        if run.stats.multiprocessors is not None:
            title = run.frame.title
            yield f"Which are the workers of {title}: its streams, or its multiprocessors?", _describe_levels(run)
            break


def _count_workers(runs: Sequence[Run]) -> str:
    return "; ".join(f"{run.frame.title}: {run.workers}" for run in runs) + "."


def _describe_together(runs: Sequence[Run]) -> str:
    timed = [run for run in runs if not run.frame.simulated]
    never = [run.frame.title for run in timed if not run.together]
    parts = [f"never in {join_words(never)}"] if never else []
    parts += [f"{run.frame.title}: {_together(run)}" for run in timed if run.together]
    modelled = [run.frame.title for run in runs if run.frame.simulated]
    parts += [f"of {join_words(modelled)} nothing follows: a simulator's times mean nothing"] if modelled else []
    return "; ".join(parts) + "."


def _together(run: Run) -> str:
    when = describe_overlap(run)
    if run.on_gpu:
        return f"tiles were in several of its queues {when}"
    at_a_tile = f"{in_words(run.stats.running.max)} workers at a tile {when}"
    mean = run.stats.on_cpu.mean
    if run.parallel:
        return f"{at_a_tile}, by {mean:.2f} CPUs on average"
    if run.parallel_at_times:
        return f"{at_a_tile}, each with a CPU for some of it"
    if run.claims.one_cpu:
        return f"{at_a_tile}, but by turns on one CPU: never two painted at the same instant"
    if mean is None:
        return f"{at_a_tile}, by a number of CPUs not known"
    return f"{at_a_tile}, but by only {mean:.2f} CPUs on average, which does not show two at the same instant"


def _describe_in_flight(runs: Sequence[Run]) -> str:
    most = max(runs, key=lambda run: run.stats.in_flight.max - run.stats.running.max)
    more = len(runs) > 1 and most.stats.in_flight.max > most.stats.running.max
    return (
        "A tile is in flight from its start to its finish, whether or not somebody works on it. It is running while a "
        "worker paints it; what is in flight but not running was put aside, or waits"
        f"{f': most of all in {most.frame.title}' if more else ''}."
    )


def _describe_levels(run: Run) -> str:
    both = f"Both are drawn in “Inside the graphics card: {run.frame.title}”."
    return f"It depends on how near one looks. {TWO_LEVELS} {both}"


def _describe_gpu(runs: Sequence[Run], not_run: dict[str, str]) -> str:
    on_gpu = [run for run in runs if run.on_gpu]
    if any(run.frame.simulated for run in on_gpu):
        return f"{GPU} A simulator stood for one here: who did what is true, how long it took means nothing."
    if on_gpu:
        return GPU
    reason = next((f": {reason.rpartition(': ')[2]}" for reason in not_run.values()), "")
    return f"{GPU} None took part here{reason}."


def explain_juggling(run: Run, base: evidence.Run) -> tuple[str, str]:
    """Explain why one worker that juggles gained time or did not: a question and its answer."""
    name, other = run.frame.title, base.frame.title
    if run.beats(base) and run.gained_by_waiting(base):
        why = (
            f"Both had one worker. In {other} it was idle while tiles waited for their data; in {name} it turned to "
            "other tiles meanwhile."
        )
    elif run.beats(base):
        why = "The traces do not show why: both had one worker. Run it again."
    else:
        busy = 100 * sum(run.costs.values()) / run.length
        anyway = f"Because its one worker was at a tile {busy:.0f} % of the time anyway. " if busy >= BUSY else ""
        why = (
            f"{anyway}It had several tiles in flight, but painted only one of them at any instant. Changing from one "
            "to another paints nothing."
        )
    return f"Why was {name} {'' if run.beats(base) else 'not '}faster than {other}?", why


def explain_when(runs: Sequence[Run]) -> str:
    """Explain when juggling pays, with every pair of runs on the page that shows it."""
    shown = [compare_pair(run, base) for run, base in pair_jugglers(runs)]
    rule = (
        "When tiles have to wait for something: nobody paints two tiles with one pair of hands, but a worker can paint "
        "one while others wait. Where nothing has to be waited for, juggling gains nothing"
    )
    waits = any(run.data_wait_seconds for run, _ in pair_jugglers(runs))
    return f"{rule}. {' '.join(shown)}{'' if waits else _estimate(runs)}"


def pair_jugglers(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """Pair each run that juggles with the run of as many workers that did not, and waited as long."""
    pairs = []
    for run in runs:
        if run.juggles and not run.frame.simulated:
            alike = [one for one in runs if one.workers == run.workers and not one.juggles and not one.on_gpu]
            same = [one for one in alike if one.frame.request.wait_ns == run.frame.request.wait_ns]
            pairs += [(run, one) for one in same[:1]]
    return pairs


def compare_pair(run: Run, base: Run) -> str:
    """Say whether a run that juggles was faster than one that does not, or slower, where that is clear."""
    each = run.frame.request.wait_ns
    why = ", which nothing here explains: run it again" if not each and run.beats(base) else ""
    where = "Where tiles waited" if each else "With nothing to wait for"
    return f"{where}, {run.frame.title} was {compare_speed(run, base)} {base.frame.title}{why}."


def compare_speed(run: Run, base: evidence.Run) -> str:
    """Compare two runs in words, to go on with the other's name: "faster than", "about as fast as"."""
    return "faster than" if run.beats(base) else "slower than" if base.beats(run) else "about as fast as"


def _estimate(runs: Sequence[Run]) -> str:
    """Estimate what waiting would have done to the first run that juggles, and say that it is an estimate."""
    run = next(run for run in runs if run.juggles_alone)
    hands, tiles = run.stats.in_flight.max, count(len(run.costs), "tile")
    one, several = (format_time(estimate_juggling(run.costs.values(), WAIT, n) / 1e9) for n in (1, hands))
    return (
        f" An estimate from the painting times of {run.frame.title}: if each of its {tiles} first waited "
        f"{WAIT // 10**6} ms for its data, one after the other would take about {one}, and the same worker with "
        f"{hands} in flight about {several}; a race with --wait 50ms measures it."
    )
