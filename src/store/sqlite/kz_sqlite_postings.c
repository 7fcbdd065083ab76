
/*
 * The postings of a document: what the index table of its collection holds
 * about it, one row for each distinct (field, value).
 */

#include "store/sqlite/kz_sqlite_writer.h"


static int ngx_libc_cdecl kz_apply_compare(const void *one,
    const void *two);
static ngx_int_t kz_apply_posting(kz_group_t *g, sqlite3_stmt *stmt,
    const kz_posting_t *p, int64_t r);


ngx_int_t
kz_apply_walk_old(kz_group_t *g, kz_wcol_t *col, const kz_row_t *row,
    ngx_array_t *postings)
{
    kz_json_val_t     doc;
    kz_mapping_err_t  err;

    if (ngx_array_init(postings, g->pool, 16, sizeof(kz_posting_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!row->found) {
        return NGX_OK;
    }

    kz_json_value(row->source.data, row->source.data + row->source.len,
                  &doc);

    return kz_mapping_walk(col->mapping, &doc, KZ_WALK_LENIENT,
                           kz_apply_collect, postings, &err);
}


ngx_int_t
kz_apply_collect(void *ctx, const kz_field_t *f, const kz_value_t *v)
{
    ngx_array_t   *postings = ctx;
    kz_posting_t  *p;

    p = ngx_array_push(postings);
    if (p == NULL) {
        return NGX_ABORT;
    }

    p->field = f;
    p->value = *v;

    if (v->type == KZ_VALUE_TEXT) {
        p->value.text.data = ngx_pnalloc(postings->pool, v->text.len + 1);
        if (p->value.text.data == NULL) {
            return NGX_ABORT;
        }

        ngx_memcpy(p->value.text.data, v->text.data, v->text.len);
    }

    return NGX_OK;
}


static int ngx_libc_cdecl
kz_apply_compare(const void *one, const void *two)
{
    int                  rc;
    const kz_posting_t  *a = one;
    const kz_posting_t  *b = two;

    if (a->field->n != b->field->n) {
        return a->field->n < b->field->n ? -1 : 1;
    }

    if (a->value.type != b->value.type) {
        return a->value.type < b->value.type ? -1 : 1;
    }

    switch (a->value.type) {

    case KZ_VALUE_INT:
        return (a->value.i > b->value.i) - (a->value.i < b->value.i);

    case KZ_VALUE_REAL:
        return (a->value.d > b->value.d) - (a->value.d < b->value.d);

    default:
        rc = ngx_memcmp(a->value.text.data, b->value.text.data,
                        ngx_min(a->value.text.len, b->value.text.len));
        if (rc != 0) {
            return rc;
        }

        return (a->value.text.len > b->value.text.len)
               - (a->value.text.len < b->value.text.len);
    }
}


/* Only what differs is written: most updates touch few of the values. */

ngx_int_t
kz_apply_postings(kz_group_t *g, kz_wcol_t *col, int64_t r,
    ngx_array_t *old, ngx_array_t *new)
{
    int            rc;
    ngx_uint_t     i, j;
    sqlite3_stmt  *del, *ins;
    kz_posting_t  *o, *n;

    qsort(old->elts, old->nelts, sizeof(kz_posting_t), kz_apply_compare);
    qsort(new->elts, new->nelts, sizeof(kz_posting_t), kz_apply_compare);

    del = kz_apply_stmt(g, "DELETE FROM t%L WHERE f = ?1 AND v = ?2"
                        " AND r = ?3", col->id);
    ins = kz_apply_stmt(g, "INSERT OR IGNORE INTO t%L(f, v, r)"
                        " VALUES(?1, ?2, ?3)", col->id);

    if (del == NULL || ins == NULL) {
        return NGX_ERROR;
    }

    o = old->elts;
    n = new->elts;
    i = 0;
    j = 0;

    while (i < old->nelts || j < new->nelts) {

        if (i > 0 && i < old->nelts
            && kz_apply_compare(&o[i], &o[i - 1]) == 0)
        {
            i++;
            continue;
        }

        if (j > 0 && j < new->nelts
            && kz_apply_compare(&n[j], &n[j - 1]) == 0)
        {
            j++;
            continue;
        }

        if (i == old->nelts) {
            rc = 1;

        } else if (j == new->nelts) {
            rc = -1;

        } else {
            rc = kz_apply_compare(&o[i], &n[j]);
        }

        if (rc == 0) {
            i++;
            j++;

        } else if (rc < 0) {
            if (kz_apply_posting(g, del, &o[i++], r) != NGX_OK) {
                return NGX_ERROR;
            }

        } else if (kz_apply_posting(g, ins, &n[j++], r) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_apply_posting(kz_group_t *g, sqlite3_stmt *stmt, const kz_posting_t *p,
    int64_t r)
{
    (void) sqlite3_bind_int64(stmt, 1, p->field->id);
    (void) sqlite3_bind_int64(stmt, 3, r);

    switch (p->value.type) {

    case KZ_VALUE_INT:
        (void) sqlite3_bind_int64(stmt, 2, p->value.i);
        break;

    case KZ_VALUE_REAL:
        (void) sqlite3_bind_double(stmt, 2, p->value.d);
        break;

    default:
        (void) sqlite3_bind_text(stmt, 2, (char *) p->value.text.data,
                                 (int) p->value.text.len, SQLITE_STATIC);
        break;
    }

    return kz_apply_step(g, stmt);
}
