// The thread pool: workers spin for a while after work (a wake-up costs 50 us or more on virtual
// machines), then sleep, so that an idle prompt uses no processor.
#define _GNU_SOURCE
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <cblas.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define relax() _mm_pause()
#else
#define relax() sched_yield()
#endif

extern void omp_set_num_threads(int);

enum { MAX_THREADS = 256, SPIN = 20000 };

static struct {
    pthread_mutex_t use;   // held for one fork-join
    pthread_mutex_t sleep;
    pthread_cond_t wake;
    pthread_t worker[MAX_THREADS];
    long first[MAX_THREADS];
    int threads;           // caller included; 0 until first asked
    int started;           // workers alive
    int limit;             // workers that take part in this generation
    atomic_int sleeping;
    atomic_long generation;
    atomic_long next, done;
    atomic_int active;     // workers inside the current generation
    long units;
    ck_unit run;
    void *context;
} pool = { .use = PTHREAD_MUTEX_INITIALIZER, .sleep = PTHREAD_MUTEX_INITIALIZER,
           .wake = PTHREAD_COND_INITIALIZER };

static _Thread_local bool inside;

void ck_quiet_libraries(void) {
    static _Thread_local bool quiet;
    if (quiet) return;
    quiet = true;
    openblas_set_num_threads(1);
    omp_set_num_threads(1);
}

static void drain(void) {
    long unit;
    while ((unit = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed)) < pool.units)
        pool.run(pool.context, unit);
}

static void *work(void *argument) {
    long index = (long)(size_t)argument;
    long seen = pool.first[index];  // generations before its birth are not its own
    inside = true;
    ck_quiet_libraries();
    for (;;) {
        int spin = 0;
        while (atomic_load_explicit(&pool.generation, memory_order_acquire) == seen) {
            if (++spin < SPIN) { relax(); continue; }
            pthread_mutex_lock(&pool.sleep);
            atomic_fetch_add(&pool.sleeping, 1);
            while (atomic_load(&pool.generation) == seen) pthread_cond_wait(&pool.wake, &pool.sleep);
            atomic_fetch_sub(&pool.sleeping, 1);
            pthread_mutex_unlock(&pool.sleep);
        }
        seen = atomic_load_explicit(&pool.generation, memory_order_acquire);
        if (index < pool.limit) drain();
        atomic_fetch_sub_explicit(&pool.active, 1, memory_order_release);
    }
    return NULL;
}

static int processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
}

int ck_threads(void) {
    pthread_mutex_lock(&pool.use);
    if (pool.threads == 0) pool.threads = processors();
    int threads = pool.threads;
    pthread_mutex_unlock(&pool.use);
    return threads;
}

void ck_set_threads(int threads) {
    pthread_mutex_lock(&pool.use);
    pool.threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
    pthread_mutex_unlock(&pool.use);
}

// Starts what is missing of the workers. One that cannot be started only costs speed: the caller drains what is
// left. Workers take no signals: generated code uses the stack pointer for data, so that the frame of a handler must
// not be pushed there, and only the thread that handles them has a stack apart for it.
static void hire(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool.started < pool.threads - 1) {
        size_t index = (size_t)pool.started;
        pool.first[index] = atomic_load(&pool.generation);
        if (pthread_create(&pool.worker[index], NULL, work, (void *)index) != 0) break;
        pthread_detach(pool.worker[index]);
        pool.started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void ck_parallel(long units, ck_unit run, void *context) {
    if (units <= 0) return;
    if (units == 1 || inside || pthread_mutex_trylock(&pool.use) != 0) {
        ck_quiet_libraries();
        for (long unit = 0; unit < units; unit++) run(context, unit);
        return;
    }
    inside = true;
    ck_quiet_libraries();
    if (pool.threads == 0) pool.threads = processors();
    if (pool.started < pool.threads - 1) hire();
    pool.units = units;
    pool.run = run;
    pool.context = context;
    pool.limit = pool.threads - 1;
    atomic_store_explicit(&pool.next, 0, memory_order_relaxed);
    atomic_store_explicit(&pool.active, pool.started, memory_order_relaxed);
    atomic_fetch_add_explicit(&pool.generation, 1, memory_order_seq_cst);
    if (atomic_load(&pool.sleeping) > 0) {
        pthread_mutex_lock(&pool.sleep);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.sleep);
    }
    drain();
    while (atomic_load_explicit(&pool.active, memory_order_acquire) > 0) relax();
    inside = false;
    pthread_mutex_unlock(&pool.use);
}
