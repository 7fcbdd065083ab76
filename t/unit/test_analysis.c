/*
 * Analyzers: built in, and from a collection's settings (src/store).
 *
 * sources: store/kz_analysis.c store/kz_analysis_conf.c
 * sources: store/kz_analysis_part.c store/kz_analysis_filter.c
 */

#include "tap.h"
#include "kz_shim.h"
#include "store/kz_analysis.h"


static u_char  got[65536], *end;
static u_char  why[KZ_ANALYSIS_ERR_LEN];


static ngx_int_t
collect(void *ctx, const kz_token_t *t)
{
    ngx_uint_t  places = *(ngx_uint_t *) ctx;

    if (end > got) {
        *end++ = '|';
    }

    end = ngx_cpymem(end, t->text.data, t->text.len);

    if (places) {
        end = ngx_sprintf(end, "@%uD:%uD-%uD", t->position, t->start, t->end);
    }

    return NGX_OK;
}


/* The tokens; with places after each "@position:start-end". */

static void
tokens(const char *settings, const char *name, const char *text,
    ngx_uint_t places, const char *want)
{
    u_char               *p, *copy;
    ngx_str_t             s, n;
    ngx_uint_t            i;
    ngx_pool_t           *pool = kz_shim_pool();
    kz_analyze_t          run;
    kz_analysis_t        *a;
    kz_json_val_t         v;
    kz_json_err_t         e;
    const kz_analyzer_t  *z;

    ngx_memzero(&run, sizeof(run));
    ngx_memzero(&v, sizeof(v));
    end = got;
    p = NULL;

    if (settings != NULL) {
        p = kz_shim_copy(settings, strlen(settings));

        if (kz_json_scan(p, strlen(settings), 50, &v, &e) != NGX_OK) {
            printf("# bad JSON %s\n", settings);
            exit(2);
        }
    }

    a = kz_analysis_create(pool, &v, why);
    z = NULL;

    if (a != NULL) {
        n.data = (u_char *) name;
        n.len = strlen(name);
        z = kz_analysis_analyzer(a, pool, &n, why);
    }

    if (z == NULL) {
        end = ngx_sprintf(got, "ERR %s", why);

    } else {
        copy = kz_shim_copy(text, strlen(text));
        s.data = copy;
        s.len = strlen(text);

        /* twice: nothing is left of the first run */

        for (i = 0; i < 2; i++) {
            end = got;
            kz_analyze(z, &run, &s, collect, &places);
        }

        free(copy);
    }

    is_text(got, end - got, want, text);

    kz_analyze_free(&run);
    ngx_destroy_pool(pool);
    free(p);
}


static void
normal(const char *settings, const char *name, const char *text,
    const char *want)
{
    u_char               *p;
    ngx_str_t             s, n, out;
    ngx_pool_t           *pool = kz_shim_pool();
    kz_analyze_t          run;
    kz_analysis_t        *a;
    kz_json_val_t         v;
    kz_json_err_t         e;
    const kz_analyzer_t  *z;

    ngx_memzero(&run, sizeof(run));
    p = kz_shim_copy(settings, strlen(settings));
    (void) kz_json_scan(p, strlen(settings), 50, &v, &e);

    a = kz_analysis_create(pool, &v, why);
    z = NULL;

    if (a != NULL) {
        n.data = (u_char *) name;
        n.len = strlen(name);
        z = kz_analysis_normalizer(a, pool, &n, why);
    }

    if (z == NULL) {
        is_text(why, strlen((char *) why), want + 4, text);

    } else {
        s.data = (u_char *) text;
        s.len = strlen(text);
        kz_normalize(z, &run, &s, &out);
        is_text(out.data, out.len, want, text);
    }

    kz_analyze_free(&run);
    ngx_destroy_pool(pool);
    free(p);
}


#define CUSTOM(tokenizer, filters)                                            \
    "{\"analysis\":{\"analyzer\":{\"a\":{\"tokenizer\":\"" tokenizer          \
    "\",\"filter\":[" filters "]}}}}"

#define FILTER(def)                                                           \
    "{\"index\":{\"analysis\":{\"analyzer\":{\"a\":{\"type\":\"custom\","     \
    "\"tokenizer\":\"whitespace\",\"filter\":\"f\"}},\"filter\":{\"f\":" def  \
    "}}}}"

#define TOKENIZER(def)                                                        \
    "{\"analysis\":{\"analyzer\":{\"a\":{\"tokenizer\":\"t\"}},"              \
    "\"tokenizer\":{\"t\":" def "}}}"

#define ANALYZER(def)                                                         \
    "{\"analysis\":{\"analyzer\":{\"a\":" def "}}}"


static void
test_builtin(void)
{
    char  text[1300], want[1300];

    tokens(NULL, "standard", "The QUICK br\xc3\xb6wn-f\xc3\x96x!", 1,
           "the@0:0-3|quick@1:4-9|br\xc3\xb6wn@2:10-16|f\xc3\xb6x@3:17-21");
    tokens(NULL, "standard", "O'Neil's 3.14 a_b", 0, "o'neil's|3.14|a_b");
    tokens(NULL, "standard", "\xe4\xb8\xad\xe6\x96\x87 ok", 1,
           "\xe4\xb8\xad@0:0-3|\xe6\x96\x87@1:3-6|ok@2:7-9");
    tokens(NULL, "standard", "\xf0\x9f\x98\x80", 0, "\xf0\x9f\x98\x80");
    tokens(NULL, "standard", "", 0, "");
    tokens(NULL, "standard", " .,! ", 0, "");
    tokens(NULL, "simple", "It's 2 B-plans", 0, "it|s|b|plans");
    tokens(NULL, "whitespace", " It's  2 B-plans", 1,
           "It's@0:1-5|2@1:7-8|B-plans@2:9-16");
    tokens(NULL, "keyword", "New York", 1, "New York@0:0-8");
    tokens(NULL, "stop", "The end of THE day", 1, "end@1:4-7|day@4:15-18");

    memset(text, 'x', 300);
    text[300] = '\0';
    memset(want, 'x', 255);
    want[255] = '|';
    memset(want + 256, 'x', 45);
    want[301] = '\0';
    tokens(NULL, "standard", text, 0, want);
    tokens(NULL, "whitespace", text, 0, want);

    tokens(NULL, "english", "x", 0, "ERR analyzer [english] has not been"
           " configured in mappings, or is not supported");
    tokens(NULL, "nonsense", "x", 0, "ERR analyzer [nonsense] has not been"
           " configured in mappings, or is not supported");
}


static void
test_presets(void)
{
    tokens(ANALYZER("{\"type\":\"standard\",\"stopwords\":[\"quick\","
                    "\"the\"]}"), "a", "the quick fox", 1, "fox@2:10-13");
    tokens(ANALYZER("{\"type\":\"standard\",\"max_token_length\":3}"), "a",
           "quick fox", 1, "qui@0:0-3|ck@1:3-5|fox@2:6-9");
    tokens(ANALYZER("{\"type\":\"stop\",\"stopwords\":\"_none_\"}"), "a",
           "the fox", 0, "the|fox");
    tokens(ANALYZER("{\"type\":\"simple\"}"), "a", "The Fox2", 0, "the|fox");
    tokens(ANALYZER("{\"type\":\"standard\",\"stopwords\":\"_french_\"}"),
           "a", "x", 0, "ERR [a]: stopwords \"_french_\" is not supported");
    tokens(ANALYZER("{\"type\":\"snowball\"}"), "a", "x", 0,
           "ERR analyzer [a]: type [snowball] is not supported");
    tokens(ANALYZER("{\"type\":\"standard\",\"zzz\":1}"), "a", "x", 0,
           "ERR [a]: [zzz] is not supported");
    tokens(ANALYZER("{\"filter\":[]}"), "a", "x", 0, "ERR analyzer [a] must"
           " specify either an analyzer type, or a tokenizer");
    tokens(ANALYZER("{\"type\":\"standard\",\"max_token_length\":0}"), "a",
           "x", 0, "ERR [a]: max_token_length must be between 1 and 255");
    tokens("{\"analysis\":{\"zzz\":{}}}", "standard", "x", 0,
           "ERR [analysis.zzz] is not supported");
    tokens("{\"analysis\":3}", "standard", "x", 0,
           "ERR [analysis] must be an object");
    tokens("{\"analysis\":{\"char_filter\":{\"h\":{\"type\":\"html_strip\"}"
           "}}}", "standard", "x", 0,
           "ERR char_filter [h] is not supported");
    tokens(ANALYZER("{\"tokenizer\":\"standard\",\"char_filter\":["
                    "\"html_strip\"]}"), "a", "x", 0,
           "ERR [a]: char_filter [\"html_strip\"] is not supported");
}


static void
test_filters(void)
{
    tokens(CUSTOM("standard", "\"lowercase\",\"asciifolding\""), "a",
           "D\xc3\xa9j\xc3\xa0 VU \xc3\x86on", 0, "deja|vu|aeon");
    tokens(CUSTOM("standard", "\"uppercase\""), "a",
           "stra\xc3\x9f""e d\xc3\xa9j\xc3\xa0 \xd0\xbc\xd0\xb8\xd1\x80"
           " \xce\xac", 0, "STRA\xc3\x9f""E|D\xc3\x89J\xc3\x80|"
           "\xd0\x9c\xd0\x98\xd0\xa0|\xce\x86");
    tokens(CUSTOM("keyword", "\"trim\""), "a", "  x y ", 0, "x y");
    tokens(CUSTOM("standard", "\"reverse\""), "a", "ab\xc3\xa9 cd", 0,
           "\xc3\xa9""ba|dc");
    tokens(CUSTOM("whitespace", "\"unique\""), "a", "a b a c b", 1,
           "a@0:0-1|b@1:2-3|c@2:6-7");
    tokens(CUSTOM("whitespace", "\"truncate\""), "a", "abcdefghijklm xy", 0,
           "abcdefghij|xy");
    tokens(CUSTOM("lowercase", ""), "a", "The FOX2", 0, "the|fox");
    tokens(CUSTOM("letter", ""), "a", "The FOX2", 0, "The|FOX");

    tokens(FILTER("{\"type\":\"asciifolding\",\"preserve_original\":true}"),
           "a", "\xc3\xa9t\xc3\xa9 ok", 1,
           "ete@0:0-5|\xc3\xa9t\xc3\xa9@0:0-5|ok@1:6-8");
    tokens(FILTER("{\"type\":\"stop\",\"stopwords\":[\"THE\"],"
                  "\"ignore_case\":true}"), "a", "The fox", 1, "fox@1:4-7");
    tokens(FILTER("{\"type\":\"stop\",\"stopwords\":[\"the\"]}"), "a",
           "The the fox", 1, "The@0:0-3|fox@2:8-11");
    tokens(FILTER("{\"type\":\"length\",\"min\":2,\"max\":3}"), "a",
           "a bb ccc dddd \xc3\xa9\xc3\xa9", 1,
           "bb@1:2-4|ccc@2:5-8|\xc3\xa9\xc3\xa9@4:14-18");
    tokens(FILTER("{\"type\":\"edge_ngram\",\"min_gram\":2,\"max_gram\":3}"),
           "a", "quick a fox", 1, "qu@0:0-5|qui@0:0-5|fo@2:8-11|fox@2:8-11");
    tokens(FILTER("{\"type\":\"ngram\",\"min_gram\":2,\"max_gram\":2}"), "a",
           "abc \xc3\xa9""d", 0, "ab|bc|\xc3\xa9""d");
    tokens(FILTER("{\"type\":\"edge_ngram\",\"min_gram\":2,\"max_gram\":2,"
                  "\"preserve_original\":true}"), "a", "quick ab x", 0,
           "qu|quick|ab|x");

    tokens(CUSTOM("standard", "\"synonym\""), "a", "x", 0,
           "ERR filter [synonym] is not supported");
    tokens(CUSTOM("standard", "\"stemmer\""), "a", "x", 0,
           "ERR filter [stemmer] is not supported");
    tokens(FILTER("{\"type\":\"phonetic\"}"), "a", "x", 0,
           "ERR filter [f]: type [phonetic] is not supported");
    tokens(FILTER("{\"min\":1}"), "a", "x", 0, "ERR filter [f] needs a type");
    tokens(FILTER("{\"type\":\"ngram\",\"min_gram\":3,\"max_gram\":2}"), "a",
           "x", 0, "ERR [f]: min_gram must be at least 1, max_gram not less"
           " and at most 256");
    tokens(FILTER("{\"type\":\"edge_ngram\",\"side\":\"back\"}"), "a", "x",
           0, "ERR [f]: side \"back\" is not supported");
    tokens(CUSTOM("standard", "3"), "a", "x", 0,
           "ERR [a]: [filter] must be a list of names");
    tokens(CUSTOM("standard",
                  "\"trim\",\"trim\",\"trim\",\"trim\",\"trim\",\"trim\","
                  "\"trim\",\"trim\",\"trim\",\"trim\",\"trim\",\"trim\","
                  "\"trim\",\"trim\",\"trim\",\"trim\",\"trim\""), "a", "x",
           0, "ERR [a]: more than 16 filters are not supported");
}


static void
test_tokenizers(void)
{
    tokens(CUSTOM("ngram", ""), "a", "ab\xc3\xa9", 1,
           "a@0:0-1|ab@1:0-2|b@2:1-2|b\xc3\xa9@3:1-4|\xc3\xa9@4:2-4");
    tokens(CUSTOM("edge_ngram", ""), "a", "quick", 1, "q@0:0-1|qu@1:0-2");
    tokens(TOKENIZER("{\"type\":\"edge_ngram\",\"min_gram\":2,\"max_gram\":"
                     "3,\"token_chars\":[\"letter\",\"digit\"]}"), "a",
           "fox-a1b", 0, "fo|fox|a1|a1b");
    tokens(TOKENIZER("{\"type\":\"whitespace\",\"max_token_length\":2}"),
           "a", "abcde f", 0, "ab|cd|e|f");
    tokens(CUSTOM("pattern", ""), "a", "x", 0,
           "ERR tokenizer [pattern] is not supported");
    tokens(CUSTOM("uax_url_email", ""), "a", "x", 0,
           "ERR tokenizer [uax_url_email] is not supported");
    tokens(TOKENIZER("{\"type\":\"ngram\",\"token_chars\":[\"symbol\"]}"),
           "a", "x", 0, "ERR [t]: token_chars \"symbol\" is not supported");
    tokens(TOKENIZER("{\"type\":\"ngram\",\"max_gram\":\"x\"}"), "a", "x", 0,
           "ERR [t]: [max_gram] must be a number");
}


#define NORMALIZER(filters)                                                   \
    "{\"analysis\":{\"normalizer\":{\"n\":{\"type\":\"custom\",\"filter\":["  \
    filters "]}}}}"


static void
test_normalizers(void)
{
    normal("{}", "lowercase", "New \xc3\x89T\xc3\x89",
           "new \xc3\xa9t\xc3\xa9");
    normal(NORMALIZER("\"lowercase\",\"asciifolding\""), "n",
           "New \xc3\x89T\xc3\x89", "new ete");
    normal(NORMALIZER(""), "n", "As It Is", "As It Is");
    normal(NORMALIZER("\"lowercase\""), "n", "", "");
    normal("{}", "zzz", "x", "ERR normalizer [zzz] not found");
    normal(NORMALIZER("\"stop\""), "n", "x",
           "ERR Custom normalizer [n] may not use filter [stop]");
}


/* Without memory there is no analyzer, and no reason. */

static void
test_memory(void)
{
    int              n, failed;
    ngx_pool_t      *pool;
    kz_analysis_t   *a;
    kz_json_val_t    v;
    kz_json_err_t    e;
    const char      *text = CUSTOM("standard", "\"lowercase\",\"stop\"");

    (void) kz_json_scan((u_char *) text, strlen(text), 50, &v, &e);

    for (n = 0, failed = 0; n < 40; n++) {
        pool = kz_shim_pool();

        kz_shim_allocations = n;
        a = kz_analysis_create(pool, &v, why);
        kz_shim_allocations = -1;

        if (a == NULL) {
            failed += (why[0] == '\0');
        }

        ngx_destroy_pool(pool);
    }

    ok(failed > 0 && failed < 40, "out of memory is told (%d)", failed);
}


int
main(void)
{
    test_builtin();
    test_presets();
    test_filters();
    test_tokenizers();
    test_normalizers();
    test_memory();

    return tap_done();
}
