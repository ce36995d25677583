// GELU and softmax.

typedef struct {
    long count, width;
    int form;
    float beta;
    const float *x, *dy;
    float *y, *parts;
    uint16_t *narrow;
} activation;

static inline void gelu_values(long count, int tanh_form, const float *x, float *y) {
    if (tanh_form) {
        for (long i = 0; i < count; i++) {
            float v = x[i], u = 0.7978845608f * (v + 0.044715f * v * v * v);
            y[i] = v / (1.0f + ck_exp(-2.0f * u));  // (1 + tanh u) / 2 = 1 / (1 + exp(-2u))
        }
    } else {
        for (long i = 0; i < count; i++) {
            float density;
            y[i] = x[i] * normal_cdf(x[i], &density);
        }
    }
}

static void gelu(void *context, long unit) {
    const activation *p = context;
    long first = unit * CK_BLOCK, count = ck_min(CK_BLOCK, p->count - first);
    const float *x = p->x + first;
    if (p->narrow == NULL) {
        gelu_values(count, p->form, x, p->y + first);
        return;
    }
    for (long at = 0; at < count; at += CK_PIECE) {
        float y[CK_PIECE];
        long some = ck_min(CK_PIECE, count - at);
        gelu_values(some, p->form, x + at, y);
        ck_row_to_bf16(some, y, p->narrow + first + at);
    }
}

static void ck_gelu(long count, int tanh_form, const float *x, int half, void *y) {
    activation p = { .count = count, .form = tanh_form, .x = x, .y = y, .narrow = half ? y : NULL };
    cp_parallel(ck_blocks(count, CK_BLOCK), gelu, &p);
}

static void gelu_gradient(void *context, long unit) {
    const activation *p = context;
    long first = unit * CK_BLOCK, count = ck_min(CK_BLOCK, p->count - first);
    const float *x = p->x + first, *dy = p->dy + first;
    float *dx = p->y + first;
    if (p->form == 0 && p->beta == 0)
        for (long i = 0; i < count; i++) dx[i] = dy[i] * gelu_slope(x[i], 0);
    else if (p->form == 0)
        for (long i = 0; i < count; i++) dx[i] += dy[i] * gelu_slope(x[i], 0);
    else if (p->beta == 0)
        for (long i = 0; i < count; i++) dx[i] = dy[i] * gelu_slope(x[i], 1);
    else
        for (long i = 0; i < count; i++) dx[i] += dy[i] * gelu_slope(x[i], 1);
}

static void ck_gelu_gradient(long count, int tanh_form, const float *dy, const float *x, float beta,
                      float *dx) {
    activation p = { .count = count, .form = tanh_form, .beta = beta, .x = x, .dy = dy, .y = dx };
    cp_parallel(ck_blocks(count, CK_BLOCK), gelu_gradient, &p);
}

// Column by piece of columns, so that the sums stay at hand.
static void gelu_gradient_rows(void *context, long unit) {
    const activation *p = context;
    long start = unit * CK_PART_ROWS, end = ck_min(p->count, start + CK_PART_ROWS);
    for (long first = 0; first < p->width; first += CK_PIECE) {
        long count = ck_min(CK_PIECE, p->width - first);
        float sums[CK_PIECE] = { 0 }, fresh[CK_PIECE];
        for (long row = start; row < end; row++) {
            long at = row * p->width + first;
            const float *x = p->x + at, *dy = p->dy + at;
            if (p->form)
                for (long i = 0; i < count; i++) fresh[i] = dy[i] * gelu_slope(x[i], 1);
            else
                for (long i = 0; i < count; i++) fresh[i] = dy[i] * gelu_slope(x[i], 0);
            for (long i = 0; i < count; i++) sums[i] += fresh[i];
            if (p->narrow != NULL) ck_row_to_bf16(count, fresh, p->narrow + at);
            else memcpy(p->y + at, fresh, (size_t)count * sizeof *fresh);
        }
        memcpy(p->parts + unit * p->width + first, sums, (size_t)count * sizeof *sums);
    }
}

static void ck_gelu_gradient_rows(long rows, long width, int tanh_form, const float *dy, const float *x,
                           int half, void *dx, float *parts) {
    activation p = { .count = rows, .width = width, .form = tanh_form, .x = x, .dy = dy, .y = dx,
                     .narrow = half ? dx : NULL, .parts = parts };
    cp_parallel(ck_blocks(rows, CK_PART_ROWS), gelu_gradient_rows, &p);
}

static void softmax(void *context, long row) {
    CK_REASSOCIATE
    const activation *p = context;
    const float *x = p->x + row * p->width;
    float *y = p->y + row * p->width;
    float top = ck_row_max(p->width, x), sum = 0;
    for (long i = 0; i < p->width; i++) {
        float e = ck_exp(x[i] - top);
        y[i] = e;
        sum += e;
    }
    if (p->form) {
        float shift = top + logf(sum);
        for (long i = 0; i < p->width; i++) y[i] = x[i] - shift;
    } else {
        float factor = 1.0f / sum;
        for (long i = 0; i < p->width; i++) y[i] *= factor;
    }
}

static void ck_softmax(long rows, long width, int logarithm, const float *x, float *y) {
    activation p = { .width = width, .form = logarithm, .x = x, .y = y };
    cp_parallel(rows, softmax, &p);
}

static void softmax_gradient(void *context, long row) {
    CK_REASSOCIATE
    const activation *p = context;
    long width = p->width;
    const float *dy = p->dy + row * width, *y = p->x + row * width;
    float *dx = p->y + row * width;
    float sum = 0;
    if (p->form) {
        for (long i = 0; i < width; i++) sum += dy[i];
        for (long i = 0; i < width; i++)
            dx[i] = (p->beta == 0 ? 0 : dx[i]) + dy[i] - ck_exp(y[i]) * sum;
    } else {
        for (long i = 0; i < width; i++) sum += dy[i] * y[i];
        for (long i = 0; i < width; i++)
            dx[i] = (p->beta == 0 ? 0 : dx[i]) + y[i] * (dy[i] - sum);
    }
}

static void ck_softmax_gradient(long rows, long width, int logarithm, const float *dy, const float *y,
                         float beta, float *dx) {
    activation p = { .width = width, .form = logarithm, .beta = beta, .x = y, .dy = dy, .y = dx };
    cp_parallel(rows, softmax_gradient, &p);
}
