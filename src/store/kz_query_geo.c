
/*
 * Clauses about points: geo_bounding_box, geo_distance, geo_polygon.
 */

#include "store/kz_query_parse.h"


static ngx_int_t kz_query_geo_option(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m);
static ngx_int_t kz_query_geo_field(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m);
static ngx_int_t kz_query_box(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_json_val_t *v);
static ngx_int_t kz_query_corner(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_query_member_t *m, double *lat,
    double *lon);
static ngx_int_t kz_query_wkt(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_query_member_t *m, double *side);
static ngx_int_t kz_query_metres(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, double unit,
    double *metres);


enum {
    KZ_BOX_TOP = 0,
    KZ_BOX_LEFT,
    KZ_BOX_BOTTOM,
    KZ_BOX_RIGHT
};


/* {"field": {"top_left": point, "bottom_right": point}} */
ngx_int_t
kz_query_geo_box(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n;
    kz_json_val_t        box;
    kz_query_member_t   *m;

    (void) depth;

    box.type = KZ_JSON_NONE;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (m[i].val.type != KZ_JSON_OBJECT) {
            if (kz_query_geo_option(x, at, node, &m[i]) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (kz_query_geo_field(x, at, node, &m[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        box = m[i].val;
    }

    if (box.type == KZ_JSON_NONE) {
        return kz_query_bad(x, at, "[geo_bounding_box] query needs a field");
    }

    return kz_query_box(x, at, node, &box);
}


static ngx_int_t
kz_query_box(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v)
{
    double               side[4];
    ngx_int_t            rc;
    ngx_uint_t           i, n, seen;
    const ngx_str_t     *key;
    kz_query_member_t   *m;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    seen = 0;

    for (i = 0; i < n; i++) {
        key = &m[i].key;
        rc = NGX_OK;

        if (kz_query_is(key, "top_left") || kz_query_is(key, "topLeft")) {
            rc = kz_query_corner(x, at, &m[i], &side[KZ_BOX_TOP],
                                 &side[KZ_BOX_LEFT]);
            seen |= 3;

        } else if (kz_query_is(key, "bottom_right")
                   || kz_query_is(key, "bottomRight"))
        {
            rc = kz_query_corner(x, at, &m[i], &side[KZ_BOX_BOTTOM],
                                 &side[KZ_BOX_RIGHT]);
            seen |= 12;

        } else if (kz_query_is(key, "top_right")
                   || kz_query_is(key, "topRight"))
        {
            rc = kz_query_corner(x, at, &m[i], &side[KZ_BOX_TOP],
                                 &side[KZ_BOX_RIGHT]);
            seen |= 9;

        } else if (kz_query_is(key, "bottom_left")
                   || kz_query_is(key, "bottomLeft"))
        {
            rc = kz_query_corner(x, at, &m[i], &side[KZ_BOX_BOTTOM],
                                 &side[KZ_BOX_LEFT]);
            seen |= 6;

        } else if (kz_query_is(key, "wkt")) {
            rc = kz_query_wkt(x, at, &m[i], side);
            seen |= 15;

        } else if (m[i].val.type == KZ_JSON_NUMBER
                   && (kz_query_is(key, "top") || kz_query_is(key, "left")
                       || kz_query_is(key, "bottom")
                       || kz_query_is(key, "right")))
        {
            seen |= (key->data[0] == 't') ? 1 : (key->data[0] == 'l') ? 2
                    : (key->data[0] == 'b') ? 4 : 8;

            side[(key->data[0] == 't') ? KZ_BOX_TOP
                 : (key->data[0] == 'l') ? KZ_BOX_LEFT
                 : (key->data[0] == 'b') ? KZ_BOX_BOTTOM : KZ_BOX_RIGHT]
                = kz_json_double(&m[i].val);

        } else {
            return kz_query_bad(x, at, "[%V] is not supported in a"
                                " geo_bounding_box's field", key);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (seen != 15) {
        return kz_query_bad(x, at, "failed to parse bounding box: corners,"
                            " or sides, are missing");
    }

    if (!(side[KZ_BOX_TOP] <= 90 && side[KZ_BOX_BOTTOM] >= -90
          && side[KZ_BOX_TOP] >= side[KZ_BOX_BOTTOM]))
    {
        return kz_query_bad(x, at, "top is below bottom corner, or a"
                            " latitude is not between -90 and 90");
    }

    if (!(side[KZ_BOX_LEFT] >= -180 && side[KZ_BOX_LEFT] <= 180
          && side[KZ_BOX_RIGHT] >= -180 && side[KZ_BOX_RIGHT] <= 180))
    {
        return kz_query_bad(x, at, "a longitude is not between -180 and"
                            " 180");
    }

    node->box.top = side[KZ_BOX_TOP];
    node->box.left = side[KZ_BOX_LEFT];
    node->box.bottom = side[KZ_BOX_BOTTOM];
    node->box.right = side[KZ_BOX_RIGHT];

    return NGX_OK;
}


/* A geohash is a cell: the corner is the cell's. */
static ngx_int_t
kz_query_corner(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, double *lat, double *lon)
{
    double           high, wide;
    ngx_str_t        text;
    ngx_uint_t       bits;
    kz_geo_point_t   p;

    if (kz_geo_point(&m->val, KZ_GEO_ENGINE, &p) != NGX_OK) {
        return kz_query_bad(x, at, "[%V] must be a point", &m->key);
    }

    *lat = p.lat;
    *lon = p.lon;

    if (m->val.type != KZ_JSON_STRING) {
        return NGX_OK;
    }

    if (kz_json_string(x->pool, &m->val, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.len > 12 || kz_geo_hash(text.data, text.len, &p) != NGX_OK) {
        return NGX_OK;
    }

    bits = text.len * 5;
    high = 90.0 / (double) ((uint64_t) 1 << (bits / 2));
    wide = 180.0 / (double) ((uint64_t) 1 << (bits - bits / 2));

    *lat += (m->key.data[0] == 't') ? high : -high;
    *lon += (ngx_strlchr(m->key.data, m->key.data + m->key.len, 'g') != NULL)
            ? wide : -wide;

    return NGX_OK;
}


/* "BBOX (left, right, top, bottom)" */
static ngx_int_t
kz_query_wkt(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, double *side)
{
    char        *p, *end, buf[256];
    ngx_str_t    text;
    ngx_uint_t   i;

    static const ngx_uint_t  order[] = {
        KZ_BOX_LEFT, KZ_BOX_RIGHT, KZ_BOX_TOP, KZ_BOX_BOTTOM
    };

    if (kz_query_text(x, at, m, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.len < 5 || text.len >= sizeof(buf)
        || ngx_strncasecmp(text.data, (u_char *) "bbox", 4) != 0)
    {
        goto bad;
    }

    ngx_memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';

    p = buf + 4;
    p += strspn(p, " ");

    if (*p != '(') {
        goto bad;
    }

    for (i = 0; i < 4; i++) {
        p++;
        p += strspn(p, " ");

        if (strspn(p, "-+.0123456789") == 0) {
            goto bad;
        }

        side[order[i]] = strtod(p, &end);
        p = end + strspn(end, " ");

        if (end == buf || *p != ((i < 3) ? ',' : ')')) {
            goto bad;
        }
    }

    if (p[1] == '\0') {
        return NGX_OK;
    }

bad:

    return kz_query_bad(x, at, "[wkt] must be \"BBOX (left, right, top,"
                        " bottom)\"");
}


/* {"distance": "12km", "field": point} */
ngx_int_t
kz_query_geo_distance(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    double               unit;
    ngx_str_t            text;
    ngx_uint_t           i, n;
    kz_json_val_t        distance;
    kz_query_member_t   *m;

    (void) depth;

    unit = 1;
    distance.type = KZ_JSON_NONE;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "distance")) {
            distance = m[i].val;
            continue;
        }

        if (kz_query_is(&m[i].key, "unit")) {

            if (kz_query_text(x, at, &m[i], &text) != NGX_OK) {
                return NGX_ERROR;
            }

            if (kz_geo_unit(text.data, text.len, &unit) != NGX_OK) {
                text.len = ngx_min(text.len, 64);
                return kz_query_bad(x, at, "No match for unit string [%V]",
                                    &text);
            }

            continue;
        }

        if (kz_query_is(&m[i].key, "distance_type")) {

            if (kz_query_text(x, at, &m[i], &text) != NGX_OK) {
                return NGX_ERROR;
            }

            /* there is one way to measure, and it is exact */

            if (!kz_query_is(&text, "arc") && !kz_query_is(&text, "plane")
                && !kz_query_is(&text, "sloppy_arc"))
            {
                text.len = ngx_min(text.len, 64);
                return kz_query_bad(x, at, "No geo distance for [%V]",
                                    &text);
            }

            continue;
        }

        if (kz_query_is(&m[i].key, "boost") || kz_query_is(&m[i].key, "_name")
            || kz_query_is(&m[i].key, "validation_method")
            || kz_query_is(&m[i].key, "ignore_unmapped")
            || kz_query_is(&m[i].key, "ignore_malformed")
            || kz_query_is(&m[i].key, "coerce")
            || kz_query_is(&m[i].key, "optimize_bbox"))
        {
            if (kz_query_geo_option(x, at, node, &m[i]) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (kz_query_geo_field(x, at, node, &m[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        node->points = ngx_palloc(x->pool, sizeof(kz_geo_point_t));
        if (node->points == NULL) {
            return NGX_ERROR;
        }

        node->npoints = 1;

        if (kz_geo_point(&m[i].val, KZ_GEO_ENGINE, node->points) != NGX_OK) {
            return kz_query_bad(x, at, "failed to parse [%V]: a point was"
                                " expected", &node->field);
        }
    }

    if (node->npoints == 0) {
        return kz_query_bad(x, at, "[geo_distance] query needs a field");
    }

    if (distance.type == KZ_JSON_NONE) {
        return kz_query_bad(x, at, "geo_distance requires [distance] to be"
                            " specified");
    }

    return kz_query_metres(x, at, &distance, unit, &node->metres);
}


static ngx_int_t
kz_query_metres(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, double unit, double *metres)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    *metres = -1;

    if (v->type == KZ_JSON_NUMBER) {
        *metres = kz_json_double(v) * unit;

    } else if (v->type == KZ_JSON_STRING) {

        if (kz_json_string(x->pool, v, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_geo_distance(text.data, text.len, KZ_GEO_ENGINE, metres)
            != NGX_OK)
        {
            *metres = -1;
        }

        /* without a unit of its own it is in the clause's */

        for (i = 0; i < text.len; i++) {
            if ((text.data[i] | 0x20) >= 'a' && (text.data[i] | 0x20) <= 'z')
            {
                unit = 1;
            }
        }

        *metres *= unit;
    }

    if (*metres > 0 && *metres < 1e12) {
        return NGX_OK;
    }

    return kz_query_bad(x, at, "[distance] must be greater than zero, with a"
                        " unit that is known");
}


/* {"field": {"points": [point, point, point]}} */
ngx_int_t
kz_query_geo_polygon(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n, count;
    kz_json_val_t        points, item;
    kz_json_iter_t       it;
    kz_query_member_t   *m, *inner;

    (void) depth;

    points.type = KZ_JSON_NONE;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (m[i].val.type != KZ_JSON_OBJECT) {
            if (kz_query_geo_option(x, at, node, &m[i]) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (kz_query_geo_field(x, at, node, &m[i]) != NGX_OK
            || kz_query_members(x, at, &m[i].val, &inner, &count) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (count != 1 || !kz_query_is(&inner->key, "points")
            || inner->val.type != KZ_JSON_ARRAY)
        {
            return kz_query_bad(x, at, "[geo_polygon] query needs [points],"
                                " an array, and nothing else");
        }

        points = inner->val;
    }

    count = 0;

    if (points.type != KZ_JSON_NONE) {
        kz_json_iter(&it, &points);

        while (kz_json_next(&it, &item) == NGX_OK) {
            count++;
        }
    }

    if (count < 3 || count > KZ_QUERY_MAX_VALUES) {
        return kz_query_bad(x, at, "too few points defined for geo_polygon"
                            " query");
    }

    node->points = ngx_palloc(x->pool, count * sizeof(kz_geo_point_t));
    if (node->points == NULL) {
        return NGX_ERROR;
    }

    kz_json_iter(&it, &points);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (kz_geo_point(&item, KZ_GEO_ENGINE, &node->points[node->npoints++])
            != NGX_OK)
        {
            return kz_query_bad(x, at, "[points] holds what is not a point,"
                                " number %ui", node->npoints);
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_geo_field(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    if (node->field.data != NULL) {
        return kz_query_bad(x, at, "[%s] query does not support multiple"
                            " fields, found [%V] and [%V]", node->word,
                            &node->field, &m->key);
    }

    node->field = m->key;

    return NGX_OK;
}


static ngx_int_t
kz_query_geo_option(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    ngx_uint_t  flag;

    if (kz_query_is(&m->key, "ignore_unmapped")) {

        if (kz_query_flag(x, at, m, &flag) != NGX_OK) {
            return NGX_ERROR;
        }

        node->ignore = flag;
        return NGX_OK;
    }

    if (kz_json_is_scalar(&m->val)
        && (kz_query_is(&m->key, "validation_method")
            || kz_query_is(&m->key, "ignore_malformed")
            || kz_query_is(&m->key, "coerce")
            || kz_query_is(&m->key, "optimize_bbox")
            || kz_query_is(&m->key, "type")))
    {
        return NGX_OK;
    }

    return kz_query_option(x, at, node, m);
}
