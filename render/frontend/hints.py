"""Suggestions for a misspelt option, for its error message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from render import scene
from render.errors import RenderError, UnknownName

MIN_SIMILARITY = 0.7  # of the letters; below, a suggestion is a guess (`--version` is no `--precision`)


def unknown_option(command: str, words: Sequence[str], known: Iterable[str], drawn: str) -> UnknownName:
    """Make the error for the first of these words, an option that `command` does not have.

    For a parameter of a scene it says how to set it, if `--set` is among the known options.
    """
    option, _, value = words[0].partition("=")
    name, names = option.lstrip("-"), sorted(known)
    value = value or next((word for word in words[1:2] if not word.startswith("--")), "VALUE")
    parameter = name.replace("-", "_")
    owner = parameter_owner(parameter, drawn) if "--set" in names else None
    near = nearest_name(name, {one.lstrip("-"): one for one in names})
    if owner:
        other = "" if owner == drawn else f"--scene {owner} "
        remedy = f"it is a parameter of scene {owner}: write {other}--set {parameter}={value}"
    else:
        listed = f"known: {', '.join(names)}"
        remedy = f"did you mean {near!r}? ({listed})" if near else listed
    return UnknownName(f"option of {command}", option, remedy=remedy)


def nearest_name(name: str, known: dict[str, str]) -> str | None:
    """Return the value of the key most like this name, or of one that begins with the other; None if there is none."""
    from difflib import get_close_matches  # only for what is misspelt

    near = get_close_matches(name, known, n=1, cutoff=MIN_SIMILARITY)
    near += [one for one in known if min(len(one), len(name)) > 2 and (name.startswith(one) or one.startswith(name))]
    return known[near[0]] if near else None


def parameter_owner(name: str, drawn: str) -> str | None:
    """Find the scene that has this parameter: first the one to be drawn, then ours; None if there is none."""
    for candidate in (drawn, *scene.names()):
        try:
            if name in scene.load(candidate).parameters:
                return candidate
        except RenderError:  # that it does not load is not what went wrong first
            continue
    return None
