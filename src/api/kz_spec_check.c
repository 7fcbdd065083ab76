
/*
 * A document against a specification: one pass over each of its levels finds
 * the values, then the fields are looked at as they were declared.
 *
 * Kuzzle: strictness is tested before the fields of its level, mandatory
 * before type, the number of values before the values; one failing element
 * ends its field.
 */

#include "api/kz_spec_int.h"


static ngx_int_t kz_spec_run(kz_spec_run_t *run, kz_spec_t *spec,
    ngx_pool_t *pool, int64_t now);
static kz_spec_seen_t *kz_spec_seen(kz_spec_run_t *run,
    kz_spec_level_t *level);
static kz_spec_field_t *kz_spec_member(kz_spec_run_t *run,
    kz_spec_level_t *level, const kz_json_member_t *m);
static ngx_uint_t kz_spec_scan(kz_spec_run_t *run, kz_spec_level_t *level,
    const kz_json_val_t *object, kz_spec_field_t *owner);
static ngx_uint_t kz_spec_object(kz_spec_run_t *run, kz_spec_level_t *level,
    const kz_json_val_t *object, kz_spec_field_t *owner);
static ngx_uint_t kz_spec_value(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v);
static ngx_uint_t kz_spec_values(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v);
static ngx_uint_t kz_spec_one(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v);
static void kz_spec_fill_object(kz_spec_run_t *run, kz_spec_level_t *level,
    const kz_json_val_t *object, ngx_uint_t update, kz_out_t *o);
static void kz_spec_fill_member(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_uint_t update, kz_out_t *o);
static void kz_spec_print(kz_spec_run_t *run, kz_spec_level_t *level,
    kz_out_t *o);
static void kz_spec_print_messages(kz_spec_msg_t *m, kz_out_t *o);


static ngx_str_t  kz_spec_unmatched =
    ngx_string("The document does not match validation filters.");


static ngx_int_t
kz_spec_run(kz_spec_run_t *run, kz_spec_t *spec, ngx_pool_t *pool,
    int64_t now)
{
    ngx_memzero(run, sizeof(kz_spec_run_t));

    run->spec = spec;
    run->pool = pool;
    run->now = now;
    run->seen = ngx_pcalloc(pool, spec->nlevels * sizeof(kz_spec_seen_t));

    return run->seen != NULL ? NGX_OK : NGX_ERROR;
}


ngx_int_t
kz_spec_check(kz_spec_t *spec, ngx_pool_t *pool, const kz_json_val_t *doc,
    int64_t now, kz_spec_failure_t *failure)
{
    ngx_uint_t     ok;
    kz_spec_run_t  run;

    if (kz_spec_run(&run, spec, pool, now) != NGX_OK) {
        return NGX_ERROR;
    }

    ok = kz_spec_object(&run, &spec->root, doc, NULL);

    if (run.failed) {
        return NGX_ERROR;
    }

    *failure = run.failure;

    return ok ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
kz_spec_check_filter(kz_spec_t *spec, const kz_json_val_t *doc,
    const ngx_str_t *id, kz_spec_failure_t *failure)
{
    if (spec->filter == NULL || kz_filter_match(spec->filter, doc, id)) {
        return NGX_OK;
    }

    ngx_str_null(&failure->path);
    failure->message = kz_spec_unmatched;

    return NGX_DECLINED;
}


void
kz_spec_say(kz_spec_run_t *run, kz_spec_field_t *f, const char *fmt, ...)
{
    u_char            *p, text[512];
    va_list            args;
    ngx_str_t          s;
    kz_spec_msg_t     *m, **last;
    kz_spec_field_t   *up;

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    s.len = p - text;
    s.data = ngx_pnalloc(run->pool, s.len + 1);

    if (s.data == NULL) {
        run->failed = 1;
        return;
    }

    ngx_memcpy(s.data, text, s.len);

    if (run->messages == NULL) {
        run->failure.message = s;

        if (f != NULL) {
            run->failure.path = f->dots;
        }

        return;
    }

    m = ngx_palloc(run->pool, sizeof(kz_spec_msg_t));
    if (m == NULL) {
        run->failed = 1;
        return;
    }

    m->next = NULL;
    m->text = s;

    last = f ? &run->messages[f->number] : &run->document;

    while (*last != NULL) {
        last = &(*last)->next;
    }

    *last = m;

    for (up = f; up != NULL && !run->marked[up->number]; up = up->parent) {
        run->marked[up->number] = 1;
    }
}


/* The room for a level's values, emptied. */

static kz_spec_seen_t *
kz_spec_seen(kz_spec_run_t *run, kz_spec_level_t *level)
{
    kz_spec_seen_t  *seen;

    seen = &run->seen[level->number];

    if (seen->vals == NULL) {
        seen->vals = ngx_palloc(run->pool, (level->n + 1)
                                           * sizeof(kz_json_val_t));
        seen->touched = ngx_palloc(run->pool, (level->nwords + 1)
                                              * sizeof(uint64_t));

        if (seen->vals == NULL || seen->touched == NULL) {
            run->failed = 1;
            return NULL;
        }
    }

    ngx_memzero(seen->touched, level->nwords * sizeof(uint64_t));

    return seen;
}


static kz_spec_field_t *
kz_spec_member(kz_spec_run_t *run, kz_spec_level_t *level,
    const kz_json_member_t *m)
{
    u_char           *p;
    uint32_t          hash;
    ngx_str_t         key;
    kz_spec_field_t  *f;

    key = m->key;

    if (m->escaped) {
        p = ngx_pnalloc(run->pool, key.len);
        if (p == NULL) {
            run->failed = 1;
            return NULL;
        }

        key.len = kz_json_unescape(p, key.data, key.len) - p;
        key.data = p;
    }

    hash = kz_spec_hash(key.data, key.len);

    for (f = level->buckets[hash & level->mask]; f != NULL; f = f->next) {

        if (f->hash == hash && f->name.len == key.len
            && ngx_memcmp(f->name.data, key.data, key.len) == 0)
        {
            return f;
        }
    }

    return NULL;
}


/*
 * Finds the values of a level.  0: strict, and there is a member nobody
 * declared, or no memory.
 */

static ngx_uint_t
kz_spec_scan(kz_spec_run_t *run, kz_spec_level_t *level,
    const kz_json_val_t *object, kz_spec_field_t *owner)
{
    kz_spec_seen_t    *seen;
    kz_json_iter_t     it;
    kz_spec_field_t   *f;
    kz_json_member_t   m;

    seen = kz_spec_seen(run, level);
    if (seen == NULL) {
        return 0;
    }

    kz_json_iter(&it, object);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        f = kz_spec_member(run, level, &m);

        if (f != NULL) {
            kz_spec_set(seen->touched, f->place);
            seen->vals[f->place] = m.val;
            continue;
        }

        if (run->failed) {
            return 0;
        }

        if (!level->strict) {
            continue;
        }

        /* the server's own, in what was stored */

        if (owner == NULL
            && kz_json_key_is(&m, "_kuzzle_info", 12) == NGX_OK)
        {
            continue;
        }

        if (owner == NULL) {
            kz_spec_say(run, NULL, "The document validation is strict; it "
                        "cannot add unspecified sub-fields.");
        } else {
            kz_spec_say(run, owner, "The field is set to \"strict\"; cannot "
                        "add unspecified sub-fields.");
        }

        return 0;
    }

    return 1;
}


static ngx_uint_t
kz_spec_object(kz_spec_run_t *run, kz_spec_level_t *level,
    const kz_json_val_t *object, kz_spec_field_t *owner)
{
    uint64_t          bits;
    ngx_uint_t        i, ok, place;
    kz_json_val_t    *v;
    kz_spec_seen_t   *seen;
    kz_spec_field_t  *f;

    if (!kz_spec_scan(run, level, object, owner)) {
        return 0;
    }

    ok = 1;
    seen = &run->seen[level->number];

    for (i = 0; i < level->nwords; i++) {

        for (bits = seen->touched[i] | level->mandatory[i]; bits;
             bits &= bits - 1)
        {
            place = 64 * i + __builtin_ctzll(bits);
            f = level->fields[place];
            v = &seen->vals[place];

            if (!kz_spec_bit(seen->touched, place)
                || v->type == KZ_JSON_NULL)
            {
                if (!kz_spec_bit(level->mandatory, place)) {
                    continue;
                }

                kz_spec_say(run, f, "The field is mandatory.");
                ok = 0;

            } else if (!kz_spec_value(run, f, v)) {
                ok = 0;
            }

            if (run->failed || (!ok && run->messages == NULL)) {
                return 0;
            }
        }
    }

    return ok;
}


static ngx_uint_t
kz_spec_value(kz_spec_run_t *run, kz_spec_field_t *f, const kz_json_val_t *v)
{
    if (f->multi) {
        return kz_spec_values(run, f, v);
    }

    /* Kuzzle: a point may be an array, and so may anything */

    if (v->type == KZ_JSON_ARRAY && f->type->check != NULL
        && ngx_strcmp(f->type->name, "geo_point") != 0)
    {
        kz_spec_say(run, f, "The field is not a multivalued field; Multiple "
                    "values provided.");
        return 0;
    }

    return kz_spec_one(run, f, v);
}


static ngx_uint_t
kz_spec_values(kz_spec_run_t *run, kz_spec_field_t *f, const kz_json_val_t *v)
{
    int64_t         n;
    kz_json_val_t   e;
    kz_json_iter_t  it;

    if (v->type != KZ_JSON_ARRAY) {
        kz_spec_say(run, f, "The field must be multivalued, unary value "
                    "provided.");
        return 0;
    }

    n = 0;

    if (f->min_count > 0 || f->max_count >= 0) {

        kz_json_iter(&it, v);

        while (kz_json_next(&it, &e) == NGX_OK) {
            n++;
        }
    }

    if (f->min_count > 0 && n < f->min_count) {
        kz_spec_say(run, f, "Not enough elements. Minimum count is set to "
                    "%L.", f->min_count);
        return 0;
    }

    if (f->max_count >= 0 && n > f->max_count) {
        kz_spec_say(run, f, "Too many elements. Maximum count is set to %L.",
                    f->max_count);
        return 0;
    }

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &e) == NGX_OK) {
        if (!kz_spec_one(run, f, &e)) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
kz_spec_one(kz_spec_run_t *run, kz_spec_field_t *f, const kz_json_val_t *v)
{
    if (f->type->check != NULL && !f->type->check(run, f, v)) {
        return 0;
    }

    if (f->type->object && (f->level.n || f->level.strict)) {
        return kz_spec_object(run, &f->level, v, f);
    }

    return 1;
}


ngx_int_t
kz_spec_report(kz_spec_t *spec, ngx_pool_t *pool, const kz_json_val_t *doc,
    const ngx_str_t *id, int64_t now, kz_out_t *o)
{
    ngx_uint_t     valid;
    kz_spec_run_t  run;

    if (kz_spec_run(&run, spec, pool, now) != NGX_OK) {
        return NGX_ERROR;
    }

    run.messages = ngx_pcalloc(pool, (spec->nfields + 1)
                                     * sizeof(kz_spec_msg_t *));
    run.marked = ngx_pcalloc(pool, spec->nfields + 1);

    if (run.messages == NULL || run.marked == NULL) {
        return NGX_ERROR;
    }

    valid = kz_spec_object(&run, &spec->root, doc, NULL);

    if (spec->filter != NULL && !kz_filter_match(spec->filter, doc, id)) {
        kz_spec_say(&run, NULL, "%V", &kz_spec_unmatched);
        valid = 0;
    }

    if (run.failed) {
        return NGX_ERROR;
    }

    kz_out_lit(o, "{\"errorMessages\":{");

    if (run.document != NULL) {
        kz_out_lit(o, "\"documentScope\":");
        kz_spec_print_messages(run.document, o);
    }

    if (memchr(run.marked, 1, spec->nfields) != NULL) {
        if (run.document != NULL) {
            kz_out_char(o, ',');
        }

        kz_out_lit(o, "\"fieldScope\":{\"children\":");
        kz_spec_print(&run, &spec->root, o);
        kz_out_char(o, '}');
    }

    if (valid) {
        kz_out_lit(o, "},\"valid\":true}");
    } else {
        kz_out_lit(o, "},\"valid\":false}");
    }

    return kz_out_failed(o) ? NGX_ERROR : NGX_OK;
}


/* The fields of a level that have messages, or have some below. */

static void
kz_spec_print(kz_spec_run_t *run, kz_spec_level_t *level, kz_out_t *o)
{
    ngx_uint_t        i, any, below;
    kz_spec_msg_t    *m;
    kz_spec_field_t  *f;

    kz_out_char(o, '{');
    any = 0;

    for (i = 0; i < level->n; i++) {
        f = level->fields[i];

        if (!run->marked[f->number]) {
            continue;
        }

        if (any++) {
            kz_out_char(o, ',');
        }

        kz_out_json_str(o, &f->name);
        kz_out_lit(o, ":{");

        m = run->messages[f->number];

        if (m != NULL) {
            kz_out_lit(o, "\"messages\":");
            kz_spec_print_messages(m, o);
        }

        for (below = 0; below < f->level.n; below++) {
            if (run->marked[f->level.fields[below]->number]) {

                if (m != NULL) {
                    kz_out_char(o, ',');
                }

                kz_out_lit(o, "\"children\":");
                kz_spec_print(run, &f->level, o);
                break;
            }
        }

        kz_out_char(o, '}');
    }

    kz_out_char(o, '}');
}


static void
kz_spec_print_messages(kz_spec_msg_t *m, kz_out_t *o)
{
    kz_out_char(o, '[');

    for ( /* void */ ; m != NULL; m = m->next) {
        kz_out_json_str(o, &m->text);

        if (m->next != NULL) {
            kz_out_char(o, ',');
        }
    }

    kz_out_char(o, ']');
}


ngx_int_t
kz_spec_fill(kz_spec_t *spec, ngx_pool_t *pool, const kz_json_val_t *doc,
    ngx_uint_t update, kz_json_val_t *filled)
{
    kz_out_t       o;
    kz_spec_run_t  run;

    if (!spec->root.fills) {
        return NGX_DECLINED;
    }

    if (kz_spec_run(&run, spec, pool, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_out_init(&o, pool, doc->raw.len + 256);
    kz_spec_fill_object(&run, &spec->root, doc, update, &o);

    if (run.full) {
        return NGX_ABORT;
    }

    if (run.failed || kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    kz_json_value(o.start, o.pos, filled);

    return NGX_OK;
}


/* Of repeated members the last one alone is written. */

static void
kz_spec_fill_object(kz_spec_run_t *run, kz_spec_level_t *level,
    const kz_json_val_t *object, ngx_uint_t update, kz_out_t *o)
{
    uint64_t           bits;
    ngx_uint_t         i, any;
    kz_json_iter_t     it;
    kz_spec_seen_t    *seen;
    kz_spec_field_t   *f;
    kz_json_member_t   m;

    seen = kz_spec_seen(run, level);
    if (seen == NULL) {
        return;
    }

    kz_json_iter(&it, object);

    while (kz_json_next_member(&it, &m) == NGX_OK) {
        f = kz_spec_member(run, level, &m);

        if (f != NULL) {
            kz_spec_set(seen->touched, f->place);
            seen->vals[f->place] = m.val;
        }
    }

    kz_out_char(o, '{');
    kz_json_iter(&it, object);
    any = 0;

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (run->failed || run->full) {
            return;
        }

        f = kz_spec_member(run, level, &m);

        if (f != NULL && seen->vals[f->place].raw.data != m.val.raw.data) {
            continue;
        }

        if (any++) {
            kz_out_char(o, ',');
        }

        kz_out_char(o, '"');
        kz_out_str(o, &m.key);
        kz_out_lit(o, "\":");

        if (f != NULL) {
            kz_spec_fill_member(run, f, &m.val, update, o);
        } else {
            kz_out_str(o, &m.val.raw);
        }
    }

    for (i = 0; i < level->nwords && !update; i++) {

        for (bits = level->defaults[i] & ~seen->touched[i]; bits;
             bits &= bits - 1)
        {
            f = level->fields[64 * i + __builtin_ctzll(bits)];

            if (any++) {
                kz_out_char(o, ',');
            }

            kz_out_json_str(o, &f->name);
            kz_out_char(o, ':');
            kz_out_str(o, &f->fallback.raw);

            if (kz_out_len(o) > KZ_SPEC_MAX_FILLED) {
                run->full = 1;
                return;
            }
        }
    }

    kz_out_char(o, '}');
}


static void
kz_spec_fill_member(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v, ngx_uint_t update, kz_out_t *o)
{
    ngx_uint_t         any;
    kz_json_val_t      e;
    kz_json_iter_t     it;
    kz_spec_level_t   *level;

    level = f->parent ? &f->parent->level : &run->spec->root;

    if (v->type == KZ_JSON_NULL && kz_spec_bit(level->defaults, f->place)) {
        kz_out_str(o, &f->fallback.raw);
        run->full |= (kz_out_len(o) > KZ_SPEC_MAX_FILLED);
        return;
    }

    if (v->type == KZ_JSON_OBJECT && f->level.fills) {
        kz_spec_fill_object(run, &f->level, v, update, o);
        return;
    }

    if (v->type != KZ_JSON_ARRAY || !f->multi || !f->level.fills) {
        kz_out_str(o, &v->raw);
        return;
    }

    kz_out_char(o, '[');
    kz_json_iter(&it, v);
    any = 0;

    while (kz_json_next(&it, &e) == NGX_OK && !run->full && !run->failed) {

        if (any++) {
            kz_out_char(o, ',');
        }

        if (e.type == KZ_JSON_OBJECT) {

            /* Kuzzle: an update replaces arrays, nothing to merge with */

            kz_spec_fill_object(run, &f->level, &e, update, o);
        } else {
            kz_out_str(o, &e.raw);
        }
    }

    kz_out_char(o, ']');
}
