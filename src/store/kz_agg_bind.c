/*
 * Aggregations: binding to a mapping.
 */

#include "store/kz_agg_int.h"

#include <math.h>


static ngx_int_t kz_agg_bind_list(kz_aggs_t *a, kz_agg_t *agg);
static ngx_int_t kz_agg_bind_one(kz_aggs_t *a, kz_agg_t *agg);
static ngx_int_t kz_agg_bind_field(kz_aggs_t *a, kz_agg_t *agg);
static ngx_int_t kz_agg_bind_dates(kz_aggs_t *a, kz_agg_t *agg);
static ngx_int_t kz_agg_date(kz_aggs_t *a, kz_agg_t *agg,
    const kz_json_val_t *v, double *d);
static ngx_int_t kz_agg_bind_bounds(kz_aggs_t *a, kz_agg_t *agg);


ngx_int_t
kz_agg_bind(kz_aggs_t *a, const kz_mapping_t *mapping,
    const ngx_str_t *index, const ngx_str_t *collection,
    kz_mapping_err_t *err)
{
    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    a->mapping = mapping;
    a->index = index;
    a->collection = collection;
    a->err = err;

    if (a->states == NULL) {
        a->states = kz_agg_states(a, a->n);

        if (a->states == NULL) {
            return NGX_ERROR;
        }
    }

    return kz_agg_bind_list(a, a->root);
}


static ngx_int_t
kz_agg_bind_list(kz_aggs_t *a, kz_agg_t *agg)
{
    for ( /* void */ ; agg; agg = agg->next) {
        if (kz_agg_bind_one(a, agg) != NGX_OK
            || kz_agg_bind_list(a, agg->subs) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_bind_one(kz_aggs_t *a, kz_agg_t *agg)
{
    ngx_uint_t       i;
    kz_agg_range_t  *r;

    switch (agg->type) {

    case KZ_AGG_FILTER:
    case KZ_AGG_FILTERS:

        for (i = 0; i < agg->nranges; i++) {
            r = &agg->ranges[i];

            if (r->match) {
                kz_match_free(r->match);
            }

            r->match = kz_match_create(a->pool, r->query, a->mapping,
                                       a->err);
            if (r->match == NULL) {
                return NGX_ERROR;
            }
        }

        return NGX_OK;

    case KZ_AGG_NESTED:
    case KZ_AGG_TOP_HITS:
    case KZ_AGG_GEO_DISTANCE:
        return NGX_OK;

    default:
        break;
    }

    if (kz_agg_bind_field(a, agg) != NGX_OK) {
        return NGX_ERROR;
    }

    if (agg->type == KZ_AGG_DATE_RANGE) {
        return kz_agg_bind_dates(a, agg);
    }

    return agg->bounded ? kz_agg_bind_bounds(a, agg) : NGX_OK;
}


static ngx_int_t
kz_agg_bind_field(kz_aggs_t *a, kz_agg_t *agg)
{
    ngx_uint_t        number;
    const kz_field_t *f;

    agg->f = kz_mapping_field(a->mapping, &agg->field);
    agg->raw = 0;
    agg->date = 0;
    agg->whole = 0;

    f = agg->f;

    if (f == NULL) {

        /* as in searches: where "dynamic" was never spoken of */

        agg->raw = !a->mapping->given;
        agg->date = (agg->type == KZ_AGG_DATE_HISTOGRAM
                     || agg->type == KZ_AGG_DATE_RANGE);
        return NGX_OK;
    }

    agg->boolean = (f->type == KZ_FIELD_BOOLEAN);
    agg->date = (f->type == KZ_FIELD_DATE);
    agg->whole = (f->type >= KZ_FIELD_LONG && f->type <= KZ_FIELD_BYTE);

    if (f->type == KZ_FIELD_TEXT && agg->type != KZ_AGG_MISSING
        && agg->type != KZ_AGG_VALUE_COUNT)
    {
        return kz_agg_refuse(a, "Text fields are not optimised for operations"
                             " that require per-document field data like"
                             " aggregations and sorting, so these operations"
                             " are disabled by default. Please use a keyword"
                             " field instead, not [%V]", &agg->field);
    }

    if (f->type == KZ_FIELD_OPAQUE && agg->type != KZ_AGG_MISSING) {
        return kz_agg_refuse(a, "the type of [%V] cannot be aggregated",
                             &agg->field);
    }

    number = (f->type != KZ_FIELD_TEXT && f->type != KZ_FIELD_KEYWORD);

    switch (agg->type) {

    case KZ_AGG_TERMS:
    case KZ_AGG_MISSING:
    case KZ_AGG_CARDINALITY:
    case KZ_AGG_VALUE_COUNT:
        return NGX_OK;

    case KZ_AGG_DATE_HISTOGRAM:
    case KZ_AGG_DATE_RANGE:
        if (!agg->date) {
            return kz_agg_refuse(a, "the field [%V] is not a date",
                                 &agg->field);
        }

        return NGX_OK;

    default:
        if (!number) {
            return kz_agg_refuse(a, "Field [%V] of type [keyword] is not"
                                 " supported for this aggregation",
                                 &agg->field);
        }

        return NGX_OK;
    }
}


ngx_int_t
kz_agg_refuse(kz_aggs_t *a, const char *fmt, const ngx_str_t *name)
{
    ngx_str_t  n;

    n = *name;
    n.len = ngx_min(n.len, 128);

    kz_mapping_refuse(a->err, KZ_STORE_BAD_QUERY, fmt, &n);

    return NGX_ERROR;
}


static ngx_int_t
kz_agg_bind_dates(kz_aggs_t *a, kz_agg_t *agg)
{
    ngx_uint_t       i;
    kz_agg_range_t  *r;

    for (i = 0; i < agg->nranges; i++) {
        r = &agg->ranges[i];

        if ((r->from.type != KZ_JSON_NONE
             && kz_agg_date(a, agg, &r->from, &r->low) != NGX_OK)
            || (r->to.type != KZ_JSON_NONE
                && kz_agg_date(a, agg, &r->to, &r->high) != NGX_OK))
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_date(kz_aggs_t *a, kz_agg_t *agg, const kz_json_val_t *v, double *d)
{
    int64_t             ms;
    ngx_str_t           text;
    const ngx_array_t  *formats;

    if (v->type == KZ_JSON_NUMBER) {
        *d = kz_json_double(v);

        if (isfinite(*d)) {
            return NGX_OK;
        }
    }

    formats = agg->formats ? agg->formats
                           : (agg->f ? agg->f->formats : NULL);

    if (v->type != KZ_JSON_STRING
        || kz_value_text(v, &a->scratch, &text) != NGX_OK
        || kz_date_math(formats, text.data, text.len, a->now, 0, agg->zone,
                        &ms)
           != NGX_OK)
    {
        return kz_agg_refuse(a, "failed to parse a date of a range of [%V]",
                             &agg->name);
    }

    *d = (double) ms;

    return NGX_OK;
}


/* extended_bounds of histograms */

static ngx_int_t
kz_agg_bind_bounds(kz_aggs_t *a, kz_agg_t *agg)
{
    kz_json_val_t  min, max;

    if (kz_json_get(&agg->bounds, "min", 3, &min) != NGX_OK
        || kz_json_get(&agg->bounds, "max", 3, &max) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (agg->type == KZ_AGG_DATE_HISTOGRAM) {
        return (kz_agg_date(a, agg, &min, &agg->bound_min) == NGX_OK)
               ? kz_agg_date(a, agg, &max, &agg->bound_max) : NGX_ERROR;
    }

    if (min.type != KZ_JSON_NUMBER || max.type != KZ_JSON_NUMBER) {
        return kz_agg_refuse(a, "the [extended_bounds] of [%V] are not"
                             " numbers", &agg->name);
    }

    agg->bound_min = kz_json_double(&min);
    agg->bound_max = kz_json_double(&max);

    return NGX_OK;
}
