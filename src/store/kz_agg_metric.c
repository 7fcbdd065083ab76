/*
 * Aggregations: metrics and top hits.
 */

#include "store/kz_agg_int.h"


#define KZ_AGG_HITS  (1024 * 1024)       /* bytes of one in top_hits */


static void kz_agg_add(double *sum, double *lost, double d);
static ngx_int_t kz_agg_remember(kz_aggs_t *a, kz_state_t *state, double d);


ngx_int_t
kz_agg_metric(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc)
{
    double       d;
    ngx_uint_t   i;
    kz_value_t  *v;

    if (kz_agg_values(a, agg, doc, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < agg->nvalues; i++) {
        v = &agg->values[i];

        if (agg->type == KZ_AGG_VALUE_COUNT) {
            state->count++;
            continue;
        }

        if (agg->type == KZ_AGG_CARDINALITY) {
            if (kz_agg_seen(a, state, kz_agg_hash64(v)) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (v->type == KZ_VALUE_TEXT) {
            continue;
        }

        d = kz_agg_double(v);

        if (agg->type == KZ_AGG_PERCENTILES) {
            if (kz_agg_remember(a, state, d) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (state->count == 0 || d < state->min) {
            state->min = d;
        }

        if (state->count == 0 || d > state->max) {
            state->max = d;
        }

        state->count++;
        kz_agg_add(&state->sum, &state->lost, d);
        kz_agg_add(&state->squares, &state->squares_lost, d * d);
    }

    return NGX_OK;
}


/* Kahan's sum: a million small numbers add up. */

static void
kz_agg_add(double *sum, double *lost, double d)
{
    double  y, t;

    y = d - *lost;
    t = *sum + y;
    *lost = (t - *sum) - y;
    *sum = t;
}


static ngx_int_t
kz_agg_remember(kz_aggs_t *a, kz_state_t *state, double d)
{
    size_t   room;
    double  *all;

    if (state->count == state->all_room) {
        room = state->all_room ? state->all_room * 2 : 64;

        all = kz_agg_alloc(a, room * sizeof(double));
        if (all == NULL) {
            return NGX_ERROR;
        }

        if (state->count) {
            ngx_memcpy(all, state->all, state->count * sizeof(double));
        }

        state->all = all;
        state->all_room = room;
    }

    state->all[state->count++] = d;

    return NGX_OK;
}


/* A set of hashes, half empty; 0 is an empty place. */

ngx_int_t
kz_agg_seen(kz_aggs_t *a, kz_state_t *state, uint64_t h)
{
    size_t     i, j, room;
    uint64_t  *set;

    h = h ? h : 1;

    if (2 * state->count >= state->all_room) {
        room = state->all_room ? state->all_room * 2 : 64;

        set = kz_agg_alloc(a, room * sizeof(uint64_t));
        if (set == NULL) {
            return NGX_ERROR;
        }

        for (i = 0; i < state->all_room; i++) {
            if (state->set[i]) {
                for (j = state->set[i]; set[j & (room - 1)]; j++) {
                    /* void */
                }

                set[j & (room - 1)] = state->set[i];
            }
        }

        state->set = set;
        state->all_room = room;
    }

    for (i = h; state->set[i & (state->all_room - 1)]; i++) {
        if (state->set[i & (state->all_room - 1)] == h) {
            return NGX_OK;
        }
    }

    state->set[i & (state->all_room - 1)] = h;
    state->count++;

    return NGX_OK;
}


/* FNV-1a of 64 bits, mixed: two values in a billion may count as one. */

uint64_t
kz_agg_hash64(const kz_value_t *v)
{
    double         d;
    size_t         n;
    uint64_t       h;
    const u_char  *p;

    if (v->type == KZ_VALUE_TEXT) {
        p = v->text.data;
        n = v->text.len;
        h = 14695981039346656037ULL;

    } else {
        d = kz_agg_double(v) + 0.0;
        p = (u_char *) &d;
        n = sizeof(double);
        h = 14695981039346656037ULL ^ 0x55;
    }

    while (n--) {
        h = (h ^ *p++) * 1099511628211ULL;
    }

    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ULL;

    return h ^ (h >> 32);
}


/* The first from + size by score, in order of appearance within one. */

ngx_int_t
kz_agg_top(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc)
{
    ngx_uint_t      i, max;
    kz_top_hit_t   *hit;

    state->count++;

    if (state->count == 1 || doc->score > state->max) {
        state->max = doc->score;
    }

    max = agg->from + agg->size;

    if (max == 0) {
        return NGX_OK;
    }

    if (state->hits == NULL) {
        state->hits = kz_agg_alloc(a, max * sizeof(kz_top_hit_t));
        if (state->hits == NULL) {
            return NGX_ERROR;
        }
    }

    if (state->nhits == max
        && doc->score <= state->hits[max - 1].score)
    {
        return NGX_OK;
    }

    i = (state->nhits < max) ? state->nhits++ : max - 1;

    for ( /* void */ ; i > 0 && state->hits[i - 1].score < doc->score; i--) {
        state->hits[i] = state->hits[i - 1];
    }

    hit = &state->hits[i];
    hit->score = doc->score;
    hit->index = *a->index;
    hit->collection = *a->collection;

    if (doc->src->len > KZ_AGG_HITS) {
        return kz_agg_refuse(a, "a document is too large for the top hits of"
                             " [%V]", &agg->name);
    }

    return kz_agg_dup(a, &hit->id, doc->id) == NGX_OK
           ? kz_agg_dup(a, &hit->source, doc->src) : NGX_ERROR;
}
