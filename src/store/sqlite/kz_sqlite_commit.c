
/*
 * A batch: what had queued up for an index while the previous commit was
 * being synced.  It becomes one transaction, or several where an operation
 * on the index itself stands in between, or the documents are large.
 *
 *   BEGIN, apply all, results into "done", changes to the bus (invisible),
 *   COMMIT (synced), publish the changes, send the results
 */

#include "store/sqlite/kz_sqlite_writer.h"
#include "core/kz_stat.h"


#define KZ_GROUP_POOL_SIZE  16384

#define kz_op_of_index(op)                                                    \
    ((op)->in.kind == KZ_STORE_INDEX_CREATE                                   \
     || (op)->in.kind == KZ_STORE_INDEX_DELETE                                \
     || (op)->in.kind == KZ_STORE_INDEX_REFRESH_SET)


static kz_wop_t *kz_group_run(kz_group_t *g, kz_wop_t *ops);
static ngx_int_t kz_group_prepare(kz_group_t *g, kz_wop_t *op,
    ngx_uint_t *alone);
static kz_wop_t *kz_group_all(kz_group_t *g, kz_wop_t *ops);
static kz_wop_t *kz_group_transaction(kz_group_t *g, kz_wop_t *ops,
    ngx_uint_t max, ngx_uint_t *n);
static ngx_uint_t kz_group_repeats(kz_wop_t *ops, kz_wop_t *op);
static ngx_int_t kz_group_apply(kz_group_t *g, kz_wop_t *op);
static ngx_int_t kz_group_commit(kz_group_t *g, kz_wop_t *ops, ngx_uint_t n);
static void kz_group_announce(kz_group_t *g);
static void kz_group_rollback(kz_group_t *g);
static ngx_uint_t kz_group_hopeless(kz_group_t *g);
static void kz_group_fail(kz_group_t *g, kz_wop_t *ops, kz_wop_t *end);
static void kz_group_answer(kz_group_t *g, kz_wop_t *ops, kz_wop_t *end);
static void kz_group_send(kz_group_t *g, kz_wop_t *first, kz_wop_t *end);


/* Takes over the operations. */

void
kz_batch_run(kz_writer_t *w, kz_lane_t *lane, kz_wop_t *ops)
{
    kz_wop_t    *end;
    kz_group_t   g;

    while (ops) {
        ngx_memzero(&g, sizeof(kz_group_t));

        g.w = w;
        g.lane = lane;
        g.pool = ngx_create_pool(KZ_GROUP_POOL_SIZE, ngx_cycle->log);

        if (g.pool == NULL) {
            kz_apply_no_memory(&g);
            end = NULL;
            kz_group_fail(&g, ops, end);

        } else {
            end = kz_group_run(&g, ops);
        }

        kz_group_answer(&g, ops, end);

        /*
         * Answered first: who writes and listens sees its answer before the
         * notification, most of the time.
         */

        kz_group_announce(&g);

        if (g.pool) {
            ngx_destroy_pool(g.pool);
        }

        ops = end;
    }

    kz_writer_committed(w, lane, 1);
}


/* Decides about the first operations; returns the first one it left. */

static kz_wop_t *
kz_group_run(kz_group_t *g, kz_wop_t *ops)
{
    kz_wop_t    *end;
    ngx_uint_t   alone;

    for (end = ops; end; end = end->next) {
        end->out.seq = end->in.seq;
        end->retry = (end->in.flags & KZ_WIRE_RETRY) ? 1 : 0;
    }

    end = NULL;

    if (kz_catalog_ready(g->w, &g->err) != NGX_OK) {
        kz_group_fail(g, ops, end);
        return end;
    }

    alone = 0;

    if (kz_group_prepare(g, ops, &alone) != NGX_OK) {
        end = ops->next;

        while (!alone && end && !kz_op_of_index(end)) {

            /* the file cannot be opened: not for the others either */

            end = end->next;
        }

        kz_group_fail(g, ops, end);
        return end;
    }

    if (alone) {
        return ops->next;
    }

    return kz_group_all(g, ops);
}


/*
 * The index: created, deleted, missing, its file opened.  *alone: the
 * operation has its answer.
 */

static ngx_int_t
kz_group_prepare(kz_group_t *g, kz_wop_t *op, ngx_uint_t *alone)
{
    *alone = 1;

    if (kz_op_of_index(op)) {
        return kz_catalog_apply(g, op);
    }

    if (g->lane->file == 0) {

        if ((op->in.kind != KZ_STORE_COLLECTION_CREATE
             || op->in.dialect != KZ_DIALECT_2)
            && (op->in.kind != KZ_STORE_DOC_PUT
                || !kz_store_internal(&op->in.index)))
        {
            op->out.status = KZ_STORE_NO_INDEX;
            return NGX_OK;
        }

        /* Kuzzle: generation 2 makes the index, too; our own is ours */

        if (kz_group_late(op)) {
            return NGX_OK;
        }

        if (kz_catalog_create(g, op) != NGX_OK) {
            return NGX_ERROR;
        }

        if (op->out.status != KZ_STORE_OK) {
            return NGX_OK;
        }
    }

    *alone = 0;

    return kz_lane_open(g->w, g->lane, &g->err);
}


/* Documents and collections. */

static kz_wop_t *
kz_group_all(kz_group_t *g, kz_wop_t *ops)
{
    kz_wop_t    *op, *end, *next;
    ngx_uint_t   n;

    end = kz_group_transaction(g, ops, KZ_WRITER_BATCH, &n);

    if (g->err.code == SQLITE_OK) {
        return end;
    }

    if (n < 2 || kz_group_hopeless(g)) {
        kz_group_fail(g, ops, end);
        return end;
    }

    /*
     * Some operation, a damaged page it touches for instance, took all
     * others with it: each for itself now.
     */

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "kuzzle: a transaction of %ui operations on \"%V\" failed: "
                  "%s, now one by one", n, &g->lane->name, g->err.text);

    for (op = ops; op != end; op = next) {
        ngx_memzero(&g->err, sizeof(kz_sqlite_err_t));

        if (kz_lane_open(g->w, g->lane, &g->err) == NGX_OK) {
            next = kz_group_transaction(g, op, 1, &n);

            /* there is one g->bus only: not left open for the next one */

            kz_group_announce(g);

        } else {
            next = op->next;
        }

        if (g->err.code != SQLITE_OK) {
            kz_group_fail(g, op, next);
        }
    }

    return end;
}


/*
 * One transaction of up to max operations.  Returns the first one that is
 * not part of it; *n is their number.  When g->err is set nothing of it was
 * written.
 */

static kz_wop_t *
kz_group_transaction(kz_group_t *g, kz_wop_t *ops, ngx_uint_t max,
    ngx_uint_t *n)
{
    kz_wop_t    *op;
    ngx_uint_t   applied;

    *n = 0;
    applied = 0;
    g->bytes = 0;
    g->catalog = 0;

    if (kz_sqlite_exec(g->lane->db, "BEGIN IMMEDIATE") != SQLITE_OK) {
        kz_group_failed(g, g->lane->db);
        kz_group_rollback(g);

        for (op = ops; op && *n < max && !kz_op_of_index(op); op = op->next) {
            (*n)++;
        }

        return op;
    }

    for (op = ops;
         op && *n < max && !kz_op_of_index(op)
         && g->bytes < KZ_WRITER_GROUP_BYTES
         && !kz_group_repeats(ops, op);
         op = op->next)
    {
        (*n)++;

        ngx_memzero(&op->out, sizeof(kz_wire_result_t));
        ngx_str_null(&op->change);
        op->nchanges = 0;
        op->out.seq = op->in.seq;
        op->applied = 0;
        op->kept = 0;

        if (kz_group_apply(g, op) != NGX_OK) {
            kz_group_rollback(g);
            return op->next;
        }

        applied += op->applied;
    }

    if (applied == 0) {
        kz_group_rollback(g);

    } else if (kz_group_commit(g, ops, *n) != NGX_OK) {
        kz_group_rollback(g);
    }

    return op;
}


/*
 * Whether a repetition has met its first coming: that one's connection was
 * lost while it still waited here.  Its result has to be committed before it
 * can be found.
 */

static ngx_uint_t
kz_group_repeats(kz_wop_t *ops, kz_wop_t *op)
{
    kz_wop_t  *prev;

    if (!op->retry) {
        return 0;
    }

    for (prev = ops; prev != op; prev = prev->next) {

        if (prev->in.seq == op->in.seq
            && prev->conn->session == op->conn->session)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
kz_group_apply(kz_group_t *g, kz_wop_t *op)
{
    ngx_int_t  rc;

    if (op->retry) {
        rc = kz_done_find(g, g->lane->db, op);

        if (rc == NGX_OK) {
            return kz_apply_derive(g, op);
        }

        if (rc != NGX_DECLINED) {
            return NGX_ERROR;
        }
    }

    if (kz_group_late(op)) {
        return NGX_OK;
    }

    if (kz_op_of_collection(op)) {
        return kz_wcol_apply(g, op);
    }

    if (op->in.kind == KZ_STORE_DOC_ITEMS) {
        return kz_items_apply(g, op);
    }

    return kz_apply_document(g, op);
}


/* Nobody waits for it any more, or will not when it is done. */

ngx_uint_t
kz_group_late(kz_wop_t *op)
{
    if (kz_writer_ms() < op->in.deadline) {
        return 0;
    }

    op->out.status = KZ_STORE_UNAVAILABLE;

    return 1;
}


static ngx_int_t
kz_group_commit(kz_group_t *g, kz_wop_t *ops, ngx_uint_t n)
{
    int              rc;
    uint64_t         started;
    kz_wop_t        *op;
    ngx_str_t       *records;
    ngx_uint_t       i, k, nrecords;
    sqlite3_stmt    *stmt;

    if (kz_done_store(g, g->lane->db, ops, n) != NGX_OK) {
        return NGX_ERROR;
    }

    stmt = kz_sqlite_stmt_lit(g->lane->db,
                              "UPDATE commits SET seq = ?1 WHERE one = 1");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) g->lane->seq + 1);

    nrecords = 0;

    for (op = ops, i = 0; i < n; op = op->next, i++) {
        nrecords += 1 + op->nchanges;
    }

    records = ngx_palloc(g->pool, nrecords * sizeof(ngx_str_t));
    if (records == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    if (kz_apply_step(g, stmt) != NGX_OK) {
        return NGX_ERROR;
    }

    nrecords = 0;

    for (op = ops, i = 0; i < n; op = op->next, i++) {
        if (op->change.len) {
            records[nrecords++] = op->change;
        }

        for (k = 0; k < op->nchanges; k++) {
            records[nrecords++] = op->changes[k];
        }
    }

    if (nrecords) {
        kz_bus_group_begin(&g->bus, records, nrecords);
    }

    started = kz_stat_us();
    rc = kz_sqlite_exec(g->lane->db, "COMMIT");

    if (rc != SQLITE_OK) {
        kz_group_failed(g, g->lane->db);

    } else {
        g->lane->seq++;
        kz_stat_writer_commit(n, started);
    }

    if (rc != SQLITE_OK) {
        if (nrecords) {
            kz_bus_group_end(&g->bus, 0);
        }

        return NGX_ERROR;
    }

    g->nbus = nrecords;

    if (g->catalog) {
        kz_bus_catalog_changed();
    }

    if (kz_store_internal(&g->lane->name)) {
        kz_bus_internal_changed();
    }

    return NGX_OK;
}


/* Publishes the changes of the last transaction, if it was committed. */

static void
kz_group_announce(kz_group_t *g)
{
    if (g->nbus) {
        kz_bus_group_end(&g->bus, 1);
        g->nbus = 0;
    }
}


/* What was in memory only may be ahead of the file now: forgotten. */

static void
kz_group_rollback(kz_group_t *g)
{
    kz_lane_t  *lane;

    lane = g->lane;

    if (lane->db && !sqlite3_get_autocommit(lane->db->db)) {
        (void) kz_sqlite_exec(lane->db, "ROLLBACK");
    }

    if (g->err.code == SQLITE_OK && !g->catalog) {
        return;
    }

    kz_lane_forget(lane);

    if (kz_sqlite_damaged(g->err.code)) {
        kz_lane_close(g->w, lane);
    }
}


/* Errors that will meet each operation alone just the same. */

static ngx_uint_t
kz_group_hopeless(kz_group_t *g)
{
    switch (g->err.code & 0xff) {

    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
    case SQLITE_BUSY:
    case SQLITE_NOTADB:
        return 1;

    default:
        return 0;
    }
}


/* Remembers the engine's first error. */

void
kz_group_failed(kz_group_t *g, kz_sqlite_db_t *db)
{
    if (g->err.code != SQLITE_OK) {
        return;
    }

    kz_sqlite_error(db, &g->err);

    if (g->err.code == SQLITE_OK) {
        g->err.code = SQLITE_NOMEM;
        (void) ngx_cpystrn(g->err.text, (u_char *) "out of memory",
                           KZ_SQLITE_ERR_LEN);
    }
}


static void
kz_group_fail(kz_group_t *g, kz_wop_t *ops, kz_wop_t *end)
{
    kz_wop_t  *op;

    ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                  "kuzzle: writing to index \"%V\" (file %uL) failed: %s "
                  "(%d)", &g->lane->name, g->lane->file, g->err.text,
                  g->err.code);

    for (op = ops; op != end; op = op->next) {
        ngx_memzero(&op->out, sizeof(kz_wire_result_t));

        op->applied = 0;
        op->out.seq = op->in.seq;

        kz_group_detail(g, op, KZ_STORE_FAILED, g->err.text,
                        ngx_strlen(g->err.text));
    }
}


/* Refuses an operation; the text is copied. */

void
kz_group_detail(kz_group_t *g, kz_wop_t *op, kz_store_status_e status,
    const void *text, size_t len)
{
    u_char  *p;

    op->out.status = status;

    p = (g->pool && len) ? ngx_pnalloc(g->pool, len) : NULL;

    if (p) {
        ngx_memcpy(p, text, len);
        op->out.detail.data = p;
        op->out.detail.len = len;
    }
}


/* Sends the results, one piece for each connection, and frees all. */

static void
kz_group_answer(kz_group_t *g, kz_wop_t *ops, kz_wop_t *end)
{
    kz_wop_t    *op, *next;

    for (op = ops; op != end; op = op->next) {
        op->kept = 0;
        kz_stat_writer_queue(-1);
    }

    for (op = ops; op != end; op = op->next) {
        if (!op->kept) {
            kz_group_send(g, op, end);
        }
    }

    for (op = ops; op != end; op = next) {
        next = op->next;
        kz_wconn_release(g->w, op->conn, op->size);
        ngx_free(op);
    }
}


static void
kz_group_send(kz_group_t *g, kz_wop_t *first, kz_wop_t *end)
{
    u_char    *buf, *p;
    size_t     len;
    kz_wop_t  *op;

    len = 0;

    for (op = first; op != end; op = op->next) {
        if (op->conn == first->conn) {
            len += kz_wire_result_len(&op->out);
        }
    }

    buf = ngx_alloc(len, ngx_cycle->log);

    if (buf == NULL) {

        /* without its answers the worker gives up at the deadline */

        for (op = first; op != end; op = op->next) {
            op->kept |= (op->conn == first->conn);
        }

        return;
    }

    p = buf;

    for (op = first; op != end; op = op->next) {
        if (op->conn == first->conn) {
            op->kept = 1;
            p = kz_wire_result_write(p, &op->out);
        }
    }

    kz_wconn_send(g->w, first->conn, buf, len);

    ngx_free(buf);
}
