/*
 * Operations in the statistics: how many of which kind, how they ended, how
 * long they took from being submitted to having a result.
 */

#include "store/kz_store_stat.h"


static const char *const  kz_store_kinds[] = {
    [KZ_STORE_INDEX_CREATE] = "index_create",
    [KZ_STORE_INDEX_DELETE] = "index_delete",
    [KZ_STORE_INDEX_EXISTS] = "index_exists",
    [KZ_STORE_INDEX_LIST] = "index_list",
    [KZ_STORE_INDEX_REFRESH_GET] = "index_refresh_get",
    [KZ_STORE_INDEX_REFRESH_SET] = "index_refresh_set",
    [KZ_STORE_INDEX_STATS] = "index_stats",
    [KZ_STORE_COLLECTION_CREATE] = "collection_create",
    [KZ_STORE_COLLECTION_UPDATE] = "collection_update",
    [KZ_STORE_COLLECTION_INFER] = "collection_infer",
    [KZ_STORE_COLLECTION_DELETE] = "collection_delete",
    [KZ_STORE_COLLECTION_TRUNCATE] = "collection_truncate",
    [KZ_STORE_SETTINGS_GET] = "settings_get",
    [KZ_STORE_COLLECTION_EXISTS] = "collection_exists",
    [KZ_STORE_COLLECTION_LIST] = "collection_list",
    [KZ_STORE_MAPPING_GET] = "mapping_get",
    [KZ_STORE_DOC_GET] = "document_get",
    [KZ_STORE_DOC_EXISTS] = "document_exists",
    [KZ_STORE_DOC_COUNT] = "document_count",
    [KZ_STORE_DOC_SEARCH] = "document_search",
    [KZ_STORE_DOC_CREATE] = "document_create",
    [KZ_STORE_DOC_PUT] = "document_put",
    [KZ_STORE_DOC_REPLACE] = "document_replace",
    [KZ_STORE_DOC_UPDATE] = "document_update",
    [KZ_STORE_DOC_DELETE] = "document_delete",
    [KZ_STORE_DOC_UPSERT] = "document_upsert",
    [KZ_STORE_DOC_FIELDS] = "document_fields",
    [KZ_STORE_DOC_ITEMS] = "document_items",
    [KZ_STORE_DOC_MGET] = "document_mget",
    [KZ_STORE_DOC_MEXISTS] = "document_mexists",
    [KZ_STORE_DOC_PICK] = "document_pick",
    [KZ_STORE_SCROLL] = "scroll",
    [KZ_STORE_DUMP] = "dump",
    [KZ_STORE_PING] = "ping",
    [KZ_STORE_SPACE] = "space"
};


static const char *const  kz_store_statuses[] = {
    [KZ_STORE_OK] = "ok",
    [KZ_STORE_NO_INDEX] = "no_index",
    [KZ_STORE_NO_COLLECTION] = "no_collection",
    [KZ_STORE_NOT_FOUND] = "not_found",
    [KZ_STORE_EXISTS] = "exists",
    [KZ_STORE_BAD_NAME] = "bad_name",
    [KZ_STORE_BAD_MAPPING] = "bad_mapping",
    [KZ_STORE_BAD_TYPE] = "bad_type",
    [KZ_STORE_MAPPING_CONFLICT] = "mapping_conflict",
    [KZ_STORE_BAD_DOCUMENT] = "bad_document",
    [KZ_STORE_STRICT] = "strict",
    [KZ_STORE_BAD_QUERY] = "bad_query",
    [KZ_STORE_BAD_ROOT_KEY] = "bad_root_key",
    [KZ_STORE_BAD_FILTER] = "bad_filter",
    [KZ_STORE_FILTER_KEYWORD] = "filter_keyword",
    [KZ_STORE_FILTER_UNTRANSLATABLE] = "filter_untranslatable",
    [KZ_STORE_FETCH_LIMIT] = "fetch_limit",
    [KZ_STORE_BAD_ID] = "bad_id",
    [KZ_STORE_BUSY] = "busy",
    [KZ_STORE_UNAVAILABLE] = "unavailable",
    [KZ_STORE_NO_ANSWER] = "no_answer",
    [KZ_STORE_QUERY_TIMEOUT] = "query_timeout",
    [KZ_STORE_NO_SCROLL] = "no_scroll",
    [KZ_STORE_CONFLICT] = "conflict",
    [KZ_STORE_BLOCKED] = "blocked",
    [KZ_STORE_LOCKED] = "locked",
    [KZ_STORE_FAILED] = "failed"
};


ngx_uint_t
kz_store_writes(kz_store_kind_e kind)
{
    switch (kind) {

    case KZ_STORE_INDEX_CREATE:
    case KZ_STORE_INDEX_DELETE:
    case KZ_STORE_INDEX_REFRESH_SET:
    case KZ_STORE_COLLECTION_CREATE:
    case KZ_STORE_COLLECTION_UPDATE:
    case KZ_STORE_COLLECTION_INFER:
    case KZ_STORE_COLLECTION_DELETE:
    case KZ_STORE_COLLECTION_TRUNCATE:
    case KZ_STORE_DOC_CREATE:
    case KZ_STORE_DOC_PUT:
    case KZ_STORE_DOC_REPLACE:
    case KZ_STORE_DOC_UPDATE:
    case KZ_STORE_DOC_DELETE:
    case KZ_STORE_DOC_ITEMS:
    case KZ_STORE_PING:
        return 1;

    default:
        return 0;
    }
}


void
kz_store_parked(kz_store_op_t *op)
{
    kz_stat->gauges.store_pending[kz_store_writes(op->kind)]++;
}


void
kz_store_answered(kz_store_op_t *op)
{
    kz_stat_store(op->kind, op->status, op->started);
}


void
kz_store_done(kz_store_op_t *op)
{
    kz_stat->gauges.store_pending[kz_store_writes(op->kind)]--;
    kz_store_answered(op);
}


const char *
kz_store_kind_name(ngx_uint_t kind)
{
    return kind < sizeof(kz_store_kinds) / sizeof(char *)
           ? kz_store_kinds[kind] : NULL;
}


const char *
kz_store_status_name(ngx_uint_t status)
{
    return status < sizeof(kz_store_statuses) / sizeof(char *)
           ? kz_store_statuses[status] : NULL;
}
