
/*
 * Validation specifications: an input is a specification and, after a zero
 * byte, a document.
 *
 * Compiling never fails without saying why; what the check refuses the report
 * calls invalid, and the other way round; a document that was filled is JSON
 * and has nothing more to fill.
 *
 * sources: api/kz_spec.c api/kz_spec_check.c api/kz_spec_date.c
 * sources: api/kz_spec_geo.c api/kz_spec_net.c api/kz_spec_options.c
 * sources: api/kz_spec_type.c core/kz_error.c
 * sources: realtime/kz_filter.c realtime/kz_filter_canon.c
 * sources: realtime/kz_filter_check.c realtime/kz_filter_kind.c
 * sources: realtime/kz_filter_leaf.c realtime/kz_filter_match.c
 * sources: realtime/kz_filter_parse.c realtime/kz_filter_simplify.c
 * sources: realtime/kz_filter_trie.c
 */

#include "kz_shim.h"
#include "api/kz_spec.h"


#define DEPTH  128
#define NOW    1519899630123LL

#define check(cond)                                                           \
    if (!(cond)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);            \
        abort();                                                              \
    }


static ngx_pool_t  *pool;


static kz_spec_t *
compile(const uint8_t *text, size_t len)
{
    u_char         *copy;
    ngx_int_t       rc;
    kz_spec_t      *spec;
    ngx_array_t     errors;
    kz_json_val_t   v;
    kz_json_err_t   err;

    static ngx_str_t  name = ngx_string("index.collection");

    copy = kz_shim_copy(text, len);
    rc = NGX_DECLINED;

    if (kz_json_scan(copy, len, DEPTH, &v, &err) == NGX_OK) {
        check(ngx_array_init(&errors, pool, 4, sizeof(ngx_str_t)) == NGX_OK);

        rc = kz_spec_compile(pool, &name, &v, &spec, &errors);

        check(rc == NGX_OK || rc == NGX_DECLINED);
        check((rc == NGX_OK) == (errors.nelts == 0));
    }

    free(copy);

    return rc == NGX_OK ? spec : NULL;
}


static void
apply(kz_spec_t *spec, kz_json_val_t *doc, ngx_uint_t update)
{
    kz_out_t            o;
    ngx_int_t           rc;
    kz_json_val_t       v, filled, again;
    kz_json_err_t       err;
    kz_spec_failure_t   f;

    static ngx_str_t    id = ngx_string("id");

    rc = kz_spec_check(spec, pool, doc, NOW, &f);

    if (rc == NGX_OK) {
        rc = kz_spec_check_filter(spec, doc, &id, &f);
    }

    check(rc == NGX_OK || (rc == NGX_DECLINED && f.message.len));

    kz_out_init(&o, pool, 64);
    check(kz_spec_report(spec, pool, doc, &id, NOW, &o) == NGX_OK);
    check(kz_json_scan(o.start, kz_out_len(&o), DEPTH + 3, &v, &err)
          == NGX_OK);
    check(kz_json_get(&v, "valid", 5, &again) == NGX_OK);
    check((again.type == KZ_JSON_TRUE) == (rc == NGX_OK));

    rc = kz_spec_fill(spec, pool, doc, update, &filled);
    check(rc == NGX_OK || rc == NGX_DECLINED || rc == NGX_ABORT);

    if (rc != NGX_OK) {
        return;
    }

    check(kz_json_scan(filled.raw.data, filled.raw.len, 3 * DEPTH, &v, &err)
          == NGX_OK);

    if (!update) {
        check(kz_spec_fill(spec, pool, &v, 0, &again) == NGX_OK);

        /* what a default value holds may be filled in its turn, once */

        check(kz_json_scan(again.raw.data, again.raw.len, 4 * DEPTH, &v, &err)
              == NGX_OK);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char         *copy;
    size_t          len;
    kz_spec_t      *spec;
    kz_json_val_t   v;
    kz_json_err_t   err;
    const uint8_t  *zero;

    pool = kz_shim_pool();

    zero = size ? memchr(data, '\0', size) : NULL;
    len = zero ? (size_t) (zero - data) : size;

    spec = compile(data, len);

    if (spec != NULL && zero != NULL) {
        len = size - len - 1;
        copy = kz_shim_copy(zero + 1, len);

        if (kz_json_scan(copy, len, DEPTH, &v, &err) == NGX_OK
            && v.type == KZ_JSON_OBJECT)
        {
            apply(spec, &v, 0);
            apply(spec, &v, 1);
        }

        free(copy);
    }

    ngx_destroy_pool(pool);

    return 0;
}
