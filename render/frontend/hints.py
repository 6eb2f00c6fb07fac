"""What an option that does not exist was probably meant to be, for the error that says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from render import scene
from render.errors import RenderError, UnknownName

MIN_SIMILARITY = 0.7  # of the letters; below, a suggestion is a guess (`--version` is no `--precision`)


def unknown_option(command: str, words: Sequence[str], known: Iterable[str], drawn: str) -> UnknownName:
    """The error for the first of these words of a command line; `drawn`: the scene that it would draw.

    A parameter of a scene is told how it is set, where `--set` is among the known options.
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
    """The value of the key that is most like this name, or that one of the two begins with; None where none is."""
    near = get_close_matches(name, known, n=1, cutoff=MIN_SIMILARITY)
    near += [one for one in known if min(len(one), len(name)) > 2 and (name.startswith(one) or one.startswith(name))]
    return known[near[0]] if near else None


def parameter_owner(name: str, drawn: str) -> str | None:
    """The scene that has a parameter of this name: the one that would be drawn, or the first of ours; None for none."""
    for candidate in (drawn, *scene.names()):
        try:
            if name in scene.load(candidate).parameters:
                return candidate
        except RenderError:  # that it does not load is not what went wrong first
            continue
    return None
