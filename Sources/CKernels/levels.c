// Which kernels are used: those of the highest level whose instructions the processor has and the system keeps, or of a lower
// one that the environment names.
#include "internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    const ck_kernels *kernels;
} level;

#if defined(__x86_64__)
static const level all[] = {
    { "portable", &ck_baseline }, { "avx2", &ck_avx2 }, { "avx512", &ck_avx512 }, { "avx512-bf16", &ck_avx512_bf16 }
};

static int count_levels(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq")
        || !__builtin_cpu_supports("avx512vl"))
        return 2;
    return __builtin_cpu_supports("avx512bf16") ? 4 : 3;
}
#elif defined(__ARM_NEON)
static const level all[] = { { "neon", &ck_baseline } };

static int count_levels(void) { return 1; }
#else
static const level all[] = { { "portable", &ck_baseline } };

static int count_levels(void) { return 1; }
#endif

static int count, chosen;
static char refused[64];

static void choose(void) {
    count = count_levels();
    chosen = count - 1;
    const char *wanted = getenv("MTREPL_KERNELS");
    if (wanted == NULL || *wanted == 0) return;
    for (chosen = 0; chosen < count; chosen++)
        if (strcmp(wanted, all[chosen].name) == 0) return;
    chosen = 0;
    snprintf(refused, sizeof refused, "%s", wanted);
}

static void prepare(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
}

int ck_levels(void) {
    prepare();
    return count;
}

const char *ck_level_name(int at) { return all[at].name; }

const ck_kernels *ck_kernels_of(int at) { return all[at].kernels; }

int ck_level(void) {
    prepare();
    return chosen;
}

const ck_kernels *ck_kernels_in_use(void) { return ck_kernels_of(ck_level()); }

const char *ck_refused(void) {
    prepare();
    return *refused ? refused : NULL;
}
