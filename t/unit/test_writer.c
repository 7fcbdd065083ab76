
/*
 * What the writer does with operations: answers, files, refusals.
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


static void
test_indexes(void)
{
    pid_t              pid;
    worker_t          *w;
    unsigned           catalog;
    kz_wire_result_t  *r;

    pid = writer_start();
    w = worker_new();

    catalog = shared->catalog;
    r = do_op(w, KZ_STORE_INDEX_CREATE, "nyc", NULL, NULL, NULL);
    is_int(r->status, KZ_STORE_OK, "an index is created");
    ok(shared->catalog > catalog, "and the catalogue has a new version");
    is_int(query("nyc", "PRAGMA application_id"), KZ_SQLITE_APP_ID,
           "its file is marked as ours");
    is_int(query("nyc", "PRAGMA user_version"), KZ_SQLITE_SCHEMA,
           "with the version of the schema");

    r = do_op(w, KZ_STORE_INDEX_CREATE, "nyc", NULL, NULL, NULL);
    is_int(r->status, KZ_STORE_EXISTS, "once");

    r = do_op(w, KZ_STORE_INDEX_CREATE, "a b", NULL, NULL, NULL);
    is_int(r->status, KZ_STORE_BAD_NAME, "not with a bad name");
    is_str(&r->detail, "index\nInvalid index name [a b], must not contain "
           "the following characters [ , \", *, \\, <, |, ,, >, /, ?]",
           "and the words say why");

    r = answer(w, ask_at(w, 0, 0, KZ_STORE_INDEX_CREATE, 2, "a:b", NULL,
                         NULL, NULL, kz_writer_ms() + patience));
    is_int(r->status, KZ_STORE_BAD_NAME, "generation 2 has rules of its own");

    r = do_op(w, KZ_STORE_COLLECTION_CREATE, "nope", "c", NULL, NULL);
    is_int(r->status, KZ_STORE_NO_INDEX, "a collection needs its index");

    r = answer(w, ask_at(w, 0, 0, KZ_STORE_COLLECTION_CREATE, 2, "made", "c",
                         NULL, NULL, kz_writer_ms() + patience));
    is_int(r->status, KZ_STORE_OK, "but in generation 2, which makes it");
    is_int(query("made", "SELECT count(*) FROM col"), 1, "with it");

    r = do_op(w, KZ_STORE_DOC_CREATE, "nope", "c", "1", "{}");
    is_int(r->status, KZ_STORE_NO_INDEX, "a document needs an index");

    r = do_op(w, KZ_STORE_DOC_CREATE, "nyc", "none", "1", "{}");
    is_int(r->status, KZ_STORE_NO_COLLECTION, "and a collection");

    r = do_op(w, KZ_STORE_INDEX_DELETE, "made", NULL, NULL, NULL);
    is_int(r->status, KZ_STORE_OK, "an index is deleted");
    is_int(query("made", "SELECT 1"), -1, "from the catalogue");

    r = do_op(w, KZ_STORE_INDEX_DELETE, "made", NULL, NULL, NULL);
    is_int(r->status, KZ_STORE_NO_INDEX, "once");

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


static void
test_documents(void)
{
    char               id[600], path[128];
    pid_t              pid;
    worker_t          *w;
    kz_wire_result_t  *r;

    pid = writer_start();
    w = worker_new();

    r = do_op(w, KZ_STORE_COLLECTION_CREATE, "nyc", "taxi", NULL,
              "{\"dynamic\":\"true\",\"properties\":{"
              "\"age\":{\"type\":\"integer\"},"
              "\"name\":{\"type\":\"keyword\"}}}");
    is_int(r->status, KZ_STORE_OK, "a collection with a mapping");
    is_int(r->flags, KZ_WIRE_CREATED, "is new");

    r = do_op(w, KZ_STORE_COLLECTION_CREATE, "nyc", "taxi", NULL, NULL);
    is_int(r->status, KZ_STORE_OK, "may be asked for again");

    r = do_op(w, KZ_STORE_DOC_CREATE, "nyc", "taxi", "d1",
              "{\"name\":\"x\",\"age\":4,\"o\":{\"a\":1,\"b\":[1,2]}}");
    is_int(r->status, KZ_STORE_OK, "a document is created");
    is_int(r->version, 1, "version 1");
    is_int(r->flags, KZ_WIRE_CREATED | KZ_WIRE_INFO, "created");
    is_str(&r->id, "d1", "its id");
    is_str(&r->source, "{\"name\":\"x\",\"age\":4,\"o\":{\"a\":1,\"b\":[1,2]},"
           "\"_kuzzle_info\":{\"author\":\"-1\",\"createdAt\":1700000000003,"
           "\"updatedAt\":null,\"updater\":null}}", "its source");
    ok(query("nyc", "SELECT count(*) FROM fld WHERE path = 'o.a'") == 1,
       "a field of its was learnt");

    r = do_op(w, KZ_STORE_DOC_CREATE, "nyc", "taxi", "d1", "{}");
    is_int(r->status, KZ_STORE_EXISTS, "once");

    r = do_op(w, KZ_STORE_DOC_UPDATE, "nyc", "taxi", "d1",
              "{\"age\":5,\"o\":{\"c\":null},\"_kuzzle_info\":{\"author\":"
              "\"evil\"}}");
    is_int(r->status, KZ_STORE_OK, "updated");
    is_int(r->version, 2, "version 2");
    is_str(&r->source, "{\"name\":\"x\",\"age\":5,\"o\":{\"a\":1,\"b\":[1,2],"
           "\"c\":null},"
           "\"_kuzzle_info\":{\"author\":\"-1\",\"createdAt\":1700000000003,"
           "\"updatedAt\":1700000000005,\"updater\":\"-1\"}}", "merged");
    is_str(&r->changes, "{\"age\":5,\"o\":{\"c\":null},"
           "\"_kuzzle_info\":{\"author\":\"-1\",\"createdAt\":1700000000003,"
           "\"updatedAt\":1700000000005,\"updater\":\"-1\"}}",
           "and what was merged");
    is_int(query("nyc", "SELECT count(*) FROM t1"), 0,
           "few documents have no postings");

    r = do_op(w, KZ_STORE_DOC_CREATE, "nyc", "taxi", "d2",
              "{\"age\":\"old\"}");
    is_int(r->status, KZ_STORE_BAD_DOCUMENT, "a wrong type is refused");
    ok(r->detail.len > 10, "with words: %.*s", (int) r->detail.len,
       r->detail.data);
    is_int(query("nyc", "SELECT count(*) FROM d1 WHERE id = 'd2'"), 0,
           "and not there");

    r = do_op(w, KZ_STORE_DOC_PUT, "nyc", "taxi", "d2",
              "{\"_kuzzle_info\":1,\"age\":1}");
    is_int(r->status, KZ_STORE_OK, "createOrReplace creates");
    is_int(r->flags, KZ_WIRE_CREATED | KZ_WIRE_INFO, "and says so");
    is_str(&r->source, "{\"age\":1,\"_kuzzle_info\":{\"author\":\"-1\","
           "\"createdAt\":1700000000007,\"updatedAt\":1700000000007,"
           "\"updater\":\"-1\"}}", "without the client's metadata");

    r = do_op(w, KZ_STORE_DOC_PUT, "nyc", "taxi", "d2", "{}");
    is_int(r->version, 2, "createOrReplace replaces");
    is_int(r->flags, KZ_WIRE_INFO, "and says so");

    r = do_op(w, KZ_STORE_DOC_REPLACE, "nyc", "taxi", "none", "{}");
    is_int(r->status, KZ_STORE_NOT_FOUND, "replace needs a document");

    r = do_op(w, KZ_STORE_DOC_REPLACE, "nyc", "taxi", "d2", "{\"age\":7}");
    is_int(r->version, 3, "replaced");

    r = do_op(w, KZ_STORE_DOC_DELETE, "nyc", "taxi", "d1", NULL);
    is_int(r->status, KZ_STORE_OK, "deleted");
    ok(r->source.len > 20, "the old source comes back");

    r = do_op(w, KZ_STORE_DOC_DELETE, "nyc", "taxi", "d2", NULL);
    is_int(query("nyc", "SELECT count(*) FROM d1"), 0, "nothing is left");

    memset(id, 'i', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    r = do_op(w, KZ_STORE_DOC_CREATE, "nyc", "taxi", id, "{}");
    is_int(r->status, KZ_STORE_BAD_ID, "600 bytes of id");

    r = do_op(w, KZ_STORE_DOC_CREATE, "nyc", "taxi", NULL, "{\"age\":1}");
    is_int(r->status, KZ_STORE_OK, "an id is made up");
    is_int(r->id.len, 20, "of 20 characters");

    r = do_op(w, KZ_STORE_DOC_CREATE, "nyc", "taxi", "arr", "[]");
    is_int(r->status, KZ_STORE_BAD_DOCUMENT, "an array is no document");

    (void) do_op(w, KZ_STORE_COLLECTION_CREATE, "nyc", "strict", NULL,
                 "{\"dynamic\":\"strict\",\"properties\":{\"a\":{\"type\":"
                 "\"long\"}}}");
    r = do_op(w, KZ_STORE_DOC_CREATE, "nyc", "strict", "1", "{\"b\":1}");
    is_int(r->status, KZ_STORE_STRICT, "strict refuses a new field");
    is_str(&r->detail, "b", "and names it");

    r = do_op(w, KZ_STORE_COLLECTION_CREATE, "nyc", "bad", NULL,
              "{\"properties\":{\"a\":{\"type\":\"nothing\"}}}");
    is_int(r->status, KZ_STORE_BAD_TYPE, "an unknown type");

    r = do_op(w, KZ_STORE_COLLECTION_CREATE, "nyc", "taxi", NULL,
              "{\"properties\":{\"age\":{\"type\":\"keyword\"}}}");
    is_int(r->status, KZ_STORE_MAPPING_CONFLICT, "a type cannot change");

    (void) do_op(w, KZ_STORE_COLLECTION_CREATE, "nyc", "late", NULL,
                 "{\"dynamic\":\"false\"}");
    (void) do_op(w, KZ_STORE_DOC_CREATE, "nyc", "late", "1", "{\"x\":9}");
    (void) do_op(w, KZ_STORE_COLLECTION_CREATE, "nyc", "late", NULL,
                 "{\"properties\":{\"x\":{\"type\":\"long\"}}}");
    is_int(query("nyc", "SELECT count(*) FROM fld WHERE col = 3"
                 " AND path = 'x'"), 1, "a field mapped later");

    file_path(path, "nyc");
    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
    is_int(query("nyc", "SELECT count(*) FROM d1"), 1, "all is in the file");
}


/* Many at once: few commits, all answered, a refused one harms nobody. */

static void
test_batches(void)
{
    int                i, wrong;
    char               id[16], body[96];
    pid_t              pid;
    worker_t          *w;
    uint64_t           first;
    long long          seq;

    pid = writer_start();
    w = worker_new();
    seq = query("nyc", "SELECT seq FROM commits");
    first = w->seq + 1;

    for (i = 0; i < 2000; i++) {
        snprintf(id, sizeof(id), "b%d", i);
        snprintf(body, sizeof(body), (i % 10 == 9) ? "{\"age\":\"bad%d\"}"
                                                   : "{\"age\":%d}", i);
        (void) ask(w, KZ_STORE_DOC_CREATE, "nyc", "taxi", id, body);

        if (i % 64 == 0) {
            (void) worker_read(w, 0);
        }
    }

    wrong = 0;

    for (i = 0; i < 2000; i++) {
        wrong += (answer(w, first + i)->status
                  != (unsigned) ((i % 10 == 9) ? KZ_STORE_BAD_DOCUMENT
                                               : KZ_STORE_OK));
    }

    is_int(wrong, 0, "2000 operations, each with its own answer");
    is_int(query("nyc", "SELECT count(*) FROM d1 WHERE id LIKE 'b%'"), 1800,
           "all of them there but the refused ones");

    seq = query("nyc", "SELECT seq FROM commits") - seq;
    ok(seq > 0 && seq < 1000, "in %lld commits", seq);

    (void) do_op(w, KZ_STORE_DOC_CREATE, "nyc", "taxi", "last", "{}");
    snprintf(body, sizeof(body), "SELECT count(*) FROM done WHERE session ="
             " %lld", (long long) w->session);
    is_int(query("nyc", body), 1, "results that were seen are not kept");

    usleep(1800000);
    ok(query("nyc", "SELECT 1") == 1, "a file at rest");
    {
        char         path[160];
        struct stat  st;

        file_path(path, "nyc");
        strcat(path, "-wal");
        ok(stat(path, &st) == -1 || st.st_size == 0,
           "its log is emptied (%ld bytes)", (long) st.st_size);
    }

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


static void
test_deadline(void)
{
    pid_t              pid;
    worker_t          *w;
    kz_wire_result_t  *r;

    pid = writer_start();
    w = worker_new();

    r = answer(w, ask_at(w, 0, 0, KZ_STORE_DOC_CREATE, 1, "nyc", "taxi",
                         "tardy", "{}", kz_writer_ms() - 1));
    is_int(r->status, KZ_STORE_UNAVAILABLE, "too late");
    is_int(query("nyc", "SELECT count(*) FROM d1 WHERE id = 'tardy'"), 0,
           "means not written");

    r = answer(w, ask_at(w, 0, 0, KZ_STORE_INDEX_CREATE, 1, "tardy", NULL,
                         NULL, NULL, kz_writer_ms() - 1));
    is_int(r->status, KZ_STORE_UNAVAILABLE, "an index too");

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


/* More indexes than files it may keep open. */

static void
test_many(void)
{
    int        i, round, wrong;
    char       name[32];
    pid_t      pid;
    uint64_t   first;
    worker_t  *w;

    open_files = 4;
    pid = writer_start();
    w = worker_new();
    wrong = 0;

    for (i = 0; i < 30; i++) {
        snprintf(name, sizeof(name), "many%d", i);
        wrong += (do_op(w, KZ_STORE_INDEX_CREATE, name, NULL, NULL, NULL)
                  ->status != KZ_STORE_OK);
        wrong += (do_op(w, KZ_STORE_COLLECTION_CREATE, name, "c", NULL, NULL)
                  ->status != KZ_STORE_OK);
    }

    for (round = 0; round < 3; round++) {
        first = w->seq + 1;

        for (i = 0; i < 30; i++) {
            snprintf(name, sizeof(name), "many%d", i);
            (void) ask(w, KZ_STORE_DOC_CREATE, name, "c", NULL, "{\"a\":1}");
        }

        for (i = 0; i < 30; i++) {
            wrong += (answer(w, first + i)->status != KZ_STORE_OK);
        }
    }

    is_int(wrong, 0, "30 indexes with 4 open files");

    {
        char            path[64], link[512], target[512];
        DIR            *d;
        ssize_t         n;
        ngx_uint_t      files;
        struct dirent  *de;

        files = 0;
        snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        d = opendir(path);

        while ((de = readdir(d)) != NULL) {
            snprintf(link, sizeof(link), "%s/%s", path, de->d_name);
            n = readlink(link, target, sizeof(target) - 1);
            target[n > 0 ? n : 0] = '\0';
            files += (n > 3 && strcmp(target + n - 3, ".db") == 0);
        }

        closedir(d);
        ok(files <= 2 * 4 + 4, "%d files are open", (int) files);
    }

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
    is_int(query("many17", "SELECT count(*) FROM d1"), 3, "all there");
    open_files = 16;
}


/* Files we cannot work with. */

static void
test_damage(void)
{
    int                fd;
    char               path[128];
    pid_t              pid;
    worker_t          *w;
    kz_wire_result_t  *r;

    (void) query("many1", "PRAGMA user_version = 99");
    file_path(path, "many2");
    unlink(path);
    file_path(path, "many3");
    fd = open(path, O_WRONLY | O_TRUNC);
    (void) !write(fd, "this is not a database, it only lives where one did",
                  50);
    close(fd);

    pid = writer_start();
    w = worker_new();

    r = do_op(w, KZ_STORE_DOC_CREATE, "many1", "c", NULL, "{\"a\":1}");
    is_int(r->status, KZ_STORE_FAILED, "a newer schema");
    ok(r->detail.len, "%.*s", (int) r->detail.len, r->detail.data);

    r = do_op(w, KZ_STORE_DOC_CREATE, "many2", "c", NULL, "{\"a\":1}");
    is_int(r->status, KZ_STORE_FAILED, "a file that is gone");
    ok(r->detail.len, "%.*s", (int) r->detail.len, r->detail.data);

    r = do_op(w, KZ_STORE_DOC_CREATE, "many3", "c", NULL, "{\"a\":1}");
    is_int(r->status, KZ_STORE_FAILED, "a file that is something else");
    ok(r->detail.len, "%.*s", (int) r->detail.len, r->detail.data);

    r = do_op(w, KZ_STORE_DOC_CREATE, "many4", "c", NULL, "{\"a\":1}");
    is_int(r->status, KZ_STORE_OK, "others are served");

    r = do_op(w, KZ_STORE_INDEX_DELETE, "many3", NULL, NULL, NULL);
    is_int(r->status, KZ_STORE_OK, "and a damaged one can be deleted");

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


/* Bytes that are no frames, or no operations. */

static void
test_hostile(void)
{
    int                i, fd;
    pid_t              pid;
    worker_t          *w, *good;

    pid = writer_start();
    good = worker_new();

    for (i = 0; i < 3; i++) {
        w = worker_new();
        fd = w->fd;

        switch (i) {
        case 0:
            (void) !send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL);
            break;
        case 1:
            (void) ask(w, KZ_STORE_DOC_SEARCH, "nyc", "taxi", NULL, "{}");
            break;
        default:
            (void) ask(w, KZ_STORE_DOC_CREATE, "nyc", "taxi", NULL, "{}");
            (void) ask_at(w, 1, 0, KZ_STORE_DOC_CREATE, 1, "nyc", "taxi",
                          NULL, "{}", kz_writer_ms() + patience);
            break;
        }

        while (worker_read(w, 1000)) { /* void */ }

        ok(w->lost, "the connection is closed (%d)", i);
        worker_free(w);
    }

    is_int(do_op(good, KZ_STORE_DOC_CREATE, "nyc", "taxi", NULL, "{}")
           ->status, KZ_STORE_OK, "others are served");

    worker_free(good);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


/* Files the catalogue does not know. */

static void
test_leftovers(void)
{
    char       path[128];
    int        fd;
    pid_t      pid;
    worker_t  *w;

    /* an unfinished creation, and a stranger with data */

    snprintf(path, sizeof(path), "%s/i5000.db", dir);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);

    file_path(path, "nyc");
    snprintf(path + strlen(path), 100, " ");
    path[strlen(path) - 1] = '\0';

    {
        char          stranger[128];
        sqlite3      *from, *to;
        sqlite3_backup  *b;

        snprintf(stranger, sizeof(stranger), "%s/i4000.db", dir);
        sqlite3_open(path, &from);
        sqlite3_open(stranger, &to);
        b = sqlite3_backup_init(to, "main", from, "main");
        sqlite3_backup_step(b, -1);
        sqlite3_backup_finish(b);
        sqlite3_close(from);
        sqlite3_close(to);

        pid = writer_start();
        w = worker_new();
        is_int(do_op(w, KZ_STORE_INDEX_CREATE, "after", NULL, NULL, NULL)
               ->status, KZ_STORE_OK, "an index beside leftovers");

        is_int(access(stranger, F_OK), 0, "a stranger with data stays");
        snprintf(stranger, sizeof(stranger), "%s/i5000.db", dir);
        is_int(access(stranger, F_OK), -1, "an empty leftover goes");
    }

    file_path(path, "after");
    ok(strstr(path, "i4001.db") != NULL, "numbers go on behind it: %s", path);

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");
}


int
main(void)
{
    driver_begin();

    test_indexes();
    test_documents();
    test_batches();
    test_deadline();
    test_many();
    test_damage();
    test_hostile();
    test_leftovers();

    driver_end();

    return tap_done();
}
