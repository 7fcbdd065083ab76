#ifndef _KZ_LOG_H_INCLUDED_
#define _KZ_LOG_H_INCLUDED_

/*
 * kuzzle_log: a line per query, whatever its protocol, and a line per end of
 * a session.
 *
 *     kz_log.c         when a line is written, files and buffers
 *     kz_log_format.c  a format: from its text to operations, to a line
 *     kz_log_conf.c    the directives
 *
 * No token, no password and no body has a variable here.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"


/* Of a longer value only so many bytes are logged. */

#define KZ_LOG_VALUE_MAX  1024


typedef struct kz_log_token_s  kz_log_token_t;


typedef struct {
    const kz_log_token_t  *token;       /* NULL: text */
    ngx_str_t              text;
} kz_log_op_t;


typedef struct {
    ngx_str_t              name;
    ngx_array_t            query;       /* of kz_log_op_t */
    ngx_array_t            session;
    u_char                *line;        /* has room for the longest */
    unsigned               json:1;      /* escaped for JSON strings */
} kz_log_format_t;


/* An element of kz_loc_conf_t's logs. */

typedef struct {
    ngx_open_file_t       *file;
    kz_log_format_t       *format;
    time_t                 full;        /* no space was left then */
    time_t                 failed;      /* and that was said */
} kz_log_t;


/* How a session ended. */

typedef struct {
    ngx_msec_t             lasted;
    off_t                  received;    /* bytes */
    off_t                  sent;
    ngx_uint_t             code;        /* of its protocol */
    const char            *reason;
} kz_log_end_t;


/* What a line is about; a query, or the end of a session. */

typedef struct {
    kz_client_t           *client;
    kz_req_t              *req;         /* NULL: a session has ended */
    ngx_uint_t             status;
    const kz_log_end_t    *end;
    ngx_uint_t             json;
} kz_log_line_t;


/* kz_log.c */

/*
 * A query is answered, or its client has gone before that: kz_client_log,
 * see kz_client.h.
 */
void kz_log_query(kz_req_t *req, ngx_uint_t status);

/* A session has ended; its client is still valid. */
void kz_log_session(kz_client_t *c, const kz_log_end_t *end);

/* A buffer for the file, shared by all who log to it. */
char *kz_log_set_buffer(ngx_conf_t *cf, ngx_open_file_t *file, size_t size,
    ngx_msec_t flush);


/* kz_log_format.c */

/*
 * Adds the operations of a piece of text to ops.  NGX_CONF_ERROR: it has been
 * logged what is wrong.
 */
char *kz_log_compile(ngx_conf_t *cf, ngx_array_t *ops, ngx_str_t *text);

/* The longest line the operations can make. */
size_t kz_log_size(const ngx_array_t *ops);

/* The line, without its end; returns where it ends. */
u_char *kz_log_format(u_char *p, const kz_log_format_t *format,
    kz_log_line_t *line);


/* kz_log_conf.c */

/* kuzzle_log path [format] [buffer=size [flush=time]] | off */
char *kz_log_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* kuzzle_log_format name [escape=default|json] text ... [session text ...] */
char *kz_log_set_format(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _KZ_LOG_H_INCLUDED_ */
