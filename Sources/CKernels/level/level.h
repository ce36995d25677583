// The kernels of one level of instructions: included by the file of the level, which says what it is.
//
// CK_TABLE      the name of the table that the kernels are put in
// CK_TARGET     the instructions, as __attribute__((target)) names them; not defined for those that every processor has
// CK_WIDE       whether they have 512-bit vectors
// CK_BF16       whether they multiply bfloat16
//
// How wide the vectors of a loop are follows from the instructions. Where sums may be regrouped it decides about their bits,
// as do fused products: levels agree within rounding, not in bits.
#include "../internal.h"
#include "CPool.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>
#if CK_BF16
#include <immintrin.h>
#endif

#define CK_PRAGMA(text) _Pragma(#text)
#define CK_PUSH(target_names) CK_PRAGMA(clang attribute push(__attribute__((target(target_names))), apply_to = function))
#ifdef CK_TARGET
CK_PUSH(CK_TARGET)
#endif
// A product and a sum of one expression are fused where the level has an instruction for it.
#pragma clang fp contract(on)

#include "vector.h"

#include "gelu.h"
#include "activation.h"
#include "elementwise.h"
#include "gemm.h"
#include "attention.h"
#include "gate.h"
#include "gemv.h"
#include "grouped.h"
#include "heads.h"
#include "loss.h"
#include "norm.h"
#include "optimizers.h"
#include "reduce.h"
#include "rms.h"
#include "window.h"

const ck_kernels CK_TABLE = {
    .is_wide = CK_WIDE,
#define CK_ENTRY(name) .name = ck_##name,
    CK_ENTRY(gemm) CK_ENTRY(has_bf16) CK_ENTRY(gemm_batch) CK_ENTRY(gemv) CK_ENTRY(gemv_bf16)
    CK_ENTRY(layer_norm) CK_ENTRY(layer_norm_input) CK_ENTRY(layer_norm_weights)
    CK_ENTRY(column_sums) CK_ENTRY(add_parts) CK_ENTRY(gelu) CK_ENTRY(gelu_gradient)
    CK_ENTRY(gelu_gradient_rows) CK_ENTRY(softmax) CK_ENTRY(softmax_gradient) CK_ENTRY(heads)
    CK_ENTRY(heads_gradient) CK_ENTRY(heads_gradient_rows) CK_ENTRY(attend)
    CK_ENTRY(attend_gradient) CK_ENTRY(attends_bf16) CK_ENTRY(attend_one) CK_ENTRY(rows)
    CK_ENTRY(rows_gradient) CK_ENTRY(cross_entropy) CK_ENTRY(sum_squares) CK_ENTRY(adamw)
    CK_ENTRY(sgd) CK_ENTRY(average) CK_ENTRY(ahead) CK_ENTRY(follow) CK_ENTRY(binary)
    CK_ENTRY(unary) CK_ENTRY(axpby) CK_ENTRY(zero) CK_ENTRY(where) CK_ENTRY(round_bf16)
    CK_ENTRY(to_bf16) CK_ENTRY(gather_strided) CK_ENTRY(reduce) CK_ENTRY(gate)
    CK_ENTRY(gate_gradient) CK_ENTRY(soft_cap) CK_ENTRY(soft_cap_gradient) CK_ENTRY(rms)
    CK_ENTRY(rms_norm) CK_ENTRY(rms_gradient) CK_ENTRY(grouped_heads)
    CK_ENTRY(grouped_heads_gradient) CK_ENTRY(attend_window) CK_ENTRY(attend_window_gradient)
    CK_ENTRY(attend_one_grouped)
#if CK_BF16
    CK_ENTRY(gemm_bf16) CK_ENTRY(attend_bf16) CK_ENTRY(attend_bf16_gradient)
#endif
};

#ifdef CK_TARGET
#pragma clang attribute pop
#endif
