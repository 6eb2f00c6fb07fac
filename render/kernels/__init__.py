"""What lanes do: the loops around a scene, written in the lane vocabulary and knowing no scene, no numba and no device.

slots: the places in the loops that a scene and the lanes fill.
driver: the loop for many lanes on a CPU; room: where all that is underway stands.
refill: lanes change their samples. resolve: the end of samples and of patches of pixels.
scalar: the same for one sample at a time.
warp: the same for the lanes of a GPU's warp.
"""
