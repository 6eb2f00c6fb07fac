# The Mandelbrot set with explicit vectors, as Mojo's own examples have it: a row of lanes steps together until the last
# has ended. Steps of one point a pixel, into (height, width) int32.

from std.math import iota
from std.sys import simd_width_of

comptime VECTORS = 4  # in flight, so that one need not wait for another


def paint[real: DType](place: Int, width: Int, height: Int, x0: Float64, y0: Float64, pitch: Float64, limit: Int):
    comptime lanes = VECTORS * simd_width_of[real]()
    var counts = Pointer[Int32, MutUntrackedOrigin](unsafe_from_address=place)
    for j in range(height):
        var cy = SIMD[real, lanes]((y0 + (Float64(height) / 2 - Float64(j) - 0.5) * pitch).cast[real]())
        var i = 0
        while i < width:
            var column = iota[DType.float64, lanes](Float64(i)) + 0.5 - Float64(width) / 2
            var cx = (x0 + column * pitch).cast[real]()
            var x = SIMD[real, lanes](0)
            var y = SIMD[real, lanes](0)
            var steps = SIMD[DType.int32, lanes](0)
            for _ in range(limit):
                var alive = x.fma(x, y * y).le(4)
                if not alive.reduce_or():
                    break
                steps += alive.cast[DType.int32]()
                var part = (-y).fma(y, cx)
                y = (x + x).fma(y, cy)
                x = x.fma(x, part)
            if i + lanes <= width:
                counts.unsafe_store(j * width + i, steps)
            else:
                for lane in range(width - i):
                    counts.unsafe_store(j * width + i + lane, steps[lane])
            i += lanes


@export("paint_f64")
def paint_f64(place: Int, width: Int, height: Int, x0: Float64, y0: Float64, pitch: Float64, limit: Int) abi("C"):
    paint[DType.float64](place, width, height, x0, y0, pitch, limit)


@export("paint_f32")
def paint_f32(place: Int, width: Int, height: Int, x0: Float64, y0: Float64, pitch: Float64, limit: Int) abi("C"):
    paint[DType.float32](place, width, height, x0, y0, pitch, limit)
