
/*
 * What is known of words: see the header.  A list never changes; a longer
 * one takes its place, and who still reads the old one holds a reference.
 */

#include "store/sqlite/kz_sqlite_impacts.h"

#include <pthread.h>


#define KZ_IMPACTS_BUCKETS  4096


static kz_impacts_t **kz_impacts_bucket(const kz_impacts_key_t *key);
static kz_impacts_t *kz_impacts_find(const kz_impacts_key_t *key);
static void kz_impacts_drop(kz_impacts_t *w);
static void kz_impacts_unref(kz_impacts_t *w);


static struct {
    pthread_mutex_t       mutex;
    ngx_queue_t           words;      /* least recently used last */
    size_t                size;
    kz_impacts_t         *buckets[KZ_IMPACTS_BUCKETS];
} kz_impacts = { .mutex = PTHREAD_MUTEX_INITIALIZER };


kz_impacts_t *
kz_impacts_take(const kz_impacts_key_t *key, int64_t hi)
{
    kz_impacts_t  *w;

    (void) pthread_mutex_lock(&kz_impacts.mutex);

    w = kz_impacts_find(key);

    /* segments that went may let their numbers be given again */

    if (w != NULL && w->hi > hi) {
        kz_impacts_drop(w);
        w = NULL;
    }

    if (w != NULL) {
        ngx_queue_remove(&w->queue);
        ngx_queue_insert_head(&kz_impacts.words, &w->queue);
        w->refs++;
    }

    (void) pthread_mutex_unlock(&kz_impacts.mutex);

    return w;
}


void
kz_impacts_release(kz_impacts_t *w)
{
    (void) pthread_mutex_lock(&kz_impacts.mutex);
    kz_impacts_unref(w);
    (void) pthread_mutex_unlock(&kz_impacts.mutex);
}


void
kz_impacts_add(const kz_impacts_key_t *key, const kz_impacts_t *old,
    const kz_impact_t *more, size_t n, int64_t hi)
{
    size_t         i, j, had, size;
    ngx_queue_t   *q;
    kz_impacts_t  *w, *other, **p;

    had = old ? old->n : 0;
    size = sizeof(kz_impacts_t) + (had + n) * sizeof(kz_impact_t)
           + key->word.len;

    if (n == 0 || had + n < KZ_IMPACTS_MIN || size > KZ_IMPACTS_MAX) {
        return;
    }

    w = malloc(size);
    if (w == NULL) {
        return;
    }

    w->key = *key;
    w->key.word.data = (u_char *) &w->list[had + n];
    ngx_memcpy(w->key.word.data, key->word.data, key->word.len);

    w->refs = 1;
    w->hi = hi;
    w->size = size;
    w->n = had + n;

    for (i = 0, j = 0; i + j < w->n; /* void */ ) {

        if (j == n || (i < had && old->list[i].r < more[j].r)) {
            w->list[i + j] = old->list[i];
            i++;

        } else {
            w->list[i + j] = more[j];
            j++;
        }
    }

    (void) pthread_mutex_lock(&kz_impacts.mutex);

    other = kz_impacts_find(key);

    if (other != NULL && other->n >= w->n) {
        kz_impacts_unref(w);
        (void) pthread_mutex_unlock(&kz_impacts.mutex);
        return;
    }

    if (other != NULL) {
        kz_impacts_drop(other);
    }

    p = kz_impacts_bucket(key);
    w->next = *p;
    *p = w;

    ngx_queue_insert_head(&kz_impacts.words, &w->queue);
    kz_impacts.size += size;

    while (kz_impacts.size > KZ_IMPACTS_MAX) {
        q = ngx_queue_last(&kz_impacts.words);
        kz_impacts_drop(ngx_queue_data(q, kz_impacts_t, queue));
    }

    (void) pthread_mutex_unlock(&kz_impacts.mutex);
}


static kz_impacts_t **
kz_impacts_bucket(const kz_impacts_key_t *key)
{
    uint32_t  h;

    h = ngx_crc32_short(key->word.data, key->word.len);
    h ^= (uint32_t) key->file * 31 + (uint32_t) key->col * 17
         + (uint32_t) key->f;

    return &kz_impacts.buckets[h % KZ_IMPACTS_BUCKETS];
}


static kz_impacts_t *
kz_impacts_find(const kz_impacts_key_t *key)
{
    kz_impacts_t  *w;

    if (kz_impacts.words.next == NULL) {
        ngx_queue_init(&kz_impacts.words);
    }

    for (w = *kz_impacts_bucket(key); w != NULL; w = w->next) {

        if (w->key.file == key->file && w->key.col == key->col
            && w->key.f == key->f && w->key.settings == key->settings
            && w->key.word.len == key->word.len
            && ngx_memcmp(w->key.word.data, key->word.data, key->word.len)
               == 0)
        {
            return w;
        }
    }

    return NULL;
}


static void
kz_impacts_drop(kz_impacts_t *w)
{
    kz_impacts_t  **p;

    for (p = kz_impacts_bucket(&w->key); *p != w; p = &(*p)->next) {
        /* void */
    }

    *p = w->next;

    ngx_queue_remove(&w->queue);
    kz_impacts.size -= w->size;
    kz_impacts_unref(w);
}


static void
kz_impacts_unref(kz_impacts_t *w)
{
    if (--w->refs == 0) {
        free(w);
    }
}
