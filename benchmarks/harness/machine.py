"""What a run's record says of its machine: enough to judge and to repeat it, and nothing that names its owner."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PACKAGES = (
    *("render", "numpy", "numba", "llvmlite", "joblib", "pillow", "isal", "numba-cuda"),
    *("taichi", "mojo", "cupy-cuda12x", "cupy-cuda13x", "pyperf"),
)
# those that decide how wide vectors are
FEATURES = ("sse2", "avx", "avx2", "fma", "avx512f", "avx512dq", "neon", "sve")
CPUFREQ, SMT = Path("/sys/devices/system/cpu/cpu0/cpufreq"), Path("/sys/devices/system/cpu/smt/active")
IDENTITY = ("cpu", "cpus", "cpus_machine", "memory_gb", "gpus")  # two runs with equal ones are of one machine


def describe() -> dict[str, Any]:
    """Describe this machine, its software and this source tree."""
    from render import machine
    from render.codegen.host import cpu_features

    facts = machine.describe_machine()
    have = cpu_features()
    gpus, gpu_reason = _gpus()
    return {
        "cpu": facts["cpu"],
        "features": [name for name in FEATURES if name in have],
        "cpus": facts["cpus"],
        "cpus_machine": facts["cpus_machine"],
        "affinity": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "cpus_quota": facts["cpus_quota"],
        "threads_a_core": _text(SMT) and ("2" if _text(SMT) == "1" else "1"),
        "virtual": "hypervisor" in _flags(),
        "clock_mhz": _clock(),
        "governor": _text(CPUFREQ / "scaling_governor"),
        "memory_gb": round(machine.memory() / 2**30, 1),
        "load_before": machine.load(),
        "gpus": gpus,
        "gpu_reason": gpu_reason,
        "system": facts["system"],
        "python": platform.python_version(),
        "free_threaded": not getattr(sys, "_is_gil_enabled", lambda: True)(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "compiler": _compiler(),
        "commit": _commit(),
    }


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two records are of one machine, as far as records can."""
    return all(one.get(name) == other.get(name) for name in IDENTITY)


def _gpus() -> tuple[list[dict[str, Any]], str | None]:
    """The GPUs that mode cuda can use, or why there are none."""
    from render.runtime.cuda import discovery

    found = discovery.find()
    gpus = [
        {
            "name": gpu.name,
            "multiprocessors": gpu.multiprocessors,
            "memory_gb": round(gpu.memory / 2**30, 1),
            "capability": ".".join(map(str, gpu.capability)),
            "driver": ".".join(map(str, gpu.driver)),
        }
        for gpu in (found.gpus if found.reason is None else ())
    ]
    return gpus, found.reason


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None


def _flags() -> set[str]:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("flags"):
                return set(line.split(":", 1)[1].split())
    return set()


def _clock() -> dict[str, float] | None:
    """The clock in MHz as the system tells it: now, and at most; None where it does not."""
    now, most = _text(CPUFREQ / "scaling_cur_freq"), _text(CPUFREQ / "cpuinfo_max_freq")
    if now:
        return {"now": float(now) / 1e3} | ({"most": float(most) / 1e3} if most else {})
    with suppress(OSError, ValueError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("cpu MHz"):
                return {"now": float(line.split(":", 1)[1])}
    return None


def _compiler() -> str | None:
    """The first line that the C++ compiler says of itself; None where there is none."""
    from peers.cpp import compiler

    try:
        told = subprocess.run([compiler(), "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    except Exception:  # noqa: BLE001  (absent, or not to be run: the case that needs it says why)
        return None
    return told.stdout.partition("\n")[0] or None


def _commit() -> dict[str, Any] | None:
    """The commit of this source tree, and whether files differ from it; None outside of git."""
    hashed = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--", "render", "scenes", "benchmarks")
    if hashed is None or changed is None:
        return None
    return {"hash": hashed.strip(), "changed": bool(changed.strip())}


def _git(*words: str) -> str | None:
    try:
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        return None
