// Products of bfloat16 matrices by oneDNN, where the processor has instructions for them. Primitives
// are made once per thread and shape; their arguments are replaced at each call. They are freed with the thread, and all
// of them when there are too many, as batches of ever new shapes would make.
#include "internal.h"
#include "libraries.h"

#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int transpose_a, transpose_b, accumulate;
    long m, n, k, lda, ldb, ldc;
} key;

typedef struct entry {
    key key;
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, c;
    struct entry *next;
} entry;

enum { BUCKETS = 256, MOST = 1024 };

typedef struct {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    entry *bucket[BUCKETS];
    int count;
} library;

static pthread_key_t libraries;
static int has_key;

static void forget(entry *e) {
    if (e->primitive != NULL) dnnl_primitive_destroy(e->primitive);
    if (e->a != NULL) dnnl_memory_destroy(e->a);
    if (e->b != NULL) dnnl_memory_destroy(e->b);
    if (e->c != NULL) dnnl_memory_destroy(e->c);
    free(e);
}

static void forget_all(library *l) {
    for (int i = 0; i < BUCKETS; i++)
        while (l->bucket[i] != NULL) {
            entry *e = l->bucket[i];
            l->bucket[i] = e->next;
            forget(e);
        }
    l->count = 0;
}

static void end(void *held) {
    library *l = held;
    forget_all(l);
    if (l->stream != NULL) dnnl_stream_destroy(l->stream);
    if (l->engine != NULL) dnnl_engine_destroy(l->engine);
    free(l);
}

static void prepare(void) { has_key = pthread_key_create(&libraries, end) == 0; }

// The calling thread's part of the library; NULL if there is no memory.
static library *start(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static _Thread_local library *own;
    if (own != NULL) return own;
    if (!ck_prepare_dnnl()) return NULL;
    ck_quiet_libraries();
    pthread_once(&once, prepare);
    library *l = calloc(1, sizeof *l);
    if (l == NULL) return NULL;
    if (has_key && dnnl_engine_create(&l->engine, dnnl_cpu, 0) == dnnl_success
        && dnnl_stream_create(&l->stream, l->engine, dnnl_stream_default_flags) == dnnl_success
        && pthread_setspecific(libraries, l) == 0) {
        own = l;
        return own;
    }
    end(l);
    return NULL;
}

static int describe(dnnl_memory_desc_t *desc, long rows, long columns, int transposed, long stride,
                    dnnl_data_type_t type) {
    dnnl_dims_t dims = { rows, columns };
    dnnl_dims_t strides = { transposed ? 1 : stride, transposed ? stride : 1 };
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides) == dnnl_success;
}

static entry *create(const library *l, const key *k) {
    // Its code is written without asking whether there is memory for it.
    if (!ck_has_room((size_t)8 << 20)) return NULL;
    dnnl_memory_desc_t a, b, c;
    if (!describe(&a, k->m, k->k, k->transpose_a, k->lda, dnnl_bf16)
        || !describe(&b, k->k, k->n, k->transpose_b, k->ldb, dnnl_bf16)
        || !describe(&c, k->m, k->n, 0, k->ldc, dnnl_f32))
        return NULL;
    entry *e = calloc(1, sizeof *e);
    if (e == NULL) return NULL;
    e->key = *k;
    dnnl_matmul_desc_t operation;
    dnnl_primitive_desc_t made = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t after = NULL;
    int good = dnnl_matmul_desc_init(&operation, &a, &b, NULL, &c) == dnnl_success
               && dnnl_primitive_attr_create(&attributes) == dnnl_success;
    if (good && k->accumulate)
        good = dnnl_post_ops_create(&after) == dnnl_success
               && dnnl_post_ops_append_sum(after, 1.0f) == dnnl_success
               && dnnl_primitive_attr_set_post_ops(attributes, after) == dnnl_success;
    good = good
           && dnnl_primitive_desc_create(&made, &operation, attributes, l->engine, NULL) == dnnl_success
           && dnnl_primitive_create(&e->primitive, made) == dnnl_success
           && dnnl_memory_create(&e->a, &a, l->engine, DNNL_MEMORY_NONE) == dnnl_success
           && dnnl_memory_create(&e->b, &b, l->engine, DNNL_MEMORY_NONE) == dnnl_success
           && dnnl_memory_create(&e->c, &c, l->engine, DNNL_MEMORY_NONE) == dnnl_success;
    if (made != NULL) dnnl_primitive_desc_destroy(made);
    if (after != NULL) dnnl_post_ops_destroy(after);
    if (attributes != NULL) dnnl_primitive_attr_destroy(attributes);
    if (good) return e;
    forget(e);
    return NULL;
}

static entry *find(library *l, const key *k) {
    unsigned long hash = 1469598103934665603ul;
    const long parts[] = { k->m, k->n, k->k, k->lda, k->ldb, k->ldc,
                           k->transpose_a + 2 * k->transpose_b + 4 * k->accumulate };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hash = (hash ^ (unsigned long)parts[i]) * 1099511628211ul;
    entry **bucket = &l->bucket[(hash >> 32) % BUCKETS];
    for (entry *e = *bucket; e != NULL; e = e->next)
        if (memcmp(&e->key, k, sizeof *k) == 0) return e;
    if (l->count == MOST) forget_all(l);
    entry *e = create(l, k);
    if (e == NULL) return NULL;
    e->next = *bucket;
    *bucket = e;
    l->count++;
    return e;
}

static int execute(const key *k, const uint16_t *a, const uint16_t *b, float *c) {
    library *l = start();
    entry *e = l == NULL ? NULL : find(l, k);
    if (e == NULL) return 0;
    dnnl_memory_set_data_handle(e->a, (void *)a);
    dnnl_memory_set_data_handle(e->b, (void *)b);
    dnnl_memory_set_data_handle(e->c, c);
    dnnl_exec_arg_t arguments[] = { { DNNL_ARG_SRC, e->a }, { DNNL_ARG_WEIGHTS, e->b }, { DNNL_ARG_DST, e->c } };
    return dnnl_primitive_execute(e->primitive, l->stream, 3, arguments) == dnnl_success
           && dnnl_stream_wait(l->stream) == dnnl_success;
}

int ck_gemm_bf16_unit(int transpose_a, int transpose_b, long m, long n, long k, const uint16_t *a,
                      long lda, const uint16_t *b, long ldb, float beta, float *c, long ldc) {
    key shape;
    memset(&shape, 0, sizeof shape);  // compared as bytes, padding included
    shape.transpose_a = transpose_a;
    shape.transpose_b = transpose_b;
    shape.accumulate = beta != 0;
    shape.m = m;
    shape.n = n;
    shape.k = k;
    shape.lda = lda;
    shape.ldb = ldb;
    shape.ldc = ldc;
    return execute(&shape, a, b, c) ? 0 : -1;
}

// Instructions alone do not promise that the library uses them well: every layout is tried once. -1 if there was no memory
// to try it.
static int probe(void) {
    enum { SIDE = 4 };
    uint16_t ones[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) ones[i] = 0x3f80;
    for (int layout = 0; layout < 8; layout++) {
        float c[SIDE * SIDE];
        for (int i = 0; i < SIDE * SIDE; i++) c[i] = 1.0f;
        float expected = layout & 4 ? SIDE + 1 : SIDE;
        if (ck_gemm_bf16_unit(layout & 1, layout >> 1 & 1, SIDE, SIDE, SIDE, ones, SIDE, ones, SIDE,
                              layout & 4 ? 1.0f : 0.0f, c, SIDE))
            return -1;
        for (int i = 0; i < SIDE * SIDE; i++)
            if (c[i] != expected) return 0;
    }
    return 1;
}

int ck_multiplies_bf16(void) {
    static atomic_int known = -1;
    int answer = atomic_load(&known);
    if (answer >= 0) return answer;
    answer = probe();
    // Want of memory must not choose other kernels, which give other bits: the product itself will fail.
    if (answer < 0) return 1;
    atomic_store(&known, answer);
    return answer;
}
