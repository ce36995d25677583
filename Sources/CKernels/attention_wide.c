// Attention on float32 operands with 512-bit vectors.
#if defined(__x86_64__)
#define HALF 0
#include "attention_rows.h"

int ck_attend_wide(const ck_attention *shape, const float *q, const float *k, const float *v, float *out,
                   float *lse) {
    return run_forward(shape, q, k, v, out, lse);
}

int ck_attend_wide_gradient(const ck_attention *shape, const float *q, const float *k, const float *v,
                            const float *out, const float *lse, const float *dout, float *dq, float *dk,
                            float *dv) {
    return run_backward(shape, q, k, v, out, lse, dout, dq, dk, dv);
}
#endif
