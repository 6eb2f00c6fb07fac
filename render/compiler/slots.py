"""The places in the driver that are filled when a scene is compiled: the scene's functions, and the lanes' own words.

The driver is written against these names; `retarget` puts the real ones in. None of them is ever called as it
stands here.
"""

from __future__ import annotations

from typing import Any, NoReturn

from render.primitives import Lane


def _empty() -> NoReturn:
    raise NotImplementedError("a slot of the driver that was not filled")


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


def follow(x: Lane, y: Lane, p: Any, limit: int, never: Any) -> Any:
    """How samples are followed: `driver.follow_in_blocks` or `driver.follow_every_step`."""
    _empty()


# --- the lanes': intrinsics of render.compiler.lane_slots ---------------------------------------------------


def reals(value: Any) -> Lane:
    """A scalar in every lane, in the request's precision."""
    _empty()


def counts(value: int) -> Lane:
    """A whole number in every lane, as int32."""
    _empty()


def mask(value: bool) -> Any:
    """A truth value in every lane."""
    _empty()


def patch() -> tuple[Lane, Lane]:
    """Column and row of each lane in the patch of pixels that the lanes cover together."""
    _empty()


def lift(values: Any, like: Lane) -> Any:
    """A flat tuple of lanes and constants, all of them as lanes like `like`."""
    _empty()


def choose(where: Any, a: Any, b: Any) -> Any:
    """`where` for whole states."""
    _empty()


def real_count(steps: Lane, like: Lane) -> Lane:
    """Step counts as real lanes like `like`."""
    _empty()


def total(steps: Lane) -> int:
    """The sum over all lanes, as int64."""
    _empty()


def how_many(where: Any) -> int:
    """In how many lanes a mask is true."""
    _empty()


def unpack(values: Lane) -> Any:
    """Memory that holds the lanes one after the other."""
    _empty()
