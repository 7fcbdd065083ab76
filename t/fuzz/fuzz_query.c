
/*
 * libFuzzer: a search body, a mapping and a document, one a line; whatever
 * they hold, parsing, binding, matching and indexing end, within the text.
 *
 *     clang -fsanitize=fuzzer,address,undefined ... fuzz_query.c
 *
 * sources: store/kz_match.c store/kz_match_bind.c store/kz_match_leaf.c
 * sources: store/kz_match_field.c store/kz_match_raw.c
 * sources: store/kz_match_geo.c store/kz_match_nested.c
 * sources: store/kz_match_sort.c store/kz_match_regexp.c
 * sources: store/kz_match_pattern.c
 * sources: store/kz_match_text.c store/kz_match_words.c
 * sources: store/kz_match_phrase.c
 * sources: store/kz_query.c store/kz_query_body.c store/kz_query_parse.c
 * sources: store/kz_query_koncorde.c store/kz_koncorde_check.c
 * sources: store/kz_koncorde_geo.c store/kz_koncorde_regexp.c
 * sources: store/kz_query_term.c store/kz_query_match.c
 * sources: store/kz_query_geo.c store/kz_query_sort.c
 * sources: store/kz_query_string.c store/kz_query_lucene.c
 * sources: store/kz_lucene_token.c
 * sources: store/kz_query_simple.c store/kz_query_multi.c
 * sources: store/kz_date.c
 * sources: store/kz_mapping.c store/kz_mapping_tree.c
 * sources: store/kz_mapping_field.c store/kz_mapping_text.c
 * sources: store/kz_mapping_walk.c store/kz_mapping_value.c
 * sources: store/kz_mapping_infer.c
 * sources: store/kz_mapping_date.c
 * sources: store/kz_mapping_geo.c store/kz_mapping_copy.c
 * sources: store/kz_analysis.c store/kz_analysis_conf.c
 * sources: store/kz_analysis_part.c store/kz_analysis_filter.c
 */

#include "kz_shim.h"
#include "store/kz_match.h"

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_int_t
fuzz_emit(void *ctx, const kz_field_t *f, const kz_value_t *v)
{
    size_t           i;
    volatile u_char  sum;
    u_char           x;

    (void) ctx;
    (void) f;

    /* look at every byte, for the sanitizer */

    if (v->type == KZ_VALUE_TEXT) {
        for (x = 0, i = 0; i < v->text.len; i++) {
            x ^= v->text.data[i];
        }

        sum = x;
        (void) sum;
    }

    return NGX_OK;
}


/* The next line in memory of its own. */
static u_char *
fuzz_line(const uint8_t **p, const uint8_t *end, size_t *len)
{
    u_char         *copy;
    const uint8_t  *nl;

    nl = memchr(*p, '\n', end - *p);

    if (nl == NULL) {
        nl = end;
    }

    *len = nl - *p;
    copy = kz_shim_copy(*p, *len);
    *p = (nl == end) ? end : nl + 1;

    return copy;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             qlen, mlen, dlen;
    double             score;
    u_char            *query, *mapping, *doc;
    ngx_str_t          src, out, id = ngx_string("id");
    kz_query_t        *q;
    kz_match_t        *match;
    ngx_pool_t        *pool;
    kz_mapping_t      *m;
    kz_json_err_t      e;
    kz_json_val_t      body, d;
    const uint8_t     *p;
    kz_mapping_err_t   err;

    p = data;

    query = fuzz_line(&p, data + size, &qlen);
    mapping = fuzz_line(&p, data + size, &mlen);
    doc = fuzz_line(&p, data + size, &dlen);

    pool = kz_shim_pool();
    match = NULL;

    m = kz_mapping_compile(mapping, mlen, KZ_DIALECT_2, &kz_shim_log, &err);

    if (m == NULL) {
        m = kz_mapping_compile(NULL, 0, KZ_DIALECT_1, &kz_shim_log, &err);
    }

    if (kz_json_scan(query, qlen, 100, &body, &e) == NGX_OK) {
        q = kz_query_parse(pool, &body, size & 1, &err);

        if (q != NULL) {
            match = kz_match_create(pool, q, m, &err);
        }
    }

    if (kz_json_scan(doc, dlen, 1024, &d, &e) == NGX_OK
        && d.type == KZ_JSON_OBJECT)
    {
        src = d.raw;

        if (match != NULL) {
            (void) kz_match_doc(match, &id, &src, &score);
            (void) kz_match_doc(match, &id, &src, &score);
        }

        if (kz_mapping_walk(m, &d, 0, fuzz_emit, NULL, &err)
            == NGX_DECLINED)
        {
            if (kz_mapping_infer(m, &d, pool, &out, &err) != NGX_OK) {
                abort();
            }
        }

        (void) kz_mapping_walk(m, &d, KZ_WALK_LENIENT, fuzz_emit, NULL,
                               &err);
        (void) kz_mapping_merge(m, doc, dlen, pool, &out, &err);
    }

    if (match != NULL) {
        kz_match_free(match);
    }

    kz_mapping_free(m);
    ngx_destroy_pool(pool);

    free(query);
    free(mapping);
    free(doc);

    return 0;
}
