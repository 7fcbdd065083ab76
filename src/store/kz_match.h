#ifndef _KZ_MATCH_H_INCLUDED_
#define _KZ_MATCH_H_INCLUDED_

/*
 * A query bound to a mapping, and its evaluation over stored documents.
 * Pure; one pass over a document's text, no tree.
 *
 * Binding turns each clause into leaves (one field, one test) with values of
 * the field's type.  The leaves hang on a small tree of the paths they need;
 * the pass over a document marks the leaves that hold, then the query's
 * boolean structure is computed from the marks.
 *
 *     query   BOOL all: TERMS a.b [1], RANGE a.c
 *     paths   a -+- b: leaf 0
 *                +- c: leaf 1
 *
 * Fields the mapping does not know: in a collection whose creator said
 * something about "dynamic" they match nothing; otherwise they are looked at
 * as the document has them: numbers and booleans by value, texts as a whole
 * or by their words, "x.keyword" as x as a whole.
 *
 * A kz_match_t is used by one thread at a time.
 */

#include "store/kz_analysis.h"
#include "store/kz_mapping_node.h"
#include "store/kz_query.h"


typedef struct kz_match_path_s  kz_match_path_t;
typedef struct kz_leaf_s        kz_leaf_t;
typedef struct kz_cond_s        kz_cond_t;

typedef struct kz_regexp_s      kz_regexp_t;      /* kz_match_regexp.c */
typedef struct kz_text_leaf_s   kz_text_leaf_t;   /* kz_match_text.h */
typedef struct kz_text_scan_s   kz_text_scan_t;
typedef struct kz_text_ref_s    kz_text_ref_t;
typedef struct kz_text_term_s   kz_text_term_t;


/* A leaf at a path.  With copy_to a leaf is at several. */

typedef struct kz_leaf_ref_s    kz_leaf_ref_t;

struct kz_leaf_ref_s {
    kz_leaf_t            *leaf;
    kz_leaf_ref_t        *next;
};


struct kz_match_path_s {
    ngx_str_t             name;
    kz_match_path_t      *next;
    kz_match_path_t      *first;       /* children */
    kz_leaf_ref_t        *leaves;
    kz_text_ref_t        *texts;       /* kz_match_text.h: leaves that are
                                          asked word by word */
    kz_json_val_t         value;       /* this object's */
};


typedef enum {
    KZ_LEAF_VALUES = 1,       /* is one of the values */
    KZ_LEAF_RANGE,
    KZ_LEAF_PREFIX,
    KZ_LEAF_EXISTS,
    KZ_LEAF_SORT,             /* remembers the key instead of testing */
    KZ_LEAF_WILDCARD,
    KZ_LEAF_REGEXP,
    KZ_LEAF_FUZZY,
    KZ_LEAF_GEO,              /* in a box, a circle or a polygon */
    KZ_LEAF_NESTED,           /* one of the objects there matches */
    KZ_LEAF_WORDS,            /* text fields, kz_match_text.c: words with */
    KZ_LEAF_PHRASE            /* a score; one after the other */
} kz_leaf_type_e;


/* A shape on the earth, or what a sort key's distances are measured from. */

typedef struct {
    kz_query_type_e       type;        /* GEO_BOX, _DISTANCE, _POLYGON */
    kz_geo_box_t          box;         /* of all three: what holds the shape */
    kz_geo_point_t       *points;
    ngx_uint_t            npoints;
    double                metres;
    double                unit;        /* of a sort key: metres in one */
} kz_match_geo_t;


/* The objects of a nested field, each looked at by itself. */

typedef struct {
    kz_cond_t            *root;
    kz_match_path_t      *paths;       /* from the object on */
    kz_match_path_t      *keys;        /* sort keys, of objects that match */
    kz_leaf_t            *leaves;      /* linked by all */
    kz_sort_mode_e        mode;        /* of the scores */
    ngx_uint_t            n;           /* objects that matched */
    double                sum;
    double                best;        /* least or greatest */
} kz_nested_t;


struct kz_leaf_s {
    kz_leaf_type_e        type;
    const kz_field_t     *field;       /* NULL: not mapped */
    kz_leaf_t            *all;         /* of the query, or of a nested one */

    kz_value_t           *values;      /* sorted; PREFIX, WILDCARD, FUZZY: one,
                                          lower case when nocase */
    ngx_uint_t            nvalues;
    kz_value_t            lower;       /* type 0: open */
    kz_value_t            upper;

    /*
     * What postings may be asked for, when the leaf's condition is a
     * KZ_COND_TEST.  All that holds, and more: texts that begin with the
     * head (empty: nothing known); one of the spans, pairs of values, both
     * included (none: nothing known).
     */
    ngx_str_t             head;
    kz_value_t           *spans;
    ngx_uint_t            nspans;

    kz_regexp_t          *regexp;
    kz_match_geo_t       *geo;
    kz_nested_t          *nested;
    kz_text_leaf_t       *words;
    ngx_uint_t            distance;    /* FUZZY: edits */
    ngx_uint_t            prefix_length;

    kz_sort_mode_e        mode;        /* SORT: of several values */

    unsigned              lower_in:1;
    unsigned              upper_in:1;
    unsigned              nocase:1;
    unsigned              exact:1;     /* not mapped: no words */
    unsigned              max:1;       /* SORT: the greatest of several */
    unsigned              transpose:1; /* FUZZY: "ab" to "ba" is one edit */
    unsigned              weighs:1;    /* score is worth something */
    unsigned              hit:1;       /* this document's */
    unsigned              analysed:1;  /* not mapped: asked word by word */
    unsigned              part:1;      /* a word of a phrase: only drives */

    double                score;       /* this document's, when hit */
    kz_value_t            key;         /* SORT, when hit */
    u_char               *buf;         /* its text: malloc's */
    size_t                size;
    double               *all_keys;    /* MEDIAN: malloc's */
    ngx_uint_t            nkeys;
    ngx_uint_t            room;
    double                sum;
};


/*
 * LEAF   a leaf whose postings hold the rows: VALUES, RANGE, PREFIX, EXISTS
 *        with exactly the leaf's values
 * TEST   a leaf that has to look at the document; leaf->head and leaf->spans
 *        may narrow it down
 * NESTED leaf->nested->root: its postings hold the rows, and others: its
 *        conditions may be true of different objects of a document
 * BOOL   all of all, minimum of any, none of none
 */

typedef enum {
    KZ_COND_ALL = 1,
    KZ_COND_NONE,
    KZ_COND_LEAF,
    KZ_COND_IDS,
    KZ_COND_BOOL,
    KZ_COND_TEST,
    KZ_COND_NESTED
} kz_cond_type_e;


struct kz_cond_s {
    kz_cond_type_e        type;
    kz_cond_t            *next;
    kz_leaf_t            *leaf;
    ngx_str_t            *ids;         /* sorted */
    ngx_uint_t            nids;
    kz_cond_t            *all;
    kz_cond_t            *any;
    kz_cond_t            *none;
    kz_cond_t            *less;        /* BOOL: lessens the score */
    ngx_uint_t            minimum;
    uint64_t              cost;        /* to who runs it: postings */
    double                boost;       /* 0: does not score */
    double                factor;      /* BOOL: of its clauses' scores */
    double                tie;         /* BOOL, best: of the others */
    double                lessen;
    unsigned              best:1;      /* BOOL: not the sum of any but the
                                          best one counts */
};


typedef struct {
    const kz_mapping_t   *mapping;
    kz_cond_t            *root;
    kz_cond_t            *post;        /* NULL, or post_filter */
    kz_match_path_t      *paths;       /* NULL: the text is not needed */
    kz_leaf_t            *leaves;      /* all of them, linked by all */
    kz_leaf_t           **sort;        /* by sort key; NULL: no leaf */
    kz_query_sort_t      *keys;
    kz_value_t           *missing;     /* by sort key; type 0: none given */
    ngx_uint_t            nsort;
    ngx_uint_t            nclauses;
    const ngx_str_t      *id;          /* of the document at hand */
    kz_scratch_t          scratch;
    kz_text_scan_t       *scans;       /* kz_match_text.h; nested ones, too */
    kz_text_term_t       *terms;       /* what statistics are wanted of */
    uint64_t              ndocs;       /* of the collection; 0: not known */
    kz_analyze_t          analyze;
    unsigned              scored:1;    /* scores differ between documents */
} kz_match_t;


/*
 * Binds the query.  Mapping, query and the text of both must outlive it;
 * allocated from the pool, but for what kz_match_free() frees.
 * NULL: *err (BAD_QUERY: a value that is not of its field's type, a field
 * that cannot be searched or sorted by; FAILED).
 */
kz_match_t *kz_match_create(ngx_pool_t *pool, const kz_query_t *q,
    const kz_mapping_t *mapping, kz_mapping_err_t *err);
void kz_match_free(kz_match_t *m);

/*
 * Whether the document matches; src may be NULL when m->paths is.  Sort keys
 * and *score are this document's until the next call.
 *
 * NGX_OK, NGX_DECLINED, NGX_ERROR: no memory.
 */
ngx_int_t kz_match_doc(kz_match_t *m, const ngx_str_t *id,
    const ngx_str_t *src, double *score);

/* After it, and about the same document: whether post_filter holds. */
ngx_uint_t kz_match_post(kz_match_t *m, const ngx_str_t *id);


#endif /* _KZ_MATCH_H_INCLUDED_ */
