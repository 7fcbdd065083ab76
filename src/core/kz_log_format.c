/*
 * Formats of kuzzle_log: a text with $names in it becomes an array of
 * operations when the configuration is read.
 *
 * Values are other people's text: whatever they hold, a line stays one line,
 * and a quoted field one field.
 */

#include "core/kz_log.h"


struct kz_log_token_s {
    ngx_str_t      name;
    u_char      *(*write)(u_char *p, const kz_log_line_t *line,
                     uintptr_t data);
    uintptr_t      data;
    size_t         size;               /* at most */
};


#define KZ_LOG_NUMBER  NGX_INT64_LEN

/* every byte as \u00XX */
#define KZ_LOG_TEXT    (KZ_LOG_VALUE_MAX * 6)


static const kz_log_token_t *kz_log_token(const ngx_str_t *name);
static ngx_int_t kz_log_name(u_char **pos, u_char *end, ngx_str_t *name);
static size_t kz_log_cut(const ngx_str_t *s);
static u_char *kz_log_text(u_char *p, const kz_log_line_t *line,
    const ngx_str_t *s);
static u_char *kz_log_none(u_char *p, const kz_log_line_t *line);
static u_char *kz_log_seconds(u_char *p, ngx_msec_t ms);

static u_char *kz_log_bytes_in(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_bytes_out(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_code(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_connection(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_error(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_event(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_iso8601(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_local(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_member(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_msec(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_peer(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_pid(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_protocol(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_queries(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_reason(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_id(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_status(u_char *p, const kz_log_line_t *line,
    uintptr_t data);
static u_char *kz_log_time(u_char *p, const kz_log_line_t *line,
    uintptr_t data);


#define KZ_LOG_MEMBER(name, member)                                           \
    { ngx_string(name), kz_log_member, offsetof(kz_req_t, member),            \
      KZ_LOG_TEXT }

static const kz_log_token_t  kz_log_tokens[] = {

    /* of both kinds of lines */

    { ngx_string("connection"), kz_log_connection, 0, NGX_ATOMIC_T_LEN },
    { ngx_string("msec"), kz_log_msec, 0, KZ_LOG_NUMBER + 4 },
    { ngx_string("pid"), kz_log_pid, 0, KZ_LOG_NUMBER },
    { ngx_string("remote_addr"), kz_log_peer, 0, KZ_LOG_TEXT },
    { ngx_string("time_iso8601"), kz_log_iso8601, 0,
      sizeof("1970-09-28T12:00:00+06:00") },
    { ngx_string("time_local"), kz_log_local, 0,
      sizeof("28/Sep/1970:12:00:00 +0600") },
    { ngx_string("kuzzle_event"), kz_log_event, 0, sizeof("session") },
    { ngx_string("kuzzle_protocol"), kz_log_protocol, 0, KZ_LOG_TEXT },
    { ngx_string("kuzzle_session"), kz_log_id, 0, KZ_LOG_TEXT },
    { ngx_string("kuzzle_time"), kz_log_time, 0, KZ_LOG_NUMBER + 4 },

    /* of a query */

    KZ_LOG_MEMBER("kuzzle_action", action_name),
    KZ_LOG_MEMBER("kuzzle_collection", collection),
    KZ_LOG_MEMBER("kuzzle_controller", controller),
    KZ_LOG_MEMBER("kuzzle_id", id),
    KZ_LOG_MEMBER("kuzzle_index", index),
    KZ_LOG_MEMBER("kuzzle_request_id", request_id),
    KZ_LOG_MEMBER("kuzzle_user", user),
    { ngx_string("kuzzle_error"), kz_log_error, 0, KZ_LOG_TEXT },
    { ngx_string("kuzzle_status"), kz_log_status, 0, KZ_LOG_NUMBER },

    /* of the end of a session */

    { ngx_string("kuzzle_bytes_in"), kz_log_bytes_in, 0, KZ_LOG_NUMBER },
    { ngx_string("kuzzle_bytes_out"), kz_log_bytes_out, 0, KZ_LOG_NUMBER },
    { ngx_string("kuzzle_code"), kz_log_code, 0, KZ_LOG_NUMBER },
    { ngx_string("kuzzle_queries"), kz_log_queries, 0, KZ_LOG_NUMBER },
    { ngx_string("kuzzle_reason"), kz_log_reason, 0, KZ_LOG_TEXT },

    { ngx_null_string, NULL, 0, 0 }
};


char *
kz_log_compile(ngx_conf_t *cf, ngx_array_t *ops, ngx_str_t *text)
{
    u_char       *p, *end, *start;
    ngx_str_t     name;
    kz_log_op_t  *op;

    p = text->data;
    end = p + text->len;

    while (p < end) {

        op = ngx_array_push(ops);
        if (op == NULL) {
            return NGX_CONF_ERROR;
        }

        start = p;

        while (p < end && *p != '$') {
            p++;
        }

        if (p > start) {
            op->token = NULL;
            op->text.data = start;
            op->text.len = p - start;
            continue;
        }

        if (kz_log_name(&p, end, &name) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"$\" without a name in \"%V\"", text);
            return NGX_CONF_ERROR;
        }

        op->token = kz_log_token(&name);

        if (op->token == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"kuzzle_log_format\" knows no \"$%V\"",
                               &name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* $name or ${name} */

static ngx_int_t
kz_log_name(u_char **pos, u_char *end, ngx_str_t *name)
{
    u_char      *p;
    ngx_uint_t   braces;

    p = *pos + 1;

    braces = (p < end && *p == '{');
    p += braces;

    name->data = p;

    while (p < end
           && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
               || (*p >= '0' && *p <= '9') || *p == '_'))
    {
        p++;
    }

    name->len = p - name->data;

    if (name->len == 0) {
        return NGX_ERROR;
    }

    if (braces) {
        if (p == end || *p != '}') {
            return NGX_ERROR;
        }

        p++;
    }

    *pos = p;

    return NGX_OK;
}


static const kz_log_token_t *
kz_log_token(const ngx_str_t *name)
{
    const kz_log_token_t  *token;

    for (token = kz_log_tokens; token->name.len; token++) {
        if (token->name.len == name->len
            && ngx_memcmp(token->name.data, name->data, name->len) == 0)
        {
            return token;
        }
    }

    return NULL;
}


size_t
kz_log_size(const ngx_array_t *ops)
{
    size_t        size;
    ngx_uint_t    i;
    kz_log_op_t  *op;

    op = ops->elts;
    size = 0;

    for (i = 0; i < ops->nelts; i++) {
        size += op[i].token ? op[i].token->size : op[i].text.len;
    }

    return size;
}


u_char *
kz_log_format(u_char *p, const kz_log_format_t *format, kz_log_line_t *line)
{
    ngx_uint_t          i;
    kz_log_op_t        *op;
    const ngx_array_t  *ops;

    line->json = format->json;

    ops = line->req ? &format->query : &format->session;
    op = ops->elts;

    for (i = 0; i < ops->nelts; i++) {

        if (op[i].token) {
            p = op[i].token->write(p, line, op[i].token->data);

        } else {
            p = ngx_cpymem(p, op[i].text.data, op[i].text.len);
        }
    }

    return p;
}


/* As nginx's own logs do: what has no value is "-", in JSON nothing. */

static u_char *
kz_log_none(u_char *p, const kz_log_line_t *line)
{
    if (!line->json) {
        *p++ = '-';
    }

    return p;
}


static u_char *
kz_log_text(u_char *p, const kz_log_line_t *line, const ngx_str_t *s)
{
    u_char  *src, *end;

    static u_char  hex[] = "0123456789ABCDEF";

    if (s->len == 0) {
        return kz_log_none(p, line);
    }

    src = s->data;
    end = src + kz_log_cut(s);

    if (line->json) {
        return (u_char *) ngx_escape_json(p, src, end - src);
    }

    for ( /* void */ ; src < end; src++) {

        if (*src >= ' ' && *src < 0x7f && *src != '"' && *src != '\\') {
            *p++ = *src;
            continue;
        }

        *p++ = '\\';
        *p++ = 'x';
        *p++ = hex[*src >> 4];
        *p++ = hex[*src & 0x0f];
    }

    return p;
}


/* The length that is logged, without half a character at its end. */

static size_t
kz_log_cut(const ngx_str_t *s)
{
    size_t  len;

    if (s->len <= KZ_LOG_VALUE_MAX) {
        return s->len;
    }

    len = KZ_LOG_VALUE_MAX;

    while (len > KZ_LOG_VALUE_MAX - 4 && (s->data[len] & 0xc0) == 0x80) {
        len--;
    }

    return len;
}


static u_char *
kz_log_seconds(u_char *p, ngx_msec_t ms)
{
    return ngx_sprintf(p, "%M.%03M", ms / 1000, ms % 1000);
}


static u_char *
kz_log_connection(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) data;

    return ngx_sprintf(p, "%uA", line->client->log->connection);
}


static u_char *
kz_log_msec(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    ngx_time_t  *tp;

    (void) line;
    (void) data;

    tp = ngx_timeofday();

    return ngx_sprintf(p, "%T.%03M", tp->sec, tp->msec);
}


static u_char *
kz_log_pid(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) line;
    (void) data;

    return ngx_sprintf(p, "%P", ngx_pid);
}


static u_char *
kz_log_peer(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    ngx_str_t  addr;

    (void) data;

    ngx_str_null(&addr);

    if (line->client->proto->peer) {
        line->client->proto->peer(line->client, &addr);
    }

    return kz_log_text(p, line, &addr);
}


static u_char *
kz_log_iso8601(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) line;
    (void) data;

    return ngx_cpymem(p, ngx_cached_http_log_iso8601.data,
                      ngx_cached_http_log_iso8601.len);
}


static u_char *
kz_log_local(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) line;
    (void) data;

    return ngx_cpymem(p, ngx_cached_http_log_time.data,
                      ngx_cached_http_log_time.len);
}


static u_char *
kz_log_event(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) data;

    if (line->req) {
        return ngx_cpymem(p, "query", sizeof("query") - 1);
    }

    return ngx_cpymem(p, "session", sizeof("session") - 1);
}


static u_char *
kz_log_protocol(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) data;

    return kz_log_text(p, line, &line->client->proto->name);
}


/* The connection id. */

static u_char *
kz_log_id(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) data;

    if (!(line->client->proto->flags & KZ_PROTO_SESSION)) {
        return kz_log_none(p, line);
    }

    return ngx_cpymem(p, kz_client_id(line->client),
                      sizeof(line->client->id));
}


static u_char *
kz_log_time(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) data;

    return kz_log_seconds(p, line->req
                             ? ngx_current_msec - line->req->started
                             : line->end->lasted);
}


static u_char *
kz_log_member(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    if (line->req == NULL) {
        return kz_log_none(p, line);
    }

    return kz_log_text(p, line,
                       (ngx_str_t *) ((u_char *) line->req + data));
}


static u_char *
kz_log_error(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    ngx_str_t  id;

    (void) data;

    if (line->req == NULL || !line->req->failed) {
        return kz_log_none(p, line);
    }

    id.data = (u_char *) kz_error_def(line->req->error)->id;
    id.len = id.data ? ngx_strlen(id.data) : 0;

    return kz_log_text(p, line, &id);
}


static u_char *
kz_log_status(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) data;

    if (line->req == NULL) {
        return kz_log_none(p, line);
    }

    return ngx_sprintf(p, "%ui", line->status);
}


static u_char *
kz_log_queries(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) data;

    if (line->end == NULL) {
        return kz_log_none(p, line);
    }

    return ngx_sprintf(p, "%uD", line->client->queries);
}


static u_char *
kz_log_bytes_in(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) data;

    if (line->end == NULL) {
        return kz_log_none(p, line);
    }

    return ngx_sprintf(p, "%O", line->end->received);
}


static u_char *
kz_log_bytes_out(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) data;

    if (line->end == NULL) {
        return kz_log_none(p, line);
    }

    return ngx_sprintf(p, "%O", line->end->sent);
}


static u_char *
kz_log_code(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    (void) data;

    if (line->end == NULL) {
        return kz_log_none(p, line);
    }

    return ngx_sprintf(p, "%ui", line->end->code);
}


static u_char *
kz_log_reason(u_char *p, const kz_log_line_t *line, uintptr_t data)
{
    ngx_str_t  text;

    (void) data;

    if (line->end == NULL) {
        return kz_log_none(p, line);
    }

    text.data = (u_char *) line->end->reason;
    text.len = ngx_strlen(text.data);

    return kz_log_text(p, line, &text);
}
