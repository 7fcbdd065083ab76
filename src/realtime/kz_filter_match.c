
/*
 * One filter and one document, by evaluation: what the set (kz_filter_set.c)
 * does for many filters at once.
 */

#include "realtime/kz_filter_int.h"


/* Reads what clauses of the filter will want of the values. */
static void
kz_filter_match_numbers(kz_filter_trie_t *t)
{
    kz_filter_node_t  *node;

    for (node = t->listed; node != NULL; node = node->next_listed) {
        if (kz_filter_node_live(t, node)
            && node->value.val.type == KZ_JSON_NUMBER)
        {
            node->value.num = kz_filter_number(&node->value.val);
        }
    }
}


static ngx_uint_t
kz_filter_match_conj(kz_filter_trie_t *t, const kz_filter_conj_t *conj)
{
    ngx_uint_t            i;
    kz_filter_node_t     *node;
    kz_filter_truth_e     truth;
    kz_filter_literal_t  *lit;

    for (i = 0; i < conj->n; i++) {
        lit = &conj->literals[i];
        node = lit->clause->node;

        truth = lit->clause->kind->match(lit->clause,
                                         kz_filter_node_live(t, node)
                                         ? &node->value : NULL);

        if (truth != (lit->negated ? KZ_FILTER_NO : KZ_FILTER_YES)) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
kz_filter_match(kz_filter_t *f, const kz_json_val_t *doc,
    const ngx_str_t *id)
{
    ngx_uint_t  i;

    if (f->n == 0 || f->conjs[0].n == 0) {
        /* nothing; everything */
        return f->n;
    }

    kz_filter_trie_walk(&f->trie, doc, id);
    kz_filter_match_numbers(&f->trie);

    for (i = 0; i < f->n; i++) {
        if (kz_filter_match_conj(&f->trie, &f->conjs[i])) {
            return 1;
        }
    }

    return 0;
}
