// Attention on bfloat16 operands.
#include "kernels.h"

#if defined(__x86_64__)
#define HALF 1
#include "attention_rows.h"

int ck_attends_bf16(long size) { return size % LANES == 0 && ck_has_bf16(); }

int ck_attend_bf16(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v, float *out,
                   float *lse) {
    return run_forward(shape, q, k, v, out, lse);
}

int ck_attend_bf16_gradient(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v,
                            const float *out, const float *lse, const float *dout, float *dq, float *dk,
                            float *dv) {
    return run_backward(shape, q, k, v, out, lse, dout, dq, dk, dv);
}
#else
int ck_attends_bf16(long size) { return size < 0; }

int ck_attend_bf16(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v, float *out,
                   float *lse) {
    (void)shape, (void)q, (void)k, (void)v, (void)out, (void)lse;
    return -1;
}

int ck_attend_bf16_gradient(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v,
                            const float *out, const float *lse, const float *dout, float *dq, float *dk,
                            float *dv) {
    (void)shape, (void)q, (void)k, (void)v, (void)out, (void)lse, (void)dout, (void)dq, (void)dk, (void)dv;
    return -1;
}
#endif
