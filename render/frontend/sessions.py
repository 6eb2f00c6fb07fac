"""A session: a scene that is checked, compiled and loaded once, and drawn as often as is wanted.

    with render.session(scene="mandelbrot", size=(256, 256), mode="sequential") as s:
        frames = [s.draw(parameters={"zoom": zoom}) for zoom in range(1, 100)]

What a single `draw` does before it paints (loading and checking the scene, finding its code by its fingerprint, loading
it) takes longer than painting a small frame. A session does it when it is opened. What is left for each frame, besides
starting and finishing a run of its mode, takes one or two milliseconds (benchmarks/sessions.py). The pictures are those
of `draw`, to the last bit. Worker processes live on between frames, and a GPU stays open.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from render import engine, options
from render.errors import RenderError, TileError, UsageError
from render.frame import Canvas, open_window
from render.frontend.saving import draw_files, split_wishes
from render.pace import Pace
from render.painting.not_numbers import describe_failure
from render.pictures.png_writer import encode_png
from render.plan import Tile
from render.preparation import Preparation
from render.request import Request
from render.results import DrawnFrame
from render.runtime.kernel import CpuKernel, Kernel

if TYPE_CHECKING:
    import numpy as np

SLICE_NS = 5_000_000  # of a started window: whoever wants to stop or suspend it waits for no more than one slice
FIXED = ("scene", "precision", "mode", "target")  # what is compiled, and who works when


class Window(NamedTuple):
    """The pixels of one rectangle of a frame, whose top left corner is (x, y) of the frame.

    `rgb` (height, width, 3) uint8; for one sample a pixel `steps` (height, width) int32 and `inside` (height, width)
    bool, which samples were still alive at the limit, else None. `total_steps` are those of all samples.
    """

    x: int
    y: int
    rgb: np.ndarray
    steps: np.ndarray | None
    inside: np.ndarray | None
    total_steps: int

    def png(self) -> bytes:
        """Encode the pixels as a PNG file."""
        return encode_png(self.rgb)

    def __repr__(self) -> str:
        """One line: where it is and how large."""
        height, width, _ = self.rgb.shape
        return f"<Window of {width} x {height} pixels at {self.x}, {self.y}>"

    def _repr_png_(self) -> bytes:
        """Show the pixels in a notebook."""
        return self.png()


class Session:
    """Draws many frames of one scene, precision, mode and target; several threads may draw at once.

    Takes the options of `render.draw`, which are the defaults of all its frames. Raises as `render.draw` does for what
    is wrong with them or with the scene.
    """

    def __init__(self, **arguments: Any) -> None:
        self._options = {name: value for name, value in arguments.items() if value is not None}
        self._preparation: Preparation | None = Preparation(keep_open=True)
        self.request = options.complete_from(self._options, self._preparation.load_scene)
        engine.load_available_mode(self.request)
        self._preparation.check_scene(self.request)
        self._preparation.compile_kernel(self.request, engine.announce_nothing)

    def draw(self, **changes: Any) -> DrawnFrame:
        """Draw one frame: `s.draw(parameters={"zoom": 3})`; every option but those in FIXED may change.

        Parameters that are not named keep the values they were given when the session was opened. `out` saves the
        frame, as in `render.draw`. A frame that fails leaves the session as it was.

        Raises UsageError for an option in FIXED and for a closed session, and as `render.draw` does.
        """
        preparation = self._require_open()
        changes, wishes = split_wishes(changes)
        request = self._changed_request(changes, preparation)
        if wishes is None:
            return engine.draw(request, preparation=preparation)
        return draw_files(request, wishes, preparation=preparation)

    def window(self, x: int, y: int, width: int, height: int, **changes: Any) -> Window:
        """Paint one rectangle of the frame, and nothing else of it: `s.window(512, 256, 256, 256)`.

        The frame may be far larger than memory, up to 2^31 pixels a side in float64 (2^17 in float32): memory is needed
        for the window only. Its pixels are those of the whole frame, to the last bit. It is painted in the calling
        thread, which lets others run meanwhile: for several workers, call it from several threads. Lengths are pixels;
        (x, y) is its top left corner, counted from the frame's. `changes` are those of `draw`.

        Raises UsageError as `draw` does and for a window that does not lie in the frame, TileError where it fails.
        """
        request, kernel, canvas, place = self._prepare_window((x, y, width, height), changes)
        try:
            steps, bad = kernel.paint(canvas, *place)
        except RenderError:
            raise
        except Exception as error:
            raise _window_error(request, canvas, f"{type(error).__name__}: {error}") from error
        return _finish_window(request, kernel, canvas, steps, bad)

    def start_window(self, x: int, y: int, width: int, height: int, **changes: Any) -> StartedWindow:
        """Start a window that is painted slice by slice, by `StartedWindow.paint`; else it is that of `window`.

        Raises UsageError as `window` does, and where the target's code cannot be suspended.
        """
        request, kernel, canvas, place = self._prepare_window((x, y, width, height), changes)
        if not isinstance(kernel, CpuKernel):
            raise UsageError(f"target {request.target} paints no slices", "open a session of a CPU mode")
        return StartedWindow(request, kernel, canvas, place)

    def _prepare_window(
        self, place: tuple[int, int, int, int], changes: dict[str, Any]
    ) -> tuple[Request, Kernel, Canvas, tuple[int, int, int, int]]:
        """Check where a window lies and what it shows; return what paints it, and on what."""
        preparation = self._require_open()
        x, y, width, height = [options.parse_whole(value, "a window's place") for value in place]
        request = self._changed_request(changes, preparation)
        canvas = open_window(request, x, y, width, height)
        request = replace(request, tile=(width, height), only_tile=None)
        preparation.check_scene(request)
        return request, preparation.shared_kernel(request), canvas, (x, y, width, height)

    def close(self) -> None:
        """Release the code; frames that other threads are drawing are finished. Closing again does nothing."""
        preparation, self._preparation = self._preparation, None
        if preparation is not None:
            preparation.close()

    def __enter__(self) -> Self:
        self._require_open()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._preparation is None else "open"
        request = self.request
        fixed = f"{request.scene}, {request.precision}, mode {request.mode}, target {request.target}"
        return f"<session of scene {fixed}: {state}>"

    def _require_open(self) -> Preparation:
        if self._preparation is None:
            raise UsageError("this session is closed", "open another one with render.session")
        return self._preparation

    def _changed_request(self, changes: dict[str, Any], preparation: Preparation) -> Request:
        """Complete the request with these options in place of the session's own."""
        given = {name: value for name, value in changes.items() if value is not None}
        for name in FIXED:
            if name in given:
                raise UsageError(
                    f"the {name} of a session cannot change: it is {getattr(self.request, name)}",
                    "leave it out, or open another session for it",
                )
        parameters = {**self._options.get("parameters", {}), **given.get("parameters", {})}
        return options.complete_from(self._options | given | {"parameters": parameters}, preparation.load_scene)


class StartedWindow:
    """A window under way: one thread at a time paints slices of it, and it may be suspended between two of them.

    `result` is None until it is finished.
    """

    def __init__(self, request: Request, kernel: CpuKernel, canvas: Canvas, place: tuple[int, int, int, int]) -> None:
        self.result: Window | None = None
        self._request, self._kernel, self._canvas = request, kernel, canvas
        self._pace, self._steps, self._bad = Pace(SLICE_NS, 2.0), 0, 0
        self._stack = ExitStack()
        self._rectangle = self._stack.enter_context(kernel.start_rectangle(canvas, *place))

    def paint(self, ns: int, stop: Callable[[], bool] = lambda: False) -> bool:
        """Paint slices for about `ns` nanoseconds, at least one; return whether the window is finished.

        `stop` is called after each slice, some 5 ms: once it returns True, no more are painted. Raises TileError.
        """
        until = perf_counter_ns() + ns
        while self.result is None:
            t0, budget = perf_counter_ns(), self._pace.budget
            try:
                steps, bad, done = self._rectangle.paint_slice(budget)
            except Exception as error:
                self.close()
                raise _window_error(self._request, self._canvas, f"{type(error).__name__}: {error}") from error
            self._steps, self._bad = self._steps + steps, self._bad + bad
            t1 = perf_counter_ns()
            self._pace.learn(budget, t1 - t0, done=done)
            if done:
                self.close()
                self.result = _finish_window(self._request, self._kernel, self._canvas, self._steps, self._bad)
            elif t1 >= until or stop():
                break
        return self.result is not None

    def close(self) -> None:
        """Give up the window, or what painting it needed. Closing again does nothing."""
        self._stack.close()


def _finish_window(request: Request, kernel: Kernel, canvas: Canvas, steps: int, bad: int) -> Window:
    """Take the pixels of a painted window. Raises TileError where samples of it are NaN."""
    if bad:
        high, wide, _ = canvas.rgb.shape
        tile = Tile(0, canvas.x, canvas.y, wide, high)
        raise _window_error(request, canvas, describe_failure(request, kernel, canvas, tile, bad))
    return Window(canvas.x, canvas.y, *canvas.take_pixels(), total_steps=steps)


def _window_error(request: Request, canvas: Canvas, why: str) -> TileError:
    """Make the error for one window, with the call that paints it alone."""
    high, wide, _ = canvas.rgb.shape
    place = f"window({canvas.x}, {canvas.y}, {wide}, {high})"
    return TileError(f"{place} of scene {request.scene} failed: {why}", f"to reproduce it: session.{place}")
