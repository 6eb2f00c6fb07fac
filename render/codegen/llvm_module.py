"""numba made to compile a whole program at once: all functions to one LLVM module, optimised once, emitted once.

Left to itself numba makes each function ready to be called the moment it is typed: it optimises it, with all that it
calls inlined, and turns it into machine code. A scene and the driver are some fifty functions of which only the
outermost is ever called, so nearly all of that work is thrown away: more than half of a first run
(benchmarks/compiling.py).

Here a function's library is only its LLVM text and a list of the libraries that it calls (`Text`). Once the outermost
function is typed, `module` links what it reaches and optimises the result, and `machine_code` makes object code of it.

The rest of the process may use numba as it likes: `inlined` gives functions that have a target of their own, which
shares numba's knowledge of types and operators but has another code generator. Nothing of numba's is replaced.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import llvmlite.binding as llvm
from numba.core import cgutils, registry, sigutils
from numba.core.ccallback import _CFuncCompiler
from numba.core.codegen import CPUCodeLibrary, JITCPUCodegen
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUTargetOptions
from numba.core.descriptors import TargetDescriptor

from render.codegen import plain_numba

# numpy's errors (a division by zero gives infinity), no reference counts, no way in from Python or C
INNER = {
    "nopython": True,
    "error_model": "numpy",
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
OUTERMOST = {"nopython": True, "error_model": "numpy", "_nrt": False}


class TextLibrary(CPUCodeLibrary):  # type: ignore[misc]
    """The code of one function: its LLVM text, and the libraries of the functions that it calls."""

    def __init__(self, codegen: Any, name: str) -> None:
        super(CPUCodeLibrary, self).__init__(codegen, name)  # without the module that it would fill
        self.texts: list[str] = []
        self.calls: dict[Any, None] = {}

    def add_ir_module(self, ir_module: Any) -> None:
        """Keep the text."""
        self.texts.append(cgutils.normalize_ir_text(str(ir_module)))

    def add_linking_library(self, library: Any) -> None:
        """Keep the library for later."""
        self.calls[library] = None

    def finalize(self) -> None:
        """Compile nothing: only the outermost function is ever called."""
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002  (numba's signature)
        """Return 0: no function is in memory."""
        return 0

    def collect_reached(self, seen: dict[Any, None]) -> dict[Any, None]:
        """Collect this library and all that it calls, each once; some may be numba's own."""
        if self not in seen:
            seen[self] = None
            for library in self.calls:
                if isinstance(library, TextLibrary):
                    library.collect_reached(seen)
                else:
                    seen[library] = None
        return seen


class Codegen(JITCPUCodegen):  # type: ignore[misc]
    """numba's code generator for this CPU, whose libraries are text."""

    _library_class = TextLibrary

    def set_env(self, env_name: str, env: Any) -> None:
        """No function has an environment, for none is called from Python."""


class Target(TargetDescriptor):  # type: ignore[misc]
    """numba's CPU with another code generator."""

    options = CPUTargetOptions

    @property
    def typing_context(self) -> Any:
        """numba's own typing context, shared."""
        return registry.cpu_target.typing_context

    @cached_property
    def target_context(self) -> Any:
        """numba's own lowering context, shared but for the code generator."""
        return registry.cpu_target.target_context.subtarget(_internal_codegen=Codegen("render"))


TARGET = Target("cpu")


class InlinedDispatcher(registry.CPUDispatcher):  # type: ignore[misc]
    """A function that is compiled where it is called with new types, into its caller."""

    targetdescr = TARGET

    def compile(self, sig: Any) -> Any:
        """Compile as numba does, without its files and timers, which cost more than many of our functions."""
        arguments, result = sigutils.normalize_signature(sig)
        if arguments not in self.overloads:
            with self._compiling_counter:
                self.add_overload(self._compiler.compile(arguments, result))
        return self.overloads[arguments].entry_point


def make_inlined(function: Callable[..., Any]) -> Any:
    """Make a plain function callable from `compile_module`'s, as `numba.njit` does elsewhere."""
    return InlinedDispatcher(py_func=function, targetoptions=INNER)


def compile_module(function: Callable[..., Any], signature: Any, name: str) -> Any:
    """Compile a function and all that it calls to one optimised LLVM module, with the C function `name`.

    signature: numba's, of types that C has. Raises NumbaError where numba does not understand the function.
    """
    arguments, result = sigutils.normalize_signature(signature)
    with global_compiler_lock, plain_numba.compile_plainly(), _pause_garbage_collection():
        compiler = _CFuncCompiler(function, TARGET, OUTERMOST, {}, Compiler)
        compiled = compiler.compile(arguments, result)
        whole = _link_libraries(compiled.library)
    for symbol in (*whole.functions, *whole.global_variables):
        if symbol.name == compiled.fndesc.llvm_cfunc_wrapper_name:
            symbol.name = name
        elif not symbol.is_declaration:
            symbol.linkage = "internal"  # so that what was inlined everywhere goes
    whole.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    builder = llvm.create_pass_builder(_target_machine(), options)
    builder.getModulePassManager().run(whole, builder)
    return whole


def emit_object_code(whole: Any) -> bytes:
    """Emit an LLVM module as object code for this CPU."""
    return bytes(_target_machine().emit_object(whole))


def _target_machine() -> Any:
    return TARGET.target_context.codegen()._tm


def _link_libraries(library: TextLibrary) -> Any:
    """Link a library and all that it reaches into one LLVM module."""
    whole = llvm.parse_assembly(str(library.codegen._create_empty_module("render")))
    for part in library.collect_reached({}):
        if isinstance(part, TextLibrary):
            for text in part.texts:
                whole.link_in(llvm.parse_assembly(text))
        else:
            whole.link_in(part._get_module_for_linking(), preserve=True)
    return whole


@contextlib.contextmanager
def _pause_garbage_collection() -> Iterator[None]:
    """Switch the collector off: numba makes a million live objects, which it would search again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
