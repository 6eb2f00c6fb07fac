"""Instructions that read or write memory, for all lanes that carry them out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.ptx.arithmetic import DTYPES
from tests.ptx.lanes import Lanes
from tests.ptx.memory import StrayError
from tests.ptx.text import Instruction, PtxError
from tests.ptx.warps import Step

SCOPE = r"\.(?:cta|cluster|gpu|sys)"
ORDER = rf"(?:\.weak|\.volatile|\.(?:relaxed|acquire|release|acq_rel){SCOPE}|{SCOPE})?"
SPACE = r"(?:\.(const|global|local|param|shared)(?:::\w+)?)?"
CACHE = r"(?:\.nc)?(?:\.(?:ca|cg|cs|lu|cv|wb|wt)|\.L[12]::\w+)*"
LOAD = re.compile(rf"ld{ORDER}{SPACE}{ORDER}{CACHE}(?:\.v([24]))?\.([subf](?:8|16|32|64))")
STORE = re.compile(rf"st{ORDER}{SPACE}{ORDER}{CACHE}(?:\.v([24]))?\.([subf](?:8|16|32|64))")
ATOMIC = re.compile(rf"(atom|red){ORDER}{SPACE}\.(add|min|max|and|or|xor|exch|cas|inc|dec)\.([subf](?:32|64))")
CHANGES: dict[str, Callable[..., Any]] = {
    "add": lambda old, new: old + new,
    "min": min,
    "max": max,
    "and": lambda old, new: old & new,
    "or": lambda old, new: old | new,
    "xor": lambda old, new: old ^ new,
    "exch": lambda _, new: new,
    "cas": lambda old, expected, new: new if old == expected else old,
    "inc": lambda old, most: 0 if old >= most else old + 1,
    "dec": lambda old, most: most if old == 0 or old > most else old - 1,
}


def access(instruction: Instruction, lanes: Lanes) -> Step | None:
    """What an instruction does to memory; None where it is another kind of instruction. Raises PtxError."""
    for pattern, make in ((LOAD, _load), (STORE, _store), (ATOMIC, _atomic)):
        if found := pattern.fullmatch(instruction.opcode):
            return _told(make(lanes, instruction.operands, *found.groups()), lanes)
    return None


def _told(step: Step, lanes: Lanes) -> Step:
    """The step, with a stray access told as the thread's that makes it."""

    def careful(mask: np.ndarray) -> None:
        if not mask.any():
            return
        try:
            step(mask)
        except StrayError as error:
            lane = int(np.flatnonzero(mask)[error.position])
            raise PtxError(f"{lanes.name(lane)}: {error}") from error

    return careful


def _parts(words: str, count: str | None) -> list[str]:
    """The registers of a vector in braces, or the one."""
    names = [name.strip() for name in words.strip("{}").split(",")]
    if len(names) != int(count or 1):
        raise PtxError(f"{words} is not {count or 1} operands")
    return names


def _spread(values: np.ndarray, mask: np.ndarray, dtype: np.dtype) -> np.ndarray:
    out = np.zeros(len(mask), dtype)
    out[mask] = values
    return out


def _aligned(addresses: np.ndarray, size: int) -> None:
    """A vector lies at a multiple of all of its bytes. Raises StrayError."""
    wrong = addresses % np.uint64(size) != 0
    if wrong.any():
        position = int(np.flatnonzero(wrong)[0])
        raise StrayError(position, int(addresses[position]), f"is no multiple of {size}")


def _load(lanes: Lanes, operands: tuple[str, ...], space: str | None, vector: str | None, kind: str) -> Step:
    targets = [lanes.target(name, kind) for name in _parts(operands[0], vector)]
    at, dtype = lanes.at(operands[1]), DTYPES[kind]

    def step(mask: np.ndarray) -> None:
        addresses = at()
        same = len(addresses) == 1
        here = addresses if same else addresses[mask]
        _aligned(here, dtype.itemsize * len(targets))
        for number, write in enumerate(targets):
            values = lanes.memory.gather(here + np.uint64(number * dtype.itemsize), dtype, space or "")
            write(values if same else _spread(values, mask, dtype), mask)

    return step


def _store(lanes: Lanes, operands: tuple[str, ...], space: str | None, vector: str | None, kind: str) -> Step:
    sources = [lanes.source(name, kind) for name in _parts(operands[1], vector)]
    at, dtype = lanes.at(operands[0]), DTYPES[kind]

    def step(mask: np.ndarray) -> None:
        here = np.broadcast_to(at(), lanes.count)[mask]
        _aligned(here, dtype.itemsize * len(sources))
        for number, source in enumerate(sources):
            values = np.broadcast_to(source, lanes.count)[mask]
            lanes.memory.scatter(here + np.uint64(number * dtype.itemsize), values, space or "")

    return step


def _atomic(lanes: Lanes, operands: tuple[str, ...], name: str, space: str | None, change: str, kind: str) -> Step:
    """One lane after the other: reads, changes, writes; `atom` gives what was there before."""
    place, *given = operands if name == "red" else operands[1:]
    write = lanes.target("_" if name == "red" else operands[0], kind)
    sources, at, dtype = [lanes.source(words, kind) for words in given], lanes.at(place), DTYPES[kind]
    if len(sources) != (2 if change == "cas" else 1):
        raise PtxError(f"{len(sources)} values given to {change}")

    def step(mask: np.ndarray) -> None:
        places = lanes.memory.places(np.broadcast_to(at(), lanes.count)[mask], dtype, space or "")
        values = np.stack([np.broadcast_to(source, lanes.count)[mask] for source in sources], axis=1)
        before = np.zeros(len(places), dtype)
        for number, ((memory, index), mine) in enumerate(zip(places, values, strict=True)):
            before[number] = memory[index]
            memory[index] = _changed(change, memory[index : index + 1], mine)[0]
        write(_spread(before, mask, dtype), mask)

    return step


def _changed(change: str, old: np.ndarray, mine: np.ndarray) -> np.ndarray:
    """Arrays of one element, so that integers wrap; those compared are single values."""
    if change in {"add", "and", "or", "xor"}:
        return np.asarray(CHANGES[change](old, mine))
    return np.array([CHANGES[change](old[0], *mine)], old.dtype)
