"""The layout of everything that the driver has underway: lanes in `at.room`, numbers in `at.notes`.

The way of a sample, and the function that moves it on:

    patches left          fresh rack            groups             list              trays
    +---+---+---+ begin  +-------------+ fill  +-----------+ take +-----------+ finish +--------------+  store
    | 5 | 6 | 7 | -----> | first steps | ----> | stepped   | ---> | ended, to | -----> | light of the | ------> rgb and
    +---+---+---+        | of a patch  |       | by go_on  |  out | be shaded |        | same patch   |         steps
                         +-------------+       +-----------+      +-----------+        +--------------+

A *rack* is the samples of so many lanes: the members of their states, the steps made, and where each belongs. There is
one for each group (and behind it the states with which cycles are looked for), one for the list, whose rows are twice
as long, and a fresh one, on which patches begin. Samples that end in their first steps are finished from there; the
others are lined up on it, and go to lanes that are free. A group that was filled with a patch as a whole and ends as a
whole needs no list. `at.room` holds them in this order, and the trays behind them:

    | group 0 | looked at | group 1 | looked at | list | fresh | tray 0 | tray 1 | ...

An example: a group of 4 lanes, 2 first steps, blocks of 2 steps, and a rectangle of 4 x 2 pixels, so of two patches,
whose samples end after 4, 6, 8, 10 steps in the upper row and 0, 2, 4, 6 in the lower. TAKING and MOVING are 1: ended
lanes are taken out once as many blocks of single lanes are lost as have ended, and one more. After each turn:

    first_steps  blocks  held  lost  listed  free_trays  steps    what has happened
    2            0       0000  0     0       15          0        patch 0 has begun; the lower two samples have ended
    4            0       0011  0     0       14          0        the upper two have two lanes; patch 1 has begun
    4            1       1111  1     0       14          0        two of it have the others; one sample has ended
    4            2       1100  0     2       14          0        another, and both are taken out
    4            3       1111  2     2       14          0        the last two have come; those before them have ended
    4            4       0000  0     2       15          12       so have they: the list is full, patch 0 is stored
    4            4       0000  0     0       16          28       what is left of it is finished, patch 1 is stored
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
    used: int = 3  # samples of the fresh rack that are given away
    fresh: int = 4  # samples that were on it
    listed: int = 5  # ended samples on the list
    in_groups: int = 6  # samples that groups hold
    ready: int = 7  # the lanes of the rack to be finished whose samples have ended, a bit for each
    whole: int = 8  # 1: they are samples of a patch, in the order of its lanes
    turn: int = 9  # the group whose turn it is
    first_steps: int = 10  # made by patches before their samples went to groups
    settled: int = 11  # racks whose last steps had to be made up for
    going: int = 12  # the lanes of the fresh rack whose samples go on, a bit for each
    free_trays: int = 13  # on the stack of trays that hold nothing
    full_trays: int = 14  # on the stack of trays that hold all light of their patch
    held: int = 15  # of each group: its lanes that have a sample, a bit for each
    lost: int = 15 + MOST_GROUPS  # of each group: lanes that were idle in its blocks since it was last looked after
    alike: int = 15 + 2 * MOST_GROUPS  # of each group: 1 where it was filled with a patch as a whole
    blocks: int = 15 + 3 * MOST_GROUPS  # of each group: made so far


class TrayCounters(NamedTuple):
    """The place of each number of a tray, among those of the tray. The stacks have a place for each tray."""

    free: int = 0  # of the stack of free trays: the tray at this height
    full: int = 1  # the same of full trays
    patch: int = 2  # whose light it holds
    pending: int = 3  # samples whose light is not there yet


COUNTER, TRAY = Counters(), TrayCounters()
TRAYS = 15 + 4 * MOST_GROUPS  # where the numbers of the first tray are
EACH_TRAY = len(TRAY)
IN_TRAY = 20  # bits of a sample's number that say where in its tray it belongs; those above say which tray


def rack(like: Any) -> int:
    """Reals in a rack: the members of a state, the steps made and the sample's number, each for all lanes."""
    return (len(like) + 2) * LANES


def of_group(group: int, like: Any) -> int:
    """Locate a group's rack; behind it are the states with which cycles are looked for."""
    return group * (rack(like) + len(like) * LANES)


def of_list(like: Any) -> int:
    """Locate the list of ended samples, whose rows are LISTED long."""
    return of_group(GROUPS, like)


def of_fresh(like: Any) -> int:
    """Locate the fresh rack."""
    return of_list(like) + 2 * rack(like)


def of_tray(tray: int, at: Any, like: Any) -> int:
    """Locate a tray: rows of red, green, blue and steps, each for all lanes of sample 0, then of sample 1, ..."""
    return of_fresh(like) + rack(like) + tray * (4 * at.samples * LANES)


def of_tray_counter(what: int, tray: int) -> int:
    """Locate a number of a tray in `at.notes`; `what` is one of TRAY."""
    return TRAYS + tray * EACH_TRAY + what


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
