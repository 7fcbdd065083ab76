
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
static ngx_int_t kz_top_put(kz_run_t *run, kz_hit_t *hit);
static ngx_int_t kz_top_group(kz_run_t *run, kz_hit_t *hit);
static ngx_int_t kz_top_group_room(kz_run_t *run);
static uint32_t kz_top_hash(const kz_value_t *v);
static ngx_int_t kz_top_after_key(kz_run_t *run, kz_hit_t *hit,
    ngx_uint_t i, const kz_json_val_t *v);
static ngx_int_t kz_top_after_bad(kz_run_t *run, const char *text);
static ngx_int_t kz_top_cmp(const kz_run_t *run, const kz_hit_t *a,
    const kz_hit_t *b);
static void kz_top_value(kz_run_t *run, ngx_uint_t i, const kz_value_t *v,
    kz_out_t *out);


/* Negative: a comes before b; equal ones in the order of insertion. */
static ngx_int_t
kz_top_cmp(const kz_run_t *run, const kz_hit_t *a, const kz_hit_t *b)
{
    ngx_int_t  rc;

    rc = kz_hit_cmp(run->s->match, a, b);

    return rc ? rc : (a->r > b->r) - (a->r < b->r);
}


ngx_int_t
kz_hit_cmp(const kz_match_t *m, const kz_hit_t *a, const kz_hit_t *b)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    const kz_query_sort_t  *key;

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

    return 0;
}


ngx_int_t
kz_top_add(kz_run_t *run, int64_t r, const ngx_str_t *id, double score)
{
    kz_hit_t  *hit;

    if (run->max == 0
        || (!run->ranked && !run->s->collapse && run->nhits == run->max))
    {
        return NGX_OK;
    }

    hit = kz_top_hit(run, r, id, score);
    if (hit == NULL) {
        return kz_run_memory(run);
    }

    if (run->after && kz_hit_cmp(run->s->match, hit, run->after) <= 0) {
        free(hit);
        return NGX_OK;
    }

    return run->s->collapse ? kz_top_group(run, hit) : kz_top_put(run, hit);
}


static ngx_int_t
kz_top_put(kz_run_t *run, kz_hit_t *hit)
{
    size_t      i, up, room;
    kz_hit_t  **hits;

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
    size_t     i;
    kz_hit_t  *hit, *next;

    for (i = 0; i < run->nhits; i++) {
        free(run->hits[i]);
    }

    for (i = 0; i < run->groups_room; i++) {
        for (hit = run->groups[i]; hit; hit = next) {
            next = hit->next;
            free(hit);
        }
    }

    free(run->groups);
    free(run->hits);
    free(run->after);
}


/* Collapse: the best one of each value is kept. */
static ngx_int_t
kz_top_group(kz_run_t *run, kz_hit_t *hit)
{
    ngx_uint_t   n;
    kz_hit_t   **p, *old;

    if (run->ngroups >= run->groups_room
        && kz_top_group_room(run) != NGX_OK)
    {
        free(hit);
        return kz_run_memory(run);
    }

    n = run->nkeys - 1;

    p = &run->groups[kz_top_hash(&hit->keys[n]) & (run->groups_room - 1)];

    for ( /* void */ ; *p; p = &(*p)->next) {
        old = *p;

        if (old->keys[n].type == 0 || hit->keys[n].type == 0) {
            if (old->keys[n].type != hit->keys[n].type) {
                continue;
            }

        } else if (kz_value_cmp(&old->keys[n], &hit->keys[n]) != 0) {
            continue;
        }

        if (kz_top_cmp(run, old, hit) <= 0) {
            free(hit);
            return NGX_OK;
        }

        hit->next = old->next;
        *p = hit;
        free(old);

        return NGX_OK;
    }

    hit->next = NULL;
    *p = hit;
    run->ngroups++;

    return NGX_OK;
}


static ngx_int_t
kz_top_group_room(kz_run_t *run)
{
    size_t      i, room;
    kz_hit_t   *hit, *next, **groups, **p;

    room = run->groups_room ? run->groups_room * 2 : 256;

    groups = calloc(room, sizeof(kz_hit_t *));
    if (groups == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < run->groups_room; i++) {
        for (hit = run->groups[i]; hit; hit = next) {
            next = hit->next;
            p = &groups[kz_top_hash(&hit->keys[run->nkeys - 1])
                        & (room - 1)];
            hit->next = *p;
            *p = hit;
        }
    }

    free(run->groups);

    run->groups = groups;
    run->groups_room = room;

    return NGX_OK;
}


static uint32_t
kz_top_hash(const kz_value_t *v)
{
    double  d;

    switch (v->type) {

    case KZ_VALUE_TEXT:
        return ngx_murmur_hash2(v->text.data, v->text.len);

    case KZ_VALUE_INT:
    case KZ_VALUE_REAL:
        d = (v->type == KZ_VALUE_INT) ? (double) v->i : v->d;
        d += 0.0;
        return ngx_murmur_hash2((u_char *) &d, sizeof(double));

    default:
        return 0;
    }
}


ngx_int_t
kz_top_groups(kz_run_t *run)
{
    size_t     i;
    kz_hit_t  *hit;

    run->ranked = 1;

    for (i = 0; i < run->groups_room; i++) {
        while (run->groups[i]) {
            hit = run->groups[i];
            run->groups[i] = hit->next;

            if (kz_top_put(run, hit) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* A hit made of the values that were given: what comes after it is wanted. */
ngx_int_t
kz_top_after(kz_run_t *run, const kz_json_val_t *values)
{
    kz_hit_t          *hit;
    ngx_uint_t         n;
    kz_match_t        *m;
    kz_json_iter_t     it;
    kz_json_val_t      v;

    m = run->s->match;

    if (m->nsort == 0) {
        return kz_top_after_bad(run, "Sort must contain at least one field.");
    }

    hit = calloc(1, sizeof(kz_hit_t)
                    + run->nkeys * sizeof(kz_value_t) + values->raw.len);
    if (hit == NULL) {
        return kz_run_memory(run);
    }

    run->after = hit;
    n = 0;

    if (values->type == KZ_JSON_ARRAY) {
        kz_json_iter(&it, values);

        while (kz_json_next(&it, &v) == NGX_OK) {

            if (n < m->nsort
                && kz_top_after_key(run, hit, n, &v) != NGX_OK)
            {
                return NGX_ERROR;
            }

            n++;
        }
    }

    if (n != m->nsort) {
        return kz_top_after_bad(run, "search_after has not as many values as"
                                " there are sort keys.");
    }

    return NGX_OK;
}


static ngx_int_t
kz_top_after_bad(kz_run_t *run, const char *text)
{
    run->s->status = KZ_STORE_BAD_QUERY;
    run->s->err.code = SQLITE_ERROR;
    (void) ngx_cpystrn(run->s->err.text, (u_char *) text,
                       KZ_SQLITE_ERR_LEN);

    return NGX_ERROR;
}


static ngx_int_t
kz_top_after_key(kz_run_t *run, kz_hit_t *hit, ngx_uint_t i,
    const kz_json_val_t *v)
{
    ngx_str_t           text;
    kz_match_t         *m;
    kz_value_t         *key;
    const kz_field_t   *f;

    m = run->s->match;
    key = &hit->keys[i];

    switch (m->keys[i].type) {

    case KZ_SORT_SCORE:
        if (v->type != KZ_JSON_NUMBER) {
            return kz_top_after_bad(run, "search_after: a score is a"
                                    " number.");
        }

        hit->score = kz_json_double(v);
        return NGX_OK;

    case KZ_SORT_DOC:
        if (v->type != KZ_JSON_NUMBER || kz_json_int(v, &hit->r) != NGX_OK) {
            return kz_top_after_bad(run, "search_after: the place of a"
                                    " document is a whole number.");
        }

        return NGX_OK;

    default:
        break;
    }

    if (v->type == KZ_JSON_NULL) {
        return NGX_OK;
    }

    if (v->type == KZ_JSON_NUMBER && m->keys[i].type != KZ_SORT_ID) {
        f = m->sort[i] ? m->sort[i]->field : NULL;

        if (f == NULL || (f->type != KZ_FIELD_KEYWORD
                          && f->type != KZ_FIELD_TEXT))
        {
            key->type = KZ_VALUE_INT;

            if (kz_json_int(v, &key->i) != NGX_OK) {
                key->type = KZ_VALUE_REAL;
                key->d = kz_json_double(v);
            }

            return NGX_OK;
        }
    }

    f = m->sort[i] ? m->sort[i]->field : NULL;

    if (f && f->type != KZ_FIELD_KEYWORD && f->type != KZ_FIELD_TEXT) {

        /* dates as text, booleans */

        if (kz_value_read(f, v, &m->scratch, key, NULL) != NGX_OK
            || key->type == KZ_VALUE_TEXT)
        {
            return kz_top_after_bad(run, "search_after: a value is not of its"
                                    " field's type.");
        }

        return NGX_OK;
    }

    text = v->raw;

    if (v->type == KZ_JSON_STRING
        && kz_json_string(run->s->pool, v, &text) != NGX_OK)
    {
        return kz_run_memory(run);
    }

    key->type = KZ_VALUE_TEXT;
    key->text = text;

    return NGX_OK;
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
    len = sizeof(kz_hit_t) + run->nkeys * sizeof(kz_value_t);

    for (i = 0; i < run->nkeys; i++) {
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

    p = (u_char *) &hit->keys[run->nkeys];

    for (i = 0; i < run->nkeys; i++) {
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
