
/*
 * Reading the catalogue: see the header.
 */

#include "store/sqlite/kz_sqlite_view.h"
#include "store/sqlite/kz_sqlite_conns.h"


#define KZ_VIEW_PATIENCE  1000         /* ms, for a busy file */


static ngx_int_t kz_view_read_indexes(kz_sqlite_db_t *db,
    kz_view_indexes_t *list);
static ngx_int_t kz_view_read_cols(kz_sqlite_db_t *db,
    const kz_view_cols_t *old, kz_view_cols_t *list, ngx_log_t *log,
    kz_sqlite_err_t *err);
static kz_view_col_t *kz_view_col(sqlite3_stmt *stmt,
    const kz_view_cols_t *old, ngx_log_t *log, kz_sqlite_err_t *err);
static ngx_int_t kz_view_fields(kz_sqlite_db_t *db, kz_view_cols_t *list);
static void *kz_view_push(void *list, ngx_uint_t n, size_t size);
static ngx_int_t kz_view_memory(kz_sqlite_err_t *err);


ngx_int_t
kz_view_indexes(kz_view_indexes_t *list, kz_sqlite_err_t *err)
{
    ngx_int_t   rc;
    kz_conn_t  *conn;

    ngx_memzero(list, sizeof(kz_view_indexes_t));

    conn = kz_conns_take(0, KZ_VIEW_PATIENCE, err);

    if (conn == NULL) {
        return kz_sqlite_absent(err) ? NGX_OK : NGX_ERROR;
    }

    rc = kz_view_read_indexes(conn->db, list);

    if (rc != NGX_OK) {
        kz_sqlite_error(conn->db, err);
        kz_view_indexes_free(list);
    }

    kz_conns_put(conn, rc != NGX_OK);

    return rc;
}


static ngx_int_t
kz_view_read_indexes(kz_sqlite_db_t *db, kz_view_indexes_t *list)
{
    int                rc;
    size_t             len, used, size;
    u_char            *p;
    ngx_int_t          done;
    ngx_uint_t         i;
    sqlite3_stmt      *stmt;
    kz_view_index_t   *index;

    stmt = kz_sqlite_stmt_lit(db, "SELECT name, file, dialect, (SELECT v"
                                  " FROM meta WHERE k = 'refresh:' || file)"
                                  " FROM idx ORDER BY name");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    used = 0;
    size = 0;
    done = NGX_OK;

    while (done == NGX_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {

        index = kz_view_push(list->indexes, list->n,
                             sizeof(kz_view_index_t));
        if (index == NULL) {
            done = NGX_ERROR;
            break;
        }

        list->indexes = index;
        index += list->n;

        len = sqlite3_column_bytes(stmt, 0);

        if (used + len > size) {
            size = ngx_max(size * 2, used + len + 1024);

            p = realloc(list->names, size);
            if (p == NULL) {
                done = NGX_ERROR;
                break;
            }

            list->names = p;
        }

        if (len != 0) {
            ngx_memcpy(list->names + used, sqlite3_column_text(stmt, 0), len);
        }

        used += len;

        index->name.len = len;
        index->file = sqlite3_column_int64(stmt, 1);
        index->dialect = sqlite3_column_int(stmt, 2);
        index->refresh = (sqlite3_column_int(stmt, 3) != 0);

        list->n++;
    }

    if (done == NGX_OK && rc != SQLITE_DONE) {
        done = NGX_ERROR;
    }

    kz_sqlite_done(stmt);

    /* the block has moved while it grew */

    for (i = 0, used = 0; i < list->n; i++) {
        list->indexes[i].name.data = list->names + used;
        used += list->indexes[i].name.len;
    }

    return done;
}


void
kz_view_indexes_free(kz_view_indexes_t *list)
{
    free(list->indexes);
    free(list->names);

    ngx_memzero(list, sizeof(kz_view_indexes_t));
}


ngx_int_t
kz_view_cols(uint64_t file, const kz_view_cols_t *old, kz_view_cols_t *list,
    ngx_log_t *log, kz_sqlite_err_t *err)
{
    ngx_int_t   rc;
    kz_conn_t  *conn;

    ngx_memzero(list, sizeof(kz_view_cols_t));

    conn = kz_conns_take(file, KZ_VIEW_PATIENCE, err);

    if (conn == NULL) {
        return kz_sqlite_absent(err) ? NGX_DECLINED : NGX_ERROR;
    }

    err->code = SQLITE_OK;

    if (kz_sqlite_exec(conn->db, "BEGIN") != SQLITE_OK) {
        kz_sqlite_error(conn->db, err);
        kz_conns_put(conn, 1);
        return NGX_ERROR;
    }

    rc = kz_view_read_cols(conn->db, old, list, log, err);

    if (rc != NGX_OK && err->code == SQLITE_OK) {
        kz_sqlite_error(conn->db, err);
    }

    if (!sqlite3_get_autocommit(conn->db->db)) {
        (void) kz_sqlite_exec(conn->db, "COMMIT");
    }

    kz_conns_put(conn, rc != NGX_OK);

    return rc;
}


static ngx_int_t
kz_view_read_cols(kz_sqlite_db_t *db, const kz_view_cols_t *old,
    kz_view_cols_t *list, ngx_log_t *log, kz_sqlite_err_t *err)
{
    int               rc;
    ngx_int_t         done;
    ngx_uint_t        i, j;
    sqlite3_stmt     *stmt;
    kz_view_col_t   **cols;

    stmt = kz_sqlite_stmt_lit(db, "SELECT id, name, mapping, dialect, settings"
                                  " FROM col ORDER BY name");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    done = NGX_OK;

    while (done == NGX_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {

        cols = kz_view_push(list->cols, list->n, sizeof(kz_view_col_t *));
        if (cols == NULL) {
            done = kz_view_memory(err);
            break;
        }

        list->cols = cols;

        cols[list->n] = kz_view_col(stmt, old, log, err);

        if (cols[list->n] == NULL) {
            done = NGX_ERROR;
            break;
        }

        list->n++;
    }

    if (done == NGX_OK && rc != SQLITE_DONE) {
        done = NGX_ERROR;
    }

    kz_sqlite_done(stmt);

    if (done == NGX_OK) {
        done = kz_view_fields(db, list);
    }

    if (done == NGX_OK) {
        return NGX_OK;
    }

    /* nobody has seen the new ones yet; the old ones stay where they are */

    for (i = 0; i < list->n; i++) {

        for (j = 0; j < old->n; j++) {
            if (old->cols[j] == list->cols[i]) {
                break;
            }
        }

        if (j == old->n) {
            list->cols[i]->refs = 1;
            kz_view_col_release(list->cols[i]);
        }
    }

    free(list->cols);
    ngx_memzero(list, sizeof(kz_view_cols_t));

    return NGX_ERROR;
}


static kz_view_col_t *
kz_view_col(sqlite3_stmt *stmt, const kz_view_cols_t *old, ngx_log_t *log,
    kz_sqlite_err_t *err)
{
    int64_t            id;
    ngx_str_t          name, text, settings;
    ngx_uint_t         i;
    kz_view_col_t     *col;
    kz_mapping_err_t   why;

    id = sqlite3_column_int64(stmt, 0);
    name.data = (u_char *) sqlite3_column_text(stmt, 1);
    name.len = sqlite3_column_bytes(stmt, 1);
    text.data = (u_char *) sqlite3_column_text(stmt, 2);
    text.len = sqlite3_column_bytes(stmt, 2);
    settings.data = (u_char *) sqlite3_column_text(stmt, 4);
    settings.len = sqlite3_column_bytes(stmt, 4);

    if (name.data == NULL || text.data == NULL) {
        (void) kz_view_memory(err);
        return NULL;
    }

    for (i = 0; i < old->n; i++) {
        col = old->cols[i];

        if (col->id == id && col->name.len == name.len
            && ngx_memcmp(col->name.data, name.data, name.len) == 0
            && col->text.len == text.len
            && ngx_memcmp(col->text.data, text.data, text.len) == 0
            && col->mapping->settings.len == settings.len
            && (settings.len == 0
                || ngx_memcmp(col->mapping->settings.data, settings.data,
                              settings.len)
                   == 0))
        {
            return col;
        }
    }

    col = malloc(sizeof(kz_view_col_t) + name.len + text.len + 1);
    if (col == NULL) {
        (void) kz_view_memory(err);
        return NULL;
    }

    col->refs = 0;
    col->id = id;
    col->dialect = sqlite3_column_int(stmt, 3);

    col->name.len = name.len;
    col->name.data = (u_char *) col + sizeof(kz_view_col_t);
    ngx_memcpy(col->name.data, name.data, name.len);

    col->text.len = text.len;
    col->text.data = col->name.data + name.len;
    ngx_memcpy(col->text.data, text.data, text.len);

    col->mapping = kz_mapping_compile_with(col->text.data, col->text.len,
                                           &settings, col->dialect, log,
                                           &why);
    if (col->mapping != NULL) {
        return col;
    }

    err->code = SQLITE_CORRUPT;
    *ngx_snprintf(err->text, KZ_SQLITE_ERR_LEN - 1,
                  "stored mapping of collection \"%V\": %V", &col->name,
                  &why.detail) = '\0';
    free(col);

    return NULL;
}


/* The numbers the fields have in the postings. */
static ngx_int_t
kz_view_fields(kz_sqlite_db_t *db, kz_view_cols_t *list)
{
    int              rc;
    int64_t          id;
    ngx_str_t        path;
    ngx_uint_t       i;
    kz_field_t      *f;
    sqlite3_stmt    *stmt;

    stmt = kz_sqlite_stmt_lit(db, "SELECT col, path, id FROM fld");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {

        id = sqlite3_column_int64(stmt, 0);

        for (i = 0; i < list->n; i++) {
            if (list->cols[i]->id == id) {
                break;
            }
        }

        /* refs != 0: in use, and complete, already */

        if (i == list->n || list->cols[i]->refs != 0) {
            continue;
        }

        path.data = (u_char *) sqlite3_column_text(stmt, 1);
        path.len = sqlite3_column_bytes(stmt, 1);

        if (path.data == NULL) {
            break;
        }

        f = kz_mapping_field(list->cols[i]->mapping, &path);

        if (f != NULL) {
            f->id = sqlite3_column_int64(stmt, 2);
        }
    }

    kz_sqlite_done(stmt);

    return (rc == SQLITE_DONE) ? NGX_OK : NGX_ERROR;
}


void
kz_view_cols_free(kz_view_cols_t *list)
{
    ngx_uint_t  i;

    for (i = 0; i < list->n; i++) {
        kz_view_col_release(list->cols[i]);
    }

    free(list->cols);
    ngx_memzero(list, sizeof(kz_view_cols_t));
}


void
kz_view_col_release(kz_view_col_t *col)
{
    if (--col->refs == 0) {
        kz_mapping_free(col->mapping);
        free(col);
    }
}


kz_view_index_t *
kz_view_find_index(const kz_view_indexes_t *list, const ngx_str_t *name)
{
    ngx_int_t    rc;
    ngx_uint_t   a, b, i;

    a = 0;
    b = list->n;

    while (a < b) {
        i = (a + b) / 2;

        rc = ngx_memn2cmp(name->data, list->indexes[i].name.data, name->len,
                          list->indexes[i].name.len);
        if (rc == 0) {
            return &list->indexes[i];
        }

        if (rc < 0) {
            b = i;

        } else {
            a = i + 1;
        }
    }

    return NULL;
}


kz_view_col_t *
kz_view_find_col(const kz_view_cols_t *list, const ngx_str_t *name)
{
    ngx_int_t    rc;
    ngx_uint_t   a, b, i;

    a = 0;
    b = list->n;

    while (a < b) {
        i = (a + b) / 2;

        rc = ngx_memn2cmp(name->data, list->cols[i]->name.data, name->len,
                          list->cols[i]->name.len);
        if (rc == 0) {
            return list->cols[i];
        }

        if (rc < 0) {
            b = i;

        } else {
            a = i + 1;
        }
    }

    return NULL;
}


/* Room for one more element; the list doubles at powers of two. */
static void *
kz_view_push(void *list, ngx_uint_t n, size_t size)
{
    if (n != 0 && (n & (n - 1)) != 0) {
        return list;
    }

    return realloc(list, (n ? n * 2 : 1) * size);
}


static ngx_int_t
kz_view_memory(kz_sqlite_err_t *err)
{
    err->code = SQLITE_NOMEM;
    ngx_memcpy(err->text, "out of memory", sizeof("out of memory"));

    return NGX_ERROR;
}
