#ifndef _KZ_UTF8_H_INCLUDED_
#define _KZ_UTF8_H_INCLUDED_

/*
 * UTF-8 validation (RFC 3629) that can stop anywhere and go on later, as
 * WebSocket text messages need it (RFC 6455, 8.1), and code point helpers.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#define KZ_UTF8_START  0


/*
 * Checks the next bytes of a text.  *state starts as KZ_UTF8_START and is
 * KZ_UTF8_START again whenever the text may end here.  NGX_ERROR on the
 * first byte that cannot continue a valid text.
 */
ngx_int_t kz_utf8_check(uint32_t *state, const u_char *p, size_t len);

/* Decodes the code point at *p, advances *p; the bytes are valid. */
uint32_t kz_utf8_next(const u_char **p, const u_char *end);

/* Writes a code point, 1 to 4 bytes; returns the end. */
u_char *kz_utf8_put(u_char *dst, uint32_t cp);


#endif /* _KZ_UTF8_H_INCLUDED_ */
