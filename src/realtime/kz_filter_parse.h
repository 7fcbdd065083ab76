#ifndef _KZ_FILTER_PARSE_H_INCLUDED_
#define _KZ_FILTER_PARSE_H_INCLUDED_

/*
 * Private to the reading of filters: kz_filter_parse.c (the operators that
 * combine), kz_filter_leaf.c (those that test a document) and
 * kz_filter_check.c (what both ask of the JSON, and refusals).
 *
 * A function that returns NULL or NGX_ERROR has filled c->err.
 */

#include "realtime/kz_filter_int.h"


/* Where in the filter we are: a chain of names on the stack. */

typedef struct kz_filter_at_s  kz_filter_at_t;

struct kz_filter_at_s {
    kz_filter_at_t    *up;
    ngx_str_t          name;
    ngx_uint_t         depth;
};


/* Reads the argument v of the keyword at->name. */
typedef kz_filter_expr_t *(*kz_filter_parse_pt)(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);


/* kz_filter_check.c */

/* Koncorde 2's words. */
void kz_filter_old(kz_filter_ctx_t *c, const char *fmt, ...);

/* Koncorde 4's words, after the path of at unless that is NULL; NULL. */
void *kz_filter_new(kz_filter_ctx_t *c, const kz_filter_at_t *at,
    const char *fmt, ...);

void kz_filter_down(kz_filter_at_t *at, kz_filter_at_t *up,
    const ngx_str_t *name);
void kz_filter_down_to(kz_filter_at_t *at, kz_filter_at_t *up,
    const char *name);

ngx_uint_t kz_filter_is_empty(const kz_json_val_t *v);
ngx_int_t kz_filter_name(kz_filter_ctx_t *c, const kz_json_member_t *m,
    ngx_str_t *name);
ngx_int_t kz_filter_members(kz_filter_ctx_t *c, const kz_json_val_t *obj,
    ngx_str_t *name, kz_json_val_t *v, ngx_uint_t *n);
ngx_int_t kz_filter_property(kz_filter_ctx_t *c, const kz_json_val_t *obj,
    kz_filter_at_t *at, ngx_str_t *name, kz_json_val_t *v);
ngx_int_t kz_filter_attributes(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, const char **allowed, ngx_str_t *name);
ngx_int_t kz_filter_array(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, const ngx_str_t *keyword);


/* kz_filter_parse.c */

kz_filter_expr_t *kz_filter_expr(kz_filter_ctx_t *c, kz_filter_op_e op);
kz_filter_expr_t *kz_filter_group(kz_filter_ctx_t *c, kz_filter_op_e op,
    ngx_uint_t negated);
ngx_int_t kz_filter_count(kz_filter_ctx_t *c);


/* kz_filter_leaf.c */

kz_filter_expr_t *kz_filter_parse_equals(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);
kz_filter_expr_t *kz_filter_parse_exists(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);
kz_filter_expr_t *kz_filter_parse_ids(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);
kz_filter_expr_t *kz_filter_parse_in(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);
kz_filter_expr_t *kz_filter_parse_missing(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);
kz_filter_expr_t *kz_filter_parse_range(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);


#endif /* _KZ_FILTER_PARSE_H_INCLUDED_ */
