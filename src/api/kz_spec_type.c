
/*
 * The types of fields: what their values have to be.
 */

#include "api/kz_spec_int.h"
#include "util/kz_geo.h"
#include "util/kz_utf8.h"

#include <math.h>


static ngx_uint_t kz_spec_check_boolean(kz_spec_run_t *run,
    kz_spec_field_t *f, const kz_json_val_t *v);
static ngx_uint_t kz_spec_check_date(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v);
static ngx_uint_t kz_spec_check_email(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v);
static ngx_uint_t kz_spec_check_enum(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v);
static ngx_uint_t kz_spec_check_point(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v);
static ngx_uint_t kz_spec_check_integer(kz_spec_run_t *run,
    kz_spec_field_t *f, const kz_json_val_t *v);
static ngx_uint_t kz_spec_check_ip(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v);
static ngx_uint_t kz_spec_check_numeric(kz_spec_run_t *run,
    kz_spec_field_t *f, const kz_json_val_t *v);
static ngx_uint_t kz_spec_check_object(kz_spec_run_t *run,
    kz_spec_field_t *f, const kz_json_val_t *v);
static ngx_uint_t kz_spec_check_string(kz_spec_run_t *run,
    kz_spec_field_t *f, const kz_json_val_t *v);
static ngx_uint_t kz_spec_check_url(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v);
static ngx_uint_t kz_spec_filled_text(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_str_t *s);
static ngx_uint_t kz_spec_decode(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_str_t *s);


static const kz_spec_type_t  kz_spec_types[] = {
    { "anything", "", NULL, NULL, 0 },
    { "boolean", "", NULL, kz_spec_check_boolean, 0 },
    { "date", "range,formats", kz_spec_read_date, kz_spec_check_date, 0 },
    { "email", "notEmpty", kz_spec_read_not_empty, kz_spec_check_email, 0 },
    { "enum", "values", kz_spec_read_values, kz_spec_check_enum, 0 },
    { "geo_point", "", NULL, kz_spec_check_point, 0 },
    { "geo_shape", "shapeTypes", kz_spec_read_shapes, kz_spec_check_shape,
      0 },
    { "integer", "range", kz_spec_read_range, kz_spec_check_integer, 0 },
    { "ip_address", "notEmpty", kz_spec_read_not_empty, kz_spec_check_ip,
      0 },
    { "numeric", "range", kz_spec_read_range, kz_spec_check_numeric, 0 },
    { "object", "strict", kz_spec_read_strict, kz_spec_check_object, 1 },
    { "string", "length", kz_spec_read_length, kz_spec_check_string, 0 },
    { "url", "notEmpty", kz_spec_read_not_empty, kz_spec_check_url, 0 },
    { NULL, NULL, NULL, NULL, 0 }
};


const kz_spec_type_t *
kz_spec_type(const ngx_str_t *name)
{
    const kz_spec_type_t  *t;

    for (t = kz_spec_types; t->name != NULL; t++) {
        if (ngx_strlen(t->name) == name->len
            && ngx_memcmp(t->name, name->data, name->len) == 0)
        {
            return t;
        }
    }

    return NULL;
}


static ngx_uint_t
kz_spec_check_boolean(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    if (v->type == KZ_JSON_TRUE || v->type == KZ_JSON_FALSE) {
        return 1;
    }

    kz_spec_say(run, f, "The field must be of type boolean.");

    return 0;
}


static ngx_uint_t
kz_spec_decode(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_str_t *s)
{
    if (v->type != KZ_JSON_STRING) {
        kz_spec_say(run, f, "The field must be a string.");
        return 0;
    }

    if (kz_json_string(run->pool, v, s) != NGX_OK) {
        run->failed = 1;
        return 0;
    }

    return 1;
}


/* 1, an empty text: it is allowed to be. */

static ngx_uint_t
kz_spec_filled_text(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_str_t *s)
{
    if (!kz_spec_decode(run, f, v, s)) {
        return 0;
    }

    if (s->len == 0 && f->not_empty) {
        kz_spec_say(run, f, "The string must not be empty.");
        return 0;
    }

    return 1;
}


static ngx_uint_t
kz_spec_check_date(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    double             ms;
    ngx_int_t          rc;
    ngx_str_t          s;
    ngx_uint_t         i;
    kz_spec_range_t   *r = &f->range;
    kz_spec_format_t  *formats;

    static kz_spec_format_t  epoch = { "x", 0 };

    if (v->type == KZ_JSON_NUMBER) {
        s = v->raw;

    } else if (v->type != KZ_JSON_STRING) {
        kz_spec_say(run, f, "Date must be expressed as a string or a "
                    "number.");
        return 0;

    } else if (!kz_spec_decode(run, f, v, &s)) {
        return 0;
    }

    ms = 0;
    rc = NGX_DECLINED;
    formats = f->formats.elts;

    if (f->formats.nelts == 0) {
        rc = kz_spec_date(&epoch, &s, run->now, &ms);
    }

    for (i = 0; i < f->formats.nelts && rc != NGX_OK; i++) {
        rc = kz_spec_date(&formats[i], &s, run->now, &ms);
    }

    if (rc != NGX_OK) {
        kz_spec_say(run, f, "The date format is invalid.");
        return 0;
    }

    if (r->has_min && ms < (r->min_now ? (double) run->now : r->min)) {
        kz_spec_say(run, f, "The provided date is before the defined "
                    "minimum.");
        return 0;
    }

    if (r->has_max && ms > (r->max_now ? (double) run->now : r->max)) {
        kz_spec_say(run, f, "The provided date is after the defined "
                    "maximum.");
        return 0;
    }

    return 1;
}


static ngx_uint_t
kz_spec_check_email(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    ngx_str_t  s;

    if (!kz_spec_filled_text(run, f, v, &s)) {
        return 0;
    }

    if (s.len == 0 || kz_spec_email(&s)) {
        return 1;
    }

    kz_spec_say(run, f, "The string must be a valid email address.");

    return 0;
}


static ngx_uint_t
kz_spec_check_enum(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    kz_out_t    o;
    ngx_str_t   s, list, *values;
    ngx_uint_t  i;

    if (!kz_spec_decode(run, f, v, &s)) {
        return 0;
    }

    values = f->values.elts;

    for (i = 0; i < f->values.nelts; i++) {
        if (values[i].len == s.len
            && ngx_memcmp(values[i].data, s.data, s.len) == 0)
        {
            return 1;
        }
    }

    /* as many as a message has room for */

    kz_out_init(&o, run->pool, 128);

    for (i = 0; i < f->values.nelts; i++) {

        if (kz_out_len(&o) + values[i].len > 400) {
            kz_out_lit(&o, ", ...");
            break;
        }

        if (i) {
            kz_out_lit(&o, ", ");
        }

        kz_out_str(&o, &values[i]);
    }

    if (kz_out_failed(&o)) {
        run->failed = 1;
        return 0;
    }

    list.data = o.start;
    list.len = kz_out_len(&o);

    kz_spec_say(run, f, "The field only accepts following values: \"%V\".",
                &list);

    return 0;
}


static ngx_uint_t
kz_spec_check_point(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    kz_geo_point_t  p;

    if (kz_geo_point(v, KZ_GEO_FILTER, &p) == NGX_OK) {
        return 1;
    }

    kz_spec_say(run, f, "Invalid GeoPoint format");

    return 0;
}


static ngx_uint_t
kz_spec_check_numeric(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    double            n;
    ngx_str_t         s, limit;
    kz_spec_range_t  *r = &f->range;

    if (v->type != KZ_JSON_NUMBER) {
        kz_spec_say(run, f, "The field must be a number.");
        return 0;
    }

    n = kz_json_double(v);
    s = v->raw;
    s.len = ngx_min(s.len, 64);

    if (r->has_min && n < r->min) {
        limit = r->min_text;
        limit.len = ngx_min(limit.len, 64);
        kz_spec_say(run, f, "Value %V is lesser than the allowed minimum "
                    "(%V)", &s, &limit);
        return 0;
    }

    if (r->has_max && n > r->max) {
        limit = r->max_text;
        limit.len = ngx_min(limit.len, 64);
        kz_spec_say(run, f, "Value %V is greater than the allowed maximum "
                    "(%V)", &s, &limit);
        return 0;
    }

    return 1;
}


/* Kuzzle: after the range */

static ngx_uint_t
kz_spec_check_integer(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    double  n;

    if (!kz_spec_check_numeric(run, f, v)) {
        return 0;
    }

    n = kz_json_double(v);

    if (isfinite(n) && n == floor(n)) {
        return 1;
    }

    kz_spec_say(run, f, "The field must be an integer.");

    return 0;
}


static ngx_uint_t
kz_spec_check_ip(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    ngx_str_t  s;

    if (!kz_spec_filled_text(run, f, v, &s)) {
        return 0;
    }

    if (s.len == 0 || kz_spec_ip(s.data, s.len)) {
        return 1;
    }

    kz_spec_say(run, f, "The string must be a valid IP address.");

    return 0;
}


static ngx_uint_t
kz_spec_check_object(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    if (v->type == KZ_JSON_OBJECT) {
        return 1;
    }

    kz_spec_say(run, f, "The field must be an object.");

    return 0;
}


/* As JavaScript counts: in UTF-16 units. */

static ngx_uint_t
kz_spec_check_string(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    size_t            n;
    ngx_str_t         s;
    const u_char     *p, *end;
    kz_spec_range_t  *r = &f->range;

    if (!kz_spec_decode(run, f, v, &s)) {
        return 0;
    }

    if (!r->has_min && !r->has_max) {
        return 1;
    }

    p = s.data;
    end = p + s.len;

    for (n = 0; p < end; n++) {
        n += (kz_utf8_next(&p, end) > 0xffff);
    }

    if (r->has_min && (double) n < r->min) {
        kz_spec_say(run, f, "The string is not long enough. Minimum length: "
                    "%*s", ngx_min(r->min_text.len, 64), r->min_text.data);
        return 0;
    }

    if (r->has_max && (double) n > r->max) {
        kz_spec_say(run, f, "The string is too long. Maximum length: %*s",
                    ngx_min(r->max_text.len, 64), r->max_text.data);
        return 0;
    }

    return 1;
}


static ngx_uint_t
kz_spec_check_url(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    ngx_str_t  s;

    if (!kz_spec_filled_text(run, f, v, &s)) {
        return 0;
    }

    if (s.len == 0 || kz_spec_url(&s)) {
        return 1;
    }

    kz_spec_say(run, f, "The string must be a valid URL.");

    return 0;
}
