// Between the joint query-key-value layout, head by head, and arrays of one head each, with rotary
// position embedding (Su et al. 2021, arXiv 2104.09864) in the half-rotation form.

typedef struct {
    const ck_attention *shape;
    const float *cosine, *sine, *joint_in, *q_in, *k_in, *v_in;
    float *joint, *parts;
    uint16_t *narrow;
    void *q, *k, *v;
    float beta;
    long pieces;
} heads;

static inline float rounded(float x, int round) { return round ? ck_bf16(x) : x; }

// y = scale * x with the first `turned` numbers turned by the angles; `sign` -1 turns back. Called with a constant `round`, so
// that it is not asked number by number.
static inline __attribute__((always_inline)) void turn_rounded(long size, long turned, const float *x, const float *cosine,
                                                               const float *sine, float sign, float scale, int round,
                                                               float *y) {
    long half = turned / 2;
    for (long i = 0; i < half; i++) {
        float a = x[i], b = x[i + half], c = cosine[i], s = sign * sine[i];
        y[i] = rounded((a * c - b * s) * scale, round);
        y[i + half] = rounded((b * c + a * s) * scale, round);
    }
    for (long i = turned; i < size; i++) y[i] = rounded(x[i] * scale, round);
}

static void turn(long size, long turned, const float *x, const float *cosine, const float *sine, float sign, float scale,
                 int round, float *y) {
    if (round) turn_rounded(size, turned, x, cosine, sine, sign, scale, 1, y);
    else turn_rounded(size, turned, x, cosine, sine, sign, scale, 0, y);
}

// Row `at` of one of q, k and v.
static void place(const ck_attention *s, long at, const float *x, void *y) {
    if (s->half) ck_row_to_bf16(s->size, x, (uint16_t *)y + at);
    else memcpy((float *)y + at, x, (size_t)s->size * sizeof *x);
}

static void split(void *context, long unit) {
    const heads *p = context;
    const ck_attention *s = p->shape;
    long head = unit / p->pieces % s->heads, row = unit / p->pieces / s->heads;
    long first = unit % p->pieces * CK_PART_ROWS, end = ck_min(s->time, first + CK_PART_ROWS);
    float scale = 1.0f / sqrtf((float)s->size), fresh[1024];
    for (long t = first; t < end; t++) {
        const float *x = p->joint_in + ((row * s->time + t) * s->heads + head) * 3 * s->size;
        long at = ((row * s->heads + head) * s->time + t) * s->size;
        const float *cosine = p->cosine + t * (s->rotated / 2), *sine = p->sine + t * (s->rotated / 2);
        int round = s->round && !s->half;
        turn(s->size, s->rotated, x, cosine, sine, 1, scale, round, fresh);
        place(s, at, fresh, p->q);
        turn(s->size, s->rotated, x + s->size, cosine, sine, 1, 1, round, fresh);
        place(s, at, fresh, p->k);
        turn(s->size, 0, x + 2 * s->size, cosine, sine, 1, 1, round, fresh);
        place(s, at, fresh, p->v);
    }
}

static void ck_heads(const ck_attention *shape, const float *qkv, const float *cosine, const float *sine,
              void *q, void *k, void *v) {
    heads p = { .shape = shape, .cosine = cosine, .sine = sine, .joint_in = qkv, .q = q, .k = k,
                .v = v, .pieces = ck_blocks(shape->time, CK_PART_ROWS) };
    cp_parallel(shape->batch * shape->heads * p.pieces, split, &p);
}

static void join(void *context, long unit) {
    const heads *p = context;
    const ck_attention *s = p->shape;
    long head = unit / p->pieces % s->heads, row = unit / p->pieces / s->heads;
    long first = unit % p->pieces * CK_PART_ROWS, end = ck_min(s->time, first + CK_PART_ROWS);
    float scale = 1.0f / sqrtf((float)s->size);
    float fresh[3 * 1024];
    for (long t = first; t < end; t++) {
        float *y = p->joint + ((row * s->time + t) * s->heads + head) * 3 * s->size;
        float *out = p->beta == 0 ? y : fresh;
        long at = ((row * s->heads + head) * s->time + t) * s->size;
        const float *cosine = p->cosine + t * (s->rotated / 2), *sine = p->sine + t * (s->rotated / 2);
        turn(s->size, s->rotated, p->q_in + at, cosine, sine, -1, scale, 0, out);
        turn(s->size, s->rotated, p->k_in + at, cosine, sine, -1, 1, 0, out + s->size);
        for (long i = 0; i < s->size; i++) out[2 * s->size + i] = p->v_in[at + i];
        if (p->beta != 0)
            for (long i = 0; i < 3 * s->size; i++) y[i] += fresh[i];
    }
}

static void ck_heads_gradient(const ck_attention *shape, const float *dq, const float *dk, const float *dv,
                       const float *cosine, const float *sine, float beta, float *dqkv) {
    heads p = { .shape = shape, .cosine = cosine, .sine = sine, .q_in = dq, .k_in = dk, .v_in = dv,
                .joint = dqkv, .beta = beta, .pieces = ck_blocks(shape->time, CK_PART_ROWS) };
    cp_parallel(shape->batch * shape->heads * p.pieces, join, &p);
}

static void join_rows(void *context, long unit) {
    const heads *p = context;
    const ck_attention *s = p->shape;
    long head = unit / p->pieces % s->heads, row = unit / p->pieces / s->heads, piece = unit % p->pieces;
    long width = 3 * s->size, stride = s->heads * width;
    float scale = 1.0f / sqrtf((float)s->size), fresh[3 * 1024], sums[3 * 1024];
    memset(sums, 0, (size_t)width * sizeof *sums);
    for (long t = piece * CK_PART_ROWS; t < (piece + 1) * CK_PART_ROWS; t++) {
        long at = ((row * s->heads + head) * s->time + t) * s->size, to = (row * s->time + t) * stride + head * width;
        const float *cosine = p->cosine + t * (s->rotated / 2), *sine = p->sine + t * (s->rotated / 2);
        turn(s->size, s->rotated, p->q_in + at, cosine, sine, -1, scale, 0, fresh);
        turn(s->size, s->rotated, p->k_in + at, cosine, sine, -1, 1, 0, fresh + s->size);
        memcpy(fresh + 2 * s->size, p->v_in + at, (size_t)s->size * sizeof *fresh);
        for (long i = 0; i < width; i++) sums[i] += fresh[i];
        if (p->narrow != NULL) ck_row_to_bf16(width, fresh, p->narrow + to);
        else memcpy(p->joint + to, fresh, (size_t)width * sizeof *fresh);
    }
    memcpy(p->parts + (row * p->pieces + piece) * stride + head * width, sums, (size_t)width * sizeof *sums);
}

static void ck_heads_gradient_rows(const ck_attention *shape, const float *dq, const float *dk, const float *dv,
                            const float *cosine, const float *sine, int half, void *dqkv, float *parts) {
    heads p = { .shape = shape, .cosine = cosine, .sine = sine, .q_in = dq, .k_in = dk, .v_in = dv, .joint = dqkv,
                .narrow = half ? dqkv : NULL, .parts = parts, .pieces = ck_blocks(shape->time, CK_PART_ROWS) };
    cp_parallel(shape->batch * shape->heads * p.pieces, join_rows, &p);
}
