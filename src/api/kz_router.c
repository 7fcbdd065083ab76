/*
 * From a query to its action: the envelope, the generation, the token, the
 * arguments an action cannot do without, the action.
 *
 * Order of checks (it decides which error a user sees): shape of the
 * envelope, controller and action present (2.x), token, controller known,
 * action known, implemented, arguments.
 */

#include "api/kz_router.h"
#include "api/kz_args.h"
#include "api/kz_dialect.h"


#define KZ_ROUTER_SLOTS  1024      /* a power of two, twice the actions */


typedef struct {
    const kz_controller_t  *controller;
    const kz_action_t      *action;
} kz_router_slot_t;


typedef struct {
    const char      *name;
    size_t           len;
    size_t           field;       /* offset in kz_req_t */
    const char      *type;        /* "string": an ngx_str_t, else a value */
} kz_router_field_t;


static ngx_int_t kz_query_parse(kz_req_t *req, u_char *data, size_t len);
static ngx_int_t kz_query_malformed(kz_req_t *req, kz_json_err_t *err);
static ngx_int_t kz_query_envelope(kz_req_t *req, kz_json_member_t *m,
    ngx_uint_t n);
static ngx_int_t kz_query_wrong(kz_req_t *req, ngx_uint_t wrong);
static ngx_int_t kz_query_member(kz_req_t *req, kz_json_member_t *m,
    ngx_uint_t *wrong);
static ngx_int_t kz_query_arg(kz_req_t *req, kz_json_member_t *m);
static ngx_int_t kz_query_string(kz_req_t *req, kz_json_member_t *m,
    const kz_router_field_t *f);
static ngx_int_t kz_query_object(kz_req_t *req, kz_json_member_t *m,
    const kz_router_field_t *f);
static ngx_int_t kz_query_run(kz_req_t *req);
static ngx_int_t kz_query_find(kz_req_t *req);
static ngx_int_t kz_query_needs(kz_req_t *req);
static ngx_int_t kz_query_refused(kz_req_t *req);
static ngx_int_t kz_query_answered(kz_req_t *req);


/* In the order in which Kuzzle looks at them. */

#define KZ_FIELD(name, field, type)                                           \
    { name, sizeof(name) - 1, offsetof(kz_req_t, field), type }

static const kz_router_field_t  kz_router_fields[] = {
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


const kz_controller_t  kz_controllers[] = {
    { "server", kz_server_actions },
    { "index", kz_index_actions },
    { "collection", kz_collection_actions },
    { "document", kz_document_actions },
    { "realtime", kz_realtime_actions },
    { "auth", kz_auth_actions },
    { "security", kz_security_actions },
    { "bulk", kz_bulk_actions },
    { "admin", kz_admin_actions },
    { "cluster", kz_cluster_actions },
    { "debug", kz_debug_actions },
    { "ms", kz_ms_actions },
    { "memoryStorage", kz_ms_actions },
    { NULL, NULL }
};


static kz_router_slot_t  kz_router_slots[KZ_ROUTER_SLOTS];


static ngx_inline uint32_t
kz_router_hash(const u_char *a, size_t alen, const u_char *b, size_t blen)
{
    uint32_t  h;

    /* FNV-1a */

    h = 2166136261u;

    while (alen--) {
        h = (h ^ *a++) * 16777619u;
    }

    h = (h ^ ':') * 16777619u;

    while (blen--) {
        h = (h ^ *b++) * 16777619u;
    }

    return h;
}


ngx_int_t
kz_router_init(ngx_cycle_t *cycle)
{
    uint32_t                i;
    const kz_action_t      *a;
    const kz_controller_t  *c;

    ngx_memzero(kz_router_slots, sizeof(kz_router_slots));

    for (c = kz_controllers; c->name; c++) {
        for (a = c->actions; a->name; a++) {
            i = kz_router_hash((u_char *) c->name, ngx_strlen(c->name),
                               (u_char *) a->name, ngx_strlen(a->name));

            while (kz_router_slots[i & (KZ_ROUTER_SLOTS - 1)].action) {
                i++;
            }

            kz_router_slots[i & (KZ_ROUTER_SLOTS - 1)].controller = c;
            kz_router_slots[i & (KZ_ROUTER_SLOTS - 1)].action = a;
        }
    }

    return NGX_OK;
}


const kz_action_t *
kz_router_find(ngx_str_t *controller, ngx_str_t *action,
    ngx_uint_t *known_controller)
{
    uint32_t                i;
    kz_router_slot_t       *slot;
    const kz_controller_t  *c;

    i = kz_router_hash(controller->data, controller->len,
                       action->data, action->len);

    for ( ;; ) {
        slot = &kz_router_slots[i++ & (KZ_ROUTER_SLOTS - 1)];

        if (slot->action == NULL) {
            break;
        }

        if (ngx_strlen(slot->controller->name) == controller->len
            && ngx_strlen(slot->action->name) == action->len
            && ngx_memcmp(slot->controller->name, controller->data,
                          controller->len) == 0
            && ngx_memcmp(slot->action->name, action->data, action->len)
               == 0)
        {
            *known_controller = 1;
            return slot->action;
        }
    }

    *known_controller = 0;

    for (c = kz_controllers; c->name; c++) {
        if (ngx_strlen(c->name) == controller->len
            && ngx_memcmp(c->name, controller->data, controller->len) == 0)
        {
            *known_controller = 1;
        }
    }

    return NULL;
}


ngx_int_t
kz_query(kz_client_t *c, u_char *data, size_t len)
{
    kz_req_t  *req;

    req = kz_req_create(c);
    if (req == NULL) {
        return NGX_ERROR;
    }

    if (kz_query_parse(req, data, len) != NGX_OK) {
        kz_query_refuse(req);
        return NGX_OK;
    }

    kz_query_req(req);

    return NGX_OK;
}


/* Copies the query into the request's pool and takes it apart. */

static ngx_int_t
kz_query_parse(kz_req_t *req, u_char *data, size_t len)
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

    if (req->body.type == KZ_JSON_ARRAY && req->dialect == KZ_DIALECT_1) {
        wrong |= (ngx_uint_t) 1 << KZ_FIELD_BODY;
    }

    return wrong ? kz_query_wrong(req, wrong) : NGX_OK;
}


/* Members of a wrong type: the first in Kuzzle's order is named. */

static ngx_int_t
kz_query_wrong(kz_req_t *req, ngx_uint_t wrong)
{
    const char               *or_array;
    const kz_router_field_t  *f;

    for (f = kz_router_fields; !(wrong & 1); f++) {
        wrong >>= 1;
    }

    or_array = (f == &kz_router_fields[KZ_FIELD_BODY]
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
    const kz_router_field_t  *f;

    for (f = kz_router_fields; f->name; f++) {

        if (kz_json_key_is(m, f->name, f->len) != NGX_OK) {
            continue;
        }

        rc = (f->type[0] == 's') ? kz_query_string(req, m, f)
                                 : kz_query_object(req, m, f);

        bit = (ngx_uint_t) 1 << (f - kz_router_fields);

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

    arg->name.len = m->key.len;
    arg->name.data = m->key.data;
    arg->val = m->val;

    if (m->escaped) {
        arg->name.data = ngx_pnalloc(req->pool, m->key.len);
        if (arg->name.data == NULL) {
            return NGX_ERROR;
        }

        arg->name.len = kz_json_unescape(arg->name.data, m->key.data,
                                         m->key.len)
                        - arg->name.data;
    }

    return NGX_OK;
}


/* NGX_DECLINED: a wrong type; so below. */

static ngx_int_t
kz_query_string(kz_req_t *req, kz_json_member_t *m,
    const kz_router_field_t *f)
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
    const kz_router_field_t *f)
{
    kz_json_val_t  *v;

    v = (kz_json_val_t *) ((u_char *) req + f->field);

    v->type = KZ_JSON_NONE;

    if (m->val.type == KZ_JSON_NULL) {
        return NGX_OK;
    }

    if (m->val.type != KZ_JSON_OBJECT
        && (m->val.type != KZ_JSON_ARRAY
            || f != &kz_router_fields[KZ_FIELD_BODY]))
    {
        return NGX_DECLINED;
    }

    *v = m->val;

    v->raw.len = kz_json_compact(v->raw.data, v->raw.data, v->raw.len)
                 - v->raw.data;

    return NGX_OK;
}


void
kz_query_req(kz_req_t *req)
{
    req->step = kz_query_run;
    kz_req_resume(req);
}


void
kz_query_refuse(kz_req_t *req)
{
    req->step = kz_query_refused;
    kz_req_resume(req);
}


static ngx_int_t
kz_query_refused(kz_req_t *req)
{
    (void) req;

    return NGX_ERROR;
}


void
kz_query_answer(kz_req_t *req)
{
    req->step = kz_query_answered;
    kz_req_resume(req);
}


static ngx_int_t
kz_query_answered(kz_req_t *req)
{
    (void) req;

    return NGX_OK;
}


static ngx_int_t
kz_query_run(kz_req_t *req)
{
    if (kz_req_name(req) != NGX_OK) {
        return NGX_ERROR;
    }

    if (req->dialect == KZ_DIALECT_2) {

        if (req->controller.data == NULL) {
            return kz_arg_missing(req, "controller");
        }

        if (req->action_name.data == NULL) {
            return kz_arg_missing(req, "action");
        }
    }

    if (req->jwt.len) {

        /* no token can be valid yet: there are no users to have one */

        return kz_fail(req, KZ_E_TOKEN_INVALID, 0);
    }

    if (req->action == NULL && kz_query_find(req) != NGX_OK) {
        return NGX_ERROR;
    }

    if (req->action->run == NULL) {
        return kz_fail(req, KZ_E_PROCESS_NOT_IMPLEMENTED, 2,
                       &req->controller, &req->action_name);
    }

    if ((req->action->flags & KZ_SESSION)
        && !(req->proto->flags & KZ_PROTO_REALTIME))
    {
        return kz_fail(req, KZ_E_ASSERT_UNSUPPORTED_PROTOCOL, 2,
                       &req->proto->name, &req->action_name);
    }

    if (kz_query_needs(req) != NGX_OK) {
        return NGX_ERROR;
    }

    req->step = req->action->run;

    return NGX_OK;
}


static ngx_int_t
kz_query_find(kz_req_t *req)
{
    ngx_str_t   *c, *a;
    ngx_uint_t   known;

    static ngx_str_t  null = ngx_string("null");

    c = req->controller.data ? &req->controller : &null;
    a = req->action_name.data ? &req->action_name : &null;

    req->action = kz_router_find(c, a, &known);

    if (req->action) {
        return NGX_OK;
    }

    if (!known) {
        return kz_fail(req, KZ_E_PROCESS_CONTROLLER_NOT_FOUND, 1, c);
    }

    if (req->dialect == KZ_DIALECT_1) {
        return kz_fail(req, KZ_E_PROCESS_ACTION_NOT_FOUND, 1, a);
    }

    return kz_fail(req, KZ_E_PROCESS_ACTION_NOT_FOUND, 2, c, a);
}


static ngx_int_t
kz_query_needs(kz_req_t *req)
{
    const char  *p;

    p = req->dialect == KZ_DIALECT_1 ? req->action->needs1
                                     : req->action->needs2;

    for ( /* void */ ; *p; p++) {

        switch (*p) {

        case 'i':
            if (req->index.len == 0) {
                return kz_arg_missing(req, "index");
            }
            break;

        case 'c':
            if (req->collection.len == 0) {
                return kz_arg_missing(req, "collection");
            }
            break;

        case 'd':
            if (req->id.len == 0) {
                return kz_arg_missing(req, "_id");
            }
            break;

        default: /* 'b' */
            if (req->body.type == KZ_JSON_NONE) {
                return kz_fail(req, KZ_E_ASSERT_BODY_REQUIRED, 0);
            }
            break;
        }
    }

    return NGX_OK;
}
