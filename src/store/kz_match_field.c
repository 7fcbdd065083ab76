
/*
 * Clauses about a mapped field: what they are for a field of its type.
 */

#include "store/kz_match_bind.h"
#include "store/kz_match_text.h"
#include "store/kz_date.h"


static kz_cond_t *kz_bind_clause(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);
static kz_cond_t *kz_bind_match(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);
static kz_cond_t *kz_bind_terms(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);
static kz_cond_t *kz_bind_nocase(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);
static kz_cond_t *kz_bind_span(kz_bind_t *b, kz_cond_t *c,
    const kz_field_t *f, const kz_value_t *lower, const kz_value_t *upper);
static ngx_int_t kz_bind_network(kz_bind_t *b, const kz_json_val_t *json,
    kz_value_t *lower, kz_value_t *upper);
static kz_cond_t *kz_bind_range(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);
static ngx_int_t kz_bind_bound(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, const kz_json_val_t *json, ngx_uint_t up,
    kz_value_t *v);
static kz_cond_t *kz_bind_string(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);
static ngx_int_t kz_bind_flat(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, kz_value_t *v);
static kz_cond_t *kz_bind_unfit(kz_bind_t *b, const kz_query_node_t *node,
    const char *fmt, const kz_field_t *f);


kz_cond_t *
kz_bind_field(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    kz_cond_t  *c;

    if (f->type == KZ_FIELD_TEXT
        && (node->type == KZ_QUERY_MATCH || node->type == KZ_QUERY_PHRASE
            || node->type == KZ_QUERY_FUZZY))
    {
        return kz_text_bind(b, node, f, NULL);
    }

    c = kz_bind_clause(b, node, f);

    if (c != NULL && node->scored && c->boost == 0) {
        c->boost = node->boost;
    }

    return c;
}


static kz_cond_t *
kz_bind_clause(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    switch (node->type) {

    case KZ_QUERY_EXISTS:
        return kz_bind_test(b, KZ_LEAF_EXISTS, f, NULL);

    case KZ_QUERY_GEO_BOX:
    case KZ_QUERY_GEO_DISTANCE:
    case KZ_QUERY_GEO_POLYGON:
        return kz_bind_geo(b, node, f);

    default:
        break;
    }

    if (f->type == KZ_FIELD_GEO_POINT) {
        return kz_bind_unfit(b, node, "Geometry fields do not support exact"
                             " searching, use dedicated geometry queries"
                             " instead: [%V] of type [%V]", f);
    }

    switch (node->type) {

    case KZ_QUERY_RANGE:
        return kz_bind_range(b, node, f);

    case KZ_QUERY_MATCH:
    case KZ_QUERY_PHRASE:
        return kz_bind_match(b, node, f);

    case KZ_QUERY_TERMS:
        return node->nocase ? kz_bind_nocase(b, node, f)
                            : kz_bind_terms(b, node, f);

    default:
        return kz_bind_string(b, node, f);
    }
}


/* On anything but a text: the whole value. */
static kz_cond_t *
kz_bind_match(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    kz_json_val_t     json;
    kz_query_node_t   single;

    if (kz_bind_operand(b, node, &json) != NGX_OK) {
        return NULL;
    }

    single = *node;
    single.values = &json;
    single.nvalues = 1;

    if (node->prefix) {

        if (node->type == KZ_QUERY_PHRASE) {
            return kz_bind_unfit(b, node, "Can only use phrase prefix"
                                 " queries on text fields - not on [%V] which"
                                 " is of type [%V]", f);
        }

        single.type = KZ_QUERY_PREFIX;

        return kz_bind_string(b, &single, f);
    }

    if (f->type == KZ_FIELD_KEYWORD && node->fuzziness != 0) {
        single.type = KZ_QUERY_FUZZY;

        return kz_bind_string(b, &single, f);
    }

    return kz_bind_terms(b, &single, f);
}


static kz_cond_t *
kz_bind_terms(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    int64_t      last;
    ngx_int_t    rc;
    kz_cond_t   *c;
    kz_leaf_t   *leaf;
    ngx_uint_t   i;
    kz_value_t  *v, upper;

    c = kz_bind_test(b, KZ_LEAF_VALUES, f, NULL);

    if (c == NULL || kz_bind_room(b, c->leaf, node->nvalues) != NGX_OK) {
        return NULL;
    }

    leaf = c->leaf;

    for (i = 0; i < node->nvalues; i++) {
        v = &leaf->values[leaf->nvalues];

        if (f->type == KZ_FIELD_IP) {
            rc = kz_bind_network(b, &node->values[i], v, &upper);

            if (rc == NGX_ERROR) {
                return NULL;
            }

            if (rc == NGX_OK) {
                c = kz_bind_span(b, c, f, v, &upper);
                if (c == NULL) {
                    return NULL;
                }

                continue;
            }
        }

        rc = kz_bind_value(b, f, &node->values[i], v, &last);

        if (rc == NGX_DECLINED && node->lenient) {
            continue;
        }

        if (rc != NGX_OK) {
            return NULL;
        }

        if (f->type != KZ_FIELD_DATE || v->i == last) {
            leaf->nvalues++;
            continue;
        }

        /* a day, an hour, ... */

        upper.type = KZ_VALUE_INT;
        upper.i = last;

        c = kz_bind_span(b, c, f, v, &upper);
        if (c == NULL) {
            return NULL;
        }
    }

    qsort(leaf->values, leaf->nvalues, sizeof(kz_value_t), kz_bind_cmp);

    return c;
}


/* Or between the two, both included. */
static kz_cond_t *
kz_bind_span(kz_bind_t *b, kz_cond_t *c, const kz_field_t *f,
    const kz_value_t *lower, const kz_value_t *upper)
{
    kz_cond_t  *span;

    span = kz_bind_test(b, KZ_LEAF_RANGE, f, NULL);
    if (span == NULL) {
        return NULL;
    }

    span->leaf->lower = *lower;
    span->leaf->upper = *upper;
    span->leaf->lower_in = 1;
    span->leaf->upper_in = 1;

    return kz_bind_either(b, c, span);
}


/* "10.0.0.0/8"; NGX_DECLINED: not of that form. */
static ngx_int_t
kz_bind_network(kz_bind_t *b, const kz_json_val_t *json, kz_value_t *lower,
    kz_value_t *upper)
{
    u_char       digit;
    ngx_int_t    i, bits, left;
    ngx_str_t    text;

    if (json->type != KZ_JSON_STRING) {
        return NGX_DECLINED;
    }

    lower->text.data = ngx_pnalloc(b->pool, 2 * KZ_IP_LEN);

    if (lower->text.data == NULL
        || kz_json_string(b->pool, json, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_ip_read(text.data, text.len, lower->text.data, &bits) != NGX_OK
        || bits < 0)
    {
        return NGX_DECLINED;
    }

    lower->type = KZ_VALUE_TEXT;
    lower->text.len = KZ_IP_LEN;
    upper->type = KZ_VALUE_TEXT;
    upper->text.len = KZ_IP_LEN;
    upper->text.data = lower->text.data + KZ_IP_LEN;

    /* four bits a digit; what lies behind the prefix is all 0, or all 1 */

    for (i = 0; i < KZ_IP_LEN; i++) {
        left = ngx_max(ngx_min(bits - 4 * i, 4), 0);
        digit = (u_char) ngx_hextoi(&lower->text.data[i], 1);
        digit &= (u_char) (0xf0 >> left);

        lower->text.data[i] = "0123456789abcdef"[digit];
        upper->text.data[i] = "0123456789abcdef"[digit | (0x0f >> left)];
    }

    return NGX_OK;
}


/* case_insensitive */
static kz_cond_t *
kz_bind_nocase(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    kz_cond_t   *c;
    ngx_uint_t   i;

    if (f->type != KZ_FIELD_TEXT && f->type != KZ_FIELD_KEYWORD) {
        return kz_bind_unfit(b, node, "[%V] field which is of type [%V],"
                             " does not support case insensitive term"
                             " queries", f);
    }

    c = kz_bind_terms(b, node, f);
    if (c == NULL) {
        return NULL;
    }

    c->type = KZ_COND_TEST;
    c->leaf->nocase = 1;

    for (i = 0; i < c->leaf->nvalues; i++) {
        if (kz_bind_lower(b, &c->leaf->values[i].text) != NGX_OK) {
            return NULL;
        }
    }

    qsort(c->leaf->values, c->leaf->nvalues, sizeof(kz_value_t),
          kz_bind_cmp);

    return c;
}


static kz_cond_t *
kz_bind_range(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    ngx_int_t    rc;
    kz_cond_t   *c;
    kz_leaf_t   *leaf;

    c = kz_bind_test(b, KZ_LEAF_RANGE, f, NULL);
    if (c == NULL) {
        return NULL;
    }

    leaf = c->leaf;

    leaf->lower_in = node->lower_in;
    leaf->upper_in = node->upper_in;

    rc = kz_bind_bound(b, node, f, &node->lower, !node->lower_in,
                       &leaf->lower);

    if (rc == NGX_OK) {
        rc = kz_bind_bound(b, node, f, &node->upper, node->upper_in,
                           &leaf->upper);
    }

    if (rc == NGX_DECLINED && node->lenient) {
        c->type = KZ_COND_NONE;
        return c;
    }

    return (rc == NGX_OK) ? c : NULL;
}


/* up: a date that is a span counts with its end. */
static ngx_int_t
kz_bind_bound(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f,
    const kz_json_val_t *json, ngx_uint_t up, kz_value_t *v)
{
    int64_t       last;
    ngx_int_t     rc;
    ngx_str_t     text;
    ngx_array_t  *formats;

    if (json->type == KZ_JSON_NONE) {
        return NGX_OK;
    }

    if (f->type != KZ_FIELD_DATE
        || (node->format.len == 0 && json->type != KZ_JSON_STRING))
    {
        rc = kz_bind_value(b, f, json, v, &last);

        if (rc == NGX_OK && f->type == KZ_FIELD_DATE && up) {
            v->i = last;
        }

        if (rc == NGX_OK && f->type == KZ_FIELD_TEXT && node->normal) {
            rc = kz_bind_lower(b, &v->text);
        }

        return rc;
    }

    formats = f->formats;

    if (node->format.len != 0) {
        rc = kz_date_formats(b->pool, &node->format, &formats);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            kz_bind_bad(b, "failed to create query: Invalid format: [%V] is"
                        " not supported", &node->format, NULL);
            return NGX_ERROR;
        }
    }

    if (kz_bind_text(b, json, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    v->type = KZ_VALUE_INT;

    if (kz_date_math(formats, text.data, text.len, b->now, up, node->zone,
                     &v->i)
        == NGX_OK)
    {
        return NGX_OK;
    }

    text.len = ngx_min(text.len, 64);

    kz_mapping_refuse(b->err, KZ_STORE_BAD_QUERY, "failed to parse date"
                      " field [%V] (field [%V])", &text, &f->path);

    return NGX_DECLINED;
}


/* prefix, wildcard, regexp, fuzzy: on texts. */
static kz_cond_t *
kz_bind_string(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    ngx_uint_t   low;
    kz_cond_t   *c;
    kz_leaf_t   *leaf;

    if (f->type != KZ_FIELD_TEXT && f->type != KZ_FIELD_KEYWORD) {
        return kz_bind_unfit(b, node,
                             (node->type == KZ_QUERY_PREFIX)
                             ? "Can only use prefix queries on keyword and"
                               " text fields - not on [%V] which is of type"
                               " [%V]"
                             : (node->type == KZ_QUERY_WILDCARD)
                             ? "Can only use wildcard queries on keyword and"
                               " text fields - not on [%V] which is of type"
                               " [%V]"
                             : (node->type == KZ_QUERY_REGEXP)
                             ? "Can only use regexp queries on keyword and"
                               " text fields - not on [%V] which is of type"
                               " [%V]"
                             : "Can only use fuzzy queries on keyword and"
                               " text fields - not on [%V] which is of type"
                               " [%V]", f);
    }

    if (node->type == KZ_QUERY_FUZZY) {
        return kz_text_bind(b, node, f, NULL);
    }

    c = kz_bind_test(b, KZ_LEAF_PREFIX, f, NULL);

    if (c == NULL || kz_bind_room(b, c->leaf, 1) != NGX_OK) {
        return NULL;
    }

    leaf = c->leaf;
    low = node->nocase;

    if (kz_bind_flat(b, node, f, leaf->values) != NGX_OK) {
        return NULL;
    }

    leaf->nvalues = 1;
    leaf->nocase = low;

    if (low && node->type != KZ_QUERY_REGEXP
        && kz_bind_lower(b, &leaf->values[0].text) != NGX_OK)
    {
        return NULL;
    }

    if (node->type == KZ_QUERY_PREFIX) {

        if (low) {
            c->type = KZ_COND_TEST;
        }

        return c;
    }

    c->type = KZ_COND_TEST;

    if (node->type == KZ_QUERY_WILDCARD) {
        leaf->type = KZ_LEAF_WILDCARD;

        if (!low && kz_wildcard_head(b->pool, &leaf->values[0].text,
                                     &leaf->head)
                    != NGX_OK)
        {
            return NULL;
        }

        return c;
    }

    leaf->type = KZ_LEAF_REGEXP;
    leaf->regexp = kz_regexp_compile(b->pool, &leaf->values[0].text,
                                     node->flags, low, b->err);

    return (leaf->regexp == NULL) ? NULL : c;
}


/* A pattern, in the form its field gives to values. */
static ngx_int_t
kz_bind_flat(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f,
    kz_value_t *v)
{
    kz_json_val_t  json;

    if (kz_bind_operand(b, node, &json) != NGX_OK) {
        return NGX_ERROR;
    }

    if (f->type == KZ_FIELD_KEYWORD && node->type != KZ_QUERY_REGEXP) {
        return kz_bind_value(b, f, &json, v, NULL);
    }

    v->type = KZ_VALUE_TEXT;

    if (kz_bind_text(b, &json, &v->text) != NGX_OK) {
        return NGX_ERROR;
    }

    return node->normal ? kz_bind_lower(b, &v->text) : NGX_OK;
}


/* What a field of this type cannot answer. */
static kz_cond_t *
kz_bind_unfit(kz_bind_t *b, const kz_query_node_t *node, const char *fmt,
    const kz_field_t *f)
{
    if (node->lenient) {
        return kz_bind_cond(b, KZ_COND_NONE);
    }

    kz_bind_bad(b, fmt, &f->path, &f->type_name);

    return NULL;
}
