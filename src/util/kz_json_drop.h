#ifndef _KZ_JSON_DROP_H_INCLUDED_
#define _KZ_JSON_DROP_H_INCLUDED_

/*
 * An object without some of its fields, as text.
 *
 * A path is written as in lodash: "a.b[0].c", "a['x.y']".  A member of the
 * root whose key is the whole path is meant before anything below it.  Paths
 * that lead nowhere are ignored; an element of an array becomes null, so
 * that the ones after it keep their places.
 */

#include "util/kz_json_scan.h"


/*
 * paths: the elements of an array (validated text); what is no string is
 * ignored.  *out is allocated from the pool.  NGX_ERROR: no memory.
 */
ngx_int_t kz_json_drop(ngx_pool_t *pool, const kz_json_val_t *obj,
    const kz_json_val_t *paths, ngx_str_t *out);


#endif /* _KZ_JSON_DROP_H_INCLUDED_ */
