// How fast a GPU can at all: loops of nothing but what a step is made of, in which no instruction waits for another.
// Compiled by NVRTC (gpu/nvrtc.py). `rounds` turns of 24 fma a thread, with a sum for every three fma or without.

template <class Real, bool ADD>
__device__ void issue(Real *out, int rounds, Real scale, Real shift) {
    Real chain[12], sum[4];
    for (int k = 0; k < 12; ++k) chain[k] = Real(threadIdx.x + k);
    for (int k = 0; k < 4; ++k) sum[k] = Real(k);
#pragma unroll 8
    for (int round = 0; round < rounds; ++round) {
#pragma unroll
        for (int twice = 0; twice < 2; ++twice) {
#pragma unroll
            for (int k = 0; k < 12; ++k) {
                chain[k] = fma(chain[k], scale, shift);
                if (ADD && k % 3 == 2) sum[k / 3] = sum[k / 3] + shift;
            }
        }
    }
    for (int k = 0; k < 12; ++k) sum[k % 4] += chain[k];
    const Real whole = sum[0] + sum[1] + sum[2] + sum[3];
    if (whole == Real(-1)) out[threadIdx.x] = whole;  // never so: nothing is written, and nothing may be left out
}

#define KERNELS(bits, Real)                                                                                            \
    extern "C" __global__ void __launch_bounds__(256) fma_##bits(Real *out, int rounds, Real scale, Real shift) {      \
        issue<Real, false>(out, rounds, scale, shift);                                                                 \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256) step_##bits(Real *out, int rounds, Real scale, Real shift) {     \
        issue<Real, true>(out, rounds, scale, shift);                                                                  \
    }

KERNELS(f64, double)
KERNELS(f32, float)
extern "C" __global__ void nothing() {}
