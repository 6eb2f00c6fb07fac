"""The report of `devices`: what this machine can run, and why not the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from render import machine, modes, targets
from render.errors import RenderError
from render.options import complete
from render.targets import simd
from render.wording import count


def find_devices() -> dict[str, Any]:
    """Build the document of `devices --json`: CPU, GPUs, targets and modes, each with a reason if it cannot run.

    `cuda`: the newest CUDA that the driver `runs`, versions of `driver`, `toolkit` and `package` (numba-cuda), null for
    what is not there; what is `missing`, and the command that would `install` it.
    """
    size, instructions = simd.vector_registers()
    from render.runtime.cuda import discovery
    from render.runtime.cuda import software as gpu_software

    discovered = discovery.find()
    newest = discovered.gpus[0].driver if discovered.gpus else None
    software = gpu_software.find(newest[0] if newest else 13)
    return {
        "cpu": {
            "name": machine.cpu_name(),
            "cpus": machine.cpus(),
            "instructions": instructions,
            "lanes": size // 4,
            "fma": has_fma(),
        },
        "cards": [gpu._asdict() | {"used": gpu in discovered.usable} for gpu in discovered.gpus],
        "cuda": {"runs": newest and ".".join(map(str, newest)), **software._asdict(), "reason": discovered.reason},
        "targets": {
            name: {"missing": (targets.load(name).unavailable_reason() or (None,))[0]} for name in targets.names()
        },
        "modes": {name: _describe_mode(name) for name in modes.names()},
    }


def _describe_mode(name: str) -> dict[str, Any]:
    """Tell if a mode runs here; if not, give the reason and what to do."""
    try:
        missing = modes.unavailable_reason(complete(mode=name))
    except RenderError as error:
        missing = (error.cause, error.remedy)
    reason, remedy = missing or (None, None)
    return {"runs": missing is None, "reason": reason, "remedy": remedy}


def has_fma() -> bool:
    """Tell if the CPU has a fused multiply-add; without it the bits are the same, but take longer."""
    from render.codegen.host import cpu_features

    return bool(cpu_features() & {"fma", "fma4", "neon"})


def format_lines(document: dict[str, Any]) -> list[str]:
    """Format the document of `find_devices` for people."""
    cpu = document["cpu"]
    lines = [
        f"CPU     {cpu['name']}",
        f"        this process may use {count(cpu['cpus'], 'CPU')}: {_describe_at_once(cpu['cpus'])}",
        f"        {cpu['instructions']}: a register holds {cpu['lanes']} samples of float32 (target simd)",
    ]
    if not cpu["fma"]:
        lines.append(
            "        it has no fma instruction: the pictures are the same, but painting takes several times as long"
        )
    lines += [*_format_gpus(document["cards"], document["cuda"]), ""]
    for name, mode in document["modes"].items():
        lines.append(f"mode    {name:<12} {'yes' if mode['runs'] else 'no: ' + mode['reason']}")
        if mode["remedy"]:
            lines.append(f"{'':<21}{mode['remedy']}")
    return lines


def _describe_at_once(cpus: int) -> str:
    """Say how many tiles so many CPUs can paint at the same instant."""
    if cpus == 1:
        return "one worker can juggle, but no two can paint at the same instant"
    return f"it can paint {cpus} tiles at the same instant"


def _format_gpus(gpus: Sequence[dict[str, Any]], cuda: dict[str, Any]) -> list[str]:
    """Format the GPUs, their software, and what is missing."""
    lines = [
        f"GPU     {gpu['name']}, {gpu['memory'] / 2**30:.0f} GiB, {gpu['multiprocessors']} multiprocessors, "
        f"compute capability {'.'.join(map(str, gpu['capability']))}{'' if gpu['used'] else ' (not used)'}"
        for gpu in gpus
    ]
    parts = [
        f"driver {cuda['driver'] or 'of unknown version'} (runs CUDA {cuda['runs']})" if cuda["runs"] else "",
        f"CUDA toolkit {cuda['toolkit']}" if cuda["toolkit"] else "",
        f"numba-cuda {cuda['package']}" if cuda["package"] else "",
    ]
    here = ", ".join(part for part in parts if part)
    lines = lines or [f"GPU     none that can be used: {cuda['reason']}"]
    lines += [f"        {here}"] if here else []
    lines += [f"        missing for mode cuda: {'; '.join(cuda['missing'])}"] if cuda["missing"] else []
    lines += [f"        {cuda['install']}"] if cuda["install"] else []
    return lines
