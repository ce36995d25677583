// Causal attention by blocks of queries: a block sees only the keys up to its last query, and its
// scores live in per-thread scratch. The backward pass computes probabilities again, from the
// normaliser kept for each row (Dao et al. 2022, arXiv 2205.14135, without blocks of keys).

enum { QUERIES = 64, PAD = 32 };  // queries in a block; a multiple of every vector length: rows are done without a scalar rest

static inline long padded(long seen, long columns) {
    return ck_min(columns, (seen + PAD - 1) / PAD * PAD);
}

typedef struct {
    const ck_attention *shape;
    const float *q, *k, *v, *out_in, *lse_in, *dout;
    float *out, *lse, *dq, *dk, *dv;
    atomic_int failed;
} attention;

static void round_all(long count, float *x) {
    for (long i = 0; i < count; i++) x[i] = ck_bf16(x[i]);
}

// Row-wise softmax of scores[rows, columns], row r seeing its first `visible + r` columns.
static void causal_softmax(long rows, long columns, long visible, float *scores, float *lse) {
    CK_REASSOCIATE
    for (long r = 0; r < rows; r++) {
        float *s = scores + r * columns;
        long seen = visible + r, end = padded(seen, columns);
        for (long j = seen; j < end; j++) s[j] = -__builtin_inff();
        float top = ck_row_max(end, s), sum = 0;
        for (long j = 0; j < end; j++) {
            float e = ck_exp(s[j] - top);
            s[j] = e;
            sum += e;
        }
        float factor = 1.0f / sum;
        for (long j = 0; j < seen; j++) s[j] *= factor;
        for (long j = seen; j < columns; j++) s[j] = 0;
        lse[r] = top + logf(sum);
    }
}

static void forward(void *context, long unit) {
    attention *p = context;
    const ck_attention *s = p->shape;
    long size = s->size, time = s->time, stride = s->heads * size;
    long row = unit / s->heads, head = unit % s->heads;
    const float *q = p->q + unit * time * size, *k = p->k + unit * time * size;
    const float *v = p->v + unit * time * size;
    float *out = p->out + row * time * stride + head * size, *lse = p->lse + unit * time;
    float *scores = ck_scratch((size_t)(ck_min(QUERIES, time) * time));
    if (scores == NULL) {
        atomic_store(&p->failed, 1);
        return;
    }
    int failed = 0;
    for (long first = 0; first < time; first += QUERIES) {
        long rows = ck_min(QUERIES, time - first), keys = first + rows;
        failed |= ck_gemm_unit(CK_WIDE, 0, 1, rows, keys, size, q + first * size, size, k, size, 0, scores, keys);
        causal_softmax(rows, keys, first + 1, scores, lse + first);
        if (s->round) round_all(rows * keys, scores);
        failed |= ck_gemm_unit(CK_WIDE, 0, 0, rows, size, keys, scores, keys, v, size, 0, out + first * stride, stride);
    }
    if (failed) atomic_store(&p->failed, 1);
}

#if CK_WIDE
// Whether attention_wide.c is to be used: rounded operands are the business of this file alone.
static int suits_wide(const ck_attention *s) { return s->size % 16 == 0 && !s->round; }
#endif

static int ck_attend(const ck_attention *shape, const float *q, const float *k, const float *v, float *out,
              float *lse) {
#if CK_WIDE
    if (suits_wide(shape)) return ck_attend_wide(shape, q, k, v, out, lse);
#endif
    attention p = { .shape = shape, .q = q, .k = k, .v = v, .out = out, .lse = lse };
    cp_parallel(shape->batch * shape->heads, forward, &p);
    return -atomic_load(&p.failed);
}

// From scores and dp = dout v^T to probabilities (over scores) and gradients of scores (over dp).
static void score_gradients(long rows, long columns, long visible, const float *lse,
                            const float *inner, int round, float *scores, float *dp) {
    for (long r = 0; r < rows; r++) {
        float *s = scores + r * columns, *d = dp + r * columns;
        float shift = lse[r], dot = inner[r];
        long seen = visible + r, end = padded(seen, columns);
        for (long j = 0; j < end; j++) {
            float e = ck_exp(s[j] - shift);
            s[j] = e;
            d[j] = e * (d[j] - dot);
        }
        for (long j = seen; j < columns; j++) s[j] = d[j] = 0;
    }
    if (!round) return;
    round_all(rows * columns, scores);
    round_all(rows * columns, dp);
}

static void backward(void *context, long unit) {
    CK_REASSOCIATE
    attention *p = context;
    const ck_attention *s = p->shape;
    long size = s->size, time = s->time, stride = s->heads * size;
    long at = unit * time * size, corner = unit / s->heads * time * stride + unit % s->heads * size;
    const float *q = p->q + at, *k = p->k + at, *v = p->v + at, *lse = p->lse_in + unit * time;
    float *dq = p->dq + at, *dk = p->dk + at, *dv = p->dv + at;
    long height = ck_min(QUERIES, time);
    float *scores = ck_scratch((size_t)(height * (2 * time + size)));
    if (scores == NULL) {
        atomic_store(&p->failed, 1);
        return;
    }
    float *dp = scores + height * time, *dout = dp + height * time, inner[QUERIES];
    int failed = 0;
    // From the last block, which sees every key, so that it initialises dk and dv.
    for (long first = (time - 1) / QUERIES * QUERIES; first >= 0; first -= QUERIES) {
        long rows = ck_min(QUERIES, time - first), keys = first + rows;
        float beta = keys == time ? 0 : 1;
        for (long r = 0; r < rows; r++) {
            const float *g = p->dout + corner + (first + r) * stride;
            const float *o = p->out_in + corner + (first + r) * stride;
            float dot = 0;
            for (long i = 0; i < size; i++) {
                dot += g[i] * o[i];
                dout[r * size + i] = g[i];
            }
            inner[r] = dot;
        }
        if (s->round) round_all(rows * size, dout);
        failed |= ck_gemm_unit(CK_WIDE, 0, 1, rows, keys, size, q + first * size, size, k, size, 0, scores, keys);
        failed |= ck_gemm_unit(CK_WIDE, 0, 1, rows, keys, size, dout, size, v, size, 0, dp, keys);
        score_gradients(rows, keys, first + 1, lse + first, inner, s->round, scores, dp);
        failed |= ck_gemm_unit(CK_WIDE, 1, 0, keys, size, rows, scores, keys, dout, size, beta, dv, size);
        failed |= ck_gemm_unit(CK_WIDE, 0, 0, rows, size, keys, dp, keys, k, size, 0, dq + first * size, size);
        failed |= ck_gemm_unit(CK_WIDE, 1, 0, keys, size, rows, dp, keys, q + first * size, size, beta, dk, size);
    }
    if (failed) atomic_store(&p->failed, 1);
}

static int ck_attend_gradient(const ck_attention *shape, const float *q, const float *k, const float *v,
                       const float *out, const float *lse, const float *dout, float *dq, float *dk,
                       float *dv) {
#if CK_WIDE
    if (suits_wide(shape)) return ck_attend_wide_gradient(shape, q, k, v, out, lse, dout, dq, dk, dv);
#endif
    attention p = { .shape = shape, .q = q, .k = k, .v = v, .out_in = out, .lse_in = lse,
                    .dout = dout, .dq = dq, .dk = dk, .dv = dv };
    cp_parallel(shape->batch * shape->heads, backward, &p);
    return -atomic_load(&p.failed);
}

typedef struct {
    long size, time, capacity;
    const float *q, *k, *v;
    float *out;
    atomic_int failed;
} single;

static void attend_one(void *context, long head) {
    CK_REASSOCIATE
    single *p = context;
    long size = p->size;
    const float *q = p->q + head * size;
    const float *k = p->k + head * p->capacity * size, *v = p->v + head * p->capacity * size;
    float *out = p->out + head * size, *scores = ck_scratch((size_t)p->time), lse;
    if (scores == NULL) {
        atomic_store(&p->failed, 1);
        return;
    }
    for (long j = 0; j < p->time; j++) {
        float dot = 0;
        for (long i = 0; i < size; i++) dot += q[i] * k[j * size + i];
        scores[j] = dot;
    }
    causal_softmax(1, p->time, p->time, scores, &lse);
    for (long i = 0; i < size; i++) out[i] = 0;
    for (long j = 0; j < p->time; j++)
        for (long i = 0; i < size; i++) out[i] += scores[j] * v[j * size + i];
}

static int ck_attend_one(long heads, long size, long time, long capacity, const float *q, const float *k,
                  const float *v, float *out) {
    single p = { .size = size, .time = time, .capacity = capacity, .q = q, .k = k, .v = v, .out = out };
    cp_parallel(heads, attend_one, &p);
    return -atomic_load(&p.failed);
}

#if CK_BF16
static int ck_attends_bf16(long size) { return size % 16 == 0 && ck_has_bf16(); }

static int ck_attend_bf16(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v, float *out,
                          float *lse) {
    return ck_attend_narrow(shape, q, k, v, out, lse);
}

static int ck_attend_bf16_gradient(const ck_attention *shape, const uint16_t *q, const uint16_t *k, const uint16_t *v,
                                   const float *out, const float *lse, const float *dout, float *dq, float *dk,
                                   float *dv) {
    return ck_attend_narrow_gradient(shape, q, k, v, out, lse, dout, dq, dk, dv);
}
#else
static int ck_attends_bf16(long size) { return size < 0; }
#endif
