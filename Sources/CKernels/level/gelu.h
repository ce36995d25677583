// GELU number by number (Hendrycks and Gimpel 2016, arXiv 1606.08415).

// The normal distribution function by Abramowitz and Stegun 7.1.26 on z = |x| / sqrt(2); *density
// receives exp(-x^2/2), which the formula needs anyway. The tail keeps its relative precision.
static inline float normal_cdf(float x, float *density) {
    float z = (x < 0 ? -x : x) * 0.70710678f;
    float e = ck_exp(-0.5f * x * x);
    float t = 1.0f / (1.0f + 0.3275911f * z);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    float tail = 0.5f * p * t * e;
    *density = e;
    return x < 0 ? tail : 1.0f - tail;
}

static inline float gelu_slope(float v, int tanh_form) {
    if (!tanh_form) {
        float density, cdf = normal_cdf(v, &density);
        return cdf + v * 0.3989422804f * density;
    }
    float u = 0.7978845608f * (v + 0.044715f * v * v * v);
    float s = 1.0f / (1.0f + ck_exp(-2.0f * u));
    return s + v * s * (1.0f - s) * 2.0f * 0.7978845608f * (1.0f + 0.134145f * v * v);
}
