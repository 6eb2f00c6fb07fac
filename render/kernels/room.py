"""Where everything that the driver has underway stands: lanes in `at.room`, numbers in `at.notes`.

A *rack* is the samples of a group's lanes: the members of their states, the steps made, and where each belongs. There
is a rack for each group (and behind it the states with which cycles are looked for), two lists of ended samples, and
one rack of those that start next. Behind them are the *trays*, on which the light of a patch's samples waits.
"""

from __future__ import annotations

from typing import Any

from render.kernels.slots import GROUPS, LANES, PATCH_HEIGHT, PATCH_WIDTH, patch, reals

LOOK = 7  # 2**LOOK steps lie between two looks for a cycle
FINISHING = 64  # what last steps, colours and a pixel's share of its patch cost, in steps; for budgets only

# at.notes, one number each: the next patch and sample of the queue, and the patch's tray; how many fresh lanes are
# used; how many samples are listed, which of two lists is first; how many samples the groups hold; how many are ready,
# and whether they are a whole group; rounds made; free trays; trays to store. Then some for each group and each tray.
PATCH, SAMPLE, TRAY, USED, LISTED, FIRST, INSIDE, READY, WHOLE, ROUND, FREE, COMPLETE = range(12)
HELD, LOST, ALIKE, TRAYS = 12, 16, 20, 24
FREE_TRAY, PENDING, PLACE, COMPLETE_TRAY, EACH_TRAY = range(5)
IN_TRAY = 20  # bits of a sample's number that say where in its tray it belongs; those above say which tray


def rack(like: Any) -> int:
    """Reals in a rack: the members of a state, the steps made and the sample's number, each for all lanes."""
    return (len(like) + 2) * LANES


def of_group(group: int, like: Any) -> int:
    """Where a group's rack is; behind it are the states with which cycles are looked for."""
    return group * (rack(like) + len(like) * LANES)


def of_list(number: int, like: Any) -> int:
    """Where a list's rack is: 0 and 1 take ended samples, 2 those that are to start next."""
    return of_group(GROUPS, like) + number * rack(like)


def of_tray(tray: int, at: Any, like: Any) -> int:
    """Where a tray is: rows of red, green, blue and steps, each for all lanes of sample 0, then of sample 1, ..."""
    return of_list(3, like) + tray * (4 * at.samples * LANES)


def of_notes(what: int, number: int) -> int:
    """Where one of the numbers for each tray is."""
    return TRAYS + number * EACH_TRAY + what


def move(room: Any, source: int, target: int, like: Any) -> None:
    """One lane of a rack to another."""
    for row in range(0, rack(like), LANES):
        room[target + row] = room[source + row]


def patches(at: Any) -> int:
    """How many patches the rectangle has."""
    return ((at.width + PATCH_WIDTH - 1) // PATCH_WIDTH) * ((at.height + PATCH_HEIGHT - 1) // PATCH_HEIGHT)


def corner(number: int, at: Any) -> tuple[int, int]:
    """Where a patch lies in the rectangle: pixels to the right and down."""
    across = (at.width + PATCH_WIDTH - 1) // PATCH_WIDTH
    return number % across * PATCH_WIDTH, number // across * PATCH_HEIGHT


def here(right: int, down: int, at: Any) -> Any:
    """Column and row in the frame of each lane of a patch, and whether it lies in the rectangle."""
    column, row = patch()
    inside = (column + right < reals(at.width)) & (row + down < reals(at.height))
    return reals(at.x) + column + right, reals(at.y) + row + down, inside
