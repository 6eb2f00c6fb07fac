// The Mandelbrot set in two designs, written by hand: the program's colours and step counts, bit for bit.
//
// pixels   one pixel a thread, squares of 8 x 4 pixels a warp, from its first step to its last
// first    `pixels` up to some step; what goes on is written densely to a list ...
// second   ... which warps that stay follow to the end, their ended lanes refilled from the list
//
// Compiled by NVRTC (gpu/designs.py) with REAL, K (steps between two tests), FIRST (of the first block), HALVES (how the
// last steps are found: by halves of a block or one by one), SHORTCUTS (1: cardioid and disc are asked after the first
// block, and the list is searched for cycles), and --fmad=false.

typedef REAL Real;
typedef unsigned char Byte;
constexpr unsigned ALL = 0xffffffffu;
constexpr bool WIDE = sizeof(Real) == 8;

struct Frame {
    int width, height, limit;
    Real x0, y0, pitch, half_width, half_height, reach, per_reach, density, offset, turn, steady;
    const Real *red, *green, *blue;
    const Byte *table;
    Byte *rgb;
    int *steps;
};

struct List {  // of samples under way
    int *length, *place, *made;
    Real *x, *y;
};

#define FRAME                                                                                                          \
    int width, int height, int limit, Real x0, Real y0, Real pitch, Real half_width, Real half_height, Real reach,     \
        Real per_reach, Real density, Real offset, Real turn, Real steady, const Real *__restrict__ red,               \
        const Real *__restrict__ green, const Real *__restrict__ blue, const Byte *__restrict__ table,                 \
        Byte *__restrict__ rgb, int *__restrict__ steps
#define FRAME_OF                                                                                                       \
    Frame{width,     height,  limit,  x0,   y0,     pitch, half_width, half_height, reach,                             \
          per_reach, density, offset, turn, steady, red,   green,      blue,        table, rgb, steps}

struct Orbit {
    Real x, y, cx, cy;

    __device__ __forceinline__ void step() {
        const Real part = fma(-y, y, cx);
        y = fma(x + x, y, cy);
        x = fma(x, x, part);
    }
    __device__ __forceinline__ bool within(const Frame &f) const { return fma(x, x, y * y) <= f.reach; }
};

__device__ __forceinline__ Orbit orbit_of(const Frame &f, int i, int j) {
    return {0, 0, fma(Real(i) + Real(0.5) - f.half_width, f.pitch, f.x0),
            fma(f.half_height - Real(j) - Real(0.5), f.pitch, f.y0)};
}

template <int STEPS>
__device__ __forceinline__ Orbit ahead(Orbit orbit) {
#pragma unroll
    for (int k = 0; k < STEPS; ++k) orbit.step();
    return orbit;
}

template <int STEPS>
__device__ __forceinline__ void halve(const Frame &f, Orbit &orbit, int &n) {
    const Orbit after = ahead<STEPS>(orbit);
    if (after.within(f) && n + STEPS <= f.limit) {
        orbit.x = after.x;
        orbit.y = after.y;
        n += STEPS;
    }
    if constexpr (STEPS > 1) halve<STEPS / 2>(f, orbit, n);
}

// The last steps of a sample that ends within BEFORE steps, or at the limit.
template <int BEFORE>
__device__ __forceinline__ void finish(const Frame &f, Orbit &orbit, int &n) {
#if HALVES
    halve<BEFORE / 2>(f, orbit, n);
    if (n < f.limit && orbit.within(f)) {
        orbit.step();
        ++n;
    }
#else
    while (n < f.limit && orbit.within(f)) {
        orbit.step();
        ++n;
    }
#endif
}

// Cardioid and disc (scenes/mandelbrot.py).
__device__ __forceinline__ bool never_ends(const Frame &f, const Orbit &o) {
    const Real u = fma(Real(-4), o.cx, Real(1)), v = Real(4) * o.cy, size = sqrt(fma(u, u, v * v));
    const Real within = fma(Real(0.5), size, Real(0.5) * u);
    const Real one = Real(1) + size - Real(2) * sqrt(within > Real(0) ? within : Real(0));
    const Real left = fma(Real(4), o.cx, Real(4));
    return one <= f.steady || fma(left, left, v * v) <= f.steady;
}

// Follow a sample from its start: true where it goes on at step `until`, else it has ended or never will.
__device__ __forceinline__ bool begin(const Frame &f, Orbit &o, int &n, int until) {
    n = 0;
#if FIRST < K
    if (n + FIRST <= until) {
        const Orbit after = ahead<FIRST>(o);
        if (!after.within(f)) {
            finish<FIRST>(f, o, n);
            return false;
        }
        o = after;
        n += FIRST;
    }
#endif
    bool ended = false;
#if SHORTCUTS
    int asked = 0;
#endif
    while (n + K <= until) {
        const Orbit after = ahead<K>(o);
        if (!after.within(f)) {
            ended = true;
            break;
        }
        o = after;
        n += K;
#if SHORTCUTS
        if (!asked++ && never_ends(f, o)) n = f.limit;
#endif
    }
    if (!ended && until < f.limit) return n < f.limit;
    finish<K>(f, o, n);
    return false;
}

// --- colours, as in render/escape_time.py -----------------------------------------------------------------------

__device__ __forceinline__ Real rough_log2(Real x) {
    if constexpr (WIDE) {
        const long long bits = __double_as_longlong(x);
        const long long exponent = (bits - __double_as_longlong(0.7071067811865476)) >> 52;
        const double t = __longlong_as_double(bits - (exponent << 52)) - 1.0;
        double r = fma(t, -0.14577059321778793, 0.2369047752448638);
        r = fma(t, fma(t, r, -0.25006574239117574), 0.2867051151075963);
        r = fma(t, fma(t, r, -0.3600872941271462), 0.4809395532685132);
        r = fma(t, fma(t, r, -0.7213571512701258), 1.442694771102442);
        return fma(t, r, double(exponent));
    } else {
        const int bits = __float_as_int(x), exponent = (bits - __float_as_int(0.7071067811865476f)) >> 23;
        const float t = __int_as_float(bits - (exponent << 23)) - 1.0f;
        float r = fmaf(t, -0.14571196f, 0.23684128f);
        r = fmaf(t, fmaf(t, r, -0.25006336f), 0.28671655f);
        r = fmaf(t, fmaf(t, r, -0.36008847f), 0.48093888f);
        r = fmaf(t, fmaf(t, r, -0.7213571f), 1.4426948f);
        return fmaf(t, r, float(exponent));
    }
}

__device__ __forceinline__ int level(const Real *colours, int k, Real share) {
    const Real a = colours[k], b = colours[k + 1], light = fma(share, b, fma(-share, a, a));
    const Real most = light > Real(0) ? light : Real(0), held = most < Real(1) ? most : Real(1);
    return int(fma(held, Real(65535), Real(0.5)));
}

__device__ __forceinline__ void store(const Frame &f, int place, int n, const Orbit &o) {
    const Real size = fma(o.x, o.x, o.y * o.y);
    int red = 0, green = 0, blue = 0;
    const bool inside = size <= f.reach;
    if (!inside) {
        const Real far = size > f.reach ? size : f.reach;
        const Real late = Real(n) + Real(1) - rough_log2(rough_log2(far) * f.per_reach);
        const Real turns = fma(rough_log2(late > Real(1) ? late : Real(1)), f.density, f.offset);
        const Real on = (turns - floor(turns)) * f.turn, share = on - floor(on);
        const int k = int(on);
        red = level(f.red, k, share);
        green = level(f.green, k, share);
        blue = level(f.blue, k, share);
    }
    f.rgb[3 * place] = f.table[red];
    f.rgb[3 * place + 1] = f.table[green];
    f.rgb[3 * place + 2] = f.table[blue];
    f.steps[place] = inside ? ~n : n;
}

// --- who paints what --------------------------------------------------------------------------------------------

__device__ __forceinline__ unsigned lane_number() { return threadIdx.x & 31; }
__device__ __forceinline__ int rank_in(unsigned mask) { return __popc(mask & ((1u << lane_number()) - 1)); }
__device__ __forceinline__ int take(int *queue, int count) {
    int first = 0;
    if (!lane_number()) first = atomicAdd(queue, count);
    return __shfl_sync(ALL, first, 0);
}

struct Squares {
    int across, all;
    __device__ explicit Squares(const Frame &f) : across((f.width + 7) / 8), all(across * ((f.height + 3) / 4)) {}
    __device__ __forceinline__ bool pixel(const Frame &f, int square, int &i, int &j) const {
        const int line = unsigned(square) / unsigned(across);
        i = (square - line * across) * 8 + int(lane_number() & 7);
        j = line * 4 + int(lane_number() >> 3);
        return i < f.width && j < f.height;
    }
};

__device__ __forceinline__ void paint_square(const Frame &f, const Squares &squares, int square) {
    int i, j, n;
    if (squares.pixel(f, square, i, j)) {
        Orbit o = orbit_of(f, i, j);
        begin(f, o, n, f.limit);
        store(f, j * f.width + i, n, o);
    }
}

extern "C" __global__ void pixels(FRAME) {
    const Frame f = FRAME_OF;
    const Squares squares(f);
    const int square = blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
    if (square < squares.all) paint_square(f, squares, square);
}

__device__ __forceinline__ void append(const List &list, bool on, int place, int n, const Orbit &o) {
    const unsigned mask = __ballot_sync(ALL, on);
    if (!mask) return;
    const int at = take(list.length, __popc(mask)) + rank_in(mask);
    if (on) {
        list.place[at] = place;
        list.made[at] = n;
        list.x[at] = o.x;
        list.y[at] = o.y;
    }
}

__device__ __forceinline__ void begin_square(const Frame &f, const Squares &squares, int square, int until,
                                             const List &list) {
    int i, j, n = 0;
    bool on = false;
    Orbit o{0, 0, 0, 0};
    const bool here = squares.pixel(f, square, i, j);
    if (here) {
        o = orbit_of(f, i, j);
        on = begin(f, o, n, until);
        if (!on) store(f, j * f.width + i, n, o);
    }
    __syncwarp();
    append(list, on, j * f.width + i, n, o);
}

extern "C" __global__ void first(FRAME, int until, int *length, int *place, int *made, Real *x, Real *y) {
    const Frame f = FRAME_OF;
    const Squares squares(f);
    const List list{length, place, made, x, y};
    const int square = blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
    if (square < squares.all) begin_square(f, squares, square, until, list);
}

extern "C" __global__ void second(FRAME, int *queue, int look, int fewest, int *length, int *place, int *made, Real *x,
                                 Real *y) {
    const Frame f = FRAME_OF;
    const int all = *length;
    bool more = true, has = false;
    Orbit o{0, 0, 0, 0};
    Real seen_x = 0, seen_y = 0;
    int n = 0, pixel = 0, looks = 0, next = 0;
    for (;;) {
        const unsigned wanting = __ballot_sync(ALL, !has);
        if (wanting && more) {
            const int count = __popc(wanting), one = take(queue, count), at = one + rank_in(wanting);
            more = one + count < all;
            if (!has && at < all) {
                has = true;
                pixel = place[at];
                const int j = unsigned(pixel) / unsigned(f.width);
                o = orbit_of(f, pixel - j * f.width, j);
                seen_x = o.x = x[at];
                seen_y = o.y = y[at];
                n = made[at];
                looks = 0;
                next = n + look;
            }
        }
        if (!__ballot_sync(ALL, has)) return;
        bool going = has && n + K <= f.limit;
        const int least = more ? fewest : 0;
        while (__popc(__ballot_sync(ALL, going)) > least) {
            const Orbit after = ahead<K>(o);
            going = going && after.within(f);
            if (going) {
                o = after;
                n += K;
#if SHORTCUTS
                if (n >= next) {
                    if (o.x == seen_x && o.y == seen_y) {
                        n = f.limit;
                    } else {
                        ++looks;
                        next = n + look;
                        if (!(looks & (looks - 1))) seen_x = o.x, seen_y = o.y;
                    }
                }
#endif
                going = n + K <= f.limit;
            }
        }
        if (has && !going) {
            finish<K>(f, o, n);
            store(f, pixel, n, o);
            has = false;
        }
        __syncwarp();
    }
}
