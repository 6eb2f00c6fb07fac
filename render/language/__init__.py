"""What the words of scenes mean: the primitive words, and elementary functions made of them alone.

primitives: what every target must provide; polynomials: their coefficients; elementary: functions of them.
"""
