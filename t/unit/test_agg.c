/*
 * Aggregations over documents (src/store/kz_agg*.c).
 *
 * sources: store/kz_agg.c store/kz_agg_parse.c store/kz_agg_param.c
 * sources: store/kz_agg_value.c store/kz_agg_print.c store/kz_date.c
 * sources: store/kz_agg_bind.c store/kz_agg_metric.c store/kz_agg_order.c
 * sources: store/kz_match.c store/kz_match_bind.c store/kz_match_leaf.c
 * sources: store/kz_match_text.c store/kz_match_words.c
 * sources: store/kz_match_phrase.c
 * sources: store/kz_query.c store/kz_query_body.c store/kz_query_parse.c
 * sources: store/kz_query_koncorde.c store/kz_koncorde_check.c
 * sources: store/kz_koncorde_geo.c store/kz_koncorde_regexp.c
 * sources: store/kz_mapping.c store/kz_mapping_tree.c
 * sources: store/kz_mapping_field.c store/kz_mapping_text.c
 * sources: store/kz_mapping_walk.c store/kz_mapping_value.c
 * sources: store/kz_mapping_infer.c
 * sources: store/kz_mapping_geo.c store/kz_mapping_copy.c
 * sources: store/kz_mapping_date.c
 * sources: store/kz_analysis.c store/kz_analysis_conf.c
 * sources: store/kz_analysis_part.c store/kz_analysis_filter.c
 */

#include "tap.h"
#include "kz_shim.h"
#include "store/kz_agg.h"


static const char  *mapping =
    "{\"properties\":{\"city\":{\"type\":\"keyword\"},"
    "\"text\":{\"type\":\"text\"},\"price\":{\"type\":\"double\"},"
    "\"n\":{\"type\":\"integer\"},\"ok\":{\"type\":\"boolean\"},"
    "\"at\":{\"type\":\"date\"},\"place\":{\"type\":\"geo_point\"},"
    "\"tags\":{\"type\":\"keyword\"},"
    "\"lines\":{\"type\":\"nested\",\"properties\":{"
    "\"sku\":{\"type\":\"keyword\"},\"qty\":{\"type\":\"integer\"}}}}}";


static const char  *docs[] = {
    "{\"city\":\"Nice\",\"price\":10,\"n\":1,\"ok\":true,"
    "\"at\":\"2018-01-31T10:00:00Z\",\"tags\":[\"a\",\"b\",\"a\"],"
    "\"place\":\"43.7,7.27\",\"lines\":[{\"sku\":\"x\",\"qty\":1},"
    "{\"sku\":\"y\",\"qty\":2}]}",
    "{\"city\":\"Lyon\",\"price\":20.5,\"n\":2,\"ok\":false,"
    "\"at\":\"2018-02-01T00:00:00Z\",\"tags\":\"b\","
    "\"place\":[4.83,45.76],\"lines\":{\"sku\":\"x\",\"qty\":5}}",
    "{\"city\":\"Nice\",\"price\":[30,40],\"n\":3,\"ok\":true,"
    "\"at\":\"2018-04-30T23:59:59Z\",\"tags\":[],\"text\":\"hello\"}",
    "{\"city\":null,\"n\":12,\"at\":1525132799999}",
    NULL
};


static void
aggs(const char *text, const char *want, const char *name)
{
    char               id[8];
    u_char            *copy;
    kz_out_t           o;
    ngx_str_t          index = ngx_string("nyc"), col = ngx_string("taxi"),
                       src, key;
    ngx_uint_t         i;
    kz_aggs_t         *a;
    ngx_pool_t        *pool = kz_shim_pool();
    kz_mapping_t      *map;
    kz_json_err_t      e;
    kz_json_val_t      v;

    static kz_mapping_err_t  err;

    map = kz_mapping_compile((u_char *) kz_shim_copy(mapping,
                                                     strlen(mapping)),
                             strlen(mapping), KZ_DIALECT_2, &kz_shim_log,
                             &err);
    copy = kz_shim_copy(text, strlen(text));

    if (map == NULL
        || kz_json_scan(copy, strlen(text), 100, &v, &e) != NGX_OK)
    {
        printf("# cannot use %s\n", text);
        exit(2);
    }

    kz_out_init(&o, pool, 256);

    a = kz_agg_parse(pool, &v, KZ_DIALECT_2, 1525132800000LL, &err);

    if (a == NULL || kz_agg_bind(a, map, &index, &col, &err) != NGX_OK) {
        kz_out_str(&o, &err.detail);
        goto done;
    }

    for (i = 0; docs[i]; i++) {
        key.len = sprintf(id, "d%d", (int) i);
        key.data = (u_char *) id;
        src.len = strlen(docs[i]);
        src.data = kz_shim_copy(docs[i], src.len);

        if (kz_agg_doc(a, &key, &src, 1.0, &err) != NGX_OK) {
            kz_out_str(&o, &err.detail);
            goto done;
        }

        free(src.data);
    }

    kz_agg_print(a, &o);

    if (!kz_out_failed(&o)
        && (kz_json_scan(o.start, kz_out_len(&o), 100, &v, &e) != NGX_OK))
    {
        printf("# not JSON: %.*s\n", (int) kz_out_len(&o), o.start);
    }

done:

    is_text(o.start, kz_out_len(&o), want, name);

    kz_agg_free(a);
    kz_mapping_free(map);
    free(copy);
    ngx_destroy_pool(pool);
}


#define A(body)  "{\"x\":{" body "}}"
#define R(body)  "{\"x\":{" body "}}"


static void
test_buckets(void)
{
    aggs(A("\"terms\":{\"field\":\"city\"}"),
         R("\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,"
           "\"buckets\":[{\"key\":\"Nice\",\"doc_count\":2},"
           "{\"key\":\"Lyon\",\"doc_count\":1}]"), "terms");
    aggs(A("\"terms\":{\"field\":\"tags\",\"size\":1,"
           "\"order\":{\"_key\":\"asc\"}}"),
         R("\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":2,"
           "\"buckets\":[{\"key\":\"a\",\"doc_count\":1}]"),
         "a repeated value counts once, the rest is summed");
    aggs(A("\"terms\":{\"field\":\"city\",\"missing\":\"?\","
           "\"exclude\":[\"Nice\"]}"),
         R("\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,"
           "\"buckets\":[{\"key\":\"?\",\"doc_count\":1},"
           "{\"key\":\"Lyon\",\"doc_count\":1}]"), "missing, exclude");
    aggs(A("\"terms\":{\"field\":\"ok\"}"),
         R("\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,"
           "\"buckets\":[{\"key\":1,\"key_as_string\":\"true\","
           "\"doc_count\":2},{\"key\":0,\"key_as_string\":\"false\","
           "\"doc_count\":1}]"), "booleans");
    aggs(A("\"terms\":{\"field\":\"city\",\"order\":{\"m\":\"desc\"}},"
           "\"aggs\":{\"m\":{\"max\":{\"field\":\"price\"}}}"),
         R("\"doc_count_error_upper_bound\":0,\"sum_other_doc_count\":0,"
           "\"buckets\":[{\"key\":\"Nice\",\"doc_count\":2,"
           "\"m\":{\"value\":40.0}},{\"key\":\"Lyon\",\"doc_count\":1,"
           "\"m\":{\"value\":20.5}}]"), "ordered by a metric");
    aggs(A("\"range\":{\"field\":\"price\",\"ranges\":[{\"to\":20},"
           "{\"from\":20,\"to\":35.5},{\"key\":\"much\",\"from\":35.5}]}"),
         R("\"buckets\":[{\"key\":\"*-20.0\",\"to\":20.0,\"doc_count\":1},"
           "{\"key\":\"20.0-35.5\",\"from\":20.0,\"to\":35.5,"
           "\"doc_count\":2},{\"key\":\"much\",\"from\":35.5,"
           "\"doc_count\":1}]"), "ranges");
    aggs(A("\"date_range\":{\"field\":\"at\",\"format\":\"yyyy-MM\","
           "\"keyed\":true,\"ranges\":[{\"to\":\"2018-02\"},"
           "{\"from\":\"now-1M\"}]}"),
         R("\"buckets\":{\"*-2018-02\":{\"to\":1517443200000.0,"
           "\"to_as_string\":\"2018-02\",\"doc_count\":1},"
           "\"2018-04-*\":{\"from\":1522540800000.0,"
           "\"from_as_string\":\"2018-04\",\"doc_count\":2}}"),
         "ranges of dates");
    aggs(A("\"histogram\":{\"field\":\"n\",\"interval\":5}"),
         R("\"buckets\":[{\"key\":0.0,\"doc_count\":3},"
           "{\"key\":5.0,\"doc_count\":0},{\"key\":10.0,"
           "\"doc_count\":1}]"), "a histogram with a gap");
    aggs(A("\"histogram\":{\"field\":\"n\",\"interval\":5,"
           "\"min_doc_count\":1,\"order\":{\"_count\":\"asc\"}}"),
         R("\"buckets\":[{\"key\":10.0,\"doc_count\":1},"
           "{\"key\":0.0,\"doc_count\":3}]"), "without, ordered");
    aggs(A("\"histogram\":{\"field\":\"n\",\"interval\":5,"
           "\"extended_bounds\":{\"min\":-4,\"max\":16}}"),
         R("\"buckets\":[{\"key\":-5.0,\"doc_count\":0},"
           "{\"key\":0.0,\"doc_count\":3},{\"key\":5.0,\"doc_count\":0},"
           "{\"key\":10.0,\"doc_count\":1},{\"key\":15.0,"
           "\"doc_count\":0}]"), "bounds");
    aggs(A("\"date_histogram\":{\"field\":\"at\",\"interval\":\"month\","
           "\"format\":\"yyyy-MM-dd\"}"),
         R("\"buckets\":[{\"key_as_string\":\"2018-01-01\","
           "\"key\":1514764800000,\"doc_count\":1},"
           "{\"key_as_string\":\"2018-02-01\",\"key\":1517443200000,"
           "\"doc_count\":1},{\"key_as_string\":\"2018-03-01\","
           "\"key\":1519862400000,\"doc_count\":0},"
           "{\"key_as_string\":\"2018-04-01\",\"key\":1522540800000,"
           "\"doc_count\":2}]"), "months");
    aggs(A("\"date_histogram\":{\"field\":\"at\","
           "\"calendar_interval\":\"1M\",\"time_zone\":\"+02:00\","
           "\"min_doc_count\":1}"),
         R("\"buckets\":[{\"key_as_string\":"
           "\"2018-01-01T00:00:00.000+02:00\",\"key\":1514757600000,"
           "\"doc_count\":1},{\"key_as_string\":"
           "\"2018-02-01T00:00:00.000+02:00\",\"key\":1517436000000,"
           "\"doc_count\":1},{\"key_as_string\":"
           "\"2018-05-01T00:00:00.000+02:00\",\"key\":1525125600000,"
           "\"doc_count\":2}]"), "months elsewhere");
    aggs(A("\"date_histogram\":{\"field\":\"at\","
           "\"fixed_interval\":\"36h\",\"min_doc_count\":2,"
           "\"keyed\":true}"),
         R("\"buckets\":{\"2018-01-31T00:00:00.000Z\":{"
           "\"key_as_string\":\"2018-01-31T00:00:00.000Z\","
           "\"key\":1517356800000,\"doc_count\":2},"
           "\"2018-04-29T12:00:00.000Z\":{"
           "\"key_as_string\":\"2018-04-29T12:00:00.000Z\","
           "\"key\":1525003200000,\"doc_count\":2}}"), "36 hours");
    aggs(A("\"filter\":{\"term\":{\"city\":\"Nice\"}},"
           "\"aggs\":{\"s\":{\"sum\":{\"field\":\"n\"}}}"),
         R("\"doc_count\":2,\"s\":{\"value\":4.0}"), "a filter");
    aggs(A("\"filters\":{\"other_bucket_key\":\"rest\",\"filters\":{"
           "\"big\":{\"range\":{\"n\":{\"gte\":3}}},"
           "\"nice\":{\"term\":{\"city\":\"Nice\"}}}}"),
         R("\"buckets\":{\"big\":{\"doc_count\":2},"
           "\"nice\":{\"doc_count\":2},\"rest\":{\"doc_count\":1}}"),
         "filters with a rest");
    aggs(A("\"filters\":{\"filters\":[{\"match_all\":{}},"
           "{\"match_none\":{}}]}"),
         R("\"buckets\":[{\"doc_count\":4},{\"doc_count\":0}]"),
         "filters in a list");
    aggs(A("\"missing\":{\"field\":\"price\"}"), R("\"doc_count\":1"),
         "missing");
    aggs(A("\"nested\":{\"path\":\"lines\"},\"aggs\":{\"s\":{\"terms\":{"
           "\"field\":\"lines.sku\"},\"aggs\":{\"q\":{\"sum\":{"
           "\"field\":\"lines.qty\"}}}}}"),
         R("\"doc_count\":3,\"s\":{\"doc_count_error_upper_bound\":0,"
           "\"sum_other_doc_count\":0,\"buckets\":[{\"key\":\"x\","
           "\"doc_count\":2,\"q\":{\"value\":6.0}},{\"key\":\"y\","
           "\"doc_count\":1,\"q\":{\"value\":2.0}}]}"), "nested objects");
    aggs(A("\"geo_distance\":{\"field\":\"place\",\"unit\":\"km\","
           "\"origin\":\"43.7,7.27\",\"ranges\":[{\"to\":100},"
           "{\"from\":100,\"to\":400}]}"),
         R("\"buckets\":[{\"key\":\"*-100.0\",\"to\":100.0,"
           "\"doc_count\":1},{\"key\":\"100.0-400.0\",\"from\":100.0,"
           "\"to\":400.0,\"doc_count\":1}]"), "distances");
}


static void
test_metrics(void)
{
    aggs("{\"a\":{\"min\":{\"field\":\"price\"}},"
         "\"b\":{\"max\":{\"field\":\"price\"}},"
         "\"c\":{\"avg\":{\"field\":\"price\"}},"
         "\"d\":{\"sum\":{\"field\":\"price\"}},"
         "\"e\":{\"value_count\":{\"field\":\"price\"}},"
         "\"f\":{\"cardinality\":{\"field\":\"tags\"}}}",
         "{\"a\":{\"value\":10.0},\"b\":{\"value\":40.0},"
         "\"c\":{\"value\":25.125},\"d\":{\"value\":100.5},"
         "\"e\":{\"value\":4},\"f\":{\"value\":2}}", "single values");
    aggs(A("\"avg\":{\"field\":\"nothing\"}"), R("\"value\":null"),
         "of nothing");
    aggs(A("\"max\":{\"field\":\"at\",\"format\":\"epoch_second\"}"),
         "[max] aggregation does not support [format] (at aggs.x.max)",
         "a format where none is known");
    aggs(A("\"max\":{\"field\":\"at\"}"),
         R("\"value\":1525132799999.0,"
           "\"value_as_string\":\"2018-04-30T23:59:59.999Z\""), "dates");
    aggs(A("\"stats\":{\"field\":\"n\"}"),
         R("\"count\":4,\"min\":1.0,\"max\":12.0,\"avg\":4.5,"
           "\"sum\":18.0"), "stats");
    aggs(A("\"extended_stats\":{\"field\":\"n\"}"),
         R("\"count\":4,\"min\":1.0,\"max\":12.0,\"avg\":4.5,\"sum\":18.0,"
           "\"sum_of_squares\":158.0,\"variance\":19.25,"
           "\"std_deviation\":4.387482193696061,"
           "\"std_deviation_bounds\":{\"upper\":13.274964387392123,"
           "\"lower\":-4.274964387392123}"), "extended stats");
    aggs(A("\"percentiles\":{\"field\":\"n\",\"percents\":[0,50,100]}"),
         R("\"values\":{\"0.0\":1.0,\"50.0\":2.5,\"100.0\":12.0}"),
         "percentiles");
    aggs(A("\"percentiles\":{\"field\":\"n\",\"keyed\":false,"
           "\"percents\":[25]}"),
         R("\"values\":[{\"key\":25.0,\"value\":1.75}]"),
         "percentiles in a list");
    aggs(A("\"filter\":{\"term\":{\"city\":\"Lyon\"}},\"aggs\":{\"t\":{"
           "\"top_hits\":{\"size\":1}}}"),
         R("\"doc_count\":1,\"t\":{\"hits\":{\"total\":{\"value\":1,"
           "\"relation\":\"eq\"},\"max_score\":1.0,\"hits\":[{"
           "\"_index\":\"nyc\",\"_id\":\"d1\",\"_score\":1.0,\"_source\":"
           "{\"city\":\"Lyon\",\"price\":20.5,\"n\":2,\"ok\":false,"
           "\"at\":\"2018-02-01T00:00:00Z\",\"tags\":\"b\","
           "\"place\":[4.83,45.76],\"lines\":{\"sku\":\"x\",\"qty\":5}}}"
           "]}}"), "top hits");
}


static void
test_refused(void)
{
    aggs(A("\"terms\":{}"), "[field] is needed (at aggs.x.terms)",
         "no field");
    aggs(A("\"terms\":{\"field\":\"city\",\"script\":\"1\"}"),
         "[terms] aggregation does not support [script] (at aggs.x.terms)",
         "a script");
    aggs(A("\"significant_terms\":{\"field\":\"city\"}"),
         "the aggregation [significant_terms] is not supported (at aggs.x)",
         "another kind");
    aggs(A("\"avg\":{\"field\":\"n\"},\"aggs\":{\"y\":{\"avg\":{"
           "\"field\":\"n\"}}}"),
         "Aggregator [x] cannot accept sub-aggregations (at aggs.x)",
         "a metric with more below");
    aggs(A("\"avg\":{\"field\":\"n\"},\"min\":{\"field\":\"n\"}"),
         "Found two aggregation type definitions in [x] (at aggs.x)",
         "two in one");
    aggs(A("\"avg\":{\"field\":\"city\"}"),
         "Field [city] of type [keyword] is not supported for this"
         " aggregation", "a mean of texts");
    aggs(A("\"filter\":{\"oops\":{}}"),
         "[oops] query is not supported (at aggs.x.filter)",
         "an unknown query");
    aggs(A("\"terms\":{\"field\":\"city\",\"order\":{\"z\":\"asc\"}}"),
         "Invalid aggregation order path [z]: there is no such aggregation"
         " (at aggs.x.terms)", "order by what is not there");
    aggs(A("\"histogram\":{\"field\":\"n\",\"interval\":0}"),
         "[interval] must be >0 (at aggs.x.histogram.interval)",
         "an interval of nothing");
    aggs("{\"x\":{}}", "Missing definition for aggregation [x] (at aggs.x)",
         "an empty one");
    aggs("[]", "an object was expected (at aggs)", "not an object");
}


int
main(void)
{
    test_buckets();
    test_metrics();
    test_refused();

    return tap_done();
}
