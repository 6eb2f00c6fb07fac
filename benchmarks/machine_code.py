"""A GPU's machine code read as a processor would run it: instructions, basic blocks, loops, and what they cost.

NVIDIA's disassembler (package nvidia-cuda-nvdisasm) makes text of the code; `read` makes basic blocks of one kernel's
text, and of these the natural loops (Aho, Lam, Sethi and Ullman, Compilers, section 9.6): a branch back to a block
through which every way to the branch leads, and all blocks from which the branch can be reached without that one.

`Kernel.stepping` is the loop in which a scene of z z + c makes its steps: of those with at least LEAST fused
multiply-adds and at most PRODUCTS bare products (a test takes one; the loop that colours a relief, one a step), the one
with the largest share of fma. A step takes three, so a loop with 49 of them makes 16 steps a turn and one test.
Ways that only a divided warp takes (BRA.DIV, to where its parts meet) are in no loop: the warps here step together.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from harness.cases import Absent

LEAST, PRODUCTS = 8, 2
FMA = ("DFMA", "FFMA")
KINDS = {
    "floating": "DFMA DADD DMUL DSETP DMNMX FFMA FADD FMUL FSETP FSET FMNMX FSEL MUFU FCHK FRND F2F FSWZADD",
    "integer": "IMAD IADD3 IADD ISETP LOP3 LOP SHF LEA IABS IMNMX VIADD VIADDMNMX VIMNMX POPC FLO BREV PRMT SGXT"
    " I2F I2FP F2I I2I UIADD3 UIMAD ULOP3 ULEA USHF UISETP UPOPC UFLO UPRMT UBREV BMSK",
    "move": "MOV UMOV SEL USEL S2R S2UR CS2R R2UR P2R R2P PLOP3 UPLOP3 SHFL NOP",
    "memory": "LD LDG LDS LDC LDCU ULDC LDL ST STG STS STL ATOM ATOMG ATOMS RED REDG QSPC MEMBAR CCTL ERRBAR",
    "vote": "VOTE VOTEU MATCH REDUX WARPSYNC ELECT ENDCOLLECTIVE",
    "control": "BRA BRX JMP JMX CALL RET EXIT BSSY BSYNC BREAK BAR YIELD NANOSLEEP BMOV BPT DEPBAR KILL",
}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names.split()}
OPEN_ENDED = ("BRA", "BRX", "JMP", "JMX", "EXIT", "RET", "KILL")  # behind which control comes only by a guard
MOVES = ("IMAD.MOV", "IMAD.U32", "HFMA2")  # arithmetic's pipes used to move what is there already
LINE = re.compile(r"\s*/\*([0-9a-f]{4,})\*/\s+(?:@(!?U?P\w+)\s+)?([A-Z][A-Z0-9_.]*)\s*(.*?)\s*;")
LABEL = re.compile(r"(\.L_\w+):")
AIM = re.compile(r"`\((\.L_\w+)\)")


class Instruction(NamedTuple):
    """One instruction; `name` with its modifiers, `guard` the predicate under which it does anything."""

    address: int
    guard: str
    name: str
    operands: str
    aim: str  # the label it may go on at, or ""

    @property
    def base(self) -> str:
        """The name without modifiers."""
        return self.name.split(".")[0]

    @property
    def kind(self) -> str:
        """Which of KINDS it is, or "other"."""
        if self.name.startswith(MOVES) or (self.base in ("FADD", "DADD") and "-RZ" in self.operands):
            return "move"  # a sum with -0 is the number itself, or what it is with its sign or its size turned
        return KIND_OF.get(self.base, "other")

    @property
    def ends(self) -> bool:
        """Test whether control may go elsewhere after it."""
        return self.base in OPEN_ENDED or bool(self.aim and self.base != "BSSY")

    @property
    def taken(self) -> bool:
        """Test whether control may go to its aim as long as the warp is not divided."""
        return self.ends and ".DIV" not in self.name

    @property
    def passes(self) -> bool:
        """Test whether control may go to the instruction behind it."""
        chosen = bool(self.guard) or re.match(r"!?U?P\d", self.operands) or re.search(r"\.(DIV|CONV|U\.A)", self.name)
        return self.base not in OPEN_ENDED or bool(chosen)


class Loop(NamedTuple):
    """The instructions of one loop, in the order of their addresses."""

    instructions: tuple[Instruction, ...]

    @property
    def fma(self) -> int:
        """Count how many fused multiply-adds it holds."""
        return sum(instruction.base in FMA for instruction in self.instructions)

    @property
    def products(self) -> int:
        """Count how many bare products it holds."""
        return sum(instruction.base in ("DMUL", "FMUL") for instruction in self.instructions)

    @property
    def steps(self) -> int:
        """Count how many steps of z z + c a turn makes: each takes three fma, and a test one."""
        return self.fma // 3

    def count(self, *kinds: str) -> int:
        """Count how many instructions of these kinds it holds; of all, if none is named."""
        return sum(not kinds or instruction.kind in kinds for instruction in self.instructions)


class Used(NamedTuple):
    """What the assembler says of a kernel: registers a thread, bytes of stack, bytes spilled and fetched again."""

    registers: int
    stack: int
    stores: int
    loads: int


class Kernel:
    """One kernel's instructions and what follows from them."""

    def __init__(self, instructions: Sequence[Instruction], labels: dict[str, int]) -> None:
        self.instructions = tuple(instructions)
        self._labels = labels  # to the number of the instruction behind

    @cached_property
    def names(self) -> Counter[str]:
        """Count how often each instruction occurs, by its name without modifiers."""
        return Counter(instruction.base for instruction in self.instructions)

    @cached_property
    def kinds(self) -> Counter[str]:
        """Count how many instructions there are of each kind."""
        return Counter(instruction.kind for instruction in self.instructions)

    @cached_property
    def rounding(self) -> Counter[str]:
        """Count how often each instruction occurs that computes with reals, by its name without modifiers."""
        return Counter(instruction.base for instruction in self.instructions if instruction.kind == "floating")

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """All natural loops, one for each branch back."""
        starts, follows = self._blocks()
        before = _dominators(follows)
        back = [(source, target) for source, targets in enumerate(follows) for target in targets]
        found = [_natural(*edge, follows) for edge in back if before[edge[0]] >> edge[1] & 1]
        return tuple(self._gathered(blocks, starts) for blocks in found)

    @cached_property
    def stepping(self) -> Loop:
        """The loop in which steps of z z + c are made. Raises Absent where no loop looks like it."""
        found = [loop for loop in self.loops if loop.fma >= LEAST and loop.products <= PRODUCTS]
        if not found:
            raise Absent("no loop of this kernel makes steps of z z + c")
        return max(found, key=lambda loop: loop.fma / loop.count())

    def _blocks(self) -> tuple[list[int], list[list[int]]]:
        """Find where the basic blocks begin, and which can follow each."""
        behind = {n + 1 for n, instruction in enumerate(self.instructions) if instruction.ends}
        starts = sorted(({0} | set(self._labels.values()) | behind) - {len(self.instructions)})
        number = {start: block for block, start in enumerate(starts)}
        follows = []
        for end in (*starts[1:], len(self.instructions)):
            last = self.instructions[end - 1]
            targets = [number[self._labels[last.aim]]] if last.taken and last.aim in self._labels else []
            if last.passes and end in number and number[end] not in targets:
                targets.append(number[end])
            follows.append(targets)
        reached = _reached(follows)
        return starts, [targets if block in reached else [] for block, targets in enumerate(follows)]

    def _gathered(self, blocks: Iterable[int], starts: list[int]) -> Loop:
        ends = [*starts[1:], len(self.instructions)]
        return Loop(tuple(one for block in sorted(blocks) for one in self.instructions[starts[block] : ends[block]]))


def _reached(follows: list[list[int]]) -> set[int]:
    """The blocks to which a way leads from the first."""
    found, waiting = {0}, [0]
    while waiting:
        new = set(follows[waiting.pop()]) - found
        found |= new
        waiting.extend(new)
    return found


def _dominators(follows: list[list[int]]) -> list[int]:
    """For each block the blocks on every way to it, itself included, as bits; all of them for what is never reached."""
    every = (1 << len(follows)) - 1
    before = [every] * len(follows)
    before[0] = 1
    changed = True
    while changed:
        changed = False
        for source, targets in enumerate(follows):
            for target in targets:
                narrowed = before[target] & before[source] | 1 << target
                if target and narrowed != before[target]:
                    before[target], changed = narrowed, True
    return before


def _natural(source: int, target: int, follows: list[list[int]]) -> set[int]:
    """The blocks of the loop that a branch from source back to target closes."""
    comes: dict[int, list[int]] = {}
    for block, targets in enumerate(follows):
        for follower in targets:
            comes.setdefault(follower, []).append(block)
    found, waiting = {target}, [source]
    while waiting:
        block = waiting.pop()
        if block not in found:
            found.add(block)
            waiting.extend(comes.get(block, []))
    return found


def disassembled(code: bytes) -> str:
    """Disassemble a GPU's machine code. Raises Absent where there is no disassembler."""
    from cuda import pathfinder

    tool = pathfinder.find_nvidia_binary_utility("nvdisasm") or shutil.which("nvdisasm")
    if tool is None:
        raise Absent('NVIDIA\'s disassembler is not installed: pip install "nvidia-cuda-nvdisasm>=13.2"')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(code)
        run = subprocess.run([tool, "-c", str(path)], check=True, capture_output=True, text=True)  # noqa: S603
    return run.stdout


def read(text: str, name: str) -> Kernel:
    """The kernel of this name in a disassembler's text. Raises Absent where it holds no such kernel."""
    _, found, rest = text.partition(f"\n.text.{name}:\n")
    if not found:
        raise Absent(f"the machine code holds no kernel named {name}")
    instructions: list[Instruction] = []
    labels: dict[str, int] = {}
    for line in rest.partition("//-----")[0].splitlines():
        if label := LABEL.match(line):
            labels[label[1]] = len(instructions)
        elif told := LINE.match(line):
            aim = AIM.search(told[4])
            instructions.append(Instruction(int(told[1], 16), told[2] or "", told[3], told[4], aim[1] if aim else ""))
    return Kernel(instructions, {label: at for label, at in labels.items() if at < len(instructions)})


def used(told: str) -> Used:
    """Read what stands in the assembler's report on one kernel. Raises Absent where it says nothing of it."""
    memory = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", told)
    registers = re.search(r"Used (\d+) registers", told)
    if memory is None or registers is None:
        raise Absent(f"the assembler tells nothing of registers: {told!r}")
    return Used(int(registers[1]), *(int(number) for number in memory.groups()))


def resident(registers: int, threads: int, held: int) -> int:
    """Count how many blocks of so many threads a multiprocessor holds at a time that has room for `held` threads.

    Each of its quadrants has 16384 registers and gives them out to warps by 256 (CUDA C++ Programming Guide, compute
    capabilities 7.5 to 9.0).
    """
    warp = -(-registers * 32 // 256) * 256
    return min(4 * (16384 // warp) * 32, held) // threads
