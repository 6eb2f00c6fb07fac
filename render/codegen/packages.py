"""Versions of installed packages, read from the names of the installers' folders.

`importlib.metadata` would parse what stands in them, with a parser of e-mails that takes longer to import than all of
this program's kernels take to load.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

RECORDS = (".dist-info", ".egg-info")  # endings of an installer's folder: NAME-VERSION.dist-info


def find_version(package: str) -> str | None:
    """Return the version of a package, None if it is not installed; as `importlib.metadata` would find it."""
    return _find_all((_normalise(package),)).get(_normalise(package))


def list_versions(beginnings: Sequence[str]) -> list[str]:
    """List the installed packages that are called so, as NAME-VERSION, in order."""
    found = _find_all(tuple(map(_normalise, beginnings)))
    return [f"{name}-{found[name]}" for name in sorted(found)]


def _find_all(beginnings: tuple[str, ...]) -> dict[str, str]:
    """Map the installed packages that are called so to their versions; the first place on the path counts."""
    found: dict[str, str] = {}
    for place in sys.path:
        for name, version in _read_folder(place or os.curdir):
            if name.startswith(beginnings):
                found.setdefault(name, version)
    return found


def _read_folder(place: str) -> Iterator[tuple[str, str]]:
    """Yield names and versions of the packages that installers have recorded in a folder."""
    try:
        entries = sorted(os.listdir(place))  # noqa: PTH208  (a path for each entry takes longer than all the rest)
    except OSError:  # not there, or an archive
        return
    for entry in entries:
        if entry.endswith(RECORDS):
            name, _, rest = entry.rpartition(".")[0].partition("-")
            yield _normalise(name), rest.partition("-py")[0]


def _normalise(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")
