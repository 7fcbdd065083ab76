
/*
 * libFuzzer: the texts of query_string, simple_query_string and multi_match,
 * and Koncorde filters.  Whatever they hold, they become a tree that is not
 * too deep, whose texts lie in memory, or they are refused with a reason.
 *
 * The first byte says what the rest is.
 *
 * sources: store/kz_query.c store/kz_query_body.c store/kz_query_parse.c
 * sources: store/kz_query_term.c store/kz_query_match.c
 * sources: store/kz_query_geo.c store/kz_query_sort.c
 * sources: store/kz_query_string.c store/kz_query_lucene.c
 * sources: store/kz_lucene_token.c
 * sources: store/kz_query_simple.c store/kz_query_multi.c
 * sources: store/kz_query_koncorde.c store/kz_koncorde_check.c
 * sources: store/kz_koncorde_geo.c store/kz_koncorde_regexp.c
 * sources: store/kz_date.c
 * sources: store/kz_match_phrase.c store/kz_mapping_tree.c
 * sources: store/kz_mapping_date.c store/kz_mapping_value.c
 * sources: store/kz_analysis.c store/kz_analysis_conf.c
 * sources: store/kz_analysis_part.c store/kz_analysis_filter.c
 * sources: store/kz_mapping_geo.c
 */

#include "kz_shim.h"
#include "store/kz_query_string.h"

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_bytes(const ngx_str_t *s)
{
    size_t           i;
    u_char           x;
    volatile u_char  sum;

    for (x = 0, i = 0; i < s->len; i++) {
        x ^= s->data[i];
    }

    sum = x;
    (void) sum;
}


static void
fuzz_tree(const kz_query_node_t *n, ngx_uint_t depth)
{
    ngx_uint_t  i, count;

    for (count = 0; n != NULL; n = n->next) {

        if (depth > KZ_QUERY_MAX_DEPTH * 3 || n->type == 0
            || count++ > KZ_QUERY_MAX_CLAUSES)
        {
            abort();
        }

        fuzz_bytes(&n->text);
        fuzz_bytes(&n->field);
        fuzz_bytes(&n->lower.raw);
        fuzz_bytes(&n->upper.raw);

        for (i = 0; i < n->nvalues; i++) {
            fuzz_bytes(&n->values[i].raw);
        }

        fuzz_tree(n->all, depth + 1);
        fuzz_tree(n->any, depth + 1);
        fuzz_tree(n->none, depth + 1);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             len;
    u_char            *text, *p;
    kz_out_t           out;
    ngx_pool_t        *pool;
    kz_query_t        *q;
    kz_json_val_t      body;
    kz_json_err_t      e;
    kz_mapping_err_t   err;

    static const char *const  heads[] = {
        "{\"query\":{\"query_string\":{\"fields\":[\"a\",\"b.*\"],\"query\":",
        "{\"query\":{\"query_string\":{\"default_operator\":\"AND\","
            "\"allow_leading_wildcard\":false,\"query\":",
        "{\"query\":{\"simple_query_string\":{\"fields\":[\"a\"],\"query\":",
        "{\"query\":{\"simple_query_string\":{\"default_operator\":\"AND\","
            "\"flags\":\"AND|OR|NOT|PRECEDENCE\",\"query\":",
        "{\"query\":{\"multi_match\":{\"type\":\"cross_fields\",\"query\":",
        "{\"query\":{\"regexp\":{\"a\":"
    };

    if (size == 0) {
        return 0;
    }

    pool = kz_shim_pool();
    text = kz_shim_copy(data + 1, size - 1);
    len = size - 1;
    p = NULL;

    if (data[0] % 8 < 6) {
        kz_out_init(&out, pool, len + 128);
        kz_out_bytes(&out, heads[data[0] % 8], strlen(heads[data[0] % 8]));
        kz_out_json(&out, text, len);
        kz_out_lit(&out, "}}}");

        if (kz_out_failed(&out)) {
            abort();
        }

        len = kz_out_len(&out);
        p = kz_shim_copy(out.start, len);

        free(text);
        text = p;
    }

    /* what is not UTF-8 is not JSON either */

    if (kz_json_scan(text, len, 100, &body, &e) == NGX_OK) {

        q = kz_query_parse(pool, &body,
                           (data[0] % 8 >= 5) ? KZ_QUERY_KONCORDE : 0, &err);

        if (q != NULL) {
            fuzz_tree(q->root, 0);

        } else {
            fuzz_bytes(&err.detail);

            /* a key of the body may be the empty text */

            if (err.status == KZ_STORE_FAILED
                || (err.detail.len == 0
                    && err.status != KZ_STORE_BAD_ROOT_KEY))
            {
                abort();
            }
        }
    }

    ngx_destroy_pool(pool);
    free(text);

    return 0;
}
