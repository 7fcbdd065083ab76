/*
 * Requests: creation, the loop that runs their steps, refusals.
 */

#include "core/kz_req.h"

#include <openssl/rand.h>


#define KZ_REQ_POOL_SIZE  4096
#define KZ_UUID_BATCH     64


static void kz_req_finish(kz_req_t *req);
static void kz_req_free(kz_req_t *req);


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

    ngx_str_set(&req->user, "-1");

    ngx_queue_insert_tail(&c->requests, &req->queue);
    c->pending++;

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

    if (rc == NGX_ERROR && !req->failed) {
        ngx_log_error(NGX_LOG_ALERT, req->log, 0,
                      "kuzzle: \"%V:%V\" failed without a reason",
                      &req->controller, &req->action_name);

        (void) kz_fail_text(req, 500, "Internal error");
    }

    kz_req_finish(req);
}


static void
kz_req_finish(kz_req_t *req)
{
    if (req->client) {
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

    ngx_destroy_pool(req->pool);
}


ngx_int_t
kz_fail(kz_req_t *req, kz_error_e e, ngx_uint_t n, ...)
{
    va_list      args;
    ngx_str_t   *s;
    ngx_uint_t   i;

    req->failed = 1;
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
kz_fail_text(kz_req_t *req, ngx_uint_t status, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;
    u_char    text[1024];

    req->failed = 1;
    req->error = KZ_E_NONE;
    req->status = status;
    req->nfail_args = 0;

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

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
    u_char      *r;
    ngx_uint_t   i;

    static u_char      pool[KZ_UUID_BATCH][16];
    static ngx_uint_t  left;
    static ngx_pid_t   owner;
    static u_char      hex[] = "0123456789abcdef";

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

    for (i = 0; i < 16; i++) {
        *dst++ = hex[r[i] >> 4];
        *dst++ = hex[r[i] & 0x0f];

        if (i == 3 || i == 5 || i == 7 || i == 9) {
            *dst++ = '-';
        }
    }
}
