// Arithmetic on every number, strided copies, reductions. Mathematical functions are the C library's.

typedef struct {
    int kind;
    long count, step_a, step_b;
    const float *a, *b, *condition;
    float *y, factor, beta;
} arithmetic;

#define EACH(expression)                                                                          \
    for (long i = 0; i < n; i++) {                                                                \
        float u = a[i * sa], v = b[i * sb];                                                       \
        y[i] = (expression);                                                                      \
    }                                                                                             \
    break

// Called with constant steps, so that the usual case is compiled as contiguous loops.
static inline __attribute__((always_inline)) void binary_loop(int kind, long n, const float *a, long sa,
                                                              const float *b, long sb, float *y) {
    switch ((ck_binary_kind)kind) {
    case CK_ADD: EACH(u + v);
    case CK_SUBTRACT: EACH(u - v);
    case CK_MULTIPLY: EACH(u * v);
    case CK_DIVIDE: EACH(u / v);
    case CK_POWER: EACH(powf(u, v));
    case CK_MAXIMUM: EACH(u != u || u > v ? u : v);
    case CK_MINIMUM: EACH(u != u || u < v ? u : v);
    case CK_EQUAL: EACH((float)(u == v));
    case CK_LESS: EACH((float)(u < v));
    case CK_LESS_EQUAL: EACH((float)(u <= v));
    }
}

static void binary(void *context, long unit) {
    const arithmetic *p = context;
    long first = unit * CK_BLOCK, n = ck_min(CK_BLOCK, p->count - first);
    const float *a = p->a + first * p->step_a, *b = p->b + first * p->step_b;
    if (p->step_a && p->step_b) binary_loop(p->kind, n, a, 1, b, 1, p->y + first);
    else if (p->step_a) binary_loop(p->kind, n, a, 1, b, 0, p->y + first);
    else if (p->step_b) binary_loop(p->kind, n, a, 0, b, 1, p->y + first);
    else binary_loop(p->kind, n, a, 0, b, 0, p->y + first);
}

static void ck_binary(ck_binary_kind kind, long count, const float *a, long step_a, const float *b,
               long step_b, float *y) {
    arithmetic p = { .kind = (int)kind, .count = count, .step_a = step_a, .step_b = step_b, .a = a,
                     .b = b, .y = y };
    cp_parallel(ck_blocks(count, CK_BLOCK), binary, &p);
}

#define MAP(expression)                                                                           \
    for (long i = 0; i < n; i++) {                                                                \
        float u = a[i];                                                                           \
        y[i] = (expression);                                                                      \
    }                                                                                             \
    break

static void unary(void *context, long unit) {
    const arithmetic *p = context;
    long first = unit * CK_BLOCK, n = ck_min(CK_BLOCK, p->count - first);
    const float *a = p->a + first;
    float *y = p->y + first;
    switch ((ck_unary_kind)p->kind) {
    case CK_NEGATE: MAP(-u);
    case CK_EXP: MAP(expf(u));
    case CK_LOG: MAP(logf(u));
    case CK_SQRT: MAP(sqrtf(u));
    case CK_TANH: MAP(tanhf(u));
    case CK_RELU: MAP(u < 0 ? 0 : u);
    case CK_SIGMOID: MAP(1.0f / (1.0f + expf(-u)));
    case CK_ABS: MAP(fabsf(u));
    case CK_SIGN: MAP((float)((u > 0) - (u < 0)));
    case CK_STEP: MAP((float)(u > 0));
    }
}

static void ck_unary(ck_unary_kind kind, long count, const float *x, float *y) {
    arithmetic p = { .kind = (int)kind, .count = count, .a = x, .y = y };
    cp_parallel(ck_blocks(count, CK_BLOCK), unary, &p);
}

static void axpby(void *context, long unit) {
    const arithmetic *p = context;
    long first = unit * CK_BLOCK, n = ck_min(CK_BLOCK, p->count - first);
    const float *x = p->a + first;
    float *y = p->y + first, a = p->factor, beta = p->beta;
    if (beta == 0)
        for (long i = 0; i < n; i++) y[i] = a * x[i];
    else
        for (long i = 0; i < n; i++) y[i] = a * x[i] + beta * y[i];
}

static void ck_axpby(long count, float a, const float *x, float beta, float *y) {
    arithmetic p = { .count = count, .factor = a, .beta = beta, .a = x, .y = y };
    cp_parallel(ck_blocks(count, CK_BLOCK), axpby, &p);
}

static void clear(void *context, long unit) {
    const arithmetic *p = context;
    long first = unit * CK_BLOCK, n = ck_min(CK_BLOCK, p->count - first);
    memset(p->y + first, 0, (size_t)n * sizeof(float));
}

static void ck_zero(long count, float *x) {
    arithmetic p = { .count = count, .y = x };
    cp_parallel(ck_blocks(count, CK_BLOCK), clear, &p);
}

static void choose(void *context, long unit) {
    const arithmetic *p = context;
    long first = unit * CK_BLOCK, end = ck_min(p->count, first + CK_BLOCK);
    for (long i = first; i < end; i++) p->y[i] = p->condition[i] != 0 ? p->a[i] : p->b[i];
}

static void ck_where(long count, const float *condition, const float *a, const float *b, float *y) {
    arithmetic p = { .count = count, .condition = condition, .a = a, .b = b, .y = y };
    cp_parallel(ck_blocks(count, CK_BLOCK), choose, &p);
}

static void round_block(void *context, long unit) {
    const arithmetic *p = context;
    long first = unit * CK_BLOCK, end = ck_min(p->count, first + CK_BLOCK);
    for (long i = first; i < end; i++) p->y[i] = ck_bf16(p->a[i]);
}

static void ck_round_bf16(long count, const float *x, float *y) {
    arithmetic p = { .count = count, .a = x, .y = y };
    cp_parallel(ck_blocks(count, CK_BLOCK), round_block, &p);
}

static void convert_block(void *context, long unit) {
    const arithmetic *p = context;
    uint16_t *out = (uint16_t *)(void *)p->y;
    long first = unit * CK_BLOCK, end = ck_min(p->count, first + CK_BLOCK);
    ck_row_to_bf16(end - first, p->a + first, out + first);
}

static void ck_to_bf16(long count, const float *x, uint16_t *y) {
    arithmetic p = { .count = count, .a = x, .y = (float *)(void *)y };
    cp_parallel(ck_blocks(count, CK_BLOCK), convert_block, &p);
}
