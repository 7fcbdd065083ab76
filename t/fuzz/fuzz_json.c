
/*
 * The JSON scanner against jansson: what is accepted, what it means, what
 * kz_json_compact() and kz_json_merge() make of it.  And against itself:
 * the two ways to scan, cut texts, walks over text nobody validated.
 *
 * Decided differences: jansson refuses numbers beyond its types, half
 * surrogate pairs and zeros in keys; its nesting goes deeper than ours.
 *
 * An input with a zero byte is two texts: a document and changes to it.
 *
 * libs: -ljansson
 */

#include "util/kz_json_scan.h"
#include "util/kz_out.h"
#include "util/kz_utf8.h"
#include "kz_shim.h"

#include <jansson.h>


#define DEPTH    1024
#define MEMBERS  16

#define check(cond)                                                           \
    if (!(cond)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);            \
        abort();                                                              \
    }


static ngx_pool_t  *pool;


static void compare(const kz_json_val_t *v, json_t *j, ngx_uint_t unique);


static json_t *
load(const u_char *text, size_t len, ngx_uint_t *decided)
{
    json_t        *j;
    json_error_t   error;

    j = json_loadb((char *) text, len, JSON_DECODE_ANY|JSON_ALLOW_NUL,
                   &error);

    *decided = (j == NULL
                && (json_error_code(&error) == json_error_numeric_overflow
                    || json_error_code(&error) == json_error_null_byte_in_key
                    || strstr(error.text, "invalid Unicode '") != NULL
                    || strstr(error.text, "too big") != NULL
                    || strstr(error.text, "overflow") != NULL));

    return j;
}


static void
compare_string(const kz_json_val_t *v, const char *text, size_t len)
{
    uint32_t       state;
    kz_out_t       o;
    ngx_str_t      s;
    kz_json_val_t  again;
    kz_json_err_t  err;

    check(kz_json_string(pool, v, &s) == NGX_OK);
    check(s.len == len && memcmp(s.data, text, len) == 0);
    check(kz_json_string_is(v, (u_char *) text, len) == NGX_OK);

    if (len > 0) {
        check(kz_json_string_is(v, (u_char *) text, len - 1)
              == NGX_DECLINED);
    }

    state = KZ_UTF8_START;
    check(kz_utf8_check(&state, s.data, s.len) == NGX_OK);
    check(state == KZ_UTF8_START);

    kz_out_init(&o, pool, 0);
    kz_out_json_str(&o, &s);
    check(kz_json_scan(o.start, kz_out_len(&o), 1, &again, &err) == NGX_OK);
    check(kz_json_string_is(&again, s.data, s.len) == NGX_OK);
}


static void
compare_object(const kz_json_val_t *v, json_t *j, ngx_uint_t unique)
{
    json_t            *child;
    ngx_str_t          key;
    ngx_uint_t         n, all;
    kz_json_val_t      name, val;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    n = 0;
    all = 0;

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &m) == NGX_OK) {
        name.type = KZ_JSON_STRING;
        name.escaped = m.escaped;
        name.raw.data = m.key.data - 1;
        name.raw.len = m.key.len + 2;

        check(kz_json_string(pool, &name, &key) == NGX_OK);
        check(kz_json_key_is(&m, (char *) key.data, key.len) == NGX_OK);
        check(kz_json_get(v, (char *) key.data, key.len, &val) == NGX_OK);

        all++;

        /* the last one wins: earlier ones are not compared */

        if (val.raw.data != m.val.raw.data) {
            continue;
        }

        n++;
        child = json_object_getn(j, (char *) key.data, key.len);
        check(child != NULL);
        compare(&val, child, unique);

        if (ngx_strlchr(key.data, key.data + key.len, '.') == NULL) {
            check(kz_json_path(v, &key, &name) == NGX_OK);
            check(name.raw.data == val.raw.data);
        }
    }

    check(n == json_object_size(j));
    check(!unique || n == all);
}


static void
compare(const kz_json_val_t *v, json_t *j, ngx_uint_t unique)
{
    size_t           i;
    int64_t          n;
    kz_json_val_t    e;
    kz_json_iter_t   it;

    switch (json_typeof(j)) {

    case JSON_OBJECT:
        check(v->type == KZ_JSON_OBJECT);
        compare_object(v, j, unique);
        break;

    case JSON_ARRAY:
        check(v->type == KZ_JSON_ARRAY);
        kz_json_iter(&it, v);

        for (i = 0; kz_json_next(&it, &e) == NGX_OK; i++) {
            check(i < json_array_size(j));
            compare(&e, json_array_get(j, i), unique);
        }

        check(i == json_array_size(j));
        break;

    case JSON_STRING:
        check(v->type == KZ_JSON_STRING);
        compare_string(v, json_string_value(j), json_string_length(j));
        break;

    case JSON_INTEGER:
        check(v->type == KZ_JSON_NUMBER);
        check(kz_json_int(v, &n) == NGX_OK);
        check(n == json_integer_value(j));
        check(kz_json_double(v) == (double) n);
        break;

    case JSON_REAL:
        check(v->type == KZ_JSON_NUMBER);
        check(kz_json_double(v) == json_real_value(j));

        if (kz_json_int(v, &n) == NGX_OK) {
            check((double) n == json_real_value(j));
        }

        break;

    case JSON_TRUE:
        check(v->type == KZ_JSON_TRUE && v->raw.len == 4);
        break;

    case JSON_FALSE:
        check(v->type == KZ_JSON_FALSE && v->raw.len == 5);
        break;

    default:
        check(v->type == KZ_JSON_NULL && v->raw.len == 4);
    }
}


/* Only for the sanitizers: walks whatever it is. */
static void
walk(const kz_json_val_t *v, ngx_uint_t depth)
{
    int64_t           n;
    ngx_str_t         s = ngx_string("a.b.a");
    kz_json_val_t     e;
    kz_json_iter_t    it;
    kz_json_member_t  m;

    (void) kz_json_double(v);
    (void) kz_json_int(v, &n);
    (void) kz_json_path(v, &s, &e);
    (void) kz_json_string_is(v, (u_char *) "\xf0\x9f\x98\x80", 4);
    (void) kz_json_string(pool, v, &s);

    if (depth == 0) {
        return;
    }

    kz_json_iter(&it, v);

    if (v->type == KZ_JSON_OBJECT) {
        while (kz_json_next_member(&it, &m) == NGX_OK) {
            walk(&m.val, depth - 1);
        }

        return;
    }

    while (kz_json_next(&it, &e) == NGX_OK) {
        walk(&e, depth - 1);
    }
}


static void
fuzz_cut(const u_char *text, size_t len)
{
    u_char         *copy;
    ngx_int_t       rc;
    kz_json_val_t   v;
    kz_json_err_t   err;

    copy = kz_shim_copy(text, len);

    kz_json_value(copy, copy + len, &v);
    walk(&v, 10);

    rc = kz_json_scan(copy, len, DEPTH, &v, &err);
    check(rc == NGX_OK || err.offset <= len);

    (void) kz_json_compact(copy, copy, len);

    free(copy);
}


static void
fuzz_members(u_char *text, size_t len, const kz_json_val_t *v, ngx_int_t rc)
{
    ngx_int_t          rc2;
    ngx_uint_t         i, n;
    kz_json_err_t      err;
    kz_json_iter_t     it;
    kz_json_member_t   list[MEMBERS], m;

    n = MEMBERS;
    rc2 = kz_json_scan_object(text, len, DEPTH, list, &n, &err);

    if (rc2 == NGX_ERROR && n == MEMBERS) {
        return;
    }

    check((rc2 == NGX_ERROR) == (rc == NGX_ERROR));

    if (rc2 == NGX_ERROR) {
        return;
    }

    check((rc2 == NGX_OK) == (v->type == KZ_JSON_OBJECT));

    kz_json_iter(&it, v);

    for (i = 0; i < n; i++) {
        check(kz_json_next_member(&it, &m) == NGX_OK);
        check(m.key.data == list[i].key.data);
        check(m.key.len == list[i].key.len);
        check(m.escaped == list[i].escaped);
        check(m.val.type == list[i].val.type);
        check(m.val.escaped == list[i].val.escaped);
        check(m.val.raw.data == list[i].val.raw.data);
        check(m.val.raw.len == list[i].val.raw.len);
    }

    check(rc2 != NGX_OK || kz_json_next_member(&it, &m) == NGX_DONE);
}


/* The value and its tree; NULL when one of the two refuses the text. */
static json_t *
fuzz_text(u_char *text, size_t len, kz_json_val_t *v)
{
    u_char         message[KZ_JSON_ERR_LEN];
    json_t        *j;
    u_char        *compact, *last;
    uint32_t       state;
    ngx_int_t      rc;
    ngx_uint_t     decided;
    kz_json_val_t  again;
    kz_json_err_t  err;

    rc = kz_json_scan(text, len, DEPTH, v, &err);

    fuzz_members(text, len, v, rc);

    if (rc != NGX_OK) {
        check(err.offset <= len);
        check(kz_json_err_text(message, &err) - message <= KZ_JSON_ERR_LEN);

    } else {
        state = KZ_UTF8_START;
        check(kz_utf8_check(&state, text, len) == NGX_OK);
        check(state == KZ_UTF8_START);
    }

    /* jansson loses a zero byte after a number; we refuse each */

    if (memchr(text, 0, len) != NULL) {
        check(rc == NGX_ERROR);
        return NULL;
    }

    j = load(text, len, &decided);

    if (j == NULL) {
        check(decided || rc == NGX_ERROR);
        return NULL;
    }

    if (rc != NGX_OK) {
        check(strncmp(err.what, "Too many levels", 15) == 0);
        json_decref(j);
        return NULL;
    }

    compare(v, j, 0);

    compact = ngx_pnalloc(pool, v->raw.len);
    last = kz_json_compact(compact, v->raw.data, v->raw.len);
    check(kz_json_scan(compact, last - compact, DEPTH, &again, &err)
          == NGX_OK);
    compare(&again, j, 0);

    check(kz_json_compact(compact, compact, last - compact) == last);

    return j;
}


static void
fuzz_merge(const kz_json_val_t *old, json_t *j, const kz_json_val_t *changes,
    json_t *other)
{
    ngx_str_t      out;
    kz_json_val_t  v;
    kz_json_err_t  err;

    if (!json_is_object(j) || !json_is_object(other)) {
        return;
    }

    check(kz_json_merge(pool, old, changes, &out) == NGX_OK);
    check(out.len <= old->raw.len + changes->raw.len);
    check(kz_json_scan(out.data, out.len, DEPTH, &v, &err) == NGX_OK);

    check(json_object_update_recursive(j, other) == 0);
    compare(&v, j, 1);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char         *one, *two;
    size_t          len;
    json_t         *j, *other;
    const u_char   *zero;
    kz_json_val_t   v, changes;

    pool = kz_shim_pool();

    zero = memchr(data, 0, size);
    len = (zero != NULL) ? (size_t) (zero - data) : size;

    one = kz_shim_copy(data, len);
    j = fuzz_text(one, len, &v);

    if (zero != NULL) {
        two = kz_shim_copy(zero + 1, size - len - 1);
        other = fuzz_text(two, size - len - 1, &changes);

        if (j != NULL && other != NULL) {
            fuzz_merge(&v, j, &changes, other);
        }

        json_decref(other);
        free(two);
    }

    json_decref(j);
    free(one);

    fuzz_cut(data, size);
    fuzz_cut(data, size / 2);
    fuzz_cut(data + size - size / 3, size / 3);
    fuzz_cut(data, size ? size - 1 : 0);

    ngx_destroy_pool(pool);

    return 0;
}
