/*
 * Controller admin: the whole server.
 */

#include "api/kz_router.h"
#include "api/kz_admin.h"
#include "api/kz_args.h"
#include "core/kz_bus.h"
#include "core/kz_shutdown.h"


#define KZ_DUMP_SUFFIX_MAX  64


static ngx_int_t kz_admin_dump(kz_req_t *req);
static ngx_int_t kz_admin_dump_suffix(kz_req_t *req, ngx_str_t *suffix);
static ngx_int_t kz_admin_dumped(kz_req_t *req);
static ngx_int_t kz_admin_refresh_index_cache(kz_req_t *req);
static ngx_int_t kz_admin_reset_cache(kz_req_t *req);
static ngx_int_t kz_admin_reset_database(kz_req_t *req);
static ngx_int_t kz_admin_reset_listed(kz_req_t *req);
static ngx_int_t kz_admin_reset_kuzzle_data(kz_req_t *req);
static ngx_int_t kz_admin_lock(kz_req_t *req, kz_bus_lock_e lock);
static void kz_admin_unlock(void *data);
static ngx_int_t kz_admin_shutdown(kz_req_t *req);
static ngx_int_t kz_admin_acknowledge(kz_req_t *req);


const kz_action_t  kz_admin_actions[] = {

    { "dump", kz_admin_dump, "", "",
      "POST /admin/_dump",
      KZ_V1|KZ_V2 },

    { "loadFixtures", kz_admin_load_fixtures, "b", "b",
      "POST /admin/_loadFixtures",
      KZ_V1|KZ_V2 },

    { "loadMappings", kz_admin_load_mappings, "b", "b",
      "POST /admin/_loadMappings",
      KZ_V1|KZ_V2 },

    { "loadSecurities", NULL, "", "",
      "POST /admin/_loadSecurities",
      KZ_V1|KZ_V2 },

    { "refreshIndexCache", kz_admin_refresh_index_cache, "", "",
      "2POST /admin/_refreshIndexCache",
      KZ_V2 },

    { "resetCache", kz_admin_reset_cache, "", "",
      "POST /admin/_resetCache",
      KZ_V1|KZ_V2 },

    { "resetDatabase", kz_admin_reset_database, "", "",
      "POST /admin/_resetDatabase",
      KZ_V1|KZ_V2 },

    { "resetKuzzleData", kz_admin_reset_kuzzle_data, "", "",
      "POST /admin/_resetKuzzleData",
      KZ_V1 },

    { "resetSecurity", NULL, "", "",
      "POST /admin/_resetSecurity",
      KZ_V1|KZ_V2 },

    { "shutdown", kz_admin_shutdown, "", "",
      "POST /admin/_shutdown",
      KZ_V1|KZ_V2 },

      kz_null_action
};


/*
 * Kuzzle: generation 1 answers at once unless it is told to wait, generation
 * 2 waits unless it is told not to.
 */

static ngx_int_t
kz_admin_dump(kz_req_t *req)
{
    u_char         *p;
    ngx_int_t       rc;
    ngx_str_t       suffix, refresh;
    ngx_tm_t        tm;
    ngx_uint_t      wait;
    kz_store_op_t  *op;

    if (kz_admin_dump_suffix(req, &suffix) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = kz_arg_string(req, "refresh", &refresh);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    wait = (req->dialect == KZ_DIALECT_2);

    if (rc == NGX_OK) {
        wait = wait ? !(refresh.len == 5
                        && ngx_strncmp(refresh.data, "false", 5) == 0)
                    : (refresh.len == 8
                       && ngx_strncmp(refresh.data, "wait_for", 8) == 0);
    }

    op = kz_store_op(req, KZ_STORE_DUMP, kz_admin_dumped);
    if (op == NULL) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(req->pool, sizeof("YYYYMMDD-HHMMSSmmm-") + suffix.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_gmtime((time_t) (req->timestamp / 1000), &tm);

    op->id.data = p;
    op->id.len = ngx_sprintf(p, "%04d%02d%02d-%02d%02d%02d%03d-%V",
                             tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                             tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                             (int) (req->timestamp % 1000), &suffix) - p;
    op->flag = !wait;

    return kz_store_submit(op);
}


static ngx_int_t
kz_admin_dump_suffix(kz_req_t *req, ngx_str_t *suffix)
{
    u_char      c;
    size_t      i;
    ngx_int_t   rc;
    ngx_str_t   name, allowed;

    rc = kz_arg_string(req, "suffix", suffix);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_str_set(suffix, "manual-api-action");
        return NGX_OK;
    }

    for (i = 0; i < suffix->len; i++) {
        c = suffix->data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z') || c == '_' || c == '-'))
        {
            break;
        }
    }

    if (i == suffix->len && i != 0 && i <= KZ_DUMP_SUFFIX_MAX) {
        return NGX_OK;
    }

    ngx_str_set(&name, "suffix");
    ngx_str_set(&allowed, "1 to 64 of A-Z, a-z, 0-9, _ and -");

    return kz_fail(req, KZ_E_ASSERT_INVALID_ARGUMENT, 2, &name, &allowed);
}


static ngx_int_t
kz_admin_dumped(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    return kz_admin_acknowledge(req);
}


/* Every worker looks at the catalogue's version before it uses its copy. */

static ngx_int_t
kz_admin_refresh_index_cache(kz_req_t *req)
{
    req->result.type = KZ_RESULT_ABSENT;

    return NGX_OK;
}


/* Neither cache holds anything that outlives the query it was made for. */

static ngx_int_t
kz_admin_reset_cache(kz_req_t *req)
{
    ngx_int_t  rc;
    ngx_str_t  database;

    rc = kz_arg_string(req, "database", &database);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return kz_arg_missing(req, "database");
    }

    if ((database.len == 13
         && ngx_strncmp(database.data, "internalCache", 13) == 0)
        || (database.len == 13
            && ngx_strncmp(database.data, "memoryStorage", 13) == 0))
    {
        return kz_admin_acknowledge(req);
    }

    return kz_fail(req, KZ_E_CACHE_DATABASE_NOT_FOUND, 1, &database);
}


static ngx_int_t
kz_admin_reset_database(kz_req_t *req)
{
    kz_store_op_t  *op;

    if (kz_admin_lock(req, KZ_BUS_LOCK_RESET) != NGX_OK) {
        return NGX_ERROR;
    }

    op = kz_store_op(req, KZ_STORE_INDEX_LIST, kz_admin_reset_listed);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_admin_reset_listed(kz_req_t *req)
{
    kz_store_op_t  *op = req->op;

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    return kz_index_erase(req, op->names, op->nnames, kz_admin_acknowledge);
}


/* The server's own documents; the clients' indexes stay. */

static ngx_int_t
kz_admin_reset_kuzzle_data(kz_req_t *req)
{
    ngx_str_t  *name;

    if (kz_admin_lock(req, KZ_BUS_LOCK_RESET_INTERNAL) != NGX_OK) {
        return NGX_ERROR;
    }

    name = ngx_palloc(req->pool, sizeof(ngx_str_t));
    if (name == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(name, KZ_STORE_INTERNAL);

    return kz_index_erase(req, name, 1, kz_admin_acknowledge);
}


/* Until the request is freed: its operations run to their end. */

static ngx_int_t
kz_admin_lock(kz_req_t *req, kz_bus_lock_e lock)
{
    kz_bus_lock_e       *held;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(req->pool, sizeof(kz_bus_lock_e));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    switch (kz_bus_lock(lock)) {

    case NGX_OK:
        held = cln->data;
        *held = lock;
        cln->handler = kz_admin_unlock;
        return NGX_OK;

    case NGX_DECLINED:
        return kz_fail(req, KZ_E_PROCESS_ACTION_LOCKED, 1,
                       &req->action_name);

    default:
        return kz_fail(req, KZ_E_PROCESS_OVERLOADED, 0);
    }
}


static void
kz_admin_unlock(void *data)
{
    kz_bus_unlock(*(kz_bus_lock_e *) data);
}


/* The lock goes with the worker. */

static ngx_int_t
kz_admin_shutdown(kz_req_t *req)
{
    if (!req->conf->shutdown) {
        return kz_fail_text(req, 403, "The server can be shut down by this "
                            "action only where \"kuzzle_shutdown on;\" is "
                            "configured.");
    }

    if (kz_bus_lock(KZ_BUS_LOCK_SHUTDOWN) != NGX_OK) {
        return kz_fail(req, KZ_E_PROCESS_ACTION_LOCKED, 1,
                       &req->action_name);
    }

    if (kz_shutdown() != NGX_OK) {
        kz_bus_unlock(KZ_BUS_LOCK_SHUTDOWN);

        return kz_fail_text(req, 500, "The server could not be told to shut "
                            "down.");
    }

    return kz_admin_acknowledge(req);
}


/* Kuzzle: acknowledge, without the d. */

static ngx_int_t
kz_admin_acknowledge(kz_req_t *req)
{
    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "{\"acknowledge\":true}");

    return NGX_OK;
}
