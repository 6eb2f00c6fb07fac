"""What every benchmark shares: cases as data, one way of measuring them, and one record of a run.

    cases      what a section declares: groups of cases that are compared with each other
    timing     how a group is measured: turn by turn, in one process, beside a yardstick
    process    one group, one pass, in a process of its own
    passes     all groups, pass after pass, until their intervals are narrow or the time is over
    record     the JSON file of a run: written as it grows, read again, resumed
    machine    what is known of the machine, its software and this source tree
    verdicts   what the samples of a case carry: its spread, and FAST, SLOW, SAME or AMBIGUOUS against another run

A section is a file in `sections/` with a docstring, whose first line is its title, and one function:

    def groups(quick: bool) -> Iterator[Group]:

It is called often and must import nothing heavy; what a group needs is imported in its `prepare`, which runs in a
process of its own, compares pictures and yields a `Case` for each way that can run and a `Missing` with its reason for
each that cannot:

    def prepare(stack: ExitStack) -> Iterator[Case | Missing]:
        kernel, expected = ...
        yield Case("painted", once=lambda: kernel.seconds(), equal=True, facts={"steps": expected.total})

`once` does the work once and returns the seconds that count. `equal` is True where the picture was compared and is
equal, None where no picture is made, `Differing(pixels, why)` for a peer that paints a little differently. What must
be equal and is not raises `Differ`; what cannot be had at all raises `Absent`. Both become the reason of every case of
the group that was not yielded yet. `stack` closes what stays open while the group is measured.
"""
