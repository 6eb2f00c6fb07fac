"""What every benchmark shares: cases as data, one way of measuring them, and one record of a run.

    cases       what a section declares: groups of cases that are compared with each other
    timing      how a group is measured: turn by turn, in one process, with a yardstick between
    process     one section, one pass, in a process of its own
    passes      all sections, pass after pass, until figures are known well, get no better, or the time is over
    record      the JSON file of a run: written as it grows, read again, resumed
    machine     what is known of the machine, its software and this source tree
    verdicts    what the samples of a case carry: an interval, and FAST, SLOW, SAME or AMBIGUOUS against another run
    program     the program as cases; whole: whole processes
    core_limit  what a core can at most; plain_loop: a loop to compare with; compiled: how both are compiled
    scratch     a folder that lives as long as a run

A section is a file in `sections/` with a docstring, whose first line is its title, and one function:

    def groups(quick: bool) -> Iterator[Group]:

It is called often and must import nothing heavy; what a group needs is imported in its `prepare`, which runs in a
process of its own, compares pictures and yields a `Case` for each way that can run and a `Missing` with its reason for
each that cannot:

    def prepare(stack: ExitStack) -> Iterator[Case | Missing]:
        kernel, expected = ...
        yield Case("painted", once=lambda: kernel.seconds(), equal=True, facts={"steps": expected.total})

`once` does the work once and returns the seconds that count; what it raises is the reason why its case has none.
`equal` is True where the picture was compared and is equal, None where no picture is made, `Differing(pixels, why)` for
a peer that paints a little differently. What must be equal and is not raises `Differ`; what cannot be had at all raises
`Absent`. Both become the reason of every case of the group that was not yielded yet. `stack` closes what stays open
while the group is measured.

A whole run has six minutes for at least three passes, so a group should take two or three seconds of a pass, what it
prepares included; `quick` leaves out what takes longer, and a group that is `on_request` is measured only when it is
named. A section's name and groups are the names in the file: other runs are compared by them.
"""
