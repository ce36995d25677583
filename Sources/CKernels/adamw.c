// AdamW in one pass, and the norm it clips by.
#include "kernels.h"
#include "CPool.h"
#include "vector.h"

enum { BLOCK = 16384, GROUP = 4096 };  // numbers in a unit; units whose sums are kept at once

typedef struct {
    long count;
    const ck_adamw_step *step;
    const float *gradient;
    float *value, *first, *second;
    double *sums;
} update;

static void squares(void *context, long unit) {
    CK_REASSOCIATE
    const update *p = context;
    long first = unit * BLOCK, end = ck_min(p->count, first + BLOCK);
    double sum = 0;
    for (long i = first; i < end; i++) sum += (double)p->gradient[i] * (double)p->gradient[i];
    p->sums[unit] = sum;
}

double ck_sum_squares(long count, const float *x) {
    double sums[GROUP], total = 0;
    for (long done = 0; done < count; done += (long)GROUP * BLOCK) {
        update p = { .count = ck_min((long)GROUP * BLOCK, count - done), .gradient = x + done,
                     .sums = sums };
        long units = ck_blocks(p.count, BLOCK);
        cp_parallel(units, squares, &p);
        for (long i = 0; i < units; i++) total += sums[i];
    }
    return total;
}

static void adamw(void *context, long unit) {
    const update *p = context;
    const ck_adamw_step s = *p->step;
    long start = unit * BLOCK, count = ck_min(BLOCK, p->count - start);
    const float *gradient = p->gradient + start;
    float *restrict value = p->value + start;
    float *restrict first = p->first + start;
    float *restrict second = p->second + start;
    float rest1 = 1.0f - s.beta1, rest2 = 1.0f - s.beta2;
    for (long i = 0; i < count; i++) {
        float g = gradient[i] * s.clip;
        float m = s.beta1 * first[i] + rest1 * g;
        float v = s.beta2 * second[i] + rest2 * g * g;
        first[i] = m;
        second[i] = v;
        value[i] = value[i] * s.keep - s.rate * m / (__builtin_elementwise_sqrt(v) * s.root + s.epsilon);
    }
}

void ck_adamw(long count, const ck_adamw_step *step, const float *gradient, float *value,
              float *first, float *second) {
    update p = { .count = count, .step = step, .gradient = gradient, .value = value, .first = first,
                 .second = second };
    cp_parallel(ck_blocks(count, BLOCK), adamw, &p);
}
