
/*
 * Queries against documents, with and without a mapping.
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

#include "tap.h"
#include "kz_shim.h"
#include "store/kz_match.h"


static const char  *mapping;
static double       score;
static char         sorted[256];


/* 1, 0, or -1: refused, the reason in *why. */
static int
run(const char *query, const char *doc, ngx_str_t *why)
{
    u_char            *copy, *text;
    ngx_int_t          rc;
    ngx_str_t          src, id = ngx_string("id-1");
    ngx_uint_t         i;
    ngx_pool_t        *pool = kz_shim_pool();
    kz_query_t        *q;
    kz_match_t        *m;
    kz_mapping_t      *map;
    kz_json_err_t      e;
    kz_json_val_t      v;

    static kz_mapping_err_t  err;

    map = kz_mapping_compile((u_char *) mapping, strlen(mapping),
                             KZ_DIALECT_2, &kz_shim_log, &err);
    text = kz_shim_copy(query, strlen(query));

    if (map == NULL
        || kz_json_scan(text, strlen(query), 100, &v, &e) != NGX_OK)
    {
        printf("# cannot use %s %s\n", mapping, query);
        exit(2);
    }

    rc = -1;
    q = kz_query_parse(pool, &v, 0, &err);
    m = (q == NULL) ? NULL : kz_match_create(pool, q, map, &err);

    if (m == NULL) {
        *why = err.detail;

    } else {
        copy = kz_shim_copy(doc, strlen(doc));
        src.data = copy;
        src.len = strlen(doc);

        rc = kz_match_doc(m, &id, &src, &score) == NGX_OK;

        sorted[0] = '\0';

        for (i = 0; i < m->nsort; i++) {
            if (m->sort[i] == NULL || !m->sort[i]->hit) {
                strcat(sorted, "- ");

            } else if (m->sort[i]->key.type == KZ_VALUE_TEXT) {
                sprintf(sorted + strlen(sorted), "'%.*s' ",
                        (int) m->sort[i]->key.text.len,
                        m->sort[i]->key.text.data);

            } else if (m->sort[i]->key.type == KZ_VALUE_INT) {
                sprintf(sorted + strlen(sorted), "%lld ",
                        (long long) m->sort[i]->key.i);

            } else {
                sprintf(sorted + strlen(sorted), "%g ", m->sort[i]->key.d);
            }
        }

        kz_match_free(m);
        free(copy);
    }

    kz_mapping_free(map);
    ngx_destroy_pool(pool);
    free(text);

    return (int) rc;
}


static void
check(const char *clause, const char *doc, int want)
{
    char       query[2048];
    ngx_str_t  why = ngx_null_string;

    sprintf(query, "{\"query\":%s}", clause);

    is_int(run(query, doc, &why), want, query + 8);

    if (why.len) {
        printf("#   %.*s\n", (int) why.len, why.data);
    }
}


static void
refused(const char *body, const char *want)
{
    ngx_str_t  why = ngx_null_string;

    is_int(run(body, "{}", &why), -1, body);
    is_str(&why, want, "the reason");
}


static const char  *doc =
    "{\"name\":\"Ada Lovelace\",\"k\":\"Red\",\"tags\":[\"a\",\"b\"],"
    "\"age\":36,\"big\":9007199254740993,\"f\":0.1,\"ok\":true,"
    "\"born\":\"1815-12-10\",\"o\":{\"x\":[{\"y\":1},{\"y\":2}]},"
    "\"nul\":null,\"e\":[],\"d.e\":5,\"_kuzzle_info\":{\"author\":\"-1\","
    "\"createdAt\":1531232400000,\"updatedAt\":null,\"updater\":null}}";


static void
test_mapped(void)
{
    mapping = "{\"dynamic\":\"false\",\"properties\":{\"name\":{\"type\":"
              "\"text\",\"fields\":{\"keyword\":{\"type\":\"keyword\"}}},"
              "\"k\":{\"type\":\"keyword\"},\"tags\":{\"type\":\"keyword\"},"
              "\"age\":{\"type\":\"integer\"},\"big\":{\"type\":\"long\"},"
              "\"f\":{\"type\":\"float\"},\"ok\":{\"type\":\"boolean\"},"
              "\"born\":{\"type\":\"date\"},\"o\":{\"properties\":{\"x\":{"
              "\"properties\":{\"y\":{\"type\":\"integer\"}}}}},\"d\":{"
              "\"properties\":{\"e\":{\"type\":\"long\"}}},\"g\":{\"type\":"
              "\"geo_point\"},\"s\":{\"type\":\"keyword\",\"index\":false},"
              "\"nul\":{\"type\":\"keyword\"}}}";

    check("{\"term\":{\"k\":\"Red\"}}", doc, 1);
    check("{\"term\":{\"k\":\"red\"}}", doc, 0);
    check("{\"term\":{\"name\":\"ada\"}}", doc, 1);
    check("{\"term\":{\"name\":\"Ada\"}}", doc, 0);
    check("{\"term\":{\"name\":\"Ada Lovelace\"}}", doc, 0);
    check("{\"term\":{\"name.keyword\":\"Ada Lovelace\"}}", doc, 1);
    check("{\"match\":{\"name\":\"ADA nobody\"}}", doc, 1);
    check("{\"match\":{\"name\":{\"query\":\"ada nobody\",\"operator\":"
          "\"and\"}}}", doc, 0);
    check("{\"match\":{\"name\":{\"query\":\"LOVELACE ada\",\"operator\":"
          "\"and\"}}}", doc, 1);
    check("{\"match\":{\"name\":\"!\"}}", doc, 0);
    check("{\"match\":{\"k\":\"Red\"}}", doc, 1);
    check("{\"prefix\":{\"name\":\"lov\"}}", doc, 1);
    check("{\"prefix\":{\"k\":\"Re\"}}", doc, 1);
    check("{\"prefix\":{\"k\":\"Redd\"}}", doc, 0);
    check("{\"term\":{\"tags\":\"b\"}}", doc, 1);
    check("{\"terms\":{\"tags\":[\"x\",\"z\",\"a\"]}}", doc, 1);
    check("{\"terms\":{\"tags\":[]}}", doc, 0);
    check("{\"term\":{\"age\":36}}", doc, 1);
    check("{\"term\":{\"age\":\"36\"}}", doc, 1);
    check("{\"term\":{\"age\":36.0}}", doc, 1);
    check("{\"term\":{\"age\":36.5}}", doc, 0);
    check("{\"term\":{\"age\":1e30}}", doc, 0);
    check("{\"term\":{\"big\":9007199254740993}}", doc, 1);
    check("{\"term\":{\"big\":9007199254740992}}", doc, 0);
    check("{\"range\":{\"big\":{\"gt\":9007199254740992}}}", doc, 1);
    check("{\"range\":{\"age\":{\"gte\":36,\"lte\":36}}}", doc, 1);
    check("{\"range\":{\"age\":{\"gt\":36}}}", doc, 0);
    check("{\"range\":{\"age\":{\"gt\":35.5,\"lt\":36.5}}}", doc, 1);
    check("{\"range\":{\"age\":{}}}", doc, 1);
    check("{\"term\":{\"f\":0.1}}", doc, 1);
    check("{\"range\":{\"f\":{\"lte\":0.1}}}", doc, 1);
    check("{\"term\":{\"ok\":true}}", doc, 1);
    check("{\"term\":{\"ok\":\"false\"}}", doc, 0);
    check("{\"term\":{\"born\":\"1815-12-10\"}}", doc, 1);
    check("{\"term\":{\"born\":\"1815-12-10T00:00:00.000Z\"}}", doc, 1);
    check("{\"range\":{\"born\":{\"gte\":\"1815-12\",\"lt\":\"1816\"}}}", doc,
          1);
    check("{\"range\":{\"born\":{\"gt\":\"1815-12-10\"}}}", doc, 0);
    check("{\"range\":{\"born\":{\"lte\":\"1815-12-10\"}}}", doc, 1);
    check("{\"range\":{\"_kuzzle_info.createdAt\":{\"gte\":1531232400000}}}",
          doc, 1);
    check("{\"term\":{\"_kuzzle_info.author\":\"-1\"}}", doc, 1);
    check("{\"exists\":{\"field\":\"_kuzzle_info.updater\"}}", doc, 0);
    check("{\"exists\":{\"field\":\"_kuzzle_info\"}}", doc, 1);
    check("{\"term\":{\"o.x.y\":2}}", doc, 1);
    check("{\"term\":{\"o.x.y\":3}}", doc, 0);
    check("{\"term\":{\"d.e\":5}}", doc, 1);
    check("{\"exists\":{\"field\":\"o\"}}", doc, 1);
    check("{\"exists\":{\"field\":\"nul\"}}", doc, 0);
    check("{\"exists\":{\"field\":\"zzz\"}}", doc, 0);
    check("{\"term\":{\"zzz\":1}}", doc, 0);
    check("{\"term\":{\"e\":1}}", doc, 0);
    check("{\"ids\":{\"values\":[\"id-0\",\"id-1\"]}}", doc, 1);
    check("{\"ids\":{\"values\":[]}}", doc, 0);
    check("{\"term\":{\"_id\":\"id-1\"}}", doc, 1);
    check("{\"term\":{\"k\":\"2\"}}", "{\"k\":\"1\",\"k\":\"2\"}", 1);
    check("{\"term\":{\"k\":\"1\"}}", "{\"k\":\"1\",\"k\":\"2\"}", 0);
    check("{\"term\":{\"k\":\"a\"}}", "{\"\\u006b\":\"\\u0061\"}", 1);

    check("{\"bool\":{\"must\":[{\"term\":{\"k\":\"Red\"}}],\"must_not\":[{"
          "\"term\":{\"age\":36}}]}}", doc, 0);
    check("{\"bool\":{\"should\":[{\"term\":{\"k\":\"x\"}},{\"term\":{\"age\""
          ":36}}]}}", doc, 1);
    check("{\"bool\":{\"filter\":[{\"term\":{\"k\":\"Red\"}}],\"should\":[{"
          "\"term\":{\"k\":\"x\"}}]}}", doc, 1);
    check("{\"bool\":{\"minimum_should_match\":2,\"should\":[{\"term\":{"
          "\"k\":\"x\"}},{\"term\":{\"age\":36}}]}}", doc, 0);
    check("{\"bool\":{}}", doc, 1);

    refused("{\"query\":{\"term\":{\"age\":\"old\"}}}", "failed to create"
            " query: \"old\" is not a value for field [age] of type"
            " [integer]");
    refused("{\"query\":{\"range\":{\"born\":{\"gte\":\"now-1x\"}}}}",
            "failed to parse date field [now-1x] (field [born])");
    refused("{\"query\":{\"term\":{\"g\":\"x\"}}}", "Geometry fields do not"
            " support exact searching, use dedicated geometry queries"
            " instead: [g] of type [geo_point]");
    refused("{\"query\":{\"term\":{\"s\":\"x\"}}}",
            "Cannot search on field [s] since it is not indexed.");
    refused("{\"query\":{\"prefix\":{\"age\":\"3\"}}}", "Can only use prefix"
            " queries on keyword and text fields - not on [age] which is of"
            " type [integer]");
    refused("{\"sort\":[\"name\"]}", "sorting by field [name] of type [text]"
            " is not supported: use a keyword field instead");
    refused("{\"sort\":[\"zzz\"]}",
            "No mapping found for [zzz] in order to sort on");
}


static void
test_unmapped(void)
{
    mapping = "{}";

    check("{\"term\":{\"k\":\"Red\"}}", doc, 1);
    check("{\"term\":{\"k\":\"red\"}}", doc, 1);
    check("{\"term\":{\"name\":\"Ada Lovelace\"}}", doc, 1);
    check("{\"term\":{\"name\":\"lovelace\"}}", doc, 1);
    check("{\"term\":{\"name\":\"love\"}}", doc, 0);
    check("{\"term\":{\"name.keyword\":\"Ada Lovelace\"}}", doc, 1);
    check("{\"term\":{\"name.keyword\":\"lovelace\"}}", doc, 0);
    check("{\"match\":{\"name\":\"the LOVELACE\"}}", doc, 1);
    check("{\"term\":{\"age\":36}}", doc, 1);
    check("{\"term\":{\"age\":\"36\"}}", doc, 1);
    check("{\"term\":{\"age\":37}}", doc, 0);
    check("{\"term\":{\"ok\":true}}", doc, 1);
    check("{\"term\":{\"ok\":\"true\"}}", doc, 1);
    check("{\"term\":{\"tags\":\"b\"}}", doc, 1);
    check("{\"term\":{\"o.x.y\":2}}", doc, 1);
    check("{\"terms\":{\"age\":[1,36]}}", doc, 1);
    check("{\"range\":{\"age\":{\"gte\":30,\"lt\":40}}}", doc, 1);
    check("{\"range\":{\"age\":{\"gte\":\"30\"}}}", doc, 1);
    check("{\"range\":{\"born\":{\"gte\":\"1815\",\"lt\":\"1816\"}}}", doc,
          1);
    check("{\"range\":{\"born\":{\"gte\":5}}}", doc, 0);
    check("{\"exists\":{\"field\":\"age\"}}", doc, 1);
    check("{\"exists\":{\"field\":\"o\"}}", doc, 1);
    check("{\"exists\":{\"field\":\"nul\"}}", doc, 0);
    check("{\"exists\":{\"field\":\"e\"}}", doc, 0);
    check("{\"exists\":{\"field\":\"nope\"}}", doc, 0);
    check("{\"prefix\":{\"k\":\"Re\"}}", doc, 1);
    check("{\"term\":{\"_kuzzle_info.author\":\"-1\"}}", doc, 1);
    check("{\"bool\":{\"must_not\":{\"term\":{\"age\":36}}}}", doc, 0);

    /* the creator said what is not mapped is not indexed */

    mapping = "{\"dynamic\":\"false\"}";
    check("{\"term\":{\"age\":36}}", doc, 0);
    check("{\"exists\":{\"field\":\"age\"}}", doc, 0);

    /* nested objects are not found from outside */

    mapping = "{\"properties\":{\"o\":{\"type\":\"nested\"}}}";
    check("{\"term\":{\"o.x.y\":2}}", doc, 0);
    check("{\"term\":{\"age\":36}}", doc, 1);
}


static void
sort(const char *keys, const char *want)
{
    char       query[512];
    ngx_str_t  why = ngx_null_string;

    sprintf(query, "{\"sort\":%s}", keys);

    if (run(query, doc, &why) != 1) {
        sprintf(sorted, "%.*s", (int) ngx_min(why.len, 200), why.data);
    }

    is_text(sorted, strlen(sorted), want, query);
}


static void
test_sort_keys(void)
{
    mapping = "{\"properties\":{\"tags\":{\"type\":\"keyword\"},\"born\":{"
              "\"type\":\"date\"}}}";

    sort("[\"tags\",{\"tags\":\"desc\"},{\"tags\":{\"order\":\"desc\","
         "\"mode\":\"min\"}}]", "'a' 'b' 'a' ");
    sort("[\"born\",\"age\",\"k\",\"name.keyword\",\"nul\",\"nope\"]",
         "-4861728000000 36 'Red' 'Ada Lovelace' - - ");
    sort("[\"o.x.y\",{\"o.x.y\":\"desc\"}]", "1 2 ");
}


static void
test_score(void)
{
    ngx_str_t  why;

    mapping = "{}";

    (void) run("{}", doc, &why);
    ok(score == 1, "match_all scores 1");

    (void) run("{\"query\":{\"bool\":{\"should\":[{\"term\":{\"age\":36}},{"
               "\"term\":{\"k\":\"Red\"}},{\"term\":{\"k\":\"no\"}}]}}}", doc,
               &why);
    ok(score == 2, "each should that matches counts");

    (void) run("{\"query\":{\"bool\":{\"filter\":[{\"term\":{\"age\":36}}]}}"
               "}", doc, &why);
    ok(score == 0, "filters do not");
}


int
main(void)
{
    test_mapped();
    test_unmapped();
    test_sort_keys();
    test_score();

    return tap_done();
}
