// The Mandelbrot set as one writes it by hand for one core: intrinsics, four vectors in flight, a test at every step.
//
// A patch is one vector wide and four rows high. All four are stepped until every lane of them has ended; ended lanes
// stay where they are and go on for nothing. The step, the test and the positions are those of design.md section 5, so
// the counts are equal to the program's. It writes step counts and nothing else: no colour, no second sample.
//
// `issue` is the core's limit for such steps: the same three fma and one add, but none waits for another, and all
// numbers are in registers.

#include <immintrin.h>

#include <cmath>
#include <cstdint>

namespace {

#if defined(__AVX512F__) && defined(__AVX512DQ__)

constexpr const char *NAME = "AVX-512";

struct F64 {
    using Real = double;
    using Vector = __m512d;
    using Counts = __m512i;
    using Mask = __mmask8;
    static constexpr int LANES = 8;
    static Vector all(Real a) { return _mm512_set1_pd(a); }
    static Vector load(const Real *a) { return _mm512_loadu_pd(a); }
    static Vector add(Vector a, Vector b) { return _mm512_add_pd(a, b); }
    static Vector mul(Vector a, Vector b) { return _mm512_mul_pd(a, b); }
    static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_pd(a, b, c); }
    static Vector minus(Vector a, Vector b, Vector c) { return _mm512_fnmadd_pd(a, b, c); }
    static Mask within(Vector a, Vector b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
    static bool any(Mask a, Mask b, Mask c, Mask d) { return (a | b | c | d) != 0; }
    static Counts none() { return _mm512_setzero_si512(); }
    static Counts count(Counts n, Mask m) { return _mm512_mask_add_epi64(n, m, n, _mm512_set1_epi64(1)); }
    static void store(int32_t *to, Counts n) {
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), _mm512_cvtepi64_epi32(n));
    }
};

struct F32 {
    using Real = float;
    using Vector = __m512;
    using Counts = __m512i;
    using Mask = __mmask16;
    static constexpr int LANES = 16;
    static Vector all(Real a) { return _mm512_set1_ps(a); }
    static Vector load(const Real *a) { return _mm512_loadu_ps(a); }
    static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
    static Vector mul(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
    static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
    static Vector minus(Vector a, Vector b, Vector c) { return _mm512_fnmadd_ps(a, b, c); }
    static Mask within(Vector a, Vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
    static bool any(Mask a, Mask b, Mask c, Mask d) { return (a | b | c | d) != 0; }
    static Counts none() { return _mm512_setzero_si512(); }
    static Counts count(Counts n, Mask m) { return _mm512_mask_add_epi32(n, m, n, _mm512_set1_epi32(1)); }
    static void store(int32_t *to, Counts n) { _mm512_storeu_si512(to, n); }
};

#elif defined(__AVX2__) && defined(__FMA__)

constexpr const char *NAME = "AVX2";

struct F64 {
    using Real = double;
    using Vector = __m256d;
    using Counts = __m256i;
    using Mask = __m256d;
    static constexpr int LANES = 4;
    static Vector all(Real a) { return _mm256_set1_pd(a); }
    static Vector load(const Real *a) { return _mm256_loadu_pd(a); }
    static Vector add(Vector a, Vector b) { return _mm256_add_pd(a, b); }
    static Vector mul(Vector a, Vector b) { return _mm256_mul_pd(a, b); }
    static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_pd(a, b, c); }
    static Vector minus(Vector a, Vector b, Vector c) { return _mm256_fnmadd_pd(a, b, c); }
    static Mask within(Vector a, Vector b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
    static bool any(Mask a, Mask b, Mask c, Mask d) {
        return _mm256_movemask_pd(_mm256_or_pd(_mm256_or_pd(a, b), _mm256_or_pd(c, d))) != 0;
    }
    static Counts none() { return _mm256_setzero_si256(); }
    static Counts count(Counts n, Mask m) { return _mm256_sub_epi64(n, _mm256_castpd_si256(m)); }
    static void store(int32_t *to, Counts n) {
        alignas(32) int64_t wide[LANES];
        _mm256_store_si256(reinterpret_cast<__m256i *>(wide), n);
        for (int lane = 0; lane < LANES; ++lane) to[lane] = static_cast<int32_t>(wide[lane]);
    }
};

struct F32 {
    using Real = float;
    using Vector = __m256;
    using Counts = __m256i;
    using Mask = __m256;
    static constexpr int LANES = 8;
    static Vector all(Real a) { return _mm256_set1_ps(a); }
    static Vector load(const Real *a) { return _mm256_loadu_ps(a); }
    static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
    static Vector mul(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
    static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
    static Vector minus(Vector a, Vector b, Vector c) { return _mm256_fnmadd_ps(a, b, c); }
    static Mask within(Vector a, Vector b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
    static bool any(Mask a, Mask b, Mask c, Mask d) {
        return _mm256_movemask_ps(_mm256_or_ps(_mm256_or_ps(a, b), _mm256_or_ps(c, d))) != 0;
    }
    static Counts none() { return _mm256_setzero_si256(); }
    static Counts count(Counts n, Mask m) { return _mm256_sub_epi32(n, _mm256_castps_si256(m)); }
    static void store(int32_t *to, Counts n) { _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), n); }
};

#else
#error "this reference is written for AVX-512 and AVX2 with FMA"
#endif

template <class V>
struct Samples {  // one vector of them; cx is the same for a whole patch
    typename V::Vector x, y, cy;
    typename V::Counts steps;
};

template <class V>
inline void step(Samples<V> &s, typename V::Vector cx) {
    const auto part = V::minus(s.y, s.y, cx);
    s.y = V::fma(V::add(s.x, s.x), s.y, s.cy);
    s.x = V::fma(s.x, s.x, part);
}

template <class V>
inline typename V::Mask within(const Samples<V> &s, typename V::Vector reach) {
    return V::within(V::fma(s.x, s.x, V::mul(s.y, s.y)), reach);
}

// Apart from the rest, so that nothing else wants registers.
template <class V, bool TEST>
__attribute__((noinline)) void follow(Samples<V> *patch, typename V::Vector cx, typename V::Vector reach, int limit) {
    auto a = patch[0], b = patch[1], c = patch[2], d = patch[3];
    for (int made = 0; made < limit; ++made) {
        if (TEST) {
            const auto in_a = within(a, reach), in_b = within(b, reach);
            const auto in_c = within(c, reach), in_d = within(d, reach);
            if (!V::any(in_a, in_b, in_c, in_d)) break;
            a.steps = V::count(a.steps, in_a);
            b.steps = V::count(b.steps, in_b);
            c.steps = V::count(c.steps, in_c);
            d.steps = V::count(d.steps, in_d);
        }
        step(a, cx), step(b, cx), step(c, cx), step(d, cx);
    }
    patch[0] = a, patch[1] = b, patch[2] = c, patch[3] = d;
}

template <class V, bool TEST>
void paint(int32_t *counts, int width, int height, typename V::Real x0, typename V::Real y0, typename V::Real pitch,
           typename V::Real reach, int limit) {
    using Real = typename V::Real;
    const Real half = Real(0.5), across = Real(width) / 2, down = Real(height) / 2;
    for (int j = 0; j < height; j += 4) {
        for (int i = 0; i < width; i += V::LANES) {
            Real columns[V::LANES];
            for (int k = 0; k < V::LANES; ++k) columns[k] = std::fma(Real(i + k) + half - across, pitch, x0);
            Samples<V> patch[4];
            for (int k = 0; k < 4; ++k)
                patch[k] = {V::all(0), V::all(0), V::all(std::fma(down - Real(j + k) - half, pitch, y0)), V::none()};
            follow<V, TEST>(patch, V::load(columns), V::all(reach), limit);
            for (int k = 0; k < 4 && j + k < height; ++k) {
                int32_t steps[V::LANES];
                const auto inside = V::count(V::none(), within(patch[k], V::all(reach)));
                V::store(steps, TEST ? patch[k].steps : inside);  // untested: 1 for those that are still inside
                for (int lane = 0; lane < V::LANES && i + lane < width; ++lane)
                    counts[(j + k) * width + i + lane] = TEST ? steps[lane] : steps[lane] * limit;
            }
        }
    }
}

template <class V, bool ADD>
double issue(long rounds, typename V::Real a, typename V::Real b) {
    const auto scale = V::all(a), shift = V::all(b);
    typename V::Vector chain[9], sum[3];
    for (int k = 0; k < 9; ++k) chain[k] = V::all(typename V::Real(k));
    for (int k = 0; k < 3; ++k) sum[k] = V::all(typename V::Real(k));
    for (long round = 0; round < rounds; ++round) {
        for (int k = 0; k < 9; ++k) chain[k] = V::fma(chain[k], scale, shift);
        if (ADD)
            for (int k = 0; k < 3; ++k) sum[k] = V::add(sum[k], shift);
    }
    for (int k = 0; k < 9; ++k) sum[k % 3] = V::add(sum[k % 3], chain[k]);
    typename V::Real lanes[V::LANES];
    const auto whole = V::add(sum[0], V::add(sum[1], sum[2]));
    __builtin_memcpy(lanes, &whole, sizeof lanes);
    return lanes[0];
}

}  // namespace

#define EXPORT(bits, V)                                                                                              \
    extern "C" void paint_##bits(int32_t *counts, int width, int height, double x0, double y0, double pitch,          \
                                 double reach, int limit, int test) {                                                \
        (test ? paint<V, true> : paint<V, false>)(counts, width, height, V::Real(x0), V::Real(y0), V::Real(pitch),   \
                                                  V::Real(reach), limit);                                            \
    }                                                                                                                \
    extern "C" double issue_##bits(long rounds, int add, double a, double b) {                                       \
        return (add ? issue<V, true> : issue<V, false>)(rounds, V::Real(a), V::Real(b));                             \
    }                                                                                                                \
    extern "C" int lanes_##bits() { return V::LANES; }

EXPORT(f64, F64)
EXPORT(f32, F32)
extern "C" const char *instructions() { return NAME; }
