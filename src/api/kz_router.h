#ifndef _KZ_ROUTER_H_INCLUDED_
#define _KZ_ROUTER_H_INCLUDED_

/*
 * The one door from protocols to actions.  A row per action is all there is
 * to register: lookup, argument checks, the HTTP route tree, what
 * server:publicApi advertises and the coverage list come from it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"


/*
 * Arguments an action cannot do without, checked in this order before it is
 * called: i index, c collection, d _id, b body.
 */

struct kz_action_s {
    const char     *name;
    kz_step_pt      run;         /* NULL: known, not implemented: 501 */
    const char     *needs1;      /* in generation 1 */
    const char     *needs2;
    const char     *routes;      /* see kz_route.c; NULL: none */
    ngx_uint_t      flags;
#define KZ_V1        0x01        /* exists in this generation */
#define KZ_V2        0x02
#define KZ_SESSION   0x04        /* needs a client that can be notified */
#define KZ_RAW       0x08        /* answers without an envelope */
};

#define kz_null_action  { NULL, NULL, NULL, NULL, NULL, 0 }


typedef struct {
    const char         *name;
    const kz_action_t  *actions;
} kz_controller_t;


extern const kz_controller_t  kz_controllers[];

extern const kz_action_t  kz_admin_actions[];
extern const kz_action_t  kz_auth_actions[];
extern const kz_action_t  kz_bulk_actions[];
extern const kz_action_t  kz_cluster_actions[];
extern const kz_action_t  kz_collection_actions[];
extern const kz_action_t  kz_debug_actions[];
extern const kz_action_t  kz_document_actions[];
extern const kz_action_t  kz_index_actions[];
extern const kz_action_t  kz_ms_actions[];
extern const kz_action_t  kz_password_actions[];
extern const kz_action_t  kz_realtime_actions[];
extern const kz_action_t  kz_security_actions[];
extern const kz_action_t  kz_server_actions[];


/* init_module: the lookup table.  NGX_ERROR: no memory. */
ngx_int_t kz_router_init(ngx_cycle_t *cycle);

/*
 * A JSON query of a client (any protocol but HTTP).  data need not outlive
 * the call.  The reply, also of what is not a valid query, comes through
 * the client's protocol.  NGX_ERROR: no memory, the client should be closed.
 */
ngx_int_t kz_query(kz_client_t *c, u_char *data, size_t len);

/*
 * Copies a JSON query into the request's pool and takes it apart.  What the
 * protocol found before (a token, say) is kept where the query is silent.
 * NGX_ERROR: refused, the reply says why; or no memory.  See kz_envelope.c.
 */
ngx_int_t kz_query_read(kz_req_t *req, u_char *data, size_t len);

/*
 * A request whose envelope was filled in by its protocol (HTTP); it is
 * answered and freed sooner or later, perhaps before this returns.
 */
void kz_query_req(kz_req_t *req);

/* The same for a request that failed before it could be routed. */
void kz_query_refuse(kz_req_t *req);

/*
 * The same for a request that no action answers: req->step does, or the reply
 * is ready.
 */
void kz_query_answer(kz_req_t *req);

/* "controller" and "action" of an action row; names for logs and replies. */
const kz_action_t *kz_router_find(ngx_str_t *controller, ngx_str_t *action,
    ngx_uint_t *known_controller);


#endif /* _KZ_ROUTER_H_INCLUDED_ */
