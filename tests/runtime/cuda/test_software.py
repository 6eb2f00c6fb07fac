"""What is said of the software for GPUs: versions as they are written, what is missing, how to install it."""

from __future__ import annotations

from ctypes import c_char
from pathlib import Path
from typing import Any

import pytest

from render.codegen import packages
from render.frontend import devices
from render.runtime.cuda import software
from render.runtime.cuda.discovery import Gpu, Gpus
from render.runtime.cuda.software import Software, driver_version, find
from render.runtime.cuda.toolkit import Toolkit

TOOLKIT = Toolkit((13, 5), (75, 90), ())
MODULE = "NVRM version: NVIDIA UNIX {}  580.159.03  Tue Nov  3 00:00:00 UTC 2026\nGCC version: 13.3.0\n"


class Management:
    """NVIDIA's management library: starts with `init`, and gives this version."""

    def __init__(self, written: str, init: int = 0) -> None:
        self.written, self.init = written, init
        self.open = 0

    def nvmlInit_v2(self) -> int:  # noqa: N802  (the library's names)
        self.open += not self.init
        return self.init

    def nvmlShutdown(self) -> int:  # noqa: N802
        self.open -= 1
        return 0

    def nvmlSystemGetDriverVersion(self, place: Any, length: int) -> int:  # noqa: N802
        assert len(place) == length
        assert isinstance(place[0], bytes)
        assert place._type_ is c_char
        place.value = self.written.encode()
        return 0


def nothing() -> Any:
    raise OSError("libnvidia-ml.so.1: cannot open shared object file")


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_version", lambda _: None)


def test_the_driver_tells_its_version() -> None:
    library = Management("580.159.03")

    assert driver_version(lambda: library, Path("nowhere")) == "580.159.03"
    assert not library.open, "it is closed again"


@pytest.mark.parametrize("words", ["x86_64 Kernel Module", "Open Kernel Module for x86_64"])
@pytest.mark.parametrize("library", [nothing, lambda: Management("", init=9), object])
def test_without_its_library_the_kernel_module_is_asked(library: Any, words: str, tmp_path: Path) -> None:
    written = tmp_path / "version"
    written.write_text(MODULE.format(words))

    assert driver_version(library, written) == "580.159.03"
    assert driver_version(library, tmp_path / "none") is None


def test_where_all_is_there_nothing_is_to_be_installed() -> None:
    found = find(13, lambda: TOOLKIT, lambda: Management("580.1"))

    assert (found.driver, found.toolkit, found.missing, found.install) == ("580.1", "13.5", (), None)


@pytest.mark.usefixtures("no_package")
@pytest.mark.parametrize(("newest", "extra"), [(13, "cu13"), (12, "cu12")])
def test_what_is_missing_comes_with_the_command_that_installs_it(newest: int, extra: str) -> None:
    def unknown() -> Toolkit:
        raise ImportError("cuda.pathfinder")

    found = find(newest, unknown, nothing, Path("nowhere"))

    assert found.missing[0] == "the package numba-cuda"
    assert "nvJitLink, which links" in found.missing
    assert found.install is not None
    assert found.install.startswith(f'pip install "numba-cuda[{extra}]')


def test_devices_tells_each_gpu_and_its_software(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = [
        Gpu(number, name, 80 << 30, 132, capability, (13, 0))
        for number, name, capability in ((0, "NVIDIA H100", (9, 0)), (1, "Old GPU", (6, 1)))
    ]
    monkeypatch.setattr("render.runtime.cuda.discovery.find", lambda: Gpus(tuple(gpus), None, "", (13, 5), (gpus[0],)))
    monkeypatch.setattr(software, "find", lambda _: Software("580.159", "13.5", "0.30.4", (), None))

    found = devices.find_devices()
    told = "\n".join(devices.format_lines(found))

    assert [gpu["used"] for gpu in found["cards"]] == [True, False]
    assert found["cuda"]["runs"] == "13.0"
    assert "NVIDIA H100, 80 GiB, 132 multiprocessors, compute capability 9.0\n" in told
    assert "compute capability 6.1 (not used)" in told
    assert "driver 580.159 (runs CUDA 13.0), CUDA toolkit 13.5, numba-cuda 0.30.4" in told
