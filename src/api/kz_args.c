/*
 * Reading the arguments of a request.  See kz_args.h.
 */

#include "api/kz_args.h"


#define KZ_SCROLL_MAX  60000            /* ms, 2.x: maxScrollDuration */


static ngx_int_t kz_arg_duration(const ngx_str_t *text, int64_t *ms);


static ngx_int_t
kz_arg_wrong_type(kz_req_t *req, const char *name, const char *type)
{
    ngx_str_t  n, t;

    n.data = (u_char *) name;
    n.len = ngx_strlen(name);
    t.data = (u_char *) type;
    t.len = ngx_strlen(type);

    return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &n, &t);
}


ngx_int_t
kz_arg_missing(kz_req_t *req, const char *name)
{
    ngx_str_t  n;

    n.data = (u_char *) name;
    n.len = ngx_strlen(name);

    return kz_fail(req, KZ_E_ASSERT_MISSING_ARGUMENT, 1, &n);
}


ngx_int_t
kz_arg_string(kz_req_t *req, const char *name, ngx_str_t *s)
{
    kz_arg_t  *arg;

    arg = kz_req_arg(req, name, ngx_strlen(name));

    if (arg == NULL || arg->val.type == KZ_JSON_NULL) {
        return NGX_DECLINED;
    }

    if (arg->val.type == KZ_JSON_NONE) {
        *s = arg->text;
        return NGX_OK;
    }

    if (arg->val.type != KZ_JSON_STRING) {
        return kz_arg_wrong_type(req, name, "string");
    }

    return kz_json_string(req->pool, &arg->val, s);
}


ngx_int_t
kz_arg_int(kz_req_t *req, const char *name, int64_t *n)
{
    ngx_int_t       rc;
    kz_arg_t       *arg;
    kz_json_err_t   err;
    kz_json_val_t   v;

    arg = kz_req_arg(req, name, ngx_strlen(name));

    if (arg == NULL || arg->val.type == KZ_JSON_NULL) {
        return NGX_DECLINED;
    }

    v = arg->val;

    if (v.type == KZ_JSON_NONE) {
        rc = kz_json_scan(arg->text.data, arg->text.len, 1, &v, &err);

        if (rc != NGX_OK) {
            return kz_arg_wrong_type(req, name, "integer");
        }
    }

    if (v.type != KZ_JSON_NUMBER || kz_json_int(&v, n) != NGX_OK) {
        return kz_arg_wrong_type(req, name, "integer");
    }

    return NGX_OK;
}


ngx_int_t
kz_arg_flag(kz_req_t *req, const char *name, ngx_uint_t *flag)
{
    kz_arg_t  *arg;

    arg = kz_req_arg(req, name, ngx_strlen(name));

    if (arg == NULL || arg->val.type == KZ_JSON_NULL) {
        *flag = 0;
        return NGX_DECLINED;
    }

    switch (arg->val.type) {

    case KZ_JSON_NONE:

        /* Kuzzle: in a query string a flag is true by being there */

        *flag = 1;
        return NGX_OK;

    case KZ_JSON_TRUE:
        *flag = 1;
        return NGX_OK;

    case KZ_JSON_FALSE:
        *flag = 0;
        return NGX_OK;

    default:
        return kz_arg_wrong_type(req, name, "boolean");
    }
}


ngx_int_t
kz_arg_scroll(kz_req_t *req, int64_t *ms)
{
    ngx_int_t   rc;
    ngx_str_t   text, name, allowed;

    rc = kz_arg_string(req, "scroll", &text);

    if (rc != NGX_OK) {
        return rc;
    }

    if (kz_arg_duration(&text, ms) != NGX_OK) {
        ngx_str_set(&name, "scroll");
        ngx_str_set(&allowed, "a duration, like \"1m\" or \"30s\"");

        return kz_fail(req, KZ_E_ASSERT_INVALID_ARGUMENT, 2, &name,
                       &allowed);
    }

    if (req->dialect == KZ_DIALECT_2 && *ms > KZ_SCROLL_MAX) {
        return kz_fail(req, KZ_E_STORAGE_SCROLL_DURATION_TOO_GREAT, 1,
                       &text);
    }

    return NGX_OK;
}


/* A number, a unit that must be there: "1m", "1.5 hours". */

static ngx_int_t
kz_arg_duration(const ngx_str_t *text, int64_t *ms)
{
    double      n, scale;
    u_char     *p, *end;
    ngx_uint_t  i;

    static const struct {
        ngx_str_t  name;
        double     ms;
    } units[] = {
        { ngx_string("ms"), 1 },
        { ngx_string("milliseconds"), 1 },
        { ngx_string("s"), 1000 },
        { ngx_string("sec"), 1000 },
        { ngx_string("seconds"), 1000 },
        { ngx_string("m"), 60000 },
        { ngx_string("min"), 60000 },
        { ngx_string("minute"), 60000 },
        { ngx_string("minutes"), 60000 },
        { ngx_string("h"), 3600000 },
        { ngx_string("hour"), 3600000 },
        { ngx_string("hours"), 3600000 },
        { ngx_string("d"), 86400000 },
        { ngx_string("day"), 86400000 },
        { ngx_string("days"), 86400000 },
        { ngx_null_string, 0 }
    };

    p = text->data;
    end = p + text->len;
    n = 0;
    scale = 0;

    for ( /* void */ ; p < end && ((*p >= '0' && *p <= '9') || *p == '.');
         p++)
    {
        if (*p == '.') {
            if (scale != 0) {
                return NGX_DECLINED;
            }

            scale = 1;
            continue;
        }

        n = n * 10 + (*p - '0');
        scale *= 10;
    }

    if (p == text->data) {
        return NGX_DECLINED;
    }

    while (p < end && *p == ' ') {
        p++;
    }

    n = (scale > 1) ? n / scale : n;

    for (i = 0; units[i].name.len; i++) {
        if (units[i].name.len == (size_t) (end - p)
            && ngx_strncasecmp(units[i].name.data, p, end - p) == 0)
        {
            n *= units[i].ms;

            if (!(n >= 1 && n < 1e13)) {
                return NGX_DECLINED;
            }

            *ms = (int64_t) n;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
kz_body_string(kz_req_t *req, const char *name, ngx_str_t *s)
{
    u_char         *p;
    ngx_str_t       full, type;
    kz_json_val_t   v;

    full.len = sizeof("body.") - 1 + ngx_strlen(name);
    full.data = ngx_pnalloc(req->pool, full.len);
    if (full.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(full.data, "body.", sizeof("body.") - 1);
    ngx_memcpy(p, name, ngx_strlen(name));

    if (req->body.type != KZ_JSON_OBJECT
        || kz_json_get(&req->body, name, ngx_strlen(name), &v) != NGX_OK
        || v.type == KZ_JSON_NULL)
    {
        return kz_fail(req, KZ_E_ASSERT_MISSING_ARGUMENT, 1, &full);
    }

    if (v.type != KZ_JSON_STRING) {
        ngx_str_set(&type, "string");
        return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &full, &type);
    }

    return kz_json_string(req->pool, &v, s);
}
