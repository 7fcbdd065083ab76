/*
 * Requests: creation, the loop that runs their steps, refusals.
 */

#include "core/kz_req.h"
#include "core/kz_stat.h"

#include <endian.h>
#include <openssl/rand.h>


#define KZ_REQ_POOL_SIZE  4096
#define KZ_UUID_BATCH     64


static void kz_req_finish(kz_req_t *req);
static void kz_req_free(kz_req_t *req);
static void kz_uuid_hex(u_char *dst, const u_char *src);


kz_req_t *
kz_req_create(kz_client_t *c)
{
    kz_req_t    *req;
    ngx_time_t  *tp;
    ngx_pool_t  *pool;

    pool = ngx_create_pool(KZ_REQ_POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    req = ngx_pcalloc(pool, sizeof(kz_req_t));
    if (req == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    tp = ngx_timeofday();

    req->pool = pool;
    req->client = c;
    req->proto = c->proto;
    req->conf = c->conf;
    req->log = c->log;
    req->status = 200;
    req->timestamp = (int64_t) tp->sec * 1000 + tp->msec;
    req->started = ngx_current_msec;
    req->stat = kz_stat_proto(c->proto);

    ngx_str_set(&req->user, "-1");

    ngx_queue_insert_tail(&c->requests, &req->queue);
    c->pending++;
    c->queries++;

    kz_stat->gauges.ongoing[req->stat]++;

    return req;
}


void
kz_req_resume(kz_req_t *req)
{
    ngx_int_t   rc;
    kz_step_pt  step;

    if (req->running) {

        /* an engine that completes inside submit() broke its contract */

        ngx_log_error(NGX_LOG_ALERT, req->log, 0,
                      "kuzzle: request resumed while it runs");
        return;
    }

    req->running = 1;
    req->parked = 0;

    do {
        step = req->step;
        req->step = NULL;
        rc = step(req);
    } while (rc == NGX_OK && req->step);

    req->running = 0;

    if (rc == NGX_AGAIN) {
        req->parked = 1;
        return;
    }

    if (rc == NGX_ERROR && kz_req_has_result(req)) {
        ngx_log_error(NGX_LOG_ALERT, req->log, 0,
                      "kuzzle: \"%V:%V\" failed without a reason",
                      &req->controller, &req->action_name);

        (void) kz_fail_text(req, 500, "Internal error");
    }

    kz_req_finish(req);
}


void
kz_req_discard(kz_req_t *req)
{
    kz_req_free(req);
}


static void
kz_req_finish(kz_req_t *req)
{
    kz_stat_request(req->stat, req->action, req->status,
                    !kz_req_has_result(req), ngx_current_msec - req->started);

    if (req->client) {

        /* the reply may be the end of the client, and of its address */

        if (req->conf->logs) {
            kz_client_log(req, req->status);
        }

        req->proto->reply(req);
    }

    kz_req_free(req);
}


static void
kz_req_free(kz_req_t *req)
{
    /* the reply may have ended the client, and with it the membership */

    if (req->client) {
        ngx_queue_remove(&req->queue);
        req->client->pending--;
    }

    kz_stat->gauges.ongoing[req->stat]--;

    ngx_destroy_pool(req->pool);
}


ngx_int_t
kz_fail(kz_req_t *req, kz_error_e e, ngx_uint_t n, ...)
{
    va_list      args;
    ngx_str_t   *s;
    ngx_uint_t   i;

    req->failed = 1;
    req->partial = 0;
    req->error = e;
    req->status = kz_error_def(e)->status;
    req->nfail_args = 0;

    va_start(args, n);

    for (i = 0; i < n && i < KZ_FAIL_MAX_ARGS; i++) {
        s = va_arg(args, ngx_str_t *);
        req->fail_args[req->nfail_args++] = *s;
    }

    va_end(args);

    return NGX_ERROR;
}


ngx_int_t
kz_fail_partly(kz_req_t *req, kz_error_e e, ngx_uint_t status, ngx_str_t *arg)
{
    (void) kz_fail(req, e, 1, arg);

    req->partial = 1;
    req->status = status;

    return NGX_OK;
}


ngx_int_t
kz_fail_text(kz_req_t *req, ngx_uint_t status, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;
    u_char    text[1024];

    req->failed = 1;
    req->partial = 0;
    req->error = KZ_E_NONE;
    req->status = status;
    req->nfail_args = 0;

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    if (p == text + sizeof(text)) {

        /* cut: perhaps in the middle of a character, and it goes into JSON */

        while (p > text && (p[-1] & 0xc0) == 0x80) {
            p--;
        }

        p -= (p > text && p[-1] >= 0xc0);
    }

    req->fail_text.len = p - text;
    req->fail_text.data = ngx_pnalloc(req->pool, req->fail_text.len + 1);

    if (req->fail_text.data == NULL) {
        ngx_str_set(&req->fail_text, "Out of memory");
        return NGX_ERROR;
    }

    ngx_memcpy(req->fail_text.data, text, req->fail_text.len);

    return NGX_ERROR;
}


ngx_int_t
kz_result_json(kz_req_t *req, kz_out_t *o)
{
    if (kz_out_failed(o)) {
        return NGX_ERROR;
    }

    req->result.type = KZ_RESULT_JSON;
    req->result.json.data = o->start;
    req->result.json.len = kz_out_len(o);

    return NGX_OK;
}


ngx_int_t
kz_result_bool(kz_req_t *req, ngx_uint_t yes)
{
    req->result.type = KZ_RESULT_JSON;

    if (yes) {
        ngx_str_set(&req->result.json, "true");

    } else {
        ngx_str_set(&req->result.json, "false");
    }

    return NGX_OK;
}


ngx_str_t *
kz_req_json_error(kz_req_t *req, const kz_json_err_t *err)
{
    ngx_str_t  *text;

    static ngx_str_t  unknown = ngx_string("not valid JSON");

    text = ngx_palloc(req->pool, sizeof(ngx_str_t) + KZ_JSON_ERR_LEN);
    if (text == NULL) {
        return &unknown;
    }

    text->data = (u_char *) text + sizeof(ngx_str_t);
    text->len = kz_json_err_text(text->data, err) - text->data;

    return text;
}


kz_arg_t *
kz_req_arg_push(kz_req_t *req)
{
    kz_arg_t    *args;
    ngx_uint_t   max;

    if (req->nargs == KZ_REQ_MAX_ARGS) {
        return NULL;
    }

    if (req->nargs == req->max_args) {
        max = req->max_args ? ngx_min(req->max_args * 4, KZ_REQ_MAX_ARGS) : 4;

        args = ngx_palloc(req->pool, max * sizeof(kz_arg_t));
        if (args == NULL) {
            return NULL;
        }

        if (req->nargs) {
            ngx_memcpy(args, req->args, req->nargs * sizeof(kz_arg_t));
        }

        req->args = args;
        req->max_args = max;
    }

    args = &req->args[req->nargs++];
    ngx_memzero(args, sizeof(kz_arg_t));

    return args;
}


kz_arg_t *
kz_req_arg(kz_req_t *req, const char *name, size_t len)
{
    kz_arg_t    *arg;
    ngx_uint_t   i;

    /* the last of repeated arguments wins */

    for (i = req->nargs; i > 0; i--) {
        arg = &req->args[i - 1];

        if (arg->name.len == len
            && ngx_strncmp(arg->name.data, name, len) == 0)
        {
            return arg;
        }
    }

    return NULL;
}


ngx_int_t
kz_req_name(kz_req_t *req)
{
    u_char  *p;

    if (req->request_id.data) {
        return NGX_OK;
    }

    p = ngx_pnalloc(req->pool, 36);
    if (p == NULL) {
        return NGX_ERROR;
    }

    kz_uuid(p);

    req->request_id.data = p;
    req->request_id.len = 36;

    return NGX_OK;
}


/* RFC 4122, 4.4: random, version 4; random bytes are drawn in batches. */

void
kz_uuid(u_char *dst)
{
    u_char      *r, hex[32];
    ngx_uint_t   i;

    static u_char      pool[KZ_UUID_BATCH][16];
    static ngx_uint_t  left;
    static ngx_pid_t   owner;

    if (left == 0 || owner != ngx_pid) {

        if (RAND_bytes(&pool[0][0], sizeof(pool)) != 1) {
            for (i = 0; i < sizeof(pool); i++) {
                (&pool[0][0])[i] = (u_char) ngx_random();
            }
        }

        left = KZ_UUID_BATCH;
        owner = ngx_pid;
    }

    r = pool[--left];

    r[6] = (r[6] & 0x0f) | 0x40;
    r[8] = (r[8] & 0x3f) | 0x80;

    for (i = 0; i < 4; i++) {
        kz_uuid_hex(hex + i * 8, r + i * 4);
    }

    ngx_memcpy(dst, hex, 8);
    dst[8] = '-';
    ngx_memcpy(dst + 9, hex + 8, 4);
    dst[13] = '-';
    ngx_memcpy(dst + 14, hex + 12, 4);
    dst[18] = '-';
    ngx_memcpy(dst + 19, hex + 16, 4);
    dst[23] = '-';
    ngx_memcpy(dst + 24, hex + 20, 12);
}


/* Four random bytes, each nibble in a byte of its own, as eight digits. */

static void
kz_uuid_hex(u_char *dst, const u_char *src)
{
    uint32_t  n;
    uint64_t  x;

    ngx_memcpy(&n, src, 4);

    x = le32toh(n);
    x = (x | x << 16) & 0x0000ffff0000ffffULL;
    x = (x | x << 8) & 0x00ff00ff00ff00ffULL;

    /* the first digit of a byte is its high nibble */

    x = ((x >> 4) | (x << 8)) & 0x0f0f0f0f0f0f0f0fULL;

    /* 6 more than a digit's worth of 9 carries: 39 from '9' to 'a' */

    x += 0x3030303030303030ULL
         + (((x + 0x0606060606060606ULL) >> 4) & 0x0101010101010101ULL) * 39;

    x = htole64(x);

    ngx_memcpy(dst, &x, 8);
}
