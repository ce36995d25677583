// Attention on bfloat16 operands.
#if defined(__x86_64__)
#define HALF 1
#include "attention_rows.h"

int ck_attend_narrow(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v, float *out,
                   float *lse) {
    return run_forward(shape, q, k, v, out, lse);
}

int ck_attend_narrow_gradient(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v,
                            const float *out, const float *lse, const float *dout, float *dq, float *dk,
                            float *dv) {
    return run_backward(shape, q, k, v, out, lse, dout, dq, dk, dv);
}
#endif
