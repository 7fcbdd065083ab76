/*
 * Parts of a document.  See kz_source.h.
 */

#include "store/kz_source.h"
#include "store/kz_mapping_node.h"


#define KZ_SOURCE_PATH  2048        /* bytes of a dotted path */


typedef struct {
    const kz_source_t  *s;
    kz_out_t           *o;
    u_char              path[KZ_SOURCE_PATH];
    size_t              len;
} kz_source_run_t;


static ngx_int_t kz_source_option(kz_source_t *s, ngx_pool_t *pool,
    const kz_json_val_t *v, kz_mapping_err_t *err);
static ngx_int_t kz_source_list(ngx_pool_t *pool, const kz_json_val_t *v,
    ngx_str_t **list, ngx_uint_t *n, kz_mapping_err_t *err);
static ngx_int_t kz_source_add(ngx_pool_t *pool, const kz_json_val_t *v,
    ngx_str_t **list, ngx_uint_t *n, kz_mapping_err_t *err);
static ngx_uint_t kz_source_value(kz_source_run_t *run,
    const kz_json_val_t *v, ngx_uint_t included);
static ngx_uint_t kz_source_object(kz_source_run_t *run,
    const kz_json_val_t *v, ngx_uint_t included);
static ngx_uint_t kz_source_array(kz_source_run_t *run,
    const kz_json_val_t *v, ngx_uint_t included);
static ngx_uint_t kz_source_any(const ngx_str_t *list, ngx_uint_t n,
    const u_char *p, size_t len);
static ngx_uint_t kz_source_like(const u_char *p, const u_char *end,
    const u_char *s, const u_char *last);


ngx_int_t
kz_source_parse(kz_source_t *s, ngx_pool_t *pool, const kz_query_t *q,
    kz_mapping_err_t *err)
{
    ngx_memzero(s, sizeof(kz_source_t));

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    if (q->source.type != KZ_JSON_NONE
        && kz_source_option(s, pool, &q->source, err) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if ((q->includes.type != KZ_JSON_NONE
         && kz_source_list(pool, &q->includes, &s->includes, &s->nincludes,
                           err)
            != NGX_OK)
        || (q->excludes.type != KZ_JSON_NONE
            && kz_source_list(pool, &q->excludes, &s->excludes,
                              &s->nexcludes, err)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    s->all = (!s->none && s->nincludes == 0 && s->nexcludes == 0);

    return NGX_OK;
}


static ngx_int_t
kz_source_option(kz_source_t *s, ngx_pool_t *pool, const kz_json_val_t *v,
    kz_mapping_err_t *err)
{
    ngx_int_t          rc;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    switch (v->type) {

    case KZ_JSON_FALSE:
        s->none = 1;
        return NGX_OK;

    case KZ_JSON_TRUE:
        return NGX_OK;

    case KZ_JSON_STRING:
    case KZ_JSON_ARRAY:
        return kz_source_list(pool, v, &s->includes, &s->nincludes, err);

    case KZ_JSON_OBJECT:
        break;

    default:
        kz_mapping_refuse(err, KZ_STORE_BAD_QUERY, "[_source] must be a"
                          " boolean, a text, an array or an object");
        return NGX_ERROR;
    }

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (kz_json_key_is(&m, "includes", 8) == NGX_OK
            || kz_json_key_is(&m, "include", 7) == NGX_OK)
        {
            rc = kz_source_list(pool, &m.val, &s->includes, &s->nincludes,
                                err);

        } else if (kz_json_key_is(&m, "excludes", 8) == NGX_OK
                   || kz_json_key_is(&m, "exclude", 7) == NGX_OK)
        {
            rc = kz_source_list(pool, &m.val, &s->excludes, &s->nexcludes,
                                err);

        } else {
            kz_mapping_refuse(err, KZ_STORE_BAD_QUERY, "[_source] holds"
                              " [includes] and [excludes] only");
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A text, which may have commas in it, or an array of texts. */

static ngx_int_t
kz_source_list(ngx_pool_t *pool, const kz_json_val_t *v, ngx_str_t **list,
    ngx_uint_t *n, kz_mapping_err_t *err)
{
    kz_json_iter_t   it;
    kz_json_val_t    item;

    if (v->type != KZ_JSON_ARRAY) {
        return kz_source_add(pool, v, list, n, err);
    }

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (kz_source_add(pool, &item, list, n, err) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_source_add(ngx_pool_t *pool, const kz_json_val_t *v, ngx_str_t **list,
    ngx_uint_t *n, kz_mapping_err_t *err)
{
    u_char     *p, *end, *comma;
    ngx_str_t   text;

    if (v->type != KZ_JSON_STRING) {
        kz_mapping_refuse(err, KZ_STORE_BAD_QUERY, "[_source]: the name of a"
                          " field is a text");
        return NGX_ERROR;
    }

    if (kz_json_string(pool, v, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (*list == NULL) {
        *list = ngx_palloc(pool, KZ_SOURCE_MAX * sizeof(ngx_str_t));
        if (*list == NULL) {
            return NGX_ERROR;
        }
    }

    end = text.data + text.len;

    for (p = text.data; p <= end; p = comma + 1) {
        comma = ngx_strlchr(p, end, ',');

        if (comma == NULL) {
            comma = end;
        }

        if (*n == KZ_SOURCE_MAX) {
            kz_mapping_refuse(err, KZ_STORE_BAD_QUERY, "[_source]: at most"
                              " %d names are allowed", KZ_SOURCE_MAX);
            return NGX_ERROR;
        }

        (*list)[*n].data = p;
        (*list)[*n].len = comma - p;
        (*n)++;
    }

    return NGX_OK;
}


ngx_int_t
kz_source_filter(const kz_source_t *s, const ngx_str_t *src, kz_out_t *o,
    ngx_uint_t *info)
{
    size_t           start;
    ngx_uint_t       whole;
    kz_json_val_t    doc, v;
    kz_source_run_t  run;

    whole = *info;
    *info = 0;

    kz_json_value(src->data, src->data + src->len, &doc);

    if (s->none || doc.type != KZ_JSON_OBJECT) {
        kz_out_lit(o, "{}");
        return kz_out_failed(o) ? NGX_ERROR : NGX_OK;
    }

    run.s = s;
    run.o = o;
    run.len = 0;

    start = kz_out_len(o);

    if (!kz_source_object(&run, &doc, s->nincludes == 0)) {
        kz_out_lit(o, "{}");
    }

    if (kz_out_failed(o)) {
        return NGX_ERROR;
    }

    /* the last member is the last one still, if it was not touched */

    if (whole && kz_json_get(&doc, "_kuzzle_info", 12, &v) == NGX_OK
        && kz_out_len(o) - start > v.raw.len
        && ngx_memcmp(o->pos - 1 - v.raw.len, v.raw.data, v.raw.len) == 0)
    {
        *info = 1;
    }

    return NGX_OK;
}


/* Whether anything was written; so below. */

static ngx_uint_t
kz_source_value(kz_source_run_t *run, const kz_json_val_t *v,
    ngx_uint_t included)
{
    if (included && run->s->nexcludes == 0) {
        kz_out_str(run->o, &v->raw);
        return 1;
    }

    switch (v->type) {

    case KZ_JSON_OBJECT:
        return kz_source_object(run, v, included);

    case KZ_JSON_ARRAY:
        return kz_source_array(run, v, included);

    default:
        if (included) {
            kz_out_str(run->o, &v->raw);
        }

        return included;
    }
}


static ngx_uint_t
kz_source_object(kz_source_run_t *run, const kz_json_val_t *v,
    ngx_uint_t included)
{
    size_t             begin, mark, len, n;
    ngx_uint_t         in, some;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    len = run->len;
    begin = kz_out_len(run->o);
    some = 0;

    kz_out_char(run->o, '{');
    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        /* a longer path than any pattern could name is like its parent */

        n = run->len = len;

        if (n + m.key.len + 1 < KZ_SOURCE_PATH) {
            if (n) {
                run->path[n++] = '.';
            }

            run->len = kz_json_unescape(run->path + n, m.key.data, m.key.len)
                       - run->path;
        }

        if (kz_source_any(run->s->excludes, run->s->nexcludes, run->path,
                          run->len))
        {
            continue;
        }

        in = included
             || kz_source_any(run->s->includes, run->s->nincludes, run->path,
                              run->len);

        if (!in && m.val.type != KZ_JSON_OBJECT
            && m.val.type != KZ_JSON_ARRAY)
        {
            continue;
        }

        mark = kz_out_len(run->o);

        if (some) {
            kz_out_char(run->o, ',');
        }

        kz_out_char(run->o, '"');
        kz_out_str(run->o, &m.key);
        kz_out_lit(run->o, "\":");

        if (kz_source_value(run, &m.val, in)) {
            some = 1;

        } else if (!kz_out_failed(run->o)) {
            run->o->pos = run->o->start + mark;
        }
    }

    run->len = len;
    kz_out_char(run->o, '}');

    if (!some && !included && !kz_out_failed(run->o)) {
        run->o->pos = run->o->start + begin;
    }

    return some || included;
}


static ngx_uint_t
kz_source_array(kz_source_run_t *run, const kz_json_val_t *v,
    ngx_uint_t included)
{
    size_t           begin, mark;
    ngx_uint_t       some;
    kz_json_iter_t   it;
    kz_json_val_t    item;

    begin = kz_out_len(run->o);
    some = 0;

    kz_out_char(run->o, '[');
    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        mark = kz_out_len(run->o);

        if (some) {
            kz_out_char(run->o, ',');
        }

        if (kz_source_value(run, &item, included)) {
            some = 1;

        } else if (!kz_out_failed(run->o)) {
            run->o->pos = run->o->start + mark;
        }
    }

    kz_out_char(run->o, ']');

    if (!some && !included && !kz_out_failed(run->o)) {
        run->o->pos = run->o->start + begin;
    }

    return some || included;
}


static ngx_uint_t
kz_source_any(const ngx_str_t *list, ngx_uint_t n, const u_char *p,
    size_t len)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (kz_source_like(list[i].data, list[i].data + list[i].len, p,
                           p + len))
        {
            return 1;
        }
    }

    return 0;
}


/* "*" is any text; without recursion: the last star takes what is left. */

static ngx_uint_t
kz_source_like(const u_char *p, const u_char *end, const u_char *s,
    const u_char *last)
{
    const u_char  *star, *from;

    star = NULL;
    from = s;

    while (s < last) {

        if (p < end && *p == '*') {
            star = ++p;
            from = s;
            continue;
        }

        if (p < end && *p == *s) {
            p++;
            s++;
            continue;
        }

        if (star == NULL) {
            return 0;
        }

        p = star;
        s = ++from;
    }

    while (p < end && *p == '*') {
        p++;
    }

    return p == end;
}
