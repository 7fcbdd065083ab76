
/*
 * What the translation of Koncorde filters asks of their JSON, and refusals
 * in the words of koncorde 4, with the path of what is wrong in front.
 */

#include "store/kz_query_koncorde.h"


#define KZ_KONCORDE_PATH  256     /* of the path in a message */


static u_char *
kz_koncorde_path_text(u_char *p, u_char *last, const kz_query_place_t *at)
{
    ngx_uint_t               n;
    const kz_query_place_t  *stack[KZ_QUERY_MAX_DEPTH * 4];

    for (n = 0; at != NULL; at = at->up) {
        if (n < sizeof(stack) / sizeof(stack[0])) {
            stack[n++] = at;
        }
    }

    while (n-- > 0) {
        p = ngx_slprintf(p, last, "%V%s", &stack[n]->name, n ? "." : "");
    }

    return p;
}


/* Names come from the client: a cut must not leave half a character. */
static u_char *
kz_koncorde_whole(u_char *text, u_char *p, u_char *last)
{
    if (p < last) {
        return p;
    }

    while (p > text && (p[-1] & 0xc0) == 0x80) {
        p--;
    }

    return (p > text && p[-1] >= 0xc0) ? p - 1 : p;
}


ngx_int_t
kz_koncorde_bad(kz_query_parse_t *x, const kz_query_place_t *at,
    const char *fmt, ...)
{
    u_char   *p, *text, *last;
    va_list   args;

    text = x->err->text;
    last = text + KZ_MAPPING_ERR_LEN;
    p = text;

    if (at != NULL) {
        *p++ = '"';
        p = kz_koncorde_path_text(p, text + KZ_KONCORDE_PATH, at);
        p = kz_koncorde_whole(text, p, text + KZ_KONCORDE_PATH);
        p = ngx_slprintf(p, last, "\": ");
    }

    va_start(args, fmt);
    p = ngx_vslprintf(p, last, fmt, args);
    va_end(args);

    x->err->status = KZ_STORE_BAD_FILTER;
    x->err->detail.data = text;
    x->err->detail.len = kz_koncorde_whole(text, p, last) - text;

    return NGX_ERROR;
}


ngx_int_t
kz_koncorde_cannot(kz_query_parse_t *x, const kz_query_place_t *at,
    const char *why)
{
    (void) kz_koncorde_bad(x, at, "%s", why);

    x->err->status = KZ_STORE_FILTER_UNTRANSLATABLE;

    return NGX_ERROR;
}


kz_query_node_t *
kz_koncorde_node(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_type_e type)
{
    kz_query_node_t  *node;

    node = kz_query_node(x, at, type, 0);

    if (node != NULL) {
        node->word = "koncorde";
    }

    return node;
}


ngx_uint_t
kz_koncorde_empty(const kz_json_val_t *v)
{
    kz_json_iter_t  it;

    kz_json_iter(&it, v);

    return it.pos == it.end;
}


ngx_int_t
kz_koncorde_properties(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t count, kz_query_member_t **m)
{
    ngx_uint_t  n;

    if (v->type != KZ_JSON_OBJECT) {
        return kz_koncorde_bad(x, at, "must be an object");
    }

    if (kz_query_members(x, at, v, m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (n == count) {
        return NGX_OK;
    }

    return kz_koncorde_bad(x, at, "expected object to have exactly %ui %s,"
                           " got %ui", count,
                           (count == 1) ? "property" : "properties", n);
}


kz_query_member_t *
kz_koncorde_property(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v)
{
    kz_query_member_t  *m;

    return (kz_koncorde_properties(x, at, v, 1, &m) == NGX_OK) ? m : NULL;
}


ngx_int_t
kz_koncorde_attributes(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, const char **allowed, kz_query_member_t **m,
    ngx_uint_t *n)
{
    u_char       list[128], *p;
    ngx_str_t    name;
    ngx_uint_t   i, k;

    if (v->type != KZ_JSON_OBJECT) {
        return kz_koncorde_bad(x, at, "must be an object");
    }

    if (kz_query_members(x, at, v, m, n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (*n == 0) {
        return kz_koncorde_bad(x, at, "must be a non-empty object");
    }

    for (i = 0; i < *n; i++) {
        name = (*m)[i].key;

        for (k = 0; allowed[k] != NULL; k++) {
            if (name.len == ngx_strlen(allowed[k])
                && ngx_memcmp(name.data, allowed[k], name.len) == 0)
            {
                break;
            }
        }

        if (allowed[k] != NULL) {
            continue;
        }

        p = list;

        for (k = 0; allowed[k] != NULL; k++) {
            p = ngx_slprintf(p, list + sizeof(list) - 1, "%s%s",
                             k ? "," : "", allowed[k]);
        }

        *p = '\0';
        name.len = ngx_min(name.len, 128);

        return kz_koncorde_bad(x, at, "\"%V\" is not an allowed attribute"
                               " (allowed: %s)", &name, list);
    }

    return NGX_OK;
}


ngx_int_t
kz_koncorde_array(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v)
{
    if (v->type != KZ_JSON_ARRAY) {
        return kz_koncorde_bad(x, at, "must be an array");
    }

    if (kz_koncorde_empty(v)) {
        return kz_koncorde_bad(x, at, "cannot be empty");
    }

    return NGX_OK;
}
