
/*
 * The paths that filters ask for, and one walk over a document that notes
 * their values.
 *
 *     paths:  a.b  a.c  d        document:  {"a": {"b": 1}, "x": 2, "d": 3}
 *
 *          (root)
 *          /    \                a      an object
 *         a      d               a.b    1
 *        / \                     d      3
 *       b   c                    a.c    not live: has no value
 *
 * A name is looked up by its hash and the node above; most names of a
 * document are not asked for and are turned away by a mask in that node.
 * What is not asked for is skipped, what is is looked at once.
 *
 * A literal key "a.b" leads where the nested path leads.  If two members
 * lead to one path, the later one wins.  If a key is repeated in one object,
 * the later member wins with everything below it: the clock tells what is
 * older than that.
 *
 * A walk writes to the nodes only.  Nothing is cleared for the next one:
 * what was noted before t->document is of another document.
 */

#include "realtime/kz_filter_int.h"


#define KZ_FILTER_BUCKETS  16


static ngx_uint_t
kz_filter_mask_bit(const u_char *name, size_t len)
{
    return (len == 0) ? 0 : (name[0] ^ (name[len - 1] << 1) ^ (len << 3)) & 63;
}


void *
kz_filter_trie_alloc(kz_filter_trie_t *t, size_t size)
{
    return (t->pool != NULL) ? ngx_palloc(t->pool, size)
                             : ngx_alloc(size, t->log);
}


void
kz_filter_trie_free(kz_filter_trie_t *t, void *p)
{
    if (p == NULL) {
        return;
    }

    if (t->pool != NULL) {
        (void) ngx_pfree(t->pool, p);

    } else {
        ngx_free(p);
    }
}


ngx_int_t
kz_filter_trie_init(kz_filter_trie_t *t, ngx_pool_t *pool, ngx_log_t *log)
{
    ngx_memzero(t, sizeof(kz_filter_trie_t));

    t->pool = pool;
    t->log = log;
    t->clock = 1;

    /* where we are in memory is what a client does not know */
    t->seed = kz_filter_hash_word((uintptr_t) t, (uintptr_t) pool
                                                 ^ (uintptr_t) &t);

    t->buckets = kz_filter_trie_alloc(t, KZ_FILTER_BUCKETS
                                         * sizeof(kz_filter_node_t *));

    /* the root is always there */
    t->frames = kz_filter_trie_alloc(t, sizeof(kz_filter_frame_t));

    if (t->buckets == NULL || t->frames == NULL) {
        kz_filter_trie_done(t);
        return NGX_ERROR;
    }

    ngx_memzero(t->buckets, KZ_FILTER_BUCKETS * sizeof(kz_filter_node_t *));

    t->nbuckets = KZ_FILTER_BUCKETS;
    t->nframes = 1;

    return NGX_OK;
}


/* The nodes are their users' business. */
void
kz_filter_trie_done(kz_filter_trie_t *t)
{
    kz_filter_trie_free(t, t->buckets);
    kz_filter_trie_free(t, t->frames);
    kz_filter_trie_free(t, t->scratch);
}


/* Makes sure that there are size bytes of scratch. */
ngx_int_t
kz_filter_trie_scratch(kz_filter_trie_t *t, size_t size)
{
    u_char  *p;

    if (size <= t->scratch_size) {
        return NGX_OK;
    }

    p = kz_filter_trie_alloc(t, size);

    if (p == NULL) {
        return NGX_ERROR;
    }

    kz_filter_trie_free(t, t->scratch);

    t->scratch = p;
    t->scratch_size = size;

    return NGX_OK;
}


static ngx_int_t
kz_filter_trie_frames(kz_filter_trie_t *t, ngx_uint_t n)
{
    kz_filter_frame_t  *frames;

    if (n <= t->nframes) {
        return NGX_OK;
    }

    n = ngx_max(n, 2 * t->nframes);

    frames = kz_filter_trie_alloc(t, n * sizeof(kz_filter_frame_t));

    if (frames == NULL) {
        return NGX_ERROR;
    }

    kz_filter_trie_free(t, t->frames);

    t->frames = frames;
    t->nframes = n;

    return NGX_OK;
}


/* Doubles the hash table; without memory it stays as it is, and works. */
static void
kz_filter_trie_grow(kz_filter_trie_t *t)
{
    ngx_uint_t          i, n;
    kz_filter_node_t   *node, *next, **buckets, **bucket;

    n = 2 * t->nbuckets;

    buckets = kz_filter_trie_alloc(t, n * sizeof(kz_filter_node_t *));

    if (buckets == NULL) {
        return;
    }

    ngx_memzero(buckets, n * sizeof(kz_filter_node_t *));

    for (i = 0; i < t->nbuckets; i++) {
        for (node = t->buckets[i]; node != NULL; node = next) {
            next = node->next;
            bucket = &buckets[node->hash & (n - 1)];
            node->next = *bucket;
            *bucket = node;
        }
    }

    kz_filter_trie_free(t, t->buckets);

    t->buckets = buckets;
    t->nbuckets = n;
}


static ngx_inline kz_filter_node_t *
kz_filter_node_below(kz_filter_trie_t *t, kz_filter_node_t *parent,
    const u_char *name, size_t len)
{
    uint64_t           hash;
    kz_filter_node_t  *node;

    if ((parent->mask & ((uint64_t) 1 << kz_filter_mask_bit(name, len))) == 0)
    {
        return NULL;
    }

    hash = kz_filter_hash(t->seed ^ (uintptr_t) parent, name, len);

    for (node = t->buckets[hash & (t->nbuckets - 1)];
         node != NULL;
         node = node->next)
    {
        if (node->hash == hash && node->parent == parent
            && node->name.len == len
            && ngx_memcmp(node->name.data, name, len) == 0)
        {
            return node;
        }
    }

    return NULL;
}


static kz_filter_node_t *
kz_filter_node_add(kz_filter_trie_t *t, kz_filter_node_t *parent,
    const u_char *name, size_t len)
{
    kz_filter_node_t  *node, **bucket;

    node = kz_filter_trie_alloc(t, sizeof(kz_filter_node_t) + len);

    if (node == NULL) {
        return NULL;
    }

    ngx_memzero(node, sizeof(kz_filter_node_t));

    node->parent = parent;
    node->name.data = (u_char *) node + sizeof(kz_filter_node_t);
    node->name.len = len;
    ngx_memcpy(node->name.data, name, len);
    node->hash = kz_filter_hash(t->seed ^ (uintptr_t) parent, name, len);

    if (t->nnodes >= t->nbuckets) {
        kz_filter_trie_grow(t);
    }

    bucket = &t->buckets[node->hash & (t->nbuckets - 1)];
    node->next = *bucket;
    *bucket = node;
    t->nnodes++;

    parent->mask |= (uint64_t) 1 << kz_filter_mask_bit(name, len);
    parent->below++;
    parent->refs++;

    if (parent == &t->root && len == 3 && ngx_memcmp(name, "_id", 3) == 0) {
        t->id = node;
    }

    return node;
}


kz_filter_node_t *
kz_filter_node_get(kz_filter_trie_t *t, const ngx_str_t *path)
{
    u_char            *name, *dot, *last;
    ngx_uint_t         depth;
    kz_filter_node_t  *node, *next;

    /* an escaped key is six times as long as what it means, at most */

    if (kz_filter_trie_scratch(t, 6 * path->len) != NGX_OK) {
        return NULL;
    }

    node = &t->root;
    node->refs++;
    name = path->data;
    last = name + path->len;

    for (depth = 1; /* void */; depth++) {
        dot = ngx_strlchr(name, last, '.');

        if (dot == NULL) {
            dot = last;
        }

        next = kz_filter_node_below(t, node, name, dot - name);

        if (next == NULL) {
            next = (kz_filter_trie_frames(t, depth) == NGX_OK)
                   ? kz_filter_node_add(t, node, name, dot - name) : NULL;
        }

        if (next == NULL) {
            kz_filter_node_put(t, node);
            return NULL;
        }

        /* our reference moves on to the new end */

        next->refs++;
        node->refs--;
        node = next;

        if (dot == last) {
            return node;
        }

        name = dot + 1;
    }
}


void
kz_filter_node_put(kz_filter_trie_t *t, kz_filter_node_t *node)
{
    kz_filter_node_t  *parent, **link;

    node->refs--;

    while (node != &t->root && node->refs == 0) {
        parent = node->parent;

        link = &t->buckets[node->hash & (t->nbuckets - 1)];

        while (*link != node) {
            link = &(*link)->next;
        }

        *link = node->next;
        t->nnodes--;

        if (t->id == node) {
            t->id = NULL;
        }

        kz_filter_trie_free(t, node);

        node = parent;
        node->refs--;

        if (--node->below == 0) {
            node->mask = 0;
        }
    }
}


/* Documents. */

/* A member of the object leads to the node. */
static ngx_inline void
kz_filter_node_meet(kz_filter_trie_t *t, kz_filter_node_t *node,
    uint64_t object)
{
    if (node->listed != t->document) {
        node->listed = t->document;
        node->next_listed = t->listed;
        t->listed = node;

    } else if (node->object == object && node->below != 0) {
        node->cut = t->clock;
        t->cuts = 1;
    }

    node->time = ++t->clock;
    node->object = object;
    node->live = t->document;
}


static ngx_inline void
kz_filter_value_set(kz_filter_value_t *value, const kz_json_val_t *v)
{
    value->val = *v;

    if (v->type == KZ_JSON_STRING) {
        value->str.data = v->raw.data + 1;
        value->str.len = v->raw.len - 2;
    }
}


/* The id that came beside the document stands for its member "_id". */
static void
kz_filter_trie_id(kz_filter_trie_t *t, const ngx_str_t *id)
{
    kz_filter_value_t  *value;

    kz_filter_node_meet(t, t->id, 0);

    value = &t->id->value;

    value->val.type = KZ_JSON_STRING;
    value->val.escaped = 0;
    value->val.raw = *id;
    value->str = *id;
}


/* The node a key leads to, which is not a plain name of it. */
static kz_filter_node_t *
kz_filter_key_path(kz_filter_trie_t *t, kz_filter_node_t *node,
    const u_char *key, size_t len)
{
    u_char  *name, *dot, *last;

    name = (u_char *) key;
    last = name + len;

    for ( ;; ) {
        dot = ngx_strlchr(name, last, '.');

        if (dot == NULL) {
            return kz_filter_node_below(t, node, name, last - name);
        }

        node = kz_filter_node_below(t, node, name, dot - name);

        if (node == NULL) {
            return NULL;
        }

        name = dot + 1;
    }
}


/* key: as written, with its quotes */
static ngx_inline kz_filter_node_t *
kz_filter_key(kz_filter_trie_t *t, kz_filter_node_t *parent,
    const kz_json_val_t *key)
{
    size_t             len;
    u_char            *name;
    kz_filter_node_t  *node;

    name = key->raw.data + 1;
    len = key->raw.len - 2;

    if (!key->escaped) {
        node = kz_filter_node_below(t, parent, name, len);

        if (node != NULL || memchr(name, '.', len) == NULL) {
            return node;
        }

        return kz_filter_key_path(t, parent, name, len);
    }

    if (len > t->scratch_size) {
        /* longer than all paths */
        return NULL;
    }

    len = kz_json_unescape(t->scratch, name, len) - t->scratch;

    return kz_filter_key_path(t, parent, t->scratch, len);
}


static ngx_inline u_char *
kz_filter_space(u_char *p, u_char *last)
{
    while (p < last && (*p == ' ' || *p == LF || *p == CR || *p == '\t')) {
        p++;
    }

    return p;
}


/*
 * Drops what lies below a member that was repeated: it is older than the
 * repetition.
 */
static void
kz_filter_trie_cut(kz_filter_trie_t *t)
{
    kz_filter_node_t  *node, *up;

    for (node = t->listed; node != NULL; node = node->next_listed) {
        for (up = node->parent; up != NULL; up = up->parent) {
            if (up->cut >= node->time) {
                node->live = 0;
                break;
            }
        }
    }
}


/*
 * An object that nothing is asked about is skipped by kz_json_value(); one
 * that has nodes below it is entered, so that no byte is read twice.  There
 * are as many frames as the longest path has names.
 */
static void
kz_filter_trie_object(kz_filter_trie_t *t, const kz_json_val_t *doc,
    ngx_uint_t has_id)
{
    u_char             *p, *last;
    uint64_t            object;
    kz_json_val_t       v;
    kz_filter_node_t   *node, *parent;
    kz_filter_frame_t  *frame;

    p = doc->raw.data + 1;
    last = doc->raw.data + doc->raw.len;

    frame = t->frames;
    parent = &t->root;
    object = ++t->clock;

    for ( ;; ) {
        p = kz_filter_space(p, last);

        if (p < last && *p == ',') {
            p = kz_filter_space(p + 1, last);
        }

        if (p == last) {
            return;
        }

        if (*p == '}') {
            if (frame == t->frames) {
                return;
            }

            p++;
            frame--;
            parent = frame->node;
            object = frame->object;
            continue;
        }

        kz_json_value(p, last, &v);
        p = kz_filter_space(v.raw.data + v.raw.len, last);

        if (v.type != KZ_JSON_STRING || v.raw.len < 2 || p == last) {
            /* not the text of an object */
            return;
        }

        node = kz_filter_key(t, parent, &v);

        p = kz_filter_space(p + 1, last);

        if (node == NULL
            || (has_id && node == t->id && parent == &t->root))
        {
            kz_json_value(p, last, &v);
            p = v.raw.data + v.raw.len;
            continue;
        }

        kz_filter_node_meet(t, node, object);

        if (node->below != 0 && p < last && *p == '{') {
            node->value.val.type = KZ_JSON_OBJECT;

            frame->node = parent;
            frame->object = object;
            frame++;

            parent = node;
            object = ++t->clock;
            p++;
            continue;
        }

        kz_json_value(p, last, &v);
        kz_filter_value_set(&node->value, &v);
        p = v.raw.data + v.raw.len;
    }
}


void
kz_filter_trie_walk(kz_filter_trie_t *t, const kz_json_val_t *doc,
    const ngx_str_t *id)
{
    ngx_uint_t  has_id;

    t->document = ++t->clock;
    t->listed = NULL;
    t->cuts = 0;

    has_id = (id != NULL && id->data != NULL && t->id != NULL);

    if (has_id) {
        kz_filter_trie_id(t, id);
    }

    if (doc == NULL || doc->type != KZ_JSON_OBJECT || doc->raw.len < 2
        || t->root.below == 0)
    {
        return;
    }

    kz_filter_trie_object(t, doc, has_id);

    if (t->cuts) {
        kz_filter_trie_cut(t);
    }
}
