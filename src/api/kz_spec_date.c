
/*
 * The formats of dates, by the names they have in Elasticsearch.  A pattern:
 *
 *     Y M D      year, month, day          h m s   hour, minute, second
 *     O          day of the year           f       1 to 9 digits of a second
 *     G W E      week year, week, day      3       milliseconds
 *     Z          zone                      x X     epoch ms, seconds
 *     [ ]        may be missing            |       or
 *
 * and anything else stands for itself; w is the letter W.
 */

#include "api/kz_spec_int.h"

#include <math.h>


#define KZ_SPEC_DAY  86400000


typedef struct {
    const char    *name;
    const char    *pattern;
    ngx_uint_t     kind;
} kz_spec_named_t;

#define KZ_SPEC_LOOSE   0      /* has a strict_ twin */
#define KZ_SPEC_BASIC   1      /* digits without separators: always strict */
#define KZ_SPEC_TWIN    2      /* both */
#define KZ_SPEC_SINGLE  3


typedef struct {
    const u_char  *p;
    const u_char  *end;
    ngx_uint_t     strict;
    int64_t        year;
    int64_t        month;
    int64_t        day;
    int64_t        ordinal;
    int64_t        week_year;
    int64_t        week;
    int64_t        weekday;
    int64_t        hour;
    int64_t        minute;
    int64_t        second;
    int64_t        zone;           /* minutes */
    double         milli;
    double         epoch;          /* ms */
    unsigned       has_year:1;
    unsigned       has_ordinal:1;
    unsigned       has_week:1;
    unsigned       has_epoch:1;
} kz_spec_moment_t;


static ngx_int_t kz_spec_date_match(kz_spec_moment_t *t, const char *pattern);
static ngx_int_t kz_spec_date_token(kz_spec_moment_t *t, char c);
static ngx_uint_t kz_spec_date_fits(kz_spec_moment_t *t, char c);
static ngx_int_t kz_spec_date_digits(kz_spec_moment_t *t, ngx_uint_t min,
    ngx_uint_t max, int64_t *n);
static ngx_int_t kz_spec_date_fraction(kz_spec_moment_t *t, ngx_uint_t min,
    ngx_uint_t max);
static ngx_int_t kz_spec_date_zone(kz_spec_moment_t *t);
static ngx_int_t kz_spec_date_epoch(kz_spec_moment_t *t, double unit);
static ngx_int_t kz_spec_date_value(kz_spec_moment_t *t, int64_t now,
    double *ms);
static int64_t kz_spec_days(int64_t year, int64_t month, int64_t day);


#define KZ_SPEC_TIME     "h:m:s.3Z"
#define KZ_SPEC_TIME_NM  "h:m:sZ"
#define KZ_SPEC_REST     "[Th[:m[:s[.f]]]][Z]"


static const kz_spec_named_t  kz_spec_dates[] = {
    { "epoch_millis", "x", KZ_SPEC_SINGLE },
    { "epoch_second", "X", KZ_SPEC_SINGLE },
    { "date_optional_time",
      "Y[-M[-D]]" KZ_SPEC_REST "|Y-O" KZ_SPEC_REST "|G-wW[-E]" KZ_SPEC_REST,
      KZ_SPEC_LOOSE },

    { "basic_date", "YMD", KZ_SPEC_BASIC },
    { "basic_date_time", "YMDThms.3Z", KZ_SPEC_BASIC },
    { "basic_date_time_no_millis", "YMDThmsZ", KZ_SPEC_BASIC },
    { "basic_ordinal_date", "YO", KZ_SPEC_BASIC },
    { "basic_ordinal_date_time", "YOThms.3Z", KZ_SPEC_BASIC },
    { "basic_ordinal_date_time_no_millis", "YOThmsZ", KZ_SPEC_BASIC },
    { "basic_time", "hms.3Z", KZ_SPEC_BASIC },
    { "basic_time_no_millis", "hmsZ", KZ_SPEC_BASIC },
    { "basic_t_time", "Thms.3Z", KZ_SPEC_BASIC },
    { "basic_t_time_no_millis", "ThmsZ", KZ_SPEC_BASIC },
    { "basic_week_date", "GwWE", KZ_SPEC_TWIN },
    { "basic_week_date_time", "GwWEThms.3Z", KZ_SPEC_TWIN },
    { "basic_week_date_time_no_millis", "GwWEThmsZ", KZ_SPEC_TWIN },

    { "date", "Y-M-D", KZ_SPEC_LOOSE },
    { "date_hour", "Y-M-DTh", KZ_SPEC_LOOSE },
    { "date_hour_minute", "Y-M-DTh:m", KZ_SPEC_LOOSE },
    { "date_hour_minute_second", "Y-M-DTh:m:s", KZ_SPEC_LOOSE },
    { "date_hour_minute_second_fraction", "Y-M-DTh:m:s.f", KZ_SPEC_LOOSE },
    { "date_hour_minute_second_millis", "Y-M-DTh:m:s.3", KZ_SPEC_LOOSE },
    { "date_time", "Y-M-DT" KZ_SPEC_TIME, KZ_SPEC_LOOSE },
    { "date_time_no_millis", "Y-M-DT" KZ_SPEC_TIME_NM, KZ_SPEC_LOOSE },

    { "hour", "h", KZ_SPEC_LOOSE },
    { "hour_minute", "h:m", KZ_SPEC_LOOSE },
    { "hour_minute_second", "h:m:s", KZ_SPEC_LOOSE },
    { "hour_minute_second_fraction", "h:m:s.f", KZ_SPEC_LOOSE },
    { "hour_minute_second_millis", "h:m:s.3", KZ_SPEC_LOOSE },

    { "ordinal_date", "Y-O", KZ_SPEC_LOOSE },
    { "ordinal_date_time", "Y-OT" KZ_SPEC_TIME, KZ_SPEC_LOOSE },
    { "ordinal_date_time_no_millis", "Y-OT" KZ_SPEC_TIME_NM,
      KZ_SPEC_LOOSE },

    { "time", KZ_SPEC_TIME, KZ_SPEC_LOOSE },
    { "time_no_millis", KZ_SPEC_TIME_NM, KZ_SPEC_LOOSE },
    { "t_time", "T" KZ_SPEC_TIME, KZ_SPEC_LOOSE },
    { "t_time_no_millis", "T" KZ_SPEC_TIME_NM, KZ_SPEC_LOOSE },

    { "week_date", "G-wW-E", KZ_SPEC_LOOSE },
    { "week_date_time", "G-wW-ET" KZ_SPEC_TIME, KZ_SPEC_LOOSE },
    { "week_date_time_no_millis", "G-wW-ET" KZ_SPEC_TIME_NM,
      KZ_SPEC_LOOSE },
    { "weekyear", "G", KZ_SPEC_LOOSE },
    { "weekyear_week", "G-wW", KZ_SPEC_LOOSE },
    { "weekyear_week_day", "G-wW-E", KZ_SPEC_LOOSE },

    { "year", "Y", KZ_SPEC_LOOSE },
    { "year_month", "Y-M", KZ_SPEC_LOOSE },
    { "year_month_day", "Y-M-D", KZ_SPEC_LOOSE },

    { NULL, NULL, 0 }
};


ngx_int_t
kz_spec_date_format(const ngx_str_t *name, kz_spec_format_t *format)
{
    ngx_str_t               s;
    ngx_uint_t              strict;
    const kz_spec_named_t  *d;

    s = *name;
    strict = (s.len > 7 && ngx_memcmp(s.data, "strict_", 7) == 0);

    if (strict) {
        s.data += 7;
        s.len -= 7;
    }

    for (d = kz_spec_dates; d->name != NULL; d++) {

        if (ngx_strlen(d->name) != s.len
            || ngx_memcmp(d->name, s.data, s.len) != 0)
        {
            continue;
        }

        if (strict
            && (d->kind == KZ_SPEC_BASIC || d->kind == KZ_SPEC_SINGLE))
        {
            return NGX_DECLINED;
        }

        format->pattern = d->pattern;
        format->strict = (strict || d->kind == KZ_SPEC_BASIC
                          || d->kind == KZ_SPEC_TWIN);

        return NGX_OK;
    }

    return NGX_DECLINED;
}


ngx_int_t
kz_spec_date(const kz_spec_format_t *format, const ngx_str_t *s, int64_t now,
    double *ms)
{
    const char        *pattern;
    kz_spec_moment_t   t;

    for (pattern = format->pattern; /* void */ ; pattern++) {

        ngx_memzero(&t, sizeof(kz_spec_moment_t));

        t.p = s->data;
        t.end = s->data + s->len;
        t.strict = format->strict;
        t.month = 1;
        t.day = 1;
        t.week = 1;
        t.weekday = 1;

        if (kz_spec_date_match(&t, pattern) == NGX_OK
            && kz_spec_date_value(&t, now, ms) == NGX_OK)
        {
            return NGX_OK;
        }

        pattern = strchr(pattern, '|');

        if (pattern == NULL) {
            return NGX_DECLINED;
        }
    }
}


/* Up to the end of the pattern or of its alternative. */

static ngx_int_t
kz_spec_date_match(kz_spec_moment_t *t, const char *pattern)
{
    ngx_uint_t  depth;

    for ( /* void */ ; *pattern && *pattern != '|'; pattern++) {

        if (*pattern == ']') {
            continue;
        }

        if (*pattern != '[') {
            if (kz_spec_date_token(t, *pattern) != NGX_OK) {
                return NGX_DECLINED;
            }

            continue;
        }

        /* what may be missing is there when its first token fits */

        if (kz_spec_date_fits(t, pattern[1])) {
            continue;
        }

        for (depth = 0; /* void */ ; pattern++) {
            depth += (*pattern == '[');
            depth -= (*pattern == ']');

            if (depth == 0) {
                break;
            }
        }
    }

    return t->p == t->end ? NGX_OK : NGX_DECLINED;
}


static ngx_uint_t
kz_spec_date_fits(kz_spec_moment_t *t, char c)
{
    if (t->p == t->end) {
        return 0;
    }

    if (c == 'Z') {
        return *t->p == 'Z' || *t->p == '+' || *t->p == '-';
    }

    return *t->p == (u_char) c;
}


static ngx_int_t
kz_spec_date_token(kz_spec_moment_t *t, char c)
{
    switch (c) {

    case 'x':
        return kz_spec_date_epoch(t, 1);

    case 'X':
        return kz_spec_date_epoch(t, 1000);

    case 'Y':
        t->has_year = 1;
        return kz_spec_date_digits(t, t->strict ? 4 : 1, 4, &t->year);

    case 'M':
        return kz_spec_date_digits(t, t->strict ? 2 : 1, 2, &t->month);

    case 'D':
        return kz_spec_date_digits(t, t->strict ? 2 : 1, 2, &t->day);

    case 'O':
        t->has_ordinal = 1;
        return kz_spec_date_digits(t, 3, 3, &t->ordinal);

    case 'G':
        t->has_week = 1;
        return kz_spec_date_digits(t, t->strict ? 4 : 1, 4, &t->week_year);

    case 'W':
        return kz_spec_date_digits(t, t->strict ? 2 : 1, 2, &t->week);

    case 'E':
        return kz_spec_date_digits(t, 1, 1, &t->weekday);

    case 'h':
        return kz_spec_date_digits(t, t->strict ? 2 : 1, 2, &t->hour);

    case 'm':
        return kz_spec_date_digits(t, t->strict ? 2 : 1, 2, &t->minute);

    case 's':
        return kz_spec_date_digits(t, t->strict ? 2 : 1, 2, &t->second);

    case 'f':
        return kz_spec_date_fraction(t, 1, 9);

    case '3':
        return kz_spec_date_fraction(t, t->strict ? 3 : 1,
                                     t->strict ? 3 : 9);

    case 'Z':
        return kz_spec_date_zone(t);

    case 'w':
        c = 'W';
        break;
    }

    if (t->p == t->end || *t->p != (u_char) c) {
        return NGX_DECLINED;
    }

    t->p++;

    return NGX_OK;
}


static ngx_int_t
kz_spec_date_digits(kz_spec_moment_t *t, ngx_uint_t min, ngx_uint_t max,
    int64_t *n)
{
    ngx_uint_t  i;

    *n = 0;

    for (i = 0; i < max && t->p < t->end && *t->p >= '0' && *t->p <= '9';
         i++)
    {
        *n = *n * 10 + (*t->p++ - '0');
    }

    return i >= min ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
kz_spec_date_fraction(kz_spec_moment_t *t, ngx_uint_t min, ngx_uint_t max)
{
    double         scale;
    int64_t        n;
    const u_char  *start;

    start = t->p;

    if (kz_spec_date_digits(t, min, max, &n) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (scale = 1000; start < t->p; start++) {
        scale /= 10;
    }

    t->milli = floor((double) n * scale + 1e-7);

    return NGX_OK;
}


/* Z, +hh, +hhmm, +hh:mm */

static ngx_int_t
kz_spec_date_zone(kz_spec_moment_t *t)
{
    int64_t     hours, minutes;
    ngx_uint_t  minus;

    if (t->p == t->end) {
        return NGX_DECLINED;
    }

    if (*t->p == 'Z') {
        t->p++;
        return NGX_OK;
    }

    if (*t->p != '+' && *t->p != '-') {
        return NGX_DECLINED;
    }

    minus = (*t->p++ == '-');
    minutes = 0;

    if (kz_spec_date_digits(t, 2, 2, &hours) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (t->p < t->end) {
        t->p += (*t->p == ':');

        if (kz_spec_date_digits(t, 2, 2, &minutes) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    if (hours > 23 || minutes > 59) {
        return NGX_DECLINED;
    }

    t->zone = hours * 60 + minutes;

    if (minus) {
        t->zone = -t->zone;
    }

    return NGX_OK;
}


/* A whole number of ms; seconds may have a fraction. */

static ngx_int_t
kz_spec_date_epoch(kz_spec_moment_t *t, double unit)
{
    int64_t     n;
    ngx_uint_t  minus;

    minus = (t->p < t->end && *t->p == '-');
    t->p += minus;

    if (kz_spec_date_digits(t, 1, 18, &n) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (unit > 1 && t->p < t->end && *t->p == '.') {
        t->p++;

        if (kz_spec_date_fraction(t, 1, 9) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    t->epoch = (double) n * unit + t->milli;
    t->has_epoch = 1;

    if (minus) {
        t->epoch = -t->epoch;
    }

    /* as far as dates of JavaScript go */

    return fabs(t->epoch) <= 8.64e15 ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
kz_spec_date_value(kz_spec_moment_t *t, int64_t now, double *ms)
{
    int64_t  days, first, next, max;

    if (t->has_epoch) {
        *ms = t->epoch;
        return NGX_OK;
    }

    if (t->hour > 23 || t->minute > 59 || t->second > 59) {
        return NGX_DECLINED;
    }

    if (t->has_week) {

        /* the week of January 4th is the first; it begins on Monday */

        first = kz_spec_days(t->week_year, 1, 4);
        first -= ((first + 3) % 7 + 7) % 7;
        next = kz_spec_days(t->week_year + 1, 1, 4);
        next -= ((next + 3) % 7 + 7) % 7;

        days = first + (t->week - 1) * 7 + t->weekday - 1;

        if (t->week < 1 || t->weekday < 1 || t->weekday > 7 || days >= next) {
            return NGX_DECLINED;
        }

    } else if (t->has_ordinal || !t->has_year) {

        if (t->has_year) {
            first = kz_spec_days(t->year, 1, 1);
            max = kz_spec_days(t->year + 1, 1, 1) - first;

            if (t->ordinal < 1 || t->ordinal > max) {
                return NGX_DECLINED;
            }

            days = first + t->ordinal - 1;

        } else {

            /* Kuzzle: a time alone is one of today */

            days = now / KZ_SPEC_DAY - (now % KZ_SPEC_DAY < 0);
        }

    } else {

        if (t->month < 1 || t->month > 12 || t->day < 1) {
            return NGX_DECLINED;
        }

        first = kz_spec_days(t->year, t->month, 1);
        next = (t->month == 12) ? kz_spec_days(t->year + 1, 1, 1)
                                : kz_spec_days(t->year, t->month + 1, 1);
        days = first + t->day - 1;

        if (days >= next) {
            return NGX_DECLINED;
        }
    }

    *ms = (double) days * KZ_SPEC_DAY
          + (double) ((t->hour * 60 + t->minute - t->zone) * 60 + t->second)
            * 1000
          + t->milli;

    return NGX_OK;
}


/* Days from 1970-01-01, proleptic Gregorian calendar. */

static int64_t
kz_spec_days(int64_t year, int64_t month, int64_t day)
{
    int64_t  era, yoe, doy;

    year -= (month <= 2);
    era = (year >= 0 ? year : year - 399) / 400;
    yoe = year - era * 400;
    doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}
