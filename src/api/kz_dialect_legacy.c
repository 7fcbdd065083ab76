/*
 * The reply as clients of before 1.0 know it: up to 0.8.0 with everything
 * inside "result", later with the members beside it (kuzzle_legacy_envelope).
 *
 *     {"error":null,"result":{"_id":...,"controller":...,...},"status":200}
 *     {"status":200,"error":null,"controller":...,"result":{"_id":...}}
 */

#include "api/kz_dialect.h"


static void kz_dialect_legacy_nested(kz_req_t *req, kz_out_t *o);
static void kz_dialect_legacy_result(kz_req_t *req, kz_out_t *o);
static ngx_uint_t kz_dialect_legacy_own(kz_out_t *o, kz_json_val_t *result);
static void kz_dialect_legacy_flat(kz_req_t *req, kz_out_t *o);
static void kz_dialect_legacy_error(kz_req_t *req, kz_out_t *o);
static void kz_dialect_legacy_metadata(kz_req_t *req, kz_out_t *o);
static void kz_dialect_legacy_options(kz_req_t *req, kz_out_t *o);
static void kz_dialect_legacy_or_null(kz_out_t *o, ngx_str_t *s);


/* In alphabetical order, as those servers did. */

static const char  *kz_dialect_legacy_names[] = {
    "action", "collection", "controller", "index", "metadata", "requestId",
    "scope", "state", NULL
};


void
kz_dialect_legacy(kz_req_t *req, kz_out_t *o, ngx_uint_t room)
{
    if (kz_req_name(req) != NGX_OK) {
        o->failed = 1;
        return;
    }

    kz_out_char(o, '{');

    if (req->conf->legacy_flat) {
        kz_dialect_legacy_flat(req, o);

    } else {
        kz_dialect_legacy_nested(req, o);
    }

    if (room) {
        kz_out_lit(o, ",\"room\":");
        kz_out_json_str(o, &req->request_id);
    }

    kz_out_char(o, '}');
}


static void
kz_dialect_legacy_nested(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "\"error\":");
    kz_dialect_legacy_error(req, o);
    kz_out_lit(o, ",\"result\":");
    kz_dialect_legacy_result(req, o);
    kz_out_lit(o, ",\"status\":");
    kz_out_int(o, req->status);
}


/* A result that is no object has no room for the others. */

static void
kz_dialect_legacy_result(kz_req_t *req, kz_out_t *o)
{
    kz_out_t       text;
    ngx_uint_t     own;
    kz_json_val_t  v;

    v.type = KZ_JSON_NULL;

    if (kz_req_has_result(req)) {
        kz_out_init(&text, req->pool, 256);
        kz_dialect_result(req, &text);

        if (kz_out_failed(&text)) {
            o->failed = 1;
            return;
        }

        kz_json_value(text.start, text.pos, &v);
    }

    if (v.type != KZ_JSON_OBJECT && v.type != KZ_JSON_NULL) {
        kz_out_str(o, &v.raw);
        return;
    }

    kz_out_char(o, '{');

    own = v.type == KZ_JSON_OBJECT ? kz_dialect_legacy_own(o, &v) : 0;

    if (own) {
        kz_out_char(o, ',');
    }

    kz_out_lit(o, "\"action\":");
    kz_dialect_legacy_or_null(o, &req->action_name);

    if (req->collection.data) {
        kz_out_lit(o, ",\"collection\":");
        kz_out_json_str(o, &req->collection);
    }

    kz_out_lit(o, ",\"controller\":");
    kz_dialect_legacy_or_null(o, &req->controller);

    if (req->index.data) {
        kz_out_lit(o, ",\"index\":");
        kz_out_json_str(o, &req->index);
    }

    kz_out_lit(o, ",\"metadata\":");
    kz_dialect_legacy_metadata(req, o);
    kz_out_lit(o, ",\"requestId\":");
    kz_out_json_str(o, &req->request_id);
    kz_dialect_legacy_options(req, o);
    kz_out_char(o, '}');
}


/* The result's members, those that are to be overwritten left out. */

static ngx_uint_t
kz_dialect_legacy_own(kz_out_t *o, kz_json_val_t *result)
{
    ngx_uint_t         i, n;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    n = 0;

    kz_json_iter(&it, result);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        for (i = 0; kz_dialect_legacy_names[i]; i++) {
            if (kz_json_key_is(&m, kz_dialect_legacy_names[i],
                               ngx_strlen(kz_dialect_legacy_names[i]))
                == NGX_OK)
            {
                break;
            }
        }

        if (kz_dialect_legacy_names[i]) {
            continue;
        }

        if (n++) {
            kz_out_char(o, ',');
        }

        kz_out_char(o, '"');
        kz_out_str(o, &m.key);
        kz_out_lit(o, "\":");
        kz_out_str(o, &m.val.raw);
    }

    return n;
}


static void
kz_dialect_legacy_flat(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "\"status\":");
    kz_out_int(o, req->status);
    kz_out_lit(o, ",\"error\":");
    kz_dialect_legacy_error(req, o);
    kz_out_lit(o, ",\"requestId\":");
    kz_out_json_str(o, &req->request_id);
    kz_out_lit(o, ",\"controller\":");
    kz_dialect_legacy_or_null(o, &req->controller);
    kz_out_lit(o, ",\"action\":");
    kz_dialect_legacy_or_null(o, &req->action_name);
    kz_out_lit(o, ",\"collection\":");
    kz_dialect_legacy_or_null(o, &req->collection);
    kz_out_lit(o, ",\"index\":");
    kz_dialect_legacy_or_null(o, &req->index);
    kz_out_lit(o, ",\"metadata\":");
    kz_dialect_legacy_metadata(req, o);
    kz_dialect_legacy_options(req, o);
    kz_out_lit(o, ",\"result\":");

    if (kz_req_has_result(req)) {
        kz_dialect_result(req, o);

    } else {
        kz_out_lit(o, "null");
    }
}


/* Ids and codes came with 1.x: who does not know them does not look. */

static void
kz_dialect_legacy_error(kz_req_t *req, kz_out_t *o)
{
    if (req->failed) {
        kz_dialect_error(req, o);

    } else {
        kz_out_lit(o, "null");
    }
}


static void
kz_dialect_legacy_metadata(kz_req_t *req, kz_out_t *o)
{
    if (req->volatile_.type == KZ_JSON_OBJECT) {
        kz_out_str(o, &req->volatile_.raw);

    } else {
        kz_out_lit(o, "{}");
    }
}


static void
kz_dialect_legacy_options(kz_req_t *req, kz_out_t *o)
{
    kz_arg_t  *arg;

    arg = kz_req_arg(req, "scope", 5);

    if (arg && arg->val.type == KZ_JSON_STRING) {
        kz_out_lit(o, ",\"scope\":");
        kz_out_str(o, &arg->val.raw);
    }

    arg = kz_req_arg(req, "state", 5);

    if (arg && arg->val.type == KZ_JSON_STRING) {
        kz_out_lit(o, ",\"state\":");
        kz_out_str(o, &arg->val.raw);
    }
}


static void
kz_dialect_legacy_or_null(kz_out_t *o, ngx_str_t *s)
{
    if (s->data == NULL) {
        kz_out_lit(o, "null");
        return;
    }

    kz_out_json_str(o, s);
}
