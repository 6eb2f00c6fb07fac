"""A file that the processes of one run share, and that nothing outlives.

On Linux it is memory without a name (`memfd_create`): other processes open it through /proc, as a file of the process
that made it, and the kernel frees it when the last of them has ended, however that happens. So there is nothing to
sweep, and nobody to ask whether its owner still lives. Elsewhere it lies in a folder of its own among temporary files.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from render.errors import OutputError
from render.wording import format_size

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.ENOMEM)


@contextmanager
def shared_file(size: int) -> Iterator[Path]:
    """Make a file of so many bytes, all 0, which is gone at the end. Its path is good while this process lives.

    Raises OutputError where there is no room.
    """
    with ExitStack() as stack:
        try:
            descriptor = _create_unnamed()
            if descriptor is not None:
                stack.callback(os.close, descriptor)
                _allocate(descriptor, size)
                path = _path_of(descriptor)
            else:
                from render.storage.temporary_folder import temporary_folder

                path = stack.enter_context(temporary_folder("render-shared-")) / "shared"
                with path.open("wb") as file:
                    _allocate(file.fileno(), size)
        except OSError as error:
            raise OutputError(
                f"there is no room for {format_size(size)} that processes could share: {error.strerror}",
                "give a smaller --size, or add --backend threading",
            ) from error
        yield path


def _create_unnamed() -> int | None:
    """Make memory that has no name; None where other processes could not open it."""
    with suppress(AttributeError, OSError):  # another system, or one without /proc
        descriptor = os.memfd_create("render")
        with suppress(OSError):  # /proc may be that of other processes, which have numbers like ours
            if os.path.samestat(_path_of(descriptor).stat(), os.fstat(descriptor)):
                return descriptor
        os.close(descriptor)
    return None


def _path_of(descriptor: int) -> Path:
    return Path(f"/proc/{os.getpid()}/fd/{descriptor}")


def _allocate(descriptor: int, size: int) -> None:
    """Take the room at once where the system can: to write to a file that then finds none ends a process (SIGBUS)."""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except (AttributeError, OSError) as error:
        if getattr(error, "errno", None) in FULL:
            raise
        os.truncate(descriptor, size)  # this system, or this file system, takes it when it is needed
