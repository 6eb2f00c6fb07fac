"""Parameters of a scene: names, defaults, bounds and one sentence each.

A scene writes `"zoom": (1.0, 1e-30, 1e300, "Magnification.")`; the default's type is the parameter's type. For
a choice between words it writes `"palette": ("dusk", ("dusk", "ember"), "Colours of the outside.")`.
"""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Iterable, Mapping
from functools import lru_cache
from keyword import iskeyword
from typing import Any, NamedTuple

from render.errors import UnknownName, UsageError

Value = float | int | bool | str


class Parameters(dict[str, Any]):
    """Parameters by name, as items and as attributes: `parameters["zoom"]` and `parameters.zoom`."""

    def __getattr__(self, name: str) -> Any:
        """Return the parameter of this name."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no parameter {name!r}") from None


def _are_choices(parts: tuple[Any, ...]) -> bool:
    """Test for (default, choices, sentence), with words to choose from."""
    if len(parts) != 3 or not isinstance(parts[1], tuple | list):
        return False
    return all(isinstance(word, str) for word in (parts[0], *parts[1]))


class Parameter(NamedTuple):
    """One parameter; numbers have bounds (both allowed), words have choices."""

    default: Value
    lowest: float | None
    highest: float | None
    about: str
    choices: tuple[str, ...] = ()

    @classmethod
    def of(cls, written: Any) -> Parameter:
        """Make a parameter from a scene's tuple. Raises ValueError where it is neither form."""
        parts = tuple(written) if isinstance(written, tuple | list) else ()
        if isinstance(written, cls):
            parameter = written
        elif _are_choices(parts):
            parameter = cls(parts[0], None, None, parts[2], tuple(parts[1]))
        elif len(parts) == 4 and all(isinstance(number, (int, float)) for number in parts[:3]) and parts[1] <= parts[2]:
            parameter = cls(*parts)
        else:
            raise ValueError(f"{written!r:.60} is not a parameter")
        if not isinstance(parameter.about, str):
            raise TypeError(f"{parameter.about!r:.60} is no sentence")
        parameter.check("default", parameter.default)
        return parameter

    def check(self, name: str, value: Any) -> Value:
        """Convert a value to the parameter's own type. Raises UsageError where it does not fit."""
        if self.choices:
            if value not in self.choices:
                raise UnknownName(name, str(value), self.choices)
            return str(value)
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        remedy = f"give {kind} from {self.lowest:g} to {self.highest:g}"
        try:
            number = float(value)
            if isinstance(self.default, int) and number != int(number):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"{name} is {value!r}, which is not {kind}", remedy) from None
        if not math.isfinite(number) or not self.lowest <= number <= self.highest:  # type: ignore[operator]
            raise UsageError(f"{name} is {value}, out of range", remedy)
        return int(number) if isinstance(self.default, int) else number


FRAMING = {  # every scene has these; a scene may give others in their place
    "x": Parameter(0.0, -1e300, 1e300, "Centre of the frame on the picture plane, to the right."),
    "y": Parameter(0.0, -1e300, 1e300, "Centre of the frame on the picture plane, upwards."),
    "zoom": Parameter(1.0, 1e-30, 1e300, "Magnification: the frame is 4 / zoom high."),
    "shortcuts": Parameter(1, 0, 1, "Skip steps where the result is known beforehand (1) or walk them all (0)."),
}


P = tuple[Any, ...]  # what a scene's functions take as `p`: a named tuple of numbers and read-only flat arrays
Kinds = tuple[tuple[str, str], ...]


def make_record(members: Mapping[str, Any]) -> P:
    """Make `p` of its members."""
    p: P = _record_class(tuple(members))(**members)
    return p


@lru_cache(maxsize=64)
def _record_class(names: Iterable[str]) -> Any:
    return namedtuple("p", names)  # noqa: PYI024  (its fields are the scene's)


def members_of(p: P) -> dict[str, Any]:
    """Return the members of `p` by name: they can be sent to another process, where `make_record` makes `p` again."""
    named: Any = p
    return dict(named._asdict())


def member_types(p: P) -> Kinds:
    """List each member's name and type: what compiled code depends on besides the precision, whatever the values."""
    return tuple((name, type(value).__name__) for name, value in members_of(p).items())


def check_member_name(name: Any) -> str:
    """Return a name that can be a member of `p`. Raises ValueError."""
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name) or name.startswith("_"):
        raise ValueError(f"{name!r} cannot be a name: take letters, digits and _, and a letter first")
    return name
