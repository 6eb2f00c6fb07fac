"""A machine that carries out a kernel's PTX: every thread of a grid as a lane of NumPy arrays, to the last bit.

The lanes that stand at the same instruction go on together. Of all groups the one that stands furthest up in the text
goes on first, so that lanes which took different ways come together again where the ways do; another `order` may be
given, since a kernel must not depend on it. Instructions on which lanes wait for each other are in `warps`.

What is left out: the order in which memory is seen (each instruction is done when the next begins), and blocks that
wait for other blocks, since only some are carried out at a time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tests.ptx.instructions import plain
from tests.ptx.lanes import WARP, Grid, Lanes
from tests.ptx.memory import Memory
from tests.ptx.text import Instruction, Kernel, PtxError
from tests.ptx.warps import Meeting, Step, ballot, meeting

TOGETHER = 4096  # lanes at most that are carried out at a time
PATIENCE = 2_000_000  # groups that go on before a launch counts as endless
JUMPS = re.compile(r"bra(?:\.uni)?|ret(?:\.uni)?|exit")
Order = Callable[[np.ndarray], int]


class Work(NamedTuple):
    """How much was carried out: instructions that warps issued, and lanes that took part in them, summed."""

    issued: int = 0
    lanes: int = 0

    @property
    def busy(self) -> float:
        """The share of a warp's lanes that take part in an instruction, on average."""
        return self.lanes / (WARP * self.issued)


class Part(NamedTuple):
    """Instructions that are carried out one after the other, the last of them perhaps a jump."""

    first: int
    steps: tuple[tuple[Instruction, Step], ...]
    jump: Instruction | None
    meeting: Meeting | None


def lowest(places: np.ndarray) -> int:
    """The group that stands furthest up."""
    return int(places.min())


class Machine:
    """One launch of a kernel, to be `run` once, on so many multiprocessors in turn. `clock` is the GPU's, in ns."""

    def __init__(
        self,
        kernel: Kernel,
        memory: Memory,
        grid: Grid,
        *,
        processors: int = 1,
        clock: Callable[[], int] = time.perf_counter_ns,
        order: Order = lowest,
        patience: int = PATIENCE,
    ) -> None:
        if grid.block > kernel.most:
            raise PtxError(f"{grid.block} threads in a block of {kernel.most} at most")
        together = max(1, min(grid.number, TOGETHER // (-(-grid.block // WARP) * WARP)))
        self.kernel, self.lanes = kernel, Lanes(kernel, memory, grid, together, processors)
        self._clock, self._order, self._patience = clock, order, patience
        self._end = len(kernel.instructions)
        self._at = np.full(self.lanes.count, self._end)
        self._waits = np.zeros(self.lanes.count, np.bool_)
        self._parts = self._divided()
        self.work = Work()

    def run(self, arguments: bytes) -> None:
        """Carry out the whole grid. Raises PtxError, with the line and the thread where it is one thread's."""
        if len(arguments) != len(self.lanes.parameters):
            raise PtxError(f"{len(arguments)} bytes of arguments for {len(self.lanes.parameters)} of parameters")
        self.lanes.parameters[:] = np.frombuffer(arguments, np.uint8)
        try:
            with np.errstate(all="ignore"):
                for first in range(0, self.lanes.grid.number, self.lanes.together):
                    self.lanes.become(first)
                    self._at[:] = np.where(self.lanes.there, 0, self._end)
                    self._run_to_the_end()
        finally:
            self.lanes.free()

    # --- going on ---

    def _run_to_the_end(self) -> None:
        self._waits[:] = False
        while True:
            going = self._at[~self._waits & (self._at < self._end)]
            if not going.size:
                break
            self._patience -= 1
            if not self._patience:
                raise PtxError(f"no end in sight at {self.kernel.instructions[int(going[0])]}")
            part = self._parts[self._order(going)]
            here = self._at == part.first
            if part.meeting:
                self._meet(part, part.meeting, here)
            else:
                self._go(part, here)
        if self._waits.any():
            raise PtxError(self._stuck(int(np.flatnonzero(self._waits)[0])))

    def _go(self, part: Part, here: np.ndarray) -> None:
        length, warps = len(part.steps) + (part.jump is not None), here.reshape(-1, WARP).any(axis=1)
        issued, lanes = int(np.count_nonzero(warps)), int(np.count_nonzero(here))
        self.work = Work(self.work.issued + length * issued, self.work.lanes + length * lanes)
        for instruction, step in part.steps:
            try:
                step(here)
            except PtxError as error:
                raise PtxError(f"{instruction}: {error}") from error
        self._at[here] = part.first + len(part.steps)
        if part.jump:
            self._jump(part.jump, here)

    def _jump(self, jump: Instruction, here: np.ndarray) -> None:
        taken = here & self._asked(jump)
        self._at[here] += 1
        self._at[taken] = self.kernel.labels[jump.operands[0]] if jump.opcode.startswith("bra") else self._end

    def _asked(self, instruction: Instruction) -> Any:
        """For which lanes the guard holds."""
        if instruction.guard is None:
            return np.ones(self.lanes.count, np.bool_)
        return self.lanes.source(instruction.guard[0], "pred") == instruction.guard[1]

    def _meet(self, part: Part, met: Meeting, here: np.ndarray) -> None:
        """Carry it out for those whose members are all here; the others wait."""
        instruction = part.steps[0][0]
        if met.members is None:
            rows = here.reshape(-1, self.lanes.padded)
            missing = (self.lanes.there & ~here).reshape(-1, self.lanes.padded)
            self._gone(instruction, here, np.repeat((missing & self._exited(rows.shape)).any(axis=1), rows.shape[1]))
            ready = here & np.repeat(~missing.any(axis=1), rows.shape[1])
        else:
            members = met.members()
            own = np.uint32(1) << (np.arange(self.lanes.count) % WARP).astype(np.uint32)
            self._tell(instruction, here & (members & own == 0), "is not named by its own mask")
            self._gone(instruction, here, members & ballot(self._at == self._end) != 0)
            ready = here & (members & ~ballot(here) == 0)
            agree = self._agree(members, ready)
            self._tell(instruction, ready & ~agree, "waits for lanes that wait for others")
        if ready.any():
            self._waits[ready] = False
            self._go(part, ready)
        self._waits[here & ~ready] = True

    @staticmethod
    def _agree(members: np.ndarray, ready: np.ndarray) -> Any:
        """Whether all members of a lane's mask, which are here, came with the same mask."""
        rows = np.broadcast_to(members, ready.shape).reshape(-1, WARP)
        named = rows[:, :, None] >> np.arange(WARP, dtype=np.uint32) & 1 != 0
        other = rows[:, :, None] != rows[:, None, :]
        return ~(named & other).any(axis=2).reshape(-1)

    def _exited(self, shape: tuple[int, ...]) -> Any:
        return (self.lanes.there & (self._at == self._end)).reshape(shape)

    def _gone(self, instruction: Instruction, here: np.ndarray, gone: np.ndarray) -> None:
        self._tell(instruction, here & gone, "waits for a thread that has ended")

    def _tell(self, instruction: Instruction, wrong: np.ndarray, what: str) -> None:
        if wrong.any():
            raise PtxError(f"{instruction}: {self.lanes.name(int(np.flatnonzero(wrong)[0]))} {what}")

    def _stuck(self, lane: int) -> str:
        start = lane // WARP * WARP
        places: dict[int, list[int]] = {place: [] for place in dict.fromkeys(self._at[start : start + WARP].tolist())}
        for number, place in enumerate(self._at[start : start + WARP].tolist()):
            places[place].append(number)
        told = "; ".join(
            f"lanes {', '.join(map(str, numbers))} at {self.kernel.instructions[place]}"
            for place, numbers in places.items()
            if place != self._end
        )
        return f"deadlock in the warp of {self.lanes.name(lane)}: {told}"

    # --- taking the text apart ---

    def _divided(self) -> dict[int, Part]:
        """The parts by the number of their first instruction, which nothing jumps past or waits behind."""
        instructions = self.kernel.instructions
        steps = [self._step(one) for one in instructions]
        starts = {0, self._end, *self.kernel.labels.values()}
        for number, step in enumerate(steps):
            if step is None:
                starts.add(number + 1)
            elif isinstance(step, Meeting):
                starts |= {number, number + 1}
        parts = {}
        ordered = sorted(starts)
        for first, after in pairwise(ordered):
            parts[first] = self._part(first, instructions[first:after], steps[first:after])
        return parts

    @staticmethod
    def _part(first: int, instructions: tuple[Instruction, ...], steps: list[Step | Meeting | None]) -> Part:
        met = steps[0] if isinstance(steps[0], Meeting) else None
        done = [step.step if isinstance(step, Meeting) else step for step in steps if step is not None]
        jump = instructions[-1] if steps[-1] is None else None
        return Part(first, tuple(zip(instructions, done, strict=False)), jump, met)

    def _step(self, instruction: Instruction) -> Step | Meeting | None:
        """What an instruction does; None for a jump. Raises PtxError, with the line."""
        try:
            if JUMPS.fullmatch(instruction.opcode):
                if instruction.opcode.startswith("bra") and instruction.operands[0] not in self.kernel.labels:
                    raise PtxError("no such label")
                self._asked(instruction)
                return None
            met = meeting(instruction, self.lanes)
            if met is not None:
                if instruction.guard:
                    raise PtxError("waiting on a condition is not emulated")
                return met
            return self._guarded(instruction, plain(instruction, self.lanes, self._clock))
        except PtxError as error:
            raise PtxError(f"{instruction}: {error}") from error

    def _guarded(self, instruction: Instruction, step: Step) -> Step:
        if instruction.guard is None:
            return step
        asked, answer = self.lanes.source(instruction.guard[0], "pred"), instruction.guard[1]
        return lambda mask: step(mask & (asked == answer))
