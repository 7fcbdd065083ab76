
/*
 * Sets of filters: random filters and documents against an evaluation of
 * the filters' own JSON that shares no code with them, ranges, filters that
 * come and go, memory that runs out.
 *
 * sources: realtime/kz_filter.c realtime/kz_filter_canon.c
 * sources: realtime/kz_filter_check.c realtime/kz_filter_kind.c
 * sources: realtime/kz_filter_leaf.c realtime/kz_filter_match.c
 * sources: realtime/kz_filter_parse.c realtime/kz_filter_run.c
 * sources: realtime/kz_filter_set.c realtime/kz_filter_simplify.c
 * sources: realtime/kz_filter_span.c realtime/kz_filter_trie.c
 * libs: -ljansson
 */

#include "kz_shim.h"
#include "tap.h"
#include "realtime/kz_filter.h"

#include <jansson.h>


#define DEPTH  256


static kz_filter_limits_t  no_limits = { 0, 0, 0 };
static kz_filter_err_t     err;


/* *copy has to be given back with free() */
static kz_json_val_t
json(const char *text, u_char **copy)
{
    size_t          len;
    kz_json_val_t   v;
    kz_json_err_t   e;

    len = strlen(text);
    *copy = kz_shim_copy(text, len);

    if (kz_json_scan(*copy, len, DEPTH, &v, &e) != NGX_OK) {
        printf("Bail out! not JSON: %s\n", text);
        exit(1);
    }

    return v;
}


/* The text is gone before the filter is used: it must not refer to it. */
static kz_filter_t *
compile(ngx_pool_t *pool, const char *text, const kz_filter_limits_t *limits)
{
    u_char         *copy;
    ngx_int_t       rc;
    kz_filter_t    *f;
    kz_json_val_t   v;

    v = json(text, &copy);
    f = NULL;
    rc = kz_filter_compile(pool, &v, limits, &f, &err);
    free(copy);

    return (rc == NGX_OK) ? f : NULL;
}


static void
count_hit(void *owner, void *data)
{
    (void) owner;

    (*(ngx_uint_t *) data)++;
}


/* A filter evaluated as it is written, on a document tree. */

/* Kuzzle: the later of two members that lead to one path. */
static json_t *
naive_value(json_t *doc, const char *path)
{
    size_t       n;
    json_t      *v, *found, *sub;
    const char  *key;

    found = NULL;

    json_object_foreach(doc, key, v) {
        n = strlen(key);

        if (strcmp(key, path) == 0) {
            found = v;

        } else if (strncmp(key, path, n) == 0 && path[n] == '.'
                   && json_is_object(v))
        {
            sub = naive_value(v, path + n + 1);

            if (sub != NULL) {
                found = sub;
            }
        }
    }

    return found;
}


static int
naive_equal(json_t *one, json_t *two)
{
    if (one == NULL || two == NULL) {
        return 0;
    }

    if (json_is_number(one) && json_is_number(two)) {
        return json_number_value(one) == json_number_value(two);
    }

    if (json_is_object(one) || json_is_array(one)) {
        return 0;
    }

    return json_equal(one, two);
}


static int
naive_exists(const char *field, json_t *doc)
{
    int      rc;
    char     path[64], *bracket;
    size_t   i;
    json_t  *v, *want;

    snprintf(path, sizeof(path), "%s", field);
    bracket = strchr(path, '[');

    if (bracket == NULL) {
        return naive_value(doc, path) != NULL;
    }

    *bracket = '\0';
    want = json_loadb(bracket + 1, strlen(bracket + 1) - 1, JSON_DECODE_ANY,
                      NULL);
    v = naive_value(doc, path);

    for (i = 0, rc = 0; json_is_array(v) && i < json_array_size(v); i++) {
        rc |= naive_equal(json_array_get(v, i), want);
    }

    json_decref(want);

    return rc;
}


static int
naive_range(json_t *bounds, json_t *v)
{
    double       num, bound;
    json_t      *b;
    const char  *name;

    if (!json_is_number(v)) {
        return 0;
    }

    num = json_number_value(v);

    json_object_foreach(bounds, name, b) {
        bound = json_number_value(b);

        if ((strcmp(name, "gt") == 0 && !(num > bound))
            || (strcmp(name, "gte") == 0 && !(num >= bound))
            || (strcmp(name, "lt") == 0 && !(num < bound))
            || (strcmp(name, "lte") == 0 && !(num <= bound)))
        {
            return 0;
        }
    }

    return 1;
}


static int naive(json_t *filter, json_t *doc);


/* How many filters of a list match. */
static size_t
naive_count(json_t *list, json_t *doc)
{
    size_t   i, n;
    json_t  *f;

    n = 0;

    json_array_foreach(list, i, f) {
        n += naive(f, doc);
    }

    return n;
}


static int
naive_bool(json_t *arg, json_t *doc)
{
    json_t  *l;

    l = json_object_get(arg, "must");

    if (l && naive_count(l, doc) != json_array_size(l)) {
        return 0;
    }

    l = json_object_get(arg, "must_not");

    if (l && naive_count(l, doc) != 0) {
        return 0;
    }

    l = json_object_get(arg, "should");

    if (l && naive_count(l, doc) == 0) {
        return 0;
    }

    l = json_object_get(arg, "should_not");

    return !l || naive_count(l, doc) < json_array_size(l);
}


static int
naive(json_t *filter, json_t *doc)
{
    size_t       i;
    json_t      *arg, *v, *item;
    const char  *kw, *field;

    kw = json_object_iter_key(json_object_iter(filter));

    if (kw == NULL) {
        return 1;
    }

    arg = json_object_get(filter, kw);
    field = json_is_object(arg)
            ? json_object_iter_key(json_object_iter(arg)) : NULL;

    switch (kw[0]) {

    case 'a':
        return naive_count(arg, doc) == json_array_size(arg);

    case 'o':
        return naive_count(arg, doc) != 0;

    case 'b':
        return naive_bool(arg, doc);

    case 'm':
        return !naive_exists(json_string_value(arg), doc);

    case 'r':
        return naive_range(json_object_get(arg, field),
                           naive_value(doc, field));
    case 'n':
        return (strcmp(kw, "not") == 0) ? !naive(arg, doc) : 0;

    case 'e':
        if (kw[1] == 'x') {
            return naive_exists(json_string_value(arg), doc);
        }

        return naive_equal(json_object_get(arg, field),
                           naive_value(doc, field));
    default: /* in, ids */
        v = naive_value(doc, kw[1] == 'd' ? "_id" : field);

        json_array_foreach(json_object_get(arg, field), i, item) {
            if (naive_equal(item, v)) {
                return 1;
            }
        }

        return 0;
    }
}


/* Random filters and documents, from few names and values. */

static uint64_t  seed = 0x6b7a2d66696c7465ULL;

static uint32_t
any(uint32_t n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return (uint32_t) (seed >> 33) % n;
}


#define pick(list)  list[any(sizeof(list) / sizeof(list[0]))]

static const char  *paths[] = {
    "a", "b", "c", "a.b", "a.c", "b.a", "a.b.c", "d", "_id"
};

static const char  *scalars[] = {
    "1", "2", "1.0", "-1", "0", "-0.0", "3e0", "4", "5", "true", "false",
    "null", "\"\"", "\"x\"", "\"y\"", "\"\\u0078\"", "\"1\"", "\"i1\"",
    "\"a somewhat longer string\""
};


static char *
any_leaf(char *p)
{
    int          low, lower, upper;
    char         value[64], *q;
    uint32_t     n;
    const char  *s;

    switch (any(9)) {

    case 0:
    case 1:
    case 2:
        return p + sprintf(p, "{\"equals\":{\"%s\":%s}}", pick(paths),
                           pick(scalars));
    case 3:
        low = (int) any(8) - 2;
        lower = any(3);
        upper = lower ? any(3) : 1 + any(2);

        p += sprintf(p, "{\"range\":{\"%s\":{", pick(paths));

        if (lower) {
            p += sprintf(p, "\"%s\":%d", lower == 1 ? "gt" : "gte", low);
        }

        if (upper) {
            p += sprintf(p, "%s\"%s\":%d", lower ? "," : "",
                         upper == 1 ? "lt" : "lte", low + 1 + (int) any(4));
        }

        return stpcpy(p, "}}}");

    case 4:
    case 5:
        p += sprintf(p, "{\"%s\":\"%s", any(2) ? "exists" : "missing",
                     pick(paths));

        if (any(2)) {
            s = pick(scalars);

            for (q = value; *s; s++) {
                if (*s == '"' || *s == '\\') {
                    *q++ = '\\';
                }

                *q++ = *s;
            }

            *q = '\0';
            p += sprintf(p, "[%s]", value);
        }

        return stpcpy(p, "\"}");

    case 6:
        p += sprintf(p, "{\"in\":{\"%s\":[\"x\"", pick(paths));

        for (n = any(3); n > 0; n--) {
            p += sprintf(p, ",\"%c\"", 'w' + any(4));
        }

        return stpcpy(p, "]}}");

    case 7:
        return p + sprintf(p, "{\"ids\":{\"values\":[\"i%d\",\"i%d\"]}}",
                           any(4), any(4));
    default:
        return any(10) ? any_leaf(p) : stpcpy(p, "{\"nothing\":0}");
    }
}


static char *any_filter(char *p, int depth);


static char *
any_list(char *p, int depth)
{
    uint32_t  i, n;

    n = 1 + any(3);

    for (i = 0; i < n; i++) {
        p = any_filter(stpcpy(p, i ? "," : "["), depth - 1);
    }

    return stpcpy(p, "]");
}


static char *
any_filter(char *p, int depth)
{
    int  must;

    switch (depth > 0 ? any(6) : 5) {

    case 0:
        p = any_list(stpcpy(p, "{\"and\":"), depth);
        break;

    case 1:
        p = any_list(stpcpy(p, "{\"or\":"), depth);
        break;

    case 2:
        p = any_filter(stpcpy(p, "{\"not\":"), depth - 1);
        break;

    case 3:
        must = any(2);
        p = stpcpy(p, "{\"bool\":{");

        if (must) {
            p = any_list(stpcpy(p, "\"must\":"), depth);
        }

        if (any(2)) {
            p = any_list(stpcpy(p, must ? ",\"must_not\":"
                                        : "\"must_not\":"), depth);
            must = 1;
        }

        if (!must || any(2)) {
            p = any_list(stpcpy(p, must ? ",\"should\":" : "\"should\":"),
                         depth);
        }

        if (any(2)) {
            p = any_list(stpcpy(p, ",\"should_not\":"), depth);
        }

        return stpcpy(p, "}}");

    default:
        return any_leaf(p);
    }

    return stpcpy(p, "}");
}


/*
 * dotted: literal keys with dots, otherwise repeated keys.  Not both: what
 * comes of a repeated key beside a literal one is our own decision.
 */
static char *
any_doc(char *p, int depth, int dotted)
{
    uint32_t  i, j, n, m;

    static const char  *keys[] = { "a", "b", "c", "d", "\\u0061" };
    static const char  *dots[] = { "a.b", "b.a", "a\\u002ec", "a", "b.c" };

    p = stpcpy(p, "{");
    n = any(dotted ? 5 : 6);

    for (i = 0; i < n; i++) {
        if (dotted) {
            p += sprintf(p, "%s\"%s\":", i ? ", " : "",
                         any(2) ? dots[i % 5] : keys[(i + 1) % 4]);

        } else {
            p += sprintf(p, "%s\"%s\":", i ? "," : "", pick(keys));
        }

        switch (any(depth > 0 ? 4 : 2)) {

        case 0:
            p = stpcpy(p, pick(scalars));
            break;

        case 1:
            p = stpcpy(p, "[");
            m = any(4);

            for (j = 0; j < m; j++) {
                p += sprintf(p, "%s%s", j ? "," : "",
                             any(6) ? pick(scalars) : "{\"b\":[1]}");
            }

            p = stpcpy(p, "]");
            break;

        default:
            p = any_doc(p, depth - 1, dotted);
        }
    }

    return stpcpy(p, "}");
}


#define FILTERS    200
#define DOCUMENTS  40
#define ROUNDS     25


typedef struct {
    json_t           *tree;
    kz_filter_t      *f;
    kz_filter_ref_t  *ref;
    int               hits;
} random_t;


static void
random_hit(void *owner, void *data)
{
    (void) data;

    ((random_t *) owner)->hits++;
}


/* All filters with one document, in three ways. */
static int
random_compare(random_t *all, kz_filter_set_t *set, const char *text,
    ngx_uint_t *combinations, ngx_uint_t *matched)
{
    int             want, same, with_id;
    char            id[8];
    u_char         *copy;
    json_t         *tree;
    ngx_str_t       s;
    ngx_uint_t      i;
    kz_json_val_t   v;

    v = json(text, &copy);
    tree = json_loads(text, 0, NULL);
    with_id = any(4);
    same = 1;

    snprintf(id, sizeof(id), "i%d", any(4));
    s.data = (u_char *) id;
    s.len = 2;

    if (with_id) {
        json_object_set_new(tree, "_id", json_string(id));
    }

    for (i = 0; i < FILTERS; i++) {
        all[i].hits = 0;
    }

    kz_filter_set_match(set, &v, with_id ? &s : NULL, random_hit, NULL);

    for (i = 0; i < FILTERS; i++) {
        want = naive(all[i].tree, tree);

        if (kz_filter_match(all[i].f, &v, with_id ? &s : NULL)
            != (ngx_uint_t) want
            || all[i].hits != (all[i].ref ? want : 0))
        {
            if (same) {
                printf("# %.*s is %s, %d, should be %d: %s\n",
                       (int) kz_filter_text(all[i].f)->len,
                       kz_filter_text(all[i].f)->data,
                       all[i].ref ? "in the set" : "alone", all[i].hits,
                       want, json_dumps(all[i].tree, 0));
                printf("# document %s, id %s\n", text, with_id ? id : "no");
            }

            same = 0;
        }

        *matched += want;
    }

    *combinations += FILTERS;

    json_decref(tree);
    free(copy);

    return same;
}


/* A canonical text compiles to itself; so does a filter negated twice. */
static int
random_canonical(ngx_pool_t *pool, kz_filter_t *f, const char *text)
{
    int           same;
    char         *twice;
    ngx_str_t    *s;
    kz_filter_t  *g;

    s = kz_filter_text(f);

    twice = malloc(2 * strlen(text) + s->len + 64);

    sprintf(twice, "%.*s", (int) s->len, s->data);
    g = compile(pool, twice, &no_limits);
    same = (g != NULL && kz_filter_text(g)->len == s->len
            && memcmp(kz_filter_text(g)->data, s->data, s->len) == 0);

    if (!same) {
        printf("# %s -> %.*s -> %.*s\n", text, (int) s->len, s->data,
               g ? (int) kz_filter_text(g)->len : 0,
               g ? kz_filter_text(g)->data : NULL);
    }

    sprintf(twice, "{\"and\":[{\"not\":{\"not\":%s}},%s]}", text, text);
    g = compile(pool, twice, &no_limits);


    /* its product with itself may be too large on the way */

    same &= (g != NULL
             ? kz_filter_text(g)->len == s->len
               && memcmp(kz_filter_text(g)->data, s->data, s->len) == 0
             : err.fault == KZ_FILTER_TOO_COMPLEX);

    free(twice);

    return same;
}


static void
test_random(void)
{
    int               same, canonical;
    char             *text;
    random_t          all[FILTERS];
    ngx_pool_t       *pool;
    ngx_uint_t        i, round, combinations, matched;
    kz_filter_set_t  *set;

    text = malloc(1024 * 1024);
    set = kz_filter_set_create(&kz_shim_log);
    combinations = 0;
    matched = 0;
    same = 1;
    canonical = 0;

    for (round = 0; round < ROUNDS; round++) {
        pool = kz_shim_pool();

        for (i = 0; i < FILTERS; i++) {
            any_filter(text, any(4));

            all[i].f = compile(pool, text, &no_limits);

            if (all[i].f == NULL) {
                /* a product too large: another one */
                i--;
                continue;
            }

            all[i].tree = json_loads(text, 0, NULL);
            all[i].ref = kz_filter_set_add(set, all[i].f, &all[i]);

            if (i % 4 == 0) {
                canonical += !random_canonical(pool, all[i].f, text);
            }
        }

        for (i = 0; i < DOCUMENTS; i++) {
            any_doc(text, 3, i & 1);
            same &= random_compare(all, set, text, &combinations, &matched);

            /* some leave, some come back */

            if (i % 4 == 3) {
                random_t  *r = &all[any(FILTERS)];
                uint32_t   n;

                for (n = 0; n < 20; n++, r = &all[any(FILTERS)]) {
                    if (r->ref) {
                        kz_filter_set_remove(set, r->ref);
                        r->ref = NULL;

                    } else {
                        r->ref = kz_filter_set_add(set, r->f, r);
                    }
                }
            }
        }

        for (i = 0; i < FILTERS; i++) {
            json_decref(all[i].tree);

            if (all[i].ref) {
                kz_filter_set_remove(set, all[i].ref);
            }
        }

        ngx_destroy_pool(pool);
    }

    ok(same, "set, filter and evaluation agree on %d combinations (%d match)",
       (int) combinations, (int) matched);
    is_int(canonical, 0, "texts that do not compile to themselves");

    kz_filter_set_destroy(set);
    free(text);
}


/* The interval tree with many ranges, against arithmetic. */

#define RANGES  3000


static void
test_ranges(void)
{
    int               low[RANGES], high[RANGES], in[RANGES], wrong;
    char              text[128];
    ngx_pool_t       *pool;
    ngx_uint_t        i, n, round, expected;
    kz_filter_t      *f[RANGES];
    kz_json_val_t     v;
    kz_filter_set_t  *set;
    kz_filter_ref_t  *ref[RANGES];

    pool = kz_shim_pool();
    set = kz_filter_set_create(&kz_shim_log);

    for (i = 0; i < RANGES; i++) {
        low[i] = any(2000);
        high[i] = low[i] + 1 + any(100);
        sprintf(text, "{\"range\":{\"n\":{\"%s\":%d,\"%s\":%d}}}",
                i & 1 ? "gt" : "gte", low[i], i & 2 ? "lt" : "lte", high[i]);
        f[i] = compile(pool, text, &no_limits);
        ref[i] = kz_filter_set_add(set, f[i], NULL);
        in[i] = 1;
    }

    for (round = 0, wrong = 0; round < 600; round++) {
        int      num = any(2200);
        u_char  *copy;

        for (i = 0, expected = 0; i < RANGES; i++) {
            expected += in[i]
                        && (i & 1 ? num > low[i] : num >= low[i])
                        && (i & 2 ? num < high[i] : num <= high[i]);
        }

        sprintf(text, "{\"n\":%d}", num);
        v = json(text, &copy);
        n = 0;
        kz_filter_set_match(set, &v, NULL, count_hit, &n);
        wrong += (n != expected);
        free(copy);

        for (n = 0; n < 8; n++) {
            i = any(RANGES);

            if (in[i]) {
                kz_filter_set_remove(set, ref[i]);

            } else {
                ref[i] = kz_filter_set_add(set, f[i], NULL);
            }

            in[i] = !in[i];
        }
    }

    is_int(wrong, 0, "600 numbers in up to 3000 ranges that come and go");

    kz_filter_set_destroy(set);
    ngx_destroy_pool(pool);
}


/* Memory runs out at every allocation in turn. */

static void
test_memory(void)
{
    int               failed;
    u_char           *copy;
    ngx_int_t         n;
    ngx_pool_t       *pool;
    ngx_uint_t        hits;
    kz_filter_t      *f;
    kz_json_val_t     v, doc;
    kz_filter_set_t  *set;

    static const char  text[] =
        "{\"and\":[{\"bool\":{\"must\":[{\"range\":{\"a.b\":{\"gt\":1}}},"
        "{\"range\":{\"a.b\":{\"lt\":9}}}],\"should\":[{\"equals\":"
        "{\"\\u0063\":\"\\u0064\"}},{\"exists\":\"e[\\\"f\\\"]\"},"
        "{\"ids\":{\"values\":[\"i\",\"j\"]}}]}},{\"not\":"
        "{\"missing\":\"g.h.i.j\"}}]}";

    v = json(text, &copy);
    failed = 0;

    for (n = 0; n < 10000; n++) {
        pool = kz_shim_pool();
        kz_shim_allocations = n;

        if (kz_filter_compile(pool, &v, &no_limits, &f, &err) == NGX_OK) {
            kz_shim_allocations = -1;
            break;
        }

        kz_shim_allocations = -1;
        failed += (err.fault != KZ_FILTER_NO_MEMORY
                   || err.message2.len == 0);
        ngx_destroy_pool(pool);
    }

    ok(n > 20 && n < 10000 && failed == 0,
       "compilation fails cleanly at each of %d allocations", (int) n);

    free(copy);
    doc = json("{\"a\":{\"b\":5},\"c\":\"d\",\"g\":{\"h\":{\"i\":{\"j\":1}}}}",
               &copy);

    for (n = 0, failed = 0; n < 10000; n++) {
        set = kz_filter_set_create(&kz_shim_log);
        kz_shim_allocations = n;
        hits = (kz_filter_set_add(set, f, NULL) != NULL);
        kz_shim_allocations = -1;

        if (hits == 1) {
            break;
        }

        /* what is left of it must not match, nor be in the way */

        kz_filter_set_match(set, &doc, NULL, count_hit, &hits);
        failed += (hits != 0);

        kz_filter_set_add(set, f, NULL);
        kz_filter_set_match(set, &doc, NULL, count_hit, &hits);
        failed += (hits != 1);

        kz_filter_set_destroy(set);
    }

    ok(n > 10 && n < 10000 && failed == 0,
       "adding to a set fails cleanly at each of %d allocations", (int) n);

    kz_shim_allocations = 0;
    hits = 0;
    kz_filter_set_match(set, &doc, NULL, count_hit, &hits);
    kz_shim_allocations = -1;
    is_int(hits, 1, "matching needs no memory");

    kz_filter_set_destroy(set);
    ngx_destroy_pool(pool);
    free(copy);
}


int
main(void)
{
    test_random();
    test_ranges();
    test_memory();

    return tap_done();
}
