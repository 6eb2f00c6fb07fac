"""What can be told of a card without one: instructions a step, how many fit, and what frames would take by the model.

The scene's kernel is compiled for each card as the program compiles it, and references/mandelbrot.cu by NVRTC; both are
read by `machine_code`. A step takes a warp no fewer clocks of its quadrant than it has instructions, nor than the
quadrant needs for those with reals; that bound is what the model steps with. Serving lanes that have ended costs at the
most all instructions outside the stepping loop, each once and one after the other, some of which are for other views.
Beside it stands what the emulator of the tests counts as carried out: SERVED, at the same clocks for each on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import card_reference
import machine_code
import numpy as np
from card_model import CARDS, H100, Card, Costs, Told, modelled

from render import engine, scene
from render.codegen import cuda_code
from render.codegen.program import ENTRY
from render.kernels import warp
from render.kernels.launch import THREADS
from render.options import complete
from render.sampling import offsets

SLOW = ("MUFU", "I2F", "F2I", "FRND")  # of which a quadrant issues one of a warp in 8 clocks
LOSSES = tuple(sorted({16, 32, 64, 128, 256, 512, warp.LOSS}))
NEVER = 1 << 40
SERVED = 560  # instructions of PTX for 32 samples besides their steps; tests/codegen/test_emulated.py: 400-600
FRAMES: tuple[tuple[str, int, int], ...] = (  # view, samples, shortcuts
    ("whole", 1, 0),
    ("whole", 1, 1),
    ("whole", 4, 1),
    ("seahorses", 1, 1),
    ("seahorses", 4, 1),
    ("tails", 1, 1),
    ("brooch", 1, 1),
)


class Read(NamedTuple):
    """A kernel as its machine code tells of it; floating and all instructions are those of a step."""

    floating: float
    instructions: float
    step: float  # clocks of a quadrant
    service: (
        float  # clocks of a quadrant for all instructions outside the loop: at most, since some are for other views
    )
    outside: int  # how many those are
    registers: int
    resident: int


def read(code: bytes, told: str, name: str, card: Card, precision: str) -> Read:
    """What the model needs of a kernel. Raises Absent."""
    kernel = machine_code.read(machine_code.disassembled(code), name)
    loop, inside = kernel.stepping, {one.address for one in kernel.stepping.instructions}
    wide = sum(one.base.startswith("D") and one.kind == "floating" for one in loop.instructions)
    narrow = loop.count("floating") - wide
    step = max(loop.count(), wide * card.f64, narrow * card.f32) / loop.steps
    registers = machine_code.used(told).registers
    return Read(
        loop.count("floating") / loop.steps,
        loop.count() / loop.steps,
        step,
        sum(clocks(one, card) for one in kernel.instructions if one.address not in inside),
        sum(one.address not in inside for one in kernel.instructions),
        registers,
        machine_code.resident(registers, THREADS, card.held),
    )


def clocks(one: machine_code.Instruction, card: Card) -> int:
    """For how long an instruction of a warp keeps its quadrant from issuing another like it."""
    if one.base in SLOW:
        return 8
    if one.kind != "floating":
        return 1
    return card.f64 if one.base.startswith("D") else card.f32


@cache
def ours(card: Card, precision: str) -> Read:
    """The program's kernel for a card."""
    from render.codegen import cuda_compiler

    text = cuda_compiler.assembly(library(precision), card.capability)
    return read(*cuda_compiler.machine_code(text, card.capability), ENTRY, card, precision)


@cache
def library(precision: str) -> Any:
    """Mandelbrot's kernel in the compiler's own language."""
    from render.codegen import cuda_compiler

    request = complete(precision=precision, mode="cuda", simulate=True)
    return cuda_compiler.compiled(cuda_code.program(scene.load("mandelbrot"), request), CARDS[-1].capability)


def by_hand(card: Card, precision: str) -> Read:
    """The hand-written kernel for a card. Raises Absent."""
    made, name = card_reference.compiled("mandelbrot", card.capability), f"mandelbrot_{precision}"
    return read(made.machine, made.told[made.told.index(name) :], name, card, precision)


def steps_table(precisions: Sequence[str]) -> None:
    """Print what a step takes on each card, and what follows."""
    print(
        "\na step of the Mandelbrot set, by the machine code (model): instructions, clocks of a quadrant, and at most"
    )
    print(f"  {'':24}{'floating':>9}{'all':>7}{'clocks':>8}{'regs':>6}{'blocks':>8}{'G steps/s':>11}{'of limit':>10}")
    for card in CARDS:
        for precision in precisions:
            for who, find in (("render", ours), ("by hand", by_hand)):
                try:
                    one = find(card, precision)
                except machine_code.Absent as absent:
                    print(f"  {card.name}, {precision}, {who} is absent: {absent}")
                    continue
                rate = card.rate(one.step)
                print(
                    f"  {f'{card.name} {precision} {who}':24}{one.floating:9.2f}{one.instructions:7.2f}{one.step:8.2f}"
                    f"{one.registers:6}{one.resident:8}{rate / 1e9:11.0f}{rate / card.limit(precision):10.1%}"
                )
    print("  aims: floating 4.6, all 5.5 (sm_80 and sm_90); the limit: nothing but 3 fma and 1 sum a step")


def frame_steps(view: str, samples: int, shortcuts: int, size: tuple[int, int]) -> tuple[np.ndarray, int]:
    """How many steps each sample takes: (samples, height, width), and the limit; 0 where a shortcut saves them all.

    Samples besides the first of one are counted in frames moved by their offsets.
    """
    settled = complete(view=view, size=size, samples=1)
    x, y, zoom = (float(settled.values[name]) for name in ("x", "y", "zoom"))
    pitch, counted = 4 / zoom / settled.height, []
    for across, down in offsets(samples) - offsets(1)[0]:
        parameters = {"x": x + across * pitch, "y": y - down * pitch, "shortcuts": 1}
        frame = engine.draw(complete(view=view, size=size, samples=1, mode="sequential", parameters=parameters))
        assert frame.steps is not None
        counted.append(np.where(saved(frame.request) if shortcuts else False, 0, frame.steps))
    return np.stack(counted), settled.limit


def saved(request: Any) -> np.ndarray:
    """Which pixels' centres the cardioid and the disc of the scene hold: their samples take no step."""
    left, top, zoom = (float(request.values[name]) for name in ("x", "y", "zoom"))
    width, height = request.width, request.height
    pitch = 4 / zoom / height
    x = left + (np.arange(width) + 0.5 - width / 2) * pitch
    y = (top - (np.arange(height) + 0.5 - height / 2) * pitch)[:, None]
    steady = (1 - 2.0**-16) ** 2  # as in the scene, in float64
    size = np.hypot(1 - 4 * x, 4 * y)
    one = 1 + size - 2 * np.sqrt(np.maximum(size / 2 + (1 - 4 * x) / 2, 0))
    inside: np.ndarray = (one <= steady) | (np.hypot(4 * x + 4, 4 * y) ** 2 <= steady)
    return inside


def frames_table(size: tuple[int, int], precision: str = "f64", card: Card = H100) -> None:
    """Print what frames would take, by how much may be lost before ended lanes are served, and if nothing were."""
    kernel = ours(card, precision)
    how: dict[str, Any] = {"card": card, "precision": precision, "resident": kernel.resident}
    print(
        f"\nframes of {size[0]}x{size[1]}, {precision}, by the model of {card.name} at {card.ghz} GHz: kernel ms",
        end=" ",
    )
    print("(share of the lanes' steps that count)")
    print(f"  a step {kernel.step:.2f} clocks, {kernel.resident} blocks resident; LOSS is {warp.LOSS}")
    print(f"  {'LOSS':42}" + "".join(f"{loss:>15}" for loss in LOSSES) + "      no refill")
    for view, samples, shortcuts in FRAMES:
        steps, limit = frame_steps(view, samples, shortcuts, size)
        for service in (kernel.service, kernel.service * SERVED / kernel.outside):
            costs = Costs(kernel.step, service)
            row = [modelled(steps, limit, loss, costs, **how) for loss in (*LOSSES, NEVER)]
            words = f"{view}, {samples} a pixel{'' if shortcuts else ', no shortcuts'}, service {service:.0f}"
            print(f"  {words:42}" + "".join(cell(told) for told in row))


def cell(told: Told) -> str:
    """Milliseconds and lanes in use."""
    return f"{told.ms:.3f} ({told.useful:.0%})".rjust(15)
