
/*
 * Queries that are a text, and Koncorde filters: the trees they become.
 *
 *     a:x          match of the word "x" in field a
 *     a:"x y"      phrase            a:x*    prefix     a:(x?z)  wildcard
 *     a:/x/        regexp            a:x~1   fuzzy      a:[1,2}  range
 *     [+a -b ?c]   bool: must, must not, should   {a | b}  dis_max
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

#include "tap.h"
#include "kz_shim.h"
#include "store/kz_query.h"


static kz_mapping_err_t  err;
static ngx_pool_t       *pool;


static char *
show_list(char *p, const kz_query_node_t *n, const char *sign);


static char *
show(char *p, const kz_query_node_t *n)
{
    ngx_uint_t  i;
    char       *begin = p;

    if (n->field.len) {
        p += sprintf(p, "%.*s%s:", (int) n->field.len, n->field.data,
                     n->pattern ? "!" : "");
    }

    switch (n->type) {

    case KZ_QUERY_ALL:
        p += sprintf(p, "all");
        break;

    case KZ_QUERY_NONE:
        p += sprintf(p, "none");
        break;

    case KZ_QUERY_MATCH:
        p += sprintf(p, "%.*s%s%s", (int) n->text.len, n->text.data,
                     n->every ? "&" : "", n->prefix ? ".." : "");
        break;

    case KZ_QUERY_PHRASE:
        p += sprintf(p, "\"%.*s\"%s", (int) n->text.len, n->text.data,
                     n->prefix ? ".." : "");
        if (n->slop) {
            p += sprintf(p, "~%d", (int) n->slop);
        }
        break;

    case KZ_QUERY_PREFIX:
        p += sprintf(p, "%.*s*", (int) n->text.len, n->text.data);
        break;

    case KZ_QUERY_WILDCARD:
        p += sprintf(p, "(%.*s)", (int) n->text.len, n->text.data);
        break;

    case KZ_QUERY_REGEXP:
        p += sprintf(p, "/%.*s/%s", (int) n->text.len, n->text.data,
                     n->nocase ? "i" : "");
        break;

    case KZ_QUERY_FUZZY:
        p += sprintf(p, "%.*s~", (int) n->text.len, n->text.data);
        if (n->fuzziness != KZ_QUERY_FUZZY_AUTO) {
            p += sprintf(p, "%d", (int) n->fuzziness);
        }
        break;

    case KZ_QUERY_RANGE:
        p += sprintf(p, "%c%.*s,%.*s%c", n->lower_in ? '[' : '{',
                     (int) n->lower.raw.len, n->lower.raw.data,
                     (int) n->upper.raw.len, n->upper.raw.data,
                     n->upper_in ? ']' : '}');
        break;

    case KZ_QUERY_EXISTS:
        p += sprintf(p, "exists");
        break;

    case KZ_QUERY_IDS:
    case KZ_QUERY_TERMS:
        p += sprintf(p, "%s", n->type == KZ_QUERY_IDS ? "ids" : "");

        for (i = 0; i < n->nvalues; i++) {
            p += sprintf(p, "=%.*s", (int) n->values[i].raw.len,
                         n->values[i].raw.data);
        }
        break;

    case KZ_QUERY_BOOL:
        *p++ = '[';
        p = show_list(p, n->all, "+");
        p = show_list(p, n->any, "?");
        p = show_list(p, n->none, "-");
        p[-1] = ']';

        if (n->minimum) {
            p += sprintf(p, "%d", (int) n->minimum);
        }
        break;

    case KZ_QUERY_DIS_MAX:
        *p++ = '{';
        p = show_list(p, n->any, "");
        p[-1] = '}';

        if (n->factor) {
            p += sprintf(p, "%g", n->factor);
        }
        break;

    case KZ_QUERY_GEO_BOX:
        p += sprintf(p, "box(%g,%g,%g,%g)", n->box.top, n->box.left,
                     n->box.bottom, n->box.right);
        break;

    case KZ_QUERY_GEO_DISTANCE:
        p += sprintf(p, "within(%g,%g,%gm)", n->points->lat, n->points->lon,
                     n->metres);
        break;

    case KZ_QUERY_GEO_POLYGON:
        p += sprintf(p, "polygon(%d)", (int) n->npoints);
        break;

    default:
        p += sprintf(p, "?%d", n->type);
    }

    if (n->boost != 1) {
        p += sprintf(p, "^%g", n->boost);
    }

    return (p == begin) ? p + sprintf(p, "nothing") : p;
}


static char *
show_list(char *p, const kz_query_node_t *n, const char *sign)
{
    for ( /* void */ ; n != NULL; n = n->next) {
        p += sprintf(p, "%s", sign);
        p = show(p, n);
        *p++ = ' ';
    }

    return p;
}


/* A text as JSON. */
static void
quote(char *dst, const char *src)
{
    *dst++ = '"';

    for ( /* void */ ; *src; src++) {
        if (*src == '"' || *src == '\\' || *src == '\t') {
            *dst++ = '\\';
        }

        *dst++ = (*src == '\t') ? 't' : *src;
    }

    strcpy(dst, "\"");
}


static kz_query_t *
parse(const char *text, ngx_uint_t flags)
{
    kz_json_err_t  e;
    kz_json_val_t  v;

    if (kz_json_scan((u_char *) text, strlen(text), 1024, &v, &e) != NGX_OK)
    {
        printf("# not JSON: %s\n", text);
        exit(2);
    }

    return kz_query_parse(pool, &v, flags, &err);
}


static void
is_tree(kz_query_t *q, const char *want, const char *name)
{
    static char  text[65536];

    if (q == NULL) {
        sprintf(text, "%d: %.*s", err.status, (int) err.detail.len,
                err.detail.data);
    } else {
        *show(text, q->root) = '\0';
    }

    is_text(text, strlen(text), want, name);
}


/* query_string with other parameters ("" or ",\"x\":1") */
static void
lucene_with(const char *query, const char *more, const char *want)
{
    char  body[4096], text[2048];

    quote(text, query);
    sprintf(body, "{\"query\":{\"query_string\":{\"query\":%s%s}}}", text,
            more);
    is_tree(parse(body, 0), want, query);
}


/* with the default field f */
static void
lucene(const char *query, const char *want)
{
    lucene_with(query, ",\"default_field\":\"f\"", want);
}


static void
lucene_and(const char *query, const char *want)
{
    lucene_with(query, ",\"default_field\":\"f\",\"default_operator\":"
                "\"AND\"", want);
}


static void
is_refused(kz_query_t *q, const char *part, const char *name)
{
    static char  text[1024];

    snprintf(text, sizeof(text), "%.*s", q ? 0 : (int) err.detail.len,
             err.detail.data);

    ok(q == NULL && err.status == KZ_STORE_BAD_QUERY
       && strstr(text, part) != NULL, "refused: %.60s", name);

    if (q != NULL || strstr(text, part) == NULL) {
        printf("# %s\n", text);
    }
}


static void
lucene_bad(const char *query, const char *more)
{
    char  body[4096], text[2048];

    quote(text, query);
    sprintf(body, "{\"query\":{\"query_string\":{\"query\":%s%s}}}", text,
            more);
    is_refused(parse(body, 0), "Failed to parse query [", query);
}


static void
test_lucene(void)
{
    lucene("", "none");
    lucene("  \t", "none");
    lucene("a", "f:a");
    lucene("a b", "[?f:a ?f:b]1");
    lucene("a\xe3\x80\x80" "b", "[?f:a ?f:b]1");
    lucene("\xc3\xa9t\xc3\xa9", "f:\xc3\xa9t\xc3\xa9");
    lucene("t:a", "t:a");
    lucene("t : a", "t:a");
    lucene("t.u.v:a b", "[?t.u.v:a ?f:b]1");
    lucene("t:(a b) c", "[?[?t:a ?t:b]1 ?f:c]1");
    lucene("t:(a u:b)", "[?t:a ?u:b]1");
    lucene("n\\*me:a", "n*me!:a");
    lucene("*:a", "*!:a");
    lucene("_exists_:t", "t:exists");
    lucene("_exists_:\"t.u\"", "t.u:exists");
    lucene("_exists_:t*", "t*!:exists");
    lucene("t:*", "t:exists");
    lucene("*:*", "all");
    lucene("*", "f:exists");
    lucene("_id:x", "_id:x");

    /* words */
    lucene("a-b+c", "f:a-b+c");
    lucene("a\\ b", "f:a b");
    lucene("a\\:b\\(\\)", "f:a:b()");
    lucene("\\u0041\\u00e9", "f:A\xc3\xa9");
    lucene("a & b", "[?f:a ?f:& ?f:b]1");
    lucene("ANDROID ORB NOTE", "[?f:ANDROID ?f:ORB ?f:NOTE]1");
    lucene("and or not", "[?f:and ?f:or ?f:not]1");
    lucene("\"a b\"", "f:\"a b\"");
    lucene("\"a b\"~3", "f:\"a b\"~3");
    lucene("\"a \\\"b\"^2", "f:\"a \"b\"^2");
    lucene("t:\"a AND b\"", "t:\"a AND b\"");
    lucene("a^2.5", "f:a^2.5");
    lucene("a^ 2", "f:a^2");
    lucene("(a b^2)^3", "[?f:a^3 ?f:b^6]1");
    lucene("a~", "f:a~");
    lucene("a~1", "f:a~1");
    lucene("a~9", "f:a~2");
    lucene("a~0", "f:a~0");
    lucene("abcde~0.8", "f:abcde~0");
    lucene("abcde~0.5", "f:abcde~2");
    lucene("a~1^2", "f:a~1^2");
    lucene("a^2~1", "f:a~1^2");
    lucene("jo*", "f:jo*");
    lucene("jo\\**", "f:jo**");
    lucene("j?n", "f:(j?n)");
    lucene("*n", "f:(*n)");
    lucene("j*\\*n", "f:(j*\\*n)");
    lucene("a?", "f:(a?)");
    lucene("?", "f:(?)");
    lucene("/a[bc]+\\/d/", "f:/a[bc]+\\/d/");
    lucene("t:/x y/ z", "[?t:/x y/ ?f:z]1");

    /* ranges */
    lucene("[1 TO 2]", "f:[\"1\",\"2\"]");
    lucene("t:{1 TO 2}", "t:{\"1\",\"2\"}");
    lucene("t:[1 TO 2}", "t:[\"1\",\"2\"}");
    lucene("t:[* TO 2]", "t:[,\"2\"]");
    lucene("t:{1 TO *}^2", "t:{\"1\",}^2");
    lucene("t:[a b]", "t:[\"a\",\"b\"]");
    lucene("t:[TO TO TO]", "t:[\"TO\",\"TO\"]");
    lucene("t:[\"a b\" TO \"*\"]", "t:[\"a b\",\"*\"]");
    lucene("t:[2020-01-01 TO now-1d/d]", "t:[\"2020-01-01\",\"now-1d/d\"]");
    lucene("t:>1", "t:{\"1\",}");
    lucene("t:>=1", "t:[\"1\",}");
    lucene("t:<1", "t:{,\"1\"}");
    lucene("t:<=-1", "t:{,\"-1\"]");
    lucene("t:(>=1 AND <3)", "[+t:[\"1\",} +t:{,\"3\"}]");
    lucene(">1", "f:>1");
    lucene("t:>", "t:>");
}


/* What AND and OR do is Lucene's, not an algebra's. */
static void
test_precedence(void)
{
    lucene("a OR b AND c", "[+f:b +f:c ?f:a]");
    lucene("a AND b OR c", "[+f:a +f:b ?f:c]");
    lucene("a AND b", "[+f:a +f:b]");
    lucene("a && b || c", "[+f:a +f:b ?f:c]");
    lucene("a OR b", "[?f:a ?f:b]1");
    lucene("a AND b AND c", "[+f:a +f:b +f:c]");
    lucene("a b AND c", "[+f:b +f:c ?f:a]");
    lucene("a AND NOT b", "[+f:a -f:b]");
    lucene("NOT a AND b", "[+f:b -f:a]");
    lucene("a NOT b", "[?f:a -f:b]1");
    lucene("a !b", "[?f:a -f:b]1");
    lucene("+a -b c", "[+f:a ?f:c -f:b]");
    lucene("a OR NOT b", "[?f:a -f:b]1");
    lucene("a OR +b", "[+f:b ?f:a]");
    lucene("NOT a", "[-f:a]");
    lucene("-(a b)", "[-[?f:a ?f:b]1]");
    lucene("a AND (b OR c)", "[+f:a +[?f:b ?f:c]1]");
    lucene("(a AND b) OR (c AND d)", "[?[+f:a +f:b] ?[+f:c +f:d]]1");
    lucene("a - b", "[?f:a ?f:b]1");
    lucene("a AND - b", "[+f:a ?f:b]");
    lucene("((a))", "f:a");

    lucene_and("a b", "[+f:a& +f:b&]");
    lucene_and("a OR b", "[?f:a& ?f:b&]1");
    lucene_and("a b OR c", "[+f:a& ?f:b& ?f:c&]");
    lucene_and("-a OR b", "[?f:b& -f:a&]1");
    lucene_and("+a OR b", "[?f:a& ?f:b&]1");
    lucene_and("a NOT b", "[+f:a& -f:b&]");
}


static void
test_lucene_options(void)
{
    lucene_with("a", "", "*!:a");
    lucene_with("*", "", "all");
    lucene_with("a", ",\"fields\":[\"t^2\",\"u\"]", "{t:a^2 u:a}");
    lucene_with("a^3 v:b", ",\"fields\":[\"t^2\",\"u.*\"],"
                "\"tie_breaker\":0.5", "[?{t:a^6 u.*!:a^3}0.5 ?v:b]1");
    lucene_with("a", ",\"fields\":[\"t\",\"u\"],\"type\":\"most_fields\"",
                "{t:a u:a}1");
    lucene_with("a b", ",\"fields\":[\"t\"],\"type\":\"phrase_prefix\"",
                "[?t:\"a\".. ?t:\"b\"..]1");
    lucene_with("a b c", ",\"default_field\":\"t\","
                "\"minimum_should_match\":\"67%\"", "[?t:a ?t:b ?t:c]2");
    lucene_with("a b c", ",\"default_field\":\"t\","
                "\"minimum_should_match\":-1", "[?t:a ?t:b ?t:c]2");
    lucene_with("\"a\" b", ",\"default_field\":\"t\",\"phrase_slop\":4,"
                "\"boost\":2", "[?t:\"a\"~4^2 ?t:b^2]1");
    lucene_with("a~ b~1", ",\"default_field\":\"t\",\"fuzziness\":1,"
                "\"rewrite\":\"x\",\"max_determinized_states\":1",
                "[?t:a~1 ?t:b~1]1");
    lucene_with("7", ",\"default_field\":\"t\",\"lenient\":true,"
                "\"time_zone\":\"+01:00\",\"analyze_wildcard\":true,"
                "\"auto_generate_synonyms_phrase_query\":false", "t:7");

    lucene_bad("*n", ",\"allow_leading_wildcard\":false");
    lucene_bad("?n", ",\"allow_leading_wildcard\":false");
    lucene_with("n*", ",\"allow_leading_wildcard\":false", "*!:n*");

#define Q(s)  "{\"query\":{" s "}}"

    is_refused(parse(Q("\"query_string\":{}"), 0), "needs a [query]", "none");
    is_refused(parse(Q("\"query_string\":{\"query\":[]}"), 0),
               "[query] must be a text", "an array");
    is_refused(parse(Q("\"query_string\":{\"query\":\"a\",\"x\":1}"), 0),
               "[x] is not supported in a [query_string] query (at query."
               "query_string)", "an unknown parameter");
    is_refused(parse(Q("\"query_string\":{\"query\":\"a\","
                       "\"quote_field_suffix\":\".x\"}"), 0),
               "[quote_field_suffix] is not supported", "quote_field_suffix");
    is_refused(parse(Q("\"query_string\":{\"query\":\"a\",\"fields\":"
                       "[\"a\"],\"default_field\":\"b\"}"), 0),
               "exclude each other", "two lists of fields");
    is_refused(parse(Q("\"query_string\":{\"query\":\"a\",\"fields\":"
                       "[\"a^x\"]}"), 0), "is not a number", "a boost");
    is_refused(parse(Q("\"query_string\":{\"query\":\"a\",\"fields\":"
                       "[\"\"]}"), 0), "is empty", "an empty field");
    is_refused(parse(Q("\"query_string\":{\"query\":\"a b\","
                       "\"minimum_should_match\":\"x\"}"), 0),
               "[minimum_should_match] [x]", "minimum_should_match");
    is_refused(parse(Q("\"query_string\":{\"query\":\"a b\","
                       "\"type\":\"x\"}"), 0), "[type] [x]", "type");
}


static void
test_lucene_bad(void)
{
    ngx_uint_t   i;

    static const char  *bad[] = {
        "AND", "a AND", "AND a", "a OR OR b", "a AND AND b", "NOT", "+", "a -",
        "(a", "a)", "()", "a:", ":a", "a:b:c", "a^", "a^x", "a^-1", "a^2^2",
        "~", "~2", "\"a", "a\"", "/a", "a/b", "[a TO b", "[a]", "[a TO]",
        "[a TO b c]", "{", "]", "}", "a\\", "\\u12", "\\u00g0", "a~1.5",
        "NOT NOT a", "+-a", "a~1~1", "[a TO b]~1", "(a)~1", "^2", "t:(a",
        "\"a\"~0.5", NULL
    };

    for (i = 0; bad[i] != NULL; i++) {
        lucene_bad(bad[i], "");
    }
}


static void
simple_with(const char *query, const char *more, const char *want)
{
    char  body[4096], text[2048];

    quote(text, query);
    sprintf(body, "{\"query\":{\"simple_query_string\":{\"query\":%s%s}}}",
            text, more);
    is_tree(parse(body, 0), want, query);
}


static void
simple(const char *query, const char *want)
{
    simple_with(query, ",\"fields\":[\"f\"]", want);
}


static void
test_simple(void)
{
    simple("", "none");
    simple("*", "all");
    simple("a", "f:a");
    simple("a b", "[?f:a ?f:b]1");
    simple("a + b", "[+f:a +f:b]");
    simple("a+b", "[+f:a +f:b]");
    simple("a | b", "[?f:a ?f:b]1");
    simple("a | b + c", "[+[?f:a ?f:b]1 +f:c]");
    simple("a + b c", "[?[+f:a +f:b] ?f:c]1");
    simple("-a", "[+all -f:a]");
    simple("--a", "f:a");
    simple("- a", "f:a");
    simple("a -b", "[?f:a ?[+all -f:b]]1");
    simple("a + -b", "[+f:a +[+all -f:b]]");
    simple("-(a b)", "[+all -[?f:a ?f:b]1]");
    simple("a-b", "f:a-b");
    simple("(a b) + c", "[+[?f:a ?f:b]1 +f:c]");
    simple("a + (b | c)", "[+f:a +[?f:b ?f:c]1]");
    simple("\"a b\"", "f:\"a b\"");
    simple("\"a b\"~2 c", "[?f:\"a b\"~2 ?f:c]1");
    simple("\"a \\\" b\"", "f:\"a \" b\"");
    simple("a*", "f:a*");
    simple("a\\*", "f:a*");
    simple("a~1", "f:a~1");
    simple("a~5", "f:a~2");
    simple("a~", "f:a");
    simple("a~x", "f:a");
    simple("t:a", "f:t:a");
    simple("/a/", "f:/a/");

    /* no text is wrong */
    simple("(a", "f:a");
    simple("a)", "f:a");
    simple("((a)", "f:a");
    simple("()", "none");
    simple("a + ()", "f:a");
    simple("\"a", "f:a");
    simple("\"\"", "none");
    simple("+ | a", "f:a");
    simple("a +", "f:a");
    simple("a + | b", "[+f:a +f:b]");
    simple("-", "none");
    simple("\\", "none");
    simple("a\\", "f:a");
    simple("(", "none");
    simple("a \"b c", "[?f:a ?f:b ?f:c]1");

    simple_with("a b", ",\"fields\":[\"f\"],\"default_operator\":\"and\"",
                "[+f:a& +f:b&]");
    simple_with("a b c", ",\"fields\":[\"f\"],\"minimum_should_match\":2",
                "[?f:a ?f:b ?f:c]2");
    simple_with("a", ",\"fields\":[\"t^2\",\"u\"]", "{t:a^2 u:a}1");
    simple_with("a", "", "*!:a");
    simple_with("a + b*", ",\"fields\":[\"f\"],\"flags\":\"NONE\"",
                "f:a + b*");
    simple_with("a + b* | \"c\"", ",\"fields\":[\"f\"],"
                "\"flags\":\"OR|AND|WHITESPACE\"",
                "[?[+f:a +f:b*] ?f:\"c\"]1");
    simple_with("a + (b", ",\"fields\":[\"f\"],\"flags\":\"and | whitespace\"",
                "[+f:a +f:(b]");

    is_refused(parse(Q("\"simple_query_string\":{\"query\":\"a\","
                       "\"flags\":\"X\"}"), 0), "[flags] [X] is not known",
               "flags");
    is_refused(parse(Q("\"simple_query_string\":{\"query\":\"a\","
                       "\"type\":\"phrase\"}"), 0), "[type] is not supported",
               "an unknown parameter");
}


static void
multi(const char *more, const char *want)
{
    char  body[4096];

    sprintf(body, "{\"query\":{\"multi_match\":{\"query\":\"a b\"%s}}}",
            more);
    is_tree(parse(body, 0), want, more);
}


static void
test_multi(void)
{
    multi("", "*!:a b");
    multi(",\"fields\":\"t\"", "t:a b");
    multi(",\"fields\":[\"t^3\",\"u.*\"]", "{t:a b^3 u.*!:a b}");
    multi(",\"fields\":[\"t\",\"u\"],\"tie_breaker\":0.3",
          "{t:a b u:a b}0.3");
    multi(",\"fields\":[\"t\",\"u\"],\"type\":\"most_fields\"",
          "{t:a b u:a b}1");
    multi(",\"fields\":[\"t\",\"u\"],\"operator\":\"and\"",
          "{t:a b& u:a b&}");
    multi(",\"fields\":[\"t\",\"u\"],\"type\":\"phrase\",\"slop\":2",
          "{t:\"a b\"~2 u:\"a b\"~2}");
    multi(",\"fields\":[\"t\"],\"type\":\"phrase_prefix\"", "t:\"a b\"..");
    multi(",\"fields\":[\"t\"],\"type\":\"bool_prefix\"", "t:a b..");
    multi(",\"fields\":[\"t\",\"u\"],\"type\":\"cross_fields\"",
          "[?{t:a u:a} ?{t:b u:b}]1");
    multi(",\"fields\":[\"t\",\"u\"],\"type\":\"cross_fields\","
          "\"operator\":\"AND\"", "[+{t:a& u:a&} +{t:b& u:b&}]");
    multi(",\"fields\":[\"t\",\"u\"],\"type\":\"cross_fields\","
          "\"minimum_should_match\":\"100%\"", "[?{t:a u:a} ?{t:b u:b}]2");
    multi(",\"fields\":[\"t\"],\"fuzziness\":\"AUTO\",\"lenient\":true,"
          "\"zero_terms_query\":\"all\",\"analyzer\":\"simple\"", "t:a b");

    is_refused(parse(Q("\"multi_match\":{\"query\":\"a\",\"fuzziness\":1,"
                       "\"type\":\"phrase\"}"), 0),
               "[fuzziness] is not allowed", "fuzziness of a phrase");
    is_refused(parse(Q("\"multi_match\":{\"query\":\"a\",\"flags\":1}"), 0),
               "[flags] is not supported in a [multi_match]", "flags");
    is_refused(parse(Q("\"multi_match\":{\"fields\":[\"a\"]}"), 0),
               "needs a [query]", "no query");
    is_refused(parse(Q("\"multi_match\":{\"query\":\"a\",\"fields\":[1]}"),
                     0), "must be a text", "a number for a field");
}


static void
koncorde(const char *filter, const char *want)
{
    char  body[4096];

    sprintf(body, "{\"query\":%s}", filter);
    is_tree(parse(body, KZ_QUERY_KONCORDE), want, filter);
}


static void
koncorde_bad(const char *filter, const char *want)
{
    char         body[4096];
    kz_query_t  *q;

    sprintf(body, "{\"query\":%s}", filter);
    q = parse(body, KZ_QUERY_KONCORDE);

    ok(q == NULL && err.status == KZ_STORE_BAD_FILTER, "refused: %s", filter);
    is_text(err.detail.data, q ? 0 : err.detail.len, want, "its words");
}


static void
test_koncorde(void)
{
    koncorde("{}", "all");
    koncorde("{\"equals\":{\"a\":\"x\"}}", "[+a:=\"x\"]");
    koncorde("{\"equals\":{\"a.b\":1.5}}", "[+a.b:=1.5]");
    koncorde("{\"in\":{\"a\":[\"x\",\"y\"]}}", "[+a:=\"x\"=\"y\"]");
    koncorde("{\"ids\":{\"values\":[\"x\",\"y\"]}}", "[+ids=\"x\"=\"y\"]");
    koncorde("{\"exists\":\"a\"}", "[+a:exists]");
    koncorde("{\"exists\":{\"field\":\"a.b\"}}", "[+a.b:exists]");
    koncorde("{\"exists\":\"a[\\\"x\\\"]\"}", "[+a:=\"x\"]");
    koncorde("{\"exists\":\"a[0]\"}", "[+a:=0]");
    koncorde("{\"exists\":\"a\\\\[0\\\\]\"}", "[+a[0]:exists]");
    koncorde("{\"missing\":\"a\"}", "[-a:exists]");
    koncorde("{\"missing\":\"a[true]\"}", "[-a:=true]");
    koncorde("{\"range\":{\"a\":{\"gt\":1,\"lte\":5}}}", "[+a:{1,5]]");
    koncorde("{\"range\":{\"a\":{\"gte\":\"now-1d\"}}}",
             "[+a:[\"now-1d\",}]");
    koncorde("{\"not\":{\"equals\":{\"a\":1}}}", "[-a:=1]");
    koncorde("{\"and\":[{\"equals\":{\"a\":1}},{\"exists\":\"b\"}]}",
             "[+a:=1 +b:exists]");
    koncorde("{\"or\":[{\"equals\":{\"a\":1}},{\"exists\":\"b\"}]}",
             "[+[?a:=1 ?b:exists]1]");
    koncorde("{\"nothing\":true}", "[+none]");
    koncorde("{\"not\":{\"nothing\":1}}", "[-none]");
    koncorde("{\"bool\":{\"must\":[{\"exists\":\"a\"}],\"must_not\":"
             "[{\"exists\":\"b\"}],\"should\":[{\"exists\":\"c\"}],"
             "\"should_not\":[{\"exists\":\"d\"},{\"exists\":\"e\"}]}}",
             "[+a:exists +[-[?b:exists]1] +[?c:exists]1"
             " +[-[+d:exists +e:exists]]]");

    koncorde("{\"geoBoundingBox\":{\"p\":{\"top\":3,\"left\":\"1\","
             "\"bottom\":2,\"right\":4}}}", "[+p:box(3,1,2,4)]");
    koncorde("{\"geoBoundingBox\":{\"p\":{\"topLeft\":[3,1],"
             "\"bottom_right\":\"2,4\"}}}", "[+p:box(3,1,2,4)]");
    koncorde("{\"geoDistance\":{\"p\":{\"lat\":1,\"lon\":2},"
             "\"distance\":\"2km\"}}", "[+p:within(1,2,2000m)]");
    koncorde("{\"geoDistanceRange\":{\"p\":[1,2],\"from\":\"1m\","
             "\"to\":\"2m\"}}", "[+p:within(1,2,2m) -p:within(1,2,1m)]");
    koncorde("{\"geoPolygon\":{\"p\":{\"points\":[[0,0],[0,1],"
             "{\"latLon\":\"1,1\"}]}}}", "[+p:polygon(3)]");

    koncorde("{\"regexp\":{\"a\":\"b+c\"}}", "[+a:/.*(b+c).*/]");
    koncorde("{\"regexp\":{\"a\":\"^b$\"}}", "[+a:/(b)/]");
    koncorde("{\"regexp\":{\"a\":\"a|^b\"}}", "[+a:/.*(a).*|(b).*/]");
    koncorde("{\"regexp\":{\"a\":{\"value\":\"\\\\d+?\\\\.(?:x|y){2,}\","
             "\"flags\":\"iz\"}}}",
             "[+a:/.*([0-9]+\\.(x|y){2,}).*/i]");
    koncorde("{\"regexp\":{\"a\":\"[^\\\\w-]a@b~\"}}",
             "[+a:/.*([^A-Za-z0-9_-]a\\@b\\~).*/]");
}


static void
test_koncorde_bad(void)
{
    kz_query_t  *q;

    koncorde_bad("{\"nothere\":{\"a\":1}}", "\"nothere\": unknown keyword");
    koncorde_bad("{\"equals\":{\"a\":1},\"exists\":\"b\"}",
                 "Invalid filter syntax. Filters must have one keyword only");
    koncorde_bad("[]", "Invalid filter syntax. Filters must be objects");
    koncorde_bad("{\"equals\":1}", "\"equals\": must be an object");
    koncorde_bad("{\"equals\":{\"a\":1,\"b\":2}}", "\"equals\": expected"
                 " object to have exactly 1 property, got 2");
    koncorde_bad("{\"and\":[{\"equals\":{\"field\":[]}}]}",
                 "\"and.equals.field\": must either be a string, a number,"
                 " a boolean, or null");
    koncorde_bad("{\"range\":{\"age\":{\"gte\":10,\"lte\":1}}}",
                 "\"range.age\": lower boundary must be strictly inferior to"
                 " the upper one");
    koncorde_bad("{\"range\":{\"a\":{\"gt\":1,\"gte\":1}}}",
                 "\"range.a\": only 1 lower boundary allowed");
    koncorde_bad("{\"range\":{\"a\":{\"x\":1}}}",
                 "\"range.a\": \"x\" is not an allowed attribute (allowed:"
                 " gt,gte,lt,lte)");
    koncorde_bad("{\"range\":{\"a\":{\"gt\":[]}}}",
                 "\"range.a.gt\": must be a number");
    koncorde_bad("{\"in\":{\"a\":[]}}", "\"in.a\": cannot be empty");
    koncorde_bad("{\"in\":{\"a\":\"x\"}}", "\"in.a\": must be an array");
    koncorde_bad("{\"ids\":{\"values\":[1]}}", "\"ids.values\": must hold"
                 " only values of type \"string\"");
    koncorde_bad("{\"ids\":{\"x\":[1]}}",
                 "\"ids\": the property \"values\" is missing");
    koncorde_bad("{\"exists\":\"\"}",
                 "\"exists\": cannot test empty field name");
    koncorde_bad("{\"exists\":\"a[x]\"}",
                 "\"exists\": contains an invalid array value (\"x\")");
    koncorde_bad("{\"and\":[]}", "\"and\": cannot be empty");
    koncorde_bad("{\"or\":[{}]}",
                 "\"or\": can only contain non-empty objects");
    koncorde_bad("{\"bool\":{\"minimum_should_match\":1}}", "\"bool\":"
                 " \"minimum_should_match\" is not an allowed attribute"
                 " (allowed: must,must_not,should,should_not)");
    koncorde_bad("{\"bool\":{\"must_not\":[1]}}",
                 "\"bool.and.not.or\": can only contain non-empty objects");
    koncorde_bad("{\"geoDistance\":{\"location\":{\"lat\":1},\"distance\":"
                 "\"10km\"}}",
                 "\"geoDistance.location\": unrecognized point format");
    koncorde_bad("{\"geoDistance\":{\"location\":[1,1]}}", "\"geoDistance\":"
                 " expected object to have exactly 2 properties, got 1");
    koncorde_bad("{\"geoDistance\":{\"location\":[1,1],\"distance\":\"x\"}}",
                 "unable to parse distance value \"x\"");
    koncorde_bad("{\"geoDistanceRange\":{\"p\":[1,1],\"from\":\"2m\","
                 "\"to\":\"1m\"}}", "\"geoDistanceRange.p\": inner radius"
                 " must be smaller than outer radius");
    koncorde_bad("{\"geoPolygon\":{\"p\":{\"points\":[[1,1],[2,2]]}}}",
                 "\"geoPolygon.p.points\": at least 3 points are required to"
                 " build a polygon");
    koncorde_bad("{\"geoBoundingBox\":{\"p\":{\"top\":1}}}",
                 "\"geoBoundingBox.p\": unrecognized geoBoundingBox format:"
                 " {\"top\":1}");
    koncorde_bad("{\"regexp\":{\"name\":\"(\"}}", "\"regexp.name\": cannot"
                 " parse regexp expression \"/(/undefined\" (missing ): ()");
    koncorde_bad("{\"regexp\":{\"a\":[]}}", "\"regexp.a\": must be either a"
                 " string or a non-empty object");

    q = parse("{\"query\":{\"not\":{\"match\":{\"a\":1}}}}",
              KZ_QUERY_KONCORDE);
    ok(q == NULL && err.status == KZ_STORE_FILTER_KEYWORD, "match");
    is_text(err.detail.data, q ? 0 : err.detail.len, "match", "its name");

    q = parse("{\"query\":{\"equals\":{\"a\":null}}}", KZ_QUERY_KONCORDE);
    ok(q == NULL && err.status == KZ_STORE_FILTER_UNTRANSLATABLE, "null");

    q = parse("{\"query\":{\"regexp\":{\"a\":\"(a$)\"}}}",
              KZ_QUERY_KONCORDE);
    ok(q == NULL && err.status == KZ_STORE_FILTER_UNTRANSLATABLE,
       "an anchor in the middle");
}


/* Long, wide and deep texts. */
static void
big(const char *clause, const char *head, const char *unit, size_t n,
    const char *tail, const char *part)
{
    char        *body, *p;
    size_t       i;
    kz_query_t  *q;

    body = malloc(n * strlen(unit) + strlen(head) + strlen(tail) + 256);
    p = body + sprintf(body, "{\"query\":{\"%s\":{\"query\":\"%s", clause,
                       head);

    for (i = 0; i < n; i++) {
        memcpy(p, unit, strlen(unit));
        p += strlen(unit);
    }

    sprintf(p, "%s\"}}}", tail);

    q = parse(body, 0);

    if (part != NULL) {
        is_refused(q, part, clause);

    } else {
        ok(q != NULL, "%lu times %s", (unsigned long) n, unit);
    }

    free(body);
}


static void
test_bounds(void)
{
    size_t  i;
    char   *p, *body;

    big("query_string", "", "a ", 1000, "", NULL);
    big("query_string", "", "a ", 100000, "", "too many clauses");
    big("query_string", "", "a ", 5000000, "", "too long");
    big("query_string", "", "a", 40000, "", "a word of the query is too");
    big("query_string", "", "(", 100000, "", "too many clauses in one");
    big("query_string", "", "-(", 100000, "", "too many clauses in one");
    big("query_string", "", "a:(", 100000, "", "too many clauses in one");
    big("query_string", "", "\\\\", 40000, "", "a word of the query is too");
    big("query_string", "x", "^", 100000, "", "Failed to parse");
    big("simple_query_string", "", "(", 1000000, "", NULL);
    big("simple_query_string", "a", "(", 1000000, "b", NULL);
    big("simple_query_string", "a", "((", 400000, "))))))", NULL);
    big("simple_query_string", "", "\\\"", 500000, "", NULL);
    big("simple_query_string", "", "a ", 100000, "", "too many clauses");
    big("simple_query_string", "", "a+b|c ", 100, "", "in one another");
    big("simple_query_string", "", "-", 1000000, "a", NULL);
    big("multi_match", "", "a", 2000000, "", "too long");

    /* 100 levels of filters */

    body = malloc(4096);
    p = body + sprintf(body, "{\"query\":");

    for (i = 0; i < 100; i++) {
        p += sprintf(p, "{\"not\":");
    }

    p += sprintf(p, "{\"exists\":\"a\"}");

    for (i = 0; i <= 100; i++) {
        *p++ = '}';
    }

    *p = '\0';
    is_refused(parse(body, KZ_QUERY_KONCORDE), "too many clauses in one",
               "100 levels");
    free(body);
}


int
main(void)
{
    pool = kz_shim_pool();

    test_lucene();
    test_precedence();
    test_lucene_options();
    test_lucene_bad();
    test_simple();
    test_multi();
    test_koncorde();
    test_koncorde_bad();
    test_bounds();

    ngx_destroy_pool(pool);

    return tap_done();
}
