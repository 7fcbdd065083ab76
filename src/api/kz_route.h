#ifndef _KZ_ROUTE_H_INCLUDED_
#define _KZ_ROUTE_H_INCLUDED_

/*
 * HTTP routes: a tree per verb, built from the action rows.
 *
 * A literal part always wins over a placeholder, and there is no
 * backtracking (Kuzzle: GET /users/x/y is not a document).
 *
 * In an action row the routes are a comma separated list of
 *
 *     [1|2][-]VERB /path
 *
 * 1 or 2: exists in that generation only; -: routed but not advertised.
 *
 * A tree of its own has the routes of before 1.0, below /api/1.0.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "api/kz_legacy.h"
#include "api/kz_router.h"


#define KZ_ROUTE_MAX_PARTS  8


typedef enum {
    KZ_VERB_GET = 0,
    KZ_VERB_POST,
    KZ_VERB_PUT,
    KZ_VERB_PATCH,
    KZ_VERB_DELETE,
    KZ_VERB_MAX
} kz_verb_e;


/* Routes the server answers by itself: no action stands behind them. */

typedef enum {
    KZ_ROUTE_ACTION = 0,
    KZ_ROUTE_QUERY,             /* the body is the whole query */
    KZ_ROUTE_ALIVE,             /* the process answers */
    KZ_ROUTE_READY,             /* so does what it needs */
    KZ_ROUTE_SWAGGER_JSON,
    KZ_ROUTE_SWAGGER_YAML
} kz_route_kind_e;


typedef struct {
    kz_route_kind_e         kind;
    const kz_legacy_row_t  *legacy;        /* of before 1.0, else NULL */
    const kz_controller_t  *controller;    /* NULL: not of an action */
    const kz_action_t      *action;
    kz_verb_e               verb;
    ngx_uint_t              generation;    /* 1, 2, or 0: both */
    ngx_str_t               url;           /* as in the row */
    ngx_uint_t              advertised;
    ngx_uint_t              nparams;
    ngx_str_t               params[KZ_ROUTE_MAX_PARTS];
} kz_route_t;


/* Builds the trees; allocates from the cycle's pool.  NGX_ERROR: logged. */
ngx_int_t kz_route_init(ngx_cycle_t *cycle);

/*
 * parts: the decoded parts of the path.  values gets the parts that stand
 * for route->params.  NULL: no such route.
 */
const kz_route_t *kz_route_find(kz_verb_e verb, ngx_str_t *parts,
    ngx_uint_t n, ngx_str_t *values);

/* The same for a path below /api/1.0: route->legacy. */
const kz_route_t *kz_route_find_legacy(kz_verb_e verb, ngx_str_t *parts,
    ngx_uint_t n, ngx_str_t *values);

/* All routes of actions, in the order of the rows. */
const kz_route_t *kz_route_list(ngx_uint_t *n);

const char *kz_verb_name(kz_verb_e verb);


#endif /* _KZ_ROUTE_H_INCLUDED_ */
