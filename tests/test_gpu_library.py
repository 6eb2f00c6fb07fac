"""Mode cuda down to what a driver is handed: a stand-in for the driver's library is compiled and takes every call.

As a user would see it, in a process of its own; launches are emulated.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from render import draw
from tests.conftest import HANGING

FOLDER = Path(__file__).parent / "fake_cuda"
OPTIONS = "--size 24x16 --tile 16 --samples 1 --limit 20 --out picture.npz"
Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the stand-in for the driver's library."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs Linux and a C compiler, to make a stand-in for NVIDIA's driver")
    folder = tmp_path_factory.mktemp("driver")
    flags = ["-shared", "-fPIC", "-O1", "-Wl,-soname,libcuda.so.1", "-o", str(folder / "libcuda.so.1")]
    subprocess.run([compiler, *flags, str(FOLDER / "libcuda.c"), "-lpthread", "-ldl"], check=True)
    return folder


@pytest.fixture
def program(library: Path, tmp_path: Path) -> Program:
    """Runs the program with such GPUs: `program("devices", FAKE_GPUS="2")`; interrupted: when it has launched."""

    def run(
        arguments: str, *options: str, module: str = "program", interrupted: bool = False, **gpus: str
    ) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(library), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])
        more = {"LD_LIBRARY_PATH": path, "PYTHONPATH": str(FOLDER.parent.parent), "FAKE_REPORT": "left"}
        words = [sys.executable, *options, "-m", f"tests.fake_cuda.{module}", *arguments.split()]
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("CUDA_VISIBLE", "NUMBA_"))}
        environment = ours | more | gpus
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(words, env=environment, cwd=tmp_path, **pipes) as child:
            while interrupted and child.poll() is None and not (tmp_path / "launched").exists():
                time.sleep(0.05)
            if interrupted:
                time.sleep(0.3)  # now the launch has been handed over
                child.send_signal(signal.SIGINT)
            try:
                out, told = child.communicate(timeout=HANGING)
            finally:
                child.kill()
        return subprocess.CompletedProcess(words, child.returncode, out, told)

    return run


COMPILING = {"numba", "numba_cuda", "llvmlite", "cuda", "nvidia"}
ELSEWHERE = {"PIL", "asyncio", "concurrent", "email", "html", "difflib", "joblib", "logging", "multiprocessing", "rich"}
SELDOM = {"importlib.metadata", "numpy.ma", "subprocess", "tempfile", "render.comparison", "render.runtime.simulator"}


def test_a_run_whose_code_is_cached_imports_what_it_needs_and_starts_the_driver_first(program: Program) -> None:
    """Each of these takes longer to import than a frame to paint, and what imports holds up what starts the GPU."""
    small = "--mode cuda --size 8x4 --samples 1 --limit 1 --out picture.png"
    program(small)
    run = program(small, "-X", "importtime", module="bare")

    assert run.returncode == 0, run.stderr[-2000:]
    imported = [line.rpartition("|")[2].strip() for line in run.stderr.splitlines()]
    imported = imported[imported.index("site") :]  # before it, what Python and packages import at its start
    assert not SELDOM & set(imported)
    assert not (COMPILING | ELSEWHERE) & {name.partition(".")[0] for name in imported}
    assert imported.index("the driver starts") < imported.index("numpy")


def test_a_gpu_is_found_and_described(program: Program) -> None:
    run = program("devices", FAKE_DRIVER="13020")

    assert "GPU     NVIDIA H100, 79 GiB, 132 multiprocessors, compute capability 9.0" in run.stdout
    assert "(runs CUDA 13.2)" in run.stdout
    assert "mode    cuda         yes" in run.stdout


@pytest.mark.parametrize(
    "gpus",
    [
        pytest.param({"FAKE_GPUS": "2", "FAKE_DELAY_US": "500"}, marks=pytest.mark.slow),
        {"FAKE_GPUS": "2", "FAKE_FAIL": "cuLaunchKernel@1:3:719"},
        {"FAKE_FAIL": "cuMemHostAlloc@0:2:2"},
    ],
    ids=["two", "two, one lost", "memory for one stream"],
)
def test_the_picture_is_that_of_the_cpu(gpus: dict[str, str], program: Program, tmp_path: Path) -> None:
    expected = draw(mode="sequential", target="python", size="24x16", samples=1, limit=20)

    run = program(f"--mode cuda {OPTIONS}", **gpus)

    assert run.returncode == 0, run.stderr
    with np.load(tmp_path / "picture.npz") as picture:
        assert np.array_equal(picture["rgb"], expected.rgb)
        assert np.array_equal(picture["steps"], np.asarray(expected.steps))
    assert ("a GPU failed" in run.stderr) == ("719" in gpus.get("FAKE_FAIL", ""))
    if "719" not in gpus.get("FAKE_FAIL", ""):
        assert (tmp_path / "left").read_text().endswith("others 0\n"), "all but the context is given back"


@pytest.mark.parametrize(
    ("failure", "code", "words"),
    [
        ("cuLaunchKernel@0:5:719", 4, "failed: LaunchFailed: CUDA_ERROR_LAUNCH_FAILED (tiles 0 were"),
        ("cuEventQuery@0:1:999", 1, "the GPU was lost (CUDA_ERROR_UNKNOWN)"),
    ],
)
def test_a_failure_is_told_in_words(failure: str, code: int, words: str, program: Program) -> None:
    run = program(f"--mode cuda --quiet {OPTIONS}", FAKE_FAIL=failure)

    assert run.returncode == code
    assert words in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("failure", "code", "words"), [("", 130, "interrupted"), ("cuEventQuery@0:3:400", 4, "INVALID_HANDLE")]
)
def test_a_launch_of_minutes_holds_nobody_up(failure: str, code: int, words: str, program: Program) -> None:
    """Neither Control-C nor a failure. Each launch takes longer than the test would wait."""
    taken_us = str(3 * HANGING * 1_000_000)

    run = program(
        f"--mode cuda {OPTIONS} --tile 24x16", FAKE_DELAY_US=taken_us, FAKE_FAIL=failure, interrupted=not failure
    )

    assert run.returncode == code, run.stderr
    assert words in run.stderr
