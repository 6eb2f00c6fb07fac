"""The layout of everything that the driver has underway: lanes in `at.room`, numbers in `at.notes`.

The way of a sample, and the function that moves it on:

    patches left          groups             lists            trays
    +---+---+---+  fill  +-----------+  take +-----------+  finish  +--------------+  store
    | 5 | 6 | 7 | -----> | stepped   | ----> | ended, to | -------> | light of the | ------> rgb and steps
    +---+---+---+        | by go_on  |  out  | be shaded |          | same patch   |
                         +-----------+       +-----------+          +--------------+

A *rack* is the samples of so many lanes: the members of their states, the steps made, and where each belongs. There is
one for each group (and behind it the states with which cycles are looked for), for each of two lists, and a fresh one,
whose samples go one by one to lanes that are free. A group that was filled with a patch as a whole and ends as a whole
needs no list. `at.room` holds them in this order, and the trays behind them:

    | group 0 | looked at | group 1 | looked at | list 0 | list 1 | fresh | tray 0 | tray 1 | ...

An example: a group of 4 lanes, blocks of 2 steps, and a rectangle of 4 x 2 pixels, so of two patches, whose samples end
after 4, 6, 8, 10 steps in the upper row and 0, 2, 4, 6 in the lower. TAKING and MOVING are 1: ended lanes are taken out
once as many blocks of single lanes are lost as have ended, and one more. After each round but the first:

    rounds  held  lost  listed  used  free_trays  steps    what has happened
    2       1111  2     0       4     15          0        patch 0 is in the group as a whole; two samples have ended
    3       1111  0     3       3     14          0        three, taken out; three of patch 1 come off the fresh rack
    4       1111  1     3       3     14          0        one more has ended, which alone is not worth it
    5       0111  0     1       4     15          12       two: the list is full, is finished, and patch 0 is stored
    6       0111  0     1       4     15          0        the queue is empty: lane 3 stays free
    7       0111  2     1       4     15          0        nothing could take the place of those that end
    8       0000  0     0       4     16          28       the last has ended: they are finished, patch 1 is stored
"""

from __future__ import annotations

from typing import Any, NamedTuple

from render.kernels.slots import GROUPS, LANES, PATCH_HEIGHT, PATCH_WIDTH, patch, reals

LOOK = 7  # 2**LOOK steps lie between two looks for a cycle
FINISHING = 64  # what last steps, colours and a pixel's share of its patch cost, in steps; for budgets only

MOST_GROUPS = 4


class Counters(NamedTuple):
    """The place of each number in `at.notes`; of those of groups, the first group's."""

    next_patch: int = 0  # of the queue
    next_sample: int = 1  # of each of its pixels
    next_tray: int = 2  # which its light is for
    used: int = 3  # lanes of the fresh rack that are given away
    listed: int = 4  # ended samples on both lists
    first_list: int = 5  # which of the lists is filled first: 0 or 1
    in_groups: int = 6  # samples that groups hold
    ready: int = 7  # samples on the rack that is to be finished
    whole: int = 8  # 1: they are one sample of each pixel of a patch, in the order of its lanes
    rounds: int = 9  # made so far
    free_trays: int = 10  # on the stack of trays that hold nothing
    full_trays: int = 11  # on the stack of trays that hold all light of their patch
    held: int = 12  # of each group: its lanes that have a sample, a bit for each
    lost: int = 12 + MOST_GROUPS  # of each group: lanes that were idle in its blocks since it was last looked after
    alike: int = 12 + 2 * MOST_GROUPS  # of each group: 1 where it was filled with a patch as a whole


class TrayCounters(NamedTuple):
    """The place of each number of a tray, among those of the tray. The stacks have a place for each tray."""

    free: int = 0  # of the stack of free trays: the tray at this height
    full: int = 1  # the same of full trays
    patch: int = 2  # whose light it holds
    pending: int = 3  # samples whose light is not there yet


COUNTER, TRAY = Counters(), TrayCounters()
TRAYS = 12 + 3 * MOST_GROUPS  # where the numbers of the first tray are
EACH_TRAY = len(TRAY)
IN_TRAY = 20  # bits of a sample's number that say where in its tray it belongs; those above say which tray


def rack(like: Any) -> int:
    """Reals in a rack: the members of a state, the steps made and the sample's number, each for all lanes."""
    return (len(like) + 2) * LANES


def of_group(group: int, like: Any) -> int:
    """Locate a group's rack; behind it are the states with which cycles are looked for."""
    return group * (rack(like) + len(like) * LANES)


def of_list(number: int, like: Any) -> int:
    """Locate a list's rack: 0 and 1 take ended samples, 2 those that are to start next."""
    return of_group(GROUPS, like) + number * rack(like)


def of_tray(tray: int, at: Any, like: Any) -> int:
    """Locate a tray: rows of red, green, blue and steps, each for all lanes of sample 0, then of sample 1, ..."""
    return of_list(3, like) + tray * (4 * at.samples * LANES)


def of_tray_counter(what: int, tray: int) -> int:
    """Locate a number of a tray in `at.notes`; `what` is one of TRAY."""
    return TRAYS + tray * EACH_TRAY + what


def move(room: Any, source: int, target: int, like: Any) -> None:
    """One lane of a rack to another."""
    for row in range(0, rack(like), LANES):
        room[target + row] = room[source + row]


def patches(at: Any) -> int:
    """Count the rectangle's patches."""
    return ((at.width + PATCH_WIDTH - 1) // PATCH_WIDTH) * ((at.height + PATCH_HEIGHT - 1) // PATCH_HEIGHT)


def corner(number: int, at: Any) -> tuple[int, int]:
    """Locate a patch in the rectangle: pixels to the right and down."""
    across = (at.width + PATCH_WIDTH - 1) // PATCH_WIDTH
    return number % across * PATCH_WIDTH, number // across * PATCH_HEIGHT


def here(right: int, down: int, at: Any) -> Any:
    """Column and row in the frame of each lane of a patch, and whether it lies in the rectangle."""
    column, row = patch()
    inside = (column + right < reals(at.width)) & (row + down < reals(at.height))
    return reals(at.x) + column + right, reals(at.y) + row + down, inside
