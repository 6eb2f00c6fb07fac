"""The CUDA toolkit, which compiles for GPUs: NVIDIA's libraries, where numba-cuda would find them.

To search for them takes up to a quarter of a second, so what was found is kept with the compiled code, and counts while
the same packages are installed, the same variables are set and the files are as they were. Whoever compiles searches
anew (`find_toolkit`): a run whose code is cached needs no toolkit at all.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from render.codegen import code_cache, packages

LIBRARIES = {  # what numba-cuda loads: the toolkit's name for it, and what it is
    "nvvm": "NVVM, which compiles",
    "nvrtc": "NVRTC, which knows the GPUs",
    "nvJitLink": "nvJitLink, which links",
    "cudart": "the CUDA runtime",
}
PACKAGES = ("nvidia", "cuda", "numba")  # beginnings of the names of those that bring them, or look for them
VARIABLES = ("CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX", "LD_LIBRARY_PATH")  # that lead to them


class Toolkit(NamedTuple):
    """The libraries that compile for GPUs: version, capabilities they compile for (90 is 9.0), what is missing.

    files: where they lie.
    """

    version: tuple[int, int]
    capabilities: tuple[int, ...]
    missing: tuple[str, ...]
    files: tuple[str, ...] = ()


def find_toolkit() -> Toolkit:
    """Find the toolkit as numba-cuda would: packages of this Python first, then the system's toolkit."""
    from cuda import pathfinder

    paths: dict[str, str] = {}
    missing = []
    for name, about in LIBRARIES.items():
        try:
            paths[name] = pathfinder.load_nvidia_dynamic_lib(name).abs_path
        except (RuntimeError, OSError):
            missing.append(about)
    if "nvrtc" not in paths:
        return Toolkit((0, 0), (), tuple(missing))
    compiler = ctypes.CDLL(paths["nvrtc"])
    major, minor, count = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    compiler.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    compiler.nvrtcGetNumSupportedArchs(ctypes.byref(count))
    capabilities = (ctypes.c_int * count.value)()
    compiler.nvrtcGetSupportedArchs(capabilities)
    return Toolkit((major.value, minor.value), tuple(capabilities), tuple(missing), tuple(paths.values()))


def recall_toolkit(find: Callable[[], Toolkit] = find_toolkit) -> Toolkit:
    """Return the toolkit that was found before, if it is still there; else find it, and keep what is found."""
    key = _search_key()
    kept = code_cache.read(key)
    if kept is not None:
        toolkit, stamps = _unpack(kept)
        if stamps == _read_stamps(toolkit.files):
            return toolkit
    toolkit = find()
    stamps = _read_stamps(toolkit.files)
    if not toolkit.missing and stamps:
        code_cache.write(key, json.dumps([toolkit, stamps]).encode())
    return toolkit


def _search_key() -> str:
    """Hash all that decides where the search leads, besides the system's own folders (hex)."""
    variables = [(name, os.environ.get(name)) for name in VARIABLES]
    about = ("toolkit", Toolkit._fields, packages.list_versions(PACKAGES), variables)
    return hashlib.sha256(repr(about).encode()).hexdigest()


def _read_stamps(files: tuple[str, ...]) -> list[list[int]] | None:
    """Read size and time (ns) of files; None where one is missing."""
    try:
        return [[status.st_size, status.st_mtime_ns] for status in map(os.stat, files)]
    except OSError:
        return None


def _unpack(kept: bytes) -> tuple[Toolkit, Any]:
    (version, *lists), stamps = json.loads(kept)
    return Toolkit((version[0], version[1]), *map(tuple, lists)), stamps
