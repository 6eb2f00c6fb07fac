"""The places in the loops that are filled when a scene is compiled: its functions, the lanes' words, some numbers.

The loops are written against these; `retarget` puts the real ones in, each found by itself and not by its name. None of
them is ever called, or counted with, as it stands here.
"""

from __future__ import annotations

from typing import Any, NoReturn

from render.language.primitives import Lane


def _empty() -> NoReturn:
    raise NotImplementedError("a slot of the driver that was not filled")


class Number:
    """A place for a whole number, which is a constant of the code that is made."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


# --- numbers, set for each CPU ------------------------------------------------------------------------------

LANES: Any = Number("LANES")  # of a group
PATCH_WIDTH: Any = Number("PATCH_WIDTH")  # pixels that a group covers: a lane each
PATCH_HEIGHT: Any = Number("PATCH_HEIGHT")
GROUPS: Any = Number("GROUPS")  # taken in turn: what was written for one is not read again at once
FIRST: Any = Number("FIRST")  # steps of a patch, at most, before its samples go to groups
BLOCK: Any = Number("BLOCK")  # steps between two questions; a power of two
BLOCKS: Any = Number("BLOCKS")  # between two looks for a cycle
TAKING: Any = Number("TAKING")  # what it costs to take ended lanes out, in blocks of one lane
MOVING: Any = Number("MOVING")  # and for each of them
UNTIL: Any = Number("UNTIL")  # steps for which a GPU's first pass follows a sample


# --- the scene's -------------------------------------------------------------------------------------------


def start(x: Lane, y: Lane, p: Any) -> Any:
    """The scene's `start`."""
    _empty()


def step(state: Any, p: Any) -> Any:
    """The scene's `step`."""
    _empty()


def alive(state: Any, p: Any) -> Any:
    """The scene's `alive`."""
    _empty()


def shade(state: Any, steps: Lane, p: Any) -> Any:
    """The scene's `shade`."""
    _empty()


def never_ends(x: Lane, y: Lane, p: Any) -> Any:
    """The scene's `never_ends`; for a scene that has none, no lane at all."""
    _empty()


def follow(state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """Follow one sample: `single.walk_in_blocks` or `single.walk`."""
    _empty()


def onward(state: Any, steps: Lane, held: int, most: int, p: Any, limit: int) -> Any:
    """Step lanes together: `driver.by_blocks` or `driver.by_steps`."""
    _empty()


def starting(notes: Any, state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """Make the first steps of a patch: `refill.step_patch` or `refill.leave_to_groups`."""
    _empty()


def beginning(state: Any, steps: Lane, x: Lane, y: Lane, at: Any, p: Any) -> Any:
    """Follow a sample in a GPU's first pass: `warp.begin_by_blocks` or `warp.begin_by_steps`."""
    _empty()


def following(state: Any, steps: Lane, mine: Any, fewest: Lane, patience: Lane, p: Any, limit: int) -> Any:
    """Follow the samples of a warp that go on after UNTIL: `warp.by_blocks` or `warp.stay`."""
    _empty()


def stepping(state: Any, steps: Lane, mine: Any, fewest: Lane, patience: Lane, p: Any, limit: int) -> Any:
    """Step the lanes of a warp together: `warp.by_blocks` or `warp.by_steps`."""
    _empty()


def repeating(state: Any, steps: Lane, seen: Any, looks: Lane, going: Any, limit: int) -> Any:
    """Find a warp's samples that will never end: `warp.cycles` or `warp.no_cycles`."""
    _empty()


def settled(state: Any, steps: Lane, p: Any, limit: int) -> Any:
    """Make their last steps: `driver.halved` or `driver.as_it_is`."""
    _empty()


def come_round(room: Any, place: int, state: Any, steps: Lane, going: Any, limit: int) -> Lane:
    """Find samples that will never end: `driver.cycles` or `driver.no_cycles`."""
    _empty()


# --- the lanes': intrinsics of render.codegen.lane_slots and lane_memory ----------------------------------------


def reals(value: Any) -> Lane:
    """A scalar in every lane, in the request's precision."""
    _empty()


def counts(value: int) -> Lane:
    """A whole number in every lane."""
    _empty()


def mask(value: bool) -> Any:
    """A truth value in every lane."""
    _empty()


def patch() -> tuple[Lane, Lane]:
    """Column and row of each lane in the patch of pixels that the lanes cover together."""
    _empty()


def lane_numbers() -> Lane:
    """0, 1, 2, ... in the lanes, as whole numbers."""
    _empty()


def lift(values: Any, like: Lane) -> Any:
    """A flat tuple of lanes and constants, all of them as lanes like `like`."""
    _empty()


def choose(where: Any, a: Any, b: Any) -> Any:
    """`where` for whole states."""
    _empty()


def from_lane_bits(number: int, like: Lane) -> Any:
    """The mask that `lane_bits` gave the number for."""
    _empty()


def same_bits(a: Any, b: Any) -> Any:
    """In which lanes two states are equal in all their members, bit for bit."""
    _empty()


def real_count(steps: Lane, like: Lane) -> Lane:
    """Step counts as real lanes like `like`."""
    _empty()


def truncated(small: Lane) -> Lane:
    """Reals that are known to be far from the largest whole number, and no NaN, as whole numbers."""
    _empty()


def total(steps: Lane) -> int:
    """The sum over all lanes, as int64."""
    _empty()


def lane_bits(where: Any) -> int:
    """A mask as a whole number: lane 0 is its lowest bit."""
    _empty()


def ones(number: int) -> int:
    """Population count: the bits of a whole number that are set."""
    _empty()


def first_one(number: int) -> int:
    """Find the lowest bit of a whole number that is set."""
    _empty()


def unpack(values: Lane) -> Any:
    """Memory that holds the lanes one after the other."""
    _empty()


def pixel_codes(table: Any, red: Lane, green: Lane, blue: Lane) -> Any:
    """Look three steps of a table of bytes up in each lane; memory that holds a whole number for each, red lowest."""
    _empty()


def put_pixels(rgb: Any, place: int, codes: Any, lane: int) -> None:
    """Write the bytes of a patch's row of pixels, from this lane's code on, as pixel number `place` and following."""
    _empty()


def put_counts(steps: Any, place: int, counts: Any, lane: int) -> None:
    """Write a patch's row of step counts as int32 in the same way."""
    _empty()


def memory(array: Any) -> Any:
    """The memory of an array, to be indexed from 0 on without a check."""
    _empty()


def whole_memory(array: Any) -> Any:
    """The memory of an array of reals, read as whole numbers of the same width."""
    _empty()


def fetch(room: Any, place: int) -> Lane:
    """Lanes from memory; `place` is a multiple of their number."""
    _empty()


def keep(room: Any, place: int, lanes: Lane) -> None:
    """Lanes to memory; `place` is a multiple of their number."""
    _empty()


def fetch_all(room: Any, place: int, like: Any) -> Any:
    """A state like `like` from memory, member after member."""
    _empty()


def keep_all(room: Any, place: int, state: Any) -> None:
    """A state to memory, member after member."""
    _empty()


def pack(room: Any, source: int, bits: int, target: int, apart: int, like: Any) -> None:
    """Copy a rack's lanes that have a bit, side by side, to `target` on, where its rows are so far apart.

    As many numbers behind them as a vector has are left as anything. The rack may be packed into itself.
    """
    _empty()


def spread(room: Any, source: int, target: int, bits: int, like: Any) -> None:
    """Copy numbers that stand side by side from `source` on to the lanes of a rack that have a bit."""
    _empty()


def fetch_apart(room: Any, place: int, apart: int, like: Any) -> Any:
    """A state like `like` from memory, its members so far apart."""
    _empty()


def keep_apart(room: Any, place: int, apart: int, state: Any) -> None:
    """A state to memory, its members so far apart."""
    _empty()


# --- a warp's: intrinsics of render.codegen.warp_words ---------------------------------------------------------


def votes(where: Any) -> Lane:
    """In how many lanes of the warp a mask is true. All lanes have to ask together."""
    _empty()


def before(where: Any) -> Lane:
    """In how many of the warp's lanes before this one. All lanes have to ask together."""
    _empty()


def from_first(value: Lane) -> Lane:
    """The whole number that the warp's first lane gives. All lanes have to ask together."""
    _empty()


def lane_number() -> Lane:
    """This lane's number in its warp."""
    _empty()


def warp_lanes() -> int:
    """The number of lanes in a warp."""
    _empty()


def warp_sum(values: Lane) -> Lane:
    """The sum of whole numbers over the lanes of the warp. All lanes have to ask together."""
    _empty()


def divided(number: Lane, by: Lane) -> tuple[Lane, Lane]:
    """Quotient and remainder of whole numbers that are not negative."""
    _empty()


def multiplied(number: Lane, by: Lane) -> Lane:
    """Multiply whole numbers."""
    _empty()


def add_at(array: Any, index: int, value: int) -> int:
    """Add to a number that all threads share; gives what it was before."""
    _empty()


def multiprocessor() -> int:
    """Give the number of the multiprocessor that runs this warp."""
    _empty()


def device_clock() -> int:
    """Tell the time in ns on a clock that all threads of the device share."""
    _empty()
