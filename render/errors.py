"""Errors: their causes, what to do about them, and the exit codes.

RenderError                    exit 1   the tree's root; also "something failed"
  UsageError                   exit 2   the request makes no sense
    UnknownName                         a name that no file or list knows, with the nearest that is known
    SceneError                          a scene file that breaks the contract
  InputError                   exit 2   a file that cannot be read as what it should be
  OutputError                  exit 1   a file that cannot be written
  ModeUnavailable              exit 3   this mode cannot run here, and why
  TileError                    exit 4   painting one tile failed; carries the command that reproduces it

Each error is one line of cause (`str(error)`) and one line of what to do (`error.remedy`).
"""

from __future__ import annotations

from collections.abc import Iterable


class RenderError(Exception):
    """Something failed. `cause` and `remedy` are one line each."""

    exit_code = 1

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(cause, remedy)  # both in args, so that it survives the way back from a worker process
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return self.cause

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]  # a remedy may change on its way up
        """The remedy, as a note that Python and notebooks print below a traceback (PEP 678)."""
        return [self.remedy] if self.remedy else []


class UsageError(RenderError):
    """The request makes no sense; nothing was painted."""

    exit_code = 2


class UnknownName(UsageError):
    """A name that is not known; the remedy names the nearest that is, or all. `kind`: "mode", "view of scene julia"."""

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), remedy: str = "") -> None:
        names = sorted(known)
        from difflib import get_close_matches

        near = get_close_matches(name, names, n=1)
        if not remedy:
            listed = f"known: {', '.join(names)}" if names else "none are known"
            remedy = f"did you mean {near[0]!r}? ({listed})" if near else listed
        kind, of, owner = kind.partition(" of ")
        super().__init__(f"there is no {kind} {name!r}{of}{owner}", remedy)

    def __reduce__(self) -> tuple[object, ...]:
        return RenderError.__new__, (type(self), self.cause, self.remedy), self.__dict__


class SceneError(UsageError):
    """A scene file breaks the scene contract; the cause names the rule and the line."""


class InputError(RenderError):
    """A file cannot be read as a picture or a trace."""

    exit_code = 2


class OutputError(RenderError):
    """A file cannot be written; found before painting where that is possible."""


class ModeUnavailable(RenderError):
    """The requested mode cannot run on this machine. There is no silent fallback."""

    exit_code = 3


class TileError(RenderError):
    """A tile could not be painted; the remedy is the command that paints it alone."""

    exit_code = 4
