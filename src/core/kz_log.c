/*
 * kuzzle_log: when a line is written, and where it goes.  As nginx's access
 * log: one write(2) per line, or per buffer.
 */

#include "core/kz_log.h"

#include <ngx_event.h>


/*
 * Begins like the buffers of nginx's access log: a file that has a buffer of
 * both is shared with its module, which looks at these members.
 */

typedef struct {
    u_char       *start;
    u_char       *pos;
    u_char       *last;
    ngx_event_t  *event;
    ngx_msec_t    flush;
    ngx_int_t     gzip;
} kz_log_buf_t;


static void kz_log_lines(kz_log_line_t *line);
static void kz_log_put(kz_log_t *log, u_char *p, size_t len);
static void kz_log_write(kz_log_t *log, u_char *p, size_t len);
static void kz_log_flush(ngx_open_file_t *file, ngx_log_t *log);
static void kz_log_flush_handler(ngx_event_t *ev);


void
kz_log_query(kz_req_t *req, ngx_uint_t status)
{
    kz_log_line_t  line;

    line.client = req->client;
    line.req = req;
    line.status = status;
    line.end = NULL;

    kz_log_lines(&line);
}


void
kz_log_session(kz_client_t *c, const kz_log_end_t *end)
{
    kz_log_line_t  line;

    if (c->conf->logs == NULL) {
        return;
    }

    line.client = c;
    line.req = NULL;
    line.status = 0;
    line.end = end;

    kz_log_lines(&line);
}


static void
kz_log_lines(kz_log_line_t *line)
{
    u_char       *p;
    kz_log_t     *log;
    ngx_uint_t    i;
    ngx_array_t  *logs;

    logs = line->client->conf->logs;
    log = logs->elts;

    for (i = 0; i < logs->nelts; i++) {

        /* a file system that is full is not asked again in this second */

        if (log[i].full == ngx_time()) {
            continue;
        }

        p = kz_log_format(log[i].format->line, log[i].format, line);
        *p++ = LF;

        kz_log_put(&log[i], log[i].format->line, p - log[i].format->line);
    }
}


static void
kz_log_put(kz_log_t *log, u_char *p, size_t len)
{
    kz_log_buf_t  *buf;

    buf = log->file->data;

    if (buf == NULL) {
        kz_log_write(log, p, len);
        return;
    }

    if (len > (size_t) (buf->last - buf->pos) && buf->pos != buf->start) {
        kz_log_write(log, buf->start, buf->pos - buf->start);
        buf->pos = buf->start;
    }

    if (len > (size_t) (buf->last - buf->pos)) {
        kz_log_write(log, p, len);
        return;
    }

    if (buf->event && buf->pos == buf->start) {
        ngx_add_timer(buf->event, buf->flush);
    }

    buf->pos = ngx_cpymem(buf->pos, p, len);
}


static void
kz_log_write(kz_log_t *log, u_char *p, size_t len)
{
    time_t     now;
    ssize_t    n;
    ngx_err_t  err;

    n = ngx_write_fd(log->file->fd, p, len);

    if (n == (ssize_t) len) {
        return;
    }

    now = ngx_time();
    err = (n == -1) ? ngx_errno : 0;

    if (err == NGX_ENOSPC) {
        log->full = now;
    }

    if (now - log->failed > 59) {
        log->failed = now;

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, err,
                      "kuzzle: " ngx_write_fd_n " to \"%V\": "
                      "%z of %uz bytes", &log->file->name, n, len);
    }
}


/*
 * Called by nginx before it opens the files anew, and when a process ends;
 * and by the timer.
 */

static void
kz_log_flush(ngx_open_file_t *file, ngx_log_t *log)
{
    size_t         len;
    ssize_t        n;
    kz_log_buf_t  *buf;

    buf = file->data;
    len = buf->pos - buf->start;

    if (len) {
        n = ngx_write_fd(file->fd, buf->start, len);

        if (n != (ssize_t) len) {
            ngx_log_error(NGX_LOG_ERR, log, n == -1 ? ngx_errno : 0,
                          "kuzzle: " ngx_write_fd_n " to \"%V\": "
                          "%z of %uz bytes", &file->name, n, len);
        }

        buf->pos = buf->start;
    }

    if (buf->event && buf->event->timer_set) {
        ngx_del_timer(buf->event);
    }
}


static void
kz_log_flush_handler(ngx_event_t *ev)
{
    kz_log_flush(ev->data, ev->log);
}


char *
kz_log_set_buffer(ngx_conf_t *cf, ngx_open_file_t *file, size_t size,
    ngx_msec_t flush)
{
    kz_log_buf_t  *buf;

    buf = file->data;

    if (buf) {

        /* one of the access log's: what it compresses is not for us */

        if (size == 0 && buf->gzip == 0) {
            return NGX_CONF_OK;
        }

        if ((size_t) (buf->last - buf->start) == size
            && buf->flush == flush && buf->gzip == 0)
        {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is a log with another buffer already",
                           &file->name);
        return NGX_CONF_ERROR;
    }

    if (size == 0) {
        return NGX_CONF_OK;
    }

    buf = ngx_pcalloc(cf->pool, sizeof(kz_log_buf_t));
    if (buf == NULL) {
        return NGX_CONF_ERROR;
    }

    buf->start = ngx_pnalloc(cf->pool, size);
    if (buf->start == NULL) {
        return NGX_CONF_ERROR;
    }

    buf->pos = buf->start;
    buf->last = buf->start + size;
    buf->flush = flush;

    if (flush) {
        buf->event = ngx_pcalloc(cf->pool, sizeof(ngx_event_t));
        if (buf->event == NULL) {
            return NGX_CONF_ERROR;
        }

        /* what is left is written when the process ends: it need not wait */

        buf->event->data = file;
        buf->event->handler = kz_log_flush_handler;
        buf->event->log = &cf->cycle->new_log;
        buf->event->cancelable = 1;
    }

    file->flush = kz_log_flush;
    file->data = buf;

    return NGX_CONF_OK;
}
