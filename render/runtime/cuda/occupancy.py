"""Reckons when a launch that recorded nothing of its blocks got room on its card.

The event before a launch tells when its stream came to it, not when a block of it ran. Blocks get room in the order in
which launches are handed over, and keep it until their launch has no pixels left to take. So where those before hold
all the room there is, a launch is taken to begin when the first of them ends that leaves some. Their last blocks do
not end together, so it may have begun a little earlier.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)
class Hold:
    """A launch's share of a card: so many blocks, behind those of launches that were there before it."""

    blocks: int
    ahead: tuple[Hold, ...]
    painted: int | None = None  # when it had ended


class Room:
    """The blocks that a card holds at once, and the launches that are under way. All times are of one clock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: list[Hold] = []

    def take(self, blocks: int) -> Hold:
        """A launch is handed over."""
        hold = Hold(blocks, tuple(self._under_way))
        self._under_way.append(hold)
        return hold

    def begun(self, hold: Hold, reached: int, painted: int) -> int:
        """When a launch began to paint that has ended: its stream came to it at `reached`, `painted` was its end."""
        ends = sorted(
            (one.painted, one.blocks) for one in hold.ahead if one.painted is not None and one.painted > reached
        )
        free = self._most - sum(blocks for _, blocks in ends)
        for ended, blocks in ends:
            if free > 0:
                break
            reached, free = ended, free + blocks
        hold.painted, hold.ahead = painted, ()  # what was before is no longer kept by what comes after
        self._under_way = [one for one in self._under_way if one is not hold]
        return min(reached, painted)
