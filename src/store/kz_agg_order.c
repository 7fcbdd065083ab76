/*
 * Aggregations: the order of buckets.
 */

#include "store/kz_agg_int.h"

#include <math.h>


static double kz_agg_order_value(kz_agg_sort_t *s, kz_bucket_t *b);
static ngx_int_t kz_agg_order_cmp(kz_agg_t *agg, kz_bucket_t *a,
    kz_bucket_t *b);


static double
kz_agg_order_value(kz_agg_sort_t *s, kz_bucket_t *b)
{
    double        n, mean, variance;
    kz_state_t   *state;

    state = b->subs ? b->subs[s->sub->n] : NULL;

    if (state == NULL) {
        return NAN;
    }

    if (kz_agg_is_bucket(s->sub)) {
        return (state->list && state->list[0])
               ? (double) state->list[0]->count : 0;
    }

    n = (double) state->count;
    mean = state->count ? state->sum / n : NAN;
    variance = state->count ? (state->squares - state->sum * mean) / n : NAN;

    switch (s->sub->type) {

    case KZ_AGG_CARDINALITY:
    case KZ_AGG_VALUE_COUNT:
        return n;

    case KZ_AGG_MIN:
        return state->count ? state->min : NAN;

    case KZ_AGG_MAX:
        return state->count ? state->max : NAN;

    case KZ_AGG_AVG:
        return mean;

    case KZ_AGG_SUM:
        return state->sum;

    default:
        break;
    }

    if (kz_query_is(&s->part, "count")) {
        return n;
    }

    if (kz_query_is(&s->part, "min")) {
        return state->count ? state->min : NAN;
    }

    if (kz_query_is(&s->part, "max")) {
        return state->count ? state->max : NAN;
    }

    if (kz_query_is(&s->part, "sum")) {
        return state->sum;
    }

    if (kz_query_is(&s->part, "sum_of_squares")) {
        return state->squares;
    }

    if (kz_query_is(&s->part, "variance")) {
        return variance;
    }

    return kz_query_is(&s->part, "avg") ? mean : sqrt(variance);
}


static ngx_int_t
kz_agg_order_cmp(kz_agg_t *agg, kz_bucket_t *a, kz_bucket_t *b)
{
    double           x, y;
    ngx_int_t        rc;
    ngx_uint_t       i;
    kz_agg_sort_t   *s;

    for (i = 0; i < agg->nsort; i++) {
        s = &agg->sort[i];

        switch (s->by) {

        case KZ_ORDER_COUNT:
            rc = (a->count > b->count) - (a->count < b->count);
            break;

        case KZ_ORDER_KEY:
            rc = kz_value_cmp(&a->key, &b->key);
            break;

        default:
            x = kz_agg_order_value(s, a);
            y = kz_agg_order_value(s, b);

            /* those without a value come last either way */

            if (isnan(x) || isnan(y)) {
                rc = (isnan(x) ? 1 : 0) - (isnan(y) ? 1 : 0);

                if (rc) {
                    return rc;
                }

                break;
            }

            rc = (x > y) - (x < y);
        }

        if (rc) {
            return s->desc ? -rc : rc;
        }
    }

    if (agg->nsort == 0 && a->count != b->count) {
        return (a->count < b->count) ? 1 : -1;
    }

    return kz_value_cmp(&a->key, &b->key);
}


/* A merge sort: qsort() has no place for what to sort by. */

void
kz_agg_order_list(kz_agg_t *agg, kz_bucket_t **list, kz_bucket_t **spare,
    ngx_uint_t n)
{
    ngx_uint_t  i, j, k, half;

    if (n < 2) {
        return;
    }

    half = n / 2;

    kz_agg_order_list(agg, list, spare, half);
    kz_agg_order_list(agg, list + half, spare, n - half);

    ngx_memcpy(spare, list, half * sizeof(kz_bucket_t *));

    for (i = 0, j = half, k = 0; i < half; k++) {
        if (j < n && kz_agg_order_cmp(agg, list[j], spare[i]) < 0) {
            list[k] = list[j++];

        } else {
            list[k] = spare[i++];
        }
    }
}
