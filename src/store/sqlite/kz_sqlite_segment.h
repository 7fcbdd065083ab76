#ifndef _KZ_SQLITE_SEGMENT_H_INCLUDED_
#define _KZ_SQLITE_SEGMENT_H_INCLUDED_

/*
 * Reading the postings of a collection, by the writer as by the workers.
 *
 *     rows   1 ................ hi | ............ next
 *            [ s4 ][ s7 ][s8][ s9 ]   no postings: the tail
 *
 * The postings lie in segments.  A segment covers a span of rows and never
 * changes; neighbours are merged into a new one now and then.  Rows above
 * the last segment have no postings yet: whoever asks the postings looks at
 * the text of those, too.  A row that a segment covers keeps its text for
 * ever; a document that is changed or deleted leaves its row, and the number
 * goes to the table of gone rows, until a merge has dropped its postings.
 *
 *     seg(col, s, state, level, lo, hi, docs)
 *     t<col>(s, f, v, r, n, p)                   see kz_sqlite_block.h
 *     x<col>(r)                                  gone rows
 *
 * So what is found in the segments, less the gone rows, and what matches in
 * the tail, is exactly what matches.
 */

#include "store/sqlite/kz_sqlite_block.h"
#include "store/sqlite/kz_sqlite_db.h"


typedef enum {
    KZ_SEGMENT_BUILDING = 0,
    KZ_SEGMENT_LIVE,
    KZ_SEGMENT_DROPPED
} kz_segment_state_e;


typedef struct {
    int64_t               s;
    int64_t               lo;
    int64_t               hi;
    int64_t               docs;       /* when it was made */
    int64_t               gone;       /* writer: rows that left since */
    ngx_uint_t            level;
    unsigned              merging:1;  /* writer: is being replaced */
} kz_segment_t;


/* The pairs of one field in one segment, in order. */

typedef struct {
    kz_sqlite_db_t       *db;
    int64_t               col;
    int64_t               s;
    int64_t               base;
    int64_t               f;
    kz_block_iter_t       it;         /* it.v, it.r: the current pair */
    kz_value_t            key;        /* of the block, text in text */
    int64_t               key_r;
    kz_block_text_t       text;
    u_char               *block;      /* a copy; malloc's */
    size_t                size;
} kz_cursor_t;


/*
 * The live segments in the order of their rows, malloc's (NULL when there
 * are none).  A SQLite code; a file of a schema without segments has none.
 */
int kz_segments_read(kz_sqlite_db_t *db, int64_t col, kz_segment_t **segs,
    ngx_uint_t *n);

/* A cursor over nothing, to be placed; the struct is overwritten. */
void kz_cursor_init(kz_cursor_t *c, kz_sqlite_db_t *db, int64_t col,
    const kz_segment_t *seg);

/*
 * Goes to the first pair of the field whose value is not below v; NULL: to
 * the first one.  NGX_OK, NGX_DONE: there is none, NGX_ERROR: the engine, or
 * no memory (then it says nothing).
 */
ngx_int_t kz_cursor_seek(kz_cursor_t *c, int64_t f, const kz_value_t *v);
ngx_int_t kz_cursor_next(kz_cursor_t *c);

/*
 * Goes on to a value not below v, from a pair below it: in the block when it
 * is there, by a seek otherwise.  As kz_cursor_seek().
 */
ngx_int_t kz_cursor_skip(kz_cursor_t *c, const kz_value_t *v);

/* Goes to the first pair of the field that is greater than (v, r). */
ngx_int_t kz_cursor_after(kz_cursor_t *c, int64_t f, const kz_value_t *v,
    int64_t r);
void kz_cursor_free(kz_cursor_t *c);

void kz_segment_bind(sqlite3_stmt *stmt, int i, const kz_value_t *v);

/* The value of a column; its text lives as long as the row. */
void kz_segment_column(sqlite3_stmt *stmt, int i, kz_value_t *v);


#endif /* _KZ_SQLITE_SEGMENT_H_INCLUDED_ */
