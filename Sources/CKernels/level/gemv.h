// Products of a matrix with one vector, as generation makes them: each row is read once, so that memory
// is what limits them.

enum { VECTOR_ROWS = 64 };  // in a unit

typedef struct {
    long n, k, ld;
    const float *x, *wide, *bias;
    const uint16_t *narrow;
    float *y;
} vector_product;

static inline float widened(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float y;
    memcpy(&y, &bits, 4);
    return y;
}

static void wide_rows(void *context, long unit) {
    CK_REASSOCIATE
    const vector_product *p = context;
    for (long row = unit * VECTOR_ROWS; row < ck_min(p->n, (unit + 1) * VECTOR_ROWS); row++) {
        const float *w = p->wide + row * p->ld;
        float sum = 0;
        for (long i = 0; i < p->k; i++) sum += w[i] * p->x[i];
        p->y[row] = p->bias == NULL ? sum : sum + p->bias[row];
    }
}

static void narrow_rows(void *context, long unit) {
    CK_REASSOCIATE
    const vector_product *p = context;
    for (long row = unit * VECTOR_ROWS; row < ck_min(p->n, (unit + 1) * VECTOR_ROWS); row++) {
        const uint16_t *w = p->narrow + row * p->ld;
        float sum = 0;
        for (long i = 0; i < p->k; i++) sum += widened(w[i]) * p->x[i];
        p->y[row] = p->bias == NULL ? sum : sum + p->bias[row];
    }
}

static void ck_gemv(long n, long k, const float *w, long ld, const float *x, const float *bias, float *y) {
    vector_product p = { .n = n, .k = k, .ld = ld, .x = x, .wide = w, .bias = bias, .y = y };
    cp_parallel(ck_blocks(n, VECTOR_ROWS), wide_rows, &p);
}

static int ck_gemv_bf16(long n, long k, const uint16_t *w, long ld, const uint16_t *x, const float *bias, float *y) {
    float *wide = ck_scratch((size_t)k);
    if (wide == NULL) return -1;
    for (long i = 0; i < k; i++) wide[i] = widened(x[i]);
    vector_product p = { .n = n, .k = k, .ld = ld, .x = wide, .narrow = w, .bias = bias, .y = y };
    cp_parallel(ck_blocks(n, VECTOR_ROWS), narrow_rows, &p);
    return 0;
}
