#ifndef _KZ_GEO_H_INCLUDED_
#define _KZ_GEO_H_INCLUDED_

/*
 * Points on the earth, distances between them, shapes around them.  Pure.
 *
 * Two notations are in use.  KZ_GEO_FILTER is the one of realtime filters:
 * everything begins with the latitude.  KZ_GEO_ENGINE is the one of mappings
 * and searches: arrays, GeoJSON and WKT begin with the longitude.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "util/kz_json_scan.h"


typedef struct {
    double               lat;         /* -90 .. 90 */
    double               lon;         /* -180 .. 180 */
} kz_geo_point_t;


typedef struct {
    double               top;
    double               left;
    double               bottom;
    double               right;       /* left of left: across 180 degrees */
} kz_geo_box_t;


typedef enum {
    KZ_GEO_FILTER = 0,
    KZ_GEO_ENGINE
} kz_geo_notation_e;


/* metres: of the sphere filters and searches calculate with */
#define KZ_GEO_RADIUS_FILTER  6378137.0
#define KZ_GEO_RADIUS_ENGINE  6371008.7714


/*
 * Both: "lat,lon"; {lat, lon}; a geohash.  FILTER also [lat, lon],
 * {latLon: ...}, {lat_lon: ...}, numbers as text, geohashes of at least 4
 * characters.  ENGINE also [lon, lat], {type: "Point", coordinates}, "POINT
 * (lon lat)"; a third coordinate is left out.
 *
 * NGX_OK, or NGX_DECLINED: not a point, or outside of the earth.
 */
ngx_int_t kz_geo_point(const kz_json_val_t *v, kz_geo_notation_e notation,
    kz_geo_point_t *p);

/* The same for a text without its quotes. */
ngx_int_t kz_geo_point_text(const u_char *s, size_t len,
    kz_geo_notation_e notation, kz_geo_point_t *p);

/* The middle of a geohash's cell; NGX_DECLINED: not one. */
ngx_int_t kz_geo_hash(const u_char *s, size_t len, kz_geo_point_t *p);

/*
 * "12.5 km" as metres.  ENGINE: without a unit it is metres; FILTER: the unit
 * is needed, spaces and signs do not count, a comma is a decimal point, SI
 * prefixes go with every unit.  NGX_DECLINED: not a distance.
 */
ngx_int_t kz_geo_distance(const u_char *s, size_t len,
    kz_geo_notation_e notation, double *metres);

/* Metres in a unit of the engine ("km"); NGX_DECLINED: no such unit. */
ngx_int_t kz_geo_unit(const u_char *s, size_t len, double *metres);

/* Great-circle distance on a sphere of that radius. */
double kz_geo_metres(const kz_geo_point_t *a, const kz_geo_point_t *b,
    double radius);

/* Borders belong to the inside. */
ngx_uint_t kz_geo_in_box(const kz_geo_point_t *p, const kz_geo_box_t *box);
ngx_uint_t kz_geo_in_polygon(const kz_geo_point_t *p,
    const kz_geo_point_t *corners, ngx_uint_t n);

/*
 * A box that holds the circle, for indexes: bottom and top within the poles,
 * left and right all around when a pole is inside.
 */
void kz_geo_circle_box(const kz_geo_point_t *center, double metres,
    double radius, kz_geo_box_t *box);


#endif /* _KZ_GEO_H_INCLUDED_ */
