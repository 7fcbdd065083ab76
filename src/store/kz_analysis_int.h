#ifndef _KZ_ANALYSIS_INT_H_INCLUDED_
#define _KZ_ANALYSIS_INT_H_INCLUDED_

/*
 * Private to kz_analysis*.c: what an analyzer is made of, and one run of it.
 */

#include "store/kz_analysis.h"


#define KZ_ANALYSIS_MAX_GRAM  256


typedef enum {
    KZ_TOKENIZER_STANDARD = 0,
    KZ_TOKENIZER_LETTER,
    KZ_TOKENIZER_WHITESPACE,
    KZ_TOKENIZER_KEYWORD,
    KZ_TOKENIZER_NGRAM,
    KZ_TOKENIZER_EDGE_NGRAM
} kz_tokenizer_e;


#define KZ_CHARS_LETTER  1
#define KZ_CHARS_DIGIT   2
#define KZ_CHARS_SPACE   4


typedef struct {
    kz_tokenizer_e        type;
    ngx_uint_t            max;        /* characters of a token; 0: any */
    ngx_uint_t            min_gram;
    ngx_uint_t            max_gram;
    ngx_uint_t            chars;      /* grams of such runs; 0: of anything */
} kz_tokenizer_t;


typedef enum {
    KZ_TOKEN_LOWER = 0,
    KZ_TOKEN_UPPER,
    KZ_TOKEN_FOLD,
    KZ_TOKEN_STOP,
    KZ_TOKEN_TRIM,
    KZ_TOKEN_LENGTH,
    KZ_TOKEN_TRUNCATE,
    KZ_TOKEN_UNIQUE,
    KZ_TOKEN_REVERSE,
    KZ_TOKEN_NGRAM,
    KZ_TOKEN_EDGE_NGRAM
} kz_token_filter_e;


typedef struct {
    kz_token_filter_e     type;
    ngx_uint_t            min;        /* LENGTH, grams; characters */
    ngx_uint_t            max;        /* and TRUNCATE */
    ngx_str_t            *words;      /* STOP: sorted */
    ngx_uint_t            nwords;
    unsigned              keep:1;     /* preserve_original */
    unsigned              nocase:1;   /* STOP: words in lower case */
} kz_token_filter_t;


struct kz_analyzer_s {
    ngx_str_t             name;
    kz_analyzer_t        *next;
    kz_tokenizer_t        tokenizer;
    kz_token_filter_t     filters[KZ_ANALYSIS_MAX_FILTERS];
    ngx_uint_t            nfilters;
};


typedef struct {
    const kz_analyzer_t  *a;
    kz_analyze_t         *mem;
    kz_token_pt           emit;
    void                 *ctx;
    const ngx_str_t      *text;
    uint32_t              position;   /* of the token to come, before its
                                         step */
    uint32_t              skipped[KZ_ANALYSIS_MAX_FILTERS];
    size_t                seen[KZ_ANALYSIS_MAX_FILTERS];
} kz_analysis_run_t;


/* NULL: no memory.  What was there is lost. */
u_char *kz_analyze_room(kz_analyze_buf_t *b, size_t n);

/* Hands a token to filter i, or to who wants it in the end. */
ngx_int_t kz_token_push(kz_analysis_run_t *run, ngx_uint_t i,
    kz_token_t *token);


/* kz_analysis_conf.c, kz_analysis_part.c: definitions */

typedef enum {
    KZ_DEFS_ANALYZER = 0,
    KZ_DEFS_NORMALIZER,
    KZ_DEFS_TOKENIZER,
    KZ_DEFS_FILTER,
    KZ_DEFS_CHAR_FILTER,
    KZ_DEFS_N
} kz_defs_e;


struct kz_analysis_s {
    ngx_pool_t           *pool;
    kz_json_val_t         defs[KZ_DEFS_N];    /* objects, or NONE */
    kz_analyzer_t        *made[2];            /* analyzers, normalizers */
    u_char               *err;
};


#define kz_analysis_is(s, l)                                                  \
    ((s)->len == sizeof(l) - 1 && ngx_memcmp((s)->data, l, sizeof(l) - 1) == 0)


ngx_int_t kz_analysis_tokenizer(kz_analysis_t *a, kz_analyzer_t *z,
    const ngx_str_t *name);
ngx_int_t kz_analysis_filter(kz_analysis_t *a, kz_analyzer_t *z,
    kz_defs_e kind, const ngx_str_t *name);
ngx_int_t kz_analysis_stop(kz_analysis_t *a, kz_token_filter_t *f,
    const ngx_str_t *name, const kz_json_val_t *words);
ngx_int_t kz_analysis_add(kz_analysis_t *a, kz_analyzer_t *z,
    kz_token_filter_t *f);
ngx_int_t kz_analysis_known(kz_analysis_t *a, const ngx_str_t *name,
    const kz_json_val_t *def, const char *keys);
ngx_int_t kz_analysis_number(kz_analysis_t *a, const ngx_str_t *name,
    const kz_json_val_t *def, const char *key, ngx_uint_t *n);
ngx_int_t kz_analysis_flag(kz_analysis_t *a, const ngx_str_t *name,
    const kz_json_val_t *def, const char *key, ngx_uint_t *flag);
ngx_int_t kz_analysis_text(kz_analysis_t *a, const ngx_str_t *name,
    const kz_json_val_t *def, const char *key, ngx_str_t *text);
ngx_int_t kz_analysis_get(kz_analysis_t *a, kz_defs_e kind,
    const ngx_str_t *name, kz_json_val_t *def);
ngx_int_t kz_analysis_bad(kz_analysis_t *a, const char *fmt, ...);


#endif /* _KZ_ANALYSIS_INT_H_INCLUDED_ */
