// The Mandelbrot set on a GPU, written by hand: step counts and nothing else, by the algorithm of render.kernels.warp.
// One pixel a lane, squares of 8 x 4 pixels from one queue, BLOCK steps between votes, ended lanes refilled when LOSS
// blocks of single lanes are lost, the last steps found by halves. Compiled by NVRTC (gpu/nvrtc.py), which takes
// BLOCK and LOSS from the program; fma is always written out, so the counts are the program's.

constexpr unsigned ALL = 0xffffffffu;

template <class Real>
struct Orbit {
    Real x, y, cx, cy;

    __device__ void step() {
        const Real part = fma(-y, y, cx);
        y = fma(x + x, y, cy);
        x = fma(x, x, part);
    }
    __device__ bool within(Real reach) const { return fma(x, x, y * y) <= reach; }
};

template <int STEPS, class Real>
__device__ Orbit<Real> ahead(Orbit<Real> orbit) {
#pragma unroll
    for (int k = 0; k < STEPS; ++k) orbit.step();
    return orbit;
}

template <int HALF, class Real>
__device__ void halve(Orbit<Real> &orbit, int &steps, int limit, Real reach) {
    const Orbit<Real> after = ahead<HALF>(orbit);
    if (steps + HALF <= limit && after.within(reach)) {
        orbit = after;
        steps += HALF;
    }
    if constexpr (HALF > 1) halve<HALF / 2>(orbit, steps, limit, reach);
}

template <class Real>
__device__ void paint(int *counts, int *queue, int width, int height, int limit, Real x0, Real y0, Real pitch,
                      Real half_width, Real half_height, Real reach) {
    const int across = (width + 7) / 8, squares = across * ((height + 3) / 4);
    const unsigned lane = threadIdx.x & 31, before = (1u << lane) - 1;
    int number = 0, left = 0, i = 0, j = 0, steps = 0;
    bool has = false, more = true;
    Orbit<Real> orbit{0, 0, 0, 0};
    for (;;) {
        for (unsigned wanting = __ballot_sync(ALL, more && !has); wanting; wanting = __ballot_sync(ALL, more && !has)) {
            if (!left) {
                int square = lane ? 0 : atomicAdd(queue, 1);
                square = __shfl_sync(ALL, square, 0);
                more = square < squares;
                if (!more) break;
                number = 32 * square;
                left = 32;
            }
            const int rank = __popc(wanting & before), taken = min(__popc(wanting), left);
            if (!has && rank < left) {
                const int mine = number + rank, square = mine >> 5;
                i = square % across * 8 + (mine & 7);
                j = square / across * 4 + (mine >> 3 & 3);
                has = i < width && j < height;
                steps = 0;
                orbit = {0, 0, fma(Real(i) + Real(0.5) - half_width, pitch, x0),
                         fma(half_height - Real(j) - Real(0.5), pitch, y0)};
            }
            number += taken;
            left -= taken;
        }
        const unsigned having = __ballot_sync(ALL, has);
        if (!having) return;
        bool going = has && steps <= limit - BLOCK;
        int active = __popc(__ballot_sync(ALL, going)), patience = LOSS;
        while (min(active, patience) > 0) {
            const Orbit<Real> after = ahead<BLOCK>(orbit);
            going = going && after.within(reach);
            if (going) {
                orbit = after;
                steps += BLOCK;
            }
            going = going && steps <= limit - BLOCK;
            active = __popc(__ballot_sync(ALL, going));
            patience -= __popc(having) - active + 2;
        }
        if (has && !going) {
            if (steps < limit) halve<BLOCK / 2>(orbit, steps, limit, reach);
            counts[j * width + i] = min(steps + 1, limit);
            has = false;
        }
    }
}

#define KERNEL(bits, Real)                                                                                             \
    extern "C" __global__ void __launch_bounds__(128) mandelbrot_##bits(                                               \
        int *counts, int *queue, int width, int height, int limit, Real x0, Real y0, Real pitch, Real half_width,      \
        Real half_height, Real reach) {                                                                                \
        paint<Real>(counts, queue, width, height, limit, x0, y0, pitch, half_width, half_height, reach);               \
    }

KERNEL(f64, double)
KERNEL(f32, float)
