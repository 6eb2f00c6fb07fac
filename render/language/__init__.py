"""The meaning of the words of scenes: the primitive words, and elementary functions made of them alone.

primitives: what every target must provide; polynomials: their coefficients; elementary: functions of them.
"""
