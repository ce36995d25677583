// The kernels for processors with 512-bit vectors.
#if defined(__x86_64__)
#define CK_TABLE ck_avx512
#define CK_TARGET "avx512f,avx512bw,avx512dq,avx512vl,fma"
#define CK_WIDE 1
#define CK_BF16 0
#include "level/level.h"
#endif
