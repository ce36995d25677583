// The steps of optimizers in one pass over the numbers, and the norm that they clip by.

enum { GROUP = 4096 };  // units whose sums are kept at once

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
    long first = unit * CK_BLOCK, end = ck_min(p->count, first + CK_BLOCK);
    double sum = 0;
    for (long i = first; i < end; i++) sum += (double)p->gradient[i] * (double)p->gradient[i];
    p->sums[unit] = sum;
}

static double ck_sum_squares(long count, const float *x) {
    double sums[GROUP], total = 0;
    for (long done = 0; done < count; done += (long)GROUP * CK_BLOCK) {
        update p = { .count = ck_min((long)GROUP * CK_BLOCK, count - done), .gradient = x + done,
                     .sums = sums };
        long units = ck_blocks(p.count, CK_BLOCK);
        cp_parallel(units, squares, &p);
        for (long i = 0; i < units; i++) total += sums[i];
    }
    return total;
}

static void adamw(void *context, long unit) {
    const update *p = context;
    const ck_adamw_step s = *p->step;
    long start = unit * CK_BLOCK, count = ck_min(CK_BLOCK, p->count - start);
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

static void ck_adamw(long count, const ck_adamw_step *step, const float *gradient, float *value,
              float *first, float *second) {
    update p = { .count = count, .step = step, .gradient = gradient, .value = value, .first = first,
                 .second = second };
    cp_parallel(ck_blocks(count, CK_BLOCK), adamw, &p);
}

typedef struct {
    long count;
    const ck_momentum_step *step;
    const float *gradient;
    float *target, *momentum;
} moving;

static void sgd(void *context, long unit) {
    const moving *p = context;
    const ck_momentum_step s = *p->step;
    long start = unit * CK_BLOCK, count = ck_min(CK_BLOCK, p->count - start);
    const float *gradient = p->gradient + start;
    float *restrict value = p->target + start;
    float *restrict momentum = p->momentum + start;
    if (s.nesterov)
        for (long i = 0; i < count; i++) {
            float g = gradient[i] * s.clip + s.decay * value[i];
            float m = s.momentum * momentum[i] + g;
            momentum[i] = m;
            value[i] -= s.rate * (g + s.momentum * m);
        }
    else
        for (long i = 0; i < count; i++) {
            float g = gradient[i] * s.clip + s.decay * value[i];
            float m = s.momentum * momentum[i] + g;
            momentum[i] = m;
            value[i] -= s.rate * m;
        }
}

static void ck_sgd(long count, const ck_momentum_step *step, const float *gradient, float *value,
            float *momentum) {
    moving p = { .count = count, .step = step, .gradient = gradient, .target = value,
                 .momentum = momentum };
    cp_parallel(ck_blocks(count, CK_BLOCK), sgd, &p);
}

static void average(void *context, long unit) {
    const moving *p = context;
    const ck_momentum_step s = *p->step;
    long start = unit * CK_BLOCK, count = ck_min(CK_BLOCK, p->count - start);
    const float *gradient = p->gradient + start;
    float *restrict momentum = p->momentum + start;
    float rest = 1.0f - s.momentum;
    for (long i = 0; i < count; i++)
        momentum[i] = s.momentum * momentum[i] + rest * (gradient[i] * s.clip);
}

static void ck_average(long count, const ck_momentum_step *step, const float *gradient, float *momentum) {
    moving p = { .count = count, .step = step, .gradient = gradient, .momentum = momentum };
    cp_parallel(ck_blocks(count, CK_BLOCK), average, &p);
}

static void ahead(void *context, long unit) {
    const moving *p = context;
    const ck_momentum_step s = *p->step;
    long start = unit * CK_BLOCK, count = ck_min(CK_BLOCK, p->count - start);
    const float *gradient = p->gradient + start;
    const float *momentum = p->momentum + start;
    float *restrict direction = p->target + start;
    float rest = 1.0f - s.momentum;
    if (s.nesterov)
        for (long i = 0; i < count; i++) {
            float g = rest * (gradient[i] * s.clip);
            direction[i] = g + s.momentum * (s.momentum * momentum[i] + g);
        }
    else
        for (long i = 0; i < count; i++)
            direction[i] = s.momentum * momentum[i] + rest * (gradient[i] * s.clip);
}

static void ck_ahead(long count, const ck_momentum_step *step, const float *gradient, const float *momentum,
              float *direction) {
    moving p = { .count = count, .step = step, .gradient = gradient, .target = direction,
                 .momentum = (float *)momentum };
    cp_parallel(ck_blocks(count, CK_BLOCK), ahead, &p);
}

typedef struct {
    long count;
    float keep, rate;
    const float *direction;
    float *value;
} following;

static void follow(void *context, long unit) {
    const following *p = context;
    long start = unit * CK_BLOCK, count = ck_min(CK_BLOCK, p->count - start);
    const float *direction = p->direction + start;
    float *restrict value = p->value + start;
    for (long i = 0; i < count; i++) value[i] = value[i] * p->keep - p->rate * direction[i];
}

static void ck_follow(long count, float keep, float rate, const float *direction, float *value) {
    following p = { .count = count, .keep = keep, .rate = rate, .direction = direction, .value = value };
    cp_parallel(ck_blocks(count, CK_BLOCK), follow, &p);
}
