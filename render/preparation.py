"""What has to be done once before anything is painted, kept for all requests that it serves.

A scene is loaded, its numbers are prepared, its contract is checked, its code is found by its fingerprint and loaded.
`draw` does that for one request, `race` once for all modes, a session (`render.frontend.sessions`) once for all its
frames.
"""

from __future__ import annotations

import threading

import numpy as np

from render import scene, targets
from render.contract import trial
from render.contract.foreign_code import describe_error
from render.errors import RenderError
from render.painting.painter import failure
from render.parameters import P, kinds, members
from render.plan import tile_of
from render.prepared import KEPT, PreparedScene
from render.request import Request
from render.runtime.kernel import Announce, Kernel


class Preparation:
    """Scenes, their numbers, and compiled code, each made when it is first needed. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._scenes: dict[str, PreparedScene] = {}
        self._checked: set[tuple[object, ...]] = set()
        self._compiled: dict[tuple[object, ...], Kernel] = {}
        self._unused: dict[Request, Kernel] = {}  # compiled for a request, and not given to anybody yet
        self._shared: dict[Request, Kernel] = {}

    def scene(self, name: str) -> PreparedScene:
        """Give the scene of this name, as it was when it was first asked for. Raises as `scene.load` does."""
        with self._lock:
            if name not in self._scenes:
                self._scenes[name] = PreparedScene.of(scene.load(name))
            return self._scenes[name]

    def numbers(self, request: Request) -> P:
        """Give what the scene's `prepare` makes for a request. Raises SceneError."""
        return self.scene(request.scene).prepared(request)

    def check(self, request: Request) -> None:
        """Find out what is wrong with a request's scene before anything is painted.

        Raises SceneError where it breaks its contract, TileError (for the first tile) where it raises something itself.
        """
        loaded = self.scene(request.scene)
        try:
            with self._lock:
                p = loaded.prepared(request)
                steering = [value for value in members(p).values() if isinstance(value, (int, np.integer))]
                seen = (request.scene, kinds(p), *steering)  # a branch may depend on them: another is another contract
                if seen not in self._checked:
                    trial.check(loaded, request)
                    self._checked.add(seen)
        except RenderError:
            raise
        except Exception as error:
            first = tile_of(request, request.only_tile or 0)
            raise failure(request, first, describe_error(error, loaded.path)) from error

    def compile(self, request: Request, announce: Announce) -> None:
        """Have the code that paints a request compiled and loaded, if it is not yet."""
        with self._lock:
            code = self._code(request)
            if code not in self._compiled:
                made = targets.load(request.target).compile(self.scene(request.scene), request, announce)
                self._compiled[code] = self._unused[request] = made

    def kernel(self, request: Request, announce: Announce) -> Kernel:
        """Give a kernel for a request, nobody else's, compiled only if there is no code that fits it."""
        with self._lock:
            self.compile(request, announce)
            made = self._unused.pop(request, None)
            if made is None:
                made = self._compiled[self._code(request)].for_request(request, self.numbers(request))
            return made

    def shared_kernel(self, request: Request) -> Kernel:
        """Give the one kernel with which all windows of a request are painted; those of the last few are kept."""
        with self._lock:
            made = self._shared.pop(request, None) or self.kernel(request, lambda _text: None)
            self._shared[request] = made
            while len(self._shared) > KEPT:
                del self._shared[next(iter(self._shared))]
            return made

    def _code(self, request: Request) -> tuple[object, ...]:
        """Give what decides which code paints a request."""
        how = request.scene, request.target, request.precision, request.simulate
        return *how, kinds(self.numbers(request))
