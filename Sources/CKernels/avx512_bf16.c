// The kernels for processors with 512-bit vectors and products of bfloat16.
#if defined(__x86_64__)
#define CK_TABLE ck_avx512_bf16
#define CK_TARGET "avx512f,avx512bw,avx512dq,avx512vl,fma,avx512bf16"
#define CK_WIDE 1
#define CK_BF16 1
#include "level/level.h"
#endif
