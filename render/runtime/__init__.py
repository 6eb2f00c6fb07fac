"""Run compiled code: on this machine's CPUs, on its GPUs, or in a simulator.

kernel: what a kernel is to painter and modes, whichever target made it.
cpu: object code to a kernel, without numba. cuda: NVIDIA's GPUs.
launch: one launch on a GPU: its tiles, where its threads write, and what comes back; painted: what did, for the frame.
several: several GPUs as one device. simulator: numba's CUDA simulator as a device.
kept: a device left open between two frames.
"""
