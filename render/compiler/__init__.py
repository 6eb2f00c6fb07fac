"""From a scene's plain functions to machine code: what the compiled targets are made of.

retarget: copies plain functions, with other words and other names in them; and their fingerprint.
slots: the places in the driver that a scene and the lanes fill.
driver: the loop around a scene, in the lane vocabulary, for many lanes; room, turnover, trays: its parts.
single: the same for one sample at a time.
underway: a rectangle that is painted bit by bit, and the memory for it.
program: the driver with a scene in it, and the key of its code.
settings: what compiled code is told for each rectangle it paints.
lane_types, lane_primitives, lane_slots, lane_memory: numba's type for lanes; its operators, words and intrinsics.
numba_front: the filled driver to object code, by numba.
numba_codegen: numba made to compile all of that at once, as one LLVM module.
plain_numba: numba as it is where none of its variables is set.
native: object code to a kernel, without numba.
code_cache: object code kept between runs; file_lock: one of several compiles, and the others wait.
"""
