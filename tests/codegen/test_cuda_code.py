"""What a graphics card would run, read without a GPU: the assembler's language, and the machine code that it becomes.

Equality with the CPU rests on it that nobody fuses, approximates or flushes what the scene did not; speed, on it that a
step takes few instructions and that everything stays in registers.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from render import scene
from render.codegen import cuda_code
from render.codegen.program import ENTRIES, ENTRY
from render.kernels import warp
from render.kernels.launch import THREADS
from render.options import complete
from tests.conftest import library

Library = Callable[[str, str], Any]
Load = Callable[[str], ModuleType]
Rounding = Callable[[str, str], Counter[str]]
GPUS = {"sm_75": (7, 5), "sm_80": (8, 0), "sm_90": (9, 0)}
HELD = {"sm_75": 1024, "sm_80": 2048, "sm_90": 2048}  # threads of a multiprocessor
REGISTERS = {  # of float64: the most with which as many blocks have room as do now: 4 (128), 3 (168), 2 (255)
    "julia": 128,
    "mandelbrot": 128,
    "mandelbulb": 168,
    "still_life": 255,
}
INSTRUCTIONS = {"sm_75": 5.6, "sm_80": 5.5, "sm_90": 5.5}  # of a step at most; sm_75 votes once more a turn
FLOATING = re.compile(r"^\s*(?:@!?%p\d+\s+)?((?:add|sub|mul|fma|mad|div|sqrt|rcp)\.[\w.]*f(?:32|64))\b", re.MULTILINE)
every_scene = pytest.mark.parametrize("name", scene.names())
every_precision = pytest.mark.parametrize("precision", ["f64", pytest.param("f32", marks=pytest.mark.slow)])


@cache
def assembled(made: Any, gpu: str) -> tuple[str, bytes, str]:
    """A kernel in the assembler's language, its machine code, and what the assembler told."""
    from render.codegen import cuda_compiler

    text = cuda_compiler.emit_ptx(made, GPUS[gpu])
    return text, *cuda_compiler.assemble_tightly(text, GPUS[gpu])


def fusing(made: Any) -> str:
    """A kernel in the assembler's language if the compiler may fuse a product and a sum, and sums are not marked."""
    from render.codegen import cuda_compiler

    free = copy.copy(made)
    vars(free).update(_ptx_cache={}, _nvvm_options=vars(made)["_nvvm_options"] | {"fma": True})
    return cuda_compiler.emit_ptx(free, GPUS["sm_90"])


def operations(text: str) -> Counter[str]:
    """How often each floating operation stands in the assembler's language, however it is said to round."""
    return Counter(word.replace(".rn", "") for word in FLOATING.findall(text))


@pytest.mark.slow
@every_precision
@every_scene
def test_nothing_is_left_for_the_assembler_to_contract(name: str, precision: str, gpu_library: Library) -> None:
    """What says how it rounds (.rn) is never fused, and nothing is approximate or flushes what is small."""
    text, _, _ = assembled(gpu_library(name, precision), "sm_90")
    floating = set(FLOATING.findall(text))

    assert f"fma.rn.{precision}" in floating
    assert {word for word in floating if ".rn." not in word} == set()
    assert not re.search(r"\.approx|\.ftz|\.full", text)


@pytest.mark.slow
@every_scene
def test_float32_stays_float32(name: str, gpu_library: Library) -> None:
    assert ".f64" not in assembled(gpu_library(name, "f32"), "sm_90")[0]


@pytest.fixture
def rounding(script: Load, monkeypatch: pytest.MonkeyPatch) -> Rounding:
    """Counts a text's floating instructions once assembled, with leave to fuse or without, its loops left as they are.

    The assembler would unroll some of them where it may fuse, and not where it may not.
    """
    from cuda.bindings import nvjitlink

    from render.codegen import cuda_compiler

    machine_code, create = script("machine_code"), nvjitlink.create

    def counted(text: str, leave: str) -> Counter[str]:
        def linker(_: int, words: list[str]) -> Any:
            words = [*(word for word in words if "fma" not in word), f"-Xptxas=-fmad={leave}"]
            return create(len(words), words)

        with monkeypatch.context() as patch:
            patch.setattr(nvjitlink, "create", linker)
            plain = re.sub(r"(\.address_size \d+)", r'\1\n.pragma "nounroll";', text)
            code, _ = cuda_compiler.assemble_ptx(plain, GPUS["sm_90"])
        told: Counter[str] = machine_code.read(machine_code.disassembled(code), ENTRY).rounding
        return told

    return counted


@pytest.mark.slow
@every_precision
@every_scene
def test_leave_to_contract_changes_nothing(name: str, precision: str, gpu_library: Library, rounding: Rounding) -> None:
    """Builds with and without contraction compute with the same operations.

    In machine code the sums are not counted: the assembler makes some of them twice rather than keep them.
    """
    made = gpu_library(name, precision)
    strict, free = assembled(made, "sm_90")[0], fusing(made)
    with_leave, without = rounding(free, "true"), rounding(strict, "false")

    assert f"add.{precision}" in free
    assert operations(free) == operations(strict)
    for operation in ("DFMA", "DMUL", "FFMA", "FMUL", "MUFU"):
        assert with_leave[operation] == without[operation]


@pytest.mark.slow
def test_a_careless_scene_is_not_contracted_either(tmp_path: Path, rounding: Rounding) -> None:
    """A product is marked where it is made, so it stays one though it feeds a sum; unmarked, it would not."""
    from render.codegen import cuda_compiler

    careless = tmp_path / "careless.py"
    text = (scene.scene_folder() / "mandelbrot.py").read_text(encoding="utf-8")
    careless.write_text(text.replace("x, y = next_z(x, y, cx, cy)", "x, y = x * x - y * y + cx, 2.0 * x * y + cy"))
    request = complete(scene=str(careless), mode="cuda", simulate=True)
    free = fusing(
        cuda_compiler.compile_kernels(cuda_code.make_program(scene.load(str(careless)), request), GPUS["sm_90"])
    )
    unmarked = free.replace("mul.rn.f64", "mul.f64")

    strict = rounding(free, "false")

    assert rounding(free, "true") == strict
    assert rounding(unmarked, "false") == strict
    assert rounding(unmarked, "true")["DFMA"] > strict["DFMA"]


@pytest.mark.slow
@pytest.mark.parametrize("gpu", GPUS)
@every_precision
@every_scene
def test_a_thread_stays_in_its_registers(
    name: str, precision: str, gpu: str, gpu_library: Library, script: Load
) -> None:
    """Room for 8 warps or more on a multiprocessor. Only ray marchers of float32 spill, which makes them faster."""
    machine_code = script("machine_code")
    text, code, told = assembled(gpu_library(name, precision), gpu)
    disassembled = machine_code.disassembled(code)

    assert f".entry {ENTRY}(" in text
    assert ".local" not in text
    for entry in ENTRIES:
        used = machine_code.used(told.partition(f"'{entry}'")[2])
        if precision == "f64" or scene.load(name).absorbing:
            assert (used.stack, used.stores, used.loads) == (0, 0, 0)
            assert not machine_code.read(disassembled, entry).names.keys() & {"LDL", "STL"}
        assert used.registers <= (64 if precision == "f32" else REGISTERS[name])
        assert machine_code.resident(used.registers, THREADS, HELD[gpu]) * THREADS >= 8 * 32


LEAST = {  # (precision, samples, light): of the first pass and the second on sm_90, registers and instructions at most
    ("f64", 1, 0.0): ((40, 1250), (56, 1060)),
    ("f64", 4, 0.0): ((64, 1460), (80, 1240)),
    ("f64", 1, 0.7): ((64, 1810), (80, 1610)),
    ("f32", 1, 0.0): ((32, 1160), (40, 940)),
    ("f32", 4, 0.0): ((40, 1320), (56, 1080)),
}


@pytest.mark.parametrize(
    "which", [pytest.param(one, marks=[pytest.mark.slow] * (one != ("f64", 1, 0.0))) for one in LEAST], ids=str
)
def test_what_a_frame_does_not_need_takes_no_registers(which: tuple[str, int, float], script: Load) -> None:
    """Neither several samples nor relief: they are constants. Nothing is spilled."""
    machine_code, (precision, samples, light) = script("machine_code"), which
    asked = {"precision": precision, "samples": samples, "parameters": {"light": light}}
    _, code, told = assembled(library(complete(mode="cuda", simulate=True, **asked)), "sm_90")
    text = machine_code.disassembled(code)

    for entry, (registers, instructions) in zip(ENTRIES, LEAST[which], strict=True):
        used = machine_code.used(told.partition(f"'{entry}'")[2])
        assert (used.stack, used.stores, used.loads) == (0, 0, 0)
        assert used.registers <= registers
        assert len(machine_code.read(text, entry).instructions) <= instructions


@pytest.mark.parametrize("gpu", INSTRUCTIONS)
@every_precision
def test_a_mandelbrot_step_takes_few_instructions(precision: str, gpu: str, gpu_library: Library, script: Load) -> None:
    """3 fma and a sum, and in all the rest of a turn about another 1.5 a step at most."""
    machine_code = script("machine_code")
    _, code, _ = assembled(gpu_library("mandelbrot", precision), gpu)

    loop = machine_code.read(machine_code.disassembled(code), ENTRY).stepping

    assert loop.steps == warp.BLOCK
    assert loop.count("floating") / loop.steps <= 4.6
    assert loop.count() / loop.steps <= INSTRUCTIONS[gpu]


# --- how the machine code is read --------------------------------------------------------------------------

TEXT = """
.text.other:
        /*0000*/                   EXIT ;
//--------------------- .text.small --------------------------
.text.small:
        /*0000*/                   MOV R1, c[0x0][0x28] ;
.L_x_1:
        /*0010*/                   DFMA R4, R4, R4, R6 ;
.L_x_0:
        /*0020*/                   DADD R8, R8, R8 ;
        /*0030*/               @P0 BRA `(.L_x_0) ;
        /*0040*/                   IMAD.MOV.U32 R9, RZ, RZ, R4 ;
        /*0048*/                   BRA.DIV UR4, `(.L_x_3) ;
.L_x_4:
        /*0050*/              @!P1 BRA P2, `(.L_x_1) ;
        /*0060*/                   EXIT ;
.L_x_3:
        /*0068*/                   BRA `(.L_x_4) ;
.L_x_2:
        /*0070*/                   BRA `(.L_x_2);
.L_x_9:
"""


def test_loops_are_found_one_in_the_other_without_what_only_a_divided_warp_does(script: Load) -> None:
    kernel = script("machine_code").read(TEXT, "small")

    bodies = [[instruction.name for instruction in loop.instructions] for loop in kernel.loops]

    assert bodies == [["DADD", "BRA"], ["DFMA", "DADD", "BRA", "IMAD.MOV.U32", "BRA.DIV", "BRA"]]
    assert kernel.kinds == {"floating": 2, "move": 2, "control": 6}


def test_an_instruction_is_known_with_its_guard_and_its_aim(script: Load) -> None:
    branch = script("machine_code").read(TEXT, "small").instructions[6]

    assert (branch.address, branch.guard, branch.name, branch.aim) == (0x50, "!P1", "BRA", ".L_x_1")
    assert branch.passes


def test_what_is_not_there_is_said_to_be_absent(script: Load) -> None:
    machine_code = script("machine_code")

    with pytest.raises(machine_code.Absent, match="no kernel named large"):
        machine_code.read(TEXT, "large")
    with pytest.raises(machine_code.Absent, match="no loop"):
        _ = machine_code.read(TEXT, "small").stepping
    with pytest.raises(machine_code.Absent, match="nothing of registers"):
        machine_code.used("")


@pytest.mark.parametrize(("registers", "blocks"), [(32, 16), (33, 12), (64, 8), (127, 4), (128, 4), (255, 2)])
def test_registers_decide_how_many_blocks_fit(registers: int, blocks: int, script: Load) -> None:
    assert script("machine_code").resident(registers, 128, 2048) == blocks
