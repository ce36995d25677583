// Rows of a table by id, and cross-entropy.

enum { TABLE_ROWS = 64, RANGES = 16 };  // rows in a unit; units of the gradient

typedef struct {
    long count, width, table_rows;
    const int32_t *ids;
    const float *x;
    float *y;
    int gradient;
    float scale;
    double *losses;
} rows;

static void gather(void *context, long unit) {
    const rows *p = context;
    long end = ck_min(p->count, (unit + 1) * TABLE_ROWS);
    for (long i = unit * TABLE_ROWS; i < end; i++)
        memcpy(p->y + i * p->width, p->x + p->ids[i] * p->width, (size_t)p->width * sizeof(float));
}

static void ck_rows(long count, long width, const int32_t *ids, const float *table, float *y) {
    rows p = { .count = count, .width = width, .ids = ids, .x = table, .y = y };
    cp_parallel(ck_blocks(count, TABLE_ROWS), gather, &p);
}

// Each unit owns a range of ids and walks all of them, so that a row is only ever added to in order.
static void scatter(void *context, long unit) {
    const rows *p = context;
    long first = unit * p->table_rows / RANGES, end = (unit + 1) * p->table_rows / RANGES;
    for (long i = 0; i < p->count; i++) {
        long id = p->ids[i];
        if (id < first || id >= end) continue;
        float *y = p->y + id * p->width;
        const float *x = p->x + i * p->width;
        for (long j = 0; j < p->width; j++) y[j] += x[j];
    }
}

static void ck_rows_gradient(long count, long width, long table_rows, const int32_t *ids, const float *dy,
                      float *dtable) {
    rows p = { .count = count, .width = width, .table_rows = table_rows, .ids = ids, .x = dy,
               .y = dtable };
    cp_parallel(RANGES, scatter, &p);
}

// Scales a row of exponentials and rounds it to bfloat16 in the first half of its own place: what is
// written never passes what is still to be read.
static void half_gradient(long width, long target, float factor, float scale, float *x) {
    enum { PART = 256 };
    float wide[PART];
    uint16_t narrow[PART];
    for (long first = 0; first < width; first += PART) {
        long count = ck_min(PART, width - first);
        for (long i = 0; i < count; i++) wide[i] = x[first + i] * factor;
        if (target >= first && target < first + count) wide[target - first] -= scale;
        ck_row_to_bf16(count, wide, narrow);
        memcpy((char *)x + 2 * first, narrow, 2 * (size_t)count);
    }
}

static void cross_entropy(void *context, long row) {
    CK_REASSOCIATE
    const rows *p = context;
    long width = p->width, target = p->ids[row];
    float *x = p->y + row * width;
    if (target < 0) {
        p->losses[row] = 0;
        if (p->gradient) memset(x, 0, (size_t)width * sizeof(float));
        return;
    }
    float top = ck_row_max(width, x), right = x[target], sum = 0;
    if (p->gradient) {
        for (long i = 0; i < width; i++) {
            float e = ck_exp(x[i] - top);
            x[i] = e;
            sum += e;
        }
        float factor = p->scale / sum;
        if (p->gradient == 2) {
            half_gradient(width, target, factor, p->scale, x);
        } else {
            for (long i = 0; i < width; i++) x[i] *= factor;
            x[target] -= p->scale;
        }
    } else {
        for (long i = 0; i < width; i++) sum += ck_exp(x[i] - top);
    }
    p->losses[row] = (double)top - (double)right + log((double)sum);
}

static void ck_cross_entropy(long count, long width, const int32_t *targets, int gradient, float scale,
                      float *logits, double *losses) {
    rows p = { .width = width, .ids = targets, .y = logits, .gradient = gradient, .scale = scale,
               .losses = losses };
    cp_parallel(count, cross_entropy, &p);
}
