#ifndef _KZ_MATCH_BIND_H_INCLUDED_
#define _KZ_MATCH_BIND_H_INCLUDED_

/*
 * Private to the files that bind and evaluate queries:
 *
 *   kz_match_bind.c     clauses
 *   kz_match_field.c    clauses about a mapped field, by its type
 *   kz_match_raw.c      clauses about a field that is not mapped
 *   kz_match_geo.c      points, and shapes around them
 *   kz_match_nested.c   nested objects
 *   kz_match_sort.c     sort keys
 *   kz_match_leaf.c     fields, values, the tree of paths
 *   kz_match_regexp.c   patterns
 *   kz_match.c          evaluation
 */

#include "store/kz_match.h"


typedef struct {
    ngx_pool_t               *pool;
    kz_match_t               *m;
    kz_mapping_err_t         *err;
    int64_t                   now;      /* for date math */

    /* where new leaves go: the document's, or those of nested objects */
    const kz_mapping_node_t  *nested;   /* NULL: the document */
    size_t                    strip;    /* of paths: up to its objects */
    kz_match_path_t         **paths;
    kz_leaf_t               **leaves;
} kz_bind_t;


typedef enum {
    KZ_BIND_FIELD = 0,        /* mapped and searchable */
    KZ_BIND_RAW,              /* not mapped: look at the text */
    KZ_BIND_NOTHING           /* cannot match anything */
} kz_bind_e;


/* kz_match_bind.c */

kz_cond_t *kz_bind_node(kz_bind_t *b, const kz_query_node_t *node);


/* kz_match_field.c: f is indexed, and seen from here. */

kz_cond_t *kz_bind_field(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);


/* kz_match_raw.c */

kz_cond_t *kz_bind_unmapped(kz_bind_t *b, const kz_query_node_t *node);

/* A value of the document for a leaf without a field; NGX_ERROR: no memory. */
ngx_int_t kz_match_unmapped(kz_match_t *m, kz_leaf_t *leaf,
    const kz_json_val_t *v);


/* kz_match_geo.c */

kz_cond_t *kz_bind_geo(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);
ngx_int_t kz_match_points(kz_leaf_t *leaf, const kz_json_val_t *v);


/* kz_match_nested.c */

kz_cond_t *kz_bind_nested(kz_bind_t *b, const kz_query_node_t *node);

/*
 * Goes into the objects of a nested field: *saved keeps where the binding
 * was.  NULL: no memory.
 */
kz_leaf_t *kz_bind_enter(kz_bind_t *b, const kz_mapping_node_t *nested,
    const ngx_str_t *path, kz_bind_t *saved);
void kz_bind_leave(kz_bind_t *b, const kz_bind_t *saved);

ngx_int_t kz_match_nested(kz_match_t *m, kz_leaf_t *leaf,
    const kz_json_val_t *v);


/* kz_match_sort.c */

ngx_int_t kz_bind_sort(kz_bind_t *b, ngx_uint_t i);
ngx_int_t kz_match_key(kz_leaf_t *leaf, const kz_value_t *v);
void kz_match_key_end(kz_leaf_t *leaf);


/* kz_match_leaf.c */

/* What the mapping says of a path. */
kz_bind_e kz_bind_find(kz_bind_t *b, const ngx_str_t *path,
    kz_field_t **f);

/* "name.keyword" of an unmapped field is "name" as a whole. */
ngx_uint_t kz_bind_alias(const ngx_str_t *path, ngx_str_t *source);

kz_cond_t *kz_bind_cond(kz_bind_t *b, kz_cond_type_e type);
kz_cond_t *kz_bind_either(kz_bind_t *b, kz_cond_t *one,
    kz_cond_t *two);

/*
 * A condition that is one leaf, whose postings hold what it says; path ==
 * NULL: the field's own.
 */
kz_cond_t *kz_bind_test(kz_bind_t *b, kz_leaf_type_e type,
    const kz_field_t *f, const ngx_str_t *path);

/* A leaf, hung on its path, and on those that are copied to the field. */
kz_leaf_t *kz_bind_new_leaf(kz_bind_t *b, kz_leaf_type_e type,
    const kz_field_t *f, const ngx_str_t *path);

/* Room for n values of a leaf. */
ngx_int_t kz_bind_room(kz_bind_t *b, kz_leaf_t *leaf, ngx_uint_t n);

/*
 * A value of the query as the field has it.  NGX_DECLINED: it is none, and
 * the error is set.
 */
ngx_int_t kz_bind_value(kz_bind_t *b, const kz_field_t *f,
    const kz_json_val_t *json, kz_value_t *v, int64_t *last);

/* One for an unmapped field; number->type is 0 when it is none. */
ngx_int_t kz_bind_raw_value(kz_bind_t *b, const kz_json_val_t *json,
    kz_value_t *number, kz_value_t *text);

ngx_int_t kz_bind_text(kz_bind_t *b, const kz_json_val_t *json,
    ngx_str_t *text);

/* In lower case. */
ngx_int_t kz_bind_lower(kz_bind_t *b, ngx_str_t *text);

/* The one value of a clause: node->values, or node->text as JSON. */
ngx_int_t kz_bind_operand(kz_bind_t *b, const kz_query_node_t *node,
    kz_json_val_t *v);

/* BAD_QUERY; the format takes one or two "%V". */
void kz_bind_bad(kz_bind_t *b, const char *fmt, const ngx_str_t *one,
    const ngx_str_t *two);

/* for qsort() */
int kz_bind_cmp(const void *one, const void *two);
int kz_bind_text_cmp(const void *one, const void *two);


/* kz_match_regexp.c */

/*
 * Lucene's patterns, over the whole text.  NULL: refused (BAD_QUERY), or no
 * memory (FAILED).  flags: of KZ_REGEXP_*.
 */
kz_regexp_t *kz_regexp_compile(ngx_pool_t *pool, const ngx_str_t *pattern,
    ngx_uint_t flags, ngx_uint_t nocase, kz_mapping_err_t *err);

/* Time: length of the text times length of the pattern, whatever they are. */
ngx_uint_t kz_regexp_match(kz_regexp_t *re, const ngx_str_t *text);

/* "*" and "?", "\" before one that is meant. */
ngx_uint_t kz_wildcard_match(const ngx_str_t *pattern,
    const ngx_str_t *text);

/* What every text begins with that matches; from the pool. */
ngx_int_t kz_wildcard_head(ngx_pool_t *pool, const ngx_str_t *pattern,
    ngx_str_t *head);


/* kz_match.c */

/* One value, or one word, against a leaf.  NGX_ERROR: no memory. */
ngx_int_t kz_match_test(kz_leaf_t *leaf, const kz_value_t *v);

/* An object of the document, or one of a nested field, along the paths. */
ngx_int_t kz_match_object(kz_match_t *m, kz_match_path_t *path,
    const kz_json_val_t *v);

void kz_match_reset(kz_leaf_t *leaves);

ngx_uint_t kz_match_cond(const kz_cond_t *c, const ngx_str_t *id,
    double *score);


#endif /* _KZ_MATCH_BIND_H_INCLUDED_ */
