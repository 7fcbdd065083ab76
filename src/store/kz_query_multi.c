
/*
 * multi_match: a match in several fields.
 *
 * cross_fields is what its users expect of it, not what the original
 * computes: every word is looked for in all the fields, as one clause, and a
 * word counts once however many of them have it.  The text is cut into words
 * here, at the boundaries of the standard analyzer.
 */

#include "store/kz_query_string.h"
#include "store/kz_match_text.h"
#include "util/kz_word.h"


static ngx_int_t kz_query_multi_option(kz_qs_t *s,
    const kz_query_member_t *m, ngx_uint_t *fuzzy);
static kz_query_node_t *kz_query_multi_cross(kz_qs_t *s, ngx_uint_t scored);


ngx_int_t
kz_query_multi(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    kz_qs_t              s;
    ngx_str_t            text;
    ngx_uint_t           i, n, fuzzy;
    kz_query_node_t      leaf, *found;
    kz_query_member_t   *m;

    (void) depth;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_qs_init(&s, x, at, "multi_match");

    fuzzy = 0;
    s.model.fuzziness = 0;

    for (i = 0; i < n; i++) {
        if (kz_query_multi_option(&s, &m[i], &fuzzy) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (s.tie < 0 && (s.kind == KZ_QS_MOST_FIELDS
                      || s.kind == KZ_QS_BOOL_PREFIX))
    {
        s.tie = 1;
    }

    if (kz_qs_ready(&s) != NGX_OK) {
        return NGX_ERROR;
    }

    if (fuzzy && (s.kind == KZ_QS_CROSS_FIELDS || s.kind == KZ_QS_PHRASE
                  || s.kind == KZ_QS_PHRASE_PREFIX))
    {
        return kz_query_bad(x, at, "[fuzziness] is not allowed in a"
                            " [multi_match] query of this [type]");
    }

    if (s.minimum.len != 0 && kz_text_minimum(&s.minimum, 1, &i) != NGX_OK) {
        text = s.minimum;
        text.len = ngx_min(text.len, 64);

        return kz_query_bad(x, at, "[minimum_should_match] [%V] is not"
                            " understood", &text);
    }

    if (s.kind == KZ_QS_CROSS_FIELDS) {
        found = kz_query_multi_cross(&s, node->scored);

    } else {
        kz_qs_word(&s, &leaf, &s.query);

        leaf.normal = 0;
        leaf.fuzziness = s.model.fuzziness;
        leaf.minimum_text = s.minimum;

        found = kz_qs_spread(&s, &leaf, NULL, node->scored);
    }

    if (found == NULL) {
        return NGX_ERROR;
    }

    kz_qs_finish(&s, node, found);

    return NGX_OK;
}


static ngx_int_t
kz_query_multi_option(kz_qs_t *s, const kz_query_member_t *m,
    ngx_uint_t *fuzzy)
{
    ngx_int_t  rc;

    if (kz_query_is(&m->key, "type")) {
        return kz_qs_kind(s, m);
    }

    if (kz_query_is(&m->key, "slop")) {
        return kz_query_count(s->x, s->at, m, &s->model.slop);
    }

    if (kz_query_is(&m->key, "tie_breaker")) {
        return kz_query_real(s->x, s->at, m, &s->tie);
    }

    if (kz_query_is(&m->key, "fuzziness")) {
        *fuzzy = 1;
        return kz_query_fuzziness(s->x, s->at, &s->model, m);
    }

    if (kz_query_is(&m->key, "fuzzy_rewrite")) {
        return NGX_OK;
    }

    if (kz_query_is(&m->key, "zero_terms_query")) {

        s->model.zero = kz_query_is(&m->val.raw, "\"all\"");

        if (s->model.zero || kz_query_is(&m->val.raw, "\"none\"")) {
            return NGX_OK;
        }

        return kz_query_bad(s->x, s->at, "[zero_terms_query] must be"
                            " \"none\" or \"all\"");
    }

    /* query_string's own */

    if (kz_query_is(&m->key, "default_operator")
        || kz_query_is(&m->key, "analyze_wildcard")
        || kz_query_is(&m->key, "fuzzy_prefix_length")
        || kz_query_is(&m->key, "fuzzy_max_expansions"))
    {
        return kz_qs_unknown(s, m);
    }

    rc = kz_qs_option(s, m);

    return (rc == NGX_DECLINED) ? kz_qs_unknown(s, m) : rc;
}


static kz_query_node_t *
kz_query_multi_cross(kz_qs_t *s, ngx_uint_t scored)
{
    ngx_str_t          word;
    ngx_uint_t         n;
    kz_word_iter_t     it;
    kz_query_node_t   *all, *node, leaf, **last;

    all = kz_query_node(s->x, s->at, KZ_QUERY_BOOL, 0);
    if (all == NULL) {
        return NULL;
    }

    all->word = s->word;
    last = s->model.every ? &all->all : &all->any;
    n = 0;

    kz_word_init(&it, s->query.data, s->query.len);

    while (kz_word_next(&it) == NGX_OK) {
        word = it.word;
        n++;

        kz_qs_word(s, &leaf, &word);
        leaf.normal = 0;

        node = kz_qs_spread(s, &leaf, NULL, scored);
        if (node == NULL) {
            return NULL;
        }

        *last = node;
        last = &node->next;
    }

    if (n == 0) {
        all->type = s->model.zero ? KZ_QUERY_ALL : KZ_QUERY_NONE;
        return all;
    }

    if (!s->model.every) {
        all->nany = n;
        all->minimum = 1;

        if (kz_qs_minimum(s, all) != NGX_OK) {
            return NULL;
        }
    }

    return all;
}
