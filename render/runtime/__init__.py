"""What runs compiled code: on this machine's CPUs, on its GPUs, or in a simulator.

cpu: object code to a kernel, without numba. cuda: NVIDIA's GPUs.
launch: one launch on a GPU: its threads, where they write, and what comes back.
several: several GPUs as one device. simulator: numba's CUDA simulator as a device.
"""
