"""The benchmarks' references count and paint what the program does, so that their times mean something."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from render import engine
from render.options import complete
from render.pictures.png_writer import encode_png
from render.request import Request
from tests.conftest import library
from tests.gpu_driver import GPU, Driver
from tests.ptx.lanes import Grid, packed
from tests.ptx.machine import Machine
from tests.ptx.text import parse

FOLDER = Path(__file__).parent.parent / "benchmarks"
MEASURING = sorted(
    path.stem for path in FOLDER.glob("*.py") if "description=__doc__" in path.read_text(encoding="utf-8")
)
PLACES = ({"zoom": 1.6}, {"x": -0.743643887037151, "y": 0.13182590420533, "zoom": 1e5}, {"x": -0.1, "zoom": 40.0})

Load = Callable[[str], ModuleType]


def asked(parameters: dict[str, float], precision: str, **more: Any) -> Request:
    return complete(
        scene=str(FOLDER / "references" / "bare_mandelbrot.py"),
        parameters=parameters | {"shortcuts": 0},
        size=(67, 35),  # no multiple of any vector's length
        samples=1,
        limit=300,
        precision=precision,
        mode="sequential",
        **more,
    )


def steps(request: Request) -> np.ndarray:
    counted = engine.draw(request).steps
    assert counted is not None
    return counted


@pytest.fixture(scope="module")
def by_hand(script: Load) -> Any:
    try:
        return script("peers.cpp").HandWritten()
    except script("harness.cases").Absent as absent:
        pytest.skip(f"no C++ loop here: {absent}")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["f64", "f32"])
@pytest.mark.parametrize("place", PLACES)
def test_the_hand_written_loop_counts_as_the_program_does(
    script: Load, by_hand: Any, place: dict[str, float], precision: str
) -> None:
    request = asked(place, precision)
    out = np.full((request.height, request.width), -1, np.int32)
    by_hand.counts(script("harness.program").frame_of(request), out)

    assert np.array_equal(out, steps(request))


class Loaded(Driver):
    """A GPU that carries out the assembler's language of references/mandelbrot.cu."""

    def __init__(self) -> None:
        super().__init__()
        self.polls = 1 << 30  # the GPU is always busy with what was handed over before
        self.done["cuModuleGetFunction"] = lambda text, name: parse(text.decode(), name.decode())
        self.done["cuOccupancyMaxActiveBlocksPerMultiprocessor"] = lambda *_: 2
        self.done["cuMemcpyDtoH"] = lambda here, there, size: ctypes.memmove(
            here, self.gpu.bytes(int(there), size).ctypes.data, size
        )

    def launch(self, function: Any, *rest: Any) -> None:
        """Carry it out for all threads."""
        Machine(function, self.gpu, Grid(rest[:3], rest[3:6]), processors=GPU.multiprocessors).run(packed(rest[-2]))


@pytest.fixture
def bench(script: Load, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The GPU of the benchmarks, imitated."""
    nvrtc, module = script("gpu.nvrtc"), script("gpu.bench")
    compile_reference = nvrtc.compile_reference

    def compile_to_assembly(*asked: Any, **defined: Any) -> Any:
        made = compile_reference(*asked, **defined)
        return made._replace(machine=made.assembly)

    monkeypatch.setattr(nvrtc, "compile_reference", compile_to_assembly)
    monkeypatch.setattr(module, "load_driver", Loaded)
    monkeypatch.setattr(module, "DELAY_BYTES", 64)
    return module.Bench(GPU)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["f64", "f32"])
@pytest.mark.parametrize("place", PLACES)
def test_the_kernel_written_by_hand_for_a_gpu_counts_as_the_program_does(
    script: Load, bench: Any, place: dict[str, float], precision: str
) -> None:
    request = asked(place, precision)
    by_hand = script("gpu.by_hand").Reference(bench, request)

    assert by_hand.seconds() > 0
    assert np.array_equal(by_hand.counts(), steps(request))


def test_the_programs_kernel_is_timed_as_the_one_written_by_hand_is(
    script: Load, bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the same two events, after it has painted what the CPU paints and made as many steps."""
    from render.codegen import cuda_code, cuda_compiler

    request = complete(size=(24, 9), samples=1, limit=60, mode="cuda", simulate=True)
    request = replace(request, simulate=False)
    code = cuda_compiler.emit_ptx(library(request), GPU.capability).encode()
    monkeypatch.setattr(cuda_code, "load_machine_code", lambda *_: code)
    with script("gpu.program").programs(bench, painted=request) as made:
        bench.driver.calls.clear()

        assert made["painted"].seconds() > 0
        assert [name for name in bench.driver.calls if "cuMemset" not in name] == [
            *2 * ["cuLaunchKernel"],
            "cuEventRecord",
            *2 * ["cuLaunchKernel"],
            "cuEventRecord",
            "cuEventQuery",
            "cuEventSynchronize",
            "cuEventElapsedTime",
        ]
        assert made["painted"].on_host() > 0


def test_a_work_is_put_in_more_often_until_the_gpu_is_busy_with_it(bench: Any) -> None:
    done: list[str] = []
    bench.driver.polls = 1  # one answer "not ready", and then all is done at once

    bench.seconds(lambda: done.append("work"), before=lambda: done.append("before"))
    assert done == ["before", "work"] * 2
    bench.seconds(lambda: done.append("work"))
    assert done.count("work") == 2 + 2 + 3 + 5


def test_a_loop_that_issues_more_takes_longer(script: Load) -> None:
    issue = script("harness.core_limit").numba_issue("f64")
    timed = script("harness.timing").timed

    few, many = (min(timed(lambda n=n: issue(n, True))() for _ in range(5)) for n in (2_000, 200_000))

    assert many > 10 * few


@pytest.mark.parametrize("name", MEASURING)
def test_a_benchmark_says_how_it_is_used(name: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(FOLDER.parent)}
    run = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), "--help"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"python benchmarks/{name}.py" in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "shortcuts"), [("f64", 0), ("f32", 1)])
def test_the_designs_written_by_hand_paint_what_the_program_does(
    script: Load, bench: Any, precision: str, shortcuts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`works` compares their pictures; samples are followed beyond the first pass."""
    from render.codegen import cuda_code, cuda_compiler

    designs = script("gpu.designs")
    view = {"x": -0.743643887037151, "y": 0.13182590420533, "zoom": 1e3, "shortcuts": shortcuts}
    request = complete(
        size=(24, 9), samples=1, limit=400, precision=precision, parameters=view, mode="cuda", simulate=True
    )
    code = cuda_compiler.emit_ptx(library(request), GPU.capability).encode()
    monkeypatch.setattr(cuda_code, "load_machine_code", lambda *_: code)
    with script("gpu.program").programs(bench, painted=replace(request, simulate=False)) as made:
        works = dict(designs.ByHand(bench, made["painted"]).works())

    assert tuple(works) == script("sections.designs").DESIGNS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "name"), [("designs", "whole f32, shortcuts"), ("gpu", "whole set f64"), ("gpu", "interior f32")]
)
def test_a_group_of_a_gpu_is_measured_whole(
    script: Load, bench: Any, section: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its preparation to its samples, in a small frame: each picture is equal, and no case is left out."""
    from render.codegen import cuda_code, cuda_compiler

    def load_code(made: Any, *_: object) -> bytes:
        return cuda_compiler.emit_ptx(cuda_compiler.compile_kernels(made, GPU.capability), GPU.capability).encode()

    gpu, ceilings, ask = script("sections.gpu"), script("gpu.ceilings"), script("sections.gpu").ask
    for module, values in (
        (gpu, {"SIZE": (24, 9), "SQUARE": (16, 4), "DEEP": 240, "open_bench": lambda: bench}),
        (gpu, {"ask": lambda **options: ask(**options | {"limit": 240})}),  # more than the first pass makes
        (ceilings, {"TURNS": 2, "THREADS": 32, "BLOCKS": 1}),
        (script("gpu.bench"), {"AHEAD": (1,)}),
        (cuda_code, {"load_machine_code": load_code}),
    ):
        for word, value in values.items():
            monkeypatch.setattr(module, word, value)
    group = next(one for one in script("harness.cases").groups(section, quick=False) if one.name == name)

    rows = script("harness.process").measure_group(group, 0.01)["cases"]

    assert [row["case"] for row in rows] == list(group.names)
    assert not [row["reason"] for row in rows if "reason" in row]
    assert all(row["samples"] and row["equal"] is not False for row in rows)
    assert [row["case"] for row in rows if not row["equal"]] == [one for one in group.names if one == gpu.LIMIT]


def run_card(*words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(FOLDER.parent), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(FOLDER / "card.py"), *words, "--passes", "1"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_without_a_gpu_nothing_is_measured() -> None:
    run = run_card("ceilings", "--precision", "f64")

    assert run.returncode == 1
    assert "nothing is measured: " in run.stdout


@pytest.mark.slow
def test_what_a_further_tile_costs_the_host_needs_no_gpu() -> None:
    run = run_card("host")

    assert run.returncode == 0
    cost = re.search(r"^host: ([\d.]+) us for each further tile$", run.stdout, re.MULTILINE)
    assert cost is not None
    assert float(cost[1]) > 0


def test_every_script_reference_and_section_has_its_place_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")

    files = {path.name for pattern in ("*.py", "references/*.[cm]*") for path in FOLDER.glob(pattern)}
    sections = {f"`{path.stem}`" for path in FOLDER.glob("sections/[!_]*.py")}

    assert {name for name in files | sections if name not in readme} == set()


@pytest.mark.slow
def test_a_large_frame_is_compared_with_windows_of_it_before_it_is_timed(script: Load, tmp_path: Path) -> None:
    large, differ, file = script("sections.large"), script("harness.cases").Differ, tmp_path / "a.png"
    frame = engine.draw(complete(size=(300, 300), mode="sequential"))
    frame.save(file)
    large.check_file(file, 300, frame.sha256)
    with pytest.raises(differ, match="pictures"):
        large.check_file(file, 300, "0" * 64)
    rgb = frame.rgb.copy()
    rgb[-1, -1] ^= 1
    file.write_bytes(encode_png(rgb))
    with pytest.raises(differ, match="colours"):
        large.check_file(file, 300, hashlib.sha256(rgb.tobytes()).hexdigest())
