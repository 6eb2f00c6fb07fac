"""The number of steps in a slice of a tile: as many as take a given time, measured while painting."""

from __future__ import annotations

FEWEST = 2000  # steps of the first slice, and of any


class Pace:
    """`budget`: steps for the next slice, which is to take `slice_ns` at most; each may be `growth` times the last."""

    def __init__(self, slice_ns: int, growth: float) -> None:
        self.slice_ns, self.growth = slice_ns, growth
        self.budget = FEWEST

    def learn(self, took_ns: int, *, done: bool) -> None:
        """Learn from the time of a slice. One that finished the tile made fewer steps, so the budget stays."""
        share = self.slice_ns / max(took_ns, 1)
        self.budget = max(int(self.budget * min(1.0 if done else self.growth, share)), FEWEST)
