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


static ngx_int_t kz_route_add_row(ngx_cycle_t *cycle, ngx_array_t *list,
    const kz_controller_t *controller, const kz_action_t *action);
static ngx_int_t kz_route_parse(ngx_cycle_t *cycle, kz_route_t *route,
    u_char *p, u_char *end);
static ngx_int_t kz_route_insert(ngx_cycle_t *cycle, kz_route_t *route);
static kz_route_node_t *kz_route_child(ngx_cycle_t *cycle,
    kz_route_node_t *node, ngx_str_t *part);


static kz_route_node_t   kz_route_roots[KZ_VERB_MAX];
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
    ngx_uint_t              i;
    ngx_array_t             list;
    const kz_action_t      *a;
    const kz_controller_t  *c;

    ngx_memzero(kz_route_roots, sizeof(kz_route_roots));
    kz_routes = NULL;
    kz_nroutes = 0;

    if (ngx_array_init(&list, cycle->pool, 512, sizeof(kz_route_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (c = kz_controllers; c->name; c++) {

        /* "memoryStorage" is the table of "ms" again: routed once */

        if (c > kz_controllers && c->actions == c[-1].actions) {
            continue;
        }

        for (a = c->actions; a->name; a++) {
            if (kz_route_add_row(cycle, &list, c, a) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    kz_routes = list.elts;
    kz_nroutes = list.nelts;

    for (i = 0; i < kz_nroutes; i++) {
        if (kz_route_insert(cycle, &kz_routes[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_route_add_row(ngx_cycle_t *cycle, ngx_array_t *list,
    const kz_controller_t *controller, const kz_action_t *action)
{
    u_char      *p, *end;
    kz_route_t  *route;

    p = (u_char *) action->routes;

    while (p && *p) {
        end = (u_char *) strchr((char *) p, ',');
        if (end == NULL) {
            end = p + ngx_strlen(p);
        }

        route = ngx_array_push(list);
        if (route == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(route, sizeof(kz_route_t));
        route->controller = controller;
        route->action = action;

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
kz_route_insert(ngx_cycle_t *cycle, kz_route_t *route)
{
    u_char           *p, *end, *last;
    ngx_str_t         part;
    kz_route_node_t  *node;

    node = &kz_route_roots[route->verb];

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
    ngx_uint_t        i, nvalues;
    kz_route_node_t  *node, *child;

    node = &kz_route_roots[verb];
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
