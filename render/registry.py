"""A folder is a registry: the files in it are the choices, found by name and loaded on first use."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from render.errors import UnknownName


def names(folder: Iterable[str]) -> list[str]:
    """List the choices in a package's folder (its `__path__`)."""
    return sorted(module.name for module in iter_modules(folder))


def load(kind: str, package: str, name: str, known: Iterable[str]) -> ModuleType:
    """Load the module of this name. Raises UnknownName, with the nearest that is known."""
    if name not in known:
        raise UnknownName(kind, name, known)
    return import_module(f"{package}.{name}")
