#ifndef _KZ_JSON_PRETTY_H_INCLUDED_
#define _KZ_JSON_PRETTY_H_INCLUDED_

/*
 * JSON text for people: as JSON.stringify(value, null, 2) writes it.  Strings
 * and numbers stay as they are.  The text is valid JSON, with or without
 * white space.
 *
 * Indented, deeply nested text is many times as long as before, so its
 * length is found first.
 */

#include <ngx_config.h>
#include <ngx_core.h>


/* The length of the indented text; 0: it is longer than max. */
size_t kz_json_pretty_len(const u_char *p, size_t n, size_t max);

/* Writes the indented text, returns its end. */
u_char *kz_json_pretty(u_char *dst, const u_char *p, size_t n);


#endif /* _KZ_JSON_PRETTY_H_INCLUDED_ */
