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

#include "store/kz_mapping_node.h"
#include "store/kz_query.h"


typedef struct kz_match_path_s  kz_match_path_t;
typedef struct kz_leaf_s        kz_leaf_t;

struct kz_match_path_s {
    ngx_str_t             name;
    kz_match_path_t      *next;
    kz_match_path_t      *first;       /* children */
    kz_leaf_t            *leaves;
    kz_json_val_t         value;       /* this object's */
};


typedef enum {
    KZ_LEAF_VALUES = 1,       /* is one of the values */
    KZ_LEAF_RANGE,
    KZ_LEAF_PREFIX,
    KZ_LEAF_EXISTS,
    KZ_LEAF_SORT              /* remembers the key instead of testing */
} kz_leaf_type_e;


struct kz_leaf_s {
    kz_leaf_type_e        type;
    const kz_field_t     *field;       /* NULL: not mapped */
    kz_leaf_t            *next;        /* at the same path */
    kz_leaf_t            *all;         /* of the query */

    kz_value_t           *values;      /* sorted; PREFIX: one */
    ngx_uint_t            nvalues;
    kz_value_t            lower;       /* type 0: open */
    kz_value_t            upper;

    unsigned              lower_in:1;
    unsigned              upper_in:1;
    unsigned              exact:1;     /* not mapped: no words */
    unsigned              max:1;       /* SORT: the greatest of several */
    unsigned              hit:1;       /* this document's */

    kz_value_t            key;         /* SORT, when hit */
    u_char               *buf;         /* its text: malloc's */
    size_t                size;
};


typedef enum {
    KZ_COND_ALL = 1,
    KZ_COND_NONE,
    KZ_COND_LEAF,
    KZ_COND_IDS,
    KZ_COND_BOOL
} kz_cond_type_e;


typedef struct kz_cond_s  kz_cond_t;

struct kz_cond_s {
    kz_cond_type_e        type;
    kz_cond_t            *next;
    kz_leaf_t            *leaf;
    ngx_str_t            *ids;         /* sorted */
    ngx_uint_t            nids;
    kz_cond_t            *all;
    kz_cond_t            *any;
    kz_cond_t            *none;
    ngx_uint_t            minimum;
    double                boost;       /* 0: does not score */
};


typedef struct {
    const kz_mapping_t   *mapping;
    kz_cond_t            *root;
    kz_match_path_t      *paths;       /* NULL: the text is not needed */
    kz_leaf_t            *leaves;      /* all of them, linked by all */
    kz_leaf_t           **sort;        /* by sort key; NULL: no leaf */
    kz_query_sort_t      *keys;
    kz_value_t           *missing;     /* by sort key; type 0: none given */
    ngx_uint_t            nsort;
    ngx_uint_t            nclauses;
    kz_scratch_t          scratch;
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


#endif /* _KZ_MATCH_H_INCLUDED_ */
