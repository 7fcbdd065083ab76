
/*
 * Walking text that kz_json_scan() accepted.  Nothing is checked again but
 * the bounds: a walk over text that was not validated gives nonsense, never
 * a read outside.
 *
 * What is not asked for is skipped by counting brackets; only quotes have to
 * be looked at on the way, because of the brackets inside strings.
 */

#include "util/kz_json_scan.h"
#include "util/kz_json_lex.h"


static u_char *kz_json_skip_brackets(u_char *p, u_char *end);


/* Bytes at which the skipping of a bracket has something to do. */

static const u_char  kz_json_structure[256] = {
    ['"'] = 1, ['['] = 2, ['{'] = 2, [']'] = 3, ['}'] = 3
};


/* The value at p, which is not white space; returns the byte after it. */
static ngx_inline u_char *
kz_json_take(u_char *p, u_char *end, kz_json_val_t *v)
{
    ngx_uint_t  escaped;

    v->raw.data = p;
    v->escaped = 0;

    if (p == end) {
        v->type = KZ_JSON_NONE;
        v->raw.len = 0;
        return p;
    }

    v->type = kz_json_type(*p);

    switch (v->type) {

    case KZ_JSON_STRING:
        escaped = 0;

        p = kz_json_string_end(p + 1, end, &escaped);

        if (p < end) {
            p++;
        }

        v->escaped = escaped;
        break;

    case KZ_JSON_OBJECT:
    case KZ_JSON_ARRAY:
        p = kz_json_skip_brackets(p + 1, end);
        break;

    default:

        /*
         * Numbers and literals go up to a comma, a bracket or a space.  The
         * first byte is always taken: a walk over nonsense has to end, too.
         */

        do {
            p++;
        } while (p < end && *p > ' '
                 && *p != ',' && *p != '}' && *p != ']');
    }

    v->raw.len = p - v->raw.data;

    return p;
}


/* The key at p, a quote; returns the byte where its value starts. */
static ngx_inline u_char *
kz_json_take_key(u_char *p, u_char *end, kz_json_member_t *m)
{
    ngx_uint_t  escaped;

    escaped = 0;

    m->key.data = ++p;

    p = kz_json_string_end(p, end, &escaped);

    m->key.len = p - m->key.data;
    m->escaped = escaped;

    if (p < end) {
        p++;
    }

    p = kz_json_space(p, end);

    if (p < end && *p == ':') {
        p++;
    }

    return kz_json_space(p, end);
}


/* To the next member or element. */
static ngx_inline u_char *
kz_json_comma(u_char *p, u_char *end)
{
    p = kz_json_space(p, end);

    if (p < end && *p == ',') {
        p = kz_json_space(p + 1, end);
    }

    return p;
}


void
kz_json_value(u_char *p, u_char *end, kz_json_val_t *v)
{
    (void) kz_json_take(kz_json_space(p, end), end, v);
}


void
kz_json_iter(kz_json_iter_t *it, const kz_json_val_t *v)
{
    it->pos = v->raw.data;
    it->end = v->raw.data;

    if ((v->type == KZ_JSON_OBJECT || v->type == KZ_JSON_ARRAY)
        && v->raw.len >= 2)
    {
        it->pos += 1;
        it->end += v->raw.len - 1;
        it->pos = kz_json_space(it->pos, it->end);
    }
}


ngx_int_t
kz_json_next_member(kz_json_iter_t *it, kz_json_member_t *m)
{
    u_char  *p;

    if (it->pos == it->end) {
        return NGX_DONE;
    }

    p = kz_json_take_key(it->pos, it->end, m);
    p = kz_json_take(p, it->end, &m->val);

    it->pos = kz_json_comma(p, it->end);

    return NGX_OK;
}


ngx_int_t
kz_json_next(kz_json_iter_t *it, kz_json_val_t *v)
{
    u_char  *p;

    if (it->pos == it->end) {
        return NGX_DONE;
    }

    p = kz_json_take(it->pos, it->end, v);

    it->pos = kz_json_comma(p, it->end);

    return NGX_OK;
}


ngx_int_t
kz_json_get(const kz_json_val_t *obj, const char *key, size_t len,
    kz_json_val_t *v)
{
    ngx_int_t         rc;
    kz_json_iter_t    it;
    kz_json_member_t  m;

    rc = NGX_DECLINED;

    if (obj->type != KZ_JSON_OBJECT) {
        return rc;
    }

    kz_json_iter(&it, obj);

    /* to the end: the last one wins */

    while (kz_json_next_member(&it, &m) == NGX_OK) {
        if (kz_json_key_is(&m, key, len) == NGX_OK) {
            *v = m.val;
            rc = NGX_OK;
        }
    }

    return rc;
}


/*
 * Level by level, each walked once: looks for the first name of the rest of
 * the path, and for the whole rest as one literal key, which is kept in case
 * the way down ends nowhere.  The cost is that of the text, however many
 * names the path has.
 */
ngx_int_t
kz_json_path(const kz_json_val_t *obj, const ngx_str_t *path,
    kz_json_val_t *v)
{
    u_char            *name, *dot, *last;
    ngx_int_t          rc;
    ngx_uint_t         found;
    kz_json_val_t      level, next;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    rc = NGX_DECLINED;
    level = *obj;
    name = path->data;
    last = name + path->len;

    while (level.type == KZ_JSON_OBJECT) {

        dot = ngx_strlchr(name, last, '.');
        found = 0;

        kz_json_iter(&it, &level);

        while (kz_json_next_member(&it, &m) == NGX_OK) {

            if (kz_json_key_is(&m, (char *) name, last - name) == NGX_OK) {
                *v = m.val;
                rc = NGX_OK;

            } else if (dot != NULL
                       && kz_json_key_is(&m, (char *) name, dot - name)
                          == NGX_OK)
            {
                next = m.val;
                found = 1;
            }
        }

        if (!found) {
            break;
        }

        level = next;
        name = dot + 1;
    }

    return rc;
}


ngx_int_t
kz_json_key_is(const kz_json_member_t *m, const char *name, size_t len)
{
    if (m->escaped) {
        return kz_json_text_is(&m->key, (u_char *) name, len);
    }

    return (m->key.len == len && ngx_memcmp(m->key.data, name, len) == 0)
           ? NGX_OK : NGX_DECLINED;
}


/* p is after the opening bracket; returns the byte after its closing one. */
static u_char *
kz_json_skip_brackets(u_char *p, u_char *end)
{
    ngx_uint_t  depth, escaped;

    for (depth = 1; depth != 0; p++) {

        while (p < end && kz_json_structure[*p] == 0) {
            p++;
        }

        if (p == end) {
            return end;
        }

        switch (kz_json_structure[*p]) {

        case 1:
            p = kz_json_string_end(p + 1, end, &escaped);

            if (p == end) {
                return end;
            }

            break;

        case 2:
            depth++;
            break;

        default:
            depth--;
        }
    }

    return p;
}
