/*
 * What the processes know of each other's rooms: hints (how many rooms a
 * slot has per hash of index and collection) and the table of rooms
 * (connections per room and slot).
 *
 * The table lies under the zone's slab mutex, the only lock, which the
 * master frees when its owner dies.  Nodes are written before they are
 * linked and unlinked by one store, so that such a death leaves a list that
 * can be walked.
 */

#include "core/kz_bus_shm.h"


/* buckets per hold of the mutex when a whole slot is forgotten */
#define KZ_BUS_BATCH  1024


static uint32_t kz_bus_hint(ngx_str_t *index, ngx_str_t *collection);
static ngx_int_t kz_bus_room_id(u_char *dst, const u_char *room);
static kz_bus_share_t **kz_bus_find(const u_char *id, kz_bus_share_t ***mine,
    ngx_uint_t *total);
static void kz_bus_unlink(kz_bus_share_t **prev);
static void kz_bus_gone(ngx_uint_t watch);
static ngx_int_t kz_bus_share(const u_char *room, ngx_int_t delta,
    ngx_uint_t watch, ngx_uint_t *count);


/* FNV-1a over "index\0collection" */

static uint32_t
kz_bus_hint(ngx_str_t *index, ngx_str_t *collection)
{
    uint32_t    h;
    ngx_uint_t  i;

    h = 2166136261u;

    for (i = 0; i < index->len; i++) {
        h = (h ^ index->data[i]) * 16777619u;
    }

    h *= 16777619u;

    for (i = 0; i < collection->len; i++) {
        h = (h ^ collection->data[i]) * 16777619u;
    }

    return (h ^ (h >> 16)) % KZ_BUS_HINTS;
}


void
kz_bus_listen(ngx_str_t *index, ngx_str_t *collection, ngx_int_t delta)
{
    if (kz_bus_attached() != NGX_OK) {
        return;
    }

    (void) __atomic_add_fetch(&kz_bus_shm->slots[kz_bus_slot].hints[
                                              kz_bus_hint(index, collection)],
                              (uint32_t) delta, __ATOMIC_SEQ_CST);
}


ngx_uint_t
kz_bus_listened(ngx_str_t *index, ngx_str_t *collection)
{
    uint32_t        h;
    ngx_uint_t      i;
    kz_bus_slot_t  *slot;

    if (kz_bus_shm == NULL) {
        return 0;
    }

    h = kz_bus_hint(index, collection);

    for (i = 0; i < kz_bus_shm->nslots; i++) {
        slot = &kz_bus_shm->slots[i];

        if (slot->pid
            && __atomic_load_n(&slot->hints[h], __ATOMIC_SEQ_CST))
        {
            return 1;
        }
    }

    return 0;
}


/* Hex to bytes; NGX_ERROR: such a room cannot exist. */

static ngx_int_t
kz_bus_room_id(u_char *dst, const u_char *room)
{
    u_char      c, n;
    ngx_uint_t  i;

    for (i = 0; i < KZ_ROOM_ID_LEN; i++) {
        c = room[i];

        if (c >= '0' && c <= '9') {
            n = c - '0';

        } else if (c >= 'a' && c <= 'f') {
            n = c - 'a' + 10;

        } else {
            return NGX_ERROR;
        }

        dst[i / 2] = (i & 1) ? (dst[i / 2] | n) : (u_char) (n << 4);
    }

    return NGX_OK;
}


/*
 * Under the mutex.  The room's bucket; the link to this worker's share, or
 * NULL; the connections of all shares.
 */

static kz_bus_share_t **
kz_bus_find(const u_char *id, kz_bus_share_t ***mine, ngx_uint_t *total)
{
    uint32_t          h;
    kz_bus_share_t   *s, **prev, **bucket;

    /* the id is a hash already */

    ngx_memcpy(&h, id, sizeof(uint32_t));

    bucket = &kz_bus_shm->buckets[h & (KZ_BUS_BUCKETS - 1)];

    *mine = NULL;
    *total = 0;

    for (prev = bucket; *prev; prev = &(*prev)->next) {
        s = *prev;

        if (ngx_memcmp(s->room, id, KZ_ROOM_ID_LEN / 2) != 0) {
            continue;
        }

        *total += s->count;

        if ((ngx_int_t) s->slot == kz_bus_slot) {
            *mine = prev;
        }
    }

    return bucket;
}


static void
kz_bus_unlink(kz_bus_share_t **prev)
{
    kz_bus_share_t  *s;

    s = *prev;
    *prev = s->next;

    ngx_slab_free_locked(kz_bus_pool, s);
}


/* Under the mutex: a room, or a key, has lost its last share. */

static void
kz_bus_gone(ngx_uint_t watch)
{
    if (kz_bus_shm->nrooms) {
        kz_bus_shm->nrooms--;
    }

    if (watch && kz_bus_shm->nwatches) {
        kz_bus_shm->nwatches--;
    }
}


ngx_int_t
kz_bus_room(const u_char *room, ngx_int_t delta, ngx_uint_t *count)
{
    return kz_bus_share(room, delta, 0, count);
}


ngx_int_t
kz_bus_watch(const u_char *key, ngx_int_t delta, ngx_uint_t *count)
{
    return kz_bus_share(key, delta, 1, count);
}


static void
kz_bus_lock_key(kz_bus_lock_e lock, u_char *key)
{
    ngx_memset(key, 'f', KZ_ROOM_ID_LEN);
    key[KZ_ROOM_ID_LEN - 1] = '0' + lock;
}


ngx_int_t
kz_bus_lock(kz_bus_lock_e lock)
{
    u_char      key[KZ_ROOM_ID_LEN];
    ngx_uint_t  count;

    kz_bus_lock_key(lock, key);

    if (kz_bus_watch(key, 1, &count) != NGX_OK) {
        return NGX_ERROR;
    }

    if (count == 1) {
        return NGX_OK;
    }

    (void) kz_bus_watch(key, -1, &count);

    return NGX_DECLINED;
}


void
kz_bus_unlock(kz_bus_lock_e lock)
{
    u_char      key[KZ_ROOM_ID_LEN];
    ngx_uint_t  count;

    kz_bus_lock_key(lock, key);
    (void) kz_bus_watch(key, -1, &count);
}


ngx_uint_t
kz_bus_rooms(void)
{
    uint64_t  nrooms, nwatches;

    if (kz_bus_shm == NULL) {
        return 0;
    }

    ngx_shmtx_lock(&kz_bus_pool->mutex);

    nrooms = kz_bus_shm->nrooms;
    nwatches = kz_bus_shm->nwatches;

    ngx_shmtx_unlock(&kz_bus_pool->mutex);

    return nrooms > nwatches ? nrooms - nwatches : 0;
}


static ngx_int_t
kz_bus_share(const u_char *room, ngx_int_t delta, ngx_uint_t watch,
    ngx_uint_t *count)
{
    u_char            id[KZ_ROOM_ID_LEN / 2];
    ngx_int_t         rc;
    ngx_uint_t        total;
    kz_bus_share_t   *s, **mine, **bucket;

    *count = 0;

    if (kz_bus_attached() != NGX_OK || kz_bus_room_id(id, room) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    ngx_shmtx_lock(&kz_bus_pool->mutex);

    bucket = kz_bus_find(id, &mine, &total);

    if (mine) {
        s = *mine;

        if (delta < 0 && s->count < (uint32_t) -delta) {
            delta = -(ngx_int_t) s->count;
        }

        s->count += delta;

        if (s->count == 0) {
            kz_bus_unlink(mine);
        }

        total += delta;

        if (total == 0) {
            kz_bus_gone(watch);
        }

        goto done;
    }

    if (delta <= 0) {
        goto done;
    }

    if (total == 0 && kz_conf->rooms
        && kz_bus_shm->nrooms >= kz_conf->rooms)
    {
        rc = NGX_DECLINED;
        goto done;
    }

    s = ngx_slab_alloc_locked(kz_bus_pool, sizeof(kz_bus_share_t));

    if (s == NULL) {
        rc = NGX_ERROR;
        goto done;
    }

    ngx_memcpy(s->room, id, KZ_ROOM_ID_LEN / 2);
    s->slot = (uint16_t) kz_bus_slot;
    s->watch = (uint16_t) watch;
    s->count = delta;
    s->next = *bucket;

    __atomic_store_n(bucket, s, __ATOMIC_RELEASE);

    if (total == 0) {
        kz_bus_shm->nrooms++;
        kz_bus_shm->nwatches += watch;
    }

    total += delta;

done:

    ngx_shmtx_unlock(&kz_bus_pool->mutex);

    *count = total;

    return rc;
}


ngx_uint_t
kz_bus_room_count(const u_char *room)
{
    u_char            id[KZ_ROOM_ID_LEN / 2];
    ngx_uint_t        total;
    kz_bus_share_t  **mine;

    if (kz_bus_shm == NULL || kz_bus_room_id(id, room) != NGX_OK) {
        return 0;
    }

    ngx_shmtx_lock(&kz_bus_pool->mutex);

    (void) kz_bus_find(id, &mine, &total);

    ngx_shmtx_unlock(&kz_bus_pool->mutex);

    return total;
}


void
kz_bus_rooms_forget(ngx_uint_t slot)
{
    ngx_uint_t        i, total, watch;
    kz_bus_share_t   *s, **prev, **mine;
    u_char            id[KZ_ROOM_ID_LEN / 2];

    for (i = 0; i < KZ_BUS_HINTS; i++) {
        __atomic_store_n(&kz_bus_shm->slots[slot].hints[i], 0,
                         __ATOMIC_SEQ_CST);
    }

    for (i = 0; i < KZ_BUS_BUCKETS; i++) {

        if (i % KZ_BUS_BATCH == 0) {
            ngx_shmtx_lock(&kz_bus_pool->mutex);
        }

        for (prev = &kz_bus_shm->buckets[i]; *prev; /* void */ ) {
            s = *prev;

            if (s->slot != slot) {
                prev = &s->next;
                continue;
            }

            watch = s->watch;
            ngx_memcpy(id, s->room, sizeof(id));

            kz_bus_unlink(prev);

            (void) kz_bus_find(id, &mine, &total);

            if (total == 0) {
                kz_bus_gone(watch);
            }
        }

        if (i % KZ_BUS_BATCH == KZ_BUS_BATCH - 1) {
            ngx_shmtx_unlock(&kz_bus_pool->mutex);
        }
    }
}


uint64_t
kz_bus_catalog_version(void)
{
    if (kz_bus_shm == NULL) {
        return 0;
    }

    return __atomic_load_n(&kz_bus_shm->catalog, __ATOMIC_SEQ_CST);
}


void
kz_bus_catalog_changed(void)
{
    if (kz_bus_shm) {
        (void) __atomic_add_fetch(&kz_bus_shm->catalog, 1, __ATOMIC_SEQ_CST);
    }
}


uint64_t
kz_bus_internal_version(void)
{
    if (kz_bus_shm == NULL) {
        return 0;
    }

    return __atomic_load_n(&kz_bus_shm->internal, __ATOMIC_SEQ_CST);
}


void
kz_bus_internal_changed(void)
{
    if (kz_bus_shm) {
        (void) __atomic_add_fetch(&kz_bus_shm->internal, 1,
                                  __ATOMIC_SEQ_CST);
    }
}
