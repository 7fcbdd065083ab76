/*
 * The table of contents: module structs, every directive, life cycle.
 *
 * One shared object carries a core module (kuzzle { }), an HTTP module
 * (locations) and a stream module.  nginx's stream module may be a shared
 * object of its own that is not loaded: the stream symbols are weak.
 *
 * Loaded but not configured, nothing here does anything.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_stream.h>

#include <sys/prctl.h>

#include "core/kz_bus.h"
#include "core/kz_conf.h"
#include "core/kz_stat.h"
#include "core/kz_log.h"
#include "core/kz_shutdown.h"
#include "api/kz_route.h"
#include "api/kz_router.h"
#include "api/kz_server.h"
#include "proto/http/kz_http.h"
#include "proto/ws/kz_ws.h"
#include "realtime/kz_realtime.h"
#include "store/kz_store.h"


#pragma weak ngx_stream_core_module

extern ngx_module_t  ngx_kuzzle_module;
extern ngx_module_t  ngx_kuzzle_conf_module;
extern ngx_module_t  ngx_stream_kuzzle_module;


#define KZ_CONF_MODULE  0x5a5a554b         /* "KUZZ" */
#define KZ_CONF         0x02000000

#define KZ_BUS_MIN_SIZE       ((size_t) 16 * 1024 * 1024)
#define KZ_MAX_REQUEST_SIZE   (4 * 1024 * 1024)


static void *ngx_kuzzle_create_conf(ngx_cycle_t *cycle);
static char *ngx_kuzzle_init_conf(ngx_cycle_t *cycle, void *conf);
static ngx_int_t ngx_kuzzle_default_data(ngx_cycle_t *cycle,
    ngx_str_t *data);
static char *ngx_kuzzle_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static void ngx_kuzzle_where(ngx_conf_t *cf, kz_main_conf_t *kcf);
static char *ngx_kuzzle_set_data(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_kuzzle_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_kuzzle_init_process(ngx_cycle_t *cycle);
static void ngx_kuzzle_exit_process(ngx_cycle_t *cycle);

static char *ngx_http_kuzzle(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_kuzzle_drain(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_kuzzle_check_body(ngx_conf_t *cf, void *post,
    void *data);

static char *ngx_stream_kuzzle_mqtt(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


kz_main_conf_t  *kz_conf;


static ngx_conf_enum_t  ngx_http_kuzzle_api[] = {
    { ngx_string("auto"), KZ_DIALECT_AUTO },
    { ngx_string("1"), KZ_DIALECT_1 },
    { ngx_string("2"), KZ_DIALECT_2 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_kuzzle_envelopes[] = {
    { ngx_string("nested"), 0 },
    { ngx_string("flat"), 1 },
    { ngx_null_string, 0 }
};


static ngx_conf_num_bounds_t  ngx_kuzzle_threads_bounds = {
    ngx_conf_check_num_bounds, 1, 64
};

static ngx_conf_num_bounds_t  ngx_kuzzle_files_bounds = {
    ngx_conf_check_num_bounds, 4, 4096
};

static ngx_conf_num_bounds_t  ngx_kuzzle_count_bounds = {
    ngx_conf_check_num_bounds, 1, 1000000000
};

static ngx_conf_num_bounds_t  ngx_kuzzle_depth_bounds = {
    ngx_conf_check_num_bounds, 4, 1024
};

static ngx_conf_num_bounds_t  ngx_kuzzle_level_bounds = {
    ngx_conf_check_num_bounds, 1, 9
};

static ngx_conf_num_bounds_t  ngx_kuzzle_layers_bounds = {
    ngx_conf_check_num_bounds, 1, 16
};

static ngx_conf_post_t  ngx_http_kuzzle_body_bounds = {
    ngx_http_kuzzle_check_body
};


#define KZ_MAIN(member)  offsetof(kz_main_conf_t, member)
#define KZ_LOC(member)   offsetof(kz_loc_conf_t, member)

#define KZ_BLOCK  KZ_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1
#define KZ_HTTP   NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF      \
                  |NGX_CONF_TAKE1


/* main level */

static ngx_command_t  ngx_kuzzle_commands[] = {

    { ngx_string("kuzzle"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_BLOCK|NGX_CONF_NOARGS,
      ngx_kuzzle_block, 0, 0, NULL },

      ngx_null_command
};


/* inside kuzzle { } */

static ngx_command_t  ngx_kuzzle_conf_commands[] = {

    { ngx_string("bus_queue"), KZ_BLOCK,
      ngx_conf_set_size_slot, 0, KZ_MAIN(bus_queue), NULL },

    { ngx_string("bus_size"), KZ_BLOCK,
      ngx_conf_set_size_slot, 0, KZ_MAIN(bus_size), NULL },

    { ngx_string("data"), KZ_BLOCK,
      ngx_kuzzle_set_data, 0, KZ_MAIN(data), NULL },

    { ngx_string("documents_fetch_count"), KZ_BLOCK,
      ngx_conf_set_num_slot, 0, KZ_MAIN(fetch_count),
      &ngx_kuzzle_count_bounds },

    { ngx_string("documents_write_count"), KZ_BLOCK,
      ngx_conf_set_num_slot, 0, KZ_MAIN(write_count),
      &ngx_kuzzle_count_bounds },

    { ngx_string("node"), KZ_BLOCK,
      ngx_conf_set_str_slot, 0, KZ_MAIN(node), NULL },

    { ngx_string("open_files"), KZ_BLOCK,
      ngx_conf_set_num_slot, 0, KZ_MAIN(open_files),
      &ngx_kuzzle_files_bounds },

    { ngx_string("query_timeout"), KZ_BLOCK,
      ngx_conf_set_msec_slot, 0, KZ_MAIN(query_timeout), NULL },

    { ngx_string("stats_interval"), KZ_BLOCK,
      ngx_conf_set_msec_slot, 0, KZ_MAIN(stats_interval), NULL },

    { ngx_string("stats_ttl"), KZ_BLOCK,
      ngx_conf_set_msec_slot, 0, KZ_MAIN(stats_ttl), NULL },

    { ngx_string("store_pending"), KZ_BLOCK,
      ngx_conf_set_num_slot, 0, KZ_MAIN(store_pending),
      &ngx_kuzzle_count_bounds },

    { ngx_string("store_pending_size"), KZ_BLOCK,
      ngx_conf_set_size_slot, 0, KZ_MAIN(store_pending_size), NULL },

    { ngx_string("store_timeout"), KZ_BLOCK,
      ngx_conf_set_msec_slot, 0, KZ_MAIN(store_timeout), NULL },

    { ngx_string("store_wait"), KZ_BLOCK,
      ngx_conf_set_msec_slot, 0, KZ_MAIN(store_wait), NULL },

    { ngx_string("subscription_conditions"), KZ_BLOCK,
      ngx_conf_set_num_slot, 0, KZ_MAIN(filter_conditions), NULL },

    { ngx_string("subscription_minterms"), KZ_BLOCK,
      ngx_conf_set_num_slot, 0, KZ_MAIN(filter_minterms), NULL },

    { ngx_string("subscription_rooms"), KZ_BLOCK,
      ngx_conf_set_num_slot, 0, KZ_MAIN(rooms),
      &ngx_kuzzle_count_bounds },

    { ngx_string("threads"), KZ_BLOCK,
      ngx_conf_set_num_slot, 0, KZ_MAIN(threads),
      &ngx_kuzzle_threads_bounds },

      ngx_null_command
};


/* http, server, location */

static ngx_command_t  ngx_http_kuzzle_commands[] = {

    { ngx_string("kuzzle"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_kuzzle, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kuzzle_allow_origin"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      kz_http_set_origins, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kuzzle_api"), KZ_HTTP,
      ngx_conf_set_enum_slot, NGX_HTTP_LOC_CONF_OFFSET, KZ_LOC(api),
      ngx_http_kuzzle_api },

    { ngx_string("kuzzle_compression"), KZ_HTTP,
      ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, KZ_LOC(compression),
      NULL },

    { ngx_string("kuzzle_compression_level"), KZ_HTTP,
      ngx_conf_set_num_slot, NGX_HTTP_LOC_CONF_OFFSET,
      KZ_LOC(compression_level), &ngx_kuzzle_level_bounds },

    { ngx_string("kuzzle_compression_min_length"), KZ_HTTP,
      ngx_conf_set_size_slot, NGX_HTTP_LOC_CONF_OFFSET,
      KZ_LOC(compression_min), NULL },

    { ngx_string("kuzzle_cookie_authentication"), KZ_HTTP,
      ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, KZ_LOC(cookies),
      NULL },

    { ngx_string("kuzzle_drain"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_kuzzle_drain, 0, 0, NULL },

    { ngx_string("kuzzle_heartbeat"), KZ_HTTP,
      ngx_conf_set_msec_slot, NGX_HTTP_LOC_CONF_OFFSET, KZ_LOC(heartbeat),
      NULL },

    { ngx_string("kuzzle_json_depth"), KZ_HTTP,
      ngx_conf_set_num_slot, NGX_HTTP_LOC_CONF_OFFSET, KZ_LOC(json_depth),
      &ngx_kuzzle_depth_bounds },

    { ngx_string("kuzzle_legacy_envelope"), KZ_HTTP,
      ngx_conf_set_enum_slot, NGX_HTTP_LOC_CONF_OFFSET, KZ_LOC(legacy_flat),
      ngx_http_kuzzle_envelopes },

    { ngx_string("kuzzle_log"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
      |NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF|NGX_CONF_1MORE,
      kz_log_set, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

    { ngx_string("kuzzle_log_format"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      kz_log_set_format, 0, 0, NULL },

    { ngx_string("kuzzle_max_connections"), KZ_HTTP,
      ngx_conf_set_num_slot, NGX_HTTP_LOC_CONF_OFFSET,
      KZ_LOC(max_connections), NULL },

    { ngx_string("kuzzle_max_encoding_layers"), KZ_HTTP,
      ngx_conf_set_num_slot, NGX_HTTP_LOC_CONF_OFFSET,
      KZ_LOC(encoding_layers), &ngx_kuzzle_layers_bounds },

    { ngx_string("kuzzle_max_form_file_size"), KZ_HTTP,
      ngx_conf_set_size_slot, NGX_HTTP_LOC_CONF_OFFSET,
      KZ_LOC(form_file_max), NULL },

    { ngx_string("kuzzle_max_pending"), KZ_HTTP,
      ngx_conf_set_num_slot, NGX_HTTP_LOC_CONF_OFFSET, KZ_LOC(pending),
      &ngx_kuzzle_count_bounds },

    { ngx_string("kuzzle_max_request_size"), KZ_HTTP,
      ngx_conf_set_size_slot, NGX_HTTP_LOC_CONF_OFFSET, KZ_LOC(body_max),
      &ngx_http_kuzzle_body_bounds },

    { ngx_string("kuzzle_max_subscriptions"), KZ_HTTP,
      ngx_conf_set_num_slot, NGX_HTTP_LOC_CONF_OFFSET,
      KZ_LOC(subscriptions), NULL },

    { ngx_string("kuzzle_send_queue"), KZ_HTTP,
      ngx_conf_set_size_slot, NGX_HTTP_LOC_CONF_OFFSET, KZ_LOC(send_queue),
      NULL },

    { ngx_string("kuzzle_send_timeout"), KZ_HTTP,
      ngx_conf_set_msec_slot, NGX_HTTP_LOC_CONF_OFFSET,
      KZ_LOC(send_timeout), NULL },

    { ngx_string("kuzzle_shutdown"), KZ_HTTP,
      ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, KZ_LOC(shutdown),
      NULL },

    { ngx_string("kuzzle_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      kz_http_set_status, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL },

      ngx_null_command
};


/* stream */

static ngx_command_t  ngx_stream_kuzzle_commands[] = {

    { ngx_string("kuzzle_mqtt"),
      NGX_STREAM_SRV_CONF|NGX_CONF_NOARGS,
      ngx_stream_kuzzle_mqtt, 0, 0, NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_kuzzle_module_ctx = {
    ngx_string("kuzzle"),
    ngx_kuzzle_create_conf,
    ngx_kuzzle_init_conf
};


ngx_module_t  ngx_kuzzle_module = {
    NGX_MODULE_V1,
    &ngx_kuzzle_module_ctx,
    ngx_kuzzle_commands,
    NGX_CORE_MODULE,
    NULL,                                  /* init master */
    ngx_kuzzle_init_module,                /* init module */
    ngx_kuzzle_init_process,               /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_kuzzle_exit_process,               /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_module_t  ngx_http_kuzzle_module_ctx = {
    kz_http_add_variables,                 /* preconfiguration */
    NULL,                                  /* postconfiguration */
    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    kz_http_create_loc_conf,               /* create location configuration */
    kz_http_merge_loc_conf                 /* merge location configuration */
};


ngx_module_t  ngx_http_kuzzle_module = {
    NGX_MODULE_V1,
    &ngx_http_kuzzle_module_ctx,
    ngx_http_kuzzle_commands,
    NGX_HTTP_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};


static ngx_stream_module_t  ngx_stream_kuzzle_module_ctx;


ngx_module_t  ngx_stream_kuzzle_module = {
    NGX_MODULE_V1,
    &ngx_stream_kuzzle_module_ctx,
    ngx_stream_kuzzle_commands,
    NGX_STREAM_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};


/* The directives inside kuzzle { }. */

ngx_module_t  ngx_kuzzle_conf_module = {
    NGX_MODULE_V1,
    NULL,
    ngx_kuzzle_conf_commands,
    KZ_CONF_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};


static void *
ngx_kuzzle_create_conf(ngx_cycle_t *cycle)
{
    kz_main_conf_t  *conf;

    conf = ngx_pcalloc(cycle->pool, sizeof(kz_main_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->threads = NGX_CONF_UNSET_UINT;
    conf->store_timeout = NGX_CONF_UNSET_MSEC;
    conf->query_timeout = NGX_CONF_UNSET_MSEC;
    conf->store_pending = NGX_CONF_UNSET_UINT;
    conf->open_files = NGX_CONF_UNSET_UINT;
    conf->bus_size = NGX_CONF_UNSET_SIZE;
    conf->bus_queue = NGX_CONF_UNSET_SIZE;
    conf->fetch_count = NGX_CONF_UNSET_UINT;
    conf->write_count = NGX_CONF_UNSET_UINT;
    conf->filter_conditions = NGX_CONF_UNSET_UINT;
    conf->filter_minterms = NGX_CONF_UNSET_UINT;
    conf->rooms = NGX_CONF_UNSET_UINT;
    conf->drain = NGX_CONF_UNSET_MSEC;
    conf->store_wait = NGX_CONF_UNSET_MSEC;
    conf->store_pending_size = NGX_CONF_UNSET_SIZE;
    conf->stats_interval = NGX_CONF_UNSET_MSEC;
    conf->stats_ttl = NGX_CONF_UNSET_MSEC;

    return conf;
}


/*
 * The directives inside kuzzle { } belong to a module of a type of its own:
 * outside of it they do not exist.
 */

static char *
ngx_kuzzle_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char            *rv;
    ngx_conf_t       save;
    kz_main_conf_t  *kcf = conf;

    if (kcf->declared) {
        return "is duplicate";
    }

    kcf->declared = 1;
    ngx_kuzzle_where(cf, kcf);

    cf->cycle->conf_ctx[ngx_kuzzle_conf_module.index] = conf;

    save = *cf;
    cf->module_type = KZ_CONF_MODULE;
    cf->cmd_type = KZ_CONF;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static char *
ngx_kuzzle_set_data(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t       *value;
    kz_main_conf_t  *kcf = conf;

    if (kcf->data.data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    kcf->data = value[1];

    if (kcf->data.len == 0) {
        return "needs a path";
    }

    return NGX_CONF_OK;
}


/* Remembers the place to name in errors found when all has been read. */

static void
ngx_kuzzle_where(ngx_conf_t *cf, kz_main_conf_t *kcf)
{
    if (kcf->file.data == NULL && cf->conf_file) {
        kcf->file = cf->conf_file->file.name;
        kcf->line = cf->conf_file->line;
    }
}


/* "kuzzle" beside nginx's own temporary files, wherever its build puts them */

static ngx_int_t
ngx_kuzzle_default_data(ngx_cycle_t *cycle, ngx_str_t *data)
{
    u_char     *p;
    ngx_str_t   temp;

    ngx_str_set(&temp, NGX_HTTP_CLIENT_TEMP_PATH);

    while (temp.len && temp.data[temp.len - 1] != '/') {
        temp.len--;
    }

    data->len = temp.len + sizeof("kuzzle") - 1;
    data->data = ngx_pnalloc(cycle->pool, data->len + 1);
    if (data->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(data->data, temp.data, temp.len);
    ngx_memcpy(p, "kuzzle", sizeof("kuzzle"));

    return NGX_OK;
}


static char *
ngx_kuzzle_init_conf(ngx_cycle_t *cycle, void *conf)
{
    ngx_conf_t        cf;
    ngx_conf_file_t   file;
    kz_main_conf_t   *kcf = conf;

    ngx_conf_init_uint_value(kcf->threads, 4);
    ngx_conf_init_msec_value(kcf->store_timeout, 10000);
    ngx_conf_init_msec_value(kcf->query_timeout, 5000);
    ngx_conf_init_uint_value(kcf->store_pending, 10000);
    ngx_conf_init_uint_value(kcf->open_files, 64);
    ngx_conf_init_size_value(kcf->bus_size, 32 * 1024 * 1024);
    ngx_conf_init_size_value(kcf->bus_queue, 16 * 1024 * 1024);
    ngx_conf_init_uint_value(kcf->fetch_count, 10000);
    ngx_conf_init_uint_value(kcf->write_count, 200);
    ngx_conf_init_uint_value(kcf->filter_conditions, 100);
    ngx_conf_init_uint_value(kcf->filter_minterms, 0);
    ngx_conf_init_uint_value(kcf->rooms, 1000000);
    ngx_conf_init_msec_value(kcf->drain, 30000);
    ngx_conf_init_msec_value(kcf->store_wait, 1000);
    ngx_conf_init_size_value(kcf->store_pending_size, 128 * 1024 * 1024);
    ngx_conf_init_msec_value(kcf->stats_interval, 10000);
    ngx_conf_init_msec_value(kcf->stats_ttl, 3600000);

    if (kcf->data.data == NULL
        && ngx_kuzzle_default_data(cycle, &kcf->data) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (kcf->node.data == NULL) {
        ngx_str_set(&kcf->node, "knode-ngx-kuzzle");
    }

    if (!kcf->enabled) {
        return NGX_CONF_OK;
    }

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    ngx_memzero(&file, sizeof(ngx_conf_file_t));

    file.file.name = kcf->file;
    file.line = kcf->line;

    cf.cycle = cycle;
    cf.pool = cycle->pool;
    cf.log = cycle->log;
    cf.ctx = cycle->conf_ctx;
    cf.conf_file = &file;

    while (kcf->data.len > 1 && kcf->data.data[kcf->data.len - 1] == '/') {
        kcf->data.len--;
    }

    if (ngx_conf_full_name(cycle, &kcf->data, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* nginx would make it as well, but name no line when it cannot */

    if (ngx_create_dir(kcf->data.data, 0700) == NGX_FILE_ERROR
        && ngx_errno != NGX_EEXIST)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, &cf, ngx_errno,
                           "kuzzle: the data directory \"%V\" cannot be made",
                           &kcf->data);
        return NGX_CONF_ERROR;
    }

    if (kcf->bus_size < KZ_BUS_MIN_SIZE) {
        ngx_conf_log_error(NGX_LOG_EMERG, &cf, 0,
                           "\"bus_size\" must be at least %uzm",
                           KZ_BUS_MIN_SIZE / 1024 / 1024);
        return NGX_CONF_ERROR;
    }

    if (kz_bus_configure(&cf, kcf) != NGX_CONF_OK
        || kz_stat_configure(&cf, kcf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return kz_store_configure(&cf, kcf);
}


static ngx_int_t
ngx_kuzzle_init_module(ngx_cycle_t *cycle)
{
    kz_conf = (kz_main_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                              ngx_kuzzle_module);

    if (!kz_conf->enabled) {
        kz_conf = NULL;
        return NGX_OK;
    }

    /* static memory survives a reload: all of it is made anew here */

    if (kz_shutdown_init(cycle) != NGX_OK
        || kz_router_init(cycle) != NGX_OK
        || kz_route_init(cycle) != NGX_OK
        || kz_server_init(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_bus_init_module(cycle);
}


/*
 * Workers and the writer end with their master, however it ends: nobody
 * would stop them, and they would keep the port and the data directory.
 */

static ngx_int_t
ngx_kuzzle_init_process(ngx_cycle_t *cycle)
{
    if (kz_conf == NULL) {
        return NGX_OK;
    }

    if (ngx_process == NGX_PROCESS_WORKER
        || ngx_process == NGX_PROCESS_HELPER)
    {
        if (prctl(PR_SET_PDEATHSIG, SIGQUIT, 0, 0, 0) == -1) {
            ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno,
                          "kuzzle: prctl(PR_SET_PDEATHSIG) failed");
        }

        if (getppid() != ngx_parent) {
            ngx_quit = 1;
        }
    }

    if (ngx_process == NGX_PROCESS_HELPER) {
        return kz_store_init_process(cycle);
    }

    if (kz_bus_init_process(cycle) != NGX_OK
        || kz_store_init_process(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    kz_stat_init_process(cycle);

    return kz_realtime_init_process(cycle);
}


static void
ngx_kuzzle_exit_process(ngx_cycle_t *cycle)
{
    if (kz_conf == NULL) {
        return;
    }

    kz_stat_exit_process();
    kz_realtime_exit_process();
    kz_store_exit_process(cycle);
    kz_bus_exit_process();
    kz_deflate_exit();
}


static char *
ngx_http_kuzzle(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    kz_main_conf_t            *kcf;
    kz_loc_conf_t             *lcf = conf;
    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->enable != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    lcf->enable = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_kuzzle_handler;

    kcf = (kz_main_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                          ngx_kuzzle_module);
    kcf->enabled = 1;
    ngx_kuzzle_where(cf, kcf);

    return NGX_CONF_OK;
}


/* A worker drains as a whole: the setting is the server's, not a location's. */

static char *
ngx_http_kuzzle_drain(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_command_t    main;
    kz_main_conf_t  *kcf;

    kcf = (kz_main_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                          ngx_kuzzle_module);

    main = *cmd;
    main.offset = KZ_MAIN(drain);

    return ngx_conf_set_msec_slot(cf, &main, kcf);
}


static char *
ngx_http_kuzzle_check_body(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *size = data;

    if (*size < 1024 || *size > KZ_MAX_REQUEST_SIZE) {
        return "must be between 1k and 4m";
    }

    return NGX_CONF_OK;
}


/*
 * MQTT is not there yet, and says so by name.  Loaded before nginx's stream
 * module, this one could not work inside stream { } at all.
 */

static char *
ngx_stream_kuzzle_mqtt(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    if (&ngx_stream_core_module == NULL) {
        return "needs ngx_stream_module.so loaded before this module";
    }

    return "is not supported by this version of the module";
}
