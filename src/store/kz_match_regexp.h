#ifndef _KZ_MATCH_REGEXP_H_INCLUDED_
#define _KZ_MATCH_REGEXP_H_INCLUDED_

/*
 * Private to kz_match_regexp.c (the automaton) and kz_match_pattern.c (the
 * syntax).
 */

#include "store/kz_match_bind.h"


#define KZ_RE_MAX_STATES  2000
#define KZ_RE_MAX_WORK    100000
#define KZ_RE_MAX_DEPTH   100
#define KZ_RE_MAX_COUNT   1000
#define KZ_RE_NONE        ((uint32_t) -1)


typedef enum {
    KZ_RE_EMPTY = 0,          /* the empty text */
    KZ_RE_FAIL,               /* no text at all */
    KZ_RE_SET,
    KZ_RE_CAT,
    KZ_RE_ALT,
    KZ_RE_REPEAT
} kz_re_type_e;


typedef struct {
    uint32_t              lo;
    uint32_t              hi;
} kz_re_range_t;


typedef struct kz_re_node_s  kz_re_node_t;

struct kz_re_node_s {
    kz_re_type_e          type;
    kz_re_node_t         *a;
    kz_re_node_t         *b;
    kz_re_range_t        *ranges;
    ngx_uint_t            n;
    ngx_uint_t            min;
    ngx_uint_t            max;         /* NGX_MAX_INT_T_VALUE: open */
    unsigned              negated:1;
};


typedef enum {
    KZ_RE_STATE_SET = 0,
    KZ_RE_STATE_SPLIT,
    KZ_RE_STATE_FAIL,
    KZ_RE_STATE_ACCEPT
} kz_re_state_e;


typedef struct {
    kz_re_state_e         type;
    uint32_t              next;
    uint32_t              other;       /* SPLIT */
    kz_re_node_t         *set;
} kz_re_state_t;


struct kz_regexp_s {
    kz_re_state_t        *states;
    uint32_t              n;
    uint32_t              start;
    uint32_t             *now;         /* states the automaton is in */
    uint32_t             *then;
    uint32_t             *stack;
    uint32_t             *mark;        /* round a state was added in */
    uint32_t              round;
    ngx_uint_t            nocase;
};


typedef struct {
    ngx_pool_t           *pool;
    const u_char         *p;
    const u_char         *end;
    ngx_uint_t            flags;
    ngx_uint_t            depth;
    ngx_uint_t            work;
    const char           *why;
    kz_regexp_t          *re;
} kz_re_parse_t;


/* The tree of a pattern; NULL: x->why, or no memory. */
kz_re_node_t *kz_re_union(kz_re_parse_t *x);

/* Remembers the first reason; NULL. */
void *kz_re_bad(kz_re_parse_t *x, const char *why);


#endif /* _KZ_MATCH_REGEXP_H_INCLUDED_ */
