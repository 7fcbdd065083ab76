
/*
 * Searches in a real file against a naive evaluation, over random documents
 * and random queries: driver choice, exact totals, order, pages.  Half of
 * the collections have a mapping, half do not.
 *
 * sources: store/sqlite/kz_sqlite_plan_leaf.c
 * sources: store/sqlite/kz_sqlite_ranked.c
 * sources: store/sqlite/kz_sqlite_impacts.c
 * sources: store/sqlite/kz_sqlite_search.c
 * sources: store/sqlite/kz_sqlite_pick.c store/sqlite/kz_sqlite_plan.c
 * sources: store/sqlite/kz_sqlite_words.c
 * sources: store/kz_highlight.c store/kz_highlight_doc.c
 * sources: store/kz_highlight_text.c
 * sources: store/sqlite/kz_sqlite_top.c store/sqlite/kz_sqlite_db.c
 * sources: store/sqlite/kz_sqlite_segment.c
 * sources: store/sqlite/kz_sqlite_block.c
 * sources: store/kz_match.c store/kz_match_bind.c store/kz_match_leaf.c
 * sources: store/kz_match_field.c store/kz_match_raw.c
 * sources: store/kz_match_geo.c store/kz_match_nested.c
 * sources: store/kz_match_sort.c store/kz_match_regexp.c
 * sources: store/kz_match_pattern.c
 * sources: store/kz_match_text.c store/kz_match_words.c
 * sources: store/kz_match_phrase.c
 * sources: store/kz_query.c store/kz_query_body.c store/kz_query_parse.c
 * sources: store/kz_query_koncorde.c store/kz_koncorde_check.c
 * sources: store/kz_koncorde_geo.c store/kz_koncorde_regexp.c
 * sources: store/kz_query_term.c store/kz_query_match.c
 * sources: store/kz_query_geo.c store/kz_query_sort.c
 * sources: store/kz_query_string.c store/kz_query_lucene.c
 * sources: store/kz_lucene_token.c
 * sources: store/kz_query_simple.c store/kz_query_multi.c
 * sources: store/kz_date.c
 * sources: store/kz_mapping.c store/kz_mapping_tree.c
 * sources: store/kz_mapping_field.c store/kz_mapping_text.c
 * sources: store/kz_mapping_walk.c store/kz_mapping_value.c
 * sources: store/kz_mapping_infer.c
 * sources: store/kz_mapping_date.c
 * sources: store/kz_mapping_geo.c store/kz_mapping_copy.c
 * sources: store/kz_analysis.c store/kz_analysis_conf.c
 * sources: store/kz_analysis_part.c store/kz_analysis_filter.c
 * libs: -lsqlite3
 */

#include "tap.h"
#include "kz_shim.h"
#include "no_scroll.h"
#include "store/sqlite/kz_sqlite_search.h"

#include <unistd.h>


#define DOCS  400


typedef struct {
    char            id[16];
    char            city[16];
    int             tags[3];
    int             ntags;
    int             age;       /* -1: absent */
    double          price;
    int             ok;
} doc_t;


static doc_t             docs[DOCS];
static kz_sqlite_db_t   *db;
static kz_mapping_t     *mappings[2];
static unsigned          seed = 20240229;
static int               stops;
static volatile ngx_uint_t  stop;

static const char  *cities[] = { "Paris", "Nice", "Lyon", "Brest" };


static int
rnd(int n)
{
    seed = seed * 1103515245 + 12345;

    return (int) ((seed >> 8) % n);
}


static ngx_int_t
emit(void *ctx, const kz_field_t *f, const kz_value_t *v)
{
    sqlite3_stmt  *s;
    int64_t       *r = ctx;

    s = kz_sqlite_stmt_lit(db, "INSERT OR IGNORE INTO t1 VALUES(?,?,?)");

    sqlite3_bind_int64(s, 1, f->id);

    switch (v->type) {
    case KZ_VALUE_INT:
        sqlite3_bind_int64(s, 2, v->i);
        break;
    case KZ_VALUE_REAL:
        sqlite3_bind_double(s, 2, v->d);
        break;
    default:
        sqlite3_bind_text(s, 2, (char *) v->text.data, v->text.len,
                          SQLITE_TRANSIENT);
    }

    sqlite3_bind_int64(s, 3, *r);

    if (sqlite3_step(s) != SQLITE_DONE) {
        return NGX_ERROR;
    }

    kz_sqlite_done(s);

    return NGX_OK;
}


static void
fill(int col)
{
    int                i, j, n;
    char               src[512], sql[128];
    int64_t            r;
    kz_json_val_t      v;
    sqlite3_stmt      *s;
    kz_mapping_err_t   err;

    sprintf(sql, "CREATE TABLE d%d(r INTEGER PRIMARY KEY, id TEXT NOT NULL "
            "UNIQUE, ver INTEGER NOT NULL, info INTEGER NOT NULL, src TEXT "
            "NOT NULL)", col);
    kz_sqlite_exec(db, sql);

    if (col == 1) {
        kz_sqlite_exec(db, "CREATE TABLE t1(f INTEGER NOT NULL, v NOT NULL, "
                       "r INTEGER NOT NULL, PRIMARY KEY(f, v, r)) "
                       "WITHOUT ROWID");
    }

    kz_sqlite_exec(db, "BEGIN");

    for (i = 0; i < DOCS; i++) {
        n = sprintf(src, "{\"city\":\"%s\",\"tags\":[", docs[i].city);

        for (j = 0; j < docs[i].ntags; j++) {
            n += sprintf(src + n, "%s\"t%d\"", j ? "," : "", docs[i].tags[j]);
        }

        n += sprintf(src + n, "]");

        if (docs[i].age >= 0) {
            n += sprintf(src + n, ",\"age\":%d", docs[i].age);
        }

        n += sprintf(src + n, ",\"o\":{\"price\":%g},\"ok\":%s,\"note\":"
                     "\"from %s with %d\"}", docs[i].price,
                     docs[i].ok ? "true" : "false", docs[i].city,
                     docs[i].age);

        sprintf(sql, "INSERT INTO d%d VALUES(?,?,1,0,?)", col);

        r = i * 3 + 7;
        s = kz_sqlite_stmt(db, sql, strlen(sql));
        sqlite3_bind_int64(s, 1, r);
        sqlite3_bind_text(s, 2, docs[i].id, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 3, src, n, SQLITE_STATIC);

        if (sqlite3_step(s) != SQLITE_DONE) {
            printf("# insert: %s\n", sqlite3_errmsg(db->db));
            exit(2);
        }

        kz_sqlite_done(s);

        kz_json_value((u_char *) src, (u_char *) src + n, &v);

        if (kz_mapping_walk(mappings[col - 1], &v, 0, emit, &r, &err)
            != NGX_OK)
        {
            printf("# walk: %.*s\n", (int) err.detail.len, err.detail.data);
            exit(2);
        }
    }

    kz_sqlite_exec(db, "COMMIT");
}


/* A clause as text, and whether a document matches it. */

typedef struct {
    int   kind;
    int   a;
    int   b;
    int   not;
} clause_t;


static int
clause_text(char *p, const clause_t *c, int mapped)
{
    switch (c->kind) {
    case 0:
        return sprintf(p, "{\"term\":{\"city\":\"%s\"}}", cities[c->a % 4]);
    case 1:
        return sprintf(p, "{\"terms\":{\"tags\":[\"t%d\",\"t%d\"]}}", c->a,
                       c->b);
    case 2:
        return sprintf(p, "{\"range\":{\"age\":{\"gte\":%d,\"lt\":%d}}}",
                       c->a, c->a + c->b);
    case 3:
        return sprintf(p, "{\"range\":{\"o.price\":{\"gt\":%d.5}}}", c->a);
    case 4:
        return sprintf(p, "{\"exists\":{\"field\":\"age\"}}");
    case 5:
        return sprintf(p, "{\"ids\":{\"values\":[\"doc%d\",\"doc%d\",\"x\"]}"
                       "}", c->a * 9, c->b);
    case 6:
        return sprintf(p, "{\"term\":{\"ok\":%s}}",
                       (c->a & 1) ? "true" : "\"false\"");
    case 7:
        return sprintf(p, "{\"prefix\":{\"city\":\"%.2s\"}}",
                       cities[c->a % 4]);
    case 8:
        return sprintf(p, "{\"match\":{\"note\":\"%s\"}}", cities[c->a % 4]);
    case 9:
        return sprintf(p, mapped ? "{\"term\":{\"age\":\"%d\"}}"
                                 : "{\"term\":{\"age\":%d}}", c->a);
    default:
        return sprintf(p, "{\"match_all\":{}}");
    }
}


static int
clause_match(const clause_t *c, const doc_t *d)
{
    int   j;
    char  id[16];

    switch (c->kind) {
    case 0:
    case 7:
    case 8:
        return strcmp(d->city, cities[c->a % 4]) == 0;
    case 1:
        for (j = 0; j < d->ntags; j++) {
            if (d->tags[j] == c->a || d->tags[j] == c->b) {
                return 1;
            }
        }
        return 0;
    case 2:
        return d->age >= c->a && d->age < c->a + c->b;
    case 3:
        return d->price > c->a + 0.5;
    case 4:
        return d->age >= 0;
    case 5:
        sprintf(id, "doc%d", c->a * 9);
        if (strcmp(id, d->id) == 0) {
            return 1;
        }
        sprintf(id, "doc%d", c->b);
        return strcmp(id, d->id) == 0;
    case 6:
        return d->ok == (c->a & 1);
    case 9:
        return d->age == c->a;
    default:
        return 1;
    }
}


static int  sort_kind;


static int
doc_cmp(const void *one, const void *two)
{
    const doc_t  *a = &docs[*(const int *) one];
    const doc_t  *b = &docs[*(const int *) two];
    int           rc = 0;

    switch (sort_kind) {

    case 1:                                          /* age, city desc */
        if (a->age != b->age) {
            if (a->age < 0 || b->age < 0) {
                return a->age < 0 ? 1 : -1;
            }
            rc = a->age - b->age;
        }
        if (rc == 0) {
            rc = -strcmp(a->city, b->city);
        }
        break;

    case 2:                                          /* price desc */
        rc = (a->price < b->price) - (a->price > b->price);
        break;

    case 3:                                          /* age desc, first */
        if (a->age != b->age) {
            if (a->age < 0 || b->age < 0) {
                return a->age < 0 ? -1 : 1;
            }
            rc = b->age - a->age;
        }
        break;

    case 4:
        rc = -strcmp(a->id, b->id);
        break;
    }

    return rc ? rc : (a > b) - (a < b);
}


static const char  *sorts[] = {
    "",
    ",\"sort\":[\"age\",{\"city\":\"desc\"}]",
    ",\"sort\":{\"o.price\":{\"order\":\"desc\"}}",
    ",\"sort\":[{\"age\":{\"order\":\"desc\",\"missing\":\"_first\"}}]",
    ",\"sort\":[{\"_id\":\"desc\"}]"
};


static int
one(int col, ngx_uint_t count)
{
    int               i, n, ids[DOCS], from, size, nclauses, mode, want, good;
    char              body[2048], *p;
    clause_t          c[4];
    ngx_pool_t       *pool = kz_shim_pool();
    kz_query_t       *q;
    kz_search_t       s;
    kz_json_err_t     e;
    kz_json_val_t     v;
    kz_mapping_err_t  err;

    nclauses = 1 + rnd(3);
    mode = rnd(3);                         /* one clause, filter, should */
    sort_kind = count ? 0 : rnd(5);
    from = rnd(3) ? 0 : rnd(60);
    size = rnd(4) ? rnd(30) : 400;

    for (i = 0; i < nclauses; i++) {
        c[i].kind = rnd(11);
        c[i].a = rnd(40);
        c[i].b = rnd(40);
        c[i].not = (mode == 1 && i > 0 && rnd(3) == 0);
    }

    p = body + sprintf(body, "{\"query\":");

    if (mode == 0) {
        nclauses = 1;
        p += clause_text(p, &c[0], col == 1);

    } else {
        p += sprintf(p, "{\"bool\":{\"%s\":[", mode == 1 ? "filter"
                                                         : "should");

        for (i = 0; i < nclauses; i++) {
            if (c[i].not) {
                p += sprintf(p, "%s{\"bool\":{\"must_not\":",
                             i ? "," : "");
                p += clause_text(p, &c[i], col == 1);
                p += sprintf(p, "}}");

            } else {
                p += sprintf(p, "%s", i ? "," : "");
                p += clause_text(p, &c[i], col == 1);
            }
        }

        p += sprintf(p, "],\"minimum_should_match\":%d}}",
                     mode == 2 && nclauses > 1 ? 1 + rnd(2) : 0);
        want = p[-3] - '0';

        if (mode == 2 && nclauses == 1) {
            p[-3] = '1';
        }
    }

    p += sprintf(p, "%s", sorts[sort_kind]);

    /* the order by score is for another test: all scores alike here */

    if (mode == 2 && sort_kind == 0 && !count) {
        p += sprintf(p, ",\"sort\":[\"_doc\"]");
    }

    strcpy(p, "}");

    want = (mode == 2) ? strstr(body, "match\":2") ? 2 : 1 : nclauses;

    for (i = 0, n = 0; i < DOCS; i++) {
        int  hits = 0, k;

        for (k = 0; k < nclauses; k++) {
            hits += clause_match(&c[k], &docs[i]) != c[k].not;
        }

        if (hits >= want) {
            ids[n++] = i;
        }
    }

    qsort(ids, n, sizeof(int), doc_cmp);

    if (kz_json_scan((u_char *) body, strlen(body), 100, &v, &e) != NGX_OK) {
        printf("# %s\n", body);
        exit(2);
    }

    memset(&s, 0, sizeof(s));

    q = kz_query_parse(pool, &v, count, &err);
    s.match = q ? kz_match_create(pool, q, mappings[col - 1], &err) : NULL;

    if (s.match == NULL) {
        printf("# %s: %.*s\n", body, (int) err.detail.len, err.detail.data);
        return 0;
    }

    s.pool = pool;
    s.col = col;
    s.from = from;
    s.size = size;
    s.count = count;
    s.budget = 10000;
    s.stop = &stop;

    kz_sqlite_search_thread(db, &s);

    good = (s.status == KZ_STORE_OK && s.total == (uint64_t) n);

    if (good && !count) {
        int  expect = n - from;

        expect = expect < 0 ? 0 : expect > size ? size : expect;
        good = ((int) s.ndocs == expect);

        for (i = 0; good && i < expect; i++) {
            good = s.docs[i].id.len == strlen(docs[ids[from + i]].id)
                   && memcmp(s.docs[i].id.data, docs[ids[from + i]].id,
                             s.docs[i].id.len) == 0;
        }
    }

    if (!good && stops++ < 3) {
        printf("# col %d %s from %d size %d: status %d (%s) total %d, "
               "expected %d; %d docs\n", col, body, from, size, s.status,
               s.status == KZ_STORE_FAILED ? (char *) s.err.text : "",
               (int) s.total, n, (int) s.ndocs);
    }

    kz_match_free(s.match);
    ngx_destroy_pool(pool);

    return good;
}


static void
test_timeout(void)
{
    ngx_pool_t       *pool = kz_shim_pool();
    kz_query_t       *q;
    kz_search_t       s;
    kz_json_val_t     v;
    kz_mapping_err_t  err;

    static char  body[] = "{\"query\":{\"term\":{\"nope\":1}}}";

    kz_json_value((u_char *) body, (u_char *) body + sizeof(body) - 1, &v);

    memset(&s, 0, sizeof(s));
    stop = 1;

    q = kz_query_parse(pool, &v, 0, &err);
    s.match = kz_match_create(pool, q, mappings[1], &err);
    s.pool = pool;
    s.col = 2;
    s.size = 10;
    s.budget = 10000;
    s.stop = &stop;

    kz_sqlite_search_thread(db, &s);
    ok(s.status == KZ_STORE_QUERY_TIMEOUT, "a search that is told to stop");
    ok(sqlite3_get_autocommit(db->db), "leaves no transaction behind");

    stop = 0;
    kz_sqlite_search_thread(db, &s);
    ok(s.status == KZ_STORE_OK && s.total == 0, "and works again");

    kz_match_free(s.match);
    ngx_destroy_pool(pool);
}


int
main(void)
{
    int               i, failed;
    char              path[64];
    unsigned          k;
    kz_sqlite_err_t   e;
    kz_mapping_err_t  err;

    static const char  mapping[] =
        "{\"dynamic\":\"false\",\"properties\":{\"city\":{\"type\":"
        "\"keyword\"},\"tags\":{\"type\":\"keyword\"},\"age\":{\"type\":"
        "\"integer\"},\"o\":{\"properties\":{\"price\":{\"type\":\"double\"}"
        "}},\"ok\":{\"type\":\"boolean\"},\"note\":{\"type\":\"text\"}}}";

    sprintf(path, "/tmp/kz_test_search.%d.db", (int) getpid());

    db = kz_sqlite_open_writer(path, KZ_SQLITE_INDEX, &kz_shim_log, &e);

    if (db == NULL) {
        printf("# %s\n", e.text);
        return 2;
    }

    for (i = 0; i < DOCS; i++) {
        sprintf(docs[i].id, "doc%d", i);
        strcpy(docs[i].city, cities[rnd(4)]);
        docs[i].ntags = rnd(4);
        docs[i].tags[0] = rnd(40);
        docs[i].tags[1] = rnd(40);
        docs[i].tags[2] = rnd(40);
        docs[i].age = rnd(8) ? rnd(50) : -1;
        docs[i].price = rnd(160) / 4.0;
        docs[i].ok = rnd(2);
    }

    mappings[0] = kz_mapping_compile((u_char *) mapping, strlen(mapping),
                                     KZ_DIALECT_2, &kz_shim_log, &err);
    mappings[1] = kz_mapping_compile(NULL, 0, KZ_DIALECT_2, &kz_shim_log,
                                     &err);

    for (k = 0; k < mappings[0]->nfields; k++) {
        mappings[0]->fields[k].id = 100 + k;
    }

    fill(1);
    fill(2);

    for (failed = 0, i = 0; i < 1000; i++) {
        failed += !one(1, 0);
    }

    ok(failed == 0, "1000 searches with a mapping, %d differ", failed);

    for (failed = 0, i = 0; i < 1000; i++) {
        failed += !one(2, 0);
    }

    ok(failed == 0, "1000 searches without one, %d differ", failed);

    for (failed = 0, i = 0; i < 500; i++) {
        failed += !one(1 + i % 2, 1);
    }

    ok(failed == 0, "500 counts, %d differ", failed);

    test_timeout();

    kz_mapping_free(mappings[0]);
    kz_mapping_free(mappings[1]);
    kz_sqlite_close(db);

    unlink(path);
    strcat(path, "-wal");
    unlink(path);
    path[strlen(path) - 4] = '\0';
    strcat(path, "-shm");
    unlink(path);

    return tap_done();
}
