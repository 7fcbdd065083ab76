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
    size_t           field;       /* offset of the ngx_str_t in kz_req_t */
} kz_router_field_t;


static ngx_int_t kz_query_parse(kz_req_t *req, u_char *data, size_t len);
static ngx_int_t kz_query_malformed(kz_req_t *req, kz_json_err_t *err);
static ngx_int_t kz_query_envelope(kz_req_t *req, kz_json_member_t *m,
    ngx_uint_t n);
static ngx_int_t kz_query_member(kz_req_t *req, kz_json_member_t *m,
    const char **bad, const char **type);
static ngx_int_t kz_query_string(kz_req_t *req, kz_json_member_t *m,
    const kz_router_field_t *f);
static void kz_query_compact(kz_json_val_t *v);
static ngx_int_t kz_query_run(kz_req_t *req);
static ngx_int_t kz_query_find(kz_req_t *req);
static ngx_int_t kz_query_needs(kz_req_t *req);
static ngx_int_t kz_query_refused(kz_req_t *req);


#define KZ_FIELD(name, field)                                                 \
    { name, sizeof(name) - 1, offsetof(kz_req_t, field) }

static const kz_router_field_t  kz_router_fields[] = {
    KZ_FIELD("controller", controller),
    KZ_FIELD("action", action_name),
    KZ_FIELD("index", index),
    KZ_FIELD("collection", collection),
    KZ_FIELD("_id", id),
    KZ_FIELD("requestId", request_id),
    KZ_FIELD("jwt", jwt),
    { NULL, 0, 0 }
};


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
        req->reduced = (req->dialect == KZ_DIALECT_1);

        return kz_fail_text(req, 400,
                            "Input request data must be a non-null object");
    }

    return kz_query_envelope(req, m, n);
}


static ngx_int_t
kz_query_malformed(kz_req_t *req, kz_json_err_t *err)
{
    ngx_str_t  what;

    kz_dialect_detect(req);

    what.data = (u_char *) err->what;
    what.len = ngx_strlen(err->what);

    return kz_fail(req, KZ_E_WEBSOCKET_UNEXPECTED_ERROR, 1, &what);
}


static ngx_int_t
kz_query_envelope(kz_req_t *req, kz_json_member_t *m, ngx_uint_t n)
{
    ngx_int_t    rc;
    ngx_uint_t   i;
    const char  *bad, *type;

    bad = NULL;
    type = NULL;

    for (i = 0; i < n; i++) {
        rc = kz_query_member(req, &m[i], &bad, &type);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    kz_dialect_detect(req);

    if (bad) {
        req->reduced = (req->dialect == KZ_DIALECT_1);

        ngx_str_null(&req->controller);
        ngx_str_null(&req->action_name);
        ngx_str_null(&req->index);
        ngx_str_null(&req->collection);
        req->volatile_.type = KZ_JSON_NONE;

        return kz_fail_text(req, 400, "Attribute %s must be of type \"%s\"",
                            bad, type);
    }

    return NGX_OK;
}


/*
 * One root member.  The envelope's own are stored where they belong, a wrong
 * type is remembered in *bad (the whole envelope is read first: the
 * generation, and so the shape of the refusal, may come later).
 */

static ngx_int_t
kz_query_member(kz_req_t *req, kz_json_member_t *m, const char **bad,
    const char **type)
{
    ngx_int_t                 rc;
    kz_arg_t                 *arg;
    const kz_router_field_t  *f;

    for (f = kz_router_fields; f->name; f++) {

        if (kz_json_key_is(m, f->name, f->len) != NGX_OK) {
            continue;
        }

        rc = kz_query_string(req, m, f);

        if (rc == NGX_DECLINED) {
            *bad = f->name;
            *type = "string";
            return NGX_OK;
        }

        return rc;
    }

    if (kz_json_key_is(m, "body", 4) == NGX_OK) {

        req->body.type = KZ_JSON_NONE;

        if (m->val.type == KZ_JSON_OBJECT || m->val.type == KZ_JSON_ARRAY) {
            req->body = m->val;
            kz_query_compact(&req->body);

        } else if (m->val.type != KZ_JSON_NULL) {
            *bad = "body";
            *type = "object";
        }

        return NGX_OK;
    }

    if (kz_json_key_is(m, "volatile", 8) == NGX_OK) {

        req->volatile_.type = KZ_JSON_NONE;

        if (m->val.type == KZ_JSON_OBJECT) {
            req->volatile_ = m->val;
            kz_query_compact(&req->volatile_);

        } else if (m->val.type != KZ_JSON_NULL) {
            *bad = "volatile";
            *type = "object";
        }

        return NGX_OK;
    }

    if (req->args == NULL) {
        req->args = ngx_palloc(req->pool,
                               KZ_REQ_MAX_ARGS * sizeof(kz_arg_t));
        if (req->args == NULL) {
            return NGX_ERROR;
        }
    }

    arg = &req->args[req->nargs++];

    arg->name.len = m->key.len;
    arg->name.data = m->key.data;
    arg->val = m->val;
    ngx_str_null(&arg->text);

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


static ngx_int_t
kz_query_string(kz_req_t *req, kz_json_member_t *m,
    const kz_router_field_t *f)
{
    ngx_str_t  *s;

    s = (ngx_str_t *) ((u_char *) req + f->field);

    ngx_str_null(s);

    if (m->val.type == KZ_JSON_NULL) {
        return NGX_OK;
    }

    if (m->val.type != KZ_JSON_STRING) {
        return NGX_DECLINED;
    }

    return kz_json_string(req->pool, &m->val, s);
}


/* Stored and echoed text has no white space: it could break event streams. */

static void
kz_query_compact(kz_json_val_t *v)
{
    v->raw.len = kz_json_compact(v->raw.data, v->raw.data, v->raw.len)
                 - v->raw.data;
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
    return req->failed ? NGX_ERROR : NGX_OK;
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
