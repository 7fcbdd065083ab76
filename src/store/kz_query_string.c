
/*
 * Parameters of the queries that are a text, and their clauses over several
 * fields.
 */

#include "store/kz_query_string.h"
#include "store/kz_date.h"
#include "store/kz_match_text.h"


static ngx_int_t kz_qs_query(kz_qs_t *s, const kz_query_member_t *m);
static ngx_int_t kz_qs_operator(kz_qs_t *s, const kz_query_member_t *m);
static ngx_int_t kz_qs_fields(kz_qs_t *s, const kz_query_member_t *m);
static ngx_int_t kz_qs_field(kz_qs_t *s, const kz_json_val_t *v);
static ngx_int_t kz_query_string_option(kz_qs_t *s,
    const kz_query_member_t *m);


/* query_string */
ngx_int_t
kz_query_string(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    kz_qs_t              s;
    ngx_uint_t           i, n;
    kz_query_node_t     *found;
    kz_query_member_t   *m;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_qs_init(&s, x, at, "query_string");

    for (i = 0; i < n; i++) {
        if (kz_query_string_option(&s, &m[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (s.kind == KZ_QS_MOST_FIELDS || s.kind == KZ_QS_BOOL_PREFIX) {
        s.tie = (s.tie < 0) ? 1 : s.tie;
    }

    if (kz_qs_ready(&s) != NGX_OK) {
        return NGX_ERROR;
    }

    found = kz_query_lucene(&s, node->scored, depth);

    if (found == NULL || kz_qs_minimum(&s, found) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_qs_finish(&s, node, found);

    return NGX_OK;
}


static ngx_int_t
kz_query_string_option(kz_qs_t *s, const kz_query_member_t *m)
{
    ngx_int_t   rc;
    ngx_str_t   text;
    ngx_uint_t  flag;

    rc = kz_qs_option(s, m);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (kz_query_is(&m->key, "default_field")) {
        return kz_qs_fields(s, m);
    }

    if (kz_query_is(&m->key, "type")) {
        return kz_qs_kind(s, m);
    }

    if (kz_query_is(&m->key, "allow_leading_wildcard")) {
        rc = kz_query_flag(s->x, s->at, m, &flag);
        s->no_leading = !flag;

        return rc;
    }

    if (kz_query_is(&m->key, "phrase_slop")) {
        return kz_query_count(s->x, s->at, m, &s->model.slop);
    }

    if (kz_query_is(&m->key, "fuzziness")) {
        return kz_query_fuzziness(s->x, s->at, &s->model, m);
    }

    if (kz_query_is(&m->key, "tie_breaker")) {
        return kz_query_real(s->x, s->at, m, &s->tie);
    }

    if (kz_query_is(&m->key, "time_zone")) {
        if (kz_query_text(s->x, s->at, m, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_date_offset(text.data, text.len, &s->model.zone) == NGX_OK) {
            return NGX_OK;
        }

        text.len = ngx_min(text.len, 64);

        return kz_query_bad(s->x, s->at, "[time_zone] [%V] is not supported:"
                            " an offset is needed, \"+01:00\"", &text);
    }

    return kz_query_is(&m->key, "enable_position_increments")
           ? NGX_OK : kz_qs_unknown(s, m);
}


void
kz_qs_init(kz_qs_t *s, kz_query_parse_t *x, const kz_query_place_t *at,
    const char *word)
{
    ngx_memzero(s, sizeof(kz_qs_t));

    s->x = x;
    s->at = at;
    s->word = word;
    s->tie = -1;
    s->boost = 1;
    s->flags = KZ_QS_ALL;
    s->model.fuzziness = KZ_QUERY_FUZZY_AUTO;
    s->model.fuzzy_low = 3;
    s->model.fuzzy_high = 6;
    s->model.max_expansions = 50;
    s->model.transpose = 1;
    s->model.normal = 1;
}


/* What query_string, simple_query_string and multi_match have in common. */
ngx_int_t
kz_qs_option(kz_qs_t *s, const kz_query_member_t *m)
{
    ngx_uint_t  flag;

    flag = 0;

    if (kz_query_is(&m->key, "query")) {
        return kz_qs_query(s, m);
    }

    if (kz_query_is(&m->key, "fields")) {
        return kz_qs_fields(s, m);
    }

    if (kz_query_is(&m->key, "default_operator")
        || kz_query_is(&m->key, "operator"))
    {
        return kz_qs_operator(s, m);
    }

    if (kz_query_is(&m->key, "analyzer")) {
        return kz_query_text(s->x, s->at, m, &s->model.analyzer);
    }

    if (kz_query_is(&m->key, "minimum_should_match")) {

        if (m->val.type == KZ_JSON_NUMBER) {
            s->minimum = m->val.raw;
            return NGX_OK;
        }

        return kz_query_text(s->x, s->at, m, &s->minimum);
    }

    if (kz_query_is(&m->key, "lenient")) {

        if (kz_query_flag(s->x, s->at, m, &flag) != NGX_OK) {
            return NGX_ERROR;
        }

        s->model.lenient = flag;
        s->strict = !flag;

        return NGX_OK;
    }

    if (kz_query_is(&m->key, "fuzzy_transpositions")) {

        if (kz_query_flag(s->x, s->at, m, &flag) != NGX_OK) {
            return NGX_ERROR;
        }

        s->model.transpose = flag;

        return NGX_OK;
    }

    if (kz_query_is(&m->key, "fuzzy_prefix_length")
        || kz_query_is(&m->key, "prefix_length"))
    {
        return kz_query_count(s->x, s->at, m, &s->model.prefix_length);
    }

    if (kz_query_is(&m->key, "fuzzy_max_expansions")
        || kz_query_is(&m->key, "max_expansions"))
    {
        return kz_query_count(s->x, s->at, m, &s->model.max_expansions);
    }

    if (kz_query_is(&m->key, "boost")) {
        return kz_query_real(s->x, s->at, m, &s->boost);
    }

    if (kz_query_is(&m->key, "_name") || kz_query_ignored(&m->key)) {
        return NGX_OK;
    }

    /*
     * The words of a pattern are always given the form of the field's, and
     * never cut in pieces: the same for all analyzers that do not stem.
     */

    if (kz_query_is(&m->key, "analyze_wildcard")) {
        return kz_query_flag(s->x, s->at, m, &flag);
    }

    return NGX_DECLINED;
}


ngx_int_t
kz_qs_unknown(kz_qs_t *s, const kz_query_member_t *m)
{
    ngx_str_t  key;

    key = m->key;
    key.len = ngx_min(key.len, 64);

    return kz_query_bad(s->x, s->at, "[%V] is not supported in a [%s] query",
                        &key, s->word);
}


static ngx_int_t
kz_qs_query(kz_qs_t *s, const kz_query_member_t *m)
{
    if (!kz_json_is_scalar(&m->val) || m->val.type == KZ_JSON_NULL) {
        return kz_query_bad(s->x, s->at, "[query] must be a text");
    }

    if (m->val.raw.len > KZ_QS_MAX_TEXT) {
        return kz_query_bad(s->x, s->at, "[query] is too long: at most %d"
                            " bytes are allowed", KZ_QS_MAX_TEXT);
    }

    s->value = m->val;
    s->query = m->val.raw;

    return (m->val.type == KZ_JSON_STRING)
           ? kz_query_text(s->x, s->at, m, &s->query) : NGX_OK;
}


static ngx_int_t
kz_qs_operator(kz_qs_t *s, const kz_query_member_t *m)
{
    ngx_str_t  op;

    op = m->val.raw;

    if (op.len == 5
        && ngx_strncasecmp(op.data, (u_char *) "\"and\"", 5) == 0)
    {
        s->model.every = 1;
        return NGX_OK;
    }

    if (op.len == 4 && ngx_strncasecmp(op.data, (u_char *) "\"or\"", 4) == 0)
    {
        s->model.every = 0;
        return NGX_OK;
    }

    return kz_query_bad(s->x, s->at, "[%V] must be \"and\" or \"or\"",
                        &m->key);
}


ngx_int_t
kz_qs_kind(kz_qs_t *s, const kz_query_member_t *m)
{
    ngx_str_t    text;
    ngx_uint_t   i;

    static const char  *names[] = {
        [KZ_QS_BEST_FIELDS] = "best_fields",
        [KZ_QS_MOST_FIELDS] = "most_fields",
        [KZ_QS_CROSS_FIELDS] = "cross_fields",
        [KZ_QS_PHRASE] = "phrase",
        [KZ_QS_PHRASE_PREFIX] = "phrase_prefix",
        [KZ_QS_BOOL_PREFIX] = "bool_prefix"
    };

    if (kz_query_text(s->x, s->at, m, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (text.len == ngx_strlen(names[i])
            && ngx_memcmp(text.data, names[i], text.len) == 0)
        {
            s->kind = i;
            return NGX_OK;
        }
    }

    text.len = ngx_min(text.len, 64);

    return kz_query_bad(s->x, s->at, "[type] [%V] is not supported in a [%s]"
                        " query", &text, s->word);
}


/* One field, or an array of them. */
static ngx_int_t
kz_qs_fields(kz_qs_t *s, const kz_query_member_t *m)
{
    ngx_uint_t       n;
    kz_json_val_t    item;
    kz_json_iter_t   it;

    if (s->fields != NULL) {
        return kz_query_bad(s->x, s->at, "[fields] and [default_field] of a"
                            " [%s] query exclude each other", s->word);
    }

    n = 1;

    if (m->val.type == KZ_JSON_ARRAY) {
        n = 0;
        kz_json_iter(&it, &m->val);

        while (kz_json_next(&it, &item) == NGX_OK) {
            if (++n > KZ_QUERY_MAX_CLAUSES) {
                return kz_query_bad(s->x, s->at, "too many fields: at most"
                                    " %d are allowed", KZ_QUERY_MAX_CLAUSES);
            }
        }
    }

    s->fields = ngx_pcalloc(s->x->pool, (n + 1) * sizeof(kz_qs_field_t));
    if (s->fields == NULL) {
        return NGX_ERROR;
    }

    if (m->val.type != KZ_JSON_ARRAY) {
        return kz_qs_field(s, &m->val);
    }

    kz_json_iter(&it, &m->val);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (kz_qs_field(s, &item) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* "title", "title^2.5", "name.*" */
static ngx_int_t
kz_qs_field(kz_qs_t *s, const kz_json_val_t *v)
{
    u_char          *p;
    ngx_str_t        text;
    kz_json_val_t    number;
    kz_json_err_t    err;
    kz_qs_field_t   *f;

    if (v->type != KZ_JSON_STRING) {
        return kz_query_bad(s->x, s->at, "the name of a field must be a"
                            " text");
    }

    if (kz_json_string(s->x->pool, v, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    f = &s->fields[s->nfields++];
    f->boost = 1;
    f->name = text;

    p = (text.len == 0) ? NULL : (u_char *) memrchr(text.data, '^', text.len);

    if (p != NULL) {
        f->name.len = p - text.data;
        p++;

        if (kz_json_scan(p, text.data + text.len - p, 0, &number, &err)
            != NGX_OK
            || number.type != KZ_JSON_NUMBER)
        {
            text.len = ngx_min(text.len, 64);

            return kz_query_bad(s->x, s->at, "the boost of field [%V] is"
                                " not a number", &text);
        }

        f->boost = kz_json_double(&number);

        if (!(f->boost >= 0 && f->boost < 1e30)) {
            text.len = ngx_min(text.len, 64);

            return kz_query_bad(s->x, s->at, "the boost of field [%V] must"
                                " be a number from 0 on", &text);
        }
    }

    if (f->name.len == 0) {
        return kz_query_bad(s->x, s->at, "the name of a field is empty");
    }

    f->pattern = (memchr(f->name.data, '*', f->name.len) != NULL);

    return NGX_OK;
}


ngx_int_t
kz_qs_ready(kz_qs_t *s)
{
    ngx_uint_t  i;

    static kz_qs_field_t  everywhere = { ngx_string("*"), 1, 1 };

    if (s->value.type == KZ_JSON_NONE) {
        return kz_query_bad(s->x, s->at, "[%s] query needs a [query]",
                            s->word);
    }

    if (s->nfields == 0) {
        s->fields = &everywhere;
        s->nfields = 1;
    }

    if (s->tie < 0) {
        s->tie = 0;
    }

    for (i = 0; i < s->nfields; i++) {
        if (kz_query_is(&s->fields[i].name, "*")) {
            s->everywhere = (s->nfields == 1);

            /* no text is a number, and most fields are not meant */

            s->model.lenient = !s->strict;
        }
    }

    return NGX_OK;
}


void
kz_qs_leaf(kz_qs_t *s, kz_query_node_t *leaf, kz_query_type_e type)
{
    *leaf = s->model;

    leaf->type = type;
    leaf->word = s->word;
    leaf->boost = s->boost;
    leaf->every = 0;
    leaf->zero = 0;
    leaf->slop = 0;
    leaf->fuzziness = 0;
}


void
kz_qs_word(kz_qs_t *s, kz_query_node_t *leaf, const ngx_str_t *text)
{
    ngx_uint_t  phrase;

    phrase = (s->kind == KZ_QS_PHRASE || s->kind == KZ_QS_PHRASE_PREFIX);

    kz_qs_leaf(s, leaf, phrase ? KZ_QUERY_PHRASE : KZ_QUERY_MATCH);

    leaf->text = *text;
    leaf->prefix = (s->kind == KZ_QS_PHRASE_PREFIX
                    || s->kind == KZ_QS_BOOL_PREFIX);
    leaf->every = s->model.every;
    leaf->zero = s->model.zero;

    if (phrase) {
        leaf->slop = s->model.slop;
    }
}


kz_query_node_t *
kz_qs_spread(kz_qs_t *s, const kz_query_node_t *leaf, const ngx_str_t *field,
    ngx_uint_t scored)
{
    ngx_uint_t        i, n, number;
    kz_qs_field_t    *f, one;
    kz_query_node_t  *node, *max, **last;

    f = s->fields;
    n = s->nfields;

    if (field != NULL) {
        one.name = *field;
        one.boost = 1;
        one.pattern = (field->len != 0
                       && memchr(field->data, '*', field->len) != NULL);
        f = &one;
        n = 1;
    }

    max = NULL;
    node = NULL;
    last = &node;

    if (n > 1) {
        max = kz_query_node(s->x, s->at, KZ_QUERY_DIS_MAX, 0);
        if (max == NULL) {
            return NULL;
        }

        max->word = s->word;
        max->factor = s->tie;
        last = &max->any;
    }

    for (i = 0; i < n; i++) {
        node = kz_query_node(s->x, s->at, leaf->type, scored);
        if (node == NULL) {
            return NULL;
        }

        number = node->n;

        *node = *leaf;

        node->n = number;
        node->next = NULL;
        node->scored = scored;
        node->field = f[i].name;
        node->pattern = f[i].pattern;
        node->boost = leaf->boost * f[i].boost;

        if (f[i].pattern) {
            node->factor = s->tie;
        }

        if (max != NULL) {
            *last = node;
            last = &node->next;
            max->nany++;
        }
    }

    return (max != NULL) ? max : node;
}


void
kz_qs_boost(kz_query_node_t *node, double boost)
{
    kz_query_node_t  *c;

    if (node->type != KZ_QUERY_BOOL && node->type != KZ_QUERY_DIS_MAX) {
        node->boost = ngx_min(node->boost * boost, 1e30);
        return;
    }

    for (c = node->all; c != NULL; c = c->next) {
        kz_qs_boost(c, boost);
    }

    for (c = node->any; c != NULL; c = c->next) {
        kz_qs_boost(c, boost);
    }
}


ngx_int_t
kz_qs_minimum(kz_qs_t *s, kz_query_node_t *node)
{
    ngx_str_t   text;
    ngx_uint_t  minimum;

    if (s->minimum.len == 0) {
        return NGX_OK;
    }

    if (kz_text_minimum(&s->minimum, node->nany, &minimum) != NGX_OK) {
        text = s->minimum;
        text.len = ngx_min(text.len, 64);

        return kz_query_bad(s->x, s->at, "[minimum_should_match] [%V] is not"
                            " understood", &text);
    }

    if (node->type == KZ_QUERY_BOOL && minimum > 0) {
        node->minimum = minimum;
    }

    return NGX_OK;
}


void
kz_qs_finish(kz_qs_t *s, kz_query_node_t *node, kz_query_node_t *found)
{
    kz_query_node_t  *next;

    next = node->next;
    *node = *found;
    node->next = next;
    node->word = s->word;
}
