/*
 * Many documents in one operation: each by itself, all in one transaction,
 * exactly once; versions of deleted documents.
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


/* Items as they are written into the body of an operation. */

typedef struct {
    u_char    data[4096];
    size_t    len;
} items_t;


static void
item(items_t *items, int kind, const char *id, const char *body,
    const char *fallback)
{
    kz_wire_item_t  w;

    memset(&w, 0, sizeof(w));

    w.kind = kind;
    set_str(&w.id, id);
    set_str(&w.body, body);
    set_str(&w.fallback, fallback);

    items->len = kz_wire_item_write(items->data + items->len, &w)
                 - items->data;
}


static uint64_t
ask_items(worker_t *w, uint64_t seq, uint32_t flags, items_t *items)
{
    u_char        *buf;
    size_t         len;
    kz_wire_op_t   op;

    memset(&op, 0, sizeof(op));

    op.seq = seq ? seq : ++w->seq;
    op.acked = 0;
    op.deadline = kz_writer_ms() + patience;
    op.timestamp = 1700000000000;
    op.kind = KZ_STORE_DOC_ITEMS;
    op.dialect = 1;
    op.flags = flags;

    set_str(&op.index, "many");
    set_str(&op.collection, "c");
    set_str(&op.user, "-1");

    op.body.data = items->data;
    op.body.len = items->len;

    len = kz_wire_op_len(&op);
    buf = malloc(len);
    (void) kz_wire_op_write(buf, &op);

    if (send(w->fd, buf, len, MSG_NOSIGNAL) != (ssize_t) len) {
        w->lost = 1;
    }

    free(buf);

    return op.seq;
}


/* The n results of an operation. */

static void
results(kz_wire_result_t *r, kz_wire_item_done_t *done, unsigned n)
{
    u_char    *p, *end;
    unsigned   i;

    memset(done, 0, n * sizeof(kz_wire_item_done_t));

    p = r->source.data;
    end = p + r->source.len;

    for (i = 0; i < n; i++) {
        if (kz_wire_item_done_read(&done[i], &p, end) != NGX_OK) {
            ok(0, "result %u is there", i);
            return;
        }
    }

    ok(p == end, "%u results, no more", n);
}


#define INFO  "\"_kuzzle_info\":{\"author\":\"-1\",\"createdAt\":1700000000000"


static void
test_each(worker_t *w)
{
    items_t               items;
    uint64_t              seq;
    kz_wire_result_t     *r;
    kz_wire_item_done_t   d[8];

    items.len = 0;
    item(&items, KZ_STORE_DOC_CREATE, "a", "{\"n\":1}", NULL);
    item(&items, KZ_STORE_DOC_CREATE, "a", "{\"n\":2}", NULL);
    item(&items, KZ_STORE_DOC_UPDATE, "a", "{\"m\":3}", NULL);
    item(&items, KZ_STORE_DOC_UPDATE, "no", "{\"m\":3}", NULL);
    item(&items, KZ_STORE_DOC_UPSERT, "u", "{\"x\":1}", "{\"x\":2,\"y\":3}");
    item(&items, KZ_STORE_DOC_FIELDS, "a", "[\"n\"]", NULL);
    item(&items, KZ_STORE_DOC_PUT, NULL, "[]", NULL);

    seq = ask_items(w, 0, 0, &items);
    r = answer(w, seq);

    is_int(r->status, KZ_STORE_OK, "many in one operation");
    results(r, d, 7);

    is_int(d[0].status, KZ_STORE_OK, "created");
    is_str(&d[0].source, "{\"n\":1," INFO ",\"updatedAt\":null,"
           "\"updater\":null}}", "with its source");
    is_int(d[1].status, KZ_STORE_EXISTS, "it is there for the next one");
    is_int(d[1].source.len, 0, "which has no source");
    is_int(d[2].version, 2, "and for an update");
    is_int(d[3].status, KZ_STORE_NOT_FOUND, "which fails for another id");
    is_str(&d[4].source, "{\"x\":1,\"y\":3," INFO "}}", "upsert: created");
    is_int(d[5].version, 3, "fields removed");
    is_str(&d[5].source, "{\"m\":3," INFO ",\"updatedAt\":1700000000000,"
           "\"updater\":\"-1\"}}", "these only");
    is_int(d[6].status, KZ_STORE_BAD_DOCUMENT, "an array is no document");

    is_int(query("many", "SELECT count(*) FROM d1"), 2, "two documents");
    is_int(query("many", "SELECT seq FROM commits"), 2, "one transaction");

    items.len = 0;
    item(&items, KZ_STORE_DOC_CREATE, "b", "{}", NULL);
    items.len--;
    r = answer(w, ask_items(w, 0, 0, &items));
    is_int(r->status, KZ_STORE_FAILED, "cut short: refused as a whole");

    items.len = 0;
    item(&items, KZ_STORE_INDEX_DELETE, "b", "{}", NULL);
    r = answer(w, ask_items(w, 0, 0, &items));
    is_int(r->status, KZ_STORE_FAILED, "what is no write of a document, too");

    items.len = 0;
    item(&items, KZ_STORE_DOC_UPDATE, "u", "{\"z\":1}", NULL);
    r = answer(w, ask_items(w, 0, KZ_WIRE_BRIEF, &items));
    results(r, d, 1);
    is_int(d[0].status, KZ_STORE_OK, "asked to be brief");
    is_int(d[0].source.len, 0, "no source");
    is_int(d[0].version, 2, "but a version");
}


/* Killed after COMMIT and before the reply. */

static void
test_again(worker_t *w, pid_t *pid)
{
    items_t               items;
    uint64_t              seq;
    ngx_str_t             id;
    kz_wire_result_t     *r;
    kz_wire_item_done_t   d[8];

    items.len = 0;
    item(&items, KZ_STORE_DOC_PUT, "p", "{\"n\":1}", NULL);
    item(&items, KZ_STORE_DOC_CREATE, NULL, "{\"n\":2}", NULL);
    item(&items, KZ_STORE_DOC_CREATE, "a", "{\"n\":2}", NULL);
    item(&items, KZ_STORE_DOC_UPDATE, "a", "{\"k\":4}", NULL);
    item(&items, KZ_STORE_DOC_DELETE, "u", NULL, NULL);
    item(&items, KZ_STORE_DOC_UPSERT, "v", "{\"x\":1}", NULL);

    shared->die_after = 1;
    seq = ask_items(w, 0, 0, &items);
    is_int(process_end(*pid, 0), -SIGKILL, "killed after COMMIT");
    (void) answer(w, seq);
    ok(!w->got[seq], "no answer");

    *pid = writer_start();
    close(w->fd);
    worker_connect(w);

    (void) ask_items(w, seq, KZ_WIRE_RETRY, &items);
    r = answer(w, seq);

    is_int(r->status, KZ_STORE_OK, "sent again: answered");
    results(r, d, 6);

    is_int(d[0].status, KZ_STORE_OK, "a replacement");
    is_int(d[0].version, 1, "of the version it had");
    is_str(&d[0].source, "{\"n\":1," INFO ",\"updatedAt\":null,"
           "\"updater\":null}}", "has its source again");

    id = d[1].id;
    is_int(id.len, 20, "an id that was made");
    is_int(query("many", "SELECT count(*) FROM d1 WHERE length(id) = 20"), 1,
           "once");
    is_int(d[2].status, KZ_STORE_EXISTS, "what was refused is");
    is_int(d[3].version, 4, "an update once");
    is_str(&d[3].source, "{\"m\":3,\"k\":4," INFO
           ",\"updatedAt\":1700000000000,\"updater\":\"-1\"}}",
           "with the whole document");
    is_int(d[4].status, KZ_STORE_OK, "a deletion");
    is_int(d[5].flags & KZ_WIRE_CREATED, KZ_WIRE_CREATED,
           "an upsert that created");
    is_int(query("many", "SELECT ver FROM d1 WHERE id = 'a'"), 4,
           "nothing was done twice");
}


static void
test_tombs(worker_t *w)
{
    items_t               items;
    kz_wire_result_t     *r;

    is_int(query("many", "SELECT ver FROM b1 WHERE id = 'u'"), 3,
           "the version of a deleted document is kept");

    r = do_op(w, KZ_STORE_DOC_CREATE, "many", "c", "u", "{}");
    is_int(r->version, 4, "created again it goes on");
    is_int(query("many", "SELECT count(*) FROM b1"), 0, "and is forgotten");

    items.len = 0;
    item(&items, KZ_STORE_DOC_DELETE, "u", NULL, NULL);
    (void) answer(w, ask_items(w, 0, 0, &items));
    is_int(query("many", "SELECT ver FROM b1 WHERE id = 'u'"), 5, "again");

    r = answer(w, ask_at(w, 0, 0, KZ_STORE_DOC_CREATE, 2, "many", "c", "u",
                         "{}", kz_writer_ms() + patience));
    is_int(r->version, 1, "generation 2 begins again");
}


int
main(void)
{
    pid_t      pid;
    worker_t  *w;

    driver_begin();

    pid = writer_start();
    w = worker_new();

    (void) do_op(w, KZ_STORE_INDEX_CREATE, "many", NULL, NULL, NULL);
    (void) do_op(w, KZ_STORE_COLLECTION_CREATE, "many", "c", NULL, NULL);

    test_each(w);
    test_again(w, &pid);
    test_tombs(w);

    worker_free(w);
    is_int(process_end(pid, SIGTERM), 0, "the writer leaves");

    driver_end();

    return tap_done();
}
