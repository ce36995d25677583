// Kernels of decoders with RMS norms, gated feed-forward parts and grouped heads. The rules of kernels.h hold.
#ifndef CK_DECODER_H
#define CK_DECODER_H

#include "kernels.h"

// ---- rms.c ----------------------------------------------------------------------------------

/// Rows of `stride` numbers, whose first `segments` times `length` numbers are normed segment by segment.
typedef struct {
    long rows, stride, segments, length;
} ck_segments;

/// rstd[rows, segments] = 1 / sqrt(the mean of the squares + epsilon) of each segment.
void ck_rms(const ck_segments *segments, float epsilon, const float *x, float *rstd);

/// y = x rstd (gain + offset) over rows of `width`; rstd of each row is kept. y is float32, or rounded to
/// bfloat16 if `half`.
void ck_rms_norm(long rows, long width, float epsilon, float offset, const float *x, const float *gain,
                 int half, void *y, float *rstd);

/// dx = beta dx + the gradient of x rstd (gain + offset), gain[length] being that of every segment, with parts
/// of the gain's gradient for ck_add_parts: parts[rows / CK_PART_ROWS rounded up, length]. dy and dx, which may
/// be the same, lie as x does.
void ck_rms_gradient(const ck_segments *segments, float offset, const float *dy, const float *x,
                     const float *gain, const float *rstd, float beta, float *dx, float *parts);

// ---- gate.c ---------------------------------------------------------------------------------

typedef enum { CK_GATE_SILU, CK_GATE_GELU, CK_GATE_GELU_TANH, CK_GATE_RELU, CK_GATE_RELU2 } ck_gate_kind;

/// y[rows, width] = f(x[rows, width]) or, if `gated`, f(a) b of rows x = (a, b), each of `width` numbers. y is
/// float32, or rounded to bfloat16 if `half`.
void ck_gate(long rows, long width, ck_gate_kind kind, int gated, const float *x, int half, void *y);

/// The gradient of ck_gate in the shape of x, float32 or rounded to bfloat16 if `half`.
void ck_gate_gradient(long rows, long width, ck_gate_kind kind, int gated, const float *dy, const float *x,
                      int half, void *dx);

/// y = cap tanh(x / cap); y may be x.
void ck_soft_cap(long count, float cap, const float *x, float *y);

/// dx = dy (1 - (y / cap)^2), y being what ck_soft_cap gave; dx may be dy.
void ck_soft_cap_gradient(long count, float cap, const float *dy, const float *y, float *dx);

// ---- grouped.c ------------------------------------------------------------------------------

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

/// Rows (heads queries, groups keys, groups values) of `size` numbers each to q [batch, heads, time, size] and
/// k and v [batch, groups copies, time, size]: normed, turned by the angles, q scaled.
void ck_grouped_heads(const ck_grouped *shape, const float *joint, const float *cosine, const float *sine,
                      const ck_head_norm *q_norm, const ck_head_norm *k_norm, void *q, void *k, void *v);

/// The gradient of ck_grouped_heads with regard to what the norms give, float32 or rounded to bfloat16 if
/// `half`; dk and dv of all copies are added up.
void ck_grouped_heads_gradient(const ck_grouped *shape, const float *dq, const float *dk, const float *dv,
                               const float *cosine, const float *sine, int half, void *joint);

// ---- window.c -------------------------------------------------------------------------------

typedef struct {
    long batch, time, heads, size;
    long window;  ///< positions that a query sees, its own included; 0 for all
    float cap;    ///< scores become cap tanh(score / cap); 0 for no cap
    int round;    ///< operands of products are rounded to bfloat16
} ck_window;

/// ck_attend within a window, with capped scores.
int ck_attend_window(const ck_window *shape, const float *q, const float *k, const float *v, float *out,
                     float *lse);

/// Gradients of ck_attend_window; probabilities are computed again from lse.
int ck_attend_window_gradient(const ck_window *shape, const float *q, const float *k, const float *v,
                              const float *out, const float *lse, const float *dout, float *dq, float *dk,
                              float *dv);

/// One query per head against cached keys `first` ..< `time`: q[heads, size], keys and values
/// [groups, capacity, size], out[heads, size].
int ck_attend_one_grouped(long heads, long groups, long size, long first, long time, long capacity, float cap,
                          const float *q, const float *k, const float *v, float *out);

#endif
