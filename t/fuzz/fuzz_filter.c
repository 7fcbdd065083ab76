
/*
 * Filters: an input is a filter and, after a zero byte, a document.
 *
 * The canonical text compiles to itself; a filter and its negation exclude
 * each other; what kz_filter_match() says a set says too, in which other
 * filters on the same paths come and go.
 *
 * sources: realtime/kz_filter.c realtime/kz_filter_canon.c
 * sources: realtime/kz_filter_check.c realtime/kz_filter_kind.c
 * sources: realtime/kz_filter_leaf.c realtime/kz_filter_match.c
 * sources: realtime/kz_filter_parse.c realtime/kz_filter_run.c
 * sources: realtime/kz_filter_set.c realtime/kz_filter_simplify.c
 * sources: realtime/kz_filter_span.c realtime/kz_filter_trie.c
 */

#include "kz_shim.h"
#include "realtime/kz_filter.h"
#include "util/kz_utf8.h"


#define DEPTH   128
#define OTHERS  8

#define check(cond)                                                           \
    if (!(cond)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);            \
        abort();                                                              \
    }


static ngx_pool_t  *pool;


static const char  *others[OTHERS] = {
    "{}",
    "{\"equals\":{\"a\":1}}",
    "{\"and\":[{\"equals\":{\"a.b\":\"x\"}},{\"range\":{\"c\":{\"gt\":1}}}]}",
    "{\"range\":{\"a\":{\"gte\":0,\"lt\":10}}}",
    "{\"exists\":\"a[\\\"x\\\"]\"}",
    "{\"missing\":\"a.b\"}",
    "{\"or\":[{\"exists\":\"a.b.c\"},{\"ids\":{\"values\":[\"i\"]}}]}",
    "{\"not\":{\"in\":{\"b\":[\"x\",\"y\"]}}}"
};


static void
is_text(const ngx_str_t *s)
{
    uint32_t  state;

    state = KZ_UTF8_START;

    check(kz_utf8_check(&state, s->data, s->len) == NGX_OK);
    check(state == KZ_UTF8_START);
}


/* NULL: refused */
static kz_filter_t *
compile(const void *text, size_t len)
{
    u_char              *copy;
    ngx_int_t            rc;
    kz_filter_t         *f;
    kz_json_val_t        v;
    kz_json_err_t        e;
    kz_filter_err_t      err;
    kz_filter_limits_t   limits;

    /* the filter must not refer to the text it was made of */

    copy = kz_shim_copy(text, len);
    f = NULL;

    if (kz_json_scan(copy, len, DEPTH, &v, &e) == NGX_OK) {

        limits.max_conditions = 64;
        limits.max_minterms = 0;
        limits.max_depth = 0;

        rc = kz_filter_compile(pool, &v, &limits, &f, &err);

        if (rc != NGX_OK) {
            f = NULL;
            check(err.fault != KZ_FILTER_NO_MEMORY);
            check(err.message1.len != 0 && err.message2.len != 0);
            is_text(&err.message1);
            is_text(&err.message2);
        }
    }

    free(copy);

    return f;
}


static void
count(void *owner, void *data)
{
    (void) data;

    (*(ngx_uint_t *) owner)++;
}


/* f among others, as far as they are in. */
static void
in_set(kz_filter_t *f, kz_json_val_t *doc, ngx_str_t *id, ngx_uint_t expected)
{
    ngx_uint_t        i, n, round, hits[OTHERS];
    kz_filter_t      *other[OTHERS];
    kz_filter_set_t  *set;
    kz_filter_ref_t  *ref[OTHERS], *self;

    set = kz_filter_set_create(&kz_shim_log);
    check(set != NULL);

    for (i = 0; i < OTHERS; i++) {
        other[i] = compile(others[i], strlen(others[i]));
        check(other[i] != NULL);

        ref[i] = kz_filter_set_add(set, other[i], &hits[i]);
        check(ref[i] != NULL);
    }

    self = kz_filter_set_add(set, f, &n);
    check(self != NULL);

    for (round = 0; round < 2; round++) {
        ngx_memzero(hits, sizeof(hits));
        n = 0;

        kz_filter_set_match(set, doc, id, count, NULL);

        check(n == (self ? expected : 0));

        for (i = 0; i < OTHERS; i++) {
            check(hits[i] == (ref[i] ? kz_filter_match(other[i], doc, id)
                                     : 0));

            if (ref[i] && (i & 1)) {
                kz_filter_set_remove(set, ref[i]);
                ref[i] = NULL;
            }
        }

        if (expected && self != NULL) {
            kz_filter_set_remove(set, self);
            self = NULL;
        }
    }

    kz_filter_set_destroy(set);
}


static void
one(const uint8_t *text, size_t len, const uint8_t *doc_text, size_t doc_len)
{
    u_char         *copy, *p;
    ngx_str_t       id, *canonical;
    ngx_uint_t      i, matched;
    kz_filter_t    *f, *g;
    kz_json_val_t   doc;
    kz_json_err_t   e;

    f = compile(text, len);

    if (f == NULL) {
        return;
    }

    canonical = kz_filter_text(f);
    is_text(canonical);

    g = compile(canonical->data, canonical->len);

    /* it may count more conditions than it was made of */

    check(g == NULL
          || (kz_filter_text(g)->len == canonical->len
              && memcmp(kz_filter_text(g)->data, canonical->data,
                        canonical->len) == 0));

    p = malloc(len + 16);
    memcpy(p, "{\"not\":", 7);
    memcpy(p + 7, text, len);
    p[7 + len] = '}';

    g = compile(p, len + 8);
    free(p);

    copy = kz_shim_copy(doc_text, doc_len);
    ngx_str_set(&id, "i");

    if (kz_json_scan(copy, doc_len, DEPTH, &doc, &e) == NGX_OK) {

        for (i = 0; i < 2; i++) {
            matched = kz_filter_match(f, &doc, i ? &id : NULL);

            check(g == NULL
                  || kz_filter_match(g, &doc, i ? &id : NULL) == !matched);

            in_set(f, &doc, i ? &id : NULL, matched);
        }
    }

    free(copy);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          len;
    const uint8_t  *zero;

    zero = size ? memchr(data, 0, size) : NULL;
    len = zero ? (size_t) (zero - data) : size;

    pool = kz_shim_pool();

    one(data, len, data + len + (zero != NULL),
        size - len - (zero != NULL));

    ngx_destroy_pool(pool);

    return 0;
}
