/*
 * For the bench only: a location with "echo_body;" answers a request with its
 * own body.  The least that a handler of bodies can do, to compare with.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


static char *ngx_http_echo_body(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_echo_body_handler(ngx_http_request_t *r);
static void ngx_http_echo_body_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_echo_body_send(ngx_http_request_t *r);


static ngx_command_t  ngx_http_echo_body_commands[] = {

    { ngx_string("echo_body"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_echo_body, 0, 0, NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_echo_body_module_ctx = {
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};


ngx_module_t  ngx_http_echo_body_module = {
    NGX_MODULE_V1,
    &ngx_http_echo_body_module_ctx,
    ngx_http_echo_body_commands,
    NGX_HTTP_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};


static char *
ngx_http_echo_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_echo_body_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_echo_body_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_read_client_request_body(r, ngx_http_echo_body_read);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static void
ngx_http_echo_body_read(ngx_http_request_t *r)
{
    ngx_http_finalize_request(r, ngx_http_echo_body_send(r));
}


static ngx_int_t
ngx_http_echo_body_send(ngx_http_request_t *r)
{
    off_t         len;
    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_chain_t  *cl, *out, **last;

    len = 0;
    last = &out;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        b = ngx_calloc_buf(r->pool);
        *last = ngx_alloc_chain_link(r->pool);

        if (b == NULL || *last == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        *b = *cl->buf;
        b->last_buf = (cl->next == NULL);
        b->last_in_chain = b->last_buf;
        len += ngx_buf_size(b);

        (*last)->buf = b;
        last = &(*last)->next;
    }

    *last = NULL;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = len;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (out == NULL) {
        return ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    return ngx_http_output_filter(r, out);
}
