// The arithmetic of mtrepl on the processor. Arrays are row-major float32; every kernel divides its
// work by shape alone and sums in a fixed order, so results do not depend on the thread count.
// Nothing here allocates memory that outlives a call, except per-thread scratch and prepared products, which are
// bounded and freed with their thread.
#ifndef CK_KERNELS_H
#define CK_KERNELS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    long batch, time, heads, size;  ///< size: numbers in one head
    long rotated;                   ///< leading numbers of a head that turn; even, may be 0
    int round;                      ///< operands of products are rounded to bfloat16
    int half;                       ///< q, k and v are bfloat16 arrays, for `attend_bf16`
} ck_attention;

typedef struct {
    float clip;         ///< factor of the gradient
    float beta1, beta2, epsilon;
    float rate;         ///< learning rate / (1 - beta1^t)
    float root;         ///< 1 / sqrt(1 - beta2^t)
    float keep;         ///< 1 - learning rate * weight decay
} ck_adamw_step;

typedef struct {
    float clip;         ///< factor of the gradient
    float momentum;     ///< what stays of the momentum
    float decay;        ///< weight decay, which is added to the gradient (`sgd` only)
    float rate;         ///< learning rate (`sgd` only)
    int nesterov;       ///< whether the step looks ahead along the momentum
} ck_momentum_step;

typedef enum {
    CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_POWER, CK_MAXIMUM, CK_MINIMUM,
    CK_EQUAL, CK_LESS, CK_LESS_EQUAL
} ck_binary_kind;

typedef enum {
    CK_NEGATE, CK_EXP, CK_LOG, CK_SQRT, CK_TANH, CK_RELU, CK_SIGMOID, CK_ABS, CK_SIGN, CK_STEP
} ck_unary_kind;

typedef enum { CK_SUM, CK_MAX, CK_MIN, CK_ARGMAX } ck_reduce_kind;

/// Rows that `column_sums` adds in float32 before it goes on in double, and the kernels that leave such
/// parts to `add_parts`.
enum { CK_PART_ROWS = 64 };

/// Rows of `stride` numbers, whose first `segments` times `length` numbers are normed segment by segment.
typedef struct {
    long rows, stride, segments, length;
} ck_segments;

typedef enum { CK_GATE_SILU, CK_GATE_GELU, CK_GATE_GELU_TANH, CK_GATE_RELU, CK_GATE_RELU2 } ck_gate_kind;

typedef struct {
    long batch, time, heads, groups; ///< groups: heads of keys and values; each serves heads / groups queries
    long size, rotated;              ///< as in ck_attention
    long copies;                     ///< how often keys and values are written: 1, or heads / groups
    float scale;                     ///< of queries
    int round, half;                 ///< as in ck_attention
} ck_grouped;

/// The norm of queries or keys: rstd of each row and head, or of each row if `whole`, and the gain of a head or
/// of all heads. gain NULL for none.
typedef struct {
    const float *rstd, *gain;
    float offset;
    int whole;
} ck_head_norm;

typedef struct {
    long batch, time, heads, size;
    long window;  ///< positions that a query sees, its own included; 0 for all
    float cap;    ///< scores become cap tanh(score / cap); 0 for no cap
    int round;    ///< operands of products are rounded to bfloat16
} ck_window;

/// The kernels as they are compiled for one level of instructions.
typedef struct {
    /// Whether they have 512-bit vectors.
    int is_wide;

    // ---- gemm.h --------------------------------------------------------------------------

    /// C[m,n] = op(A)[m,k] op(B)[k,n] + beta C, then + bias[n] to every row unless bias is NULL, then
    /// + residual, of the strides of C, unless it is NULL. op transposes where the flag is set; ld* are row
    /// strides of the arrays as stored. Not 0, here and below, if there is no memory; C is then undefined.
    int (*gemm)(int transpose_a, int transpose_b, long m, long n, long k, const float *a, long lda,
                const float *b, long ldb, float beta, float *c, long ldc, const float *bias,
                const float *residual);

    /// Whether this processor multiplies bfloat16 natively, and the library does it well.
    int (*has_bf16)(void);

    /// `gemm` with bfloat16 operands and float32 sums. Only where has_bf16() is true.
    int (*gemm_bf16)(int transpose_a, int transpose_b, long m, long n, long k, const uint16_t *a,
                     long lda, const uint16_t *b, long ldb, float beta, float *c, long ldc,
                     const float *bias, const float *residual);

    /// `count` products as gemm without bias and residual, array i of each operand at i times its step.
    int (*gemm_batch)(long count, int transpose_a, int transpose_b, long m, long n, long k,
                      const float *a, long step_a, const float *b, long step_b, float beta, float *c,
                      long step_c);

    // ---- gemv.h --------------------------------------------------------------------------

    /// y[n] = W[n,k] x[k] + bias[n], bias NULL for none; ld is the row stride of W.
    void (*gemv)(long n, long k, const float *w, long ld, const float *x, const float *bias, float *y);

    /// The same with bfloat16 operands and float32 sums, on any processor.
    int (*gemv_bf16)(long n, long k, const uint16_t *w, long ld, const uint16_t *x, const float *bias,
                     float *y);

    // ---- norm.h --------------------------------------------------------------------------

    /// y = (x - mean) rstd gain + bias over rows of `width`; mean and rstd of each row are kept. y is
    /// float32, or rounded to bfloat16 if `half`.
    void (*layer_norm)(long rows, long width, float epsilon, const float *x, const float *gain,
                       const float *bias, int half, void *y, float *mean, float *rstd);

    /// dx = beta dx + the gradient of the input. beta is 0 or 1.
    void (*layer_norm_input)(long rows, long width, const float *dy, const float *x, const float *gain,
                             const float *mean, const float *rstd, float beta, float *dx);

    /// dgain and dbias = beta times themselves + the gradients of gain and bias.
    void (*layer_norm_weights)(long rows, long width, const float *dy, const float *x,
                               const float *mean, const float *rstd, float beta, float *dgain,
                               float *dbias);

    /// out[width] = beta out + the sum of the rows of x.
    void (*column_sums)(long rows, long width, const float *x, float beta, float *out);

    /// out[width] = beta out + the sum of the rows of parts[count, width], which gives what
    /// column_sums does.
    void (*add_parts)(long count, long width, const float *parts, float beta, float *out);

    // ---- activation.h --------------------------------------------------------------------

    /// GELU: exact (x times the normal distribution function) or, if `tanh_form`, its tanh approximation.
    /// y is float32, or rounded to bfloat16 if `half`.
    void (*gelu)(long count, int tanh_form, const float *x, int half, void *y);

    /// dx = beta dx + dy gelu'(x).
    void (*gelu_gradient)(long count, int tanh_form, const float *dy, const float *x, float beta,
                          float *dx);

    /// dx = dy gelu'(x) over rows of `width`, float32 (dx may be dy) or rounded to bfloat16 if `half`, with
    /// parts of its column sums before rounding: parts[rows / CK_PART_ROWS rounded up, width].
    void (*gelu_gradient_rows)(long rows, long width, int tanh_form, const float *dy, const float *x,
                               int half, void *dx, float *parts);

    /// Softmax (or its logarithm) over rows of `width`.
    void (*softmax)(long rows, long width, int logarithm, const float *x, float *y);

    /// dx = beta dx + the gradient of softmax with output y.
    void (*softmax_gradient)(long rows, long width, int logarithm, const float *dy, const float *y,
                             float beta, float *dx);

    // ---- heads.h -------------------------------------------------------------------------

    /// qkv[batch*time, heads, 3, size] to q, k, v, each [batch, heads, time, size]; q and k turned by the
    /// angles of cosine and sine [time, rotated / 2], q scaled by 1 / sqrt(size).
    void (*heads)(const ck_attention *shape, const float *qkv, const float *cosine, const float *sine,
                  void *q, void *k, void *v);

    /// dqkv = beta dqkv + the gradient of heads.
    void (*heads_gradient)(const ck_attention *shape, const float *dq, const float *dk, const float *dv,
                           const float *cosine, const float *sine, float beta, float *dqkv);

    /// The gradient of heads, float32 or rounded to bfloat16 if `half`, with parts of its column sums
    /// before rounding, as gelu_gradient_rows leaves them. time must be a multiple of CK_PART_ROWS.
    void (*heads_gradient_rows)(const ck_attention *shape, const float *dq, const float *dk,
                                const float *dv, const float *cosine, const float *sine, int half,
                                void *dqkv, float *parts);

    // ---- attention.h ---------------------------------------------------------------------

    /// out[batch*time, heads*size]: causal attention; lse[batch, heads, time] is the logarithm of each
    /// row's normaliser. Returns 0, or -1 when scratch memory is not to be had.
    int (*attend)(const ck_attention *shape, const float *q, const float *k, const float *v, float *out,
                  float *lse);

    /// Gradients of attend; probabilities are computed again from lse. Returns 0 or -1.
    int (*attend_gradient)(const ck_attention *shape, const float *q, const float *k, const float *v,
                           const float *out, const float *lse, const float *dout, float *dq, float *dk,
                           float *dv);

    /// Whether attend_bf16 and its gradient can be used with heads of `size` numbers.
    int (*attends_bf16)(long size);

    /// attend on bfloat16 operands.
    int (*attend_bf16)(const ck_attention *shape, const uint16_t *q, const uint16_t *k,
                       const uint16_t *v, float *out, float *lse);

    /// The gradients of attend_bf16, in float32.
    int (*attend_bf16_gradient)(const ck_attention *shape, const uint16_t *q, const uint16_t *k,
                                const uint16_t *v, const float *out, const float *lse,
                                const float *dout, float *dq, float *dk, float *dv);

    /// One query per head against `time` cached keys: q[heads, size], keys and values
    /// [heads, capacity, size], out[heads, size]. Returns 0 or -1.
    int (*attend_one)(long heads, long size, long time, long capacity, const float *q, const float *k,
                      const float *v, float *out);

    // ---- rms.h --------------------------------------------------------------------------

    /// rstd[rows, segments] = 1 / sqrt(the mean of the squares + epsilon) of each segment.
    void (*rms)(const ck_segments *segments, float epsilon, const float *x, float *rstd);

    /// y = x rstd (gain + offset) over rows of `width`; rstd of each row is kept. y is float32, or rounded to
    /// bfloat16 if `half`.
    void (*rms_norm)(long rows, long width, float epsilon, float offset, const float *x, const float *gain,
                     int half, void *y, float *rstd);

    /// dx = beta dx + the gradient of x rstd (gain + offset), gain[length] being that of every segment, with parts
    /// of the gain's gradient for add_parts: parts[rows / CK_PART_ROWS rounded up, length]. dy and dx, which may
    /// be the same, lie as x does.
    void (*rms_gradient)(const ck_segments *segments, float offset, const float *dy, const float *x,
                         const float *gain, const float *rstd, float beta, float *dx, float *parts);

    // ---- gate.h -------------------------------------------------------------------------

    /// y[rows, width] = f(x[rows, width]) or, if `gated`, f(a) b of rows x = (a, b), each of `width` numbers. y is
    /// float32, or rounded to bfloat16 if `half`.
    void (*gate)(long rows, long width, ck_gate_kind kind, int gated, const float *x, int half, void *y);

    /// The gradient of gate in the shape of x, float32 or rounded to bfloat16 if `half`.
    void (*gate_gradient)(long rows, long width, ck_gate_kind kind, int gated, const float *dy, const float *x,
                          int half, void *dx);

    /// y = cap tanh(x / cap); y may be x.
    void (*soft_cap)(long count, float cap, const float *x, float *y);

    /// dx = dy (1 - (y / cap)^2), y being what soft_cap gave; dx may be dy.
    void (*soft_cap_gradient)(long count, float cap, const float *dy, const float *y, float *dx);

    // ---- grouped.h ----------------------------------------------------------------------

    /// Rows (heads queries, groups keys, groups values) of `size` numbers each to q [batch, heads, time, size] and
    /// k and v [batch, groups copies, time, size]: normed, turned by the angles, q scaled.
    void (*grouped_heads)(const ck_grouped *shape, const float *joint, const float *cosine, const float *sine,
                          const ck_head_norm *q_norm, const ck_head_norm *k_norm, void *q, void *k, void *v);

    /// The gradient of grouped_heads with regard to what the norms give, float32 or rounded to bfloat16 if
    /// `half`; dk and dv of all copies are added up.
    void (*grouped_heads_gradient)(const ck_grouped *shape, const float *dq, const float *dk, const float *dv,
                                   const float *cosine, const float *sine, int half, void *joint);

    // ---- window.h -----------------------------------------------------------------------

    /// attend within a window, with capped scores.
    int (*attend_window)(const ck_window *shape, const float *q, const float *k, const float *v, float *out,
                         float *lse);

    /// Gradients of attend_window; probabilities are computed again from lse.
    int (*attend_window_gradient)(const ck_window *shape, const float *q, const float *k, const float *v,
                                  const float *out, const float *lse, const float *dout, float *dq, float *dk,
                                  float *dv);

    /// One query per head against cached keys `first` ..< `time`: q[heads, size], keys and values
    /// [groups, capacity, size], out[heads, size].
    int (*attend_one_grouped)(long heads, long groups, long size, long first, long time, long capacity, float cap,
                              const float *q, const float *k, const float *v, float *out);

    // ---- loss.h --------------------------------------------------------------------------

    /// y[i] = table[ids[i]], rows of `width`. Ids must be valid.
    void (*rows)(long count, long width, const int32_t *ids, const float *table, float *y);

    /// dtable[ids[i]] += dy[i], in the order of i for each row.
    void (*rows_gradient)(long count, long width, long table_rows, const int32_t *ids, const float *dy,
                          float *dtable);

    /// losses[i] = -log softmax(logits[i])[targets[i]], 0 where the target is negative. With `gradient`,
    /// logits become scale times the gradient of the sum of losses: in place if `gradient` is 1; if it is 2,
    /// as bfloat16 numbers at the beginning of each row, whose stride is then 2 width.
    void (*cross_entropy)(long rows, long width, const int32_t *targets, int gradient, float scale,
                          float *logits, double *losses);

    // ---- optimizers.h --------------------------------------------------------------------

    /// Sum of squares in double, over blocks of fixed size added in order.
    double (*sum_squares)(long count, const float *x);

    /// One AdamW step on `count` numbers.
    void (*adamw)(long count, const ck_adamw_step *step, const float *gradient, float *value,
                  float *first, float *second);

    /// One step of SGD with momentum on `count` numbers.
    void (*sgd)(long count, const ck_momentum_step *step, const float *gradient, float *value,
                float *momentum);

    /// Takes a gradient into its running mean.
    void (*average)(long count, const ck_momentum_step *step, const float *gradient, float *momentum);

    /// What a step follows, which is the running mean after this gradient, or with `nesterov` that looked ahead; the mean itself
    /// stays as it is.
    void (*ahead)(long count, const ck_momentum_step *step, const float *gradient, const float *momentum,
                  float *direction);

    /// value = keep value - rate direction.
    void (*follow)(long count, float keep, float rate, const float *direction, float *value);

    // ---- elementwise.h -------------------------------------------------------------------

    /// y = a op b; step 0 repeats the first number of an operand, step 1 walks it.
    void (*binary)(ck_binary_kind kind, long count, const float *a, long step_a, const float *b,
                   long step_b, float *y);

    /// y = op(x).
    void (*unary)(ck_unary_kind kind, long count, const float *x, float *y);

    /// y = a x + beta y.
    void (*axpby)(long count, float a, const float *x, float beta, float *y);

    /// x = 0.
    void (*zero)(long count, float *x);

    /// y = condition != 0 ? a : b.
    void (*where)(long count, const float *condition, const float *a, const float *b, float *y);

    /// Rounds to the nearest bfloat16, kept as float32 (ties to even; infinities and NaN stay).
    void (*round_bf16)(long count, const float *x, float *y);

    /// Rounds to the nearest bfloat16.
    void (*to_bf16)(long count, const float *x, uint16_t *y);

    // ---- reduce.h ------------------------------------------------------------------------

    /// Copies a strided array of `rank` <= 8 axes into a contiguous one.
    void (*gather_strided)(int rank, const long *sizes, const long *strides, const float *x, float *y);

    /// y[outer, inner] from x[outer, axis, inner]; sums in double; the first of equal maxima wins; a NaN
    /// is the maximum and the minimum of any numbers with it.
    void (*reduce)(ck_reduce_kind kind, long outer, long axis, long inner, const float *x, float *y);
} ck_kernels;

// ---- levels.c -------------------------------------------------------------------------------

/// How many levels this processor has, 1 or more: level 0 is that of any processor of its kind.
int ck_levels(void);

/// What level `level` is called, such as `avx2`.
const char *ck_level_name(int level);

/// The kernels of a level that this processor has.
const ck_kernels *ck_kernels_of(int level);

/// The level in use: the highest, or the one that MTREPL_KERNELS names. It is chosen at the first call, on any thread.
int ck_level(void);

/// The kernels of the level in use.
const ck_kernels *ck_kernels_in_use(void);

/// What MTREPL_KERNELS says, if it names no level of this processor (the lowest is then in use); NULL otherwise.
const char *ck_refused(void);

/// The instructions that the matrix libraries use in this process, such as `oneDNN avx2, OpenBLAS Zen`.
const char *ck_libraries(void);

/// The libraries of products with their versions, such as `OpenBLAS 0.3.21, oneDNN 2.6.3`.
const char *ck_library_versions(void);

/// Whether the system would map so many more bytes into this process now.
int ck_has_room(size_t bytes);

#endif
