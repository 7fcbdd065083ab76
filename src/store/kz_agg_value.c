/*
 * Values of a field in a document, as aggregations see them.
 */

#include "store/kz_agg_int.h"


typedef struct {
    kz_aggs_t           *a;
    kz_agg_t            *agg;
    ngx_uint_t           geo;
    ngx_uint_t           found;
    double               metres;       /* the nearest point */

    kz_state_t          *state;        /* nested */
    kz_agg_object_pt     handler;
    const kz_agg_doc_t  *doc;
} kz_agg_walk_t;


static ngx_int_t kz_agg_walk(kz_agg_walk_t *w, const kz_json_val_t *v,
    const u_char *p, const u_char *end);
static ngx_int_t kz_agg_take(kz_agg_walk_t *w, const kz_json_val_t *v);
static ngx_int_t kz_agg_object(kz_agg_walk_t *w, const kz_json_val_t *v);
static ngx_int_t kz_agg_point(kz_agg_walk_t *w, const kz_json_val_t *v);
static ngx_int_t kz_agg_raw(kz_aggs_t *a, kz_agg_t *agg,
    const kz_json_val_t *json, kz_value_t *v);
static ngx_int_t kz_agg_keep(kz_aggs_t *a, kz_agg_t *agg, kz_value_t *v);
static ngx_int_t kz_agg_keep_text(kz_aggs_t *a, kz_value_t *v);
static int kz_agg_cmp(const void *one, const void *two);


ngx_int_t
kz_agg_values(kz_aggs_t *a, kz_agg_t *agg, const kz_agg_doc_t *doc,
    ngx_uint_t distinct)
{
    ngx_str_t       path;
    ngx_uint_t      i, n;
    kz_agg_walk_t   w;

    agg->nvalues = 0;

    if (agg->f == NULL && !agg->raw) {
        goto missing;
    }

    ngx_memzero(&w, sizeof(kz_agg_walk_t));

    w.a = a;
    w.agg = agg;

    path = agg->f ? agg->f->source : agg->field;

    if (path.len < doc->prefix) {
        goto missing;
    }

    if (kz_agg_walk(&w, &doc->object, path.data + doc->prefix,
                    path.data + path.len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

missing:

    if (agg->nvalues == 0 && agg->missing.type != KZ_JSON_NONE) {
        ngx_memzero(&w, sizeof(kz_agg_walk_t));

        w.a = a;
        w.agg = agg;

        if (kz_agg_take(&w, &agg->missing) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (agg->nvalues < 2) {
        return NGX_OK;
    }

    qsort(agg->values, agg->nvalues, sizeof(kz_value_t), kz_agg_cmp);

    if (!distinct) {
        return NGX_OK;
    }

    for (i = 1, n = 1; i < agg->nvalues; i++) {
        if (kz_value_cmp(&agg->values[n - 1], &agg->values[i]) != 0) {
            agg->values[n++] = agg->values[i];
        }
    }

    agg->nvalues = n;

    return NGX_OK;
}


static int
kz_agg_cmp(const void *one, const void *two)
{
    return (int) kz_value_cmp(one, two);
}


ngx_int_t
kz_agg_nearest(kz_aggs_t *a, kz_agg_t *agg, const kz_agg_doc_t *doc,
    double *metres)
{
    ngx_str_t       path;
    kz_agg_walk_t   w;

    ngx_memzero(&w, sizeof(kz_agg_walk_t));

    w.a = a;
    w.agg = agg;
    w.geo = 1;

    path = agg->field;

    if (path.len < doc->prefix
        || kz_agg_walk(&w, &doc->object, path.data + doc->prefix,
                       path.data + path.len)
           != NGX_OK
        || !w.found)
    {
        return NGX_DECLINED;
    }

    *metres = w.metres;

    return NGX_OK;
}


ngx_int_t
kz_agg_objects(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc, kz_agg_object_pt handler)
{
    kz_agg_walk_t  w;

    ngx_memzero(&w, sizeof(kz_agg_walk_t));

    w.a = a;
    w.agg = agg;
    w.state = state;
    w.handler = handler;
    w.doc = doc;

    if (agg->field.len < doc->prefix) {
        return NGX_OK;
    }

    return kz_agg_walk(&w, &doc->object, agg->field.data + doc->prefix,
                       agg->field.data + agg->field.len);
}


/*
 * Down a dotted path, through arrays.  p == end: this is the value.  Members
 * whose own names have dots in them are found as well.
 */

static ngx_int_t
kz_agg_walk(kz_agg_walk_t *w, const kz_json_val_t *v, const u_char *p,
    const u_char *end)
{
    ngx_int_t         rc;
    const u_char     *dot;
    kz_json_iter_t    it;
    kz_json_val_t     item;

    if (v->type == KZ_JSON_ARRAY && !(w->geo && p == end)) {
        kz_json_iter(&it, v);

        while (kz_json_next(&it, &item) == NGX_OK) {
            rc = kz_agg_walk(w, &item, p, end);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        return NGX_OK;
    }

    if (p == end) {

        if (w->handler) {
            return kz_agg_object(w, v);
        }

        return w->geo ? kz_agg_point(w, v) : kz_agg_take(w, v);
    }

    if (v->type != KZ_JSON_OBJECT) {
        return NGX_OK;
    }

    for (dot = p; dot < end; dot++) {
        dot = ngx_strlchr((u_char *) dot, (u_char *) end, '.');

        if (dot == NULL) {
            dot = end;
        }

        if (kz_json_get(v, (char *) p, dot - p, &item) == NGX_OK) {
            rc = kz_agg_walk(w, &item, dot < end ? dot + 1 : end, end);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_object(kz_agg_walk_t *w, const kz_json_val_t *v)
{
    kz_agg_doc_t  doc;

    if (v->type != KZ_JSON_OBJECT) {
        return NGX_OK;
    }

    doc = *w->doc;
    doc.object = *v;
    doc.prefix = w->agg->field.len + 1;

    return w->handler(w->a, w->agg, w->state, &doc);
}


/* A point, or an array of them: [1, 2] is one. */

static ngx_int_t
kz_agg_point(kz_agg_walk_t *w, const kz_json_val_t *v)
{
    double            d;
    ngx_int_t         rc;
    kz_json_iter_t    it;
    kz_json_val_t     item;
    kz_geo_point_t    p;

    if (kz_geo_point(v, KZ_GEO_ENGINE, &p) == NGX_OK) {
        d = kz_geo_metres(&w->agg->origin, &p, KZ_GEO_RADIUS_ENGINE);

        if (!w->found || d < w->metres) {
            w->metres = d;
        }

        w->found = 1;

        return NGX_OK;
    }

    if (v->type != KZ_JSON_ARRAY) {
        return NGX_OK;
    }

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (item.type == KZ_JSON_NUMBER) {
            break;
        }

        rc = kz_agg_point(w, &item);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_take(kz_agg_walk_t *w, const kz_json_val_t *v)
{
    ngx_int_t    rc;
    kz_agg_t    *agg = w->agg;
    kz_value_t   value;

    rc = agg->f ? kz_value_read(agg->f, v, &w->a->scratch, &value, NULL)
                : kz_agg_raw(w->a, agg, v, &value);

    if (rc == NGX_ABORT) {
        return NGX_ERROR;
    }

    /* what does not fit its type is not there, as in the postings */

    if (rc != NGX_OK
        || (agg->f && value.type == KZ_VALUE_TEXT
            && (!kz_value_indexed(agg->f, &value.text)
                || value.text.len > KZ_MAPPING_MAX_KEYWORD)))
    {
        return NGX_OK;
    }

    return kz_agg_keep(w->a, agg, &value);
}


/* A field the mapping does not know: by the type of its JSON. */

static ngx_int_t
kz_agg_raw(kz_aggs_t *a, kz_agg_t *agg, const kz_json_val_t *json,
    kz_value_t *v)
{
    switch (json->type) {

    case KZ_JSON_NUMBER:
        v->type = KZ_VALUE_INT;

        if (kz_json_int(json, &v->i) != NGX_OK) {
            v->type = KZ_VALUE_REAL;
            v->d = kz_json_double(json);
        }

        return NGX_OK;

    case KZ_JSON_TRUE:
    case KZ_JSON_FALSE:
        agg->boolean = 1;
        v->type = KZ_VALUE_INT;
        v->i = (json->type == KZ_JSON_TRUE);

        return NGX_OK;

    case KZ_JSON_STRING:
        v->type = KZ_VALUE_TEXT;

        return kz_value_text(json, &a->scratch, &v->text) == NGX_OK
               ? NGX_OK : NGX_ABORT;

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
kz_agg_keep(kz_aggs_t *a, kz_agg_t *agg, kz_value_t *v)
{
    ngx_uint_t   room;
    kz_value_t  *values;

    if (agg->nvalues == agg->room) {
        room = agg->room ? agg->room * 2 : 8;

        values = realloc(agg->values, room * sizeof(kz_value_t));
        if (values == NULL) {
            return NGX_ERROR;
        }

        agg->values = values;
        agg->room = room;
    }

    if (v->type == KZ_VALUE_TEXT && kz_agg_keep_text(a, v) != NGX_OK) {
        return NGX_ERROR;
    }

    agg->values[agg->nvalues++] = *v;

    return NGX_OK;
}


/* Texts stay where they are in the document; decoded ones are copied. */

static ngx_int_t
kz_agg_keep_text(kz_aggs_t *a, kz_value_t *v)
{
    u_char          *p;
    kz_agg_block_t  *block;

    if (a->scratch.data == NULL || v->text.data < a->scratch.data
        || v->text.data >= a->scratch.data + a->scratch.size)
    {
        return NGX_OK;
    }

    /* a block that is too small stays until the document is done */

    if (v->text.len > a->text_room - a->text_len) {
        a->text_room = ngx_max(4096, v->text.len);

        block = malloc(sizeof(kz_agg_block_t) + a->text_room);
        if (block == NULL) {
            a->text_room = a->text_len = 0;
            return NGX_ERROR;
        }

        block->next = (kz_agg_block_t *) a->text;
        a->text = (u_char *) block;
        a->text_len = 0;
    }

    p = a->text + sizeof(kz_agg_block_t) + a->text_len;

    ngx_memcpy(p, v->text.data, v->text.len);
    v->text.data = p;
    a->text_len += v->text.len;

    return NGX_OK;
}


double
kz_agg_double(const kz_value_t *v)
{
    return v->type == KZ_VALUE_REAL ? v->d : (double) v->i;
}


/* FNV-1a; numbers that are equal have the same one. */

uint32_t
kz_agg_hash(const kz_value_t *v)
{
    double         d;
    size_t         n;
    uint32_t       h;
    const u_char  *p;

    if (v->type == KZ_VALUE_TEXT) {
        p = v->text.data;
        n = v->text.len;

    } else {
        d = kz_agg_double(v) + 0.0;
        p = (u_char *) &d;
        n = sizeof(double);
    }

    h = 2166136261u;

    while (n--) {
        h = (h ^ *p++) * 16777619u;
    }

    return h ^ (h >> 15);
}
