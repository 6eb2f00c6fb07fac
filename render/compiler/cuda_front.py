"""The part that needs numba-cuda: from the driver filled with a scene to machine code for a graphics card.

The source is the driver's, with one lane a thread, so nothing here knows how to paint. `kernel` is also what the
simulator runs: there `cuda` is numba's imitation of a card, and the body is compiled for the CPU.

numba-cuda's own launching is not used: compiled to machine code the kernel can be kept between runs, and be launched
without numba. The compiler gets no leave to fuse a product and a sum (`fma=False`): every instruction is rounded as
the scene says.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.core.errors import NumbaError
from numba.extending import intrinsic

with contextlib.suppress(ImportError):  # installed in a folder that is only on PYTHONPATH, it is not yet in charge
    import _numba_cuda_redirector  # noqa: F401
from numba import cuda

from render.compiler import numba_codegen, numba_front
from render.compiler.launch import BLOCK_HEIGHT, BLOCK_WIDTH, TALLIES, THREADS
from render.compiler.program import ENTRY, Program
from render.compiler.retarget import retarget
from render.errors import RenderError

Capability = tuple[int, int]
ARGUMENTS = (types.CPointer(types.int64), types.int32, types.int32, types.int32, types.int32)
REASSEMBLED = 'reinstall the CUDA packages: pip install --force-reinstall "numba-cuda[cu13]>=0.30.4,<0.31"'


@intrinsic
def add_at(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    """array[index] += value (int64), undisturbed by other threads that do the same."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        builder.atomic_rmw("add", builder.gep(data, [args[1]]), args[2], "monotonic")
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), codegen


def body(made: Program, wrap: Callable[..., Any]) -> Callable[..., None]:
    """What one thread does, as a function of (cells, block across, block down, thread, x, y, width, height).

    wrap: turns the driver's plain functions into ones that the compiler at hand can inline.
    """
    at_type = numba_front.record_type(numba_front._example(made.precision))
    width_of_at = sum(1 + isinstance(member, types.Array) for member in at_type)
    read_at = numba_front.reader(at_type, 0)
    read_p = numba_front.reader(numba_front.p_type(made.p, 1), width_of_at)
    paint_pixel = retarget(
        made.root,
        words=numba_front.lane_words(made.precision, 1, 1, types.int32),
        slots=made.slots,
        names=made.names,
        wrap=wrap,
    )

    def thread(cells: Any, across: int, down: int, number: int, x: int, y: int, width: int, height: int) -> None:
        right = across * BLOCK_WIDTH + (number >> 5 & 1) * 8 + (number & 7)
        below = down * BLOCK_HEIGHT + (number >> 6) * 4 + (number >> 3 & 3)
        if right < width and below < height:
            at = read_at(cells)
            steps, bad = paint_pixel(at, read_p(cells), x + right, y + below, below * width + right)
            tally = 2 * ((across + down) & (TALLIES - 1))
            add_at(at.outcome, tally, steps)
            if bad:
                add_at(at.outcome, tally + 1, bad)

    return thread


def kernel(thread: Callable[..., None]) -> Callable[..., None]:
    """The kernel around a thread's body. (x, y, width, height): the rectangle of the frame that a launch paints."""

    def launched(cells: Any, x: int, y: int, width: int, height: int) -> None:
        thread(cells, cuda.blockIdx.x, cuda.blockIdx.y, cuda.threadIdx.x, x, y, width, height)

    return launched


def compiled(made: Program, capability: Capability) -> Any:
    """The kernel as numba-cuda's library of compiler code, for cards of this compute capability and later.

    Raises SceneError where the scene cannot be compiled, RenderError where the CUDA packages do not work together.
    """
    from numba.cuda import compiler

    if getattr(cuda, "implementation", "") != "NVIDIA":
        raise RenderError("numba.cuda was imported before numba-cuda could take its place", REASSEMBLED)
    inline = numba.jit(**numba_codegen.INNER)
    inner = inline(body(made, inline))
    try:
        with _settled(capability):
            library, _ = compiler._compile_pyfunc_with_fixup(
                kernel(inner), types.void(*ARGUMENTS), device=False, cc=capability, abi="numba", launch_bounds=THREADS
            )
    except NumbaError as error:
        raise numba_front.explained(error, made.source) from error
    library._nvvm_options["fma"] = False
    return library


@contextlib.contextmanager
def _settled(capability: Capability) -> Iterator[None]:
    """Two things that numba-cuda 0.30 expects while it compiles.

    It asks the current card for its capability although it was told one; and it looks up `numpy.row_stack`, which
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


def assembly(library: Any, capability: Capability) -> str:
    """The kernel as PTX, its entry named ENTRY; no card is needed."""
    return "\n".join(library.get_asm_strs(cc=capability)).replace(library._entry_name, ENTRY)


def machine_code(text: str, capability: Capability) -> tuple[bytes, str]:
    """PTX assembled for a card: the code to load, and what the assembler tells about registers and memory."""
    from cuda.bindings import nvjitlink

    code = text.encode()
    options = [f"-arch=sm_{capability[0]}{capability[1]}", "-fma=0", "-Xptxas=-v"]
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


def closest(capability: Capability) -> Capability:
    """The newest compute capability that the toolkit here compiles for and a card of this one runs."""
    from numba.cuda.cudadrv import nvrtc

    major, minor = nvrtc.find_closest_arch(capability)
    return int(major), int(minor)


def thread_code(made: Program) -> bytes:
    """Object code for this CPU of what one thread does, for the simulator; `cells` is an address."""
    signature = types.void(types.CPointer(types.int64), *[types.int64] * 7)
    return numba_front.object_code(body(made, numba_codegen.inlined), signature, made.source)


def simulated(thread: Callable[..., None]) -> Any:
    """The kernel for numba's simulator, which must be what `cuda` is in this process: kernel[blocks, threads](...)."""
    return cuda.jit(kernel(thread))
