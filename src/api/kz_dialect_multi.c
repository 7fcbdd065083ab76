/*
 * Results of actions on many documents.
 *
 * Generation 1 answers what its search engine said of each, and beside it an
 * error for what was refused; generation 2 a list of successes and one of
 * errors.
 */

#include "api/kz_args.h"
#include "api/kz_dialect.h"
#include "api/kz_multi.h"
#include "realtime/kz_realtime.h"


static void kz_dialect_multi_hit_1(kz_req_t *req, kz_multi_t *m,
    kz_store_item_t *item, kz_out_t *o);
static void kz_dialect_multi_hit_2(kz_req_t *req, kz_multi_t *m,
    kz_store_item_t *item, kz_out_t *o);
static void kz_dialect_multi_open_2(kz_req_t *req, kz_out_t *o);
static void kz_dialect_fetched_1(kz_req_t *req, kz_multi_entry_t *e,
    kz_out_t *o);
static void kz_dialect_erased_query(kz_req_t *req, kz_multi_t *m,
    kz_out_t *o);


/* {"hits":[...],"total"} or {"errors":[...],"successes":[...]} */

void
kz_dialect_multi(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t         i, n;
    kz_multi_t        *m = req->ctx;
    kz_multi_entry_t  *e;

    if (req->dialect == KZ_DIALECT_2) {
        kz_dialect_multi_open_2(req, o);

    } else {
        kz_out_lit(o, "{\"hits\":[");
    }

    for (i = 0, n = 0; i < m->nentries; i++) {
        e = &m->entries[i];

        if (!kz_multi_ok(e)) {
            continue;
        }

        if (n++) {
            kz_out_char(o, ',');
        }

        if (req->dialect == KZ_DIALECT_2) {
            kz_dialect_multi_hit_2(req, m, e->item, o);

        } else {
            kz_dialect_multi_hit_1(req, m, e->item, o);
        }
    }

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(o, "]}");
        return;
    }

    kz_out_lit(o, "],\"total\":");
    kz_out_int(o, n);
    kz_out_char(o, '}');
}


static void
kz_dialect_multi_open_2(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "{\"errors\":");
    kz_out_str(o, &req->result.json);
    kz_out_lit(o, ",\"successes\":[");
}


static void
kz_dialect_multi_hit_1(kz_req_t *req, kz_multi_t *m, kz_store_item_t *item,
    kz_out_t *o)
{
    kz_doc_t  *doc = &item->doc;

    kz_out_lit(o, "{\"_id\":");
    kz_out_json_str(o, &doc->id);
    kz_out_lit(o, ",\"_source\":");
    kz_dialect_source(KZ_DIALECT_1, o, &doc->source, doc->info);
    kz_out_lit(o, ",\"_index\":");
    kz_out_json_str(o, &req->index);
    kz_out_lit(o, ",\"_type\":");
    kz_out_json_str(o, &req->collection);
    kz_out_lit(o, ",\"_version\":");
    kz_out_int(o, doc->version);

    if (doc->created) {
        kz_out_lit(o, ",\"result\":\"created\"");

    } else {
        kz_out_lit(o, ",\"result\":\"updated\"");
    }

    kz_dialect_shards(o);

    if (m->kind == KZ_STORE_DOC_UPDATE) {
        kz_out_lit(o, ",\"get\":{\"found\":true,\"_source\":");
        kz_dialect_source(KZ_DIALECT_1, o, &doc->source, doc->info);
        kz_out_lit(o, "},\"status\":200,\"_meta\":");
        kz_dialect_multi_info(req, m, o);
        kz_out_char(o, '}');
        return;
    }

    if (doc->created) {
        kz_out_lit(o, ",\"created\":true,\"status\":201");

    } else {
        kz_out_lit(o, ",\"created\":false,\"status\":200");
    }

    kz_dialect_meta(o, doc);
    kz_out_char(o, '}');
}


static void
kz_dialect_multi_hit_2(kz_req_t *req, kz_multi_t *m, kz_store_item_t *item,
    kz_out_t *o)
{
    kz_doc_t  *doc = &item->doc;

    (void) req;

    kz_out_lit(o, "{\"_id\":");
    kz_out_json_str(o, &doc->id);
    kz_out_lit(o, ",\"_source\":");
    kz_out_str(o, &doc->source);
    kz_out_lit(o, ",\"_version\":");
    kz_out_int(o, doc->version);

    if (m->raw) {
        kz_out_char(o, '}');
        return;
    }

    if (m->kind != KZ_STORE_DOC_UPDATE) {

        if (doc->created) {
            kz_out_lit(o, ",\"created\":true");

        } else {
            kz_out_lit(o, ",\"created\":false");
        }

        if (m->kind != KZ_STORE_DOC_UPSERT) {

            if (doc->created) {
                kz_out_lit(o, ",\"result\":\"created\"");

            } else {
                kz_out_lit(o, ",\"result\":\"updated\"");
            }
        }
    }

    kz_out_lit(o, ",\"status\":");
    kz_out_int(o, doc->created ? 201 : 200);

    if ((m->kind == KZ_STORE_DOC_UPDATE || m->kind == KZ_STORE_DOC_UPSERT)
        && !doc->created)
    {
        kz_realtime_updated(o, &item->body, 1);
    }

    kz_out_char(o, '}');
}


/* mGet */

void
kz_dialect_fetched(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t         i, n;
    kz_doc_t          *doc;
    kz_multi_t        *m = req->ctx;
    kz_multi_entry_t  *e;

    if (req->dialect == KZ_DIALECT_2) {
        kz_dialect_multi_open_2(req, o);

    } else {
        kz_out_lit(o, "{\"hits\":[");
    }

    for (i = 0, n = 0; i < m->nentries; i++) {
        e = &m->entries[i];

        if (e->item == NULL
            || (!kz_multi_ok(e) && req->dialect == KZ_DIALECT_2))
        {
            continue;
        }

        if (n++) {
            kz_out_char(o, ',');
        }

        doc = &e->item->doc;

        if (req->dialect == KZ_DIALECT_2) {
            kz_out_lit(o, "{\"_id\":");
            kz_out_json_str(o, &doc->id);
            kz_out_lit(o, ",\"_source\":");
            kz_out_str(o, &doc->source);
            kz_out_lit(o, ",\"_version\":");
            kz_out_int(o, doc->version);
            kz_out_char(o, '}');

        } else {
            kz_dialect_fetched_1(req, e, o);
        }
    }

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(o, "]}");
        return;
    }

    kz_out_lit(o, "],\"total\":");
    kz_out_int(o, n);
    kz_out_char(o, '}');
}


/* Kuzzle: 1.x has the ones that were not found among its hits. */

static void
kz_dialect_fetched_1(kz_req_t *req, kz_multi_entry_t *e, kz_out_t *o)
{
    kz_doc_t  *doc = &e->item->doc;

    if (kz_multi_ok(e)) {
        kz_dialect_head_1(req, o, doc, doc->version);
        kz_out_lit(o, ",\"found\":true");
        kz_dialect_source_1(o, doc);
        kz_out_char(o, '}');
        return;
    }

    kz_out_lit(o, "{\"_index\":");
    kz_out_json_str(o, &req->index);
    kz_out_lit(o, ",\"_type\":");
    kz_out_json_str(o, &req->collection);
    kz_out_lit(o, ",\"_id\":");
    kz_out_json_str(o, &e->item->id);
    kz_out_lit(o, ",\"found\":false}");
}


/* mExists: 2.x only */

void
kz_dialect_present(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t         i, n;
    kz_multi_t        *m = req->ctx;
    kz_multi_entry_t  *e;

    kz_dialect_multi_open_2(req, o);

    for (i = 0, n = 0; i < m->nentries; i++) {
        e = &m->entries[i];

        if (kz_multi_ok(e)) {
            if (n++) {
                kz_out_char(o, ',');
            }

            kz_out_json_str(o, &e->item->id);
        }
    }

    kz_out_lit(o, "]}");
}


/* mDelete and, without entries, deleteByQuery */

void
kz_dialect_erased(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t         i, n;
    kz_multi_t        *m = req->ctx;
    kz_multi_entry_t  *e;

    if (m->by_query) {
        kz_dialect_erased_query(req, m, o);
        return;
    }

    if (req->dialect == KZ_DIALECT_2) {
        kz_dialect_multi_open_2(req, o);

    } else {
        kz_out_char(o, '[');
    }

    for (i = 0, n = 0; i < m->nentries; i++) {
        e = &m->entries[i];

        if (kz_multi_ok(e)) {
            if (n++) {
                kz_out_char(o, ',');
            }

            kz_out_json_str(o, &e->item->id);
        }
    }

    kz_out_char(o, ']');

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_char(o, '}');
    }
}


static void
kz_dialect_erased_query(kz_req_t *req, kz_multi_t *m, kz_out_t *o)
{
    ngx_str_t        *ids;
    ngx_uint_t        i, n;
    kz_store_item_t  *item;

    kz_out_char(o, '{');

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(o, "\"documents\":[");

        for (i = 0, n = 0; i < m->nitems; i++) {
            item = &m->items[i];

            if (item->status != KZ_STORE_OK) {
                continue;
            }

            if (n++) {
                kz_out_char(o, ',');
            }

            kz_out_lit(o, "{\"_id\":");
            kz_out_json_str(o, &item->id);

            if (m->source) {
                kz_out_lit(o, ",\"_source\":");
                kz_out_str(o, &item->doc.source);
            }

            kz_out_char(o, '}');
        }

        kz_out_lit(o, "],");
    }

    kz_out_lit(o, "\"ids\":[");

    ids = m->ids ? m->ids->elts : NULL;

    for (i = 0; m->ids && i < m->ids->nelts; i++) {
        if (i) {
            kz_out_char(o, ',');
        }

        kz_out_json_str(o, &ids[i]);
    }

    kz_out_lit(o, "]}");
}


/* updateByQuery: 2.x only */

void
kz_dialect_queried(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t        i, n;
    kz_multi_t       *m = req->ctx;
    kz_store_item_t  *item;

    kz_dialect_multi_open_2(req, o);

    for (i = 0, n = 0; i < m->nitems; i++) {
        item = &m->items[i];

        if (item->status != KZ_STORE_OK) {
            continue;
        }

        if (n++) {
            kz_out_char(o, ',');
        }

        kz_out_lit(o, "{\"_id\":");
        kz_out_json_str(o, &item->id);

        if (m->source) {
            kz_out_lit(o, ",\"_source\":");
            kz_out_str(o, &item->doc.source);
        }

        kz_out_lit(o, ",\"_version\":");
        kz_out_int(o, item->doc.version);
        kz_out_lit(o, ",\"status\":200}");
    }

    kz_out_lit(o, "]}");
}


/* upsert, deleteFields: 2.x only */

void
kz_dialect_upserted(kz_req_t *req, kz_out_t *o)
{
    kz_multi_t  *m = req->ctx;
    kz_doc_t    *doc = &m->items[0].doc;

    kz_out_lit(o, "{\"_id\":");
    kz_out_json_str(o, &doc->id);

    if (m->source) {
        kz_out_lit(o, ",\"_source\":");
        kz_out_str(o, &doc->source);
    }

    kz_out_lit(o, ",\"_version\":");
    kz_out_int(o, doc->version);

    if (m->kind == KZ_STORE_DOC_UPSERT) {

        if (doc->created) {
            kz_out_lit(o, ",\"created\":true");

        } else {
            kz_out_lit(o, ",\"created\":false");
        }
    }

    kz_out_char(o, '}');
}


/* One line of bulk:import: {<verb>: {...}} */

void
kz_dialect_line(kz_req_t *req, kz_multi_t *m, kz_multi_entry_t *e,
    kz_out_t *o)
{
    ngx_uint_t        ok, gone;
    kz_doc_t         *doc;
    kz_multi_pair_t  *pair;

    ok = kz_multi_ok(e);
    doc = &e->item->doc;
    pair = &m->pairs[e->pair];
    gone = (e->item->kind == KZ_STORE_DOC_DELETE);

    kz_out_lit(o, "{\"");
    kz_multi_text(o, e->verb);
    kz_out_lit(o, "\":{");

    if (req->dialect == KZ_DIALECT_1) {
        kz_out_lit(o, "\"_index\":");
        kz_out_json_str(o, &pair->index);
        kz_out_lit(o, ",\"_type\":");
        kz_out_json_str(o, &pair->collection);
        kz_out_char(o, ',');
    }

    kz_out_lit(o, "\"_id\":");
    kz_out_json_str(o, doc->id.len ? &doc->id : &e->item->id);

    if (ok && req->dialect == KZ_DIALECT_1) {
        kz_out_lit(o, ",\"_version\":");
        kz_out_int(o, doc->version);
        kz_out_lit(o, ",\"result\":\"");
        kz_multi_text(o, gone ? "deleted"
                              : (doc->created ? "created" : "updated"));
        kz_out_char(o, '"');
        kz_dialect_shards(o);

        if (gone) {
            kz_out_lit(o, ",\"found\":true");

        } else if (e->item->kind != KZ_STORE_DOC_UPDATE) {
            kz_multi_text(o, doc->created ? ",\"created\":true"
                                          : ",\"created\":false");
        }
    }

    kz_out_lit(o, ",\"status\":");
    kz_out_int(o, !ok ? kz_dialect_multi_status(e->item)
                      : (doc->created ? 201 : 200));

    if (!ok) {

        if (req->dialect == KZ_DIALECT_2 && e->body.len) {
            kz_out_lit(o, ",\"_source\":");
            kz_out_str(o, &e->body);
        }

        kz_dialect_multi_cause(req, e->item, pair, o);
    }

    kz_out_lit(o, "}}");
}


void
kz_dialect_imported(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t   i, n;
    kz_multi_t  *m = req->ctx;

    if (req->dialect == KZ_DIALECT_2) {
        kz_dialect_multi_open_2(req, o);

    } else {
        kz_out_lit(o, "{\"took\":");
        kz_out_int(o, ngx_current_msec - req->started);
        kz_out_lit(o, ",\"errors\":");
        kz_multi_text(o, req->nerrors ? "true" : "false");
        kz_out_lit(o, ",\"items\":[");
    }

    for (i = 0, n = 0; i < m->nentries; i++) {

        if (req->dialect == KZ_DIALECT_2 && !kz_multi_ok(&m->entries[i])) {
            continue;
        }

        if (n++) {
            kz_out_char(o, ',');
        }

        kz_dialect_line(req, m, &m->entries[i], o);
    }

    kz_out_char(o, ']');

    if (req->dialect == KZ_DIALECT_1 && req->nerrors) {
        kz_out_lit(o, ",\"partialErrors\":");
        kz_out_str(o, &req->errors);
    }

    kz_out_char(o, '}');
}
