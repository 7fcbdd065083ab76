#ifndef _KZ_FILTER_INT_H_INCLUDED_
#define _KZ_FILTER_INT_H_INCLUDED_

/*
 * Private to kz_filter*.c.
 *
 *     JSON --parse--> expressions --canon--> terms --> kz_filter_t
 *                     (not pushed            (or of
 *                     to the leaves)          ands)
 *
 * A leaf is a clause: a kind (equals, range, ...), a path, a value.  A kind
 * is a row of kz_filter_kinds[]; a further operator is one more row and the
 * function that reads it from JSON (kz_filter_parse.c).
 *
 * A document is read by a trie of the paths somebody asks for: one walk over
 * its text notes their values in the nodes, clauses look only there.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "realtime/kz_filter.h"
#include "util/kz_out.h"


/* What a compilation may cost, whatever the configured limits are. */
#define KZ_FILTER_MAX_CONDITIONS  65536
#define KZ_FILTER_MAX_TERMS       4096
#define KZ_FILTER_MAX_LITERALS    65536
#define KZ_FILTER_MAX_WORK        16000000
#define KZ_FILTER_MAX_DEPTH       100


typedef struct kz_filter_kind_s    kz_filter_kind_t;
typedef struct kz_filter_clause_s  kz_filter_clause_t;
typedef struct kz_filter_expr_s    kz_filter_expr_t;
typedef struct kz_filter_node_s    kz_filter_node_t;
typedef struct kz_filter_field_s   kz_filter_field_t;
typedef struct kz_filter_span_s    kz_filter_span_t;


/* Values: of a filter and of a document. */

typedef struct {
    kz_json_type_e       type;
    ngx_str_t            str;          /* decoded */
    double               num;          /* never -0 */
} kz_filter_scalar_t;


typedef struct {
    double               low;          /* infinite: none */
    double               high;
    unsigned             above:1;      /* low is outside itself */
    unsigned             below:1;      /* high is outside itself */
} kz_filter_range_t;


typedef struct {
    kz_json_val_t        val;          /* raw: only scalars and arrays */
    ngx_str_t            str;          /* a string, between its quotes */
    double               num;          /* a number, once it was read */
} kz_filter_value_t;


/* Clauses. */

typedef enum {
    KZ_FILTER_NO = 0,
    KZ_FILTER_YES,
    KZ_FILTER_NEITHER                  /* nor does the negation match */
} kz_filter_truth_e;


typedef enum {
    KZ_FILTER_EQUALS = 0,
    KZ_FILTER_CONTAINS,                /* exists, array form */
    KZ_FILTER_RANGE,
    KZ_FILTER_EXISTS
} kz_filter_kind_e;


struct kz_filter_kind_s {
    kz_filter_kind_e     kind;         /* order in the canonical text, too */

    /* appends the clause as a filter of one keyword */
    void               (*print)(kz_out_t *o, const kz_filter_clause_t *c);

    /* orders two clauses of this kind on one path */
    ngx_int_t          (*cmp)(const kz_filter_clause_t *one,
                              const kz_filter_clause_t *two);

    /* value: NULL when the document has nothing at the path */
    kz_filter_truth_e  (*match)(const kz_filter_clause_t *c,
                                const kz_filter_value_t *value);

    unsigned             present:1;    /* matches only where a value is */
    unsigned             partial:1;    /* some values are KZ_FILTER_NEITHER */
};


struct kz_filter_clause_s {
    const kz_filter_kind_t  *kind;
    ngx_str_t                path;

    union {
        kz_filter_scalar_t   scalar;   /* equals, contains */
        kz_filter_range_t    range;
    } u;

    uint32_t                 id;       /* the same for equal clauses */
    uint32_t                 group;    /* the same for equal paths */

    kz_filter_clause_t      *next;
    kz_filter_node_t        *node;     /* in the filter's own trie */
};


typedef struct {
    kz_filter_clause_t      *clause;
    ngx_uint_t               negated;
} kz_filter_literal_t;


typedef struct {
    ngx_uint_t               n;
    kz_filter_literal_t     *literals;
} kz_filter_conj_t;


/* Expressions. */

typedef enum {
    KZ_FILTER_LEAF = 0,
    KZ_FILTER_AND,
    KZ_FILTER_OR,
    KZ_FILTER_TRUE,
    KZ_FILTER_FALSE
} kz_filter_op_e;


struct kz_filter_expr_s {
    kz_filter_op_e           op;
    ngx_uint_t               negated;  /* leaves only */
    kz_filter_clause_t      *clause;
    kz_filter_expr_t        *first;    /* and, or */
    kz_filter_expr_t        *next;
};


/* A compilation. */

typedef struct {
    ngx_pool_t              *pool;     /* the caller's */
    ngx_pool_t              *temp;     /* gone when it is over */
    kz_filter_err_t         *err;

    ngx_uint_t               max_conditions;
    ngx_uint_t               max_terms;
    ngx_uint_t               max_depth;

    ngx_uint_t               conditions;
    ngx_uint_t               work;

    kz_filter_clause_t      *clauses;  /* all, linked by next */
    kz_filter_clause_t     **table;    /* by id */
    uint32_t                 nclauses;
    uint32_t                *scratch;  /* nclauses literals */
} kz_filter_ctx_t;


/* The paths that are asked for, and their values in a document. */

struct kz_filter_node_s {
    kz_filter_node_t        *parent;
    kz_filter_node_t        *next;     /* with this hash */
    ngx_str_t                name;     /* one part of a dotted path */
    uint64_t                 hash;
    uint64_t                 mask;     /* which names may lie below */
    ngx_uint_t               below;    /* nodes */
    ngx_uint_t               refs;     /* users, and nodes below */
    kz_filter_field_t       *field;    /* the set's */

    /* times, by the trie's clock */
    uint64_t                 time;     /* when it got its value */
    uint64_t                 object;   /* in which object */
    uint64_t                 cut;      /* what is below and older is gone */
    uint64_t                 listed;   /* in this document */
    uint64_t                 live;     /* has a value, in this document */

    kz_filter_node_t        *next_listed;
    kz_filter_value_t        value;
};


typedef struct {
    kz_filter_node_t        *node;
    uint64_t                 object;
} kz_filter_frame_t;


typedef struct {
    ngx_pool_t              *pool;     /* NULL: from the heap */
    ngx_log_t               *log;

    kz_filter_node_t         root;
    kz_filter_node_t        *id;       /* the path "_id" */

    kz_filter_node_t       **buckets;
    ngx_uint_t               nbuckets; /* power of two */
    ngx_uint_t               nnodes;
    uint64_t                 seed;

    kz_filter_frame_t       *frames;
    ngx_uint_t               nframes;
    u_char                  *scratch;
    size_t                   scratch_size;

    uint64_t                 clock;
    uint64_t                 document; /* the time the walk began */
    ngx_uint_t               cuts;
    kz_filter_node_t        *listed;
} kz_filter_trie_t;


struct kz_filter_s {
    ngx_str_t                text;
    ngx_uint_t               n;        /* 0: nothing */
    kz_filter_conj_t        *conjs;    /* one, empty: everything */
    kz_filter_trie_t         trie;
};


/* kz_filter_parse.c: NULL with c->err filled */
kz_filter_expr_t *kz_filter_parse(kz_filter_ctx_t *c,
    const kz_json_val_t *body);

/*
 * kz_filter_canon.c: the expression as f->conjs, in c->temp; NGX_ERROR with
 * c->err filled.
 */
ngx_int_t kz_filter_canon(kz_filter_ctx_t *c, kz_filter_expr_t *e,
    kz_filter_t *f);

/*
 * kz_filter_simplify.c: what the clauses of one conjunction, sorted, say of
 * each other.  NGX_DECLINED: no document can match it.
 */
ngx_int_t kz_filter_simplify(kz_filter_ctx_t *c, kz_filter_conj_t *conj);

/* kz_filter.c */
kz_filter_clause_t *kz_filter_clause(kz_filter_ctx_t *c,
    kz_filter_kind_e kind, const ngx_str_t *path);
ngx_int_t kz_filter_too_complex(kz_filter_ctx_t *c, const char *what,
    ngx_uint_t limit, ngx_uint_t received);

/* kz_filter_kind.c */
extern const kz_filter_kind_t  kz_filter_kinds[];

ngx_int_t kz_filter_clause_cmp(const kz_filter_clause_t *one,
    const kz_filter_clause_t *two);
ngx_int_t kz_filter_str_cmp(const ngx_str_t *one, const ngx_str_t *two);
ngx_uint_t kz_filter_in_range(const kz_filter_range_t *r, double num);
ngx_uint_t kz_filter_scalar_is(const kz_filter_scalar_t *s,
    const kz_filter_value_t *value);
void kz_filter_element(kz_filter_value_t *value, const kz_json_val_t *v);
double kz_filter_number(const kz_json_val_t *v);

/* kz_filter_trie.c */
ngx_int_t kz_filter_trie_init(kz_filter_trie_t *t, ngx_pool_t *pool,
    ngx_log_t *log);
void kz_filter_trie_done(kz_filter_trie_t *t);
ngx_int_t kz_filter_trie_scratch(kz_filter_trie_t *t, size_t size);
void *kz_filter_trie_alloc(kz_filter_trie_t *t, size_t size);
void kz_filter_trie_free(kz_filter_trie_t *t, void *p);

/* Interns a path and takes a reference to its node; NULL: no memory. */
kz_filter_node_t *kz_filter_node_get(kz_filter_trie_t *t,
    const ngx_str_t *path);
void kz_filter_node_put(kz_filter_trie_t *t, kz_filter_node_t *node);

/* Notes the values of a document; allocates nothing. */
void kz_filter_trie_walk(kz_filter_trie_t *t, const kz_json_val_t *doc,
    const ngx_str_t *id);

#define kz_filter_node_live(t, node)                                          \
    ((node)->live == (t)->document)

/* kz_filter_span.c: ranges by what they contain, an interval tree */
struct kz_filter_span_s {
    kz_filter_span_t        *left;
    kz_filter_span_t        *right;
    kz_filter_range_t        range;
    double                   max;      /* the highest high in this subtree */
    unsigned                 open:1;   /* and it is outside itself */
    unsigned                 height:8;
};

#define KZ_FILTER_SPAN_HEIGHT  64

typedef void (*kz_filter_span_pt)(kz_filter_span_t *span, void *data);

void kz_filter_span_insert(kz_filter_span_t **root, kz_filter_span_t *span);
void kz_filter_span_remove(kz_filter_span_t **root, kz_filter_span_t *span);
void kz_filter_span_find(kz_filter_span_t *root, double num,
    kz_filter_span_pt found, void *data);


/*
 * Bytes to 64 bits.  Not cryptographic: the seed is what keeps a client from
 * choosing names that collide.
 */
static ngx_inline uint64_t
kz_filter_hash_word(uint64_t h, uint64_t w)
{
    h = (h ^ w) * 0x9e3779b97f4a7c15ULL;

    return h ^ (h >> 32);
}


static ngx_inline uint64_t
kz_filter_hash(uint64_t h, const u_char *p, size_t n)
{
    uint32_t  low, high;
    uint64_t  w;

    h = kz_filter_hash_word(h, n);

    while (n >= 8) {
        ngx_memcpy(&w, p, 8);
        h = kz_filter_hash_word(h, w);
        p += 8;
        n -= 8;
    }

    if (n >= 4) {
        ngx_memcpy(&low, p, 4);
        ngx_memcpy(&high, p + n - 4, 4);
        h = kz_filter_hash_word(h, ((uint64_t) high << 32) | low);

    } else if (n > 0) {
        w = p[0] | ((uint64_t) p[n / 2] << 8) | ((uint64_t) p[n - 1] << 16);
        h = kz_filter_hash_word(h, w);
    }

    return h;
}


#endif /* _KZ_FILTER_INT_H_INCLUDED_ */
