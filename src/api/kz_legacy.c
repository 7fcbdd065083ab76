/*
 * A query of before 1.0 becomes one of generation 1.  See kz_legacy.h.
 *
 *     metadata                      volatile
 *     headers.authorization         jwt
 *     body._id                      _id
 *     query, filter, ... at the     the body of a search
 *       root
 *     filter of a search            a filter clause of its query
 *     state, scope, users           the same in lower case
 *     members of the body that      arguments
 *       are arguments since
 */

#include "api/kz_legacy.h"


static ngx_uint_t kz_legacy_is(kz_req_t *req);
static ngx_uint_t kz_legacy_token(kz_req_t *req, ngx_str_t *token);
static void kz_legacy_metadata(kz_req_t *req);
static void kz_legacy_lower(kz_req_t *req, const char *name);
static ngx_uint_t kz_legacy_searches(const kz_legacy_row_t *row);
static ngx_int_t kz_legacy_root(kz_req_t *req);
static ngx_int_t kz_legacy_body(kz_req_t *req, const kz_legacy_row_t *row);
static ngx_int_t kz_legacy_default(kz_req_t *req, const char *lift);
static ngx_int_t kz_legacy_lift(kz_req_t *req, kz_json_member_t *m);
static ngx_uint_t kz_legacy_lifted(const char *lift, kz_json_member_t *m);
static void kz_legacy_clauses(kz_out_t *o, kz_json_val_t *query,
    kz_json_val_t *filter);
static ngx_int_t kz_legacy_full(kz_req_t *req);


#define kz_legacy_name_is(s, n)                                               \
    ((s)->len == sizeof(n) - 1                                                \
     && ngx_memcmp((s)->data, n, sizeof(n) - 1) == 0)


ngx_uint_t
kz_legacy_controller(const ngx_str_t *name)
{
    return kz_legacy_name_is(name, "write") || kz_legacy_name_is(name, "read")
           || kz_legacy_name_is(name, "subscribe");
}


ngx_int_t
kz_legacy_query(kz_req_t *req)
{
    const kz_legacy_row_t  *row;

    if (req->dialect == KZ_DIALECT_2
        || req->conf->api != KZ_DIALECT_AUTO
        || req->controller.data == NULL
        || req->action_name.data == NULL
        || !kz_legacy_is(req))
    {
        return NGX_OK;
    }

    req->legacy = 1;
    row = kz_legacy_find(&req->controller, &req->action_name);

    return kz_legacy_change(req, row);
}


/*
 * A controller that was given up, a token where it was then, or metadata in
 * the query of an action that only was known then.  (Metadata alone is no
 * proof: any argument may have that name.)
 */

static ngx_uint_t
kz_legacy_is(kz_req_t *req)
{
    ngx_str_t               token;
    const kz_legacy_row_t  *row;

    if (kz_legacy_controller(&req->controller)) {
        return 1;
    }

    if (req->nargs == 0 || req->volatile_.type != KZ_JSON_NONE) {
        return 0;
    }

    if (req->jwt.data == NULL && kz_legacy_token(req, &token)) {
        return 1;
    }

    if (kz_req_arg(req, "metadata", 8) == NULL) {
        return 0;
    }

    row = kz_legacy_find(&req->controller, &req->action_name);

    return row && row->heir && row->heir[0] != '=';
}


ngx_int_t
kz_legacy_change(kz_req_t *req, const kz_legacy_row_t *row)
{
    ngx_str_t  token;

    if (row) {
        req->action = kz_legacy_action(row);
    }

    kz_legacy_metadata(req);

    if (req->jwt.data == NULL && kz_legacy_token(req, &token)) {
        req->jwt = token;
    }

    kz_legacy_lower(req, "state");
    kz_legacy_lower(req, "scope");
    kz_legacy_lower(req, "users");

    if (row == NULL) {
        return NGX_OK;
    }

    if (kz_legacy_searches(row) && req->body.type == KZ_JSON_NONE
        && kz_legacy_root(req) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (row->lift && kz_legacy_default(req, row->lift) != NGX_OK) {
        return NGX_ERROR;
    }

    if (req->body.type != KZ_JSON_OBJECT) {
        return NGX_OK;
    }

    return kz_legacy_body(req, row);
}


/* "headers": {"authorization": "Bearer <token>"} */

static ngx_uint_t
kz_legacy_token(kz_req_t *req, ngx_str_t *token)
{
    kz_arg_t       *arg;
    ngx_str_t       s;
    kz_json_val_t   v;

    arg = kz_req_arg(req, "headers", 7);

    if (arg == NULL || arg->val.type != KZ_JSON_OBJECT
        || kz_json_get(&arg->val, "authorization", 13, &v) != NGX_OK
        || v.type != KZ_JSON_STRING
        || kz_json_string(req->pool, &v, &s) != NGX_OK
        || s.len <= 7
        || ngx_strncmp(s.data, "Bearer ", 7) != 0)
    {
        return 0;
    }

    token->data = s.data + 7;
    token->len = s.len - 7;

    return 1;
}


static void
kz_legacy_metadata(kz_req_t *req)
{
    kz_arg_t  *arg;

    arg = kz_req_arg(req, "metadata", 8);

    if (arg == NULL || arg->val.type != KZ_JSON_OBJECT
        || req->volatile_.type != KZ_JSON_NONE)
    {
        return;
    }

    arg->val.raw.len = kz_json_compact(arg->val.raw.data, arg->val.raw.data,
                                       arg->val.raw.len)
                       - arg->val.raw.data;
    req->volatile_ = arg->val;
}


static void
kz_legacy_lower(kz_req_t *req, const char *name)
{
    kz_arg_t  *arg;

    arg = kz_req_arg(req, name, 5);

    if (arg && arg->val.type == KZ_JSON_STRING && !arg->val.escaped) {
        ngx_strlow(arg->val.raw.data, arg->val.raw.data, arg->val.raw.len);
    }
}


static ngx_uint_t
kz_legacy_searches(const kz_legacy_row_t *row)
{
    return row->heir
           && (ngx_strcmp(row->heir, "document:search") == 0
               || ngx_strcmp(row->heir, "document:count") == 0
               || ngx_strcmp(row->heir, "document:deleteByQuery") == 0);
}


/* A search whose request lies at the root of the query. */

static ngx_int_t
kz_legacy_root(kz_req_t *req)
{
    kz_out_t    o;
    kz_arg_t   *arg;
    ngx_uint_t  i, n;

    if (kz_req_arg(req, "query", 5) == NULL
        && kz_req_arg(req, "filter", 6) == NULL)
    {
        return NGX_OK;
    }

    kz_out_init(&o, req->pool, 256);
    kz_out_char(&o, '{');

    n = 0;

    for (i = 0; i < req->nargs; i++) {
        arg = &req->args[i];

        if (arg->val.type == KZ_JSON_NONE
            || kz_legacy_name_is(&arg->name, "metadata")
            || kz_legacy_name_is(&arg->name, "headers")
            || kz_legacy_name_is(&arg->name, "clientId")
            || kz_legacy_name_is(&arg->name, "state")
            || kz_legacy_name_is(&arg->name, "scope")
            || kz_legacy_name_is(&arg->name, "users"))
        {
            continue;
        }

        if (n++) {
            kz_out_char(&o, ',');
        }

        kz_out_json_str(&o, &arg->name);
        kz_out_char(&o, ':');
        kz_out_str(&o, &arg->val.raw);
    }

    kz_out_char(&o, '}');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    req->body.type = KZ_JSON_OBJECT;
    req->body.escaped = 0;
    req->body.raw.data = o.start;
    req->body.raw.len = kz_json_compact(o.start, o.start, kz_out_len(&o))
                        - o.start;

    return NGX_OK;
}


/* The body without what is not of it any more. */

static ngx_int_t
kz_legacy_body(kz_req_t *req, const kz_legacy_row_t *row)
{
    kz_out_t           o;
    ngx_uint_t         n, searches;
    kz_json_val_t      query, filter;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    searches = kz_legacy_searches(row);

    ngx_memzero(&query, sizeof(kz_json_val_t));
    ngx_memzero(&filter, sizeof(kz_json_val_t));

    kz_out_init(&o, req->pool, req->body.raw.len + 32);
    kz_out_char(&o, '{');

    n = 0;

    kz_json_iter(&it, &req->body);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (m.val.type == KZ_JSON_STRING
            && kz_json_key_is(&m, "_id", 3) == NGX_OK)
        {
            if (kz_json_string(req->pool, &m.val, &req->id) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (searches && kz_json_key_is(&m, "query", 5) == NGX_OK) {
            query = m.val;
            continue;
        }

        if (searches && kz_json_key_is(&m, "filter", 6) == NGX_OK) {
            filter = m.val;
            continue;
        }

        if (row->lift && kz_legacy_lifted(row->lift, &m)) {
            if (kz_legacy_lift(req, &m) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (n++) {
            kz_out_char(&o, ',');
        }

        kz_out_char(&o, '"');
        kz_out_str(&o, &m.key);
        kz_out_lit(&o, "\":");
        kz_out_str(&o, &m.val.raw);
    }

    if (query.type != KZ_JSON_NONE || filter.type != KZ_JSON_NONE) {
        if (n) {
            kz_out_char(&o, ',');
        }

        kz_legacy_clauses(&o, &query, &filter);
    }

    kz_out_char(&o, '}');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    req->body.raw.data = o.start;
    req->body.raw.len = kz_out_len(&o);

    return NGX_OK;
}


/* A filter beside the query was given up with Elasticsearch 1. */

static void
kz_legacy_clauses(kz_out_t *o, kz_json_val_t *query, kz_json_val_t *filter)
{
    kz_out_lit(o, "\"query\":");

    if (filter->type == KZ_JSON_NONE) {
        kz_out_str(o, &query->raw);
        return;
    }

    kz_out_lit(o, "{\"bool\":{");

    if (query->type != KZ_JSON_NONE) {
        kz_out_lit(o, "\"must\":[");
        kz_out_str(o, &query->raw);
        kz_out_lit(o, "],");
    }

    kz_out_lit(o, "\"filter\":[");
    kz_out_str(o, &filter->raw);
    kz_out_lit(o, "]}}");
}


static ngx_int_t
kz_legacy_default(kz_req_t *req, const char *lift)
{
    const char  *eq, *end;
    kz_arg_t    *arg;

    eq = strchr(lift, '=');
    if (eq == NULL) {
        return NGX_OK;
    }

    end = strchr(eq, ' ');
    if (end == NULL) {
        end = eq + ngx_strlen(eq);
    }

    if (kz_req_arg(req, lift, eq - lift)) {
        return NGX_OK;
    }

    arg = kz_req_arg_push(req);
    if (arg == NULL) {
        return kz_legacy_full(req);
    }

    arg->name.data = (u_char *) lift;
    arg->name.len = eq - lift;
    arg->text.data = (u_char *) eq + 1;
    arg->text.len = end - eq - 1;

    return NGX_OK;
}


/* What came out of a URL is text, whatever it says: read it as such. */

static ngx_int_t
kz_legacy_lift(kz_req_t *req, kz_json_member_t *m)
{
    kz_arg_t  *arg;

    arg = kz_req_arg_push(req);
    if (arg == NULL) {
        return kz_legacy_full(req);
    }

    if (kz_json_key(req->pool, m, &arg->name) != NGX_OK) {
        return NGX_ERROR;
    }

    if (m->val.type == KZ_JSON_STRING) {
        return kz_json_string(req->pool, &m->val, &arg->text);
    }

    arg->val = m->val;

    return NGX_OK;
}


/* lift: names between spaces, the first perhaps with "=default"; or "*" */

static ngx_uint_t
kz_legacy_lifted(const char *lift, kz_json_member_t *m)
{
    size_t  len;

    if (lift[0] == '*') {
        return 1;
    }

    while (*lift) {
        len = strcspn(lift, " =");

        if (kz_json_key_is(m, lift, len) == NGX_OK) {
            return 1;
        }

        lift += strcspn(lift, " ");

        if (*lift == ' ') {
            lift++;
        }
    }

    return 0;
}


static ngx_int_t
kz_legacy_full(kz_req_t *req)
{
    return kz_fail_text(req, 400, "Too many arguments");
}
