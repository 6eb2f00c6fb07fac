"""Find the GPUs, and the reason why mode cuda cannot run on them, without loading numba.

The driver is asked through ctypes (a few entry points that have not changed for ten years), the packages through
their installers' records, the toolkit's libraries where numba-cuda itself would look for them. Each way in which that
can fail has its own reason and its own remedy, so that nobody has to read a traceback to learn that a package is
missing.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from render.codegen import packages
from render.runtime.cuda.driver import driver_library
from render.runtime.cuda.toolkit import Toolkit, recall_toolkit

OLDEST_NUMBA_CUDA = (0, 30, 4)  # the first that works with numba 0.67
WANTED = "numba-cuda[cu{major}]>=0.30.4,<0.31"
NEWEST_TOOLKIT = ("nvidia-nvvm", "nvidia-cuda-nvrtc", "nvidia-cuda-runtime", "nvidia-nvjitlink")  # CUDA 13's packages
SIMULATE = "add --simulate to see the same code in the simulator"
DRIVER = f"install NVIDIA's driver if this machine has a GPU of NVIDIA, or {SIMULATE}"
SET_OUT = ("", "0")  # values of a NUMBA_ variable that mean no

INIT_FAILURES = {  # of cuInit, by CUresult
    2: ("the driver has no memory to start with", "end other programs"),
    34: (
        "the CUDA library found is a stub without a driver behind it",
        "take the stubs folder out of the library path",
    ),
    35: ("the driver is older than its CUDA library", "update NVIDIA's driver"),
    36: ("the driver is older than its CUDA library", "update NVIDIA's driver"),
    46: ("the GPU is taken by another program, or is being reset", "try again when it is free"),
    100: ("the driver finds no GPU", SIMULATE),
    101: ("the GPU that CUDA_VISIBLE_DEVICES names is not there", "name one that `nvidia-smi -L` lists"),
    802: (
        "the driver is not ready (on machines with NVSwitch, the fabric manager is not)",
        "start nvidia-fabricmanager",
    ),
    803: ("the driver's library and its kernel module are of different versions", "restart the machine"),
    804: ("the GPU does not take the CUDA compatibility package", "remove cuda-compat, or update NVIDIA's driver"),
    999: ("the driver does not answer", "see what nvidia-smi says; restarting the machine often helps"),
}


class Gpu(NamedTuple):
    """One GPU. `memory` in bytes; `capability` and `driver` (the newest CUDA it runs) as (major, minor)."""

    number: int
    name: str
    memory: int
    multiprocessors: int
    capability: tuple[int, int]
    driver: tuple[int, int]


class Gpus(NamedTuple):
    """The GPUs of this machine. `reason` says why mode cuda cannot run (None: it can), `remedy` what to do.

    usable: those that mode cuda paints on, all whose compute capability the toolkit compiles for.
    """

    gpus: tuple[Gpu, ...]
    reason: str | None
    remedy: str
    toolkit: tuple[int, int] | None = None
    usable: tuple[Gpu, ...] = ()


class Unusable(Exception):
    """Why mode cuda cannot run here, and the remedy."""


def find(
    driver: Callable[[], Any] | None = None,
    toolkit: Callable[[], Toolkit] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Gpus:
    """All GPUs, and which of them mode cuda can use. Never raises; no context is made on a GPU.

    `driver` gives the CUDA driver's library (raising OSError where there is none), `toolkit` what compiles for it.
    """
    gpus: tuple[Gpu, ...] = ()
    found: Toolkit | None = None
    try:
        _check_environment(environment)
        library = _start_driver((driver or driver_library)(), environment)
        gpus = tuple(_list_gpus(library))
        _check_package(gpus[0])
        found = (toolkit or recall_toolkit)()
        usable = tuple(_list_usable(found, gpus))
    except Unusable as why:
        reason, remedy = why.args
        return Gpus(gpus, reason, remedy, found and found.version)
    except OSError:
        return Gpus((), "there is no NVIDIA driver", DRIVER)
    except Exception as error:  # noqa: BLE001  (it is told as the reason, whatever it is)
        return Gpus(gpus, f"looking for GPUs failed: {type(error).__name__}: {error}", SIMULATE)
    return Gpus(gpus, None, "", found.version, usable)


def install_command(major: int = 13) -> str:
    """The command that installs what compiles for GPUs whose driver runs CUDA `major`."""
    return f'pip install "{WANTED.format(major=min(max(major, 12), 13))}"'


def exchange_command(major: int) -> str:
    """The commands that put a toolkit for CUDA `major` in the place of a newer one.

    The newer one's packages go first: pip leaves them, and they are found before the older one's.
    """
    return f"pip uninstall -y {' '.join(NEWEST_TOOLKIT)} && {install_command(major)}"


def _check_environment(environment: Mapping[str, str]) -> None:
    """Variables by which the user has already decided."""
    if environment.get("NUMBA_DISABLE_CUDA", "") not in SET_OUT:
        raise Unusable("NUMBA_DISABLE_CUDA is set", "unset it")
    if environment.get("NUMBA_ENABLE_CUDASIM", "") not in SET_OUT:
        raise Unusable("NUMBA_ENABLE_CUDASIM is set, so numba compiles nothing for a GPU", f"unset it, or {SIMULATE}")


def _start_driver(library: Any, environment: Mapping[str, str]) -> Any:
    """The library once `cuInit` has succeeded. Raises Unusable."""
    code = library.cuInit(0)
    if not code:
        return library
    reason, remedy = INIT_FAILURES.get(
        code, (f"the driver does not start (CUDA error {code})", "see what nvidia-smi says")
    )
    hidden = environment.get("CUDA_VISIBLE_DEVICES")
    if code == 100 and hidden is not None:
        reason, remedy = f"CUDA_VISIBLE_DEVICES is {hidden!r}, which leaves no GPU", "unset it"
    raise Unusable(reason, remedy)


def _read_number(function: Any, kind: type[ctypes.c_int | ctypes.c_size_t], *arguments: Any) -> int:
    """The number that a function of the driver gives through its first argument. Raises Unusable."""
    number = kind()
    code = function(ctypes.byref(number), *arguments)
    if code:
        raise Unusable(f"the driver does not describe its GPUs (CUDA error {code})", "see what nvidia-smi says")
    return int(number.value)


def _list_gpus(library: Any) -> Iterator[Gpu]:
    """Each GPU as the driver describes it. Raises Unusable where there is none."""
    encoded = _read_number(library.cuDriverGetVersion, ctypes.c_int)
    newest = encoded // 1000, encoded % 1000 // 10
    count = _read_number(library.cuDeviceGetCount, ctypes.c_int)
    if not count:
        raise Unusable("the driver finds no GPU", SIMULATE)
    for number in range(count):
        device = _read_number(library.cuDeviceGet, ctypes.c_int, number)
        name = ctypes.create_string_buffer(256)
        library.cuDeviceGetName(name, 256, device)

        def attribute(which: int, device: int = device) -> int:
            return _read_number(library.cuDeviceGetAttribute, ctypes.c_int, which, device)

        memory = _read_number(library.cuDeviceTotalMem_v2, ctypes.c_size_t, device)
        # CU_DEVICE_ATTRIBUTE_: MULTIPROCESSOR_COUNT 16, COMPUTE_CAPABILITY_MAJOR 75 and _MINOR 76
        called = name.value.decode(errors="replace")
        yield Gpu(number, called, memory, attribute(16), (attribute(75), attribute(76)), newest)


def _check_package(gpu: Gpu) -> None:
    """Raise Unusable where numba-cuda is missing or too old."""
    have = packages.find_version("numba-cuda")
    if have is None:
        raise Unusable("the package numba-cuda is not installed", install_command(gpu.driver[0]))
    if is_too_old(have):
        raise Unusable(f"numba-cuda {have} is too old", install_command(gpu.driver[0]))


def is_too_old(have: str) -> bool:
    """Test whether this version of numba-cuda does not work with numba here."""
    return tuple(int(part) for part in have.split(".")[:3] if part.isdigit()) < OLDEST_NUMBA_CUDA


def _list_usable(toolkit: Toolkit, gpus: tuple[Gpu, ...]) -> Iterator[Gpu]:
    """The GPUs that the toolkit compiles for. Raises Unusable, with the first GPU's reason, where there is none."""
    _check_toolkit(toolkit, gpus[0])
    reasons = []
    for gpu in gpus:
        try:
            _check_capability(toolkit, gpu)
        except Unusable as why:
            reasons.append(why)
        else:
            yield gpu
    if len(reasons) == len(gpus):
        raise reasons[0]


def _check_toolkit(toolkit: Toolkit, gpu: Gpu) -> None:
    """Raise Unusable where a part of the toolkit is missing, or it does not go with the driver."""
    newest = gpu.driver[0]
    if toolkit.missing:
        raise Unusable(f"a part of the CUDA toolkit is missing: {', '.join(toolkit.missing)}", install_command(newest))
    if toolkit.version[0] > newest:
        runs, here = _join_version(gpu.driver), _join_version(toolkit.version)
        older = f", or {exchange_command(newest)}" if newest >= 12 else ""
        raise Unusable(f"the driver runs CUDA {runs} and the toolkit here is {here}", f"update NVIDIA's driver{older}")


def _check_capability(toolkit: Toolkit, gpu: Gpu) -> None:
    """Raise Unusable for a GPU that the toolkit does not compile for."""
    capability = 10 * gpu.capability[0] + gpu.capability[1]
    has, here = _join_version(gpu.capability), _join_version(toolkit.version)
    if capability < min(toolkit.capabilities):
        older = "there is no older one that numba-cuda takes"
        if toolkit.version[0] > 12:
            older = f"or {exchange_command(12)}"
        raise Unusable(f"the GPU's compute capability {has} is too old for CUDA {here}", f"{SIMULATE}, {older}")
    if capability // 10 > max(toolkit.capabilities) // 10:
        raise Unusable(
            f"the GPU's compute capability {has} is too new for CUDA {here}",
            f"{install_command(gpu.driver[0])} --upgrade",
        )


def _join_version(numbers: tuple[int, int]) -> str:
    return f"{numbers[0]}.{numbers[1]}"
