// The matrix libraries where memory is short.
#ifndef CK_LIBRARIES_H
#define CK_LIBRARIES_H

#include <stddef.h>

/// Before a call of OpenBLAS: waits for a buffer that is free; 0 if there is none and the system has no memory for one.
int ck_enter_blas(void);

/// After the call.
void ck_leave_blas(void);

/// Before a call of oneDNN: 0 if the system has no memory for its code.
int ck_prepare_dnnl(void);

/// Makes the libraries single-threaded on the calling thread: the pool has the threads. Idempotent and cheap.
void ck_quiet_libraries(void);

#endif
