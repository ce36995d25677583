// Memory that the kernels of one thread work in, freed with the thread.
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>

// A request beyond this is served, but not kept for smaller ones: 16 MiB.
enum { KEPT = 1 << 22 };

static pthread_key_t key;
static int has_key;

static void prepare(void) { has_key = pthread_key_create(&key, free) == 0; }

float *ck_scratch(size_t count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static _Thread_local float *memory;
    static _Thread_local size_t capacity;
    if (count <= capacity && (capacity <= KEPT || count > KEPT)) return memory;
    pthread_once(&once, prepare);
    free(memory);
    memory = NULL;
    capacity = 0;
    void *fresh;
    if (posix_memalign(&fresh, 64, count * sizeof(float)) != 0) fresh = NULL;
    if (has_key) pthread_setspecific(key, fresh);
    if (fresh == NULL) return NULL;
    memory = fresh;
    capacity = count;
    return memory;
}
