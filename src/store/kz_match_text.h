#ifndef _KZ_MATCH_TEXT_H_INCLUDED_
#define _KZ_MATCH_TEXT_H_INCLUDED_

/*
 * Words of analysed texts: match, phrases, likeness, and what a hit is worth
 * (BM25, k1 1.2, b 0.75).  Pure.
 *
 * A document's text is analysed once a field, whatever the query asks about
 * it.  All the words that are wanted of the field hang on one scan:
 *
 *     path "title" -- scan (standard) --+-- terms: fox 2 times, quick 0 times
 *                                       +-- phrase "quick fox": positions
 *                                       +-- asked word by word: prefix, ...
 *
 * A scan is begun before the document (or a nested object) is walked, gets
 * the field's values, and at the end decides its leaves.
 *
 * Statistics: what a word is worth depends on how rare it is.  Who runs the
 * query fills in m->ndocs, the df of m->terms and the average length of
 * m->scans, and calls kz_text_weigh().  Without that every word is as rare
 * as any other.
 */

#include "store/kz_match_bind.h"


#define KZ_TEXT_K1       1.2
#define KZ_TEXT_B        0.75
#define KZ_TEXT_AVERAGE  10       /* words, when nobody knows */
#define KZ_TEXT_TOKENS   1024     /* of a query's text */
#define KZ_TEXT_FUZZY    1024     /* characters of what others are like */


/* A word that is wanted of a field. */

struct kz_text_term_s {
    kz_text_term_t       *next;       /* of m->terms */
    kz_text_scan_t       *scan;
    kz_value_t            value;      /* its text */
    uint64_t              df;         /* in: documents that have it; at least
                                         that many is good enough */
    double                idf;
    uint32_t              tf;         /* in this document */
    uint32_t             *at;         /* positions, ascending; malloc's */
    uint32_t              room;
    unsigned              placed:1;   /* positions are wanted */
    unsigned              wanted:1;   /* is in m->terms */
};


struct kz_text_scan_s {
    kz_text_scan_t       *next;       /* of m->scans */
    const kz_field_t     *field;      /* NULL: not mapped */
    const kz_analyzer_t  *analyzer;
    uint64_t              docs;       /* in: that have the field; 0: as many
                                         as there are */
    double                average;    /* in: words in one; 0: not known */

    kz_text_term_t      **terms;      /* sorted by their text */
    ngx_uint_t            nterms;
    ngx_uint_t            room;
    u_char                first[32];  /* bytes that a term begins with */
    kz_leaf_ref_t        *asked;      /* word by word */
    kz_leaf_ref_t        *leaves;     /* decided at the end */

    uint32_t              length;     /* this document's, in words */
    uint32_t              last;       /* behind the last one */
    uint32_t              base;       /* of the value's first word */
};


struct kz_text_ref_s {
    kz_text_scan_t       *scan;
    kz_text_ref_t        *next;
};


struct kz_text_leaf_s {
    kz_text_scan_t       *scan;
    kz_text_term_t      **terms;      /* in the order of the phrase */
    ngx_str_t            *words;      /* their texts */
    uint32_t             *places;     /* their places in it */
    ngx_uint_t            nterms;
    ngx_uint_t            slop;

    /* PHRASE: its last place may be any word that begins so */
    ngx_str_t             prefix;     /* data NULL: no such thing */
    uint32_t              prefix_place;
    kz_text_term_t       *begun;      /* positions of those words */

    /* FUZZY: code points of the word; times it was met, by distance */
    uint32_t             *chars;
    ngx_uint_t            nchars;
    uint32_t              met[3];
};


/*
 * Conditions for MATCH, PHRASE and FUZZY; f NULL: the field is not mapped,
 * path is where it lies.  Their boosts are set, the outer one's is 0.
 */
kz_cond_t *kz_text_bind(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, const ngx_str_t *path);

/*
 * After all of the query, or of a nested one, was bound: leaves about words
 * go from the paths to scans.
 */
ngx_int_t kz_text_prepare(kz_bind_t *b, kz_match_path_t *paths);

/* What the words are worth, from the statistics. */
void kz_text_weigh(kz_match_t *m);

/* A document, or a nested object.  NGX_ERROR: no memory. */
void kz_text_begin(kz_match_t *m, kz_match_path_t *paths);
ngx_int_t kz_text_value(kz_match_t *m, kz_match_path_t *path,
    const kz_json_val_t *v);
ngx_int_t kz_text_end(kz_match_t *m, kz_match_path_t *paths);

void kz_text_free(kz_match_t *m);

/* Begins a scan; one value of it.  NGX_ERROR: no memory. */
void kz_text_reset(kz_text_scan_t *scan);
ngx_int_t kz_text_run(kz_text_scan_t *scan, kz_analyze_t *run,
    const ngx_str_t *text);

/* Whether an exact text is like the leaf's: kz_match_test() of FUZZY. */
ngx_uint_t kz_text_fuzzy(const kz_leaf_t *leaf, const ngx_str_t *text);

/*
 * How many are required of n by a minimum_should_match: "2", "-1", "75%",
 * "-25%", "3<90%", "2<-25% 9<-3".  NGX_ERROR: it is none of those.
 */
ngx_int_t kz_text_minimum(const ngx_str_t *text, ngx_uint_t n,
    ngx_uint_t *minimum);


#endif /* _KZ_MATCH_TEXT_H_INCLUDED_ */
