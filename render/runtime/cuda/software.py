"""Find what this machine has to compile for GPUs and to run on them, even where there is none."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from render.codegen import packages
from render.runtime.cuda.discovery import install_command, is_too_old
from render.runtime.cuda.toolkit import LIBRARIES, Toolkit, find_toolkit

KERNEL_MODULE = Path("/proc/driver/nvidia/version")
LONGEST = 80  # letters of a version, as the management library counts them


class Software(NamedTuple):
    """Versions as they are written, None for what is not there. `missing`: what mode cuda lacks besides a GPU.

    install: the command that installs what is missing, None where nothing is.
    """

    driver: str | None
    toolkit: str | None
    package: str | None
    missing: tuple[str, ...]
    install: str | None


def find(
    newest: int = 13,
    toolkit: Callable[[], Toolkit] = find_toolkit,
    management: Callable[[], Any] = lambda: ctypes.CDLL("libnvidia-ml.so.1"),
    kernel_module: Path = KERNEL_MODULE,
) -> Software:
    """Find what is installed. `newest`: the major version of CUDA that the driver runs. Never raises."""
    found = _find_toolkit(toolkit)
    missing = found.missing
    package = packages.find_version("numba-cuda")
    if package is None:
        missing = ("the package numba-cuda", *missing)
    elif is_too_old(package):
        missing = (f"a newer numba-cuda than {package}", *missing)
    return Software(
        driver_version(management, kernel_module),
        ".".join(map(str, found.version)) if found.version > (0, 0) else None,
        package,
        missing,
        install_command(newest) if missing else None,
    )


def _find_toolkit(look: Callable[[], Toolkit]) -> Toolkit:
    """The toolkit, all of it missing where nothing knows how to look."""
    try:
        return look()
    except (ImportError, OSError, AttributeError):
        return Toolkit((0, 0), (), tuple(LIBRARIES.values()))


def driver_version(management: Callable[[], Any], kernel_module: Path = KERNEL_MODULE) -> str | None:
    """The driver's own version (580.159.03), from NVIDIA's management library or its kernel module; None without."""
    try:
        library = management()
        written = ctypes.create_string_buffer(LONGEST)
        if not library.nvmlInit_v2():
            failed = library.nvmlSystemGetDriverVersion(written, LONGEST)
            library.nvmlShutdown()
            if not failed:
                return written.value.decode(errors="replace")
    except (OSError, AttributeError):
        pass  # not installed, or something else of that name
    try:
        told = re.search(r"Kernel Module +(?:for \S+ +)?(\d+\.[\d.]+)", kernel_module.read_text(encoding="utf-8"))
    except OSError:
        return None
    return told and told[1]
