/*
 * Points, distances, shapes (src/util/kz_geo.c).
 *
 * libs: -lm
 */

#include <math.h>

#include "util/kz_geo.h"
#include "kz_shim.h"
#include "tap.h"


static void
point(const char *json, ngx_uint_t notation, const char *want)
{
    char             text[512], got[64];
    ngx_int_t        rc;
    kz_json_err_t    err;
    kz_json_val_t    v;
    kz_geo_point_t   p;

    strcpy(text, json);

    if (kz_json_scan((u_char *) text, strlen(text), 16, &v, &err) != NGX_OK) {
        ok(0, "%s is JSON", json);
        return;
    }

    rc = kz_geo_point(&v, notation, &p);

    if (rc == NGX_OK) {
        snprintf(got, sizeof(got), "%.4g %.4g", p.lat, p.lon);
    } else {
        strcpy(got, "no");
    }

    is_text(got, strlen(got), want, json);
}


static void
distance(const char *text, ngx_uint_t notation, double want)
{
    double     d;
    ngx_int_t  rc;

    rc = kz_geo_distance((u_char *) text, strlen(text), notation, &d);

    if (want < 0) {
        ok(rc == NGX_DECLINED, "\"%s\" is no distance", text);
        return;
    }

    ok(rc == NGX_OK && fabs(d - want) <= want * 1e-12, "\"%s\" is %g", text,
       want);
}


static void
test_points(void)
{
    point("[43.6, 3.9]", KZ_GEO_FILTER, "43.6 3.9");
    point("[3.9, 43.6]", KZ_GEO_ENGINE, "43.6 3.9");
    point("[\"43.6\", \"3.9\"]", KZ_GEO_FILTER, "43.6 3.9");
    point("[\"3.9\", \"43.6\"]", KZ_GEO_ENGINE, "no");
    point("\"43.6, 3.9\"", KZ_GEO_FILTER, "43.6 3.9");
    point("\"43.6,3.9\"", KZ_GEO_ENGINE, "43.6 3.9");
    point("\" -43.6 , -3.9 \"", KZ_GEO_ENGINE, "-43.6 -3.9");
    point("{\"lat\":43.6,\"lon\":3.9,\"x\":1}", KZ_GEO_FILTER, "43.6 3.9");
    point("{\"lat\":\"43.6\",\"lon\":\"3.9\"}", KZ_GEO_ENGINE, "43.6 3.9");
    point("{\"latLon\":[43.6,3.9]}", KZ_GEO_FILTER, "43.6 3.9");
    point("{\"lat_lon\":{\"lat\":43.6,\"lon\":3.9}}", KZ_GEO_FILTER,
          "43.6 3.9");
    point("{\"latLon\":[43.6,3.9]}", KZ_GEO_ENGINE, "no");
    point("{\"latLon\":{\"latLon\":{\"latLon\":{\"latLon\":{\"latLon\":"
          "{\"latLon\":[1,2]}}}}}}", KZ_GEO_FILTER, "no");
    point("{\"type\":\"Point\",\"coordinates\":[3.9,43.6]}", KZ_GEO_ENGINE,
          "43.6 3.9");
    point("\"POINT (3.9 43.6)\"", KZ_GEO_ENGINE, "43.6 3.9");
    point("\"point(3.9 43.6 12)\"", KZ_GEO_ENGINE, "43.6 3.9");
    point("\"POINT (3.9 43.6) x\"", KZ_GEO_ENGINE, "no");
    point("\"ezs42\"", KZ_GEO_FILTER, "42.6 -5.603");
    point("\"u0w\"", KZ_GEO_FILTER, "no");
    point("\"U0W\"", KZ_GEO_ENGINE, "48.52 9.141");
    point("\"ails\"", KZ_GEO_ENGINE, "no");
    point("[91, 0]", KZ_GEO_FILTER, "no");
    point("[0, 180.1]", KZ_GEO_FILTER, "no");
    point("[1]", KZ_GEO_FILTER, "no");
    point("[1,2,3]", KZ_GEO_FILTER, "no");
    point("[1,2,3,4]", KZ_GEO_ENGINE, "no");
    point("[1e999, 0]", KZ_GEO_FILTER, "no");
    point("\"1,2,3\"", KZ_GEO_FILTER, "no");
    point("\"1,2abc\"", KZ_GEO_FILTER, "no");
    point("\"inf,nan\"", KZ_GEO_ENGINE, "no");
    point("\"\"", KZ_GEO_ENGINE, "no");
    point("\",\"", KZ_GEO_ENGINE, "no");
    point("\"1.2.3,4\"", KZ_GEO_ENGINE, "no");
    point("12", KZ_GEO_FILTER, "no");
    point("null", KZ_GEO_FILTER, "no");
}


static void
test_distances(void)
{
    distance("500m", KZ_GEO_FILTER, 500);
    distance("500", KZ_GEO_FILTER, -1);
    distance("500", KZ_GEO_ENGINE, 500);
    distance("1.5 km", KZ_GEO_FILTER, 1500);
    distance("1,5 Kilometers", KZ_GEO_FILTER, 1500);
    distance("-5m", KZ_GEO_FILTER, 5);
    distance("-5m", KZ_GEO_ENGINE, -1);
    distance("1 Mm", KZ_GEO_FILTER, 0.001);
    distance("1 Gm", KZ_GEO_FILTER, -1);
    distance("1 mi", KZ_GEO_FILTER, 1609.34);
    distance("1mi", KZ_GEO_ENGINE, 1609.344);
    distance("2 nauticalmiles", KZ_GEO_ENGINE, 3704);
    distance("3 feets", KZ_GEO_FILTER, 0.9144);
    distance("3 dekameters", KZ_GEO_FILTER, 30);
    distance("1 parsec", KZ_GEO_FILTER, -1);
    distance("1e3m", KZ_GEO_FILTER, -1);
    distance("", KZ_GEO_ENGINE, -1);
    distance("km", KZ_GEO_ENGINE, -1);
}


static void
test_shapes(void)
{
    kz_geo_box_t     box;
    kz_geo_point_t   a = { 0, 179.9 }, b = { 0, -179.9 }, c = { 90, 0 },
                     d = { 48.8566, 2.3522 }, e = { 51.5074, -0.1278 };
    kz_geo_point_t   square[] = { { 0, 0 }, { 0, 10 }, { 10, 10 },
                                  { 10, 0 } };
    kz_geo_point_t   in = { 5, 5 }, out = { 5, 10.1 }, edge = { 10, 3 };

    ok(fabs(kz_geo_metres(&d, &e, KZ_GEO_RADIUS_ENGINE) - 343556) < 100,
       "Paris to London");
    ok(kz_geo_metres(&d, &d, KZ_GEO_RADIUS_FILTER) == 0, "to itself");
    ok(kz_geo_metres(&a, &b, KZ_GEO_RADIUS_FILTER) < 22300,
       "across 180 degrees");

    ok(kz_geo_in_polygon(&in, square, 4), "inside");
    ok(!kz_geo_in_polygon(&out, square, 4), "outside");
    ok(kz_geo_in_polygon(&edge, square, 4), "on the border");
    ok(kz_geo_in_polygon(&square[2], square, 4), "on a corner");

    kz_geo_circle_box(&a, 50000, KZ_GEO_RADIUS_FILTER, &box);
    ok(box.left > box.right, "a box across 180 degrees");
    ok(kz_geo_in_box(&b, &box) && !kz_geo_in_box(&d, &box), "holds it");

    kz_geo_circle_box(&c, 1000, KZ_GEO_RADIUS_FILTER, &box);
    ok(box.left == -180 && box.right == 180, "all around at a pole");
}


/* Whatever lies within the circle lies within its box. */

static void
test_boxes(void)
{
    double           metres;
    ngx_uint_t       i, bad;
    kz_geo_box_t     box;
    kz_geo_point_t   c, p;

    srandom(1);
    bad = 0;

    for (i = 0; i < 200000; i++) {
        c.lat = random() % 180001 / 1000.0 - 90;
        c.lon = random() % 360001 / 1000.0 - 180;
        p.lat = fmin(90, c.lat + random() % 2000 / 100.0);
        p.lon = fmod(c.lon + 180 + random() % 36000 / 100.0, 360) - 180;

        metres = kz_geo_metres(&c, &p, KZ_GEO_RADIUS_FILTER);
        kz_geo_circle_box(&c, metres * (1 + 1e-12), KZ_GEO_RADIUS_FILTER,
                          &box);

        if (!kz_geo_in_box(&p, &box)) {
            bad++;
        }
    }

    is_int(bad, 0, "circles lie within their boxes");
}


int
main(void)
{
    test_points();
    test_distances();
    test_shapes();
    test_boxes();

    return tap_done();
}
