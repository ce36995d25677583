// Matrix products: a fixed division of the result into tiles, each computed by a single-threaded
// library call.
#include "kernels.h"
#include "libraries.h"
#include "CPool.h"
#include "vector.h"

#include <cblas.h>
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static char processor_name[64];

static void describe_processor(void) {
#if defined(__AVX512F__)
    const char *vectors = "avx512";
#elif defined(__AVX2__)
    const char *vectors = "avx2";
#elif defined(__ARM_NEON)
    const char *vectors = "neon";
#else
    const char *vectors = "portable";
#endif
    snprintf(processor_name, sizeof processor_name, "%s %s%s%s", vectors, openblas_get_corename(),
             ck_is_wide() ? " wide" : "", ck_has_bf16() ? " bf16" : "");
}

const char *ck_processor(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, describe_processor);
    return processor_name;
}

const char *ck_libraries(void) {
    static char text[128];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    if (text[0] == 0) {
        // The version is the second word of the configuration.
        char version[32] = "";
        sscanf(openblas_get_config(), "%*s %31s", version);
        const dnnl_version_t *dnnl = dnnl_version();
        snprintf(text, sizeof text, "OpenBLAS %s, oneDNN %d.%d.%d", version, dnnl->major, dnnl->minor, dnnl->patch);
    }
    pthread_mutex_unlock(&lock);
    return text;
}

static int wide;

static void look(void) {
#if defined(__x86_64__)
    wide = !ck_is_portable() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
}

int ck_is_wide(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, look);
    return wide;
}

int ck_is_portable(void) {
    const char *choice = getenv("MTREPL_KERNELS");
    return choice != NULL && strcmp(choice, "portable") == 0;
}

int ck_gemm_unit(int transpose_a, int transpose_b, long m, long n, long k, const float *a, long lda,
                 const float *b, long ldb, float beta, float *c, long ldc) {
    // By measurement: with 512-bit vectors oneDNN is the faster at every shape; without, it packs rows
    // of the second operand well and OpenBLAS long strides.
    if (!ck_is_wide() && ((transpose_a && k > 64) || (!transpose_b && n > 384))) {
        if (!ck_enter_blas()) return -1;
        cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                    transpose_b ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f,
                    a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
        ck_leave_blas();
        return 0;
    }
    // Its only failure is lack of memory for packing.
    if (ck_prepare_dnnl()
        && dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.0f, a, lda, b, ldb,
                      beta, c, ldc) == dnnl_success)
        return 0;
    return -1;
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
    if (ck_gemm_unit(p->transpose_a, p->transpose_b, m, n, p->k, a, p->lda, b, p->ldb, p->beta, c, p->ldc)) {
        atomic_store(&p->failed, 1);
        return;
    }
    ck_finish_rows(m, n, p->bias == NULL ? NULL : p->bias + j,
                   p->residual == NULL ? NULL : p->residual + i * p->ldc + j, c, p->ldc);
}

void ck_finish_rows(long m, long n, const float *bias, const float *residual, float *c, long ldc) {
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
void ck_gemm_tiles(long m, long n, long *tile_m, long *tile_n) {
    *tile_m = m;
    *tile_n = n;
    divide(m, n, 8, 128, tile_m, tile_n);
    divide(m, n, 4, 64, tile_m, tile_n);
    while (*tile_m > 512) *tile_m = ck_blocks(ck_blocks(*tile_m, 2), 16) * 16;
    while (*tile_n > 1024) *tile_n = ck_blocks(ck_blocks(*tile_n, 2), 16) * 16;
}

int ck_gemm(int transpose_a, int transpose_b, long m, long n, long k, const float *a, long lda,
            const float *b, long ldb, float beta, float *c, long ldc, const float *bias,
            const float *residual) {
    if (m <= 0 || n <= 0) return 0;
    product p = { transpose_a, transpose_b, m, n, k, lda, ldb, ldc, 0, 0, 0, a, b, bias, residual, c, beta, 0 };
    ck_gemm_tiles(m, n, &p.tile_m, &p.tile_n);
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
    if (ck_gemm_unit(p->transpose_a, p->transpose_b, p->m, p->n, p->k, p->a + unit * all->step_a, p->lda,
                     p->b + unit * all->step_b, p->ldb, p->beta, p->c + unit * all->step_c, p->ldc))
        atomic_store(&p->failed, 1);
}

int ck_gemm_batch(long count, int transpose_a, int transpose_b, long m, long n, long k,
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
