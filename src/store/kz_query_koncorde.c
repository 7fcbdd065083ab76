
/*
 * Koncorde filters as queries (lang=koncorde): what notifies a subscriber of
 * a document is what finds it.
 *
 *   equals, in, exists["x"]   terms        and, must        all
 *   exists, missing           exists       or, should       any
 *   range, ids                the same     not, must_not    none
 *   geo*, regexp              the same     nothing          none
 *
 * The differences a search cannot help, as in the original: a text field is
 * looked at word by word, "exists" does not see null, and a field is found
 * inside the objects of an array.  Bounds of a range may be texts and the
 * values of "in" numbers, as the original lets them pass.
 *
 * Refusals have koncorde's words with the path in front.
 */

#include "store/kz_query_koncorde.h"


typedef kz_query_node_t *(*kz_koncorde_pt)(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);


typedef struct {
    const char       *name;
    kz_koncorde_pt    parse;
} kz_koncorde_word_t;


static kz_query_node_t *kz_koncorde_one(kz_query_parse_t *x,
    const kz_query_place_t *up, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_and(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_or(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_not(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_bool(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_equals(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_in(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_ids(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_exists(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_missing(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_range(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_nothing(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_everything(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
static kz_query_node_t *kz_koncorde_refused(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);

static kz_query_node_t *kz_koncorde_negate(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node);
static ngx_int_t kz_koncorde_list(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth,
    kz_query_node_t ***last, ngx_uint_t *n);
static kz_query_node_t *kz_koncorde_path(kz_query_parse_t *x,
    const kz_query_place_t *at, const ngx_str_t *field);
static ngx_int_t kz_koncorde_values(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_json_val_t *v, ngx_uint_t texts);
static ngx_int_t kz_koncorde_bounds(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m, ngx_uint_t n);
static void kz_koncorde_down(kz_query_place_t *at,
    const kz_query_place_t *up, const char *name);


static const kz_koncorde_word_t  kz_koncorde_words[] = {
    { "and", kz_koncorde_and },
    { "bool", kz_koncorde_bool },
    { "equals", kz_koncorde_equals },
    { "everything", kz_koncorde_everything },
    { "exists", kz_koncorde_exists },
    { "geoBoundingBox", kz_koncorde_box },
    { "geoDistance", kz_koncorde_distance },
    { "geoDistanceRange", kz_koncorde_ring },
    { "geoPolygon", kz_koncorde_polygon },
    { "ids", kz_koncorde_ids },
    { "in", kz_koncorde_in },
    { "match", kz_koncorde_refused },
    { "missing", kz_koncorde_missing },
    { "not", kz_koncorde_not },
    { "nothing", kz_koncorde_nothing },
    { "or", kz_koncorde_or },
    { "range", kz_koncorde_range },
    { "regexp", kz_koncorde_regexp },
    { "select", kz_koncorde_refused },
    { NULL, NULL }
};


kz_query_node_t *
kz_query_koncorde(kz_query_parse_t *x, const kz_json_val_t *filter,
    ngx_uint_t depth)
{
    kz_query_node_t  *node, *top;

    if (filter->type != KZ_JSON_OBJECT) {
        (void) kz_koncorde_bad(x, NULL, "Invalid filter syntax. Filters must"
                               " be objects");
        return NULL;
    }

    node = kz_koncorde_one(x, NULL, filter, depth);

    if (node == NULL || node->type == KZ_QUERY_ALL) {

        if (node != NULL) {
            node->scored = 1;
        }

        return node;
    }

    /* what is a filter in the original does not score: and, not */

    if (node->type == KZ_QUERY_BOOL && node->any == NULL) {
        return node;
    }

    top = kz_query_node(x, NULL, KZ_QUERY_BOOL, 1);

    if (top != NULL) {
        top->word = "koncorde";
        top->all = node;
    }

    return top;
}


static kz_query_node_t *
kz_koncorde_one(kz_query_parse_t *x, const kz_query_place_t *up,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t                 n;
    kz_query_place_t           at;
    kz_query_member_t         *m;
    const kz_koncorde_word_t  *w;

    if (kz_query_members(x, up, v, &m, &n) != NGX_OK) {
        return NULL;
    }

    if (n == 0) {
        return kz_koncorde_everything(x, up, v, depth);
    }

    if (n > 1) {
        (void) kz_koncorde_bad(x, NULL, "Invalid filter syntax. Filters must"
                               " have one keyword only");
        return NULL;
    }

    at.up = up;
    at.name = m->key;

    if (depth > KZ_QUERY_MAX_DEPTH) {
        (void) kz_query_bad(x, up, "too many clauses in one another: at most"
                            " %d are allowed", KZ_QUERY_MAX_DEPTH);
        return NULL;
    }

    for (w = kz_koncorde_words; w->name != NULL; w++) {
        if (m->key.len == ngx_strlen(w->name)
            && ngx_memcmp(m->key.data, w->name, m->key.len) == 0)
        {
            return w->parse(x, &at, &m->val, depth);
        }
    }

    (void) kz_koncorde_bad(x, &at, "unknown keyword");

    return NULL;
}


/* match and select look into arrays as no index does. */
static kz_query_node_t *
kz_koncorde_refused(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    (void) v;
    (void) depth;

    x->err->status = KZ_STORE_FILTER_KEYWORD;
    x->err->detail = at->name;

    return NULL;
}


static kz_query_node_t *
kz_koncorde_nothing(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    (void) v;
    (void) depth;

    return kz_koncorde_node(x, at, KZ_QUERY_NONE);
}


static kz_query_node_t *
kz_koncorde_everything(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    (void) v;
    (void) depth;

    return kz_koncorde_node(x, at, KZ_QUERY_ALL);
}


static kz_query_node_t *
kz_koncorde_negate(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node)
{
    kz_query_node_t  *not;

    if (node == NULL) {
        return NULL;
    }

    not = kz_koncorde_node(x, at, KZ_QUERY_BOOL);

    if (not != NULL) {
        not->none = node;
    }

    return not;
}


static kz_query_node_t *
kz_koncorde_not(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    kz_query_member_t  *m;

    m = kz_koncorde_property(x, at, v);

    if (m == NULL) {
        return NULL;
    }

    return kz_koncorde_negate(x, at, kz_koncorde_one(x, at, v, depth + 1));
}


static kz_query_node_t *
kz_koncorde_and(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t         n;
    kz_query_node_t   *node, **last;

    node = kz_koncorde_node(x, at, KZ_QUERY_BOOL);

    if (node == NULL || kz_koncorde_array(x, at, v) != NGX_OK) {
        return NULL;
    }

    n = 0;
    last = &node->all;

    return (kz_koncorde_list(x, at, v, depth, &last, &n) == NGX_OK)
           ? node : NULL;
}


static kz_query_node_t *
kz_koncorde_or(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    kz_query_node_t  *node, **last;

    node = kz_koncorde_node(x, at, KZ_QUERY_BOOL);

    if (node == NULL || kz_koncorde_array(x, at, v) != NGX_OK) {
        return NULL;
    }

    node->minimum = 1;
    last = &node->any;

    return (kz_koncorde_list(x, at, v, depth, &last, &node->nany) == NGX_OK)
           ? node : NULL;
}


/* An array of filters, or one; at is that of the operator. */
static ngx_int_t
kz_koncorde_list(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth, kz_query_node_t ***last,
    ngx_uint_t *n)
{
    kz_json_val_t      item;
    kz_json_iter_t     it;
    kz_query_node_t   *node;

    kz_json_iter(&it, v);

    for ( ;; ) {

        if (v->type != KZ_JSON_ARRAY) {
            item = *v;

        } else if (kz_json_next(&it, &item) != NGX_OK) {
            return NGX_OK;
        }

        if (item.type != KZ_JSON_OBJECT || kz_koncorde_empty(&item)) {
            return kz_koncorde_bad(x, at, "can only contain non-empty"
                                   " objects");
        }

        node = kz_koncorde_one(x, at, &item, depth + 1);

        if (node == NULL) {
            return NGX_ERROR;
        }

        **last = node;
        *last = &node->next;
        (*n)++;

        if (v->type != KZ_JSON_ARRAY) {
            return NGX_OK;
        }
    }
}


/*
 * Kuzzle: "bool" is {and: [must..., {not: {or: must_not}}, {or: should},
 * {not: {and: should_not}}]}, and the paths in messages are those of that.
 */
static kz_query_node_t *
kz_koncorde_bool(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n, count;
    kz_query_node_t     *node, *part, **last;
    kz_query_place_t     and, not, sub;
    kz_query_member_t   *m;

    static const char  *allowed[] = {
        "must", "must_not", "should", "should_not", NULL
    };

    if (kz_koncorde_attributes(x, at, v, allowed, &m, &n) != NGX_OK) {
        return NULL;
    }

    node = kz_koncorde_node(x, at, KZ_QUERY_BOOL);
    if (node == NULL) {
        return NULL;
    }

    kz_koncorde_down(&and, at, "and");
    kz_koncorde_down(&not, &and, "not");

    last = &node->all;
    count = 0;

    for (i = 0; i < n; i++) {

        /* Kuzzle: an attribute that JavaScript takes for false is not there */

        if (m[i].val.type == KZ_JSON_NULL || m[i].val.type == KZ_JSON_FALSE
            || kz_query_is(&m[i].val.raw, "\"\"")
            || kz_query_is(&m[i].val.raw, "0"))
        {
            continue;
        }

        if (kz_query_is(&m[i].key, "must")) {

            if (kz_koncorde_list(x, &and, &m[i].val, depth, &last, &count)
                != NGX_OK)
            {
                return NULL;
            }

            continue;
        }

        if (kz_query_is(&m[i].key, "must_not")) {
            kz_koncorde_down(&sub, &not, "or");
            part = kz_koncorde_negate(x, &sub,
                                      kz_koncorde_or(x, &sub, &m[i].val,
                                                     depth + 2));

        } else if (kz_query_is(&m[i].key, "should")) {
            kz_koncorde_down(&sub, &and, "or");
            part = kz_koncorde_or(x, &sub, &m[i].val, depth + 1);

        } else {
            kz_koncorde_down(&sub, &not, "and");
            part = kz_koncorde_negate(x, &sub,
                                      kz_koncorde_and(x, &sub, &m[i].val,
                                                      depth + 2));
        }

        if (part == NULL) {
            return NULL;
        }

        *last = part;
        last = &part->next;
    }

    if (node->all == NULL) {
        (void) kz_koncorde_bad(x, &and, "cannot be empty");
        return NULL;
    }

    return node;
}


static kz_query_node_t *
kz_koncorde_equals(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    kz_query_node_t    *node;
    kz_query_place_t    here;
    kz_query_member_t  *m;

    (void) depth;

    m = kz_koncorde_property(x, at, v);

    if (m == NULL) {
        return NULL;
    }

    here.up = at;
    here.name = m->key;

    if (!kz_json_is_scalar(&m->val)) {
        (void) kz_koncorde_bad(x, &here, "must either be a string, a number,"
                               " a boolean, or null");
        return NULL;
    }

    node = kz_koncorde_node(x, &here, KZ_QUERY_TERMS);

    if (node == NULL
        || kz_koncorde_values(x, &here, node, &m->val, 0) != NGX_OK)
    {
        return NULL;
    }

    node->field = m->key;

    return node;
}


static kz_query_node_t *
kz_koncorde_in(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    kz_query_node_t    *node;
    kz_query_place_t    here;
    kz_query_member_t  *m;

    (void) depth;

    m = kz_koncorde_property(x, at, v);

    if (m == NULL) {
        return NULL;
    }

    here.up = at;
    here.name = m->key;

    node = kz_koncorde_node(x, &here, KZ_QUERY_TERMS);

    if (node == NULL
        || kz_koncorde_array(x, &here, &m->val) != NGX_OK
        || kz_koncorde_values(x, &here, node, &m->val, 0) != NGX_OK)
    {
        return NULL;
    }

    node->field = m->key;

    return node;
}


static kz_query_node_t *
kz_koncorde_ids(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    kz_query_node_t    *node;
    kz_query_place_t    here;
    kz_query_member_t  *m;

    (void) depth;

    m = kz_koncorde_property(x, at, v);

    if (m == NULL) {
        return NULL;
    }

    if (!kz_query_is(&m->key, "values")) {
        (void) kz_koncorde_bad(x, at, "the property \"values\" is missing");
        return NULL;
    }

    here.up = at;
    here.name = m->key;

    node = kz_koncorde_node(x, &here, KZ_QUERY_IDS);

    if (node == NULL
        || kz_koncorde_array(x, &here, &m->val) != NGX_OK
        || kz_koncorde_values(x, &here, node, &m->val, 1) != NGX_OK)
    {
        return NULL;
    }

    return node;
}


/* A value or an array of them; texts: no others. */
static ngx_int_t
kz_koncorde_values(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t texts)
{
    kz_json_val_t    item;
    kz_json_iter_t   it;

    if (v->type == KZ_JSON_NULL) {
        return kz_koncorde_cannot(x, at, "null is not indexed: nothing can"
                                  " be found by it");
    }

    if (v->type == KZ_JSON_ARRAY) {
        kz_json_iter(&it, v);

        while (kz_json_next(&it, &item) == NGX_OK) {
            if (item.type == KZ_JSON_NULL || !kz_json_is_scalar(&item)
                || (texts && item.type != KZ_JSON_STRING))
            {
                return kz_koncorde_bad(x, at, "must hold only values of type"
                                       " \"string\"");
            }
        }
    }

    return kz_query_values(x, at, node, v);
}


/* "path", {"field": "path"}, and path["value"] in both */
static kz_query_node_t *
kz_koncorde_exists(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_str_t                field;
    kz_json_val_t            value;
    kz_query_place_t         here;
    kz_query_member_t       *m;
    const kz_query_place_t  *where;

    (void) depth;

    where = at;
    value = *v;

    if (v->type != KZ_JSON_STRING) {
        m = kz_koncorde_property(x, at, v);

        if (m == NULL) {
            return NULL;
        }

        if (!kz_query_is(&m->key, "field")) {
            (void) kz_koncorde_bad(x, at, "the property \"field\" is"
                                   " missing");
            return NULL;
        }

        here.up = at;
        here.name = m->key;

        where = &here;
        value = m->val;

        if (value.type != KZ_JSON_STRING) {
            (void) kz_koncorde_bad(x, where, "must be a string");
            return NULL;
        }
    }

    if (kz_json_string(x->pool, &value, &field) != NGX_OK) {
        return NULL;
    }

    if (field.len == 0) {
        (void) kz_koncorde_bad(x, where, (where == at)
                               ? "cannot test empty field name"
                               : "cannot be empty");
        return NULL;
    }

    return kz_koncorde_path(x, where, &field);
}


static kz_query_node_t *
kz_koncorde_missing(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    return kz_koncorde_negate(x, at, kz_koncorde_exists(x, at, v, depth));
}


/*
 * The array form begins at the first bracket that has no backslash before it
 * and is not the first byte; brackets that belong to names are escaped.
 */
static kz_query_node_t *
kz_koncorde_path(kz_query_parse_t *x, const kz_query_place_t *at,
    const ngx_str_t *field)
{
    size_t            i, len;
    u_char           *p;
    ngx_str_t         path, raw;
    kz_json_err_t     err;
    kz_json_val_t     value;
    kz_query_node_t  *node;

    len = field->len;
    ngx_str_null(&raw);

    if (field->data[len - 1] == ']') {
        for (i = 1; i < len - 1; i++) {
            if (field->data[i] == '[' && field->data[i - 1] != '\\') {
                raw.data = field->data + i + 1;
                raw.len = len - i - 2;
                len = i;
                break;
            }
        }
    }

    path.data = ngx_pnalloc(x->pool, len);
    if (path.data == NULL) {
        return NULL;
    }

    for (i = 0, p = path.data; i < len; i++) {
        if (field->data[i] == '\\' && i + 1 < len
            && (field->data[i + 1] == '[' || field->data[i + 1] == ']'))
        {
            i++;
        }

        *p++ = field->data[i];
    }

    path.len = p - path.data;

    node = kz_koncorde_node(x, at, (raw.data != NULL) ? KZ_QUERY_TERMS
                                                      : KZ_QUERY_EXISTS);
    if (node == NULL) {
        return NULL;
    }

    node->field = path;

    if (raw.data == NULL) {
        return node;
    }

    /* depth 0: neither an array nor an object */

    if (kz_json_scan(raw.data, raw.len, 0, &value, &err) != NGX_OK) {
        raw.len = ngx_min(raw.len, 128);
        (void) kz_koncorde_bad(x, at, "contains an invalid array value"
                               " (\"%V\")", &raw);
        return NULL;
    }

    return (kz_koncorde_values(x, at, node, &value, 0) == NGX_OK)
           ? node : NULL;
}


static kz_query_node_t *
kz_koncorde_range(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           n;
    kz_query_node_t     *node;
    kz_query_place_t     here;
    kz_query_member_t   *m, *bounds;

    static const char  *allowed[] = { "gt", "gte", "lt", "lte", NULL };

    (void) depth;

    m = kz_koncorde_property(x, at, v);

    if (m == NULL) {
        return NULL;
    }

    here.up = at;
    here.name = m->key;

    node = kz_koncorde_node(x, &here, KZ_QUERY_RANGE);

    if (node == NULL
        || kz_koncorde_attributes(x, &here, &m->val, allowed, &bounds, &n)
           != NGX_OK
        || kz_koncorde_bounds(x, &here, node, bounds, n) != NGX_OK)
    {
        return NULL;
    }

    node->field = m->key;

    return node;
}


static ngx_int_t
kz_koncorde_bounds(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m, ngx_uint_t n)
{
    ngx_uint_t         i, in;
    kz_json_val_t     *bound;
    kz_query_place_t   here;

    for (i = 0; i < n; i++) {

        if (m[i].val.type != KZ_JSON_NUMBER
            && m[i].val.type != KZ_JSON_STRING)
        {
            here.up = at;
            here.name = m[i].key;

            return kz_koncorde_bad(x, &here, "must be a number");
        }

        in = (m[i].key.len == 3);

        if (m[i].key.data[0] == 'g') {
            bound = &node->lower;
            node->lower_in = in;

        } else {
            bound = &node->upper;
            node->upper_in = in;
        }

        if (bound->type != KZ_JSON_NONE) {
            return kz_koncorde_bad(x, at, (m[i].key.data[0] == 'g')
                                   ? "only 1 lower boundary allowed"
                                   : "only 1 upper boundary allowed");
        }

        *bound = m[i].val;
    }

    /* Kuzzle: {gte: 5, lte: 5} is refused as well */

    if (node->lower.type == KZ_JSON_NUMBER
        && node->upper.type == KZ_JSON_NUMBER
        && kz_json_double(&node->upper) <= kz_json_double(&node->lower))
    {
        return kz_koncorde_bad(x, at, "lower boundary must be strictly"
                               " inferior to the upper one");
    }

    return NGX_OK;
}


static void
kz_koncorde_down(kz_query_place_t *at, const kz_query_place_t *up,
    const char *name)
{
    at->up = up;
    at->name.data = (u_char *) name;
    at->name.len = ngx_strlen(name);
    at->index = 0;
}
