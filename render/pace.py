"""The number of steps in a slice of a tile: as many as take a given time, measured while painting."""

from __future__ import annotations

FEWEST = 2000  # steps of the first slice, and of any


class Pace:
    """`budget`: steps for the next slice, which is to take `slice_ns` at most; each may be `growth` times the last."""

    def __init__(self, slice_ns: int, growth: float) -> None:
        self.slice_ns, self.growth = slice_ns, growth
        self.budget = FEWEST

    def learn(self, budget: int, took_ns: int, *, done: bool) -> None:
        """Learn from the time of a slice of so many steps. One that finished the tile made fewer: it raises nothing.

        Threads share a pace: what each learns is of its own slice, not of what others have made of the budget since.
        """
        share = self.slice_ns / max(took_ns, 1)
        learned = max(int(budget * min(self.growth, share)), FEWEST)
        self.budget = min(self.budget, learned) if done else learned
