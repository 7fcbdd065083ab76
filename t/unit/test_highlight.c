/*
 * Highlighted fragments of texts (src/store/kz_highlight.h).
 *
 * sources: store/kz_highlight.c store/kz_highlight_doc.c
 * sources: store/kz_highlight_text.c
 * sources: store/kz_match_text.c store/kz_match_words.c
 * sources: store/kz_match_phrase.c
 * sources: store/kz_match.c store/kz_match_bind.c store/kz_match_leaf.c
 * sources: store/kz_match_field.c store/kz_match_raw.c store/kz_match_geo.c
 * sources: store/kz_match_nested.c store/kz_match_sort.c
 * sources: store/kz_match_regexp.c
 * sources: store/kz_match_pattern.c
 * sources: store/kz_query.c store/kz_query_body.c store/kz_query_parse.c
 * sources: store/kz_query_koncorde.c store/kz_koncorde_check.c
 * sources: store/kz_koncorde_geo.c store/kz_koncorde_regexp.c
 * sources: store/kz_query_geo.c store/kz_query_lucene.c
 * sources: store/kz_lucene_token.c
 * sources: store/kz_query_match.c store/kz_query_multi.c
 * sources: store/kz_query_simple.c store/kz_query_sort.c
 * sources: store/kz_query_string.c store/kz_query_term.c
 * sources: store/kz_mapping.c store/kz_mapping_tree.c
 * sources: store/kz_mapping_field.c store/kz_mapping_text.c
 * sources: store/kz_mapping_walk.c store/kz_mapping_value.c
 * sources: store/kz_mapping_infer.c
 * sources: store/kz_mapping_date.c
 * sources: store/kz_mapping_copy.c store/kz_mapping_geo.c store/kz_date.c
 * sources: store/kz_analysis.c store/kz_analysis_conf.c
 * sources: store/kz_analysis_part.c store/kz_analysis_filter.c
 */

#include "tap.h"
#include "kz_shim.h"
#include "store/kz_highlight.h"


static const char  *mapped =
    "{\"dynamic\":\"false\",\"properties\":{\"t\":{\"type\":\"text\","
    "\"fields\":{\"keyword\":{\"type\":\"keyword\"}}},"
    "\"u\":{\"type\":\"text\"},\"k\":{\"type\":\"keyword\"},"
    "\"o\":{\"properties\":{\"t\":{\"type\":\"text\"}}},"
    "\"n\":{\"type\":\"integer\"}}}";

static const char  *mapping;


/* What is shown of the document; "-": nothing. */

static void
shows(const char *query, const char *spec, const char *doc, const char *want)
{
    double             score;
    u_char            *q, *h, *d;
    ngx_str_t          src, out, id = ngx_string("1");
    ngx_pool_t        *pool = kz_shim_pool();
    kz_query_t        *parsed;
    kz_match_t        *m;
    kz_mapping_t      *map;
    kz_json_err_t      e;
    kz_json_val_t      v, s, body;
    kz_highlight_t    *hl;
    char               text[4096];

    static kz_mapping_err_t  err;

    sprintf(text, "{\"query\":%s}", query);

    q = kz_shim_copy(text, strlen(text));
    h = kz_shim_copy(spec, strlen(spec));
    d = kz_shim_copy(doc, strlen(doc));

    map = kz_mapping_compile((u_char *) mapping, strlen(mapping),
                             KZ_DIALECT_2, &kz_shim_log, &err);

    if (map == NULL
        || kz_json_scan(q, strlen(text), 100, &body, &e) != NGX_OK
        || kz_json_scan(h, strlen(spec), 100, &s, &e) != NGX_OK
        || kz_json_scan(d, strlen(doc), 100, &v, &e) != NGX_OK)
    {
        printf("# cannot use %s %s %s\n", text, spec, doc);
        exit(2);
    }

    ngx_str_set(&out, "");
    hl = NULL;

    parsed = kz_query_parse(pool, &body, 1, &err);
    m = (parsed == NULL) ? NULL : kz_match_create(pool, parsed, map, &err);

    if (m != NULL) {
        hl = kz_highlight_create(pool, &s, m, &err);
    }

    if (hl == NULL) {
        out = err.detail;

    } else {
        src.data = d;
        src.len = strlen(doc);

        (void) kz_match_doc(m, &id, &src, &score);

        if (kz_highlight_doc(hl, pool, &src, &out) != NGX_OK
            || kz_highlight_doc(hl, pool, &src, &out) != NGX_OK)
        {
            ngx_str_set(&out, "no memory");
        }

        if (out.len == 0) {
            ngx_str_set(&out, "-");
        }

        kz_highlight_free(hl);
    }

    is_str(&out, want, query);

    if (m != NULL) {
        kz_match_free(m);
    }

    kz_mapping_free(map);
    ngx_destroy_pool(pool);
    free(q);
    free(h);
    free(d);
}


#define T      "{\"fields\":{\"t\":{}}}"
#define FOX    "{\"t\":\"The Quick brown fox\"}"


static void
test_words(void)
{
    shows("{\"match\":{\"t\":\"quick FOX\"}}", T, FOX,
          "{\"t\":[\"The <em>Quick</em> brown <em>fox</em>\"]}");
    shows("{\"match\":{\"t\":\"cat\"}}", T, FOX, "-");
    shows("{\"match_all\":{}}", T, FOX, "-");
    shows("{\"term\":{\"t\":\"quick\"}}", T, FOX,
          "{\"t\":[\"The <em>Quick</em> brown fox\"]}");
    shows("{\"prefix\":{\"t\":\"qu\"}}", T, FOX,
          "{\"t\":[\"The <em>Quick</em> brown fox\"]}");
    shows("{\"wildcard\":{\"t\":\"*ow?\"}}", T, FOX,
          "{\"t\":[\"The Quick <em>brown</em> fox\"]}");
    shows("{\"regexp\":{\"t\":\"f.x\"}}", T, FOX,
          "{\"t\":[\"The Quick brown <em>fox</em>\"]}");
    shows("{\"fuzzy\":{\"t\":\"quikc\"}}", T, FOX,
          "{\"t\":[\"The <em>Quick</em> brown fox\"]}");
    shows("{\"query_string\":{\"query\":\"t:quick\"}}", T, FOX,
          "{\"t\":[\"The <em>Quick</em> brown fox\"]}");
    shows("{\"bool\":{\"must\":{\"match\":{\"t\":\"fox\"}},\"must_not\":{"
          "\"match\":{\"t\":\"quick\"}}}}", T, "{\"t\":\"fox quick\"}",
          "{\"t\":[\"<em>fox</em> quick\"]}");
    shows("{\"bool\":{\"filter\":{\"match\":{\"t\":\"fox\"}}}}", T, FOX,
          "{\"t\":[\"The Quick brown <em>fox</em>\"]}");
    shows("{\"match\":{\"t\":\"\xc3\xa9t\xc3\xa9 \xe6\x96\x87\"}}", T,
          "{\"t\":\"\xc3\x89T\xc3\x89 \\u00e9 \xe4\xb8\xad\xe6\x96\x87\"}",
          "{\"t\":[\"<em>\xc3\x89T\xc3\x89</em> \xc3\xa9 \xe4\xb8\xad"
          "<em>\xe6\x96\x87</em>\"]}");
    shows("{\"match\":{\"t\":\"fox\"}}", T, "{\"t\":\"a \\\"fox\\\"\\n\"}",
          "{\"t\":[\"a \\\"<em>fox</em>\\\"\"]}");
    shows("{\"match\":{\"t\":\"5\"}}", T, "{\"t\":5}",
          "{\"t\":[\"<em>5</em>\"]}");
}


static void
test_phrases(void)
{
    shows("{\"match_phrase\":{\"t\":\"quick brown\"}}", T,
          "{\"t\":\"brown quick brown quick\"}",
          "{\"t\":[\"brown <em>quick</em> <em>brown</em> quick\"]}");
    shows("{\"match_phrase\":{\"t\":\"brown fox\"}}", T,
          "{\"t\":[\"fox brown\",\"a brown fox\"]}",
          "{\"t\":[\"a <em>brown</em> <em>fox</em>\"]}");
    shows("{\"match_phrase\":{\"t\":{\"query\":\"quick fox\",\"slop\":1}}}",
          T, FOX, "{\"t\":[\"The <em>Quick</em> brown <em>fox</em>\"]}");
    shows("{\"match_phrase_prefix\":{\"t\":\"quick br\"}}", T, FOX,
          "{\"t\":[\"The <em>Quick</em> <em>brown</em> fox\"]}");
}


static void
test_fields(void)
{
    shows("{\"term\":{\"k\":\"Red Fox\"}}", "{\"fields\":{\"k\":{}}}",
          "{\"k\":[\"Blue\",\"Red Fox\"]}",
          "{\"k\":[\"<em>Red Fox</em>\"]}");
    shows("{\"match\":{\"t.keyword\":\"The Quick brown fox\"}}",
          "{\"fields\":{\"*\":{}}}", FOX,
          "{\"t.keyword\":[\"<em>The Quick brown fox</em>\"]}");
    shows("{\"match\":{\"o.t\":\"b\"}}", "{\"fields\":{\"o.*\":{}}}",
          "{\"o\":[{\"t\":\"a b\"},{\"t\":\"b c\"}]}",
          "{\"o.t\":[\"a <em>b</em>\",\"<em>b</em> c\"]}");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"fields\":{\"u\":{}}}",
          "{\"t\":\"fox\",\"u\":\"fox\"}", "-");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"require_field_match\":false,"
          "\"fields\":{\"u\":{}}}", "{\"t\":\"fox\",\"u\":\"fox\"}",
          "{\"u\":[\"<em>fox</em>\"]}");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"fields\":[{\"u\":{}},{\"t\":{}}"
          "]}", "{\"t\":\"fox\",\"u\":\"fox\"}",
          "{\"t\":[\"<em>fox</em>\"]}");
    shows("{\"term\":{\"n\":5}}", "{\"fields\":{\"n\":{}}}", "{\"n\":5}",
          "-");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"fields\":{\"zzz\":{}}}", FOX,
          "-");

    mapping = "{}";

    shows("{\"match\":{\"x.y\":\"fox\"}}", "{\"fields\":{\"x.y\":{}}}",
          "{\"x\":{\"y\":\"a fox\"}}",
          "{\"x.y\":[\"a <em>fox</em>\"]}");
    shows("{\"match\":{\"x\":\"fox\"}}", "{\"fields\":{\"y\":{}}}",
          "{\"x\":\"fox\",\"y\":\"fox\"}", "-");

    mapping = mapped;
}


static void
test_options(void)
{
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"pre_tags\":[\"<b>\"],"
          "\"post_tags\":[\"</b>\"],\"fields\":{\"t\":{}}}", FOX,
          "{\"t\":[\"The Quick brown <b>fox</b>\"]}");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"pre_tags\":[\"<b>\"],\"fields\":"
          "{\"t\":{\"pre_tags\":\"[\",\"post_tags\":\"]\"}}}", FOX,
          "{\"t\":[\"The Quick brown [fox]\"]}");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"encoder\":\"html\",\"fields\":"
          "{\"t\":{}}}", "{\"t\":\"<b> & 'fox'/\"}",
          "{\"t\":[\"&lt;b&gt; &amp; &#x27;<em>fox</em>&#x27;&#x2F;\"]}");
    shows("{\"match_all\":{}}", "{\"highlight_query\":{\"match\":{\"t\":"
          "\"fox\"}},\"fields\":{\"t\":{}}}", FOX,
          "{\"t\":[\"The Quick brown <em>fox</em>\"]}");
    shows("{\"match\":{\"t\":\"cat\"}}", "{\"fields\":{\"t\":{"
          "\"no_match_size\":9}}}", FOX, "{\"t\":[\"The Quick\"]}");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"fields\":{\"t\":{\"type\":"
          "\"plain\"}}}", FOX, "{\"t\":[\"The Quick brown <em>fox</em>\"]}");

    shows("{\"match\":{\"t\":\"fox\"}}", "{\"fields\":{\"t\":{\"type\":"
          "\"semantic\"}}}", FOX,
          "[highlight]: [type] [\"semantic\"] is not supported");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"zzz\":1,\"fields\":{}}", FOX,
          "[highlight]: [zzz] [1] is not supported");
    shows("{\"match\":{\"t\":\"fox\"}}", "{}", FOX,
          "[highlight] needs [fields]");
    shows("{\"match\":{\"t\":\"fox\"}}", "[]", FOX,
          "[highlight] must be an object");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"fields\":{\"t\":{"
          "\"fragment_size\":-1}}}", FOX,
          "[highlight]: [fragment_size] must be a number");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"fields\":{\"t\":3}}", FOX,
          "[highlight.fields.t] must be an object");
    shows("{\"match\":{\"t\":\"fox\"}}", "{\"highlight_query\":{\"zzz\":{}},"
          "\"fields\":{}}", FOX,
          "[zzz] query is not supported (at query)");
}


static void
test_fragments(void)
{
    static const char  *text =
        "{\"t\":\"One fox ran. Two dogs sat. Then a fox and a fox met. "
        "Nothing here at all. The last fox slept.\"}";

    shows("{\"match\":{\"t\":\"fox\"}}",
          "{\"fields\":{\"t\":{\"fragment_size\":20}}}", text,
          "{\"t\":[\"One <em>fox</em> ran.\","
          "\"Then a <em>fox</em> and a <em>fox</em>\","
          "\"The last <em>fox</em> slept.\"]}");
    shows("{\"match\":{\"t\":\"fox\"}}",
          "{\"fields\":{\"t\":{\"fragment_size\":40}}}", text,
          "{\"t\":[\"One <em>fox</em> ran. Two dogs sat.\","
          "\"Then a <em>fox</em> and a <em>fox</em> met.\","
          "\"The last <em>fox</em> slept.\"]}");
    shows("{\"match\":{\"t\":\"fox\"}}",
          "{\"fields\":{\"t\":{\"number_of_fragments\":0}}}", text,
          "{\"t\":[\"One <em>fox</em> ran. Two dogs sat. Then a <em>fox</em>"
          " and a <em>fox</em> met. Nothing here at all. The last"
          " <em>fox</em> slept.\"]}");
    shows("{\"match\":{\"t\":\"fox\"}}",
          "{\"order\":\"score\",\"fields\":{\"t\":{\"fragment_size\":30,"
          "\"number_of_fragments\":1}}}", text,
          "{\"t\":[\"Then a <em>fox</em> and a <em>fox</em> met.\"]}");
    shows("{\"match\":{\"t\":\"dogs last\"}}",
          "{\"fields\":{\"t\":{\"fragment_size\":1}}}", text,
          "{\"t\":[\"<em>dogs</em>\",\"<em>last</em>\"]}");
    shows("{\"match\":{\"t\":\"b\"}}", "{\"fields\":{\"t\":{}}}",
          "{\"t\":[\"a\",\"b\",\"b c\",null,{\"x\":1}]}",
          "{\"t\":[\"<em>b</em>\",\"<em>b</em> c\"]}");
}


/* Long texts take time in proportion. */

static void
test_long(void)
{
    char  *doc, *p;
    int    i;

    doc = malloc(2000000 + 64);
    p = doc + sprintf(doc, "{\"t\":\"");

    for (i = 0; i < 1000000; i++) {
        *p++ = 'a';
        *p++ = ' ';
    }

    sprintf(p, "z\"}");

    shows("{\"match\":{\"t\":\"a z\"}}", "{\"fields\":{\"t\":{"
          "\"fragment_size\":3,\"number_of_fragments\":1}}}", doc,
          "{\"t\":[\"<em>z</em>\"]}");

    free(doc);
}


int
main(void)
{
    mapping = mapped;

    test_words();
    test_phrases();
    test_fields();
    test_options();
    test_fragments();
    test_long();

    return tap_done();
}
