// The kernels for processors with AVX2 and FMA.
#if defined(__x86_64__)
#define CK_TABLE ck_avx2
#define CK_TARGET "avx2,fma"
#define CK_WIDE 0
#define CK_BF16 0
#include "level/level.h"
#endif
