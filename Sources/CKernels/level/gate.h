// What stands between the two products of a feed-forward part: a function of each number, or of one half of
// them times the other (Shazeer 2020, arXiv 2002.05202).

enum { GATE_NUMBERS = 16384 };  // about as many in a unit

typedef struct {
    long rows, width, unit_rows;
    ck_gate_kind kind;
    int gated;
    const float *x, *dy;
    float *y;
    uint16_t *narrow;
} gating;

// f(x), and with `slope` its derivative.
static inline float gate_value(ck_gate_kind kind, float x, float *slope) {
    switch (kind) {
    case CK_GATE_SILU: {
        float s = 1.0f / (1.0f + ck_exp(-x));
        *slope = s * (1.0f + x * (1.0f - s));
        return x * s;
    }
    case CK_GATE_GELU: {
        float density;
        *slope = gelu_slope(x, 0);
        return x * normal_cdf(x, &density);
    }
    case CK_GATE_GELU_TANH: {
        float u = 0.7978845608f * (x + 0.044715f * x * x * x);
        *slope = gelu_slope(x, 1);
        return x / (1.0f + ck_exp(-2.0f * u));
    }
    case CK_GATE_RELU:
        *slope = x > 0 ? 1.0f : 0.0f;
        return x > 0 ? x : 0.0f;
    default:
        *slope = x > 0 ? 2.0f * x : 0.0f;
        return x > 0 ? x * x : 0.0f;
    }
}

static inline void gate_values(ck_gate_kind kind, long count, const float *a, const float *b, float *y) {
    float slope;
    if (b == NULL)
        for (long i = 0; i < count; i++) y[i] = gate_value(kind, a[i], &slope);
    else
        for (long i = 0; i < count; i++) y[i] = gate_value(kind, a[i], &slope) * b[i];
}

static inline void gate_gradients(ck_gate_kind kind, long count, const float *dy, const float *a, const float *b,
                             float *da, float *db) {
    if (b == NULL) {
        for (long i = 0; i < count; i++) {
            float slope;
            gate_value(kind, a[i], &slope);
            da[i] = dy[i] * slope;
        }
        return;
    }
    for (long i = 0; i < count; i++) {
        float slope, f = gate_value(kind, a[i], &slope);
        da[i] = dy[i] * b[i] * slope;
        db[i] = dy[i] * f;
    }
}

// The kind is a constant in each call, so that each is a vectorised loop of its own.
#define FOR_KIND(kind, CALL)                                  \
    switch (kind) {                                           \
    case CK_GATE_SILU: CALL(CK_GATE_SILU); break;             \
    case CK_GATE_GELU: CALL(CK_GATE_GELU); break;             \
    case CK_GATE_GELU_TANH: CALL(CK_GATE_GELU_TANH); break;   \
    case CK_GATE_RELU: CALL(CK_GATE_RELU); break;             \
    case CK_GATE_RELU2: CALL(CK_GATE_RELU2); break;           \
    }

static void gate_forward(void *context, long unit) {
    const gating *p = context;
    long width = p->width, end = ck_min(p->rows, (unit + 1) * p->unit_rows);
    for (long row = unit * p->unit_rows; row < end; row++)
        for (long first = 0; first < width; first += CK_PIECE) {
            float fresh[CK_PIECE];
            long count = ck_min(CK_PIECE, width - first);
            const float *a = p->x + row * width * (p->gated ? 2 : 1) + first, *b = p->gated ? a + width : NULL;
            float *y = p->narrow != NULL ? fresh : p->y + row * width + first;
#define VALUES(kind) gate_values(kind, count, a, b, y)
            FOR_KIND(p->kind, VALUES)
            if (p->narrow != NULL) ck_row_to_bf16(count, fresh, p->narrow + row * width + first);
        }
}

static void ck_gate(long rows, long width, ck_gate_kind kind, int gated, const float *x, int half, void *y) {
    gating p = { .rows = rows, .width = width, .unit_rows = ck_blocks(GATE_NUMBERS, width), .kind = kind, .gated = gated,
               .x = x, .y = y, .narrow = half ? y : NULL };
    cp_parallel(ck_blocks(rows, p.unit_rows), gate_forward, &p);
}

static void gate_backward(void *context, long unit) {
    const gating *p = context;
    long width = p->width, stride = width * (p->gated ? 2 : 1), end = ck_min(p->rows, (unit + 1) * p->unit_rows);
    for (long row = unit * p->unit_rows; row < end; row++)
        for (long first = 0; first < width; first += CK_PIECE) {
            float fresh[2 * CK_PIECE];
            long count = ck_min(CK_PIECE, width - first), at = row * stride + first;
            const float *a = p->x + at, *b = p->gated ? a + width : NULL, *dy = p->dy + row * width + first;
            float *da = p->narrow != NULL ? fresh : p->y + at, *db = p->narrow != NULL ? fresh + CK_PIECE : da + width;
#define GRADIENTS(kind) gate_gradients(kind, count, dy, a, b, da, db)
            FOR_KIND(p->kind, GRADIENTS)
            if (p->narrow == NULL) continue;
            ck_row_to_bf16(count, da, p->narrow + at);
            if (p->gated) ck_row_to_bf16(count, db, p->narrow + at + width);
        }
}

static void ck_gate_gradient(long rows, long width, ck_gate_kind kind, int gated, const float *dy, const float *x,
                      int half, void *dx) {
    gating p = { .rows = rows, .width = width, .unit_rows = ck_blocks(GATE_NUMBERS, width), .kind = kind, .gated = gated,
               .x = x, .dy = dy, .y = dx, .narrow = half ? dx : NULL };
    cp_parallel(ck_blocks(rows, p.unit_rows), gate_backward, &p);
}

typedef struct {
    long count;
    float cap;
    const float *x, *dy;
    float *y;
} gate_capped;

static void gate_cap_numbers(void *context, long unit) {
    const gate_capped *p = context;
    long first = unit * GATE_NUMBERS, end = ck_min(p->count, first + GATE_NUMBERS);
    for (long i = first; i < end; i++) p->y[i] = p->cap * tanhf(p->x[i] / p->cap);
}

static void ck_soft_cap(long count, float cap, const float *x, float *y) {
    gate_capped p = { .count = count, .cap = cap, .x = x, .y = y };
    cp_parallel(ck_blocks(count, GATE_NUMBERS), gate_cap_numbers, &p);
}

static void gate_cap_gradient(void *context, long unit) {
    const gate_capped *p = context;
    long first = unit * GATE_NUMBERS, end = ck_min(p->count, first + GATE_NUMBERS);
#pragma clang loop vectorize(assume_safety)
    for (long i = first; i < end; i++) {
        float part = p->x[i] / p->cap;
        p->y[i] = p->dy[i] * (1.0f - part * part);
    }
}

static void ck_soft_cap_gradient(long count, float cap, const float *dy, const float *y, float *dx) {
    gate_capped p = { .count = count, .cap = cap, .x = y, .dy = dy, .y = dx };
    cp_parallel(ck_blocks(count, GATE_NUMBERS), gate_cap_gradient, &p);
}
