#ifndef _KZ_QUERY_STRING_H_INCLUDED_
#define _KZ_QUERY_STRING_H_INCLUDED_

/*
 * Queries that are a text: query_string, simple_query_string, multi_match;
 * and Koncorde filters as queries.  Private to the parsers of searches.
 *
 *   kz_query_string.c   parameters, and clauses over several fields
 *   kz_query_lucene.c   the syntax of query_string
 *   kz_lucene_token.c   its tokens
 *   kz_query_simple.c   the syntax of simple_query_string
 *   kz_query_multi.c    multi_match
 *   kz_query_koncorde.c lang=koncorde
 *
 * A word that is looked for in several fields is a DIS_MAX of as many
 * clauses.  Boosts of fields, words and groups end up in the leaves: a BOOL
 * or a DIS_MAX that comes from here has none.
 */

#include "store/kz_query_parse.h"


#define KZ_QS_MAX_TEXT   1048576     /* bytes of a query's text */
#define KZ_QS_MAX_TERM   32766       /* bytes of one word of it */


typedef struct {
    ngx_str_t            name;
    double               boost;
    unsigned             pattern:1;
} kz_qs_field_t;


typedef enum {
    KZ_QS_BEST_FIELDS = 0,
    KZ_QS_MOST_FIELDS,
    KZ_QS_CROSS_FIELDS,
    KZ_QS_PHRASE,
    KZ_QS_PHRASE_PREFIX,
    KZ_QS_BOOL_PREFIX
} kz_qs_kind_e;


/* simple_query_string's operators */
#define KZ_QS_AND         0x0001
#define KZ_QS_NOT         0x0002
#define KZ_QS_OR          0x0004
#define KZ_QS_PREFIX      0x0008
#define KZ_QS_QUOTES      0x0010
#define KZ_QS_PRECEDENCE  0x0020
#define KZ_QS_ESCAPE      0x0040
#define KZ_QS_WHITESPACE  0x0080
#define KZ_QS_FUZZY       0x0100
#define KZ_QS_NEAR        0x0200
#define KZ_QS_ALL         0x03ff


typedef struct {
    kz_query_parse_t        *x;
    const kz_query_place_t  *at;
    const char              *word;       /* "query_string" */

    ngx_str_t                query;      /* decoded */
    kz_json_val_t            value;      /* as it was written */
    kz_qs_field_t           *fields;     /* at least one, once ready */
    ngx_uint_t               nfields;
    kz_qs_kind_e             kind;
    double                   tie;        /* < 0: not given */
    double                   boost;
    ngx_str_t                minimum;    /* minimum_should_match */
    ngx_uint_t               flags;      /* simple_query_string */

    /* what the leaves have in common: fuzziness, slop, every, lenient, ... */
    kz_query_node_t          model;

    unsigned                 everywhere:1;   /* no fields were given */
    unsigned                 strict:1;   /* "lenient": false was given */
    unsigned                 no_leading:1;   /* no "*" at the beginning */
} kz_qs_t;


/* Clauses, for the table of their names. */

ngx_int_t kz_query_string(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth);
ngx_int_t kz_query_simple(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth);
ngx_int_t kz_query_multi(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth);

/*
 * A filter (an object) as a query; empty: everything.  NULL: x->err says why:
 * KZ_STORE_BAD_FILTER (its words), KZ_STORE_FILTER_KEYWORD ("clause match"),
 * KZ_STORE_FILTER_UNTRANSLATABLE, or what kz_query_node() says.
 */
kz_query_node_t *kz_query_koncorde(kz_query_parse_t *x,
    const kz_json_val_t *filter, ngx_uint_t depth);


/* The syntaxes: NULL: the reason is set. */

kz_query_node_t *kz_query_lucene(kz_qs_t *s, ngx_uint_t scored,
    ngx_uint_t depth);
kz_query_node_t *kz_query_simple_text(kz_qs_t *s, ngx_uint_t scored,
    ngx_uint_t depth);


/* What they share. */

void kz_qs_init(kz_qs_t *s, kz_query_parse_t *x, const kz_query_place_t *at,
    const char *word);

/* One parameter; NGX_DECLINED: it is none that all of them know. */
ngx_int_t kz_qs_option(kz_qs_t *s, const kz_query_member_t *m);

/* "type" */
ngx_int_t kz_qs_kind(kz_qs_t *s, const kz_query_member_t *m);

/* Refuses a parameter that is not known. */
ngx_int_t kz_qs_unknown(kz_qs_t *s, const kz_query_member_t *m);

/* After the last parameter: the default fields, the limits. */
ngx_int_t kz_qs_ready(kz_qs_t *s);

/* A clause to be filled in and handed to kz_qs_spread(). */
void kz_qs_leaf(kz_qs_t *s, kz_query_node_t *leaf, kz_query_type_e type);

/* A word of the query, analysed: match, or phrase, as the type says. */
void kz_qs_word(kz_qs_t *s, kz_query_node_t *leaf, const ngx_str_t *text);

/* The leaf for a field, or (NULL) for all fields of the query. */
kz_query_node_t *kz_qs_spread(kz_qs_t *s, const kz_query_node_t *leaf,
    const ngx_str_t *field, ngx_uint_t scored);

void kz_qs_boost(kz_query_node_t *node, double boost);

/* minimum_should_match, of a BOOL's should clauses. */
ngx_int_t kz_qs_minimum(kz_qs_t *s, kz_query_node_t *node);

/* Puts the result in the place of the clause's own node. */
void kz_qs_finish(kz_qs_t *s, kz_query_node_t *node, kz_query_node_t *found);


#endif /* _KZ_QUERY_STRING_H_INCLUDED_ */
