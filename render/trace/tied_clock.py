"""Ties another clock to this process's, by what is certain: a task runs after it was sent, before its result is here.

The other clock is a GPU's, or that of another machine. Nothing is assumed of how long either way takes. Each task
bounds the offset of one clock from the other from below and from above; what all tasks say together is narrower than
what any one says. Clocks drift apart, so what an earlier task said is loosened by as much as they may have drifted
since.
"""

from __future__ import annotations

DRIFT = 5000  # two clocks part by a ns in so many at most: 200 ppm; oscillators are said to differ by 10 to 100


class TiedClock:
    """Tells times of another clock on this process's, all in ns. `step`: how far apart two values of the other lie.

    `error` is by how much a time that was told right after its task was learnt may be wrong, at most.
    """

    def __init__(self, step: int) -> None:
        self.error = 0
        self._step = step
        self._bounds: tuple[int, int] | None = None  # the offset lies between them when the GPU's clock is at _at
        self._at = 0

    def learn(self, first: int, last: int, began: int, ended: int) -> None:
        """Learn that `first` to `last` on the other clock lay between `began` and `ended` on ours."""
        within = _drift(last - first)
        low, high = sorted((began - first - within - self._step, ended - last))
        if self._bounds is not None:
            since = _drift(last - self._at)
            lower, higher = max(low, self._bounds[0] - since), min(high, self._bounds[1] + since)
            if lower <= higher:  # else a clock has jumped, and only this task counts
                low, high = lower, higher
        self._bounds, self._at = (low, high), last
        self.error = max(self.error, (high - low + 1) // 2 + within + self._step)

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the bounds of the number to add, near the task learnt last."""
        return self._bounds or (0, 0)

    @property
    def offset(self) -> int:
        """The number to add to a time of the other clock near the task learnt last."""
        return sum(self.bounds) // 2


def _drift(duration: int) -> int:
    """By how much the clocks may part in this time, rounded up."""
    return -(-abs(duration) // DRIFT)
