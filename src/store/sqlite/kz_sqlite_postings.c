
/*
 * Postings of documents on their way into a segment: collected from the
 * stored texts, sorted by field, value and row, packed into blocks.
 */

#include "store/sqlite/kz_sqlite_writer.h"
#include "store/kz_mapping_node.h"


typedef struct {
    kz_postings_t     *list;
    int64_t            r;
} kz_postings_walk_t;


static ngx_int_t kz_postings_add(void *ctx, const kz_field_t *f,
    const kz_value_t *v);
static ngx_int_t kz_postings_grow(kz_postings_t *list);
static int ngx_libc_cdecl kz_postings_compare(const void *one,
    const void *two);


ngx_int_t
kz_postings_collect(kz_group_t *g, kz_wcol_t *col, kz_postings_t *list,
    int64_t r, const ngx_str_t *source)
{
    kz_json_val_t       doc;
    kz_mapping_err_t    err;
    kz_postings_walk_t  walk;

    walk.list = list;
    walk.r = r;

    kz_json_value(source->data, source->data + source->len, &doc);

    /* lenient: it may have been written under an older mapping */

    if (kz_mapping_walk(col->mapping, &doc, KZ_WALK_LENIENT, kz_postings_add,
                        &walk, &err)
        != NGX_OK)
    {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
kz_postings_add(void *ctx, const kz_field_t *f, const kz_value_t *v)
{
    kz_posting_t        *p;
    kz_postings_walk_t  *walk = ctx;

    if (f->id <= 0
        || (v->type == KZ_VALUE_TEXT && f->type != KZ_FIELD_TEXT
            && !kz_value_indexed(f, &v->text)))
    {
        return NGX_OK;
    }

    if (walk->list->n == walk->list->room
        && kz_postings_grow(walk->list) != NGX_OK)
    {
        return NGX_ABORT;
    }

    p = ngx_palloc(walk->list->pool, sizeof(kz_posting_t)
                   + (v->type == KZ_VALUE_TEXT ? v->text.len : 0));
    if (p == NULL) {
        return NGX_ABORT;
    }

    p->f = f->id;
    p->r = walk->r;
    p->value = *v;

    if (v->type == KZ_VALUE_TEXT) {
        p->value.text.data = (u_char *) p + sizeof(kz_posting_t);

        if (v->text.len != 0) {
            ngx_memcpy(p->value.text.data, v->text.data, v->text.len);
        }
    }

    walk->list->p[walk->list->n++] = p;

    return NGX_OK;
}


static ngx_int_t
kz_postings_grow(kz_postings_t *list)
{
    ngx_uint_t      room;
    kz_posting_t  **p;

    room = list->room ? list->room * 2 : 4096;

    p = realloc(list->p, room * sizeof(kz_posting_t *));
    if (p == NULL) {
        return NGX_ERROR;
    }

    list->p = p;
    list->room = room;

    return NGX_OK;
}


static int ngx_libc_cdecl
kz_postings_compare(const void *one, const void *two)
{
    ngx_int_t            rc;
    const kz_posting_t  *a = *(kz_posting_t *const *) one;
    const kz_posting_t  *b = *(kz_posting_t *const *) two;

    if (a->f != b->f) {
        return a->f < b->f ? -1 : 1;
    }

    rc = kz_value_cmp(&a->value, &b->value);
    if (rc != 0) {
        return (int) rc;
    }

    return (a->r > b->r) - (a->r < b->r);
}


/* Sorts what was collected and stores it as a segment. */

ngx_int_t
kz_postings_store(kz_group_t *g, kz_wcol_t *col, int64_t s, int64_t base,
    kz_postings_t *list)
{
    ngx_int_t           rc;
    ngx_uint_t          i;
    kz_posting_t       *p, *last;
    kz_block_writer_t  *w;

    w = ngx_pcalloc(g->pool, sizeof(kz_block_writer_t));
    if (w == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    if (list->n > 1) {
        qsort(list->p, list->n, sizeof(kz_posting_t *), kz_postings_compare);
    }

    kz_block_begin(w, base);
    last = NULL;
    rc = NGX_OK;

    for (i = 0; i < list->n && rc == NGX_OK; i++) {
        p = list->p[i];

        if (last != NULL && kz_postings_compare(&last, &p) == 0) {
            continue;
        }

        if (last != NULL && last->f != p->f) {
            rc = kz_postings_put(g, col, s, last->f, w);
        }

        if (rc == NGX_OK) {
            rc = kz_postings_pair(g, col, s, p->f, w, &p->value, p->r);
        }

        last = p;
    }

    if (rc == NGX_OK && last != NULL) {
        rc = kz_postings_put(g, col, s, last->f, w);
    }

    kz_block_free(w);

    return rc;
}


/* Adds a pair, after the block it does not fit into was stored. */

ngx_int_t
kz_postings_pair(kz_group_t *g, kz_wcol_t *col, int64_t s, int64_t f,
    kz_block_writer_t *w, const kz_value_t *v, int64_t r)
{
    ngx_int_t  rc;

    rc = kz_block_add(w, v, r);

    if (rc == NGX_DECLINED) {

        if (kz_postings_put(g, col, s, f, w) != NGX_OK) {
            return NGX_ERROR;
        }

        rc = kz_block_add(w, v, r);
    }

    if (rc != NGX_OK) {
        kz_apply_no_memory(g);
    }

    return rc;
}


/* Stores a block, if there is something in it, and begins the next one. */

ngx_int_t
kz_postings_put(kz_group_t *g, kz_wcol_t *col, int64_t s, int64_t f,
    kz_block_writer_t *w)
{
    sqlite3_stmt  *stmt;

    if (w->n == 0) {
        return NGX_OK;
    }

    stmt = kz_apply_stmt(g, "INSERT INTO t%L(s, f, v, r, n, p)"
                         " VALUES(?1, ?2, ?3, ?4, ?5, ?6)", col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, s);
    (void) sqlite3_bind_int64(stmt, 2, f);
    kz_segment_bind(stmt, 3, &w->first);
    (void) sqlite3_bind_int64(stmt, 4, w->r);
    (void) sqlite3_bind_int64(stmt, 5, (int64_t) w->n);
    (void) sqlite3_bind_blob(stmt, 6, w->p, (int) w->len, SQLITE_STATIC);

    kz_block_begin(w, w->base);

    return kz_apply_step(g, stmt);
}
