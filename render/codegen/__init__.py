"""From a scene's plain functions to machine code.

retarget: copies plain functions, with other words and other names in them; and their fingerprint.
program: a loop with a scene in its slots, and the key of its code.
settings: the settings of compiled code for each rectangle.
lane_types, lane_primitives, lane_slots, lane_memory, lane_moves, lane_pixels: numba's type for lanes; its operators,
words and intrinsics.
avx512: instructions that LLVM has no portable word for.
warp_words: what the lanes of a warp say to each other.
cpu_compiler: the filled loop to object code, by numba; llvm_module: numba made to compile all of it at once.
packages: versions of installed packages.
plain_numba: numba unaffected by its environment variables.
cuda_compiler: the filled loop to machine code for a GPU, by numba-cuda.
cuda_code: machine code for a GPU from the cache, or compiled now.
code_cache: machine code kept between runs; file_lock: one of several compiles, and the others wait.
host: this CPU as LLVM knows it, and object code loaded for it.
"""
