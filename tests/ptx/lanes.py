"""What the lanes of some thread blocks hold: registers, special registers, and the addresses of variables.

A lane is one thread; all arrays have one value for each, 32 to a warp. A register is kept as bits and looked at as
whatever type an instruction says, so that reading and writing it are views of one array.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.ptx.arithmetic import DTYPES
from tests.ptx.memory import FRESH, Memory
from tests.ptx.text import Kernel, PtxError, Variable

WARP = 32
ADDRESS = re.compile(r"\[\s*([\w$%.#]+)\s*(?:\+\s*(-?\w+))?\s*\]")
NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|\d+)U?")
EXACT = {"0f": 4, "0d": 8}  # bytes of a number that is written as its bits
Dim = tuple[int, int, int]
Write = Callable[[np.ndarray, np.ndarray], None]


class Grid(NamedTuple):
    """How many blocks there are, and threads in each."""

    blocks: Dim
    threads: Dim

    @property
    def block(self) -> int:
        """Threads of a block."""
        return self.threads[0] * self.threads[1] * self.threads[2]

    @property
    def number(self) -> int:
        """All blocks."""
        return self.blocks[0] * self.blocks[1] * self.blocks[2]


class Lanes:
    """The lanes of `together` blocks of a grid, whichever these are at the time.

    Every block begins at a whole warp; what is left of its last warp does not exist (`there` is False).
    """

    def __init__(self, kernel: Kernel, memory: Memory, grid: Grid, together: int, processors: int) -> None:
        self.kernel, self.memory, self.grid, self.together, self.processors = kernel, memory, grid, together, processors
        self.padded = -(-grid.block // WARP) * WARP
        self.count = together * self.padded
        self.there = np.zeros(self.count, np.bool_)
        self._special: dict[str, np.ndarray] = {}
        self._bits = {name: self._register(name, kind) for name, kind in kernel.registers.items()}
        self._places = {one.name: self._place(one) for one in kernel.variables.values() if self._used(one.name)}
        self.parameters = self._parameters()
        self._thread_numbers()

    # --- who they are ---

    def become(self, first: int) -> None:
        """Be the blocks from this number on, as new: no register and no memory of their own holds anything."""
        block = first + np.arange(self.count) // self.padded
        within = np.arange(self.count) % self.padded
        self.there[:] = (within < self.grid.block) & (block < self.grid.number)
        across, down, _ = self.grid.blocks
        places = block % across, block // across % down, block // (across * down)
        for axis, number in zip("xyz", places, strict=True):
            self._special[f"%ctaid.{axis}"][:] = number
        self._special["%smid"][:] = block % self.processors
        for bits in self._bits.values():
            bits[:] = True if bits.dtype == np.bool_ else np.frombuffer(bytes([FRESH] * 8), bits.dtype)[0]
        for one in self.kernel.variables.values():
            if one.space in {"shared", "local"} and one.name in self._places:
                start = int(self._places[one.name][0])
                self.memory.pieces[start].bytes[:] = FRESH

    def name(self, lane: int) -> str:
        """A lane as a message says it."""
        thread = ", ".join(str(int(self._special[f"%tid.{axis}"][lane])) for axis in "xyz")
        block = ", ".join(str(int(self._special[f"%ctaid.{axis}"][lane])) for axis in "xyz")
        return f"thread ({thread}) of block ({block})"

    def _thread_numbers(self) -> None:
        number = (np.arange(self.count) % self.padded).astype(np.uint32)
        x, y, _ = self.grid.threads
        for axis, value in zip("xyz", (number % x, number // x % y, number // (x * y)), strict=True):
            self._special[f"%tid.{axis}"] = value.astype(np.uint32)
            self._special[f"%ctaid.{axis}"] = np.zeros(self.count, np.uint32)
        for name, sizes in (("%ntid", self.grid.threads), ("%nctaid", self.grid.blocks)):
            self._special |= {f"{name}.{axis}": _one(size, np.uint32) for axis, size in zip("xyz", sizes, strict=True)}
        lane = number % WARP
        below = (np.uint64(1) << lane.astype(np.uint64)) - np.uint64(1)
        at, all_lanes = below + np.uint64(1), np.uint64(2**WARP - 1)
        masks = {"lt": below, "le": below | at, "eq": at, "ge": all_lanes ^ below, "gt": all_lanes ^ (below | at)}
        self._special |= {f"%lanemask_{word}": bits.astype(np.uint32) for word, bits in masks.items()}
        self._special |= {
            "%laneid": lane,
            "%warpid": number // WARP,
            "%nwarpid": _one(self.padded // WARP, np.uint32),
            "%smid": np.zeros(self.count, np.uint32),
            "%nsmid": _one(self.processors, np.uint32),
            "%gridid": _one(0, np.uint64),
            "WARP_SZ": _one(WARP, np.uint32),
        }

    # --- what they hold ---

    def _register(self, name: str, kind: str) -> np.ndarray:
        if kind not in DTYPES:
            raise PtxError(f"register {name} of unknown type {kind}")
        return np.zeros(self.count, DTYPES["pred" if kind == "pred" else f"b{kind[1:]}"])

    def _used(self, name: str) -> bool:
        return any(name in operand for one in self.kernel.instructions for operand in one.operands)

    def _place(self, one: Variable) -> np.ndarray:
        """Its address; that of a local or shared variable differs from lane to lane, or from block to block."""
        copies = {"local": self.count, "shared": self.together}.get(one.space, 1)
        size = -(-max(one.size, 1) // one.align) * one.align
        start = self.memory.allocate(size * copies, one.space)
        if copies == 1 and one.space in {"global", "const"}:
            fresh = np.zeros(one.length, DTYPES[one.type])
            fresh[: len(one.data)] = [self.constant(value, one.type)[0] for value in one.data]
            self.memory.bytes(start, one.size)[:] = fresh.view(np.uint8)
            return _one(start, np.uint64)
        owner = np.arange(self.count) // (1 if one.space == "local" else self.padded)
        return np.uint64(start) + owner.astype(np.uint64) * np.uint64(size)

    def _parameters(self) -> np.ndarray:
        """Where the arguments lie, to be written before a launch, with the parameters' names for their addresses."""
        size = 0
        offsets = {}
        for one in self.kernel.parameters:
            size = -(-size // one.align) * one.align
            offsets[one.name] = size
            size += one.size
        if not size:
            return np.zeros(0, np.uint8)
        start = self.memory.allocate(size, "param")
        self._places |= {name: _one(start + offset, np.uint64) for name, offset in offsets.items()}
        return self.memory.bytes(start, size)

    def free(self) -> None:
        """Give the memory of variables and arguments back."""
        for address in {int(places[0]) for places in self._places.values()} & self.memory.pieces.keys():
            self.memory.free(address)

    # --- operands ---

    def source(self, words: str, kind: str) -> np.ndarray:
        """An operand's values as this type: a view of a register, or one value for all. Raises PtxError."""
        dtype = DTYPES[kind]
        bits = self._bits.get(words)
        if bits is not None:
            return self._as(bits, dtype, words)
        if words in self._special:
            return self._as(self._special[words], dtype, words)
        if words in self._places:
            return self._places[words].view(dtype)
        return self.constant(words, kind)

    @staticmethod
    def _as(bits: np.ndarray, dtype: np.dtype, words: str) -> np.ndarray:
        """A register as values of a type; of a wider one the lower part."""
        if (bits.dtype == np.bool_) != (dtype == np.bool_) or bits.itemsize < dtype.itemsize:
            raise PtxError(f"{words} holds no {dtype}")
        return bits.view(dtype)[:: bits.itemsize // dtype.itemsize]

    @staticmethod
    def constant(words: str, kind: str) -> np.ndarray:
        """A number in the text. Raises PtxError where it is none, or not of this type."""
        dtype = DTYPES[kind]
        size = EXACT.get(words[:2].lower())
        if size and len(words) == 2 + 2 * size:
            value = np.array([int(f"0x{words[2:]}", 0)], f"u{size}")
            if kind[0] == "f":
                return value.view(f"f{size}").astype(dtype)
            if dtype.itemsize == size:
                return value.view(dtype)
        elif kind == "pred" and words in {"0", "1", "-1"}:
            return np.array([words != "0"])
        elif kind[0] != "f" and NUMBER.fullmatch(words):
            digits = words.rstrip("U")
            number = int(digits, 8) if re.fullmatch(r"-?0\d+", digits) else int(digits, 0)
            return np.frombuffer((number % 2**64).to_bytes(8, "little")[: dtype.itemsize], dtype)
        elif kind == "f64" and re.fullmatch(r"-?\d+\.\d*(?:[eE][-+]?\d+)?", words):
            return np.array([float(words)], dtype)
        raise PtxError(f"{words} is no {kind}")

    def target(self, words: str, kind: str) -> Write:
        """What writes values of this type to a register where a mask says so; a wider one is filled by the sign."""
        if words == "_":
            return lambda values, mask: None
        if words not in self._bits:
            raise PtxError(f"{words} is no register")
        bits, dtype = self._bits[words], DTYPES[kind]
        if (bits.dtype == np.bool_) != (dtype == np.bool_) or bits.itemsize < dtype.itemsize:
            raise PtxError(f"{words} cannot hold {kind}")
        wide = dtype if bits.itemsize == dtype.itemsize else np.dtype(f"{dtype.kind.replace('f', 'u')}{bits.itemsize}")
        view = bits.view(wide)
        if kind[0] == "f" and wide != dtype:
            return lambda values, mask: np.copyto(view, values.view(f"u{dtype.itemsize}"), where=mask)
        return lambda values, mask: np.copyto(view, values, where=mask)

    def at(self, words: str) -> Callable[[], np.ndarray]:
        """What gives the addresses of an operand in brackets, as they are when it is called."""
        found = ADDRESS.fullmatch(words)
        if found is None:
            raise PtxError(f"{words} is no address")
        base, offset = self.source(found[1], "u64"), self.constant(found[2] or "0", "u64")
        return lambda: base + offset


def _one(value: int, dtype: type) -> np.ndarray:
    return np.array([value], dtype)


def packed(arguments: tuple[tuple[object, ...], tuple[type, ...]]) -> bytes:
    """Values and their ctypes as the bytes that a launch hands over: each at a multiple of its size."""
    out = b""
    for value, kind in zip(*arguments, strict=True):
        held = bytes(kind(value))
        out += bytes(-len(out) % len(held)) + held
    return out
