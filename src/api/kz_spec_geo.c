
/*
 * Shapes: GeoJSON as Elasticsearch takes it, types in lower case, positions
 * [longitude, latitude].
 */

#include "api/kz_spec_int.h"
#include "util/kz_geo.h"


#define KZ_SPEC_SHAPE_DEPTH  32        /* of collections in collections */


typedef enum {
    KZ_SPEC_POSITION = 0,              /* what coordinates are made of */
    KZ_SPEC_LINE,
    KZ_SPEC_RING,
    KZ_SPEC_CORNERS
} kz_spec_unit_e;


typedef struct {
    const char      *name;
    kz_spec_unit_e   unit;
    ngx_uint_t       nesting;          /* arrays around the units */
} kz_spec_shape_t;


static ngx_uint_t kz_spec_shape_at(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_uint_t depth);
static ngx_uint_t kz_spec_shape_keys(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_uint_t i);
static ngx_uint_t kz_spec_collection(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_uint_t depth);
static ngx_uint_t kz_spec_coordinates(const kz_json_val_t *v,
    kz_spec_unit_e unit, ngx_uint_t nesting);
static ngx_uint_t kz_spec_line(const kz_json_val_t *v, kz_spec_unit_e unit);
static ngx_uint_t kz_spec_position(const kz_json_val_t *v, double *lon,
    double *lat);
static ngx_uint_t kz_spec_radius(const kz_json_val_t *v);
static ngx_uint_t kz_spec_orientation(const kz_json_val_t *v);


/* The order gives the bits. */

static const kz_spec_shape_t  kz_spec_shapes[] = {
    { "point", KZ_SPEC_POSITION, 0 },
    { "linestring", KZ_SPEC_LINE, 0 },
    { "polygon", KZ_SPEC_RING, 1 },
    { "multipoint", KZ_SPEC_POSITION, 1 },
    { "multilinestring", KZ_SPEC_LINE, 1 },
    { "multipolygon", KZ_SPEC_RING, 2 },
    { "geometrycollection", KZ_SPEC_POSITION, 0 },
    { "envelope", KZ_SPEC_CORNERS, 0 },
    { "circle", KZ_SPEC_POSITION, 0 },
    { NULL, KZ_SPEC_POSITION, 0 }
};

#define KZ_SPEC_POLYGON       2
#define KZ_SPEC_MULTIPOLYGON  5
#define KZ_SPEC_COLLECTION    6
#define KZ_SPEC_CIRCLE        8


ngx_uint_t
kz_spec_shape(const ngx_str_t *name)
{
    ngx_uint_t  i;

    for (i = 0; kz_spec_shapes[i].name != NULL; i++) {
        if (ngx_strlen(kz_spec_shapes[i].name) == name->len
            && ngx_memcmp(kz_spec_shapes[i].name, name->data, name->len)
               == 0)
        {
            return (ngx_uint_t) 1 << i;
        }
    }

    return 0;
}


ngx_uint_t
kz_spec_check_shape(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    return kz_spec_shape_at(run, f, v, 0);
}


static ngx_uint_t
kz_spec_shape_at(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t     i;
    kz_json_val_t  type, part;

    if (v->type != KZ_JSON_OBJECT) {
        kz_spec_say(run, f, "A shape must be an object.");
        return 0;
    }

    if (kz_json_get(v, "type", 4, &type) != NGX_OK
        || type.type != KZ_JSON_STRING)
    {
        kz_spec_say(run, f, "The shape object must have a \"type\" "
                    "property.");
        return 0;
    }

    for (i = 0; kz_spec_shapes[i].name != NULL; i++) {
        if (kz_json_string_is(&type, (u_char *) kz_spec_shapes[i].name,
                              ngx_strlen(kz_spec_shapes[i].name))
            == NGX_OK)
        {
            break;
        }
    }

    if (kz_spec_shapes[i].name == NULL
        || !(f->shapes & (ngx_uint_t) 1 << i))
    {
        kz_spec_say(run, f, "The provided shape type is not allowed.");
        return 0;
    }

    if (!kz_spec_shape_keys(run, f, v, i)) {
        return 0;
    }

    if (i == KZ_SPEC_COLLECTION) {
        return kz_spec_collection(run, f, v, depth);
    }

    if (kz_json_get(v, "coordinates", 11, &part) == NGX_OK
        && kz_spec_coordinates(&part, kz_spec_shapes[i].unit,
                               kz_spec_shapes[i].nesting))
    {
        return 1;
    }

    kz_spec_say(run, f, "Invalid coordinates for the shape type \"%s\".",
                kz_spec_shapes[i].name);

    return 0;
}


/* What a shape of that type may have beside its coordinates. */

static ngx_uint_t
kz_spec_shape_keys(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_uint_t i)
{
    ngx_uint_t         radius;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    radius = (i != KZ_SPEC_CIRCLE);

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (kz_json_key_is(&m, "type", 4) == NGX_OK) {
            continue;
        }

        if (kz_json_key_is(&m, "coordinates", 11) == NGX_OK
            && i != KZ_SPEC_COLLECTION)
        {
            continue;
        }

        if (kz_json_key_is(&m, "geometries", 10) == NGX_OK
            && i == KZ_SPEC_COLLECTION)
        {
            continue;
        }

        if (kz_json_key_is(&m, "radius", 6) == NGX_OK
            && i == KZ_SPEC_CIRCLE)
        {
            radius = kz_spec_radius(&m.val);
            continue;
        }

        if (kz_json_key_is(&m, "orientation", 11) == NGX_OK
            && (i == KZ_SPEC_POLYGON || i == KZ_SPEC_MULTIPOLYGON))
        {
            if (kz_spec_orientation(&m.val)) {
                continue;
            }

            kz_spec_say(run, f, "The orientation property has not a valid "
                        "value.");
            return 0;
        }

        kz_spec_say(run, f, "The shape object of type \"%s\" has a property "
                    "it must not have.", kz_spec_shapes[i].name);
        return 0;
    }

    if (!radius) {
        kz_spec_say(run, f, "The circle must have a valid radius.");
        return 0;
    }

    return 1;
}


static ngx_uint_t
kz_spec_collection(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    kz_json_val_t   e, list;
    kz_json_iter_t  it;

    if (depth == KZ_SPEC_SHAPE_DEPTH
        || kz_json_get(v, "geometries", 10, &list) != NGX_OK
        || list.type != KZ_JSON_ARRAY)
    {
        kz_spec_say(run, f, "The shape type \"geometrycollection\" must have "
                    "a \"geometries\" array.");
        return 0;
    }

    kz_json_iter(&it, &list);

    while (kz_json_next(&it, &e) == NGX_OK) {
        if (!kz_spec_shape_at(run, f, &e, depth + 1)) {
            return 0;
        }
    }

    return 1;
}


/* Units within arrays within arrays; none of these may be empty. */

static ngx_uint_t
kz_spec_coordinates(const kz_json_val_t *v, kz_spec_unit_e unit,
    ngx_uint_t nesting)
{
    double          lon, lat;
    ngx_uint_t      n;
    kz_json_val_t   e;
    kz_json_iter_t  it;

    if (nesting == 0) {
        return (unit == KZ_SPEC_POSITION) ? kz_spec_position(v, &lon, &lat)
                                          : kz_spec_line(v, unit);
    }

    if (v->type != KZ_JSON_ARRAY) {
        return 0;
    }

    kz_json_iter(&it, v);

    for (n = 0; kz_json_next(&it, &e) == NGX_OK; n++) {
        if (!kz_spec_coordinates(&e, unit, nesting - 1)) {
            return 0;
        }
    }

    return n > 0;
}


/* Two positions and more; a ring: four, the last one like the first. */

static ngx_uint_t
kz_spec_line(const kz_json_val_t *v, kz_spec_unit_e unit)
{
    double          lon, lat, first_lon, first_lat;
    ngx_uint_t      n;
    kz_json_val_t   e;
    kz_json_iter_t  it;

    if (v->type != KZ_JSON_ARRAY) {
        return 0;
    }

    lon = 0;
    lat = 0;
    first_lon = 0;
    first_lat = 0;

    kz_json_iter(&it, v);

    for (n = 0; kz_json_next(&it, &e) == NGX_OK; n++) {

        if (!kz_spec_position(&e, &lon, &lat)) {
            return 0;
        }

        if (n == 0) {
            first_lon = lon;
            first_lat = lat;
        }
    }

    switch (unit) {

    case KZ_SPEC_RING:
        return n >= 4 && lon == first_lon && lat == first_lat;

    case KZ_SPEC_CORNERS:
        return n == 2;

    default:
        return n >= 2;
    }
}


static ngx_uint_t
kz_spec_position(const kz_json_val_t *v, double *lon, double *lat)
{
    double          n[2];
    ngx_uint_t      i;
    kz_json_val_t   e;
    kz_json_iter_t  it;

    if (v->type != KZ_JSON_ARRAY) {
        return 0;
    }

    kz_json_iter(&it, v);

    for (i = 0; kz_json_next(&it, &e) == NGX_OK; i++) {

        if (i == 2 || e.type != KZ_JSON_NUMBER) {
            return 0;
        }

        n[i] = kz_json_double(&e);
    }

    if (i != 2 || n[0] < -180 || n[0] > 180 || n[1] < -90 || n[1] > 90) {
        return 0;
    }

    *lon = n[0];
    *lat = n[1];

    return 1;
}


/* Metres, or a text with a unit. */

static ngx_uint_t
kz_spec_radius(const kz_json_val_t *v)
{
    u_char   text[64];
    size_t   len;
    double   metres;

    if (v->type == KZ_JSON_NUMBER) {
        return kz_json_double(v) >= 0;
    }

    if (v->type != KZ_JSON_STRING || v->raw.len - 2 > sizeof(text)) {
        return 0;
    }

    len = kz_json_unescape(text, v->raw.data + 1, v->raw.len - 2) - text;

    return (kz_geo_distance(text, len, KZ_GEO_FILTER, &metres) == NGX_OK
            || kz_geo_distance(text, len, KZ_GEO_ENGINE, &metres) == NGX_OK)
           && metres >= 0;
}


static ngx_uint_t
kz_spec_orientation(const kz_json_val_t *v)
{
    const char  **p;

    static const char  *names[] = { "right", "ccw", "counterclockwise",
                                    "left", "cw", "clockwise", NULL };

    if (v->type != KZ_JSON_STRING) {
        return 0;
    }

    for (p = names; *p != NULL; p++) {
        if (kz_json_string_is(v, (u_char *) *p, ngx_strlen(*p)) == NGX_OK) {
            return 1;
        }
    }

    return 0;
}
