"""CUDA C++ compiled by NVRTC, which comes with the program's extra `cuda`: for any GPU, and without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from harness.cases import Absent

FOLDER = Path(__file__).parent.parent / "references"


class Code(NamedTuple):
    """A compiled file: machine code, the same in the assembler's language, and what the assembler reported."""

    machine: bytes
    assembly: bytes
    report: str


def compile_reference(name: str, capability: tuple[int, int], **defined: object) -> Code:
    """Compile references/NAME.cu for a GPU, with such macros. Raises Absent where it cannot be made."""
    try:
        from cuda.bindings import nvrtc
    except ImportError as error:
        raise Absent(f"NVRTC is not installed ({error}): pip install 'render[cuda]'") from error

    def check(result: tuple[Any, ...]) -> Any:
        code, *values = result
        if int(code):
            raise Absent(f"NVRTC does not compile {name}.cu ({code.name}): {read_log()}")
        return values[0] if values else None

    def read_log() -> str:
        text = bytearray(int(nvrtc.nvrtcGetProgramLogSize(program)[1]))
        nvrtc.nvrtcGetProgramLog(program, text)
        return text.decode(errors="replace").strip("\0\n ")

    source = (FOLDER / f"{name}.cu").read_bytes()
    options = [f"--gpu-architecture=sm_{capability[0]}{capability[1]}", "--fmad=false", "--ptxas-options=-v"]
    options += [f"--define-macro={macro}={value}" for macro, value in defined.items()]
    program = check(nvrtc.nvrtcCreateProgram(source, f"{name}.cu".encode(), 0, [], []))
    try:
        check(nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options]))
        code = bytearray(int(check(nvrtc.nvrtcGetCUBINSize(program))))
        check(nvrtc.nvrtcGetCUBIN(program, code))
        text = bytearray(int(check(nvrtc.nvrtcGetPTXSize(program))))
        check(nvrtc.nvrtcGetPTX(program, text))
        return Code(bytes(code), bytes(text).rstrip(b"\0"), read_log())
    finally:
        nvrtc.nvrtcDestroyProgram(program)
