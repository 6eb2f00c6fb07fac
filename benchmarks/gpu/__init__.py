"""A GPU, and what runs on it to be timed: the program's kernel, and others written by hand in CUDA C++.

    nvrtc      compiles references/*.cu, for any GPU and without one
    bench      launches kernels one at a time, and times them on the GPU's own clock
    ceilings   what a GPU can at most: copies, launches, loops of nothing but fma
    program    the program's kernel, a frame a launch
    by_hand    references/mandelbrot.cu: the program's former algorithm, without colours
    designs    references/designs.cu: the program's steps and colours in other designs
    nsight     what Nsight Compute says of the program's passes
    stand_in   NVIDIA's driver for a process without a GPU: what the host's part costs

The sections `gpu`, `designs` and `host` measure them.
"""
