// RMS norm (Zhang and Sennrich 2019, arXiv 1910.07467) of rows, or of the heads within rows.

enum { RMS_ROWS = CK_PART_ROWS };

typedef struct {
    ck_segments s;
    float epsilon, offset, beta;
    const float *x, *gain, *dy, *rstd_in;
    float *y, *rstd, *parts;
    uint16_t *narrow;
} rms_work;

static float rms_inverse_root(long length, const float *x, float epsilon) {
    CK_REASSOCIATE
    float squares = 0;
    for (long i = 0; i < length; i++) squares += x[i] * x[i];
    return 1.0f / __builtin_sqrtf(squares / (float)length + epsilon);
}

static void rms_measure(void *context, long unit) {
    const rms_work *p = context;
    const ck_segments *s = &p->s;
    long end = ck_min(s->rows, (unit + 1) * RMS_ROWS);
    for (long row = unit * RMS_ROWS; row < end; row++)
        for (long segment = 0; segment < s->segments; segment++)
            p->rstd[row * s->segments + segment] =
                rms_inverse_root(s->length, p->x + row * s->stride + segment * s->length, p->epsilon);
}

static void ck_rms(const ck_segments *segments, float epsilon, const float *x, float *rstd) {
    rms_work p = { .s = *segments, .epsilon = epsilon, .x = x, .rstd = rstd };
    cp_parallel(ck_blocks(segments->rows, RMS_ROWS), rms_measure, &p);
}

static void rms_normalise(void *context, long unit) {
    const rms_work *p = context;
    long width = p->s.length, end = ck_min(p->s.rows, (unit + 1) * RMS_ROWS);
    for (long row = unit * RMS_ROWS; row < end; row++) {
        const float *x = p->x + row * width;
        float rstd = rms_inverse_root(width, x, p->epsilon);
        if (p->narrow == NULL) {
            float *y = p->y + row * width;
            for (long i = 0; i < width; i++) y[i] = x[i] * rstd * (p->gain[i] + p->offset);
        } else {
            for (long first = 0; first < width; first += CK_PIECE) {
                float y[CK_PIECE];
                const float *z = x + first, *gain = p->gain + first;
                long count = ck_min(CK_PIECE, width - first);
                for (long i = 0; i < count; i++) y[i] = z[i] * rstd * (gain[i] + p->offset);
                ck_row_to_bf16(count, y, p->narrow + row * width + first);
            }
        }
        p->rstd[row] = rstd;
    }
}

static void ck_rms_norm(long rows, long width, float epsilon, float offset, const float *x, const float *gain,
                 int half, void *y, float *rstd) {
    rms_work p = { .s = { .rows = rows, .stride = width, .segments = 1, .length = width }, .epsilon = epsilon,
               .offset = offset, .x = x, .gain = gain, .y = y, .narrow = half ? y : NULL, .rstd = rstd };
    cp_parallel(ck_blocks(rows, RMS_ROWS), rms_normalise, &p);
}

static void rms_segment_gradient(const rms_work *p, const float *dy, const float *x, float rstd, float *parts,
                             float *dx) {
    CK_REASSOCIATE
    long length = p->s.length;
    const float *gain = p->gain;
    float projected = 0;
    for (long i = 0; i < length; i++) {
        float normed = x[i] * rstd;
        projected += dy[i] * (gain[i] + p->offset) * normed;
        parts[i] += dy[i] * normed;
    }
    projected *= rstd / (float)length;
    // dx may be dy: each number depends on that of its own place alone.
    if (p->beta == 0)
#pragma clang loop vectorize(assume_safety)
        for (long i = 0; i < length; i++) dx[i] = rstd * (dy[i] * (gain[i] + p->offset) - x[i] * projected);
    else
#pragma clang loop vectorize(assume_safety)
        for (long i = 0; i < length; i++) dx[i] += rstd * (dy[i] * (gain[i] + p->offset) - x[i] * projected);
}

static void rms_gradient(void *context, long unit) {
    const rms_work *p = context;
    const ck_segments *s = &p->s;
    float *parts = p->parts + unit * s->length;
    memset(parts, 0, (size_t)s->length * sizeof *parts);
    long end = ck_min(s->rows, (unit + 1) * RMS_ROWS);
    for (long row = unit * RMS_ROWS; row < end; row++)
        for (long segment = 0; segment < s->segments; segment++) {
            long at = row * s->stride + segment * s->length;
            rms_segment_gradient(p, p->dy + at, p->x + at, p->rstd_in[row * s->segments + segment], parts, p->y + at);
        }
}

static void ck_rms_gradient(const ck_segments *segments, float offset, const float *dy, const float *x,
                     const float *gain, const float *rstd, float beta, float *dx, float *parts) {
    rms_work p = { .s = *segments, .offset = offset, .beta = beta, .x = x, .gain = gain, .dy = dy, .rstd_in = rstd,
               .y = dx, .parts = parts };
    cp_parallel(ck_blocks(segments->rows, RMS_ROWS), rms_gradient, &p);
}
