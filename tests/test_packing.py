"""zlib streams made of bands: what any zlib unpacks, and the same bytes however many threads packed them."""

from __future__ import annotations

import threading
import zlib
from functools import partial
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import machine
from render.pictures import packing
from render.pictures.packing import combine_adler32, pack_bands


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=6))
def test_any_zlib_unpacks_what_was_packed(bands: list[bytes]) -> None:
    assert zlib.decompress(pack_bands([partial(bytes, band) for band in bands])) == b"".join(bands)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_the_sums_of_two_pieces_are_those_of_the_whole(first: bytes, second: bytes) -> None:
    assert combine_adler32(zlib.adler32(first), zlib.adler32(second), len(second)) == zlib.adler32(first + second)


def test_sums_are_joined_over_more_bytes_than_the_modulus() -> None:
    first, second = b"\xff" * 200_000, b"\xfe" * 3_000_000
    assert combine_adler32(zlib.adler32(first), zlib.adler32(second), len(second)) == zlib.adler32(first + second)


def test_any_number_of_threads_makes_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    bands = [bytes([k, 2 * k, 7]) * 5000 for k in range(9)]
    made = set()
    for threads in (1, 2, 5, 40):
        monkeypatch.setattr(machine, "cpus", lambda count=threads: count)
        made.add(pack_bands([partial(bytes, band) for band in bands]))

    assert len(made) == 1


def test_one_band_is_packed_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "Thread", None)
    assert zlib.decompress(pack_bands([lambda: b"abc"])) == b"abc"


def test_where_no_thread_may_start_all_is_packed_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cpus", lambda: 3)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert zlib.decompress(pack_bands([lambda: b"abc"] * 5)) == b"abc" * 5


def refuse(_thread: threading.Thread) -> NoReturn:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("where", [0, 5])
def test_a_band_that_cannot_be_made_is_told(where: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def band(number: int) -> bytes:
        return b"x" * (1 // (number - where) * 0 + 9)

    monkeypatch.setattr(machine, "cpus", lambda: 3)
    with pytest.raises(ZeroDivisionError):
        pack_bands([partial(band, number) for number in range(6)])


def test_a_band_is_large_enough_to_hide_what_it_loses() -> None:
    text = b"".join(b"%d " % (k * k) for k in range(400_000))
    cut = [partial(bytes, text[at : at + packing.BAND]) for at in range(0, len(text), packing.BAND)]
    assert len(pack_bands(cut)) < 1.003 * len(pack_bands([lambda: text]))
