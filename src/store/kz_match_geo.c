
/*
 * Points in shapes, and how far away they are.
 *
 * In the postings a point is one number, the bits of latitude and longitude
 * in turn (kz_value_geo_key()).  All points of a box have keys between those
 * of its lower left and its upper right corner; a box is cut in four a few
 * times, so that the spans do not hold half the earth.
 */

#include "store/kz_match_bind.h"


#define KZ_GEO_SPANS  32

/* degrees; keys are cut to whole numbers */
#define KZ_GEO_SLACK  1e-6


typedef struct {
    kz_leaf_t        *leaf;
    kz_match_geo_t   *geo;
} kz_match_points_t;


static ngx_int_t kz_match_point(void *data, const kz_geo_point_t *p);
static ngx_uint_t kz_match_inside(const kz_match_geo_t *geo,
    const kz_geo_point_t *p);
static void kz_geo_around(const kz_query_node_t *node, kz_geo_box_t *box);
static void kz_geo_spans(kz_leaf_t *leaf, const kz_geo_box_t *box,
    ngx_uint_t depth);


kz_cond_t *
kz_bind_geo(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    kz_cond_t        *c;
    kz_leaf_t        *leaf;
    kz_geo_box_t      box, part;
    kz_match_geo_t   *geo;

    if (f->type != KZ_FIELD_GEO_POINT) {

        if (node->lenient) {
            return kz_bind_cond(b, KZ_COND_NONE);
        }

        kz_bind_bad(b, "failed to create query: field [%V] is not a"
                    " geo_point field, but of type [%V]", &f->path,
                    &f->type_name);
        return NULL;
    }

    c = kz_bind_test(b, KZ_LEAF_GEO, f, NULL);
    geo = ngx_pcalloc(b->pool, sizeof(kz_match_geo_t));

    if (c == NULL || geo == NULL) {
        return NULL;
    }

    c->type = KZ_COND_TEST;

    geo->type = node->type;
    geo->points = node->points;
    geo->npoints = node->npoints;
    geo->metres = node->metres;

    kz_geo_around(node, &box);
    geo->box = box;

    leaf = c->leaf;
    leaf->geo = geo;
    leaf->spans = ngx_pcalloc(b->pool,
                              2 * KZ_GEO_SPANS * sizeof(kz_value_t));
    if (leaf->spans == NULL) {
        return NULL;
    }

    /* across 180 degrees: two boxes */

    if (box.left > box.right) {
        part = box;
        part.right = 180;
        kz_geo_spans(leaf, &part, 2);

        part = box;
        part.left = -180;
        kz_geo_spans(leaf, &part, 2);

        return c;
    }

    kz_geo_spans(leaf, &box, 2);

    return c;
}


/* A box that holds the shape. */
static void
kz_geo_around(const kz_query_node_t *node, kz_geo_box_t *box)
{
    ngx_uint_t             i;
    const kz_geo_point_t  *p;

    switch (node->type) {

    case KZ_QUERY_GEO_BOX:
        *box = node->box;
        return;

    case KZ_QUERY_GEO_DISTANCE:
        kz_geo_circle_box(&node->points[0], node->metres,
                          KZ_GEO_RADIUS_ENGINE, box);
        return;

    default:  /* KZ_QUERY_GEO_POLYGON */
        break;
    }

    p = node->points;

    box->top = p->lat;
    box->bottom = p->lat;
    box->left = p->lon;
    box->right = p->lon;

    for (i = 1; i < node->npoints; i++) {
        box->top = ngx_max(box->top, p[i].lat);
        box->bottom = ngx_min(box->bottom, p[i].lat);
        box->left = ngx_min(box->left, p[i].lon);
        box->right = ngx_max(box->right, p[i].lon);
    }

    /* a side may go the short way around the earth */

    if (box->right - box->left > 180) {
        box->left = -180;
        box->right = 180;
    }
}


/*
 * Halves the box where the bits of a key change most, then the halves: what
 * lies between the keys of a quarter's corners is mostly inside of it.
 */
static void
kz_geo_spans(kz_leaf_t *leaf, const kz_geo_box_t *box, ngx_uint_t depth)
{
    double           lat, lon;
    ngx_uint_t       i;
    kz_value_t      *v;
    kz_geo_box_t     part;
    kz_geo_point_t   p;

    if (depth > 0) {
        lat = (box->top + box->bottom) / 2;
        lon = (box->left + box->right) / 2;

        for (i = 0; i < 4; i++) {
            part.top = (i & 1) ? box->top : lat;
            part.bottom = (i & 1) ? lat : box->bottom;
            part.left = (i & 2) ? lon : box->left;
            part.right = (i & 2) ? box->right : lon;

            kz_geo_spans(leaf, &part, depth - 1);
        }

        return;
    }

    v = &leaf->spans[2 * leaf->nspans++];

    p.lat = box->bottom - KZ_GEO_SLACK;
    p.lon = box->left - KZ_GEO_SLACK;

    v[0].type = KZ_VALUE_INT;
    v[0].i = kz_value_geo_key(&p);

    p.lat = box->top + KZ_GEO_SLACK;
    p.lon = box->right + KZ_GEO_SLACK;

    v[1].type = KZ_VALUE_INT;
    v[1].i = kz_value_geo_key(&p);
}


ngx_int_t
kz_match_points(kz_leaf_t *leaf, const kz_json_val_t *v)
{
    ngx_int_t           rc;
    kz_match_points_t   ctx;

    ctx.leaf = leaf;
    ctx.geo = leaf->geo;

    rc = kz_value_points(leaf->field, v, kz_match_point, &ctx);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
kz_match_point(void *data, const kz_geo_point_t *p)
{
    double               d;
    ngx_uint_t           i;
    kz_value_t           v;
    kz_match_geo_t      *geo;
    kz_match_points_t   *ctx = data;

    geo = ctx->geo;

    switch (ctx->leaf->type) {

    case KZ_LEAF_EXISTS:
        ctx->leaf->hit = 1;
        return NGX_OK;

    case KZ_LEAF_GEO:

        if (!ctx->leaf->hit) {
            ctx->leaf->hit = kz_match_inside(geo, p);
        }

        return NGX_OK;

    case KZ_LEAF_SORT:
        break;

    default:
        return NGX_OK;
    }

    v.type = KZ_VALUE_REAL;
    v.d = kz_geo_metres(p, &geo->points[0], KZ_GEO_RADIUS_ENGINE);

    for (i = 1; i < geo->npoints; i++) {
        d = kz_geo_metres(p, &geo->points[i], KZ_GEO_RADIUS_ENGINE);
        v.d = ngx_min(v.d, d);
    }

    v.d /= geo->unit;

    return kz_match_key(ctx->leaf, &v);
}


static ngx_uint_t
kz_match_inside(const kz_match_geo_t *geo, const kz_geo_point_t *p)
{
    switch (geo->type) {

    case KZ_QUERY_GEO_BOX:
        return kz_geo_in_box(p, &geo->box);

    case KZ_QUERY_GEO_DISTANCE:
        return kz_geo_metres(p, &geo->points[0], KZ_GEO_RADIUS_ENGINE)
               <= geo->metres;

    default:  /* KZ_QUERY_GEO_POLYGON */
        return kz_geo_in_polygon(p, geo->points, geo->npoints);
    }
}
