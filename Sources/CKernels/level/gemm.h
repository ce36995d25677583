// Matrix products: a fixed division of the result into tiles, each computed by a single-threaded
// library call.

static void finish_rows(long m, long n, const float *bias, const float *residual, float *c, long ldc) {
    if (bias == NULL && residual == NULL) return;
    for (long row = 0; row < m; row++) {
        float *y = c + row * ldc;
        const float *x = residual + (residual == NULL ? 0 : row * ldc);
        if (residual == NULL)
            for (long i = 0; i < n; i++) y[i] += bias[i];
        else if (bias == NULL)
            for (long i = 0; i < n; i++) y[i] += x[i];
        else
            for (long i = 0; i < n; i++) y[i] = y[i] + bias[i] + x[i];
    }
}

// Halves the longer side until there are `wanted` tiles, but no side to below `least`.
static void divide(long m, long n, long wanted, long least, long *tile_m, long *tile_n) {
    long tm = *tile_m, tn = *tile_n;
    while (ck_blocks(m, tm) * ck_blocks(n, tn) < wanted) {
        if ((tm >= tn || tn <= 128) && tm > least) tm = ck_blocks(ck_blocks(tm, 2), 16) * 16;
        else if (tn > 128) tn = ck_blocks(ck_blocks(tn, 2), 16) * 16;
        else break;
    }
    *tile_m = tm;
    *tile_n = tn;
}

// Large tiles spend less time on packing operands, many tiles keep more threads busy: eight of at least
// 128 x 128, or if there are hardly any of those, four of 64 x 128. None exceeds 512 x 1024, beyond
// which packed operands leave the cache.
static void tiles(long m, long n, long *tile_m, long *tile_n) {
    *tile_m = m;
    *tile_n = n;
    divide(m, n, 8, 128, tile_m, tile_n);
    divide(m, n, 4, 64, tile_m, tile_n);
    while (*tile_m > 512) *tile_m = ck_blocks(ck_blocks(*tile_m, 2), 16) * 16;
    while (*tile_n > 1024) *tile_n = ck_blocks(ck_blocks(*tile_n, 2), 16) * 16;
}

typedef struct {
    int transpose_a, transpose_b;
    long m, n, k, lda, ldb, ldc, tile_m, tile_n, columns;
    const float *a, *b, *bias, *residual;
    float *c;
    float beta;
    atomic_int failed;
} product;

static void product_unit(void *context, long unit) {
    product *p = context;
    long i = unit / p->columns * p->tile_m, j = unit % p->columns * p->tile_n;
    long m = ck_min(p->tile_m, p->m - i), n = ck_min(p->tile_n, p->n - j);
    const float *a = p->transpose_a ? p->a + i : p->a + i * p->lda;
    const float *b = p->transpose_b ? p->b + j * p->ldb : p->b + j;
    float *c = p->c + i * p->ldc + j;
    if (ck_gemm_unit(CK_WIDE, p->transpose_a, p->transpose_b, m, n, p->k, a, p->lda, b, p->ldb, p->beta, c, p->ldc)) {
        atomic_store(&p->failed, 1);
        return;
    }
    finish_rows(m, n, p->bias == NULL ? NULL : p->bias + j,
                   p->residual == NULL ? NULL : p->residual + i * p->ldc + j, c, p->ldc);
}

static int ck_gemm(int transpose_a, int transpose_b, long m, long n, long k, const float *a, long lda,
            const float *b, long ldb, float beta, float *c, long ldc, const float *bias,
            const float *residual) {
    if (m <= 0 || n <= 0) return 0;
    product p = { transpose_a, transpose_b, m, n, k, lda, ldb, ldc, 0, 0, 0, a, b, bias, residual, c, beta, 0 };
    tiles(m, n, &p.tile_m, &p.tile_n);
    p.columns = ck_blocks(n, p.tile_n);
    cp_parallel(ck_blocks(m, p.tile_m) * p.columns, product_unit, &p);
    return -atomic_load(&p.failed);
}

typedef struct {
    product one;
    long step_a, step_b, step_c;
} batch;

static void batch_unit(void *context, long unit) {
    batch *all = context;
    product *p = &all->one;
    if (ck_gemm_unit(CK_WIDE, p->transpose_a, p->transpose_b, p->m, p->n, p->k, p->a + unit * all->step_a, p->lda,
                     p->b + unit * all->step_b, p->ldb, p->beta, p->c + unit * all->step_c, p->ldc))
        atomic_store(&p->failed, 1);
}

static int ck_gemm_batch(long count, int transpose_a, int transpose_b, long m, long n, long k,
                  const float *a, long step_a, const float *b, long step_b, float beta, float *c,
                  long step_c) {
    if (m <= 0 || n <= 0) return 0;
    long lda = transpose_a ? m : k, ldb = transpose_b ? k : n;
    if (count == 1) return ck_gemm(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, beta, c, n, NULL, NULL);
    batch all = { { transpose_a, transpose_b, m, n, k, lda, ldb, n, 0, 0, 0, a, b, NULL, NULL, c, beta, 0 },
                  step_a, step_b, step_c };
    cp_parallel(count, batch_unit, &all);
    return -atomic_load(&all.one.failed);
}

#if CK_BF16
static int ck_has_bf16(void) { return ck_multiplies_bf16(); }

typedef struct {
    int transpose_a, transpose_b;
    long m, n, k, lda, ldb, ldc, tile_m, tile_n, columns;
    const uint16_t *a, *b;
    const float *bias, *residual;
    float *c, beta;
    atomic_int failed;
} narrow_product;

static void narrow_product_unit(void *context, long unit) {
    narrow_product *p = context;
    long i = unit / p->columns * p->tile_m, j = unit % p->columns * p->tile_n;
    long m = ck_min(p->tile_m, p->m - i), n = ck_min(p->tile_n, p->n - j);
    const uint16_t *a = p->transpose_a ? p->a + i : p->a + i * p->lda;
    const uint16_t *b = p->transpose_b ? p->b + j * p->ldb : p->b + j;
    float *c = p->c + i * p->ldc + j;
    if (ck_gemm_bf16_unit(p->transpose_a, p->transpose_b, m, n, p->k, a, p->lda, b, p->ldb, p->beta, c, p->ldc)) {
        atomic_store(&p->failed, 1);
        return;
    }
    finish_rows(m, n, p->bias == NULL ? NULL : p->bias + j,
                p->residual == NULL ? NULL : p->residual + i * p->ldc + j, c, p->ldc);
}

static int ck_gemm_bf16(int transpose_a, int transpose_b, long m, long n, long k, const uint16_t *a,
                        long lda, const uint16_t *b, long ldb, float beta, float *c, long ldc,
                        const float *bias, const float *residual) {
    if (m <= 0 || n <= 0) return 0;
    narrow_product p = { transpose_a, transpose_b, m, n, k, lda, ldb, ldc, 0, 0, 0, a, b, bias, residual, c, beta, 0 };
    tiles(m, n, &p.tile_m, &p.tile_n);
    p.columns = ck_blocks(n, p.tile_n);
    cp_parallel(ck_blocks(m, p.tile_m) * p.columns, narrow_product_unit, &p);
    return -atomic_load(&p.failed);
}
#else
static int ck_has_bf16(void) { return 0; }
#endif
