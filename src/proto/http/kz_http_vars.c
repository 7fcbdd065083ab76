/*
 * Variables: what a query is, and what became of it.
 *
 * What the URL says is known as soon as the location is: the route is looked
 * up when a variable is asked for, long before the content handler runs, so
 * that limits can depend on it.  The rest exists once the query is answered:
 * then everything comes from the query itself.
 */

#include "proto/http/kz_http.h"


#define KZ_HTTP_VARS_COPIED  7


static kz_http_vars_t *kz_http_vars(ngx_http_request_t *r);
static kz_http_vars_t *kz_http_vars_answered(ngx_http_request_t *r);
static void kz_http_vars_route(ngx_http_request_t *r, kz_http_vars_t *vars);
static ngx_int_t kz_http_vars_args(ngx_http_request_t *r,
    kz_http_vars_t *vars);
static void kz_http_vars_param(kz_http_vars_t *vars, const ngx_str_t *name,
    const ngx_str_t *value);
static void kz_http_vars_names(kz_http_vars_t *vars, const char *controller,
    const char *action);
static void kz_http_vars_legacy(kz_http_vars_t *vars, const kz_route_t *route,
    ngx_str_t *values);
static ngx_int_t kz_http_vars_value(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, const ngx_str_t *s);

static ngx_int_t kz_http_var_protocol(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t kz_http_var_reply(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t kz_http_var_status(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t kz_http_var_time(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t kz_http_var_url(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


#define KZ_HTTP_VAR(name, handler, member)                                    \
    { ngx_string(name), NULL, handler, offsetof(kz_http_vars_t, member),      \
      NGX_HTTP_VAR_NOCACHEABLE, 0 }

static ngx_http_variable_t  kz_http_variables[] = {

    KZ_HTTP_VAR("kuzzle_action", kz_http_var_url, action),
    KZ_HTTP_VAR("kuzzle_collection", kz_http_var_url, collection),
    KZ_HTTP_VAR("kuzzle_controller", kz_http_var_url, controller),
    KZ_HTTP_VAR("kuzzle_error", kz_http_var_reply, error),
    KZ_HTTP_VAR("kuzzle_id", kz_http_var_url, id),
    KZ_HTTP_VAR("kuzzle_index", kz_http_var_url, index),
    KZ_HTTP_VAR("kuzzle_protocol", kz_http_var_protocol, status),
    KZ_HTTP_VAR("kuzzle_request_id", kz_http_var_reply, request_id),
    KZ_HTTP_VAR("kuzzle_status", kz_http_var_status, status),
    KZ_HTTP_VAR("kuzzle_time", kz_http_var_time, elapsed),
    KZ_HTTP_VAR("kuzzle_user", kz_http_var_reply, user),

      ngx_http_null_variable
};


/* What is copied out of a query, which ends before its HTTP request. */

static const struct {
    size_t  from;
    size_t  to;

} kz_http_vars_copied[KZ_HTTP_VARS_COPIED] = {

#define KZ_HTTP_COPY(from, to)                                                \
    { offsetof(kz_req_t, from), offsetof(kz_http_vars_t, to) }

    KZ_HTTP_COPY(controller, controller),
    KZ_HTTP_COPY(action_name, action),
    KZ_HTTP_COPY(index, index),
    KZ_HTTP_COPY(collection, collection),
    KZ_HTTP_COPY(id, id),
    KZ_HTTP_COPY(user, user),
    KZ_HTTP_COPY(request_id, request_id)

#undef KZ_HTTP_COPY
};

#define kz_http_vars_str(p, offset)  ((ngx_str_t *) ((u_char *) (p) + offset))


ngx_int_t
kz_http_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = kz_http_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


void
kz_http_vars_set(kz_http_ctx_t *ctx, kz_req_t *req)
{
    size_t           len;
    u_char          *p;
    ngx_str_t       *from, *to;
    ngx_uint_t       i;
    kz_http_vars_t  *vars = &ctx->vars;

    len = 0;

    for (i = 0; i < KZ_HTTP_VARS_COPIED; i++) {
        len += kz_http_vars_str(req, kz_http_vars_copied[i].from)->len;
    }

    p = ngx_pnalloc(ctx->r->pool, len + 1);
    if (p == NULL) {
        return;
    }

    for (i = 0; i < KZ_HTTP_VARS_COPIED; i++) {
        from = kz_http_vars_str(req, kz_http_vars_copied[i].from);
        to = kz_http_vars_str(vars, kz_http_vars_copied[i].to);

        to->len = from->len;

        if (from->len) {
            to->data = p;
            p = ngx_cpymem(p, from->data, from->len);
        }
    }

    if (req->failed) {
        vars->error.data = (u_char *) kz_error_def(req->error)->id;
        vars->error.len = vars->error.data ? ngx_strlen(vars->error.data) : 0;
    }

    vars->status = req->status;
    vars->elapsed = ngx_current_msec - req->started;
    vars->answered = 1;
}


/*
 * NULL: not a location of ours, or no memory.  Before the content handler
 * runs, the variables are all there is of a context.
 */

static kz_http_vars_t *
kz_http_vars(ngx_http_request_t *r)
{
    kz_loc_conf_t   *conf;
    kz_http_vars_t  *vars;

    vars = ngx_http_get_module_ctx(r, ngx_http_kuzzle_module);

    if (vars) {
        return vars;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_kuzzle_module);

    if (conf->enable != 1 || kz_conf == NULL) {
        return NULL;
    }

    vars = ngx_pcalloc(r->pool, sizeof(kz_http_vars_t));
    if (vars == NULL) {
        return NULL;
    }

    ngx_http_set_ctx(r, vars, ngx_http_kuzzle_module);

    return vars;
}


/* NULL: there is no reply yet. */

static kz_http_vars_t *
kz_http_vars_answered(ngx_http_request_t *r)
{
    kz_http_vars_t  *vars;

    vars = ngx_http_get_module_ctx(r, ngx_http_kuzzle_module);

    return vars && vars->answered ? vars : NULL;
}


/* A rewrite may have changed the URL since it was looked at. */

static void
kz_http_vars_route(ngx_http_request_t *r, kz_http_vars_t *vars)
{
    kz_verb_e          verb;
    ngx_uint_t         i, n;
    kz_loc_conf_t     *conf;
    const kz_route_t  *route;
    ngx_str_t          parts[KZ_HTTP_MAX_PARTS];
    ngx_str_t          values[KZ_ROUTE_MAX_PARTS];

    if (vars->uri == r->uri.data && vars->args == r->args.data) {
        return;
    }

    ngx_memzero(vars, sizeof(kz_http_vars_t));

    vars->uri = r->uri.data;
    vars->args = r->args.data;

    verb = kz_http_verb(r);
    conf = ngx_http_get_module_loc_conf(r, ngx_http_kuzzle_module);

    if (verb == KZ_VERB_MAX
        || kz_http_upgrades(r)
        || kz_http_parts(r, r->pool, parts, &n) != NGX_OK)
    {
        return;
    }

    if (kz_http_is_legacy(conf, parts, n)) {
        route = n - 2 <= KZ_ROUTE_MAX_PARTS
                ? kz_route_find_legacy(verb, parts + 2, n - 2, values) : NULL;

    } else {
        route = n <= KZ_ROUTE_MAX_PARTS
                ? kz_route_find(verb, parts, n, values) : NULL;
    }

    if (route == NULL || kz_http_vars_args(r, vars) != NGX_OK) {
        return;
    }

    for (i = 0; i < route->nparams; i++) {
        kz_http_vars_param(vars, &route->params[i], &values[i]);
    }

    if (route->legacy) {
        kz_http_vars_legacy(vars, route, values);

    } else if (route->kind == KZ_ROUTE_ACTION) {
        kz_http_vars_names(vars, route->controller->name,
                           route->action->name);
    }
}


static void
kz_http_vars_names(kz_http_vars_t *vars, const char *controller,
    const char *action)
{
    vars->controller.data = (u_char *) controller;
    vars->controller.len = ngx_strlen(controller);
    vars->action.data = (u_char *) action;
    vars->action.len = ngx_strlen(action);
}


/*
 * Their routes call a document's id "id"; one of them ends with "_" and the
 * name of the action.
 */

static void
kz_http_vars_legacy(kz_http_vars_t *vars, const kz_route_t *route,
    ngx_str_t *values)
{
    ngx_str_t   *last;
    ngx_uint_t   i;

    for (i = 0; i < route->nparams; i++) {
        if (route->params[i].len == 2
            && ngx_memcmp(route->params[i].data, "id", 2) == 0)
        {
            vars->id = values[i];
        }
    }

    kz_http_vars_names(vars, route->legacy->controller, route->legacy->name);

    if (vars->action.len) {
        return;
    }

    last = &values[route->nparams - 1];

    if (last->len < 2 || last->data[0] != '_') {
        ngx_str_null(&vars->controller);
        return;
    }

    vars->action.data = last->data + 1;
    vars->action.len = last->len - 1;
}


static ngx_int_t
kz_http_vars_args(ngx_http_request_t *r, kz_http_vars_t *vars)
{
    u_char     *dst;
    kz_url_t    u;
    ngx_int_t   rc;
    ngx_str_t   name, value;

    if (r->args.len == 0) {
        return NGX_OK;
    }

    u.pos = r->args.data;
    u.end = u.pos + r->args.len;

    dst = ngx_pnalloc(r->pool, r->args.len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    while ((rc = kz_url_next_arg(&u, &dst, &name, &value)) == NGX_OK) {
        kz_http_vars_param(vars, &name, &value);
    }

    return rc == NGX_DONE ? NGX_OK : NGX_ERROR;
}


static void
kz_http_vars_param(kz_http_vars_t *vars, const ngx_str_t *name,
    const ngx_str_t *value)
{
    if (name->len == 5 && ngx_memcmp(name->data, "index", 5) == 0) {
        vars->index = *value;

    } else if (name->len == 10
               && ngx_memcmp(name->data, "collection", 10) == 0)
    {
        vars->collection = *value;

    } else if (name->len == 3 && ngx_memcmp(name->data, "_id", 3) == 0) {
        vars->id = *value;
    }
}


/*
 * A variable may end up in a header: control characters, which a URL or a
 * body may have encoded, become escapes again.
 */

static ngx_int_t
kz_http_vars_value(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    const ngx_str_t *s)
{
    u_char      *p;
    size_t       i;
    ngx_uint_t   n;

    if (s->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    n = 0;

    for (i = 0; i < s->len; i++) {
        n += (s->data[i] < ' ' || s->data[i] == 0x7f);
    }

    v->data = s->data;
    v->len = s->len;

    if (n) {
        p = ngx_pnalloc(r->pool, s->len + 2 * n);
        if (p == NULL) {
            return NGX_ERROR;
        }

        v->data = p;

        for (i = 0; i < s->len; i++) {

            if (s->data[i] < ' ' || s->data[i] == 0x7f) {
                p = ngx_sprintf(p, "%%%02Xi", (ngx_int_t) s->data[i]);

            } else {
                *p++ = s->data[i];
            }
        }

        v->len = p - v->data;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
kz_http_var_url(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    kz_http_vars_t  *vars;

    vars = kz_http_vars(r);

    if (vars == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (!vars->answered) {
        kz_http_vars_route(r, vars);
    }

    return kz_http_vars_value(r, v, kz_http_vars_str(vars, data));
}


static ngx_int_t
kz_http_var_reply(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    kz_http_vars_t  *vars;

    vars = kz_http_vars_answered(r);

    if (vars == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    return kz_http_vars_value(r, v, kz_http_vars_str(vars, data));
}


static ngx_int_t
kz_http_var_status(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t        s;
    kz_http_vars_t  *vars;

    vars = kz_http_vars_answered(r);

    if (vars == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    s.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (s.data == NULL) {
        return NGX_ERROR;
    }

    s.len = ngx_sprintf(s.data, "%ui", vars->status) - s.data;

    return kz_http_vars_value(r, v, &s);
}


static ngx_int_t
kz_http_var_time(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t        s;
    kz_http_vars_t  *vars;

    vars = kz_http_vars_answered(r);

    if (vars == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    s.data = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (s.data == NULL) {
        return NGX_ERROR;
    }

    s.len = ngx_sprintf(s.data, "%M.%03M", vars->elapsed / 1000,
                        vars->elapsed % 1000)
            - s.data;

    return kz_http_vars_value(r, v, &s);
}


static ngx_int_t
kz_http_var_protocol(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t       s;
    kz_loc_conf_t  *conf;

    (void) data;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_kuzzle_module);

    ngx_str_null(&s);

    if (conf->enable == 1) {
        if (kz_http_upgrades(r)) {
            ngx_str_set(&s, "websocket");

        } else {
            ngx_str_set(&s, "http");
        }
    }

    return kz_http_vars_value(r, v, &s);
}
