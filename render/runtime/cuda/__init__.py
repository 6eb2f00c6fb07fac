"""NVIDIA's GPUs, spoken to through the driver alone.

discovery: which there are, and why mode cuda cannot run on them; software: what is installed for them.
driver: the driver's interface, and its failures in words.
early: starts the driver beside all imports.
device: one GPU with a kernel loaded; stream: a queue of launches on it; idle: waits for it without holding anybody up.
"""
