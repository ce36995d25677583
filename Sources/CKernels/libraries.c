// What the matrix libraries need of the process before they are called: where the system has no memory for them, OpenBLAS
// asks for its buffer for ever and oneDNN writes its code to address 0.
#define _GNU_SOURCE
#include "libraries.h"
#include "CPool.h"
#include "kernels.h"

#include <cblas.h>
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>

void ck_quiet_libraries(void) {
    static _Thread_local bool quiet;
    if (quiet) return;
    quiet = true;
    openblas_set_num_threads(1);
    // Of the OpenMP that oneDNN was built with, if any.
    void (*set_threads)(int) = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set_threads) set_threads(1);
}

__attribute__((constructor)) static void prepare_threads(void) { cp_prepare_thread = ck_quiet_libraries; }

// OpenBLAS allocates 128 MiB and a page for each thread that is in a product; oneDNN's code takes a few MiB.
static const size_t BUFFER = (size_t)136 << 20, CODE = (size_t)32 << 20;

int ck_has_room(size_t bytes) {
    void *place = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return 0;
    munmap(place, bytes);
    return 1;
}

// OpenBLAS's own; builds of it that hide them are used without a reserve of buffers.
extern void *blas_memory_alloc(int) __attribute__((weak));
extern void blas_memory_free(void *) __attribute__((weak));

enum { MOST = 64 };

// Buffers that OpenBLAS has, and threads that may be using one.
static struct {
    pthread_mutex_t lock;
    pthread_cond_t left;
    void *known[MOST];
    int count, busy;
} buffers = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER };

// Makes OpenBLAS allocate one more buffer, if there is room for it. Buffers that are free come first, so they are held
// until one comes that is new.
static int grow(void) {
    if (buffers.count == MOST || !ck_has_room(BUFFER)) return 0;
    void *held[MOST];
    int count = 0, found = blas_memory_alloc == NULL || blas_memory_free == NULL;
    if (found) buffers.known[buffers.count] = NULL;
    while (!found && count < MOST) {
        void *one = blas_memory_alloc(0);
        if (one == NULL) break;
        held[count++] = one;
        found = 1;
        for (int i = 0; i < buffers.count; i++) found &= buffers.known[i] != one;
        if (found) buffers.known[buffers.count] = one;
    }
    for (int i = 0; i < count; i++) blas_memory_free(held[i]);
    buffers.count += found;
    return found;
}

int ck_enter_blas(void) {
    int entered = 1;
    pthread_mutex_lock(&buffers.lock);
    while (buffers.busy == buffers.count && entered && !grow()) {
        if (buffers.count == 0) entered = 0;
        else pthread_cond_wait(&buffers.left, &buffers.lock);
    }
    buffers.busy += entered;
    pthread_mutex_unlock(&buffers.lock);
    return entered;
}

void ck_leave_blas(void) {
    pthread_mutex_lock(&buffers.lock);
    buffers.busy--;
    pthread_cond_signal(&buffers.left);
    pthread_mutex_unlock(&buffers.lock);
}

// At a level below the processor's, oneDNN too leaves the instructions above it alone. OpenBLAS has chosen its own when it
// was loaded.
static void limit_dnnl(void) {
#if defined(__x86_64__)
    static const dnnl_cpu_isa_t most[] = { dnnl_cpu_isa_sse41, dnnl_cpu_isa_avx2, dnnl_cpu_isa_avx512_core };
    if (ck_level() < ck_levels() - 1) dnnl_set_max_cpu_isa(most[ck_level()]);
#endif
}

static void limit(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, limit_dnnl);
}

static const char *dnnl_instructions(void) {
    limit();
    switch ((int)dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41: return "sse41";
    case dnnl_cpu_isa_avx: return "avx";
    case dnnl_cpu_isa_avx2: return "avx2";
    case dnnl_cpu_isa_avx2_vnni: return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core: return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni: return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16: return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx: return "avx512_core_amx";
    default: return "baseline";
    }
}

static char libraries[96];

static void describe(void) {
    // OpenBLAS has no part in the products of levels with 512-bit vectors.
    int mixed = !ck_kernels_in_use()->is_wide;
    snprintf(libraries, sizeof libraries, "oneDNN %s%s%s", dnnl_instructions(), mixed ? ", OpenBLAS " : "",
             mixed ? openblas_get_corename() : "");
}

const char *ck_libraries(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, describe);
    return libraries;
}

const char *ck_library_versions(void) {
    static char text[128];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    if (text[0] == 0) {
        // The version is the second word of the configuration.
        char version[32] = "";
        sscanf(openblas_get_config(), "%*s %31s", version);
        const dnnl_version_t *dnnl = dnnl_version();
        snprintf(text, sizeof text, "OpenBLAS %s, oneDNN %d.%d.%d", version, dnnl->major, dnnl->minor, dnnl->patch);
    }
    pthread_mutex_unlock(&lock);
    return text;
}

int ck_prepare_dnnl(void) {
    static atomic_int ready;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    enum { SIDE = 48 };
    if (atomic_load_explicit(&ready, memory_order_acquire)) return 1;
    limit();
    pthread_mutex_lock(&lock);
    if (!atomic_load(&ready) && ck_has_room(CODE)) {
        // Its code is made by the first products.
        static float a[SIDE * SIDE], b[SIDE * SIDE], c[SIDE * SIDE];
        int made = 1;
        for (int layout = 0; layout < 4; layout++)
            made &= dnnl_sgemm(layout & 1 ? 'T' : 'N', layout & 2 ? 'T' : 'N', SIDE, SIDE, SIDE, 1.0f, a, SIDE, b, SIDE,
                               0.0f, c, SIDE) == dnnl_success;
        atomic_store_explicit(&ready, made, memory_order_release);
    }
    pthread_mutex_unlock(&lock);
    return atomic_load(&ready);
}
