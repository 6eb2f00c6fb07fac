"""The whole program is compiled at once, by a numba that the rest of the process does not notice."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from numba.core import registry, types

from render import engine, scene
from render.codegen import cpu_compiler, llvm_module
from render.codegen.program import Program, scalar_program
from render.errors import ModeUnavailable, SceneError
from render.request import Request

SIGNATURE = types.int64(types.int64)
PLAIN = '''
"""Nothing but a colour."""
{more}
def start(x, y, p): return x, y
def step(state, p): return state
def alive(state, p): return state[0] > 1e9
def shade(state, steps, p): return {shade}
'''


def twice(number: int) -> int:
    return 2 * number


inlined_twice = llvm_module.make_inlined(twice)


def four_times(number: int) -> int:
    result: int = inlined_twice(inlined_twice(number))
    return result


@pytest.fixture
def made(ask: Callable[..., Request]) -> Program:
    """A program to compile."""
    return scalar_program(scene.load("mandelbrot"), ask())


@pytest.fixture
def coloured(tmp_path: Path, ask: Callable[..., Request]) -> Callable[..., Program]:
    """The program of a scene whose `shade` and helpers are these."""

    def write(shade: str, more: str = "") -> Program:
        path = tmp_path / "plain.py"
        path.write_text(PLAIN.format(shade=shade, more=more), encoding="utf-8")
        return scalar_program(scene.load(str(path)), ask(scene=str(path)))

    return write


def test_what_is_called_is_in_the_module_and_nothing_else_is_left() -> None:
    whole = llvm_module.compile_module(four_times, SIGNATURE, "answer")

    assert {function.name for function in whole.functions if function.linkage == llvm.Linkage.external} == {"answer"}
    assert not [function.name for function in whole.functions if "twice" in function.name]


def test_a_function_that_is_inlined_is_never_ready_to_be_called(made: Program) -> None:
    cpu_compiler.compile_program(made)
    everybodys = registry.cpu_target.target_context.codegen()

    assert not [name for name in everybodys._engine._defined_symbols if "driver" in name]  # noqa: SLF001
    assert type(everybodys).__module__ == "numba.core.codegen"


@pytest.mark.slow
def test_other_programs_may_use_numba_before_and_after(made: Program) -> None:
    @numba.njit
    def squares(count: int) -> Any:
        return np.array([k * k for k in range(count)])

    assert squares(4).tolist() == [0, 1, 4, 9]
    cpu_compiler.compile_program(made)
    assert squares(4).tolist() == [0, 1, 4, 9]
    assert numba.njit(lambda values: np.sort(values)[0])(np.array([3.0, 1.0, 2.0])) == 1.0


@pytest.mark.slow
def test_two_compilations_give_the_same_code(made: Program) -> None:
    first, second = (llvm.ObjectFileRef.from_data(cpu_compiler.compile_program(made)) for _ in range(2))
    texts = [[part.data() for part in code.sections() if part.is_text()] for code in (first, second)]

    assert texts[0] == texts[1]


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_is_left_as_it_was(collecting: bool, coloured: Callable[..., Program]) -> None:
    try:
        (gc.enable if collecting else gc.disable)()
        with pytest.raises(SceneError, match="nothing"):
            cpu_compiler.compile_program(coloured("nothing(state[0]), 0.5, 0.5"))
        assert gc.isenabled() is collecting
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "more",
    [
        "def tone(x, y):\n    print(1)\n    return x",
        "def tone(x, y):\n    if len((x, y)) < 3:\n        raise ValueError(1)\n    return x",
    ],
    ids=["prints", "raises"],
)
def test_what_needs_python_is_refused_before_it_could_end_the_process(more: str, coloured: Any) -> None:
    with pytest.raises(SceneError):
        cpu_compiler.compile_program(coloured("tone(state[0], state[1]), 0.5, 0.5", more))


def test_functions_that_numba_brings_itself_are_linked(coloured: Any, ask: Callable[..., Request]) -> None:
    more = "def größe(n):\n    return min(n, 3) * 0.125 + len((n, n)) * 0.0625\n"
    made = coloured("größe(5), größe(2), 0.5", more)
    request = replace(ask(scene=made.source), width=8, height=8)
    frames = [engine.draw(replace(request, target=target)) for target in ("python", "scalar")]

    assert len({frame.sha256 for frame in frames}) == 1
    assert llvm.ObjectFileRef.from_data(cpu_compiler.compile_program(made))


def test_numba_that_was_told_to_compile_nothing_is_named(made: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)

    with pytest.raises(ModeUnavailable, match="NUMBA_DISABLE_JIT is set"):
        cpu_compiler.compile_program(made)
