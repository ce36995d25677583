// What the files of this module share.
#ifndef CK_INTERNAL_H
#define CK_INTERNAL_H

#include "kernels.h"

static inline long ck_min(long a, long b) { return a < b ? a : b; }
static inline long ck_blocks(long count, long size) { return (count + size - 1) / size; }

/// At least `count` floats that belong to the calling thread until its next call; NULL if there is
/// no memory. They grow with the largest request, up to a limit, and are freed with the thread.
float *ck_scratch(size_t count);

/// The product of one unit of work, on the calling thread: C = op(A) op(B) + beta C. `wide` is set by levels with 512-bit
/// vectors, for which another library is the faster. Not 0 if there is no memory.
int ck_gemm_unit(int wide, int transpose_a, int transpose_b, long m, long n, long k, const float *a,
                 long lda, const float *b, long ldb, float beta, float *c, long ldc);

/// The same with bfloat16 operands. Only where ck_multiplies_bf16() is true.
int ck_gemm_bf16_unit(int transpose_a, int transpose_b, long m, long n, long k, const uint16_t *a,
                      long lda, const uint16_t *b, long ldb, float beta, float *c, long ldc);

/// Whether the library multiplies bfloat16 well on this processor.
int ck_multiplies_bf16(void);

/// Attention on float32 operands with 512-bit vectors; the size of a head must be a multiple of 16.
int ck_attend_wide(const ck_attention *shape, const float *q, const float *k, const float *v, float *out,
                   float *lse);
int ck_attend_wide_gradient(const ck_attention *shape, const float *q, const float *k, const float *v,
                            const float *out, const float *lse, const float *dout, float *dq, float *dk,
                            float *dv);

/// The same on bfloat16 operands, with their instructions.
int ck_attend_narrow(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v,
                     float *out, float *lse);
int ck_attend_narrow_gradient(const ck_attention *shape, const uint16_t *q, const uint16_t *k,
                              const uint16_t *v, const float *out, const float *lse, const float *dout,
                              float *dq, float *dk, float *dv);

// The levels, each a file that compiles the kernels for its instructions.
extern const ck_kernels ck_baseline, ck_avx2, ck_avx512, ck_avx512_bf16;

#endif
