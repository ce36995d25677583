// Strided copies and reductions over one axis.

enum { REDUCED = 4096 };  // numbers in a unit

typedef struct {
    int rank;
    const long *sizes, *strides;
    long count;
    const float *x;
    float *y;
} copy;

// The place of the number after the next `some` of a row.
static inline __attribute__((always_inline)) long step(const copy *p, long *index, long offset, long some) {
    for (int axis = p->rank - 1; axis >= 0; axis--, some = 1) {
        offset += some * p->strides[axis];
        if ((index[axis] += some) < p->sizes[axis]) break;
        offset -= p->sizes[axis] * p->strides[axis];
        index[axis] = 0;
    }
    return offset;
}

static void copy_block(void *context, long unit) {
    const copy *p = context;
    long first = unit * REDUCED, end = ck_min(p->count, first + REDUCED), index[8], offset = 0, rest = first;
    for (int axis = p->rank - 1; axis >= 0; axis--) {
        index[axis] = rest % p->sizes[axis];
        rest /= p->sizes[axis];
        offset += index[axis] * p->strides[axis];
    }
    int last = p->rank - 1;
    if (last >= 0 && p->strides[last] == 1) {
        for (long i = first, some; i < end; i += some) {
            some = ck_min(p->sizes[last] - index[last], end - i);
            memcpy(p->y + i, p->x + offset, (size_t)some * sizeof *p->y);
            offset = step(p, index, offset, some);
        }
        return;
    }
    for (long i = first; i < end; i++) {
        p->y[i] = p->x[offset];
        offset = step(p, index, offset, 1);
    }
}

static void ck_gather_strided(int rank, const long *sizes, const long *strides, const float *x, float *y) {
    copy p = { .rank = rank, .sizes = sizes, .strides = strides, .count = 1, .x = x, .y = y };
    for (int axis = 0; axis < rank; axis++) p.count *= sizes[axis];
    cp_parallel(ck_blocks(p.count, REDUCED), copy_block, &p);
}

typedef struct {
    ck_reduce_kind kind;
    long outer, axis, inner, batch;
    const float *x;
    float *y;
} reduction;

static float reduce_one(ck_reduce_kind kind, long count, long stride, const float *x) {
    if (kind == CK_SUM) {
        double sum = 0;
        for (long i = 0; i < count; i++) sum += (double)x[i * stride];
        return (float)sum;
    }
    float best = x[0];
    long at = 0;
    for (long i = 1; i < count && best == best; i++) {
        float v = x[i * stride];
        if (v != v || (kind == CK_MIN ? v < best : v > best)) {
            best = v;
            at = i;
        }
    }
    return kind == CK_ARGMAX ? (float)at : best;
}

static void reduce_block(void *context, long unit) {
    const reduction *p = context;
    long end = ck_min(p->outer * p->inner, (unit + 1) * p->batch);
    for (long i = unit * p->batch; i < end; i++) {
        long outer = i / p->inner, inner = i % p->inner;
        p->y[i] = reduce_one(p->kind, p->axis, p->inner, p->x + outer * p->axis * p->inner + inner);
    }
}

static void ck_reduce(ck_reduce_kind kind, long outer, long axis, long inner, const float *x, float *y) {
    reduction p = { .kind = kind, .outer = outer, .axis = axis, .inner = inner, .x = x, .y = y };
    p.batch = axis >= REDUCED ? 1 : REDUCED / (axis < 1 ? 1 : axis) + 1;
    cp_parallel(ck_blocks(outer * inner, p.batch), reduce_block, &p);
}
