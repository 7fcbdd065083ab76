
/*
 * What makes documents searchable, and when.
 *
 * A commit stores texts only.  Between two batches the lane's thread turns
 * the oldest part of the tail (see kz_sqlite_segment.h) into a segment, goes
 * on with a merge and removes what was replaced, a few milliseconds at a
 * time.  A tail is thus bounded: whoever writes faster than this waits for
 * it.  The transactions of this work are not synced: what a power cut takes
 * of them is the tail again, and no later commit can be there without them.
 *
 * Everything here is derived from the texts, so nothing has to be kept in
 * memory, and after a crash there is nothing to be repaired.
 */

#include "store/sqlite/kz_sqlite_writer.h"


#define KZ_INDEX_ROWS        1024     /* of the tail, become a segment */
#define KZ_INDEX_BYTES       (4 * 1024 * 1024)
#define KZ_INDEX_POSTINGS    16384    /* of a segment, about */
#define KZ_INDEX_BEHIND      4096     /* rows of a tail: no more than that */
#define KZ_INDEX_ALL         65536    /* but everything is indexed again */
#define KZ_INDEX_REST_ROWS   256      /* when there is nothing else to do */
#define KZ_INDEX_REST_BYTES  (256 * 1024)
#define KZ_INDEX_ROW_BYTES   512      /* until it is known better */
#define KZ_INDEX_MANY        64       /* segments: merging is behind */

#define KZ_INDEX_TURN        4        /* ms */
#define KZ_INDEX_TURN_MANY   16
#define KZ_INDEX_RETRY       1000     /* ms, after a failure */


static ngx_int_t kz_index_load_gone(kz_group_t *g, kz_wcol_t *col);
static ngx_int_t kz_index_number(kz_group_t *g, const char *fmt, int64_t id,
    int64_t *n);
static kz_segment_t *kz_index_segment(kz_wcol_t *col, int64_t r);
static void kz_index_look(kz_group_t *g);
static void kz_index_look_at(kz_group_t *g, int64_t id,
    const ngx_str_t *name);
static ngx_uint_t kz_index_due(kz_wcol_t *col, ngx_uint_t rest);
static ngx_uint_t kz_index_wanted(kz_wcol_t *col, ngx_uint_t rest);
static ngx_int_t kz_index_work(kz_group_t *g, kz_wcol_t *col,
    ngx_uint_t rest);
static ngx_int_t kz_index_begin(kz_group_t *g);
static void kz_index_end(kz_group_t *g, ngx_int_t rc);
static ngx_int_t kz_index_flush(kz_group_t *g, kz_wcol_t *col);
static ngx_int_t kz_index_collect(kz_group_t *g, kz_wcol_t *col,
    kz_postings_t *list, kz_segment_t *seg, size_t *bytes);
static ngx_int_t kz_index_append(kz_group_t *g, kz_wcol_t *col,
    const kz_segment_t *seg);


ngx_int_t
kz_index_load(kz_group_t *g, kz_wcol_t *col)
{
    int      rc;
    int64_t  max, others;

    if (col->loaded) {
        return NGX_OK;
    }

    rc = kz_segments_read(g->lane->db, col->id, &col->segs, &col->nsegs);

    if (rc != SQLITE_OK) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    col->loaded = 1;
    col->hi = col->nsegs ? col->segs[col->nsegs - 1].hi : 0;

    if (kz_index_number(g, "SELECT max(r) FROM d%L", col->id, &max)
        != NGX_OK
        || kz_index_number(g, "SELECT max(s) FROM seg WHERE col = %L",
                           col->id, &col->last_s)
           != NGX_OK
        || kz_index_number(g, "SELECT count(*) FROM seg WHERE col = %L"
                           " AND state <> 1", col->id, &others)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    col->drops = (others != 0);
    col->row = ngx_max(max, col->hi) + 1;
    col->bytes = (size_t) (col->row - 1 - col->hi) * KZ_INDEX_ROW_BYTES;

    return kz_index_load_gone(g, col);
}


/* How many rows of each segment have gone. */

static ngx_int_t
kz_index_load_gone(kz_group_t *g, kz_wcol_t *col)
{
    int            rc;
    kz_segment_t  *seg;
    sqlite3_stmt  *stmt;

    if (col->nsegs == 0) {
        return NGX_OK;
    }

    stmt = kz_apply_stmt(g, "SELECT r FROM x%L", col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        seg = kz_index_segment(col, sqlite3_column_int64(stmt, 0));

        if (seg != NULL) {
            seg->gone++;
        }
    }

    if (rc != SQLITE_DONE) {
        kz_group_failed(g, g->lane->db);
    }

    kz_sqlite_done(stmt);

    return (rc == SQLITE_DONE) ? NGX_OK : NGX_ERROR;
}


/* A number, 0 for NULL; the format takes the collection's. */

static ngx_int_t
kz_index_number(kz_group_t *g, const char *fmt, int64_t id, int64_t *n)
{
    u_char  sql[128];

    *ngx_snprintf(sql, sizeof(sql) - 1, fmt, id) = '\0';

    if (kz_sqlite_int(g->lane->db, (char *) sql, n) != SQLITE_OK) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static kz_segment_t *
kz_index_segment(kz_wcol_t *col, int64_t r)
{
    ngx_uint_t  low, high, i;

    low = 0;
    high = col->nsegs;

    while (low < high) {
        i = (low + high) / 2;

        if (r > col->segs[i].hi) {
            low = i + 1;

        } else if (r < col->segs[i].lo) {
            high = i;

        } else {
            return &col->segs[i];
        }
    }

    return NULL;
}


/* A document left its row; the row's postings, if it has any, stay. */

ngx_int_t
kz_index_gone(kz_group_t *g, kz_wcol_t *col, int64_t r)
{
    kz_segment_t  *seg;
    sqlite3_stmt  *stmt;

    if (r > col->hi) {
        return NGX_OK;
    }

    seg = kz_index_segment(col, r);
    if (seg != NULL) {
        seg->gone++;
    }

    stmt = kz_apply_stmt(g, "INSERT OR IGNORE INTO x%L(r) VALUES(?1)",
                         col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, r);

    return kz_apply_step(g, stmt);
}


ngx_int_t
kz_index_reset(kz_group_t *g, kz_wcol_t *col)
{
    sqlite3_stmt  *segs, *gone;

    if (kz_index_load(g, col) != NGX_OK) {
        return NGX_ERROR;
    }

    if (col->nsegs == 0) {
        return NGX_OK;
    }

    segs = kz_apply_stmt(g, "UPDATE seg SET state = 2 WHERE col = %L",
                         col->id);
    if (segs == NULL || kz_apply_step(g, segs) != NGX_OK) {
        return NGX_ERROR;
    }

    gone = kz_apply_stmt(g, "DELETE FROM x%L", col->id);
    if (gone == NULL || kz_apply_step(g, gone) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_index_forget(col);

    col->drops = 1;
    col->loaded = 1;
    col->hi = 0;
    col->bytes = (size_t) (col->row - 1) * KZ_INDEX_ROW_BYTES;

    return NGX_OK;
}


void
kz_index_forget(kz_wcol_t *col)
{
    kz_merge_t  *m;

    while (col->merges) {
        m = col->merges;
        col->merges = kz_merge_next(m);
        kz_merge_free(m);
    }

    free(col->segs);

    col->segs = NULL;
    col->nsegs = 0;
    col->loaded = 0;
}


ngx_uint_t
kz_index_turn(kz_writer_t *w, kz_lane_t *lane, ngx_uint_t rest)
{
    int64_t       now;
    kz_wcol_t    *col;
    kz_group_t    g;
    ngx_uint_t    i, more, did;

    now = kz_writer_ms();

    if (lane->db == NULL
        || (lane->failed && now - lane->failed < KZ_INDEX_RETRY))
    {
        return 0;
    }

    ngx_memzero(&g, sizeof(kz_group_t));
    g.w = w;
    g.lane = lane;

    if (!lane->looked) {
        lane->looked = 1;
        kz_index_look(&g);
    }

    more = 0;
    did = 0;

    /* one collection after the other has the first go */

    for (i = 0; i < KZ_WRITER_COLS && g.err.code == SQLITE_OK; i++) {

        col = lane->cols[(lane->turn + i) % KZ_WRITER_COLS];

        for ( /* void */ ; col && g.err.code == SQLITE_OK; col = col->next) {

            if (!kz_index_wanted(col, rest)) {
                continue;
            }

            if (did && kz_writer_ms() - now >= KZ_INDEX_TURN) {
                more = 1;
                break;
            }

            if (kz_index_work(&g, col, rest) != NGX_OK) {
                break;
            }

            did = 1;
            more |= kz_index_wanted(col, rest);
        }
    }

    lane->turn++;

    if (did) {
        kz_writer_committed(w, lane, 0);
    }

    return g.err.code == SQLITE_OK && more;
}


/*
 * Work that was left over when the file was used last: a long tail, segments
 * half built or half removed.  What fails here fails again when it matters.
 */

static void
kz_index_look(kz_group_t *g)
{
    int64_t        id;
    ngx_str_t      name;
    sqlite3_stmt  *stmt;

    g->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);

    if (g->pool == NULL || kz_index_begin(g) != NGX_OK) {
        goto done;
    }

    id = 0;

    while (g->err.code == SQLITE_OK) {
        stmt = kz_sqlite_stmt_lit(g->lane->db,
                                  "SELECT id, name FROM col WHERE id > ?1"
                                  " ORDER BY id LIMIT 1");
        if (stmt == NULL) {
            break;
        }

        (void) sqlite3_bind_int64(stmt, 1, id);

        if (sqlite3_step(stmt) != SQLITE_ROW) {
            kz_sqlite_done(stmt);
            break;
        }

        id = sqlite3_column_int64(stmt, 0);
        name.len = sqlite3_column_bytes(stmt, 1);
        name.data = ngx_pnalloc(g->pool, name.len + 1);

        if (name.data != NULL && name.len != 0) {
            ngx_memcpy(name.data, sqlite3_column_text(stmt, 1), name.len);
        }

        kz_sqlite_done(stmt);

        if (name.data == NULL) {
            break;
        }

        kz_index_look_at(g, id, &name);
    }

    kz_index_end(g, g->err.code == SQLITE_OK ? NGX_OK : NGX_ERROR);

done:

    if (g->pool) {
        ngx_destroy_pool(g->pool);
        g->pool = NULL;
    }

    ngx_memzero(&g->err, sizeof(kz_sqlite_err_t));
}


static void
kz_index_look_at(kz_group_t *g, int64_t id, const ngx_str_t *name)
{
    int64_t     last, hi, others;
    kz_wcol_t  *col;

    if (kz_index_number(g, "SELECT max(r) FROM d%L", id, &last) != NGX_OK
        || kz_index_number(g, "SELECT max(hi) FROM seg WHERE col = %L"
                           " AND state = 1", id, &hi)
           != NGX_OK
        || kz_index_number(g, "SELECT count(*) FROM seg WHERE col = %L"
                           " AND state <> 1", id, &others)
           != NGX_OK)
    {
        return;
    }

    if (last - hi < KZ_INDEX_ROWS && others == 0) {
        return;
    }

    if (kz_wcol_get(g, name, &col) == NGX_OK) {
        (void) kz_index_load(g, col);
    }
}


static ngx_uint_t
kz_index_due(kz_wcol_t *col, ngx_uint_t rest)
{
    int64_t  rows;

    rows = col->row - 1 - col->hi;

    if (rows <= 0) {
        return 0;
    }

    if (rows >= KZ_INDEX_ROWS || col->bytes >= KZ_INDEX_BYTES) {
        return 1;
    }

    return rest && (rows >= KZ_INDEX_REST_ROWS
                    || col->bytes >= KZ_INDEX_REST_BYTES);
}


static ngx_uint_t
kz_index_wanted(kz_wcol_t *col, ngx_uint_t rest)
{
    return col->loaded
           && (kz_index_due(col, rest) || col->merges || col->drops
               || kz_merge_due(col));
}


static ngx_int_t
kz_index_work(kz_group_t *g, kz_wcol_t *col, ngx_uint_t rest)
{
    int64_t     until, rows;
    ngx_int_t   rc;
    ngx_uint_t  did;

    g->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);

    if (g->pool == NULL) {
        kz_apply_no_memory(g);
        rc = NGX_ERROR;

    } else {
        rc = kz_index_begin(g);
    }

    if (rc == NGX_OK) {

        did = 0;

        if (kz_index_due(col, rest)) {

            /* whoever writes waits for more when the tail gets long */

            do {
                rc = kz_index_flush(g, col);
                rows = col->row - 1 - col->hi;

            } while (rc == NGX_OK && rows > KZ_INDEX_BEHIND
                     && rows < KZ_INDEX_ALL);

            did = 1;
        }

        until = kz_writer_ms();

        if (col->nsegs > KZ_INDEX_MANY) {
            until += KZ_INDEX_TURN_MANY;

        } else if (!did) {
            until += KZ_INDEX_TURN;

        } else {
            until += 1;
        }

        did = 0;

        if (rc == NGX_OK) {
            rc = kz_merge_begin(g, col);
        }

        if (rc == NGX_OK) {
            rc = kz_merge_slice(g, col, until, &did);
        }

        if (rc == NGX_OK && !did && col->drops) {
            rc = kz_merge_drop(g, col, &did);
            col->drops = did;
        }

        kz_index_end(g, rc);
    }

    if (g->pool) {
        ngx_destroy_pool(g->pool);
        g->pool = NULL;
    }

    return (g->err.code == SQLITE_OK) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
kz_index_begin(kz_group_t *g)
{
    if (kz_sqlite_exec(g->lane->db, "PRAGMA synchronous=NORMAL") == SQLITE_OK
        && kz_sqlite_exec(g->lane->db, "BEGIN IMMEDIATE") == SQLITE_OK)
    {
        return NGX_OK;
    }

    kz_group_failed(g, g->lane->db);
    kz_index_end(g, NGX_ERROR);

    return NGX_ERROR;
}


static void
kz_index_end(kz_group_t *g, ngx_int_t rc)
{
    kz_lane_t  *lane;

    lane = g->lane;

    if (rc == NGX_OK && kz_sqlite_exec(lane->db, "COMMIT") != SQLITE_OK) {
        kz_group_failed(g, lane->db);
        rc = NGX_ERROR;
    }

    if (!sqlite3_get_autocommit(lane->db->db)) {
        (void) kz_sqlite_exec(lane->db, "ROLLBACK");
    }

    if (rc == NGX_OK) {
        lane->failed = 0;

        if (g->catalog) {
            g->catalog = 0;
            kz_bus_catalog_changed();
        }

    } else {

        if (lane->failed == 0) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "kuzzle: indexing documents of \"%V\" failed: %s; "
                          "searches take longer", &lane->name, g->err.text);
        }

        lane->failed = kz_writer_ms();
        kz_lane_forget(lane);
    }

    /* never a batch that is not synced */

    if (kz_sqlite_exec(lane->db, "PRAGMA synchronous=FULL") != SQLITE_OK
        || kz_sqlite_damaged(g->err.code))
    {
        kz_group_failed(g, lane->db);
        kz_lane_close(g->w, lane);
    }
}


/* The oldest rows of the tail become a segment. */

static ngx_int_t
kz_index_flush(kz_group_t *g, kz_wcol_t *col)
{
    size_t          bytes;
    ngx_int_t       rc;
    kz_segment_t    seg;
    kz_postings_t   list;

    ngx_memzero(&seg, sizeof(kz_segment_t));
    ngx_memzero(&list, sizeof(kz_postings_t));

    list.pool = ngx_create_pool(65536, ngx_cycle->log);
    if (list.pool == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    seg.s = col->last_s + 1;
    seg.lo = col->hi + 1;

    rc = kz_index_collect(g, col, &list, &seg, &bytes);

    if (rc == NGX_OK) {
        rc = kz_postings_store(g, col, seg.s, seg.lo, &list);
    }

    if (rc == NGX_OK) {
        rc = kz_index_append(g, col, &seg);
    }

    ngx_destroy_pool(list.pool);
    free(list.p);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    col->last_s = seg.s;
    col->hi = seg.hi;

    col->bytes = (col->hi == col->row - 1 || bytes > col->bytes)
                 ? 0 : col->bytes - bytes;

    return NGX_OK;
}


static ngx_int_t
kz_index_collect(kz_group_t *g, kz_wcol_t *col, kz_postings_t *list,
    kz_segment_t *seg, size_t *bytes)
{
    int            rc;
    int64_t        r;
    ngx_str_t      src;
    sqlite3_stmt  *stmt;

    stmt = kz_apply_stmt(g, "SELECT r, src FROM d%L WHERE r > ?1 ORDER BY r",
                         col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, col->hi);

    *bytes = 0;

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW
           && seg->docs < KZ_INDEX_ROWS && *bytes < KZ_INDEX_BYTES
           && list->n < KZ_INDEX_POSTINGS)
    {
        r = sqlite3_column_int64(stmt, 0);
        src.data = (u_char *) sqlite3_column_text(stmt, 1);
        src.len = sqlite3_column_bytes(stmt, 1);

        if (src.data == NULL
            || kz_postings_collect(g, col, list, r, &src) != NGX_OK)
        {
            kz_apply_no_memory(g);
            kz_sqlite_done(stmt);
            return NGX_ERROR;
        }

        seg->hi = r;
        seg->docs++;
        *bytes += src.len;
    }

    if (rc == SQLITE_DONE) {

        /* and the rows that were left before they had postings */

        seg->hi = col->row - 1;

    } else if (rc != SQLITE_ROW) {
        kz_group_failed(g, g->lane->db);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    kz_sqlite_done(stmt);

    return NGX_OK;
}


static ngx_int_t
kz_index_append(kz_group_t *g, kz_wcol_t *col, const kz_segment_t *seg)
{
    kz_segment_t  *segs;
    sqlite3_stmt  *stmt;

    segs = realloc(col->segs, (col->nsegs + 1) * sizeof(kz_segment_t));
    if (segs == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    col->segs = segs;
    segs[col->nsegs++] = *seg;

    stmt = kz_sqlite_stmt_lit(g->lane->db,
               "INSERT INTO seg(col, s, state, level, lo, hi, docs)"
               " VALUES(?1, ?2, 1, 0, ?3, ?4, ?5)");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, col->id);
    (void) sqlite3_bind_int64(stmt, 2, seg->s);
    (void) sqlite3_bind_int64(stmt, 3, seg->lo);
    (void) sqlite3_bind_int64(stmt, 4, seg->hi);
    (void) sqlite3_bind_int64(stmt, 5, seg->docs);

    return kz_apply_step(g, stmt);
}
