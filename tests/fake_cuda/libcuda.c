/* A stand-in for NVIDIA's driver (libcuda.so.1), so that its interface can be called where there is no GPU.

   It has FAKE_GPUS (1) H100s. Their memory is this process's, and every call is checked: a current context, handles
   that were made and not destroyed, ranges inside what was allocated. Work is done when it is asked for, but a launch
   keeps its stream busy for FAKE_DELAY_US. What a launch does is up to whoever calls fake_set_launch, and whether it
   took any time.

   FAKE_FAIL, "cuMemHostAlloc@1:3:2 ...": on GPU 1 the third call says 2. After a failed launch (700 and more, but 701)
   the context says nothing else. FAKE_REPORT: a file for how many things are left at the end. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 4096, GPUS = 8, NAMES = 64, ROOM = 1 << 28 }; /* bytes on all GPUs, for they are taken from here */
enum { FREE, CONTEXT, MODULE, FUNCTION, STREAM, EVENT, DEVICE, PINNED, KINDS };
typedef struct { int kind, gpu; char *at; size_t size; int64_t time; } Thing;
typedef int (*Launch)(int gpu, const void *image, size_t size, const char *entry, const unsigned *grid,
                      void **parameters);

static Thing things[MOST];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread Thing *current;
static int started, broken[GPUS];
static Launch on_launch;
static struct { const char *name; int calls[GPUS]; } counts[NAMES];

void fake_set_launch(Launch launch) { on_launch = launch; }

/* Addresses and sizes of all memory on a GPU; gives how many there are. */
int fake_memory(int gpu, void **at, size_t *size, int most) {
    int count = 0;
    for (Thing *one = things; one < things + MOST && count < most; one++)
        if (one->kind == DEVICE && one->gpu == gpu) at[count] = one->at, size[count++] = one->size;
    return count;
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}
static int64_t later(int64_t one, int64_t other) { return one > other ? one : other; }
static int number(const char *name, int otherwise) { return getenv(name) ? atoi(getenv(name)) : otherwise; }
static int gpus(void) { return number("FAKE_GPUS", 1); }

static void report(void) {
    int left[KINDS] = {0};
    FILE *out = fopen(getenv("FAKE_REPORT"), "w");
    for (Thing *one = things; one < things + MOST; one++) left[one->kind]++;
    fprintf(out, "contexts %d others %d\n", left[CONTEXT], MOST - left[FREE] - left[CONTEXT]);
    fclose(out);
}

/* What FAKE_FAIL wants of this call, or in a context what the GPU has said since a launch failed. */
static int told(const char *name, int gpu, int in_context) {
    pthread_mutex_lock(&lock);
    int i = 0, code = in_context ? broken[gpu] : 0, which, nth, wanted;
    while (counts[i].name && strcmp(counts[i].name, name)) i++;
    counts[i].name = name, counts[i].calls[gpu]++;
    char *plan = strdup(getenv("FAKE_FAIL") ? getenv("FAKE_FAIL") : ""), *rest = NULL, called[64];
    for (char *one = strtok_r(plan, " ", &rest); one && !code; one = strtok_r(NULL, " ", &rest)) {
        if (sscanf(one, "%63[^@]@%d:%d:%d", called, &which, &nth, &wanted) != 4) abort();
        if (!strcmp(called, name) && which == gpu && nth == counts[i].calls[gpu]) code = wanted;
    }
    free(plan);
    if (code >= 700 && code != 701) broken[gpu] = code;
    pthread_mutex_unlock(&lock);
    return code;
}
static int made(void *out, int kind, int gpu, size_t size) {
    pthread_mutex_lock(&lock);
    Thing *one = things;
    while (one->kind) if (++one == things + MOST) abort();
    *one = (Thing){kind, gpu, size ? aligned_alloc(256, (size + 255) / 256 * 256) : NULL, size, 0};
    if (size) memset(one->at, 0xCD, size);
    *(void **)out = kind == DEVICE || kind == PINNED ? (void *)one->at : one;
    pthread_mutex_unlock(&lock);
    return 0;
}
static int destroyed(Thing *one) { free(one->at); *one = (Thing){0}; return 0; }

/* The piece of memory in which all of a range lies, if any. */
static Thing *inside(int kind, const void *at, size_t size) {
    for (Thing *one = things; one < things + MOST; one++)
        if (one->kind == kind && (char *)at >= one->at && (char *)at + size <= one->at + one->size) return one;
    return NULL;
}
static int freed(int kind, void *at) {
    Thing *one = inside(kind, at, 1);
    return one && one->at == at ? destroyed(one) : 1;
}

#define ASKED(gpu, in_context) do { int code_ = told(__func__, gpu, in_context); if (code_) return code_; } while (0)
#define GPU(gpu) do { if (gpu < 0 || gpu >= gpus()) return 101; ASKED(gpu, 0); } while (0)
#define STARTED(gpu) do { if (!started) return 3; GPU(gpu); } while (0)
#define CURRENT() do { if (!started) return 3; if (!current) return 201; ASKED(current->gpu, 1); } while (0)
#define IS(one, what) ((one) >= things && (one) < things + MOST && (one)->kind == (what))
#define HERE(one, what) do { if (!IS(one, what) || (one)->gpu != current->gpu) return 400; } while (0)

static void at_the_end(void) { if (getenv("FAKE_REPORT")) atexit(report); }
int cuInit(unsigned flags) {
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* threads may come here at the same time */
    pthread_once(&once, at_the_end);
    ASKED(0, 0);
    started = 1;
    return flags ? 1 : gpus() ? 0 : 100;
}
int cuDriverGetVersion(int *version) { *version = number("FAKE_DRIVER", 13000); return 0; }
int cuDeviceGetCount(int *count) { STARTED(0); *count = gpus(); return 0; }
int cuDeviceGet(int *device, int ordinal) { STARTED(ordinal); *device = ordinal; return 0; }
int cuDeviceGetName(char *name, int size, int gpu) { STARTED(gpu); return snprintf(name, size, "NVIDIA H100") < 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { STARTED(device); *bytes = 85017493504ULL; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    STARTED(device);
    *value = attribute == 16 ? 132 : attribute == 75 ? 9 : 0; /* multiprocessors, compute capability */
    return 0;
}
int cuDevicePrimaryCtxRetain(Thing **context, int device) {
    static Thing *primary[GPUS];
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    STARTED(device);
    pthread_mutex_lock(&one);
    if (!primary[device]) made(&primary[device], CONTEXT, device, 0);
    pthread_mutex_unlock(&one);
    return !(*context = primary[device]);
}
int cuCtxSetCurrent(Thing *context) {
    if (context && !IS(context, CONTEXT)) return 201;
    if (context) STARTED(context->gpu);
    current = context;
    return 0;
}
int cuCtxSynchronize(void) {
    CURRENT();
    for (Thing *one = things; one < things + MOST; one++)
        while (one->kind == STREAM && one->gpu == current->gpu && now() < one->time) {}
    return 0;
}

int cuModuleLoadData(Thing **module, const char *image) {
    CURRENT();
    if (!image || memcmp(image, "\177ELF", 4)) return 200;
    uint64_t tables[2]; /* of segments and of sections: where each lies, the size of an entry, their number */
    uint16_t sizes[4];
    memcpy(tables, image + 32, sizeof tables);
    memcpy(sizes, image + 54, sizeof sizes);
    size_t size = later(tables[0] + (size_t)sizes[0] * sizes[1], tables[1] + (size_t)sizes[2] * sizes[3]);
    made(module, MODULE, current->gpu, size);
    memcpy((*module)->at, image, size);
    return 0;
}
int cuModuleGetFunction(Thing **function, Thing *module, const char *name) {
    CURRENT();
    HERE(module, MODULE);
    if (!memmem(module->at, module->size, name, strlen(name) + 1)) return 500;
    made(function, FUNCTION, current->gpu, strlen(name) + 1);
    strcpy((*function)->at, name);
    (*function)->time = module - things;
    return 0;
}
int cuModuleUnload(Thing *module) {
    CURRENT();
    HERE(module, MODULE);
    for (Thing *one = things; one < things + MOST; one++)
        if (one->kind == FUNCTION && one->time == module - things) destroyed(one);
    return destroyed(module);
}
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, Thing *function, int threads, size_t shared) {
    CURRENT();
    HERE(function, FUNCTION);
    return shared || (*blocks = 1024 / threads) < 1;
}

int cuMemAlloc_v2(void **there, size_t size) {
    CURRENT();
    size_t taken = 0;
    for (Thing *one = things; one < things + MOST; one++) taken += one->kind == DEVICE ? one->size : 0;
    return taken + size > ROOM ? 2 : !size || made(there, DEVICE, current->gpu, size);
}
int cuMemHostAlloc(void **here, size_t size, unsigned flags) {
    CURRENT();
    return !size || flags || made(here, PINNED, current->gpu, size);
}
int cuMemFree_v2(void *there) { CURRENT(); return freed(DEVICE, there); }
int cuMemFreeHost(void *here) { CURRENT(); return freed(PINNED, here); }
int cuMemcpyHtoD_v2(void *there, const void *here, size_t size) {
    CURRENT();
    return inside(DEVICE, there, size) && here && memcpy(there, here, size) ? 0 : 1;
}
int cuMemcpyHtoDAsync_v2(void *there, void *here, size_t size, Thing *stream) {
    CURRENT();
    HERE(stream, STREAM);
    return inside(DEVICE, there, size) && inside(PINNED, here, size) && memcpy(there, here, size) ? 0 : 1;
}
int cuMemGetInfo_v2(size_t *left, size_t *all) {
    CURRENT();
    *left = *all = ROOM;
    for (Thing *one = things; one < things + MOST; one++) *left -= one->kind == DEVICE ? one->size : 0;
    return 0;
}
int cuMemcpyDtoHAsync_v2(void *here, void *there, size_t size, Thing *stream) {
    CURRENT();
    HERE(stream, STREAM);
    return inside(DEVICE, there, size) && inside(PINNED, here, size) && memcpy(here, there, size) ? 0 : 1;
}
int cuMemcpyDtoH_v2(void *here, void *there, size_t size) {
    CURRENT();
    return inside(DEVICE, there, size) && here && memcpy(here, there, size) ? 0 : 1;
}
int cuMemcpyDtoDAsync_v2(void *to, void *from, size_t size, Thing *stream) {
    CURRENT();
    HERE(stream, STREAM);
    return inside(DEVICE, to, size) && inside(DEVICE, from, size) && memcpy(to, from, size) ? 0 : 1;
}
int cuMemsetD8Async(void *there, unsigned char value, size_t size, Thing *stream) {
    CURRENT();
    HERE(stream, STREAM);
    return inside(DEVICE, there, size) && memset(there, value, size) ? 0 : 1;
}

int cuStreamCreate(Thing **one, unsigned flags) { CURRENT(); return flags > 1 || made(one, STREAM, current->gpu, 0); }
int cuStreamDestroy_v2(Thing *stream) { CURRENT(); HERE(stream, STREAM); return destroyed(stream); }
int cuStreamSynchronize(Thing *stream) { CURRENT(); HERE(stream, STREAM); while (now() < stream->time) {} return 0; }
int cuStreamQuery(Thing *stream) { CURRENT(); HERE(stream, STREAM); return now() < stream->time ? 600 : 0; }
int cuProfilerStart(void) { CURRENT(); return 0; }
int cuProfilerStop(void) { CURRENT(); return 0; }
int cuEventCreate(Thing **one, unsigned flags) { CURRENT(); return flags || made(one, EVENT, current->gpu, 0); }
int cuEventDestroy_v2(Thing *event) { CURRENT(); HERE(event, EVENT); return destroyed(event); }
int cuEventRecord(Thing *event, Thing *stream) {
    CURRENT();
    HERE(event, EVENT);
    HERE(stream, STREAM);
    event->time = later(now(), stream->time);
    return 0;
}
int cuEventQuery(Thing *event) { CURRENT(); HERE(event, EVENT); return now() < event->time ? 600 : 0; }
int cuEventSynchronize(Thing *event) { CURRENT(); HERE(event, EVENT); while (now() < event->time) {} return 0; }
int cuEventElapsedTime(float *ms, Thing *first, Thing *last) {
    CURRENT();
    HERE(first, EVENT);
    HERE(last, EVENT);
    *ms = (float)((double)(last->time - first->time) / 1e6);
    return !first->time || !last->time ? 400 : now() < last->time ? 600 : 0;
}
int cuLaunchKernel(Thing *function, unsigned x, unsigned y, unsigned z, unsigned wide, unsigned high, unsigned deep,
                   unsigned shared, Thing *stream, void **parameters, void **extra) {
    CURRENT();
    HERE(function, FUNCTION);
    HERE(stream, STREAM);
    unsigned grid[] = {x, y, z, wide, high, deep}, all = wide * high * deep;
    if (!(x && y && z && all) || all > 1024 || shared || extra || !parameters) return 1;
    Thing *module = things + function->time;
    int busy = on_launch && on_launch(current->gpu, module->at, module->size, function->at, grid, parameters);
    stream->time = later(now(), stream->time) + (busy ? 1000LL * number("FAKE_DELAY_US", 0) : 0);
    return 0;
}

int cuGetErrorName(int code, const char **name) {
    static const struct { int code; const char *name; } names[] = {
        {1, "CUDA_ERROR_INVALID_VALUE"}, {2, "CUDA_ERROR_OUT_OF_MEMORY"}, {3, "CUDA_ERROR_NOT_INITIALIZED"},
        {100, "CUDA_ERROR_NO_DEVICE"}, {200, "CUDA_ERROR_INVALID_IMAGE"}, {201, "CUDA_ERROR_INVALID_CONTEXT"},
        {400, "CUDA_ERROR_INVALID_HANDLE"}, {500, "CUDA_ERROR_NOT_FOUND"}, {600, "CUDA_ERROR_NOT_READY"},
        {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {719, "CUDA_ERROR_LAUNCH_FAILED"}, {999, "CUDA_ERROR_UNKNOWN"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code) return *name = names[i].name, 0;
    return *name = NULL, 1; /* as the driver says of a code that it does not know */
}

/* What NVRTC asks for, and goes on without. */
int cuGetExportTable(const void **table, const void *number) { *table = NULL; return number ? 500 : 1; }

/* How cuda-bindings, which numba-cuda's compiler loads, finds all this. */
int cuGetProcAddress_v2(const char *symbol, void **found, int version, uint64_t flags, int *status) {
    void *self = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    char newer[128];
    snprintf(newer, sizeof newer, "%s_v2", symbol);
    *found = dlsym(self, newer);
    if (!*found) *found = dlsym(self, symbol);
    if (status) *status = !*found;
    return *found && version && !flags ? 0 : 500;
}
