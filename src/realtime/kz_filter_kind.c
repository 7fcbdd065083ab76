
/*
 * The kinds of clauses: how each is printed, ordered and tested.  Negation
 * is not their business: a clause that is not matched is matched negated,
 * but for values that are KZ_FILTER_NEITHER.
 *
 * What a clause prints is a valid filter again, so that the canonical text
 * of a filter compiles to itself.
 */

#include "realtime/kz_filter_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>


static void kz_filter_equals_print(kz_out_t *o, const kz_filter_clause_t *c);
static kz_filter_truth_e kz_filter_equals_match(const kz_filter_clause_t *c,
    const kz_filter_value_t *value);
static ngx_int_t kz_filter_scalar_cmp(const kz_filter_clause_t *one,
    const kz_filter_clause_t *two);
static void kz_filter_contains_print(kz_out_t *o,
    const kz_filter_clause_t *c);
static kz_filter_truth_e kz_filter_contains_match(const kz_filter_clause_t *c,
    const kz_filter_value_t *value);
static void kz_filter_range_print(kz_out_t *o, const kz_filter_clause_t *c);
static ngx_int_t kz_filter_range_cmp(const kz_filter_clause_t *one,
    const kz_filter_clause_t *two);
static kz_filter_truth_e kz_filter_range_match(const kz_filter_clause_t *c,
    const kz_filter_value_t *value);
static void kz_filter_exists_print(kz_out_t *o, const kz_filter_clause_t *c);
static ngx_int_t kz_filter_exists_cmp(const kz_filter_clause_t *one,
    const kz_filter_clause_t *two);
static kz_filter_truth_e kz_filter_exists_match(const kz_filter_clause_t *c,
    const kz_filter_value_t *value);


/* By kz_filter_kind_e. */

const kz_filter_kind_t  kz_filter_kinds[] = {

    { KZ_FILTER_EQUALS, kz_filter_equals_print, kz_filter_scalar_cmp,
      kz_filter_equals_match, 1, 0 },

    { KZ_FILTER_CONTAINS, kz_filter_contains_print, kz_filter_scalar_cmp,
      kz_filter_contains_match, 1, 0 },

    { KZ_FILTER_RANGE, kz_filter_range_print, kz_filter_range_cmp,
      kz_filter_range_match, 1, 0 },

    { KZ_FILTER_EXISTS, kz_filter_exists_print, kz_filter_exists_cmp,
      kz_filter_exists_match, 1, 0 }
};


ngx_int_t
kz_filter_str_cmp(const ngx_str_t *one, const ngx_str_t *two)
{
    ngx_int_t  rc;

    rc = ngx_memcmp(one->data, two->data, ngx_min(one->len, two->len));

    if (rc != 0) {
        return rc;
    }

    return (one->len > two->len) - (one->len < two->len);
}


/* Path first: what the rules of kz_filter_simplify.c compare is adjacent. */
ngx_int_t
kz_filter_clause_cmp(const kz_filter_clause_t *one,
    const kz_filter_clause_t *two)
{
    ngx_int_t  rc;

    rc = kz_filter_str_cmp(&one->path, &two->path);

    if (rc != 0) {
        return rc;
    }

    if (one->kind != two->kind) {
        return (one->kind->kind < two->kind->kind) ? -1 : 1;
    }

    return one->kind->cmp(one, two);
}


static ngx_int_t
kz_filter_num_cmp(double one, double two)
{
    return (one > two) - (one < two);
}


static ngx_int_t
kz_filter_scalar_cmp(const kz_filter_clause_t *one,
    const kz_filter_clause_t *two)
{
    const kz_filter_scalar_t  *a, *b;

    a = &one->u.scalar;
    b = &two->u.scalar;

    if (a->type != b->type) {
        return (a->type < b->type) ? -1 : 1;
    }

    switch (a->type) {
    case KZ_JSON_STRING:
        return kz_filter_str_cmp(&a->str, &b->str);
    case KZ_JSON_NUMBER:
        return kz_filter_num_cmp(a->num, b->num);
    default:
        return 0;
    }
}


double
kz_filter_number(const kz_json_val_t *v)
{
    double  num;

    num = kz_json_double(v);

    /* the two zeros are equal but do not look it */
    return (num == 0) ? 0 : num;
}


/*
 * The shortest text that reads back as the same number: 1, 1.0 and 1e0 are
 * one number and print one text.
 */
static void
kz_filter_num_print(kz_out_t *o, double num)
{
    int   len, digits;
    char  text[32];

    if (isinf(num)) {
        /* 1e400 is valid JSON and reads as infinity */
        kz_out_bytes(o, (num < 0) ? "-1e999" : "1e999", (num < 0) ? 6 : 5);
        return;
    }

    for (digits = 15; /* void */; digits++) {
        len = snprintf(text, sizeof(text), "%.*g", digits, num);

        if (digits == 17 || strtod(text, NULL) == num) {
            break;
        }
    }

    kz_out_bytes(o, text, len);
}


static void
kz_filter_scalar_print(kz_out_t *o, const kz_filter_scalar_t *s)
{
    switch (s->type) {

    case KZ_JSON_STRING:
        kz_out_json_str(o, &s->str);
        break;

    case KZ_JSON_NUMBER:
        kz_filter_num_print(o, s->num);
        break;

    case KZ_JSON_TRUE:
        kz_out_lit(o, "true");
        break;

    case KZ_JSON_FALSE:
        kz_out_lit(o, "false");
        break;

    default:
        kz_out_lit(o, "null");
    }
}


ngx_uint_t
kz_filter_scalar_is(const kz_filter_scalar_t *s,
    const kz_filter_value_t *value)
{
    if (s->type != value->val.type) {
        return 0;
    }

    switch (s->type) {

    case KZ_JSON_STRING:
        if (value->val.escaped) {
            return kz_json_string_is(&value->val, s->str.data, s->str.len)
                   == NGX_OK;
        }

        return s->str.len == value->str.len
               && ngx_memcmp(s->str.data, value->str.data, s->str.len) == 0;

    case KZ_JSON_NUMBER:
        return s->num == value->num;

    default:
        return 1;
    }
}


/* The value of an array's element. */
void
kz_filter_element(kz_filter_value_t *value, const kz_json_val_t *v)
{
    value->val = *v;

    if (v->type == KZ_JSON_STRING) {
        value->str.data = v->raw.data + 1;
        value->str.len = v->raw.len - 2;

    } else if (v->type == KZ_JSON_NUMBER) {
        value->num = kz_filter_number(v);
    }
}


static void
kz_filter_equals_print(kz_out_t *o, const kz_filter_clause_t *c)
{
    kz_out_lit(o, "{\"equals\":{");
    kz_out_json_str(o, &c->path);
    kz_out_char(o, ':');
    kz_filter_scalar_print(o, &c->u.scalar);
    kz_out_lit(o, "}}");
}


static kz_filter_truth_e
kz_filter_equals_match(const kz_filter_clause_t *c,
    const kz_filter_value_t *value)
{
    return (value != NULL && kz_filter_scalar_is(&c->u.scalar, value))
           ? KZ_FILTER_YES : KZ_FILTER_NO;
}


/* The path as exists reads it: brackets are escaped. */
static void
kz_filter_brackets(kz_out_t *o, const ngx_str_t *path)
{
    size_t  i;

    for (i = 0; i < path->len; i++) {
        if (path->data[i] == '[' || path->data[i] == ']') {
            kz_out_char(o, '\\');
        }

        kz_out_char(o, path->data[i]);
    }
}


static void
kz_filter_contains_print(kz_out_t *o, const kz_filter_clause_t *c)
{
    kz_out_t  field;

    kz_out_init(&field, o->pool, c->path.len + 32);

    kz_filter_brackets(&field, &c->path);
    kz_out_char(&field, '[');
    kz_filter_scalar_print(&field, &c->u.scalar);
    kz_out_char(&field, ']');

    if (kz_out_failed(&field)) {
        o->failed = 1;
        return;
    }

    kz_out_lit(o, "{\"exists\":");
    kz_out_json(o, field.start, kz_out_len(&field));
    kz_out_char(o, '}');
}


static kz_filter_truth_e
kz_filter_contains_match(const kz_filter_clause_t *c,
    const kz_filter_value_t *value)
{
    kz_json_val_t      v;
    kz_json_iter_t     it;
    kz_filter_value_t  element;

    if (value == NULL || value->val.type != KZ_JSON_ARRAY) {
        return KZ_FILTER_NO;
    }

    kz_json_iter(&it, &value->val);

    while (kz_json_next(&it, &v) == NGX_OK) {
        if (v.type != c->u.scalar.type) {
            continue;
        }

        kz_filter_element(&element, &v);

        if (kz_filter_scalar_is(&c->u.scalar, &element)) {
            return KZ_FILTER_YES;
        }
    }

    return KZ_FILTER_NO;
}


ngx_uint_t
kz_filter_in_range(const kz_filter_range_t *r, double num)
{
    return (r->above ? num > r->low : num >= r->low)
           && (r->below ? num < r->high : num <= r->high);
}


static void
kz_filter_range_print(kz_out_t *o, const kz_filter_clause_t *c)
{
    ngx_uint_t                low, high;
    const kz_filter_range_t  *r;

    r = &c->u.range;

    low = (r->above || !isinf(r->low));
    high = (r->below || !isinf(r->high) || !low);

    kz_out_lit(o, "{\"range\":{");
    kz_out_json_str(o, &c->path);
    kz_out_lit(o, ":{");

    if (low) {
        kz_out_bytes(o, r->above ? "\"gt\":" : "\"gte\":", 6 - r->above);
        kz_filter_num_print(o, r->low);
    }

    if (low && high) {
        kz_out_char(o, ',');
    }

    if (high) {
        kz_out_bytes(o, r->below ? "\"lt\":" : "\"lte\":", 6 - r->below);
        kz_filter_num_print(o, r->high);
    }

    kz_out_lit(o, "}}}");
}


static ngx_int_t
kz_filter_range_cmp(const kz_filter_clause_t *one,
    const kz_filter_clause_t *two)
{
    ngx_int_t                 rc;
    const kz_filter_range_t  *a, *b;

    a = &one->u.range;
    b = &two->u.range;

    rc = kz_filter_num_cmp(a->low, b->low);

    if (rc == 0) {
        rc = (ngx_int_t) a->above - (ngx_int_t) b->above;
    }

    if (rc == 0) {
        rc = kz_filter_num_cmp(a->high, b->high);
    }

    if (rc == 0) {
        rc = (ngx_int_t) a->below - (ngx_int_t) b->below;
    }

    return rc;
}


static kz_filter_truth_e
kz_filter_range_match(const kz_filter_clause_t *c,
    const kz_filter_value_t *value)
{
    return (value != NULL && value->val.type == KZ_JSON_NUMBER
            && kz_filter_in_range(&c->u.range, value->num))
           ? KZ_FILTER_YES : KZ_FILTER_NO;
}


static void
kz_filter_exists_print(kz_out_t *o, const kz_filter_clause_t *c)
{
    kz_out_t  field;

    kz_out_init(&field, o->pool, c->path.len + 32);
    kz_filter_brackets(&field, &c->path);

    if (kz_out_failed(&field)) {
        o->failed = 1;
        return;
    }

    kz_out_lit(o, "{\"exists\":");
    kz_out_json(o, field.start, kz_out_len(&field));
    kz_out_char(o, '}');
}


static ngx_int_t
kz_filter_exists_cmp(const kz_filter_clause_t *one,
    const kz_filter_clause_t *two)
{
    (void) one;
    (void) two;

    return 0;
}


static kz_filter_truth_e
kz_filter_exists_match(const kz_filter_clause_t *c,
    const kz_filter_value_t *value)
{
    (void) c;

    return (value != NULL) ? KZ_FILTER_YES : KZ_FILTER_NO;
}
