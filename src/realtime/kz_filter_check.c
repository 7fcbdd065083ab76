
/*
 * What the readers of filters ask of the JSON they get, and refusals: in the
 * words of koncorde 2 (kz_filter_old) and of koncorde 4, which puts the path
 * of what is wrong in front (kz_filter_new).  Both check in nearly, not
 * exactly, the same order; where a filter has two faults, the order here is
 * koncorde 4's.
 */

#include "realtime/kz_filter_parse.h"


#define KZ_FILTER_MESSAGE_LEN  1024
#define KZ_FILTER_PATH_LEN     512


/* Names come from the client: a cut must not leave half a character. */
static u_char *
kz_filter_whole(u_char *text, u_char *p)
{
    while (p > text && (p[-1] & 0xc0) == 0x80) {
        p--;
    }

    return (p > text && p[-1] >= 0xc0) ? p - 1 : p;
}


static void
kz_filter_message(kz_filter_ctx_t *c, ngx_str_t *message, u_char *text,
    u_char *p)
{
    if (p == text + KZ_FILTER_MESSAGE_LEN) {
        p = kz_filter_whole(text, p);
    }

    message->len = p - text;
    message->data = ngx_pnalloc(c->pool, message->len);

    if (message->data == NULL) {
        message->len = 0;
        c->err->fault = KZ_FILTER_NO_MEMORY;
        return;
    }

    ngx_memcpy(message->data, text, message->len);
}


/* Koncorde 2's words. */
void
kz_filter_old(kz_filter_ctx_t *c, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;
    u_char    text[KZ_FILTER_MESSAGE_LEN];

    c->err->fault = KZ_FILTER_SYNTAX;

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + KZ_FILTER_MESSAGE_LEN, fmt, args);
    va_end(args);

    kz_filter_message(c, &c->err->message1, text, p);
}


/* "and.not.equals.name" */
static u_char *
kz_filter_at_text(u_char *p, u_char *last, const kz_filter_at_t *at)
{
    if (at->up != NULL) {
        p = kz_filter_at_text(p, last, at->up);
        p = ngx_slprintf(p, last, ".");
    }

    return ngx_slprintf(p, last, "%V", &at->name);
}


/* Koncorde 4's words. */
void *
kz_filter_new(kz_filter_ctx_t *c, const kz_filter_at_t *at, const char *fmt,
    ...)
{
    u_char   *p, *last;
    va_list   args;
    u_char    text[KZ_FILTER_MESSAGE_LEN];

    c->err->fault = KZ_FILTER_SYNTAX;

    p = text;
    last = text + KZ_FILTER_MESSAGE_LEN;

    if (at != NULL) {
        p = ngx_slprintf(p, last, "\"");

        /* the reason has to be readable behind the longest path */

        p = kz_filter_at_text(p, text + KZ_FILTER_PATH_LEN, at);

        if (p == text + KZ_FILTER_PATH_LEN) {
            p = kz_filter_whole(text, p);
        }

        p = ngx_slprintf(p, last, "\": ");
    }

    va_start(args, fmt);
    p = ngx_vslprintf(p, last, fmt, args);
    va_end(args);

    kz_filter_message(c, &c->err->message2, text, p);

    return NULL;
}


void
kz_filter_down(kz_filter_at_t *at, kz_filter_at_t *up, const ngx_str_t *name)
{
    at->up = up;
    at->name = *name;
    at->depth = (up != NULL) ? up->depth : 0;
}


void
kz_filter_down_to(kz_filter_at_t *at, kz_filter_at_t *up, const char *name)
{
    ngx_str_t  s;

    s.data = (u_char *) name;
    s.len = ngx_strlen(name);

    kz_filter_down(at, up, &s);
}


/* Looking at JSON. */

ngx_uint_t
kz_filter_is_empty(const kz_json_val_t *v)
{
    kz_json_iter_t  it;

    kz_json_iter(&it, v);

    return it.pos == it.end;
}


ngx_int_t
kz_filter_name(kz_filter_ctx_t *c, const kz_json_member_t *m, ngx_str_t *name)
{
    u_char  *p;

    *name = m->key;

    if (!m->escaped) {
        return NGX_OK;
    }

    p = ngx_pnalloc(c->temp, m->key.len);

    if (p == NULL) {
        return NGX_ERROR;
    }

    name->data = p;
    name->len = kz_json_unescape(p, m->key.data, m->key.len) - p;

    return NGX_OK;
}


/*
 * Counts the members of an object as a parser that keeps the last of
 * repeated keys does; name and v are those of the only one.  The count is
 * exact when it is 0 or 1, and for a message otherwise.
 */
ngx_int_t
kz_filter_members(kz_filter_ctx_t *c, const kz_json_val_t *obj,
    ngx_str_t *name, kz_json_val_t *v, ngx_uint_t *n)
{
    kz_json_iter_t    it;
    kz_json_member_t  m;

    *n = 0;

    kz_json_iter(&it, obj);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (*n == 0) {
            if (kz_filter_name(c, &m, name) != NGX_OK) {
                return NGX_ERROR;
            }

            *n = 1;
            *v = m.val;

        } else if (kz_json_key_is(&m, (char *) name->data, name->len)
                   == NGX_OK)
        {
            *v = m.val;

        } else {
            (*n)++;
        }
    }

    return NGX_OK;
}


/*
 * The object of one property that most keywords want: its name and value.
 * at is that of the object.
 */
ngx_int_t
kz_filter_property(kz_filter_ctx_t *c, const kz_json_val_t *obj,
    kz_filter_at_t *at, ngx_str_t *name, kz_json_val_t *v)
{
    ngx_uint_t  n;

    if (obj->type != KZ_JSON_OBJECT) {
        kz_filter_old(c, "\"%V\" must be a non-empty object", &at->name);
        kz_filter_new(c, at, "must be an object");
        return NGX_ERROR;
    }

    if (kz_filter_members(c, obj, name, v, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (n == 1) {
        return NGX_OK;
    }

    if (n == 0) {
        kz_filter_old(c, "\"%V\" must be a non-empty object", &at->name);

    } else {
        kz_filter_old(c, "\"%V\" can contain only one attribute", &at->name);
    }

    kz_filter_new(c, at,
                  "expected object to have exactly 1 property, got %ui", n);

    return NGX_ERROR;
}


/*
 * An object that is not empty and has none but the allowed attributes (a
 * list that ends with NULL).  NGX_DECLINED: name is another one, and the
 * caller says so.
 */
ngx_int_t
kz_filter_attributes(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, const char **allowed, ngx_str_t *name)
{
    ngx_uint_t        i;
    kz_json_iter_t    it;
    kz_json_member_t  m;

    if (v->type != KZ_JSON_OBJECT) {
        kz_filter_new(c, at, "must be an object");
        return NGX_ERROR;
    }

    if (kz_filter_is_empty(v)) {
        kz_filter_new(c, at, "must be a non-empty object");
        return NGX_ERROR;
    }

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        for (i = 0; allowed[i] != NULL; i++) {
            if (kz_json_key_is(&m, allowed[i], ngx_strlen(allowed[i]))
                == NGX_OK)
            {
                break;
            }
        }

        if (allowed[i] == NULL) {
            /* without memory it stays as it was written */
            (void) kz_filter_name(c, &m, name);
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_int_t
kz_filter_array(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, const ngx_str_t *keyword)
{
    if (v->type != KZ_JSON_ARRAY) {
        kz_filter_old(c, "Attribute \"%V\" in \"%V\" must be an array",
                      &at->name, keyword);
        kz_filter_new(c, at, "must be an array");
        return NGX_ERROR;
    }

    if (kz_filter_is_empty(v)) {
        /* Kuzzle: two spaces */
        kz_filter_old(c, "Attribute \"%V\" in  \"%V\" cannot be empty",
                      &at->name, keyword);
        kz_filter_new(c, at, "cannot be empty");
        return NGX_ERROR;
    }

    return NGX_OK;
}
