#ifndef _KZ_LEGACY_H_INCLUDED_
#define _KZ_LEGACY_H_INCLUDED_

/*
 * Clients of before 1.0.  Their query becomes one of generation 1 with
 * req->legacy set: another action name, another place for some arguments,
 * and (kz_dialect_legacy.c) another envelope of the reply.
 *
 *     kz_api_legacy.c      the actions, their heirs, their routes
 *     kz_legacy.c          what a query has to be changed to
 *     kz_dialect_legacy.c  the reply
 *
 * Only where kuzzle_api leaves the generation open: a location that names
 * one speaks nothing else.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"


typedef struct {
    const char       *controller;
    const char       *name;
    const char       *heir;        /* NULL: none */
    const char       *lift;        /* arguments that were in the body */
    const char       *routes;      /* below /api/1.0, as in kz_route.h */
} kz_legacy_row_t;


extern const kz_legacy_row_t  kz_legacy_rows[];


/* Finds the heirs; after the table of actions was built. */
ngx_int_t kz_legacy_init(ngx_cycle_t *cycle);

const kz_legacy_row_t *kz_legacy_find(ngx_str_t *controller,
    ngx_str_t *action);

/* The row's heir; never NULL: who has none has one that is not there. */
const kz_action_t *kz_legacy_action(const kz_legacy_row_t *row);

/* Whether the controller has existed before 1.0 only. */
ngx_uint_t kz_legacy_controller(const ngx_str_t *name);

/*
 * Finds out whether a JSON query is one of before 1.0, and if so changes it.
 * NGX_OK, also when it is not; NGX_ERROR: refused.
 */
ngx_int_t kz_legacy_query(kz_req_t *req);

/*
 * Changes the query of that row: where there is no row the action will not
 * be found.  NGX_ERROR: refused.
 */
ngx_int_t kz_legacy_change(kz_req_t *req, const kz_legacy_row_t *row);


#endif /* _KZ_LEGACY_H_INCLUDED_ */
