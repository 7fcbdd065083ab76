/*
 * Neutral results as generation 1 and 2 write them: a function per kind.
 * Generation 1 answers documents in the raw shape of its search engine.
 */

#include "api/kz_dialect.h"
#include "api/kz_args.h"
#include "api/kz_multi.h"
#include "store/kz_store.h"


typedef void (*kz_dialect_result_pt)(kz_req_t *req, kz_out_t *o);


static void kz_dialect_null(kz_req_t *req, kz_out_t *o);
static void kz_dialect_json(kz_req_t *req, kz_out_t *o);
static void kz_dialect_index_created(kz_req_t *req, kz_out_t *o);
static void kz_dialect_mapping(kz_req_t *req, kz_out_t *o);
static void kz_dialect_created(kz_req_t *req, kz_out_t *o);
static void kz_dialect_written(kz_req_t *req, kz_out_t *o);
static void kz_dialect_updated(kz_req_t *req, kz_out_t *o);
static void kz_dialect_deleted(kz_req_t *req, kz_out_t *o);
static void kz_dialect_got(kz_req_t *req, kz_out_t *o);
static void kz_dialect_count(kz_req_t *req, kz_out_t *o);
static void kz_dialect_hits(kz_req_t *req, kz_out_t *o);
static void kz_dialect_user(kz_req_t *req, kz_out_t *o);
static void kz_dialect_scroll(kz_req_t *req, kz_out_t *o);
static void kz_dialect_left(kz_req_t *req, kz_out_t *o);


static const kz_dialect_result_pt  kz_dialect_results[] = {
    [KZ_RESULT_NULL] = kz_dialect_null,
    [KZ_RESULT_ABSENT] = kz_dialect_null,
    [KZ_RESULT_JSON] = kz_dialect_json,
    [KZ_RESULT_RAW] = kz_dialect_json,
    [KZ_RESULT_INDEX_CREATED] = kz_dialect_index_created,
    [KZ_RESULT_MAPPING] = kz_dialect_mapping,
    [KZ_RESULT_CREATED] = kz_dialect_created,
    [KZ_RESULT_WRITTEN] = kz_dialect_written,
    [KZ_RESULT_UPDATED] = kz_dialect_updated,
    [KZ_RESULT_DELETED] = kz_dialect_deleted,
    [KZ_RESULT_GOT] = kz_dialect_got,
    [KZ_RESULT_COUNT] = kz_dialect_count,
    [KZ_RESULT_HITS] = kz_dialect_hits,
    [KZ_RESULT_USER] = kz_dialect_user,
    [KZ_RESULT_LEFT] = kz_dialect_left,
    [KZ_RESULT_MULTI] = kz_dialect_multi,
    [KZ_RESULT_ERASED] = kz_dialect_erased,
    [KZ_RESULT_FETCHED] = kz_dialect_fetched,
    [KZ_RESULT_PRESENT] = kz_dialect_present,
    [KZ_RESULT_IMPORTED] = kz_dialect_imported,
    [KZ_RESULT_UPSERTED] = kz_dialect_upserted,
    [KZ_RESULT_QUERIED] = kz_dialect_queried
};


void
kz_dialect_result(kz_req_t *req, kz_out_t *o)
{
    kz_dialect_results[req->result.type](req, o);
}


void
kz_dialect_source(kz_dialect_e dialect, kz_out_t *o, ngx_str_t *source,
    ngx_uint_t info)
{
    if (dialect == KZ_DIALECT_2 || !info) {
        kz_out_str(o, source);
        return;
    }

    /* _kuzzle_info is the last member: its members go before the final }} */

    kz_out_bytes(o, source->data, source->len - 2);
    kz_out_lit(o, ",\"active\":true,\"deletedAt\":null}}");
}


/* Generation 1 repeats _kuzzle_info beside the source. */

void
kz_dialect_meta(kz_out_t *o, kz_doc_t *doc)
{
    kz_json_val_t  src, info;

    src.type = KZ_JSON_OBJECT;
    src.raw = doc->source;

    if (kz_json_get(&src, "_kuzzle_info", 12, &info) != NGX_OK) {
        return;
    }

    kz_out_lit(o, ",\"_meta\":");

    if (!doc->info) {

        /* a raw write: as it was given */

        kz_out_str(o, &info.raw);
        return;
    }

    kz_out_bytes(o, info.raw.data, info.raw.len - 1);
    kz_out_lit(o, ",\"active\":true,\"deletedAt\":null}");
}


/* {"_index":...,"_type":...,"_id":...,"_version":n : left open */

void
kz_dialect_head_1(kz_req_t *req, kz_out_t *o, kz_doc_t *doc,
    uint64_t version)
{
    kz_out_lit(o, "{\"_index\":");
    kz_out_json_str(o, &req->index);
    kz_out_lit(o, ",\"_type\":");
    kz_out_json_str(o, &req->collection);
    kz_out_lit(o, ",\"_id\":");
    kz_out_json_str(o, &doc->id);
    kz_out_lit(o, ",\"_version\":");
    kz_out_int(o, version);
}


void
kz_dialect_source_1(kz_out_t *o, kz_doc_t *doc)
{
    kz_out_lit(o, ",\"_source\":");
    kz_dialect_source(KZ_DIALECT_1, o, &doc->source, doc->info);
    kz_dialect_meta(o, doc);
}


/* {"_id":...,"_source":...,"_version":n : left open */

static void
kz_dialect_head_2(kz_out_t *o, ngx_str_t *id, ngx_str_t *source,
    uint64_t version)
{
    kz_out_lit(o, "{\"_id\":");
    kz_out_json_str(o, id);
    kz_out_lit(o, ",\"_source\":");
    kz_out_str(o, source);
    kz_out_lit(o, ",\"_version\":");
    kz_out_int(o, version);
}


static void
kz_dialect_null(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "null");
}


static void
kz_dialect_json(kz_req_t *req, kz_out_t *o)
{
    kz_out_str(o, &req->result.json);
}


static void
kz_dialect_index_created(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "{\"acknowledged\":true,\"shards_acknowledged\":true,"
                  "\"index\":");
    kz_out_json_str(o, &req->index);
    kz_out_char(o, '}');
}


static void
kz_dialect_properties(kz_req_t *req, kz_out_t *o, kz_json_val_t *props,
    ngx_uint_t meta)
{
    ngx_uint_t         n;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    kz_out_lit(o, "\"properties\":{");

    n = 0;

    kz_json_iter(&it, props);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (kz_json_key_is(&m, "_kuzzle_info", 12) == NGX_OK) {
            continue;
        }

        if (n++) {
            kz_out_char(o, ',');
        }

        kz_out_char(o, '"');
        kz_out_str(o, &m.key);
        kz_out_lit(o, "\":");
        kz_out_str(o, &m.val.raw);
    }

    if (meta) {
        if (n) {
            kz_out_char(o, ',');
        }

        kz_out_lit(o, "\"_kuzzle_info\":{\"properties\":{");

        if (req->dialect == KZ_DIALECT_1) {
            kz_out_lit(o, "\"active\":{\"type\":\"boolean\"},"
                          "\"deletedAt\":{\"type\":\"date\"},");
        }

        kz_out_lit(o, "\"author\":{\"type\":\"keyword\"},"
                      "\"createdAt\":{\"type\":\"date\"},"
                      "\"updatedAt\":{\"type\":\"date\"},"
                      "\"updater\":{\"type\":\"keyword\"}}}");
    }

    kz_out_char(o, '}');
}


/* Generation 1 nests the mapping below index and collection. */

static void
kz_dialect_mapping(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t       meta;
    kz_json_val_t    m, v;

    (void) kz_arg_flag(req, "includeKuzzleMeta", &meta);

    m.type = KZ_JSON_OBJECT;
    m.raw = req->op->mapping;

    if (req->dialect == KZ_DIALECT_1) {
        kz_out_char(o, '{');
        kz_out_json_str(o, &req->index);
        kz_out_lit(o, ":{\"mappings\":{");
        kz_out_json_str(o, &req->collection);
        kz_out_char(o, ':');
    }

    kz_out_char(o, '{');

    if (kz_json_get(&m, "dynamic", 7, &v) == NGX_OK) {
        kz_out_lit(o, "\"dynamic\":");
        kz_out_str(o, &v.raw);
        kz_out_char(o, ',');
    }

    if (kz_json_get(&m, "_meta", 5, &v) == NGX_OK) {
        kz_out_lit(o, "\"_meta\":");
        kz_out_str(o, &v.raw);
        kz_out_char(o, ',');

    } else if (req->dialect == KZ_DIALECT_1) {
        kz_out_lit(o, "\"_meta\":{},");
    }

    if (kz_json_get(&m, "properties", 10, &v) != NGX_OK) {
        v.type = KZ_JSON_OBJECT;
        ngx_str_set(&v.raw, "{}");
    }

    kz_dialect_properties(req, o, &v, meta);

    kz_out_char(o, '}');

    if (req->dialect == KZ_DIALECT_1) {
        kz_out_lit(o, "}}}");
    }
}


static void
kz_dialect_created(kz_req_t *req, kz_out_t *o)
{
    kz_doc_t  *doc = &req->op->doc;

    if (req->dialect == KZ_DIALECT_2) {
        kz_dialect_head_2(o, &doc->id, &doc->source, doc->version);
        kz_out_char(o, '}');
        return;
    }

    kz_dialect_head_1(req, o, doc, doc->version);
    kz_out_lit(o, ",\"result\":\"created\"");
    kz_dialect_shards(o);
    kz_out_lit(o, ",\"created\":true");
    kz_dialect_source_1(o, doc);
    kz_out_char(o, '}');
}


static void
kz_dialect_written(kz_req_t *req, kz_out_t *o)
{
    kz_doc_t  *doc = &req->op->doc;

    if (req->dialect == KZ_DIALECT_2) {
        kz_dialect_head_2(o, &doc->id, &doc->source, doc->version);

        /* Kuzzle: replace does not say "created" */

        if (req->op->kind == KZ_STORE_DOC_PUT && !req->op->raw) {
            if (doc->created) {
                kz_out_lit(o, ",\"created\":true");
            } else {
                kz_out_lit(o, ",\"created\":false");
            }
        }

        kz_out_char(o, '}');
        return;
    }

    kz_dialect_head_1(req, o, doc, doc->version);

    if (doc->created) {
        kz_out_lit(o, ",\"result\":\"created\"");
        kz_dialect_shards(o);
        kz_out_lit(o, ",\"created\":true");

    } else {
        kz_out_lit(o, ",\"result\":\"updated\"");
        kz_dialect_shards(o);
        kz_out_lit(o, ",\"created\":false");
    }

    kz_dialect_source_1(o, doc);
    kz_out_char(o, '}');
}


static void
kz_dialect_updated(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t   full;
    kz_doc_t    *doc = &req->op->doc;

    if (req->dialect == KZ_DIALECT_2) {
        (void) kz_arg_flag(req, "source", &full);

        kz_dialect_head_2(o, &doc->id,
                          full ? &doc->source : &req->op->changes,
                          doc->version);
        kz_out_char(o, '}');
        return;
    }

    kz_dialect_head_1(req, o, doc, doc->version);
    kz_out_lit(o, ",\"result\":\"updated\"");
    kz_dialect_shards(o);
    kz_out_char(o, '}');
}


static void
kz_dialect_deleted(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t   full;
    kz_doc_t    *doc = &req->op->doc;

    if (req->dialect == KZ_DIALECT_2) {
        (void) kz_arg_flag(req, "source", &full);

        if (full) {
            kz_dialect_head_2(o, &doc->id, &doc->source, doc->version);
            kz_out_char(o, '}');
            return;
        }

        kz_out_lit(o, "{\"_id\":");
        kz_out_json_str(o, &doc->id);
        kz_out_char(o, '}');
        return;
    }

    /* Kuzzle: to 1.x a deletion is one more write */

    kz_dialect_head_1(req, o, doc, doc->version);
    kz_out_lit(o, ",\"result\":\"updated\"");
    kz_dialect_shards(o);
    kz_out_char(o, '}');
}


static void
kz_dialect_got(kz_req_t *req, kz_out_t *o)
{
    kz_doc_t  *doc = &req->op->doc;

    if (req->dialect == KZ_DIALECT_2) {
        kz_dialect_head_2(o, &doc->id, &doc->source, doc->version);
        kz_out_char(o, '}');
        return;
    }

    kz_dialect_head_1(req, o, doc, doc->version);
    kz_out_lit(o, ",\"found\":true");
    kz_dialect_source_1(o, doc);
    kz_out_char(o, '}');
}


static void
kz_dialect_count(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "{\"count\":");
    kz_out_int(o, req->op->total);

    if (req->dialect == KZ_DIALECT_1) {
        kz_dialect_shards(o);
    }

    kz_out_char(o, '}');
}


static void
kz_dialect_score(kz_out_t *o, kz_doc_t *doc)
{
    u_char  *p;
    u_char   text[64];

    if (!doc->scored) {
        kz_out_lit(o, "null");
        return;
    }

    /* sprintf of the C library: nginx's %f cuts instead of rounding */

    p = text + snprintf((char *) text, sizeof(text), "%.9g", doc->score);
    kz_out_bytes(o, text, p - text);
}


static void
kz_dialect_highlight(kz_out_t *o, kz_doc_t *doc)
{
    if (doc->highlight.len) {
        kz_out_lit(o, ",\"highlight\":");
        kz_out_str(o, &doc->highlight);
    }
}


static void
kz_dialect_hit(kz_req_t *req, kz_out_t *o, kz_doc_t *doc)
{
    ngx_str_t      *index, *collection;
    kz_store_op_t  *op;

    op = req->op;
    index = op->ntargets ? &op->targets[doc->target].index : &op->index;
    collection = op->ntargets ? &op->targets[doc->target].collection
                              : &op->collection;

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(o, "{\"_id\":");
        kz_out_json_str(o, &doc->id);
        kz_out_lit(o, ",\"_score\":");
        kz_dialect_score(o, doc);

        if (!doc->hidden) {
            kz_out_lit(o, ",\"_source\":");
            kz_out_str(o, &doc->source);
        }

        kz_out_lit(o, ",\"collection\":");
        kz_out_json_str(o, collection);
        kz_out_lit(o, ",\"index\":");
        kz_out_json_str(o, index);
        kz_dialect_highlight(o, doc);
        kz_out_char(o, '}');
        return;
    }

    kz_out_lit(o, "{\"_index\":");
    kz_out_json_str(o, index);
    kz_out_lit(o, ",\"_type\":");
    kz_out_json_str(o, collection);
    kz_out_lit(o, ",\"_id\":");
    kz_out_json_str(o, &doc->id);
    kz_out_lit(o, ",\"_score\":");
    kz_dialect_score(o, doc);

    if (!doc->hidden) {
        kz_out_lit(o, ",\"_source\":");
        kz_dialect_source(KZ_DIALECT_1, o, &doc->source, doc->info);
    }

    kz_dialect_highlight(o, doc);

    if (doc->sort.len) {
        kz_out_lit(o, ",\"sort\":");
        kz_out_str(o, &doc->sort);
    }

    kz_dialect_meta(o, doc);
    kz_out_char(o, '}');
}


/* Generation 1 knows its engine's name of it, 2 how many are left. */

static void
kz_dialect_scroll(kz_req_t *req, kz_out_t *o)
{
    kz_store_op_t  *op = req->op;

    if (req->dialect == KZ_DIALECT_1) {
        kz_out_lit(o, ",\"_scroll_id\":");
        kz_out_json_str(o, &op->scroll_id);

    } else {
        kz_out_lit(o, ",\"remaining\":");
        kz_out_int(o, op->remaining);
    }

    kz_out_lit(o, ",\"scrollId\":");
    kz_out_json_str(o, &op->scroll_id);
}


static void
kz_dialect_hits(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t      i;
    kz_store_op_t  *op = req->op;

    kz_out_char(o, '{');

    if (req->dialect == KZ_DIALECT_1) {
        kz_out_lit(o, "\"took\":");
        kz_out_int(o, ngx_current_msec - req->started);
        kz_out_lit(o, ",\"timed_out\":false");
        kz_dialect_shards(o);
        kz_out_char(o, ',');
    }

    kz_out_lit(o, "\"hits\":[");

    for (i = 0; i < op->ndocs; i++) {
        if (i) {
            kz_out_char(o, ',');
        }

        kz_dialect_hit(req, o, &op->docs[i]);
    }

    kz_out_lit(o, "],\"total\":");
    kz_out_int(o, op->total);

    if (req->dialect == KZ_DIALECT_1) {
        kz_out_lit(o, ",\"max_score\":");

        if (op->ndocs) {
            kz_dialect_score(o, &op->docs[0]);
        } else {
            kz_out_lit(o, "null");
        }
    }

    if (op->scroll_id.len) {
        kz_dialect_scroll(req, o);
    }

    if (op->aggregations.len) {
        kz_out_lit(o, ",\"aggregations\":");
        kz_out_str(o, &op->aggregations);
    }

    kz_out_char(o, '}');
}


static void
kz_dialect_user(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "{\"_id\":");
    kz_out_json_str(o, &req->user);
    kz_out_lit(o, ",\"_source\":{\"profileIds\":[\"anonymous\"],"
                  "\"name\":\"Anonymous\"}");

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(o, ",\"strategies\":[]}");
    } else {
        kz_out_lit(o, ",\"_meta\":{}}");
    }
}


static void
kz_dialect_left(kz_req_t *req, kz_out_t *o)
{
    if (req->dialect == KZ_DIALECT_1 && !req->legacy) {
        kz_out_str(o, &req->result.json);
        return;
    }

    kz_out_lit(o, "{\"roomId\":");
    kz_out_str(o, &req->result.json);
    kz_out_char(o, '}');
}
