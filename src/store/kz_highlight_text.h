#ifndef _KZ_HIGHLIGHT_TEXT_H_INCLUDED_
#define _KZ_HIGHLIGHT_TEXT_H_INCLUDED_

/*
 * Private to kz_highlight*.c: from places in a text to fragments of it.
 */

#include "store/kz_highlight.h"


#define KZ_HIGHLIGHT_FIELDS  64


typedef struct {
    ngx_str_t             pre;
    ngx_str_t             post;
    ngx_uint_t            size;        /* of a fragment; characters */
    ngx_uint_t            number;      /* of fragments; 0: whole values */
    ngx_uint_t            no_match;    /* characters when there is none */
    unsigned              same:1;      /* require_field_match */
    unsigned              by_score:1;
    unsigned              html:1;
} kz_highlight_opt_t;


typedef struct kz_highlight_field_s  kz_highlight_field_t;

struct kz_highlight_field_s {
    ngx_str_t              name;
    const kz_field_t      *field;      /* NULL: not mapped */
    kz_match_t            *m;          /* the query that marks it */
    kz_match_path_t       *path;       /* of the query, when not mapped */
    kz_leaf_t            **leaves;     /* that may mark words */
    ngx_uint_t             n;
    kz_highlight_opt_t     opt;
    kz_highlight_field_t  *next;
};


struct kz_highlight_s {
    ngx_pool_t            *pool;
    kz_match_t            *m;
    kz_mapping_err_t      *err;
    kz_highlight_field_t  *fields;
    kz_highlight_field_t **last;
    ngx_uint_t             nfields;
    kz_match_t            *own[KZ_HIGHLIGHT_FIELDS + 1];
    ngx_uint_t             nown;       /* of highlight_query */
};


/* A word that was found, in one of the field's values. */

typedef struct {
    uint32_t              start;
    uint32_t              end;
    uint64_t              hash;        /* of the word */
} kz_highlight_mark_t;


typedef struct {
    ngx_str_t             text;
    kz_highlight_mark_t  *marks;       /* by their places */
    ngx_uint_t            n;
} kz_highlight_value_t;


/*
 * Appends the fragments of a field's values to a JSON array, without its
 * brackets; how many there are.
 */
ngx_int_t kz_highlight_print(const kz_highlight_opt_t *opt,
    kz_highlight_value_t *values, ngx_uint_t n, kz_out_t *out,
    ngx_uint_t *printed);


#endif /* _KZ_HIGHLIGHT_TEXT_H_INCLUDED_ */
