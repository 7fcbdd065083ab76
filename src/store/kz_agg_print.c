/*
 * Aggregations: the answer.
 */

#include "store/kz_agg_int.h"

#include <math.h>


#define KZ_AGG_FILL  65536        /* empty buckets of a histogram */


static void kz_agg_print_list(kz_aggs_t *a, kz_out_t *o, kz_agg_t *list,
    kz_state_t **states);
static void kz_agg_print_one(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state);
static void kz_agg_print_terms(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state);
static void kz_agg_print_histogram(kz_aggs_t *a, kz_out_t *o,
    kz_agg_t *agg, kz_state_t *state);
static double kz_agg_print_next(kz_agg_t *agg, double key);
static double kz_agg_print_round(kz_agg_t *agg, double d);
static void kz_agg_print_ranges(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state);
static void kz_agg_print_bound(kz_out_t *o, kz_agg_t *agg, double d);
static void kz_agg_print_filters(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state);
static void kz_agg_print_bucket(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_bucket_t *b);
static void kz_agg_print_key(kz_out_t *o, kz_agg_t *agg,
    const kz_value_t *key, ngx_uint_t text);
static void kz_agg_print_metric(kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state);
static void kz_agg_print_stats(kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state);
static void kz_agg_print_number(kz_out_t *o, kz_agg_t *agg,
    const char *name, double d, ngx_uint_t known);
static void kz_agg_print_percentiles(kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state);
static void kz_agg_print_top(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state);
static void kz_agg_print_double(kz_out_t *o, double d);
static void kz_agg_date_text(kz_out_t *o, kz_agg_t *agg, double d);

static int kz_agg_double_cmp(const void *one, const void *two);


void
kz_agg_print(kz_aggs_t *a, kz_out_t *o)
{
    kz_agg_print_list(a, o, a->root, a->states);
}


static void
kz_agg_print_list(kz_aggs_t *a, kz_out_t *o, kz_agg_t *list,
    kz_state_t **states)
{
    kz_agg_t  *agg;

    kz_out_char(o, '{');

    for (agg = list; agg; agg = agg->next) {
        if (agg != list) {
            kz_out_char(o, ',');
        }

        kz_out_json_str(o, &agg->name);
        kz_out_char(o, ':');
        kz_agg_print_one(a, o, agg, states ? states[agg->n] : NULL);
    }

    kz_out_char(o, '}');
}


/* state may be NULL: no document came here. */

static void
kz_agg_print_one(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state)
{
    kz_state_t  none;

    if (state == NULL) {
        ngx_memzero(&none, sizeof(kz_state_t));
        state = &none;
    }

    kz_out_char(o, '{');

    if (agg->meta.type == KZ_JSON_OBJECT) {
        kz_out_lit(o, "\"meta\":");
        kz_out_str(o, &agg->meta.raw);
        kz_out_char(o, ',');
    }

    switch (agg->type) {

    case KZ_AGG_TERMS:
        kz_agg_print_terms(a, o, agg, state);
        break;

    case KZ_AGG_HISTOGRAM:
    case KZ_AGG_DATE_HISTOGRAM:
        kz_agg_print_histogram(a, o, agg, state);
        break;

    case KZ_AGG_RANGE:
    case KZ_AGG_DATE_RANGE:
    case KZ_AGG_GEO_DISTANCE:
        kz_agg_print_ranges(a, o, agg, state);
        break;

    case KZ_AGG_FILTERS:
        kz_agg_print_filters(a, o, agg, state);
        break;

    case KZ_AGG_FILTER:
    case KZ_AGG_MISSING:
    case KZ_AGG_NESTED:
        kz_agg_print_bucket(a, o, agg, state->list ? state->list[0] : NULL);
        break;

    case KZ_AGG_STATS:
    case KZ_AGG_EXTENDED_STATS:
        kz_agg_print_stats(o, agg, state);
        break;

    case KZ_AGG_PERCENTILES:
        kz_agg_print_percentiles(o, agg, state);
        break;

    case KZ_AGG_TOP_HITS:
        kz_agg_print_top(a, o, agg, state);
        break;

    default:
        kz_agg_print_metric(o, agg, state);
    }

    kz_out_char(o, '}');
}


static void
kz_agg_print_terms(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state)
{
    uint64_t       other;
    ngx_uint_t     i, shown;
    kz_bucket_t  **spare, *b;

    if (state->n) {
        spare = kz_agg_alloc(a, state->n * sizeof(kz_bucket_t *));

        if (spare == NULL) {
            o->failed = 1;
            return;
        }

        kz_agg_order_list(agg, state->list, spare, state->n);
    }

    kz_out_lit(o, "\"doc_count_error_upper_bound\":0,"
                  "\"sum_other_doc_count\":");

    other = 0;
    shown = 0;

    for (i = 0; i < state->n; i++) {

        if (state->list[i]->count < (uint64_t) agg->min_count) {
            continue;
        }

        if (shown++ >= (ngx_uint_t) agg->size) {
            other += state->list[i]->count;
        }
    }

    kz_out_int(o, other);
    kz_out_lit(o, ",\"buckets\":[");

    shown = 0;

    for (i = 0; i < state->n && shown < (ngx_uint_t) agg->size; i++) {
        b = state->list[i];

        if (b->count < (uint64_t) agg->min_count) {
            continue;
        }

        if (shown++) {
            kz_out_char(o, ',');
        }

        kz_out_lit(o, "{\"key\":");
        kz_agg_print_key(o, agg, &b->key, 0);

        if (agg->boolean || agg->date) {
            kz_out_lit(o, ",\"key_as_string\":\"");
            kz_agg_print_key(o, agg, &b->key, 1);
            kz_out_char(o, '"');
        }

        kz_out_char(o, ',');
        kz_agg_print_bucket(a, o, agg, b);
        kz_out_char(o, '}');
    }

    kz_out_char(o, ']');
}


/* From the first bucket to the last, empty ones in between included. */

static void
kz_agg_print_histogram(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state)
{
    double         key, last;
    ngx_uint_t     i, n, filled, ordered;
    kz_value_t     v;
    kz_agg_sort_t  sort[KZ_AGG_MAX_SORT];
    kz_bucket_t  **list, **spare, *b, empty;

    n = state->n;
    list = kz_agg_alloc(a, (2 * n + 1) * sizeof(kz_bucket_t *));

    if (list == NULL) {
        o->failed = 1;
        return;
    }

    if (n) {
        ngx_memcpy(list, state->list, n * sizeof(kz_bucket_t *));
    }

    spare = list + n;

    /* by key first: the gaps are found there */

    ngx_memcpy(sort, agg->sort, sizeof(sort));
    ordered = agg->nsort;

    agg->nsort = 1;
    agg->sort[0].by = KZ_ORDER_KEY;
    agg->sort[0].desc = 0;
    kz_agg_order_list(agg, list, spare, n);

    ngx_memcpy(agg->sort, sort, sizeof(sort));
    agg->nsort = ordered;

    if (agg->keyed) {
        kz_out_lit(o, "\"buckets\":{");
    } else {
        kz_out_lit(o, "\"buckets\":[");
    }

    ngx_memzero(&empty, sizeof(kz_bucket_t));

    if (agg->min_count == 0 && (n || agg->bounded)) {

        /* fill the gaps; the list becomes longer, so it is made anew */

        key = n ? kz_agg_double(&list[0]->key) : INFINITY;
        last = n ? kz_agg_double(&list[n - 1]->key) : -INFINITY;

        if (agg->bounded) {
            key = ngx_min(key, kz_agg_print_round(agg, agg->bound_min));
            last = ngx_max(last, kz_agg_print_round(agg, agg->bound_max));
        }

        spare = kz_agg_alloc(a, 2 * KZ_AGG_FILL * sizeof(kz_bucket_t *));

        if (spare == NULL) {
            o->failed = 1;
            return;
        }

        filled = 0;
        i = 0;

        for ( /* void */ ; key <= last + (agg->interval / 1e6)
                           && filled < KZ_AGG_FILL;
             key = kz_agg_print_next(agg, key))
        {
            if (i < n
                && fabs(kz_agg_double(&list[i]->key) - key)
                   <= agg->interval / 1e6)
            {
                spare[filled++] = list[i++];
                continue;
            }

            b = kz_agg_alloc(a, sizeof(kz_bucket_t));

            if (b == NULL) {
                o->failed = 1;
                return;
            }

            b->key.type = agg->date ? KZ_VALUE_INT : KZ_VALUE_REAL;
            b->key.i = (int64_t) key;
            b->key.d = key;
            spare[filled++] = b;
        }

        /* none is lost when there would be too many */

        if (i == n) {
            list = spare;
            n = filled;
            spare = list + n;
        }
    }

    if (agg->nsort) {
        if (spare != list + n) {
            spare = kz_agg_alloc(a, (n + 1) * sizeof(kz_bucket_t *));

            if (spare == NULL) {
                o->failed = 1;
                return;
            }
        }

        kz_agg_order_list(agg, list, spare, n);
    }

    for (i = 0, filled = 0; i < n; i++) {
        b = list[i];

        if (b->count < (uint64_t) agg->min_count) {
            continue;
        }

        if (filled++) {
            kz_out_char(o, ',');
        }

        v = b->key;

        if (agg->keyed) {
            kz_out_char(o, '"');
            kz_agg_print_key(o, agg, &v, 1);
            kz_out_lit(o, "\":");
        }

        kz_out_char(o, '{');

        if (agg->date) {
            kz_out_lit(o, "\"key_as_string\":\"");
            kz_agg_print_key(o, agg, &v, 1);
            kz_out_lit(o, "\",");
        }

        kz_out_lit(o, "\"key\":");
        kz_agg_print_key(o, agg, &v, 0);
        kz_out_char(o, ',');
        kz_agg_print_bucket(a, o, agg, b);
        kz_out_char(o, '}');
    }

    kz_out_char(o, agg->keyed ? '}' : ']');
}


static double
kz_agg_print_next(kz_agg_t *agg, double key)
{
    int64_t  offset;

    if (!agg->calendar) {
        return key + agg->interval;
    }

    offset = (int64_t) agg->offset;

    return (double) (kz_date_add((int64_t) key - offset, agg->unit, 1,
                                 agg->zone)
                     + offset);
}


static double
kz_agg_print_round(kz_agg_t *agg, double d)
{
    double  shift;

    if (agg->calendar) {
        return (double) (kz_date_floor((int64_t) (d - agg->offset),
                                       agg->unit, agg->zone)
                         + (int64_t) agg->offset);
    }

    shift = agg->date ? (double) agg->zone * 60000 : 0;

    return floor((d + shift - agg->offset) / agg->interval) * agg->interval
           + agg->offset - shift;
}


static void
kz_agg_print_ranges(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state)
{
    kz_out_t         key;
    ngx_str_t        name;
    ngx_uint_t       i;
    kz_agg_range_t  *r;

    if (agg->keyed) {
        kz_out_lit(o, "\"buckets\":{");
    } else {
        kz_out_lit(o, "\"buckets\":[");
    }

    for (i = 0; i < agg->nranges; i++) {
        r = &agg->ranges[i];

        if (i) {
            kz_out_char(o, ',');
        }

        name = r->key;

        if (name.data == NULL) {
            kz_out_init(&key, a->pool, 64);

            if (r->low == -INFINITY) {
                kz_out_char(&key, '*');
            } else {
                kz_agg_print_bound(&key, agg, r->low);
            }

            kz_out_char(&key, '-');

            if (r->high == INFINITY) {
                kz_out_char(&key, '*');
            } else {
                kz_agg_print_bound(&key, agg, r->high);
            }

            if (kz_out_failed(&key)) {
                o->failed = 1;
                return;
            }

            name.data = key.start;
            name.len = kz_out_len(&key);
        }

        if (agg->keyed) {
            kz_out_json_str(o, &name);
            kz_out_lit(o, ":{");

        } else {
            kz_out_lit(o, "{\"key\":");
            kz_out_json_str(o, &name);
            kz_out_char(o, ',');
        }

        if (r->low != -INFINITY) {
            kz_agg_print_number(o, agg, "from", r->low, 1);
            kz_out_char(o, ',');
        }

        if (r->high != INFINITY) {
            kz_agg_print_number(o, agg, "to", r->high, 1);
            kz_out_char(o, ',');
        }

        kz_agg_print_bucket(a, o, agg,
                            (i < state->n) ? state->list[i] : NULL);
        kz_out_char(o, '}');
    }

    kz_out_char(o, agg->keyed ? '}' : ']');
}


static void
kz_agg_print_bound(kz_out_t *o, kz_agg_t *agg, double d)
{
    if (agg->type == KZ_AGG_DATE_RANGE) {
        kz_agg_date_text(o, agg, d);
        return;
    }

    kz_agg_print_double(o, d);
}


static void
kz_agg_print_filters(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state)
{
    ngx_uint_t  i, n;

    static ngx_str_t  other = ngx_string("_other_");

    if (agg->keyed) {
        kz_out_lit(o, "\"buckets\":{");
    } else {
        kz_out_lit(o, "\"buckets\":[");
    }

    n = agg->nranges + agg->other;

    for (i = 0; i < n; i++) {
        if (i) {
            kz_out_char(o, ',');
        }

        if (agg->keyed) {
            if (i < agg->nranges) {
                kz_out_json_str(o, &agg->ranges[i].key);

            } else {
                kz_out_json_str(o, agg->other_key.data ? &agg->other_key
                                                       : &other);
            }

            kz_out_char(o, ':');
        }

        kz_out_char(o, '{');
        kz_agg_print_bucket(a, o, agg,
                            (i < state->n) ? state->list[i] : NULL);
        kz_out_char(o, '}');
    }

    kz_out_char(o, agg->keyed ? '}' : ']');
}


/* "doc_count" and what is below, without braces; b may be NULL. */

static void
kz_agg_print_bucket(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_bucket_t *b)
{
    kz_agg_t  *sub;

    kz_out_lit(o, "\"doc_count\":");
    kz_out_int(o, b ? (int64_t) b->count : 0);

    for (sub = agg->subs; sub; sub = sub->next) {
        kz_out_char(o, ',');
        kz_out_json_str(o, &sub->name);
        kz_out_char(o, ':');
        kz_agg_print_one(a, o, sub, (b && b->subs) ? b->subs[sub->n] : NULL);
    }
}


/* text: what stands between quotes. */

static void
kz_agg_print_key(kz_out_t *o, kz_agg_t *agg, const kz_value_t *key,
    ngx_uint_t text)
{
    if (key->type == KZ_VALUE_TEXT) {
        kz_out_json_str(o, &key->text);
        return;
    }

    if (text && agg->boolean) {
        if (key->i) {
            kz_out_lit(o, "true");
        } else {
            kz_out_lit(o, "false");
        }

        return;
    }

    if (text && agg->date) {
        kz_agg_date_text(o, agg, kz_agg_double(key));
        return;
    }

    if (key->type == KZ_VALUE_INT && agg->type != KZ_AGG_HISTOGRAM) {
        kz_out_int(o, key->i);
        return;
    }

    kz_agg_print_double(o, kz_agg_double(key));
}


static void
kz_agg_print_metric(kz_out_t *o, kz_agg_t *agg, kz_state_t *state)
{
    double  d;

    switch (agg->type) {

    case KZ_AGG_CARDINALITY:
    case KZ_AGG_VALUE_COUNT:
        kz_out_lit(o, "\"value\":");
        kz_out_int(o, (int64_t) state->count);
        return;

    case KZ_AGG_MIN:
        d = state->min;
        break;

    case KZ_AGG_MAX:
        d = state->max;
        break;

    case KZ_AGG_AVG:
        d = state->count ? state->sum / (double) state->count : 0;
        break;

    default: /* KZ_AGG_SUM */
        kz_agg_print_number(o, agg, "value", state->sum, 1);
        return;
    }

    kz_agg_print_number(o, agg, "value", d, state->count != 0);
}


static void
kz_agg_print_stats(kz_out_t *o, kz_agg_t *agg, kz_state_t *state)
{
    double  n, mean, variance, deviation;

    n = (double) state->count;
    mean = state->count ? state->sum / n : 0;

    kz_out_lit(o, "\"count\":");
    kz_out_int(o, (int64_t) state->count);
    kz_out_char(o, ',');
    kz_agg_print_number(o, agg, "min", state->min, state->count != 0);
    kz_out_char(o, ',');
    kz_agg_print_number(o, agg, "max", state->max, state->count != 0);
    kz_out_char(o, ',');
    kz_agg_print_number(o, agg, "avg", mean, state->count != 0);
    kz_out_char(o, ',');
    kz_agg_print_number(o, agg, "sum", state->sum, 1);

    if (agg->type == KZ_AGG_STATS) {
        return;
    }

    variance = state->count ? (state->squares - state->sum * mean) / n : 0;
    variance = (variance < 0) ? 0 : variance;
    deviation = sqrt(variance);

    kz_out_lit(o, ",\"sum_of_squares\":");

    if (state->count) {
        kz_agg_print_double(o, state->squares);
        kz_out_lit(o, ",\"variance\":");
        kz_agg_print_double(o, variance);
        kz_out_lit(o, ",\"std_deviation\":");
        kz_agg_print_double(o, deviation);
        kz_out_lit(o, ",\"std_deviation_bounds\":{\"upper\":");
        kz_agg_print_double(o, mean + agg->sigma * deviation);
        kz_out_lit(o, ",\"lower\":");
        kz_agg_print_double(o, mean - agg->sigma * deviation);
        kz_out_char(o, '}');

    } else {
        kz_out_lit(o, "null,\"variance\":null,\"std_deviation\":null,"
                      "\"std_deviation_bounds\":{\"upper\":null,"
                      "\"lower\":null}");
    }
}


/* "name": 1.5, and of dates "name_as_string" too */

static void
kz_agg_print_number(kz_out_t *o, kz_agg_t *agg, const char *name, double d,
    ngx_uint_t known)
{
    size_t  len;

    len = ngx_strlen(name);

    kz_out_char(o, '"');
    kz_out_bytes(o, name, len);
    kz_out_lit(o, "\":");

    if (!known) {
        kz_out_lit(o, "null");
        return;
    }

    kz_agg_print_double(o, d);

    if (agg->date && agg->type != KZ_AGG_GEO_DISTANCE) {
        kz_out_lit(o, ",\"");
        kz_out_bytes(o, name, len);
        kz_out_lit(o, "_as_string\":\"");
        kz_agg_date_text(o, agg, d);
        kz_out_char(o, '"');
    }
}


static void
kz_agg_date_text(kz_out_t *o, kz_agg_t *agg, double d)
{
    kz_date_print(o, (int64_t) (d < -1e18 ? -1e18 : d > 1e18 ? 1e18 : d),
                  agg->formats ? agg->formats
                               : (agg->f ? agg->f->formats : NULL),
                  agg->zone);
}


static int
kz_agg_double_cmp(const void *one, const void *two)
{
    double  a, b;

    a = *(const double *) one;
    b = *(const double *) two;

    return (a > b) - (a < b);
}


/* Between two neighbours the share of the distance counts. */

static void
kz_agg_print_percentiles(kz_out_t *o, kz_agg_t *agg, kz_state_t *state)
{
    double      rank, d;
    size_t      low;
    ngx_uint_t  i, list;

    list = agg->keyed;        /* "keyed": false was given */

    if (state->count) {
        qsort(state->all, state->count, sizeof(double), kz_agg_double_cmp);
    }

    kz_out_lit(o, "\"values\":");
    kz_out_char(o, list ? '[' : '{');

    for (i = 0; i < agg->npercents; i++) {
        if (i) {
            kz_out_char(o, ',');
        }

        if (list) {
            kz_out_lit(o, "{\"key\":");
            kz_agg_print_double(o, agg->percents[i]);
            kz_out_lit(o, ",\"value\":");

        } else {
            kz_out_char(o, '"');
            kz_agg_print_double(o, agg->percents[i]);
            kz_out_lit(o, "\":");
        }

        if (state->count == 0) {
            kz_out_lit(o, "null");

        } else {
            rank = agg->percents[i] / 100 * (double) (state->count - 1);
            low = (size_t) rank;
            d = state->all[low];

            if (low + 1 < state->count) {
                d += (state->all[low + 1] - d) * (rank - (double) low);
            }

            kz_agg_print_double(o, d);
        }

        if (list) {
            kz_out_char(o, '}');
        }
    }

    kz_out_char(o, list ? ']' : '}');
}


static void
kz_agg_print_top(kz_aggs_t *a, kz_out_t *o, kz_agg_t *agg,
    kz_state_t *state)
{
    ngx_uint_t      i;
    kz_top_hit_t   *hit;

    kz_out_lit(o, "\"hits\":{\"total\":");

    if (a->dialect == KZ_DIALECT_1) {
        kz_out_int(o, (int64_t) state->count);

    } else {
        kz_out_lit(o, "{\"value\":");
        kz_out_int(o, (int64_t) state->count);
        kz_out_lit(o, ",\"relation\":\"eq\"}");
    }

    kz_out_lit(o, ",\"max_score\":");

    if (state->count) {
        kz_agg_print_double(o, state->max);
    } else {
        kz_out_lit(o, "null");
    }

    kz_out_lit(o, ",\"hits\":[");

    for (i = (ngx_uint_t) agg->from; i < state->nhits; i++) {
        hit = &state->hits[i];

        if (i > (ngx_uint_t) agg->from) {
            kz_out_char(o, ',');
        }

        kz_out_lit(o, "{\"_index\":");
        kz_out_json_str(o, &hit->index);

        if (a->dialect == KZ_DIALECT_1) {
            kz_out_lit(o, ",\"_type\":");
            kz_out_json_str(o, &hit->collection);
        }

        kz_out_lit(o, ",\"_id\":");
        kz_out_json_str(o, &hit->id);
        kz_out_lit(o, ",\"_score\":");
        kz_agg_print_double(o, hit->score);
        kz_out_lit(o, ",\"_source\":");
        kz_out_str(o, &hit->source);
        kz_out_char(o, '}');
    }

    kz_out_lit(o, "]}");
}


/* The shortest text that reads as the same number; 1 is "1.0". */

static void
kz_agg_print_double(kz_out_t *o, double d)
{
    int     n, precision;
    char    text[40];

    if (!isfinite(d)) {
        kz_out_lit(o, "null");
        return;
    }

    for (precision = 15; precision < 17; precision++) {
        n = snprintf(text, sizeof(text), "%.*g", precision, d);

        if (strtod(text, NULL) == d) {
            break;
        }
    }

    n = snprintf(text, sizeof(text), "%.*g", precision, d);
    kz_out_bytes(o, text, n);

    if (strpbrk(text, ".e") == NULL) {
        kz_out_lit(o, ".0");
    }
}


