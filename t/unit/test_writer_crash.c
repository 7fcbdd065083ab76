
/*
 * The writer under attack: killed between COMMIT and reply, or before; taken
 * over under load; killed under load.  Everything exactly once.
 *
 * sources: store/sqlite/kz_sqlite_apply.c store/sqlite/kz_sqlite_catalog.c
 * sources: store/sqlite/kz_sqlite_checkpoint.c store/sqlite/kz_sqlite_db.c
 * sources: store/sqlite/kz_sqlite_columns.c store/sqlite/kz_sqlite_commit.c
 * sources: store/sqlite/kz_sqlite_settings.c store/sqlite/kz_sqlite_drop.c
 * sources: store/kz_settings.c
 * sources: store/sqlite/kz_sqlite_done.c store/sqlite/kz_sqlite_lanes.c
 * sources: store/sqlite/kz_sqlite_names.c store/sqlite/kz_sqlite_source.c
 * sources: store/sqlite/kz_sqlite_postings.c store/sqlite/kz_sqlite_wire.c
 * sources: store/sqlite/kz_sqlite_index.c store/sqlite/kz_sqlite_merge.c
 * sources: store/sqlite/kz_sqlite_segment.c
 * sources: store/sqlite/kz_sqlite_block.c
 * sources: store/sqlite/kz_sqlite_writer.c
 * sources: store/sqlite/kz_sqlite_writer_io.c
 * sources: store/kz_mapping.c store/kz_mapping_date.c
 * sources: store/kz_analysis.c store/kz_analysis_conf.c
 * sources: store/kz_analysis_part.c store/kz_analysis_filter.c
 * sources: store/kz_mapping_field.c store/kz_mapping_text.c
 * sources: store/kz_mapping_tree.c store/kz_mapping_value.c
 * sources: store/kz_mapping_walk.c core/kz_change.c
 * sources: store/kz_mapping_infer.c
 * sources: store/kz_mapping_geo.c store/kz_mapping_copy.c
 * sources: core/kz_stat.c
 * sources: store/sqlite/kz_sqlite_items.c store/sqlite/kz_sqlite_tombs.c
 * sources: store/sqlite/kz_sqlite_wire_items.c
 * libs: -lsqlite3
 */

#include "writer_driver.h"


/* The number of changes announced, which should be n soon. */

static unsigned
announced(unsigned n)
{
    unsigned  i, now;

    for (i = 0; i < 2000; i++) {
        now = __atomic_load_n(&shared->announced, __ATOMIC_ACQUIRE);

        if (now >= n) {
            break;
        }

        usleep(1000);
    }

    return now;
}


static void
test_prepare(void)
{
    pid_t      pid;
    worker_t  *w;

    pid = writer_start();
    w = worker_new();

    is_int(do_op(w, KZ_STORE_INDEX_CREATE, "nyc", NULL, NULL, NULL)->status,
           KZ_STORE_OK, "an index");
    is_int(do_op(w, KZ_STORE_COLLECTION_CREATE, "nyc", "taxi", NULL, NULL)
           ->status, KZ_STORE_OK, "a collection");

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


/* Killed after COMMIT and before the reply, or before COMMIT. */

static void
test_crash(void)
{
    pid_t              pid;
    uint64_t           seq;
    worker_t          *w;
    kz_wire_result_t  *r;

    pid = writer_start();
    w = worker_new();

    (void) do_op(w, KZ_STORE_INDEX_CREATE, "live", NULL, NULL, NULL);
    (void) do_op(w, KZ_STORE_COLLECTION_CREATE, "live", "c", NULL, NULL);
    (void) do_op(w, KZ_STORE_DOC_CREATE, "live", "c", "n", "{\"n\":0}");

    is_int(announced(1), 1, "a change is announced");
    is_int(shared->last.kind, KZ_CHANGE_CREATE, "as a creation");
    is_str(&shared->last.id, "n", "with its id");
    is_str(&shared->last.protocol, "http", "and how it came");
    is_int(shared->last.old_source.len, 0, "without an old version");

    shared->die_after = 1;
    seq = ask(w, KZ_STORE_DOC_UPDATE, "live", "c", "n", "{\"n\":1}");
    is_int(process_end(pid, 0), -SIGKILL, "killed after COMMIT");
    (void) answer(w, seq);
    ok(!w->got[seq], "no answer");

    shared->kept = 0;
    pid = writer_start();
    close(w->fd);
    worker_connect(w);
    (void) ask_at(w, seq, 1, KZ_STORE_DOC_UPDATE, 1, "live", "c", "n",
                  "{\"n\":1}", kz_writer_ms() + patience);
    r = answer(w, seq);
    is_int(r->status, KZ_STORE_OK, "sent again: answered");
    is_int(r->version, 2, "with the version it had");
    is_str(&r->source, "{\"n\":1,\"_kuzzle_info\":{\"author\":\"-1\","
           "\"createdAt\":1700000000003,\"updatedAt\":1700000000004,"
           "\"updater\":\"-1\"}}", "the same source");
    is_str(&r->changes, "{\"n\":1,\"_kuzzle_info\":{\"author\":\"-1\","
           "\"createdAt\":1700000000003,\"updatedAt\":1700000000004,"
           "\"updater\":\"-1\"}}", "the same changes");
    is_int(query("live", "SELECT ver FROM d1 WHERE id = 'n'"), 2,
           "not applied twice");
    is_int(shared->kept, 1, "the change it could not announce is kept");

    shared->die_after = 1;
    seq = ask(w, KZ_STORE_DOC_CREATE, "live", "c", NULL, "{\"m\":1}");
    is_int(process_end(pid, 0), -SIGKILL, "killed again");
    pid = writer_start();
    close(w->fd);
    worker_connect(w);
    (void) ask_at(w, seq, 1, KZ_STORE_DOC_CREATE, 1, "live", "c", NULL,
                  "{\"m\":1}", kz_writer_ms() + patience);
    r = answer(w, seq);
    is_int(r->status, KZ_STORE_OK, "a creation without an id");
    is_int(r->id.len, 20, "keeps the id it was given");
    is_str(&r->source, "{\"m\":1,\"_kuzzle_info\":{\"author\":\"-1\","
           "\"createdAt\":1700000000005,\"updatedAt\":null,"
           "\"updater\":null}}", "and its source");
    is_int(query("live", "SELECT count(*) FROM d1"), 2, "created once");

    shared->die_before = 1;
    shared->dropped = 0;
    seq = ask(w, KZ_STORE_DOC_UPDATE, "live", "c", "n", "{\"n\":2}");
    is_int(process_end(pid, 0), -SIGKILL, "killed before COMMIT");
    pid = writer_start();
    close(w->fd);
    worker_connect(w);
    (void) ask_at(w, seq, 1, KZ_STORE_DOC_UPDATE, 1, "live", "c", "n",
                  "{\"n\":2}", kz_writer_ms() + patience);
    r = answer(w, seq);
    is_int(r->status, KZ_STORE_OK, "sent again: done now");
    is_int(r->version, 3, "once");
    is_int(shared->dropped, 1, "the announcement of what was not is dropped");

    r = do_op(w, KZ_STORE_DOC_DELETE, "live", "c", "n", NULL);
    is_int(announced(3), 3, "two more changes are announced");
    is_int(shared->last.kind, KZ_CHANGE_DELETE, "a deletion is announced");
    ok(shared->last.old_source.len && !shared->last.new_source.len,
       "with the old version only");

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


/* Keeps a commit from ending, until release(). */

static uint64_t
hold(worker_t *w, const char *id)
{
    unsigned  i, begun;
    uint64_t  seq;

    begun = shared->begun;
    shared->hold = 1;

    seq = ask(w, KZ_STORE_DOC_PUT, "live", "c", id, "{}");

    for (i = 0; i < 2000 && shared->begun == begun; i++) {
        usleep(1000);
    }

    return seq;
}


static void
release(void)
{
    usleep(50000);                      /* for what was sent to be queued */
    shared->hold = 0;
}


/*
 * A worker loses its connection, not its writer: what it sends again meets
 * what it sent before, in one transaction.
 */

static void
test_reconnect(void)
{
    int                fd;
    pid_t              pid;
    uint64_t           held, seq;
    worker_t          *w, *other;
    kz_wire_result_t  *r;

    pid = writer_start();
    other = worker_new();
    w = worker_new();

    held = hold(other, "h1");
    seq = ask(w, KZ_STORE_DOC_CREATE, "live", "c", NULL, "{\"twice\":1}");

    fd = w->fd;
    worker_connect(w);
    (void) ask_at(w, seq, 1, KZ_STORE_DOC_CREATE, 1, "live", "c", NULL,
                  "{\"twice\":1}", kz_writer_ms() + patience);
    release();

    r = answer(w, seq);
    is_int(r->status, KZ_STORE_OK, "sent again to the same writer");
    is_int(answer(other, held)->status, KZ_STORE_OK, "behind another one");
    is_int(query("live", "SELECT count(*) FROM d1"
                         " WHERE src LIKE '%twice%'"), 1, "done once");

    close(fd);
    worker_free(other);
    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


/* One operation that the file refuses, among others in a transaction. */

static void
test_one_by_one(void)
{
    pid_t      pid;
    uint64_t   held, one, bad, two;
    unsigned   n;
    worker_t  *w;

    pid = writer_start();
    w = worker_new();

    (void) query("live", "CREATE TRIGGER no BEFORE INSERT ON d1"
                         " WHEN NEW.id = 'bad'"
                         " BEGIN SELECT RAISE(ABORT, 'refused'); END");
    n = shared->announced;

    held = hold(w, "h2");
    one = ask(w, KZ_STORE_DOC_CREATE, "live", "c", "one", "{}");
    two = ask(w, KZ_STORE_DOC_CREATE, "live", "c", "two", "{}");
    bad = ask(w, KZ_STORE_DOC_CREATE, "live", "c", "bad", "{}");
    release();

    is_int(answer(w, held)->status, KZ_STORE_OK, "a commit");
    is_int(answer(w, one)->status, KZ_STORE_OK, "then one that works");
    is_int(answer(w, two)->status, KZ_STORE_OK, "another one");
    is_int(answer(w, bad)->status, KZ_STORE_FAILED, "one that does not");
    is_int(announced(n + 3), n + 3, "three changes announced");
    is_int(shared->doubled, 0, "each by itself");

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


/*
 * A worker with n creations in flight, through whatever happens to the
 * writer; each is sent again at most once after it may have been read.
 */

static int
load(worker_t *w, const char *prefix, int n, int depth,
    void (*event)(void *data, int done), void *data)
{
    int        i, sent, done, wrong, again;
    char       id[32];
    u_char    *state;                           /* 0 new, 1 sent, 2 twice */
    uint64_t   base, s;

    base = w->seq;
    state = calloc(n + 1, 1);
    sent = 0;
    done = 0;
    again = 0;

    while (done < n) {

        while (!w->lost && sent < n && sent - done < depth) {
            snprintf(id, sizeof(id), "%s%d", prefix, sent);
            state[sent++] = 1;
            (void) ask(w, KZ_STORE_DOC_CREATE, "nyc", "taxi", id,
                       "{\"age\":1,\"name\":\"load\"}");
        }

        if (!w->lost) {
            (void) worker_read(w, 5000);
        }

        while (done < n && w->got[base + 1 + done]) {
            done++;
        }

        event(data, done);

        if (!w->lost) {
            continue;
        }

        while (worker_read(w, 0)) { /* what came before the end */ }

        s = w->leaving;
        close(w->fd);
        worker_connect(w);

        for (i = done; i < sent; i++) {

            if (w->got[base + 1 + i]) {
                continue;
            }

            if (base + 1 + i <= s && state[i]++ == 2) {
                printf("# lost twice\n");
                break;
            }

            again++;
            snprintf(id, sizeof(id), "%s%d", prefix, i);
            (void) ask_at(w, base + 1 + i, base + 1 + i <= s || state[i] > 1,
                          KZ_STORE_DOC_CREATE, 1, "nyc", "taxi", id,
                          "{\"age\":1,\"name\":\"load\"}",
                          kz_writer_ms() + patience);
        }
    }

    wrong = 0;

    for (i = 0; i < n; i++) {
        wrong += (w->results[base + 1 + i].status != KZ_STORE_OK
                  || w->results[base + 1 + i].version != 1);
    }

    printf("# %d operations, %d sent again, %d wrong\n", n, again, wrong);
    free(state);

    return wrong;
}


typedef struct {
    pid_t  pid[8];
    int    n;
    int    step;
} events_t;


static void
event_takeover(void *data, int done)
{
    events_t *e = data;

    if (e->n < 5 && done > e->n * 800) {
        e->pid[e->n] = writer_start();
        e->n++;
    }
}


static void
event_kill(void *data, int done)
{
    events_t *e = data;

    if (e->n < 6 && done > e->n * 600 + 50) {
        (void) process_end(e->pid[0], SIGKILL);
        e->pid[0] = writer_start();
        e->n++;
    }
}


static void
event_none(void *data, int done)
{
    (void) data;
    (void) done;
}


static void
test_takeover(void)
{
    int        i;
    worker_t  *w;
    events_t   e;

    memset(&e, 0, sizeof(e));
    e.pid[0] = writer_start();
    e.n = 1;

    w = worker_new();

    is_int(load(w, "t", 4500, 64, event_takeover, &e), 0,
           "four takeovers under load, nothing refused");
    is_int(e.n, 5, "they happened");
    is_int(query("nyc", "SELECT count(*) FROM d1 WHERE id LIKE 't%'"), 4500,
           "all there");
    is_int(query("nyc", "SELECT count(*) FROM d1 WHERE id LIKE 't%'"
                 " AND ver <> 1"), 0, "once");

    /* the owner is asked to go: one of those that wait goes on */

    is_int(process_end(e.pid[4], SIGTERM), 0, "the owner leaves its workers "
           "to one that waits");
    is_int(load(w, "u", 200, 16, event_none, NULL), 0, "which goes on");

    is_int(process_end(e.pid[0], SIGKILL), -SIGKILL, "any may be killed");
    is_int(load(w, "v", 200, 16, event_none, NULL), 0, "and another goes on");

    for (i = 1; i < 3; i++) {
        is_int(process_end(e.pid[i], SIGTERM), 0, "one ends");
    }

    is_int(load(w, "x", 200, 16, event_none, NULL), 0, "the last one serves");

    worker_free(w);
    is_int(process_end(e.pid[3], SIGTERM), 0, "and ends");
}


static void
test_kills(void)
{
    worker_t  *w;
    events_t   e;

    memset(&e, 0, sizeof(e));
    e.pid[0] = writer_start();

    w = worker_new();

    is_int(load(w, "k", 4000, 64, event_kill, &e), 0,
           "six kills under load, each operation done exactly once");
    is_int(e.n, 6, "they happened");
    is_int(query("nyc", "SELECT count(*) FROM d1 WHERE id LIKE 'k%'"), 4000,
           "all there");

    worker_free(w);
    is_int(process_end(e.pid[0], SIGTERM), 0, "the writer leaves");
}


int
main(void)
{
    driver_begin();

    test_prepare();
    test_crash();
    test_reconnect();
    test_one_by_one();
    test_takeover();
    test_kills();

    driver_end();

    return tap_done();
}
