/*
 * The directives of kuzzle_log.
 */

#include "core/kz_log.h"


#define KZ_LOG_DEFAULT  "kuzzle"


static kz_log_format_t *kz_log_format_find(ngx_conf_t *cf, ngx_str_t *name);
static kz_log_format_t *kz_log_format_new(ngx_conf_t *cf, ngx_str_t *name);
static kz_log_format_t *kz_log_format_default(ngx_conf_t *cf);
static char *kz_log_format_done(ngx_conf_t *cf, kz_log_format_t *format);
static char *kz_log_set_options(ngx_conf_t *cf, kz_log_t *log);


extern ngx_module_t  ngx_kuzzle_module;


/* The default format; documented, with an example, in docs/directives.md. */

static ngx_str_t  kz_log_default_query = ngx_string(
    "$remote_addr \"$kuzzle_user\" [$time_local] "
    "\"$kuzzle_protocol $kuzzle_controller:$kuzzle_action "
    "$kuzzle_index/$kuzzle_collection/$kuzzle_id\" "
    "$kuzzle_status $kuzzle_time $kuzzle_error "
    "\"$kuzzle_request_id\" $kuzzle_session");

static ngx_str_t  kz_log_default_session = ngx_string(
    "$remote_addr \"$kuzzle_user\" [$time_local] "
    "\"$kuzzle_protocol -:- session end\" "
    "$kuzzle_code $kuzzle_time \"$kuzzle_reason\" "
    "queries=$kuzzle_queries in=$kuzzle_bytes_in out=$kuzzle_bytes_out "
    "$kuzzle_session");


char *
kz_log_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    kz_log_t       *log;
    ngx_str_t      *value;
    kz_loc_conf_t  *lcf = conf;

    value = cf->args->elts;

    if (lcf->logs == NULL) {
        return "is off already";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (lcf->logs != NGX_CONF_UNSET_PTR || cf->args->nelts != 2) {
            return "off stands alone";
        }

        lcf->logs = NULL;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[1].data, "syslog:", 7) == 0
        || ngx_strlchr(value[1].data, value[1].data + value[1].len, '$'))
    {
        return "needs the path of a file, without variables";
    }

    if (lcf->logs == NGX_CONF_UNSET_PTR) {
        lcf->logs = ngx_array_create(cf->pool, 1, sizeof(kz_log_t));
        if (lcf->logs == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    log = ngx_array_push(lcf->logs);
    if (log == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(log, sizeof(kz_log_t));

    log->file = ngx_conf_open_file(cf->cycle, &value[1]);
    if (log->file == NULL) {
        return NGX_CONF_ERROR;
    }

    kz_client_log = kz_log_query;

    return kz_log_set_options(cf, log);
}


static char *
kz_log_set_options(ngx_conf_t *cf, kz_log_t *log)
{
    ssize_t      size;
    ngx_int_t    flush;
    ngx_str_t   *value, s;
    ngx_uint_t   i;

    value = cf->args->elts;
    size = 0;
    flush = 0;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "buffer=", 7) == 0) {
            s.data = value[i].data + 7;
            s.len = value[i].len - 7;

            size = ngx_parse_size(&s);

            if (size == NGX_ERROR || size == 0) {
                goto invalid;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "flush=", 6) == 0) {
            s.data = value[i].data + 6;
            s.len = value[i].len - 6;

            flush = ngx_parse_time(&s, 0);

            if (flush == NGX_ERROR || flush == 0) {
                goto invalid;
            }

            continue;
        }

        if (i > 2) {
            goto invalid;
        }

        log->format = ngx_strcmp(value[2].data, KZ_LOG_DEFAULT) == 0
                      ? kz_log_format_default(cf)
                      : kz_log_format_find(cf, &value[2]);

        if (log->format == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown kuzzle_log_format \"%V\"",
                               &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    if (flush && size == 0) {
        return "has a flush= without a buffer=";
    }

    if (log->format == NULL) {
        log->format = kz_log_format_default(cf);

        if (log->format == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return kz_log_set_buffer(cf, log->file, size, flush);

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                       &value[i]);
    return NGX_CONF_ERROR;
}


char *
kz_log_set_format(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char             *rv;
    ngx_str_t        *value;
    ngx_uint_t        i;
    ngx_array_t      *ops;
    kz_log_format_t  *format;

    value = cf->args->elts;

    if (kz_log_format_find(cf, &value[1])
        || ngx_strcmp(value[1].data, KZ_LOG_DEFAULT) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate kuzzle_log_format \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    format = kz_log_format_new(cf, &value[1]);
    if (format == NULL) {
        return NGX_CONF_ERROR;
    }

    i = 2;

    if (ngx_strncmp(value[2].data, "escape=", 7) == 0) {

        if (ngx_strcmp(value[2].data + 7, "json") == 0) {
            format->json = 1;

        } else if (ngx_strcmp(value[2].data + 7, "default") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown \"%V\": default and json are known",
                               &value[2]);
            return NGX_CONF_ERROR;
        }

        i++;
    }

    ops = &format->query;

    for ( /* void */ ; i < cf->args->nelts; i++) {

        if (ops == &format->query
            && ngx_strcmp(value[i].data, "session") == 0)
        {
            ops = &format->session;
            continue;
        }

        rv = kz_log_compile(cf, ops, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (format->query.nelts == 0
        || (ops == &format->session && ops->nelts == 0))
    {
        return "has no text";
    }

    if (ops == &format->query) {

        /* one text for both */

        format->session = format->query;
    }

    return kz_log_format_done(cf, format);
}


static kz_log_format_t *
kz_log_format_find(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t         i;
    kz_main_conf_t    *kcf;
    kz_log_format_t  **format;

    kcf = (kz_main_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                          ngx_kuzzle_module);

    if (kcf->log_formats) {
        format = kcf->log_formats->elts;

        for (i = 0; i < kcf->log_formats->nelts; i++) {
            if (format[i]->name.len == name->len
                && ngx_strcmp(format[i]->name.data, name->data) == 0)
            {
                return format[i];
            }
        }
    }

    return NULL;
}


static kz_log_format_t *
kz_log_format_new(ngx_conf_t *cf, ngx_str_t *name)
{
    kz_main_conf_t    *kcf;
    kz_log_format_t   *format, **slot;

    kcf = (kz_main_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                          ngx_kuzzle_module);

    if (kcf->log_formats == NULL) {
        kcf->log_formats = ngx_array_create(cf->pool, 4, sizeof(void *));
        if (kcf->log_formats == NULL) {
            return NULL;
        }
    }

    slot = ngx_array_push(kcf->log_formats);
    if (slot == NULL) {
        return NULL;
    }

    format = ngx_pcalloc(cf->pool, sizeof(kz_log_format_t));
    if (format == NULL) {
        return NULL;
    }

    *slot = format;
    format->name = *name;

    if (ngx_array_init(&format->query, cf->pool, 16, sizeof(kz_log_op_t))
        != NGX_OK
        || ngx_array_init(&format->session, cf->pool, 16,
                          sizeof(kz_log_op_t))
           != NGX_OK)
    {
        return NULL;
    }

    return format;
}


/* Made when it is first used. */

static kz_log_format_t *
kz_log_format_default(ngx_conf_t *cf)
{
    kz_log_format_t  *format;

    static ngx_str_t  name = ngx_string(KZ_LOG_DEFAULT);

    format = kz_log_format_find(cf, &name);
    if (format) {
        return format;
    }

    format = kz_log_format_new(cf, &name);

    if (format == NULL
        || kz_log_compile(cf, &format->query, &kz_log_default_query)
           != NGX_CONF_OK
        || kz_log_compile(cf, &format->session, &kz_log_default_session)
           != NGX_CONF_OK
        || kz_log_format_done(cf, format) != NGX_CONF_OK)
    {
        return NULL;
    }

    return format;
}


/* The longest line is known: none is ever counted before it is written. */

static char *
kz_log_format_done(ngx_conf_t *cf, kz_log_format_t *format)
{
    size_t  query, session;

    query = kz_log_size(&format->query);
    session = kz_log_size(&format->session);

    format->line = ngx_pnalloc(cf->pool, ngx_max(query, session) + 1);
    if (format->line == NULL) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
