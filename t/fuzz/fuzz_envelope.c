/*
 * libFuzzer: a JSON query, in a location that speaks generation 1, 2 or
 * whatever comes (the first byte says which); whatever it holds, taking it
 * apart ends, stays within the text, and what it leaves is JSON.
 *
 *     clang -fsanitize=fuzzer,address,undefined ... fuzz_envelope.c
 *
 * sources: api/kz_envelope.c api/kz_legacy.c api/kz_api_legacy.c
 */

#include "kz_shim.h"
#include "api/kz_dialect.h"
#include "api/kz_legacy.h"
#include "api/kz_router.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static kz_action_t  fuzz_action;


/* What lies beside the parser. */

void
kz_dialect_detect(kz_req_t *req)
{
    req->dialect = req->conf->api == KZ_DIALECT_2 ? KZ_DIALECT_2
                                                  : KZ_DIALECT_1;
}


const kz_action_t *
kz_router_find(ngx_str_t *controller, ngx_str_t *action,
    ngx_uint_t *known_controller)
{
    (void) controller;
    (void) action;

    *known_controller = 1;

    return &fuzz_action;
}


ngx_int_t
kz_fail(kz_req_t *req, kz_error_e e, ngx_uint_t n, ...)
{
    (void) e;
    (void) n;

    req->failed = 1;

    return NGX_ERROR;
}


ngx_int_t
kz_fail_text(kz_req_t *req, ngx_uint_t status, const char *fmt, ...)
{
    (void) status;
    (void) fmt;

    req->failed = 1;

    return NGX_ERROR;
}


ngx_str_t *
kz_req_json_error(kz_req_t *req, const kz_json_err_t *err)
{
    static ngx_str_t  text;
    static u_char     buf[KZ_JSON_ERR_LEN];

    (void) req;

    text.data = buf;
    text.len = kz_json_err_text(buf, err) - buf;

    return &text;
}


kz_arg_t *
kz_req_arg_push(kz_req_t *req)
{
    if (req->nargs == KZ_REQ_MAX_ARGS) {
        return NULL;
    }

    if (req->args == NULL) {
        req->args = ngx_pcalloc(req->pool,
                                KZ_REQ_MAX_ARGS * sizeof(kz_arg_t));
    }

    return &req->args[req->nargs++];
}


kz_arg_t *
kz_req_arg(kz_req_t *req, const char *name, size_t len)
{
    ngx_uint_t  i;

    for (i = req->nargs; i > 0; i--) {
        if (req->args[i - 1].name.len == len
            && memcmp(req->args[i - 1].name.data, name, len) == 0)
        {
            return &req->args[i - 1];
        }
    }

    return NULL;
}


/* A value is JSON still, whatever was cut out of it. */

static void
fuzz_value(kz_json_val_t *v, ngx_uint_t depth)
{
    kz_json_err_t  err;
    kz_json_val_t  again;

    if (v->type == KZ_JSON_NONE) {
        return;
    }

    if (kz_json_scan(v->raw.data, v->raw.len, depth, &again, &err) != NGX_OK
        || again.type != v->type)
    {
        abort();
    }
}


static void
fuzz_text(ngx_str_t *s)
{
    size_t           i;
    u_char           x;
    volatile u_char  sum;

    for (x = 0, i = 0; i < s->len; i++) {
        x ^= s->data[i];
    }

    sum = x;
    (void) sum;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char        *text;
    kz_req_t       req;
    ngx_int_t      rc;
    ngx_uint_t     i;
    kz_loc_conf_t  conf;

    static ngx_cycle_t  cycle;
    static ngx_uint_t   once;

    if (!once) {
        once = 1;
        cycle.log = &kz_shim_log;
        (void) kz_legacy_init(&cycle);
    }

    if (size == 0) {
        return 0;
    }

    memset(&conf, 0, sizeof(conf));
    memset(&req, 0, sizeof(req));

    conf.api = data[0] % 3;
    conf.json_depth = 16;
    req.conf = &conf;
    req.pool = kz_shim_pool();

    text = kz_shim_copy(data + 1, size - 1);
    rc = kz_query_read(&req, text, size - 1);
    free(text);

    if (rc != NGX_OK && !req.failed) {
        abort();
    }

    if (rc == NGX_OK) {

        /* a filter of old goes three deeper than it stood */

        fuzz_value(&req.body, conf.json_depth + 3);
        fuzz_value(&req.volatile_, conf.json_depth);

        if (req.legacy && conf.api != KZ_DIALECT_AUTO) {
            abort();
        }
    }

    fuzz_text(&req.controller);
    fuzz_text(&req.action_name);
    fuzz_text(&req.index);
    fuzz_text(&req.collection);
    fuzz_text(&req.id);
    fuzz_text(&req.request_id);
    fuzz_text(&req.jwt);

    for (i = 0; i < req.nargs; i++) {
        fuzz_text(&req.args[i].name);
        fuzz_text(&req.args[i].text);
        fuzz_value(&req.args[i].val, conf.json_depth);
    }

    ngx_destroy_pool(req.pool);

    return 0;
}
