#ifndef _KZ_DATE_H_INCLUDED_
#define _KZ_DATE_H_INCLUDED_

/*
 * Arithmetic on dates, and their print.  Milliseconds since 1970, proleptic
 * Gregorian calendar, no leap seconds; zones are minutes east of Greenwich.
 * Reading: kz_mapping_date.c.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "util/kz_out.h"


typedef struct {
    int64_t              year;
    ngx_int_t            month;       /* 1 .. 12 */
    ngx_int_t            day;
    ngx_int_t            hour;
    ngx_int_t            minute;
    ngx_int_t            second;
    ngx_int_t            milli;
} kz_civil_t;


typedef enum {
    KZ_DATE_MILLI = 0,
    KZ_DATE_SECOND,
    KZ_DATE_MINUTE,
    KZ_DATE_HOUR,
    KZ_DATE_DAY,
    KZ_DATE_WEEK,                     /* begins on Monday */
    KZ_DATE_MONTH,
    KZ_DATE_QUARTER,
    KZ_DATE_YEAR
} kz_date_unit_e;


void kz_date_civil(int64_t ms, kz_civil_t *c);
int64_t kz_date_ms(const kz_civil_t *c);

/* The begin of the unit the moment lies in, as seen in the zone. */
int64_t kz_date_floor(int64_t ms, kz_date_unit_e unit, ngx_int_t zone);

/* n units later; the last day of a month stays within the month. */
int64_t kz_date_add(int64_t ms, kz_date_unit_e unit, int64_t n,
    ngx_int_t zone);

/*
 * Date math: "now-1d/d", "2018-03-01||+1M/d".  up: rounding goes to the last
 * millisecond, and so does what a date leaves out.  zone applies to dates
 * without one, and to rounding.
 *
 * NGX_OK; NGX_DECLINED: not understood.
 */
ngx_int_t kz_date_math(const ngx_array_t *formats, const u_char *p,
    size_t len, int64_t now, ngx_uint_t up, ngx_int_t zone, int64_t *ms);

/* "+02:00", "-03:30", "Z", "UTC"; NGX_DECLINED: not a fixed offset. */
ngx_int_t kz_date_offset(const u_char *p, size_t len, ngx_int_t *minutes);

/*
 * "minute", "1m", "quarter" ... as a calendar's unit (of one); "90m", "12h",
 * "1.5d" as a fixed number of milliseconds.  NGX_DECLINED: not understood.
 */
ngx_int_t kz_date_calendar(const u_char *p, size_t len,
    kz_date_unit_e *unit);
ngx_int_t kz_date_duration(const u_char *p, size_t len, int64_t *ms);

/*
 * In a format as kz_date_formats() gives it (the first of several), NULL:
 * 2018-03-01T10:20:30.123Z.
 */
void kz_date_print(kz_out_t *o, int64_t ms, const ngx_array_t *formats,
    ngx_int_t zone);


#endif /* _KZ_DATE_H_INCLUDED_ */
