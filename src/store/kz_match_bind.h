#ifndef _KZ_MATCH_BIND_H_INCLUDED_
#define _KZ_MATCH_BIND_H_INCLUDED_

/*
 * Private to kz_match_bind.c (clauses) and kz_match_leaf.c (fields, values,
 * and the tree of paths).
 */

#include "store/kz_match.h"


typedef struct {
    ngx_pool_t              *pool;
    kz_match_t              *m;
    kz_mapping_err_t        *err;
} kz_bind_t;


typedef enum {
    KZ_BIND_FIELD = 0,        /* mapped and searchable */
    KZ_BIND_RAW,              /* not mapped: look at the text */
    KZ_BIND_NOTHING           /* cannot match anything */
} kz_bind_e;


/* What the mapping says of a path. */
kz_bind_e kz_bind_find(kz_bind_t *b, const ngx_str_t *path,
    kz_field_t **f);

/* "name.keyword" of an unmapped field is "name" as a whole. */
ngx_uint_t kz_bind_alias(const ngx_str_t *path, ngx_str_t *source);

kz_cond_t *kz_bind_cond(kz_bind_t *b, kz_cond_type_e type);
kz_cond_t *kz_bind_either(kz_bind_t *b, kz_cond_t *one,
    kz_cond_t *two);

/* A condition that is one leaf; path == NULL: the field's own. */
kz_cond_t *kz_bind_test(kz_bind_t *b, kz_leaf_type_e type,
    const kz_field_t *f, const ngx_str_t *path);

/* A leaf, hung on its path. */
kz_leaf_t *kz_bind_new_leaf(kz_bind_t *b, kz_leaf_type_e type,
    const kz_field_t *f, const ngx_str_t *path);

/* A value of the query as the field has it. */
ngx_int_t kz_bind_value(kz_bind_t *b, const kz_field_t *f,
    const kz_json_val_t *json, kz_value_t *v, int64_t *last);

/* One for an unmapped field; number->type is 0 when it is none. */
ngx_int_t kz_bind_raw_value(kz_bind_t *b, const kz_json_val_t *json,
    kz_value_t *number, kz_value_t *text);

ngx_int_t kz_bind_text(kz_bind_t *b, const kz_json_val_t *json,
    ngx_str_t *text);

/* BAD_QUERY; the format takes one or two "%V". */
void kz_bind_bad(kz_bind_t *b, const char *fmt, const ngx_str_t *one,
    const ngx_str_t *two);

/* for qsort() */
int kz_bind_cmp(const void *one, const void *two);
int kz_bind_text_cmp(const void *one, const void *two);


#endif /* _KZ_MATCH_BIND_H_INCLUDED_ */
