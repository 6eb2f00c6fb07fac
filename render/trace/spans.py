"""Spans: one by one, or as the columns of a table, for runs that have tens of thousands of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import eq
from typing import NamedTuple, overload

import numpy as np

STAGES = ("import", "start", "compile", "plan", "launch", "paint", "wait", "transfer", "encode", "save")
KINDS = (*STAGES, "load", "play", "block")  # what is no stage of a run: what is seen of it elsewhere
NUMBER = {kind: number for number, kind in enumerate(KINDS)}
NO_TILE = -1
UNKNOWN = -1  # in a column, where a span has None


class Worker(NamedTuple):
    """One that painted: a thread of a process; of a GPU a stream or, in block spans, a multiprocessor.

    Of a GPU, `thread` is the number of the stream or multiprocessor, and `device` the GPU's name and which of the two
    it is. `host` is the machine that it runs on, as its cluster names it; "" without a cluster: where the run was made.
    """

    process: int
    thread: int
    device: str = "cpu"
    host: str = ""


class Span(NamedTuple):
    """One worker, one tile (or `NO_TILE`), one kind of time, from t0 to t1 in ns.

    cpu, cpu_end: the CPUs that it started and ended on (-1: unknown). on_cpu: ns of CPU time that its thread was given
    meanwhile, for paint spans; None where that is not known, as on a GPU, or does not matter.
    """

    worker: Worker
    tile: int
    kind: str
    t0: int
    t1: int
    cpu: int = -1
    cpu_end: int = -1
    on_cpu: int | None = None

    def overlaps(self, other: Span) -> bool:
        """Test whether both hold the same instant."""
        return self.t0 < other.t1 and other.t0 < self.t1


class Spans(Sequence[Span]):
    """Spans as columns, which are also a sequence of them; equal to any other sequence of the same spans.

    workers: those that occur. The columns are arrays of one length: worker and kind are numbers in `workers` and
    `KINDS`, tile, t0, t1, cpu, cpu_end and on_cpu what a span has, UNKNOWN for None.
    """

    __slots__ = ("_by_kind", "cpu", "cpu_end", "kind", "on_cpu", "t0", "t1", "tile", "worker", "workers")
    COLUMNS = (
        ("worker", np.int32),
        ("tile", np.int64),
        ("kind", np.int8),
        ("t0", np.int64),
        ("t1", np.int64),
        ("cpu", np.int32),
        ("cpu_end", np.int32),
        ("on_cpu", np.int64),
    )

    def __init__(self, workers: Sequence[Worker], *columns: np.ndarray | int) -> None:
        """Give a column as one number where all its members are that."""
        self.workers = tuple(workers)
        self._by_kind: dict[str, Spans] = {}
        length = max((len(column) for column in columns if not isinstance(column, int)), default=0)
        columns = (*columns, *[UNKNOWN] * (len(self.COLUMNS) - len(columns)))
        for (name, kind), column in zip(self.COLUMNS, columns, strict=True):
            one = isinstance(column, int)  # then it is a view of a single number, and so are those taken from it
            whole = np.broadcast_to(np.array(column, kind), length) if one else np.asarray(column, kind)
            setattr(self, name, whole)

    worker: np.ndarray
    tile: np.ndarray
    kind: np.ndarray
    t0: np.ndarray
    t1: np.ndarray
    cpu: np.ndarray
    cpu_end: np.ndarray
    on_cpu: np.ndarray
    workers: tuple[Worker, ...]

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Spans:
        """Put spans side by side."""
        rows = tuple(spans)
        numbers = {worker: number for number, worker in enumerate(dict.fromkeys(span[0] for span in rows))}
        if not rows:
            return cls((), *[np.zeros(0, kind) for _, kind in cls.COLUMNS])
        workers, tiles, kinds, t0, t1, cpu, cpu_end, on_cpu = zip(*rows, strict=True)
        return cls(
            tuple(numbers),
            np.array([numbers[worker] for worker in workers]),
            *map(np.array, (tiles, [NUMBER[kind] for kind in kinds], t0, t1, cpu, cpu_end)),
            np.array([UNKNOWN if given is None else given for given in on_cpu]),
        )

    @classmethod
    def joined(cls, parts: Sequence[Spans]) -> Spans:
        """One after the other."""
        numbers: dict[Worker, int] = {}
        for part in parts:
            for worker in part.workers:
                numbers.setdefault(worker, len(numbers))
        workers = [np.array([numbers[worker] for worker in part.workers], np.int32)[part.worker] for part in parts]
        rest = [_join([getattr(part, name) for part in parts]) for name, _ in cls.COLUMNS[1:]]
        return cls(tuple(numbers), np.concatenate(workers), *rest)

    def take(self, which: np.ndarray | slice) -> Spans:
        """Those that a mask, a list of places or a slice chooses."""
        length = len(self.t0[which])
        return Spans(self.workers, *(_take(getattr(self, name), which, length) for name, _ in self.COLUMNS))

    def of_kind(self, *kinds: str) -> Spans:
        """Those of these kinds, in their order."""
        if len(kinds) != 1:
            return self.take(np.isin(self.kind, [NUMBER[kind] for kind in kinds]))
        if not self._by_kind:  # all kinds at once, for whoever asks for one asks for the others too
            ordered = self.take(np.argsort(self.kind, kind="stable"))
            bounds = np.searchsorted(ordered.kind, np.arange(len(KINDS) + 1)).tolist()
            self._by_kind = {kind: ordered.take(slice(*bounds[n : n + 2])) for kind, n in NUMBER.items()}
        return self._by_kind[kinds[0]]

    def __len__(self) -> int:
        return len(self.t0)

    def __iter__(self) -> Iterator[Span]:
        workers, *numbers = (getattr(self, name).tolist() for name, _ in self.COLUMNS)
        for worker, tile, kind, t0, t1, cpu, cpu_end, on_cpu in zip(workers, *numbers, strict=True):
            given = None if on_cpu == UNKNOWN else on_cpu
            yield Span(self.workers[worker], tile, KINDS[kind], t0, t1, cpu, cpu_end, given)

    @overload
    def __getitem__(self, index: int) -> Span: ...

    @overload
    def __getitem__(self, index: slice) -> Spans: ...

    def __getitem__(self, index: int | slice) -> Span | Spans:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        return next(iter(self.take(np.array([range(len(self))[index]]))))

    def __add__(self, others: Iterable[Span]) -> Spans:
        return Spans.joined([self, Spans.of(others)])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]


def _take(column: np.ndarray, which: np.ndarray | slice, length: int) -> np.ndarray:
    """Take some of a column; of one that is a single number, so many."""
    return np.broadcast_to(column[0], length) if length and column.strides == (0,) else column[which]


def _join(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Put columns one after the other; where all are the same single number, as that."""
    filled = [column for column in columns if len(column)]
    if filled and all(column.strides == (0,) and column[0] == filled[0][0] for column in filled):
        return np.broadcast_to(filled[0][0], sum(map(len, filled)))
    return np.concatenate(columns)
