"""Work that is done once before anything is painted, and kept for all requests that can use it.

A scene is loaded, its numbers are prepared, its contract is checked, its code is found by its fingerprint and loaded.
`draw` does that for one request, `race` once for all modes, a session (`render.frontend.sessions`) once for all its
frames.
"""

from __future__ import annotations

import threading
from itertools import chain

import numpy as np

from render import scene, targets
from render.contract import trial
from render.contract.foreign_code import describe_error
from render.errors import RenderError
from render.painting.painter import tile_failure
from render.parameters import P, member_types, members_of
from render.plan import tile_of
from render.prepared import KEPT, PreparedScene
from render.request import Request
from render.runtime.kernel import Announce, Kernel, LaunchKernel
from render.trace import Recorder


class Preparation:
    """Scenes, their numbers, and compiled code, each made when it is first needed. Threads may share it."""

    def __init__(self, *, keep_open: bool = False) -> None:
        """keep_open: whether devices stay open between frames, until `close`."""
        self._keep_open = keep_open
        self._lock = threading.RLock()
        self._scenes: dict[str, PreparedScene] = {}
        self._checked: set[tuple[object, ...]] = set()
        self._compiled: dict[tuple[object, ...], list[Kernel]] = {}
        self._unused: dict[Request, Kernel] = {}  # compiled for a request, and not handed out yet
        self._shared: dict[Request, Kernel] = {}

    def load_scene(self, name: str) -> PreparedScene:
        """Return the scene of this name, as it was when it was first loaded. Raises as `scene.load` does."""
        with self._lock:
            if name not in self._scenes:
                self._scenes[name] = PreparedScene.of(scene.load(name))
            return self._scenes[name]

    def prepare_numbers(self, request: Request) -> P:
        """Return what the scene's `prepare` makes for a request. Raises SceneError."""
        return self.load_scene(request.scene).prepared(request)

    def check_scene(self, request: Request) -> None:
        """Check a request's scene before anything is painted.

        Raises SceneError where it breaks its contract, TileError (for the first tile) where it raises something itself.
        """
        loaded = self.load_scene(request.scene)
        try:
            with self._lock:
                p = loaded.prepared(request)
                steering = [value for value in members_of(p).values() if isinstance(value, (int, np.integer))]
                seen = (
                    request.scene,
                    member_types(p),
                    *steering,
                )  # a branch may depend on them: another is another contract
                if seen not in self._checked:
                    trial.check_scene(loaded, request)
                    self._checked.add(seen)
        except RenderError:
            raise
        except Exception as error:
            first = tile_of(request, request.only_tile or 0)
            raise tile_failure(request, first, describe_error(error, loaded.path)) from error

    def compile_kernel(self, request: Request, announce: Announce) -> None:
        """Compile and load the code that paints a request, if that has not been done."""
        with self._lock:
            if self._find_code(request) is None:
                kernel = targets.load(request.target).compile(self.load_scene(request.scene), request, announce)
                self._compiled.setdefault(self._code_key(request), []).append(kernel)
                self._unused[request] = kernel
                if self._keep_open and isinstance(kernel, LaunchKernel):
                    kernel.keep_open()

    def make_kernel(self, request: Request, announce: Announce) -> Kernel:
        """Return a kernel for this request alone, compiled only if no loaded code fits it."""
        with self._lock:
            self.compile_kernel(request, announce)
            kernel, code = self._unused.pop(request, None), self._find_code(request)
            assert code is not None, "it was compiled"
            return code.for_request(request, self.prepare_numbers(request)) if kernel is None else kernel

    def record_kernel(self, request: Request, recorder: Recorder, announce: Announce) -> Kernel:
        """Make a kernel as `make_kernel` does, and record how long that took.

        The time counts as compiling only where the target announced that it compiles or waits; otherwise machine code
        was loaded, as modules are.
        """
        messages: list[str] = []

        def tell(text: str) -> None:
            messages.append(text)
            announce(text)

        t0 = recorder.clock()
        try:
            return self.make_kernel(request, tell)
        finally:
            recorder.add("compile" if messages else "import", t0, recorder.clock())

    def shared_kernel(self, request: Request) -> Kernel:
        """Return the one kernel that paints all windows of a request; those of the last few requests are kept."""
        with self._lock:
            kernel = self._shared.pop(request, None) or self.make_kernel(request, lambda _text: None)
            self._shared[request] = kernel
            while len(self._shared) > KEPT:
                del self._shared[next(iter(self._shared))]
            return kernel

    def close(self) -> None:
        """Close the devices that were kept open; those that are painting are closed when they are left."""
        with self._lock:
            for kernel in chain.from_iterable(self._compiled.values()):
                if isinstance(kernel, LaunchKernel):
                    kernel.close_kept()

    def _find_code(self, request: Request) -> Kernel | None:
        """Find a kernel whose code paints this request too."""
        p = self.prepare_numbers(request)
        return next((one for one in self._compiled.get(self._code_key(request), ()) if one.fits(request, p)), None)

    def _code_key(self, request: Request) -> tuple[object, ...]:
        """Return what decides which code paints a request, besides the constants that some kernels have."""
        how = request.scene, request.target, request.precision, request.simulate
        return *how, member_types(self.prepare_numbers(request))
