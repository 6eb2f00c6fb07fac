"""A graphics card: what it can at all, how near the program comes, and against a kernel written by hand.

    python benchmarks/card.py [--runs N] [--precision f64|f32] [--size WIDTHxHEIGHT] [SECTION...]

sections: ceilings interior whole designs scenes launches tiles (all unless named), on a machine with a card; and host

Every picture is compared with the CPU's first, and where it differs there is no figure. "Kernel" is a launch's time on
the card's clock between two events, while the card is kept busy, alike for all that is launched (`Bench.seconds`); "on
the host" is from handing the launch over to having picture and step counts in this process. The
reference (references/mandelbrot.cu) makes the same steps by the same algorithm and writes step counts and nothing
else; "steps alone" is the program with a scene whose colours cost nothing.

The limit: a step is 3 fma and 1 sum, so a loop of nothing but those, in which none waits for another
(references/ceilings.cu), makes as many a second as the card can; it runs in the same rounds.

`designs` sets the program's kernel beside others that were written by hand, view by view (gpu_designs.py); `host` needs
no card (host_cost.py).
"""

from __future__ import annotations

import argparse
import ctypes
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import gpu_designs
import host_cost
from card_program import Differ, Program, on_cpu, programs, same
from card_reference import FMA_A_TURN, Argument, Bench, Reference
from machine_code import Absent
from pairs import Times, Work, against, in_turn, machine_line, options, ratio

from render import engine, stats
from render.options import complete
from render.request import Request
from render.runtime.cuda import discovery as gpus
from render.runtime.cuda.discovery import Gpu

BARE = str(Path(__file__).parent / "references" / "bare_mandelbrot.py")
WHOLE = {"x": -0.75, "y": 0.0, "zoom": 1.6, "bailout": 2.0, "shortcuts": 0}
INTERIOR = WHOLE | {"x": -0.1, "zoom": 40.0}
DEEP = 50_000  # steps of an interior point
TURNS, CEILING_THREADS, PARALLEL = 32768, 256, 4  # of the ceilings' loops: turns; threads and blocks a multiprocessor
MEGABYTE = 1 << 20


class Measuring:
    """A card and how it is to be measured."""

    def __init__(self, card: Gpu, typed: argparse.Namespace) -> None:
        self.card, self.runs, self.size = card, typed.runs, typed.size
        self.precisions = (typed.precision,) if typed.precision else ("f64", "f32")
        self.bench = Bench(card)
        self.loops = self.bench.kernels("ceilings")
        self._out = self.bench.memory(CEILING_THREADS * 8)

    def asked(self, **told: Any) -> Request:
        """A request for the card."""
        return complete(**({"mode": "cuda", "size": self.size, "samples": 1} | told))

    def issue(self, name: str, precision: str) -> Work:
        """A loop of references/ceilings.cu as a work: `fma` alone, or `step`, with a sum for every three."""
        kernel, real = self.loops(f"{name}_{precision}"), {"f64": ctypes.c_double, "f32": ctypes.c_float}[precision]
        told = [
            Argument(self._out, ctypes.c_void_p),
            Argument(TURNS, ctypes.c_int32),
            Argument(0.5, real),
            Argument(1.0, real),
        ]
        blocks = PARALLEL * self.card.multiprocessors
        return lambda: self.bench.seconds(lambda: self.bench.launch(kernel, blocks, CEILING_THREADS, told))

    def fma(self) -> int:
        """Count how many fma such a work makes."""
        return TURNS * FMA_A_TURN * PARALLEL * CEILING_THREADS * self.card.multiprocessors

    def steps_a_second(self, times: Times) -> float:
        """The limit, from the times of the loop `step`."""
        return self.fma() / 3 / times.best


def ceilings(on: Measuring) -> None:
    """Copies, fma, launches: what the card can at all."""
    bench, size = on.bench, 256 * MEGABYTE
    here, there, other = bench.pinned(size // 4), bench.memory(size), bench.memory(size)
    nothing = on.loops("nothing")

    def inside() -> None:
        bench.asked(bench.driver.cuMemcpyDtoDAsync(other, there, size, bench.queue))

    def home() -> None:
        bench.asked(bench.driver.cuMemcpyDtoHAsync(here.ctypes.data, there, here.nbytes, bench.queue))

    def launches() -> None:
        for _ in range(1000):
            bench.launch(nothing, 1, 32, [])

    works: dict[str, Work] = {
        "inside": lambda: bench.seconds(inside),
        "home": lambda: bench.seconds(home),
        "launches": lambda: bench.seconds(launches),
    }
    works |= {f"{name} {one}": on.issue(name, one) for one in on.precisions for name in ("fma", "step")}
    in_turn(works, 1)
    times = in_turn(works, on.runs)
    print("\nceilings")
    print(f"  copied inside the card   {2 * size / times['inside'].best / 1e9:8.0f} GB/s, read and written")
    print(f"  copied to pinned memory  {here.nbytes / times['home'].best / 1e9:8.1f} GB/s")
    print(f"  a launch of nothing      {times['launches'].best * 1e3:8.2f} us, one behind the other")
    for one in on.precisions:
        alone, steps = on.fma() / times[f"fma {one}"].best, on.steps_a_second(times[f"step {one}"])
        print(f"  {one}: {alone / 1e12:.2f} T fma/s; with a sum for every three {steps / 1e9:.0f} G steps/s")


def interior(on: Measuring) -> None:
    """No sample ends: how near to the limit is the loop itself? Nothing ends, so nothing is served."""
    for precision in on.precisions:
        told = {"parameters": INTERIOR, "limit": DEEP, "precision": precision, "size": (1024, 1024)}
        with programs(on.bench, painted=on.asked(**told)) as made:
            if made["painted"].made != DEEP * 1024 * 1024:
                raise Differ("a sample has ended")
            show(on, f"interior points only, 1024x1024, limit {DEEP}, {precision}", made, {"painted": 0.80})


def whole(on: Measuring) -> None:
    """The whole set at limit 1000, one and four samples, against the kernel written by hand."""
    for precision in on.precisions:
        told = {"parameters": WHOLE, "limit": 1000, "precision": precision}
        requests = {"painted": on.asked(**told), "steps_alone": on.asked(**told | {"scene": BARE})}
        with programs(on.bench, **requests) as made:
            show(on, f"whole set, limit 1000, one sample, no shortcuts, {precision}", made, {}, reference=True)
        print("  aims for 1920x1080, f64: kernel under 1 ms, on the host under 4 ms")
        told["parameters"] = WHOLE | {"shortcuts": 1}
        with programs(on.bench, painted=on.asked(**told)) as made:
            show(on, f"whole set, limit 1000, one sample, shortcuts, {precision}", made, {})
        with programs(on.bench, painted=on.asked(**told | {"samples": 4})) as made:
            show(on, f"whole set, limit 1000, four samples, shortcuts, {precision}", made, {})


def scenes(on: Measuring) -> None:
    """The other scenes and two deep views, as they come."""
    for name, view in (("julia", None), ("still_life", None), ("mandelbulb", None), ("mandelbrot", "seahorses")):
        told = {"scene": name} | ({"view": view} if view else {})
        with programs(on.bench, painted=on.asked(**told)) as made:
            request = made["painted"].request
            show(on, f"{name}, {request.view}, one sample, {request.precision}", made, {}, limit=False)


def show(
    on: Measuring,
    title: str,
    made: Mapping[str, Program],
    aims: Mapping[str, float],
    *,
    reference: bool = False,
    limit: bool = True,
) -> None:
    """Measure programs of one frame in turn with the limit, and print the table. Raises Differ."""
    first = next(iter(made.values()))
    works: dict[str, Work] = {name: program.seconds for name, program in made.items()}
    if limit:
        works["limit"] = on.issue("step", first.request.precision)
    if reference:
        try:
            by_hand = Reference(on.bench, first.request)
            by_hand.seconds()
            assert first.steps is not None
            same(by_hand.counts(), first.steps, "step counts")
            works["by hand"] = by_hand.seconds
        except Absent as absent:
            print(f"\nthe kernel written by hand is absent: {absent}")
    in_turn(works, 2)
    times = in_turn(works, on.runs)
    host = in_turn({name: program.on_host for name, program in made.items()}, on.runs)
    width, height = first.request.width, first.request.height
    print(f"\n{title}, {width}x{height}; {first.made / 1e9:.3f} G steps, equal to the CPU's")
    print(f"  {'':20}{'kernel ms':>10}{'median':>9}{'on host ms':>12}{'G steps/s':>11}{'of limit':>10}{'by hand':>9}")
    for name, spent in times.items():
        if name != "limit":
            print("  " + line(on, name, spent, times, host, first.made, aims))
    if limit:
        print(f"  limit {on.steps_a_second(times['limit']) / 1e9:.0f} G steps/s")


def line(
    on: Measuring,
    name: str,
    spent: Times,
    times: Mapping[str, Times],
    host: Mapping[str, Times],
    made: int,
    aims: Mapping[str, float],
) -> str:
    """One line of a table. `by hand`: its time over this one's."""
    rate = made / spent.best
    words = f"{name:20}{spent.best * 1e3:10.3f}{spent.median * 1e3:9.3f}"
    words += f"{host[name].best * 1e3:12.3f}" if name in host else " " * 12
    words += f"{rate / 1e9:11.0f}"
    if "limit" in times:
        share = rate / on.steps_a_second(times["limit"])
        words += f"{share:10.1%}"
        if name in aims:
            words += f"   {against(share, aims[name])}"
    if "by hand" in times and name in host:
        words += f"{ratio(times['by hand'], spent):9.2f}   {against(ratio(times['by hand'], spent), 0.95)}"
    return words.rstrip()


def drawing(request: Request, expected: str) -> Work:
    """All tiles of a request as a work, by the trace. Raises Differ."""

    def once() -> float:
        frame = engine.draw(request)
        if frame.sha256 != expected:
            raise Differ("the pictures differ")
        return stats.of(frame.trace).seconds["tiles"]

    return once


def compared(on: Measuring, title: str, works: Mapping[str, Work]) -> None:
    """Draw in turn, and print milliseconds."""
    in_turn(works, 1)
    times = in_turn(works, on.runs)
    print(f"\n{title}: ms from the first tile to the last, median")
    for name, spent in times.items():
        print(f"  {name:24}{spent.best * 1e3:10.3f}{spent.median * 1e3:10.3f}")


def launches(on: Measuring) -> None:
    """So many launches, each on a stream of its own, with the tile that the program chooses."""
    request = on.asked(samples=4, tile=(80, 72))
    expected = engine.draw(on_cpu(request)).sha256

    def with_launches(count: int) -> Work:
        work = drawing(request, expected)

        def once() -> float:
            with ExitStack() as patched:
                for module in ("runtime.launch", "modes.cuda"):
                    patched.enter_context(patch(f"render.{module}.LAUNCHES", count))
                patched.enter_context(patch("render.targets.cuda.STREAMS", count))
                return work()

        return once

    title = f"launches, whole set, four samples, tiles of {request.tile[0]}x{request.tile[1]}"
    compared(on, title, {f"{count} launches": with_launches(count) for count in (1, 2, 3, 4, 6, 8, 16)})


def tiles(on: Measuring) -> None:
    """Sizes of tiles."""
    request = on.asked(samples=4)
    expected = engine.draw(on_cpu(request)).sha256
    works = {
        f"{side}x{side}": drawing(on.asked(samples=4, tile=(side, side)), expected) for side in (64, 128, 256, 512)
    }
    works["the whole frame"] = drawing(on.asked(samples=4, tile=on.size), expected)
    works[f"chosen, {request.tile[0]}x{request.tile[1]}"] = drawing(request, expected)
    compared(on, "tiles, whole set, four samples", works)


def designs(on: Measuring) -> None:
    """The program's kernel beside others written by hand, view by view, and what Nsight Compute says of it."""
    gpu_designs.compare(on.bench, on.asked, on.precisions, on.size, on.runs)
    gpu_designs.profiled(Path(__file__), on.precisions)


SECTIONS: dict[str, Callable[[Measuring], None]] = {
    one.__name__: one for one in (ceilings, interior, whole, designs, scenes, launches, tiles)
}


def size(text: str) -> tuple[int, int]:
    """A frame's width and height from WIDTHxHEIGHT."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def main() -> int:
    """Measure the sections that are asked for; 1 where pictures differ or there is no card."""
    parser = options(__doc__ or "", 7)
    parser.add_argument("--precision", choices=("f64", "f32"), help="only this one")
    parser.add_argument("--size", type=size, default=(1920, 1080), metavar="WIDTHxHEIGHT", help="of frames; 1920x1080")
    parser.add_argument("--profile", action="store_true", help=argparse.SUPPRESS)  # for Nsight Compute
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    typed = parser.parse_args()
    if "host" in typed.sections:  # needs no GPU
        host_cost.main(typed.runs)
        return 0
    unknown = sorted(set(typed.sections) - set(SECTIONS))
    if unknown:
        parser.error(f"no section {', '.join(unknown)}; there are: {', '.join(SECTIONS)}")
    print(machine_line())
    found = gpus.find()
    if found.reason is not None:
        print(f"no card, so nothing is measured: {found.reason}")
        return 1
    card = found.gpus[0]
    print(f"{card.name}, {card.multiprocessors} multiprocessors, {card.memory / 1e9:.0f} GB, driver for CUDA", end=" ")
    print(".".join(str(number) for number in card.driver))
    try:
        on = Measuring(card, typed)
        if typed.profile:
            gpu_designs.profile(on.bench, on.asked, on.precisions)
            return 0
        for name in typed.sections or SECTIONS:
            SECTIONS[name](on)
    except Absent as absent:
        print(f"the ceilings are absent, so there is no limit: {absent}")
        return 1
    except Differ as differ:
        print(f"no figure: {differ}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
