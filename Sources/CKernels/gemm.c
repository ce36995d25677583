// The product of one unit of work by a single-threaded library call.
#include "internal.h"
#include "libraries.h"

#include <cblas.h>
#include <oneapi/dnnl/dnnl.h>

int ck_gemm_unit(int wide, int transpose_a, int transpose_b, long m, long n, long k, const float *a,
                 long lda, const float *b, long ldb, float beta, float *c, long ldc) {
    // By measurement: with 512-bit vectors oneDNN is the faster at every shape; without, it packs rows
    // of the second operand well and OpenBLAS long strides.
    if (!wide && ((transpose_a && k > 64) || (!transpose_b && n > 384))) {
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
