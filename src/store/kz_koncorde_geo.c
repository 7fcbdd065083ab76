
/*
 * The geographical keywords of Koncorde filters as queries.  The latitude
 * comes first in all notations.
 */

#include "store/kz_query_koncorde.h"


static ngx_int_t kz_koncorde_split(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_member_t *m, ngx_uint_t n,
    const char **names, kz_query_member_t **found);
static ngx_int_t kz_koncorde_metres(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_query_member_t *m, double *metres);
static kz_query_node_t *kz_koncorde_circle(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_query_member_t *m, double metres);
static ngx_int_t kz_koncorde_box_sides(kz_query_parse_t *x,
    const kz_query_member_t *m, ngx_uint_t n, kz_geo_box_t *box);
static ngx_int_t kz_koncorde_side(kz_query_parse_t *x,
    const kz_json_val_t *v, double *side);


kz_query_node_t *
kz_koncorde_box(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_str_t            text;
    ngx_uint_t           n;
    kz_query_node_t     *node;
    kz_query_place_t     here;
    kz_query_member_t   *m, *sides;

    (void) depth;

    m = kz_koncorde_property(x, at, v);

    if (m == NULL) {
        return NULL;
    }

    here.up = at;
    here.name = m->key;

    node = kz_koncorde_node(x, &here, KZ_QUERY_GEO_BOX);

    if (node == NULL) {
        return NULL;
    }

    if (m->val.type != KZ_JSON_OBJECT || kz_koncorde_empty(&m->val)) {
        (void) kz_koncorde_bad(x, &here, "must be a non-empty object");
        return NULL;
    }

    if (kz_query_members(x, &here, &m->val, &sides, &n) != NGX_OK) {
        return NULL;
    }

    if (kz_koncorde_box_sides(x, sides, n, &node->box) != NGX_OK) {
        text = m->val.raw;
        text.len = ngx_min(text.len, 200);

        (void) kz_koncorde_bad(x, &here, "unrecognized geoBoundingBox"
                               " format: %V", &text);
        return NULL;
    }

    node->field = m->key;

    return node;
}


static ngx_int_t
kz_koncorde_box_sides(kz_query_parse_t *x, const kz_query_member_t *m,
    ngx_uint_t n, kz_geo_box_t *box)
{
    ngx_int_t         rc;
    ngx_uint_t        i, sides;
    kz_geo_point_t    p;
    const ngx_str_t  *key;

    sides = 0;

    for (i = 0; i < n; i++) {
        key = &m[i].key;
        rc = NGX_OK;

        if (kz_query_is(key, "top")) {
            rc = kz_koncorde_side(x, &m[i].val, &box->top);
            sides |= 1;

        } else if (kz_query_is(key, "left")) {
            rc = kz_koncorde_side(x, &m[i].val, &box->left);
            sides |= 2;

        } else if (kz_query_is(key, "bottom")) {
            rc = kz_koncorde_side(x, &m[i].val, &box->bottom);
            sides |= 4;

        } else if (kz_query_is(key, "right")) {
            rc = kz_koncorde_side(x, &m[i].val, &box->right);
            sides |= 8;

        } else if (kz_query_is(key, "topLeft")
                   || kz_query_is(key, "top_left"))
        {
            rc = kz_geo_point(&m[i].val, KZ_GEO_FILTER, &p);

            if (rc == NGX_OK) {
                box->top = p.lat;
                box->left = p.lon;
                sides |= 3;
            }

        } else if (kz_query_is(key, "bottomRight")
                   || kz_query_is(key, "bottom_right"))
        {
            rc = kz_geo_point(&m[i].val, KZ_GEO_FILTER, &p);

            if (rc == NGX_OK) {
                box->bottom = p.lat;
                box->right = p.lon;
                sides |= 12;
            }
        }

        if (rc != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    if (sides != 15 || box->top < box->bottom || box->top > 90
        || box->bottom < -90 || box->left < -180 || box->left > 180
        || box->right < -180 || box->right > 180)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* A number, also as a text. */
static ngx_int_t
kz_koncorde_side(kz_query_parse_t *x, const kz_json_val_t *v, double *side)
{
    ngx_str_t       text;
    kz_json_err_t   err;
    kz_json_val_t   number;

    number = *v;

    if (v->type == KZ_JSON_STRING) {

        if (kz_json_string(x->pool, v, &text) != NGX_OK
            || kz_json_scan(text.data, text.len, 0, &number, &err) != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    if (number.type != KZ_JSON_NUMBER) {
        return NGX_DECLINED;
    }

    *side = kz_json_double(&number);

    return NGX_OK;
}


kz_query_node_t *
kz_koncorde_distance(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    double               metres;
    kz_query_member_t   *m, *found[2];

    static const char  *names[] = { "distance", NULL };

    (void) depth;

    if (kz_koncorde_properties(x, at, v, 2, &m) != NGX_OK
        || kz_koncorde_split(x, at, m, 2, names, found) != NGX_OK
        || kz_koncorde_metres(x, at, found[0], &metres) != NGX_OK)
    {
        return NULL;
    }

    return kz_koncorde_circle(x, at, found[1], metres);
}


/* Within the outer circle, and not within the inner one. */
kz_query_node_t *
kz_koncorde_ring(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    double               from, to;
    kz_query_node_t     *node;
    kz_query_place_t     here;
    kz_query_member_t   *m, *found[3];

    static const char  *names[] = { "from", "to", NULL };

    (void) depth;

    if (kz_koncorde_properties(x, at, v, 3, &m) != NGX_OK
        || kz_koncorde_split(x, at, m, 3, names, found) != NGX_OK
        || kz_koncorde_metres(x, at, found[0], &from) != NGX_OK
        || kz_koncorde_metres(x, at, found[1], &to) != NGX_OK)
    {
        return NULL;
    }

    here.up = at;
    here.name = found[2]->key;

    if (from >= to) {
        (void) kz_koncorde_bad(x, &here, "inner radius must be smaller than"
                               " outer radius");
        return NULL;
    }

    node = kz_koncorde_node(x, at, KZ_QUERY_BOOL);

    if (node == NULL) {
        return NULL;
    }

    node->all = kz_koncorde_circle(x, at, found[2], to);
    node->none = kz_koncorde_circle(x, at, found[2], from);

    return (node->all != NULL && node->none != NULL) ? node : NULL;
}


/* The members of these names, and behind them the one that is left. */
static ngx_int_t
kz_koncorde_split(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_member_t *m, ngx_uint_t n, const char **names,
    kz_query_member_t **found)
{
    ngx_uint_t  i, k;

    ngx_memzero(found, n * sizeof(kz_query_member_t *));

    for (i = 0; i < n; i++) {

        for (k = 0; names[k] != NULL; k++) {
            if (m[i].key.len == ngx_strlen(names[k])
                && ngx_memcmp(m[i].key.data, names[k], m[i].key.len) == 0)
            {
                break;
            }
        }

        found[k] = &m[i];
    }

    for (k = 0; names[k] != NULL; k++) {
        if (found[k] == NULL) {
            return kz_koncorde_bad(x, at, "the property \"%s\" is missing",
                                   names[k]);
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_koncorde_metres(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, double *metres)
{
    ngx_str_t          text;
    kz_query_place_t   here;

    here.up = at;
    here.name = m->key;

    if (m->val.type != KZ_JSON_STRING) {
        return kz_koncorde_bad(x, &here, "must be a string");
    }

    if (kz_json_string(x->pool, &m->val, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_geo_distance(text.data, text.len, KZ_GEO_FILTER, metres)
        == NGX_OK)
    {
        return NGX_OK;
    }

    text.len = ngx_min(text.len, 128);

    return kz_koncorde_bad(x, NULL, "unable to parse distance value \"%V\"",
                           &text);
}


static kz_query_node_t *
kz_koncorde_circle(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, double metres)
{
    kz_query_node_t   *node;
    kz_query_place_t   here;

    here.up = at;
    here.name = m->key;

    node = kz_koncorde_node(x, &here, KZ_QUERY_GEO_DISTANCE);

    if (node == NULL) {
        return NULL;
    }

    node->field = m->key;
    node->metres = metres;
    node->npoints = 1;

    node->points = ngx_palloc(x->pool, sizeof(kz_geo_point_t));
    if (node->points == NULL) {
        return NULL;
    }

    if (kz_geo_point(&m->val, KZ_GEO_FILTER, node->points) != NGX_OK) {
        (void) kz_koncorde_bad(x, &here, "unrecognized point format");
        return NULL;
    }

    return node;
}


kz_query_node_t *
kz_koncorde_polygon(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           n;
    kz_json_val_t        item;
    kz_json_iter_t       it;
    kz_query_node_t     *node;
    kz_query_place_t     field, here;
    kz_query_member_t   *m, *points;

    (void) depth;

    m = kz_koncorde_property(x, at, v);

    if (m == NULL) {
        return NULL;
    }

    field.up = at;
    field.name = m->key;

    points = kz_koncorde_property(x, &field, &m->val);

    if (points == NULL) {
        return NULL;
    }

    if (!kz_query_is(&points->key, "points")) {
        (void) kz_koncorde_bad(x, &field, "the property \"points\" is"
                               " missing");
        return NULL;
    }

    here.up = &field;
    here.name = points->key;

    if (kz_koncorde_array(x, &here, &points->val) != NGX_OK) {
        return NULL;
    }

    n = 0;
    kz_json_iter(&it, &points->val);

    while (kz_json_next(&it, &item) == NGX_OK) {
        n++;
    }

    if (n < 3) {
        (void) kz_koncorde_bad(x, &here, "at least 3 points are required to"
                               " build a polygon");
        return NULL;
    }

    if (n > KZ_QUERY_MAX_VALUES) {
        (void) kz_query_bad(x, &here, "too many values: at most %d are"
                            " allowed", KZ_QUERY_MAX_VALUES);
        return NULL;
    }

    node = kz_koncorde_node(x, &field, KZ_QUERY_GEO_POLYGON);

    if (node == NULL) {
        return NULL;
    }

    node->field = m->key;

    node->points = ngx_palloc(x->pool, n * sizeof(kz_geo_point_t));
    if (node->points == NULL) {
        return NULL;
    }

    kz_json_iter(&it, &points->val);

    while (kz_json_next(&it, &item) == NGX_OK) {

        if (kz_geo_point(&item, KZ_GEO_FILTER,
                         &node->points[node->npoints++])
            != NGX_OK)
        {
            (void) kz_koncorde_bad(x, &here, "unrecognized point format");
            return NULL;
        }
    }

    return node;
}
