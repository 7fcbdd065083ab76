/*
 * Points, distances, shapes.  See kz_geo.h.
 */

#include "util/kz_geo.h"

#include <math.h>


#define KZ_GEO_TEXT       128         /* bytes of a point or a distance */
#define KZ_GEO_HASH_MAX   12
#define KZ_GEO_DEPTH      4           /* {latLon: {latLon: ...}} */

#define kz_geo_rad(d)  ((d) * M_PI / 180.0)


typedef struct {
    const char          *name;
    double               metres;
} kz_geo_unit_t;


static ngx_int_t kz_geo_value(const kz_json_val_t *v,
    kz_geo_notation_e notation, kz_geo_point_t *p, ngx_uint_t depth);
static ngx_int_t kz_geo_array(const kz_json_val_t *v,
    kz_geo_notation_e notation, kz_geo_point_t *p);
static ngx_int_t kz_geo_object(const kz_json_val_t *v,
    kz_geo_notation_e notation, kz_geo_point_t *p, ngx_uint_t depth);
static ngx_int_t kz_geo_number(const kz_json_val_t *v, ngx_uint_t text,
    double *d);
static ngx_int_t kz_geo_text(const kz_json_val_t *v, u_char *buf,
    size_t *len);
static ngx_int_t kz_geo_parse(const u_char **p, const u_char *end,
    double *d);
static ngx_int_t kz_geo_check(kz_geo_point_t *p);
static ngx_int_t kz_geo_wkt(const u_char *s, size_t len, kz_geo_point_t *p);
static ngx_int_t kz_geo_filter_unit(u_char *s, size_t len, double *metres);
static ngx_int_t kz_geo_prefix(const u_char *s, size_t len,
    ngx_uint_t spelled, double *factor);


/* Elasticsearch's units */

static const kz_geo_unit_t  kz_geo_units[] = {
    { "m", 1 }, { "meters", 1 },
    { "km", 1000 }, { "kilometers", 1000 },
    { "cm", 0.01 }, { "centimeters", 0.01 },
    { "mm", 0.001 }, { "millimeters", 0.001 },
    { "mi", 1609.344 }, { "miles", 1609.344 },
    { "yd", 0.9144 }, { "yards", 0.9144 },
    { "ft", 0.3048 }, { "feet", 0.3048 },
    { "in", 0.0254 }, { "inch", 0.0254 },
    { "NM", 1852 }, { "nmi", 1852 }, { "nauticalmiles", 1852 },
    { NULL, 0 }
};


/* Koncorde's; longest names first, a prefix may stand before each. */

static const kz_geo_unit_t  kz_geo_filter_units[] = {
    { "meters", 1 }, { "meter", 1 }, { "inches", 0.0254 },
    { "feets", 0.3048 }, { "yard", 0.9144 }, { "inch", 0.0254 },
    { "feet", 0.3048 }, { "foot", 0.3048 }, { "mile", 1609.34 },
    { "yards", 0.9144 }, { "miles", 1609.34 },
    { "ft", 0.3048 }, { "in", 0.0254 }, { "yd", 0.9144 },
    { "mi", 1609.34 }, { "m", 1 },
    { NULL, 0 }
};


static const kz_geo_unit_t  kz_geo_spelled[] = {
    { "yotta", 1e24 }, { "zetta", 1e21 }, { "exa", 1e18 }, { "peta", 1e15 },
    { "tera", 1e12 }, { "giga", 1e9 }, { "mega", 1e6 }, { "kilo", 1e3 },
    { "hecto", 1e2 }, { "deka", 1e1 }, { "deci", 1e-1 }, { "centi", 1e-2 },
    { "milli", 1e-3 }, { "micro", 1e-6 }, { "nano", 1e-9 },
    { "pico", 1e-12 }, { "femto", 1e-15 }, { "atto", 1e-18 },
    { "zepto", 1e-21 }, { "yocto", 1e-24 },
    { NULL, 0 }
};


/* Kuzzle: the text is lower-cased first, so that "M" is milli. */

static const kz_geo_unit_t  kz_geo_short[] = {
    { "k", 1e3 }, { "h", 1e2 }, { "da", 1e1 }, { "d", 1e-1 }, { "c", 1e-2 },
    { "m", 1e-3 }, { "mu", 1e-6 }, { "n", 1e-9 }, { "p", 1e-12 },
    { "f", 1e-15 }, { "a", 1e-18 }, { "z", 1e-21 }, { "y", 1e-24 },
    { NULL, 0 }
};


ngx_int_t
kz_geo_point(const kz_json_val_t *v, kz_geo_notation_e notation,
    kz_geo_point_t *p)
{
    return kz_geo_value(v, notation, p, 0);
}


static ngx_int_t
kz_geo_value(const kz_json_val_t *v, kz_geo_notation_e notation,
    kz_geo_point_t *p, ngx_uint_t depth)
{
    size_t  len;
    u_char  buf[KZ_GEO_TEXT];

    switch (v->type) {

    case KZ_JSON_STRING:
        if (kz_geo_text(v, buf, &len) != NGX_OK) {
            return NGX_DECLINED;
        }

        return kz_geo_point_text(buf, len, notation, p);

    case KZ_JSON_ARRAY:
        return kz_geo_array(v, notation, p);

    case KZ_JSON_OBJECT:
        return kz_geo_object(v, notation, p, depth);

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
kz_geo_array(const kz_json_val_t *v, kz_geo_notation_e notation,
    kz_geo_point_t *p)
{
    double           d[3];
    ngx_uint_t       n;
    kz_json_iter_t   it;
    kz_json_val_t    item;

    n = 0;
    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (n == 3
            || kz_geo_number(&item, notation == KZ_GEO_FILTER, &d[n])
               != NGX_OK)
        {
            return NGX_DECLINED;
        }

        n++;
    }

    if (n < 2 || (n == 3 && notation == KZ_GEO_FILTER)) {
        return NGX_DECLINED;
    }

    if (notation == KZ_GEO_FILTER) {
        p->lat = d[0];
        p->lon = d[1];

    } else {
        p->lon = d[0];
        p->lat = d[1];
    }

    return kz_geo_check(p);
}


static ngx_int_t
kz_geo_object(const kz_json_val_t *v, kz_geo_notation_e notation,
    kz_geo_point_t *p, ngx_uint_t depth)
{
    kz_json_val_t  lat, lon, type;

    if (kz_json_get(v, "lat", 3, &lat) == NGX_OK
        && kz_json_get(v, "lon", 3, &lon) == NGX_OK)
    {
        if (kz_geo_number(&lat, 1, &p->lat) != NGX_OK
            || kz_geo_number(&lon, 1, &p->lon) != NGX_OK)
        {
            return NGX_DECLINED;
        }

        return kz_geo_check(p);
    }

    if (notation == KZ_GEO_FILTER) {

        if (depth < KZ_GEO_DEPTH
            && (kz_json_get(v, "latLon", 6, &lat) == NGX_OK
                || kz_json_get(v, "lat_lon", 7, &lat) == NGX_OK))
        {
            return kz_geo_value(&lat, notation, p, depth + 1);
        }

        return NGX_DECLINED;
    }

    if (kz_json_get(v, "type", 4, &type) != NGX_OK
        || type.type != KZ_JSON_STRING
        || (kz_json_string_is(&type, (u_char *) "Point", 5) != NGX_OK
            && kz_json_string_is(&type, (u_char *) "point", 5) != NGX_OK)
        || kz_json_get(v, "coordinates", 11, &lat) != NGX_OK
        || lat.type != KZ_JSON_ARRAY)
    {
        return NGX_DECLINED;
    }

    return kz_geo_array(&lat, KZ_GEO_ENGINE, p);
}


/* text: a number written as a string will do. */

static ngx_int_t
kz_geo_number(const kz_json_val_t *v, ngx_uint_t text, double *d)
{
    size_t         len;
    u_char         buf[KZ_GEO_TEXT];
    const u_char  *p;

    if (v->type == KZ_JSON_NUMBER) {
        *d = kz_json_double(v);
        return NGX_OK;
    }

    if (!text || v->type != KZ_JSON_STRING
        || kz_geo_text(v, buf, &len) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    p = buf;

    if (kz_geo_parse(&p, buf + len, d) != NGX_OK || p != buf + len) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* The decoded text of a short string, without spaces around it. */

static ngx_int_t
kz_geo_text(const kz_json_val_t *v, u_char *buf, size_t *len)
{
    u_char  *p, *last;

    if (v->raw.len - 2 > KZ_GEO_TEXT) {
        return NGX_DECLINED;
    }

    last = kz_json_unescape(buf, v->raw.data + 1, v->raw.len - 2);

    for (p = buf; p < last && *p == ' '; p++) { /* void */ }

    while (last > p && last[-1] == ' ') {
        last--;
    }

    *len = last - p;
    ngx_memmove(buf, p, *len);

    return NGX_OK;
}


/* A decimal number; strtod() would take "inf", "0x1" and the locale's. */

static ngx_int_t
kz_geo_parse(const u_char **pp, const u_char *end, double *d)
{
    char           buf[64];
    size_t         n;
    ngx_uint_t     digits;
    const u_char  *p;

    p = *pp;
    n = 0;
    digits = 0;

    if (p < end && (*p == '-' || *p == '+')) {
        buf[n++] = *p++;
    }

    for ( /* void */ ; p < end && n < sizeof(buf) - 8; p++) {

        if (*p >= '0' && *p <= '9') {
            digits = 1;

        } else if (*p != '.' || memchr(buf, '.', n) != NULL) {
            break;
        }

        buf[n++] = *p;
    }

    if (!digits || (p < end && *p >= '0' && *p <= '9')) {
        return NGX_DECLINED;
    }

    buf[n] = '\0';
    *d = strtod(buf, NULL);
    *pp = p;

    return NGX_OK;
}


static ngx_int_t
kz_geo_check(kz_geo_point_t *p)
{
    if (!(p->lat >= -90 && p->lat <= 90)
        || !(p->lon >= -180 && p->lon <= 180))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
kz_geo_point_text(const u_char *s, size_t len, kz_geo_notation_e notation,
    kz_geo_point_t *p)
{
    const u_char  *c, *end;

    end = s + len;
    c = memchr(s, ',', len);

    if (c == NULL) {

        if (notation == KZ_GEO_ENGINE
            && kz_geo_wkt(s, len, p) == NGX_OK)
        {
            return NGX_OK;
        }

        if (notation == KZ_GEO_FILTER && len < 4) {
            return NGX_DECLINED;
        }

        return kz_geo_hash(s, len, p);
    }

    while (s < c && *s == ' ') {
        s++;
    }

    if (kz_geo_parse(&s, c, &p->lat) != NGX_OK) {
        return NGX_DECLINED;
    }

    while (s < c && *s == ' ') {
        s++;
    }

    if (s != c) {
        return NGX_DECLINED;
    }

    s = c + 1;

    while (s < end && *s == ' ') {
        s++;
    }

    if (kz_geo_parse(&s, end, &p->lon) != NGX_OK) {
        return NGX_DECLINED;
    }

    while (s < end && *s == ' ') {
        s++;
    }

    return (s == end) ? kz_geo_check(p) : NGX_DECLINED;
}


/* "POINT (lon lat)" */

static ngx_int_t
kz_geo_wkt(const u_char *s, size_t len, kz_geo_point_t *p)
{
    double         d;
    const u_char  *end;

    end = s + len;

    if (len < 9 || ngx_strncasecmp((u_char *) s, (u_char *) "POINT", 5) != 0)
    {
        return NGX_DECLINED;
    }

    s += 5;

    while (s < end && *s == ' ') {
        s++;
    }

    if (s == end || *s++ != '(' || end[-1] != ')') {
        return NGX_DECLINED;
    }

    end--;

    while (s < end && *s == ' ') {
        s++;
    }

    if (kz_geo_parse(&s, end, &p->lon) != NGX_OK || s == end || *s != ' ') {
        return NGX_DECLINED;
    }

    while (s < end && *s == ' ') {
        s++;
    }

    if (kz_geo_parse(&s, end, &p->lat) != NGX_OK) {
        return NGX_DECLINED;
    }

    while (s < end && *s == ' ') {
        s++;
    }

    if (s < end
        && (kz_geo_parse(&s, end, &d) != NGX_OK || s != end))
    {
        return NGX_DECLINED;
    }

    return kz_geo_check(p);
}


ngx_int_t
kz_geo_hash(const u_char *s, size_t len, kz_geo_point_t *p)
{
    double         low[2], high[2], mid;
    ngx_uint_t     i, bit, axis, n;
    const char    *c;

    static const char  alphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";

    if (len == 0 || len > KZ_GEO_HASH_MAX) {
        return NGX_DECLINED;
    }

    low[0] = -180;
    high[0] = 180;
    low[1] = -90;
    high[1] = 90;
    axis = 0;

    for (i = 0; i < len; i++) {
        c = s[i] ? strchr(alphabet, ngx_tolower(s[i])) : NULL;

        if (c == NULL) {
            return NGX_DECLINED;
        }

        n = c - alphabet;

        for (bit = 16; bit; bit >>= 1) {
            mid = (low[axis] + high[axis]) / 2;

            if (n & bit) {
                low[axis] = mid;

            } else {
                high[axis] = mid;
            }

            axis = !axis;
        }
    }

    p->lon = (low[0] + high[0]) / 2;
    p->lat = (low[1] + high[1]) / 2;

    return NGX_OK;
}


ngx_int_t
kz_geo_unit(const u_char *s, size_t len, double *metres)
{
    const kz_geo_unit_t  *u;

    for (u = kz_geo_units; u->name; u++) {
        if (ngx_strlen(u->name) == len && ngx_memcmp(u->name, s, len) == 0) {
            *metres = u->metres;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
kz_geo_distance(const u_char *s, size_t len, kz_geo_notation_e notation,
    double *metres)
{
    size_t         n;
    u_char         buf[KZ_GEO_TEXT];
    double         d, unit;
    const u_char  *p, *end;

    if (len > KZ_GEO_TEXT) {
        return NGX_DECLINED;
    }

    end = s + len;
    n = 0;

    for (p = s; p < end; p++) {

        if (*p == ' ' || (*p == '-' && notation == KZ_GEO_FILTER)) {
            continue;
        }

        if (notation == KZ_GEO_ENGINE) {
            buf[n++] = *p;
            continue;
        }

        buf[n++] = (*p == ',') ? '.' : ngx_tolower(*p);
    }

    p = buf;
    end = buf + n;

    if (kz_geo_parse(&p, end, &d) != NGX_OK || d < 0) {
        return NGX_DECLINED;
    }

    unit = 1;

    if (notation == KZ_GEO_FILTER) {
        if (kz_geo_filter_unit(buf + (p - buf), end - p, &unit) != NGX_OK) {
            return NGX_DECLINED;
        }

    } else if (p < end && kz_geo_unit(p, end - p, &unit) != NGX_OK) {
        return NGX_DECLINED;
    }

    *metres = d * unit;

    return isfinite(*metres) ? NGX_OK : NGX_DECLINED;
}


/* Koncorde: long prefixes for long names, short ones for short names. */

static ngx_int_t
kz_geo_filter_unit(u_char *s, size_t len, double *metres)
{
    size_t                n;
    double                factor;
    const kz_geo_unit_t  *u;

    for (u = kz_geo_filter_units; u->name; u++) {
        n = ngx_strlen(u->name);

        if (n > len || ngx_memcmp(s + len - n, u->name, n) != 0) {
            continue;
        }

        if (n == len) {
            *metres = u->metres;
            return NGX_OK;
        }

        if (kz_geo_prefix(s, len - n, n > 3, &factor) == NGX_OK) {
            *metres = u->metres * factor;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
kz_geo_prefix(const u_char *s, size_t len, ngx_uint_t spelled,
    double *factor)
{
    const kz_geo_unit_t  *u;

    for (u = spelled ? kz_geo_spelled : kz_geo_short; u->name; u++) {
        if (ngx_strlen(u->name) == len && ngx_memcmp(u->name, s, len) == 0) {
            *factor = u->metres;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* The haversine formula: exact enough for points that lie close together. */

double
kz_geo_metres(const kz_geo_point_t *a, const kz_geo_point_t *b,
    double radius)
{
    double  x, y, h;

    y = sin(kz_geo_rad(b->lat - a->lat) / 2);
    x = sin(kz_geo_rad(b->lon - a->lon) / 2);

    h = y * y + cos(kz_geo_rad(a->lat)) * cos(kz_geo_rad(b->lat)) * x * x;

    return 2 * radius * asin(h < 1 ? sqrt(h) : 1);
}


ngx_uint_t
kz_geo_in_box(const kz_geo_point_t *p, const kz_geo_box_t *box)
{
    if (p->lat > box->top || p->lat < box->bottom) {
        return 0;
    }

    if (box->left <= box->right) {
        return p->lon >= box->left && p->lon <= box->right;
    }

    return p->lon >= box->left || p->lon <= box->right;
}


/* Even-odd rule on plane degrees, the border counted as inside. */

ngx_uint_t
kz_geo_in_polygon(const kz_geo_point_t *p, const kz_geo_point_t *corners,
    ngx_uint_t n)
{
    double                  cross;
    ngx_uint_t              i, j, inside;
    const kz_geo_point_t   *a, *b;

    inside = 0;

    for (i = 0, j = n - 1; i < n; j = i++) {
        a = &corners[i];
        b = &corners[j];

        cross = (p->lon - a->lon) * (b->lat - a->lat)
                - (p->lat - a->lat) * (b->lon - a->lon);

        if (cross == 0
            && p->lat >= ngx_min(a->lat, b->lat)
            && p->lat <= ngx_max(a->lat, b->lat)
            && p->lon >= ngx_min(a->lon, b->lon)
            && p->lon <= ngx_max(a->lon, b->lon))
        {
            return 1;
        }

        if ((a->lat > p->lat) != (b->lat > p->lat)
            && p->lon < (b->lon - a->lon) * (p->lat - a->lat)
                        / (b->lat - a->lat) + a->lon)
        {
            inside = !inside;
        }
    }

    return inside;
}


void
kz_geo_circle_box(const kz_geo_point_t *center, double metres,
    double radius, kz_geo_box_t *box)
{
    double  lat, lon, s;

    lat = metres / radius * 180.0 / M_PI + 1e-9;

    box->top = ngx_min(center->lat + lat, 90.0);
    box->bottom = ngx_max(center->lat - lat, -90.0);
    box->left = -180;
    box->right = 180;

    if (box->top >= 90 || box->bottom <= -90) {
        return;
    }

    /* the widest point of the circle lies nearer to the pole */

    s = sin(metres / radius) / cos(kz_geo_rad(center->lat));

    if (s >= 1) {
        return;
    }

    lon = asin(s) * 180.0 / M_PI + 1e-9;

    box->left = center->lon - lon;
    box->right = center->lon + lon;

    if (box->left < -180) {
        box->left += 360;
    }

    if (box->right > 180) {
        box->right -= 360;
    }
}
