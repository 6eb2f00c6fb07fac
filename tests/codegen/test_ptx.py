"""The emulator of PTX: its threads, against what the manual says of warps, blocks and memory."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.ptx.lanes import Grid
from tests.ptx.machine import Machine, Work
from tests.ptx.memory import Memory
from tests.ptx.text import PtxError, parse

HEAD = """
.version 8.7
.target sm_90
.address_size 64
{outside}
.visible .entry tried(.param .u64 place) .maxntid 256, 1, 1
{{
    .reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<20>; .reg .b64 %d<20>; .reg .f32 %f<9>; .reg .f64 %g<9>;
    ld.param.u64 %d0, [place];
    cvta.to.global.u64 %d0, %d0;
    mov.u32 %r0, %ctaid.x;
    mov.u32 %r1, %ntid.x;
    mov.u32 %r2, %tid.x;
    mad.lo.s32 %r0, %r0, %r1, %r2;   // the thread's number in the grid
    mul.wide.u32 %d1, %r0, 8;
    add.s64 %d1, %d0, %d1;           // its eight bytes
{body}
}}
"""


def run(body: str, *, threads: int = 32, blocks: int = 1, outside: str = "", **more: Any) -> np.ndarray:
    """What the threads left in their eight bytes each (uint64), which were all zero."""
    memory = Memory()
    place = memory.allocate(8 * threads * blocks)
    memory.pieces[place].bytes[:] = 0
    kernel = parse(HEAD.format(body=body, outside=outside), "tried")
    Machine(kernel, memory, Grid((blocks, 1, 1), (threads, 1, 1)), **more).run(place.to_bytes(8, "little"))
    assert len(memory.pieces) == 1, "what the launch took for itself is given back"
    return memory.pieces[place].typed(np.dtype(np.uint64)).copy()


ORDERS = pytest.mark.parametrize("order", [min, max], ids=["first", "last"])

PARTED = """
    and.b32 %r3, %r2, 3;
    setp.eq.u32 %p1, %r3, 0;
    mov.u32 %r4, 7;
    @%p1 bra $over;
$again:
    add.u32 %r4, %r4, %r3;
    sub.u32 %r3, %r3, 1;
    setp.ne.u32 %p2, %r3, 0;
    @%p2 bra $again;
$over:
    activemask.b32 %r5;
    mov.b64 %d2, {%r4, %r5};
    st.global.u64 [%d1], %d2;
    ret;
"""


def test_lanes_that_parted_come_together_again() -> None:
    left = run(PARTED, threads=64, blocks=3)

    assert (left & 0xFFFFFFFF).tolist() == [7 + (0, 1, 3, 6)[i % 4] for i in range(192)]
    assert set((left >> 32).tolist()) == {0xFFFFFFFF}


def test_the_work_of_lanes_that_parted_is_counted() -> None:
    """Four instructions for all, and between them four for one lane, which its warp issues all the same."""
    kernel = parse(".entry tried() { .reg .pred %p<2>; .reg .b32 %r<2>; mov.u32 %r0, %tid.x;" + FOUR_FOR_ONE, "tried")
    machine = Machine(kernel, Memory(), Grid((1, 1, 1), (32, 1, 1)))
    machine.run(b"")

    assert machine.work == Work(issued=8, lanes=4 * 32 + 4)
    assert machine.work.busy == (4 * 32 + 4) / (8 * 32)


FOUR_FOR_ONE = """
    setp.ne.u32 %p0, %r0, 9;
    @%p0 bra $e;
    mov.u32 %r1, 1; mov.u32 %r1, 2; mov.u32 %r1, 3; mov.u32 %r1, 4;
$e: ret;
}
"""


@ORDERS
def test_a_ballot_waits_for_all_its_members(order: Any) -> None:
    """The odd lanes come late; each lane hears of all that said yes."""
    body = """
    and.b32 %r3, %r2, 1;
    setp.eq.u32 %p1, %r3, 0;
    @%p1 bra $vote;
    setp.lt.u32 %p2, %r2, 8;
$vote:
    setp.lt.u32 %p2, %r2, 8;
    vote.sync.ballot.b32 %r4, %p2, -1;
    popc.b32 %r5, %r4;
    vote.sync.any.pred %p3, %p2, -1;
    vote.sync.all.pred %p4, !%p2, -1;
    @!%p3 mov.u32 %r5, 99;
    @%p4 mov.u32 %r5, 98;
    mov.b64 %d2, {%r4, %r5};
    st.global.u64 [%d1], %d2;
"""
    assert set(run(body, order=lambda places: int(order(places))).tolist()) == {8 << 32 | 255}


def test_halves_of_a_warp_may_vote_apart() -> None:
    body = """
    setp.lt.u32 %p1, %r2, 16;
    selp.b32 %r3, 0xFFFF, 0xFFFF0000, %p1;
    and.b32 %r4, %r2, 3;
    setp.eq.u32 %p2, %r4, 0;
    vote.sync.ballot.b32 %r5, %p2, %r3;
    cvt.u64.u32 %d2, %r5;
    st.global.u64 [%d1], %d2;
"""
    assert run(body).tolist() == [0x1111] * 16 + [0x11110000] * 16


@pytest.mark.parametrize(
    ("words", "source"),
    [
        ("idx.b32 %r3|%p1, %r2, 5, 31", lambda lane: 5),
        ("idx.b32 %r3|%p1, %r2, 1, 0x181f", lambda lane: lane & 24 | 1),
        ("up.b32 %r3|%p1, %r2, 1, 0", lambda lane: max(lane - 1, 0)),
        ("down.b32 %r3|%p1, %r2, 4, 31", lambda lane: lane + 4 if lane < 28 else lane),
        ("bfly.b32 %r3|%p1, %r2, 6, 31", lambda lane: lane ^ 6),
    ],
)
def test_values_go_from_lane_to_lane(words: str, source: Callable[[int], int]) -> None:
    left = run(f"shfl.sync.{words}, -1;\n cvt.u64.u32 %d2, %r3;\n st.global.u64 [%d1], %d2;")

    assert left.tolist() == [source(lane) for lane in range(32)]


def test_lanes_find_their_like_and_add_up() -> None:
    body = """
    and.b32 %r3, %r2, 1;
    match.any.sync.b32 %r4, %r3, -1;
    redux.sync.add.u32 %r5, %r2, %r4;
    mov.b64 %d2, {%r4, %r5};
    st.global.u64 [%d1], %d2;
"""
    assert run(body).tolist() == [240 << 32 | 0x55555555, 256 << 32 | 0xAAAAAAAA] * 16


def test_a_block_waits_at_its_barrier() -> None:
    """Each thread reads what another warp's wrote to the memory that they share."""
    body = """
    .shared .align 4 .b8 here[256];
    mov.u64 %d2, here;
    mul.wide.u32 %d3, %r2, 4;
    add.s64 %d4, %d2, %d3;
    st.shared.u32 [%d4], %r0;
    bar.sync 0;
    xor.b32 %r3, %r2, 63;
    mul.wide.u32 %d3, %r3, 4;
    add.s64 %d4, %d2, %d3;
    ld.shared.u32 %d5, [%d4];
    st.global.u64 [%d1], %d5;
"""
    assert run(body, threads=64, blocks=2).tolist() == [i ^ 63 for i in range(128)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "setp.eq.u32 %p1, %r2, 3; @%p1 exit; bar.warp.sync -1;",
            r"thread \(0, 0, 0\).* waits for a thread that has ended",
        ),
        ("bar.warp.sync 1;", r"thread \(1, 0, 0\).* is not named by its own mask"),
        (
            "setp.eq.u32 %p1, %r2, 3; @%p1 bra $b; bar.warp.sync -1; bra $e; $b: bar.warp.sync -1; $e: ret;",
            r"deadlock .*lanes 3 at line \d+: bar\.warp\.sync",
        ),
        ("$here: bra $here;", "no end in sight at line"),
        ("setp.gt.u32 %p1, %r2, 5; @%p1 trap;", r"trapped by thread \(6, 0, 0\)"),
    ],
)
def test_threads_that_never_get_on_are_told(body: str, words: str) -> None:
    with pytest.raises(PtxError, match=words):
        run(body, patience=1000)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("st.global.u64 [%d1+8], %d1;", r"line \d+: st\.global\.u64 .*thread \(31, 0, 0\).* lies in no memory"),
        ("ld.global.u8 %h0, [%d0+-1];", "lies in no memory"),
        ("ld.u64 %d2, [0];", "address 0x0 lies in no memory"),
        ("ld.global.u32 %r3, [%d1+2];", "no multiple of 4"),
        ("ld.global.v2.u64 {%d2, %d3}, [%d0+8];", "no multiple of 16"),
        ("mov.b64 %d2, place; st.u64 [%d2], %d1;", "constant"),
        ("ld.shared.u32 %r3, [%d0];", "lies in global memory, not shared"),
    ],
)
def test_a_stray_access_is_told(body: str, words: str) -> None:
    with pytest.raises(PtxError, match=words):
        run(body)


def test_threads_add_to_one_place_in_turn() -> None:
    body = """
    atom.global.add.u64 %d2, [%d0], 5;
    red.global.max.u32 [%d0+8], %r0;
    st.global.u64 [%d1+16], %d2;
"""
    left = run(f"setp.gt.u32 %p1, %r0, 61; @%p1 ret; {body}", threads=64)

    assert left[0] == 62 * 5
    assert left[1] == 61
    assert sorted(left[2:]) == [5 * i for i in range(62)]


def test_memory_is_read_in_every_width() -> None:
    body = """
    mov.u32 %r3, 0x80FF;
    st.global.u16 [%d1], %r3;
    ld.global.s8 %d2, [%d1];
    ld.global.u16 %d3, [%d1];
    ld.global.s16 %r4, [%d1];
    setp.eq.s64 %p1, %d2, -1;
    setp.eq.and.s32 %p1, %r4, -32513, %p1;
    @%p1 st.global.v2.u32 [%d1], {%r3, %r4};
"""
    assert set(run(body).tolist()) == {(2**32 - 32513) << 32 | 0x80FF}


def test_tables_and_own_memory() -> None:
    body = """
    .local .align 8 .b8 depot[16];
    mov.u64 %d2, depot;
    cvt.u64.u32 %d3, %r2;
    st.local.u64 [%d2+8], %d3;
    and.b32 %r3, %r2, 3;
    mul.wide.u32 %d4, %r3, 4;
    mov.u64 %d5, table;
    add.s64 %d5, %d5, %d4;
    ld.const.u32 %r4, [%d5];
    ld.local.u64 %d6, [%d2+8];
    mad.wide.u32 %d6, %r4, 100, %d6;
    st.global.u64 [%d1], %d6;
"""
    left = run(body, outside=".visible .const .align 4 .u32 table[4] = {2, 3, 5, 7};")

    assert left.tolist() == [lane + 100 * (2, 3, 5, 7)[lane % 4] for lane in range(32)]


def test_threads_are_told_who_they_are_and_what_time_it_is() -> None:
    body = """
    mov.u32 %r3, %laneid;
    mov.u32 %r4, %lanemask_lt;
    popc.b32 %r4, %r4;
    sub.u32 %r3, %r3, %r4;
    mov.u32 %r5, %smid;
    mad.lo.u32 %r3, %r5, 100, %r3;
    mov.u64 %d2, %globaltimer;
    cvt.u64.u32 %d3, %r3;
    add.u64 %d2, %d2, %d3;
    st.global.u64 [%d1], %d2;
"""
    left = run(body, threads=40, blocks=7, processors=5, clock=lambda: 10**6)

    assert left.reshape(7, 40)[:, 0].tolist() == [10**6 + 100 * (block % 5) for block in range(7)]
    assert (left.reshape(7, 40) == left.reshape(7, 40)[:, :1]).all()


@pytest.mark.parametrize(
    "words",
    [
        "add.rz.f32 %f1, %f1, %f1",
        "add.rn.ftz.f32 %f1, %f1, %f1",
        "sqrt.approx.f32 %f1, %f1",
        "frobnicate.b32 %r1, %r1",
        "call helper, (%r1)",
        "add.u32 %r1, %r1",
        "add.u32 %r1, %r1, %x",
        "add.u64 %r1, %r1, %r1",
        "bra $nowhere",
        "ld.global.v8.b32 %r1, [%d0]",
    ],
)
def test_what_is_not_understood_is_told_with_its_line(words: str) -> None:
    with pytest.raises(PtxError, match=rf"line \d+: {re.escape(words[:3])}"):
        run(f"{words};")


def test_names_of_an_inner_scope_are_its_own() -> None:
    """As inline assembly has them."""
    body = """
    mov.u32 %r3, 1;
    { .reg .b32 %r3; mov.u32 %r3, 5; add.u32 %r4, %r3, %r2; }
    add.u32 %r4, %r4, %r3;
    cvt.u64.u32 %d2, %r4;
    st.global.u64 [%d1], %d2;
"""
    assert run(body).tolist() == [lane + 6 for lane in range(32)]
