"""Compiled code on this machine's CPUs.

native: object code to a kernel. underway: a rectangle painted bit by bit, and the memory for it.
gil: the same code called without dropping the GIL.
"""
