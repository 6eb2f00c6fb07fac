"""What a section declares: groups of cases, each either measured or missing with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent.parent / "sections"
ORDER = ("modes", "core", "peers", "gpu", "break_even", "scaling", "startup")  # first, should time run out

Once = Callable[[], float]  # does the work once and returns the seconds that count


class Absent(Exception):
    """Why something cannot be measured here, in one line."""


class Differ(Exception):
    """Pictures or step counts that must be equal are not, so no time counts."""

    def __init__(self, differing: int, of: int, what: str = "step counts") -> None:
        super().__init__(f"{differing} of {of} {what} differ")
        self.differing = differing


class Differing(NamedTuple):
    """A peer's picture is its own: how many pixels differ from the program's, and why."""

    pixels: int
    why: str


@dataclass(frozen=True)
class Case:
    """One way of doing a group's work; see `render`'s own words in `harness` for `once` and `equal`.

    facts: numbers and words for the report; `steps`, of all samples as if none was skipped; `computed`, those really
    made, where shortcuts skip some; `pixels`, `workers`. clock: whose seconds they are: "wall"; "thread", CPU time of
    the one thread that works (`timing.THREAD`); "process", that of all threads; "gpu", the GPU's own. warmup: the first
    run's, where it was made.
    """

    name: str
    once: Once
    equal: bool | Differing | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    clock: str = "wall"
    warmup: float | None = None


class Missing(NamedTuple):
    """A case that cannot run here, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Group:
    """Cases that are compared with each other and measured in turn.

    names: of all its cases, so that each has its row whatever happens. base: the case that others are compared with.
    yardstick: what stands for the machine's own speed meanwhile (`timing.YARDSTICKS`). seconds: for one pass, besides
    preparing. controls: cases that run none of the program's code, so that two runs should agree on them. cold: no
    warm-up, and one sample a pass is enough. on_request: measured only when it, or its section, is named.
    """

    name: str
    names: tuple[str, ...]
    prepare: Callable[[ExitStack], Iterator[Case | Missing]]
    base: str | None = None
    yardstick: str = "core"
    seconds: float = 1.0
    controls: tuple[str, ...] = ()
    cold: bool = False
    on_request: bool = False


def sections() -> list[str]:
    """List the names of all sections: the files of `sections/`."""
    found = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
    return [name for name in ORDER if name in found] + [name for name in found if name not in ORDER]


def groups(section: str, *, quick: bool) -> list[Group]:
    """List the groups of a section."""
    return list(import_module(f"sections.{section}").groups(quick))


def title(section: str) -> str:
    """The first line of a section's docstring."""
    return (import_module(f"sections.{section}").__doc__ or section).splitlines()[0].rstrip(".")
