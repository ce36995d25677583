// The thread pool: workers spin for a while after work (a wake-up costs 50 us or more on virtual
// machines), then sleep, so that an idle prompt uses no processor. Units are claimed one by one from a
// word that holds the generation and what is left of it, and the caller waits for claimed units alone:
// a worker to which the system gives no processor delays nobody.
#define _GNU_SOURCE
#include "CPool.h"

#include <limits.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define relax() _mm_pause()
#else
#define relax() sched_yield()
#endif

// How often workers look for new work before they sleep, and how often the caller for the end of claimed
// units. Nobody yields: that gives away a whole time slice. A caller that sleeps frees its processor for
// a worker that was interrupted.
enum { MAX_THREADS = 256, IDLE_SPINS = 20000, WAIT_SPINS = 2000, LEFT_BITS = 24 };
#define LEFT_MASK ((1ull << LEFT_BITS) - 1)

// Fields of a job change only while none of its units is left or running, that is, never between the
// two moments at which a worker that succeeds in claiming a unit reads and changes `claim`.
static struct {
    pthread_mutex_t use;  // held for one fork-join
    atomic_int threads;   // caller included; 0 until first asked
    int started;          // workers alive
    _Alignas(64) _Atomic uint64_t claim;  // generation << LEFT_BITS | units left to claim
    _Atomic uint32_t epoch;               // what idle workers sleep on; changes with every generation
    atomic_int sleeping;
    _Atomic(cp_unit) run;
    atomic_bool over;     // what is left need not be run
    void *_Atomic context;
    atomic_long end;      // the unit after the last one
    atomic_long limit;    // workers that take part
    _Atomic uint64_t crowded;  // when a caller last found the pool taken; nanoseconds
    _Alignas(64) _Atomic uint32_t done;   // units finished by workers; the caller sleeps on it
    atomic_int waiting;                   // whether it does
} pool = { .use = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local bool inside;

// Whether the caller wants no more units.
static _Thread_local struct {
    bool (*ask)(void *);
    void *context;
} stopper;

void cp_leave_out_when(bool (*ask)(void *), void *context) {
    stopper.ask = ask;
    stopper.context = context;
}

static bool is_over(void) { return stopper.ask != NULL && stopper.ask(stopper.context); }
static _Thread_local long helped;  // units of this thread's fork-joins that workers ran

void cp_use_one_arena(void) { mallopt(M_ARENA_MAX, 1); }

void (*cp_prepare_thread)(void);

static void prepare(void) {
    if (cp_prepare_thread) cp_prepare_thread();
}

// Returns at once if the word is no longer `value`.
static void sleep_on(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word, int count) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

// Runs units until none is left, or is not for worker `index` (the caller is -1). Returns their number;
// *claim is what was seen last.
static uint32_t drain(long index, uint64_t *claim) {
    uint32_t count = 0;
    *claim = atomic_load_explicit(&pool.claim, memory_order_acquire);
    while (*claim & LEFT_MASK) {
        if (index >= atomic_load_explicit(&pool.limit, memory_order_relaxed)) break;
        cp_unit run = atomic_load_explicit(&pool.run, memory_order_relaxed);
        void *context = atomic_load_explicit(&pool.context, memory_order_relaxed);
        long unit = atomic_load_explicit(&pool.end, memory_order_relaxed) - (long)(*claim & LEFT_MASK);
        if (!atomic_compare_exchange_weak_explicit(&pool.claim, claim, *claim - 1, memory_order_acq_rel,
                                                   memory_order_acquire))
            continue;
        if (index < 0 && is_over()) atomic_store_explicit(&pool.over, true, memory_order_relaxed);
        if (!atomic_load_explicit(&pool.over, memory_order_relaxed)) run(context, unit);
        count++;
        *claim = atomic_load_explicit(&pool.claim, memory_order_acquire);
    }
    return count;
}

static void *work(void *argument) {
    long index = (long)(size_t)argument;
    inside = true;
    prepare();
    for (;;) {
        uint64_t claim;
        uint32_t count = drain(index, &claim);
        if (count > 0) {
            atomic_fetch_add(&pool.done, count);
            if (atomic_load(&pool.waiting)) wake(&pool.done, 1);
        }
        uint64_t seen = claim >> LEFT_BITS;
        for (int turn = 0; atomic_load(&pool.claim) >> LEFT_BITS == seen; turn++) {
            relax();
            if (turn < IDLE_SPINS) continue;
            uint32_t epoch = atomic_load(&pool.epoch);
            atomic_fetch_add(&pool.sleeping, 1);
            if (atomic_load(&pool.claim) >> LEFT_BITS == seen) sleep_on(&pool.epoch, epoch);
            atomic_fetch_sub(&pool.sleeping, 1);
        }
    }
    return NULL;
}

long cp_units_of_workers(void) { return helped; }

static int processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
}

// Not under `use`: a unit of work may ask, and its caller holds that.
int cp_threads(void) {
    int threads = atomic_load(&pool.threads);
    if (threads > 0) return threads;
    int count = processors();
    return atomic_compare_exchange_strong(&pool.threads, &threads, count) ? count : threads;
}

void cp_set_threads(int threads) {
    atomic_store(&pool.threads, threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads);
}

// Starts what is missing of the workers. One that cannot be started only costs speed: the caller drains what is
// left. Workers take no signals: generated code uses the stack pointer for data, so that the frame of a handler must
// not be pushed there, and only the thread that handles them has a stack apart for it.
static void hire(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool.started < pool.threads - 1) {
        pthread_t worker;
        if (pthread_create(&worker, NULL, work, (void *)(size_t)pool.started) != 0) break;
        pthread_detach(worker);
        pool.started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// The workers for one caller: while others call too, such as training in the background, half of the threads are theirs.
// How long that is known suffices for the others' next calls and costs little when they have ended.
static long workers(void) {
    enum { MEMORY = 20000000 };
    bool crowded = now() - atomic_load_explicit(&pool.crowded, memory_order_relaxed) < MEMORY;
    int threads = cp_threads();
    return crowded ? threads / 2 - 1 : threads - 1;
}

// Units first ... first + count - 1 on the pool, which the caller holds, with at most so many workers.
static void share(long first, long count, long limit, cp_unit run, void *context) {
    atomic_store_explicit(&pool.run, run, memory_order_relaxed);
    atomic_store_explicit(&pool.context, context, memory_order_relaxed);
    atomic_store_explicit(&pool.end, first + count, memory_order_relaxed);
    atomic_store_explicit(&pool.limit, limit, memory_order_relaxed);
    atomic_store_explicit(&pool.over, false, memory_order_relaxed);
    atomic_store_explicit(&pool.done, 0, memory_order_relaxed);
    uint64_t claim = atomic_load_explicit(&pool.claim, memory_order_relaxed);
    atomic_store(&pool.claim, ((claim >> LEFT_BITS) + 1) << LEFT_BITS | (uint64_t)count);
    atomic_fetch_add(&pool.epoch, 1);
    // Those above the limit may be the ones that a smaller number would wake.
    if (atomic_load(&pool.sleeping) > 0)
        wake(&pool.epoch, pool.started > limit || count > limit ? INT_MAX : (int)count - 1);
    uint32_t others = (uint32_t)count - drain(-1, &claim), done;
    helped += others;
    for (int turn = 0; (done = atomic_load_explicit(&pool.done, memory_order_acquire)) != others; turn++) {
        relax();
        if (turn < WAIT_SPINS) continue;
        atomic_store(&pool.waiting, 1);
        done = atomic_load(&pool.done);
        if (done != others) sleep_on(&pool.done, done);
        atomic_store(&pool.waiting, 0);
    }
}

void cp_parallel(long units, cp_unit run, void *context) {
    if (units <= 0) return;
    bool alone = units == 1 || inside;
    long limit = 0;
    if (!alone && pthread_mutex_trylock(&pool.use) != 0) {
        atomic_store_explicit(&pool.crowded, now(), memory_order_relaxed);
        alone = true;
    } else if (!alone) {
        limit = workers();
        alone = limit < 1;
        if (alone) pthread_mutex_unlock(&pool.use);
    }
    prepare();
    if (alone) {
        for (long unit = 0; unit < units && !is_over(); unit++) run(context, unit);
        return;
    }
    inside = true;
    if (pool.started < pool.threads - 1) hire();
    long most = (long)LEFT_MASK;
    for (long first = 0; first < units; first += most)
        share(first, units - first < most ? units - first : most, limit, run, context);
    inside = false;
    pthread_mutex_unlock(&pool.use);
}
