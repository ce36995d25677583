// The arithmetic of mtrepl on the processor. Arrays are row-major float32; every kernel divides its
// work by shape alone and sums in a fixed order, so results do not depend on the thread count.
// Nothing here allocates memory that outlives a call, except per-thread scratch and prepared products, which are
// bounded and freed with their thread.
#ifndef CK_KERNELS_H
#define CK_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// ---- gemm.c ---------------------------------------------------------------------------------

/// C[m,n] = op(A)[m,k] op(B)[k,n] + beta C, then + bias[n] to every row unless bias is NULL, then
/// + residual, of the strides of C, unless it is NULL. op transposes where the flag is set; ld* are row
/// strides of the arrays as stored. Not 0, here and below, if there is no memory; C is then undefined.
int ck_gemm(int transpose_a, int transpose_b, long m, long n, long k, const float *a, long lda,
            const float *b, long ldb, float beta, float *c, long ldc, const float *bias,
            const float *residual);

/// The same with bfloat16 operands and float32 sums. Only where ck_has_bf16() is true.
int ck_gemm_bf16(int transpose_a, int transpose_b, long m, long n, long k, const uint16_t *a,
                 long lda, const uint16_t *b, long ldb, float beta, float *c, long ldc,
                 const float *bias, const float *residual);

// ---- gemv.c ---------------------------------------------------------------------------------

/// y[n] = W[n,k] x[k] + bias[n], bias NULL for none; ld is the row stride of W.
void ck_gemv(long n, long k, const float *w, long ld, const float *x, const float *bias, float *y);

/// The same with bfloat16 operands and float32 sums, on any processor.
int ck_gemv_bf16(long n, long k, const uint16_t *w, long ld, const uint16_t *x, const float *bias,
                 float *y);

/// What results depend on beside the source: vector width compiled for and kernels that the libraries
/// choose, such as `avx2 Zen`.
const char *ck_processor(void);

/// The libraries of products with their versions, such as `OpenBLAS 0.3.21, oneDNN 2.6.3`.
const char *ck_libraries(void);

/// Whether the system would map so many more bytes into this process now.
int ck_has_room(size_t bytes);

/// Whether this processor multiplies bfloat16 natively.
int ck_has_bf16(void);

/// `count` products as ck_gemm without bias and residual, array i of each operand at i times its step.
int ck_gemm_batch(long count, int transpose_a, int transpose_b, long m, long n, long k,
                  const float *a, long step_a, const float *b, long step_b, float beta, float *c,
                  long step_c);

/// Rounds to the nearest bfloat16, kept as float32 (ties to even; infinities and NaN stay).
void ck_round_bf16(long count, const float *x, float *y);

/// Rounds to the nearest bfloat16.
void ck_to_bf16(long count, const float *x, uint16_t *y);

// ---- norm.c ---------------------------------------------------------------------------------

/// y = (x - mean) rstd gain + bias over rows of `width`; mean and rstd of each row are kept. y is
/// float32, or rounded to bfloat16 if `half`.
void ck_layer_norm(long rows, long width, float epsilon, const float *x, const float *gain,
                   const float *bias, int half, void *y, float *mean, float *rstd);

/// dx = beta dx + the gradient of the input. beta is 0 or 1.
void ck_layer_norm_input(long rows, long width, const float *dy, const float *x, const float *gain,
                         const float *mean, const float *rstd, float beta, float *dx);

/// dgain and dbias = beta times themselves + the gradients of gain and bias.
void ck_layer_norm_weights(long rows, long width, const float *dy, const float *x,
                           const float *mean, const float *rstd, float beta, float *dgain,
                           float *dbias);

/// out[width] = beta out + the sum of the rows of x.
void ck_column_sums(long rows, long width, const float *x, float beta, float *out);

/// Rows that ck_column_sums adds in float32 before it goes on in double, and the kernels that leave such
/// parts to ck_add_parts.
enum { CK_PART_ROWS = 64 };

/// out[width] = beta out + the sum of the rows of parts[count, width], which gives what
/// ck_column_sums does.
void ck_add_parts(long count, long width, const float *parts, float beta, float *out);

// ---- activation.c ---------------------------------------------------------------------------

/// GELU: exact (x times the normal distribution function) or, if `tanh_form`, its tanh approximation.
/// y is float32, or rounded to bfloat16 if `half`.
void ck_gelu(long count, int tanh_form, const float *x, int half, void *y);

/// dx = beta dx + dy gelu'(x).
void ck_gelu_gradient(long count, int tanh_form, const float *dy, const float *x, float beta,
                      float *dx);

/// dx = dy gelu'(x) over rows of `width`, float32 (dx may be dy) or rounded to bfloat16 if `half`, with
/// parts of its column sums before rounding: parts[rows / CK_PART_ROWS rounded up, width].
void ck_gelu_gradient_rows(long rows, long width, int tanh_form, const float *dy, const float *x,
                           int half, void *dx, float *parts);

/// Softmax (or its logarithm) over rows of `width`.
void ck_softmax(long rows, long width, int logarithm, const float *x, float *y);

/// dx = beta dx + the gradient of ck_softmax with output y.
void ck_softmax_gradient(long rows, long width, int logarithm, const float *dy, const float *y,
                         float beta, float *dx);

// ---- attention.c ----------------------------------------------------------------------------

typedef struct {
    long batch, time, heads, size;  ///< size: numbers in one head
    long rotated;                   ///< leading numbers of a head that turn; even, may be 0
    int round;                      ///< operands of products are rounded to bfloat16
    int half;                       ///< q, k and v are bfloat16 arrays, for ck_attend_bf16
} ck_attention;

/// qkv[batch*time, heads, 3, size] to q, k, v, each [batch, heads, time, size]; q and k turned by the
/// angles of cosine and sine [time, rotated / 2], q scaled by 1 / sqrt(size).
void ck_heads(const ck_attention *shape, const float *qkv, const float *cosine, const float *sine,
              void *q, void *k, void *v);

/// dqkv = beta dqkv + the gradient of ck_heads.
void ck_heads_gradient(const ck_attention *shape, const float *dq, const float *dk, const float *dv,
                       const float *cosine, const float *sine, float beta, float *dqkv);

/// The gradient of ck_heads, float32 or rounded to bfloat16 if `half`, with parts of its column sums
/// before rounding, as ck_gelu_gradient_rows leaves them. time must be a multiple of CK_PART_ROWS.
void ck_heads_gradient_rows(const ck_attention *shape, const float *dq, const float *dk,
                            const float *dv, const float *cosine, const float *sine, int half,
                            void *dqkv, float *parts);

/// out[batch*time, heads*size]: causal attention; lse[batch, heads, time] is the logarithm of each
/// row's normaliser. Returns 0, or -1 when scratch memory is not to be had.
int ck_attend(const ck_attention *shape, const float *q, const float *k, const float *v, float *out,
              float *lse);

/// Gradients of ck_attend; probabilities are computed again from lse. Returns 0 or -1.
int ck_attend_gradient(const ck_attention *shape, const float *q, const float *k, const float *v,
                       const float *out, const float *lse, const float *dout, float *dq, float *dk,
                       float *dv);

/// Whether ck_attend_bf16 and its gradient can be used with heads of `size` numbers.
int ck_attends_bf16(long size);

/// ck_attend on bfloat16 operands.
int ck_attend_bf16(const ck_attention *shape, const uint16_t *q, const uint16_t *k,
                   const uint16_t *v, float *out, float *lse);

/// The gradients of ck_attend_bf16, in float32.
int ck_attend_bf16_gradient(const ck_attention *shape, const uint16_t *q, const uint16_t *k,
                            const uint16_t *v, const float *out, const float *lse,
                            const float *dout, float *dq, float *dk, float *dv);

/// One query per head against `time` cached keys: q[heads, size], keys and values
/// [heads, capacity, size], out[heads, size]. Returns 0 or -1.
int ck_attend_one(long heads, long size, long time, long capacity, const float *q, const float *k,
                  const float *v, float *out);

// ---- loss.c ---------------------------------------------------------------------------------

/// y[i] = table[ids[i]], rows of `width`. Ids must be valid.
void ck_rows(long count, long width, const int32_t *ids, const float *table, float *y);

/// dtable[ids[i]] += dy[i], in the order of i for each row.
void ck_rows_gradient(long count, long width, long table_rows, const int32_t *ids, const float *dy,
                      float *dtable);

/// losses[i] = -log softmax(logits[i])[targets[i]], 0 where the target is negative. With `gradient`,
/// logits become scale times the gradient of the sum of losses: in place if `gradient` is 1; if it is 2,
/// as bfloat16 numbers at the beginning of each row, whose stride is then 2 width.
void ck_cross_entropy(long rows, long width, const int32_t *targets, int gradient, float scale,
                      float *logits, double *losses);

// ---- optimizers.c ---------------------------------------------------------------------------

/// Sum of squares in double, over blocks of fixed size added in order.
double ck_sum_squares(long count, const float *x);

typedef struct {
    float clip;         ///< factor of the gradient
    float beta1, beta2, epsilon;
    float rate;         ///< learning rate / (1 - beta1^t)
    float root;         ///< 1 / sqrt(1 - beta2^t)
    float keep;         ///< 1 - learning rate * weight decay
} ck_adamw_step;

/// One AdamW step on `count` numbers.
void ck_adamw(long count, const ck_adamw_step *step, const float *gradient, float *value,
              float *first, float *second);

typedef struct {
    float clip;         ///< factor of the gradient
    float momentum;     ///< what stays of the momentum
    float decay;        ///< weight decay, which is added to the gradient (`ck_sgd` only)
    float rate;         ///< learning rate (`ck_sgd` only)
    int nesterov;       ///< whether the step looks ahead along the momentum
} ck_momentum_step;

/// One step of SGD with momentum on `count` numbers.
void ck_sgd(long count, const ck_momentum_step *step, const float *gradient, float *value,
            float *momentum);

/// Takes a gradient into its running mean.
void ck_average(long count, const ck_momentum_step *step, const float *gradient, float *momentum);

/// What a step follows, which is the running mean after this gradient, or with `nesterov` that looked ahead; the mean itself
/// stays as it is.
void ck_ahead(long count, const ck_momentum_step *step, const float *gradient, const float *momentum,
              float *direction);

/// value = keep value - rate direction.
void ck_follow(long count, float keep, float rate, const float *direction, float *value);

// ---- elementwise.c --------------------------------------------------------------------------

typedef enum {
    CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_POWER, CK_MAXIMUM, CK_MINIMUM,
    CK_EQUAL, CK_LESS, CK_LESS_EQUAL
} ck_binary_kind;

/// y = a op b; step 0 repeats the first number of an operand, step 1 walks it.
void ck_binary(ck_binary_kind kind, long count, const float *a, long step_a, const float *b,
               long step_b, float *y);

typedef enum {
    CK_NEGATE, CK_EXP, CK_LOG, CK_SQRT, CK_TANH, CK_RELU, CK_SIGMOID, CK_ABS, CK_SIGN, CK_STEP
} ck_unary_kind;

/// y = op(x).
void ck_unary(ck_unary_kind kind, long count, const float *x, float *y);

/// y = a x + beta y.
void ck_axpby(long count, float a, const float *x, float beta, float *y);

/// x = 0.
void ck_zero(long count, float *x);

/// y = condition != 0 ? a : b.
void ck_where(long count, const float *condition, const float *a, const float *b, float *y);

/// Copies a strided array of `rank` <= 8 axes into a contiguous one.
void ck_gather_strided(int rank, const long *sizes, const long *strides, const float *x, float *y);

typedef enum { CK_SUM, CK_MAX, CK_MIN, CK_ARGMAX } ck_reduce_kind;

/// y[outer, inner] from x[outer, axis, inner]; sums in double; the first of equal maxima wins; a NaN
/// is the maximum and the minimum of any numbers with it.
void ck_reduce(ck_reduce_kind kind, long outer, long axis, long inner, const float *x, float *y);

#endif
