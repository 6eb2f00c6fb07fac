"""Common mistakes about concurrency and parallelism, and the figures of the page that answer them.

The beliefs are those that research on learners and the field's own questions document. Each is answered by the page's
runs where they show it, and otherwise by what to run. Their figures stand with their pictures, and not once more here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from render.findings.evidence import name_takers
from render.outputs.page.questions import compare_pair, compare_speed, pair_jugglers
from render.outputs.page.runs import Run
from render.wording import count

Reply = Callable[[Sequence[Run]], str]


def answer_beliefs(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """Answer each belief; nothing for a page of one run, or where nothing was painted."""
    painted = [run for run in runs if run.stats.tiles and not run.frame.simulated]
    if len(painted) > 1:
        for belief, reply in BELIEFS:
            yield belief, reply(painted)


def _one_word(runs: Sequence[Run]) -> str:
    return "They are two questions: how many tasks are in flight, and how many are being worked on. " + " ".join(
        [*_show_juggler(runs), *_show_parallel(runs)]
    )


def _at_once(runs: Sequence[Run]) -> str:
    juggler = _find_juggler(runs)
    if juggler is None:
        return "Who has several tasks in flight turns from one to another. race with mode concurrent shows it."
    return (
        f"{juggler.frame.title} turned from one tile to another so fast that it looks like doing all at once. No two "
        "were painted at the same instant."
    )


def _several_workers(runs: Sequence[Run]) -> str:
    turns = next((run for run in runs if run.workers > 1 and not run.on_gpu and not _is_parallel(run)), None)
    if turns is not None:
        unknown = turns.stats.on_cpu.mean is None
        had = "how many had a CPU is not known" if unknown else "they are not shown to have had more than one CPU"
        return f"Not here: {turns.frame.title} had {count(turns.workers, 'worker')}, and {had}."
    return (
        "Two workers may share one CPU and take turns. Only the CPU time that they were given proves that two worked "
        f"at the same instant: more than one second of it in a second. {' '.join(_show_parallel(runs))}"
    )


def _threads(runs: Sequence[Run]) -> str:
    held = next((run for run in runs if run.awaited_lock), None)
    if held is not None:
        return (
            f"{held.frame.title}: {count(held.workers, 'thread')}, at most {held.stats.running.max} at a tile at any "
            f"instant, for the others waited for {held.awaited_lock}."
        )
    return "Threads that hold Python's lock (GIL) while they compute take turns: race --lesson gil shows it."


def _never_help(runs: Sequence[Run]) -> str:
    run = next((run for run in runs if _are_threads(run) and run.parallel and run.base and run.beats(run.base)), None)
    if run is None or run.base is None:
        return "They help where the code lets go of Python's lock, or where they wait: race --lesson gil shows it."
    return (
        f"{run.frame.title} painted in {count(run.workers, 'thread')} of one Python process, and was faster than "
        f"{run.base.frame.title}, for its compiled code lets go of Python's lock while it computes."
    )


def _n_times(runs: Sequence[Run]) -> str:
    run = next((run for run in runs if run.workers > 1 and not run.on_gpu and not run.data_wait_seconds), None)
    why = "Starting them, handing out tiles and waiting for the last tile take time, and they share CPUs and memory."
    if run is None or run.base is None or run.difference is None:
        return why
    if run.short_of_cpu or run.base.short_of_cpu:
        return f"{why} Here {name_takers([run, run.base])}, so how fast {run.frame.title} was shows nothing."
    return f"{run.frame.title}: {count(run.workers, 'worker')}, {compare_speed(run, run.base)} one. {why}"


def _more_is_better(_: Sequence[Run]) -> str:
    return "Only as far as there are CPUs, or waiting to fill: more workers than CPUs take turns and paint no faster."


def _overhead(runs: Sequence[Run]) -> str:
    rule = "Where nothing has to be waited for it gains nothing. It pays where tiles wait."
    pairs = [compare_pair(run, base) for run, base in pair_jugglers(runs) if run.data_wait_seconds]
    return " ".join([rule, *(pairs[:2] or ["race --story server shows it."])])


def _async(runs: Sequence[Run]) -> str:
    rule = "It speeds up waiting, never computing: one worker computes one thing at a time."
    pairs = pair_jugglers(runs)
    alone = [compare_pair(run, base) for run, base in pairs if run.juggles_alone and not run.data_wait_seconds]
    return " ".join([rule, *alone[:1]])


def _second_cpu(runs: Sequence[Run]) -> str:
    return "Concurrency is about structure, parallelism about execution. " + " ".join(
        _show_juggler(runs) or ["One worker can have many tasks in flight."]
    )


def _passed_once(runs: Sequence[Run]) -> str:
    torn = len({run.frame.sha256 for run in runs})
    if torn > 1:
        return f"The same program gave {torn} different pictures here, and was right wherever one worker painted."
    return (
        f"The pictures of all {len(runs)} runs were compared to the last bit, and are equal. That proves these runs "
        "right, not the next ones: race --lesson bug shows a fault that comes and goes."
    )


def _locks(runs: Sequence[Run]) -> str:
    held = next((run for run in runs if run.awaited_lock), None)
    if held is not None:
        share = 100 * held.waited_seconds / (held.workers * held.seconds or 1)
        return f"A lock lets one in and makes the others wait: each worker of {held.frame.title} waited {share:.0f} %."
    return (
        "A lock makes the others wait, so it takes back what workers gain. The tiles need none: each worker writes "
        "only the pixels of its own tile, and nothing is shared that anybody changes."
    )


def _gpu(_: Sequence[Run]) -> str:
    return (
        "A worker may do what the others do not. A graphics card's lanes are many thousands, each slower than a CPU's "
        "core, and 32 of them at a time must take the same step."
    )


BELIEFS: tuple[tuple[str, Reply], ...] = (
    ("Concurrent and parallel mean the same.", _one_word),
    ("Whoever does several things does them at the same instant.", _at_once),
    ("Several workers are always parallel.", _several_workers),
    ("Threads are parallel.", _threads),
    ("Threads of Python never help.", _never_help),
    ("N workers are N times as fast.", _n_times),
    ("More workers are always better.", _more_is_better),
    ("Juggling is useless overhead.", _overhead),
    ("Async makes computing faster.", _async),
    ("Concurrency needs a second CPU.", _second_cpu),
    ("It passed once, so it is right.", _passed_once),
    ("With a lock it is right, and costs nothing.", _locks),
    ("A graphics card is a few faster workers.", _gpu),
)


def _find_juggler(runs: Sequence[Run]) -> Run | None:
    return next((run for run in runs if run.juggles_alone), None)


def _show_juggler(runs: Sequence[Run]) -> list[str]:
    run = _find_juggler(runs)
    if run is None:
        return []
    return [f"{run.frame.title} had several tiles in flight with one worker, on one CPU at a time: concurrent."]


def _show_parallel(runs: Sequence[Run]) -> list[str]:
    run = next((run for run in runs if run.parallel and not run.on_gpu), None)
    if run is None:
        return []
    return [f"{run.frame.title} had several workers at a tile at once, and more than one CPU at work: parallel."]


def _is_parallel(run: Run) -> bool:
    return run.parallel or run.parallel_at_times


def _are_threads(run: Run) -> bool:
    return run.workers > 1 and not run.on_gpu and len({(worker.host, worker.process) for worker in run.crew}) == 1
