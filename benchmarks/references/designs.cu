// The Mandelbrot set in several designs, written by hand: the program's colours and step counts, bit for bit.
//
// pixels   one pixel a thread, squares of 8 x 4 pixels a warp
// squares  warps that stay and take squares from a queue
// first    `pixels` or `squares` up to some step; what goes on is written densely to a list ...
// second   ... which warps that stay take 32 at a time: to the end, or up to a later step and on to another list
// third    the same, with ended lanes refilled from the list
// levels   one launch: a warp keeps what goes on in lists of its own, one for each age, and follows 32 of one age
//
// Compiled with REAL, K (steps between two tests), FIRST (of the first block), HALVES (how the last steps are found:
// by halves of a block or one by one), NEVER (0: no shortcuts, 1: cardioid and disc at the start, 2: after FIRST steps;
// with them cycles are looked for), LEVELS, and --fmad=false.

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
#if NEVER == 1
    if (never_ends(f, o)) n = f.limit;
#endif
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
#if NEVER == 2
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
#if NEVER == 2
        if (!asked++ && never_ends(f, o)) n = f.limit;
#endif
    }
    if (!ended && until < f.limit) return n < f.limit;
    finish<K>(f, o, n);
    return false;
}

// Follow a sample that is under way up to `until`; at each `look` steps see whether it has come round.
__device__ __forceinline__ bool go_on(const Frame &f, Orbit &o, int &n, int until, int look) {
    bool ended = false;
#if NEVER
    Real seen_x = o.x, seen_y = o.y;
    int looks = 0, next = n + look;
#endif
    while (n + K <= until) {
        const Orbit after = ahead<K>(o);
        if (!after.within(f)) {
            ended = true;
            break;
        }
        o = after;
        n += K;
#if NEVER
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

extern "C" __global__ void squares(FRAME, int *queue, int chunk) {
    const Frame f = FRAME_OF;
    const Squares squares(f);
    for (int first = take(queue, chunk); first < squares.all; first = take(queue, chunk)) {
        const int end = min(first + chunk, squares.all);
        for (int square = first; square < end; ++square) {
            paint_square(f, squares, square);
            __syncwarp();
        }
    }
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

// chunk 0: a square a warp; otherwise warps stay and take so many squares at a time.
extern "C" __global__ void first(FRAME, int *queue, int chunk, int until, int *length, int *place, int *made,
                                 Real *x, Real *y) {
    const Frame f = FRAME_OF;
    const Squares squares(f);
    const List list{length, place, made, x, y};
    if (!chunk) {
        const int square = blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
        if (square < squares.all) begin_square(f, squares, square, until, list);
        return;
    }
    for (int one = take(queue, chunk); one < squares.all; one = take(queue, chunk)) {
        const int end = min(one + chunk, squares.all);
        for (int square = one; square < end; ++square) begin_square(f, squares, square, until, list);
    }
}

extern "C" __global__ void second(FRAME, int *queue, int until, int look, int *length, int *place, int *made, Real *x,
                                  Real *y, int *next_length, int *next_place, int *next_made, Real *next_x,
                                  Real *next_y) {
    const Frame f = FRAME_OF;
    const List next{next_length, next_place, next_made, next_x, next_y};
    const int all = *length;
    for (int one = take(queue, 32); one < all; one = take(queue, 32)) {
        const int at = one + int(lane_number());
        bool on = false;
        int pixel = 0, n = 0;
        Orbit o{0, 0, 0, 0};
        if (at < all) {
            pixel = place[at];
            const int j = unsigned(pixel) / unsigned(f.width);
            o = orbit_of(f, pixel - j * f.width, j);
            o.x = x[at];
            o.y = y[at];
            n = made[at];
            on = go_on(f, o, n, until, look);
            if (!on) store(f, pixel, n, o);
        }
        __syncwarp();
        if (until < f.limit) append(next, on, pixel, n, o);
    }
}

extern "C" __global__ void third(FRAME, int *queue, int look, int fewest, int *length, int *place, int *made, Real *x,
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
#if NEVER
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

// Ages: `until` * 1, 4, 16, ... A warp's lists hold up to 63 samples each.
struct Waiting {
    Real x[64], y[64];
    int place[64], made[64];
};

extern "C" __global__ void levels(FRAME, int *queue, int until, int look) {
    extern __shared__ Waiting all_waiting[];
    const Frame f = FRAME_OF;
    const Squares squares(f);
    Waiting *waiting = all_waiting + (threadIdx.x >> 5) * LEVELS;
    unsigned held = 0;  // a byte for each age
    bool more = true;
    for (;;) {
        int age = -1;  // the oldest of which there are 32
#pragma unroll
        for (int one = 0; one < LEVELS; ++one)
            if (held >> 8 * one & 0x60) age = one;
        int square = squares.all;
        if (age < 0 && more) {
            square = take(queue, 1);
            more = square < squares.all;
        }
        if (age < 0 && !more) {
            if (!held) return;
            age = (__ffs(held) - 1) >> 3;  // the youngest, so that what goes on joins the older ones
        }
        Orbit o{0, 0, 0, 0};
        int n = 0, pixel = 0, to = until;
        bool here;
        if (age < 0) {
            int i, j;
            here = squares.pixel(f, square, i, j);
            pixel = j * f.width + i;
            o = orbit_of(f, i, j);
        } else {
            const int there = held >> 8 * age & 255, count = min(there, 32), at = there - count + int(lane_number());
            held -= unsigned(count) << 8 * age;
            here = int(lane_number()) < count;
            if (here) {
                const Waiting &from = waiting[age];
                pixel = from.place[at];
                n = from.made[at];
                const int j = unsigned(pixel) / unsigned(f.width);
                o = orbit_of(f, pixel - j * f.width, j);
                o.x = from.x[at];
                o.y = from.y[at];
            }
            to = age == LEVELS - 1 ? f.limit : until << 2 * (age + 1);
        }
        to = min(to, f.limit);
        __syncwarp();
        bool on = false;
        if (here) {
            on = age < 0 ? begin(f, o, n, to) : go_on(f, o, n, to, look);
            if (!on) store(f, pixel, n, o);
        }
        __syncwarp();
        const unsigned mask = __ballot_sync(ALL, on);
        if (mask) {
            const int older = age + 1, at = (held >> 8 * older & 255) + rank_in(mask);
            held += unsigned(__popc(mask)) << 8 * older;
            if (on) {
                Waiting &into = waiting[older];
                into.place[at] = pixel;
                into.made[at] = n;
                into.x[at] = o.x;
                into.y[at] = o.y;
            }
            __syncwarp();
        }
    }
}
