// Causal attention with 512-bit vectors, on float32 (HALF 0) or bfloat16 operands (HALF 1), always with
// float32 sums: included by a file for each. Every product is one small kernel whose left operand is
// broadcast a 32-bit word at a time; with bfloat16 a word is a pair of neighbours, which is how
// vdpbf16ps takes them. Eight queries at a time see only the keys up to their own last one.
// Probabilities of the backward pass come from the kept normalisers (Dao et al. 2022, arXiv 2205.14135).
#include "internal.h"
#include "CPool.h"

#include <immintrin.h>
#include <math.h>
#include <stdatomic.h>

#if HALF
#define FAST __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")))
typedef uint16_t number;
typedef __m512bh vector;
enum { WORD = 2 };  // numbers in 32 bits
#else
#define FAST __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma")))
typedef float number;
typedef __m512 vector;
enum { WORD = 1 };
#endif
#define INLINE static inline __attribute__((always_inline)) FAST

enum { QUERIES = 64, ROWS = 8, LANES = 16, PAD = 32 };

static inline long round_up(long count, long size) { return (count + size - 1) / size * size; }

// The order of the operands of min and max keeps NaN.
INLINE __m512 exponential(__m512 x) {
    x = _mm512_max_ps(_mm512_set1_ps(-87.0f), _mm512_min_ps(_mm512_set1_ps(88.0f), x));
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

INLINE __m512 multiply_add(__m512 sum, vector a, vector b) {
#if HALF
    return _mm512_dpbf16_ps(sum, a, b);
#else
    return _mm512_fmadd_ps(a, b, sum);
#endif
}

INLINE void store(number *y, __m512 x) {
#if HALF
    _mm256_storeu_si256((__m256i *)(void *)y, (__m256i)_mm512_cvtneps_pbh(x));
#else
    _mm512_storeu_ps(y, x);
#endif
}

static inline const uint32_t *words(const void *x) { return x; }

// C[M, 16 N] = the sum of `count` products + (add ? C : 0); a[m am + p ap] and b[p ldb + n] are words.
INLINE void tile(const int M, const int N, long count, const uint32_t *a, long am, long ap,
                 const uint32_t *b, long ldb, float *c, long ldc, int add) {
    __m512 sum[8][2];
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++)
            sum[m][n] = add ? _mm512_loadu_ps(c + m * ldc + n * LANES) : _mm512_setzero_ps();
    for (long p = 0; p < count; p++) {
        vector right[2];
        for (int n = 0; n < N; n++) right[n] = (vector)_mm512_loadu_si512(b + p * ldb + n * LANES);
        for (int m = 0; m < M; m++) {
            vector left = (vector)_mm512_set1_epi32((int)a[m * am + p * ap]);
            for (int n = 0; n < N; n++) sum[m][n] = multiply_add(sum[m][n], left, right[n]);
        }
    }
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) _mm512_storeu_ps(c + m * ldc + n * LANES, sum[m][n]);
}

// The same for m <= 8 rows and n columns, a multiple of 16.
FAST static void multiply(long m, long n, long count, const uint32_t *a, long am, long ap,
                          const uint32_t *b, long ldb, float *c, long ldc, int add) {
    for (long j = 0; j < n; j += 2 * LANES) {
        int both = n - j >= 2 * LANES;
        if (m == ROWS && both) {
            tile(8, 2, count, a, am, ap, b + j, ldb, c + j, ldc, add);
            continue;
        }
        for (long i = 0; i < m; i++) {
            if (both) tile(1, 2, count, a + i * am, am, ap, b + j, ldb, c + i * ldc + j, ldc, add);
            else tile(1, 1, count, a + i * am, am, ap, b + j, ldb, c + i * ldc + j, ldc, add);
        }
    }
}

// Sixteen rows of sixteen words to columns.
INLINE void transpose(__m512i *x) {
    __m512i t[16], u[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int c = 0; c < 2; c++) {
            u[i + 2 * c] = _mm512_unpacklo_epi64(t[i + c], t[i + c + 2]);
            u[i + 2 * c + 1] = _mm512_unpackhi_epi64(t[i + c], t[i + c + 2]);
        }
    for (int c = 0; c < 4; c++) {  // the 128-bit part l of u[4 g + c] is column 4 l + c of rows 4 g ...
        __m512i even0 = _mm512_shuffle_i32x4(u[c], u[c + 4], 0x88), odd0 = _mm512_shuffle_i32x4(u[c], u[c + 4], 0xdd);
        __m512i even1 = _mm512_shuffle_i32x4(u[c + 8], u[c + 12], 0x88);
        __m512i odd1 = _mm512_shuffle_i32x4(u[c + 8], u[c + 12], 0xdd);
        x[c] = _mm512_shuffle_i32x4(even0, even1, 0x88);
        x[c + 4] = _mm512_shuffle_i32x4(odd0, odd1, 0x88);
        x[c + 8] = _mm512_shuffle_i32x4(even0, even1, 0xdd);
        x[c + 12] = _mm512_shuffle_i32x4(odd0, odd1, 0xdd);
    }
}

// y[p, t] = the word p of row t of x[time, width]; rows up to `padded` are zero.
FAST static void turn_words(long time, long padded, long width, const uint32_t *x, uint32_t *y) {
    for (long t = 0; t < padded; t += LANES)
        for (long p = 0; p < width; p += LANES) {
            __m512i block[LANES];
            long columns = ck_min(LANES, width - p);
            __mmask16 there = (__mmask16)((1u << columns) - 1);
            for (long r = 0; r < LANES; r++)
                block[r] = t + r < time ? _mm512_maskz_loadu_epi32(there, x + (t + r) * width + p)
                                        : _mm512_setzero_si512();
            transpose(block);
            for (long c = 0; c < columns; c++) _mm512_storeu_si512(y + (p + c) * padded + t, block[c]);
        }
}

#if HALF
INLINE __m512i widened(__m512 x) { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)); }

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

#endif

typedef struct {
    const ck_attention *shape;
    const number *q, *k, *v;
    const float *out_in, *lse_in, *dout;
    float *out, *lse, *dq, *dk, *dv;
    atomic_int failed;
} attention;

// Softmax of a row of which `seen` columns count: e = exp(s - top), zero up to `columns`.
// Returns the sum of the exponentials.
FAST static float row_softmax(long seen, long columns, const float *s, number *e, float *top) {
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
        store(e + j, x);
    }
    return _mm512_reduce_add_ps(sum);
}

FAST static void forward(void *context, long unit) {
    attention *p = context;
    long size = p->shape->size, time = p->shape->time, stride = p->shape->heads * size;
    long padded = round_up(time, PAD), width = size / WORD;
    const number *q = p->q + unit * time * size, *v = p->v + unit * time * size;
    float *out = p->out + unit / p->shape->heads * time * stride + unit % p->shape->heads * size;
    float *lse = p->lse + unit * time;
    float *scratch = ck_scratch((size_t)(2 * padded * width + 2 * ROWS * padded));
    if (scratch == NULL) {
        atomic_store(&p->failed, 1);
        return;
    }
    uint32_t *keys = (uint32_t *)(void *)scratch, *value_rows = keys + padded * width;
    float *scores = (float *)(void *)(value_rows + padded * width);
    number *weights = (number *)(void *)(scores + ROWS * padded);
    turn_words(time, padded, width, words(p->k + unit * time * size), keys);
#if HALF
    pair_rows(time, padded, size, v, value_rows);
    const uint32_t *values = value_rows;
#else
    const uint32_t *values = words(v);
#endif
    for (long first = 0; first < time; first += ROWS) {
        long rows = ck_min(ROWS, time - first), columns = round_up(first + rows, PAD);
        multiply(rows, columns, width, words(q + first * size), width, 1, keys, padded, scores, padded, 0);
        float factor[ROWS];
        for (long r = 0; r < rows; r++) {
            float top, sum = row_softmax(first + r + 1, columns, scores + r * padded, weights + r * padded, &top);
            factor[r] = 1.0f / sum;
            lse[first + r] = top + logf(sum);
        }
        float *target = out + first * stride;
        multiply(rows, size, HALF ? columns / 2 : first + rows, words(weights), padded / WORD, 1, values, size,
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

// Probabilities and gradients of scores of a few queries, in the form of the products that take them.
typedef struct {
    long padded;
    uint32_t *weights, *slopes;  // [queries / WORD, padded]: a word holds neighbouring queries
    number *slope_rows;          // [8, padded]: the slopes of the latest queries, row by row
} slopes;

// Rows `offset` and, if `second`, offset + 1 of a block, whose first query sees `seen` keys. Zero from
// there to `all`.
FAST static void score_gradients(const slopes *y, long offset, int second, long seen, long all, const float *s,
                                 const float *d, const float *lse, const float *inner) {
    long padded = y->padded;
    __m512 shift0 = _mm512_set1_ps(lse[0]), inner0 = _mm512_set1_ps(inner[0]);
    uint32_t *w = y->weights + offset / WORD * padded, *g = y->slopes + offset / WORD * padded;
    long columns = round_up(seen + 1, PAD);
#if HALF
    __m512 shift1 = _mm512_set1_ps(second ? lse[1] : 0), inner1 = _mm512_set1_ps(second ? inner[1] : 0);
    number *rows = y->slope_rows + offset % ROWS * padded;
    for (long j = 0; j < ck_min(columns, all); j += LANES) {
        __m512 e0, g0, e1, g1;
        row_gradient(seen, j, s, d, shift0, inner0, &e0, &g0);
        row_gradient(second ? seen + 1 : 0, j, s + padded, d + padded, shift1, inner1, &e1, &g1);
        __m512i low = widened(g0), high = widened(g1);
        _mm512_storeu_si512(w + j, _mm512_or_si512(widened(e0), _mm512_slli_epi32(widened(e1), 16)));
        _mm512_storeu_si512(g + j, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
        _mm256_storeu_si256((__m256i *)(void *)(rows + j), _mm512_cvtepi32_epi16(low));
        if (second) _mm256_storeu_si256((__m256i *)(void *)(rows + padded + j), _mm512_cvtepi32_epi16(high));
    }
    for (long j = columns; j < all; j += LANES) {
        _mm512_storeu_si512(w + j, _mm512_setzero_si512());
        _mm512_storeu_si512(g + j, _mm512_setzero_si512());
        _mm256_storeu_si256((__m256i *)(void *)(rows + j), _mm256_setzero_si256());
        if (second) _mm256_storeu_si256((__m256i *)(void *)(rows + padded + j), _mm256_setzero_si256());
    }
#else
    (void)second;
    for (long j = 0; j < all; j += LANES) {
        __m512 e = _mm512_setzero_ps(), slope = e;
        if (j < columns) row_gradient(seen, j, s, d, shift0, inner0, &e, &slope);
        _mm512_storeu_ps((float *)(void *)(w + j), e);
        _mm512_storeu_ps((float *)(void *)(g + j), slope);
    }
#endif
}

FAST static void backward(void *context, long unit) {
    attention *p = context;
    long size = p->shape->size, time = p->shape->time, stride = p->shape->heads * size;
    long padded = round_up(time, PAD), width = size / WORD, at = unit * time * size;
    long corner = unit / p->shape->heads * time * stride + unit % p->shape->heads * size;
    const number *q = p->q + at, *k = p->k + at;
    const float *lse = p->lse_in + unit * time;
    float *dq = p->dq + at, *dk = p->dk + at, *dv = p->dv + at;
    uint32_t *scratch = (uint32_t *)(void *)ck_scratch(
        (size_t)(3 * padded * width + 3 * ROWS * padded + 2 * QUERIES * padded + 3 * QUERIES * size));
    if (scratch == NULL) {
        atomic_store(&p->failed, 1);
        return;
    }
    uint32_t *keys = scratch, *values = keys + padded * width, *key_rows = values + padded * width;
    float *scores = (float *)(void *)(key_rows + padded * width), *dp = scores + ROWS * padded;
    slopes y = { .padded = padded, .slope_rows = (number *)(void *)(dp + ROWS * padded) };
    y.weights = (uint32_t *)(void *)(dp + 2 * ROWS * padded);
    y.slopes = y.weights + QUERIES * padded;
    turn_words(time, padded, width, words(k), keys);
    turn_words(time, padded, width, words(p->v + at), values);
#if HALF
    uint32_t *query_pairs = y.slopes + QUERIES * padded, *dout_pairs = query_pairs + QUERIES * size;
    number *dout_numbers = (number *)(void *)(dout_pairs + QUERIES * size);  // [64, size]
    pair_rows(time, padded, size, k, key_rows);
#endif
    // From the last block, which sees every key, so that it initialises dk and dv.
    for (long start = (time - 1) / QUERIES * QUERIES; start >= 0; start -= QUERIES) {
        long queries = ck_min(QUERIES, time - start), seen = start + queries;
        const float *dout = p->dout + corner + start * stride, *out = p->out_in + corner + start * stride;
        float inner[QUERIES];
        for (long r = 0; r < queries; r++) {
            __m512 dot = _mm512_setzero_ps();
            for (long i = 0; i < size; i += LANES) {
                __m512 x = _mm512_loadu_ps(dout + r * stride + i);
                dot = _mm512_fmadd_ps(x, _mm512_loadu_ps(out + r * stride + i), dot);
#if HALF
                store(dout_numbers + r * size + i, x);
#endif
            }
            inner[r] = _mm512_reduce_add_ps(dot);
        }
#if HALF
        pair_rows(queries, round_up(queries, 2), size, q + start * size, query_pairs);
        pair_rows(queries, round_up(queries, 2), size, dout_numbers, dout_pairs);
        const uint32_t *left = words(dout_numbers), *query_rows = query_pairs, *dout_rows = dout_pairs;
        long left_stride = width, dout_stride = size;
#else
        const uint32_t *left = words(dout), *query_rows = words(q + start * size), *dout_rows = words(dout);
        long left_stride = stride, dout_stride = stride;
#endif
        for (long offset = 0; offset < queries; offset += ROWS) {
            long first = start + offset, rows = ck_min(ROWS, queries - offset);
            long columns = round_up(first + rows, PAD), all = round_up(seen, PAD);
            multiply(rows, columns, width, words(q + first * size), width, 1, keys, padded, scores, padded, 0);
            multiply(rows, columns, width, left + offset * left_stride, left_stride, 1, values, padded, dp, padded,
                     0);
            for (long r = 0; r < rows; r += WORD)
                score_gradients(&y, offset + r, r + 1 < rows, first + r + 1, all, scores + r * padded,
                                dp + r * padded, lse + first + r, inner + offset + r);
#if HALF
            multiply(rows, size, columns / 2, words(y.slope_rows), padded / 2, 1, key_rows, size, dq + first * size,
                     size, 0);
#else
            multiply(rows, size, first + rows, y.slopes + offset * padded, padded, 1, words(k), size,
                     dq + first * size, size, 0);
#endif
        }
        for (long key = 0; key < seen; key += ROWS) {
            long rows = ck_min(ROWS, seen - key), skip = key > start ? (key - start) / WORD : 0;
            long count = round_up(queries, WORD) / WORD - skip, from = skip * padded + key;
            int add = seen != time;
            multiply(rows, size, count, y.weights + from, 1, padded, dout_rows + skip * dout_stride, dout_stride,
                     dv + key * size, size, add);
            multiply(rows, size, count, y.slopes + from, 1, padded, query_rows + skip * size, size, dk + key * size,
                     size, add);
        }
    }
}

static int run_forward(const ck_attention *shape, const number *q, const number *k, const number *v, float *out,
                       float *lse) {
    attention p = { .shape = shape, .q = q, .k = k, .v = v, .out = out, .lse = lse };
    cp_parallel(shape->batch * shape->heads, forward, &p);
    return -atomic_load(&p.failed);
}

static int run_backward(const ck_attention *shape, const number *q, const number *k, const number *v,
                        const float *out, const float *lse, const float *dout, float *dq, float *dk, float *dv) {
    attention p = { .shape = shape, .q = q, .k = k, .v = v, .out_in = out, .lse_in = lse, .dout = dout,
                    .dq = dq, .dk = dk, .dv = dv };
    cp_parallel(shape->batch * shape->heads, backward, &p);
    return -atomic_load(&p.failed);
}
