#ifndef _KZ_MAPPING_H_INCLUDED_
#define _KZ_MAPPING_H_INCLUDED_

/*
 * Mappings: which fields of a collection's documents can be searched, and
 * how.  Pure: text in, structs out; no clock, no request.
 *
 *   compile   {"dynamic", "_meta", "properties"} -> kz_mapping_t, with the
 *             common fields (_kuzzle_info) added
 *   walk      a document's source -> the values to be indexed
 *   infer     a document's source -> the mapping with its new fields added
 *             (dynamic "true")
 *   merge     a mapping and a change of it -> the new mapping
 *   print     kz_mapping_t -> text, to be stored or to be shown
 *
 * A compiled mapping has a pool of its own and never changes (but for the
 * ids, which its owner fills in before anybody else sees it): any number of
 * threads may use one.
 *
 * The files: kz_mapping.c (compiling), kz_mapping_text.c (printing, merging),
 * kz_mapping_walk.c (documents), kz_mapping_value.c (one value of a type).
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_analysis.h"
#include "store/kz_store.h"
#include "util/kz_json_scan.h"
#include "util/kz_out.h"


#define KZ_MAPPING_MAX_FIELDS   1000     /* leaves, as in the original */
#define KZ_MAPPING_MAX_DEPTH    20       /* objects in objects */
#define KZ_MAPPING_MAX_KEYWORD  32766    /* bytes of one exact text */
#define KZ_MAPPING_MAX_TOKEN    255      /* characters of one word */


typedef enum {
    KZ_FIELD_OBJECT = 0,      /* not a leaf */
    KZ_FIELD_NESTED,          /* not a leaf; its objects are looked at one by
                                 one, from inside a nested query only */
    KZ_FIELD_TEXT,
    KZ_FIELD_KEYWORD,
    KZ_FIELD_LONG,
    KZ_FIELD_INTEGER,
    KZ_FIELD_SHORT,
    KZ_FIELD_BYTE,
    KZ_FIELD_DOUBLE,
    KZ_FIELD_FLOAT,
    KZ_FIELD_HALF_FLOAT,
    KZ_FIELD_SCALED_FLOAT,
    KZ_FIELD_BOOLEAN,
    KZ_FIELD_DATE,
    KZ_FIELD_IP,              /* text: 32 hexadecimal digits, IPv4 mapped */
    KZ_FIELD_GEO_POINT,       /* int: kz_value_geo_key() */
    KZ_FIELD_OPAQUE           /* geo_shape, binary, ...: kept, not searchable */
} kz_field_type_e;


typedef enum {
    KZ_DYNAMIC_UNSET = 0,     /* inherited, or the creator's default */
    KZ_DYNAMIC_TRUE,
    KZ_DYNAMIC_FALSE,
    KZ_DYNAMIC_STRICT
} kz_dynamic_e;


typedef enum {
    KZ_VALUE_INT = 1,         /* whole numbers, dates (epoch ms), booleans */
    KZ_VALUE_REAL,
    KZ_VALUE_TEXT
} kz_value_type_e;


/* One value, as it stands in the postings. */

typedef struct {
    kz_value_type_e       type;
    int64_t               i;
    double                d;
    ngx_str_t             text;
} kz_value_t;


typedef struct kz_mapping_node_s  kz_mapping_node_t;


/* A searchable leaf; multi-fields are fields of their own. */

typedef struct {
    ngx_str_t             path;         /* "name", "a.b", "name.keyword" */
    ngx_str_t             source;       /* where its values lie: "name" */
    ngx_str_t             type_name;    /* "keyword" */
    kz_field_type_e       type;
    int64_t               id;           /* fld.id: the owner's to fill in */
    ngx_uint_t            n;            /* its place in m->fields */
    ngx_uint_t            ignore_above; /* characters; 0: no limit */
    double                scaling;      /* scaled_float */
    ngx_array_t          *formats;      /* date; NULL: the default ones */
    kz_json_val_t         null_value;   /* NONE, or what null stands for */
    ngx_array_t          *copies;       /* of ngx_str_t: other places whose
                                           values are copied to it; or NULL */
    const kz_mapping_node_t  *nested;   /* the nested field it is inside of, or
                                           NULL: see kz_field_seen() */
    const kz_analyzer_t  *analyzer;     /* text */
    const kz_analyzer_t  *search_analyzer;
    const kz_analyzer_t  *normalizer;   /* keyword; or NULL */
    uint32_t              gap;          /* text: positions between values */
    unsigned              multi:1;      /* a multi-field */
    unsigned              common:1;     /* below _kuzzle_info */
    unsigned              indexed:1;    /* has postings */
    unsigned              malformed:1;  /* ignore_malformed: true */
} kz_field_t;


typedef struct {
    ngx_pool_t           *pool;
    kz_mapping_node_t    *root;
    kz_field_t           *fields;       /* all leaves, indexed or not, in the
                                           mapping's order, common ones last */
    ngx_uint_t            nfields;
    kz_field_t          **by_path;      /* the same, sorted by path */
    kz_analysis_t        *analysis;     /* analyzers by name */
    ngx_str_t             settings;     /* the collection's, or empty */
    kz_dynamic_e          dynamic;      /* effective one of the root */
    unsigned              given:1;      /* the creator said dynamic himself:
                                           what is not mapped is not found */
} kz_mapping_t;


/*
 * Why not.  status is one of kz_store.h's; detail goes to op->detail.
 * Where the error's message takes several arguments they are separated by
 * a line feed (BAD_MAPPING: property, rest of the sentence; BAD_TYPE: field,
 * type; MAPPING_CONFLICT, STRICT: field; BAD_DOCUMENT: a sentence).
 */

#define KZ_MAPPING_ERR_LEN  512

typedef struct {
    kz_store_status_e     status;
    ngx_str_t             detail;       /* in text, below */
    u_char                text[KZ_MAPPING_ERR_LEN];
} kz_mapping_err_t;


/*
 * text is a mapping object (any JSON text: it is validated), or empty.  The
 * dialect is the creator's; it decides what an absent "dynamic" means.
 * NULL: refused, *err says why.
 */
kz_mapping_t *kz_mapping_compile(u_char *text, size_t len,
    kz_dialect_e dialect, ngx_log_t *log, kz_mapping_err_t *err);

/*
 * The same for a collection that has settings: a JSON object (any text: it
 * is validated), or empty.  Their "analysis" defines analyzers; what is wrong
 * with them is BAD_DOCUMENT, a sentence.
 */
kz_mapping_t *kz_mapping_compile_with(u_char *text, size_t len,
    const ngx_str_t *settings, kz_dialect_e dialect, ngx_log_t *log,
    kz_mapping_err_t *err);

void kz_mapping_free(kz_mapping_t *m);

/*
 * Appends the mapping as JSON.  KZ_MAPPING_STORED: what goes into
 * col.mapping ("dynamic" only when it was given, no common fields);
 * KZ_MAPPING_SHOWN: what op->mapping holds.
 */
#define KZ_MAPPING_STORED  0
#define KZ_MAPPING_SHOWN   1

void kz_mapping_print(const kz_mapping_t *m, ngx_uint_t how, kz_out_t *out);

/*
 * What m becomes when the client sends another mapping for it, as text to be
 * stored, from the pool.  NGX_OK; NGX_DECLINED: it says nothing new;
 * NGX_ERROR: refused (BAD_MAPPING, BAD_TYPE, MAPPING_CONFLICT, or FAILED
 * when memory ran out).
 *
 * After NGX_OK compile it.  Documents stored before must be indexed again
 * when the collection has any: the new fields may be in them.
 */
ngx_int_t kz_mapping_merge(const kz_mapping_t *m, u_char *text, size_t len,
    ngx_pool_t *pool, ngx_str_t *out, kz_mapping_err_t *err);

/*
 * One value of a document, to be put into the postings: f is one of
 * m->fields (indexed ones only).  The value lives during the call.  The same
 * value of a field may come several times (arrays, repeated words).  What
 * emit() returns other than NGX_OK ends the walk and is returned by it.
 */
typedef ngx_int_t (*kz_mapping_emit_pt)(void *ctx, const kz_field_t *f,
    const kz_value_t *v);

/*
 * Checks a document (an object, validated text) against the mapping and
 * emits its values; emit may be NULL.  Allocates nothing that outlives it.
 *
 * NGX_OK
 * NGX_DECLINED  dynamic "true" and the document has fields the mapping does
 *               not know: kz_mapping_infer() first, drop what was emitted
 * NGX_ERROR     *err is filled: BAD_DOCUMENT, STRICT, or FAILED (no memory)
 *
 * KZ_WALK_LENIENT: for text that was indexed before, maybe under an older
 * state of the mapping: never an error about the document, never DECLINED;
 * what does not fit its type is left out, and limits on length are not
 * looked at.  What it emits includes all that a strict walk emits, so it
 * serves to remove postings.
 */
#define KZ_WALK_LENIENT  1

ngx_int_t kz_mapping_walk(const kz_mapping_t *m, const kz_json_val_t *doc,
    ngx_uint_t flags, kz_mapping_emit_pt emit, void *ctx,
    kz_mapping_err_t *err);

/*
 * The mapping with the fields that dynamic "true" adds for this document, as
 * text to be stored, from the pool.  NGX_OK; NGX_DECLINED: nothing to add;
 * NGX_ERROR: *err.  Compile the result and walk again.
 */
ngx_int_t kz_mapping_infer(const kz_mapping_t *m, const kz_json_val_t *doc,
    ngx_pool_t *pool, ngx_str_t *out, kz_mapping_err_t *err);

/* The field of that dotted path, or NULL. */
kz_field_t *kz_mapping_field(const kz_mapping_t *m, const ngx_str_t *path);

/*
 * Whether the field is seen where a query, a sort key or an aggregation
 * stands: inside the objects of that nested field, or at the root (NULL).
 * A field of a nested object is not seen from outside, unless
 * include_in_parent or include_in_root says so; nor is one of the root from
 * inside.
 */
ngx_uint_t kz_field_seen(const kz_field_t *f,
    const kz_mapping_node_t *nested);

/* The nested field of that dotted path, or NULL. */
const kz_mapping_node_t *kz_mapping_nested(const kz_mapping_t *m,
    const ngx_str_t *path);


#endif /* _KZ_MAPPING_H_INCLUDED_ */
