"""How all benchmarks here measure: what is compared runs in turn, in one process, and the best of several counts.

A machine that others use as well is slower now and then, never faster than it is. So works that are compared take
turns, round by round; of each the shortest time counts, and beside it stands the median, which tells how much the
machine wavered. A ratio is one of shortest times; its median is that of the rounds' own ratios.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import NamedTuple

from render import machine

Work = Callable[[], float]  # does it once and gives the seconds that count


class Times(NamedTuple):
    """The seconds of one work, round by round."""

    rounds: tuple[float, ...]

    @property
    def best(self) -> float:
        """The shortest."""
        return min(self.rounds)

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.rounds)


def in_turn(works: Mapping[str, Work], rounds: int) -> dict[str, Times]:
    """The times of all works, each done once a round, the order turned by one from round to round.

    The works should be warm: nothing is thrown away here.
    """
    names = list(works)
    spent: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            spent[name].append(works[name]())
    return {name: Times(tuple(rounds)) for name, rounds in spent.items()}


def timed(work: Callable[[], object]) -> Work:
    """A work whose whole wall time counts."""

    def once() -> float:
        t0 = time.perf_counter_ns()
        work()
        return (time.perf_counter_ns() - t0) / 1e9

    return once


def ratio(slow: Times, fast: Times) -> float:
    """Compute how many times as fast the fast one is, by the shortest times."""
    return slow.best / fast.best


def median_ratio(slow: Times, fast: Times) -> float:
    """The same, the median of the rounds."""
    return statistics.median(a / b for a, b in zip(slow.rounds, fast.rounds, strict=True))


def against(reached: float, aim: float) -> str:
    """An aim, and whether it is reached."""
    return f"aim {aim:g}: {'reached' if reached >= aim else 'missed'}"


def machine_line() -> str:
    """Say what the figures were measured with, and how busy it was with other things."""
    load = f", load {os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{machine.cpu_name()}, {machine.cpus()} CPUs, {platform.system()}, "
        f"Python {platform.python_version()}, numba {version('numba')}{load}"
    )


def options(about: str, rounds: int) -> argparse.ArgumentParser:
    """The options that all scripts take: `--runs`, how often everything is done."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=rounds, metavar="N", help=f"rounds; {rounds} unless told")
    return parser
