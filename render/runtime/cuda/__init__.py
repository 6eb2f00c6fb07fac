"""NVIDIA's GPUs, spoken to through the driver alone.

discovery: which there are, and why mode cuda cannot run on them; software: what is installed for them.
calls: the driver's interface through ctypes; driver: its failures in words.
toolkit: what compiles for GPUs, and where it was found before.
early: starts the driver beside all imports.
device: one GPU with a kernel loaded; stream: a queue of launches on it; idle: waits for it without holding anybody up.
"""
