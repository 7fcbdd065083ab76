/*
 * Words, phrases, likeness and relevance (src/store/kz_match_text.h).
 *
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
#include "store/kz_match_phrase.h"
#include <math.h>


static const char  *mapping =
    "{\"dynamic\":\"false\",\"properties\":{\"t\":{\"type\":\"text\"},"
    "\"k\":{\"type\":\"keyword\",\"normalizer\":\"lowercase\"},"
    "\"e\":{\"type\":\"text\",\"analyzer\":\"auto\",\"search_analyzer\":"
    "\"standard\"},\"s\":{\"type\":\"text\",\"analyzer\":\"stop\"},"
    "\"o\":{\"type\":\"object\",\"properties\":{\"t\":{\"type\":\"text\"}}},"
    "\"n\":{\"type\":\"integer\"}}}";

static const ngx_str_t  settings = ngx_string(
    "{\"analysis\":{\"analyzer\":{\"auto\":{\"tokenizer\":\"standard\","
    "\"filter\":[\"lowercase\",\"grams\"]}},\"filter\":{\"grams\":{\"type\":"
    "\"edge_ngram\",\"min_gram\":1,\"max_gram\":10}}}}");

static double     score;
static uint64_t   ndocs;
static uint64_t   dfs[2];           /* of the words a.., and all others */
static double     average;


/* 1, 0, or -1: refused, the reason in *why. */
static int
run(const char *query, const char *doc, ngx_str_t *why)
{
    u_char           *copy, *text;
    ngx_int_t         rc;
    ngx_str_t         src, id = ngx_string("id-1");
    ngx_pool_t       *pool = kz_shim_pool();
    kz_query_t       *q;
    kz_match_t       *m;
    kz_mapping_t     *map;
    kz_json_err_t     e;
    kz_json_val_t     v;
    kz_text_term_t   *t;
    kz_text_scan_t   *s;

    static kz_mapping_err_t  err;

    map = kz_mapping_compile_with((u_char *) mapping, strlen(mapping),
                                  &settings, KZ_DIALECT_2, &kz_shim_log,
                                  &err);
    text = kz_shim_copy(query, strlen(query));

    if (map == NULL
        || kz_json_scan(text, strlen(query), 100, &v, &e) != NGX_OK)
    {
        printf("# cannot use %s %.*s\n", query, (int) err.detail.len,
               err.detail.data);
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

        m->ndocs = ndocs;

        for (t = m->terms; t != NULL; t = t->next) {
            t->df = (t->value.text.len && t->value.text.data[0] == 'a')
                    ? dfs[0] : dfs[1];
        }

        for (s = m->scans; s != NULL; s = s->next) {
            s->average = average;
        }

        kz_text_weigh(m);

        rc = kz_match_doc(m, &id, &src, &score) == NGX_OK;

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
    char       query[4096];
    ngx_str_t  why = ngx_null_string;

    sprintf(query, "{\"query\":%s}", clause);

    is_int(run(query, doc, &why), want, query + 9);

    if (why.len) {
        printf("#   %.*s\n", (int) why.len, why.data);
    }
}


static void
match(const char *params, const char *text, int want)
{
    char  clause[2048], doc[4096];

    sprintf(clause, "{\"match\":{\"t\":{%s}}}", params);
    sprintf(doc, "{\"t\":%s}", text);
    check(clause, doc, want);
}


static void
phrase(const char *params, const char *text, int want)
{
    char  clause[2048], doc[4096];

    sprintf(clause, "{\"match_phrase\":{\"t\":{%s}}}", params);
    sprintf(doc, "{\"t\":%s}", text);
    check(clause, doc, want);
}


static double
scored(const char *clause, const char *doc)
{
    char       query[2048];
    ngx_str_t  why = ngx_null_string;

    sprintf(query, "{\"query\":%s}", clause);

    if (run(query, doc, &why) != 1) {
        printf("# no match: %s %s %.*s\n", query, doc, (int) why.len,
               why.data);
        return -1;
    }

    return score;
}


static void
near(double got, double want, const char *name)
{
    if (!ok(fabs(got - want) < 0.00001, "%s", name)) {
        printf("# got %.8f, expected %.8f\n", got, want);
    }
}


static void
refused(const char *body, const char *want)
{
    ngx_str_t  why = ngx_null_string;

    is_int(run(body, "{}", &why), -1, body);
    is_str(&why, want, "the reason");
}


static void
test_match(void)
{
    match("\"query\":\"QUICK\"", "\"the Quick fox\"", 1);
    match("\"query\":\"quick dog\"", "\"the quick fox\"", 1);
    match("\"query\":\"cat dog\"", "\"the quick fox\"", 0);
    match("\"query\":\"quick dog\",\"operator\":\"and\"", "\"quick fox\"", 0);
    match("\"query\":\"fox quick\",\"operator\":\"AND\"", "\"quick fox\"", 1);
    match("\"query\":\"fox quick\",\"operator\":\"and\"",
          "[\"quick\",[\"fox\"]]", 1);
    match("\"query\":\"\xc3\x89T\xc3\x89\"", "\"un \xc3\xa9t\xc3\xa9\"", 1);
    match("\"query\":\"ete\"", "\"un \xc3\xa9t\xc3\xa9\"", 0);
    match("\"query\":\"\xe6\x96\x87\"", "\"\xe4\xb8\xad\xe6\x96\x87\"", 1);
    match("\"query\":\"\xf0\x9f\x98\x80\"", "\"a \\ud83d\\ude00 b\"", 1);
    match("\"query\":5", "\"a 5 b\"", 1);
    match("\"query\":\"5\"", "5", 1);
    match("\"query\":\"true\"", "true", 1);
    match("\"query\":\"null\"", "null", 0);

    match("\"query\":\"a b c d\",\"minimum_should_match\":2", "\"a b\"", 1);
    match("\"query\":\"a b c d\",\"minimum_should_match\":3", "\"a b\"", 0);
    match("\"query\":\"a b c d\",\"minimum_should_match\":-2", "\"a b\"", 1);
    match("\"query\":\"a b c d\",\"minimum_should_match\":\"75%\"",
          "\"a b\"", 0);
    match("\"query\":\"a b c d\",\"minimum_should_match\":\"-25%\"",
          "\"a b c\"", 1);
    match("\"query\":\"a b c d\",\"minimum_should_match\":\"3<50%\"",
          "\"a b\"", 1);
    match("\"query\":\"a b c\",\"minimum_should_match\":\"3<50%\"",
          "\"a b\"", 0);
    match("\"query\":\"a b c d\",\"minimum_should_match\":\"2<-25% 9<-3\"",
          "\"a b c\"", 1);
    match("\"query\":\"a b\",\"minimum_should_match\":5", "\"a b\"", 0);

    match("\"query\":\"!?\"", "\"x\"", 0);
    match("\"query\":\"!?\",\"zero_terms_query\":\"all\"", "\"x\"", 1);
    match("\"query\":\"the fox\",\"analyzer\":\"stop\"", "\"the\"", 0);

    check("{\"match\":{\"e\":\"qui\"}}", "{\"e\":\"Quick fox\"}", 1);
    check("{\"match\":{\"e\":\"ick\"}}", "{\"e\":\"Quick fox\"}", 0);
    check("{\"match\":{\"s\":\"the\"}}", "{\"s\":\"the\"}", 0);
    check("{\"match\":{\"k\":\"NEW york\"}}", "{\"k\":\"New York\"}", 1);
    check("{\"match\":{\"k\":\"york\"}}", "{\"k\":\"New York\"}", 0);
    check("{\"match\":{\"n\":\"5\"}}", "{\"n\":5}", 1);
    check("{\"match\":{\"o.t\":\"x\"}}", "{\"o\":[{\"t\":\"a\"},{\"t\":"
          "\"X y\"}]}", 1);
    check("{\"term\":{\"t\":\"fox\"}}", "{\"t\":\"The Fox\"}", 1);
    check("{\"term\":{\"t\":\"Fox\"}}", "{\"t\":\"The Fox\"}", 0);
    check("{\"terms\":{\"t\":[\"cat\",\"fox\"]}}", "{\"t\":\"The Fox\"}", 1);
    check("{\"prefix\":{\"t\":\"fo\"}}", "{\"t\":\"The Fox\"}", 1);
    check("{\"exists\":{\"field\":\"t\"}}", "{\"t\":\"x\"}", 1);
    check("{\"bool\":{\"must_not\":{\"match\":{\"t\":\"fox\"}}}}",
          "{\"t\":\"fox\"}", 0);

    refused("{\"query\":{\"match\":{\"t\":{\"query\":\"a b\","
            "\"minimum_should_match\":\"x\"}}}}",
            "[minimum_should_match] [x] is not understood");
    refused("{\"query\":{\"match\":{\"t\":{\"query\":\"a\",\"analyzer\":"
            "\"zzz\"}}}}", "[match] analyzer [zzz] not found");
}


static void
test_phrase(void)
{
    phrase("\"query\":\"quick fox\"", "\"the quick fox\"", 1);
    phrase("\"query\":\"fox quick\"", "\"the quick fox\"", 0);
    phrase("\"query\":\"quick fox\"", "\"the quick brown fox\"", 0);
    phrase("\"query\":\"quick\"", "\"the quick brown fox\"", 1);
    phrase("\"query\":\"quick fox\",\"slop\":1", "\"quick brown fox\"", 1);
    phrase("\"query\":\"quick fox\",\"slop\":1", "\"quick red brown fox\"",
           0);
    phrase("\"query\":\"fox quick\",\"slop\":1", "\"quick fox\"", 0);
    phrase("\"query\":\"fox quick\",\"slop\":2", "\"quick fox\"", 1);
    phrase("\"query\":\"a b c\",\"slop\":2", "\"a x b x c\"", 1);
    phrase("\"query\":\"a b c\",\"slop\":1", "\"a x b x c\"", 0);
    phrase("\"query\":\"a b a\"", "\"a b a\"", 1);
    phrase("\"query\":\"a b a\"", "\"a b\"", 0);
    phrase("\"query\":\"a a\",\"slop\":5", "\"a\"", 0);
    phrase("\"query\":\"a a\",\"slop\":5", "\"a x x a\"", 1);
    phrase("\"query\":\"a b a\",\"slop\":3", "\"a b\"", 0);

    /* values of an array are far from each other */

    phrase("\"query\":\"a b\"", "[\"x a\",\"b x\"]", 0);
    phrase("\"query\":\"a b\",\"slop\":99", "[\"x a\",\"b x\"]", 0);
    phrase("\"query\":\"a b\",\"slop\":100", "[\"x a\",\"b x\"]", 1);
    phrase("\"query\":\"\xe4\xb8\xad\xe6\x96\x87\"",
           "\"\xe4\xb8\xad\xe6\x96\x87\"", 1);
    phrase("\"query\":\"\xe6\x96\x87\xe4\xb8\xad\"",
           "\"\xe4\xb8\xad\xe6\x96\x87\"", 0);

    /* a stop word leaves its place */

    check("{\"match_phrase\":{\"s\":\"end of day\"}}",
          "{\"s\":\"end the day\"}", 1);
    check("{\"match_phrase\":{\"s\":\"end of day\"}}", "{\"s\":\"end day\"}",
          0);

    check("{\"match_phrase_prefix\":{\"t\":\"quick br\"}}",
          "{\"t\":\"the quick brown\"}", 1);
    check("{\"match_phrase_prefix\":{\"t\":\"quick br\"}}",
          "{\"t\":\"brown quick\"}", 0);
    check("{\"match_phrase_prefix\":{\"t\":\"qu\"}}", "{\"t\":\"quick\"}", 1);
    check("{\"match_bool_prefix\":{\"t\":\"fox qu\"}}", "{\"t\":\"quick\"}",
          1);
    check("{\"match_bool_prefix\":{\"t\":\"fox qu\"}}", "{\"t\":\"qx fo\"}",
          0);
}


static void
test_fuzzy(void)
{
    static const struct {
        const char  *word;
        const char  *text;
        int          edits;
        int          prefix;
        int          want;
    } cases[] = {
        { "quick", "quick", 1, 0, 1 }, { "quick", "quik", 1, 0, 1 },
        { "quick", "quikc", 1, 0, 1 }, { "quick", "qiukc", 1, 0, 0 },
        { "quick", "qiukc", 2, 0, 1 }, { "quick", "xuick", 1, 0, 1 },
        { "quick", "xuick", 1, 1, 0 }, { "quick", "quickly", 2, 0, 1 },
        { "quick", "quickly", 1, 0, 0 }, { "quick", "qu", 2, 0, 0 },
        { "ab", "", 2, 0, 1 }, { "caf\xc3\xa9", "cafe", 1, 0, 1 },
        { "caf\xc3\xa9", "cafes", 1, 0, 0 },
        { "\xe4\xb8\xad\xe6\x96\x87", "\xe6\x96\x87\xe4\xb8\xad", 1, 0, 1 },
        { "abc", "ca", 2, 0, 0 },
        { "quick", "quicker", 2, 5, 0 }
    };

    char        clause[256], doc[128];
    ngx_uint_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sprintf(clause, "{\"fuzzy\":{\"t\":{\"value\":\"%s\",\"fuzziness\":"
                "%d,\"prefix_length\":%d}}}", cases[i].word, cases[i].edits,
                cases[i].prefix);
        sprintf(doc, "{\"t\":\"x %s y\"}", cases[i].text);
        check(clause, doc, cases[i].want);
    }

    match("\"query\":\"quikc\",\"fuzziness\":\"AUTO\"", "\"quick\"", 1);
    match("\"query\":\"it\",\"fuzziness\":\"AUTO\"", "\"in\"", 0);
    match("\"query\":\"cat\",\"fuzziness\":\"AUTO\"", "\"car\"", 1);
    match("\"query\":\"cat\",\"fuzziness\":\"AUTO\"", "\"bar\"", 0);
    match("\"query\":\"quikc fxo\",\"fuzziness\":1,\"operator\":\"and\"",
          "\"quick fox\"", 1);
    match("\"query\":\"quikc\",\"fuzziness\":1,"
          "\"fuzzy_transpositions\":false", "\"quick\"", 0);
    match("\"query\":\"quikc\"", "\"quick\"", 0);
    check("{\"fuzzy\":{\"k\":{\"value\":\"pariz\"}}}", "{\"k\":\"paris\"}",
          1);
    check("{\"fuzzy\":{\"k\":{\"value\":\"x\"}}}", "{\"k\":\"paris\"}", 0);
}


static void
test_scores(void)
{
    double  one, two;

    ndocs = 100;
    dfs[0] = 2;
    dfs[1] = 50;
    average = 4;

    /* 2.2 * idf * tf / (tf + 1.2 * (0.25 + 0.75 * length / average)) */

    near(scored("{\"match\":{\"t\":\"apple\"}}", "{\"t\":\"apple x x x\"}"),
         2.2 * log(1 + 98.5 / 2.5) / 2.2, "one word in a text as all are");

    near(scored("{\"term\":{\"t\":\"apple\"}}", "{\"t\":\"apple apple\"}"),
         2.2 * log(1 + 98.5 / 2.5) * 2 / (2 + 1.2 * (0.25 + 0.375)),
         "a term, twice in a short text");

    near(scored("{\"match\":{\"t\":\"apple pear\"}}",
                "{\"t\":\"apple pear x x\"}"),
         log(1 + 98.5 / 2.5) + log(1 + 50.5 / 50.5), "two words");

    near(scored("{\"match_phrase\":{\"t\":\"apple pear\"}}",
                "{\"t\":\"apple pear x x\"}"),
         log(1 + 98.5 / 2.5) + log(1 + 50.5 / 50.5), "a phrase");

    near(scored("{\"match_phrase\":{\"t\":{\"query\":\"apple pear\","
                "\"slop\":3}}}", "{\"t\":\"apple x pear x\"}"),
         2.2 * (log(1 + 98.5 / 2.5) + log(2)) * 0.5 / (0.5 + 1.2),
         "a sloppy one is worth less");

    near(scored("{\"match\":{\"t\":{\"query\":\"apple\",\"boost\":3}}}",
                "{\"t\":\"apple x x x\"}"),
         3 * log(1 + 98.5 / 2.5), "boost");

    near(scored("{\"bool\":{\"filter\":{\"match\":{\"t\":\"apple\"}}}}",
                "{\"t\":\"apple\"}"), 0, "a filter scores nothing");

    near(scored("{\"constant_score\":{\"filter\":{\"match\":{\"t\":\"apple\""
                "}},\"boost\":2}}", "{\"t\":\"apple apple\"}"), 2,
         "constant_score");

    near(scored("{\"prefix\":{\"t\":\"app\"}}", "{\"t\":\"apple apple\"}"), 1,
         "a prefix is worth one");

    one = scored("{\"match\":{\"t\":\"apple pear\"}}", "{\"t\":\"apple x\"}");
    two = scored("{\"match\":{\"t\":\"apple pear\"}}", "{\"t\":\"pear x\"}");
    ok(one > two, "the rarer word wins");

    one = scored("{\"match\":{\"t\":\"apple\"}}", "{\"t\":\"apple x\"}");
    two = scored("{\"match\":{\"t\":\"apple\"}}", "{\"t\":\"apple x y\"}");
    ok(one > two, "the shorter text wins");

    one = scored("{\"match\":{\"t\":\"apple\"}}", "{\"t\":\"apple apple\"}");
    two = scored("{\"match\":{\"t\":\"apple\"}}", "{\"t\":\"apple x\"}");
    ok(one > two, "more occurrences win");

    one = scored("{\"match\":{\"t\":{\"query\":\"apple\",\"fuzziness\":1}}}",
                 "{\"t\":\"apple\"}");
    two = scored("{\"match\":{\"t\":{\"query\":\"apple\",\"fuzziness\":1}}}",
                 "{\"t\":\"appla\"}");
    ok(one > two && two > 0, "the word itself wins over one like it");

    one = scored("{\"dis_max\":{\"queries\":[{\"match\":{\"t\":\"apple\"}},"
                 "{\"match\":{\"t\":\"pear\"}}],\"tie_breaker\":0.5}}",
                 "{\"t\":\"apple pear x x\"}");
    near(one, log(1 + 98.5 / 2.5) + 0.5 * log(2), "dis_max");

    ndocs = 0;
    one = scored("{\"match\":{\"t\":\"apple pear\"}}",
                 "{\"t\":\"apple pear\"}");
    two = scored("{\"match\":{\"t\":\"apple pear\"}}", "{\"t\":\"apple x\"}");
    ok(one > two && two > 0, "without statistics more words win");
}


static void
test_minimum(void)
{
    static const struct {
        const char  *text;
        int          n;
        int          want;
    } cases[] = {
        { "2", 4, 2 }, { "-1", 4, 3 }, { "-9", 4, 0 }, { "75%", 4, 3 },
        { "75%", 3, 2 }, { "-25%", 4, 3 }, { "-30%", 3, 3 }, { "0", 3, 0 },
        { "3<90%", 3, 3 }, { "3<90%", 5, 4 }, { "2<-25% 9<-3", 2, 2 },
        { "2<-25% 9<-3", 8, 6 }, { "2<-25% 9<-3", 10, 7 }, { "9", 2, 9 },
        { "", 3, -1 }, { "x", 3, -1 }, { "2%%", 3, -1 }, { "<3", 3, -1 },
        { "3<", 3, -1 }, { "2 3", 3, -1 }, { "1.5", 3, -1 },
        { "999999999999", 3, -1 }
    };

    int         got;
    ngx_str_t   s;
    ngx_uint_t  i, n;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s.data = (u_char *) cases[i].text;
        s.len = strlen(cases[i].text);
        n = 0;

        got = (kz_text_minimum(&s, cases[i].n, &n) == NGX_OK) ? (int) n : -1;
        is_int(got, cases[i].want, cases[i].text);
    }
}


int
main(void)
{
    test_minimum();
    test_match();
    test_phrase();
    test_fuzzy();
    test_scores();

    return tap_done();
}
