"""Instructions that each lane carries out by itself: moves, clocks, memory, and all that `meaning` knows."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from tests.ptx import integers  # noqa: F401  (enters the meanings of its instructions)
from tests.ptx.access import access
from tests.ptx.arithmetic import meaning
from tests.ptx.lanes import Lanes
from tests.ptx.text import Instruction, PtxError
from tests.ptx.warps import Step, ballot

NOTHING = re.compile(r"(?:membar|fence|nanosleep|prefetchu?)\b.*")
CLOCKS = {
    "%globaltimer": ("u64", 0),
    "%globaltimer_lo": ("u32", 0),
    "%globaltimer_hi": ("u32", 32),
    "%clock64": ("u64", 0),
    "%clock": ("u32", 0),
}


def plain(instruction: Instruction, lanes: Lanes, clock: Callable[[], int]) -> Step:
    """What an instruction does, its guard left aside. `clock` is the GPU's, in ns. Raises PtxError."""
    opcode, operands = instruction.opcode, instruction.operands
    if NOTHING.fullmatch(opcode):
        return lambda mask: None
    if opcode == "activemask.b32":
        write = lanes.target(operands[0], "b32")
        return lambda mask: write(ballot(mask), mask)
    if opcode == "trap":
        return lambda mask: _trap(lanes, mask)
    if opcode.startswith("mov.") and operands[1] in CLOCKS:
        return _read_clock(lanes, operands[0], operands[1], clock)
    if opcode in {"mov.b32", "mov.b64"} and "{" in "".join(operands):
        part = _unpack if operands[0].startswith("{") else _pack
        return part(lanes, opcode[-3:], *operands)
    return access(instruction, lanes) or _compute(lanes, opcode, operands)


def _trap(lanes: Lanes, mask: np.ndarray) -> None:
    if mask.any():
        raise PtxError(f"trapped by {lanes.name(int(np.flatnonzero(mask)[0]))}")


def _read_clock(lanes: Lanes, target: str, name: str, clock: Callable[[], int]) -> Step:
    """All lanes that read it together are told the same."""
    kind, shift = CLOCKS[name]
    write, size = lanes.target(target, kind), int(kind[1:])
    return lambda mask: write(np.array([clock() >> shift & (1 << size) - 1], f"u{size // 8}"), mask)


def _names(several: str, kind: str) -> tuple[list[str], str]:
    """The registers in braces, the lowest part first, and the type of each."""
    names = [name.strip() for name in several.strip("{}").split(",")]
    return names, f"b{int(kind[1:]) // len(names)}"


def _unpack(lanes: Lanes, kind: str, targets: str, source: str) -> Step:
    names, part = _names(targets, kind)
    value, size = lanes.source(source, kind), int(part[1:])
    writes = [lanes.target(name, part) for name in names]

    def step(mask: np.ndarray) -> None:
        held = value.copy()  # it may be one of the targets
        for number, write in enumerate(writes):
            write((held >> held.dtype.type(size * number)).astype(f"u{size // 8}"), mask)

    return step


def _pack(lanes: Lanes, kind: str, target: str, several: str) -> Step:
    names, part = _names(several, kind)
    sources, size = [lanes.source(name, part) for name in names], int(part[1:])
    write, whole = lanes.target(target, kind), np.dtype(f"u{int(kind[1:]) // 8}")

    def step(mask: np.ndarray) -> None:
        packed = np.zeros(1, whole)
        for number, source in enumerate(sources):
            packed = packed | source.astype(whole) << whole.type(size * number)
        write(packed, mask)

    return step


def _compute(lanes: Lanes, opcode: str, operands: tuple[str, ...]) -> Step:
    told = meaning(opcode)
    if len(operands) != 1 + len(told.sources):
        raise PtxError(f"{len(operands)} operands")
    function, write = told.function, lanes.target(operands[0], told.result)
    turned = [words.startswith("!") for words in operands[1:]]
    sources = [lanes.source(words.lstrip("!"), kind) for words, kind in zip(operands[1:], told.sources, strict=True)]
    if any(turned):
        return lambda mask: write(
            function(*(~one if turn else one for one, turn in zip(sources, turned, strict=True))), mask
        )
    return lambda mask: write(function(*sources), mask)
