
/*
 * The door to storage: which side of the engine takes an operation, and what
 * its failures are called.
 */

#include "store/kz_store.h"
#include "store/kz_store_stat.h"

#include <ngx_event.h>
#include <sys/prctl.h>
#include <sys/un.h>

#include "store/sqlite/kz_sqlite_client.h"
#include "store/sqlite/kz_sqlite_reader.h"
#include "store/sqlite/kz_sqlite_writer.h"


#define KZ_STORE_RECENT  1000          /* ms that an overload is remembered */


typedef struct {
    size_t       bytes;                /* of bodies whose request is parked */
    ngx_msec_t   refused;              /* when, last */
    unsigned     refusing:1;           /* refused holds a time */
} kz_store_load_t;


static ngx_uint_t kz_store_too_large(kz_store_op_t *op);
static void kz_store_hold(kz_store_op_t *op);
static void kz_store_release(void *data);
static void kz_store_refused(void);
static ngx_msec_t kz_store_manager(void *data);
static void kz_store_atexit(void);
static ngx_int_t kz_store_fail_unknown(kz_req_t *req, kz_store_op_t *op);
static ngx_int_t kz_store_fail_exists(kz_req_t *req, kz_store_op_t *op);
static ngx_int_t kz_store_fail_name(kz_req_t *req, kz_store_op_t *op);
static ngx_int_t kz_store_fail_id(kz_req_t *req, kz_store_op_t *op);
static ngx_int_t kz_store_fail_two(kz_req_t *req, kz_store_op_t *op,
    kz_error_e e);
static ngx_int_t kz_store_fail_strict(kz_req_t *req, kz_store_op_t *op);
static ngx_int_t kz_store_fail_key(kz_req_t *req, kz_store_op_t *op);
static ngx_int_t kz_store_fail_keyword(kz_req_t *req, kz_store_op_t *op);
static ngx_int_t kz_store_fail_time(kz_req_t *req);
static ngx_int_t kz_store_fail_blocked(kz_req_t *req, kz_store_op_t *op);
static ngx_int_t kz_store_fail_fmt(kz_req_t *req, kz_error_e e,
    const char *fmt, ngx_str_t *a, ngx_str_t *b);


static kz_store_load_t  kz_store_load;


kz_store_op_t *
kz_store_op(kz_req_t *req, kz_store_kind_e kind, kz_step_pt step)
{
    kz_store_op_t  *op;

    op = ngx_pcalloc(req->pool, sizeof(kz_store_op_t));
    if (op == NULL) {
        return NULL;
    }

    op->kind = kind;
    op->req = req;
    op->step = step;
    op->index = req->index;
    op->collection = req->collection;
    op->id = req->id;
    op->dialect = req->dialect;
    op->from = -1;
    op->size = -1;

    req->op = op;

    return op;
}


/*
 * Who is let in: the engine's two sides have a gate each, for the time one
 * has to wait; here it is only memory.
 */

ngx_int_t
kz_store_submit(kz_store_op_t *op)
{
    ngx_int_t  rc;

    op->req->op = op;
    op->req->step = op->step;
    op->started = kz_stat_us();

    if (op->index.len && op->index.data[0] == '%' && !op->internal) {
        op->status = KZ_STORE_BAD_NAME;
        ngx_str_set(&op->detail, "index\nInvalid index name, must not start "
                    "with '%'");
        kz_store_answered(op);
        return NGX_OK;
    }

    if (kz_store_too_large(op)) {
        op->status = KZ_STORE_BUSY;
        kz_store_refused();
        kz_store_answered(op);
        return NGX_OK;
    }

    rc = kz_store_writes(op->kind) ? kz_sqlite_write(op) : kz_sqlite_read(op);

    if (rc == NGX_AGAIN) {
        kz_store_hold(op);
        kz_store_parked(op);
        return NGX_AGAIN;
    }

    if (op->status == KZ_STORE_BUSY) {
        kz_store_refused();
    }

    if (rc == NGX_OK) {
        kz_store_answered(op);
    }

    return rc;
}


/* One body alone is never too large. */

static ngx_uint_t
kz_store_too_large(kz_store_op_t *op)
{
    return op->body.type != KZ_JSON_NONE
           && kz_store_load.bytes != 0
           && kz_store_load.bytes + op->body.raw.len
              > kz_conf->store_pending_size;
}


/* The memory is taken until the request's pool goes, and counted as long. */

static void
kz_store_hold(kz_store_op_t *op)
{
    size_t              *len;
    ngx_pool_cleanup_t  *cln;

    if (op->body.type == KZ_JSON_NONE) {
        return;
    }

    cln = ngx_pool_cleanup_add(op->req->pool, sizeof(size_t));
    if (cln == NULL) {
        return;
    }

    len = cln->data;
    *len = op->body.raw.len;

    cln->handler = kz_store_release;
    kz_store_load.bytes += *len;
}


static void
kz_store_release(void *data)
{
    kz_store_load.bytes -= *(size_t *) data;
}


void
kz_store_forget(kz_store_op_t *op)
{
    ngx_pool_cleanup_t  *cln;

    cln = op->kept;

    if (cln == NULL || cln->handler == NULL) {
        return;
    }

    cln->handler(cln->data);
    cln->handler = NULL;

    op->kept = NULL;
    op->docs = NULL;
    op->ndocs = 0;
}


static void
kz_store_refused(void)
{
    kz_store_load.refusing = 1;
    kz_store_load.refused = ngx_current_msec;
}


ngx_uint_t
kz_store_overloaded(void)
{
    if (kz_store_load.refusing
        && ngx_current_msec - kz_store_load.refused > KZ_STORE_RECENT)
    {
        kz_store_load.refusing = 0;
    }

    return kz_store_load.refusing;
}


const char *
kz_store_engine(void)
{
    return "sqlite";
}


const char *
kz_store_engine_version(void)
{
    return kz_sqlite_reader_version();
}


/*
 * The writer is a helper process of nginx's own: a path with a manager makes
 * the master fork one, and fork it again when it dies.
 */

char *
kz_store_configure(ngx_conf_t *cf, kz_main_conf_t *conf)
{
    size_t       max;
    ngx_path_t  *path, **slot;

    max = sizeof(((struct sockaddr_un *) 0)->sun_path)
          - sizeof("/writer.sock.4294967295");

    if (conf->data.len > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "kuzzle: the data path \"%V\" is longer than %uz "
                           "bytes, too long for the socket in it",
                           &conf->data, max);
        return NGX_CONF_ERROR;
    }

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_CONF_ERROR;
    }

    path->name.len = conf->data.len;
    path->name.data = ngx_pnalloc(cf->pool, conf->data.len + 1);

    if (path->name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(path->name.data, conf->data.data, conf->data.len + 1);

    path->manager = kz_store_manager;
    path->data = conf;
    path->conf_file = cf->conf_file ? cf->conf_file->file.name.data : NULL;
    path->line = cf->conf_file ? cf->conf_file->line : 0;

    slot = ngx_array_push(&cf->cycle->paths);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = path;

    return NGX_CONF_OK;
}


/*
 * Called in the helper process, now and then.  It serves other modules'
 * managers as well, so all it does is start threads.
 */

static ngx_msec_t
kz_store_manager(void *data)
{
    kz_main_conf_t *conf = data;

    static ngx_uint_t  started;

    if (ngx_process != NGX_PROCESS_HELPER || started) {
        return 1000;
    }

    if (kz_sqlite_writer_start(&conf->data, conf->open_files) != NGX_OK) {
        return 1000;
    }

    started = 1;

    ngx_setproctitle("kuzzle writer");

    /*
     * On QUIT and TERM nginx's loop simply calls exit(): this is where the
     * writer gets the time to serve workers that are still draining.
     */

    if (atexit(kz_store_atexit) != 0) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "kuzzle: atexit() failed");
    }

    return 1000;
}


static void
kz_store_atexit(void)
{
    kz_sqlite_writer_stop();
}


ngx_int_t
kz_store_init_process(ngx_cycle_t *cycle)
{
    if (kz_conf == NULL) {
        return NGX_OK;
    }

    if (ngx_process == NGX_PROCESS_HELPER) {

        /* not to outlive a master that was killed */

        if (prctl(PR_SET_PDEATHSIG, SIGQUIT, 0, 0, 0) == -1) {
            ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                          "kuzzle: prctl(PR_SET_PDEATHSIG) failed");
        }

        if (getppid() != ngx_parent) {
            ngx_quit = 1;
        }

        return NGX_OK;
    }

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    if (ngx_process == NGX_PROCESS_SINGLE
        && kz_sqlite_writer_start(&kz_conf->data, kz_conf->open_files)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_sqlite_reader_init(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_sqlite_client_init(cycle);
}


void
kz_store_exit_process(ngx_cycle_t *cycle)
{
    if (kz_conf == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return;
    }

    kz_sqlite_client_exit();
    kz_sqlite_reader_exit(cycle);

    if (ngx_process == NGX_PROCESS_SINGLE) {
        kz_sqlite_writer_stop();
    }
}


ngx_int_t
kz_store_fail(kz_req_t *req, kz_store_op_t *op)
{
    switch (op->status) {

    case KZ_STORE_NO_INDEX:
    case KZ_STORE_NO_COLLECTION:
        return kz_store_fail_unknown(req, op);

    case KZ_STORE_NOT_FOUND:

        if (req->dialect == KZ_DIALECT_2) {
            return kz_fail(req, KZ_E_STORAGE_NOT_FOUND, 3, &op->id,
                           &op->index, &op->collection);
        }

        return kz_fail(req, KZ_E_STORAGE_NOT_FOUND, 1, &op->id);

    case KZ_STORE_EXISTS:
        return kz_store_fail_exists(req, op);

    case KZ_STORE_BAD_NAME:
        return kz_store_fail_name(req, op);

    case KZ_STORE_BAD_MAPPING:
        return kz_store_fail_two(req, op, KZ_E_STORAGE_INVALID_MAPPING);

    case KZ_STORE_BAD_TYPE:
        return kz_store_fail_two(req, op, KZ_E_STORAGE_INVALID_MAPPING_TYPE);

    case KZ_STORE_MAPPING_CONFLICT:
        return kz_fail(req, KZ_E_STORAGE_CANNOT_CHANGE_MAPPING, 1,
                       &op->detail);

    case KZ_STORE_BAD_DOCUMENT:
    case KZ_STORE_BAD_QUERY:
        return kz_fail(req, KZ_E_STORAGE_UNEXPECTED_BAD_REQUEST, 1,
                       &op->detail);

    case KZ_STORE_STRICT:
        return kz_store_fail_strict(req, op);

    case KZ_STORE_BAD_ROOT_KEY:
        return kz_store_fail_key(req, op);

    case KZ_STORE_BAD_FILTER:
        return kz_fail(req, KZ_E_ASSERT_KONCORDE_DSL_ERROR, 1, &op->detail);

    case KZ_STORE_FILTER_KEYWORD:
        return kz_store_fail_keyword(req, op);

    case KZ_STORE_FILTER_UNTRANSLATABLE:
        return kz_fail(req, KZ_E_KONCORDE_ELASTIC_TRANSLATION_ERROR, 1,
                       &op->detail);

    case KZ_STORE_FETCH_LIMIT:
        return kz_fail(req, KZ_E_STORAGE_GET_LIMIT_EXCEEDED, 1, &op->detail);

    case KZ_STORE_BAD_ID:
        return kz_store_fail_id(req, op);

    case KZ_STORE_BUSY:
        kz_store_refused();             /* also one that had been parked */
        return kz_fail(req, KZ_E_PROCESS_OVERLOADED, 0);

    case KZ_STORE_UNAVAILABLE:
        return kz_fail(req, KZ_E_STORAGE_UNAVAILABLE, 0);

    case KZ_STORE_NO_ANSWER:
        return kz_fail(req, KZ_E_STORAGE_NO_ANSWER, 0);

    case KZ_STORE_QUERY_TIMEOUT:
        return kz_store_fail_time(req);

    case KZ_STORE_NO_SCROLL:
        return kz_fail(req, KZ_E_STORAGE_UNKNOWN_SCROLL_ID, 0);

    case KZ_STORE_BLOCKED:
        return kz_store_fail_blocked(req, op);

    case KZ_STORE_LOCKED:
        return kz_fail(req, KZ_E_PROCESS_ACTION_LOCKED, 1, &req->action_name);

    case KZ_STORE_CONFLICT:
        return kz_fail(req, KZ_E_STORAGE_TOO_MANY_CHANGES, 1, &op->id);

    default:
        return kz_fail(req, KZ_E_STORAGE_FAILED, 1, &op->detail);
    }
}


/* Kuzzle: the same ignorance has many names. */

static ngx_int_t
kz_store_fail_unknown(kz_req_t *req, kz_store_op_t *op)
{
    ngx_str_t  text;

    switch (op->kind) {

    case KZ_STORE_INDEX_CREATE:
    case KZ_STORE_INDEX_EXISTS:
    case KZ_STORE_INDEX_LIST:
    case KZ_STORE_COLLECTION_CREATE:
    case KZ_STORE_COLLECTION_LIST:
    case KZ_STORE_INDEX_REFRESH_SET:
        return kz_fail(req, KZ_E_STORAGE_UNKNOWN_INDEX, 1, &op->index);

    case KZ_STORE_INDEX_DELETE:

        if (req->dialect == KZ_DIALECT_2) {
            return kz_fail(req, KZ_E_STORAGE_UNKNOWN_INDEX, 1, &op->index);
        }

        /* Kuzzle: generation 1 quotes the name twice here */

        return kz_store_fail_fmt(req, KZ_E_STORAGE_UNKNOWN_INDEX, "\"%V\"",
                                 &op->index, NULL);

    default:
        break;
    }

    if (req->dialect == KZ_DIALECT_2) {
        return kz_fail(req, KZ_E_STORAGE_UNKNOWN_COLLECTION, 2, &op->index,
                       &op->collection);
    }

    switch (op->kind) {

    case KZ_STORE_COLLECTION_UPDATE:
    case KZ_STORE_COLLECTION_TRUNCATE:
    case KZ_STORE_DOC_UPDATE:
    case KZ_STORE_DOC_DELETE:
    case KZ_STORE_DOC_GET:
    case KZ_STORE_DOC_EXISTS:
    case KZ_STORE_DOC_SEARCH:
    case KZ_STORE_DOC_COUNT:
    case KZ_STORE_DOC_PICK:

        /* Kuzzle: not looked at before the engine is asked, see above */

        if (op->status == KZ_STORE_NO_INDEX) {
            return kz_store_fail_fmt(req, KZ_E_STORAGE_UNKNOWN_INDEX,
                                     "\"%V\"", &op->index, NULL);
        }

        break;

    default:
        break;
    }

    switch (op->kind) {

    case KZ_STORE_DOC_CREATE:
    case KZ_STORE_DOC_PUT:
    case KZ_STORE_DOC_REPLACE:
    case KZ_STORE_DOC_UPDATE:
    case KZ_STORE_DOC_DELETE:
    case KZ_STORE_DOC_ITEMS:
    case KZ_STORE_DOC_MGET:
        return kz_fail(req, KZ_E_STORAGE_UNKNOWN_INDEX_COLLECTION, 2,
                       &op->index, &op->collection);

    case KZ_STORE_MAPPING_GET:
    case KZ_STORE_COLLECTION_UPDATE:

        if (op->status == KZ_STORE_NO_INDEX) {
            return kz_fail(req, KZ_E_STORAGE_UNKNOWN_INDEX, 1, &op->index);
        }

        return kz_store_fail_fmt(req, KZ_E_STORAGE_UNEXPECTED_NOT_FOUND,
                                 "type[[%V]] missing: %V", &op->collection,
                                 &op->index);

    default:
        ngx_str_set(&text, "Not Found");

        return kz_fail(req, KZ_E_STORAGE_UNEXPECTED_NOT_FOUND, 1, &text);
    }
}


static ngx_int_t
kz_store_fail_exists(kz_req_t *req, kz_store_op_t *op)
{
    ngx_str_t  scope;

    if (op->kind != KZ_STORE_INDEX_CREATE) {
        return kz_fail(req, KZ_E_STORAGE_DOCUMENT_ALREADY_EXISTS, 0);
    }

    if (req->dialect == KZ_DIALECT_2) {
        ngx_str_set(&scope, "public");

        return kz_fail(req, KZ_E_STORAGE_INDEX_ALREADY_EXISTS, 2, &scope,
                       &op->index);
    }

    return kz_store_fail_fmt(req, KZ_E_STORAGE_UNEXPECTED_BAD_REQUEST,
                             "index [%V] already exists", &op->index, NULL);
}


/* detail: "index" or "collection", line feed, generation 1's sentence */

static ngx_int_t
kz_store_fail_name(kz_req_t *req, kz_store_op_t *op)
{
    u_char     *lf;
    ngx_str_t   text;
    ngx_uint_t  index;

    lf = ngx_strlchr(op->detail.data, op->detail.data + op->detail.len,
                     LF);

    if (lf == NULL) {
        lf = op->detail.data;
        text = op->detail;

    } else {
        text.data = lf + 1;
        text.len = op->detail.data + op->detail.len - text.data;
    }

    index = (lf - op->detail.data == 5);

    if (!index && op->collection.len == 12
        && ngx_memcmp(op->collection.data, "_kuzzle_keep", 12) == 0)
    {
        return kz_fail(req, KZ_E_STORAGE_COLLECTION_RESERVED, 1,
                       &op->collection);
    }

    if (req->dialect == KZ_DIALECT_2) {

        if (index) {
            return kz_fail(req, KZ_E_STORAGE_INVALID_INDEX_NAME, 1,
                           &op->index);
        }

        return kz_fail(req, KZ_E_STORAGE_INVALID_COLLECTION_NAME, 1,
                       &op->collection);
    }

    if (index && op->index.len && op->index.data[0] == '%') {
        return kz_fail(req, KZ_E_STORAGE_INDEX_RESERVED, 1, &op->index);
    }

    return kz_fail(req, KZ_E_STORAGE_UNEXPECTED_BAD_REQUEST, 1, &text);
}


static ngx_int_t
kz_store_fail_id(kz_req_t *req, kz_store_op_t *op)
{
    u_char     *p, n[NGX_SIZE_T_LEN];
    ngx_str_t   len, max;

    p = ngx_sprintf(n, "%uz", op->id.len);

    len.data = n;
    len.len = p - n;

    if (req->dialect == KZ_DIALECT_2) {
        return kz_store_fail_fmt(req, KZ_E_STORAGE_UNEXPECTED_BAD_REQUEST,
                                 "Validation Failed: 1: id [%V] is too long, "
                                 "must be no longer than 512 bytes but was: "
                                 "%V;", &op->id, &len);
    }

    ngx_str_set(&max, "512");

    return kz_store_fail_fmt(req, KZ_E_STORAGE_UNEXPECTED_BAD_REQUEST,
                             "id is too long, must be no longer than %V "
                             "bytes but was: %V", &max, &len);
}


/* detail: two arguments, a line feed between them */

static ngx_int_t
kz_store_fail_two(kz_req_t *req, kz_store_op_t *op, kz_error_e e)
{
    u_char     *lf;
    ngx_str_t   one, two;

    one = op->detail;
    ngx_str_null(&two);

    lf = ngx_strlchr(one.data, one.data + one.len, LF);

    if (lf) {
        two.data = lf + 1;
        two.len = one.data + one.len - two.data;
        one.len = lf - one.data;
    }

    return kz_fail(req, e, 2, &one, &two);
}


static ngx_int_t
kz_store_fail_strict(kz_req_t *req, kz_store_op_t *op)
{
    if (req->dialect == KZ_DIALECT_2) {
        return kz_fail(req, KZ_E_STORAGE_STRICT_MAPPING_REJECTION, 3,
                       &op->detail, &op->index, &op->collection);
    }

    return kz_store_fail_fmt(req, KZ_E_STORAGE_UNEXPECTED_BAD_REQUEST,
                             "mapping set to strict, dynamic introduction of "
                             "[%V] within [%V] is not allowed", &op->detail,
                             &op->collection);
}


static ngx_int_t
kz_store_fail_key(kz_req_t *req, kz_store_op_t *op)
{
    if (req->dialect == KZ_DIALECT_2) {
        return kz_fail(req, KZ_E_STORAGE_INVALID_SEARCH_QUERY, 1,
                       &op->detail);
    }

    return kz_store_fail_fmt(req, KZ_E_STORAGE_UNEXPECTED_BAD_REQUEST,
                             "Unknown key for a VALUE_STRING in [%V].",
                             &op->detail, NULL);
}


static ngx_int_t
kz_store_fail_keyword(kz_req_t *req, kz_store_op_t *op)
{
    ngx_str_t  kind;

    ngx_str_set(&kind, "clause");

    return kz_fail(req, KZ_E_ASSERT_KONCORDE_RESTRICTED_KEYWORD, 2, &kind,
                   &op->detail);
}


static ngx_int_t
kz_store_fail_time(kz_req_t *req)
{
    u_char     *p;
    ngx_str_t   ms;

    p = ngx_pnalloc(req->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ms.data = p;
    ms.len = ngx_sprintf(p, "%M", kz_conf->query_timeout) - p;

    return kz_fail(req, KZ_E_STORAGE_QUERY_TIMEOUT, 1, &ms);
}


/* Kuzzle: an error of the engine that it has no name of its own for. */

static ngx_int_t
kz_store_fail_blocked(kz_req_t *req, kz_store_op_t *op)
{
    return kz_store_fail_fmt(req, KZ_E_STORAGE_UNEXPECTED_ERROR,
                             "index [&%V.%V] blocked by: [FORBIDDEN/8/index "
                             "write (api)];", &op->index, &op->collection);
}


/* With one argument, composed of up to two; NULL for none. */

static ngx_int_t
kz_store_fail_fmt(kz_req_t *req, kz_error_e e, const char *fmt, ngx_str_t *a,
    ngx_str_t *b)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   text;

    len = ngx_strlen(fmt) + a->len + (b ? b->len : 0);

    p = ngx_pnalloc(req->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text.data = p;
    text.len = ngx_snprintf(p, len, fmt, a, b) - p;

    return kz_fail(req, e, 1, &text);
}
