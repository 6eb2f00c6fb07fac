"""Object code kept between runs, so that a second run compiles nothing.

One file per key, in the user's cache folder (RENDER_CACHE_DIR, or the platform's own). A key names everything that
the code depends on, so nothing is ever overwritten with something else; files are written beside and moved into
place, so several processes may do it at once. A file that is damaged counts as absent, and a folder that cannot
be written costs time, never the run. Of several that want the same code at the same time, one compiles it and the
others wait.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from render.codegen.file_lock import take_turn

MAGIC = b"render object code 1\n"


def cache_folder() -> Path:
    """Return the folder in which compiled code is kept."""
    chosen = os.environ.get("RENDER_CACHE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "render" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "render"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "render"


def describe_caching() -> str:
    """Say in a few words if code that is compiled now is kept, or why it cannot be.

    A file is really written and removed: only so are a full disk and a read-only file system found.
    """
    import tempfile

    try:
        place = cache_folder()
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(MAGIC)
    except RuntimeError:
        return "not cached for later runs: there is no home folder; RENDER_CACHE_DIR may name another"
    except OSError as error:
        return f"not cached for later runs: cannot write to {place}: {error.strerror}"
    return "once; cached for later runs"


def obtain_code(key: str, make: Callable[[], bytes], waiting: Callable[[], None] = lambda: None) -> bytes:
    """Return the code cached under this key, or what `make` returns, which is cached if possible.

    `waiting` is called where another process or thread is making it, for which this one waits.
    """
    code = read(key)
    if code is None:
        with _take_turn(key, waiting):
            code = read(key)
            if code is None:
                code = make()
                write(key, code)
    return code


def _take_turn(key: str, waiting: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
    """Wait for the turn to compile for this key; without a folder nobody waits."""
    try:
        place = cache_folder()
        place.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return contextlib.nullcontext()
    return take_turn(place / f"{key}.lock", waiting)


def read(key: str) -> bytes | None:
    """Read the code cached under this key (hex); None if there is none that is whole."""
    try:
        stored = (cache_folder() / f"{key}.code").read_bytes()
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return None
    head, code = stored[: len(MAGIC) + 32], stored[len(MAGIC) + 32 :]
    return code if head == MAGIC + hashlib.sha256(code).digest() else None


def write(key: str, code: bytes) -> bool:
    """Cache code under this key; return False if that is not possible."""
    import tempfile  # not in a run that only reads

    try:
        place = cache_folder()
        place.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=place, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(MAGIC + hashlib.sha256(code).digest() + code)
            Path(name).replace(place / f"{key}.code")
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except (OSError, RuntimeError):
        return False
    return True
