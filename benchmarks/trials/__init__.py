"""Trials of `faults.py`: real runs, each in a process of its own, in which something goes wrong.

runs       a run, the processes that it started, and what is left of it
faults     what befalls it
bad_tiles  scenes of which one tile is bad
"""
