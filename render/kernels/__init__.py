"""Kernels: the loops around a scene, written in the lane vocabulary and knowing no scene, no numba and no device.

slots: the places in the loops that a scene, the lanes and some numbers fill.
driver: the loop for many lanes on a CPU; room: where all that is underway stands, with a drawing and an example.
refill: lanes change their samples. resolve: the end of samples and of patches of pixels.
scalar: the same for one sample at a time.
warp: how the lanes of a GPU's warp follow samples, with a drawing and an example; passes: the two passes they make.
launch: the shape of a launch on a GPU, which the host has to know as well.
"""
