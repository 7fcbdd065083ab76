#ifndef _KZ_HIGHLIGHT_H_INCLUDED_
#define _KZ_HIGHLIGHT_H_INCLUDED_

/*
 * What a hit was found by, in its texts: "highlight" of a search body.  Pure.
 *
 *     {"fields": {"title": {}}}  ->  {"title":["the <em>quick</em> fox"]}
 *
 * As the original's unified highlighter does it, which stands for the other
 * types, too: fragments are sentences, as many as fit into fragment_size,
 * longer ones are cut between words; the best ones are shown in the order of
 * the text.
 */

#include "store/kz_match.h"


typedef struct kz_highlight_s  kz_highlight_t;


/*
 * m: the bound query; it and the body must outlive this.  NULL: *err
 * (BAD_QUERY, FAILED).  What kz_highlight_free() frees is not in the pool.
 */
kz_highlight_t *kz_highlight_create(ngx_pool_t *pool,
    const kz_json_val_t *spec, kz_match_t *m, kz_mapping_err_t *err);
void kz_highlight_free(kz_highlight_t *h);

/*
 * The JSON object for a hit, from the pool; empty: nothing is to be shown.
 * What m remembers of the last document is lost.  NGX_ERROR: no memory.
 */
ngx_int_t kz_highlight_doc(kz_highlight_t *h, ngx_pool_t *pool,
    const ngx_str_t *src, ngx_str_t *out);


#endif /* _KZ_HIGHLIGHT_H_INCLUDED_ */
