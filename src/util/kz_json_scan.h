#ifndef _KZ_JSON_SCAN_H_INCLUDED_
#define _KZ_JSON_SCAN_H_INCLUDED_

/*
 * JSON without a tree.
 *
 * kz_json_scan() is one pass over the bytes that validates them (RFC 8259,
 * RFC 3629, depth) and yields the value as a slice.  Everything else in this
 * header walks text that was validated before and allocates nothing but the
 * copies its contract names.
 *
 * A slice points into the text it came from and lives as long as that text.
 * Keys are compared decoded ("\u0061" is "a").  A repeated key: the last one
 * wins, at every level and in every lookup.
 *
 * Decided where clients could differ: a lone surrogate escape (\ud800) is
 * accepted as in JSON.parse and decodes to U+FFFD; \u0000 is accepted; a
 * number of any size is accepted and kept as text; a byte order mark, a
 * raw control character and invalid UTF-8 are refused.
 */

#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    KZ_JSON_NONE = 0,
    KZ_JSON_OBJECT,
    KZ_JSON_ARRAY,
    KZ_JSON_STRING,
    KZ_JSON_NUMBER,
    KZ_JSON_TRUE,
    KZ_JSON_FALSE,
    KZ_JSON_NULL
} kz_json_type_e;


typedef struct {
    ngx_str_t        raw;         /* as written, quotes included */
    kz_json_type_e   type;
    unsigned         escaped:1;   /* a string with a backslash in it */
} kz_json_val_t;


typedef struct {
    ngx_str_t        key;         /* as written, without the quotes */
    kz_json_val_t    val;
    unsigned         escaped:1;   /* the key has a backslash in it */
} kz_json_member_t;


typedef struct {
    const char      *what;        /* "Unexpected end of JSON input", ... */
    size_t           offset;
    u_char           token;       /* the byte there */
} kz_json_err_t;


typedef struct {
    u_char          *pos;
    u_char          *end;
} kz_json_iter_t;


/*
 * Validates the whole text and gives its root value, white space around it
 * left out.  The root counts as depth 1 when it is an array or object; a
 * value nested deeper than max_depth is refused.
 *
 * NGX_OK or NGX_ERROR with *err filled.
 */
ngx_int_t kz_json_scan(u_char *text, size_t len, ngx_uint_t max_depth,
    kz_json_val_t *v, kz_json_err_t *err);

/*
 * The same pass for a root that must be an object: writes its members, in
 * order of appearance, to m[0 .. *n - 1].  *n holds the room on entry.
 *
 * NGX_OK, NGX_DECLINED when the text is valid JSON but not an object,
 * NGX_ERROR when it is not valid or has more members than there is room.
 */
ngx_int_t kz_json_scan_object(u_char *text, size_t len,
    ngx_uint_t max_depth, kz_json_member_t *m, ngx_uint_t *n,
    kz_json_err_t *err);

/*
 * The error as JSON.parse() words it, ASCII only: "Unexpected token } in
 * JSON at position 12".  dst has room for KZ_JSON_ERR_LEN bytes; returns the
 * end of what was written.
 */
#define KZ_JSON_ERR_LEN  96

u_char *kz_json_err_text(u_char *dst, const kz_json_err_t *err);


/* Below: the text was validated. */

/* Type and extent of the value that starts at p (white space skipped). */
void kz_json_value(u_char *p, u_char *end, kz_json_val_t *v);

/* The members of an object, or the elements of an array. */
void kz_json_iter(kz_json_iter_t *it, const kz_json_val_t *v);
ngx_int_t kz_json_next_member(kz_json_iter_t *it, kz_json_member_t *m);
ngx_int_t kz_json_next(kz_json_iter_t *it, kz_json_val_t *v);
                                       /* NGX_OK, or NGX_DONE at the end */

/* A member of an object: NGX_OK, or NGX_DECLINED when there is none. */
ngx_int_t kz_json_get(const kz_json_val_t *obj, const char *key, size_t len,
    kz_json_val_t *v);

/*
 * The value below a dotted path ("a.b.c"), through objects only.  A literal
 * key "a.b" is found too when no nested one is.
 */
ngx_int_t kz_json_path(const kz_json_val_t *obj, const ngx_str_t *path,
    kz_json_val_t *v);

/*
 * Whether a key as written (between its quotes) equals the decoded name:
 * NGX_OK or NGX_DECLINED.
 */
ngx_int_t kz_json_key_is(const kz_json_member_t *m, const char *name,
    size_t len);

/*
 * The decoded text of a string value, or of a member's key.  Without escapes
 * it is a slice of the input, otherwise it is allocated from the pool.
 * NGX_ERROR: no memory.
 */
ngx_int_t kz_json_string(ngx_pool_t *pool, const kz_json_val_t *v,
    ngx_str_t *out);
ngx_int_t kz_json_key(ngx_pool_t *pool, const kz_json_member_t *m,
    ngx_str_t *out);

/* Decodes the inside of a string; dst has room for len bytes. */
u_char *kz_json_unescape(u_char *dst, const u_char *src, size_t len);

/* The same for the decoded text of a string value. */
ngx_int_t kz_json_string_is(const kz_json_val_t *v, const u_char *s,
    size_t len);

double kz_json_double(const kz_json_val_t *v);

/* NGX_DECLINED when the number is not a whole one within 64 bits. */
ngx_int_t kz_json_int(const kz_json_val_t *v, int64_t *n);

/*
 * Writes the text without white space between tokens; dst has room for len
 * bytes and may be src.  Returns the end of what was written.
 */
u_char *kz_json_compact(u_char *dst, const u_char *src, size_t len);

/*
 * Merges changes into an object, Kuzzle's way (document-update): objects
 * recursively, everything else replaced, nothing removed.  Order: the old
 * members first, new ones after them.  Repeated keys do not survive.
 * Allocated from the pool; NGX_ERROR: no memory.
 */
ngx_int_t kz_json_merge(ngx_pool_t *pool, const kz_json_val_t *old,
    const kz_json_val_t *changes, ngx_str_t *out);

#define kz_json_is_scalar(v)                                                  \
    ((v)->type >= KZ_JSON_STRING)


#endif /* _KZ_JSON_SCAN_H_INCLUDED_ */
