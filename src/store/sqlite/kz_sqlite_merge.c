
/*
 * Merging segments: KZ_MERGE_WAYS neighbours of a level become one of the
 * next level, without the postings of rows that are gone; a segment most of
 * whose rows are gone is made again by itself.
 *
 *     level 2   [        s90        ]
 *     level 1                        [  s91  ][  s99  ]
 *     level 0                                          [s92][s93] ...
 *
 * A merge goes on slice by slice, each in a transaction with whatever else
 * the lane's thread does; one of a higher level waits for those of lower
 * ones.  Until its last slice nobody reads the new segment.  After a crash
 * or a failure what there is of it is removed, and it is begun again.
 */

#include "store/sqlite/kz_sqlite_writer.h"
#include "store/kz_mapping_node.h"


#define KZ_MERGE_WAYS    8
#define KZ_MERGE_LEVELS  16
#define KZ_MERGE_PURGE   1000         /* gone rows, a slice */
#define KZ_MERGE_DROP    400          /* blocks, a slice */
#define KZ_MERGE_LEAST   256          /* documents worth a purge */


struct kz_merge_s {
    kz_merge_t          *next;
    ngx_uint_t           old;         /* level of what it replaces */
    kz_segment_t         out;
    kz_segment_t         in[KZ_MERGE_WAYS];
    ngx_uint_t           n;

    u_char              *gone;        /* bits, by row from out.lo on */
    int64_t              ngone;
    int64_t              purged;      /* next bit, when it is built */
    unsigned             built:1;

    int64_t              f;           /* the last pair stored; 0: none */
    kz_value_t           v;
    int64_t              r;
    kz_block_text_t      text;

    kz_cursor_t          cursor[KZ_MERGE_WAYS];
    ngx_uint_t           alive[KZ_MERGE_WAYS];
    kz_block_writer_t    block;
};


#define kz_merge_is_gone(m, row)                                              \
    ((m)->ngone != 0                                                          \
     && ((m)->gone[((row) - (m)->out.lo) >> 3]                                \
         & (1 << (((row) - (m)->out.lo) & 7))))


static ngx_int_t kz_merge_find(kz_wcol_t *col, ngx_uint_t *first,
    ngx_uint_t *n);
static ngx_int_t kz_merge_gone(kz_group_t *g, kz_wcol_t *col,
    kz_merge_t *m);
static ngx_int_t kz_merge_announce(kz_group_t *g, kz_wcol_t *col,
    kz_merge_t *m);
static ngx_int_t kz_merge_build(kz_group_t *g, kz_wcol_t *col,
    kz_merge_t *m, int64_t until);
static ngx_int_t kz_merge_place(kz_group_t *g, kz_merge_t *m);
static ngx_int_t kz_merge_field(kz_group_t *g, kz_wcol_t *col,
    kz_merge_t *m, int64_t until);
static ngx_int_t kz_merge_value(kz_group_t *g, kz_wcol_t *col,
    kz_merge_t *m, ngx_uint_t i, int64_t until);
static ngx_int_t kz_merge_store(kz_group_t *g, kz_wcol_t *col,
    kz_merge_t *m);
static ngx_int_t kz_merge_next_field(kz_group_t *g, kz_wcol_t *col,
    kz_merge_t *m, int64_t *f);
static ngx_int_t kz_merge_finish(kz_group_t *g, kz_wcol_t *col,
    kz_merge_t *m);
static ngx_int_t kz_merge_state(kz_group_t *g, kz_wcol_t *col, int64_t s,
    kz_segment_state_e state, int64_t docs);
static ngx_int_t kz_merge_purge(kz_group_t *g, kz_wcol_t *col,
    kz_merge_t *m);
static void kz_merge_end(kz_wcol_t *col, kz_merge_t *m);


kz_merge_t *
kz_merge_next(kz_merge_t *m)
{
    return m->next;
}


void
kz_merge_free(kz_merge_t *m)
{
    ngx_uint_t  i;

    for (i = 0; i < m->n; i++) {
        kz_cursor_free(&m->cursor[i]);
    }

    kz_block_free(&m->block);

    free(m->text.data);
    free(m->gone);
    free(m);
}


/* Segments that should be merged: the first one's place and their number. */

static ngx_int_t
kz_merge_find(kz_wcol_t *col, ngx_uint_t *first, ngx_uint_t *n)
{
    ngx_uint_t     i, run, level, best, busy;
    kz_merge_t    *m;
    kz_segment_t  *seg;

    busy = 0;

    for (m = col->merges; m; m = m->next) {
        busy |= 1 << m->old;
    }

    best = KZ_MERGE_LEVELS;
    level = KZ_MERGE_LEVELS;
    run = 0;

    for (i = 0; i < col->nsegs; i++) {
        seg = &col->segs[i];

        if (seg->merging || seg->level >= KZ_MERGE_LEVELS - 1
            || (busy & (1 << seg->level)))
        {
            run = 0;
            continue;
        }

        if (seg->gone * 2 > seg->docs && seg->gone >= KZ_MERGE_LEAST
            && seg->level < best)
        {
            best = seg->level;
            *first = i;
            *n = 1;
        }

        run = (run && seg->level == level) ? run + 1 : 1;
        level = seg->level;

        if (run == KZ_MERGE_WAYS && level <= best) {
            best = level;
            *first = i + 1 - run;
            *n = run;
            run = 0;
        }
    }

    return (best < KZ_MERGE_LEVELS) ? NGX_OK : NGX_DECLINED;
}


ngx_uint_t
kz_merge_due(kz_wcol_t *col)
{
    ngx_uint_t  first, n;

    return col->nsegs && kz_merge_find(col, &first, &n) == NGX_OK;
}


ngx_int_t
kz_merge_begin(kz_group_t *g, kz_wcol_t *col)
{
    ngx_uint_t    i, first;
    kz_merge_t   *m, **p;
    ngx_uint_t    n;

    if (kz_merge_find(col, &first, &n) != NGX_OK) {
        return NGX_OK;
    }

    m = calloc(1, sizeof(kz_merge_t));
    if (m == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        m->in[i] = col->segs[first + i];
        m->out.docs += m->in[i].docs;
        kz_cursor_init(&m->cursor[i], g->lane->db, col->id, &m->in[i]);
        col->segs[first + i].merging = 1;
    }

    m->n = n;
    m->old = m->in[0].level;
    m->out.s = ++col->last_s;
    m->out.level = (n == 1) ? m->old : m->old + 1;
    m->out.lo = m->in[0].lo;
    m->out.hi = m->in[n - 1].hi;

    kz_block_begin(&m->block, m->out.lo);

    for (p = &col->merges; *p && (*p)->old < m->old; p = &(*p)->next) {
        /* void */
    }

    m->next = *p;
    *p = m;

    if (kz_merge_gone(g, col, m) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_merge_announce(g, col, m);
}


/* The rows that are gone by now; the others of today will be left in. */

static ngx_int_t
kz_merge_gone(kz_group_t *g, kz_wcol_t *col, kz_merge_t *m)
{
    int            rc;
    int64_t        bit;
    sqlite3_stmt  *stmt;

    m->gone = calloc(1, (size_t) ((m->out.hi - m->out.lo) / 8 + 1));
    if (m->gone == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    stmt = kz_apply_stmt(g, "SELECT r FROM x%L WHERE r >= ?1 AND r <= ?2",
                         col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, m->out.lo);
    (void) sqlite3_bind_int64(stmt, 2, m->out.hi);

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        bit = sqlite3_column_int64(stmt, 0) - m->out.lo;
        m->gone[bit >> 3] |= (u_char) (1 << (bit & 7));
        m->ngone++;
    }

    if (rc != SQLITE_DONE) {
        kz_group_failed(g, g->lane->db);
    }

    kz_sqlite_done(stmt);

    return (rc == SQLITE_DONE) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
kz_merge_announce(kz_group_t *g, kz_wcol_t *col, kz_merge_t *m)
{
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt_lit(g->lane->db,
               "INSERT INTO seg(col, s, state, level, lo, hi, docs)"
               " VALUES(?1, ?2, 0, ?3, ?4, ?5, 0)");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, col->id);
    (void) sqlite3_bind_int64(stmt, 2, m->out.s);
    (void) sqlite3_bind_int64(stmt, 3, (int64_t) m->out.level);
    (void) sqlite3_bind_int64(stmt, 4, m->out.lo);
    (void) sqlite3_bind_int64(stmt, 5, m->out.hi);

    return kz_apply_step(g, stmt);
}


ngx_int_t
kz_merge_slice(kz_group_t *g, kz_wcol_t *col, int64_t until, ngx_uint_t *did)
{
    ngx_int_t    rc;
    kz_merge_t  *m;

    m = col->merges;

    if (m == NULL) {
        return NGX_OK;
    }

    *did = 1;

    if (m->built) {
        return kz_merge_purge(g, col, m);
    }

    rc = kz_merge_build(g, col, m, until);

    return (rc == NGX_AGAIN) ? NGX_OK : rc;
}


/* NGX_AGAIN: the time is over. */

static ngx_int_t
kz_merge_build(kz_group_t *g, kz_wcol_t *col, kz_merge_t *m, int64_t until)
{
    int64_t    f;
    ngx_int_t  rc;

    f = m->f;

    for ( ;; ) {

        if (f != 0) {
            rc = kz_merge_field(g, col, m, until);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        rc = kz_merge_next_field(g, col, m, &f);

        if (rc == NGX_DONE) {
            return kz_merge_finish(g, col, m);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        m->f = f;
        m->v.type = 0;
    }
}


/* The cursors behind the last pair that was stored. */

static ngx_int_t
kz_merge_place(kz_group_t *g, kz_merge_t *m)
{
    ngx_int_t     rc;
    ngx_uint_t    i;
    kz_cursor_t  *c;

    for (i = 0; i < m->n; i++) {
        c = &m->cursor[i];

        rc = m->v.type ? kz_cursor_after(c, m->f, &m->v, m->r)
                       : kz_cursor_seek(c, m->f, NULL);

        if (rc == NGX_ERROR) {
            kz_group_failed(g, g->lane->db);
            return NGX_ERROR;
        }

        m->alive[i] = (rc == NGX_OK);
    }

    return NGX_OK;
}


static ngx_int_t
kz_merge_field(kz_group_t *g, kz_wcol_t *col, kz_merge_t *m, int64_t until)
{
    ngx_int_t   rc;
    ngx_uint_t  i, best;

    if (kz_merge_place(g, m) != NGX_OK) {
        return NGX_ERROR;
    }

    for ( ;; ) {
        best = m->n;

        /* of equal values the first one: its rows are lower */

        for (i = 0; i < m->n; i++) {

            if (m->alive[i]
                && (best == m->n
                    || kz_value_cmp(&m->cursor[i].it.v,
                                    &m->cursor[best].it.v)
                       < 0))
            {
                best = i;
            }
        }

        if (best == m->n) {
            return kz_merge_store(g, col, m);
        }

        rc = kz_merge_value(g, col, m, best, until);

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


/* The rows of one value in one segment, or what is left of its block. */

static ngx_int_t
kz_merge_value(kz_group_t *g, kz_wcol_t *col, kz_merge_t *m, ngx_uint_t i,
    int64_t until)
{
    ngx_int_t     rc;
    kz_cursor_t  *c;

    c = &m->cursor[i];

    do {
        if (!kz_merge_is_gone(m, c->it.r)) {

            rc = kz_block_add(&m->block, &c->it.v, c->it.r);

            if (rc == NGX_DECLINED) {

                if (kz_merge_store(g, col, m) != NGX_OK) {
                    return NGX_ERROR;
                }

                if (kz_writer_ms() >= until) {
                    return NGX_AGAIN;
                }

                rc = kz_block_add(&m->block, &c->it.v, c->it.r);
            }

            if (rc != NGX_OK) {
                kz_apply_no_memory(g);
                return NGX_ERROR;
            }
        }

        rc = kz_cursor_next(c);

    } while (rc == NGX_OK && !c->it.fresh);

    if (rc == NGX_DONE) {
        m->alive[i] = 0;

    } else if (rc != NGX_OK) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Stores the block and remembers its last pair. */

static ngx_int_t
kz_merge_store(kz_group_t *g, kz_wcol_t *col, kz_merge_t *m)
{
    if (m->block.n == 0) {
        return NGX_OK;
    }

    if (kz_block_copy(&m->text, &m->v, &m->block.last) != NGX_OK) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    m->r = m->block.last_r;

    return kz_postings_put(g, col, m->out.s, m->f, &m->block);
}


static ngx_int_t
kz_merge_next_field(kz_group_t *g, kz_wcol_t *col, kz_merge_t *m, int64_t *f)
{
    int            rc;
    int64_t        next, best;
    ngx_uint_t     i;
    sqlite3_stmt  *stmt;

    best = 0;

    for (i = 0; i < m->n; i++) {
        stmt = kz_apply_stmt(g, "SELECT f FROM t%L WHERE s = ?1 AND f > ?2"
                             " ORDER BY f LIMIT 1", col->id);
        if (stmt == NULL) {
            return NGX_ERROR;
        }

        (void) sqlite3_bind_int64(stmt, 1, m->in[i].s);
        (void) sqlite3_bind_int64(stmt, 2, *f);

        rc = sqlite3_step(stmt);
        next = (rc == SQLITE_ROW) ? sqlite3_column_int64(stmt, 0) : 0;

        if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
            kz_group_failed(g, g->lane->db);
            kz_sqlite_done(stmt);
            return NGX_ERROR;
        }

        kz_sqlite_done(stmt);

        if (next != 0 && (best == 0 || next < best)) {
            best = next;
        }
    }

    *f = best;

    return best ? NGX_OK : NGX_DONE;
}


/* The new segment takes the place of the old ones. */

static ngx_int_t
kz_merge_finish(kz_group_t *g, kz_wcol_t *col, kz_merge_t *m)
{
    int64_t       gone;
    ngx_uint_t    i, first;

    for (first = 0; first < col->nsegs; first++) {
        if (col->segs[first].s == m->in[0].s) {
            break;
        }
    }

    gone = 0;

    for (i = 0; i < m->n; i++) {
        gone += col->segs[first + i].gone;

        if (kz_merge_state(g, col, m->in[i].s, KZ_SEGMENT_DROPPED, 0)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    m->out.docs = ngx_max(m->out.docs - m->ngone, 0);
    m->out.gone = gone - m->ngone;

    if (kz_merge_state(g, col, m->out.s, KZ_SEGMENT_LIVE, m->out.docs)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    col->segs[first] = m->out;
    col->nsegs -= m->n - 1;

    ngx_memmove(&col->segs[first + 1], &col->segs[first + m->n],
                (col->nsegs - first - 1) * sizeof(kz_segment_t));

    col->drops = 1;
    m->built = 1;

    if (m->ngone == 0) {
        kz_merge_end(col, m);
    }

    return NGX_OK;
}


static ngx_int_t
kz_merge_state(kz_group_t *g, kz_wcol_t *col, int64_t s,
    kz_segment_state_e state, int64_t docs)
{
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt_lit(g->lane->db,
               "UPDATE seg SET state = ?3, docs = ?4"
               " WHERE col = ?1 AND s = ?2");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, col->id);
    (void) sqlite3_bind_int64(stmt, 2, s);
    (void) sqlite3_bind_int(stmt, 3, state);
    (void) sqlite3_bind_int64(stmt, 4, docs);

    return kz_apply_step(g, stmt);
}


/* Gone rows without postings are forgotten. */

static ngx_int_t
kz_merge_purge(kz_group_t *g, kz_wcol_t *col, kz_merge_t *m)
{
    int64_t        span;
    ngx_uint_t     n;
    sqlite3_stmt  *stmt;

    span = m->out.hi - m->out.lo + 1;

    for (n = 0; n < KZ_MERGE_PURGE && m->purged < span; m->purged++) {

        if (!kz_merge_is_gone(m, m->out.lo + m->purged)) {
            continue;
        }

        stmt = kz_apply_stmt(g, "DELETE FROM x%L WHERE r = ?1", col->id);
        if (stmt == NULL) {
            return NGX_ERROR;
        }

        (void) sqlite3_bind_int64(stmt, 1, m->out.lo + m->purged);

        if (kz_apply_step(g, stmt) != NGX_OK) {
            return NGX_ERROR;
        }

        n++;
    }

    if (m->purged == span) {
        kz_merge_end(col, m);
    }

    return NGX_OK;
}


static void
kz_merge_end(kz_wcol_t *col, kz_merge_t *m)
{
    kz_merge_t  **p;

    for (p = &col->merges; *p != m; p = &(*p)->next) {
        /* void */
    }

    *p = m->next;
    kz_merge_free(m);
}


/*
 * Removes a part of a segment that was replaced, or never finished.  *did is
 * left alone when there is none.
 */

ngx_int_t
kz_merge_drop(kz_group_t *g, kz_wcol_t *col, ngx_uint_t *did)
{
    u_char         sql[192];
    int64_t        s;
    kz_merge_t    *m;
    sqlite3_stmt  *stmt;

    s = 0;

    for ( ;; ) {
        stmt = kz_sqlite_stmt_lit(g->lane->db,
                                  "SELECT s FROM seg WHERE col = ?1"
                                  " AND state <> 1 AND s > ?2"
                                  " ORDER BY s LIMIT 1");
        if (stmt == NULL) {
            kz_group_failed(g, g->lane->db);
            return NGX_ERROR;
        }

        (void) sqlite3_bind_int64(stmt, 1, col->id);
        (void) sqlite3_bind_int64(stmt, 2, s);

        s = (sqlite3_step(stmt) == SQLITE_ROW)
            ? sqlite3_column_int64(stmt, 0) : 0;
        kz_sqlite_done(stmt);

        if (s == 0) {
            return NGX_OK;
        }

        for (m = col->merges; m; m = m->next) {
            if (m->out.s == s) {
                break;
            }
        }

        if (m == NULL) {
            break;
        }
    }

    *did = 1;

    *ngx_snprintf(sql, sizeof(sql) - 1, "DELETE FROM t%L WHERE s = ?1"
                  " AND (f, v, r) IN"
                  " (SELECT f, v, r FROM t%L WHERE s = ?1 LIMIT ?2)",
                  col->id, col->id) = '\0';

    stmt = kz_sqlite_stmt(g->lane->db, (char *) sql, ngx_strlen(sql));
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, s);
    (void) sqlite3_bind_int(stmt, 2, KZ_MERGE_DROP);

    if (kz_apply_step(g, stmt) != NGX_OK) {
        return NGX_ERROR;
    }

    if (sqlite3_changes(g->lane->db->db) == KZ_MERGE_DROP) {
        return NGX_OK;
    }

    stmt = kz_sqlite_stmt_lit(g->lane->db,
                              "DELETE FROM seg WHERE col = ?1 AND s = ?2");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, col->id);
    (void) sqlite3_bind_int64(stmt, 2, s);

    return kz_apply_step(g, stmt);
}
