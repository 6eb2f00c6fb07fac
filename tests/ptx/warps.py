"""Instructions on which the lanes of a warp, or the threads of a block, wait for each other.

The lanes that a mask names must all come to the same instruction; only then is it carried out, for all of them at
once. Hardware leaves out members that have exited; here this is an error, as is a lane that its own mask does not
name: a kernel that does neither needs no such rule. Source: NVIDIA, Parallel Thread Execution ISA 9, section 9.7.13.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.ptx.arithmetic import DTYPES
from tests.ptx.lanes import WARP, Lanes
from tests.ptx.text import Instruction, PtxError

POWERS = np.uint64(1) << np.arange(WARP, dtype=np.uint64)
REDUCTIONS: dict[str, np.ufunc] = {
    "add": np.add,
    "min": np.minimum,
    "max": np.maximum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}
Step = Callable[[np.ndarray], None]


class Meeting(NamedTuple):
    """An instruction that is waited for: the members that each lane waits for (None: its block), and what is done."""

    members: Callable[[], np.ndarray] | None
    step: Step


def ballot(yes: np.ndarray) -> np.ndarray:
    """The lanes of each warp for which it holds, as bits (uint32), told to each lane."""
    bits = yes.reshape(-1, WARP) @ POWERS
    return np.repeat(bits.astype(np.uint32), WARP)


def meeting(instruction: Instruction, lanes: Lanes) -> Meeting | None:
    """The meeting that an instruction is; None where it is another kind of instruction. Raises PtxError."""
    for pattern, make in KINDS:
        if found := re.fullmatch(pattern, instruction.opcode):
            return make(lanes, instruction.operands, *found.groups())
    return None


def _members(lanes: Lanes, words: str) -> Callable[[], np.ndarray]:
    source = lanes.source(words, "u32")
    return lambda: np.broadcast_to(source, lanes.count)


def _predicate(lanes: Lanes, words: str) -> Callable[[], np.ndarray]:
    source = lanes.source(words.lstrip("!"), "pred")
    return (lambda: ~source) if words.startswith("!") else (lambda: source)


def _vote(lanes: Lanes, operands: tuple[str, ...], how: str, kind: str) -> Meeting:
    target, asked, mask = operands
    write, said, members = lanes.target(target, kind), _predicate(lanes, asked), _members(lanes, mask)

    def step(here: np.ndarray) -> None:
        wanted = members()
        bits = ballot(here & said()) & wanted
        answers = {"any": bits != 0, "all": bits == wanted, "uni": (bits == 0) | (bits == wanted)}
        write(bits if how == "ballot" else answers[how], here)

    return Meeting(members, step)


def _shuffle(lanes: Lanes, operands: tuple[str, ...], mode: str) -> Meeting:
    """A value from another lane of the warp: `b` says which, `c` the parts that the warp falls into."""
    (target, _, inside), value, chosen, parts, mask = operands[0].partition("|"), *operands[1:]
    write, held = lanes.target(target, "b32"), lanes.source(value, "b32")
    tell = lanes.target(inside or "_", "pred")
    b, c, members = lanes.source(chosen, "u32"), lanes.source(parts, "u32"), _members(lanes, mask)
    own = lanes.source("%laneid", "u32").astype(np.int64)

    def step(here: np.ndarray) -> None:
        by, clamp, part = (b & 31).astype(np.int64), (c & 31).astype(np.int64), (c >> 8 & 31).astype(np.int64)
        first = own & part
        last = first | clamp & ~part
        wanted = {"up": own - by, "down": own + by, "bfly": own ^ by, "idx": first | by & ~part}[mode]
        within = wanted >= last if mode == "up" else wanted <= last
        lane = np.where(within, wanted, own)
        foreign = here & (members() >> lane.astype(np.uint32) & 1 == 0)
        if foreign.any():
            first_one = int(np.flatnonzero(foreign)[0])
            raise PtxError(f"{lanes.name(first_one)} asks lane {int(lane[first_one])}, which is no member")
        everyone = np.broadcast_to(held, lanes.count)
        write(everyone[np.arange(lanes.count) // WARP * WARP + lane], here)
        tell(np.broadcast_to(within, lanes.count), here)

    return Meeting(members, step)


def _match(lanes: Lanes, operands: tuple[str, ...], how: str, size: str) -> Meeting:
    """The lanes that hold the same value as this one; for `all`: all members or none, and whether it is all."""
    (target, _, agreed), value, mask = operands[0].partition("|"), *operands[1:]
    write, tell = lanes.target(target, "b32"), lanes.target(agreed or "_", "pred")
    held, members = lanes.source(value, f"b{size}"), _members(lanes, mask)

    def step(here: np.ndarray) -> None:
        rows = np.broadcast_to(held, lanes.count).reshape(-1, WARP)
        same = (rows[:, :, None] == rows[:, None, :]) & here.reshape(-1, 1, WARP)
        bits = (same @ POWERS).astype(np.uint32).reshape(-1) & members()
        agree = bits == members()
        write(np.where(agree, bits, np.uint32(0)) if how == "all" else bits, here)
        tell(agree, here)

    return Meeting(members, step)


def _reduce(lanes: Lanes, operands: tuple[str, ...], how: str, kind: str) -> Meeting:
    target, value, mask = operands
    write, held, members = lanes.target(target, kind), lanes.source(value, kind), _members(lanes, mask)

    def step(here: np.ndarray) -> None:
        everyone, wanted = np.broadcast_to(held, lanes.count), members()
        out = np.zeros(lanes.count, DTYPES[kind])
        for lane in np.flatnonzero(here).tolist():
            start = lane // WARP * WARP
            chosen = (wanted[lane].astype(np.uint64) & POWERS) != 0
            out[lane] = REDUCTIONS[how].reduce(everyone[start : start + WARP][chosen])
        write(out, here)

    return Meeting(members, step)


def _warp_barrier(lanes: Lanes, operands: tuple[str, ...]) -> Meeting:
    return Meeting(_members(lanes, operands[0]), lambda here: None)


def _block_barrier(lanes: Lanes, operands: tuple[str, ...]) -> Meeting:
    """Of the whole block. Raises PtxError where it is told to wait for fewer threads."""
    if len(operands) > 1:
        raise PtxError("a barrier for a part of the block is not emulated")
    return Meeting(None, lambda here: None)


KINDS: list[tuple[str, Callable[..., Meeting]]] = [
    (r"vote\.sync\.(ballot)\.(b32)", _vote),
    (r"vote\.sync\.(any|all|uni)\.(pred)", _vote),
    (r"shfl\.sync\.(up|down|bfly|idx)\.b32", _shuffle),
    (r"match\.(any|all)\.sync\.b(32|64)", _match),
    (r"redux\.sync\.(add|min|max)\.([su]32)", _reduce),
    (r"redux\.sync\.(and|or|xor)\.(b32)", _reduce),
    (r"bar\.warp\.sync", _warp_barrier),
    (r"(?:bar(?:\.cta)?\.sync|barrier(?:\.cta)?\.sync(?:\.aligned)?)", _block_barrier),
]
