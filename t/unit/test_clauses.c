
/*
 * Every clause against one document: what matches, what must not, and what
 * is refused, with the reason.
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
#include "store/kz_match_bind.h"


static const char  *mapping =
    "{\"dynamic\":\"false\",\"properties\":{\"k\":{\"type\":\"key"
    "word\"},\"low\":{\"type\":\"keyword\",\"normalizer\":\"lower"
    "case\"},\"t\":{\"type\":\"text\",\"copy_to\":\"all\"},\"u\":"
    "{\"type\":\"keyword\",\"copy_to\":[\"all\",\"allk\"]},\"all\""
    ":{\"type\":\"text\"},\"allk\":{\"type\":\"keyword\"},\"n\":{"
    "\"type\":\"integer\"},\"f\":{\"type\":\"double\"},\"d\":{\"t"
    "ype\":\"date\"},\"b\":{\"type\":\"boolean\"},\"ip\":{\"type\""
    ":\"ip\"},\"g\":{\"type\":\"geo_point\"},\"x\":{\"type\":\"ke"
    "yword\",\"index\":false},\"o\":{\"properties\":{\"a\":{\"typ"
    "e\":\"keyword\"},\"deep\":{\"properties\":{\"z\":{\"type\":\""
    "long\"}}}}},\"c\":{\"type\":\"nested\",\"properties\":{\"who"
    "\":{\"type\":\"keyword\"},\"stars\":{\"type\":\"integer\"},\""
    "text\":{\"type\":\"text\"},\"r\":{\"type\":\"nested\",\"prop"
    "erties\":{\"v\":{\"type\":\"integer\"}}}}},\"p\":{\"type\":\""
    "nested\",\"include_in_parent\":true,\"properties\":{\"q\":{\""
    "type\":\"keyword\"}}}}}";

static const char  *document =
    "{\"k\":\"Foo-Bar\",\"low\":\"ÉCLAIR\",\"t\":\"The quick fox\""
    ",\"u\":\"Side\",\"n\":7,\"f\":1.5,\"d\":\"2018-03-15T10:00:0"
    "0Z\",\"b\":true,\"ip\":\"192.168.1.7\",\"g\":{\"lat\":48.85,"
    "\"lon\":2.35},\"x\":\"hid\",\"o\":{\"a\":\"A\"},\"c\":[{\"wh"
    "o\":\"ann\",\"stars\":1,\"text\":\"very bad\",\"r\":[{\"v\":"
    "1},{\"v\":2}]},{\"who\":\"bob\",\"stars\":5,\"text\":\"very "
    "good\",\"r\":{\"v\":3}}],\"p\":[{\"q\":\"one\"},{\"q\":\"two"
    "\"}]}";


typedef struct {
    const char  *query;
    int          want;
} clause_t;


typedef struct {
    const char  *body;
    const char  *why;         /* NULL: any */
} refused_t;


static const clause_t  clauses[] = {
    { "{\"term\":{\"k\":{\"value\":\"foo-bar\",\"case_insensitive\""
      ":true}}}",
      1 },
    { "{\"term\":{\"k\":\"foo-bar\"}}",
      0 },
    { "{\"term\":{\"low\":\"Éclair\"}}",
      1 },
    { "{\"terms\":{\"k\":[\"x\",\"Foo-Bar\"]}}",
      1 },
    { "{\"prefix\":{\"k\":\"Foo\"}}",
      1 },
    { "{\"prefix\":{\"k\":\"foo\"}}",
      0 },
    { "{\"prefix\":{\"k\":{\"value\":\"foo\",\"case_insensitive\":t"
      "rue}}}",
      1 },
    { "{\"prefix\":{\"low\":\"ÉC\"}}",
      1 },
    { "{\"wildcard\":{\"k\":\"F*-B?r\"}}",
      1 },
    { "{\"wildcard\":{\"k\":\"F*-B?\"}}",
      0 },
    { "{\"wildcard\":{\"k\":{\"wildcard\":\"*\"}}}",
      1 },
    { "{\"wildcard\":{\"k\":\"f*\"}}",
      0 },
    { "{\"wildcard\":{\"k\":{\"value\":\"f*R\",\"case_insensitive\""
      ":true}}}",
      1 },
    { "{\"wildcard\":{\"k\":\"Foo\\\\-Bar\"}}",
      1 },
    { "{\"wildcard\":{\"k\":\"Foo\\\\*\"}}",
      0 },
    { "{\"wildcard\":{\"t\":\"qu?ck\"}}",
      1 },
    { "{\"wildcard\":{\"low\":\"?clair\"}}",
      1 },
    { "{\"wildcard\":{\"t\":\"the*fox\"}}",
      0 },
    { "{\"regexp\":{\"k\":\"Foo-Bar\"}}",
      1 },
    { "{\"regexp\":{\"k\":\"Foo\"}}",
      0 },
    { "{\"regexp\":{\"k\":\"F.*\"}}",
      1 },
    { "{\"regexp\":{\"k\":\"F[a-z]+-(Bar|Baz)\"}}",
      1 },
    { "{\"regexp\":{\"k\":\"[^F].*\"}}",
      0 },
    { "{\"regexp\":{\"k\":\"Fo{2}-Bar\"}}",
      1 },
    { "{\"regexp\":{\"k\":\"Fo{3,}-Bar\"}}",
      0 },
    { "{\"regexp\":{\"k\":\"Fo{1,3}-B\\\\wr\"}}",
      1 },
    { "{\"regexp\":{\"k\":\"@Bar\"}}",
      1 },
    { "{\"regexp\":{\"k\":\"Foo\\\"-B\\\"ar\"}}",
      1 },
    { "{\"regexp\":{\"k\":\"#\"}}",
      0 },
    { "{\"regexp\":{\"k\":\"(Foo|-|Bar)+\"}}",
      1 },
    { "{\"regexp\":{\"k\":\"(Foo-Bar)?\"}}",
      1 },
    { "{\"regexp\":{\"k\":\".*\\\\d.*\"}}",
      0 },
    { "{\"regexp\":{\"k\":{\"value\":\"foo-bar\",\"case_insensitive"
      "\":true}}}",
      1 },
    { "{\"regexp\":{\"k\":{\"value\":\"Foo@\",\"flags\":\"NONE\"}}}",
      0 },
    { "{\"regexp\":{\"k\":{\"value\":\"Foo.*\",\"flags\":\"ALL\",\""
      "max_determinized_states\":100,\"rewrite\":\"constant_score\""
      "}}}",
      1 },
    { "{\"regexp\":{\"t\":\"qu.*\"}}",
      1 },
    { "{\"fuzzy\":{\"k\":\"Foo-Baz\"}}",
      1 },
    { "{\"fuzzy\":{\"k\":{\"value\":\"Foo-Baz\",\"fuzziness\":0}}}",
      0 },
    { "{\"fuzzy\":{\"t\":\"quikc\"}}",
      1 },
    { "{\"fuzzy\":{\"t\":{\"value\":\"quikc\",\"fuzziness\":1,\"tra"
      "nspositions\":false}}}",
      0 },
    { "{\"fuzzy\":{\"t\":{\"value\":\"zuick\",\"prefix_length\":1}}"
      "}",
      0 },
    { "{\"range\":{\"n\":{\"gte\":7,\"lt\":8}}}",
      1 },
    { "{\"range\":{\"n\":{\"gt\":7}}}",
      0 },
    { "{\"range\":{\"n\":{\"from\":7,\"to\":7}}}",
      1 },
    { "{\"range\":{\"n\":{\"from\":7,\"to\":9,\"include_lower\":fal"
      "se}}}",
      0 },
    { "{\"range\":{\"k\":{\"gte\":\"F\",\"lt\":\"G\"}}}",
      1 },
    { "{\"range\":{\"d\":{\"gte\":\"2018-03-15\",\"lte\":\"2018-03-"
      "15\"}}}",
      1 },
    { "{\"range\":{\"d\":{\"gt\":\"2018-03-15||/d\"}}}",
      0 },
    { "{\"range\":{\"d\":{\"lte\":\"2018-03-15||/d\"}}}",
      1 },
    { "{\"range\":{\"d\":{\"lt\":\"2018-03-15||/d\"}}}",
      0 },
    { "{\"range\":{\"d\":{\"gte\":\"2018-03-15||/M\"}}}",
      1 },
    { "{\"range\":{\"d\":{\"gt\":\"2018-03-10||/M\"}}}",
      0 },
    { "{\"range\":{\"d\":{\"lt\":\"now\"}}}",
      1 },
    { "{\"range\":{\"d\":{\"gte\":\"now-1d/d\"}}}",
      0 },
    { "{\"range\":{\"d\":{\"gte\":\"15/03/2018\",\"format\":\"dd/MM"
      "/yyyy\"}}}",
      1 },
    { "{\"range\":{\"d\":{\"gte\":\"16/03/2018\",\"format\":\"dd/MM"
      "/yyyy||yyyy\"}}}",
      0 },
    { "{\"range\":{\"d\":{\"lt\":\"2018-03-15T12:00:00\",\"time_zon"
      "e\":\"+03:00\"}}}",
      0 },
    { "{\"range\":{\"d\":{\"lt\":\"2018-03-15T12:00:00\",\"time_zon"
      "e\":\"+01:00\"}}}",
      1 },
    { "{\"term\":{\"d\":\"2018-03-15\"}}",
      1 },
    { "{\"term\":{\"d\":\"2018-03-15||/M\"}}",
      1 },
    { "{\"term\":{\"d\":\"now/d\"}}",
      0 },
    { "{\"range\":{\"b\":{\"gte\":true}}}",
      1 },
    { "{\"term\":{\"ip\":\"192.168.1.7\"}}",
      1 },
    { "{\"term\":{\"ip\":\"192.168.0.0/16\"}}",
      1 },
    { "{\"term\":{\"ip\":\"192.169.0.0/16\"}}",
      0 },
    { "{\"terms\":{\"ip\":[\"10.0.0.0/8\",\"::ffff:192.168.1.7\"]}}",
      1 },
    { "{\"term\":{\"ip\":\"192.168.1.4/30\"}}",
      1 },
    { "{\"term\":{\"ip\":\"192.168.1.8/30\"}}",
      0 },
    { "{\"range\":{\"ip\":{\"gte\":\"192.168.1.0\",\"lte\":\"192.16"
      "8.1.255\"}}}",
      1 },
    { "{\"range\":{\"ip\":{\"lt\":\"192.168.1.7\"}}}",
      0 },
    { "{\"exists\":{\"field\":\"o\"}}",
      1 },
    { "{\"exists\":{\"field\":\"o.deep\"}}",
      0 },
    { "{\"exists\":{\"field\":\"ip\"}}",
      1 },
    { "{\"exists\":{\"field\":\"g\"}}",
      1 },
    { "{\"exists\":{\"field\":\"x\"}}",
      1 },
    { "{\"exists\":{\"field\":\"c\"}}",
      0 },
    { "{\"exists\":{\"field\":\"c.who\"}}",
      0 },
    { "{\"exists\":{\"field\":\"allk\"}}",
      1 },
    { "{\"term\":{\"all\":\"fox\"}}",
      1 },
    { "{\"term\":{\"all\":\"side\"}}",
      1 },
    { "{\"term\":{\"allk\":\"Side\"}}",
      1 },
    { "{\"term\":{\"t\":\"side\"}}",
      0 },
    { "{\"match\":{\"all\":{\"query\":\"fox side\",\"operator\":\"a"
      "nd\"}}}",
      1 },
    { "{\"term\":{\"c.who\":\"ann\"}}",
      0 },
    { "{\"term\":{\"p.q\":\"one\"}}",
      1 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"term\":{\"c.who\":\""
      "ann\"}}}}",
      1 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"bool\":{\"must\":[{"
      "\"term\":{\"c.who\":\"ann\"}},{\"term\":{\"c.stars\":5}}]}}}"
      "}",
      0 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"bool\":{\"must\":[{"
      "\"term\":{\"c.who\":\"bob\"}},{\"term\":{\"c.stars\":5}}]}}}"
      "}",
      1 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"bool\":{\"must\":[{"
      "\"term\":{\"c.who\":\"bob\"}},{\"match\":{\"c.text\":\"bad\""
      "}}]}}}}",
      0 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"bool\":{\"must\":[{"
      "\"term\":{\"c.who\":\"ann\"}},{\"match\":{\"c.text\":\"bad\""
      "}}]}}}}",
      1 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"bool\":{\"must_not\""
      ":{\"term\":{\"c.who\":\"ann\"}}}}}}",
      1 },
    { "{\"bool\":{\"must_not\":{\"nested\":{\"path\":\"c\",\"query\""
      ":{\"term\":{\"c.who\":\"ann\"}}}}}}",
      0 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"term\":{\"k\":\"Foo"
      "-Bar\"}}}}",
      0 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"match_all\":{}}}}",
      1 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"exists\":{\"field\""
      ":\"c.stars\"}}}}",
      1 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"nested\":{\"path\":"
      "\"c.r\",\"query\":{\"term\":{\"c.r.v\":3}}}}}}",
      1 },
    { "{\"nested\":{\"path\":\"c\",\"query\":{\"bool\":{\"must\":[{"
      "\"term\":{\"c.who\":\"ann\"}},{\"nested\":{\"path\":\"c.r\","
      "\"query\":{\"term\":{\"c.r.v\":3}}}}]}}}}",
      0 },
    { "{\"nested\":{\"path\":\"c.r\",\"query\":{\"range\":{\"c.r.v\""
      ":{\"gt\":2}}}}}",
      1 },
    { "{\"nested\":{\"path\":\"zz\",\"query\":{\"match_all\":{}},\""
      "ignore_unmapped\":true}}",
      0 },
    { "{\"geo_bounding_box\":{\"g\":{\"top_left\":{\"lat\":49,\"lon"
      "\":2},\"bottom_right\":{\"lat\":48,\"lon\":3}}}}",
      1 },
    { "{\"geo_bounding_box\":{\"g\":{\"top_left\":[2,48.8],\"bottom"
      "_right\":[3,48]}}}",
      0 },
    { "{\"geo_bounding_box\":{\"g\":{\"top_right\":\"49,3\",\"botto"
      "m_left\":\"48,2\"},\"type\":\"indexed\"}}",
      1 },
    { "{\"geo_bounding_box\":{\"g\":{\"top\":49,\"left\":2,\"bottom"
      "\":48,\"right\":3},\"validation_method\":\"STRICT\"}}",
      1 },
    { "{\"geo_bounding_box\":{\"g\":{\"wkt\":\"BBOX (2, 3, 49.0, 48"
      ")\"}}}",
      1 },
    { "{\"geo_bounding_box\":{\"g\":{\"top_left\":\"u09\",\"bottom_"
      "right\":\"u09\"}}}",
      1 },
    { "{\"geo_bounding_box\":{\"g\":{\"top_left\":\"u0d\",\"bottom_"
      "right\":\"u0d\"}}}",
      0 },
    { "{\"geo_bounding_box\":{\"g\":{\"top_left\":{\"lat\":49,\"lon"
      "\":170},\"bottom_right\":{\"lat\":48,\"lon\":10}}}}",
      1 },
    { "{\"geo_distance\":{\"distance\":\"20km\",\"g\":[2.3,48.8]}}",
      1 },
    { "{\"geo_distance\":{\"distance\":1,\"unit\":\"km\",\"g\":\"48"
      ".8,2.3\"}}",
      0 },
    { "{\"geo_distance\":{\"distance\":\"20\",\"unit\":\"km\",\"dis"
      "tance_type\":\"plane\",\"g\":{\"lat\":48.8,\"lon\":2.3}}}",
      1 },
    { "{\"geo_polygon\":{\"g\":{\"points\":[[2,48],[3,48],[2.5,50]]"
      "}}}",
      1 },
    { "{\"geo_polygon\":{\"g\":{\"points\":[\"50,2\",\"50,3\",\"49,"
      "2.5\"]}}}",
      0 },
    { "{\"bool\":{\"should\":[{\"term\":{\"n\":7}},{\"term\":{\"n\""
      ":8}},{\"term\":{\"b\":true}}],\"minimum_should_match\":\"2\""
      "}}",
      1 },
    { "{\"bool\":{\"should\":[{\"term\":{\"n\":7}},{\"term\":{\"n\""
      ":8}},{\"term\":{\"b\":true}}],\"minimum_should_match\":\"3<5"
      "0%\"}}",
      0 },
    { "{\"bool\":{\"should\":[{\"term\":{\"n\":7}},{\"term\":{\"n\""
      ":8}},{\"term\":{\"b\":true}}],\"minimum_should_match\":\"2<-"
      "34%\"}}",
      1 },
    { "{\"dis_max\":{\"queries\":[{\"term\":{\"n\":8}},{\"term\":{\""
      "n\":7}}],\"tie_breaker\":0.7}}",
      1 },
    { "{\"dis_max\":{\"queries\":[{\"term\":{\"n\":8}}]}}",
      0 },
    { "{\"boosting\":{\"positive\":{\"term\":{\"n\":7}},\"negative\""
      ":{\"term\":{\"b\":true}},\"negative_boost\":0.2}}",
      1 },
    { "{\"boosting\":{\"positive\":{\"term\":{\"n\":8}},\"negative\""
      ":{\"term\":{\"b\":true}},\"negative_boost\":0.2}}",
      0 },
    { "{\"constant_score\":{\"filter\":{\"term\":{\"n\":7}}}}",
      1 },
    { "{\"match_phrase\":{\"k\":\"Foo-Bar\"}}",
      1 },
    { "{\"match\":{\"n\":{\"query\":\"seven\",\"lenient\":true}}}",
      0 },
    { "{\"ids\":{\"values\":[\"id-1\"]}}",
      1 },
    { "{\"match\":{\"_id\":\"id-1\"}}",
      1 },
    { NULL, 0 }
};


static const refused_t  refusals[] = {
    { "{\"query\":{\"wildcard\":{\"n\":\"7*\"}}}",
      "Can only use wildcard queries on keyword and text fields - n"
      "ot on [n] which is of type [integer]" },
    { "{\"query\":{\"regexp\":{\"k\":\"a~b\"}}}",
      "failed to create query: regexp [a~b]: the operator [~] is no"
      "t supported at position 1" },
    { "{\"query\":{\"regexp\":{\"k\":\"a&b\"}}}",
      "failed to create query: regexp [a&b]: the operator [&] is no"
      "t supported at position 1" },
    { "{\"query\":{\"regexp\":{\"k\":\"(a\"}}}",
      "failed to create query: regexp [(a]: expected ')' at positio"
      "n 2" },
    { "{\"query\":{\"regexp\":{\"k\":\"((a{1000}){1000}){1000}\"}}}",
      NULL },
    { "{\"query\":{\"regexp\":{\"k\":\"(((((){1000}){1000}){1000}){"
      "1000}){1000}\"}}}",
      NULL },
    { "{\"query\":{\"term\":{\"n\":{\"value\":7,\"case_insensitive\""
      ":true}}}}",
      "[n] field which is of type [integer], does not support case "
      "insensitive term queries" },
    { "{\"query\":{\"term\":{\"ip\":\"nope\"}}}",
      "failed to create query: 'nope' is not an IP string literal. "
      "(field [ip])" },
    { "{\"query\":{\"term\":{\"b\":\"maybe\"}}}",
      "failed to create query: Can't parse boolean value [maybe], e"
      "xpected [true] or [false] (field [b])" },
    { "{\"query\":{\"nested\":{\"path\":\"o\",\"query\":{\"match_al"
      "l\":{}}}}}",
      "[nested] failed to find nested object under path [o]" },
    { "{\"query\":{\"nested\":{\"path\":\"c\",\"query\":{\"match_al"
      "l\":{}},\"inner_hits\":{}}}}",
      "[inner_hits] is not supported in a [nested] query (at query."
      "nested)" },
    { "{\"query\":{\"geo_distance\":{\"distance\":\"1km\",\"k\":[1,"
      "2]}}}",
      "failed to create query: field [k] is not a geo_point field, "
      "but of type [keyword]" },
    { "{\"query\":{\"geo_distance\":{\"distance\":\"-1km\",\"g\":[1"
      ",2]}}}",
      NULL },
    { "{\"query\":{\"geo_bounding_box\":{\"g\":{\"top\":1,\"left\":"
      "1,\"bottom\":2,\"right\":2}}}}",
      NULL },
    { "{\"query\":{\"geo_polygon\":{\"g\":{\"points\":[[1,2],[3,4]]"
      "}}}}",
      "too few points defined for geo_polygon query (at query.geo_p"
      "olygon)" },
    { "{\"query\":{\"geo_bounding_box\":{\"nope\":{\"top\":2,\"left"
      "\":1,\"bottom\":1,\"right\":2}}}}",
      "failed to find geo field [nope]" },
    { "{\"query\":{\"match_phrase_prefix\":{\"n\":\"7\"}}}",
      "Can only use phrase prefix queries on text fields - not on ["
      "n] which is of type [integer]" },
    { "{\"query\":{\"function_score\":{}}}",
      "[function_score] query is not supported (at query)" },
    { "{\"query\":{\"script\":{}}}",
      "[script] query is not supported (at query)" },
    { "{\"query\":{\"more_like_this\":{}}}",
      "[more_like_this] query is not supported (at query)" },
    { "{\"query\":{\"percolate\":{}}}",
      "[percolate] query is not supported (at query)" },
    { "{\"query\":{\"geo_shape\":{}}}",
      "[geo_shape] query is not supported (at query)" },
    { "{\"query\":{\"has_child\":{}}}",
      "[has_child] query is not supported (at query)" },
    { "{\"query\":{\"has_parent\":{}}}",
      "[has_parent] query is not supported (at query)" },
    { "{\"query\":{\"terms_set\":{}}}",
      "[terms_set] query is not supported (at query)" },
    { "{\"query\":{\"span_near\":{}}}",
      "[span_near] query is not supported (at query)" },
    { "{\"query\":{\"range\":{\"d\":{\"gte\":\"x\",\"format\":\"qqq"
      "\"}}}}",
      NULL },
    { NULL, NULL }
};


static const refused_t  sorts[] = {
    { "[\"c.stars\"]",
      "- " },
    { "[{\"c.stars\":{\"order\":\"asc\",\"nested\":{\"path\":\"c\"}"
      "}}]",
      "1 " },
    { "[{\"c.stars\":{\"order\":\"desc\",\"nested\":{\"path\":\"c\""
      ",\"filter\":{\"term\":{\"c.who\":\"ann\"}}}}}]",
      "1 " },
    { "[{\"c.stars\":{\"mode\":\"avg\",\"nested\":{\"path\":\"c\"}}"
      "}]",
      "3 " },
    { "[{\"c.stars\":{\"mode\":\"sum\",\"nested\":{\"path\":\"c\"}}"
      "}]",
      "6 " },
    { "[{\"c.r.v\":{\"mode\":\"median\",\"nested\":{\"path\":\"c.r\""
      "}}}]",
      "2 " },
    { "[{\"c.r.v\":{\"mode\":\"max\",\"nested\":{\"path\":\"c.r\"}}"
      "}]",
      "3 " },
    { "[{\"_geo_distance\":{\"g\":[2.35,48.85],\"unit\":\"km\"}}]",
      "0 " },
    { NULL, NULL }
};


static kz_mapping_t      *map;
static kz_mapping_err_t   err;
static char               sorted[256];


/* 1, 0, or -1: refused. */
static int
run(const char *body, const char *doc)
{
    double          score;
    u_char         *text, *copy;
    ngx_int_t       rc;
    ngx_str_t       src, id = ngx_string("id-1");
    ngx_uint_t      i;
    kz_value_t     *key;
    kz_query_t     *q;
    kz_match_t     *m;
    ngx_pool_t     *pool = kz_shim_pool();
    kz_json_err_t   e;
    kz_json_val_t   v;

    text = kz_shim_copy(body, strlen(body));

    if (kz_json_scan(text, strlen(body), 100, &v, &e) != NGX_OK) {
        printf("# not JSON: %s\n", body);
        exit(2);
    }

    rc = -1;
    q = kz_query_parse(pool, &v, 0, &err);
    m = (q == NULL) ? NULL : kz_match_create(pool, q, map, &err);

    if (m != NULL) {
        copy = kz_shim_copy(doc, strlen(doc));
        src.data = copy;
        src.len = strlen(doc);

        /* twice: nothing may be left of the first time */

        (void) kz_match_doc(m, &id, &src, &score);
        rc = kz_match_doc(m, &id, &src, &score) == NGX_OK;

        sorted[0] = '\0';

        for (i = 0; i < m->nsort; i++) {
            key = (m->sort[i] && m->sort[i]->hit) ? &m->sort[i]->key : NULL;

            if (key == NULL) {
                strcat(sorted, "- ");

            } else if (key->type == KZ_VALUE_INT) {
                sprintf(sorted + strlen(sorted), "%lld ", (long long) key->i);

            } else {
                sprintf(sorted + strlen(sorted), "%g ", key->d);
            }
        }

        kz_match_free(m);
        free(copy);
    }

    ngx_destroy_pool(pool);
    free(text);

    return (int) rc;
}


static void
test_clauses(void)
{
    int   i;
    char  body[1024];

    for (i = 0; clauses[i].query != NULL; i++) {
        sprintf(body, "{\"query\":%s}", clauses[i].query);
        is_int(run(body, document), clauses[i].want, clauses[i].query);

        sprintf(body, "{\"query\":{\"bool\":{\"must_not\":%s}}}",
                clauses[i].query);
        is_int(run(body, document), !clauses[i].want, "its opposite");

        sprintf(body, "{\"query\":{\"bool\":{\"filter\":[{\"match_all\":{}},"
                "%s]}}}", clauses[i].query);
        is_int(run(body, "{}"), run(body, "{\"c\":[],\"g\":null}"),
               "nothing is like null");
    }
}


static void
test_refusals(void)
{
    int  i;

    for (i = 0; refusals[i].body != NULL; i++) {
        ok(run(refusals[i].body, document) == -1
           && err.status == KZ_STORE_BAD_QUERY, "refused: %.60s",
           refusals[i].body);

        if (refusals[i].why != NULL) {
            is_str(&err.detail, refusals[i].why, "the reason");
        }
    }
}


static void
test_sorts(void)
{
    int   i;
    char  body[1024];

    for (i = 0; sorts[i].body != NULL; i++) {
        sprintf(body, "{\"sort\":%s}", sorts[i].body);

        if (run(body, document) != 1) {
            sprintf(sorted, "%.*s", (int) ngx_min(err.detail.len, 200),
                    err.detail.data);
        }

        is_text(sorted, strlen(sorted), sorts[i].why, sorts[i].body);
    }
}


/* A pattern over a long text takes as many steps as both are long. */
static void
test_regexp(void)
{
    ngx_str_t     text;
    ngx_uint_t    i;
    ngx_pool_t   *pool = kz_shim_pool();
    kz_regexp_t  *re;

    static ngx_str_t    explosive = ngx_string("(a|aa|a*)*b");
    static ngx_str_t    interval = ngx_string("x<7-105>");
    static ngx_str_t    fixed = ngx_string("<08-11>");
    static struct {
        const char  *text;
        int          want;
    } numbers[] = {
        { "x7", 1 }, { "x6", 0 }, { "x10", 1 }, { "x99", 1 }, { "x105", 1 },
        { "x106", 0 }, { "x0042", 1 }, { "x", 0 }, { NULL, 0 }
    };

    text.len = 20000;
    text.data = malloc(text.len);
    memset(text.data, 'a', text.len);

    re = kz_regexp_compile(pool, &explosive, KZ_REGEXP_ALL, 0, &err);
    ok(re != NULL && !kz_regexp_match(re, &text), "nothing explodes");

    text.data[text.len - 1] = 'b';
    ok(re != NULL && kz_regexp_match(re, &text), "and it is found");
    free(text.data);

    re = kz_regexp_compile(pool, &interval, KZ_REGEXP_ALL, 0, &err);

    for (i = 0; re != NULL && numbers[i].text != NULL; i++) {
        text.data = (u_char *) numbers[i].text;
        text.len = strlen(numbers[i].text);

        is_int(kz_regexp_match(re, &text), numbers[i].want,
               numbers[i].text);
    }

    re = kz_regexp_compile(pool, &fixed, KZ_REGEXP_ALL, 0, &err);

    ngx_str_set(&text, "09");
    ok(re != NULL && kz_regexp_match(re, &text), "of a fixed length");
    ngx_str_set(&text, "9");
    ok(re != NULL && !kz_regexp_match(re, &text), "the nought belongs to it");

    ngx_destroy_pool(pool);
}


/* All points of a box have keys within one of its spans. */
static void
test_spans(void)
{
    int64_t           key;
    ngx_uint_t        i, n, in, missed;
    kz_match_t       *m;
    kz_query_t       *q;
    ngx_pool_t       *pool = kz_shim_pool();
    kz_geo_point_t    p;
    kz_json_err_t     e;
    kz_json_val_t     v;
    const kz_leaf_t  *leaf;
    const char       *text = "{\"query\":{\"geo_bounding_box\":{\"g\":{"
        "\"top\":50.3,\"left\":-10.7,\"bottom\":-20.1,\"right\":33.3}}}}";

    (void) kz_json_scan((u_char *) text, strlen(text), 10, &v, &e);

    q = kz_query_parse(pool, &v, 0, &err);
    m = (q == NULL) ? NULL : kz_match_create(pool, q, map, &err);

    ok(m != NULL && m->root->leaf->nspans > 0, "a box has spans");

    if (m == NULL) {
        return;
    }

    leaf = m->root->leaf;
    missed = 0;
    srand(1);

    for (n = 0; n < 20000; n++) {
        p.lat = -20.1 + 70.4 * rand() / RAND_MAX;
        p.lon = -10.7 + 44.0 * rand() / RAND_MAX;
        key = kz_value_geo_key(&p);

        for (in = 0, i = 0; i < leaf->nspans; i++) {
            in |= (key >= leaf->spans[2 * i].i
                   && key <= leaf->spans[2 * i + 1].i);
        }

        missed += !in;
    }

    is_int(missed, 0, "and they hold its points");

    kz_match_free(m);
    ngx_destroy_pool(pool);
}


int
main(void)
{
    map = kz_mapping_compile((u_char *) mapping, strlen(mapping),
                             KZ_DIALECT_2, &kz_shim_log, &err);

    if (map == NULL) {
        printf("# %.*s\n", (int) err.detail.len, err.detail.data);
        return 2;
    }

    test_clauses();
    test_refusals();
    test_sorts();
    test_regexp();
    test_spans();

    kz_mapping_free(map);

    return tap_done();
}
