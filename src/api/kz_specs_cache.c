
/*
 * Compiled specifications in a worker.  See the header.
 */

#include "api/kz_specs_cache.h"

#include "core/kz_bus.h"


#define KZ_SPECS_BUCKETS   1024        /* a power of two */
#define KZ_SPECS_MAX       4096        /* copies */
#define KZ_SPECS_BYTES     (16 * 1024 * 1024)
#define KZ_SPECS_ID_MAX    512
#define KZ_SPECS_POOL      4096


typedef struct {
    kz_specs_entry_t  *buckets[KZ_SPECS_BUCKETS];
    ngx_queue_t        lru;            /* last used first */
    ngx_uint_t         n;
    size_t             size;
} kz_specs_cache_t;


static uint32_t kz_specs_hash(const ngx_str_t *index,
    const ngx_str_t *collection);
static ngx_int_t kz_specs_compile(kz_req_t *req, kz_specs_entry_t *e,
    kz_store_op_t *op);
static void kz_specs_remove(kz_specs_entry_t *entry);


static kz_specs_cache_t  kz_specs;


static uint32_t
kz_specs_hash(const ngx_str_t *index, const ngx_str_t *collection)
{
    size_t    i;
    uint32_t  h;

    h = 2166136261u;

    for (i = 0; i < index->len; i++) {
        h = (h ^ index->data[i]) * 16777619u;
    }

    h = (h ^ '#') * 16777619u;

    for (i = 0; i < collection->len; i++) {
        h = (h ^ collection->data[i]) * 16777619u;
    }

    return h;
}


kz_specs_entry_t *
kz_specs_entry(const ngx_str_t *index, const ngx_str_t *collection)
{
    uint32_t           hash;
    kz_specs_entry_t  *e;

    if (kz_specs.lru.next == NULL) {
        ngx_queue_init(&kz_specs.lru);
    }

    hash = kz_specs_hash(index, collection);

    for (e = kz_specs.buckets[hash & (KZ_SPECS_BUCKETS - 1)]; e != NULL;
         e = e->next)
    {
        if (e->hash == hash
            && e->name.len == index->len + collection->len + 1
            && ngx_memcmp(e->name.data, index->data, index->len) == 0
            && e->name.data[index->len] == '#'
            && ngx_memcmp(e->name.data + index->len + 1, collection->data,
                          collection->len)
               == 0)
        {
            return e;
        }
    }

    return NULL;
}


ngx_int_t
kz_specs_find(kz_req_t *req, kz_spec_t **spec)
{
    kz_specs_entry_t  *e;

    *spec = NULL;

    /* no specification can have such a name, see kz_api_specs.c */

    if (req->index.len + req->collection.len >= KZ_SPECS_ID_MAX
        || ngx_strlchr(req->index.data, req->index.data + req->index.len,
                       '#')
           != NULL)
    {
        return NGX_OK;
    }

    e = kz_specs_entry(&req->index, &req->collection);

    if (e == NULL || e->version != kz_bus_internal_version()
        || kz_bus_deaf())
    {
        return NGX_DECLINED;
    }

    if (ngx_queue_head(&kz_specs.lru) != &e->lru) {
        ngx_queue_remove(&e->lru);
        ngx_queue_insert_head(&kz_specs.lru, &e->lru);
    }

    *spec = e->spec;

    return NGX_OK;
}


ngx_int_t
kz_specs_keep(kz_req_t *req, kz_store_op_t *op, uint64_t version)
{
    ngx_pool_t        *pool;
    kz_specs_entry_t  *e, **bucket;

    e = kz_specs_entry(&req->index, &req->collection);

    if (e != NULL) {
        kz_specs_remove(e);
    }

    pool = ngx_create_pool(op->status == KZ_STORE_OK ? KZ_SPECS_POOL
                                                     : 1024,
                           ngx_cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    e = ngx_pcalloc(pool, sizeof(kz_specs_entry_t));
    if (e == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    e->pool = pool;
    e->version = version;
    e->hash = kz_specs_hash(&req->index, &req->collection);
    e->size = op->id.len;
    e->name.len = op->id.len;
    e->name.data = ngx_pstrdup(pool, &op->id);

    if (e->name.data == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    if (op->status == KZ_STORE_OK) {
        e->size += op->doc.source.len;

        if (kz_specs_compile(req, e, op) != NGX_OK) {
            ngx_destroy_pool(pool);
            return NGX_ERROR;
        }
    }

    bucket = &kz_specs.buckets[e->hash & (KZ_SPECS_BUCKETS - 1)];
    e->next = *bucket;
    *bucket = e;

    ngx_queue_insert_head(&kz_specs.lru, &e->lru);
    kz_specs.n++;
    kz_specs.size += e->size;

    while (kz_specs.n > 1
           && (kz_specs.n > KZ_SPECS_MAX || kz_specs.size > KZ_SPECS_BYTES))
    {
        kz_specs_remove(ngx_queue_data(ngx_queue_last(&kz_specs.lru),
                                       kz_specs_entry_t, lru));
    }

    return NGX_OK;
}


/* What is stored was compiled before: refused, it was written otherwise. */

static ngx_int_t
kz_specs_compile(kz_req_t *req, kz_specs_entry_t *e, kz_store_op_t *op)
{
    ngx_int_t       rc;
    ngx_str_t       name, what;
    ngx_array_t     errors;
    kz_json_val_t   src, v;

    ngx_str_set(&what, "validation");

    kz_json_value(op->doc.source.data,
                  op->doc.source.data + op->doc.source.len, &src);

    if (kz_json_get(&src, "validation", 10, &v) != NGX_OK) {
        return kz_fail(req,
                       KZ_E_VALIDATION_ASSERT_INCORRECT_VALIDATION_FORMAT, 2,
                       &req->collection, &what);
    }

    if (ngx_array_init(&errors, req->pool, 4, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    name = req->collection;

    rc = kz_spec_compile(e->pool, &name, &v, &e->spec, &errors);

    if (rc == NGX_DECLINED) {
        return kz_fail(req, KZ_E_VALIDATION_ASSERT_INVALID_SPECIFICATIONS, 1,
                       errors.elts);
    }

    return rc;
}


static void
kz_specs_remove(kz_specs_entry_t *entry)
{
    kz_specs_entry_t  **e;

    e = &kz_specs.buckets[entry->hash & (KZ_SPECS_BUCKETS - 1)];

    while (*e != entry) {
        e = &(*e)->next;
    }

    *e = entry->next;
    ngx_queue_remove(&entry->lru);

    kz_specs.n--;
    kz_specs.size -= entry->size;

    ngx_destroy_pool(entry->pool);
}
