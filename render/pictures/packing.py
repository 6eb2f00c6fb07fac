"""zlib streams (RFC 1950) packed in bands by several threads: the same bytes however many threads there are.

A band is packed as if nothing had come before it, and ends on a whole byte, so bands may be packed in any order and
are simply put one behind the other. A band of a mebibyte loses some thousandths to that, and still fits a CPU's cache.

On another family of CPUs, or in another release, isal may find other repeats: then the packed bytes are others, and
what they unpack to is the same.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from isal import isal_zlib

from render import machine

BAND = 1 << 20  # bytes
LEVEL = 1  # of isal's; 2 is hardly smaller, 3 takes twice as long (benchmarks/saving.py)
HEADER = b"\x78\x01"  # deflate with a window of 32 KiB, packed fast
MODULUS = 65521  # of Adler's sums, the largest prime below 2^16
Band = Callable[[], Any]  # makes what is to be packed; may be called in any thread
T = TypeVar("T")


class PackedBand(NamedTuple):
    """A band, packed, with the sums and the length of what is in it."""

    data: bytes
    sums: int
    length: int


def pack_bands(bands: Sequence[Band]) -> bytes:
    """Pack bands (each gives bytes or a contiguous array) into one zlib stream, in parallel."""
    last = len(bands) - 1
    packed = run_in_threads([partial(pack_band, band, last=number == last) for number, band in enumerate(bands)])
    sums = 1
    for band in packed:
        sums = combine_adler32(sums, band.sums, band.length)
    return b"".join([HEADER, *(band.data for band in packed), sums.to_bytes(4, "big")])


def run_in_threads(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Do all jobs, in as many threads as there are CPUs; return their results in order. Raises what one raised."""
    if len(jobs) == 1:
        return [jobs[0]()]
    done: dict[int, T] = {}
    failed: list[BaseException] = []
    numbers = iter(range(len(jobs)))  # one for all threads: each takes the next job that nobody has

    def work() -> None:
        try:
            for number in numbers:
                done[number] = jobs[number]()
        except BaseException as error:  # noqa: BLE001  (raised below, where somebody listens)
            failed.append(error)

    threads: list[threading.Thread] = []
    with contextlib.suppress(RuntimeError):  # no more threads are allowed: those that there are do it all
        for _ in range(min(machine.cpus(), len(jobs)) - 1):
            thread = threading.Thread(target=work)
            thread.start()
            threads.append(thread)
    work()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return [done[number] for number in range(len(jobs))]


def pack_band(band: Band, *, last: bool) -> PackedBand:
    """Pack one band; the last one ends the stream."""
    data = band()
    deflate = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    body = deflate.compress(data) + deflate.flush(isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH)
    return PackedBand(body, isal_zlib.adler32(data), memoryview(data).nbytes)


def combine_adler32(first: int, second: int, length: int) -> int:
    """Adler-32 of two pieces from that of each; `length` of the second (bytes).

    The low half is 1 + the sum of all bytes; the high half is the sum of the low halves after each byte (RFC 1950,
    section 8.2), so over the second piece it grows by what the first has left in the low half, once for each byte.
    """
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + length * ((first & 0xFFFF) - 1)
    return (high % MODULUS) << 16 | low % MODULUS
