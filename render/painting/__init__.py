"""One tile of one request with one target, by whichever worker gets it.

painter: paints and records; handfuls: many small tiles at a time; juggling: several tiles of a worker in flight.
slabs: what is painted on, slab by slab where a frame is too large for one canvas; preview: a small picture of such.
course: a run's progress, reported and kept; costs: of tiles, estimated; not_numbers: where a NaN comes from.
liveness: workers that hang; retries: tiles whose workers are lost.
"""
