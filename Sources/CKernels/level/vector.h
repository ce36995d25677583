// What several kernels share: a vectorisable exponential, maxima, rounding to bfloat16.

// Sums may be regrouped (so that they vectorise, in an order fixed by the compiler), but NaN and
// infinity keep their meaning, unlike under -ffast-math.
#define CK_REASSOCIATE _Pragma("clang fp reassociate(on) contract(fast)")

/// Numbers in a unit of work of what goes number by number.
enum { CK_BLOCK = 16384 };

/// Numbers computed at once where results are rounded to bfloat16 on the way to memory.
enum { CK_PIECE = 256 };

// exp to about 1e-7 relative, arguments held to [-87, 88]: range reduction by n ln 2 in two parts,
// then a polynomial of degree 6 on |r| <= ln(2)/2 (the classical Cephes coefficients).
static inline float ck_exp(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float n = __builtin_rintf(x * 1.44269504f);
    float r = x + n * -0.693359375f;
    r = r + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    int bits = ((int)n + 127) << 23;
    float scale;
    memcpy(&scale, &bits, 4);
    return p * scale;
}

// The maximum of a row, NaN ignored: sixteen running maxima, since a plain loop does not vectorise.
static inline float ck_row_max(long count, const float *x) {
    float lanes[16];
    for (int l = 0; l < 16; l++) lanes[l] = -__builtin_inff();
    long i = 0;
    for (; i + 16 <= count; i += 16)
        for (int l = 0; l < 16; l++) lanes[l] = x[i + l] > lanes[l] ? x[i + l] : lanes[l];
    for (; i < count; i++) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
    float best = lanes[0];
    for (int l = 1; l < 16; l++) best = lanes[l] > best ? lanes[l] : best;
    return best;
}

// The nearest bfloat16 as float32, ties to even.
static inline float ck_bf16(float x) {
    unsigned bits;
    memcpy(&bits, &x, 4);
    unsigned rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
    unsigned result = (bits & 0x7fffffffu) > 0x7f800000u ? (bits | 0x00400000u) & 0xffff0000u : rounded;
    float y;
    memcpy(&y, &result, 4);
    return y;
}

// Rounds a row to bfloat16.
static inline void ck_row_to_bf16(long count, const float *x, uint16_t *y) {
    long i = 0;
#if CK_BF16
    for (; i + 16 <= count; i += 16)
        _mm256_storeu_si256((__m256i *)(void *)(y + i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + i)));
#endif
    for (; i < count; i++) {
        float rounded = ck_bf16(x[i]);
        uint32_t bits;
        memcpy(&bits, &rounded, 4);
        y[i] = (uint16_t)(bits >> 16);
    }
}
