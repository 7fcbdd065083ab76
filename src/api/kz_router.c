/*
 * From a query to its action: the token, the arguments an action cannot do
 * without, the action.  What comes before: kz_envelope.c, kz_dialect.c.
 *
 * Order of checks (it decides which error a user sees): shape of the
 * envelope, controller and action present (2.x), targets (2.x), token,
 * controller known, action known, implemented, arguments.
 */

#include "api/kz_router.h"
#include "api/kz_args.h"
#include "api/kz_dialect.h"
#include "api/kz_legacy.h"
#include "core/kz_stat.h"


#define KZ_ROUTER_SLOTS  1024      /* a power of two, twice the actions */


typedef struct {
    const kz_controller_t  *controller;
    const kz_action_t      *action;
} kz_router_slot_t;


static ngx_int_t kz_query_run(kz_req_t *req);
static ngx_int_t kz_query_targets(kz_req_t *req);
static ngx_int_t kz_query_find(kz_req_t *req);
static ngx_int_t kz_query_needs(kz_req_t *req);
static ngx_int_t kz_query_absent(kz_req_t *req, const char *name,
    ngx_uint_t odd);
static void kz_query_name(kz_req_t *req);
static ngx_int_t kz_query_refused(kz_req_t *req);
static ngx_int_t kz_query_answered(kz_req_t *req);


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
    { "kuzzle-plugin-auth-passport-local/password", kz_password_actions },
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

            kz_stat_action(a, c->name, a->name);
        }
    }

    return kz_legacy_init(cycle);
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

    if (kz_query_read(req, data, len) != NGX_OK) {
        kz_query_refuse(req);
        return NGX_OK;
    }

    kz_query_req(req);

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
    kz_query_name(req);

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
    if (req->step == NULL) {
        req->step = kz_query_answered;
    }

    kz_query_name(req);
    kz_req_resume(req);
}


/*
 * The log is to have the id that is in the reply.  Not in a session: there an
 * answer without an id of its query has no room; nor has a bare error an id.
 */

static void
kz_query_name(kz_req_t *req)
{
    if (!(req->proto->flags & KZ_PROTO_SESSION) && !req->bare) {
        (void) kz_req_name(req);
    }
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

        if (kz_query_targets(req) != NGX_OK) {
            return NGX_ERROR;
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


/* 2.x: several indexes and collections, or one of each. */

static ngx_int_t
kz_query_targets(kz_req_t *req)
{
    kz_arg_t   *arg;
    ngx_str_t   targets, other;

    arg = kz_req_arg(req, "targets", 7);

    if (arg == NULL || arg->val.type == KZ_JSON_NULL) {
        return NGX_OK;
    }

    if (req->index.len || (req->odd & KZ_ODD_INDEX)) {
        ngx_str_set(&other, "index");

    } else if (req->collection.len || (req->odd & KZ_ODD_COLLECTION)) {
        ngx_str_set(&other, "collection");

    } else {
        return NGX_OK;
    }

    ngx_str_set(&targets, "targets");

    return kz_fail(req, KZ_E_ASSERT_MUTUALLY_EXCLUSIVE, 2, &targets, &other);
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

    if (!known && !(req->legacy && kz_legacy_controller(c))) {
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
                return kz_query_absent(req, "index", KZ_ODD_INDEX);
            }
            break;

        case 'c':
            if (req->collection.len == 0) {
                return kz_query_absent(req, "collection",
                                       KZ_ODD_COLLECTION);
            }
            break;

        case 'd':
            if (req->id.len == 0) {
                return kz_query_absent(req, "_id", KZ_ODD_ID);
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


static ngx_int_t
kz_query_absent(kz_req_t *req, const char *name, ngx_uint_t odd)
{
    ngx_str_t  n, type;

    if (!(req->odd & odd)) {
        return kz_arg_missing(req, name);
    }

    n.data = (u_char *) name;
    n.len = ngx_strlen(name);
    ngx_str_set(&type, "string");

    return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &n, &type);
}
