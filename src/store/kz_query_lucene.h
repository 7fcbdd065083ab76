#ifndef _KZ_QUERY_LUCENE_H_INCLUDED_
#define _KZ_QUERY_LUCENE_H_INCLUDED_

/*
 * Private to kz_query_lucene.c (clauses) and kz_lucene_token.c (tokens).
 */

#include "store/kz_query_string.h"


typedef enum {
    KZ_LUCENE_END = 0,
    KZ_LUCENE_BAD,
    KZ_LUCENE_AND,
    KZ_LUCENE_OR,
    KZ_LUCENE_NOT,
    KZ_LUCENE_PLUS,
    KZ_LUCENE_MINUS,
    KZ_LUCENE_BARE,           /* an operator before a space: a word without
                                 a letter in it */
    KZ_LUCENE_OPEN,
    KZ_LUCENE_CLOSE,
    KZ_LUCENE_COLON,
    KZ_LUCENE_CARET,
    KZ_LUCENE_TILDE,
    KZ_LUCENE_STAR,
    KZ_LUCENE_QUOTED,
    KZ_LUCENE_TERM,
    KZ_LUCENE_PREFIX,
    KZ_LUCENE_WILD,
    KZ_LUCENE_REGEXP,
    KZ_LUCENE_RANGE
} kz_lucene_e;


typedef struct {
    kz_lucene_e       type;
    ngx_str_t         text;       /* without quotes, slashes, the tilde */
    u_char           *begin;
} kz_lucene_token_t;


typedef struct {
    kz_qs_t             *s;
    u_char              *p;
    u_char              *end;
    kz_lucene_token_t    token;   /* the one to be looked at */
} kz_lucene_t;


/* The next token into l->token; KZ_LUCENE_RANGE: l->p is behind its bracket. */
void kz_lucene_next(kz_lucene_t *l);

/* White space, at l->p. */
void kz_lucene_space(kz_lucene_t *l);

/* A bound of a range, or "TO", at l->p; NGX_ERROR: there is none. */
ngx_int_t kz_lucene_goop(kz_lucene_t *l, ngx_str_t *text,
    ngx_uint_t *quoted);

/* A text as a JSON string. */
ngx_int_t kz_lucene_json(kz_lucene_t *l, const ngx_str_t *text,
    kz_json_val_t *v);

/* "\:" is ":", "\u0041" is "A"; dst may be src. */
ngx_int_t kz_lucene_unescape(kz_lucene_t *l, const ngx_str_t *src,
    ngx_str_t *dst);

/*
 * Refuses with "Failed to parse query [...]: why"; NULL: the token is not
 * expected here.  NGX_ERROR.
 */
ngx_int_t kz_lucene_bad(kz_lucene_t *l, const char *why);


#endif /* _KZ_QUERY_LUCENE_H_INCLUDED_ */
