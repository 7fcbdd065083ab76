#ifndef _KZ_FILTER_H_INCLUDED_
#define _KZ_FILTER_H_INCLUDED_

/*
 * Koncorde filters: compiled from JSON to a canonical form.  Pure: JSON in,
 * structs out.
 *
 * Canonical form: a disjunction of conjunctions of (possibly negated)
 * clauses, clauses and conjunctions sorted and deduplicated, contradictions
 * removed.  Its text is the same for filters that mean the same as far as
 * the rules in kz_filter.c see it; the room id is a hash of it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "util/kz_json_scan.h"


typedef struct kz_filter_s  kz_filter_t;


typedef struct {
    ngx_uint_t       max_conditions;     /* 0: no limit */
    ngx_uint_t       max_minterms;       /* 0: the built-in hard cap only */
    ngx_uint_t       max_depth;
} kz_filter_limits_t;


typedef enum {
    KZ_FILTER_SYNTAX = 0,
    KZ_FILTER_TOO_COMPLEX,               /* conditions or minterms */
    KZ_FILTER_NO_MEMORY
} kz_filter_fault_e;


typedef struct {
    kz_filter_fault_e  fault;
    ngx_str_t          message1;         /* koncorde 2's words (Kuzzle 1.x) */
    ngx_str_t          message2;         /* koncorde 4's, with the path */
    ngx_uint_t         limit;            /* TOO_COMPLEX: max and received */
    ngx_uint_t         received;
} kz_filter_err_t;


/*
 * body: an object, or NONE (everything).  The filter and all its strings are
 * allocated from the pool (nothing refers to the body afterwards).
 * NGX_OK or NGX_ERROR with *err filled (texts from the pool).
 */
ngx_int_t kz_filter_compile(ngx_pool_t *pool, const kz_json_val_t *body,
    const kz_filter_limits_t *limits, kz_filter_t **filter,
    kz_filter_err_t *err);

/* The canonical text. */
ngx_str_t *kz_filter_text(kz_filter_t *f);

/* Whether a document (an object, validated) with this _id matches. */
ngx_uint_t kz_filter_match(kz_filter_t *f, const kz_json_val_t *doc,
    const ngx_str_t *id);


/*
 * A set of filters of one collection, asked for all that match a document.
 * A conjunction is filed under its most selective clause (an equality
 * first); only candidates are verified: the cost of a document grows with
 * what matches, not with what is registered.
 */
typedef struct kz_filter_set_s   kz_filter_set_t;
typedef struct kz_filter_ref_s   kz_filter_ref_t;

typedef void (*kz_filter_hit_pt)(void *owner, void *data);

kz_filter_set_t *kz_filter_set_create(ngx_log_t *log);
void kz_filter_set_destroy(kz_filter_set_t *s);

/* The filter is borrowed until it is removed; NULL: no memory. */
kz_filter_ref_t *kz_filter_set_add(kz_filter_set_t *s, kz_filter_t *f,
    void *owner);
void kz_filter_set_remove(kz_filter_set_t *s, kz_filter_ref_t *ref);

/*
 * Calls hit(owner, data) once for every filter that matches.  The set must
 * not be changed from there.
 */
void kz_filter_set_match(kz_filter_set_t *s, const kz_json_val_t *doc,
    const ngx_str_t *id, kz_filter_hit_pt hit, void *data);


#endif /* _KZ_FILTER_H_INCLUDED_ */
