#ifndef _KZ_AGG_PARSE_H_INCLUDED_
#define _KZ_AGG_PARSE_H_INCLUDED_

/*
 * Private to kz_agg_parse.c (the tree) and kz_agg_param.c (what each kind of
 * aggregation may be told).
 */

#include "store/kz_agg_int.h"


typedef struct {
    kz_aggs_t               *a;
    kz_query_parse_t         x;
    ngx_uint_t               depth;
} kz_agg_parse_t;


typedef ngx_int_t (*kz_agg_param_pt)(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_query_member_t *m);


typedef struct {
    const char              *name;
    kz_agg_type_e            type;
    kz_agg_param_pt          param;    /* NGX_DECLINED: not known */
} kz_agg_word_t;


/* By name; the last has none. */
extern const kz_agg_word_t  kz_agg_words[];


/* kz_agg_parse.c */
ngx_int_t kz_agg_order(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_json_val_t *v);
ngx_int_t kz_agg_filter(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_range_t *r, const kz_json_val_t *v);


#endif /* _KZ_AGG_PARSE_H_INCLUDED_ */
