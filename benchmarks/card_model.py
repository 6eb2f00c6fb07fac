"""A graphics card as arithmetic: what a frame's real step counts cost warps whose lanes take new pixels as they end.

No card is needed, and nothing here is measured. It is render.kernels.warp, counted: the lanes of a warp step together,
BLOCK steps between two votes; a lane whose sample has ended idles until `loss` blocks of single lanes are lost (each
block counts as two more), or none goes on. Then all that have ended are served: their last steps are made again, they
are shaded, and each goes on with its pixel's next sample or with another pixel. As many warps as the card holds take
pixels from one queue until it is empty, in squares of 8 x 4; the warps of a quadrant share its clocks evenly.

What is left out: memory, caches, instructions' latency, the start of a block, orbits that are found to come round, and
that the last warps have more room than the others.
"""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

import numba
import numpy as np

LANES, WARPS = 32, 4  # of a warp; of a block
BLOCK = 16  # steps between two votes
QUADRANTS = 4


class Card(NamedTuple):
    """What the model knows of a card; NVIDIA's data sheets and architecture papers, and the Programming Guide's table.

    ghz: its boost clock. f64, f32: clocks in which a quadrant issues one floating instruction of a warp. held: threads
    that a multiprocessor has room for.
    """

    name: str
    capability: tuple[int, int]
    multiprocessors: int
    ghz: float
    f64: int
    f32: int
    held: int

    def floating(self, precision: str) -> int:
        """Clocks of a quadrant that one floating instruction of a warp takes."""
        return self.f64 if precision == "f64" else self.f32

    def rate(self, clocks: float) -> float:
        """Steps a second, if a warp's step takes so many clocks of its quadrant."""
        return self.multiprocessors * QUADRANTS * LANES * self.ghz * 1e9 / clocks

    def limit(self, precision: str) -> float:
        """Steps a second if nothing but a step's 3 fma and 1 sum were issued."""
        return self.rate(4 * self.floating(precision))


CARDS = (
    Card("H100", (9, 0), 132, 1.755, 2, 1, 2048),
    Card("RTX 4090", (8, 9), 128, 2.52, 64, 1, 1536),
    Card("A100", (8, 0), 108, 1.41, 4, 2, 2048),
    Card("T4", (7, 5), 40, 1.59, 64, 2, 1024),
)
H100 = CARDS[0]


class Costs(NamedTuple):
    """Clocks of a quadrant, by what a warp does: one step, and serving its lanes that have ended."""

    step: float
    service: float


class Told(NamedTuple):
    """What the model tells: `useful` is the share of lane steps that count, `ms` the kernel's time.

    services: for every 32 samples. of_limit: steps a second over the card's limit.
    """

    useful: float
    services: float
    ms: float
    of_limit: float


@numba.njit
def _ahead(left: Any, loss: int, having: int) -> int:
    """After how many blocks a warp stops that has so many lanes, of which each still needs `left` blocks."""
    spent = lost = 0
    active, soonest = _active(left, 0)
    while active and lost < loss:
        quiet = min(soonest - spent - 1, -(-(loss - lost) // (having - active + 2)))
        spent, lost = spent + quiet, lost + quiet * (having - active + 2)
        if lost < loss:
            spent += 1
            active, soonest = _active(left, spent)
            lost += having - active + 2
    return spent


@numba.njit
def _active(left: Any, spent: int) -> tuple[int, int]:
    """How many lanes need more blocks than have been spent, and the least that one of them needs."""
    active, soonest = 0, 0
    for blocks in left:
        if blocks > spent:
            soonest = min(soonest, blocks) if active else blocks
            active += 1
    return active, soonest


@numba.njit
def _served(left: Any, pixel: Any, sample: Any, blocks: Any, fresh: int) -> int:
    """Give each lane of a warp that has ended its next sample; gives the first pixel that is still to be had."""
    pixels, samples = blocks.shape
    for lane in range(LANES):
        if left[lane] == 0 and pixel[lane] < pixels:
            sample[lane] += 1
            if sample[lane] == samples:
                pixel[lane], sample[lane] = fresh, 0
                fresh += 1
            if pixel[lane] < pixels:
                left[lane] = blocks[pixel[lane], sample[lane]]
    return fresh


@numba.njit
def _one_queue(blocks: Any, workers: int, loss: int, turn: float, service: float) -> tuple[float, int, int]:
    """When the last warp ends (clocks of a warp), turns, services. blocks: (pixels, samples), how many each needs."""
    pixels, samples = blocks.shape
    left = np.zeros((workers, LANES), np.int64)
    pixel = np.zeros((workers, LANES), np.int64)
    sample = np.full((workers, LANES), samples - 1, np.int64)  # as if each had just ended a pixel
    waiting = [(float(k) * 1e-3, k) for k in range(workers)]
    fresh = turns = services = 0
    last = 0.0
    while waiting:
        now, warp = heapq.heappop(waiting)
        fresh = _served(left[warp], pixel[warp], sample[warp], blocks, fresh)
        having = (pixel[warp] < pixels).sum()
        if not having:
            last = max(last, now)
            continue
        spent = _ahead(left[warp], loss, having)
        left[warp] = np.maximum(left[warp] - spent, 0)
        ended = having > (left[warp] > 0).sum()
        turns += spent
        services += ended
        heapq.heappush(waiting, (now + spent * turn + (service if ended else 0.0), warp))
    return last, turns, services


def modelled(
    counts: np.ndarray, limit: int, loss: int, costs: Costs, *, card: Card, precision: str, resident: int
) -> Told:
    """A frame: counts (samples, height, width), the steps that each sample takes; `resident` blocks have room.

    The ragged right and lower edges, less than a square wide, are left out.
    """
    samples, height, width = counts.shape
    squares = counts[:, : height // 4 * 4, : width // 8 * 8].reshape(samples, height // 4, 4, width // 8, 8)
    made = np.ascontiguousarray(squares.transpose(1, 3, 2, 4, 0).reshape(-1, samples))
    needed = made // BLOCK + ((made < limit) & (made <= limit - BLOCK) & (made > 0))
    workers = card.multiprocessors * WARPS * resident
    last, turns, services = _one_queue(needed, workers, loss, BLOCK * costs.step, costs.service)
    total = int(made.sum(dtype=np.int64))
    ms = last * resident / card.ghz * 1e-6
    useful = total / (turns * BLOCK * LANES or 1)
    return Told(useful, services * LANES / made.size, ms, total / (ms * 1e-3) / card.limit(precision))
