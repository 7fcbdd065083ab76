/*
 * The envelope of a JSON query: its own members are stored where they belong,
 * the rest are the action's arguments.
 */

#include "api/kz_router.h"
#include "api/kz_dialect.h"
#include "api/kz_legacy.h"


typedef struct {
    const char      *name;
    size_t           len;
    size_t           field;       /* offset in kz_req_t */
    const char      *type;        /* "string": an ngx_str_t, else a value */
} kz_query_field_t;


static ngx_int_t kz_query_malformed(kz_req_t *req, kz_json_err_t *err);
static ngx_int_t kz_query_envelope(kz_req_t *req, kz_json_member_t *m,
    ngx_uint_t n);
static ngx_int_t kz_query_wrong(kz_req_t *req, ngx_uint_t wrong);
static ngx_int_t kz_query_member(kz_req_t *req, kz_json_member_t *m,
    ngx_uint_t *wrong);
static ngx_int_t kz_query_arg(kz_req_t *req, kz_json_member_t *m);
static ngx_int_t kz_query_string(kz_req_t *req, kz_json_member_t *m,
    const kz_query_field_t *f);
static ngx_int_t kz_query_object(kz_req_t *req, kz_json_member_t *m,
    const kz_query_field_t *f);


/* In the order in which Kuzzle looks at them. */

#define KZ_FIELD(name, field, type)                                           \
    { name, sizeof(name) - 1, offsetof(kz_req_t, field), type }

static const kz_query_field_t  kz_query_fields[] = {
    KZ_FIELD("requestId", request_id, "string"),
    KZ_FIELD("jwt", jwt, "string"),
    KZ_FIELD("volatile", volatile_, "object"),
    KZ_FIELD("body", body, "object"),
    KZ_FIELD("controller", controller, "string"),
    KZ_FIELD("action", action_name, "string"),
    KZ_FIELD("index", index, "string"),
    KZ_FIELD("collection", collection, "string"),
    KZ_FIELD("_id", id, "string"),
    { NULL, 0, 0, NULL }
};

#define KZ_FIELD_BODY  3
#define KZ_FIELD_ODD   6      /* from here on: KZ_ODD_INDEX, ... */


ngx_int_t
kz_query_read(kz_req_t *req, u_char *data, size_t len)
{
    u_char            *copy;
    ngx_int_t          rc;
    ngx_uint_t         n;
    kz_json_err_t      err;
    kz_json_member_t   m[KZ_REQ_MAX_ARGS];

    copy = ngx_pnalloc(req->pool, len + 1);
    if (copy == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(copy, data, len);

    n = KZ_REQ_MAX_ARGS;

    rc = kz_json_scan_object(copy, len, req->conf->json_depth, m, &n, &err);

    if (rc == NGX_ERROR) {
        return kz_query_malformed(req, &err);
    }

    if (rc == NGX_DECLINED) {
        kz_dialect_detect(req);
        req->reduced = 1;

        return kz_fail_text(req, req->dialect == KZ_DIALECT_1 ? 400 : 500,
                            "Input request data must be a non-null object");
    }

    return kz_query_envelope(req, m, n);
}


static ngx_int_t
kz_query_malformed(kz_req_t *req, kz_json_err_t *err)
{
    kz_dialect_detect(req);

    return kz_fail(req, KZ_E_WEBSOCKET_UNEXPECTED_ERROR, 1,
                   kz_req_json_error(req, err));
}


static ngx_int_t
kz_query_envelope(kz_req_t *req, kz_json_member_t *m, ngx_uint_t n)
{
    ngx_uint_t  i, wrong;

    wrong = 0;

    for (i = 0; i < n; i++) {
        if (kz_query_member(req, &m[i], &wrong) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    kz_dialect_detect(req);

    if (req->dialect == KZ_DIALECT_1) {
        if (req->body.type == KZ_JSON_ARRAY) {
            wrong |= (ngx_uint_t) 1 << KZ_FIELD_BODY;
        }

    } else {

        /* Kuzzle: 2.x looks at these when an action asks for them */

        req->odd = wrong >> KZ_FIELD_ODD;
        wrong &= ((ngx_uint_t) 1 << KZ_FIELD_ODD) - 1;
    }

    if (wrong) {
        return kz_query_wrong(req, wrong);
    }

    return kz_legacy_query(req);
}


/* Members of a wrong type: the first in Kuzzle's order is named. */

static ngx_int_t
kz_query_wrong(kz_req_t *req, ngx_uint_t wrong)
{
    const char               *or_array;
    const kz_query_field_t  *f;

    for (f = kz_query_fields; !(wrong & 1); f++) {
        wrong >>= 1;
    }

    or_array = (f == &kz_query_fields[KZ_FIELD_BODY]
                && req->dialect == KZ_DIALECT_2) ? " or \"array\"" : "";

    req->reduced = 1;

    ngx_str_null(&req->controller);
    ngx_str_null(&req->action_name);
    ngx_str_null(&req->index);
    ngx_str_null(&req->collection);
    req->volatile_.type = KZ_JSON_NONE;

    return kz_fail_text(req, 400, "Attribute %s must be of type \"%s\"%s",
                        f->name, f->type, or_array);
}


/*
 * One root member.  The envelope's own are stored where they belong, the last
 * of several counts; a wrong type is remembered in *wrong, a bit per field
 * (the whole envelope is read first: the generation, and so the shape of the
 * refusal, may come later).
 */

static ngx_int_t
kz_query_member(kz_req_t *req, kz_json_member_t *m, ngx_uint_t *wrong)
{
    ngx_int_t                 rc;
    ngx_uint_t                bit;
    const kz_query_field_t  *f;

    for (f = kz_query_fields; f->name; f++) {

        if (kz_json_key_is(m, f->name, f->len) != NGX_OK) {
            continue;
        }

        rc = (f->type[0] == 's') ? kz_query_string(req, m, f)
                                 : kz_query_object(req, m, f);

        bit = (ngx_uint_t) 1 << (f - kz_query_fields);

        if (rc == NGX_DECLINED) {
            *wrong |= bit;
            return NGX_OK;
        }

        *wrong &= ~bit;

        return rc;
    }

    return kz_query_arg(req, m);
}


static ngx_int_t
kz_query_arg(kz_req_t *req, kz_json_member_t *m)
{
    kz_arg_t  *arg;

    arg = kz_req_arg_push(req);
    if (arg == NULL) {
        return NGX_ERROR;
    }

    arg->val = m->val;

    return kz_json_key(req->pool, m, &arg->name);
}


/* NGX_DECLINED: a wrong type; so below. */

static ngx_int_t
kz_query_string(kz_req_t *req, kz_json_member_t *m,
    const kz_query_field_t *f)
{
    ngx_str_t  *s;

    s = (ngx_str_t *) ((u_char *) req + f->field);

    ngx_str_null(s);

    if (s == &req->request_id) {
        ngx_str_null(&req->odd_id);
    }

    if (m->val.type == KZ_JSON_NULL) {
        return NGX_OK;
    }

    if (m->val.type != KZ_JSON_STRING) {

        if (s == &req->request_id) {
            req->odd_id = m->val.raw;
        }

        return NGX_DECLINED;
    }

    return kz_json_string(req->pool, &m->val, s);
}


/* Stored and echoed text has no white space: it could break event streams. */

static ngx_int_t
kz_query_object(kz_req_t *req, kz_json_member_t *m,
    const kz_query_field_t *f)
{
    kz_json_val_t  *v;

    v = (kz_json_val_t *) ((u_char *) req + f->field);

    v->type = KZ_JSON_NONE;

    if (m->val.type == KZ_JSON_NULL) {
        return NGX_OK;
    }

    if (m->val.type != KZ_JSON_OBJECT
        && (m->val.type != KZ_JSON_ARRAY
            || f != &kz_query_fields[KZ_FIELD_BODY]))
    {
        return NGX_DECLINED;
    }

    *v = m->val;

    v->raw.len = kz_json_compact(v->raw.data, v->raw.data, v->raw.len)
                 - v->raw.data;

    return NGX_OK;
}
