// Fork-join over units of work whose number depends on the data alone, never on the thread count:
// which thread runs a unit cannot change a result.
#ifndef CK_POOL_H
#define CK_POOL_H

#include <stdbool.h>

typedef void (*ck_unit)(void *context, long unit);

/// Runs `run(context, 0 ..< units)` on the pool and returns when all are done.
/// A call from inside a unit, or while another thread uses the pool, runs its units in place.
void ck_parallel(long units, ck_unit run, void *context);

/// Sets the number of threads (caller included), 1 ... 256.
void ck_set_threads(int threads);

/// The number of threads in use; before it is set, the number of processors this process may use.
int ck_threads(void);

/// How many units of the fork-joins that the calling thread made were run by other threads so far.
long ck_units_of_workers(void);

/// From now on the units of fork-joins that the calling thread makes are left out once `ask(context)` is true, so that
/// their results are of no use; NULL ends that.
void ck_leave_out_when(bool (*ask)(void *context), void *context);

/// Makes the BLAS libraries single-threaded on the calling thread; idempotent and cheap.
void ck_quiet_libraries(void);

#endif
