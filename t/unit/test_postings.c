
/*
 * Postings that lag behind: documents are created, changed and deleted
 * through a writer, which is killed now and then, while the same searches
 * are run twice, with the postings and over the text alone.  What the
 * segments hold is compared with what the stored documents say.  A model, a
 * generator and a checker that is used by itself, hence its length.
 *
 *     test_postings DIR     only that, of all files of a data directory
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
#include "store/kz_mapping_node.h"
#include "no_scroll.h"


#define DOCS  6000                       /* different ids */


static unsigned             seed = 20240301;
static unsigned             complaints;
static volatile ngx_uint_t  stop;
static worker_t            *w;
static pid_t                pid;
static int                  counter;

static const char  *cities[] = { "Paris", "Nice", "Lyon", "Brest", "Metz" };


static int
rnd(int n)
{
    seed = seed * 1103515245 + 12345;

    return (int) ((seed >> 8) % n);
}


/* Blocks by themselves. */

static void
test_block(void)
{
    int                 i, n, wrong, blocks;
    int64_t             r;
    char                text[64];
    kz_value_t          v;
    kz_block_iter_t     it;
    kz_block_writer_t  *b = calloc(1, sizeof(kz_block_writer_t));

    memset(&it, 0, sizeof(it));
    wrong = 0;
    blocks = 0;
    kz_block_begin(b, 100);

    for (i = 0; i < 5000; i++) {

        if (i < 2000) {
            v.type = (i % 3) ? KZ_VALUE_INT : KZ_VALUE_REAL;
            v.i = (i < 10) ? INT64_MIN + i : (int64_t) i / 7 * 1000003;
            v.d = (double) v.i;

        } else {
            v.type = KZ_VALUE_TEXT;
            v.text.len = sprintf(text, "a%06d", i / 5);
            v.text.data = (u_char *) text;
        }

        r = 100 + (int64_t) i * 1000000007;
        n = kz_block_add(b, &v, r);

        if (n == NGX_DECLINED) {
            blocks++;
            wrong += (kz_block_iter(&it, 100, &b->first, b->p, b->len)
                      != NGX_OK);

            for (n = 0; kz_block_next(&it) == NGX_OK; n++) { /* void */ }

            wrong += (n != (int) b->n || it.r != b->last_r
                      || kz_value_cmp(&it.v, &b->last) != 0);
            kz_block_begin(b, 100);
            n = kz_block_add(b, &v, r);
        }

        wrong += (n != NGX_OK);
    }

    is_int(wrong, 0, "blocks of pairs read back");
    ok(blocks > 20, "%d of them", blocks);

    /* damaged ones end, whatever they say */

    for (i = 0; i < 20000; i++) {
        (void) kz_block_iter(&it, 100, &b->first, b->p, b->len);
        b->p[rnd(b->len)] ^= (u_char) (1 << rnd(8));

        for (n = 0; n < 100000 && kz_block_next(&it) == NGX_OK; n++) { }

        wrong += (n == 100000);
    }

    is_int(wrong, 0, "damaged ones come to an end");

    kz_block_iter_free(&it);
    kz_block_free(b);
    free(b);
}


static int
document(char *p)
{
    int  n, i;

    n = sprintf(p, "{\"n\":%d,\"city\":\"%s\",\"age\":%d,\"name\":\"n%06d\","
                "\"price\":%d.%d,\"ok\":%s,\"tags\":[", ++counter,
                cities[rnd(5)], rnd(50), rnd(1000000), rnd(30), rnd(3),
                rnd(2) ? "true" : "false");

    for (i = rnd(4); i > 0; i--) {
        n += sprintf(p + n, "\"t%d\"%s", rnd(20), i > 1 ? "," : "");
    }

    return n + sprintf(p + n, "],%s\"note\":\"from %s with %d words\","
                       "\"late\":%d}", rnd(3) ? "\"some\":1," : "",
                       cities[rnd(5)], rnd(9), rnd(40));
}


/* Many operations in flight; what became of them does not matter. */

static void
load(int n, int ids, int deletes)
{
    int       i, done;
    char      id[32], body[1024];
    uint64_t  first;

    for (done = 0; done < n; ) {
        first = w->seq + 1;

        for (i = 0; i < 400 && done < n; i++, done++) {
            sprintf(id, "doc%d", rnd(ids));
            document(body);

            if (rnd(100) < deletes) {
                (void) ask(w, KZ_STORE_DOC_DELETE, "nyc", "c", id, NULL);

            } else if (rnd(4) == 0) {
                (void) ask(w, KZ_STORE_DOC_UPDATE, "nyc", "c", id,
                           "{\"age\":51,\"city\":\"Rome\"}");

            } else {
                (void) ask(w, KZ_STORE_DOC_PUT, "nyc", "c", id, body);
            }
        }

        for ( /* void */ ; first <= w->seq && !w->lost; first++) {
            (void) answer(w, first);
        }

        if (w->lost) {
            return;
        }
    }
}


static void
again(void)
{
    if (w) {
        worker_free(w);
    }

    w = worker_new();
}


static kz_sqlite_db_t *
reader_at(const char *path)
{
    kz_sqlite_db_t  *db;
    kz_sqlite_err_t  err;

    db = kz_sqlite_open_reader(path, NULL, 0, ngx_cycle->log, &err);

    if (db == NULL) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }

    sqlite3_busy_timeout(db->db, 2000);

    return db;
}


/* Above 0, a score that all have: every document is looked at. */

static double    least;
static uint64_t  life;          /* another file for every test */


static kz_sqlite_db_t *
reader(void)
{
    char  path[160];

    file_path(path, "nyc");

    return reader_at(path);
}


/* The mapping as it is stored; with the numbers of its fields, or without. */

static kz_mapping_t *
mapping_of(kz_sqlite_db_t *db, int64_t col, int ids)
{
    ngx_str_t          path;
    kz_field_t        *f;
    kz_mapping_t      *m;
    sqlite3_stmt      *s;
    kz_mapping_err_t   err;

    s = kz_sqlite_stmt_lit(db, "SELECT mapping FROM col WHERE id = ?1");
    sqlite3_bind_int64(s, 1, col);
    sqlite3_step(s);
    m = kz_mapping_compile((u_char *) sqlite3_column_text(s, 0),
                           sqlite3_column_bytes(s, 0), KZ_DIALECT_2,
                           ngx_cycle->log, &err);
    kz_sqlite_done(s);

    s = kz_sqlite_stmt_lit(db, "SELECT id, path FROM fld WHERE col = ?1");
    sqlite3_bind_int64(s, 1, col);

    while (ids && sqlite3_step(s) == SQLITE_ROW) {
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


static kz_mapping_t *
mapping(kz_sqlite_db_t *db, int ids)
{
    return mapping_of(db, 1, ids);
}


static int
clause(char *p)
{
    int  a = rnd(50);

    switch (rnd(18)) {
    case 11:
        return sprintf(p, "{\"wildcard\":{\"name\":\"n%d*%d\"}}", a % 10,
                       a / 10);
    case 12:
        return sprintf(p, "{\"fuzzy\":{\"name\":{\"value\":\"n%d\","
                       "\"prefix_length\":2,\"fuzziness\":1}}}", a);
    case 13:
        return sprintf(p, "{\"match\":{\"note\":{\"query\":\"%s %s\","
                       "\"operator\":\"%s\"}}}", cities[a % 5],
                       cities[a % 3], (a & 1) ? "and" : "or");
    case 14:
        return sprintf(p, "{\"match\":{\"note\":{\"query\":\"%s %s %s\","
                       "\"minimum_should_match\":2}}}", cities[a % 5],
                       cities[a % 3], cities[a % 4]);
    case 15:
        return sprintf(p, "{\"bool\":{\"should\":[{\"term\":{\"age\":%d}},"
                       "{\"term\":{\"city\":\"%s\"}},{\"range\":{\"price\":"
                       "{\"gt\":%d}}},{\"term\":{\"ok\":true}}],"
                       "\"minimum_should_match\":%d}}", a, cities[a % 5], a,
                       2 + rnd(3));
    case 16:
        return sprintf(p, "{\"match_phrase\":{\"note\":\"%s %s\"}}",
                       cities[a % 5], cities[a % 4]);
    case 0:
        return sprintf(p, "{\"term\":{\"city\":\"%s\"}}",
                       rnd(6) ? cities[a % 5] : "Rome");
    case 1:
        return sprintf(p, "{\"terms\":{\"tags\":[\"t%d\",\"t%d\",\"zz\"]}}",
                       a, a / 2);
    case 2:
        return sprintf(p, "{\"range\":{\"age\":{\"gte\":%d,\"lt\":%d}}}", a,
                       a + rnd(10));
    case 3:
        return sprintf(p, "{\"range\":{\"price\":{\"gt\":%d}}}", a);
    case 4:
        return sprintf(p, "{\"exists\":{\"field\":\"some\"}}");
    case 5:
        return sprintf(p, "{\"ids\":{\"values\":[\"doc%d\",\"doc%d\"]}}",
                       rnd(DOCS), rnd(DOCS));
    case 6:
        return sprintf(p, "{\"term\":{\"ok\":%s}}", a & 1 ? "true" : "false");
    case 7:
        return sprintf(p, "{\"prefix\":{\"name\":\"n%02d\"}}", a);
    case 8:
        return sprintf(p, "{\"match\":{\"note\":\"%s\"}}", cities[a % 5]);
    case 9:
        return sprintf(p, "{\"bool\":{\"must_not\":{\"exists\":{\"field\":"
                       "\"some\"}}}}");
    case 10:
        return sprintf(p, "{\"term\":{\"late\":%d}}", a);
    default:
        return sprintf(p, "{\"range\":{\"name\":{\"gte\":\"n5\",\"lte\":"
                       "\"n6%d\"}}}", a);
    }
}


static const char  *sorts[] = {
    "", ",\"sort\":[\"_doc\"]", ",\"sort\":[\"age\",\"n\"]",
    ",\"sort\":[{\"price\":\"desc\"},\"name\"]",
    ",\"sort\":[{\"some\":{\"order\":\"desc\",\"missing\":\"_first\"}},"
    "{\"_id\":\"desc\"}]"
};


static void
search(kz_sqlite_db_t *db, kz_mapping_t *m, kz_search_t *s, char *body,
    ngx_pool_t *pool, int count, int from, int size)
{
    kz_query_t       *q;
    kz_json_val_t     v;
    kz_mapping_err_t  err;

    memset(s, 0, sizeof(*s));
    kz_json_value((u_char *) body, (u_char *) body + strlen(body), &v);

    q = kz_query_parse(pool, &v, count, &err);
    s->match = q ? kz_match_create(pool, q, m, &err) : NULL;

    if (s->match == NULL) {
        printf("Bail out! %s: %.*s\n", body, (int) err.detail.len,
               err.detail.data);
        exit(1);
    }

    s->pool = pool;
    s->col = 1;
    s->file = life;
    s->min_score = least;
    s->from = from;
    s->size = size;
    s->count = count;
    s->budget = 20000;
    s->stop = &stop;

    kz_sqlite_search_thread(db, s);
}


static int
differs(const kz_search_t *a, const kz_search_t *b)
{
    ngx_uint_t  i;

    if (a->status != KZ_STORE_OK || b->status != KZ_STORE_OK
        || a->total != b->total || a->ndocs != b->ndocs)
    {
        return 1;
    }

    for (i = 0; i < a->ndocs; i++) {

        if (a->docs[i].id.len != b->docs[i].id.len
            || memcmp(a->docs[i].id.data, b->docs[i].id.data,
                      a->docs[i].id.len) != 0)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * The best by words: known words, bounds and pruning against every document
 * scored, the same statistics for both.
 */

static int
ranked(int n)
{
    int              wrong, i, words, from, size, tries, other;
    char             body[1024], *p;
    ngx_pool_t      *pool;
    kz_search_t      one, two;
    kz_mapping_t    *with;
    kz_sqlite_db_t  *db = reader();

    with = mapping(db, 1);
    wrong = 0;
    other = 0;

    while (n--) {
        pool = kz_shim_pool();
        words = 1 + rnd(3);
        from = rnd(3) ? 0 : rnd(20);
        size = 1 + rnd(12);

        p = body + sprintf(body, "{\"query\":{\"bool\":{\"%s\":[",
                           rnd(3) ? "should" : "must");

        for (i = 0; i < words; i++) {
            p += sprintf(p, "%s{\"match\":{\"note\":{\"query\":\"%s %s\","
                         "\"boost\":%d,\"operator\":\"%s\"}}}",
                         i ? "," : "", cities[rnd(5)],
                         rnd(2) ? cities[rnd(5)] : "", 1 + rnd(3),
                         rnd(2) ? "or" : "and");
        }

        p += sprintf(p, "]");

        if (rnd(4) == 0) {
            p += sprintf(p, ",\"must_not\":{\"match\":{\"note\":\"%s\"}}",
                         cities[rnd(5)]);
        }

        sprintf(p, "}}}");

        /* a merge in between may change how rare a word is: once more */

        for (tries = 0; tries < 4; tries++) {

            if (tries != 0) {
                kz_match_free(one.match);
                kz_match_free(two.match);
                usleep(50000);
            }

            search(db, with, &one, body, pool, 0, from, size);
            least = 1e-300;
            search(db, with, &two, body, pool, 0, from, size);
            least = 0;

            other = differs(&one, &two) || one.max_score != two.max_score;

            if (!other) {
                break;
            }
        }

        if (other) {
            wrong++;

            if (complaints++ < 5) {
                printf("# %s from %d size %d: %d %d of %d (%g), all: %d %d of"
                       " %d (%g)\n", body, from, size, one.status,
                       (int) one.ndocs, (int) one.total, one.max_score,
                       two.status, (int) two.ndocs, (int) two.total,
                       two.max_score);
            }
        }

        kz_match_free(one.match);
        kz_match_free(two.match);
        ngx_destroy_pool(pool);
    }

    kz_mapping_free(with);
    kz_sqlite_close(db);

    return wrong;
}


/* The same searches with and without postings, in one state of the file. */

static int
searches(int n)
{
    int              wrong, count, nclauses, i, from, size;
    char             body[2048], *p;
    ngx_pool_t      *pool;
    kz_search_t      one, two;
    kz_mapping_t    *with, *without;
    kz_sqlite_db_t  *db = reader();

    with = mapping(db, 1);
    without = mapping(db, 0);
    wrong = 0;

    while (n--) {
        pool = kz_shim_pool();
        count = !rnd(3);
        nclauses = rnd(4);
        from = rnd(3) ? 0 : rnd(200);
        size = rnd(4) ? rnd(40) : 500;

        if (nclauses == 0) {
            p = body + sprintf(body, "{\"query\":");
            p += clause(p);

        } else {
            p = body + sprintf(body, "{\"query\":{\"bool\":{\"%s\":[",
                               rnd(2) ? "filter" : "should");

            for (i = 0; i < nclauses; i++) {
                p += sprintf(p, "%s", i ? "," : "");
                p += clause(p);
            }

            p += sprintf(p, "]}}");
        }

        /* what words are worth is counted with postings, guessed without */

        sprintf(p, "%s}", count ? ""
                : sorts[strstr(body, "match") ? 1 + rnd(4) : rnd(5)]);

        search(db, with, &one, body, pool, count, from, size);
        search(db, without, &two, body, pool, count, from, size);

        if (differs(&one, &two)) {
            wrong++;

            if (complaints++ < 5) {
                printf("# %s from %d size %d: %d %d of %d, text: %d %d of %d"
                       " (%s%s)\n", body, from, size, one.status,
                       (int) one.ndocs, (int) one.total, two.status,
                       (int) two.ndocs, (int) two.total, one.err.text,
                       two.err.text);
            }
        }

        kz_match_free(one.match);
        kz_match_free(two.match);
        ngx_destroy_pool(pool);
    }

    kz_mapping_free(with);
    kz_mapping_free(without);
    kz_sqlite_close(db);

    return wrong;
}


/* What is in the segments, and what should be. */

typedef struct {
    sqlite3_stmt  *stmt;
    int64_t        r;
} into_t;


static ngx_int_t
into(void *ctx, const kz_field_t *f, const kz_value_t *v)
{
    into_t  *to = ctx;

    /* a lenient walk does not look at lengths */

    if (f->id == 0
        || (v->type == KZ_VALUE_TEXT && f->type != KZ_FIELD_TEXT
            && !kz_value_indexed(f, &v->text)))
    {
        return NGX_OK;
    }

    sqlite3_bind_int64(to->stmt, 1, f->id);
    kz_segment_bind(to->stmt, 2, v);
    sqlite3_bind_int64(to->stmt, 3, to->r);
    sqlite3_step(to->stmt);
    sqlite3_reset(to->stmt);

    return NGX_OK;
}


static long long
number(sqlite3 *db, const char *sql)
{
    long long      n = -1;
    sqlite3_stmt  *s;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK
        && sqlite3_step(s) == SQLITE_ROW)
    {
        n = sqlite3_column_int64(s, 0);
    }

    sqlite3_finalize(s);

    return n;
}


static long long
integrity_of(kz_sqlite_db_t *db, int64_t col)
{
    char               sql[64];
    into_t             to;
    int64_t            hi;
    long long          wrong;
    sqlite3           *mem;
    ngx_uint_t         i, n, k;
    kz_field_t         f;
    kz_cursor_t        c;
    kz_segment_t      *segs;
    sqlite3_stmt      *s, *stmt[2];
    kz_mapping_t      *m;
    kz_json_val_t      v;
    kz_mapping_err_t   err;

    sqlite3_open(":memory:", &mem);
    sqlite3_exec(mem, "CREATE TABLE a(f, v, r, UNIQUE(f, v, r));"
                      "CREATE TABLE b(f, v, r, UNIQUE(f, v, r)); BEGIN",
                 NULL, NULL, NULL);
    sqlite3_prepare_v2(mem, "INSERT INTO a VALUES(?1, ?2, ?3)", -1,
                       &stmt[0], NULL);
    sqlite3_prepare_v2(mem, "INSERT OR IGNORE INTO b VALUES(?1, ?2, ?3)", -1,
                       &stmt[1], NULL);

    kz_sqlite_exec(db, "BEGIN");
    m = mapping_of(db, col, 1);
    (void) kz_segments_read(db, col, &segs, &n);
    hi = 0;
    wrong = 0;
    to.stmt = stmt[0];
    memset(&f, 0, sizeof(f));

    for (i = 0; i < n; i++) {
        wrong += (segs[i].lo != hi + 1);
        hi = segs[i].hi;
        kz_cursor_init(&c, db, col, &segs[i]);

        for (k = 0; k < m->nfields; k++) {
            f.id = m->fields[k].id;

            if (f.id == 0 || kz_cursor_seek(&c, f.id, NULL) != NGX_OK) {
                continue;
            }

            do {
                to.r = c.it.r;
                wrong += (to.r < segs[i].lo || to.r > segs[i].hi);
                (void) into(&to, &f, &c.it.v);
            } while (kz_cursor_next(&c) == NGX_OK);
        }

        kz_cursor_free(&c);
    }

    to.stmt = stmt[1];
    sprintf(sql, "SELECT r, src FROM d%lld", (long long) col);
    s = kz_sqlite_stmt(db, sql, strlen(sql));

    while (sqlite3_step(s) == SQLITE_ROW) {
        to.r = sqlite3_column_int64(s, 0);

        if (to.r > hi) {
            continue;
        }

        kz_json_value((u_char *) sqlite3_column_text(s, 1),
                      (u_char *) sqlite3_column_text(s, 1)
                      + sqlite3_column_bytes(s, 1), &v);
        (void) kz_mapping_walk(m, &v, KZ_WALK_LENIENT, into, &to, &err);
    }

    kz_sqlite_done(s);

    /* gone rows: may be there still, and nothing else may */

    sprintf(sql, "SELECT r FROM x%lld", (long long) col);
    s = kz_sqlite_stmt(db, sql, strlen(sql));
    sqlite3_finalize(stmt[0]);
    sqlite3_prepare_v2(mem, "DELETE FROM a WHERE r = ?1", -1, &stmt[0],
                       NULL);
    sqlite3_exec(mem, "CREATE INDEX ar ON a(r)", NULL, NULL, NULL);

    while (sqlite3_step(s) == SQLITE_ROW) {
        sqlite3_bind_int64(stmt[0], 1, sqlite3_column_int64(s, 0));
        sqlite3_step(stmt[0]);
        sqlite3_reset(stmt[0]);
    }

    kz_sqlite_done(s);
    kz_sqlite_exec(db, "COMMIT");

    wrong += number(mem, "SELECT (SELECT count(*) FROM (SELECT * FROM a"
                    " EXCEPT SELECT * FROM b)) + (SELECT count(*) FROM"
                    " (SELECT * FROM b EXCEPT SELECT * FROM a))");

    printf("# %d segments, %lld postings, up to row %lld\n", (int) n,
           number(mem, "SELECT count(*) FROM b"), (long long) hi);

    sqlite3_finalize(stmt[0]);
    sqlite3_finalize(stmt[1]);
    sqlite3_close(mem);
    kz_mapping_free(m);
    free(segs);

    return wrong;
}


static long long
integrity(void)
{
    long long        wrong;
    kz_sqlite_db_t  *db = reader();

    wrong = integrity_of(db, 1);
    kz_sqlite_close(db);

    return wrong;
}


/* All collections of all files of a data directory, of a dead server. */

static void
check_directory(const char *data)
{
    DIR             *d = opendir(data);
    char             path[400];
    int64_t          cols[64];
    int              i, n;
    sqlite3_stmt    *s;
    struct dirent   *de;
    kz_sqlite_db_t  *db;

    while (d && (de = readdir(d)) != NULL) {

        if (de->d_name[0] != 'i' || strcmp(strchr(de->d_name, '.'), ".db")) {
            continue;
        }

        snprintf(path, sizeof(path), "%s/%s", data, de->d_name);
        db = reader_at(path);
        s = kz_sqlite_stmt_lit(db, "SELECT id FROM col LIMIT 64");

        for (n = 0; sqlite3_step(s) == SQLITE_ROW; n++) {
            cols[n] = sqlite3_column_int64(s, 0);
        }

        kz_sqlite_done(s);

        for (i = 0; i < n; i++) {
            is_int(integrity_of(db, cols[i]), 0, path);
        }

        kz_sqlite_close(db);
    }

    if (d) {
        closedir(d);
    }
}


static void
check(const char *when)
{
    printf("# %s\n", when);
    is_int(ranked(200), 0, "the best by words");
    is_int(searches(150), 0, "searches with postings find the same");
    is_int(integrity(), 0, "the postings are those of the documents");
}


/* Until nothing more is done, or the time is over. */

static int
settled(void)
{
    int  i;

    for (i = 0; i < 200; i++) {

        if (query("nyc", "SELECT count(*) FROM seg WHERE state <> 1") == 0
            && query("nyc", "SELECT (SELECT max(r) FROM d1) - (SELECT"
                     " ifnull(max(hi), 0) FROM seg)") < 256)
        {
            return 1;
        }

        usleep(50000);
    }

    return 0;
}


static void
test_life(void)
{
    int  i;

    life++;

    pid = writer_start();
    again();

    (void) do_op(w, KZ_STORE_INDEX_CREATE, "nyc", NULL, NULL, NULL);
    (void) do_op(w, KZ_STORE_COLLECTION_CREATE, "nyc", "c", NULL,
                 "{\"dynamic\":\"false\",\"properties\":{"
                 "\"n\":{\"type\":\"integer\"},"
                 "\"city\":{\"type\":\"keyword\"},"
                 "\"age\":{\"type\":\"integer\"},"
                 "\"name\":{\"type\":\"keyword\"},"
                 "\"price\":{\"type\":\"double\"},"
                 "\"ok\":{\"type\":\"boolean\"},"
                 "\"tags\":{\"type\":\"keyword\",\"ignore_above\":2},"
                 "\"some\":{\"type\":\"long\"},"
                 "\"note\":{\"type\":\"text\"}}}");

    load(300, DOCS, 10);
    is_int(query("nyc", "SELECT count(*) FROM seg"), 0,
           "a few documents: a tail");
    check("tail only");

    load(2000, DOCS, 10);
    ok(query("nyc", "SELECT count(*) FROM seg") > 0, "more: segments");
    check("segments and tail");

    load(5000, DOCS, 10);
    again();
    load(9000, DOCS, 25);
    check("under changes");

    ok(settled(), "at rest it settles");
    ok(query("nyc", "SELECT count(*) FROM seg WHERE level > 0") > 0,
       "segments were merged");
    check("at rest");

    again();

    for (i = 0; i < 15; i++) {
        load(600, 700, 30);
    }

    check("changes of few documents");

    again();
    load(14000, DOCS, 95);
    check("most were deleted");
    ok(settled(), "settles again");
    check("and at rest");
}


static void
test_kills(void)
{
    int    i, wrong;
    pid_t  killer;

    life++;

    wrong = 0;

    for (i = 0; i < 25; i++) {
        fflush(stdout);
        killer = fork();

        if (killer == 0) {
            usleep(20000 + i * 7001);
            kill(pid, SIGKILL);
            _exit(0);
        }

        again();
        load(4000, DOCS, 10);
        waitpid(killer, NULL, 0);
        (void) process_end(pid, SIGKILL);

        if (i % 5 == 0) {
            wrong += (searches(30) != 0) + (ranked(30) != 0)
                     + (integrity() != 0);
        }

        pid = writer_start();
    }

    is_int(wrong, 0, "25 kills: nothing is missing right after them");

    again();
    load(3000, DOCS, 10);
    check("after the kills");
    ok(settled(), "what was left over is finished");
    check("and at rest");
}


/* A field mapped later, and a file of the first schema. */

static void
test_again(void)
{
    char         path[160];
    const char  *old;
    sqlite3     *db;

    life++;

    again();
    (void) do_op(w, KZ_STORE_COLLECTION_CREATE, "nyc", "c", NULL,
                 "{\"properties\":{\"late\":{\"type\":\"long\"}}}");
    check("a field is mapped later");
    ok(settled(), "all documents are indexed again");
    check("and at rest");

    worker_free(w);
    w = NULL;
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");

    old = "DROP TABLE seg; DROP TABLE t1; DROP TABLE x1;"
          "CREATE TABLE t1(f INTEGER NOT NULL, v NOT NULL, r INTEGER NOT"
          " NULL, PRIMARY KEY(f, v, r)) WITHOUT ROWID;"
          "PRAGMA user_version=1";

    file_path(path, "nyc");
    sqlite3_open(path, &db);
    is_int(sqlite3_exec(db, old, NULL, NULL, NULL), SQLITE_OK,
           "a file of the first schema");
    sqlite3_close(db);

    is_int(searches(50), 0, "is searched before it is converted");

    pid = writer_start();
    again();
    is_int(do_op(w, KZ_STORE_DOC_PUT, "nyc", "c", "new", "{\"age\":1}")
           ->status, KZ_STORE_OK, "it is written to");
    is_int(query("nyc", "PRAGMA user_version"), KZ_SQLITE_SCHEMA,
           "it was converted");
    check("right after it");
    ok(settled(), "its documents are indexed");
    check("and at rest");

    worker_free(w);
    w = NULL;
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


int
main(int argc, char **argv)
{
    if (argc > 1) {
        check_directory(argv[1]);
        return tap_done();
    }

    driver_begin();

    test_block();
    test_life();
    test_kills();
    test_again();

    driver_end();

    return tap_done();
}
