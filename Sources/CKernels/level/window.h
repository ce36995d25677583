// Attention as in attention.h, within a sliding window (Beltagy et al. 2020, arXiv 2004.05150) and with capped
// scores (Gemma 2, arXiv 2408.00118): a block of queries multiplies only the keys that one of them sees.

enum { WINDOW_QUERIES = 64 };

typedef struct {
    const ck_window *shape;
    const float *q, *k, *v, *out_in, *lse_in, *dout;
    float *out, *lse, *dq, *dk, *dv;
    atomic_int failed;
} window_work;

static void window_round_all(long count, float *x) {
    for (long i = 0; i < count; i++) x[i] = ck_bf16(x[i]);
}

static long window_window_of(const ck_window *s) { return s->window > 0 ? ck_min(s->window, s->time) : s->time; }

// The first key that the query at `position` sees.
static long window_oldest(const ck_window *s, long position) {
    long first = position + 1 - window_window_of(s);
    return first > 0 ? first : 0;
}

static float window_soft_cap(float score, float cap) { return cap * tanhf(score / cap); }

// Softmax of the numbers `from` ..< `to` of a row of `columns`, the others becoming 0; its logarithmic normaliser.
static float window_softmax(long columns, long from, long to, float cap, float *scores) {
    CK_REASSOCIATE
    if (cap > 0)
        for (long j = from; j < to; j++) scores[j] = window_soft_cap(scores[j], cap);
    float top = ck_row_max(to - from, scores + from), sum = 0;
    for (long j = from; j < to; j++) {
        float e = ck_exp(scores[j] - top);
        scores[j] = e;
        sum += e;
    }
    float factor = 1.0f / sum;
    for (long j = 0; j < from; j++) scores[j] = 0;
    for (long j = from; j < to; j++) scores[j] *= factor;
    for (long j = to; j < columns; j++) scores[j] = 0;
    return top + logf(sum);
}

// Keys that the queries of a block may see: at most a window and a block.
static size_t window_block_scores(const ck_window *s) {
    return (size_t)(ck_min(WINDOW_QUERIES, s->time) * ck_min(s->time, window_window_of(s) + WINDOW_QUERIES));
}

static void window_forward(void *context, long unit) {
    window_work *p = context;
    const ck_window *s = p->shape;
    long size = s->size, time = s->time, stride = s->heads * size;
    const float *q = p->q + unit * time * size, *k = p->k + unit * time * size, *v = p->v + unit * time * size;
    float *out = p->out + unit / s->heads * time * stride + unit % s->heads * size, *lse = p->lse + unit * time;
    float *scores = ck_scratch(window_block_scores(s));
    if (scores == NULL) {
        atomic_store(&p->failed, 1);
        return;
    }
    int failed = 0;
    for (long first = 0; first < time; first += WINDOW_QUERIES) {
        long rows = ck_min(WINDOW_QUERIES, time - first), low = window_oldest(s, first), keys = first + rows - low;
        failed |= ck_gemm_unit(CK_WIDE, 0, 1, rows, keys, size, q + first * size, size, k + low * size, size, 0, scores, keys);
        for (long r = 0; r < rows; r++)
            lse[first + r] = window_softmax(keys, window_oldest(s, first + r) - low, first + r + 1 - low, s->cap, scores + r * keys);
        if (s->round) window_round_all(rows * keys, scores);
        failed |= ck_gemm_unit(CK_WIDE, 0, 0, rows, size, keys, scores, keys, v + low * size, size, 0, out + first * stride, stride);
    }
    if (failed) atomic_store(&p->failed, 1);
}

static int ck_attend_window(const ck_window *shape, const float *q, const float *k, const float *v, float *out,
                     float *lse) {
    window_work p = { .shape = shape, .q = q, .k = k, .v = v, .out = out, .lse = lse };
    cp_parallel(shape->batch * shape->heads, window_forward, &p);
    return -atomic_load(&p.failed);
}

// From a row of scores and of dp = dout v^T to probabilities (over scores) and gradients of scores (over dp).
static void window_score_gradients(long columns, long from, long to, float cap, float lse, float inner, float *scores,
                            float *dp) {
    for (long j = 0; j < from; j++) scores[j] = dp[j] = 0;
    for (long j = to; j < columns; j++) scores[j] = dp[j] = 0;
    if (cap > 0) {
        for (long j = from; j < to; j++) {
            float capped = window_soft_cap(scores[j], cap), part = capped / cap, e = ck_exp(capped - lse);
            scores[j] = e;
            dp[j] = e * (dp[j] - inner) * (1.0f - part * part);
        }
        return;
    }
    for (long j = from; j < to; j++) {
        float e = ck_exp(scores[j] - lse);
        scores[j] = e;
        dp[j] = e * (dp[j] - inner);
    }
}

static void window_backward(void *context, long unit) {
    CK_REASSOCIATE
    window_work *p = context;
    const ck_window *s = p->shape;
    long size = s->size, time = s->time, stride = s->heads * size;
    long at = unit * time * size, corner = unit / s->heads * time * stride + unit % s->heads * size;
    const float *q = p->q + at, *k = p->k + at, *v = p->v + at, *lse = p->lse_in + unit * time;
    float *dq = p->dq + at, *dk = p->dk + at, *dv = p->dv + at, inner[WINDOW_QUERIES];
    float *scores = ck_scratch(2 * window_block_scores(s) + (size_t)(ck_min(WINDOW_QUERIES, time) * size));
    if (scores == NULL) {
        atomic_store(&p->failed, 1);
        return;
    }
    float *dp = scores + window_block_scores(s), *dout = dp + window_block_scores(s);
    memset(dk, 0, (size_t)(time * size) * sizeof *dk);
    memset(dv, 0, (size_t)(time * size) * sizeof *dv);
    int failed = 0;
    for (long first = 0; first < time; first += WINDOW_QUERIES) {
        long rows = ck_min(WINDOW_QUERIES, time - first), low = window_oldest(s, first), keys = first + rows - low;
        for (long r = 0; r < rows; r++) {
            const float *g = p->dout + corner + (first + r) * stride, *o = p->out_in + corner + (first + r) * stride;
            float dot = 0;
            for (long i = 0; i < size; i++) {
                dot += g[i] * o[i];
                dout[r * size + i] = g[i];
            }
            inner[r] = dot;
        }
        if (s->round) window_round_all(rows * size, dout);
        const float *block = q + first * size, *seen = k + low * size;
        failed |= ck_gemm_unit(CK_WIDE, 0, 1, rows, keys, size, block, size, seen, size, 0, scores, keys);
        failed |= ck_gemm_unit(CK_WIDE, 0, 1, rows, keys, size, dout, size, v + low * size, size, 0, dp, keys);
        for (long r = 0; r < rows; r++)
            window_score_gradients(keys, window_oldest(s, first + r) - low, first + r + 1 - low, s->cap, lse[first + r], inner[r],
                            scores + r * keys, dp + r * keys);
        if (s->round) {
            window_round_all(rows * keys, scores);
            window_round_all(rows * keys, dp);
        }
        failed |= ck_gemm_unit(CK_WIDE, 1, 0, keys, size, rows, scores, keys, dout, size, 1, dv + low * size, size);
        failed |= ck_gemm_unit(CK_WIDE, 0, 0, rows, size, keys, dp, keys, seen, size, 0, dq + first * size, size);
        failed |= ck_gemm_unit(CK_WIDE, 1, 0, keys, size, rows, dp, keys, block, size, 1, dk + low * size, size);
    }
    if (failed) atomic_store(&p->failed, 1);
}

static int ck_attend_window_gradient(const ck_window *shape, const float *q, const float *k, const float *v,
                              const float *out, const float *lse, const float *dout, float *dq, float *dk,
                              float *dv) {
    window_work p = { .shape = shape, .q = q, .k = k, .v = v, .out_in = out, .lse_in = lse, .dout = dout, .dq = dq,
                    .dk = dk, .dv = dv };
    cp_parallel(shape->batch * shape->heads, window_backward, &p);
    return -atomic_load(&p.failed);
}

typedef struct {
    long group, size, first, time, capacity;
    float cap;
    const float *q, *k, *v;
    float *out;
    atomic_int failed;
} window_single;

static void window_attend_one(void *context, long head) {
    CK_REASSOCIATE
    window_single *p = context;
    long size = p->size, count = p->time - p->first, start = (head / p->group * p->capacity + p->first) * size;
    const float *q = p->q + head * size, *k = p->k + start, *v = p->v + start;
    float *out = p->out + head * size, *scores = ck_scratch((size_t)count);
    if (scores == NULL) {
        atomic_store(&p->failed, 1);
        return;
    }
    for (long j = 0; j < count; j++) {
        float dot = 0;
        for (long i = 0; i < size; i++) dot += q[i] * k[j * size + i];
        scores[j] = dot;
    }
    window_softmax(count, 0, count, p->cap, scores);
    for (long i = 0; i < size; i++) out[i] = 0;
    for (long j = 0; j < count; j++)
        for (long i = 0; i < size; i++) out[i] += scores[j] * v[j * size + i];
}

static int ck_attend_one_grouped(long heads, long groups, long size, long first, long time, long capacity, float cap,
                          const float *q, const float *k, const float *v, float *out) {
    window_single p = { .group = heads / groups, .size = size, .first = first, .time = time, .capacity = capacity,
                 .cap = cap, .q = q, .k = k, .v = v, .out = out };
    cp_parallel(heads, window_attend_one, &p);
    return -atomic_load(&p.failed);
}
