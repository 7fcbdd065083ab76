/*
 * Arithmetic on dates (src/store/kz_date.c).
 *
 * sources: store/kz_date.c store/kz_mapping_date.c
 * sources: store/kz_analysis.c store/kz_analysis_conf.c
 * sources: store/kz_analysis_part.c store/kz_analysis_filter.c
 */

#include "store/kz_date.h"
#include "store/kz_mapping_node.h"
#include "kz_shim.h"
#include "tap.h"


static ngx_pool_t  *pool;


static void
print(int64_t ms, const char *format, ngx_int_t zone, const char *want)
{
    kz_out_t      o;
    ngx_str_t     text;
    ngx_array_t  *formats;

    formats = NULL;
    text.data = (u_char *) format;
    text.len = format ? strlen(format) : 0;

    if (format) {
        ok(kz_date_formats(pool, &text, &formats) == NGX_OK, "%s", format);
    }

    kz_out_init(&o, pool, 64);
    kz_date_print(&o, ms, formats, zone);
    is_text(o.start, kz_out_len(&o), want, want);
}


/* now is 2018-03-31T10:20:30.456Z, a Saturday */

static void
math(const char *text, ngx_uint_t up, ngx_int_t zone, const char *want)
{
    int64_t    ms;
    kz_out_t   o;

    kz_out_init(&o, pool, 64);

    if (kz_date_math(NULL, (u_char *) text, strlen(text), 1522491630456LL,
                     up, zone, &ms)
        == NGX_OK)
    {
        kz_date_print(&o, ms, NULL, 0);

    } else {
        kz_out_lit(&o, "no");
    }

    is_text(o.start, kz_out_len(&o), want, text);
}


static void
duration(const char *text, int64_t want)
{
    int64_t  ms;

    ms = -1;

    if (kz_date_duration((u_char *) text, strlen(text), &ms) != NGX_OK) {
        ms = -1;
    }

    is_int(ms, want, text);
}


static void
test_civil(void)
{
    int64_t     ms, bad;
    kz_civil_t  c;

    bad = 0;

    for (ms = -70000000000000LL; ms < 70000000000000LL; ms += 7777777777LL) {
        kz_date_civil(ms, &c);

        if (kz_date_ms(&c) != ms || c.month < 1 || c.month > 12
            || c.day < 1 || c.day > 31 || c.hour > 23 || c.milli > 999)
        {
            bad++;
        }
    }

    is_int(bad, 0, "there and back");

    kz_date_civil(INT64_MIN, &c);
    ok(c.month >= 1 && c.month <= 12, "far away");
    kz_date_civil(INT64_MAX, &c);
    ok(c.month >= 1 && c.month <= 12, "far away, later");
}


int
main(void)
{
    pool = ngx_create_pool(4096, NULL);

    test_civil();

    print(0, NULL, 0, "1970-01-01T00:00:00.000Z");
    print(-1, NULL, 0, "1969-12-31T23:59:59.999Z");
    print(951782400000LL, NULL, 0, "2000-02-29T00:00:00.000Z");
    print(951782400000LL, NULL, 120, "2000-02-29T02:00:00.000+02:00");
    print(951782400000LL, NULL, -210, "2000-02-28T20:30:00.000-03:30");
    print(951782400123LL, "yyyy/MM/dd HH:mm:ss.SSS", 0,
          "2000/02/29 00:00:00.123");
    print(951782400123LL, "epoch_second||yyyy", 0, "951782400");
    print(951782400123LL, "epoch_millis", 0, "951782400123");
    print(951782400123LL, "yyyy'y'MM''dd", 0, "2000y02'29");

    math("now", 0, 0, "2018-03-31T10:20:30.456Z");
    math("now-1d", 0, 0, "2018-03-30T10:20:30.456Z");
    math("now-1M", 0, 0, "2018-02-28T10:20:30.456Z");
    math("now+1y", 0, 0, "2019-03-31T10:20:30.456Z");
    math("now/d", 0, 0, "2018-03-31T00:00:00.000Z");
    math("now/d", 1, 0, "2018-03-31T23:59:59.999Z");
    math("now/w", 0, 0, "2018-03-26T00:00:00.000Z");
    math("now/M", 1, 0, "2018-03-31T23:59:59.999Z");
    math("now/y", 0, 0, "2018-01-01T00:00:00.000Z");
    math("now/d", 0, 120, "2018-03-30T22:00:00.000Z");
    math("now-1d/d+2h", 0, 0, "2018-03-30T02:00:00.000Z");
    math("now+h", 0, 0, "2018-03-31T11:20:30.456Z");
    math("2018-01-31||+1M", 0, 0, "2018-02-28T00:00:00.000Z");
    math("2018-01-31||/M", 1, 0, "2018-01-31T23:59:59.999Z");
    math("2018-01-31", 1, 0, "2018-01-31T23:59:59.999Z");
    math("2018-01-31", 0, 120, "2018-01-30T22:00:00.000Z");
    math("2018-01-31T10:00:00Z", 0, 120, "2018-01-31T10:00:00.000Z");
    math("2018-01-31T10:00:00+01:00", 0, 120, "2018-01-31T09:00:00.000Z");
    math("1522491630456", 0, 120, "2018-03-31T10:20:30.456Z");
    math("2018-02-30", 0, 0, "no");
    math("now-", 0, 0, "no");
    math("now-1x", 0, 0, "no");
    math("now*1d", 0, 0, "no");
    math("now-99999999999d", 0, 0, "no");
    math("", 0, 0, "no");
    math("later", 0, 0, "no");

    is_int(kz_date_add(kz_date_floor(1522491630456LL, KZ_DATE_QUARTER, 0),
                       KZ_DATE_QUARTER, 1, 0),
           1522540800000LL, "the next quarter");

    duration("90m", 5400000);
    duration("1.5h", 5400000);
    duration("500ms", 500);
    duration("1d", 86400000);
    duration("", -1);
    duration("5", -1);
    duration("m", -1);
    duration("1..5h", -1);
    duration("1M", -1);

    ngx_destroy_pool(pool);

    return tap_done();
}
