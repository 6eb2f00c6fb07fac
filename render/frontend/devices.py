"""What this machine can run, and why not the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from render import machine, modes, targets
from render.errors import RenderError
from render.options import complete
from render.targets import simd


def find_devices() -> dict[str, Any]:
    """The document of `devices --json`: CPU, graphics cards, targets and modes, each with a reason if it cannot run.

    `cuda`: the newest CUDA that the driver `runs`, versions of `driver`, `toolkit` and `package` (numba-cuda), null for
    what is not there; what is `missing`, and the command that would `install` it.
    """
    size, instructions = simd.vector_registers()
    from render.runtime.cuda import discovery as cards
    from render.runtime.cuda import software as card_software

    found = cards.find()
    newest = found.cards[0].driver if found.cards else None
    software = card_software.find(newest[0] if newest else 13)
    return {
        "cpu": {
            "name": machine.cpu_name(),
            "cpus": machine.cpus(),
            "instructions": instructions,
            "lanes": size // 4,
            "fma": has_fma(),
        },
        "cards": [card._asdict() | {"used": card in found.usable} for card in found.cards],
        "cuda": {"runs": newest and ".".join(map(str, newest)), **software._asdict(), "reason": found.reason},
        "targets": {
            name: {"missing": (targets.load(name).unavailable_reason() or (None,))[0]} for name in targets.names()
        },
        "modes": {name: _describe_mode(name) for name in modes.names()},
    }


def _describe_mode(name: str) -> dict[str, Any]:
    """Whether a mode runs here; the reason and the way on where it does not."""
    try:
        missing = modes.unavailable_reason(complete(mode=name))
    except RenderError as error:
        missing = (error.cause, error.remedy)
    reason, remedy = missing or (None, None)
    return {"runs": missing is None, "reason": reason, "remedy": remedy}


def has_fma() -> bool:
    """Whether the CPU multiplies and adds in one instruction; without it the bits are the same, but slower made."""
    from render.codegen.host import features

    return bool(features() & {"fma", "fma4", "neon"})


def format_lines(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    cpu = found["cpu"]
    told = [
        f"CPU     {cpu['name']}",
        f"        this process may use {cpu['cpus']} of its cores: so many tiles can be painted at the same instant",
        f"        {cpu['instructions']}: a register holds {cpu['lanes']} samples of float32 (target simd)",
    ]
    if not cpu["fma"]:
        told.append(
            "        it has no fma instruction: pictures are the same, but painting takes several times as long"
        )
    told += [*_format_gpus(found["cards"], found["cuda"]), ""]
    for name, mode in found["modes"].items():
        told.append(f"mode    {name:<12} {'yes' if mode['runs'] else 'no: ' + mode['reason']}")
        if mode["remedy"]:
            told.append(f"{'':<21}{mode['remedy']}")
    return told


def _format_gpus(cards: Sequence[dict[str, Any]], cuda: dict[str, Any]) -> list[str]:
    """The graphics cards, the software for them, and what is missing."""
    told = [
        f"card    {card['name']}, {card['memory'] / 2**30:.0f} GiB, {card['multiprocessors']} multiprocessors, "
        f"compute capability {'.'.join(map(str, card['capability']))}{'' if card['used'] else ' (not used)'}"
        for card in cards
    ]
    parts = [
        f"driver {cuda['driver'] or 'of unknown version'} (runs CUDA {cuda['runs']})" if cuda["runs"] else "",
        f"CUDA toolkit {cuda['toolkit']}" if cuda["toolkit"] else "",
        f"numba-cuda {cuda['package']}" if cuda["package"] else "",
    ]
    here = ", ".join(part for part in parts if part)
    told = told or [f"card    none that can be used: {cuda['reason']}"]
    told += [f"        {here}"] if here else []
    told += [f"        missing for mode cuda: {', '.join(cuda['missing'])}"] if cuda["missing"] else []
    told += [f"        {cuda['install']}"] if cuda["install"] else []
    return told
