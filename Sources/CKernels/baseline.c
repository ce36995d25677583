// The kernels for any processor of its kind: SSE2 on x86-64, NEON on arm64.
#define CK_TABLE ck_baseline
#define CK_WIDE 0
#define CK_BF16 0
#include "level/level.h"
