// Between rows of queries, keys and values and arrays of one head each, where several heads of queries share
// one of keys and values (Ainslie et al. 2023, arXiv 2305.13245). Keys and values are copied for each head, so
// that attention itself knows nothing of groups.

enum { GROUPED_TIMES = CK_PART_ROWS, GROUPED_LARGEST = 1024 };

typedef struct {
    const ck_grouped *shape;
    const float *cosine, *sine, *joint_in, *q_in, *k_in, *v_in;
    const ck_head_norm *q_norm, *k_norm;
    float *joint;
    uint16_t *narrow;
    void *q, *k, *v;
    long pieces;
} grouped_work;

// x with the first `turned` numbers turned by the angles, times scale; `sign` -1 turns back. y may be x.
static void grouped_turn(long size, long turned, const float *x, const float *cosine, const float *sine, float sign,
                 float scale, float *y) {
    long half = turned / 2;
    for (long i = 0; i < half; i++) {
        float a = x[i], b = x[i + half], c = cosine[i], s = sign * sine[i];
        y[i] = (a * c - b * s) * scale;
        y[i + half] = (b * c + a * s) * scale;
    }
    for (long i = turned; i < size; i++) y[i] = x[i] * scale;
}

static const float *grouped_normed(const ck_head_norm *norm, long size, long heads, long row, long head, const float *x,
                           float *y) {
    if (norm->gain == NULL) return x;
    float rstd = norm->rstd[norm->whole ? row : row * heads + head];
    const float *gain = norm->gain + (norm->whole ? head * size : 0);
    for (long i = 0; i < size; i++) y[i] = x[i] * rstd * (gain[i] + norm->offset);
    return y;
}

// Row `at` of one of q, k and v.
static void grouped_place(const ck_grouped *s, long at, const float *x, void *y) {
    if (s->half) {
        ck_row_to_bf16(s->size, x, (uint16_t *)y + at);
        return;
    }
    float *out = (float *)y + at;
    if (s->round)
        for (long i = 0; i < s->size; i++) out[i] = ck_bf16(x[i]);
    else
        memcpy(out, x, (size_t)s->size * sizeof *x);
}

// A unit is a head of queries, keys or values of one row of the batch, and some positions.
static void grouped_split(void *context, long unit) {
    const grouped_work *p = context;
    const ck_grouped *s = p->shape;
    long size = s->size, lanes = s->heads + 2 * s->groups, half = s->rotated / 2;
    long lane = unit / p->pieces % lanes, batch = unit / p->pieces / lanes;
    long first = unit % p->pieces * GROUPED_TIMES, end = ck_min(s->time, first + GROUPED_TIMES);
    float fresh[GROUPED_LARGEST];
    for (long t = first; t < end; t++) {
        long row = batch * s->time + t;
        const float *x = p->joint_in + (row * lanes + lane) * size;
        const float *cosine = p->cosine + t * half, *sine = p->sine + t * half;
        if (lane < s->heads) {
            x = grouped_normed(p->q_norm, size, s->heads, row, lane, x, fresh);
            grouped_turn(size, s->rotated, x, cosine, sine, 1, s->scale, fresh);
            grouped_place(s, ((batch * s->heads + lane) * s->time + t) * size, fresh, p->q);
            continue;
        }
        long group = (lane - s->heads) % s->groups;
        void *target = p->v;
        if (lane < s->heads + s->groups) {
            target = p->k;
            x = grouped_normed(p->k_norm, size, s->groups, row, group, x, fresh);
            grouped_turn(size, s->rotated, x, cosine, sine, 1, 1, fresh);
            x = fresh;
        }
        for (long copy = 0; copy < s->copies; copy++)
            grouped_place(s, (((batch * s->groups + group) * s->copies + copy) * s->time + t) * size, x, target);
    }
}

static void ck_grouped_heads(const ck_grouped *shape, const float *joint, const float *cosine, const float *sine,
                      const ck_head_norm *q_norm, const ck_head_norm *k_norm, void *q, void *k, void *v) {
    grouped_work p = { .shape = shape, .cosine = cosine, .sine = sine, .joint_in = joint, .q_norm = q_norm,
                .k_norm = k_norm, .q = q, .k = k, .v = v, .pieces = ck_blocks(shape->time, GROUPED_TIMES) };
    cp_parallel(shape->batch * (shape->heads + 2 * shape->groups) * p.pieces, grouped_split, &p);
}

static void grouped_join(void *context, long unit) {
    const grouped_work *p = context;
    const ck_grouped *s = p->shape;
    long size = s->size, lanes = s->heads + 2 * s->groups, half = s->rotated / 2;
    long lane = unit / p->pieces % lanes, batch = unit / p->pieces / lanes;
    long first = unit % p->pieces * GROUPED_TIMES, end = ck_min(s->time, first + GROUPED_TIMES);
    float fresh[GROUPED_LARGEST];
    for (long t = first; t < end; t++) {
        long to = ((batch * s->time + t) * lanes + lane) * size;
        const float *cosine = p->cosine + t * half, *sine = p->sine + t * half;
        if (lane < s->heads) {
            const float *dq = p->q_in + ((batch * s->heads + lane) * s->time + t) * size;
            grouped_turn(size, s->rotated, dq, cosine, sine, -1, s->scale, fresh);
        } else {
            int is_key = lane < s->heads + s->groups;
            long group = (lane - s->heads) % s->groups, step = s->time * size;
            const float *d = (is_key ? p->k_in : p->v_in) + ((batch * s->groups + group) * s->copies * s->time + t) * size;
            memcpy(fresh, d, (size_t)size * sizeof *fresh);
            for (long copy = 1; copy < s->copies; copy++)
                for (long i = 0; i < size; i++) fresh[i] += d[copy * step + i];
            if (is_key) grouped_turn(size, s->rotated, fresh, cosine, sine, -1, 1, fresh);
        }
        if (p->narrow != NULL) ck_row_to_bf16(size, fresh, p->narrow + to);
        else memcpy(p->joint + to, fresh, (size_t)size * sizeof *fresh);
    }
}

static void ck_grouped_heads_gradient(const ck_grouped *shape, const float *dq, const float *dk, const float *dv,
                               const float *cosine, const float *sine, int half, void *joint) {
    grouped_work p = { .shape = shape, .cosine = cosine, .sine = sine, .q_in = dq, .k_in = dk, .v_in = dv, .joint = joint,
                .narrow = half ? joint : NULL, .pieces = ck_blocks(shape->time, GROUPED_TIMES) };
    cp_parallel(shape->batch * (shape->heads + 2 * shape->groups) * p.pieces, grouped_join, &p);
}
