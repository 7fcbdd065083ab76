/*
 * Arithmetic on dates.  See kz_date.h.
 */

#include "store/kz_date.h"
#include "store/kz_mapping_node.h"


#define KZ_DATE_DAY_MS   ((int64_t) 86400000)

/* moments beyond are cut: what is left of 64 bits holds any sum */
#define KZ_DATE_LIMIT    ((int64_t) 1 << 60)


static int64_t kz_date_days(int64_t year, ngx_int_t month, ngx_int_t day);
static int64_t kz_date_div(int64_t a, int64_t b);
static ngx_int_t kz_date_month_days(int64_t year, ngx_int_t month);
static ngx_int_t kz_date_unit(u_char c, kz_date_unit_e *unit);
static ngx_int_t kz_date_steps(const u_char *p, const u_char *end,
    ngx_uint_t up, ngx_int_t zone, int64_t *ms);
static void kz_date_pad(kz_out_t *o, int64_t n, ngx_uint_t width);
static void kz_date_pattern_print(kz_out_t *o, const kz_civil_t *c,
    const ngx_str_t *format, ngx_int_t zone);
static void kz_date_zone_print(kz_out_t *o, ngx_int_t zone);


/* Rounds down, whatever the sign. */

static int64_t
kz_date_div(int64_t a, int64_t b)
{
    return (a >= 0) ? a / b : -((-a + b - 1) / b);
}


/* Years begin in March, so that the odd day is their last one. */

static int64_t
kz_date_days(int64_t year, ngx_int_t month, ngx_int_t day)
{
    int64_t  y, m, era;

    y = (month <= 2) ? year - 1 : year;
    m = (month + 9) % 12;
    era = kz_date_div(y, 400);
    y -= era * 400;

    return era * 146097 + y * 365 + y / 4 - y / 100 + (153 * m + 2) / 5
           + day - 1 - 719468;
}


static ngx_int_t
kz_date_month_days(int64_t year, ngx_int_t month)
{
    if (month == 12) {
        return 31;
    }

    return (ngx_int_t) (kz_date_days(year, month + 1, 1)
                        - kz_date_days(year, month, 1));
}


void
kz_date_civil(int64_t ms, kz_civil_t *c)
{
    int64_t  days, rest, era, y, doy, m;

    if (ms > KZ_DATE_LIMIT) {
        ms = KZ_DATE_LIMIT;
    }

    if (ms < -KZ_DATE_LIMIT) {
        ms = -KZ_DATE_LIMIT;
    }

    days = kz_date_div(ms, KZ_DATE_DAY_MS);
    rest = ms - days * KZ_DATE_DAY_MS;

    days += 719468;
    era = kz_date_div(days, 146097);
    days -= era * 146097;

    y = (days - days / 1460 + days / 36524 - days / 146096) / 365;
    doy = days - (365 * y + y / 4 - y / 100);
    m = (5 * doy + 2) / 153;

    c->day = (ngx_int_t) (doy - (153 * m + 2) / 5 + 1);
    c->month = (ngx_int_t) (m < 10 ? m + 3 : m - 9);
    c->year = y + era * 400 + (c->month <= 2);

    c->hour = (ngx_int_t) (rest / 3600000);
    c->minute = (ngx_int_t) (rest / 60000 % 60);
    c->second = (ngx_int_t) (rest / 1000 % 60);
    c->milli = (ngx_int_t) (rest % 1000);
}


int64_t
kz_date_ms(const kz_civil_t *c)
{
    return kz_date_days(c->year, c->month, c->day) * KZ_DATE_DAY_MS
           + c->hour * 3600000 + c->minute * 60000 + c->second * 1000
           + c->milli;
}


int64_t
kz_date_floor(int64_t ms, kz_date_unit_e unit, ngx_int_t zone)
{
    int64_t     shift, days;
    kz_civil_t  c;

    static const int64_t  fixed[] = {
        1, 1000, 60000, 3600000, KZ_DATE_DAY_MS
    };

    shift = (int64_t) zone * 60000;
    ms += shift;

    if (unit <= KZ_DATE_DAY) {
        return kz_date_div(ms, fixed[unit]) * fixed[unit] - shift;
    }

    if (unit == KZ_DATE_WEEK) {

        /* 1970-01-01 was a Thursday */

        days = kz_date_div(ms, KZ_DATE_DAY_MS) + 3;

        return (kz_date_div(days, 7) * 7 - 3) * KZ_DATE_DAY_MS - shift;
    }

    kz_date_civil(ms, &c);

    c.day = 1;
    c.hour = c.minute = c.second = c.milli = 0;

    if (unit == KZ_DATE_QUARTER) {
        c.month = (c.month - 1) / 3 * 3 + 1;

    } else if (unit == KZ_DATE_YEAR) {
        c.month = 1;
    }

    return kz_date_ms(&c) - shift;
}


int64_t
kz_date_add(int64_t ms, kz_date_unit_e unit, int64_t n, ngx_int_t zone)
{
    int64_t     month, shift;
    ngx_int_t   max;
    kz_civil_t  c;

    static const int64_t  fixed[] = {
        1, 1000, 60000, 3600000, KZ_DATE_DAY_MS, 7 * KZ_DATE_DAY_MS
    };

    if (n > 100000000 || n < -100000000) {

        /* hundreds of thousands of years: no date is that far away */

        n = (n > 0) ? 100000000 : -100000000;
    }

    if (unit <= KZ_DATE_WEEK) {
        return ms + n * fixed[unit];
    }

    if (unit == KZ_DATE_QUARTER) {
        n *= 3;

    } else if (unit == KZ_DATE_YEAR) {
        n *= 12;
    }

    shift = (int64_t) zone * 60000;
    kz_date_civil(ms + shift, &c);

    month = c.year * 12 + (c.month - 1) + n;
    c.year = kz_date_div(month, 12);
    c.month = (ngx_int_t) (month - c.year * 12 + 1);

    max = kz_date_month_days(c.year, c.month);

    if (c.day > max) {
        c.day = max;
    }

    return kz_date_ms(&c) - shift;
}


static ngx_int_t
kz_date_unit(u_char c, kz_date_unit_e *unit)
{
    switch (c) {

    case 's':
        *unit = KZ_DATE_SECOND;
        return NGX_OK;

    case 'm':
        *unit = KZ_DATE_MINUTE;
        return NGX_OK;

    case 'h':
    case 'H':
        *unit = KZ_DATE_HOUR;
        return NGX_OK;

    case 'd':
        *unit = KZ_DATE_DAY;
        return NGX_OK;

    case 'w':
        *unit = KZ_DATE_WEEK;
        return NGX_OK;

    case 'M':
        *unit = KZ_DATE_MONTH;
        return NGX_OK;

    case 'y':
        *unit = KZ_DATE_YEAR;
        return NGX_OK;

    default:
        return NGX_DECLINED;
    }
}


ngx_int_t
kz_date_math(const ngx_array_t *formats, const u_char *p, size_t len,
    int64_t now, ngx_uint_t up, ngx_int_t zone, int64_t *ms)
{
    int64_t        first, last;
    const u_char  *end, *bar;

    end = p + len;

    if (len >= 3 && ngx_memcmp(p, "now", 3) == 0) {
        *ms = now;
        return kz_date_steps(p + 3, end, up, zone, ms);
    }

    for (bar = p; bar < end; bar++) {
        if (end - bar >= 2 && bar[0] == '|' && bar[1] == '|') {
            break;
        }
    }

    if (kz_date_parse(formats, p, bar - p, &first, &last) != NGX_OK) {
        return NGX_DECLINED;
    }

    *ms = (up && bar == end) ? last : first;

    if (zone) {

        /* a moment counted from 1970 has no zone, nor has one with its own */

        if (bar - p < 4 || (ngx_strlchr((u_char *) p, (u_char *) bar, '-')
                            == NULL
                            && ngx_strlchr((u_char *) p, (u_char *) bar, '/')
                               == NULL && bar - p != 4)
            || bar[-1] == 'Z'
            || (bar - p > 11
                && (ngx_strlchr((u_char *) p + 11, (u_char *) bar, '+')
                    || ngx_strlchr((u_char *) p + 11, (u_char *) bar, '-'))))
        {
            zone = 0;
        }

        *ms -= (int64_t) zone * 60000;
    }

    return (bar == end) ? NGX_OK
                        : kz_date_steps(bar + 2, end, up, zone, ms);
}


/* "+1M/d-2h" */

static ngx_int_t
kz_date_steps(const u_char *p, const u_char *end, ngx_uint_t up,
    ngx_int_t zone, int64_t *ms)
{
    u_char           op;
    int64_t          n;
    kz_date_unit_e   unit;

    while (p < end) {
        op = *p++;

        if (op != '+' && op != '-' && op != '/') {
            return NGX_DECLINED;
        }

        n = 1;

        if (op != '/' && p < end && *p >= '0' && *p <= '9') {
            for (n = 0; p < end && *p >= '0' && *p <= '9'; p++) {
                n = n * 10 + (*p - '0');

                if (n > 100000000) {
                    return NGX_DECLINED;
                }
            }
        }

        if (p == end || kz_date_unit(*p++, &unit) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (op != '/') {
            *ms = kz_date_add(*ms, unit, (op == '+') ? n : -n, zone);
            continue;
        }

        *ms = kz_date_floor(*ms, unit, zone);

        if (up) {
            *ms = kz_date_add(*ms, unit, 1, zone) - 1;
        }
    }

    return NGX_OK;
}


ngx_int_t
kz_date_offset(const u_char *p, size_t len, ngx_int_t *minutes)
{
    ngx_int_t  h, m;

    if ((len == 1 && *p == 'Z')
        || (len == 3 && (ngx_memcmp(p, "UTC", 3) == 0
                         || ngx_memcmp(p, "GMT", 3) == 0)))
    {
        *minutes = 0;
        return NGX_OK;
    }

    if (len < 3 || (*p != '+' && *p != '-')) {
        return NGX_DECLINED;
    }

    h = ngx_atoi((u_char *) p + 1, 2);
    m = 0;

    if (len == 6 && p[3] == ':') {
        m = ngx_atoi((u_char *) p + 4, 2);

    } else if (len == 5) {
        m = ngx_atoi((u_char *) p + 3, 2);

    } else if (len != 3) {
        return NGX_DECLINED;
    }

    if (h == NGX_ERROR || m == NGX_ERROR || h > 18 || m > 59) {
        return NGX_DECLINED;
    }

    *minutes = (*p == '-') ? -(h * 60 + m) : h * 60 + m;

    return NGX_OK;
}


ngx_int_t
kz_date_calendar(const u_char *p, size_t len, kz_date_unit_e *unit)
{
    ngx_uint_t  i;

    static const struct {
        ngx_str_t       name;
        kz_date_unit_e  unit;
    } names[] = {
        { ngx_string("second"), KZ_DATE_SECOND },
        { ngx_string("minute"), KZ_DATE_MINUTE },
        { ngx_string("hour"), KZ_DATE_HOUR },
        { ngx_string("day"), KZ_DATE_DAY },
        { ngx_string("week"), KZ_DATE_WEEK },
        { ngx_string("month"), KZ_DATE_MONTH },
        { ngx_string("quarter"), KZ_DATE_QUARTER },
        { ngx_string("year"), KZ_DATE_YEAR },
        { ngx_string("1q"), KZ_DATE_QUARTER },
        { ngx_null_string, 0 }
    };

    for (i = 0; names[i].name.len; i++) {
        if (names[i].name.len == len
            && ngx_memcmp(names[i].name.data, p, len) == 0)
        {
            *unit = names[i].unit;
            return NGX_OK;
        }
    }

    if (len == 2 && p[0] == '1') {
        return kz_date_unit(p[1], unit);
    }

    return NGX_DECLINED;
}


ngx_int_t
kz_date_duration(const u_char *p, size_t len, int64_t *ms)
{
    double         n, scale;
    const u_char  *end;

    end = p + len;
    n = 0;
    scale = 0;

    for ( /* void */ ; p < end && ((*p >= '0' && *p <= '9') || *p == '.');
         p++)
    {
        if (*p == '.') {
            if (scale != 0) {
                return NGX_DECLINED;
            }

            scale = 1;
            continue;
        }

        n = n * 10 + (*p - '0');
        scale *= 10;
    }

    if (scale > 1) {
        n /= scale;
    }

    if (p == end || p == end - len) {
        return NGX_DECLINED;
    }

    if (end - p == 2 && p[0] == 'm' && p[1] == 's') {
        /* void */

    } else if (end - p != 1) {
        return NGX_DECLINED;

    } else if (*p == 's') {
        n *= 1000;

    } else if (*p == 'm') {
        n *= 60000;

    } else if (*p == 'h' || *p == 'H') {
        n *= 3600000;

    } else if (*p == 'd') {
        n *= (double) KZ_DATE_DAY_MS;

    } else if (*p == 'w') {
        n *= 7 * (double) KZ_DATE_DAY_MS;

    } else {
        return NGX_DECLINED;
    }

    if (!(n >= 1 && n < 1e15)) {
        return NGX_DECLINED;
    }

    *ms = (int64_t) n;

    return NGX_OK;
}


static void
kz_date_pad(kz_out_t *o, int64_t n, ngx_uint_t width)
{
    u_char  text[NGX_INT64_LEN + 16], *p;

    if (n < 0) {
        kz_out_char(o, '-');
        n = -n;
    }

    p = ngx_sprintf(text, "%L", n);

    while ((ngx_uint_t) (p - text) < width) {
        kz_out_char(o, '0');
        width--;
    }

    kz_out_bytes(o, text, p - text);
}


void
kz_date_print(kz_out_t *o, int64_t ms, const ngx_array_t *formats,
    ngx_int_t zone)
{
    ngx_str_t   *format;
    kz_civil_t   c;

    static ngx_str_t  iso = ngx_string("yyyy-MM-dd'T'HH:mm:ss.SSSZ");
    static ngx_str_t  slashes = ngx_string("yyyy/MM/dd HH:mm:ss");

    format = (formats && formats->nelts) ? formats->elts : &iso;

    if (format->len == 2 && ngx_memcmp(format->data, "ms", 2) == 0) {
        kz_out_int(o, ms);
        return;
    }

    if (format->len == 1 && format->data[0] == 's') {
        kz_out_int(o, kz_date_div(ms, 1000));
        return;
    }

    if (format->len == 3 && ngx_memcmp(format->data, "iso", 3) == 0) {
        format = &iso;

    } else if (format->len == 7
               && ngx_memcmp(format->data, "slashes", 7) == 0)
    {
        format = &slashes;
    }

    kz_date_civil(ms + (int64_t) zone * 60000, &c);
    kz_date_pattern_print(o, &c, format, zone);
}


static void
kz_date_pattern_print(kz_out_t *o, const kz_civil_t *c,
    const ngx_str_t *format, ngx_int_t zone)
{
    u_char   letter;
    size_t   n;
    u_char  *p, *end;

    end = format->data + format->len;

    for (p = format->data; p < end; p += n) {
        letter = *p;

        for (n = 1; p + n < end && p[n] == letter; n++) { /* void */ }

        switch (letter) {

        case 'y':
        case 'u':
            kz_date_pad(o, n == 2 ? c->year % 100 : c->year, n);
            break;

        case 'M':
            kz_date_pad(o, c->month, n);
            break;

        case 'd':
            kz_date_pad(o, c->day, n);
            break;

        case 'H':
            kz_date_pad(o, c->hour, n);
            break;

        case 'm':
            kz_date_pad(o, c->minute, n);
            break;

        case 's':
            kz_date_pad(o, c->second, n);
            break;

        case 'S':
            kz_date_pad(o, n == 1 ? c->milli / 100
                           : n == 2 ? c->milli / 10 : c->milli,
                        ngx_min(n, 3));
            break;

        case 'Z':
        case 'X':
            kz_date_zone_print(o, zone);
            break;

        case '\'':
            if (n >= 2) {
                kz_out_char(o, '\'');
                n = 2;
                break;
            }

            for (p++; p < end && *p != '\''; p++) {
                kz_out_char(o, *p);
            }

            break;

        default:
            kz_out_bytes(o, p, n);
        }
    }
}


static void
kz_date_zone_print(kz_out_t *o, ngx_int_t zone)
{
    if (zone == 0) {
        kz_out_char(o, 'Z');
        return;
    }

    kz_out_char(o, zone < 0 ? '-' : '+');
    zone = (zone < 0) ? -zone : zone;

    kz_date_pad(o, zone / 60, 2);
    kz_out_char(o, ':');
    kz_date_pad(o, zone % 60, 2);
}
