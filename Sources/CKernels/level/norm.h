// Layer norm, and sums over rows.

enum { COLUMNS = 32 };  // in a unit of the sums over rows

typedef struct {
    long rows, width;
    float epsilon, beta;
    const float *x, *gain, *bias, *dy, *mean_in, *rstd_in;
    float *y, *mean, *rstd;
    uint16_t *narrow;
} norm;

static void normalise(void *context, long unit) {
    CK_REASSOCIATE
    const norm *p = context;
    long width = p->width, end = ck_min(p->rows, (unit + 1) * CK_PART_ROWS);
    for (long row = unit * CK_PART_ROWS; row < end; row++) {
        const float *x = p->x + row * width;
        float sum = 0;
        for (long i = 0; i < width; i++) sum += x[i];
        float mean = sum / (float)width, squares = 0;
        for (long i = 0; i < width; i++) squares += (x[i] - mean) * (x[i] - mean);
        float rstd = 1.0f / __builtin_sqrtf(squares / (float)width + p->epsilon);
        if (p->narrow == NULL) {
            float *y = p->y + row * width;
            for (long i = 0; i < width; i++) y[i] = (x[i] - mean) * rstd * p->gain[i] + p->bias[i];
        } else {
            for (long first = 0; first < width; first += CK_PIECE) {
                float y[CK_PIECE];
                const float *z = x + first, *gain = p->gain + first, *bias = p->bias + first;
                long count = ck_min(CK_PIECE, width - first);
                for (long i = 0; i < count; i++) y[i] = (z[i] - mean) * rstd * gain[i] + bias[i];
                ck_row_to_bf16(count, y, p->narrow + row * width + first);
            }
        }
        p->mean[row] = mean;
        p->rstd[row] = rstd;
    }
}

static void ck_layer_norm(long rows, long width, float epsilon, const float *x, const float *gain,
                   const float *bias, int half, void *y, float *mean, float *rstd) {
    norm p = { .rows = rows, .width = width, .epsilon = epsilon, .x = x, .gain = gain, .bias = bias,
               .y = y, .narrow = half ? y : NULL, .mean = mean, .rstd = rstd };
    cp_parallel(ck_blocks(rows, CK_PART_ROWS), normalise, &p);
}

static void input_gradient(void *context, long unit) {
    CK_REASSOCIATE
    const norm *p = context;
    long width = p->width, end = ck_min(p->rows, (unit + 1) * CK_PART_ROWS);
    for (long row = unit * CK_PART_ROWS; row < end; row++) {
        const float *x = p->x + row * width, *dy = p->dy + row * width;
        float *dx = p->y + row * width;
        float mean = p->mean_in[row], rstd = p->rstd_in[row], sum = 0, projected = 0;
        for (long i = 0; i < width; i++) {
            float g = dy[i] * p->gain[i];
            sum += g;
            projected += g * (x[i] - mean);
        }
        sum /= (float)width;
        projected *= rstd * rstd / (float)width;
        if (p->beta == 0)
            for (long i = 0; i < width; i++)
                dx[i] = rstd * (dy[i] * p->gain[i] - sum - (x[i] - mean) * projected);
        else
            for (long i = 0; i < width; i++)
                dx[i] += rstd * (dy[i] * p->gain[i] - sum - (x[i] - mean) * projected);
    }
}

static void ck_layer_norm_input(long rows, long width, const float *dy, const float *x, const float *gain,
                         const float *mean, const float *rstd, float beta, float *dx) {
    norm p = { .rows = rows, .width = width, .beta = beta, .x = x, .gain = gain, .dy = dy,
               .mean_in = mean, .rstd_in = rstd, .y = dx };
    cp_parallel(ck_blocks(rows, CK_PART_ROWS), input_gradient, &p);
}

// Sums over 64 rows are in float, sums of those in double: short sums are exact enough.
static void weight_gradient(void *context, long unit) {
    const norm *p = context;
    long first = unit * COLUMNS, columns = ck_min(COLUMNS, p->width - first);
    double gain[COLUMNS] = { 0 }, bias[COLUMNS] = { 0 };
    for (long start = 0; start < p->rows; start += CK_PART_ROWS) {
        float g[COLUMNS] = { 0 }, b[COLUMNS] = { 0 };
        long end = ck_min(p->rows, start + CK_PART_ROWS);
        for (long row = start; row < end; row++) {
            const float *dy = p->dy + row * p->width + first, *x = p->x + row * p->width + first;
            float mean = p->mean_in[row], rstd = p->rstd_in[row];
            for (long i = 0; i < columns; i++) {
                g[i] += dy[i] * ((x[i] - mean) * rstd);
                b[i] += dy[i];
            }
        }
        for (long i = 0; i < columns; i++) {
            gain[i] += (double)g[i];
            bias[i] += (double)b[i];
        }
    }
    for (long i = 0; i < columns; i++) {
        float *dgain = p->y + first + i, *dbias = p->mean + first + i;
        *dgain = (float)gain[i] + (p->beta == 0 ? 0 : *dgain);
        *dbias = (float)bias[i] + (p->beta == 0 ? 0 : *dbias);
    }
}

static void ck_layer_norm_weights(long rows, long width, const float *dy, const float *x,
                           const float *mean, const float *rstd, float beta, float *dgain,
                           float *dbias) {
    norm p = { .rows = rows, .width = width, .beta = beta, .x = x, .dy = dy, .mean_in = mean,
               .rstd_in = rstd, .y = dgain, .mean = dbias };
    cp_parallel(ck_blocks(width, COLUMNS), weight_gradient, &p);
}

static void column_sums(void *context, long unit) {
    const norm *p = context;
    long first = unit * COLUMNS, columns = ck_min(COLUMNS, p->width - first);
    double total[COLUMNS] = { 0 };
    for (long start = 0; start < p->rows; start += CK_PART_ROWS) {
        float part[COLUMNS] = { 0 };
        long end = ck_min(p->rows, start + CK_PART_ROWS);
        for (long row = start; row < end; row++) {
            const float *x = p->x + row * p->width + first;
            for (long i = 0; i < columns; i++) part[i] += x[i];
        }
        for (long i = 0; i < columns; i++) total[i] += (double)part[i];
    }
    float *out = p->y + first;
    for (long i = 0; i < columns; i++) out[i] = (float)total[i] + (p->beta == 0 ? 0 : out[i]);
}

static void ck_column_sums(long rows, long width, const float *x, float beta, float *out) {
    norm p = { .rows = rows, .width = width, .beta = beta, .x = x, .y = out };
    cp_parallel(ck_blocks(width, COLUMNS), column_sums, &p);
}

static void add_parts(void *context, long unit) {
    const norm *p = context;
    long first = unit * COLUMNS, columns = ck_min(COLUMNS, p->width - first);
    double total[COLUMNS] = { 0 };
    for (long row = 0; row < p->rows; row++)
        for (long i = 0; i < columns; i++) total[i] += (double)p->x[row * p->width + first + i];
    float *out = p->y + first;
    for (long i = 0; i < columns; i++) out[i] = (float)total[i] + (p->beta == 0 ? 0 : out[i]);
}

static void ck_add_parts(long count, long width, const float *parts, float beta, float *out) {
    norm p = { .rows = count, .width = width, .beta = beta, .x = parts, .y = out };
    cp_parallel(ck_blocks(width, COLUMNS), add_parts, &p);
}
