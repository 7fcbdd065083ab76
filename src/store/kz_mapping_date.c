
/*
 * Dates as text.
 *
 * Default: ISO 8601 with as much of it as there is (2018, 2018-03,
 * 2018-03-01, 2018-03-01T10, ...T10:20:30.123Z, +02:00), yyyy/MM/dd with an
 * optional HH:mm:ss, or epoch milliseconds.  A mapping may name formats of
 * its own: patterns of yyyy MM dd HH mm ss SSS Z with literals, and
 * a few names.
 *
 * What is left out makes a time span: a search for 2018-03-01 means that
 * whole day.  As in the original only the time of day is open to the end;
 * a missing month or day is the first one.
 */

#include "store/kz_mapping_node.h"


typedef struct {
    ngx_int_t        year;
    ngx_int_t        month;
    ngx_int_t        day;
    ngx_int_t        hour;       /* -1: not given, and so on */
    ngx_int_t        minute;
    ngx_int_t        second;
    ngx_int_t        milli;
    ngx_int_t        zone;       /* minutes east */
} kz_date_t;


typedef struct {
    const u_char    *p;
    const u_char    *end;
} kz_date_in_t;


static ngx_int_t kz_date_iso(kz_date_in_t *in, kz_date_t *d);
static ngx_int_t kz_date_slashes(kz_date_in_t *in, kz_date_t *d);
static ngx_int_t kz_date_pattern(const ngx_str_t *format, kz_date_in_t *in,
    kz_date_t *d);
static ngx_int_t kz_date_letters(kz_date_in_t *in, u_char letter, size_t n,
    kz_date_t *d);
static ngx_int_t kz_date_number(kz_date_in_t *in, size_t min, size_t max,
    ngx_int_t *n);
static ngx_int_t kz_date_fraction(kz_date_in_t *in, kz_date_t *d);
static ngx_int_t kz_date_zone(kz_date_in_t *in, kz_date_t *d);
static ngx_int_t kz_date_epoch(const u_char *p, size_t len, int64_t unit,
    int64_t *ms);
static ngx_int_t kz_date_span(const kz_date_t *d, int64_t *first,
    int64_t *last);


/* Names of formats that stand for the patterns beside them. */

static const struct {
    ngx_str_t  name;
    ngx_str_t  pattern;
} kz_date_names[] = {
    { ngx_string("strict_date_optional_time"), ngx_string("iso") },
    { ngx_string("date_optional_time"), ngx_string("iso") },
    { ngx_string("strict_date_optional_time_nanos"), ngx_string("iso") },
    { ngx_string("dateOptionalTime"), ngx_string("iso") },
    { ngx_string("strict_date_time"), ngx_string("iso") },
    { ngx_string("date_time"), ngx_string("iso") },
    { ngx_string("epoch_millis"), ngx_string("ms") },
    { ngx_string("epoch_second"), ngx_string("s") },
    { ngx_string("strict_date"), ngx_string("yyyy-MM-dd") },
    { ngx_string("date"), ngx_string("yyyy-MM-dd") },
    { ngx_string("basic_date"), ngx_string("yyyyMMdd") },
    { ngx_string("strict_year_month_day"), ngx_string("yyyy-MM-dd") },
    { ngx_string("year_month_day"), ngx_string("yyyy-MM-dd") },
    { ngx_string("strict_year_month"), ngx_string("yyyy-MM") },
    { ngx_string("year_month"), ngx_string("yyyy-MM") },
    { ngx_string("strict_year"), ngx_string("yyyy") },
    { ngx_string("year"), ngx_string("yyyy") },
    { ngx_null_string, ngx_null_string }
};


#define kz_date_format_is(f, s)                                               \
    ((f)->len == sizeof(s) - 1                                                \
     && ngx_memcmp((f)->data, s, sizeof(s) - 1) == 0)

#define kz_date_here(in, c)                                                   \
    ((in)->p < (in)->end && *(in)->p == (c))


ngx_int_t
kz_date_parse(const ngx_array_t *formats, const u_char *p, size_t len,
    int64_t *first, int64_t *last)
{
    ngx_int_t      rc;
    kz_date_t      d;
    ngx_str_t     *format;
    ngx_uint_t     i, n;
    kz_date_in_t   in;

    static ngx_str_t  defaults[] = {
        ngx_string("iso"), ngx_string("slashes"), ngx_string("ms")
    };

    format = (formats == NULL) ? defaults : formats->elts;
    n = (formats == NULL) ? 3 : formats->nelts;

    for (i = 0; i < n; i++) {
        in.p = p;
        in.end = p + len;

        if (kz_date_format_is(&format[i], "ms")
            || kz_date_format_is(&format[i], "s"))
        {
            rc = kz_date_epoch(p, len, (format[i].len == 1) ? 1000 : 1,
                               first);
            if (rc == NGX_OK) {
                *last = *first;
                return NGX_OK;
            }

            continue;
        }

        d.month = 1;
        d.day = 1;
        d.hour = -1;
        d.minute = -1;
        d.second = -1;
        d.milli = -1;
        d.zone = 0;
        d.year = 1970;

        if (kz_date_format_is(&format[i], "iso")) {
            rc = kz_date_iso(&in, &d);

        } else if (kz_date_format_is(&format[i], "slashes")) {
            rc = kz_date_slashes(&in, &d);

        } else {
            rc = kz_date_pattern(&format[i], &in, &d);
        }

        if (rc == NGX_OK && in.p == in.end) {
            rc = kz_date_span(&d, first, last);

            if (rc == NGX_OK) {
                return NGX_OK;
            }
        }
    }

    return NGX_ERROR;
}


ngx_uint_t
kz_date_looks(const u_char *p, size_t len)
{
    int64_t      first, last;
    ngx_uint_t   i;

    /* a bare year is a number as text, not a date; so are epoch times */

    if (len < sizeof("2018-01") - 1) {
        return 0;
    }

    for (i = 0; i < 4; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return 0;
        }
    }

    if (p[4] != '-' && p[4] != '/') {
        return 0;
    }

    return kz_date_parse(NULL, p, len, &first, &last) == NGX_OK;
}


ngx_int_t
kz_date_formats(ngx_pool_t *pool, const ngx_str_t *text,
    ngx_array_t **formats)
{
    u_char      *p, *end, *next;
    ngx_str_t   *f;
    ngx_uint_t   i;

    *formats = ngx_array_create(pool, 2, sizeof(ngx_str_t));
    if (*formats == NULL) {
        return NGX_ERROR;
    }

    p = text->data;
    end = text->data + text->len;

    for ( ;; ) {
        for (next = p; next < end; next++) {
            if (end - next >= 2 && next[0] == '|' && next[1] == '|') {
                break;
            }
        }

        if (next == p) {
            return NGX_DECLINED;
        }

        f = ngx_array_push(*formats);
        if (f == NULL) {
            return NGX_ERROR;
        }

        f->data = p;
        f->len = next - p;

        for (i = 0; kz_date_names[i].name.len != 0; i++) {
            if (kz_date_names[i].name.len == f->len
                && ngx_memcmp(kz_date_names[i].name.data, f->data, f->len)
                   == 0)
            {
                break;
            }
        }

        if (kz_date_names[i].name.len != 0) {
            *f = kz_date_names[i].pattern;

        } else if (f->len < 4
                   || (ngx_memcmp(f->data, "yyyy", 4) != 0
                       && ngx_memcmp(f->data, "uuuu", 4) != 0
                       && ngx_memcmp(f->data, "dd", 2) != 0
                       && ngx_memcmp(f->data, "MM", 2) != 0))
        {
            return NGX_DECLINED;

        } else {

            /* letters without a meaning here would match themselves */

            for (i = 0; i < f->len; i++) {
                if (f->data[i] == '\'') {
                    for (i++; i < f->len && f->data[i] != '\''; i++) {
                        /* void */
                    }

                    continue;
                }

                if (((f->data[i] | 0x20) >= 'a' && (f->data[i] | 0x20) <= 'z'
                     && ngx_strchr("yuMdHmsSZX", f->data[i]) == NULL)
                    || f->data[i] == '[' || f->data[i] == '\0')
                {
                    return NGX_DECLINED;
                }
            }
        }

        if (next == end) {
            return NGX_OK;
        }

        p = next + 2;
    }
}


static ngx_int_t
kz_date_iso(kz_date_in_t *in, kz_date_t *d)
{
    if (kz_date_number(in, 4, 4, &d->year) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!kz_date_here(in, '-')) {
        goto time;
    }

    in->p++;

    if (kz_date_number(in, 2, 2, &d->month) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!kz_date_here(in, '-')) {
        goto time;
    }

    in->p++;

    if (kz_date_number(in, 2, 2, &d->day) != NGX_OK) {
        return NGX_ERROR;
    }

time:

    if (!kz_date_here(in, 'T')) {
        return NGX_OK;
    }

    in->p++;

    if (in->p == in->end) {
        return NGX_OK;
    }

    if (kz_date_number(in, 2, 2, &d->hour) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_date_here(in, ':')) {
        in->p++;

        if (kz_date_number(in, 2, 2, &d->minute) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_date_here(in, ':')) {
            in->p++;

            if (kz_date_number(in, 2, 2, &d->second) != NGX_OK
                || kz_date_fraction(in, d) != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return kz_date_zone(in, d);
}


static ngx_int_t
kz_date_slashes(kz_date_in_t *in, kz_date_t *d)
{
    static ngx_str_t  day = ngx_string("yyyy/MM/dd");
    static ngx_str_t  time = ngx_string(" HH:mm:ss");

    if (kz_date_pattern(&day, in, d) != NGX_OK) {
        return NGX_ERROR;
    }

    return (in->p == in->end) ? NGX_OK : kz_date_pattern(&time, in, d);
}


static ngx_int_t
kz_date_pattern(const ngx_str_t *format, kz_date_in_t *in, kz_date_t *d)
{
    size_t   n;
    u_char  *f, *end;

    f = format->data;
    end = f + format->len;

    while (f < end) {

        if (*f == '\'') {
            for (f++; f < end && *f != '\''; f++) {
                if (!kz_date_here(in, *f)) {
                    return NGX_ERROR;
                }

                in->p++;
            }

            f++;
            continue;
        }

        if ((*f | 0x20) < 'a' || (*f | 0x20) > 'z') {
            if (!kz_date_here(in, *f)) {
                return NGX_ERROR;
            }

            in->p++;
            f++;
            continue;
        }

        for (n = 1; f + n < end && f[n] == *f; n++) { /* void */ }

        if (kz_date_letters(in, *f, n, d) != NGX_OK) {
            return NGX_ERROR;
        }

        f += n;
    }

    return NGX_OK;
}


/* A run of n equal letters of a pattern. */
static ngx_int_t
kz_date_letters(kz_date_in_t *in, u_char letter, size_t n, kz_date_t *d)
{
    ngx_int_t      rc;
    kz_date_in_t   dot;

    switch (letter) {

    case 'y':
    case 'u':
        return kz_date_number(in, 4, 4, &d->year);

    case 'M':
        return kz_date_number(in, n, 2, &d->month);

    case 'd':
        return kz_date_number(in, n, 2, &d->day);

    case 'H':
        return kz_date_number(in, n, 2, &d->hour);

    case 'm':
        return kz_date_number(in, n, 2, &d->minute);

    case 's':
        return kz_date_number(in, n, 2, &d->second);

    case 'S':
        dot.p = in->p;
        dot.end = in->end;

        rc = kz_date_number(&dot, n, n, &d->milli);
        if (rc != NGX_OK) {
            return rc;
        }

        while (n < 3) {
            d->milli *= 10;
            n++;
        }

        while (n > 3) {
            d->milli /= 10;
            n--;
        }

        in->p = dot.p;
        return NGX_OK;

    default:  /* Z X */
        return (in->p == in->end) ? NGX_ERROR : kz_date_zone(in, d);
    }
}


static ngx_int_t
kz_date_number(kz_date_in_t *in, size_t min, size_t max, ngx_int_t *n)
{
    size_t  i;

    *n = 0;

    for (i = 0; i < ngx_min(max, 9) && in->p < in->end; i++, in->p++) {
        if (*in->p < '0' || *in->p > '9') {
            break;
        }

        *n = *n * 10 + (*in->p - '0');
    }

    return (i >= min) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
kz_date_fraction(kz_date_in_t *in, kz_date_t *d)
{
    ngx_int_t  scale;

    if (!kz_date_here(in, '.') && !kz_date_here(in, ',')) {
        return NGX_OK;
    }

    in->p++;

    d->milli = 0;
    scale = 100;

    if (in->p == in->end || *in->p < '0' || *in->p > '9') {
        return NGX_ERROR;
    }

    while (in->p < in->end && *in->p >= '0' && *in->p <= '9') {
        d->milli += (*in->p - '0') * scale;
        scale /= 10;
        in->p++;
    }

    return NGX_OK;
}


/* Z, +02, +0200, +02:00, or nothing. */
static ngx_int_t
kz_date_zone(kz_date_in_t *in, kz_date_t *d)
{
    ngx_int_t  sign, hours, minutes;

    if (in->p == in->end) {
        return NGX_OK;
    }

    if (*in->p == 'Z') {
        in->p++;
        return NGX_OK;
    }

    if (*in->p != '+' && *in->p != '-') {
        return NGX_ERROR;
    }

    sign = (*in->p == '-') ? -1 : 1;
    minutes = 0;

    in->p++;

    if (kz_date_number(in, 2, 2, &hours) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_date_here(in, ':')) {
        in->p++;

        if (in->p == in->end) {
            return NGX_ERROR;
        }
    }

    if (in->p < in->end
        && kz_date_number(in, 2, 2, &minutes) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (hours > 18 || minutes > 59) {
        return NGX_ERROR;
    }

    d->zone = sign * (hours * 60 + minutes);

    return NGX_OK;
}


static ngx_int_t
kz_date_epoch(const u_char *p, size_t len, int64_t unit, int64_t *ms)
{
    int64_t        n;
    const u_char  *end;

    end = p + len;

    if (p < end && *p == '-') {
        p++;
    }

    if (p == end || end - p > 15) {
        return NGX_ERROR;
    }

    for (n = 0; p < end; p++) {
        if (*p < '0' || *p > '9') {
            return NGX_ERROR;
        }

        n = n * 10 + (*p - '0');
    }

    *ms = n * unit * ((end[-(ssize_t) len] == '-') ? -1 : 1);

    return NGX_OK;
}


static ngx_int_t
kz_date_span(const kz_date_t *d, int64_t *first, int64_t *last)
{
    int64_t    y, m, days, era;
    ngx_int_t  max;

    static const u_char  month_days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (d->month < 1 || d->month > 12 || d->hour > 23 || d->minute > 59
        || d->second > 59)
    {
        return NGX_ERROR;
    }

    max = month_days[d->month - 1];

    if (d->month == 2 && d->year % 4 == 0
        && (d->year % 100 != 0 || d->year % 400 == 0))
    {
        max = 29;
    }

    if (d->day < 1 || d->day > max) {
        return NGX_ERROR;
    }

    /* days since 1970-01-01; years begin in March, so that the odd day is
     * their last one */

    y = (d->month <= 2) ? d->year - 1 : d->year;
    m = (d->month + 9) % 12;
    era = (y >= 0 ? y : y - 399) / 400;
    y -= era * 400;

    days = era * 146097 + y * 365 + y / 4 - y / 100
           + (153 * m + 2) / 5 + d->day - 1 - 719468;

    *first = ((days * 24 + (d->hour < 0 ? 0 : d->hour)) * 60
              + (d->minute < 0 ? 0 : d->minute) - d->zone) * 60000
             + (d->second < 0 ? 0 : d->second) * 1000
             + (d->milli < 0 ? 0 : d->milli);

    *last = ((days * 24 + (d->hour < 0 ? 23 : d->hour)) * 60
             + (d->minute < 0 ? 59 : d->minute) - d->zone) * 60000
            + (d->second < 0 ? 59 : d->second) * 1000
            + (d->milli < 0 ? 999 : d->milli);

    return NGX_OK;
}
