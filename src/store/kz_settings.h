#ifndef _KZ_SETTINGS_H_INCLUDED_
#define _KZ_SETTINGS_H_INCLUDED_

/*
 * Settings of a collection: a JSON object, as the engine's "index" object.
 * Pure.
 *
 *     given     {"index.blocks.write":true,"analysis":{...}}, or
 *               {"index":{"blocks":{"write":true}, ...}}
 *     stored    {"analysis":{...},"blocks":{"write":true}}
 *     shown     {"analysis":{...},"blocks":{"write":"true"}}
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "util/kz_json_scan.h"
#include "util/kz_out.h"


#define KZ_SETTINGS_ERR_LEN  256


/*
 * What stored settings (a JSON object, or empty: there are none yet) become
 * with those that are given; null removes one; creates: also those that
 * cannot be changed are taken.  From the pool.  NGX_OK;
 * NGX_DECLINED: nothing changes; NGX_ERROR: err (KZ_SETTINGS_ERR_LEN bytes,
 * terminated) says why, or is empty: no memory.
 */
ngx_int_t kz_settings_merge(ngx_pool_t *pool, const ngx_str_t *stored,
    const kz_json_val_t *given, ngx_uint_t creates, ngx_str_t *out,
    u_char *err);

/* Stored settings as they are shown: every value is text. */
void kz_settings_print(const ngx_str_t *stored, kz_out_t *o);

/* Whether stored settings refuse documents: blocks.write. */
ngx_uint_t kz_settings_blocked(const ngx_str_t *stored);


#endif /* _KZ_SETTINGS_H_INCLUDED_ */
