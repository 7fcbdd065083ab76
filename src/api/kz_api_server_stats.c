/*
 * Controller server: what it did lately.  Frames and counters are
 * core/kz_stat.h's; here they become Kuzzle's objects.
 *
 * Kuzzle: of connections, completed and failed requests only the protocols
 * that have some are named; of ongoing requests all that were ever seen.
 */

#include "api/kz_server_stats.h"

#include "core/kz_bus.h"
#include "core/kz_stat.h"

#include <math.h>


/* a time of getStats: milliseconds, or not given */

typedef struct {
    double           ms;
    ngx_uint_t       given;
} kz_server_time_t;


typedef struct {
    u_char          *p;
    u_char          *last;
} kz_server_text_t;


static ngx_int_t kz_server_hits(kz_req_t *req, kz_server_time_t *start,
    kz_server_time_t *stop);
static ngx_int_t kz_server_time(kz_req_t *req, const char *name,
    kz_server_time_t *t);
static ngx_int_t kz_server_time_arg(kz_req_t *req, const char *name,
    kz_json_val_t *v, ngx_str_t *text);
static ngx_int_t kz_server_number(ngx_str_t *text, double *n);
static ngx_int_t kz_server_date(ngx_str_t *text, double *ms);
static ngx_int_t kz_server_clock(kz_server_text_t *t, double *ms);
static ngx_int_t kz_server_zone(kz_server_text_t *t, double *ms);
static ngx_int_t kz_server_digits(kz_server_text_t *t, ngx_uint_t n,
    int64_t *value);
static ngx_uint_t kz_server_take(kz_server_text_t *t, u_char c);
static int64_t kz_server_days(int64_t y, int64_t m, int64_t d);
static void kz_server_frame(kz_req_t *req, kz_out_t *o, kz_stat_frame_t *f,
    ngx_uint_t running);
static void kz_server_protos(kz_out_t *o, const char *name,
    const uint64_t *n, ngx_uint_t step, const uint64_t (*seen)[2]);


ngx_int_t
kz_server_get_stats(kz_req_t *req)
{
    kz_server_time_t  start, stop;

    if (kz_server_time(req, "startTime", &start) != NGX_OK
        || kz_server_time(req, "stopTime", &stop) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (start.given && start.ms >= (double) req->timestamp) {
        req->result.type = KZ_RESULT_JSON;
        ngx_str_set(&req->result.json, "{\"hits\":[],\"total\":0}");

        return NGX_OK;
    }

    return kz_server_hits(req, &start, &stop);
}


ngx_int_t
kz_server_get_all_stats(kz_req_t *req)
{
    kz_server_time_t  none;

    ngx_memzero(&none, sizeof(kz_server_time_t));

    return kz_server_hits(req, &none, &none);
}


ngx_int_t
kz_server_get_last_stats(kz_req_t *req)
{
    kz_out_t         o;
    uint64_t         n, first;
    ngx_uint_t       running;
    kz_stat_frame_t  f;

    n = kz_stat_frames(&first);
    running = (n == first || kz_stat_frame(n - 1, &f) != NGX_OK);

    if (running) {
        kz_stat_running(&f);
    }

    kz_out_init(&o, req->pool, 256);
    kz_server_frame(req, &o, &f, running);

    return kz_result_json(req, &o);
}


static ngx_int_t
kz_server_hits(kz_req_t *req, kz_server_time_t *start,
    kz_server_time_t *stop)
{
    double           ms;
    kz_out_t         o;
    uint64_t         i, n, first;
    ngx_uint_t       kept, total;
    kz_stat_frame_t  f;

    n = kz_stat_frames(&first);

    kz_out_init(&o, req->pool, 1024);
    kz_out_lit(&o, "{\"hits\":[");

    total = 0;
    kept = 0;

    for (i = first; i < n; i++) {

        if (kz_stat_frame(i, &f) != NGX_OK) {
            continue;
        }

        kept++;
        ms = (double) f.timestamp;

        if ((start->given && ms < start->ms) || (stop->given && ms > stop->ms))
        {
            continue;
        }

        if (total++) {
            kz_out_char(&o, ',');
        }

        kz_server_frame(req, &o, &f, 0);
    }

    if (kept == 0) {

        /* nothing has been cut yet: what there is so far */

        kz_stat_running(&f);
        kz_server_frame(req, &o, &f, 1);
        total = 1;
    }

    kz_out_lit(&o, "],\"total\":");
    kz_out_int(&o, total);
    kz_out_char(&o, '}');

    return kz_result_json(req, &o);
}


/*
 * A number of milliseconds or a date, as text or in JSON; null, 0 and an
 * empty text are as good as absent.
 */

static ngx_int_t
kz_server_time(kz_req_t *req, const char *name, kz_server_time_t *t)
{
    ngx_int_t      rc;
    ngx_str_t      text, arg, expected;
    kz_json_val_t  v;

    t->given = 0;
    t->ms = 0;

    rc = kz_server_time_arg(req, name, &v, &text);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED || text.len == 0) {
        return NGX_OK;
    }

    if (kz_server_number(&text, &t->ms) == NGX_OK) {
        t->given = (t->ms != 0);
        return NGX_OK;
    }

    if (kz_server_date(&text, &t->ms) == NGX_OK) {
        t->given = 1;
        return NGX_OK;
    }

    arg.data = (u_char *) name;
    arg.len = ngx_strlen(name);
    ngx_str_set(&expected, "number or date");

    return kz_fail(req, KZ_E_ASSERT_INVALID_ARGUMENT, 2, &arg, &expected);
}


/* Beside the envelope's members, or in the body (POST /_getStats). */

static ngx_int_t
kz_server_time_arg(kz_req_t *req, const char *name, kz_json_val_t *v,
    ngx_str_t *text)
{
    kz_arg_t  *arg;

    arg = kz_req_arg(req, name, ngx_strlen(name));

    if (arg && arg->val.type == KZ_JSON_NONE) {
        *text = arg->text;
        return NGX_OK;
    }

    if (arg) {
        *v = arg->val;

    } else if (req->body.type != KZ_JSON_OBJECT
               || kz_json_get(&req->body, name, ngx_strlen(name), v)
                  != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (v->type == KZ_JSON_NULL || v->type == KZ_JSON_FALSE) {
        return NGX_DECLINED;
    }

    if (v->type == KZ_JSON_STRING) {
        return kz_json_string(req->pool, v, text);
    }

    *text = v->raw;

    return NGX_OK;
}


/* Decimal only: what strtod() takes beyond that is no number in JavaScript. */

static ngx_int_t
kz_server_number(ngx_str_t *text, double *n)
{
    char    *end;
    size_t   i;
    char     buf[64];

    if (text->len >= sizeof(buf)) {
        return NGX_DECLINED;
    }

    for (i = 0; i < text->len; i++) {
        if (ngx_strchr("0123456789+-.eE", text->data[i]) == NULL
            || text->data[i] == '\0')
        {
            return NGX_DECLINED;
        }
    }

    ngx_memcpy(buf, text->data, text->len);
    buf[text->len] = '\0';

    *n = strtod(buf, &end);

    return (*end == '\0' && end != buf) ? NGX_OK : NGX_DECLINED;
}


/*
 * ECMA-262, Date Time String Format: YYYY[-MM[-DD]], then perhaps
 * THH:mm[:ss[.sss]] and Z or an offset; without one it is UTC.
 */

static ngx_int_t
kz_server_date(ngx_str_t *text, double *ms)
{
    double            clock;
    int64_t           y, m, d;
    kz_server_text_t  t;

    static const u_char  days[] = {
        31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    t.p = text->data;
    t.last = text->data + text->len;

    m = 1;
    d = 1;
    clock = 0;

    if (kz_server_digits(&t, 4, &y) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (kz_server_take(&t, '-')) {

        if (kz_server_digits(&t, 2, &m) != NGX_OK || m < 1 || m > 12) {
            return NGX_DECLINED;
        }

        if (kz_server_take(&t, '-')
            && (kz_server_digits(&t, 2, &d) != NGX_OK
                || d < 1 || d > days[m - 1]))
        {
            return NGX_DECLINED;
        }
    }

    if (kz_server_take(&t, 'T') && kz_server_clock(&t, &clock) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (t.p != t.last) {
        return NGX_DECLINED;
    }

    *ms = (double) kz_server_days(y, m, d) * 86400000 + clock;

    return NGX_OK;
}


static ngx_int_t
kz_server_clock(kz_server_text_t *t, double *ms)
{
    double   unit;
    int64_t  h, m, s, digit;

    s = 0;

    if (kz_server_digits(t, 2, &h) != NGX_OK || h > 24
        || !kz_server_take(t, ':')
        || kz_server_digits(t, 2, &m) != NGX_OK || m > 59)
    {
        return NGX_DECLINED;
    }

    if (kz_server_take(t, ':')
        && (kz_server_digits(t, 2, &s) != NGX_OK || s > 59))
    {
        return NGX_DECLINED;
    }

    *ms = (double) ((h * 60 + m) * 60 + s) * 1000;

    if (kz_server_take(t, '.')) {

        if (kz_server_digits(t, 1, &digit) != NGX_OK) {
            return NGX_DECLINED;
        }

        unit = 100;

        do {
            *ms += (double) digit * unit;
            unit /= 10;
        } while (kz_server_digits(t, 1, &digit) == NGX_OK);

        *ms = floor(*ms);
    }

    if (*ms > 86400000) {
        return NGX_DECLINED;
    }

    return kz_server_zone(t, ms);
}


static ngx_int_t
kz_server_zone(kz_server_text_t *t, double *ms)
{
    int64_t     h, m;
    ngx_uint_t  east;

    if (kz_server_take(t, 'Z')) {
        return NGX_OK;
    }

    east = kz_server_take(t, '+');

    if (!east && !kz_server_take(t, '-')) {
        return NGX_OK;
    }

    if (kz_server_digits(t, 2, &h) != NGX_OK || h > 23
        || !kz_server_take(t, ':')
        || kz_server_digits(t, 2, &m) != NGX_OK || m > 59)
    {
        return NGX_DECLINED;
    }

    *ms += (double) (h * 60 + m) * (east ? -60000 : 60000);

    return NGX_OK;
}


static ngx_int_t
kz_server_digits(kz_server_text_t *t, ngx_uint_t n, int64_t *value)
{
    int64_t     v;
    ngx_uint_t  i;

    if ((size_t) (t->last - t->p) < n) {
        return NGX_DECLINED;
    }

    for (v = 0, i = 0; i < n; i++) {

        if (t->p[i] < '0' || t->p[i] > '9') {
            return NGX_DECLINED;
        }

        v = v * 10 + (t->p[i] - '0');
    }

    t->p += n;
    *value = v;

    return NGX_OK;
}


static ngx_uint_t
kz_server_take(kz_server_text_t *t, u_char c)
{
    if (t->p < t->last && *t->p == c) {
        t->p++;
        return 1;
    }

    return 0;
}


/* Days since 1970-01-01 in the proleptic Gregorian calendar. */

static int64_t
kz_server_days(int64_t y, int64_t m, int64_t d)
{
    /* years that begin in March: the day that may be missing is the last */

    y -= (m <= 2);
    m = (m + 9) % 12;

    return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + d - 1
           - 719468;
}


/* Kuzzle: each generation has its own order of members. */

static void
kz_server_frame(kz_req_t *req, kz_out_t *o, kz_stat_frame_t *f,
    ngx_uint_t running)
{
    const uint64_t  (*seen)[2];

    seen = (const uint64_t (*)[2]) f->totals;

    kz_out_char(o, '{');

    if (req->dialect == KZ_DIALECT_1) {
        kz_server_protos(o, "connections", f->connections, 1, NULL);
        kz_server_protos(o, ",\"ongoingRequests", f->ongoing, 1, seen);
        kz_server_protos(o, ",\"completedRequests", &f->done[0][0], 2, NULL);
        kz_server_protos(o, ",\"failedRequests", &f->done[0][1], 2, NULL);

    } else {

        if (running) {
            kz_out_lit(o, "\"timestamp\":");
            kz_out_int(o, (int64_t) f->timestamp);
            kz_out_char(o, ',');
        }

        kz_server_protos(o, "completedRequests", &f->done[0][0], 2, NULL);
        kz_server_protos(o, ",\"connections", f->connections, 1, NULL);
        kz_server_protos(o, ",\"failedRequests", &f->done[0][1], 2, NULL);
        kz_server_protos(o, ",\"ongoingRequests", f->ongoing, 1, seen);

        if (running) {
            kz_out_char(o, '}');
            return;
        }
    }

    kz_out_lit(o, ",\"timestamp\":");
    kz_out_int(o, (int64_t) f->timestamp);
    kz_out_char(o, '}');
}


/*
 * "name":{"http":1,...}; the numbers of the protocols are step words apart.
 * seen: the totals of requests that decide who is named besides.
 */

static void
kz_server_protos(kz_out_t *o, const char *name, const uint64_t *n,
    ngx_uint_t step, const uint64_t (*seen)[2])
{
    ngx_uint_t  p, first;

    if (name[0] != ',') {
        kz_out_char(o, '"');
    }

    kz_out_bytes(o, name, ngx_strlen(name));
    kz_out_lit(o, "\":{");

    first = 1;

    for (p = 0; p < KZ_STAT_PROTOS; p++) {

        if (n[p * step] == 0
            && (seen == NULL || (seen[p][0] == 0 && seen[p][1] == 0)))
        {
            continue;
        }

        if (!first) {
            kz_out_char(o, ',');
        }

        first = 0;

        kz_out_char(o, '"');
        kz_out_bytes(o, kz_stat_protos[p], ngx_strlen(kz_stat_protos[p]));
        kz_out_lit(o, "\":");
        kz_out_int(o, (int64_t) n[p * step]);
    }

    kz_out_char(o, '}');
}


/*
 * Kuzzle: requests at work, and those that wait for their turn: here the
 * ones that wait for the store.
 */

ngx_int_t
kz_server_metrics(kz_req_t *req)
{
    kz_out_t         o;
    uint64_t         ongoing, pending;
    ngx_uint_t       p;
    kz_stat_frame_t  f;

    kz_stat_running(&f);

    ongoing = 0;

    for (p = 0; p < KZ_STAT_PROTOS; p++) {
        ongoing += f.ongoing[p];
    }

    pending = kz_stat_sum(gauges.store_pending[0])
              + kz_stat_sum(gauges.store_pending[1]);

    kz_out_init(&o, req->pool, 256);

    kz_out_lit(&o, "{\"api\":{\"concurrentRequests\":");
    kz_out_int(&o, (int64_t) ongoing);
    kz_out_lit(&o, ",\"pendingRequests\":");
    kz_out_int(&o, (int64_t) pending);
    kz_out_lit(&o, "},\"network\":{");
    kz_server_protos(&o, "connections", f.connections, 1, NULL);
    kz_out_lit(&o, "},\"realtime\":{\"rooms\":");
    kz_out_int(&o, (int64_t) kz_bus_rooms());
    kz_out_lit(&o, ",\"subscriptions\":");
    kz_out_int(&o, (int64_t) kz_stat_sum(gauges.subscriptions));
    kz_out_lit(&o, "}}");

    return kz_result_json(req, &o);
}
