"""The program, run beside a stand-in for NVIDIA's driver: `python -m tests.fake_cuda.program --mode cuda ...`.

The host's side is all real: the calls through ctypes, the compiler, the machine code. Only what a launch does is
emulated, from the PTX of that machine code, which is kept beside it in the folder for compiled code.
"""

from __future__ import annotations

import ctypes
import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from render.__main__ import run
from render.codegen import cuda_compiler
from render.codegen.program import ENTRIES
from tests.ptx.lanes import Grid
from tests.ptx.machine import Machine
from tests.ptx.memory import Memory, Piece
from tests.ptx.text import parse

SHAPE = ctypes.POINTER(ctypes.c_uint)
LAUNCH = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, SHAPE, ctypes.c_void_p
)
MOST = 256  # pieces of memory on a GPU


def kept(code: bytes) -> Path:
    """Where the PTX of machine code is kept."""
    return Path(os.environ["RENDER_CACHE_DIR"]) / f"{sha256(code).hexdigest()}.ptx"


def remembering(
    text: str, capability: cuda_compiler.Capability, real: Any = cuda_compiler.assemble_ptx
) -> tuple[bytes, str]:
    """PTX assembled for a GPU, and kept."""
    code, told = real(text, capability)
    kept(code).write_text(text)
    return code, told


class There(Piece):
    """Memory that the driver has given out."""

    def __init__(self, address: int, size: int) -> None:
        self.space, self.size, self.address = "global", size, address
        self.bytes = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))


def memory(library: ctypes.CDLL, gpu: int) -> Memory:
    """All memory of a GPU."""
    addresses, sizes = (ctypes.c_void_p * MOST)(), (ctypes.c_size_t * MOST)()
    count = library.fake_memory(gpu, addresses, sizes, MOST)
    found = Memory()
    found.pieces = {at: There(at, size) for at, size in zip(addresses[:count], sizes[:count], strict=True) if at}
    found._sort()  # noqa: SLF001
    return found


def install() -> Any:
    """Have the driver's launches emulated. Keep what is given: the driver calls it.

    The file `launched` tells that the program has got so far.
    """
    library = ctypes.CDLL("libcuda.so.1")

    def launch(gpu: int, image: int, size: int, entry: bytes, grid: Any, parameters: int) -> int:
        code = ctypes.string_at(image, size)
        kernel = parse(kept(code).read_text(), entry.decode())
        addresses = (ctypes.c_void_p * len(kernel.parameters)).from_address(parameters)
        given = b""
        for one, at in zip(kernel.parameters, addresses, strict=True):
            given += bytes(-len(given) % one.align) + ctypes.string_at(at, one.size)
        shape = Grid((grid[0], grid[1], grid[2]), (grid[3], grid[4], grid[5]))
        Machine(kernel, memory(library, gpu), shape, processors=132).run(given)
        painted = int.from_bytes(given[-12:-8], sys.byteorder) > 0  # the last parameters are tiles, width and height
        if painted and entry.decode() == ENTRIES[-1]:
            Path("launched").touch()
        return painted

    called = LAUNCH(launch)
    library.fake_set_launch(called)
    cuda_compiler.assemble_ptx = remembering
    return called


if __name__ == "__main__":
    KEEP = install()
    sys.exit(run())
