"""This machine's CPU as LLVM knows it, and object code loaded for it; neither numba nor a compiler is needed."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from render.errors import RenderError, UsageError

CLOCK = "render_clock"  # by which name simulated threads call a clock of their process


@cache
def load_llvm() -> Any:
    """Load llvmlite's binding, ready for this machine. Raises RenderError if it cannot be loaded."""
    try:
        from llvmlite import binding
    except OSError as error:
        raise RenderError(
            "the code generator (llvmlite) cannot be loaded: its library is damaged, or there is no memory for it",
            "allow more memory (ulimit -v), or install llvmlite again",
        ) from error
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


@cache
def cpu_target() -> tuple[str, str]:
    """Return the CPU's name and features as LLVM writes them; numba's own variables override them.

    Raises UsageError for features that this CPU has not, which would end the process.
    """
    name, have = os.environ.get("NUMBA_CPU_NAME"), os.environ.get("NUMBA_CPU_FEATURES")
    if have is None:
        return name or load_llvm().get_host_cpu_name(), "" if name else load_llvm().get_host_cpu_features().flatten()
    there = load_llvm().get_host_cpu_features()
    for part in filter(None, have.split(",")):
        if part[0] not in "+-" or (part[0] == "+" and not there.get(part[1:], False)):
            raise UsageError(
                f"NUMBA_CPU_FEATURES is {have!r:.60}, and this CPU has no {part.lstrip('+')!r}",
                "unset it, or write +NAME,-NAME with names of LLVM",
            )
    return name or load_llvm().get_host_cpu_name(), have


def cpu_features() -> frozenset[str]:
    """Return the vector instruction sets and other features of this CPU, named as in LLVM."""
    return frozenset(part[1:] for part in cpu_target()[1].split(",") if part.startswith("+"))


def load_code(code: bytes, name: str) -> tuple[int, Any]:
    """Load object code; return the address of its function of this name, and the engine that must outlive it."""
    machine = load_llvm().Target.from_default_triple().create_target_machine(jit=True)
    engine = load_llvm().create_mcjit_compiler(load_llvm().parse_assembly(""), machine)
    engine.add_object_file(load_llvm().ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine.get_function_address(name), engine


def offer(name: str, address: int) -> None:
    """Let code that is loaded from now on call the C function at this address by a name."""
    load_llvm().add_symbol(name, address)
