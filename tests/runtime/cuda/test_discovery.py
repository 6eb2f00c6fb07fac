"""What is said about graphics cards: a reason and a remedy for each way in which there is none to use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from ctypes import pointer
from pathlib import Path
from typing import Any

import pytest

from render.codegen import packages
from render.runtime.cuda import discovery as gpus
from render.runtime.cuda.toolkit import Toolkit

ROOT = Path(__file__).parent.parent.parent.parent
TOOLKIT = Toolkit((13, 0), (75, 80, 90, 120), ())


class Driver:
    """Answers like NVIDIA's driver on a machine with so many GPUs; each entry point gives a CUresult."""

    def __init__(
        self, init: int = 0, version: int = 13000, count: int = 1, capability: tuple[int, int] = (9, 0)
    ) -> None:
        attributes = {16: 132, 75: capability[0], 76: capability[1]}
        answers: dict[str, Callable[..., int]] = {
            "cuInit": lambda _: init,
            "cuDriverGetVersion": lambda number: put(number, version),
            "cuDeviceGetCount": lambda number: put(number, count),
            "cuDeviceGet": put,
            "cuDeviceGetName": lambda name, _, device: put(pointer(name), f"GPU {device}".encode()),
            "cuDeviceGetAttribute": lambda number, which, _: put(number, attributes[which]),
            "cuDeviceTotalMem_v2": lambda number, _: put(number, 80 << 30),
        }
        vars(self).update(answers)


def put(reference: Any, value: object) -> int:
    """Store a value where a `byref` or a `pointer` refers to, and report success."""
    target = reference._obj if hasattr(reference, "_obj") else reference.contents  # noqa: SLF001  (ctypes has no other name)
    target.value = value
    return 0


def found(driver: Driver, toolkit: Toolkit = TOOLKIT, environment: dict[str, str] | None = None) -> gpus.Gpus:
    return gpus.find(lambda: driver, lambda: toolkit, {} if environment is None else environment)


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Sets the version of numba-cuda that is installed; None: it is not."""

    def install(number: str | None) -> None:
        monkeypatch.setattr(packages, "find_version", lambda _: number)

    install("0.30.4")
    return install


def test_where_all_is_well_there_is_no_reason() -> None:
    answer = found(Driver(count=2))

    assert (answer.reason, answer.toolkit) == (None, (13, 0))
    assert [gpu.number for gpu in answer.gpus] == [0, 1]
    assert answer.gpus[1]._asdict() == {
        "number": 1,
        "name": "GPU 1",
        "memory": 80 << 30,
        "multiprocessors": 132,
        "capability": (9, 0),
        "driver": (13, 0),
    }


def test_without_a_driver_one_is_to_be_installed() -> None:
    def no_library() -> Any:
        raise OSError("libcuda.so.1: cannot open shared object file")

    answer = gpus.find(no_library, lambda: TOOLKIT, {})

    assert answer.reason == "there is no NVIDIA driver"
    assert "--simulate" in answer.remedy


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (100, "no GPU"),
        (35, "older"),
        (803, "different versions"),
        (34, "stub"),
        (999, "does not answer"),
        (12345, "12345"),
    ],
)
def test_a_driver_that_does_not_start_says_why(code: int, words: str) -> None:
    answer = found(Driver(init=code))

    assert words in str(answer.reason)
    assert answer.remedy
    assert not answer.gpus


def test_a_driver_without_gpus_is_told_from_hidden_gpus() -> None:
    assert found(Driver(count=0)).reason == "the driver finds no GPU"
    assert "CUDA_VISIBLE_DEVICES" in str(found(Driver(init=100), environment={"CUDA_VISIBLE_DEVICES": ""}).reason)


@pytest.mark.parametrize("name", ["NUMBA_DISABLE_CUDA", "NUMBA_ENABLE_CUDASIM"])
def test_what_the_environment_switches_off_stays_off(name: str) -> None:
    assert name in str(found(Driver(), environment={name: "1"}).reason)
    assert found(Driver(), environment={name: "0"}).reason is None


@pytest.mark.parametrize(("driver", "extra"), [(13000, "cu13"), (12040, "cu12")])
def test_a_missing_package_comes_with_the_command_that_suits_the_driver(
    driver: int, extra: str, package: Callable[[str | None], None]
) -> None:
    package(None)

    answer = found(Driver(version=driver))

    assert answer.reason == "the package numba-cuda is not installed"
    assert answer.remedy.startswith(f'pip install "numba-cuda[{extra}]')
    assert answer.gpus, "the GPU itself is there, and said to be"


@pytest.mark.parametrize(("number", "old"), [("0.28.2", True), ("0.30.3", True), ("0.30.4", False), ("1.0", False)])
def test_an_old_package_is_refused(number: str, *, old: bool, package: Callable[[str | None], None]) -> None:
    package(number)

    assert ("too old" in (found(Driver()).reason or "")) == old


def test_missing_parts_of_the_toolkit_are_named() -> None:
    answer = found(Driver(), Toolkit((0, 0), (), ("nvJitLink, which links",)))

    assert "nvJitLink" in str(answer.reason)


@pytest.mark.parametrize(
    ("driver", "words"),
    [
        (Driver(version=12020), "the driver runs CUDA 12.2 and the toolkit here is 13.0"),
        (Driver(capability=(6, 1)), "6.1 is too old for CUDA 13.0"),
        (Driver(capability=(13, 0)), "13.0 is too new for CUDA 13.0"),
    ],
)
def test_driver_gpu_and_toolkit_must_go_together(driver: Driver, words: str) -> None:
    answer = found(driver)

    assert words in str(answer.reason)
    assert answer.remedy


@pytest.mark.parametrize("driver", [Driver(version=12020), Driver(capability=(6, 1))])
def test_a_toolkit_that_is_too_new_is_taken_away_before_an_older_one_comes(driver: Driver) -> None:
    words = found(driver).remedy

    assert 0 < words.index("pip uninstall -y nvidia-nvvm") < words.index('pip install "numba-cuda[cu12]')


def test_gpus_that_the_toolkit_does_not_compile_for_are_left_out() -> None:
    capabilities = iter([(6, 1), (9, 0), (8, 0), (6, 1)])

    class Mixed(Driver):
        def __init__(self) -> None:
            super().__init__(count=4)
            self.of = {number: next(capabilities) for number in range(4)}
            vars(self)["cuDeviceGetAttribute"] = self.attribute

        def attribute(self, number: Any, which: int, device: int) -> int:
            return put(number, {16: 132, 75: self.of[device][0], 76: self.of[device][1]}[which])

    answer = found(Mixed())

    assert answer.reason is None
    assert len(answer.gpus) == 4
    assert [gpu.number for gpu in answer.usable] == [1, 2]


def test_what_nobody_foresaw_is_a_reason_too() -> None:
    answer = gpus.find(object, lambda: TOOLKIT, {})

    assert "AttributeError" in str(answer.reason)


def test_looking_loads_neither_a_compiler_nor_arrays() -> None:
    code = """
import sys
from render.runtime.cuda import discovery
discovery.find()
print(*{name.partition(".")[0] for name in sys.modules} & {"numpy", "numba", "numba_cuda", "llvmlite", "joblib"})
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert run.stdout == "\n"
