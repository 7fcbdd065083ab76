/*
 * JSON as YAML.  See kz_yaml.h.
 */

#include "util/kz_yaml.h"


static void kz_yaml_block(kz_out_t *o, const kz_json_val_t *v,
    ngx_uint_t indent, ngx_uint_t inside);
static ngx_uint_t kz_yaml_empty(const kz_json_val_t *v);
static void kz_yaml_indent(kz_out_t *o, ngx_uint_t n);
static void kz_yaml_below(kz_out_t *o, const kz_json_val_t *v,
    ngx_uint_t indent, ngx_uint_t element);
static void kz_yaml_key(kz_out_t *o, const kz_json_member_t *m);
static ngx_uint_t kz_yaml_plain(const ngx_str_t *key);


void
kz_yaml(kz_out_t *o, const kz_json_val_t *v)
{
    if (kz_json_is_scalar(v) || kz_yaml_empty(v)) {
        kz_out_str(o, &v->raw);
        kz_out_char(o, '\n');
        return;
    }

    kz_yaml_block(o, v, 0, 0);
}


/* inside: the first line has its indentation already ("- "). */

static void
kz_yaml_block(kz_out_t *o, const kz_json_val_t *v, ngx_uint_t indent,
    ngx_uint_t inside)
{
    kz_json_val_t     element;
    kz_json_iter_t    it;
    kz_json_member_t  m;

    kz_json_iter(&it, v);

    if (v->type == KZ_JSON_ARRAY) {

        while (kz_json_next(&it, &element) == NGX_OK) {

            if (!inside) {
                kz_yaml_indent(o, indent);
            }

            inside = 0;

            kz_out_char(o, '-');
            kz_yaml_below(o, &element, indent + 2, 1);
        }

        return;
    }

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (!inside) {
            kz_yaml_indent(o, indent);
        }

        inside = 0;

        kz_yaml_key(o, &m);
        kz_out_char(o, ':');
        kz_yaml_below(o, &m.val, indent + 2, 0);
    }
}


static void
kz_yaml_below(kz_out_t *o, const kz_json_val_t *v, ngx_uint_t indent,
    ngx_uint_t element)
{
    if (kz_json_is_scalar(v)) {
        kz_out_char(o, ' ');
        kz_out_str(o, &v->raw);
        kz_out_char(o, '\n');
        return;
    }

    if (kz_yaml_empty(v)) {
        kz_out_char(o, ' ');
        kz_out_char(o, v->type == KZ_JSON_ARRAY ? '[' : '{');
        kz_out_char(o, v->type == KZ_JSON_ARRAY ? ']' : '}');
        kz_out_char(o, '\n');
        return;
    }

    kz_out_char(o, element ? ' ' : '\n');
    kz_yaml_block(o, v, indent, element);
}


static ngx_uint_t
kz_yaml_empty(const kz_json_val_t *v)
{
    kz_json_val_t     element;
    kz_json_iter_t    it;
    kz_json_member_t  m;

    kz_json_iter(&it, v);

    if (v->type == KZ_JSON_ARRAY) {
        return kz_json_next(&it, &element) != NGX_OK;
    }

    return kz_json_next_member(&it, &m) != NGX_OK;
}


static void
kz_yaml_indent(kz_out_t *o, ngx_uint_t n)
{
    while (n--) {
        kz_out_char(o, ' ');
    }
}


static void
kz_yaml_key(kz_out_t *o, const kz_json_member_t *m)
{
    if (!m->escaped && kz_yaml_plain(&m->key)) {
        kz_out_str(o, &m->key);
        return;
    }

    kz_out_char(o, '"');
    kz_out_str(o, &m->key);
    kz_out_char(o, '"');
}


/* A word of letters, digits, "_", "-" and "/" that means nothing else. */

static ngx_uint_t
kz_yaml_plain(const ngx_str_t *key)
{
    u_char        c;
    size_t        i;
    const char  **word;

    static const char  *words[] = {
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", NULL
    };

    for (i = 0; i < key->len; i++) {
        c = key->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
              || (i && ((c >= '0' && c <= '9') || c == '-' || c == '/'))))
        {
            return 0;
        }
    }

    for (word = words; *word; word++) {
        if (ngx_strlen(*word) == key->len
            && ngx_strncasecmp(key->data, (u_char *) *word, key->len) == 0)
        {
            return 0;
        }
    }

    return key->len != 0;
}
