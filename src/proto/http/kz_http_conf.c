/*
 * The settings of a location: defaults, inheritance.
 */

#include "proto/http/kz_http.h"


void *
kz_http_create_loc_conf(ngx_conf_t *cf)
{
    kz_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(kz_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->enable = NGX_CONF_UNSET;
    conf->api = NGX_CONF_UNSET_UINT;
    conf->body_max = NGX_CONF_UNSET_SIZE;
    conf->json_depth = NGX_CONF_UNSET_UINT;
    conf->max_connections = NGX_CONF_UNSET_UINT;
    conf->pending = NGX_CONF_UNSET_UINT;
    conf->subscriptions = NGX_CONF_UNSET_UINT;
    conf->send_queue = NGX_CONF_UNSET_SIZE;
    conf->heartbeat = NGX_CONF_UNSET_MSEC;
    conf->send_timeout = NGX_CONF_UNSET_MSEC;
    conf->compression = NGX_CONF_UNSET;
    conf->encoding_layers = NGX_CONF_UNSET_UINT;
    conf->compression_level = NGX_CONF_UNSET;
    conf->compression_min = NGX_CONF_UNSET_SIZE;
    conf->form_file_max = NGX_CONF_UNSET_SIZE;
    conf->cookies = NGX_CONF_UNSET;
    conf->shutdown = NGX_CONF_UNSET;
    conf->origins = NGX_CONF_UNSET_PTR;
    conf->legacy_flat = NGX_CONF_UNSET_UINT;
    conf->logs = NGX_CONF_UNSET_PTR;

    return conf;
}


char *
kz_http_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    kz_loc_conf_t             *prev = parent;
    kz_loc_conf_t             *conf = child;
    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_uint_value(conf->api, prev->api, KZ_DIALECT_AUTO);
    ngx_conf_merge_size_value(conf->body_max, prev->body_max, 1024 * 1024);
    ngx_conf_merge_uint_value(conf->json_depth, prev->json_depth, 128);
    ngx_conf_merge_uint_value(conf->max_connections, prev->max_connections,
                              0);
    ngx_conf_merge_uint_value(conf->pending, prev->pending, 100);
    ngx_conf_merge_uint_value(conf->subscriptions, prev->subscriptions,
                              10000);
    ngx_conf_merge_size_value(conf->send_queue, prev->send_queue,
                              4 * 1024 * 1024);
    ngx_conf_merge_msec_value(conf->heartbeat, prev->heartbeat, 60000);
    ngx_conf_merge_msec_value(conf->send_timeout, prev->send_timeout, 60000);
    ngx_conf_merge_value(conf->compression, prev->compression, 1);
    ngx_conf_merge_uint_value(conf->encoding_layers, prev->encoding_layers,
                              3);
    ngx_conf_merge_value(conf->compression_level, prev->compression_level,
                         1);
    ngx_conf_merge_size_value(conf->compression_min, prev->compression_min,
                              0);
    ngx_conf_merge_size_value(conf->form_file_max, prev->form_file_max,
                              1024 * 1024);
    ngx_conf_merge_value(conf->cookies, prev->cookies, 1);
    ngx_conf_merge_value(conf->shutdown, prev->shutdown, 0);
    ngx_conf_merge_ptr_value(conf->origins, prev->origins, NULL);
    ngx_conf_merge_uint_value(conf->legacy_flat, prev->legacy_flat, 0);
    ngx_conf_merge_ptr_value(conf->logs, prev->logs, NULL);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* if and limit_except in such a location belong to it */

    if (conf->enable != 1 && prev->enable == 1 && clcf->noname
        && clcf->handler == NULL)
    {
        conf->enable = 1;
        clcf->handler = ngx_http_kuzzle_handler;
    }

    if (conf->enable != 1) {
        return NGX_CONF_OK;
    }

    /*
     * nginx's own limit would answer with a page of HTML.  Where it was left
     * at its default, ours does the work; a lower one is the user's.
     */

    if (clcf->client_max_body_size == 1024 * 1024
        || clcf->client_max_body_size > (off_t) conf->body_max)
    {
        clcf->client_max_body_size = 0;
    }

    return NGX_CONF_OK;
}


char *
kz_http_set_origins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t      *value, *origin;
    ngx_uint_t      i;
    kz_loc_conf_t  *lcf = conf;

    if (lcf->origins != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && value[1].len == 1
        && value[1].data[0] == '*')
    {
        lcf->origins = NULL;
        return NGX_CONF_OK;
    }

    lcf->origins = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                    sizeof(ngx_str_t));
    if (lcf->origins == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        origin = ngx_array_push(lcf->origins);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        *origin = value[i];
    }

    return NGX_CONF_OK;
}
