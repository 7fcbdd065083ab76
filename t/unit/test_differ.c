
/*
 * Searches against a naive matcher: random mappings, documents and queries
 * (naive.h).  The documents go through a writer, so that there are postings
 * of every kind: segments, a tail, rows that are gone.  KZ_SOAK=1: ten times
 * as much; KZ_SEED repeats a run.
 *
 * sources: store/sqlite/kz_sqlite_plan_leaf.c store/sqlite/kz_sqlite_ranked.c
 * sources: store/sqlite/kz_sqlite_ranked.c
 * sources: store/sqlite/kz_sqlite_impacts.c
 * sources: core/kz_change.c core/kz_stat.c store/kz_agg.c store/kz_agg_bind.c
 * sources: store/kz_agg_metric.c store/kz_agg_order.c store/kz_agg_param.c
 * sources: store/kz_agg_parse.c store/kz_agg_print.c store/kz_agg_value.c
 * sources: store/kz_analysis.c store/kz_analysis_conf.c
 * sources: store/kz_analysis_filter.c store/kz_analysis_part.c
 * sources: store/kz_date.c store/kz_highlight.c store/kz_highlight_doc.c
 * sources: store/kz_highlight_text.c store/kz_koncorde_check.c
 * sources: store/kz_koncorde_geo.c store/kz_koncorde_regexp.c
 * sources: store/kz_lucene_token.c store/kz_mapping.c store/kz_mapping_copy.c
 * sources: store/kz_mapping_date.c store/kz_mapping_field.c
 * sources: store/kz_mapping_geo.c store/kz_mapping_infer.c
 * sources: store/kz_mapping_text.c store/kz_mapping_tree.c
 * sources: store/kz_mapping_value.c store/kz_mapping_walk.c store/kz_match.c
 * sources: store/kz_match_bind.c store/kz_match_field.c store/kz_match_geo.c
 * sources: store/kz_match_leaf.c store/kz_match_nested.c
 * sources: store/kz_match_pattern.c store/kz_match_phrase.c
 * sources: store/kz_match_raw.c store/kz_match_regexp.c store/kz_match_sort.c
 * sources: store/kz_match_text.c store/kz_match_words.c store/kz_query.c
 * sources: store/kz_query_body.c store/kz_query_geo.c
 * sources: store/kz_query_koncorde.c store/kz_query_lucene.c
 * sources: store/kz_query_match.c store/kz_query_multi.c
 * sources: store/kz_query_parse.c store/kz_query_simple.c
 * sources: store/kz_query_sort.c store/kz_query_string.c
 * sources: store/kz_query_term.c store/kz_settings.c store/kz_source.c
 * sources: store/sqlite/kz_sqlite_apply.c store/sqlite/kz_sqlite_block.c
 * sources: store/sqlite/kz_sqlite_catalog.c
 * sources: store/sqlite/kz_sqlite_checkpoint.c
 * sources: store/sqlite/kz_sqlite_columns.c store/sqlite/kz_sqlite_commit.c
 * sources: store/sqlite/kz_sqlite_db.c store/sqlite/kz_sqlite_done.c
 * sources: store/sqlite/kz_sqlite_drop.c store/sqlite/kz_sqlite_index.c
 * sources: store/sqlite/kz_sqlite_items.c store/sqlite/kz_sqlite_lanes.c
 * sources: store/sqlite/kz_sqlite_merge.c store/sqlite/kz_sqlite_names.c
 * sources: store/sqlite/kz_sqlite_plan.c store/sqlite/kz_sqlite_postings.c
 * sources: store/sqlite/kz_sqlite_search.c
 * sources: store/sqlite/kz_sqlite_segment.c store/sqlite/kz_sqlite_settings.c
 * sources: store/sqlite/kz_sqlite_source.c store/sqlite/kz_sqlite_tombs.c
 * sources: store/sqlite/kz_sqlite_top.c store/sqlite/kz_sqlite_wire.c
 * sources: store/sqlite/kz_sqlite_words.c store/sqlite/kz_sqlite_writer.c
 * sources: store/sqlite/kz_sqlite_writer_io.c
 * sources: store/sqlite/kz_sqlite_wire_items.c
 * sources: store/sqlite/kz_sqlite_pick.c
 * libs: -lsqlite3
 */

#include "writer_driver.h"
#include "naive_clause.h"
#include "no_scroll.h"

#include <math.h>


#define DOCS      450
#define VARIANTS  24
#define QUERIES   850                    /* of each: 20,400 */


typedef struct {
    field_e       field;
    int           desc;
    int           first;
    int           missing;               /* a number; -1000: none */
    int           mode;                  /* 0, 1 min, 2 max */
} sort_key_t;


/* What is asked for, and what is expected. */

typedef struct {
    clause_t     *query;
    clause_t     *post;
    sort_key_t        keys[2];
    int           nkeys;                 /* 0: no sort */
    int           count, from, size, collapse, aggs, after;
    int           found[DOCS];           /* by the query */
    int           nfound;
    int           hits[DOCS];            /* what is shown, from 0 on */
    int           nhits, total;
    char          body[65536];
} case_t;


static variant_t            variants[VARIANTS];
static doc_t                docs[VARIANTS][DOCS];
static const variant_t     *var;         /* the one at work */
static const doc_t         *doc;
static case_t              *sorted;      /* for qsort() */
static unsigned             complaints;
static volatile ngx_uint_t  stop;
static worker_t            *w;


static void
variant_random(int n, char *mapping)
{
    variant_t  *v = &variants[n];

    static const char  *ints[] = { "integer", "long", "short", "byte" };
    static const char  *reals[] = { "double", "float", "half_float" };

    memset(v, 0, sizeof(*v));
    v->rule = (n % 6 == 5) ? RAW : (n % 6 == 4) ? DYNAMIC : MAPPED;
    v->itype = ints[rnd(4)];
    v->ftype = reals[rnd(3)];

    if (v->rule == RAW) {
        strcpy(mapping, "{}");
        return;
    }

    if (v->rule == DYNAMIC) {
        strcpy(mapping, "{\"dynamic\":\"true\"}");
        return;
    }

    v->ignore_above = rnd(2) ? 0 : 2 + rnd(3);
    v->null_value = rnd(3) == 0 && v->ignore_above == 0;

    naive_out = mapping;
    put("{\"dynamic\":\"%s\",\"properties\":{\"k\":{\"type\":\"keyword\"",
        rnd(2) ? "false" : "strict");

    if (v->ignore_above) {
        put(",\"ignore_above\":%d", v->ignore_above);
    }

    if (v->null_value) {
        put(",\"null_value\":\"nil\"");
    }

    put("},\"o\":{\"properties\":{\"k\":{\"type\":\"keyword\"}}},\"g\":{"
        "\"type\":\"keyword\"},\"i\":{\"type\":\"%s\"},\"f\":{\"type\":"
        "\"%s\"},\"b\":{\"type\":\"boolean\"},\"d\":{\"type\":\"date\"},"
        "\"t\":{\"type\":\"text\"},\"c\":{\"type\":\"nested\","
        "\"properties\":{\"who\":{\"type\":\"keyword\"},\"stars\":{"
        "\"type\":\"integer\"}}}}}", v->itype, v->ftype);
}


/* Changes of n documents of a collection. */

static void
change(int n, int from, int to)
{
    int        i, failed;
    char       col[16], id[16], text[1024];
    doc_t     *d;
    uint64_t   first = w->seq + 1;

    sprintf(col, "c%d", n);

    for (i = from; i < to; i++) {
        d = &docs[n][i % DOCS];
        sprintf(id, "d%03d", i % DOCS);

        if (d->live && rnd(8) == 0) {
            d->live = 0;
            (void) ask_at(w, 0, 0, KZ_STORE_DOC_DELETE, KZ_DIALECT_2, "nyc",
                          col, id, NULL, kz_writer_ms() + patience);
            continue;
        }

        doc_random(d, &variants[n]);
        doc_text(d, text);
        (void) ask_at(w, 0, 0, KZ_STORE_DOC_PUT, KZ_DIALECT_2, "nyc", col,
                      id, text, kz_writer_ms() + patience);
    }

    for (failed = 0; first <= w->seq; first++) {
        kz_wire_result_t  *r = answer(w, first);

        if (r->status != KZ_STORE_OK && failed++ == 0) {
            printf("# c%d: %d %.*s\n", n, r->status, (int) r->detail.len,
                   r->detail.data);
        }
    }

    if (failed) {
        printf("Bail out! %d changes failed\n", failed);
        exit(1);
    }
}


static void
fill(void)
{
    int   n, i;
    char  col[16], mapping[1024];

    (void) do_op(w, KZ_STORE_INDEX_CREATE, "nyc", NULL, NULL, NULL);

    for (n = 0; n < VARIANTS; n++) {

        if (w->seq > MAX_OPS - 3 * DOCS) {
            worker_free(w);
            w = worker_new();
        }

        sprintf(col, "c%d", n);
        variant_random(n, mapping);
        (void) answer(w, ask_at(w, 0, 0, KZ_STORE_COLLECTION_CREATE,
                                KZ_DIALECT_2, "nyc", col, NULL, mapping,
                                kz_writer_ms() + patience));
        change(n, 0, DOCS);
        change(n, rnd(DOCS), DOCS + rnd(100));
    }

    for (i = 0; i < 100; i++) {

        if (query("nyc", "SELECT count(DISTINCT col) FROM seg WHERE"
                  " state = 1") == VARIANTS)
        {
            break;
        }

        usleep(50000);
    }

    is_int(query("nyc", "SELECT count(DISTINCT col) FROM seg WHERE"
                 " state = 1"), VARIANTS, "all collections have segments");

    /* those behind the segments, and those that are gone from them */

    for (n = 0; n < VARIANTS; n += 2) {
        change(n, 0, 40 + rnd(60));
    }
}


static kz_sqlite_db_t *
reader(void)
{
    char             path[160];
    kz_sqlite_db_t  *db;
    kz_sqlite_err_t  err;

    file_path(path, "nyc");
    db = kz_sqlite_open_reader(path, NULL, 0, ngx_cycle->log, &err);

    if (db == NULL) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }

    sqlite3_busy_timeout(db->db, 2000);

    return db;
}


/* The mapping as it is stored. */

static kz_mapping_t *
mapping_read(kz_sqlite_db_t *db, int col)
{
    ngx_str_t          path;
    kz_field_t        *f;
    kz_mapping_t      *m;
    sqlite3_stmt      *s;
    kz_mapping_err_t   err;

    s = kz_sqlite_stmt_lit(db, "SELECT mapping FROM col WHERE id = ?1");
    sqlite3_bind_int(s, 1, col);
    sqlite3_step(s);
    m = kz_mapping_compile((u_char *) sqlite3_column_text(s, 0),
                           sqlite3_column_bytes(s, 0), KZ_DIALECT_2,
                           ngx_cycle->log, &err);
    kz_sqlite_done(s);

    if (m == NULL) {
        printf("Bail out! %.*s\n", (int) err.detail.len, err.detail.data);
        exit(1);
    }

    s = kz_sqlite_stmt_lit(db, "SELECT id, path FROM fld WHERE col = ?1");
    sqlite3_bind_int(s, 1, col);

    while (sqlite3_step(s) == SQLITE_ROW) {
        path.data = (u_char *) sqlite3_column_text(s, 1);
        path.len = sqlite3_column_bytes(s, 1);
        f = kz_mapping_field(m, &path);

        if (f) {
            f->id = sqlite3_column_int64(s, 0);
        }
    }

    kz_sqlite_done(s);

    return m;
}


/* -1: it has no value. */

static int
key_value(const sort_key_t *k, int number, vals_t *one)
{
    int     i, best, max;
    vals_t  x;

    values(var, &doc[number], k->field, -1, &x);

    if (x.n == 0) {
        one->d[0] = k->missing;
        return (k->missing == -1000) ? -1 : 0;
    }

    max = k->mode ? k->mode == 2 : k->desc;

    for (best = 0, i = 1; i < x.n; i++) {
        int  less = x.texts ? strcmp(x.s[i], x.s[best]) < 0
                            : x.d[i] < x.d[best];

        if (max ? !less : less) {
            best = i;
        }
    }

    one->d[0] = x.d[best];
    strcpy(one->s[0], x.texts ? x.s[best] : "");

    return 0;
}


static int
hit_cmp(const void *one, const void *two)
{
    int            i, rc, na, nb, a = *(const int *) one;
    int            b = *(const int *) two;
    vals_t         va, vb;
    const sort_key_t  *k;

    for (i = 0; i < sorted->nkeys; i++) {
        k = &sorted->keys[i];
        na = key_value(k, a, &va);
        nb = key_value(k, b, &vb);

        if (na || nb) {
            if (na == nb) {
                continue;
            }
            return (na != 0) == k->first ? -1 : 1;
        }

        rc = (k->field == IN_K || k->field == IN_G)
             ? strcmp(va.s[0], vb.s[0])
             : (va.d[0] > vb.d[0]) - (va.d[0] < vb.d[0]);

        if (rc) {
            return k->desc ? -rc : rc;
        }
    }

    return a - b;
}


static void
keys_random(case_t *c)
{
    int      i;
    sort_key_t  *k;

    static const field_e  fields[] = { IN_I, IN_F, IN_K, IN_G, IN_D };

    c->nkeys = 1 + rnd(2);

    for (i = 0; i < c->nkeys; i++) {
        k = &c->keys[i];
        k->field = fields[rnd(var->rule == RAW ? 4 : 5)];
        k->desc = rnd(2);
        k->missing = -1000;
        k->first = rnd(3) == 0;
        k->mode = rnd(3) ? 0 : 1 + rnd(2);

        if (k->field == IN_I && rnd(3) == 0) {
            k->missing = rnd(40);
            k->first = 0;
        }
    }
}


static void
keys_text(const case_t *c)
{
    int            i;
    const sort_key_t  *k;

    put(",\"sort\":[");

    for (i = 0; i < c->nkeys; i++) {
        k = &c->keys[i];
        put("{\"%s\":{\"order\":\"%s\"", field_name(var, k->field),
            k->desc ? "desc" : "asc");

        if (k->missing != -1000) {
            put(",\"missing\":%d", k->missing);
        } else if (k->first) {
            put(",\"missing\":\"_first\"");
        }

        if (k->mode) {
            put(",\"mode\":\"%s\"", k->mode == 1 ? "min" : "max");
        }

        put("}},");
    }

    put("\"_id\"]");
}


/* After a hit all of whose keys have a value: its place, or -1. */

static int
after_text(const case_t *c)
{
    int     i, n, at = rnd(c->nhits);
    vals_t  x;

    for (i = 0; i < c->nkeys; i++) {
        if (key_value(&c->keys[i], c->hits[at], &x)) {
            return -1;
        }
    }

    put(",\"search_after\":[");

    for (i = 0; i < c->nkeys; i++) {
        n = c->hits[at];
        (void) key_value(&c->keys[i], n, &x);

        if (c->keys[i].field == IN_K || c->keys[i].field == IN_G) {
            put("\"%s\",", x.s[0]);

        } else if (c->keys[i].field == IN_D) {        /* 2019-12-31 + */
            put("%lld,", 1577750400000LL + (long long) x.d[0] * 43200000);

        } else {
            put("%.15g,", x.d[0]);
        }
    }

    put("\"d%03d\"]", c->hits[at]);

    return at;
}


static void
case_random(case_t *c)
{
    int  i, j, n, at;

    naive_used = 0;
    memset(c, 0, offsetof(case_t, body));
    c->query = clause_random(var, 0, 0);
    c->count = rnd(6) == 0;

    naive_out = c->body;
    put("{\"query\":");
    clause_text(var, c->query);

    for (i = 0; i < DOCS; i++) {
        if (doc[i].live && clause_match(var, c->query, &doc[i], i, -1)) {
            c->found[c->nfound++] = i;
        }
    }

    memcpy(c->hits, c->found, sizeof(c->found));
    c->nhits = c->total = c->nfound;

    if (!c->count) {
        c->from = rnd(3) ? 0 : rnd(100);
        c->size = rnd(3) ? rnd(30) : DOCS;
        c->aggs = (var->rule != RAW && rnd(5) == 0);

        if (rnd(6) == 0) {
            c->post = clause_random(var, 1, 0);
            put(",\"post_filter\":");
            clause_text(var, c->post);

            for (n = 0, i = 0; i < c->nhits; i++) {
                if (clause_match(var, c->post, &doc[c->hits[i]], c->hits[i],
                                 -1))
                {
                    c->hits[n++] = c->hits[i];
                }
            }

            c->nhits = c->total = n;
        }

        if (rnd(5) > 1) {
            keys_random(c);
            keys_text(c);
            sorted = c;
            qsort(c->hits, c->nhits, sizeof(int), hit_cmp);
        }

        if (c->nkeys && c->nhits && rnd(4) == 0) {
            at = after_text(c);
            if (at >= 0) {
                c->from = 0;
                c->nhits -= at + 1;
                memmove(c->hits, c->hits + at + 1, c->nhits * sizeof(int));
            }

        } else if (c->nkeys && var->rule != RAW && rnd(5) == 0) {
            put(",\"collapse\":{\"field\":\"%s\"}", field_name(var, IN_G));
            c->collapse = 1;

            for (n = 0, i = 0; i < c->nhits; i++) {
                for (j = 0; j < n; j++) {
                    if (doc[c->hits[j]].g == doc[c->hits[i]].g) {
                        break;
                    }
                }
                if (j == n) {
                    c->hits[n++] = c->hits[i];
                }
            }

            c->nhits = n;
        }

        if (c->aggs) {
            put(",\"aggs\":{\"x\":{\"terms\":{\"field\":\"%s\"},\"aggs\":{"
                "\"m\":{\"avg\":{\"field\":\"f\"}}}},\"y\":{\"avg\":{"
                "\"field\":\"i\"}}}", field_name(var, IN_G));
        }
    }

    put("}");
}


/* The number behind a name, from there on; *p: behind it. */

static double
number_after(const char **p, const char *name)
{
    const char  *s = *p ? strstr(*p, name) : NULL;

    if (s == NULL) {
        *p = NULL;
        return NAN;
    }

    s += strlen(name);
    *p = s;

    return strncmp(s, "null", 4) == 0 ? INFINITY : strtod(s, NULL);
}


static int
near_to(double a, double sum, int n)
{
    return n ? fabs(a - sum / n) < 1e-9 * (1 + fabs(a)) : a == INFINITY;
}


/* Over what the query found, whatever post_filter says. */

static int
aggs_wrong(const case_t *c, const ngx_str_t *text)
{
    int          g, i, j, n[6], m[6], order[5], ni;
    char         copy[8192], key[32];
    double       sum[6], isum;
    const char  *p, *q;

    memset(n, 0, sizeof(n));
    memset(m, 0, sizeof(m));
    memset(sum, 0, sizeof(sum));
    isum = ni = 0;

    for (i = 0; i < c->nfound; i++) {
        const doc_t  *d = &doc[c->found[i]];

        n[d->g]++;
        m[d->g] += d->nf;
        sum[d->g] += d->nf ? d->f : 0;

        /* equal values of one document are two of them */

        for (j = 0; j < d->ni; j++) {
            isum += d->i[j];
            ni++;
        }
    }

    for (g = 0; g < 5; g++) {
        order[g] = g + 1;
        for (j = g; j > 0 && n[order[j]] > n[order[j - 1]]; j--) {
            i = order[j];
            order[j] = order[j - 1];
            order[j - 1] = i;
        }
    }

    snprintf(copy, sizeof(copy), "%.*s", (int) text->len, text->data);
    p = copy;

    for (i = 0; i < 5 && n[order[i]]; i++) {
        g = order[i];
        sprintf(key, "{\"key\":\"g%d\",\"doc_count\":%d,", g, n[g]);
        p = strstr(p, "{\"key\":");

        if (p == NULL || strncmp(p, key, strlen(key)) != 0
            || !near_to(number_after(&p, "\"m\":{\"value\":"), sum[g], m[g]))
        {
            return 1;
        }
    }

    q = copy;

    return strstr(p, "{\"key\":") != NULL
           || !near_to(number_after(&q, "\"y\":{\"value\":"), isum, ni);
}


static int
result_wrong(const case_t *c, const kz_search_t *s)
{
    int         i, j, n, seen[DOCS];
    char        text[8];
    ngx_str_t  *id;

    if (s->status != KZ_STORE_OK || s->total != (uint64_t) c->total) {
        return 1;
    }

    if (c->count) {
        return 0;
    }

    n = c->nhits - c->from;
    n = n < 0 ? 0 : n > c->size ? c->size : n;

    if ((int) s->ndocs != n) {
        return 1;
    }

    memset(seen, 0, sizeof(seen));

    for (i = 0; i < n; i++) {
        id = &s->docs[i].id;
        snprintf(text, sizeof(text), "%.*s", (int) id->len, id->data);
        j = (id->len == 4) ? atoi(text + 1) : -1;

        if (c->nkeys) {
            if (j != c->hits[c->from + i]) {
                return 1;
            }
            continue;
        }

        /* by score: any of them, each once */

        if (j < 0 || j >= DOCS || seen[j]++
            || !doc[j].live || !clause_match(var, c->query, &doc[j], j, -1)
            || (c->post && !clause_match(var, c->post, &doc[j], j, -1)))
        {
            return 1;
        }
    }

    return c->aggs && aggs_wrong(c, &s->aggregations);
}


static kz_search_t *
search(kz_sqlite_db_t *db, kz_mapping_t *m, int col, case_t *c,
    ngx_pool_t *pool, kz_mapping_err_t *err)
{
    kz_query_t     *q;
    kz_search_t    *s = ngx_pcalloc(pool, sizeof(kz_search_t));
    kz_json_val_t   v, *after;

    static ngx_str_t  name = ngx_string("nyc");

    kz_json_value((u_char *) c->body, (u_char *) c->body + strlen(c->body),
                  &v);

    q = kz_query_parse(pool, &v, c->count ? KZ_QUERY_COUNT : 0, err);

    if (q == NULL
        || (c->collapse && kz_query_collapse(pool, q, err) != NGX_OK))
    {
        return NULL;
    }

    s->match = kz_match_create(pool, q, m, err);
    if (s->match == NULL) {
        return NULL;
    }

    s->match->nsort -= c->collapse;
    s->collapse = c->collapse;

    if (q->after.type != KZ_JSON_NONE) {
        after = ngx_palloc(pool, sizeof(kz_json_val_t));
        *after = q->after;
        s->after = after;
    }

    if (q->aggs.type != KZ_JSON_NONE) {
        s->aggs = kz_agg_parse(pool, &q->aggs, KZ_DIALECT_2, 0, err);

        if (s->aggs == NULL
            || kz_agg_bind(s->aggs, m, &name, &name, err) != NGX_OK)
        {
            return NULL;
        }
    }

    s->pool = pool;
    s->col = col;
    s->from = c->from;
    s->size = c->size;
    s->count = c->count;
    s->budget = 20000;
    s->stop = &stop;

    kz_sqlite_search_thread(db, s);

    return s;
}


static int
one(kz_sqlite_db_t *db, kz_mapping_t *m, int n, case_t *c)
{
    int                wrong;
    ngx_pool_t        *pool = kz_shim_pool();
    kz_search_t       *s;

    static kz_mapping_err_t  err;

    case_random(c);
    err.detail.len = 0;

    s = search(db, m, n + 1, c, pool, &err);
    wrong = (s == NULL || result_wrong(c, s));

    if (wrong && complaints++ < 10) {
        printf("# c%d %s\n#   from %d size %d: ", n, c->body, c->from,
               c->size);

        if (s == NULL) {
            printf("%.*s\n", (int) err.detail.len, err.detail.data);

        } else {
            printf("status %d, %d of %d, expected %d of %d%s%s %.*s\n",
                   s->status, (int) s->ndocs, (int) s->total,
                   c->nhits - c->from, c->total,
                   s->status == KZ_STORE_OK ? "" : ": ",
                   s->status == KZ_STORE_OK ? "" : (char *) s->err.text,
                   (int) s->aggregations.len, s->aggregations.data);
        }
    }

    if (s) {
        kz_agg_free(s->aggs);
        kz_match_free(s->match);
    }

    ngx_destroy_pool(pool);

    return wrong;
}


static void
test_all(int queries)
{
    int              n, i, wrong, total;
    case_t          *c = calloc(1, sizeof(case_t));
    kz_mapping_t    *m;
    kz_sqlite_db_t  *db = reader();

    for (total = 0, n = 0; n < VARIANTS; n++) {
        var = &variants[n];
        doc = docs[n];
        m = mapping_read(db, n + 1);

        for (wrong = 0, i = 0; i < queries; i++, total++) {
            wrong += one(db, m, n, c);
        }

        ok(wrong == 0, "c%d: of %d queries %d differ", n, queries, wrong);
        kz_mapping_free(m);
    }

    printf("# %d queries\n", total);
    kz_sqlite_close(db);
    free(c);
}


int
main(void)
{
    int    soak = getenv("KZ_SOAK") != NULL;
    pid_t  pid;

    naive_seed = getenv("KZ_SEED") ? strtoull(getenv("KZ_SEED"), NULL, 10)
                 : soak ? (unsigned long long) time(NULL) : naive_seed;
    printf("# KZ_SEED=%llu\n", naive_seed);

    driver_begin();
    pid = writer_start();
    w = worker_new();

    fill();
    test_all(soak ? 10 * QUERIES : QUERIES);

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
    driver_end();

    return tap_done();
}
