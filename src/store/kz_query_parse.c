
/*
 * What the parsers of clauses and of the body share: errors with their
 * place, objects without repeated keys, values.
 */

#include "store/kz_query_parse.h"


ngx_int_t
kz_query_bad(kz_query_parse_t *x, const kz_query_place_t *at,
    const char *fmt, ...)
{
    u_char                   *p, *last;
    va_list                   args;
    ngx_uint_t                i, n;
    const kz_query_place_t   *place, *stack[KZ_QUERY_MAX_DEPTH * 4];

    last = x->err->text + KZ_MAPPING_ERR_LEN;

    va_start(args, fmt);
    p = ngx_vslprintf(x->err->text, last, fmt, args);
    va_end(args);

    n = 0;

    for (place = at; place != NULL; place = place->up) {
        if (n < sizeof(stack) / sizeof(stack[0])) {
            stack[n++] = place;
        }
    }

    p = ngx_slprintf(p, last, " (at ");

    for (i = n; i > 0; i--) {
        place = stack[i - 1];

        if (place->name.data == NULL) {
            p = ngx_slprintf(p, last, "[%ui]", place->index);

        } else {
            p = ngx_slprintf(p, last, "%s%V", (i == n) ? "" : ".",
                             &place->name);
        }
    }

    p = ngx_slprintf(p, last, ")");

    x->err->status = KZ_STORE_BAD_QUERY;
    x->err->detail.data = x->err->text;
    x->err->detail.len = p - x->err->text;

    return NGX_ERROR;
}


ngx_int_t
kz_query_key(kz_query_parse_t *x, const kz_json_member_t *m, ngx_str_t *key)
{
    u_char  *p;

    *key = m->key;

    if (!m->escaped) {
        return NGX_OK;
    }

    p = ngx_pnalloc(x->pool, key->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    key->len = kz_json_unescape(p, key->data, key->len) - p;
    key->data = p;

    return NGX_OK;
}


ngx_int_t
kz_query_members(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, kz_query_member_t **members, ngx_uint_t *n)
{
    ngx_str_t            key;
    ngx_uint_t           i, count;
    kz_json_iter_t       it;
    kz_json_member_t     m;
    kz_query_member_t   *list;

    if (v->type != KZ_JSON_OBJECT) {
        return kz_query_bad(x, at, "an object was expected");
    }

    /* one look to know how many there are: most objects here are tiny */

    count = 0;
    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &m) == NGX_OK) {
        if (++count > KZ_QUERY_MAX_MEMBERS) {
            return kz_query_bad(x, at, "too many keys in one object");
        }
    }

    list = ngx_palloc(x->pool, (count + 1) * sizeof(kz_query_member_t));
    if (list == NULL) {
        return NGX_ERROR;
    }

    *members = list;
    *n = 0;

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (kz_query_key(x, &m, &key) != NGX_OK) {
            return NGX_ERROR;
        }

        for (i = 0; i < *n; i++) {
            if (list[i].key.len == key.len
                && ngx_memcmp(list[i].key.data, key.data, key.len) == 0)
            {
                break;
            }
        }

        list[i].key = key;
        list[i].val = m.val;

        if (i == *n) {
            (*n)++;
        }
    }

    return NGX_OK;
}


kz_query_node_t *
kz_query_node(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_type_e type, ngx_uint_t scored)
{
    kz_query_node_t  *node;

    if (x->q->nclauses == KZ_QUERY_MAX_CLAUSES) {
        (void) kz_query_bad(x, at, "too many clauses: at most %d are allowed",
                            KZ_QUERY_MAX_CLAUSES);
        return NULL;
    }

    node = ngx_pcalloc(x->pool, sizeof(kz_query_node_t));
    if (node == NULL) {
        return NULL;
    }

    node->type = type;
    node->boost = 1;
    node->fuzzy_low = 3;
    node->fuzzy_high = 6;
    node->transpose = 1;
    node->max_expansions = 50;
    node->scored = scored;
    node->n = x->q->nclauses++;

    return node;
}


/*
 * {"field": value} or {"field": {...}}: the field, and the value in
 * node->values or the members of the inner object.
 */
ngx_int_t
kz_query_field(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, kz_query_member_t **inner,
    ngx_uint_t *n)
{
    kz_query_member_t  *m;

    if (kz_query_members(x, at, v, &m, n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (*n == 0) {
        return kz_query_bad(x, at, "[%s] query needs a field", node->word);
    }

    if (*n != 1) {
        return kz_query_bad(x, at, "[%s] query does not support multiple"
                            " fields, found [%V] and [%V]", node->word,
                            &m[0].key, &m[1].key);
    }

    node->field = m->key;
    *n = 0;

    if (m->val.type == KZ_JSON_OBJECT) {
        return kz_query_members(x, at, &m->val, inner, n);
    }

    if (m->val.type == KZ_JSON_ARRAY) {
        return kz_query_bad(x, at, "[%s] query does not support arrays",
                            node->word);
    }

    return kz_query_values(x, at, node, &m->val);
}


/* A scalar, or an array of them. */
ngx_int_t
kz_query_values(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v)
{
    ngx_uint_t       n;
    kz_json_val_t    item;
    kz_json_iter_t   it;

    n = 1;

    if (v->type == KZ_JSON_ARRAY) {
        n = 0;
        kz_json_iter(&it, v);

        while (kz_json_next(&it, &item) == NGX_OK) {
            n++;
        }
    }

    if (n > KZ_QUERY_MAX_VALUES) {
        return kz_query_bad(x, at, "too many values: at most %d are allowed",
                            KZ_QUERY_MAX_VALUES);
    }

    node->values = ngx_palloc(x->pool, (n + 1) * sizeof(kz_json_val_t));
    if (node->values == NULL) {
        return NGX_ERROR;
    }

    node->nvalues = 0;

    if (v->type == KZ_JSON_ARRAY) {
        kz_json_iter(&it, v);

    } else {
        item = *v;
    }

    while (node->nvalues < n) {

        if (v->type == KZ_JSON_ARRAY) {
            (void) kz_json_next(&it, &item);
        }

        if (!kz_json_is_scalar(&item) || item.type == KZ_JSON_NULL) {
            return kz_query_bad(x, at, "a value can neither be null nor an"
                                " object nor an array");
        }

        node->values[node->nvalues++] = item;
    }

    return NGX_OK;
}


/* What every clause may hold; any other key is refused. */
ngx_int_t
kz_query_option(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    ngx_str_t  key;

    if (kz_query_is(&m->key, "boost") && m->val.type == KZ_JSON_NUMBER) {
        node->boost = kz_json_double(&m->val);

        if (node->boost >= 0 && node->boost < 1e30) {
            return NGX_OK;
        }

    } else if (kz_query_is(&m->key, "_name")
               && m->val.type == KZ_JSON_STRING)
    {
        return NGX_OK;
    }

    key = m->key;
    key.len = ngx_min(key.len, 64);

    return kz_query_bad(x, at, "[%V] is not supported in a [%s] query", &key,
                        node->word);
}


ngx_int_t
kz_query_flag(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, ngx_uint_t *flag)
{
    if (m->val.type == KZ_JSON_TRUE || m->val.type == KZ_JSON_FALSE) {
        *flag = (m->val.type == KZ_JSON_TRUE);
        return NGX_OK;
    }

    if (kz_json_string_is(&m->val, (u_char *) "true", 4) == NGX_OK) {
        *flag = 1;
        return NGX_OK;
    }

    if (kz_json_string_is(&m->val, (u_char *) "false", 5) == NGX_OK) {
        *flag = 0;
        return NGX_OK;
    }

    return kz_query_bad(x, at, "[%V] must be a boolean", &m->key);
}


ngx_int_t
kz_query_count(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, ngx_uint_t *n)
{
    int64_t    value;
    ngx_int_t  number;
    ngx_str_t  text;

    number = NGX_ERROR;

    if (m->val.type == KZ_JSON_NUMBER
        && kz_json_int(&m->val, &value) == NGX_OK && value >= 0
        && value <= 2147483647)
    {
        number = (ngx_int_t) value;

    } else if (m->val.type == KZ_JSON_STRING) {

        if (kz_json_string(x->pool, &m->val, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        number = (text.len < 10) ? ngx_atoi(text.data, text.len) : NGX_ERROR;
    }

    if (number == NGX_ERROR) {
        return kz_query_bad(x, at, "[%V] must be a whole number from 0 on",
                            &m->key);
    }

    *n = number;

    return NGX_OK;
}


ngx_int_t
kz_query_real(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, double *d)
{
    if (m->val.type == KZ_JSON_NUMBER) {
        *d = kz_json_double(&m->val);

        if (*d >= 0 && *d < 1e30) {
            return NGX_OK;
        }
    }

    return kz_query_bad(x, at, "[%V] must be a number from 0 on", &m->key);
}


ngx_int_t
kz_query_text(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, ngx_str_t *text)
{
    if (m->val.type != KZ_JSON_STRING) {
        return kz_query_bad(x, at, "[%V] must be a text", &m->key);
    }

    return kz_json_string(x->pool, &m->val, text);
}


ngx_uint_t
kz_query_ignored(const ngx_str_t *key)
{
    return kz_query_is(key, "rewrite") || kz_query_is(key, "fuzzy_rewrite")
           || kz_query_is(key, "max_determinized_states")
           || kz_query_is(key, "cutoff_frequency")
           || kz_query_is(key, "auto_generate_synonyms_phrase_query");
}


ngx_int_t
kz_query_fuzziness(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    u_char      *comma, *end;
    double       d;
    ngx_int_t    low, high;
    ngx_str_t    text;

    if (m->val.type == KZ_JSON_NUMBER) {
        d = kz_json_double(&m->val);

        if (d == 0 || d == 1 || d == 2) {
            node->fuzziness = (ngx_uint_t) d;
            return NGX_OK;
        }

        goto bad;
    }

    if (m->val.type != KZ_JSON_STRING) {
        goto bad;
    }

    if (kz_json_string(x->pool, &m->val, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if ((text.len == 1 || (text.len == 3 && text.data[1] == '.'
                           && text.data[2] == '0'))
        && text.data[0] >= '0' && text.data[0] <= '2')
    {
        node->fuzziness = text.data[0] - '0';
        return NGX_OK;
    }

    if (text.len < 4 || ngx_strncasecmp(text.data, (u_char *) "auto", 4) != 0)
    {
        goto bad;
    }

    node->fuzziness = KZ_QUERY_FUZZY_AUTO;

    if (text.len == 4) {
        return NGX_OK;
    }

    end = text.data + text.len;
    comma = ngx_strlchr(text.data, end, ',');

    if (text.data[4] != ':' || comma == NULL) {
        goto bad;
    }

    low = ngx_atoi(text.data + 5, comma - text.data - 5);
    high = ngx_atoi(comma + 1, end - comma - 1);

    if (low != NGX_ERROR && high != NGX_ERROR && low <= high) {
        node->fuzzy_low = low;
        node->fuzzy_high = high;
        return NGX_OK;
    }

bad:

    return kz_query_bad(x, at, "Invalid value for [%V]: 0, 1, 2, \"AUTO\" and"
                        " \"AUTO:low,high\" are allowed", &m->key);
}
