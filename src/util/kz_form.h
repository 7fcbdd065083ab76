#ifndef _KZ_FORM_H_INCLUDED_
#define _KZ_FORM_H_INCLUDED_

/*
 * The fields of a form, and the JSON object they become.  Two wire formats
 * fill one in: application/x-www-form-urlencoded (here) and
 * multipart/form-data (kz_multipart.h).
 *
 * Text is UTF-8; what is not becomes U+FFFD, one for each maximal part of a
 * sequence, as a browser and Node do it.  A name is just a name, "__proto__"
 * too.  A repeated name stands where it was first.
 *
 * Bounds: the number of fields, and the bytes of JSON, counted before
 * memory is taken.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "util/kz_out.h"


#define KZ_FORM_MAX_FIELDS  1000
#define KZ_FORM_BUCKETS     64


typedef struct kz_form_field_s  kz_form_field_t;

struct kz_form_field_s {
    ngx_str_t          name;
    ngx_str_t          value;        /* of a file: any bytes */
    ngx_str_t          filename;     /* of a file, data == NULL: absent */
    ngx_str_t          encoding;
    ngx_str_t          mimetype;
    unsigned           file:1;

    /* kz_form_add() fills in: */
    kz_form_field_t   *next;         /* in order */
    kz_form_field_t   *same;         /* the next one of that name */
    kz_form_field_t   *newest;       /* of the first of a name: the last */
    kz_form_field_t   *bucket;
    uint32_t           hash;
};


typedef struct {
    ngx_pool_t        *pool;
    ngx_uint_t         generation;   /* of Kuzzle's API, 1 or 2 */
    size_t             max;          /* bytes of JSON */
    size_t             size;         /* so far, at most */
    ngx_uint_t         n;
    kz_form_field_t   *first;        /* first of each name */
    kz_form_field_t  **last;
    kz_form_field_t   *buckets[KZ_FORM_BUCKETS];
    const char        *what;         /* the reason of an NGX_ERROR, ASCII */
    unsigned           lists:1;      /* a repeated name makes an array */
    unsigned           file_too_large:1;
} kz_form_t;


void kz_form_init(kz_form_t *f, ngx_pool_t *pool, ngx_uint_t generation,
    size_t max);

/*
 * Adds a copy of the field; the bytes it refers to must live as long as the
 * form.  Name, texts and names of a file need not be UTF-8.
 *
 * NGX_OK; NGX_DECLINED: the JSON would exceed max; NGX_ERROR: f->what says
 * why, NULL: no memory.
 */
ngx_int_t kz_form_add(kz_form_t *f, const kz_form_field_t *field);

/*
 * Reads "a=1&b=2", decoding it where it lies.  An escape that is none stays
 * as it is.  Returns what kz_form_add() returns.
 */
ngx_int_t kz_form_urlencoded(kz_form_t *f, u_char *p, size_t len);

/*
 * Writes the object, compact.  A file is, in generation 1,
 *
 *     {"filename":..,"encoding":..,"mimetype":..,"file":base64}
 *
 * and in generation 2 {"encoding":..,"file":base64,"filename":..}, absent
 * ones left out.
 */
void kz_form_json(kz_form_t *f, kz_out_t *o);


#endif /* _KZ_FORM_H_INCLUDED_ */
