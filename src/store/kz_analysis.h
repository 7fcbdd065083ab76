#ifndef _KZ_ANALYSIS_H_INCLUDED_
#define _KZ_ANALYSIS_H_INCLUDED_

/*
 * Text analysis: what is looked for in a text, and where it stands there.
 * Pure.
 *
 *     text -> tokenizer -> filter -> filter -> tokens
 *
 *     "The QUICK fox"   standard, lowercase, stop
 *     quick (position 1, bytes 4 to 9), fox (2, 10 to 13)
 *
 * An analyzer never changes: any number of threads may use one.  What one run
 * needs of memory is in a kz_analyze_t, which one thread uses at a time.
 *
 * kz_analysis.c: running one.  kz_analysis_conf.c: the collection's settings.
 * kz_analysis_filter.c: the filters.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "util/kz_json_scan.h"


#define KZ_ANALYSIS_MAX_FILTERS  16
#define KZ_ANALYSIS_MAX_NAMES    256      /* definitions in the settings */
#define KZ_ANALYSIS_ERR_LEN      256


typedef struct kz_analysis_s  kz_analysis_t;
typedef struct kz_analyzer_s  kz_analyzer_t;


/* A token; the text lives during the call that hands it over. */

typedef struct {
    ngx_str_t             text;
    uint32_t              start;      /* bytes of the text it stands for */
    uint32_t              end;
    uint32_t              position;   /* from 0 */
    uint32_t              step;       /* while it is filtered: from the one
                                         before */
} kz_token_t;


/* Memory of a run, used again and again: zeroed by its owner at first. */

typedef struct {
    u_char               *data;
    size_t                size;
} kz_analyze_buf_t;

typedef struct {
    kz_analyze_buf_t      bufs[KZ_ANALYSIS_MAX_FILTERS + 1];
    kz_analyze_buf_t      seen[KZ_ANALYSIS_MAX_FILTERS];   /* unique */
} kz_analyze_t;


/* Anything but NGX_OK ends the run and is returned by it. */
typedef ngx_int_t (*kz_token_pt)(void *ctx, const kz_token_t *token);


/*
 * The named analyzers and normalizers of a collection.  settings is a JSON
 * object (validated text), or of type NONE: then only the built-in ones.
 * Looked for: "analysis", and the same below "index".  Allocated from the
 * pool.  NULL: err (KZ_ANALYSIS_ERR_LEN bytes) says why, or is empty: no
 * memory.
 */
kz_analysis_t *kz_analysis_create(ngx_pool_t *pool,
    const kz_json_val_t *settings, u_char *err);

/*
 * The one of that name, built in or from the settings; from the pool when it
 * was not made before.  NULL: as above.
 */
const kz_analyzer_t *kz_analysis_analyzer(const kz_analysis_t *a,
    ngx_pool_t *pool, const ngx_str_t *name, u_char *err);
const kz_analyzer_t *kz_analysis_normalizer(const kz_analysis_t *a,
    ngx_pool_t *pool, const ngx_str_t *name, u_char *err);

/* What every text field has unless it says otherwise. */
const kz_analyzer_t *kz_analysis_standard(void);
const kz_analyzer_t *kz_analysis_lowercase(void);

/* NGX_OK; NGX_ERROR: no memory; or what emit() returned. */
ngx_int_t kz_analyze(const kz_analyzer_t *a, kz_analyze_t *run,
    const ngx_str_t *text, kz_token_pt emit, void *ctx);

/*
 * The one token a normalizer makes of a text, in the run's memory until it
 * is used next.  NGX_ERROR: no memory.
 */
ngx_int_t kz_normalize(const kz_analyzer_t *a, kz_analyze_t *run,
    const ngx_str_t *text, ngx_str_t *out);

void kz_analyze_free(kz_analyze_t *run);


#endif /* _KZ_ANALYSIS_H_INCLUDED_ */
