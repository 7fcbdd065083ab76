
/*
 * What a field's specification says beside its type: the options of the
 * type, and how many values there are.
 */

#include "api/kz_spec_int.h"


static ngx_uint_t kz_spec_bounds(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options, const char *key, kz_json_val_t *min,
    kz_json_val_t *max);
static void kz_spec_bounds_order(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const char *place);
static ngx_uint_t kz_spec_number(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *v, const char *place, double *n, ngx_str_t *text);
static ngx_uint_t kz_spec_moment(kz_spec_compiler_t *c,
    const kz_json_val_t *v, double *ms, ngx_str_t *text);
static void kz_spec_read_formats(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *v);
static int64_t kz_spec_count(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *multi, const char *key, const char *place);
static void kz_spec_join(kz_out_t *o, const ngx_str_t *s);


/* {min, max} below an option; 0: there is none, or it was refused. */

static ngx_uint_t
kz_spec_bounds(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options, const char *key, kz_json_val_t *min,
    kz_json_val_t *max)
{
    char            path[64];
    ngx_str_t      *place;
    kz_json_val_t   v;

    min->type = KZ_JSON_NONE;
    max->type = KZ_JSON_NONE;

    if (options->type != KZ_JSON_OBJECT
        || kz_json_get(options, key, ngx_strlen(key), &v) != NGX_OK)
    {
        return 0;
    }

    *ngx_snprintf((u_char *) path, sizeof(path) - 1, "typeOptions.%s", key)
        = '\0';

    place = kz_spec_place(c, &f->path, path);

    if (v.type != KZ_JSON_OBJECT) {
        kz_spec_wrong(c, place, "object");
        return 0;
    }

    if (!kz_spec_allowed(c, place, &v, "min,max")) {
        return 0;
    }

    (void) kz_json_get(&v, "min", 3, min);
    (void) kz_json_get(&v, "max", 3, max);

    return 1;
}


static ngx_uint_t
kz_spec_number(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *v, const char *place, double *n, ngx_str_t *text)
{
    if (v->type == KZ_JSON_NONE) {
        return 0;
    }

    if (v->type != KZ_JSON_NUMBER) {
        kz_spec_wrong(c, kz_spec_place(c, &f->path, place), "number");
        return 0;
    }

    *n = kz_json_double(v);
    *text = v->raw;

    return 1;
}


static void
kz_spec_bounds_order(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const char *place)
{
    kz_spec_range_t  *r = &f->range;

    if (r->has_min && r->has_max && !r->min_now && !r->max_now
        && r->min > r->max)
    {
        kz_spec_error(c, KZ_E_VALIDATION_ASSERT_INVALID_RANGE, 3,
                      kz_spec_place(c, &f->path, place), &r->min_text,
                      &r->max_text);
    }
}


void
kz_spec_read_range(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options)
{
    kz_json_val_t     min, max;
    kz_spec_range_t  *r = &f->range;

    if (kz_spec_bounds(c, f, options, "range", &min, &max)) {
        r->has_min = kz_spec_number(c, f, &min, "typeOptions.range.min",
                                    &r->min, &r->min_text);
        r->has_max = kz_spec_number(c, f, &max, "typeOptions.range.max",
                                    &r->max, &r->max_text);

        kz_spec_bounds_order(c, f, "typeOptions.range");
    }
}


void
kz_spec_read_length(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options)
{
    kz_json_val_t     min, max;
    kz_spec_range_t  *r = &f->range;

    if (kz_spec_bounds(c, f, options, "length", &min, &max)) {
        r->has_min = kz_spec_number(c, f, &min, "typeOptions.length.min",
                                    &r->min, &r->min_text);
        r->has_max = kz_spec_number(c, f, &max, "typeOptions.length.max",
                                    &r->max, &r->max_text);

        kz_spec_bounds_order(c, f, "typeOptions.length");
    }
}


void
kz_spec_read_date(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options)
{
    kz_json_val_t     min, max, formats;
    kz_spec_range_t  *r = &f->range;

    if (kz_spec_bounds(c, f, options, "range", &min, &max)) {
        r->has_min = kz_spec_moment(c, &min, &r->min, &r->min_text);
        r->has_max = kz_spec_moment(c, &max, &r->max, &r->max_text);
        r->min_now = r->has_min && kz_spec_is(&r->min_text, "NOW");
        r->max_now = r->has_max && kz_spec_is(&r->max_text, "NOW");

        kz_spec_bounds_order(c, f, "typeOptions.range");
    }

    if (options->type == KZ_JSON_OBJECT
        && kz_json_get(options, "formats", 7, &formats) == NGX_OK)
    {
        kz_spec_read_formats(c, f, &formats);
    }
}


/* ISO 8601, epoch ms, or "NOW" */

static ngx_uint_t
kz_spec_moment(kz_spec_compiler_t *c, const kz_json_val_t *v, double *ms,
    ngx_str_t *text)
{
    kz_spec_format_t  iso;

    static ngx_str_t  name = ngx_string("date_optional_time");

    if (v->type == KZ_JSON_NONE) {
        return 0;
    }

    *ms = 0;
    *text = v->raw;

    if (v->type == KZ_JSON_NUMBER) {
        *ms = kz_json_double(v);
        return 1;
    }

    if (v->type == KZ_JSON_STRING) {

        if (kz_spec_text(c, v, text) != NGX_OK) {
            return 0;
        }

        if (kz_spec_is(text, "NOW")
            || (kz_spec_date_format(&name, &iso) == NGX_OK
                && kz_spec_date(&iso, text, 0, ms) == NGX_OK))
        {
            return 1;
        }
    }

    kz_spec_error(c, KZ_E_VALIDATION_TYPES_INVALID_DATE, 1, text);

    return 0;
}


static void
kz_spec_read_formats(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    kz_out_t           bad;
    ngx_str_t          s;
    kz_json_val_t      e;
    kz_json_iter_t     it;
    kz_spec_format_t  *format;

    if (v->type != KZ_JSON_ARRAY) {
        kz_spec_wrong(c, kz_spec_place(c, &f->path, "typeOptions.formats"),
                      "string[]");
        return;
    }

    kz_out_init(&bad, c->pool, 64);

    if (ngx_array_init(&f->formats, c->pool, 4, sizeof(kz_spec_format_t))
        != NGX_OK)
    {
        c->failed = 1;
        return;
    }

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &e) == NGX_OK) {

        format = ngx_array_push(&f->formats);
        s = e.raw;

        if (format == NULL
            || (e.type == KZ_JSON_STRING
                && kz_spec_text(c, &e, &s) != NGX_OK))
        {
            c->failed = 1;
            return;
        }

        if (e.type != KZ_JSON_STRING
            || kz_spec_date_format(&s, format) != NGX_OK)
        {
            kz_spec_join(&bad, &s);
            f->formats.nelts--;
        }
    }

    if (kz_out_failed(&bad)) {
        c->failed = 1;
        return;
    }

    if (kz_out_len(&bad)) {
        s.data = bad.start;
        s.len = kz_out_len(&bad);
        kz_spec_error(c, KZ_E_VALIDATION_TYPES_INVALID_DATE_FORMAT, 1, &s);

    } else if (f->formats.nelts == 0) {
        kz_spec_wrong(c, kz_spec_place(c, &f->path, "typeOptions.formats"),
                      "string[]");
    }
}


static void
kz_spec_join(kz_out_t *o, const ngx_str_t *s)
{
    if (kz_out_len(o)) {
        kz_out_lit(o, ", ");
    }

    kz_out_str(o, s);
}


void
kz_spec_read_not_empty(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options)
{
    kz_json_val_t  v;

    if (options->type != KZ_JSON_OBJECT
        || kz_json_get(options, "notEmpty", 8, &v) != NGX_OK)
    {
        return;
    }

    if (v.type != KZ_JSON_TRUE && v.type != KZ_JSON_FALSE) {
        kz_spec_wrong(c, kz_spec_place(c, &f->path, "typeOptions.notEmpty"),
                      "boolean");
    }

    f->not_empty = (v.type == KZ_JSON_TRUE);
}


void
kz_spec_read_strict(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options)
{
    kz_json_val_t  v;

    if (options->type != KZ_JSON_OBJECT
        || kz_json_get(options, "strict", 6, &v) != NGX_OK)
    {
        return;
    }

    if (v.type != KZ_JSON_TRUE && v.type != KZ_JSON_FALSE) {
        kz_spec_wrong(c, kz_spec_place(c, &f->path, "typeOptions.strict"),
                      "boolean");
    }

    f->strict = (v.type == KZ_JSON_TRUE);
    f->strict_given = 1;
}


void
kz_spec_read_values(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options)
{
    ngx_str_t       *s;
    kz_json_val_t    v, e;
    kz_json_iter_t   it;

    if (options->type != KZ_JSON_OBJECT
        || kz_json_get(options, "values", 6, &v) != NGX_OK)
    {
        kz_spec_error(c, KZ_E_VALIDATION_TYPES_MISSING_ENUM_VALUES, 0);
        return;
    }

    if (v.type != KZ_JSON_ARRAY) {
        goto wrong;
    }

    if (ngx_array_init(&f->values, c->pool, 8, sizeof(ngx_str_t)) != NGX_OK) {
        c->failed = 1;
        return;
    }

    kz_json_iter(&it, &v);

    while (kz_json_next(&it, &e) == NGX_OK) {

        if (e.type != KZ_JSON_STRING) {
            goto wrong;
        }

        s = ngx_array_push(&f->values);

        if (s == NULL || kz_spec_text(c, &e, s) != NGX_OK) {
            c->failed = 1;
            return;
        }
    }

    if (f->values.nelts) {
        return;
    }

wrong:

    kz_spec_wrong(c, kz_spec_place(c, &f->path, "typeOptions.values"),
                  "string[]");
}


void
kz_spec_read_shapes(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options)
{
    kz_out_t         bad;
    ngx_str_t        s;
    ngx_uint_t       bit;
    kz_json_val_t    v, e;
    kz_json_iter_t   it;

    f->shapes = KZ_SPEC_ALL_SHAPES;

    if (options->type != KZ_JSON_OBJECT
        || kz_json_get(options, "shapeTypes", 10, &v) != NGX_OK)
    {
        return;
    }

    f->shapes = 0;

    if (v.type != KZ_JSON_ARRAY) {
        kz_spec_wrong(c, kz_spec_place(c, &f->path,
                                       "typeOptions.shapeTypes"),
                      "string[]");
        return;
    }

    kz_out_init(&bad, c->pool, 64);
    kz_json_iter(&it, &v);

    while (kz_json_next(&it, &e) == NGX_OK) {
        s = e.raw;
        bit = 0;

        if (e.type == KZ_JSON_STRING) {
            if (kz_spec_text(c, &e, &s) != NGX_OK) {
                return;
            }

            bit = kz_spec_shape(&s);
        }

        if (bit == 0) {
            kz_spec_join(&bad, &s);
        }

        f->shapes |= bit;
    }

    if (kz_out_failed(&bad)) {
        c->failed = 1;
        return;
    }

    if (kz_out_len(&bad)) {
        s.data = bad.start;
        s.len = kz_out_len(&bad);
        kz_spec_error(c, KZ_E_VALIDATION_TYPES_INVALID_GEOSHAPE, 1, &s);

    } else if (f->shapes == 0) {
        kz_spec_wrong(c, kz_spec_place(c, &f->path,
                                       "typeOptions.shapeTypes"),
                      "string[]");
    }
}


void
kz_spec_read_multi(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *v)
{
    ngx_str_t       min, max, *place;
    kz_json_val_t   value;

    place = kz_spec_place(c, &f->path, "multivalued");

    if (v->type != KZ_JSON_OBJECT) {
        kz_spec_wrong(c, place, "object");
        return;
    }

    if (!kz_spec_allowed(c, place, v, "value,minCount,maxCount")) {
        return;
    }

    if (kz_json_get(v, "value", 5, &value) != NGX_OK) {
        kz_spec_error(c, KZ_E_VALIDATION_ASSERT_MISSING_VALUE, 1, place);
        return;
    }

    if (value.type != KZ_JSON_TRUE && value.type != KZ_JSON_FALSE) {
        kz_spec_wrong(c, kz_spec_place(c, &f->path, "multivalued.value"),
                      "boolean");
        return;
    }

    f->multi = (value.type == KZ_JSON_TRUE);
    f->min_count = kz_spec_count(c, f, v, "minCount", "multivalued.minCount");
    f->max_count = kz_spec_count(c, f, v, "maxCount", "multivalued.maxCount");

    if (f->min_count >= 0 && f->max_count >= 0
        && f->min_count > f->max_count)
    {
        ngx_str_set(&min, "minCount");
        ngx_str_set(&max, "maxCount");
        kz_spec_error(c, KZ_E_VALIDATION_ASSERT_INVALID_RANGE, 3, place,
                      &min, &max);
    }
}


static int64_t
kz_spec_count(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *multi, const char *key, const char *place)
{
    int64_t        n;
    ngx_str_t      name;
    kz_json_val_t  v;

    if (kz_json_get(multi, key, ngx_strlen(key), &v) != NGX_OK) {
        return -1;
    }

    if (!f->multi) {
        name.data = (u_char *) key;
        name.len = ngx_strlen(key);

        kz_spec_error(c, KZ_E_VALIDATION_ASSERT_NOT_MULTIVALUED, 2,
                      kz_spec_place(c, &f->path, NULL), &name);
        return -1;
    }

    if (v.type != KZ_JSON_NUMBER || kz_json_int(&v, &n) != NGX_OK || n < 0) {
        kz_spec_wrong(c, kz_spec_place(c, &f->path, place), "integer");
        return -1;
    }

    return n;
}
