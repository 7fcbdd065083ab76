#ifndef _KZ_SQLITE_VIEW_H_INCLUDED_
#define _KZ_SQLITE_VIEW_H_INCLUDED_

/*
 * What a worker knows of the catalogue: indexes, and for those that were
 * asked for their collections with compiled mappings.
 *
 * The lists are made on a pool thread from the files and put in place by the
 * event loop.  A collection is shared with searches that still run on it,
 * hence its references; they are counted by the event loop only.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_mapping.h"
#include "store/sqlite/kz_sqlite_db.h"


typedef struct {
    ngx_uint_t            refs;
    ngx_str_t             name;
    int64_t               id;
    kz_dialect_e          dialect;
    ngx_str_t             text;        /* of the mapping, as stored */
    kz_mapping_t         *mapping;
} kz_view_col_t;


/* Sorted by name. */

typedef struct {
    kz_view_col_t       **cols;
    ngx_uint_t            n;
} kz_view_cols_t;


typedef struct {
    ngx_str_t             name;
    uint64_t              file;
    kz_dialect_e          dialect;
    unsigned              refresh:1;   /* 1.x's autoRefresh */
} kz_view_index_t;


typedef struct {
    kz_view_index_t      *indexes;     /* sorted by name */
    ngx_uint_t            n;
    u_char               *names;       /* one block for all of them */
} kz_view_indexes_t;


/*
 * Reads kuzzle.db; no file is an empty list.  NGX_ERROR: *err.  Any thread.
 */
ngx_int_t kz_view_indexes(kz_view_indexes_t *list, kz_sqlite_err_t *err);
void kz_view_indexes_free(kz_view_indexes_t *list);

/*
 * Reads the collections of an index file.  What is unchanged in old is taken
 * from there (by pointer: the caller adds the references).  NGX_DECLINED:
 * there is no such file any more; NGX_ERROR: *err.  Any thread.
 */
ngx_int_t kz_view_cols(uint64_t file, const kz_view_cols_t *old,
    kz_view_cols_t *list, ngx_log_t *log, kz_sqlite_err_t *err);

/* Drops a list and its references. */
void kz_view_cols_free(kz_view_cols_t *list);

void kz_view_col_release(kz_view_col_t *col);

kz_view_index_t *kz_view_find_index(const kz_view_indexes_t *list,
    const ngx_str_t *name);
kz_view_col_t *kz_view_find_col(const kz_view_cols_t *list,
    const ngx_str_t *name);


#endif /* _KZ_SQLITE_VIEW_H_INCLUDED_ */
