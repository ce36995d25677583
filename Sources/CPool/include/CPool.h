// Fork-join over units of work whose number depends on the data alone, never on the thread count:
// which thread runs a unit cannot change a result.
#ifndef CP_POOL_H
#define CP_POOL_H

#include <stdbool.h>

typedef void (*cp_unit)(void *context, long unit);

/// Runs `run(context, 0 ..< units)` on the pool and returns when all are done.
/// A call from inside a unit, or while another thread uses the pool, runs its units in place.
void cp_parallel(long units, cp_unit run, void *context);

/// Sets the number of threads (caller included), 1 ... 256.
void cp_set_threads(int threads);

/// The number of threads in use; before it is set, the number of processors this process may use.
int cp_threads(void);

/// How many units of the fork-joins that the calling thread made were run by other threads so far.
long cp_units_of_workers(void);

/// From now on the units of fork-joins that the calling thread makes are left out once `ask(context)` is true, so that
/// their results are of no use; NULL ends that.
void cp_leave_out_when(bool (*ask)(void *context), void *context);

/// Makes all threads allocate from one arena: each takes 64 MiB of address space.
void cp_use_one_arena(void);

/// What every thread calls before it works on units, such as to prepare libraries that the units use; NULL for nothing.
/// Set before any work, and cheap when it is called again.
extern void (*cp_prepare_thread)(void);

#endif
