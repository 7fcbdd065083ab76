#ifndef _KZ_FILTER_SET_H_INCLUDED_
#define _KZ_FILTER_SET_H_INCLUDED_

/*
 * Private to kz_filter_set.c (filing) and kz_filter_run.c (matching): what a
 * set is made of.
 *
 *     node ("a.b") ---field---> ranges: tree of items
 *       ^   ^                   exists: list of items
 *       |   |                   hit: this document's entry
 *       |   entry (equals 1) ---> list of items
 *       |   entry (equals 2) ---> ...
 *       |
 *     item (a conjunction): tests[0] is what it is filed under
 */

#include "realtime/kz_filter_int.h"


typedef struct kz_filter_entry_s  kz_filter_entry_t;
typedef struct kz_filter_item_s   kz_filter_item_t;


/* A list of conjunctions, each of which knows its place in it. */

typedef struct {
    kz_filter_item_t       **items;
    uint32_t                 n;
    uint32_t                 allocated;
} kz_filter_list_t;


/* A value somebody compares with, at one path. */

struct kz_filter_entry_s {
    kz_filter_entry_t       *next;
    kz_filter_entry_t       *next_hit;
    kz_filter_node_t        *node;
    kz_filter_kind_e         kind;
    uint32_t                 refs;
    uint64_t                 hash;
    uint64_t                 hit;      /* the document it was found in */
    kz_filter_scalar_t       scalar;
    kz_filter_list_t         list;
};


/* What is asked about one path; node->field. */

struct kz_filter_field_s {
    uint32_t                 refs;     /* tests */
    uint32_t                 equals;   /* entries of that kind */
    uint32_t                 contains;
    uint32_t                 numbers;  /* tests that look at the number */
    kz_filter_span_t        *ranges;
    kz_filter_list_t         exists;
    kz_filter_entry_t       *hit;      /* of a live value, or NULL */
};


/* One literal of a filed conjunction. */

typedef struct {
    kz_filter_kind_e         kind;
    ngx_uint_t               negated;
    kz_filter_node_t        *node;

    union {
        kz_filter_entry_t         *entry;
        const kz_filter_clause_t  *clause;
    } u;
} kz_filter_test_t;


/* A filed conjunction; span comes first, the tree yields spans. */

struct kz_filter_item_s {
    kz_filter_span_t         span;
    kz_filter_ref_t         *ref;
    kz_filter_list_t        *list;     /* NULL: in the tree of a field */
    kz_filter_field_t       *field;
    uint32_t                 place;
    uint32_t                 n;
    kz_filter_test_t         tests[];  /* the one it is filed under first */
};


struct kz_filter_ref_s {
    ngx_queue_t              queue;
    void                    *owner;
    uint64_t                 reported; /* for this document */
    ngx_uint_t               n;
    kz_filter_item_t        *items[];
};


struct kz_filter_set_s {
    ngx_log_t               *log;
    kz_filter_trie_t         trie;
    ngx_queue_t              refs;

    kz_filter_entry_t      **entries;
    ngx_uint_t               nbuckets; /* power of two */
    ngx_uint_t               nentries;

    kz_filter_list_t         all;
    kz_filter_list_t         rest;
};


static ngx_inline uint64_t
kz_filter_entry_hash(kz_filter_set_t *s, const kz_filter_node_t *node,
    kz_filter_kind_e kind, const kz_filter_scalar_t *scalar)
{
    uint64_t  h, w;

    h = kz_filter_hash_word(s->trie.seed ^ (uintptr_t) node,
                            16 * kind + scalar->type);

    if (scalar->type == KZ_JSON_STRING) {
        return kz_filter_hash(h, scalar->str.data, scalar->str.len);
    }

    if (scalar->type == KZ_JSON_NUMBER) {
        ngx_memcpy(&w, &scalar->num, sizeof(uint64_t));
        return kz_filter_hash_word(h, w);
    }

    return h;
}


static ngx_inline ngx_uint_t
kz_filter_scalar_same(const kz_filter_scalar_t *one,
    const kz_filter_scalar_t *two)
{
    return one->type == two->type && one->num == two->num
           && one->str.len == two->str.len
           && (one->str.len == 0
               || ngx_memcmp(one->str.data, two->str.data, one->str.len)
                  == 0);
}


static ngx_inline kz_filter_entry_t *
kz_filter_entry_find(kz_filter_set_t *s, const kz_filter_node_t *node,
    kz_filter_kind_e kind, const kz_filter_scalar_t *scalar, uint64_t hash)
{
    kz_filter_entry_t  *entry;

    for (entry = s->entries[hash & (s->nbuckets - 1)];
         entry != NULL;
         entry = entry->next)
    {
        if (entry->hash == hash && entry->node == node && entry->kind == kind
            && kz_filter_scalar_same(&entry->scalar, scalar))
        {
            return entry;
        }
    }

    return NULL;
}


#endif /* _KZ_FILTER_SET_H_INCLUDED_ */
