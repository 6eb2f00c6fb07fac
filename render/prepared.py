"""Scenes that remember what `prepare` made, so that it runs once for a request however often that is needed.

What it gives is shared by the contract check, the kernel and all its workers, and the estimate of tiles' costs. A
session keeps the numbers of its last requests, so that going back to one of them costs nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from render.parameters import P
from render.request import Request, Value
from render.scene import Scene

KEPT = 8  # requests whose numbers are kept
PrepareKey = tuple[tuple[tuple[str, Value], ...], int, int, str]


def prepare_key(request: Request) -> PrepareKey:
    """Return everything that decides the numbers that `prepare` makes for a request."""
    return request.parameters, request.width, request.height, request.precision


@dataclass(frozen=True, eq=False)
class PreparedScene(Scene):
    """A scene that remembers the numbers of its last requests. Threads may share it."""

    known: dict[PrepareKey, P] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def of(cls, scene: Scene, known: Mapping[PrepareKey, P] | None = None) -> PreparedScene:
        """Make one of a loaded scene; `known`: numbers that were prepared elsewhere."""
        fields: dict[str, Any] = vars(scene)
        return cls(**fields, known=dict(known or {}))

    def remember(self, request: Request, p: P) -> None:
        """Remember the numbers of a request that were made elsewhere."""
        with self.lock:
            self.known[prepare_key(request)] = p

    def prepared(self, request: Request) -> P:
        """Return `p` for a request, made now only if it was not made before."""
        key = prepare_key(request)
        with self.lock:
            p = self.known.pop(key, None)
            if p is None:
                p = super().prepared(request)
            self.known[key] = p  # the last one used is the last one dropped
            while len(self.known) > KEPT:
                del self.known[next(iter(self.known))]
        return p
