"""One tile of one request with one target, by whoever is told to.

painter: paints and records; handfuls: many small tiles at a time; juggling: several tiles of a worker in flight.
not_numbers: where a NaN comes from.
"""
