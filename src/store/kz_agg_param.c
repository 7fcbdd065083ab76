/*
 * Aggregations: parameters.
 */

#include "store/kz_agg_parse.h"

#include <math.h>


static ngx_int_t kz_agg_param(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_param_terms(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_param_range(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_param_histogram(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_interval(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_param_filters(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_param_nested(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_param_geo(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_param_metric(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_param_percentiles(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_param_top(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);
static ngx_int_t kz_agg_values_list(kz_agg_parse_t *p,
    const kz_query_place_t *at, const kz_json_val_t *v,
    kz_json_val_t **values, ngx_uint_t *n);
static ngx_int_t kz_agg_ranges(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_json_val_t *v);
static ngx_int_t kz_agg_range(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, kz_agg_range_t *r, const kz_json_val_t *v);
static ngx_int_t kz_agg_filters(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_json_val_t *v);
static ngx_int_t kz_agg_text(kz_agg_parse_t *p, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_str_t *s);
static ngx_int_t kz_agg_flag(kz_agg_parse_t *p, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t *flag);
static ngx_int_t kz_agg_whole(kz_agg_parse_t *p, const kz_query_place_t *at,
    const kz_json_val_t *v, int64_t *n);
static ngx_int_t kz_agg_number(kz_agg_parse_t *p,
    const kz_query_place_t *at, const kz_json_val_t *v, double *d);


const kz_agg_word_t  kz_agg_words[] = {
    { "terms", KZ_AGG_TERMS, kz_agg_param_terms },
    { "range", KZ_AGG_RANGE, kz_agg_param_range },
    { "date_range", KZ_AGG_DATE_RANGE, kz_agg_param_range },
    { "histogram", KZ_AGG_HISTOGRAM, kz_agg_param_histogram },
    { "date_histogram", KZ_AGG_DATE_HISTOGRAM, kz_agg_param_histogram },
    { "filter", KZ_AGG_FILTER, NULL },
    { "filters", KZ_AGG_FILTERS, kz_agg_param_filters },
    { "missing", KZ_AGG_MISSING, kz_agg_param_metric },
    { "nested", KZ_AGG_NESTED, kz_agg_param_nested },
    { "geo_distance", KZ_AGG_GEO_DISTANCE, kz_agg_param_geo },
    { "cardinality", KZ_AGG_CARDINALITY, kz_agg_param_metric },
    { "min", KZ_AGG_MIN, kz_agg_param_metric },
    { "max", KZ_AGG_MAX, kz_agg_param_metric },
    { "avg", KZ_AGG_AVG, kz_agg_param_metric },
    { "sum", KZ_AGG_SUM, kz_agg_param_metric },
    { "stats", KZ_AGG_STATS, kz_agg_param_metric },
    { "extended_stats", KZ_AGG_EXTENDED_STATS, kz_agg_param_metric },
    { "value_count", KZ_AGG_VALUE_COUNT, kz_agg_param_metric },
    { "percentiles", KZ_AGG_PERCENTILES, kz_agg_param_percentiles },
    { "top_hits", KZ_AGG_TOP_HITS, kz_agg_param_top },
    { NULL, 0, NULL }
};


/* Parameters that several have. */

static ngx_int_t
kz_agg_param(kz_agg_parse_t *p, const kz_query_place_t *at, kz_agg_t *agg,
    const kz_query_member_t *m)
{
    ngx_int_t   rc;
    ngx_str_t   zone;
    ngx_uint_t  flag;

    if (kz_query_is(&m->key, "field")) {
        return kz_agg_text(p, at, &m->val, &agg->field);
    }

    if (kz_query_is(&m->key, "missing") && agg->type != KZ_AGG_MISSING) {
        if (!kz_json_is_scalar(&m->val) || m->val.type == KZ_JSON_NULL) {
            return kz_query_bad(&p->x, at, "one value was expected");
        }

        agg->missing = m->val;
        return NGX_OK;
    }

    if (kz_query_is(&m->key, "keyed")) {
        rc = kz_agg_flag(p, at, &m->val, &flag);
        agg->keyed = flag;
        return rc;
    }

    if (kz_query_is(&m->key, "format")
        && (agg->type == KZ_AGG_DATE_RANGE
            || agg->type == KZ_AGG_DATE_HISTOGRAM
            || agg->type == KZ_AGG_TERMS))
    {
        if (kz_agg_text(p, at, &m->val, &agg->format) != NGX_OK) {
            return NGX_ERROR;
        }

        rc = kz_date_formats(p->x.pool, &agg->format, &agg->formats);

        if (rc == NGX_DECLINED) {
            return kz_query_bad(&p->x, at, "this format is not supported");
        }

        return rc;
    }

    if (kz_query_is(&m->key, "time_zone")
        && (agg->type == KZ_AGG_DATE_RANGE
            || agg->type == KZ_AGG_DATE_HISTOGRAM))
    {
        if (kz_agg_text(p, at, &m->val, &zone) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_date_offset(zone.data, zone.len, &agg->zone) != NGX_OK) {
            return kz_query_bad(&p->x, at, "a time zone is \"UTC\" or an"
                                " offset like \"+02:00\" here");
        }

        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
kz_agg_param_terms(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m)
{
    int64_t  n;

    if (kz_query_is(&m->key, "size")) {
        return kz_agg_whole(p, at, &m->val, &agg->size);
    }

    if (kz_query_is(&m->key, "min_doc_count")) {
        return kz_agg_whole(p, at, &m->val, &agg->min_count);
    }

    if (kz_query_is(&m->key, "order")) {
        return kz_agg_order(p, at, agg, &m->val);
    }

    if (kz_query_is(&m->key, "include")) {
        return kz_agg_values_list(p, at, &m->val, &agg->include,
                                  &agg->ninclude);
    }

    if (kz_query_is(&m->key, "exclude")) {
        return kz_agg_values_list(p, at, &m->val, &agg->exclude,
                                  &agg->nexclude);
    }

    if (kz_query_is(&m->key, "shard_size")
        || kz_query_is(&m->key, "shard_min_doc_count"))
    {
        return kz_agg_whole(p, at, &m->val, &n);
    }

    /* they say how, not what */

    if (kz_query_is(&m->key, "execution_hint")
        || kz_query_is(&m->key, "collect_mode")
        || kz_query_is(&m->key, "show_term_doc_count_error"))
    {
        return NGX_OK;
    }

    if (kz_query_is(&m->key, "keyed")) {
        return NGX_DECLINED;
    }

    return kz_agg_param(p, at, agg, m);
}


static ngx_int_t
kz_agg_param_range(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m)
{
    if (kz_query_is(&m->key, "ranges")) {
        return kz_agg_ranges(p, at, agg, &m->val);
    }

    return kz_agg_param(p, at, agg, m);
}


static ngx_int_t
kz_agg_param_histogram(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m)
{
    int64_t        ms;
    ngx_str_t      text;
    ngx_uint_t     minus;
    kz_json_val_t  v;

    if (kz_query_is(&m->key, "interval")
        || (agg->type == KZ_AGG_DATE_HISTOGRAM
            && (kz_query_is(&m->key, "calendar_interval")
                || kz_query_is(&m->key, "fixed_interval"))))
    {
        return kz_agg_interval(p, at, agg, m);
    }

    if (kz_query_is(&m->key, "min_doc_count")) {
        return kz_agg_whole(p, at, &m->val, &agg->min_count);
    }

    if (kz_query_is(&m->key, "order")) {
        return kz_agg_order(p, at, agg, &m->val);
    }

    if (kz_query_is(&m->key, "offset")) {

        if (agg->type == KZ_AGG_HISTOGRAM
            || m->val.type == KZ_JSON_NUMBER)
        {
            return kz_agg_number(p, at, &m->val, &agg->offset);
        }

        if (kz_agg_text(p, at, &m->val, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        minus = (text.len && text.data[0] == '-');

        if (text.len && (minus || text.data[0] == '+')) {
            text.data++;
            text.len--;
        }

        if (kz_date_duration(text.data, text.len, &ms) != NGX_OK) {
            return kz_query_bad(&p->x, at, "not a duration");
        }

        agg->offset = minus ? -(double) ms : (double) ms;

        return NGX_OK;
    }

    if (kz_query_is(&m->key, "extended_bounds")) {

        if (m->val.type != KZ_JSON_OBJECT
            || kz_json_get(&m->val, "min", 3, &v) != NGX_OK
            || kz_json_get(&m->val, "max", 3, &v) != NGX_OK)
        {
            return kz_query_bad(&p->x, at, "an object with [min] and [max]"
                                " was expected");
        }

        agg->bounds = m->val;
        agg->bounded = 1;

        return NGX_OK;
    }

    return kz_agg_param(p, at, agg, m);
}


static ngx_int_t
kz_agg_interval(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m)
{
    int64_t    ms;
    ngx_str_t  text;

    if (agg->interval != 0 || agg->calendar) {
        return kz_query_bad(&p->x, at, "there are two intervals");
    }

    if (agg->type == KZ_AGG_HISTOGRAM) {

        if (kz_agg_number(p, at, &m->val, &agg->interval) != NGX_OK) {
            return NGX_ERROR;
        }

        if (!(agg->interval > 0)) {
            return kz_query_bad(&p->x, at, "[interval] must be >0");
        }

        return NGX_OK;
    }

    if (kz_agg_text(p, at, &m->val, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!kz_query_is(&m->key, "fixed_interval")
        && kz_date_calendar(text.data, text.len, &agg->unit) == NGX_OK)
    {
        agg->calendar = 1;
        return NGX_OK;
    }

    if (!kz_query_is(&m->key, "calendar_interval")
        && kz_date_duration(text.data, text.len, &ms) == NGX_OK)
    {
        agg->interval = (double) ms;
        return NGX_OK;
    }

    return kz_query_bad(&p->x, at, "the interval is not understood");
}


static ngx_int_t
kz_agg_param_filters(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m)
{
    ngx_int_t   rc;
    ngx_uint_t  flag;

    if (kz_query_is(&m->key, "filters")) {
        return kz_agg_filters(p, at, agg, &m->val);
    }

    if (kz_query_is(&m->key, "other_bucket")) {
        rc = kz_agg_flag(p, at, &m->val, &flag);
        agg->other = flag;
        return rc;
    }

    if (kz_query_is(&m->key, "other_bucket_key")) {
        agg->other = 1;
        return kz_agg_text(p, at, &m->val, &agg->other_key);
    }

    return NGX_DECLINED;
}


static ngx_int_t
kz_agg_param_nested(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m)
{
    if (kz_query_is(&m->key, "path")) {
        return kz_agg_text(p, at, &m->val, &agg->field);
    }

    return NGX_DECLINED;
}


static ngx_int_t
kz_agg_param_geo(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m)
{
    ngx_str_t  text;

    if (kz_query_is(&m->key, "ranges")) {
        return kz_agg_ranges(p, at, agg, &m->val);
    }

    if (kz_query_is(&m->key, "origin")) {

        if (kz_geo_point(&m->val, KZ_GEO_ENGINE, &agg->origin) != NGX_OK) {
            return kz_query_bad(&p->x, at, "not a point");
        }

        agg->bounded = 1;
        return NGX_OK;
    }

    if (kz_query_is(&m->key, "unit")) {

        if (kz_agg_text(p, at, &m->val, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_geo_unit(text.data, text.len, &agg->metres) != NGX_OK) {
            return kz_query_bad(&p->x, at, "no such unit");
        }

        return NGX_OK;
    }

    if (kz_query_is(&m->key, "distance_type")) {
        return NGX_OK;
    }

    if (kz_query_is(&m->key, "missing")) {
        return NGX_DECLINED;
    }

    return kz_agg_param(p, at, agg, m);
}


static ngx_int_t
kz_agg_param_metric(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m)
{
    int64_t  n;

    if (agg->type == KZ_AGG_CARDINALITY
        && kz_query_is(&m->key, "precision_threshold"))
    {
        return kz_agg_whole(p, at, &m->val, &n);
    }

    if (agg->type == KZ_AGG_EXTENDED_STATS
        && kz_query_is(&m->key, "sigma"))
    {
        return kz_agg_number(p, at, &m->val, &agg->sigma);
    }

    if (kz_query_is(&m->key, "keyed")) {
        return NGX_DECLINED;
    }

    return kz_agg_param(p, at, agg, m);
}


static ngx_int_t
kz_agg_param_percentiles(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m)
{
    kz_json_iter_t  it;
    kz_json_val_t   item;

    if (kz_query_is(&m->key, "percents")) {

        if (m->val.type != KZ_JSON_ARRAY) {
            return kz_query_bad(&p->x, at, "an array was expected");
        }

        agg->percents = ngx_palloc(p->x.pool, 64 * sizeof(double));
        if (agg->percents == NULL) {
            return NGX_ERROR;
        }

        kz_json_iter(&it, &m->val);

        while (kz_json_next(&it, &item) == NGX_OK) {

            if (agg->npercents == 64) {
                return kz_query_bad(&p->x, at, "at most 64 are allowed");
            }

            if (kz_agg_number(p, at, &item,
                              &agg->percents[agg->npercents++])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    /* an approximation's precision: these are exact */

    if (kz_query_is(&m->key, "tdigest") || kz_query_is(&m->key, "hdr")
        || kz_query_is(&m->key, "compression"))
    {
        return NGX_OK;
    }

    if (kz_query_is(&m->key, "keyed")) {

        /* it is by default */

        if (m->val.type != KZ_JSON_TRUE && m->val.type != KZ_JSON_FALSE) {
            return kz_query_bad(&p->x, at, "true or false was expected");
        }

        agg->keyed = (m->val.type == KZ_JSON_FALSE);
        return NGX_OK;
    }

    return kz_agg_param(p, at, agg, m);
}


static ngx_int_t
kz_agg_param_top(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_query_member_t *m)
{
    if (kz_query_is(&m->key, "size")) {
        return kz_agg_whole(p, at, &m->val, &agg->size);
    }

    if (kz_query_is(&m->key, "from")) {
        return kz_agg_whole(p, at, &m->val, &agg->from);
    }

    if (kz_query_is(&m->key, "_source")) {
        agg->source = m->val;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
kz_agg_values_list(kz_agg_parse_t *p, const kz_query_place_t *at,
    const kz_json_val_t *v, kz_json_val_t **values, ngx_uint_t *n)
{
    ngx_uint_t       count;
    kz_json_iter_t   it;
    kz_json_val_t    item;

    if (v->type != KZ_JSON_ARRAY) {
        return kz_query_bad(&p->x, at, "an array of exact values is all that"
                            " is supported");
    }

    count = 0;
    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (!kz_json_is_scalar(&item)) {
            return kz_query_bad(&p->x, at, "an array of exact values is all"
                                " that is supported");
        }

        count++;
    }

    *values = ngx_palloc(p->x.pool, (count + 1) * sizeof(kz_json_val_t));
    if (*values == NULL) {
        return NGX_ERROR;
    }

    *n = 0;
    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        (*values)[(*n)++] = item;
    }

    /* an empty list of what to include includes nothing */

    if (*n == 0) {
        (*values)[0].type = KZ_JSON_NONE;
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_ranges(kz_agg_parse_t *p, const kz_query_place_t *at, kz_agg_t *agg,
    const kz_json_val_t *v)
{
    ngx_uint_t          n;
    kz_json_iter_t      it;
    kz_json_val_t       item;
    kz_query_place_t    here;

    if (v->type != KZ_JSON_ARRAY) {
        return kz_query_bad(&p->x, at, "an array was expected");
    }

    n = 0;
    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        n++;
    }

    if (n > KZ_AGG_LIMIT) {
        return kz_query_bad(&p->x, at, "at most %d ranges are allowed",
                            KZ_AGG_LIMIT);
    }

    agg->ranges = ngx_pcalloc(p->x.pool, (n + 1) * sizeof(kz_agg_range_t));
    if (agg->ranges == NULL) {
        return NGX_ERROR;
    }

    here.up = at;
    here.name.data = NULL;
    here.name.len = 0;
    here.index = 0;

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (kz_agg_range(p, &here, agg, &agg->ranges[agg->nranges++], &item)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        here.index++;
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_range(kz_agg_parse_t *p, const kz_query_place_t *at, kz_agg_t *agg,
    kz_agg_range_t *r, const kz_json_val_t *v)
{
    ngx_uint_t           i, n;
    kz_json_val_t       *bound;
    kz_query_member_t   *m;

    r->low = -INFINITY;
    r->high = INFINITY;

    if (kz_query_members(&p->x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "key")) {
            if (kz_agg_text(p, at, &m[i].val, &r->key) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (kz_query_is(&m[i].key, "from")) {
            bound = &r->from;

        } else if (kz_query_is(&m[i].key, "to")) {
            bound = &r->to;

        } else {
            return kz_query_bad(&p->x, at, "a range has [from], [to] and"
                                " [key]");
        }

        if (m[i].val.type == KZ_JSON_NULL) {
            continue;
        }

        *bound = m[i].val;

        if (agg->type == KZ_AGG_DATE_RANGE) {

            if (m[i].val.type != KZ_JSON_STRING
                && m[i].val.type != KZ_JSON_NUMBER)
            {
                return kz_query_bad(&p->x, at, "a date was expected");
            }

            continue;
        }

        if (kz_agg_number(p, at, &m[i].val,
                          (bound == &r->from) ? &r->low : &r->high)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* {"name": query, ...} or [query, ...] */

static ngx_int_t
kz_agg_filters(kz_agg_parse_t *p, const kz_query_place_t *at, kz_agg_t *agg,
    const kz_json_val_t *v)
{
    ngx_uint_t           i, n;
    kz_json_iter_t       it;
    kz_json_val_t        item;
    kz_query_place_t     here;
    kz_query_member_t   *m;

    here.up = at;

    if (v->type == KZ_JSON_OBJECT) {

        if (kz_query_members(&p->x, at, v, &m, &n) != NGX_OK) {
            return NGX_ERROR;
        }

        agg->ranges = ngx_pcalloc(p->x.pool,
                                  (n + 1) * sizeof(kz_agg_range_t));
        if (agg->ranges == NULL) {
            return NGX_ERROR;
        }

        agg->keyed = 1;

        for (i = 0; i < n; i++) {
            here.name = m[i].key;
            agg->ranges[i].key = m[i].key;

            if (kz_agg_filter(p, &here, &agg->ranges[i], &m[i].val)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        agg->nranges = n;

        return NGX_OK;
    }

    if (v->type != KZ_JSON_ARRAY) {
        return kz_query_bad(&p->x, at, "an object or an array was expected");
    }

    agg->ranges = ngx_pcalloc(p->x.pool,
                              KZ_AGG_LIMIT * sizeof(kz_agg_range_t));
    if (agg->ranges == NULL) {
        return NGX_ERROR;
    }

    here.name.data = NULL;
    here.name.len = 0;
    here.index = 0;

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {

        if (agg->nranges == KZ_AGG_LIMIT) {
            return kz_query_bad(&p->x, at, "at most %d filters are allowed",
                                KZ_AGG_LIMIT);
        }

        if (kz_agg_filter(p, &here, &agg->ranges[agg->nranges++], &item)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        here.index++;
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_text(kz_agg_parse_t *p, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_str_t *s)
{
    if (v->type != KZ_JSON_STRING) {
        return kz_query_bad(&p->x, at, "a text was expected");
    }

    return kz_json_string(p->x.pool, v, s);
}


static ngx_int_t
kz_agg_flag(kz_agg_parse_t *p, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t *flag)
{
    *flag = (v->type == KZ_JSON_TRUE);

    if (v->type != KZ_JSON_TRUE && v->type != KZ_JSON_FALSE) {
        return kz_query_bad(&p->x, at, "true or false was expected");
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_whole(kz_agg_parse_t *p, const kz_query_place_t *at,
    const kz_json_val_t *v, int64_t *n)
{
    if (v->type != KZ_JSON_NUMBER || kz_json_int(v, n) != NGX_OK || *n < 0
        || *n > 2147483647)
    {
        return kz_query_bad(&p->x, at, "a whole number from 0 on was"
                            " expected");
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_number(kz_agg_parse_t *p, const kz_query_place_t *at,
    const kz_json_val_t *v, double *d)
{
    if (v->type != KZ_JSON_NUMBER) {
        return kz_query_bad(&p->x, at, "a number was expected");
    }

    *d = kz_json_double(v);

    if (!isfinite(*d)) {
        return kz_query_bad(&p->x, at, "the number is too large");
    }

    return NGX_OK;
}
