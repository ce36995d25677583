// Causal attention on bfloat16 operands with float32 sums, for processors with AVX512-BF16. Every
// product is one small kernel on pairs of neighbouring numbers, which is how vdpbf16ps takes them:
// the left operand's pairs are broadcast, the right operand lies as pairs of rows. Eight rows at a time
// see only the columns up to their own last one. Probabilities of the backward pass come from the kept
// normalisers (Dao et al. 2022, arXiv 2205.14135).
#include "kernels.h"
#include "pool.h"
#include "vector.h"

#include <math.h>
#include <stdatomic.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define FAST __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")))
#define INLINE static inline __attribute__((always_inline)) FAST

enum { QUERIES = 64, ROWS = 8, LANES = 16, PAD = 32 };

static inline long round_up(long count, long size) { return (count + size - 1) / size * size; }

INLINE __m512 exponential(__m512 x) {
    x = _mm512_max_ps(_mm512_min_ps(x, _mm512_set1_ps(88.0f)), _mm512_set1_ps(-87.0f));
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
    __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0.693359375f), x);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_fmadd_ps(_mm512_mul_ps(p, r), r, _mm512_add_ps(r, _mm512_set1_ps(1.0f)));
    return _mm512_scalef_ps(p, n);
}

INLINE __m512i widened(__m512 x) { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)); }

// C[M, 16 N] = sum over pairs + (add ? C : 0); a[m am + p ap] and b[p ldb + n] are pairs.
INLINE void tile(const int M, const int N, long pairs, const uint32_t *a, long am, long ap,
                 const uint32_t *b, long ldb, float *c, long ldc, int add) {
    __m512 sum[8][2];
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++)
            sum[m][n] = add ? _mm512_loadu_ps(c + m * ldc + n * LANES) : _mm512_setzero_ps();
    for (long p = 0; p < pairs; p++) {
        __m512bh right[2];
        for (int n = 0; n < N; n++) right[n] = (__m512bh)_mm512_loadu_si512(b + p * ldb + n * LANES);
        for (int m = 0; m < M; m++) {
            __m512bh left = (__m512bh)_mm512_set1_epi32((int)a[m * am + p * ap]);
            for (int n = 0; n < N; n++) sum[m][n] = _mm512_dpbf16_ps(sum[m][n], left, right[n]);
        }
    }
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) _mm512_storeu_ps(c + m * ldc + n * LANES, sum[m][n]);
}

// The same for m <= 8 rows and n columns, a multiple of 16.
FAST static void multiply(long m, long n, long pairs, const uint32_t *a, long am, long ap,
                          const uint32_t *b, long ldb, float *c, long ldc, int add) {
    for (long j = 0; j < n; j += 2 * LANES) {
        int both = n - j >= 2 * LANES;
        if (m == ROWS && both) {
            tile(8, 2, pairs, a, am, ap, b + j, ldb, c + j, ldc, add);
            continue;
        }
        for (long i = 0; i < m; i++) {
            if (both) tile(1, 2, pairs, a + i * am, am, ap, b + j, ldb, c + i * ldc + j, ldc, add);
            else tile(1, 1, pairs, a + i * am, am, ap, b + j, ldb, c + i * ldc + j, ldc, add);
        }
    }
}

// y[p, t] = the pair p of row t of x[time, size]; rows up to `padded` are zero.
FAST static void pair_columns(long time, long padded, long size, const uint16_t *x, uint32_t *y) {
    __m512i places = _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                                        _mm512_set1_epi32((int)(size / 2)));
    for (long t = 0; t < padded; t += LANES) {
        long count = time - t < 0 ? 0 : ck_min(LANES, time - t);
        __mmask16 there = (__mmask16)((1u << count) - 1);
        const uint32_t *from = (const uint32_t *)(const void *)x + t * (size / 2);
        for (long p = 0; p < size / 2; p++)
            _mm512_storeu_si512(y + p * padded + t, _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), there,
                                                                             places, from + p, 4));
    }
}

// y[t / 2, i] = the numbers i of rows t and t + 1 of x[time, size]; rows up to `padded` are zero.
FAST static void pair_rows(long time, long padded, long size, const uint16_t *x, uint32_t *y) {
    for (long t = 0; t < padded; t += 2)
        for (long i = 0; i < size; i += LANES) {
            __m512i low = _mm512_setzero_si512(), high = low;
            if (t < time)
                low = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(x + t * size + i)));
            if (t + 1 < time)
                high = _mm512_cvtepu16_epi32(
                    _mm256_loadu_si256((const __m256i *)(const void *)(x + (t + 1) * size + i)));
            _mm512_storeu_si512(y + t / 2 * size + i, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
        }
}

typedef struct {
    const ck_attention *shape;
    const uint16_t *q, *k, *v;
    const float *out_in, *lse_in, *dout;
    float *out, *lse, *dq, *dk, *dv;
    atomic_int failed;
} attention;

// Softmax of a row of which `seen` columns count: e = exp(s - top) as bfloat16, zero up to `columns`.
// Returns the sum of the exponentials.
FAST static float row_softmax(long seen, long columns, const float *s, uint16_t *e, float *top) {
    __m512 largest = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (long j = 0; j < seen; j += LANES) {
        __mmask16 there = seen - j >= LANES ? 0xffff : (__mmask16)((1u << (seen - j)) - 1);
        largest = _mm512_mask_max_ps(largest, there, largest, _mm512_loadu_ps(s + j));
    }
    *top = _mm512_reduce_max_ps(largest);
    __m512 shift = _mm512_set1_ps(*top);
    for (long j = 0; j < columns; j += LANES) {
        __m512 x = _mm512_setzero_ps();
        if (j < seen) {
            __mmask16 there = seen - j >= LANES ? 0xffff : (__mmask16)((1u << (seen - j)) - 1);
            x = _mm512_maskz_mov_ps(there, exponential(_mm512_sub_ps(_mm512_loadu_ps(s + j), shift)));
            sum = _mm512_add_ps(sum, x);
        }
        _mm256_storeu_si256((__m256i *)(void *)(e + j), (__m256i)_mm512_cvtneps_pbh(x));
    }
    return _mm512_reduce_add_ps(sum);
}

FAST static void forward(void *context, long unit) {
    attention *p = context;
    long size = p->shape->size, time = p->shape->time, stride = p->shape->heads * size;
    long padded = round_up(time, PAD), half = size / 2;
    const uint16_t *q = p->q + unit * time * size;
    float *out = p->out + unit / p->shape->heads * time * stride + unit % p->shape->heads * size;
    float *lse = p->lse + unit * time;
    float *scratch = ck_scratch((size_t)(2 * padded * half + ROWS * padded + ROWS * padded / 2));
    if (scratch == NULL) {
        atomic_store(&p->failed, 1);
        return;
    }
    uint32_t *keys = (uint32_t *)(void *)scratch, *values = keys + padded * half;
    float *scores = (float *)(void *)(values + padded * half);
    uint16_t *weights = (uint16_t *)(void *)(scores + ROWS * padded);
    pair_columns(time, padded, size, p->k + unit * time * size, keys);
    pair_rows(time, padded, size, p->v + unit * time * size, values);
    for (long first = 0; first < time; first += ROWS) {
        long rows = ck_min(ROWS, time - first), columns = round_up(first + rows, PAD);
        multiply(rows, columns, half, (const uint32_t *)(const void *)(q + first * size), half, 1, keys, padded,
                 scores, padded, 0);
        float factor[ROWS];
        for (long r = 0; r < rows; r++) {
            float top, sum = row_softmax(first + r + 1, columns, scores + r * padded, weights + r * padded, &top);
            factor[r] = 1.0f / sum;
            lse[first + r] = top + logf(sum);
        }
        float *target = out + first * stride;
        multiply(rows, size, columns / 2, (const uint32_t *)(const void *)weights, padded / 2, 1, values, size,
                 target, stride, 0);
        for (long r = 0; r < rows; r++)
            for (long i = 0; i < size; i++) target[r * stride + i] *= factor[r];
    }
}

// One query of the backward pass: probabilities and gradients of scores, zero from `seen` on.
INLINE void row_gradient(long seen, long j, const float *s, const float *d, __m512 shift, __m512 inner, __m512 *e,
                         __m512 *g) {
    *e = *g = _mm512_setzero_ps();
    if (j >= seen) return;
    __mmask16 there = seen - j >= LANES ? 0xffff : (__mmask16)((1u << (seen - j)) - 1);
    *e = _mm512_maskz_mov_ps(there, exponential(_mm512_sub_ps(_mm512_loadu_ps(s + j), shift)));
    *g = _mm512_mul_ps(*e, _mm512_sub_ps(_mm512_loadu_ps(d + j), inner));
}

FAST static void backward(void *context, long unit) {
    attention *p = context;
    long size = p->shape->size, time = p->shape->time, stride = p->shape->heads * size;
    long padded = round_up(time, PAD), half = size / 2, at = unit * time * size;
    long corner = unit / p->shape->heads * time * stride + unit % p->shape->heads * size;
    const uint16_t *q = p->q + at;
    const float *lse = p->lse_in + unit * time;
    float *dq = p->dq + at, *dk = p->dk + at, *dv = p->dv + at;
    size_t words = (size_t)(3 * padded * half + 2 * ROWS * padded + ROWS * padded / 2 + QUERIES * padded
                            + QUERIES * half * 3);
    uint32_t *scratch = (uint32_t *)(void *)ck_scratch(words);
    if (scratch == NULL) {
        atomic_store(&p->failed, 1);
        return;
    }
    uint32_t *keys = scratch, *key_rows = keys + padded * half, *values = key_rows + padded * half;
    float *scores = (float *)(void *)(values + padded * half), *dp = scores + ROWS * padded;
    uint16_t *ds = (uint16_t *)(void *)(dp + ROWS * padded);           // [8, padded]
    uint32_t *weights = (uint32_t *)(void *)(dp + ROWS * padded) + ROWS * padded / 2;  // [32 pairs, padded]
    uint32_t *slopes = weights + QUERIES / 2 * padded;                 // the same
    uint32_t *query_rows = slopes + QUERIES / 2 * padded, *dout_rows = query_rows + QUERIES * half;
    uint16_t *dout = (uint16_t *)(void *)(dout_rows + QUERIES * half);  // [64, size]
    pair_columns(time, padded, size, p->k + at, keys);
    pair_rows(time, padded, size, p->k + at, key_rows);
    pair_columns(time, padded, size, p->v + at, values);
    // From the last block, which sees every key, so that it initialises dk and dv.
    for (long start = (time - 1) / QUERIES * QUERIES; start >= 0; start -= QUERIES) {
        long queries = ck_min(QUERIES, time - start), seen = start + queries;
        float inner[QUERIES];
        for (long r = 0; r < queries; r++) {
            const float *g = p->dout + corner + (start + r) * stride, *o = p->out_in + corner + (start + r) * stride;
            __m512 dot = _mm512_setzero_ps();
            for (long i = 0; i < size; i += LANES) {
                __m512 x = _mm512_loadu_ps(g + i);
                dot = _mm512_fmadd_ps(x, _mm512_loadu_ps(o + i), dot);
                _mm256_storeu_si256((__m256i *)(void *)(dout + r * size + i), (__m256i)_mm512_cvtneps_pbh(x));
            }
            inner[r] = _mm512_reduce_add_ps(dot);
        }
        long even = round_up(queries, 2);
        pair_rows(queries, even, size, q + start * size, query_rows);
        pair_rows(queries, even, size, dout, dout_rows);
        for (long offset = 0; offset < queries; offset += ROWS) {
            long first = start + offset, rows = ck_min(ROWS, queries - offset);
            long columns = round_up(first + rows, PAD), all = round_up(seen, PAD);
            multiply(rows, columns, half, (const uint32_t *)(const void *)(q + first * size), half, 1, keys, padded,
                     scores, padded, 0);
            multiply(rows, columns, half, (const uint32_t *)(const void *)(dout + offset * size), half, 1, values,
                     padded, dp, padded, 0);
            for (long r = 0; r < rows; r += 2) {
                int second = r + 1 < rows;
                __m512 shift0 = _mm512_set1_ps(lse[first + r]), inner0 = _mm512_set1_ps(inner[offset + r]);
                __m512 shift1 = _mm512_set1_ps(second ? lse[first + r + 1] : 0);
                __m512 inner1 = _mm512_set1_ps(second ? inner[offset + r + 1] : 0);
                uint32_t *w = weights + (offset + r) / 2 * padded, *g = slopes + (offset + r) / 2 * padded;
                for (long j = 0; j < columns; j += LANES) {
                    __m512 e0, g0, e1, g1;
                    row_gradient(first + r + 1, j, scores + r * padded, dp + r * padded, shift0, inner0, &e0, &g0);
                    row_gradient(second ? first + r + 2 : 0, j, scores + (r + 1) * padded, dp + (r + 1) * padded,
                                 shift1, inner1, &e1, &g1);
                    __m512i low = widened(g0), high = widened(g1);
                    _mm512_storeu_si512(w + j, _mm512_or_si512(widened(e0), _mm512_slli_epi32(widened(e1), 16)));
                    _mm512_storeu_si512(g + j, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
                    _mm256_storeu_si256((__m256i *)(void *)(ds + r * padded + j), _mm512_cvtepi32_epi16(low));
                    if (second)
                        _mm256_storeu_si256((__m256i *)(void *)(ds + (r + 1) * padded + j),
                                            _mm512_cvtepi32_epi16(high));
                }
                for (long j = columns; j < all; j += LANES) {
                    _mm512_storeu_si512(w + j, _mm512_setzero_si512());
                    _mm512_storeu_si512(g + j, _mm512_setzero_si512());
                }
            }
            multiply(rows, size, columns / 2, (const uint32_t *)(const void *)ds, padded / 2, 1, key_rows, size,
                     dq + first * size, size, 0);
        }
        for (long key = 0; key < seen; key += ROWS) {
            long rows = ck_min(ROWS, seen - key), skip = key > start ? (key - start) / 2 : 0;
            int add = seen != time;
            multiply(rows, size, even / 2 - skip, weights + skip * padded + key, 1, padded, dout_rows + skip * size,
                     size, dv + key * size, size, add);
            multiply(rows, size, even / 2 - skip, slopes + skip * padded + key, 1, padded, query_rows + skip * size,
                     size, dk + key * size, size, add);
        }
    }
}

int ck_attends_bf16(long size) { return size % LANES == 0 && ck_has_bf16(); }

int ck_attend_bf16(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v, float *out,
                   float *lse) {
    attention p = { .shape = shape, .q = q, .k = k, .v = v, .out = out, .lse = lse };
    ck_parallel(shape->batch * shape->heads, forward, &p);
    return -atomic_load(&p.failed);
}

int ck_attend_bf16_gradient(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v,
                            const float *out, const float *lse, const float *dout, float *dq, float *dk,
                            float *dv) {
    attention p = { .shape = shape, .q = q, .k = k, .v = v, .out_in = out, .lse_in = lse, .dout = dout,
                    .dq = dq, .dk = dk, .dv = dv };
    ck_parallel(shape->batch * shape->heads, backward, &p);
    return -atomic_load(&p.failed);
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
