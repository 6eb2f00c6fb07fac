"""The speed-up over the number of workers, and Amdahl's law beside it: `race --workers 1,2,4`.

A run of the curve has the story `stories.CURVE` in its trace. With n workers on c CPUs no more than k = min(n, c) can
paint at an instant (where tiles wait for their data, all n can wait at once: k = n). If a share s of the work cannot be
shared out, the rest takes 1/k of its time, so the speed-up is at most

    1 / (s + (1 - s) / k)

(G. M. Amdahl, Validity of the single processor approach to achieving large scale computing capabilities, AFIPS 1967).
s is fitted to the measured speed-ups S of all runs with k > 1 by least squares of 1/S = s + (1 - s) / k, which is a
line through the origin in x = 1 - 1/k and y = 1/S - 1/k. It holds what cannot be shared and all overhead alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from render.findings import stories
from render.findings.evidence import Run, name_takers
from render.findings.schedule import NOTABLE
from render.wording import as_sentence, count, format_time, join_words

SHARES_ALL = 0.005  # a serial share below this is none, as far as times can tell


@dataclass(frozen=True)
class Point:
    """One run of the curve: its workers, as many of them as can have a CPU, the time of all tiles, the speed-up.

    amdahl: the speed-up by Amdahl's law with the curve's serial share; None where that is not known.
    """

    workers: int
    usable: int
    seconds: float
    speed_up: float
    amdahl: float | None


@dataclass(frozen=True)
class Curve:
    """Points by number of workers. cpus: on how many of them they painted at most; None if unknown, or tiles waited.

    serial: the share that is fitted, None where nothing can be. base: what speed-up is counted from, in words, and its
    seconds. doubt: why nothing follows from these times, None where it does.
    """

    points: tuple[Point, ...]
    cpus: int | None
    serial: float | None
    base: str
    base_seconds: float
    doubt: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        points = [asdict(point) for point in self.points]
        return {"points": points, "cpus": self.cpus, "serial_fraction": self.serial, "baseline": self.base}


def amdahl(serial: float, usable: float) -> float:
    """Compute the speed-up by Amdahl's law."""
    return 1 / (serial + (1 - serial) / usable)


def fit_serial(measured: Sequence[tuple[int, float]]) -> float | None:
    """Fit the serial share, 0..1, to (usable CPUs, speed-up) of several runs; None where none has more than one."""
    lines = [(1 - 1 / usable, 1 / speed_up - 1 / usable) for usable, speed_up in measured if usable > 1]
    if not lines:
        return None
    return min(max(sum(x * y for x, y in lines) / sum(x * x for x, _ in lines), 0.0), 1.0)


def build_curve(entered: Sequence[Run]) -> Curve | None:
    """Build the curve of a race; None where it has none, or nothing was painted."""
    return measure_curve([run for run in entered if run.story == stories.CURVE])


def measure_curve(own: Sequence[Run]) -> Curve | None:
    """Build a curve of these runs: over the one with one worker, else over what they are measured against."""
    own = sorted((run for run in own if run.seconds > 0), key=_requested_workers)
    base = next((run for run in own if _requested_workers(run) == 1), own[0].base if own else None)
    if not own or base is None or not base.seconds:
        return None
    cpus = None if any(run.data_wait_seconds for run in own) else own[0].claims.allowed
    usable = [min(_requested_workers(run), cpus or _requested_workers(run)) for run in own]
    gained = [base.seconds / run.seconds for run in own]
    doubt = _doubt(own, base, max(gain / most for gain, most in zip(gained, usable, strict=True)))
    serial = None if doubt else fit_serial(list(zip(usable, gained, strict=True)))
    points = [
        Point(_requested_workers(run), most, run.seconds, gain, None if serial is None else amdahl(serial, most))
        for run, most, gain in zip(own, usable, gained, strict=True)
    ]
    return Curve(tuple(points), cpus, serial, base.frame.title, base.seconds, doubt)


def _doubt(own: Sequence[Run], base: Run, gain: float) -> str | None:
    """Say why nothing follows from the runs; `gain`: the highest speed-up for each CPU that could be used."""
    counted = [*own] if base in own else [*own, base]
    if any(run.short_of_cpu for run in counted):
        return name_takers(counted)
    if any(run.load is not None for run in counted):
        return "the machine had other work"
    return f"something held {base.frame.title} up" if gain > NOTABLE else None


def _requested_workers(run: Run) -> int:
    return run.claims.asked or run.workers


def describe_curve(entered: Sequence[Run]) -> Iterator[str]:
    """Say in sentences what the curve shows, and what Amdahl's law makes of it."""
    curve = build_curve(entered)
    if curve is None:
        return
    gains = [f"{point.speed_up:.2f} with {count(point.workers, 'worker')}" for point in curve.points]
    yield as_sentence(f"speed-up over {curve.base} ({format_time(curve.base_seconds)}): {join_words(gains)}")
    if curve.doubt:
        yield as_sentence(f"{curve.doubt}, so nothing follows about more workers: run it again")
        return
    crowded = [point for point in curve.points if point.usable < point.workers]
    if crowded and curve.cpus is not None:
        many = join_words([str(point.workers) for point in crowded])
        on = "one CPU, so they take turns" if curve.cpus == 1 else f"{curve.cpus} CPUs at most"
        yield as_sentence(f"{many} workers paint on {on}: more workers than CPUs make nothing faster")
    if curve.serial is None:
        return
    if curve.serial < SHARES_ALL:
        yield as_sentence("nothing measurable held the workers back: all of the work was shared out")
        return
    yield as_sentence(
        f"Amdahl's law: these times fit work of which {100 * curve.serial:.1f} % is not shared out, overhead included; "
        f"if that stayed so, no number of CPUs would make it more than {1 / curve.serial:.3g} times as fast"
    )
