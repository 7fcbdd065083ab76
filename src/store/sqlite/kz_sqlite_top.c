
/*
 * The best from + size documents of a search, in order.
 *
 * Without sort keys and with equal scores that is the order of insertion:
 * the first ones are kept, the others only counted.  Otherwise a heap holds
 * the best ones seen so far, the worst of them on top, and what is worse
 * than it is dropped at once.  Equal documents keep their order.
 */

#include "store/sqlite/kz_sqlite_search_run.h"

#include <math.h>


static kz_hit_t *kz_top_hit(kz_run_t *run, int64_t r, const ngx_str_t *id,
    double score);
static void kz_top_down(kz_run_t *run, size_t i);
static ngx_int_t kz_top_cmp(const kz_run_t *run, const kz_hit_t *a,
    const kz_hit_t *b);
static void kz_top_value(kz_run_t *run, ngx_uint_t i, const kz_value_t *v,
    kz_out_t *out);


/* Negative: a comes before b. */
static ngx_int_t
kz_top_cmp(const kz_run_t *run, const kz_hit_t *a, const kz_hit_t *b)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    const kz_match_t       *m;
    const kz_query_sort_t  *key;

    m = run->s->match;

    if (m->nsort == 0 && a->score != b->score) {
        return (a->score > b->score) ? -1 : 1;
    }

    for (i = 0; i < m->nsort; i++) {
        key = &m->keys[i];

        switch (key->type) {

        case KZ_SORT_SCORE:
            rc = (a->score > b->score) - (a->score < b->score);
            break;

        case KZ_SORT_DOC:
            rc = (a->r > b->r) - (a->r < b->r);
            break;

        default:

            if (a->keys[i].type == 0 || b->keys[i].type == 0) {

                if (a->keys[i].type == b->keys[i].type) {
                    continue;
                }

                /* missing ones first or last, whatever the direction */

                return ((a->keys[i].type == 0) == key->first) ? -1 : 1;
            }

            rc = kz_value_cmp(&a->keys[i], &b->keys[i]);
        }

        if (rc != 0) {
            return key->desc ? -rc : rc;
        }
    }

    return (a->r > b->r) - (a->r < b->r);
}


ngx_int_t
kz_top_add(kz_run_t *run, int64_t r, const ngx_str_t *id, double score)
{
    size_t      i, up, room;
    kz_hit_t   *hit, **hits;

    if (run->max == 0 || (!run->ranked && run->nhits == run->max)) {
        return NGX_OK;
    }

    hit = kz_top_hit(run, r, id, score);
    if (hit == NULL) {
        return kz_run_memory(run);
    }

    if (run->nhits == run->max) {

        if (kz_top_cmp(run, hit, run->hits[0]) >= 0) {
            free(hit);
            return NGX_OK;
        }

        free(run->hits[0]);
        run->hits[0] = hit;
        kz_top_down(run, 0);

        return NGX_OK;
    }

    if (run->nhits == run->hits_room) {
        room = run->hits_room ? run->hits_room * 2 : 64;

        hits = realloc(run->hits, room * sizeof(kz_hit_t *));
        if (hits == NULL) {
            free(hit);
            return kz_run_memory(run);
        }

        run->hits = hits;
        run->hits_room = room;
    }

    i = run->nhits++;
    run->hits[i] = hit;

    if (!run->ranked) {
        return NGX_OK;
    }

    while (i > 0) {
        up = (i - 1) / 2;

        if (kz_top_cmp(run, run->hits[up], run->hits[i]) >= 0) {
            break;
        }

        hit = run->hits[up];
        run->hits[up] = run->hits[i];
        run->hits[i] = hit;
        i = up;
    }

    return NGX_OK;
}


static void
kz_top_down(kz_run_t *run, size_t i)
{
    size_t     child;
    kz_hit_t  *hit;

    for ( ;; ) {
        child = i * 2 + 1;

        if (child >= run->nhits) {
            return;
        }

        if (child + 1 < run->nhits
            && kz_top_cmp(run, run->hits[child + 1], run->hits[child]) > 0)
        {
            child++;
        }

        if (kz_top_cmp(run, run->hits[child], run->hits[i]) <= 0) {
            return;
        }

        hit = run->hits[i];
        run->hits[i] = run->hits[child];
        run->hits[child] = hit;
        i = child;
    }
}


/* Takes the worst one off the heap until it is in order. */
void
kz_top_sort(kz_run_t *run)
{
    size_t     n;
    kz_hit_t  *hit;

    if (!run->ranked) {
        return;
    }

    n = run->nhits;

    while (run->nhits > 1) {
        run->nhits--;

        hit = run->hits[run->nhits];
        run->hits[run->nhits] = run->hits[0];
        run->hits[0] = hit;

        kz_top_down(run, 0);
    }

    run->nhits = n;
}


void
kz_top_free(kz_run_t *run)
{
    size_t  i;

    for (i = 0; i < run->nhits; i++) {
        free(run->hits[i]);
    }

    free(run->hits);
}


/* A copy of the document's keys, as kz_match_doc() left them. */
static kz_hit_t *
kz_top_hit(kz_run_t *run, int64_t r, const ngx_str_t *id, double score)
{
    size_t             len;
    u_char            *p;
    kz_hit_t          *hit;
    ngx_uint_t         i;
    kz_match_t        *m;
    const kz_leaf_t   *leaf;

    m = run->s->match;
    len = sizeof(kz_hit_t) + m->nsort * sizeof(kz_value_t);

    for (i = 0; i < m->nsort; i++) {
        leaf = m->sort[i];

        if (m->keys[i].type == KZ_SORT_ID) {
            len += id->len;

        } else if (leaf != NULL && leaf->hit
                   && leaf->key.type == KZ_VALUE_TEXT)
        {
            len += leaf->key.text.len;
        }
    }

    hit = malloc(len);
    if (hit == NULL) {
        return NULL;
    }

    hit->r = r;
    hit->score = score;

    p = (u_char *) &hit->keys[m->nsort];

    for (i = 0; i < m->nsort; i++) {
        leaf = m->sort[i];

        ngx_memzero(&hit->keys[i], sizeof(kz_value_t));

        if (m->keys[i].type == KZ_SORT_ID) {
            hit->keys[i].type = KZ_VALUE_TEXT;
            hit->keys[i].text = *id;

        } else if (leaf != NULL && leaf->hit) {
            hit->keys[i] = leaf->key;

        } else {

            /* lives as long as the query, if there is one */

            hit->keys[i] = m->missing[i];
            continue;
        }

        if (hit->keys[i].type == KZ_VALUE_TEXT) {
            len = hit->keys[i].text.len;

            if (len != 0) {
                ngx_memcpy(p, hit->keys[i].text.data, len);
            }

            hit->keys[i].text.data = p;
            p += len;
        }
    }

    return hit;
}


ngx_int_t
kz_top_json(kz_run_t *run, const kz_hit_t *hit, ngx_str_t *out)
{
    kz_out_t           o;
    kz_value_t         v;
    ngx_uint_t         i;
    const kz_match_t  *m;

    m = run->s->match;

    kz_out_init(&o, run->s->pool, 64);
    kz_out_char(&o, '[');

    for (i = 0; i < m->nsort; i++) {

        if (i > 0) {
            kz_out_char(&o, ',');
        }

        switch (m->keys[i].type) {

        case KZ_SORT_SCORE:
            v.type = KZ_VALUE_REAL;
            v.d = hit->score;
            kz_top_value(run, i, &v, &o);
            break;

        case KZ_SORT_DOC:
            kz_out_int(&o, hit->r);
            break;

        default:
            kz_top_value(run, i, &hit->keys[i], &o);
        }
    }

    kz_out_char(&o, ']');

    out->data = o.start;
    out->len = kz_out_len(&o);

    return kz_out_failed(&o) ? NGX_ERROR : NGX_OK;
}


static void
kz_top_value(kz_run_t *run, ngx_uint_t i, const kz_value_t *v, kz_out_t *out)
{
    char               buf[32];
    int                n, digits;
    const kz_leaf_t   *leaf;

    leaf = run->s->match->sort[i];

    switch (v->type) {

    case KZ_VALUE_INT:

        if (leaf != NULL && leaf->field != NULL
            && leaf->field->type == KZ_FIELD_BOOLEAN)
        {
            if (v->i) {
                kz_out_lit(out, "true");

            } else {
                kz_out_lit(out, "false");
            }

            return;
        }

        kz_out_int(out, v->i);
        return;

    case KZ_VALUE_REAL:

        /* the shortest form that reads back as the same number */

        for (digits = 15; digits <= 17; digits++) {
            n = snprintf(buf, sizeof(buf), "%.*g", digits, v->d);

            if (strtod(buf, NULL) == v->d) {
                break;
            }
        }

        kz_out_bytes(out, buf, n);

        if (strspn(buf, "-0123456789") == (size_t) n) {
            kz_out_lit(out, ".0");
        }

        return;

    case KZ_VALUE_TEXT:
        kz_out_json_str(out, &v->text);
        return;

    default:
        kz_out_lit(out, "null");
    }
}
