/*
 * Why documents were refused, one by one: a text, or what the search engine
 * of the original would have said.
 */

#include "api/kz_dialect.h"
#include "api/kz_multi.h"


static void kz_dialect_multi_given(kz_req_t *req, kz_multi_t *m,
    kz_multi_entry_t *e, const char *reason, kz_out_t *o);
static void kz_dialect_multi_entry_1(kz_req_t *req, kz_multi_t *m,
    kz_multi_entry_t *e, kz_out_t *o);
static void kz_dialect_multi_doc(kz_req_t *req, kz_multi_t *m,
    ngx_str_t *id, ngx_str_t *body, const char *member, kz_out_t *o);
static ngx_uint_t kz_dialect_multi_early(kz_multi_t *m,
    kz_store_item_t *item);
static const char *kz_dialect_multi_known(kz_req_t *req,
    kz_store_item_t *item);
static void kz_dialect_multi_reason(kz_req_t *req, kz_store_item_t *item,
    kz_out_t *o);
static const char *kz_dialect_multi_type(kz_store_item_t *item);
static void kz_dialect_multi_raw(kz_req_t *req, kz_multi_t *m,
    kz_store_item_t *item, kz_out_t *o);


/*
 * Kuzzle: first what it refuses itself, then what it finds out before it asks
 * its engine to write, then what the engine says.
 */

ngx_uint_t
kz_dialect_multi_errors(kz_req_t *req, kz_multi_t *m, kz_out_t *o)
{
    ngx_uint_t         i, n, pass;
    kz_multi_entry_t  *e;

    n = 0;

    for (pass = 0; pass < 3; pass++) {

        for (i = 0; i < m->nentries; i++) {
            e = &m->entries[i];

            if (pass != (e->item == NULL
                         ? 0 : 2 - kz_dialect_multi_early(m, e->item))
                || kz_multi_ok(e))
            {
                continue;
            }

            if (n++) {
                kz_out_char(o, ',');
            }

            if (e->verb) {
                kz_dialect_line(req, m, e, o);

            } else if (e->item == NULL) {
                kz_dialect_multi_given(req, m, e, e->reason, o);

            } else if (pass == 1) {
                kz_dialect_multi_given(req, m, e,
                                       kz_dialect_multi_known(req, e->item),
                                       o);

            } else {
                kz_dialect_multi_error(req, m, e->item, o);
            }
        }
    }

    return n;
}


/* Refused without asking the engine to write. */

static ngx_uint_t
kz_dialect_multi_early(kz_multi_t *m, kz_store_item_t *item)
{
    return item->status == KZ_STORE_EXISTS
           || (item->status == KZ_STORE_NOT_FOUND
               && m->kind == KZ_STORE_DOC_REPLACE);
}


static const char *
kz_dialect_multi_known(kz_req_t *req, kz_store_item_t *item)
{
    if (item->status == KZ_STORE_EXISTS) {
        return "document already exists";
    }

    if (req->dialect == KZ_DIALECT_2) {
        return "document not found";
    }

    return "cannot replace a non-existing document (use mCreateOrReplace if "
           "you need to create non-existing documents)";
}


static void
kz_dialect_multi_given(kz_req_t *req, kz_multi_t *m, kz_multi_entry_t *e,
    const char *reason, kz_out_t *o)
{
    switch (m->type) {

    case KZ_RESULT_FETCHED:
    case KZ_RESULT_PRESENT:
        kz_out_str(o, &e->given.raw);
        return;

    case KZ_RESULT_ERASED:

        if (req->dialect == KZ_DIALECT_2) {
            kz_out_lit(o, "{\"_id\":");

        } else {
            kz_out_lit(o, "{\"id\":");
        }

        kz_out_str(o, &e->given.raw);
        break;

    default:
        kz_out_lit(o, "{\"document\":");

        if (req->dialect == KZ_DIALECT_1) {
            kz_dialect_multi_entry_1(req, m, e, o);

        } else if (e->item) {
            kz_dialect_multi_doc(req, m, &e->id, &e->body, "body", o);

        } else {
            kz_out_str(o, &e->given.raw);
        }
    }

    kz_out_lit(o, ",\"reason\":\"");
    kz_multi_text(o, reason);
    kz_out_char(o, '"');

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(o, ",\"status\":");
        kz_out_int(o, e->item ? kz_dialect_multi_status(e->item) : 400);
    }

    kz_out_char(o, '}');
}


static void
kz_dialect_multi_entry_1(kz_req_t *req, kz_multi_t *m, kz_multi_entry_t *e,
    kz_out_t *o)
{
    if (e->body.len == 0) {
        kz_out_str(o, &e->given.raw);
        return;
    }

    kz_dialect_multi_doc(req, m, &e->id, &e->body, "_source", o);
}


/* {"_id", <member>: the body with the metadata it was to be stored with} */

static void
kz_dialect_multi_doc(kz_req_t *req, kz_multi_t *m, ngx_str_t *id,
    ngx_str_t *body, const char *member, kz_out_t *o)
{
    kz_out_char(o, '{');

    if (id->len) {
        kz_out_lit(o, "\"_id\":");
        kz_out_json_str(o, id);
        kz_out_char(o, ',');
    }

    kz_out_char(o, '"');
    kz_multi_text(o, member);
    kz_out_lit(o, "\":");

    if (m->raw) {
        kz_out_str(o, body);

    } else {
        kz_out_bytes(o, body->data, body->len - 1);

        if (body->len > 2) {
            kz_out_char(o, ',');
        }

        kz_out_lit(o, "\"_kuzzle_info\":");
        kz_dialect_multi_info(req, m, o);
        kz_out_char(o, '}');
    }

    kz_out_char(o, '}');
}


void
kz_dialect_multi_info(kz_req_t *req, kz_multi_t *m, kz_out_t *o)
{
    kz_out_char(o, '{');

    if (req->dialect == KZ_DIALECT_1) {
        kz_out_lit(o, "\"active\":true,");
    }

    if (m->kind == KZ_STORE_DOC_UPDATE || m->kind == KZ_STORE_DOC_UPSERT) {
        kz_out_lit(o, "\"updatedAt\":");
        kz_out_int(o, req->timestamp);
        kz_out_lit(o, ",\"updater\":");
        kz_out_json_str(o, &req->user);

    } else {
        kz_out_lit(o, "\"author\":");
        kz_out_json_str(o, &req->user);
        kz_out_lit(o, ",\"createdAt\":");
        kz_out_int(o, req->timestamp);
        kz_out_lit(o, ",\"updatedAt\":null,\"updater\":null");
    }

    if (req->dialect == KZ_DIALECT_1) {
        kz_out_lit(o, ",\"deletedAt\":null");
    }

    kz_out_char(o, '}');
}


ngx_uint_t
kz_dialect_multi_status(kz_store_item_t *item)
{
    switch (item->status) {

    case KZ_STORE_NOT_FOUND:
        return 404;

    case KZ_STORE_BUSY:
    case KZ_STORE_UNAVAILABLE:
    case KZ_STORE_NO_ANSWER:
        return 503;

    case KZ_STORE_FAILED:
        return 500;

    default:
        return 400;
    }
}


/* As a JSON string. */

static void
kz_dialect_multi_reason(kz_req_t *req, kz_store_item_t *item, kz_out_t *o)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   within;

    switch (item->status) {

    case KZ_STORE_EXISTS:
    case KZ_STORE_NOT_FOUND:
        kz_out_char(o, '"');
        kz_multi_text(o, kz_dialect_multi_known(req, item));
        kz_out_char(o, '"');
        return;

    case KZ_STORE_BUSY:
        kz_out_lit(o, "\"the server is overloaded\"");
        return;

    case KZ_STORE_UNAVAILABLE:
        kz_out_lit(o, "\"the storage is not available, nothing was "
                      "written\"");
        return;

    case KZ_STORE_NO_ANSWER:
        kz_out_lit(o, "\"the storage did not answer, it may have been "
                      "written\"");
        return;

    case KZ_STORE_BAD_ID:
        kz_out_lit(o, "\"id is too long, must be no longer than 512 bytes "
                      "but was: ");
        kz_out_int(o, item->id.len);
        kz_out_char(o, '"');
        return;

    case KZ_STORE_STRICT:
        ngx_str_set(&within, "_doc");

        if (req->dialect == KZ_DIALECT_1) {
            within = req->collection;
        }

        len = sizeof("mapping set to strict, dynamic introduction of [] "
                     "within [] is not allowed")
              + item->detail.len + within.len;

        p = ngx_pnalloc(req->pool, len);

        if (p == NULL) {
            o->failed = 1;
            return;
        }

        kz_out_json(o, p, ngx_snprintf(p, len, "mapping set to strict, "
                                       "dynamic introduction of [%V] within "
                                       "[%V] is not allowed", &item->detail,
                                       &within)
                          - p);
        return;

    default:
        kz_out_json_str(o, &item->detail);
    }
}


static const char *
kz_dialect_multi_type(kz_store_item_t *item)
{
    switch (item->status) {

    case KZ_STORE_NOT_FOUND:
        return "document_missing_exception";

    case KZ_STORE_EXISTS:
        return "version_conflict_engine_exception";

    case KZ_STORE_STRICT:
        return "strict_dynamic_mapping_exception";

    case KZ_STORE_BAD_ID:
        return "illegal_argument_exception";

    case KZ_STORE_BUSY:
    case KZ_STORE_UNAVAILABLE:
    case KZ_STORE_NO_ANSWER:
        return "unavailable_shards_exception";

    case KZ_STORE_FAILED:
        return "exception";

    default:
        return "mapper_parsing_exception";
    }
}


/* ,"error":{"type","reason"}: as the engine of the original has it */

void
kz_dialect_multi_cause(kz_req_t *req, kz_store_item_t *item,
    kz_multi_pair_t *pair, kz_out_t *o)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   within;

    kz_out_lit(o, ",\"error\":{\"type\":\"");
    kz_multi_text(o, kz_dialect_multi_type(item));
    kz_out_lit(o, "\",\"reason\":");

    if (item->status != KZ_STORE_NOT_FOUND
        && item->status != KZ_STORE_EXISTS)
    {
        kz_dialect_multi_reason(req, item, o);
        kz_out_char(o, '}');
        return;
    }

    ngx_str_set(&within, "_doc");

    if (req->dialect == KZ_DIALECT_1) {
        within = pair->collection;
    }

    len = sizeof("[][]: version conflict, document already exists")
          + within.len + item->id.len;

    p = ngx_pnalloc(req->pool, len);

    if (p == NULL) {
        o->failed = 1;
        return;
    }

    kz_out_json(o, p, ngx_snprintf(p, len,
                                   item->status == KZ_STORE_EXISTS
                                   ? "[%V][%V]: version conflict, document "
                                     "already exists"
                                   : "[%V][%V]: document missing", &within,
                                   &item->id)
                      - p);

    kz_out_lit(o, ",\"index_uuid\":\"_na_\",\"shard\":\"0\",\"index\":");
    kz_out_json_str(o, &pair->index);
    kz_out_char(o, '}');
}


void
kz_dialect_multi_error(kz_req_t *req, kz_multi_t *m, kz_store_item_t *item,
    kz_out_t *o)
{
    switch (m->type) {

    case KZ_RESULT_FETCHED:
    case KZ_RESULT_PRESENT:
        kz_out_json_str(o, &item->id);
        return;

    default:
        break;
    }

    if (req->dialect == KZ_DIALECT_1) {
        kz_dialect_multi_raw(req, m, item, o);
        return;
    }

    if (m->type == KZ_RESULT_ERASED) {
        kz_out_lit(o, "{\"_id\":");
        kz_out_json_str(o, &item->id);

    } else {
        kz_out_lit(o, "{\"document\":");
        kz_dialect_multi_doc(req, m, &item->id, &item->body, "body", o);
    }

    kz_out_lit(o, ",\"reason\":");
    kz_dialect_multi_reason(req, item, o);
    kz_out_lit(o, ",\"status\":");
    kz_out_int(o, kz_dialect_multi_status(item));
    kz_out_char(o, '}');
}


/* Kuzzle: 1.x hands out what its engine said, put on top of the document. */

static void
kz_dialect_multi_raw(kz_req_t *req, kz_multi_t *m, kz_store_item_t *item,
    kz_out_t *o)
{
    kz_out_lit(o, "{\"_id\":");
    kz_out_json_str(o, &item->id);

    if (item->body.len) {
        kz_out_lit(o, ",\"_source\":");

        if (m->raw) {
            kz_out_str(o, &item->body);

        } else {
            kz_out_bytes(o, item->body.data, item->body.len - 1);

            if (item->body.len > 2) {
                kz_out_char(o, ',');
            }

            kz_out_lit(o, "\"_kuzzle_info\":");
            kz_dialect_multi_info(req, m, o);
            kz_out_char(o, '}');
        }
    }

    kz_out_lit(o, ",\"_index\":");
    kz_out_json_str(o, &req->index);
    kz_out_lit(o, ",\"_type\":");
    kz_out_json_str(o, &req->collection);
    kz_out_lit(o, ",\"status\":");
    kz_out_int(o, kz_dialect_multi_status(item));
    kz_dialect_multi_cause(req, item, &m->pairs[0], o);

    if (item->body.len && !m->raw) {
        kz_out_lit(o, ",\"_meta\":");
        kz_dialect_multi_info(req, m, o);
    }

    kz_out_char(o, '}');
}
