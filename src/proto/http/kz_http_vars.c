/*
 * Variables: what a query was and what became of it.
 */

#include "proto/http/kz_http.h"


static ngx_int_t kz_http_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t kz_http_variable_status(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  kz_http_vars[] = {

    { ngx_string("kuzzle_action"), NULL, kz_http_variable,
      offsetof(kz_http_ctx_t, action), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("kuzzle_controller"), NULL, kz_http_variable,
      offsetof(kz_http_ctx_t, controller), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("kuzzle_status"), NULL, kz_http_variable_status,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
kz_http_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = kz_http_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
kz_http_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t      *s;
    kz_http_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_kuzzle_module);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    s = (ngx_str_t *) ((u_char *) ctx + data);

    if (s->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = s->data;
    v->len = s->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
kz_http_variable_status(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    kz_http_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_kuzzle_module);

    if (ctx == NULL || ctx->status == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, "%ui", ctx->status) - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
