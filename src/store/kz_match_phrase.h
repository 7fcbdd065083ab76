#ifndef _KZ_MATCH_PHRASE_H_INCLUDED_
#define _KZ_MATCH_PHRASE_H_INCLUDED_

/*
 * Words one after the other, and words like another one: what kz_match_text.c
 * needs of arithmetic.  Pure.
 */

#include "store/kz_match_text.h"


#define KZ_PHRASE_SLOPPY  64          /* words of a phrase with slop */


/* Counts a term's occurrence; NGX_ERROR: no memory. */
ngx_int_t kz_phrase_place(kz_text_term_t *t, uint32_t at);

/* The same for a word that may begin with the phrase's last one. */
ngx_int_t kz_phrase_begun(kz_text_leaf_t *w, const ngx_str_t *text,
    uint32_t at);

/*
 * How often the phrase occurs, a sloppy one counting as 1 / (1 + moves), or,
 * unless all occurrences are asked for, at least whether it does.  mark(),
 * when not NULL, gets the position of each of its words.  NGX_ERROR: no
 * memory.
 */
typedef struct {
    void                (*mark)(void *ctx, uint32_t at);
    void                 *ctx;
} kz_phrase_mark_t;

ngx_int_t kz_phrase_frequency(kz_text_leaf_t *w, ngx_uint_t all,
    const kz_phrase_mark_t *mark, double *tf);

/* Edits between the leaf's text and this one; more than allowed: 3. */
ngx_uint_t kz_text_distance(const kz_leaf_t *leaf, const ngx_str_t *text);

/* How many edits the clause allows for that text. */
ngx_uint_t kz_text_edits(const kz_query_node_t *node, const ngx_str_t *text);


#endif /* _KZ_MATCH_PHRASE_H_INCLUDED_ */
