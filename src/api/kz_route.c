/*
 * The HTTP route trees.  See kz_route.h.
 */

#include "api/kz_route.h"


typedef struct kz_route_node_s  kz_route_node_t;

struct kz_route_node_s {
    ngx_str_t            part;
    kz_route_node_t     *next;        /* the next literal beside this one */
    kz_route_node_t     *literals;    /* first literal below, by text */
    kz_route_node_t     *param;       /* the placeholder below */
    const kz_route_t    *route;       /* a route ends here */
};


typedef struct {
    const char          *route;
    kz_route_kind_e      kind;
} kz_route_own_t;


static ngx_int_t kz_route_init_own(ngx_cycle_t *cycle);
static ngx_int_t kz_route_init_legacy(ngx_cycle_t *cycle);
static ngx_int_t kz_route_add_row(ngx_cycle_t *cycle, ngx_array_t *list,
    const char *routes, const kz_route_t *as);
static ngx_int_t kz_route_parse(ngx_cycle_t *cycle, kz_route_t *route,
    u_char *p, u_char *end);
static ngx_int_t kz_route_insert_all(ngx_cycle_t *cycle,
    kz_route_node_t *roots, ngx_array_t *list);
static ngx_int_t kz_route_insert(ngx_cycle_t *cycle, kz_route_node_t *roots,
    kz_route_t *route);
static kz_route_node_t *kz_route_child(ngx_cycle_t *cycle,
    kz_route_node_t *node, ngx_str_t *part);
static const kz_route_t *kz_route_walk(kz_route_node_t *node,
    ngx_str_t *parts, ngx_uint_t n, ngx_str_t *values);


static const kz_route_own_t  kz_route_own[] = {
    { "2-GET /_healthcheck", KZ_ROUTE_ALIVE },
    { "2-GET /_ready", KZ_ROUTE_READY },
    { "2-POST /_query", KZ_ROUTE_QUERY },
    { "1-GET /swagger.json", KZ_ROUTE_SWAGGER_JSON },
    { "1-GET /swagger.yml", KZ_ROUTE_SWAGGER_YAML },
    { NULL, 0 }
};


static kz_route_node_t   kz_route_roots[KZ_VERB_MAX];
static kz_route_node_t   kz_route_legacy_roots[KZ_VERB_MAX];
static kz_route_t       *kz_routes;
static ngx_uint_t        kz_nroutes;

static const char       *kz_verbs[] = {
    "GET", "POST", "PUT", "PATCH", "DELETE"
};


const char *
kz_verb_name(kz_verb_e verb)
{
    return kz_verbs[verb];
}


const kz_route_t *
kz_route_list(ngx_uint_t *n)
{
    *n = kz_nroutes;
    return kz_routes;
}


ngx_int_t
kz_route_init(ngx_cycle_t *cycle)
{
    kz_route_t              as;
    ngx_array_t             list;
    const kz_action_t      *a;
    const kz_controller_t  *c;

    ngx_memzero(kz_route_roots, sizeof(kz_route_roots));
    ngx_memzero(kz_route_legacy_roots, sizeof(kz_route_legacy_roots));
    kz_routes = NULL;
    kz_nroutes = 0;

    if (ngx_array_init(&list, cycle->pool, 512, sizeof(kz_route_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&as, sizeof(kz_route_t));

    for (c = kz_controllers; c->name; c++) {

        /* "memoryStorage" is the table of "ms" again: routed once */

        if (c > kz_controllers && c->actions == c[-1].actions) {
            continue;
        }

        for (a = c->actions; a->name; a++) {
            as.controller = c;
            as.action = a;

            if (kz_route_add_row(cycle, &list, a->routes, &as) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    kz_routes = list.elts;
    kz_nroutes = list.nelts;

    if (kz_route_insert_all(cycle, kz_route_roots, &list) != NGX_OK
        || kz_route_init_own(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_route_init_legacy(cycle);
}


static ngx_int_t
kz_route_init_own(ngx_cycle_t *cycle)
{
    kz_route_t             as;
    ngx_array_t            list;
    const kz_route_own_t  *own;

    if (ngx_array_init(&list, cycle->pool, 8, sizeof(kz_route_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&as, sizeof(kz_route_t));

    for (own = kz_route_own; own->route; own++) {
        as.kind = own->kind;

        if (kz_route_add_row(cycle, &list, own->route, &as) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return kz_route_insert_all(cycle, kz_route_roots, &list);
}


static ngx_int_t
kz_route_init_legacy(ngx_cycle_t *cycle)
{
    kz_route_t              as;
    ngx_array_t             list;
    const kz_legacy_row_t  *row;

    if (ngx_array_init(&list, cycle->pool, 256, sizeof(kz_route_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&as, sizeof(kz_route_t));

    for (row = kz_legacy_rows; row->controller; row++) {
        as.legacy = row;

        if (kz_route_add_row(cycle, &list, row->routes, &as) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return kz_route_insert_all(cycle, kz_route_legacy_roots, &list);
}


static ngx_int_t
kz_route_add_row(ngx_cycle_t *cycle, ngx_array_t *list, const char *routes,
    const kz_route_t *as)
{
    u_char      *p, *end;
    kz_route_t  *route;

    p = (u_char *) routes;

    while (p && *p) {
        end = (u_char *) strchr((char *) p, ',');
        if (end == NULL) {
            end = p + ngx_strlen(p);
        }

        route = ngx_array_push(list);
        if (route == NULL) {
            return NGX_ERROR;
        }

        *route = *as;

        if (kz_route_parse(cycle, route, p, end) != NGX_OK) {
            return NGX_ERROR;
        }

        p = *end ? end + 1 : end;
    }

    return NGX_OK;
}


static ngx_int_t
kz_route_parse(ngx_cycle_t *cycle, kz_route_t *route, u_char *p, u_char *end)
{
    size_t      len;
    u_char     *last;
    ngx_uint_t  i;

    route->advertised = 1;

    if (*p == '1' || *p == '2') {
        route->generation = *p++ - '0';
    }

    if (*p == '-') {
        route->advertised = 0;
        p++;
    }

    for (i = 0; i < KZ_VERB_MAX; i++) {
        len = ngx_strlen(kz_verbs[i]);

        if (ngx_strncmp(p, kz_verbs[i], len) == 0 && p[len] == ' ') {
            route->verb = i;
            p += len + 1;
            break;
        }
    }

    if (i == KZ_VERB_MAX || *p != '/') {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "kuzzle: bad route \"%s\"", p);
        return NGX_ERROR;
    }

    route->url.data = p;
    route->url.len = end - p;

    while (p < end) {
        p++;
        last = ngx_strlchr(p, end, '/');
        if (last == NULL) {
            last = end;
        }

        if (*p == ':' && last > p) {
            route->params[route->nparams].data = p + 1;
            route->params[route->nparams].len = last - p - 1;
            route->nparams++;
        }

        p = last;
    }

    return NGX_OK;
}


static ngx_int_t
kz_route_insert_all(ngx_cycle_t *cycle, kz_route_node_t *roots,
    ngx_array_t *list)
{
    ngx_uint_t   i;
    kz_route_t  *routes;

    routes = list->elts;

    for (i = 0; i < list->nelts; i++) {
        if (kz_route_insert(cycle, roots, &routes[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_route_insert(ngx_cycle_t *cycle, kz_route_node_t *roots,
    kz_route_t *route)
{
    u_char           *p, *end, *last;
    ngx_str_t         part;
    kz_route_node_t  *node;

    node = &roots[route->verb];

    p = route->url.data;
    end = p + route->url.len;

    while (p + 1 < end) {
        p++;
        last = ngx_strlchr(p, end, '/');
        if (last == NULL) {
            last = end;
        }

        part.data = p;
        part.len = last - p;

        node = kz_route_child(cycle, node, &part);
        if (node == NULL) {
            return NGX_ERROR;
        }

        p = last;
    }

    if (node->route) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "kuzzle: two routes \"%s %V\"",
                      kz_verbs[route->verb], &route->url);
        return NGX_ERROR;
    }

    node->route = route;

    return NGX_OK;
}


static kz_route_node_t *
kz_route_child(ngx_cycle_t *cycle, kz_route_node_t *node, ngx_str_t *part)
{
    kz_route_node_t  *child, **where;

    where = part->data[0] == ':' ? &node->param : &node->literals;

    if (part->data[0] == ':') {
        if (*where) {
            return *where;
        }

    } else {
        for ( /* void */ ; *where; where = &(*where)->next) {
            if ((*where)->part.len == part->len
                && ngx_memcmp((*where)->part.data, part->data, part->len)
                   == 0)
            {
                return *where;
            }
        }
    }

    child = ngx_pcalloc(cycle->pool, sizeof(kz_route_node_t));
    if (child == NULL) {
        return NULL;
    }

    child->part = *part;
    *where = child;

    return child;
}


const kz_route_t *
kz_route_find(kz_verb_e verb, ngx_str_t *parts, ngx_uint_t n,
    ngx_str_t *values)
{
    return kz_route_walk(&kz_route_roots[verb], parts, n, values);
}


const kz_route_t *
kz_route_find_legacy(kz_verb_e verb, ngx_str_t *parts, ngx_uint_t n,
    ngx_str_t *values)
{
    return kz_route_walk(&kz_route_legacy_roots[verb], parts, n, values);
}


static const kz_route_t *
kz_route_walk(kz_route_node_t *node, ngx_str_t *parts, ngx_uint_t n,
    ngx_str_t *values)
{
    ngx_uint_t        i, nvalues;
    kz_route_node_t  *child;

    nvalues = 0;

    for (i = 0; i < n; i++) {

        for (child = node->literals; child; child = child->next) {
            if (child->part.len == parts[i].len
                && ngx_memcmp(child->part.data, parts[i].data, parts[i].len)
                   == 0)
            {
                break;
            }
        }

        if (child == NULL) {
            child = node->param;

            if (child == NULL) {
                return NULL;
            }

            values[nvalues++] = parts[i];
        }

        node = child;
    }

    return node->route;
}
