"""The part that needs numba-cuda: from the driver filled with a scene to machine code for a GPU.

The source is that of `warp`, with one lane a thread, so nothing here knows how to paint. For numba's simulator the same
source is compiled for the CPU, and `cuda` is an imitation of a GPU.

numba-cuda's own launching is not used: compiled to machine code the kernel can be kept between runs, and be launched
without numba. The compiler gets no leave to fuse a product and a sum (`fma=False`): every instruction is rounded as
the scene says.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.core.errors import NumbaError

with contextlib.suppress(ImportError):  # installed in a folder that is only on PYTHONPATH, it is not yet in charge
    import _numba_cuda_redirector  # noqa: F401
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # NumPy 2.5's, of what numba-cuda 0.30 does with times
    from numba import cuda

from render.codegen import cpu_compiler, llvm_module, plain_numba, warp_words
from render.codegen.program import ENTRIES, ENTRY, Program
from render.codegen.retarget import retarget
from render.errors import RenderError
from render.kernels.launch import THREADS
from render.kernels.passes import FIRST_PASS, SECOND_PASS

Capability = tuple[int, int]
WARPS = THREADS // 32  # of a block
QUADRANT = 16384  # registers of a quarter of a multiprocessor, since compute capability 7.0
BLOCKS = {"f32": 8, "f64": 1}  # that a multiprocessor has room for: 64 registers, or all (benchmarks/README.md)
NUMBA_ONLY = re.compile(r"^\.common \.global [^;]*NumbaEnv[^;]*;\n", re.MULTILINE)  # what only its interpreter reads
REASSEMBLED = 'reinstall the CUDA packages: pip install --force-reinstall "numba-cuda[cu13]>=0.30.4,<0.31"'


def make_thread(made: Program, said: dict[Callable[..., Any], Any], wrap: Callable[..., Any]) -> Callable[..., None]:
    """Make one thread's code, a function of (cells, stage, right, down, tile, count, wide, high): see `paint_tiles`.

    said: what the lanes of a warp say to each other (`warp_words`). wrap: turns the driver's plain functions into ones
    that the compiler at hand can inline.
    """
    at_type, p_type = parameter_types(made)
    read_at, read_p = (
        cpu_compiler.cell_reader(at_type, 0, made.fixed.at),
        cpu_compiler.cell_reader(p_type, cpu_compiler.count_cells(at_type), made.fixed.p),
    )
    words = cpu_compiler.lane_words(made.precision, 1, 1, types.int32) | said
    paint = retarget(made.root, words=words, slots=made.slots, wrap=wrap)

    def thread(cells: Any, stage: int, right: int, down: int, tile: int, count: int, wide: int, high: int) -> None:
        paint(read_at(cells), read_p(cells), stage, right, down, tile, count, wide, high)

    return thread


def parameter_types(made: Program) -> tuple[Any, Any]:
    """Type the driver's settings and the scene's parameters for numba."""
    return cpu_compiler.record_type(cpu_compiler._example_settings(made.precision)), cpu_compiler.p_type(made.p, 1)


def make_kernels(made: Program) -> tuple[list[Callable[..., None]], Any]:
    """Make the kernels for a GPU, one for each pass, and their signature."""
    inline = numba.jit(**llvm_module.INNER)
    thread = inline(make_thread(made, warp_words.GPU, inline))
    at_type, p_type = parameter_types(made)
    cells_type = types.UniTuple(types.int64, cpu_compiler.count_cells(at_type) + cpu_compiler.count_cells(p_type))

    def first(cells: Any, count: int, wide: int, high: int) -> None:
        warp, tile = cuda.threadIdx.x >> 5, cuda.blockIdx.z
        right, down = (cuda.blockIdx.x << 1) + (warp & 1), (cuda.blockIdx.y << 1) + (warp >> 1)
        thread(cells, FIRST_PASS, right, down, tile, count, wide, high)

    def second(cells: Any, count: int, wide: int, high: int) -> None:
        warp = (cuda.blockIdx.x << 2) + (cuda.threadIdx.x >> 5)
        thread(cells, SECOND_PASS, warp, cuda.gridDim.x << 2, 0, count, wide, high)

    return [first, second], types.void(cells_type, *[types.int32] * 3)


def compile_kernels(made: Program, capability: Capability) -> Any:
    """Compile the kernels to numba-cuda's library of compiler code, for GPUs of this compute capability and later.

    Raises SceneError where the scene cannot be compiled, RenderError where the CUDA packages do not work together.
    """
    from numba.cuda import compiler

    if getattr(cuda, "implementation", "") != "NVIDIA":
        raise RenderError("numba.cuda was imported before numba-cuda could take its place", REASSEMBLED)
    functions, signature = make_kernels(made)
    try:
        with plain_numba.compile_plainly(), _patch_compiler(capability):
            libraries = [
                compiler._compile_pyfunc_with_fixup(
                    function,
                    signature,
                    device=False,
                    cc=capability,
                    abi="numba",
                    launch_bounds=(THREADS, BLOCKS[made.precision]),
                )[0]
                for function in functions
            ]
    except NumbaError as error:
        raise cpu_compiler.explain_error(error, made.source) from error
    whole = libraries[0]
    texts: dict[str, None] = {}
    for library, entry in zip(libraries, ENTRIES, strict=True):
        texts |= {text.replace(library._entry_name, entry): None for text in library.llvm_strs}
    whole._llvm_strs = list(texts)
    whole._nvvm_options["fma"] = False
    return whole


@contextlib.contextmanager
def _patch_compiler(capability: Capability) -> Iterator[None]:
    """Lend numba-cuda 0.30 two things that it expects while it compiles.

    It asks the current GPU for its capability although it was told one; and it looks up `numpy.row_stack`, which
    NumPy 2.5 no longer has.
    """
    from numba.cuda import dispatcher

    class Asked:
        compute_capability = capability

    kept = dispatcher.get_current_device
    lent = {name: word for name, word in (("row_stack", np.vstack),) if name not in vars(np)}
    dispatcher.get_current_device = Asked
    vars(np).update(lent)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        dispatcher.get_current_device = kept
        for name in lent:
            del vars(np)[name]


def emit_ptx(library: Any, capability: Capability) -> str:
    """Emit the kernels as PTX, named as in ENTRIES; no GPU is needed."""
    text = "\n".join(library.get_asm_strs(cc=capability))
    return NUMBA_ONLY.sub("", text)


def assemble_ptx(text: str, capability: Capability) -> tuple[bytes, str]:
    """Assemble PTX for a GPU: the code to load, and the assembler's report of registers and memory."""
    from cuda.bindings import nvjitlink

    code = text.encode()
    options = [f"-arch=sm_{capability[0]}{capability[1]}", "-Xptxas=-fmad=false", "-Xptxas=-v"]
    linker = nvjitlink.create(len(options), options)
    try:
        nvjitlink.add_data(linker, nvjitlink.InputType.PTX, code, len(code), ENTRY)
        nvjitlink.complete(linker)
        cubin = bytearray(nvjitlink.get_linked_cubin_size(linker))
        nvjitlink.get_linked_cubin(linker, cubin)
        told = bytearray(nvjitlink.get_info_log_size(linker))
        nvjitlink.get_info_log(linker, told)
    except nvjitlink.nvJitLinkError as error:
        raise RenderError(f"nvJitLink cannot assemble the kernel: {error}", REASSEMBLED) from error
    finally:
        nvjitlink.destroy(linker)
    return bytes(cubin), told.decode(errors="replace").strip("\0\n ")


def assemble_tightly(text: str, capability: Capability) -> tuple[bytes, str]:
    """Assemble PTX as `assemble_ptx` does; with one more block a multiprocessor in the first pass if nothing spills.

    What waits in one warp is hidden by others, and the first pass has as many as there are registers for. The second
    pass has few blocks by design (`device.FINISHING`).
    """
    code, told = assemble_ptx(text, capability)
    registers, spilled = read_usage(told, ENTRY)
    if spilled:
        return code, told
    blocks = QUADRANT // (-(-registers * 32 // 256) * 256)  # a warp is given registers by 256; a quadrant has one of 4
    entry = re.compile(rf"(\.entry {ENTRY}\(.*?\.minnctapersm )\d+", re.DOTALL)
    tight = assemble_ptx(entry.sub(rf"\g<1>{blocks + 1}", text, count=1), capability)
    fewer, spilled = read_usage(tight[1], ENTRY)
    return tight if fewer < registers and not spilled else (code, told)  # more blocks than there can be are ignored


def read_usage(told: str, entry: str) -> tuple[int, int]:
    """Read in the assembler's report how many registers a thread of a kernel takes, and how many bytes are spilled."""
    part = told.partition(f"'{entry}'")[2]
    spilled = re.search(r"(\d+) bytes spill stores", part)
    registers = re.search(r"Used (\d+) registers", part)
    if spilled is None or registers is None:
        raise RenderError(f"nvJitLink's report says nothing of {entry}", REASSEMBLED)
    return int(registers[1]), int(spilled[1])


def find_closest_capability(capability: Capability) -> Capability:
    """Find the newest compute capability that the toolkit here compiles for and a GPU of this one runs."""
    from numba.cuda.cudadrv import nvrtc

    major, minor = nvrtc.find_closest_arch(capability)
    return int(major), int(minor)


def compile_thread(made: Program) -> bytes:
    """Compile, to object code for this CPU, what one thread does, for the simulator; `cells` is an address."""
    signature = types.void(types.CPointer(types.int64), *[types.int64] * 7)
    return cpu_compiler.compile_function(
        make_thread(made, warp_words.ALONE, llvm_module.make_inlined), signature, made.source
    )


def make_simulated_kernel(thread: Callable[..., None]) -> Any:
    """Make the kernel for numba's simulator, which must be what `cuda` is here: kernel[blocks, threads](...).

    It is launched with one block, whose warps have one lane and make the first pass for every fourth square.
    """

    def launched(cells: int, stage: int, count: int, wide: int, high: int) -> None:
        warp = cuda.threadIdx.x >> 5
        if cuda.threadIdx.x & 31 == 0 and stage == SECOND_PASS:
            thread(cells, stage, warp, WARPS, 0, count, wide, high)
        elif cuda.threadIdx.x & 31 == 0:
            for tile, down, right in product(range(count), range((high + 3) >> 2), range(warp, (wide + 7) >> 3, WARPS)):
                thread(cells, stage, right, down, tile, count, wide, high)

    return cuda.jit(launched)
