
/*
 * The search DSL: what is understood, and how what is not is refused.
 *
 * sources: store/kz_query.c store/kz_query_body.c store/kz_query_parse.c
 * sources: store/kz_query_koncorde.c store/kz_koncorde_check.c
 * sources: store/kz_koncorde_geo.c store/kz_koncorde_regexp.c
 * sources: store/kz_query_term.c store/kz_query_match.c
 * sources: store/kz_query_geo.c store/kz_query_sort.c
 * sources: store/kz_query_string.c store/kz_query_lucene.c
 * sources: store/kz_lucene_token.c
 * sources: store/kz_query_simple.c store/kz_query_multi.c
 * sources: store/kz_date.c
 * sources: store/kz_match_phrase.c store/kz_mapping_tree.c
 * sources: store/kz_mapping_date.c store/kz_mapping_value.c
 */

#include "tap.h"
#include "kz_shim.h"
#include "store/kz_query.h"


static kz_mapping_err_t  err;
static ngx_pool_t       *pool;


static kz_query_t *
parse_as(const char *text, ngx_uint_t count)
{
    kz_json_err_t   e;
    kz_json_val_t   v;

    if (text[0] == '\0') {
        v.type = KZ_JSON_NONE;

    } else if (kz_json_scan((u_char *) text, strlen(text), 1024, &v, &e)
               != NGX_OK)
    {
        printf("# not JSON: %s\n", text);
        exit(2);
    }

    return kz_query_parse(pool, &v, count, &err);
}


/* The tree in a short form. */
static char *
show(char *p, const kz_query_node_t *n)
{
    ngx_uint_t              i;
    const kz_query_node_t  *c;

    switch (n->type) {

    case KZ_QUERY_ALL:
        p += sprintf(p, "all");
        break;

    case KZ_QUERY_NONE:
        p += sprintf(p, "none");
        break;

    case KZ_QUERY_RANGE:
        p += sprintf(p, "%.*s in %c%.*s,%.*s%c", (int) n->field.len,
                     n->field.data, n->lower_in ? '[' : '(',
                     (int) n->lower.raw.len, n->lower.raw.data,
                     (int) n->upper.raw.len, n->upper.raw.data,
                     n->upper_in ? ']' : ')');
        break;

    case KZ_QUERY_BOOL:
        p += sprintf(p, "bool(");

        for (c = n->all; c != NULL; c = c->next) {
            p = show(p + sprintf(p, " +"), c);
        }

        for (c = n->any; c != NULL; c = c->next) {
            p = show(p + sprintf(p, " ?"), c);
        }

        for (c = n->none; c != NULL; c = c->next) {
            p = show(p + sprintf(p, " -"), c);
        }

        p += sprintf(p, " %d)", (int) n->minimum);
        break;

    default:
        p += sprintf(p, "%s %.*s", n->word, (int) n->field.len,
                     n->field.data);

        for (i = 0; i < n->nvalues; i++) {
            p += sprintf(p, " %.*s", (int) n->values[i].raw.len,
                         n->values[i].raw.data);
        }

        if (n->every) {
            p += sprintf(p, " and");
        }
    }

    if (n->scored) {
        p += sprintf(p, "*");
    }

    if (n->boost != 1) {
        p += sprintf(p, "%g", n->boost);
    }

    return p;
}


static void
good(const char *body, const char *want)
{
    char         text[4096];
    kz_query_t  *q = parse_as(body, 0);

    if (q == NULL) {
        sprintf(text, "%d: %.*s", err.status, (int) err.detail.len,
                err.detail.data);

    } else {
        show(text, q->root);
    }

    is_text(text, strlen(text), want, body);
}


static void
bad(const char *body, const char *want)
{
    kz_query_t  *q = parse_as(body, 0);

    ok(q == NULL && err.status == KZ_STORE_BAD_QUERY, "refused: %s", body);
    is_text(err.detail.data, q ? 0 : err.detail.len, want, "the reason");
}


#define Q(s)  "{\"query\":" s "}"

static void
test_clauses(void)
{
    good("", "all*");
    good("{}", "all*");
    good(Q("{}"), "all*");
    good(Q("null"), "all*");
    good(Q("{\"match_all\":{}}"), "all*");
    good(Q("{\"match_none\":{}}"), "none*");
    good(Q("{\"term\":{\"a\":1}}"), "term a 1*");
    good(Q("{\"term\":{\"a.b\":{\"value\":\"x\",\"boost\":2}}}"),
         "term a.b \"x\"*2");
    good(Q("{\"t\\u0065rm\":{\"\\u0061\":true}}"), "term a true*");
    good(Q("{\"term\":{\"a\":1,\"a\":2}}"), "term a 2*");
    good(Q("{\"terms\":{\"a\":[1,\"x\",true]}}"), "terms a 1 \"x\" true*");
    good(Q("{\"terms\":{\"a\":[]}}"), "terms a*");
    good(Q("{\"range\":{\"a\":{\"gte\":1,\"lt\":5.5}}}"), "a in [1,5.5)*");
    good(Q("{\"range\":{\"a\":{\"gt\":\"2018\",\"lte\":null}}}"),
         "a in (\"2018\",]*");
    good(Q("{\"exists\":{\"field\":\"a\"}}"), "exists a*");
    good(Q("{\"ids\":{\"values\":[\"1\",2]}}"), "ids  \"1\" 2*");
    good(Q("{\"prefix\":{\"a\":\"x\"}}"), "prefix a \"x\"*");
    good(Q("{\"match\":{\"a\":\"x y\"}}"), "match a \"x y\"*");
    good(Q("{\"match\":{\"a\":{\"query\":\"x\",\"operator\":\"AND\"}}}"),
         "match a \"x\" and*");
    good(Q("{\"bool\":{\"must\":{\"term\":{\"a\":1}},\"filter\":[{\"term\":"
           "{\"b\":2}}],\"must_not\":[{\"term\":{\"c\":3}}]}}"),
         "bool( +term a 1* +term b 2 -term c 3 0)");
    good(Q("{\"bool\":{\"should\":[{\"term\":{\"a\":1}},{\"term\":{\"b\":2}}"
           "]}}"), "bool( ?term a 1* ?term b 2* 1)");
    good(Q("{\"bool\":{\"should\":[{\"term\":{\"a\":1}}],\"must\":[]}}"),
         "bool( ?term a 1* 1)");
    good(Q("{\"bool\":{\"minimum_should_match\":2,\"should\":[{\"term\":"
           "{\"a\":1}},{\"term\":{\"b\":2}}]}}"),
         "bool( ?term a 1* ?term b 2* 2)");
    good(Q("{\"bool\":{\"minimum_should_match\":\"-50%\",\"should\":[{"
           "\"term\":{\"a\":1}},{\"term\":{\"b\":2}},{\"term\":{\"c\":2}}]}}"
           ), "bool( ?term a 1* ?term b 2* ?term c 2* 2)");
    good(Q("{\"constant_score\":{\"filter\":{\"term\":{\"a\":1}},\"boost\":"
           "3}}"), "bool( +term a 1 0)*3");
    good("{\"query\":{\"term\":{\"a\":1}},\"post_filter\":{\"term\":{\"b\":2"
         "}}}", "term a 1*");
    good("{\"aggregations\":{},\"_source\":true,\"explain\":false}", "all*");
}


static void
test_refused(void)
{
    char         *text, *p;
    int           i;
    kz_query_t   *q;

    bad(Q("{\"bool\":{\"must\":[{\"foo\":{}}]}}"),
        "[foo] query is not supported (at query.bool.must[0])");
    bad(Q("{\"bool\":{\"mus\":[]}}"),
        "[mus] is not supported in a [bool] query (at query.bool)");
    bad(Q("{\"bool\":{\"must\":[{}]}}"),
        "query malformed, empty clause found (at query.bool.must[0])");
    bad(Q("{\"term\":{\"a\":1},\"range\":{}}"),
        "a query clause holds one key, two are [term] and [range]"
        " (at query)");
    bad(Q("{\"term\":{\"a\":1,\"b\":2}}"), "[term] query does not support"
        " multiple fields, found [a] and [b] (at query.term)");
    bad(Q("{\"term\":{\"a\":[1]}}"),
        "[term] query does not support arrays (at query.term)");
    bad(Q("{\"term\":{\"a\":null}}"), "a value can neither be null nor an"
        " object nor an array (at query.term)");
    bad(Q("{\"term\":{\"a\":{\"value\":1,\"case_insensitive\":1}}}"),
        "[case_insensitive] must be a boolean (at query.term)");
    bad(Q("{\"terms\":{\"a\":{\"index\":\"x\"}}}"), "[terms] query: looking"
        " terms up in a document is not supported, an array of values is"
        " needed for [a] (at query.terms)");
    bad(Q("{\"range\":{\"a\":{\"gte\":1,\"time_zone\":\"+1\"}}}"),
        "[time_zone] [+1] is not supported: an offset is needed, \"+01:00\""
        " (at query.range)");
    bad(Q("{\"range\":{\"a\":{\"gte\":1,\"gt\":1}}}"),
        "[range] query has two bounds on one side for [a] (at query.range)");
    bad(Q("{\"match\":{\"a\":{\"query\":\"x\",\"fuzziness\":3}}}"),
        "Invalid value for [fuzziness]: 0, 1, 2, \"AUTO\" and"
        " \"AUTO:low,high\" are allowed (at query.match)");
    bad(Q("[]"), "an object was expected (at query)");
    bad("{\"from\":-1}", "a whole number from 0 on was expected (at from)");
    bad("{\"size\":\"x\"}", "a whole number from 0 on was expected"
        " (at size)");
    bad("{\"sort\":[{\"a\":\"up\"}]}",
        "a sort order is \"asc\" or \"desc\" (at sort[0].a)");
    bad("{\"sort\":[{\"a\":{\"nested\":{}}}]}",
        "[path] is needed (at sort[0].a.nested)");
    bad("{\"sort\":[\"_geo_distance\"]}",
        "an object was expected (at sort[0]._geo_distance)");

    ok(parse_as("{\"querry\":{}}", 0) == NULL
       && err.status == KZ_STORE_BAD_ROOT_KEY, "an unknown root key");
    is_str(&err.detail, "querry", "which one");

    ok(parse_as("{\"sort\":[\"a\"]}", 1) == NULL, "no sort in a count");

    text = malloc(100000);

    p = text + sprintf(text, "{\"query\":");

    for (i = 0; i < 40; i++) {
        p += sprintf(p, "{\"bool\":{\"must\":");
    }

    p += sprintf(p, "{\"match_all\":{}}");

    for (i = 0; i < 40; i++) {
        p += sprintf(p, "}}");
    }

    strcpy(p, "}");

    ok(parse_as(text, 0) == NULL && err.status == KZ_STORE_BAD_QUERY,
       "too deep: %.*s", (int) ngx_min(err.detail.len, 60), err.detail.data);

    p = text + sprintf(text, "{\"query\":{\"bool\":{\"should\":[");

    for (i = 0; i < 1023; i++) {
        p += sprintf(p, "%s{\"term\":{\"a\":%d}}", i ? "," : "", i);
    }

    strcpy(p, "]}}}");

    q = parse_as(text, 0);
    ok(q != NULL && q->nclauses == 1024, "1024 clauses");

    strcpy(p, ",{\"term\":{\"a\":1}}]}}}");
    ok(parse_as(text, 0) == NULL && err.status == KZ_STORE_BAD_QUERY,
       "1025 clauses");

    free(text);
}


static void
test_sort(void)
{
    kz_query_t  *q;

    q = parse_as("{\"from\":5,\"size\":0,\"sort\":[\"a\",{\"b\":\"desc\"},{"
                 "\"c\":{\"order\":\"desc\",\"mode\":\"min\",\"missing\":"
                 "\"_first\"}},\"_score\",{\"_id\":\"asc\"},\"_doc\"]}", 0);

    ok(q != NULL, "sort: %.*s", q ? 0 : (int) err.detail.len,
       err.detail.data);

    if (q == NULL) {
        return;
    }

    is_int(q->from, 5, "from");
    is_int(q->size, 0, "size");
    is_int(q->nsort, 6, "six keys");
    ok(!q->sort[0].desc && !q->sort[0].max, "ascending: the least value");
    ok(q->sort[1].desc && q->sort[1].max, "descending: the greatest");
    ok(q->sort[2].desc && !q->sort[2].max && q->sort[2].first, "options");
    ok(q->sort[3].type == KZ_SORT_SCORE && q->sort[3].desc, "_score");
    ok(q->sort[4].type == KZ_SORT_ID, "_id");
    ok(q->sort[5].type == KZ_SORT_DOC, "_doc");

    q = parse_as("{\"sort\":{\"a\":\"asc\",\"b\":{}}}", 0);
    ok(q != NULL && q->nsort == 2, "an object of keys");

    q = parse_as("{\"sort\":[]}", 0);
    ok(q != NULL && q->nsort == 0, "an empty array");
}


int
main(void)
{
    pool = kz_shim_pool();

    test_clauses();
    test_refused();
    test_sort();

    ngx_destroy_pool(pool);

    return tap_done();
}
