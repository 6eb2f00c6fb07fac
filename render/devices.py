"""What this machine can run, and why not the rest."""

from __future__ import annotations

from typing import Any

from render import machine, modes, targets
from render.errors import RenderError
from render.options import complete
from render.targets import simd


def find() -> dict[str, Any]:
    """The document of `devices --json`: CPU, graphics cards, targets and modes, each with a reason if it cannot run."""
    size, instructions = simd.registers()
    from render import cards

    found = cards.find()
    return {
        "cpu": {
            "name": machine.cpu_name(),
            "cpus": machine.cpus(),
            "instructions": instructions,
            "lanes": size // 4,
            "fma": has_fma(),
        },
        "cards": [card._asdict() for card in found.cards],
        "targets": {name: {"missing": targets.load(name).missing()} for name in targets.names()},
        "modes": {name: _mode(name) for name in modes.names()},
    }


def _mode(name: str) -> dict[str, Any]:
    """Whether a mode runs here; the reason and the way on where it does not."""
    try:
        missing = modes.load(name).missing(complete(mode=name))
    except RenderError as error:
        missing = (error.cause, error.remedy)
    reason, remedy = missing or (None, None)
    return {"runs": missing is None, "reason": reason, "remedy": remedy}


def has_fma() -> bool:
    """Whether the CPU multiplies and adds in one instruction; without it the bits are the same, but slower made."""
    from render.compiler.native import features

    return bool(features() & {"fma", "fma4", "neon"})


def lines(found: dict[str, Any]) -> list[str]:
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
    told += [
        f"card    {card['name']}, {card['memory'] / 2**30:.0f} GiB, {card['multiprocessors']} multiprocessors, "
        f"compute capability {'.'.join(map(str, card['capability']))}"
        for card in found["cards"]
    ]
    if not found["cards"]:
        told.append("card    none that can be used")
    told.append("")
    for name, mode in found["modes"].items():
        told.append(f"mode    {name:<12} {'yes' if mode['runs'] else 'no: ' + mode['reason']}")
        if mode["remedy"]:
            told.append(f"{'':<21}{mode['remedy']}")
    return told
